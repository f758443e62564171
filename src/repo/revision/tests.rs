//! Tests on repositories in temporary folders.

use super::*;

struct Given {
    folder: tempfile::TempDir,
    repository: Repository,
}

impl Given {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        Self { folder, repository }
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self) -> String {
        let mut index = self.repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::FORCE, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = self.repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("t", "t@example.org").unwrap();
        let parent = self.repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let id = (self.repository).commit(Some("HEAD"), &who, &who, "one", &tree, &Vec::from_iter(&parent));
        short(id.unwrap())
    }

    fn read(&self, path: &str, revision: &str) -> Result<Revision, RevisionError> {
        read_inventory_at(&self.folder.path().join(path), revision)
    }

    fn error(&self, path: &str, revision: &str) -> String {
        self.read(path, revision).unwrap_err().to_string()
    }
}

#[test]
fn the_texts_are_those_of_the_commit_and_not_of_the_work_tree() {
    let given = Given::new();
    given.write("isp/gamops.yaml", "include: [sites/*.yaml]\n");
    given.write("isp/sites/a.yaml", "a: 1\n");
    given.write("isp/sites/deep/b.yaml", "");
    given.write("isp/sites/.hidden.yaml", "");
    given.write("isp/other.yaml", "");
    let first = given.commit();
    given.write("isp/sites/a.yaml", "a: 2\n");
    std::fs::remove_file(given.folder.path().join("isp/other.yaml")).unwrap();
    given.commit();
    given.write("isp/sites/a.yaml", "a: 3\n");

    let at = given.read("isp", "HEAD~1").unwrap();
    assert_eq!(at.commit, first);
    let files: Vec<(&str, &str)> = (at.files.iter())
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let (root, a) = (format!("{first}:isp/gamops.yaml"), format!("{first}:isp/sites/a.yaml"));
    assert_eq!(
        files,
        [(root.as_str(), "include: [sites/*.yaml]\n"), (a.as_str(), "a: 1\n")]
    );
    assert_eq!(given.read("isp/gamops.yaml", &first).unwrap().files.len(), 2);
    assert_eq!(given.read("isp", "HEAD").unwrap().files[1].text, "a: 2\n");
}

#[test]
fn an_inventory_at_the_top_of_its_repository_is_found() {
    let given = Given::new();
    given.write("gamops.yaml", "format: 1\n");
    given.write("a/b.yaml", "");
    let commit = given.commit();
    let files = given.read("", "HEAD").unwrap().files;
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [format!("{commit}:./gamops.yaml"), format!("{commit}:./a/b.yaml")]
    );
    // The root file is recognised as such.
    let loaded = crate::inventory::load(&files);
    assert!(
        loaded
            .report
            .findings()
            .iter()
            .all(|finding| !finding.message.contains("there is no"))
    );
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let given = Given::new();
    given.write("readme", "");
    given.commit();
    given.write("isp/gamops.yaml", "format: 1\n");
    given.write("isp/a.yaml", b"name: caf\xe9\n");
    given.commit();
    let branch = given.repository.head().unwrap().shorthand().unwrap().to_owned();
    let misspelt = format!("{branch}n");
    assert_eq!(
        given.error("isp", &misspelt),
        format!("Git knows no commit `{misspelt}`; did you mean `{branch}`?")
    );
    let unknown = given.error("isp", "0123456");
    assert!(
        unknown.ends_with("`HEAD~1` for the commit before this one"),
        "{unknown}"
    );
    assert!(matches!(given.read("isp", "HEAD~1"), Err(RevisionError::NoRoot { .. })));
    assert!(matches!(
        given.read("isp", "HEAD"),
        Err(RevisionError::NotUtf8 { offset: 9, .. })
    ));
    assert!(matches!(given.read("nowhere", "HEAD"), Err(RevisionError::Files(_))));

    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("gamops.yaml"), "format: 1\n").unwrap();
    let error = read_inventory_at(outside.path(), "HEAD").unwrap_err();
    assert!(matches!(error, RevisionError::NoRepository { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_and_said_where_it_is_included() {
    let given = Given::new();
    given.write("gamops.yaml", "format: 1\n");
    std::os::unix::fs::symlink("gamops.yaml", given.folder.path().join("readme.md")).unwrap();
    given.commit();
    assert_eq!(given.read("", "HEAD").unwrap().files.len(), 1);
    std::os::unix::fs::symlink("gamops.yaml", given.folder.path().join("a.yaml")).unwrap();
    given.commit();
    assert!(given.error("", "HEAD").contains("a.yaml is a symbolic link"));
}

#[test]
fn a_file_too_large_for_an_inventory_is_said_before_it_is_read() {
    let given = Given::new();
    given.write("gamops.yaml", "format: 1\n");
    given.write("a.yaml", vec![b'#'; 32 * 1024 * 1024 + 1]);
    given.commit();
    let error = given.error("", "HEAD");
    assert!(
        error.ends_with("a.yaml has 33554433 bytes: a file of an inventory has 32 MB at most, all of them 256 MB; leave it out of `include`, or split it"),
        "{error}"
    );
}
