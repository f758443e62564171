//! What is written down about a branch beside its mirror, and what it gained.

use git2::{ErrorCode, Oid, Repository, Sort};

use super::{Mirror, RemoteError};

impl Mirror {
    /// The text that was last noted about a branch under a name.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Mirror`].
    pub fn noted(&self, name: &str, branch: &str) -> Result<Option<String>, RemoteError> {
        let read = |repository: &Repository| {
            let text = match repository.refname_to_id(&reference(name, branch)) {
                Ok(text) => repository.find_blob(text)?,
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            Ok(Some(String::from_utf8_lossy(text.content()).into_owned()))
        };
        read(&self.repository()?).map_err(|source| self.failed(source))
    }

    /// Notes a text about a branch under a name, in the place of what was noted before.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Mirror`].
    pub fn note(&self, name: &str, branch: &str, text: &str) -> Result<(), RemoteError> {
        let put = |repository: &Repository| {
            let text = repository.blob(text.as_bytes())?;
            repository.reference(&reference(name, branch), text, true, "gamops: noted")?;
            Ok(())
        };
        put(&self.repository()?).map_err(|source| self.failed(source))
    }

    /// The commits that a branch gained on its way from one commit to another, by their whole ids, the newest first, `at_most` of
    /// them: merges, and not what they brought along.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Mirror`].
    pub fn gained(&self, from: &str, to: &str, at_most: usize) -> Result<Vec<String>, RemoteError> {
        let walk = |repository: &Repository| {
            let mut walk = repository.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL)?;
            walk.simplify_first_parent()?;
            walk.push(Oid::from_str(to)?)?;
            // What was rewritten may have lost the old one; then all of it is new.
            if let Ok(from) = repository.find_commit(Oid::from_str(from)?) {
                walk.hide(from.id())?;
            }
            let commits = walk.take(at_most).map(|commit| commit.map(|commit| commit.to_string()));
            commits.collect::<Result<Vec<_>, git2::Error>>()
        };
        walk(&self.repository()?).map_err(|source| self.failed(source))
    }
}

fn reference(name: &str, branch: &str) -> String {
    format!("refs/gamops/noted/{name}/{branch}")
}

#[cfg(test)]
mod tests {
    use git2::Signature;

    use super::*;

    #[test]
    fn merges_are_gained_and_what_they_brought_along_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = Mirror::open(folder.path()).unwrap();
        let repository = Repository::open_bare(folder.path()).unwrap();
        let who = Signature::new("t", "t@example.org", &git2::Time::new(0, 0)).unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let commit = |message: &str, parents: &[Oid]| {
            let parents: Vec<_> = parents.iter().map(|id| repository.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            repository.commit(None, &who, &who, message, &tree, &parents).unwrap()
        };
        let one = commit("one", &[]);
        let squashed = commit("squashed", &[one]);
        let side = commit("side", &[one]);
        let merged = commit("merged", &[squashed, side]);
        let gained = |from: Oid, to: Oid, at_most| mirror.gained(&from.to_string(), &to.to_string(), at_most).unwrap();
        assert_eq!(gained(one, merged, 9), [merged.to_string(), squashed.to_string()]);
        assert_eq!(gained(one, merged, 1), [merged.to_string()]);
        assert!(gained(merged, merged, 9).is_empty());
        // A branch that was rewritten: what it has now and had not before.
        assert_eq!(gained(squashed, side, 9), [side.to_string()]);

        assert_eq!(mirror.noted("reviewed", "main").unwrap(), None);
        mirror.note("reviewed", "main", "x").unwrap();
        mirror.note("reviewed", "main", "y").unwrap();
        assert_eq!(mirror.noted("reviewed", "main").unwrap().as_deref(), Some("y"));
        assert_eq!(mirror.noted("reviewed", "next").unwrap(), None);
    }
}
