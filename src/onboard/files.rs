//! Which file holds what.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Include, ROOT_FILE};

use super::devices::write_devices;
use super::draft::Draft;
use super::found::Existing;
use super::page::Page;
use super::root::root;
use super::sections::{head, write_left, write_plans, write_sites, write_subscribers};

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
        let folders = &["", "plans/", "devices/", "sites/"];
        let mut page = Page::new(places.take("plans", "plans", folders)?);
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
        let beside = beside(draft, layout, &name, &devices);
        let mut page = Page::new(places.take(&name, &beside, folders)?);
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

    /// A path that is free and that is read: in the first folder that has one, under the name, else under the name for
    /// beside that, with a number behind it where it has to be.
    fn take(&mut self, name: &str, beside: &str, folders: &[&str]) -> Result<String, NoPlace> {
        let path = |folder: &str, number: usize| match number {
            0 => format!("{folder}{name}.yaml"),
            1 => format!("{folder}{beside}.yaml"),
            _ => format!("{folder}{beside}-{number}.yaml"),
        };
        let is_read = |path: &String| self.include.as_ref().is_none_or(|include| include.matches(path));
        // Among one more than there are taken, one is free.
        let most = self.taken.len() + 1;
        let mut paths = folders
            .iter()
            .flat_map(|folder| (0..=most).map(move |number| path(folder, number)));
        match paths.find(|path| is_read(path) && !self.taken.contains(path)) {
            Some(free) => {
                self.taken.insert(free.clone());
                Ok(free)
            }
            None => Err(NoPlace {
                path: path(folders.first().unwrap_or(&""), 0),
            }),
        }
    }
}

/// What a file is called where there is one under its name: a site that has a file already, as `gamops init` writes it,
/// gets another one that says what is in it.
fn beside(draft: &Draft<'_>, layout: Layout, name: &str, devices: &[usize]) -> String {
    if layout != Layout::PerSite {
        return name.to_owned();
    }
    match devices {
        [one] => draft
            .devices
            .get(*one)
            .map_or_else(|| name.to_owned(), |device| device.key.clone()),
        _ => format!("{name}-devices"),
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
