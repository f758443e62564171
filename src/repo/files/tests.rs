//! Tests in temporary folders.

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    let sources = read_inventory(folder.path()).unwrap();
    sources
        .iter()
        .map(|source| source.path.strip_prefix(&prefix).unwrap().to_owned())
        .collect()
}

#[test]
fn without_include_every_yaml_file_is_read_but_none_in_a_dot_folder() {
    let folder = folder(&[
        ("gamops.yaml", "format: 1\n"),
        ("plans.yaml", ""),
        ("sites/b/two.yaml", ""),
        ("sites/a.yaml", ""),
        (".github/workflow.yaml", ""),
        ("sites/.hidden.yaml", ""),
        ("notes.md", ""),
    ]);
    assert_eq!(
        names(&folder),
        ["gamops.yaml", "plans.yaml", "sites/a.yaml", "sites/b/two.yaml"]
    );
}

#[test]
fn include_decides_which_files_are_read() {
    let folder = folder(&[
        ("gamops.yaml", "include: [sites/*.yaml, ./plans.yml]\n"),
        ("plans.yml", ""),
        ("other.yaml", ""),
        ("sites/a.yaml", ""),
        ("sites/deep/b.yaml", ""),
    ]);
    assert_eq!(names(&folder), ["gamops.yaml", "plans.yml", "sites/a.yaml"]);
}

#[test]
fn the_root_file_can_be_named_itself() {
    let folder = folder(&[("gamops.yaml", "format: 1\n"), ("a.yaml", "x")]);
    let sources = read_inventory(&folder.path().join("gamops.yaml")).unwrap();
    assert_eq!(sources.len(), 2);
    assert!(sources[1].path.ends_with("/a.yaml"));
}

#[test]
fn paths_are_shown_as_the_operator_gave_them() {
    assert_eq!(
        shown(Path::new("inventory-example"), "a.yaml"),
        "inventory-example/a.yaml"
    );
    assert_eq!(shown(Path::new("./inv/"), "a.yaml"), "inv/a.yaml");
    assert_eq!(shown(Path::new("."), "a.yaml"), "a.yaml");
    assert_eq!(shown(Path::new(""), "a.yaml"), "a.yaml");
}

#[test]
fn a_missing_root_is_said_as_such() {
    let folder = folder(&[("a.yaml", "")]);
    let error = |path: &Path| read_inventory(path).unwrap_err();
    assert!(matches!(error(folder.path()), RepoError::NoRoot { .. }));
    assert!(matches!(
        error(&folder.path().join("a.yaml")),
        RepoError::NotARoot { .. }
    ));
    assert!(matches!(
        error(&folder.path().join("nowhere")),
        RepoError::NotFound { .. }
    ));
}

#[test]
fn a_file_that_is_not_utf8_is_named_with_the_offset() {
    let folder = folder(&[("gamops.yaml", "format: 1\n")]);
    fs::write(folder.path().join("latin1.yaml"), b"name: caf\xe9\n").unwrap();
    let error = read_inventory(folder.path()).unwrap_err();
    assert!(matches!(error, RepoError::NotUtf8 { offset: 9, .. }), "{error}");
}

#[test]
fn a_file_too_large_for_an_inventory_is_not_read() {
    let folder = folder(&[("gamops.yaml", "format: 1\n")]);
    let file = fs::File::create(folder.path().join("dump.yaml")).unwrap();
    file.set_len(super::FILE_AT_MOST + 1).unwrap();
    let error = read_inventory(folder.path()).unwrap_err();
    assert!(
        matches!(error, RepoError::TooLarge { bytes: 33_554_433, .. }),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_that_holds_it_is_refused() {
    let folder = folder(&[("gamops.yaml", "format: 1\n"), ("sites/a.yaml", "")]);
    std::os::unix::fs::symlink("..", folder.path().join("sites/up")).unwrap();
    assert!(matches!(
        read_inventory(folder.path()).unwrap_err(),
        RepoError::LinkLoop { .. }
    ));
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_an_error_where_it_is_included() {
    let folder = folder(&[("gamops.yaml", "format: 1\n")]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("readme.md")).unwrap();
    assert!(read_inventory(folder.path()).is_ok());
    std::os::unix::fs::symlink("self.yaml", folder.path().join("self.yaml")).unwrap();
    assert!(matches!(
        read_inventory(folder.path()).unwrap_err(),
        RepoError::Unreadable { .. }
    ));
}
