use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;

use super::keyring::{load, settings_path};
use super::*;

const CANARY: &str = "canary-5c1e";

fn with(
    name: &str,
    variables: &[(&str, &str)],
    settings: &str,
    files: &[(&str, &str)],
) -> Result<Credentials, CredentialsError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    let settings = Settings::parse(Path::new("/etc/gamops/settings.yaml"), settings).unwrap();
    resolve(
        name,
        |variable| Ok(variables.get(variable).map(|value| (*value).to_owned())),
        &settings,
        |path| {
            let text = path.to_str().and_then(|path| files.get(path));
            text.map(|text| (*text).to_owned())
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        },
    )
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[test]
fn factory_needs_nothing() {
    let factory = with("factory", &[], "", &[]).unwrap();
    assert_eq!(factory.username, "admin");
    assert!(factory.password.is_empty());
    assert_eq!(factory.community.expose(), "public");
}

#[test]
fn the_environment_beats_settings_value_by_value() {
    let settings = "credentials:\n  maple.street-1: {username: noc, password: from-file, community: c1}\n";
    let found = with(
        "maple.street-1",
        &[("GAMOPS_CRED_MAPLE_STREET_1_PASSWORD", CANARY)],
        settings,
        &[],
    )
    .unwrap();
    assert_eq!((found.username.as_str(), found.password.expose()), ("noc", CANARY));
    assert_eq!(found.community.expose(), "c1");
}

#[test]
fn an_empty_variable_is_an_empty_password() {
    let settings = "credentials: {a: {username: noc, password: from-file}}";
    let found = with("a", &[("GAMOPS_CRED_A_PASSWORD", "")], settings, &[]).unwrap();
    assert!(found.password.is_empty());
}

#[test]
fn a_password_file_loses_its_line_end_and_nothing_else() {
    let variables = [
        ("GAMOPS_CRED_A_USERNAME", "noc"),
        ("GAMOPS_CRED_A_PASSWORD_FILE", "/run/secrets/a"),
    ];
    for (text, password) in [("p w \r\n", "p w "), ("p\n\n", "p\n"), ("p", "p"), ("p\r", "p\r")] {
        let found = with("a", &variables, "", &[("/run/secrets/a", text)]).unwrap();
        assert_eq!(found.password.expose(), password);
    }
    let settings = "credentials: {a: {username: noc, password_file: secret/a}}";
    let found = with("a", &[], settings, &[("/etc/gamops/secret/a", "beside")]).unwrap();
    assert_eq!(found.password.expose(), "beside");
}

#[test]
fn missing_credentials_name_the_variables_to_set() {
    let error = with("maple-a", &[], "", &[]).unwrap_err().to_string();
    assert!(error.contains("GAMOPS_CRED_MAPLE_A_USERNAME"), "{error}");
    let error = with("maple-a", &[("GAMOPS_CRED_MAPLE_A_USERNAME", "x")], "", &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("GAMOPS_CRED_MAPLE_A_PASSWORD or GAMOPS_CRED_MAPLE_A_PASSWORD_FILE"),
        "{error}"
    );
    assert!(error.contains("/etc/gamops/settings.yaml"), "{error}");
}

#[test]
fn two_passwords_of_the_same_rank_are_refused() {
    let variables = [
        ("GAMOPS_CRED_A_USERNAME", "noc"),
        ("GAMOPS_CRED_A_PASSWORD", CANARY),
        ("GAMOPS_CRED_A_PASSWORD_FILE", "/a"),
    ];
    let error = with("a", &variables, "", &[]).unwrap_err();
    assert!(matches!(error, CredentialsError::Ambiguous { .. }));
    assert!(!chain(&error).contains(CANARY));
}

#[test]
fn a_number_stays_the_text_that_was_written() {
    let found = with("a", &[], "credentials: {a: {username: 007, password: 1e3}}", &[]).unwrap();
    assert_eq!((found.username.as_str(), found.password.expose()), ("007", "1e3"));
}

#[test]
fn no_secret_shows_in_debug_or_errors() {
    let settings = format!("credentials: {{a: {{username: noc, password: {CANARY}, community: {CANARY}}}}}");
    let path = Path::new("settings.yaml");
    let found = with("a", &[], &settings, &[]).unwrap();
    assert!(!format!("{found:?} {:?}", Settings::parse(path, &settings).unwrap()).contains(CANARY));
    for broken in [
        format!("credentials: {{a: {{username: noc, passwrod: {CANARY}}}}}"),
        format!("credentials: {{a: {{{CANARY}: x}}}}"),
        format!("credentials: {{a: {{username: [noc], password: [{CANARY}]}}}}"),
        format!("credentials: {{a: {CANARY}}}"),
        format!("credentials: {{a: {{password: {CANARY}, password: {CANARY}}}}}"),
        format!("credentials: {{a: {{password: \"{CANARY}"),
        format!("credentials: {{a: {{password: {CANARY}}}, a: {{password: {CANARY}}}}}"),
        format!("{CANARY}: 1"),
        CANARY.to_owned(),
    ] {
        let error = Settings::parse(path, &broken).unwrap_err();
        assert!(!chain(&error).contains(CANARY), "{error:?}");
        assert!(error.source().is_none());
    }
}

#[test]
fn a_mistake_in_the_settings_is_shown_by_its_place() {
    let text = "credentials:\n  a:\n    username: noc\n    pasword: x\n";
    let error = Settings::parse(Path::new("settings.yaml"), text)
        .unwrap_err()
        .to_string();
    assert!(error.contains("settings.yaml, line 4 column 5,"), "{error}");
}

#[test]
fn the_settings_file_is_looked_for_where_the_environment_says() {
    let path_where = |set: &[(&str, &str)], there: &str| {
        let set: BTreeMap<_, _> = set.iter().copied().collect();
        settings_path(
            |name| set.get(name).map(OsString::from),
            |path| path == Path::new(there),
        )
    };
    let path = |set: &[(&str, &str)]| path_where(set, "");
    assert_eq!(
        path(&[("GAMOPS_SETTINGS", "/a"), ("HOME", "/h")]),
        (Some("/a".into()), true)
    );
    assert_eq!(
        path(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]),
        (Some("/x/gamops/settings.yaml".into()), false)
    );
    assert_eq!(
        path(&[("HOME", "/h")]),
        (Some("/h/.config/gamops/settings.yaml".into()), false)
    );
    assert_eq!(path(&[]), (None, false));
    let home = &[("HOME", "/h")];
    let encrypted = "/h/.config/gamops/settings.yaml.age";
    assert_eq!(path_where(home, encrypted), (Some(encrypted.into()), false));
}

#[test]
fn a_settings_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.yaml");
    std::fs::write(&path, "credentials: {a: {username: noc, password: x}}").unwrap();
    for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let loaded = load(path.clone(), true);
        assert_eq!(loaded.is_ok(), good, "{mode:o}");
        if let Err(error) = loaded {
            assert!(matches!(error, SettingsError::ReadableByOthers { .. }));
            assert!(error.to_string().contains("chmod 600"));
        }
    }
}

#[test]
fn only_a_named_settings_file_must_exist() {
    let path = PathBuf::from("/nonexistent/gamops/settings.yaml");
    assert!(load(path.clone(), false).is_ok());
    assert!(matches!(load(path, true), Err(SettingsError::Read { .. })));
}
