//! A repository on this machine is watched: what changes there wakes the daemon at once. The poll stays, for what no event tells.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::repo::remote::{Address, Mirror};

use super::settings::Settings;

/// Events that follow each other within this time are one: a checkout writes many files.
const QUIET: Duration = Duration::from_millis(200);
/// While they go on, the daemon is woken at least this often.
const AT_MOST: Duration = Duration::from_secs(2);
/// How soon what could not be watched is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Wakes `look` whenever the repository changes; nothing where it is not on this machine. Ends when dropped.
pub(super) fn start(address: &Address, settings: &Settings, look: Arc<Notify>) -> Option<AbortOnDropHandle<()>> {
    let Address::Folder(path) = address else {
        return None;
    };
    let place = Place {
        // What is watched under a relative path is told under an absolute one.
        root: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        folder: settings.repository.folder.clone(),
    };
    Some(AbortOnDropHandle::new(tokio::spawn(place.follow(look))))
}

/// A repository, or a folder that is none.
#[derive(Debug)]
struct Place {
    root: PathBuf,
    /// The folder of the inventory in it.
    folder: String,
}

/// What is watched.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watched {
    /// The folder above, which tells that the place itself comes and goes.
    above: Option<PathBuf>,
    /// Folders of which single files count.
    files: Vec<PathBuf>,
    /// Folders of which everything counts.
    all: Vec<PathBuf>,
}

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// Nothing.
    Nothing,
    /// What is there may be something else now.
    Changed,
    /// Something that is watched came or went: it has to be watched anew.
    Moved,
}

impl Place {
    /// Watches until it is dropped.
    async fn follow(self, look: Arc<Notify>) {
        let mut said = String::new();
        loop {
            let (sender, mut events) = mpsc::unbounded_channel();
            let watched = self.watched();
            let (watcher, trouble) = watch(&watched, sender);
            match &trouble {
                Some(trouble) if *trouble != said => {
                    tracing::warn!(
                        "{} is not watched, the poll finds what changes: {trouble}",
                        self.root.display()
                    );
                    said.clone_from(trouble);
                }
                Some(_) => {}
                None => said.clear(),
            }
            if trouble.is_some() {
                let _ = timeout(RETRY, wait(&watched, &mut events, &look)).await;
            } else {
                // Something may have changed before it was watched.
                look.notify_one();
                // A folder may have become a repository.
                while !wait(&watched, &mut events, &look).await && self.watched() == watched {}
            }
            drop(watcher);
        }
    }

    fn watched(&self) -> Watched {
        let above = |path: &Path| path.parent().map(Path::to_owned);
        match Mirror::references(&self.root) {
            // A branch is a file of its own, or a line of one for many. Work trees and other branches do not count.
            Some(git) => Watched {
                above: above(&self.root),
                all: vec![git.join("refs/heads")],
                files: vec![git],
            },
            None => {
                let folder = self.root.join(&self.folder);
                Watched {
                    above: above(&folder),
                    files: Vec::new(),
                    all: vec![folder],
                }
            }
        }
    }
}

/// Watches; what cannot be watched is told in one sentence.
fn watch(watched: &Watched, events: mpsc::UnboundedSender<Event>) -> (Option<RecommendedWatcher>, Option<String>) {
    let handler = move |event: notify::Result<Event>| {
        // An error is told of a single event; what it was about is found by the poll.
        if let Ok(event) = event {
            let _ = events.send(event);
        }
    };
    let mut watcher = match notify::recommended_watcher(handler) {
        Ok(watcher) => watcher,
        Err(error) => return (None, Some(error.to_string())),
    };
    let flat = watched.above.iter().chain(&watched.files);
    let flat = flat.map(|path| (path, RecursiveMode::NonRecursive));
    let all = watched.all.iter().map(|path| (path, RecursiveMode::Recursive));
    let mut trouble = None;
    for (path, mode) in flat.chain(all) {
        if let Err(error) = watcher.watch(path, mode) {
            trouble.get_or_insert(error.to_string());
        }
    }
    (Some(watcher), trouble)
}

/// Waits until something happens and it is quiet again, and wakes the daemon. Whether all has to be watched anew.
async fn wait(watched: &Watched, events: &mut mpsc::UnboundedReceiver<Event>, look: &Notify) -> bool {
    let mut meaning = Meaning::Nothing;
    while meaning == Meaning::Nothing {
        match events.recv().await {
            Some(event) => meaning = watched.meaning(&event),
            // Nothing is watched; whoever waits has a limit then.
            None => std::future::pending().await,
        }
    }
    let end = Instant::now() + AT_MOST;
    while let Ok(Ok(Some(event))) = timeout_at(end, timeout(QUIET, events.recv())).await {
        meaning = meaning.max(watched.meaning(&event));
    }
    look.notify_one();
    meaning == Meaning::Moved
}

impl Watched {
    fn meaning(&self, event: &Event) -> Meaning {
        if event.need_rescan() {
            return Meaning::Moved;
        }
        let comes_or_goes = match event.kind {
            // We read there ourselves.
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => return Meaning::Nothing,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
            EventKind::Any | EventKind::Modify(_) | EventKind::Other => false,
        };
        let of = |path: &PathBuf| {
            let itself = self
                .files
                .iter()
                .chain(&self.all)
                .any(|watched| watched.starts_with(path));
            if comes_or_goes && itself {
                return Meaning::Moved;
            }
            // Git writes beside a file and renames.
            let is_lock = path.extension().is_some_and(|extension| extension == "lock");
            let is_below = self.all.iter().any(|watched| path.starts_with(watched));
            let is_packed = self.files.iter().any(|watched| *path == watched.join("packed-refs"));
            match !is_lock && (is_below || is_packed) {
                true => Meaning::Changed,
                false => Meaning::Nothing,
            }
        };
        event.paths.iter().map(of).max().unwrap_or(Meaning::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, RemoveKind, RenameMode};

    use super::*;

    fn repository() -> Watched {
        Watched {
            above: Some("/srv".into()),
            files: vec!["/srv/isp.git".into()],
            all: vec!["/srv/isp.git/refs/heads".into()],
        }
    }

    fn event(kind: EventKind, paths: &[&str]) -> Event {
        let empty = Event::new(kind);
        paths.iter().fold(empty, |event, path| event.add_path(path.into()))
    }

    #[test]
    fn a_branch_and_the_packed_ones_count_and_nothing_else_of_a_repository() {
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let (created, read) = (
            EventKind::Create(CreateKind::File),
            EventKind::Access(AccessKind::Open(AccessMode::Any)),
        );
        let branch = "/srv/isp.git/refs/heads/main";
        for (kind, paths, meaning) in [
            (renamed, &[&format!("{branch}.lock"), branch][..], Meaning::Changed),
            (
                renamed,
                &["/srv/isp.git/packed-refs.lock", "/srv/isp.git/packed-refs"],
                Meaning::Changed,
            ),
            (created, &[&format!("{branch}.lock")], Meaning::Nothing),
            (created, &["/srv/isp.git/index"], Meaning::Nothing),
            (created, &["/srv/other"], Meaning::Nothing),
            (written, &[branch], Meaning::Changed),
            (read, &[branch], Meaning::Nothing),
        ] {
            assert_eq!(repository().meaning(&event(kind, paths)), meaning, "{kind:?} {paths:?}");
        }
    }

    #[test]
    fn what_is_watched_and_goes_or_comes_is_watched_anew() {
        let removed = EventKind::Remove(RemoveKind::Folder);
        for path in ["/srv/isp.git/refs/heads", "/srv/isp.git/refs", "/srv/isp.git"] {
            assert_eq!(repository().meaning(&event(removed, &[path])), Meaning::Moved, "{path}");
        }
        let lost = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert_eq!(repository().meaning(&lost), Meaning::Moved);
    }
}
