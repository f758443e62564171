//! A small inventory and the ways in which people change one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::support::dice::Dice;

/// Keys and models: one of each medium.
pub(super) const DEVICES: &[(&str, &str)] = &[("maple", "GAM-4-CX"), ("harbour", "GAM-12-M")];

/// Ports given to subscribers on the copper device, one each; strangers have the rest on their own.
const COPPER_PORTS: std::ops::RangeInclusive<u8> = 5..=12;

const SUSPENSIONS: &[&str] = &["{ vlan: 666 }", "{ plan: bronze }", "unbind"];

/// What the inventory says.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    suspension: &'static str,
    plans: BTreeMap<&'static str, (u32, u32)>,
    subscribers: BTreeMap<String, Subscriber>,
    /// Counts everything that needs a number of its own.
    made: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Subscriber {
    /// Device-side.
    name: String,
    was: Option<String>,
    device: &'static str,
    mac: u32,
    port: u8,
    plan: &'static str,
    vlan: u32,
    tagged: bool,
    description: Option<String>,
    suspended: bool,
}

/// A subscriber on his way to another device.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) name: String,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

const PLANS: &[&str] = &["gold", "silver", "bronze"];

impl Wish {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let mut wish = Self {
            suspension: dice.pick(SUSPENSIONS),
            plans: PLANS.iter().map(|plan| (*plan, rates(dice))).collect(),
            subscribers: BTreeMap::new(),
            made: 0,
        };
        for _ in 0..3 + dice.below(4) {
            wish.create(dice);
        }
        wish
    }

    /// Does to the inventory what a commit does: one to three things.
    pub(super) fn change(&mut self, dice: &mut Dice) {
        for subscriber in self.subscribers.values_mut() {
            subscriber.was = None;
        }
        // Subscribers who change places between devices are refused, and told to be moved one way first.
        let destination = dice.pick(DEVICES).0;
        for _ in 0..1 + dice.below(3) {
            self.edit(destination, dice);
        }
    }

    fn edit(&mut self, destination: &str, dice: &mut Dice) {
        if self.subscribers.len() < 2 {
            return self.create(dice);
        }
        let keys: Vec<String> = self.subscribers.keys().cloned().collect();
        let (key, other) = (dice.pick(&keys), dice.pick(&keys));
        self.made += 1;
        let made = self.made;
        let free = self.free_port(dice);
        let has_room = self.subscribers.len() < 9;
        let Some(subscriber) = self.subscribers.get_mut(&key) else {
            return;
        };
        match dice.below(100) {
            0..15 if has_room => self.create(dice),
            0..25 => drop(self.subscribers.remove(&key)),
            // To another port of the same device, or to the other device.
            25..40 if free.0 == subscriber.device || free.0 == destination => {
                (subscriber.device, subscriber.port) = free;
            }
            40..48 => subscriber.name = format!("n-{made}"),
            48..53 => {
                let mut renamed = subscriber.clone();
                renamed.was.get_or_insert(key.clone());
                self.subscribers.remove(&key);
                self.subscribers.insert(format!("k-{made}"), renamed);
            }
            53..63 => subscriber.mac = made,
            63..71 => subscriber.vlan = 100 + made,
            71..78 => subscriber.plan = dice.pick(PLANS),
            78..83 => drop(self.plans.insert(dice.pick(PLANS), rates(dice))),
            83..91 => subscriber.suspended = !subscriber.suspended,
            91..94 => subscriber.description = Some(format!("flat {made}")),
            94..97 => subscriber.tagged = !subscriber.tagged,
            // Two exchange what is each one's own: numbers, names, VLANs.
            _ => self.exchange(&key, &other, dice),
        }
    }

    fn create(&mut self, dice: &mut Dice) {
        self.made += 1;
        let made = self.made;
        let (device, port) = self.free_port(dice);
        let subscriber = Subscriber {
            name: format!("s-{made}"),
            was: None,
            device,
            mac: made,
            port,
            plan: dice.pick(PLANS),
            vlan: 100 + made,
            tagged: dice.chance(30),
            description: dice.chance(30).then(|| format!("flat {made}")),
            suspended: dice.chance(10),
        };
        self.subscribers.insert(format!("s-{made}"), subscriber);
    }

    fn exchange(&mut self, one: &str, other: &str, dice: &mut Dice) {
        let (Some(mut a), Some(mut b)) = (self.subscribers.get(one).cloned(), self.subscribers.get(other).cloned())
        else {
            return;
        };
        if one == other || a.device != b.device {
            return;
        }
        match dice.below(3) {
            0 => std::mem::swap(&mut a.mac, &mut b.mac),
            1 => std::mem::swap(&mut a.vlan, &mut b.vlan),
            _ => std::mem::swap(&mut a.port, &mut b.port),
        }
        self.subscribers.insert(one.to_owned(), a);
        self.subscribers.insert(other.to_owned(), b);
    }

    /// A device, and a port of it with room for one more.
    fn free_port(&self, dice: &mut Dice) -> (&'static str, u8) {
        let taken: BTreeSet<u8> = self.on("harbour").map(|subscriber| subscriber.port).collect();
        let copper: Vec<u8> = COPPER_PORTS.filter(|port| !taken.contains(port)).collect();
        if copper.is_empty() || dice.chance(60) {
            ("maple", 1 + u8::try_from(dice.below(4)).unwrap())
        } else {
            ("harbour", dice.pick(&copper))
        }
    }

    fn on(&self, device: &str) -> impl Iterator<Item = &Subscriber> {
        self.subscribers
            .values()
            .filter(move |subscriber| subscriber.device == device)
    }

    /// The numbers of subscribers on a device, as many as there are.
    pub(super) fn count_on(&self, device: &str) -> u32 {
        u32::try_from(self.on(device).count()).unwrap()
    }

    /// Device-side names of those on a device about whom nothing differs, nor about their plans; those who
    /// are suspended left out.
    pub(super) fn left_alone_since(&self, before: &Self, device: &str) -> Vec<String> {
        let is_alike = |(key, subscriber): &(&String, &Subscriber)| {
            let key = subscriber.was.as_ref().unwrap_or(key);
            let Some(was) = before.subscribers.get(key) else {
                return false;
            };
            let now = Subscriber {
                was: was.was.clone(),
                ..(*subscriber).clone()
            };
            now == *was && self.plans.get(now.plan) == before.plans.get(now.plan)
        };
        let here = self
            .subscribers
            .iter()
            .filter(|(_, subscriber)| subscriber.device == device);
        here.filter(is_alike)
            .filter(|(_, subscriber)| !subscriber.suspended)
            .map(|(_, subscriber)| subscriber.name.clone())
            .collect()
    }

    /// Those whose device alone differs, of those who are served.
    pub(super) fn moved_since(&self, before: &Self) -> Vec<Moved> {
        let moved = |(key, subscriber): (&String, &Subscriber)| {
            let was = before.subscribers.get(subscriber.was.as_ref().unwrap_or(key))?;
            let is_moved = was.device != subscriber.device && was.name == subscriber.name;
            (is_moved && !was.suspended && !subscriber.suspended).then(|| Moved {
                name: was.name.clone(),
                from: was.device,
                to: subscriber.device,
            })
        };
        self.subscribers.iter().filter_map(moved).collect()
    }

    /// The whole inventory in one file; `ports` gives a device's SSH and SNMP ports.
    pub(super) fn yaml(&self, ports: impl Fn(&str) -> (u16, u16)) -> String {
        let mut text = format!(
            "format: 1\ninventory: random\ndefaults: {{ credentials: factory, mode: manage }}\n\
             policies: {{ suspension: {} }}\ndevices:\n",
            self.suspension
        );
        for (key, model) in DEVICES {
            let (ssh, snmp) = ports(key);
            let _ = writeln!(
                text,
                "  {key}: {{ model: {model}, address: 127.0.0.1, transport: {{ ssh_port: {ssh}, snmp_port: {snmp} }} }}"
            );
        }
        text + &self.services()
    }

    /// Plans and subscribers.
    pub(super) fn services(&self) -> String {
        let mut text = "plans:\n".to_owned();
        for (plan, (down, up)) in &self.plans {
            let _ = writeln!(text, "  {plan}: {{ down: {down} Mbps, up: {up} Mbps }}");
        }
        text.push_str("subscribers:\n");
        for (key, subscriber) in &self.subscribers {
            let Subscriber {
                name,
                device,
                mac,
                port,
                plan,
                vlan,
                tagged,
                ..
            } = subscriber;
            let _ = write!(
                text,
                "  {key}: {{ name: {name}, device: {device}, endpoint: \"00:0e:d8:01:{:02x}:{:02x}\", port: {port}, plan: \
                 {plan}, vlan: {vlan}, tagged: {tagged}",
                mac / 256,
                mac % 256
            );
            if let Some(was) = &subscriber.was {
                let _ = write!(text, ", was: {was}");
            }
            if let Some(description) = &subscriber.description {
                let _ = write!(text, ", description: {description}");
            }
            if subscriber.suspended {
                text.push_str(", state: suspended");
            }
            text.push_str(" }\n");
        }
        text
    }
}

fn rates(dice: &mut Dice) -> (u32, u32) {
    (20 + 10 * dice.below(60), 20 + 10 * dice.below(20))
}
