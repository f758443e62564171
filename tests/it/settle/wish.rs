//! A small inventory that may go from any of its states to any other: whichever commits a daemon never sees, what is asked of it
//! is something that it does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::fleet::Given;
use crate::support::dice::Dice;
use crate::support::picture::Picture;

/// Two of coax, one of copper.
pub(super) const DEVICES: &[Given] = &[
    Given::new("maple", "GAM-4-CX"),
    Given::new("harbour", "GAM-12-M"),
    Given::new("quay", "GAM-4-CX"),
];

pub(super) const ROOT: &str = "\
format: 1
inventory: settle
defaults: { credentials: factory, mode: manage, headroom: \"0%\" }
policies: { guards: { change_devices: unlimited } }
";

/// Who is in every commit, and stays on his device.
const STAYS: &[(&str, &str, u8)] = &[
    ("s-1", "maple", 1),
    ("s-2", "maple", 1),
    ("s-3", "maple", 2),
    ("s-4", "harbour", 1),
    ("s-5", "harbour", 2),
    ("s-6", "quay", 3),
];

/// Who is in every commit, on the one device of coax or the other. Only one: two that change places are refused.
pub(super) const ROAMS: &str = "s-7";

/// Who comes and goes.
const VISITS: &str = "s-8";

const PLANS: &[&str] = &["gold", "silver"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    plans: BTreeMap<&'static str, (u32, u32)>,
    subscribers: BTreeMap<&'static str, Subscriber>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Subscriber {
    device: &'static str,
    port: u8,
    mac: u32,
    plan: &'static str,
    vlan: u32,
    tagged: bool,
    description: u32,
}

/// The names of those who are to be served by a device at every moment.
pub(super) fn stay_on(device: &str) -> impl Iterator<Item = &'static str> {
    STAYS
        .iter()
        .filter(move |(_, on, _)| *on == device)
        .map(|(name, ..)| *name)
}

impl Wish {
    pub(super) fn first() -> Self {
        let given = STAYS.iter().copied().chain([(ROAMS, "quay", 4)]);
        let subscribers = given.zip(1..).map(|((name, device, port), number)| {
            let subscriber = Subscriber {
                device,
                port,
                mac: number,
                plan: PLANS[0],
                vlan: 100 + number,
                tagged: false,
                description: 0,
            };
            (name, subscriber)
        });
        Self {
            plans: PLANS.iter().map(|plan| (*plan, (500, 100))).collect(),
            subscribers: subscribers.collect(),
        }
    }

    /// Does what a commit does: one to three things. `made` counts whatever needs a number that nobody has.
    pub(super) fn change(&mut self, dice: &mut Dice, made: &mut u32) {
        for _ in 0..1 + dice.below(3) {
            *made += 1;
            self.edit(dice, *made);
        }
    }

    fn edit(&mut self, dice: &mut Dice, made: u32) {
        let names: Vec<&str> = self.subscribers.keys().copied().collect();
        let name = dice.pick(&names);
        let plan = dice.pick(PLANS);
        let port = 1 + u8::try_from(dice.below(4)).unwrap();
        let Some(subscriber) = self.subscribers.get_mut(name) else {
            return;
        };
        match dice.below(100) {
            0..30 => subscriber.vlan = 100 + made,
            30..42 => subscriber.plan = plan,
            42..50 => drop(
                self.plans
                    .insert(plan, (20 + 10 * dice.below(60), 20 + 10 * dice.below(20))),
            ),
            50..60 => subscriber.mac = 100 + made,
            // On copper each port has its own.
            60..68 if subscriber.device != "harbour" => subscriber.port = port,
            60..72 => subscriber.tagged = !subscriber.tagged,
            72..78 => subscriber.description = made,
            78..90 => {
                if let Some(roams) = self.subscribers.get_mut(ROAMS) {
                    roams.device = if roams.device == "quay" { "maple" } else { "quay" };
                }
            }
            _ if self.subscribers.remove(VISITS).is_some() => {}
            _ => {
                let subscriber = Subscriber {
                    device: "quay",
                    port,
                    mac: 100 + made,
                    plan,
                    vlan: 100 + made,
                    tagged: false,
                    description: 0,
                };
                self.subscribers.insert(VISITS, subscriber);
            }
        }
    }

    /// Plans and subscribers.
    pub(super) fn services(&self) -> String {
        let mut text = "plans:\n".to_owned();
        for (plan, (down, up)) in &self.plans {
            let _ = writeln!(text, "  {plan}: {{ down: {down} Mbps, up: {up} Mbps }}");
        }
        text.push_str("subscribers:\n");
        for (name, subscriber) in &self.subscribers {
            let Subscriber {
                device,
                port,
                plan,
                vlan,
                tagged,
                description,
                ..
            } = subscriber;
            let _ = writeln!(
                text,
                "  {name}: {{ device: {device}, endpoint: \"{}\", port: {port}, plan: {plan}, vlan: {vlan}, tagged: {tagged}, \
                 description: flat {description} }}",
                subscriber.mac()
            );
        }
        text
    }

    /// In what a device differs from this; read off its configuration with nothing of the driver. Who is called `typed` is
    /// nobody of ours.
    pub(super) fn differs(&self, device: &str, config: &str) -> Option<String> {
        let picture = Picture::of(config);
        let here = self.subscribers.iter().filter(|(_, one)| one.device == device);
        for (name, one) in here {
            let Some(service) = picture.services.get(*name) else {
                return Some(format!("{name} is not served by {device}"));
            };
            let (down, up) = self.plans[one.plan];
            let wanted = [
                format!("at {} port {}", one.mac(), one.port),
                format!("vid {}", one.vlan),
                format!("{down}/{up}"),
            ];
            let parts: Vec<&str> = service.split(", ").collect();
            if let Some(wanted) = wanted.iter().find(|wanted| !parts.contains(&wanted.as_str())) {
                return Some(format!("{name} on {device} has no `{wanted}`: {service}"));
            }
            if parts.contains(&"tagged ") != one.tagged {
                return Some(format!("{name} on {device} is tagged or not: {service}"));
            }
        }
        let is_ours = |name: &&String| !name.starts_with("typed");
        let too_many = |name: &&String| {
            let one = self.subscribers.get(name.as_str());
            one.is_none_or(|one| one.device != device)
        };
        let mut others = picture.services.keys().filter(is_ours).filter(too_many);
        others.next().map(|name| format!("{name} is on {device} still"))
    }
}

impl Subscriber {
    fn mac(&self) -> String {
        format!("00:0e:d8:02:{:02x}:{:02x}", self.mac / 256, self.mac % 256)
    }
}
