//! Many edits of one text, in as few passes as can be: what has nothing to do with each other is made together.
//!
//! A pass reads the text once and what came of it once. It takes edits of different entries whose places in the text do not meet, and
//! new entries of one section side by side; the others wait for the next pass. What comes out is what one edit after the other makes.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diagnostic::SourceFile;

use super::super::document::{self, Node};
use super::super::findings::Findings;
use super::super::root;
use super::error::{EditError, Reason};
use super::splice::{Splice, Splicer};
use super::{Edit, check, layout, map_entries, order, spliced};

/// Makes all edits of one text.
pub(super) fn edit_all(file: &SourceFile, edits: &[&Edit]) -> Result<String, EditError> {
    let mut file = file.clone();
    let mut left = edits.to_vec();
    while !left.is_empty() {
        (file.text, left) = pass(&file, &left)?;
    }
    Ok(file.text)
}

/// Makes the first edit, and of the others those that have nothing to do with it nor with each other. The rest is given back.
pub(super) fn pass<'e>(file: &SourceFile, edits: &[&'e Edit]) -> Result<(String, Vec<&'e Edit>), EditError> {
    let Some((foremost, others)) = edits.split_first() else {
        return Ok((file.text.clone(), Vec::new()));
    };
    let mut findings = Findings::default();
    let before = document::parse(0, &file.text, &mut findings).root;
    let splicer = Splicer::new(&file.text, before.as_ref());
    let mut together = Together::new(before.as_ref());
    let mut waiting = Vec::new();
    for edit in edits {
        let splices = together.admits(edit).then(|| splicer.splices(edit));
        match splices {
            Some(Ok(splices)) if together.has_room(edit, &splices) => together.take(edit, splices),
            Some(Err(reason)) if together.is_empty() && waiting.is_empty() => {
                return Err(EditError::refused(file, edit.path(), reason));
            }
            // What it is about may be made by one that goes before it.
            _ => {
                together.delay(edit);
                waiting.push(*edit);
            }
        }
    }
    let taken = together.edits.clone();
    let splices = together.splices();
    let first = splices.first().map_or(0, |(range, _)| range.start);
    let text = spliced(&file.text, splices);
    let mut findings = Findings::default();
    let after = document::parse(0, &text, &mut findings).root;
    let sound = findings.into_report(&[], "").findings().is_empty();
    if sound && check::are_meant(before.as_ref(), after.as_ref(), &taken) {
        return Ok((text, waiting));
    }
    if taken.len() > 1 {
        // Which of them it is shows where each is made alone.
        let (text, _) = pass(file, &[foremost])?;
        return Ok((text, others.to_vec()));
    }
    let reason = if before.as_ref().is_some_and(layout::has_alias) {
        Reason::Anchor(first)
    } else {
        Reason::Unsafe(first)
    };
    Err(EditError::refused(file, foremost.path(), reason))
}

/// Edits that are made together.
struct Together<'n, 'e> {
    /// How many entries each section of the text has, and their keys in its order.
    sections: HashMap<&'n str, Vec<&'n str>>,
    edits: Vec<&'e Edit>,
    /// What comes in the place of what is cut, by first and last byte of that, each with the number of its edit.
    cuts: BTreeMap<(usize, usize), Vec<(usize, String)>>,
    /// Entries that an edit of this pass, or one that waits, is about.
    busy: HashSet<(&'e str, &'e str)>,
    /// Whether one of them is about more than one entry, so that it is alone, and whatever comes after it waits.
    closed: bool,
    /// What is done to the entries of a section: they come, or so many go.
    coming: HashSet<&'e str>,
    going: HashMap<&'e str, usize>,
    /// Sections in which one that comes or goes waits.
    delayed: HashSet<&'e str>,
}

impl<'n, 'e> Together<'n, 'e> {
    fn new(root: Option<&'n Node<'_>>) -> Self {
        let sections = root.into_iter().flat_map(map_entries);
        Self {
            sections: sections
                .map(|section| {
                    let keys = map_entries(&section.value).iter();
                    (&*section.key, keys.map(|entry| &*entry.key).collect())
                })
                .collect(),
            edits: Vec::new(),
            cuts: BTreeMap::new(),
            busy: HashSet::new(),
            closed: false,
            coming: HashSet::new(),
            going: HashMap::new(),
            delayed: HashSet::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether an edit may be made with those that were taken, by what it is about.
    fn admits(&self, edit: &'e Edit) -> bool {
        if self.closed {
            return false;
        }
        let Some((section, key)) = entry(edit) else {
            return self.edits.is_empty() && self.busy.is_empty();
        };
        let entries = self.sections.get(section).map_or(0, Vec::len);
        let going = self.going.get(section).copied().unwrap_or_default();
        // The last entry of a map is taken away otherwise than one of several, and the first comes otherwise than one more.
        let fits = match whole_entry(edit) {
            Some(Edit::Remove { .. }) => !self.coming.contains(section) && (going == 0 || going + 1 < entries),
            Some(_) => going == 0 && (entries > 0 || !self.coming.contains(section)),
            None => true,
        };
        let in_turn = whole_entry(edit).is_none() || !self.delayed.contains(section);
        fits && in_turn && !self.busy.contains(&(section, key))
    }

    /// Whether the places of an edit are apart from those that were taken, or it is a new entry beside another one.
    fn has_room(&self, edit: &'e Edit, splices: &[Splice]) -> bool {
        splices.iter().all(|(range, _)| {
            let before = self.cuts.range(..=(range.end, usize::MAX)).next_back();
            before.is_none_or(|((start, end), there)| {
                let is_same = range.is_empty() && (*start, *end) == (range.start, range.end);
                *end < range.start || (is_same && self.all_come(edit, there))
            })
        })
    }

    /// Whether an edit, and those at a place, are new entries of one section.
    fn all_come(&self, edit: &'e Edit, there: &[(usize, String)]) -> bool {
        let section = |edit: &'e Edit| match whole_entry(edit) {
            Some(Edit::Insert { .. }) => entry(edit).map(|(section, _)| section),
            _ => None,
        };
        let own = section(edit);
        own.is_some_and(|section| !root::is_root_key(section))
            && there.iter().all(|(number, _)| section(self.edits[*number]) == own)
    }

    fn take(&mut self, edit: &'e Edit, splices: Vec<Splice>) {
        let number = self.edits.len();
        self.edits.push(edit);
        for (range, text) in splices {
            let place = self.cuts.entry((range.start, range.end)).or_default();
            place.push((number, text));
        }
        match (whole_entry(edit), entry(edit)) {
            (Some(Edit::Remove { .. }), Some((section, _))) => *self.going.entry(section).or_default() += 1,
            (Some(_), Some((section, _))) => drop(self.coming.insert(section)),
            _ => {}
        }
        self.keep(edit);
    }

    /// Leaves an edit to a later pass. Entries that come and go in its section do so after it then, so that each finds the neighbours that
    /// it would have found.
    fn delay(&mut self, edit: &'e Edit) {
        if let (Some(_), Some((section, _))) = (whole_entry(edit), entry(edit)) {
            self.delayed.insert(section);
        }
        self.keep(edit);
    }

    /// Keeps later edits of the same entry from going before this one.
    fn keep(&mut self, edit: &'e Edit) {
        match entry(edit) {
            Some(entry) => drop(self.busy.insert(entry)),
            None => self.closed = true,
        }
    }

    /// All that is cut and put in, in the order of the text; new entries at one place in the order that their section has.
    fn splices(self) -> Vec<Splice> {
        let mut splices = Vec::new();
        for ((start, end), mut there) in self.cuts {
            let keys = there.first().and_then(|(number, _)| {
                let (section, _) = entry(self.edits[*number])?;
                self.sections.get(section)
            });
            if let Some(order) = keys.and_then(|keys| order::among(keys)) {
                let key = |number: usize| entry(self.edits[number]).map_or("", |(_, key)| key);
                there.sort_by(|(one, _), (other, _)| order(key(*one), key(*other)));
            }
            let text = there.into_iter().map(|(_, text)| text).collect();
            splices.push((start..end, text));
        }
        splices
    }
}

/// The section and the key of the entry that an edit is about; `None` where it is about more.
fn entry(edit: &Edit) -> Option<(&str, &str)> {
    match edit.path().keys() {
        [section, key, ..] => Some((section, key)),
        _ => None,
    }
}

/// An edit that makes an entry, gives it another value as a whole, or takes it away.
fn whole_entry(edit: &Edit) -> Option<&Edit> {
    (edit.path().keys().len() == 2).then_some(edit)
}
