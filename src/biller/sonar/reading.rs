//! Reading Sonar: lists page after page to their ends, and whether they are one picture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::super::{BillerError, Extra};
use super::ask::{self, List, Part};
use super::rows::{self, Item, ItemField};
use super::session::Session;
use super::walk::{Count, Page, Unfit, Walk};

/// How many parts of a list are asked for in one request.
const PARTS: usize = 100;

/// Over how many generations accounts may belong to each other: parents of parents, children of children.
const GENERATIONS: usize = 8;

/// One look at Sonar, from the first list to the count of them all.
pub(super) struct Reading<'a> {
    session: &'a Session,
    extras: &'a BTreeSet<Extra>,
    said: Mutex<Said>,
}

/// What Sonar said beside its rows.
#[derive(Debug, Default)]
struct Said {
    /// How many rows each part had.
    counts: Vec<(Part, u64)>,
    /// Its clock, at the last answer.
    at: Option<Timestamp>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(session: &'a Session, extras: &'a BTreeSet<Extra>) -> Self {
        Self {
            session,
            extras,
            said: Mutex::default(),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn whole<T: DeserializeOwned>(&self, list: List) -> Result<Vec<T>, BillerError> {
        self.walk(list, vec![Part { list, only: None }]).await
    }

    /// A list that only some inventories go by.
    pub(super) async fn extra<T: DeserializeOwned>(&self, extra: Extra, list: List) -> Result<Vec<T>, BillerError> {
        match self.extras.contains(&extra) {
            true => self.whole(list).await,
            false => Ok(Vec::new()),
        }
    }

    /// The rows of a list of which a field has one of these ids.
    pub(super) async fn parts<T: DeserializeOwned>(
        &self,
        (list, field, ids): (List, &'static str, &BTreeSet<u64>),
    ) -> Result<Vec<T>, BillerError> {
        let part = |id: &u64| Part {
            list,
            only: Some((field, *id)),
        };
        self.walk(list, ids.iter().map(part).collect()).await
    }

    pub(super) async fn extra_parts<T: DeserializeOwned>(
        &self,
        extra: Extra,
        wanted: (List, &'static str, &BTreeSet<u64>),
    ) -> Result<Vec<T>, BillerError> {
        match self.extras.contains(&extra) {
            true => self.parts(wanted).await,
            false => Ok(Vec::new()),
        }
    }

    /// Reads parts of a list to their ends.
    async fn walk<T: DeserializeOwned>(&self, list: List, parts: Vec<Part>) -> Result<Vec<T>, BillerError> {
        let root = list.root();
        let mut walks: Vec<Walk> = parts.into_iter().map(Walk::new).collect();
        loop {
            let mut going: Vec<&mut Walk> = walks.iter_mut().filter(|walk| !walk.is_done()).take(PARTS).collect();
            if going.is_empty() {
                break;
            }
            let wanted: Vec<(Part, u64)> = going.iter().map(|walk| (walk.part, walk.after)).collect();
            let (mut data, at) = self.session.ask_again(root, &ask::pages(&wanted)).await?;
            self.said().at = at;
            for (number, walk) in going.iter_mut().enumerate() {
                let page: Page = self.session.read(root, data.remove(&ask::name(number)))?;
                walk.take(page).map_err(|unfit| match unfit {
                    Unfit::Moved(what) => self.session.moved(root, what),
                    Unfit::Nonsense(what) => self.session.not_an_api(root, &what),
                })?;
            }
        }
        let mut rows = Vec::new();
        for walk in walks {
            self.said().counts.push((walk.part, walk.rows.len() as u64));
            for row in walk.rows {
                rows.push(self.session.read(root, Some(row))?);
            }
        }
        Ok(rows)
    }

    /// Items with all of their fields, also where the list of these was cut.
    pub(super) async fn complete(&self, mut items: Vec<Item>) -> Result<Vec<Item>, BillerError> {
        let is_cut = |item: &Item| !item.inventory_model_field_data.is_whole();
        let cut: BTreeSet<u64> = items.iter().filter(|item| is_cut(item)).map(|item| item.id.0).collect();
        let mut fields: BTreeMap<u64, Vec<ItemField>> = BTreeMap::new();
        for field in self
            .parts::<ItemField>((List::FieldData, "inventory_item_id", &cut))
            .await?
        {
            if let Some(item) = field.inventory_item_id {
                fields.entry(item.0).or_default().push(field);
            }
        }
        for item in items.iter_mut().filter(|item| is_cut(item)) {
            let own = fields.get(&item.id.0).cloned();
            item.inventory_model_field_data.entities = own.unwrap_or_default();
        }
        Ok(items)
    }

    /// These accounts, and all that share an address with them: those above and those below.
    pub(super) async fn family(&self, wanted: &BTreeSet<u64>) -> Result<Vec<rows::Account>, BillerError> {
        let mut family: Vec<rows::Account> = self.parts((List::Accounts, "id", wanted)).await?;
        let mut asked = wanted.clone();
        let mut parents_asked = BTreeSet::new();
        for _ in 0..GENERATIONS {
            let above = family.iter().filter_map(|account| account.parent_account_id);
            let above: BTreeSet<u64> = above.map(|id| id.0).filter(|id| !asked.contains(id)).collect();
            let here = family.iter().map(|account| account.id.0);
            let here: BTreeSet<u64> = here.filter(|id| !parents_asked.contains(id)).collect();
            if above.is_empty() && here.is_empty() {
                return Ok(family);
            }
            let (parents, children) = tokio::try_join!(
                self.parts::<rows::Account>((List::Accounts, "id", &above)),
                self.parts::<rows::Account>((List::Accounts, "parent_account_id", &here)),
            )?;
            asked.extend(above);
            parents_asked.extend(here);
            for account in parents.into_iter().chain(children) {
                asked.insert(account.id.0);
                if family.iter().all(|known| known.id != account.id) {
                    family.push(account);
                }
            }
        }
        let what = format!("says that accounts belong to each other over {GENERATIONS} generations");
        Err(self.session.not_an_api(List::Accounts.root(), &what))
    }

    /// Looks whether each list has as many rows as were read. Gives what Sonar's clock said last.
    pub(super) async fn count(&self) -> Result<Option<Timestamp>, BillerError> {
        let counts = std::mem::take(&mut self.said().counts);
        for counts in counts.chunks(PARTS) {
            let parts: Vec<Part> = counts.iter().map(|(part, _)| *part).collect();
            let (mut data, at) = self.session.ask_again("counts", &ask::counts(&parts)).await?;
            self.said().at = at;
            for (number, (part, read)) in counts.iter().enumerate() {
                let root = part.list.root();
                let count: Count = self.session.read(root, data.remove(&ask::name(number)))?;
                if count.rows() != *read {
                    let what = format!("{read} rows were read, and now it has {}", count.rows());
                    return Err(self.session.moved(root, what));
                }
            }
        }
        Ok(self.said().at)
    }
}
