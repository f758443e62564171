//! Which file holds what, and how a page of an inventory reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Mbps, Medium, PortBinding, PortMode, SubscriberModel, VlanId};
use crate::inventory::model::{Transport, UNTHROTTLED};
use crate::inventory::{Headroom, Include, ROOT_FILE, quoted, quoted_key};
use crate::observed::{ObjectId, ProfileRef, Subscriber};

use super::draft::{DeviceDraft, Draft, Field, Item, by_port};
use super::entry::{self, SubscriberEntry};
use super::found::Existing;
use super::outcome::{describe, harmless};
use super::page::Page;
use super::plans::Shared;
use super::rates::words;

/// How an inventory is divided into files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// A file for each device, with its subscribers.
    #[default]
    PerDevice,
    /// A file for each building: devices that are called `maple-a` and `maple-b` stand in `maple`.
    PerSite,
    /// One file for all.
    OneFile,
}

/// Why new files cannot be put anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} would not be read: `include` in {ROOT_FILE} does not match it")]
pub struct NoPlace {
    /// Where the file would have gone, below the folder of the root file.
    pub path: String,
}

/// Writes the pages of a draft. `id` is the inventory's, where it is a new one.
pub(super) fn pages(
    draft: &Draft<'_>,
    existing: Option<Existing<'_>>,
    layout: Layout,
    id: &str,
) -> Result<Vec<Page>, NoPlace> {
    let mut places = Places::new(existing);
    let mut pages = Vec::new();
    if existing.is_none() {
        pages.push(root(draft, id));
    }
    let plans: Vec<usize> = (draft.plans_in().into_iter())
        .filter(|plan| draft.plans.list.get(*plan).is_some_and(|plan| !plan.exists))
        .collect();
    let groups = groups(draft, layout);
    if layout != Layout::OneFile && !plans.is_empty() {
        let mut page = Page::new(places.take("plans", &["", "plans/", "devices/", "sites/"])?);
        page.comment(
            0,
            "What the subscribers have. Change a rate here, and every device with a subscriber on it follows.",
        );
        page.gap();
        write_plans(&mut page, draft, &plans);
        pages.push(page);
    }
    for (name, devices) in groups {
        let folders: &[&str] = match layout {
            Layout::PerDevice => &["devices/", "sites/", ""],
            Layout::PerSite => &["sites/", "devices/", ""],
            Layout::OneFile => &["", "devices/", "sites/"],
        };
        let mut page = Page::new(places.take(&name, folders)?);
        head(&mut page, draft, &devices);
        let known = |site: &str| existing.is_some_and(|existing| existing.inventory.sites.contains_key(site));
        write_sites(&mut page, draft, &devices, known);
        if layout == Layout::OneFile && !plans.is_empty() {
            page.gap();
            write_plans(&mut page, draft, &plans);
        }
        write_devices(&mut page, draft, &devices, existing.is_some());
        write_subscribers(&mut page, draft, &devices);
        write_left(&mut page, draft, &devices);
        pages.push(page);
    }
    Ok(pages)
}

/// Paths that are free and that the root file includes.
struct Places {
    /// `None` for a new inventory, which reads whatever is there.
    include: Option<Include>,
    taken: BTreeSet<String>,
}

impl Places {
    fn new(existing: Option<Existing<'_>>) -> Self {
        let files = existing.iter().flat_map(|existing| {
            let folder = existing.folder();
            let relative = move |path: &str| path.strip_prefix(folder).unwrap_or(path).to_owned();
            existing.files.iter().map(move |file| relative(&file.path))
        });
        Self {
            include: existing.and_then(|existing| Some(Include::from_root_file(&existing.root()?.text))),
            taken: files.collect(),
        }
    }

    /// A path that is free and that is read: in the first folder that has one, under the name, or with a number behind it.
    fn take(&mut self, name: &str, folders: &[&str]) -> Result<String, NoPlace> {
        let path = |folder: &str, number: usize| match number {
            1 => format!("{folder}{name}.yaml"),
            _ => format!("{folder}{name}-{number}.yaml"),
        };
        let is_read = |path: &String| self.include.as_ref().is_none_or(|include| include.matches(path));
        // Among one more than there are taken, one is free.
        let most = self.taken.len() + 1;
        let mut paths = folders
            .iter()
            .flat_map(|folder| (1..=most).map(move |number| path(folder, number)));
        match paths.find(|path| is_read(path) && !self.taken.contains(path)) {
            Some(free) => {
                self.taken.insert(free.clone());
                Ok(free)
            }
            None => Err(NoPlace {
                path: path(folders.first().unwrap_or(&""), 1),
            }),
        }
    }
}

/// The devices of each file, by the file's name.
fn groups(draft: &Draft<'_>, layout: Layout) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, device) in draft.devices_in() {
        let name = match (layout, &device.site) {
            (Layout::OneFile, _) => "fleet".to_owned(),
            (Layout::PerSite, Some(site)) => site.clone(),
            (Layout::PerDevice | Layout::PerSite, _) => device.key.clone(),
        };
        groups.entry(name).or_default().push(place);
    }
    groups
}

fn root(draft: &Draft<'_>, id: &str) -> Page {
    let mut page = Page::new(ROOT_FILE.to_owned());
    page.comment(
        0,
        "Begun by `gamops import`. `gamops validate` checks it, `gamops plan` compares it with the devices.",
    );
    page.gap();
    page.line(0, "format: 1");
    page.line(0, &format!("inventory: {}", quoted(id, false)));
    page.gap();
    page.line(0, "defaults:");
    page.comment(1, "Credentials are names; the values never stand here.");
    page.line(1, &format!("credentials: {}", quoted(common_credentials(draft), false)));
    page.comment(
        1,
        "Devices are looked at and not changed. Set one to `manage` once its plan says what you expect.",
    );
    page.line(1, "mode: observe");
    if draft.plans.headroom != Headroom::default() {
        let words = match draft.plans.headroom == Headroom::percent(0) {
            true => "The devices were given what is sold and nothing more; the vendor advises 6 to 8 %.",
            false => "How much more than the rate sold the devices were given.",
        };
        page.comment(1, words);
        page.line(1, &format!("headroom: {}", draft.plans.headroom));
    }
    if let Some(rate) = highest_on_copper(draft) {
        page.gap();
        page.line(0, "policies:");
        page.comment(
            1,
            "Some device has a bandwidth profile above 1000 Mbps. The vendor says to use none above it.",
        );
        page.line(1, &format!("max_rate: {rate}"));
    }
    page
}

fn common_credentials<'d>(draft: &'d Draft<'_>) -> &'d str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, device) in draft.devices_in() {
        *counts.entry(&device.found.credentials).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    most.map_or("factory", |(name, _)| name)
}

/// The highest rate of a profile in use on copper, where it is one that only a policy allows.
fn highest_on_copper(draft: &Draft<'_>) -> Option<Mbps> {
    let copper = draft
        .devices_in()
        .filter(|(_, device)| device.found.model.medium == Medium::Copper);
    let rates = copper.flat_map(|(place, device)| {
        let in_use = draft.subscribers_in(place).filter_map(|(_, one)| match one.profile {
            Some(ProfileRef::Profile(id)) => device.config.profiles.get(&id),
            _ => None,
        });
        in_use
            .flat_map(|profile| [profile.down, profile.up])
            .flatten()
            .collect::<Vec<_>>()
    });
    rates
        .filter(|rate| (Mbps::MAX..=Mbps::MAX_BY_MIB).contains(rate))
        .max()
        .filter(|rate| *rate > Mbps::MAX)
}

fn head(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    let describe = |place: &usize| {
        let device = draft.devices.get(*place)?;
        let found = device.found;
        let firmware = found
            .identity
            .as_ref()
            .map(|identity| format!(" with {}", identity.firmware));
        let firmware = firmware.unwrap_or_default();
        Some(format!(
            "{}, a {} at {}{firmware}",
            device.key, found.model, found.address
        ))
    };
    let all: Vec<String> = devices.iter().filter_map(describe).collect();
    match all.as_slice() {
        [one] => page.comment(0, &format!("As `gamops import` found it: {one}.")),
        _ => page.comment(0, &format!("As `gamops import` found {} devices.", all.len())),
    }
    page.gap();
}

fn write_sites(page: &mut Page, draft: &Draft<'_>, devices: &[usize], known: impl Fn(&str) -> bool) {
    let site = |place: &usize| draft.devices.get(*place)?.site.as_deref();
    let sites: BTreeSet<&str> = devices.iter().filter_map(site).filter(|site| !known(site)).collect();
    if sites.is_empty() {
        return;
    }
    page.line(0, "sites:");
    for site in sites {
        page.line(1, &format!("{}: {{}}", quoted_key(site)));
    }
    page.gap();
}

fn write_plans(page: &mut Page, draft: &Draft<'_>, plans: &[usize]) {
    page.line(0, "plans:");
    for (number, place) in plans.iter().enumerate() {
        let Some(plan) = draft.plans.list.get(*place) else {
            continue;
        };
        let item = Item::Plan(*place);
        if number > 0 {
            page.gap();
        }
        let before = plans
            .iter()
            .take(number)
            .filter_map(|other| draft.plans.list.get(*other));
        let twin = before.into_iter().find(|other| other.sold == plan.sold);
        if let Some(twin) = twin {
            page.question(
                1,
                &format!("The same rates as `{}`: two plans, or one under two names?", twin.key),
            );
        }
        if plan.sold.odd {
            page.question(1, "The rates are as found on the devices. What is sold?");
        }
        if plan.description == Shared::Differs {
            page.question(
                1,
                "Its description differs from device to device, and is left as it is on each.",
            );
        }
        if plan.level == Shared::Differs {
            page.question(
                1,
                "Its service limit level differs from device to device, and is left as it is on each.",
            );
        }
        left_fields(page, draft, item);
        page.of(item, 1, &format!("{}:", quoted_key(&plan.key)));
        if plan.name != plan.key {
            page.of(item, 2, &format!("name: {}", quoted(&plan.name, false)));
        }
        if plan.sold.down == plan.sold.up {
            page.of(item, 2, &format!("rate: {}", words(plan.sold.down)));
        } else {
            page.of(item, 2, &format!("down: {}", words(plan.sold.down)));
            page.of(item, 2, &format!("up: {}", words(plan.sold.up)));
        }
        if plan.sold.headroom != draft.plans.headroom {
            page.of(item, 2, &format!("headroom: {}", plan.sold.headroom));
        }
        if let Shared::Same(description) = &plan.description {
            let is_left = |field| draft.is_left(item, field).is_some();
            let line = entry::text(Field::Description, 1, "description", description, &is_left);
            page.entry(item, 1, line.as_slice());
        }
        if let Shared::Same(level) = plan.level {
            page.of(item, 2, &format!("service_limit_level: {level}"));
        }
    }
}

fn write_devices(page: &mut Page, draft: &Draft<'_>, devices: &[usize], in_existing: bool) {
    page.gap();
    page.line(0, "devices:");
    for (number, place) in devices.iter().enumerate() {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        if number > 0 {
            page.gap();
        }
        let item = Item::Device(*place);
        for doubt in &device.found.doubts {
            page.question(1, doubt);
        }
        left_fields(page, draft, item);
        page.of(item, 1, &format!("{}:", quoted_key(&device.key)));
        if let Some(site) = &device.site {
            page.of(item, 2, &format!("site: {}", quoted(site, false)));
        }
        page.of(item, 2, &format!("model: {}", device.found.model));
        page.of(item, 2, &format!("address: {}", quoted(&device.found.address, false)));
        if let Some(transport) = transport(&device.found.transport, device.defaults.as_ref()) {
            page.of(item, 2, &format!("transport: {{{transport}}}"));
        }
        if in_existing || device.found.credentials != common_credentials(draft) {
            page.of(
                item,
                2,
                &format!("credentials: {}", quoted(&device.found.credentials, false)),
            );
        }
        let is_left = |field| draft.is_left(item, field).is_some();
        let hostname = entry::text(Field::Hostname, 1, "hostname", &device.config.hostname, &is_left);
        page.entry(item, 1, hostname.as_slice());
        page.of(item, 2, "mode: observe");
        if device.config.subscriber_model != SubscriberModel::EndpointAware {
            page.of(
                item,
                2,
                &format!("subscriber_model: {}", device.config.subscriber_model),
            );
        }
        write_ports(page, draft, *place, device);
        write_spares(page, draft, *place, device);
    }
}

/// How a device is reached, as far as it is not as usual. `defaults` are those of the inventory, where they turned out to be
/// others.
fn transport(transport: &Transport, defaults: Option<&Transport>) -> Option<String> {
    let usual = Transport {
        ssh_port: 22,
        snmp_port: 161,
        snmp: true,
        legacy_algorithms: false,
    };
    let differs = |part: fn(&Transport) -> u16| {
        let own = part(transport);
        own != part(&usual) || defaults.is_some_and(|defaults| own != part(defaults))
    };
    let mut parts = Vec::new();
    if differs(|transport| transport.ssh_port) {
        parts.push(format!("ssh_port: {}", transport.ssh_port));
    }
    if differs(|transport| transport.snmp_port) {
        parts.push(format!("snmp_port: {}", transport.snmp_port));
    }
    if differs(|transport| transport.snmp.into()) {
        parts.push(format!("snmp: {}", transport.snmp));
    }
    if differs(|transport| transport.legacy_algorithms.into()) {
        parts.push(format!("legacy_algorithms: {}", transport.legacy_algorithms));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn write_ports(page: &mut Page, draft: &Draft<'_>, place: usize, device: &DeviceDraft<'_>) {
    let mut is_headed = false;
    for (number, port) in &device.config.ports {
        let item = Item::Object(place, ObjectId::Port(*number));
        if draft.is_out(item) {
            continue;
        }
        let is_left = |field| draft.is_left(item, field).is_some();
        let mut lines: Vec<entry::Line> = entry::text(Field::Name, 1, "name", &port.name, &is_left)
            .into_iter()
            .collect();
        let flag = |text: &str| entry::Line {
            depth: 1,
            text: text.to_owned(),
            field: None,
        };
        if port.mode == PortMode::Siso {
            lines.push(flag("mode: siso"));
        }
        if port.shutdown {
            lines.push(flag("shutdown: true"));
        }
        if lines.is_empty() {
            continue;
        }
        if !is_headed {
            page.line(2, "ports:");
            is_headed = true;
        }
        left_fields(page, draft, item);
        match lines.as_slice() {
            [one] => {
                let text = match one.field {
                    Some(_) => format!("name: {}", quoted(&port.name, true)),
                    None => one.text.clone(),
                };
                let text = format!("{number}: {{{text}}}");
                page.entry(
                    item,
                    3,
                    &[entry::Line {
                        depth: 0,
                        text,
                        field: one.field,
                    }],
                );
            }
            _ => {
                page.of(item, 3, &format!("{number}:"));
                page.entry(item, 3, &lines);
            }
        }
    }
}

fn write_spares(page: &mut Page, draft: &Draft<'_>, place: usize, device: &DeviceDraft<'_>) {
    let mut is_headed = false;
    for (id, key) in &device.spares {
        let item = Item::Object(place, ObjectId::Endpoint(*id));
        let Some(endpoint) = device.config.endpoints.get(id).filter(|_| !draft.is_out(item)) else {
            continue;
        };
        if !is_headed {
            page.line(2, "endpoints:");
            is_headed = true;
        }
        unknown_words(page, 3, &endpoint.unknown);
        left_fields(page, draft, item);
        let is_left = |field| draft.is_left(item, field).is_some();
        page.entry(item, 3, &entry::spare_endpoint(key, endpoint, &is_left));
    }
}

fn write_subscribers(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    let mut is_headed = false;
    for place in devices {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        let mut subscribers: Vec<_> = draft.subscribers_in(*place).collect();
        subscribers.sort_by_key(|(id, one)| (by_port(device, one), *id));
        for (id, held) in subscribers {
            let Some(key) = device.subscribers.get(&id) else {
                continue;
            };
            page.gap();
            if !is_headed {
                page.line(0, "subscribers:");
                is_headed = true;
            }
            let item = Item::Object(*place, ObjectId::Subscriber(id));
            let plan = draft.plan_of(*place, held).and_then(|plan| draft.plans.list.get(plan));
            let endpoint = device.endpoint_of(held);
            questions(page, device, held);
            left_fields(page, draft, item);
            let entry = SubscriberEntry {
                key,
                device: &device.key,
                plan: plan.map_or(UNTHROTTLED, |plan| &plan.key),
                held,
                endpoint,
            };
            let is_left = |field| draft.is_left(item, field).is_some();
            page.entry(item, 1, &entry::subscriber(&entry, &is_left));
        }
    }
}

/// What a person has to decide about a subscriber.
fn questions(page: &mut Page, device: &DeviceDraft<'_>, held: &Subscriber) {
    let endpoint = device.endpoint_of(held);
    let is_bound = held.port.is_some() || endpoint.is_some();
    if !is_bound {
        page.question(1, "Bound to nothing on the device, so without service.");
    }
    if endpoint.is_some_and(|endpoint| endpoint.port == PortBinding::Unassigned) {
        page.question(1, "Its endpoint is on no port, so without service.");
    }
    if held.vlan == VlanId::CAPTIVE_PORTAL {
        page.question(
            1,
            "In VLAN 4094, the device's captive portal, so without service. Which VLAN is it to have?",
        );
    }
    unknown_words(page, 1, &held.unknown);
    if let Some(endpoint) = endpoint {
        unknown_words(page, 1, &endpoint.unknown);
    }
}

fn unknown_words(page: &mut Page, depth: usize, words: &[String]) {
    if !words.is_empty() {
        let words = harmless(&words.join(" "));
        page.question(
            depth,
            &format!("The device also says `{words}`, which gamops does not know and leaves alone."),
        );
    }
}

fn left_fields(page: &mut Page, draft: &Draft<'_>, item: Item) {
    let all = [
        Field::Name,
        Field::Description,
        Field::EndpointName,
        Field::EndpointDescription,
        Field::Hostname,
    ];
    let depth = match item {
        Item::Device(_) | Item::Plan(_) | Item::Object(_, ObjectId::Subscriber(_)) => 1,
        Item::Object(..) => 3,
    };
    for field in all {
        if let Some(reason) = draft.is_left(item, field) {
            let what = field.words();
            page.question(depth, &format!("On the device {what} stays as it is: {reason}."));
        }
    }
}

fn write_left(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    for place in devices {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        let mut left = draft.out_on(*place).peekable();
        if left.peek().is_none() {
            continue;
        }
        page.gap();
        page.question(0, &format!("Left alone on {}, unmanaged:", device.key));
        for (id, reason) in left {
            page.item(&format!("{}: {reason}", describe(&device.config, id)));
        }
    }
}
