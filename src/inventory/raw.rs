//! The shape of the files: what may stand where, before anything is compared with anything else.
//!
//! These tables are the decoder and the JSON Schema in one; the comments on the fields are what an editor
//! shows.

use crate::domain::{
    BillingKind, EndpointId, MacAddr, PoeMode, PortBinding, ServiceLimitLevel, SubscriberId, SubscriberModel, TimeSpan,
    UplinkNumber, VlanId,
};

use super::billing::{Unique, Way};
use super::decode::{
    Address, CanarySpec, ClockTime, Condition, CredentialsName, Day, Description, EndpointSpec, Entries, EntryKey,
    ExternalId, FactKey, FactTexts, FieldKey, Flag, FormatVersion, GuardCount, HeadroomText, HostKey, Hostname,
    IgnoreUntil, InventoryId, KeepDays, Key, LabelKey, LimitSpec, ModelName, Name, ObjectPattern, OfferKey, Paused,
    PortKey, PortModeWord, RunCount, ShareText, SoldRate, Spanned, SuspensionSpec, TcpPort, TemplateText, Text, Until,
    VlanList, WholeDays, ZoneName, shape,
};
use super::drift::{Field, Then};
use super::model::{Effect, Mode, OnFailure, State, Unsaved};
use super::rollout::WaveSize;
use super::window::Days;

shape! {
    /// An inventory of Positron GAM devices for gamops. The root file is `gamops.yaml`; the files that its
    /// `include` names are merged with it.
    "an inventory file" RawFile {
        /// Version of this format: 1. Root file only.
        optional format: FormatVersion,
        /// Id of the inventory; names its state database. Root file only.
        optional inventory: InventoryId,
        /// Which files belong to the inventory: globs below the root folder. `**/*.yaml` unless said. Folders whose
        /// name begins with a dot are skipped. Root file only.
        optional include: Vec<Spanned<Text>>,
        /// What holds for every device that does not say otherwise. Root file only.
        optional defaults: RawDefaults,
        /// Decisions for the whole fleet. Root file only.
        optional policies: RawPolicies,
        /// What billing systems' words mean here, and how far they may go; see `gamops billing`. Root file only.
        optional billing: RawBilling,
        /// Maintenance windows by key: when changes that a subscriber would feel may be made. `always` is built in.
        optional windows: Entries<EntryKey, RawWindow>,
        /// Buildings, or other groups of devices, by key.
        optional sites: Entries<EntryKey, RawSite>,
        /// GAM devices by key.
        optional devices: Entries<EntryKey, RawDevice>,
        /// Service plans by key. `unthrottled` is built in.
        optional plans: Entries<EntryKey, RawPlan>,
        /// Subscribers by key.
        optional subscribers: Entries<EntryKey, RawSubscriber>,
    }
}

shape! {
    /// What holds for every device, plan or subscriber that does not say otherwise.
    "`defaults`" RawDefaults {
        /// Name of the credentials; see `credentials` of a device.
        optional credentials: CredentialsName,
        /// Whether devices are changed or only looked at; see `mode` of a device.
        optional mode: Mode,
        /// How much more than the rate sold a profile allows. 6% unless said, as the vendor advises 6 to 8%.
        optional headroom: HeadroomText,
        /// How devices are reached.
        optional transport: RawTransport,
        /// Service VLAN of subscribers that name none. Unless said, such a subscriber is in VLAN 4094, the device's
        /// captive portal.
        optional vlan: VlanId,
    }
}

shape! {
    /// The operator's decisions for the whole fleet.
    "`policies`" RawPolicies {
        /// What to do about configuration on a device that somebody else left unsaved: `refuse` to change the device,
        /// `report` it (the default), or `save` it.
        optional unsaved: Unsaved,
        /// What becomes of a device on which an apply fails: `rollback` to what it held before (the default), or `leave` it
        /// as it is, unsaved. `gamops apply --on-failure` overrides it.
        optional on_failure: OnFailure,
        /// How `state: suspended` is done: into a VLAN (walled garden), onto a slow plan, or by taking the endpoint off.
        optional suspension: SuspensionSpec,
        /// The highest rate, headroom included, that is written as a profile on copper: 1000 Mbps unless said, 1999 Mbps at
        /// most. Plans above it are not limited.
        optional max_rate: SoldRate,
        /// How much one run may do before somebody has to say that it is meant.
        optional guards: RawGuards,
        /// In which portions the devices of a run are changed: a failed portion stops those after it. All at once unless said.
        optional waves: RawWaves,
        /// Rules of your own over plans, by name.
        optional rules: Entries<EntryKey, RawRule>,
        /// Key of the window that devices wait for with changes that a subscriber would feel, unless they name another. Changes are
        /// made at any time unless said.
        optional window: Key,
        /// How long what was done is remembered; see `gamops history`.
        optional history: RawHistory,
        /// What becomes of changes on devices that were not made through the inventory.
        optional drift: RawDrift,
    }
}

shape! {
    /// What becomes of drift: of changes on devices that were not made through the inventory.
    "`drift`" RawDrift {
        /// What the daemon does about it: `report` leaves it as it is and shows it, `revert` takes it back, `adopt` leaves it and
        /// proposes an edit of the inventory on a branch `gamops/adopt/DEVICE`. A device's own word goes before that of `policies`, and
        /// both before the daemon's settings.
        optional then: Then,
        /// The same for single fields by their names in the inventory, on every kind of object. A field's word goes before any
        /// other.
        optional fields: Entries<FieldKey, Then>,
        /// Drift that does not count for a while: it is neither taken back nor told, and stands in every plan.
        optional ignore: Vec<Spanned<RawIgnore>>,
    }
}

shape! {
    /// Drift that does not count for a while.
    "an ignore rule" RawIgnore {
        /// Key of the device that it is about. Every device unless said.
        optional device: Key,
        /// The objects that it is about, by their addresses as plans print them, with or without the device, `*` for any text:
        /// `maple-a/subscriber/s-10442`, `port/*`. Every object unless said.
        optional object: ObjectPattern,
        /// The field that it is about, by its name in the inventory. Every field unless said, and the object may also be gone.
        optional field: Field,
        /// Why; plans and `gamops status` say it.
        required reason: Text,
        /// When it counts again: a date (its first moment by the clocks of the device's site, else UTC) or a moment with its
        /// offset.
        required until: IgnoreUntil,
    }
}

shape! {
    /// A rule over plans: where its condition holds, the plan is refused, or a warning stands in it.
    "a rule" RawRule {
        /// A condition over the plan, in CEL: `plan` is what `gamops plan --format json` prints.
        required when: Condition,
        /// `refuse` or `warn`.
        required effect: Effect,
        /// What is said where the condition holds.
        required message: Text,
    }
}

shape! {
    /// How much one run may do before somebody has to say that it is meant. A limit that is loosened here holds from the next
    /// run on: until then the one that was last applied counts as well.
    "`guards`" RawGuards {
        /// Subscribers destroyed on one device: 5 or 10%, whichever is more, unless said.
        optional destroy_per_device: LimitSpec,
        /// Subscribers destroyed in the whole fleet: 20 or 2%, whichever is more, unless said.
        optional destroy_per_fleet: LimitSpec,
        /// Subscribers suspended, or parted from their endpoint or port, in the whole fleet: 20 or 5%, whichever is more,
        /// unless said.
        optional suspend: LimitSpec,
        /// Devices changed in one run: 25% unless said.
        optional change_devices: LimitSpec,
        /// Devices, subscribers or plans that the inventory may lose between two runs, each for itself: 20% unless said.
        optional lose: LimitSpec,
    }
}

shape! {
    /// How many, or how large a part; the larger of the two holds. A key that is left out keeps its default.
    "a limit" RawLimit {
        /// So many objects.
        optional count: GuardCount,
        /// So large a part of what there is. Counts from 10 objects on.
        optional share: ShareText,
    }
}

shape! {
    /// Why, and until when, a device is left as it is.
    "`paused`" RawPause {
        /// Why.
        optional reason: Text,
        /// When the pause ends by itself: a date (its first moment, UTC) or a moment with its offset.
        required until: Until,
    }
}

shape! {
    /// In which portions the devices of a run are changed.
    "`waves`" RawWaves {
        /// Who is changed first, alone: a number of devices (those whose subscribers feel least of it), or a list of their keys.
        /// Nobody unless said.
        optional canary: CanarySpec,
        /// How many devices are changed together after that: a number, or a share of those that change. All unless said.
        optional size: WaveSize,
        /// How long to wait after each portion, such as `2m`. No time unless said.
        optional pause: TimeSpan,
    }
}

shape! {
    /// When changes that a subscriber would feel may be made.
    "a window" RawWindow {
        /// Days on which it begins, by the calendar of its zone: `all` (the default), or a list of days and ranges such as
        /// `[mon-thu, sun]`.
        optional days: Days,
        /// When it begins, by the clocks of its zone, such as `"02:00"`.
        required start: ClockTime,
        /// How long it is open, such as `3h`, in time that passes, whatever the clocks do meanwhile.
        required length: TimeSpan,
        /// Its time zone, such as `Europe/Berlin`. Unless said, that of each device's site.
        optional zone: ZoneName,
    }
}

shape! {
    /// How long finished runs are remembered: as long as both say. The last run of each device, and what is not finished,
    /// is always remembered.
    "`history`" RawHistory {
        /// Days. 400 unless said.
        optional keep_days: KeepDays,
        /// How many runs, the newest. 10000 unless said.
        optional keep_runs: RunCount,
    }
}

shape! {
    /// How a device is reached.
    "`transport`" RawTransport {
        /// TCP port of SSH. 22 unless said.
        optional ssh_port: TcpPort,
        /// UDP port of SNMP. 161 unless said.
        optional snmp_port: TcpPort,
        /// Whether the device is asked over SNMP as well. `true` unless said.
        optional snmp: Flag,
        /// Also offer the algorithms of old SSH servers (SHA-1, CBC). Only for a device that knows no other.
        optional legacy_algorithms: Flag,
        /// Reserved: an SSH host to go through. Not supported by this version.
        optional jump_host: Text,
    }
}

shape! {
    /// A building, or another group of devices.
    "a site" RawSite {
        /// Street address, or whatever helps a technician.
        optional address: Text,
        /// Free text.
        optional description: Text,
        /// Time zone of the site, such as `America/Montreal`.
        optional time_zone: ZoneName,
        /// Groups that the site belongs to.
        optional groups: Vec<Spanned<Text>>,
        /// Pools of VLANs by name. A subscriber of the site in a VLAN outside all of them is a warning.
        optional vlans: Entries<LabelKey, VlanList>,
    }
}

shape! {
    /// Ids of this object in billing systems.
    "`external`" RawExternal {
        /// Id in Splynx.
        optional splynx: ExternalId,
        /// Id in Sonar.
        optional sonar: ExternalId,
    }
}

shape! {
    /// One GAM.
    "a device" RawDevice {
        /// The key that this device had before; moves its history along.
        optional was: Key,
        /// Key of the site that it stands in.
        optional site: Key,
        /// Product, such as `GAM-12-C`. It decides the number of ports, the medium and the limits.
        required model: ModelName,
        /// IP address or DNS name of its management.
        required address: Address,
        /// Host name to write to the device; left as it is unless said. It is in every DHCP option 82 circuit id.
        optional hostname: Hostname,
        /// Name of the credentials. The values come from `GAMOPS_CRED_<NAME>_USERNAME` and `_PASSWORD` or from a settings
        /// file, never from here. `factory` is built in: admin with an empty password.
        optional credentials: CredentialsName,
        /// SSH host key in OpenSSH form. Pinned at first contact unless said.
        optional host_key: HostKey,
        /// `observe` reads and reports; `manage` also changes. `observe` unless said: let a new device start there.
        optional mode: Mode,
        /// Holds changes back: `true`, the reason, or a map with `reason` and `until`. Differences are shown all the same.
        optional paused: Paused,
        /// Key of the window that changes which a subscriber would feel wait for, or `always` for none. That of `policies` unless
        /// said.
        optional window: Key,
        /// Refuses to lose this device: it cannot leave the inventory, nor lose its last subscriber, in the commit that takes
        /// this away.
        optional protect: Flag,
        /// Whether command-line words may be tried that nobody has seen work. Without it, settings that need one are not sent.
        optional allow_assumed: Flag,
        /// What subscribers are tied to, as the device was installed; gamops never switches it. `endpoint-aware` (the default):
        /// to an endpoint, which is tied to a port. `port-aware` (copper, firmware 1.4 and later): to a port, whichever
        /// endpoint appears there; subscribers then name `port` and no `endpoint`.
        optional subscriber_model: SubscriberModel,
        /// The operator's own marks.
        optional labels: Entries<LabelKey, Text>,
        /// Ids in billing systems.
        optional external: RawExternal,
        /// How it is reached.
        optional transport: RawTransport,
        /// Settings of ports, by number. A port that is not listed is left alone.
        optional ports: Entries<PortKey, RawPort>,
        /// Endpoints that serve no subscriber yet, by key.
        optional endpoints: Entries<EntryKey, RawSpareEndpoint>,
        /// What becomes of changes on this device that were not made through the inventory.
        optional drift: RawDrift,
    }
}

shape! {
    /// Settings of one G.hn port.
    "a port" RawPort {
        /// Name on the device; left as it is unless said.
        optional name: Name,
        /// Copper only: `mimo` uses two pairs (the default), `siso` one. Changing it retrains the line.
        optional mode: PortModeWord,
        /// `true`: no alarms from this port. Traffic goes on: this does not suspend anybody.
        optional shutdown: Flag,
    }
}

shape! {
    /// An endpoint in stock, or plugged in without a subscriber.
    "a spare endpoint" RawSpareEndpoint {
        /// The key that it had before.
        optional was: Key,
        /// Its MAC address, printed on its label.
        required mac: MacAddr,
        /// Where it belongs: a port number, `auto` (the first port where it is seen), or `unassigned` (the default).
        optional port: PortBinding,
        /// Name on the device. `Positron_` and the last six digits of the MAC unless said.
        optional name: Name,
        /// Text on the device; left as it is unless said.
        optional description: Description,
        /// Whether whoever is behind the endpoint reaches the management VLAN; left as it is unless said.
        optional management_access: Flag,
        /// Number on the device, if it has to be a certain one.
        optional id: EndpointId,
        /// Refuses its deletion, and whatever would take its service, also in the commit that takes this away.
        optional protect: Flag,
    }
}

shape! {
    /// The endpoint in a subscriber's home.
    "an endpoint" RawEndpoint {
        /// Its MAC address, printed on its label.
        required mac: MacAddr,
        /// Name on the device. `Positron_` and the last six digits of the MAC unless said.
        optional name: Name,
        /// Text on the device; left as it is unless said.
        optional description: Description,
        /// Whether whoever is behind the endpoint reaches the management VLAN; left as it is unless said.
        optional management_access: Flag,
        /// Number on the device, if it has to be a certain one.
        optional id: EndpointId,
    }
}

shape! {
    /// A service plan. Rates are what is sold; the device is given a little more, see `headroom`.
    "a plan" RawPlan {
        /// The key that this plan had before.
        optional was: Key,
        /// Name of the bandwidth profile on the device; the key unless said.
        optional name: Name,
        /// Rate sold towards the subscriber, together with `up`.
        optional down: SoldRate,
        /// Rate sold from the subscriber, together with `down`.
        optional up: SoldRate,
        /// Rate sold in both directions, instead of `down` and `up`.
        optional rate: SoldRate,
        /// How much more than the rate sold the profile allows. The default is 6%, or what `defaults` says.
        optional headroom: HeadroomText,
        /// Text on the device; left as it is unless said.
        optional description: Description,
        /// Refuses its deletion, and whatever would take its service, also in the commit that takes this away.
        optional protect: Flag,
        /// The operator's own marks.
        optional labels: Entries<LabelKey, Text>,
        /// Ids in billing systems.
        optional external: RawExternal,
        /// Which traffic classes are limited on G1001-C endpoints, 1 to 4; left as it is unless said.
        optional service_limit_level: ServiceLimitLevel,
    }
}

shape! {
    /// One subscriber.
    "a subscriber" RawSubscriber {
        /// The key that this subscriber had before.
        optional was: Key,
        /// Name on the device; the key unless said. It is the DHCP option 82 and PPPoE remote id.
        optional name: Name,
        /// Key of the device that serves it.
        required device: Key,
        /// MAC address of the endpoint in the home, or a map that says more.
        optional endpoint: EndpointSpec,
        /// Port that the endpoint is on: a number, or `auto` for the first port where it is seen. On a port-aware device: the
        /// subscriber's port, a number.
        optional port: PortBinding,
        /// Key of the plan, or `unthrottled`. What a device does without one is not known, so it has to be said.
        required plan: Key,
        /// Service VLAN. What `defaults` says unless given here.
        optional vlan: VlanId,
        /// Whether the endpoint's first Ethernet port keeps the tag. Untagged frames are then dropped. `false` unless said.
        optional tagged: Flag,
        /// VLAN to use on the line in place of `vlan`.
        optional remapped_vlan: VlanId,
        /// Further VLANs, passed tagged: numbers and ranges, 12 VLANs at most.
        optional allowed_vlans: VlanList,
        /// VLAN of the endpoint's second Ethernet port.
        optional port2_vlan: VlanId,
        /// Power over the endpoint's first Ethernet port: `disable`, `enable`, or `force` (802.3at though the source is
        /// 802.3af); left as it is unless said.
        optional poe: PoeMode,
        /// Text on the device; left as it is unless said.
        optional description: Description,
        /// `active` (the default) or `suspended`, which does what `policies.suspension` says.
        optional state: State,
        /// Keeps billing from changing anything of this subscriber for a while.
        optional hold: RawHold,
        /// The day on which billing said that the service is over. Written and taken away by `gamops billing`: the subscriber is
        /// suspended from then on, and removed after the grace period.
        optional ended: Day,
        /// Number on the device, if it has to be a certain one.
        optional id: SubscriberId,
        /// Refuses its deletion, and whatever would take its service, also in the commit that takes this away.
        optional protect: Flag,
        /// The operator's own marks.
        optional labels: Entries<LabelKey, Text>,
        /// Ids in billing systems.
        optional external: RawExternal,
        /// The endpoint's first Ethernet port as a trunk: VLANs 3 to 4093 pass tagged, in place of `allowed_vlans`. Some endpoint
        /// models only. `false` unless said.
        optional trunk: Flag,
        /// A second tag around the subscriber's own, towards the network.
        optional double_tag: RawDoubleTag,
    }
}

shape! {
    /// Until when billing changes nothing of a subscriber, and why.
    "`hold`" RawHold {
        /// When it ends by itself: a date (its first moment, UTC) or a moment with its offset.
        required until: Until,
        /// Why.
        required reason: Text,
    }
}

shape! {
    /// What billing systems' words mean here, and how far they may go.
    "`billing`" RawBilling {
        /// Splynx.
        optional splynx: RawMapping,
        /// Sonar.
        optional sonar: RawMapping,
    }
}

impl RawBilling {
    /// The systems that are there.
    pub(super) fn systems(&self) -> impl Iterator<Item = (BillingKind, &RawMapping)> {
        let both = [(BillingKind::Splynx, &self.splynx), (BillingKind::Sonar, &self.sonar)];
        both.into_iter()
            .filter_map(|(kind, raw)| Some((kind, &raw.as_ref()?.value)))
    }
}

shape! {
    /// What a billing system's words mean here, and how far it may go.
    "a billing system" RawMapping {
        /// Keys of plans, or `unthrottled`, by the id or the name of what is sold (a tariff of Splynx, a service of Sonar). Ids go
        /// before names. What is named by `external` of a plan needs no line here.
        optional plans: Entries<OfferKey, Key>,
        /// Which accounts belong to which site, the first rule that fits. Without rules every account may be on any site.
        optional sites: Vec<Spanned<RawSiteRule>>,
        /// Where the MAC address of the endpoint may stand: the first of them that says exactly one counts. Unless said,
        /// `[inventory.barcode, service.mac]` in Splynx and `[inventory.mac, service.uninventoried_mac]` in Sonar.
        optional endpoint: Vec<Spanned<Text>>,
        /// Where the number of the port may stand. Used where no address is known.
        optional port: Vec<Spanned<Text>>,
        /// Where the device may stand: its key, its host name, its address or its id in the billing system.
        optional device: Vec<Spanned<Text>>,
        /// Key of a new subscriber, with `{account}`, `{service}` and `{name}`. `s-{service}` unless said.
        optional key: TemplateText,
        /// Name of a new subscriber on its device, in the same way. Its key unless said.
        optional name: TemplateText,
        /// Text of a new subscriber on its device, in the same way. None unless said.
        optional description: TemplateText,
        /// Which VLAN a new subscriber gets. What `defaults` says unless given here.
        optional vlans: RawVlanRule,
        /// What becomes of a customer who owes while the system still serves him: `active` (the default) or `suspended`.
        optional delinquent: State,
        /// What becomes of a subscriber whose service is over.
        optional ended: RawEnded,
        /// How changes get into the branch.
        optional ways: RawWays,
        /// How much the system may ask for before somebody has to say that it is meant.
        optional limits: RawBillingLimits,
    }
}

shape! {
    /// Whose the accounts are that fit.
    "a rule of `sites`" RawSiteRule {
        /// Key of the site that they belong to.
        optional site: Key,
        /// They are none of ours: the reason.
        optional ignore: Text,
        /// What must hold of them, by the names of the facts that the system tells: each with a text, or a list of texts of which
        /// one must be it. Every account fits unless said.
        optional when: Entries<FactKey, FactTexts>,
    }
}

shape! {
    /// Which VLAN a new subscriber gets.
    "`vlans` of a billing system" RawVlanRule {
        /// Name of the pool, among `vlans` of the device's site. Its lowest VLAN that is free is taken.
        required pool: Text,
        /// Among whom a VLAN is used once: the subscribers of a `device`, those of a `site` (the default), or `none`: all share the
        /// first VLAN of the pool.
        optional unique: Unique,
        /// How long a VLAN rests before another subscriber gets it, such as `7d`, which is the default.
        optional rest: WholeDays,
    }
}

shape! {
    /// What becomes of a subscriber whose service is over.
    "`ended`" RawEnded {
        /// How long it stays in the inventory, suspended, before it is removed. `14d` unless said.
        optional grace: WholeDays,
    }
}

shape! {
    /// How changes get into the branch: `push` commits on it, `propose` opens a change request.
    "`ways`" RawWays {
        /// A subscriber that gets another id in billing. `push` unless said.
        optional rename: Way,
        /// Another plan. `push` unless said.
        optional plan: Way,
        /// A subscriber that works again. `push` unless said.
        optional restore: Way,
        /// A new subscriber. `push` unless said.
        optional create: Way,
        /// A subscriber that is to rest. `push` unless said.
        optional suspend: Way,
        /// A subscriber that leaves. `propose` unless said.
        optional remove: Way,
    }
}

shape! {
    /// How much a billing system may ask for before somebody has to say that it is meant. Above a limit nothing of that kind is
    /// written.
    "`limits`" RawBillingLimits {
        /// Plans changed: 50 or 5% at once, 100 or 10% in a day unless said.
        optional plan: RawPace,
        /// Subscribers that work again: 50 or 5% at once, 100 or 10% in a day unless said.
        optional restore: RawPace,
        /// Subscribers that come in: 50 or 5% at once, 200 or 20% in a day unless said.
        optional create: RawPace,
        /// Subscribers that are to rest: 20 or 5% at once, 40 or 10% in a day unless said.
        optional suspend: RawPace,
        /// Subscribers that leave: 5 or 1% at once, 20 or 2% in a day unless said.
        optional remove: RawPace,
        /// Accounts or services that are not told any more: 10 or 5% unless said. Above it nothing at all is written.
        optional lose: LimitSpec,
        /// Services that are not understood: 10 or 5% unless said. Above it nothing at all is written.
        optional unclear: LimitSpec,
        /// Services that begin or cease to be served at once: 50 or 20% unless said. Above it nothing at all is written.
        optional turn: LimitSpec,
    }
}

shape! {
    /// How much of one kind. Shares are of the subscribers that have a service in the system.
    "a limit over time" RawPace {
        /// In one sync.
        optional run: LimitSpec,
        /// In 24 hours.
        optional day: LimitSpec,
    }
}

shape! {
    /// An outer VLAN towards the uplink.
    "`double_tag`" RawDoubleTag {
        /// The outer VLAN.
        required outer_vlan: VlanId,
        /// Number of the 10G uplink that carries it, 1 or 2. The device's default uplink unless said.
        optional uplink: UplinkNumber,
    }
}
