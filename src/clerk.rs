//! The billing clerk: what a billing system says, into the branch. It writes Git, never a device.
//!
//! One order is one look at the system. Its book is decided on with the tip of the branch, and what was decided goes on top of that tip;
//! where somebody was quicker, it is decided anew on the new tip. What only an account's own word allows is done from a second look,
//! at those accounts by their ids.

mod batch;
mod carried;
mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::biller::{BillerError, BillingSystem, Connection, Extra, Kept, Note};
use crate::billing::report::{Report, report};
use crate::billing::{
    Allowed, Book, Decided, Facts, Intent, Kind, Open, Remembered, Scope, SeenEndpoint, Way, decide, remember,
};
use crate::diagnostic::{Severity, SourceFile, chain};
use crate::domain::BillingKind;
use crate::forge::{Forge, Proposal};
use crate::inventory::model::Inventory;
use crate::inventory::{Cache, load_cached};
use crate::observed::sha256;
use crate::repo::remote::{Advanced, Destination, Edit, Mirror, Origin, PushError, RemoteError};
use crate::repo::{RevisionError, shortened};
use crate::store::{Store, StoreError};

use batch::{Batch, batch};
pub use carried::{Carried, carried};
use message::{Ledger, Occasion, in_numbers};

/// How often something is decided anew because somebody wrote to the branch meanwhile.
const RACES: usize = 10;

/// What is remembered of a system, by its name in the store.
const MEMORY: &str = "memory";

/// The highest number of a login, by its name in the store.
const NUMBER: &str = "number";

/// The trailer that says what a proposal is made from.
const MARK: &str = "Billing-Proposal";

/// Why the clerk could not do its work. Nothing was written by the step that failed; commits that were made before stand.
#[derive(Debug, thiserror::Error)]
pub enum ClerkError {
    /// The billing system.
    #[error(transparent)]
    Biller(#[from] BillerError),
    /// The repository, on the way from it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The repository, on the way to it.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The commit that the branch is at.
    #[error("reading commit {commit}")]
    Revision {
        /// The commit, short.
        commit: String,
        /// Why not.
        #[source]
        source: RevisionError,
    },
    /// Nothing is written to an inventory that is not valid. What was told waits.
    #[error("the inventory at {commit} is not valid ({finding}); what billing says waits until it is")]
    Invalid {
        /// The commit, short.
        commit: String,
        /// The first finding.
        finding: String,
    },
    /// The inventory does not know the system.
    #[error("the inventory at {commit} has no `billing.{}`, so nothing that {system} says means anything to it", system.key())]
    NotMapped {
        /// The commit, short.
        commit: String,
        /// The system.
        system: BillingKind,
    },
    /// Others write to the branch all the time.
    #[error("the branch moved {RACES} times while commits were made for it; they are made again later")]
    Races,
    /// The history of the branch.
    #[error("reading the history of the branch")]
    History(#[source] RevisionError),
    /// The state database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program was about to end.
    #[error("interrupted")]
    Interrupted,
}

/// Where the clerk works: made anew for each order, since tokens are exchanged.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The copy of the repository.
    pub mirror: Mirror,
    /// Where the branch comes from.
    pub origin: Origin,
    /// Where commits go.
    pub destination: Destination,
    /// The folder of the repository that has the inventory; empty for its top.
    pub folder: String,
    /// What the billing system is reached with, but for what follows from the mapping and from earlier logins.
    pub connection: Connection,
    /// Where change requests are opened, if anywhere.
    pub forge: Option<Forge>,
}

/// What the clerk is to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which accounts to look at.
    pub scope: Scope,
    /// What made somebody ask: `sweep`, `webhook`, `sync by NAME`. Commits say it.
    pub event: String,
    /// Limits that are lifted for this time.
    pub allowed: Allowed,
    /// Whether nothing is written.
    pub is_dry: bool,
    /// Endpoints that devices show and that are in no configuration.
    pub seen: Vec<SeenEndpoint>,
}

/// What came of an order.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Names the sync; commits say it.
    pub run: String,
    /// The commit that was decided on last, whole.
    pub onto: Option<String>,
    /// What was committed, in order; of a dry run nothing.
    pub commits: Vec<Commit>,
    /// What is on its way by a change request.
    pub proposals: Vec<Proposed>,
    /// What is left open.
    pub open: Vec<Open>,
    /// Where billing and the inventory are not of one mind after that; of a dry run, now.
    pub report: Option<Report>,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its whole id.
    pub id: String,
    /// What it is about, in one line.
    pub subject: String,
    /// The accounts that asked for it.
    pub accounts: BTreeSet<String>,
}

/// A change request, or a branch that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The branch.
    pub branch: String,
    /// The commit on it, short; none where it could not be put there.
    pub commit: Option<String>,
    /// What it is about, in one line.
    pub subject: String,
    /// The page of the change request, where it was opened now.
    pub page: Option<String>,
    /// Why it is not there, or nobody was asked.
    pub trouble: Option<String>,
}

/// The clerk of one billing system and one branch.
pub struct Clerk {
    kind: BillingKind,
    store: Store,
    /// More accounts than so many at once are one commit.
    one_by_one: usize,
    known: Arc<Mutex<Known>>,
    system: Kept,
}

/// What is worth knowing from one order to the next.
#[derive(Default)]
struct Known {
    cache: Cache,
    ledger: Ledger,
}

/// What people are to decide, by its kind, with the edit that has it.
type Proposals = BTreeMap<Kind, (Vec<Intent>, Edit)>;

/// One step: decided on one tip.
struct Step {
    onto: String,
    inventory: String,
    decided: Decided,
    memory: Remembered,
    written: Vec<Commit>,
    left: Vec<Open>,
    proposals: Proposals,
    moved: bool,
}

impl std::fmt::Debug for Clerk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clerk")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Clerk {
    /// A clerk for a system, who remembers in a store. Where more accounts than `one_by_one` are written to at once, one commit has all
    /// of them.
    #[must_use]
    pub fn new(kind: BillingKind, store: Store, one_by_one: usize) -> Self {
        Self {
            kind,
            store,
            one_by_one,
            known: Arc::default(),
            system: Kept::default(),
        }
    }

    /// The system, by what the mapping needs of it.
    async fn system(&self, desk: &Desk, tip: &Tip) -> Result<Arc<dyn BillingSystem>, ClerkError> {
        let mapping = tip
            .inventory
            .billing
            .get(&self.kind)
            .ok_or_else(|| ClerkError::NotMapped {
                commit: shortened(&tip.commit),
                system: self.kind,
            })?;
        let mut connection = desk.connection.clone();
        connection.extras = mapping.names().filter_map(Extra::behind).collect();
        if let Some(system) = self.system.like(self.kind, &connection) {
            return Ok(system);
        }
        let number = self
            .store
            .billing_kept(&tip.inventory.id, self.kind.key(), NUMBER)
            .await?;
        let above = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        Ok(self.system.open(self.kind, connection, above)?)
    }

    /// Looks at the system and writes what that asks for.
    ///
    /// # Errors
    ///
    /// [`ClerkError`].
    pub async fn sync(&self, desk: &Desk, order: &Order) -> Result<Outcome, ClerkError> {
        let mut outcome = Outcome {
            run: Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
            ..Outcome::default()
        };
        // Before anybody is asked: what is not mapped, or cannot be written, is no reason to read ten thousand accounts.
        let tip = self.tip(desk).await?;
        let system = self.system(desk, &tip).await?;
        let asked = self.ask(&*system, desk, order, &mut outcome).await;
        self.keep_number(&*system, &tip).await?;
        asked?;
        Ok(outcome)
    }

    /// Writes a note to an account of the system, unless it is there.
    ///
    /// # Errors
    ///
    /// [`ClerkError`].
    pub async fn write_note(&self, desk: &Desk, note: &Note) -> Result<(), ClerkError> {
        let tip = self.tip(desk).await?;
        let system = self.system(desk, &tip).await?;
        let written = system.note(note).await;
        self.keep_number(&*system, &tip).await?;
        Ok(written?)
    }

    /// Keeps the number of the system's last login, whatever came of what it was made for.
    async fn keep_number(&self, system: &dyn BillingSystem, tip: &Tip) -> Result<(), StoreError> {
        let Some(number) = system.last_number() else {
            return Ok(());
        };
        let (inventory, key) = (&tip.inventory.id, self.kind.key());
        self.store
            .keep_billing(inventory, key, NUMBER, number.to_string())
            .await
    }

    async fn ask(
        &self,
        system: &dyn BillingSystem,
        desk: &Desk,
        order: &Order,
        outcome: &mut Outcome,
    ) -> Result<(), ClerkError> {
        let book = match &order.scope {
            Scope::Everything => system.sweep().await?,
            Scope::Accounts(accounts) => system.look(accounts).await?,
        };
        let book = Arc::new(book);
        let mut decided = self.write(desk, order, &book, outcome).await?;
        let look = std::mem::take(&mut decided.look);
        if !look.is_empty() {
            let looked = Arc::new(system.look(&look).await?);
            let mut second = self.write(desk, order, &looked, outcome).await?;
            // What these accounts say by themselves takes the place of what was said of them among all.
            decided.intents.retain(|intent| !look.contains(&intent.service.account));
            second.intents.retain(|intent| look.contains(&intent.service.account));
            decided.intents.append(&mut second.intents);
            let is_of_them =
                |open: &Open| (open.service.as_ref()).is_some_and(|service| look.contains(&service.account));
            decided.open.retain(|open| !is_of_them(open));
            decided.open.extend(second.open.into_iter().filter(is_of_them));
            decided.refused.extend(second.refused);
        }
        outcome.report = Some(report(&book, &decided, Timestamp::now()));
        outcome.open = decided.open;
        Ok(())
    }

    /// Fetches the branch and reads what it says.
    async fn tip(&self, desk: &Desk) -> Result<Tip, ClerkError> {
        let (known, desk, runtime) = (Arc::clone(&self.known), desk.clone(), Handle::current());
        let read = spawn_blocking(move || {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            read_tip(&mut known, &desk, &runtime)
        });
        read.await.map_err(|_| ClerkError::Interrupted)?
    }

    /// Writes what a book asks for.
    async fn write(
        &self,
        desk: &Desk,
        order: &Order,
        book: &Arc<Book>,
        outcome: &mut Outcome,
    ) -> Result<Decided, ClerkError> {
        for _ in 0..RACES {
            let step = self.step(desk, order, book, &outcome.run).await?;
            outcome.onto = Some(step.onto.clone());
            if step.moved {
                continue;
            }
            let mut decided = step.decided;
            decided.open.extend(step.left);
            if order.is_dry {
                return Ok(decided);
            }
            for commit in &step.written {
                tracing::info!(commit = shortened(&commit.id), "{}", commit.subject);
            }
            outcome.commits.extend(step.written);
            let memory = serde_json::to_string(&step.memory).unwrap_or_default();
            let key = self.kind.key();
            self.store.keep_billing(&step.inventory, key, MEMORY, memory).await?;
            let proposals = step.proposals.into_iter();
            for (kind, (intents, edit)) in proposals.filter(|(kind, _)| is_all_of(*kind, &order.scope, &book.scope)) {
                let proposed = self.propose(desk, kind, &intents, edit).await;
                outcome.proposals.push(proposed);
            }
            return Ok(decided);
        }
        Err(ClerkError::Races)
    }

    /// Fetches the tip, decides on it, and puts what is to be pushed on top of it.
    async fn step(&self, desk: &Desk, order: &Order, book: &Arc<Book>, run: &str) -> Result<Step, ClerkError> {
        let tip = self.tip(desk).await?;
        // What cannot be read was written by another version: less is known to be odd then, and no more.
        let memory = self
            .store
            .billing_kept(&tip.inventory.id, self.kind.key(), MEMORY)
            .await?;
        let before: Remembered = memory
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let (known, desk, order) = (Arc::clone(&self.known), desk.clone(), order.clone());
        let (book, run, one_by_one) = (Arc::clone(book), run.to_owned(), self.one_by_one);
        let runtime = Handle::current();
        let worked = spawn_blocking(move || {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let job = Job {
                tip,
                book: &book,
                before,
                run: &run,
                one_by_one,
            };
            work(&mut known.ledger, job, &desk, &order, &runtime)
        });
        worked.await.map_err(|_| ClerkError::Interrupted)?
    }

    /// Puts what people are to decide on its branch, and asks them.
    async fn propose(&self, desk: &Desk, kind: Kind, intents: &[Intent], edit: Edit) -> Proposed {
        let mut proposed = Proposed {
            branch: edit.branch.clone(),
            commit: None,
            subject: in_numbers(intents),
            page: None,
            trouble: None,
        };
        let known = desk
            .mirror
            .proposed(&edit.branch, MARK)
            .filter(|(_, mark)| *mark == edit.mark);
        let commit = match known {
            Some((commit, _)) => commit,
            None => {
                let (mirror, to, runtime) = (desk.mirror.clone(), desk.destination.clone(), Handle::current());
                let pushed = spawn_blocking(move || mirror.propose(&edit, &to, &runtime)).await;
                match pushed {
                    Ok(Ok(commit)) => commit,
                    Ok(Err(error)) => {
                        proposed.trouble = Some(chain(&error));
                        return proposed;
                    }
                    Err(_) => return proposed,
                }
            }
        };
        proposed.commit = Some(shortened(&commit));
        let Some(forge) = &desk.forge else {
            return proposed;
        };
        if desk.mirror.is_requested(&proposed.branch, &commit) {
            return proposed;
        }
        let proposal = Proposal {
            from: proposed.branch.clone(),
            into: desk.origin.branch.clone(),
            title: format!("{}: {}", self.kind, proposed.subject),
            body: body(self.kind, kind, intents),
        };
        match forge.ensure_proposed(&proposal).await {
            Ok(opening) => {
                proposed.page = opening.map(|opening| opening.page);
                if let Err(error) = desk.mirror.note_requested(&proposed.branch, &commit) {
                    tracing::error!(
                        "that there is a change request for {} could not be noted: {error}",
                        proposed.branch
                    );
                }
            }
            Err(error) => proposed.trouble = Some(format!("no change request was opened: {}", chain(&error))),
        }
        proposed
    }
}

/// The id of the inventory that a desk writes to.
///
/// # Errors
///
/// [`ClerkError`].
pub async fn inventory_at(desk: &Desk) -> Result<String, ClerkError> {
    let (desk, runtime) = (desk.clone(), Handle::current());
    let read = spawn_blocking(move || read_tip(&mut Known::default(), &desk, &runtime));
    Ok(read.await.map_err(|_| ClerkError::Interrupted)??.inventory.id)
}

/// The branch, as it is now.
struct Tip {
    commit: String,
    files: Vec<SourceFile>,
    inventory: Inventory,
}

/// Fetches the branch and reads what it says.
fn read_tip(known: &mut Known, desk: &Desk, runtime: &Handle) -> Result<Tip, ClerkError> {
    let commit = desk.mirror.fetch(&desk.origin, runtime)?.commit;
    let revision = desk
        .mirror
        .inventory(&commit, &desk.folder)
        .map_err(|source| ClerkError::Revision {
            commit: shortened(&commit),
            source,
        })?;
    let loaded = load_cached(&revision.files, &mut known.cache);
    match loaded.inventory {
        Some(inventory) => Ok(Tip {
            commit,
            files: revision.files,
            inventory,
        }),
        None => {
            let first = (loaded.report.findings().iter()).find(|finding| finding.severity == Severity::Error);
            Err(ClerkError::Invalid {
                commit: shortened(&commit),
                finding: first.map(|finding| finding.message.clone()).unwrap_or_default(),
            })
        }
    }
}

/// What a step is made from.
struct Job<'j> {
    tip: Tip,
    book: &'j Book,
    before: Remembered,
    run: &'j str,
    one_by_one: usize,
}

/// Decides, and carries it out as far as that is a matter of Git.
fn work(ledger: &mut Ledger, job: Job<'_>, desk: &Desk, order: &Order, runtime: &Handle) -> Result<Step, ClerkError> {
    let Job {
        tip,
        book,
        before,
        run,
        one_by_one,
    } = job;
    let now = Timestamp::now();
    catch_up(ledger, book.kind, &tip.commit, &desk.mirror)?;
    let written = ledger.written(now);
    let facts = Facts {
        inventory: &tip.inventory,
        book,
        before: &before,
        written: &written,
        seen: &order.seen,
        now,
        allow: &order.allowed,
    };
    let mut decided = decide(&facts);
    let memory = remember(&facts, &decided);
    let mut step = Step {
        onto: tip.commit.clone(),
        inventory: tip.inventory.id.clone(),
        decided: Decided::default(),
        memory,
        written: Vec::new(),
        left: Vec::new(),
        proposals: Proposals::new(),
        moved: false,
    };
    let occasion = Occasion {
        system: book.kind,
        event: &order.event,
        run,
    };
    if order.is_dry {
        step.decided = decided;
        return Ok(step);
    }
    let (push, propose): (Vec<Intent>, Vec<Intent>) = std::mem::take(&mut decided.intents)
        .into_iter()
        .partition(|intent| intent.way == Way::Push);
    step.decided = decided;
    let Batch { commits, left } = batch(&tip.files, push, one_by_one, occasion, now);
    step.left = left;
    let (proposals, left) = proposals(&tip, propose, occasion, now);
    step.left.extend(left);
    step.proposals = proposals;
    let (additions, carried): (Vec<_>, Vec<_>) = commits.into_iter().unzip();
    if additions.is_empty() {
        return Ok(step);
    }
    match desk
        .mirror
        .advance(&desk.origin.branch, &tip.commit, &additions, &desk.destination, runtime)?
    {
        Advanced::Moved => step.moved = true,
        Advanced::By(ids) => {
            step.written = (ids.into_iter().zip(&additions).zip(&carried))
                .map(|((id, addition), intents)| Commit {
                    id,
                    subject: addition.message.lines().next().unwrap_or_default().to_owned(),
                    accounts: intents.iter().map(|intent| intent.service.account.clone()).collect(),
                })
                .collect();
        }
    }
    Ok(step)
}

/// Reads the history of the branch on, up to its tip.
fn catch_up(ledger: &mut Ledger, system: BillingKind, tip: &str, mirror: &Mirror) -> Result<(), ClerkError> {
    if ledger.tip.as_deref() == Some(tip) {
        return Ok(());
    }
    let messages = |until: Option<&str>| mirror.messages(tip, until).map_err(ClerkError::History);
    let messages = match messages(ledger.tip.as_deref())? {
        Some(messages) => messages,
        None => {
            // What was read of a branch that was rewritten since may not be there any more.
            *ledger = Ledger::default();
            messages(None)?.unwrap_or_default()
        }
    };
    ledger.read(system, &messages);
    Ok(())
}

/// Whether what a book asks for is all that is asked for of a kind. A proposal has all of it: a part would take the rest back, which the next
/// sweep would put there again. Removals come only from a second look, at those of a sweep that are due.
fn is_all_of(kind: Kind, asked: &Scope, book: &Scope) -> bool {
    match (asked, book) {
        (Scope::Everything, Scope::Everything) => kind != Kind::Remove,
        (Scope::Everything, Scope::Accounts(_)) => kind == Kind::Remove,
        (Scope::Accounts(_), _) => false,
    }
}

/// What people are to decide, as one edit for each kind; and what cannot be written.
fn proposals(tip: &Tip, intents: Vec<Intent>, occasion: Occasion<'_>, now: Timestamp) -> (Proposals, Vec<Open>) {
    let mut by_kind: BTreeMap<Kind, Vec<Intent>> = BTreeMap::new();
    for intent in intents {
        by_kind.entry(intent.kind).or_default().push(intent);
    }
    let mut proposals = Proposals::new();
    let mut left = Vec::new();
    for (kind, intents) in by_kind {
        let of = |intent: &Intent| (intent.subscriber.clone(), intent.sets.clone());
        let mark = sha256(&intents.iter().map(of).collect::<Vec<_>>());
        let made = batch(&tip.files, intents, 0, occasion, now);
        left.extend(made.left);
        for (addition, intents) in made.commits {
            let edit = Edit {
                onto: tip.commit.clone(),
                branch: format!("gamops/billing/{}/{}", occasion.system.key(), kind.word()),
                files: addition.files,
                message: addition.message,
                marked_by: MARK,
                mark: mark.clone(),
                at: now,
            };
            proposals.insert(kind, (intents, edit));
        }
    }
    (proposals, left)
}

/// What people are asked.
fn body(system: BillingKind, kind: Kind, intents: &[Intent]) -> String {
    let mut body = format!(
        "{system} asks for this. `billing.{}.ways.{}` says that people decide it; nothing else waits for it.\n\n",
        system.key(),
        kind.word()
    );
    for intent in intents {
        // In a code span: what a customer is called mentions nobody and is no markup.
        let words: String = intent
            .words
            .chars()
            .map(|c| if c == '`' || c.is_control() { ' ' } else { c })
            .collect();
        body.push_str(&format!("- `{} ({})`: `{words}`\n", intent.subscriber, intent.service));
    }
    body
}
