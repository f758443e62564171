//! The rooms of the house and which may import which, as ARCHITECTURE.md draws them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each room may import of the others.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("diagnostic", &["domain"]),
    ("alert", &["domain"]),
    ("inventory", &["domain", "diagnostic"]),
    ("observed", &["domain", "diagnostic"]),
    ("dialect", &["domain", "diagnostic", "observed"]),
    ("plan", &["domain", "diagnostic", "inventory", "observed"]),
    ("checkup", &["domain", "inventory", "observed"]),
    ("onboard", &["domain", "diagnostic", "inventory", "observed", "plan"]),
    ("published", &["domain", "inventory", "observed", "dialect", "plan"]),
    ("billing", &["domain", "diagnostic", "inventory"]),
    ("transport", &["domain"]),
    ("biller", &["domain", "billing", "transport"]),
    ("forge", &["domain", "transport"]),
    ("device", &["domain", "observed", "dialect", "plan", "transport"]),
    // `repo` makes source files for the inventory; `store` keeps records and observed states.
    ("repo", &["domain", "diagnostic", "inventory", "transport"]),
    ("store", &["domain", "observed", "plan"]),
    (
        "reconcile",
        &[
            "domain",
            "diagnostic",
            "inventory",
            "observed",
            "dialect",
            "plan",
            "published",
            "checkup",
            "transport",
            "device",
            "repo",
            "store",
        ],
    ),
    (
        "daemon",
        &[
            "domain",
            "diagnostic",
            "alert",
            "inventory",
            "observed",
            "onboard",
            "plan",
            "published",
            "billing",
            "transport",
            "forge",
            "biller",
            "repo",
            "store",
            "reconcile",
            "clerk",
        ],
    ),
    (
        "clerk",
        &[
            "domain",
            "diagnostic",
            "inventory",
            "observed",
            "billing",
            "biller",
            "transport",
            "forge",
            "repo",
            "store",
        ],
    ),
    // The simulator must be able to disagree with the driver.
    ("sim", &["domain"]),
];

/// Crates that only one room may name: where the outside world is, and nowhere else.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("granit_parser", &["inventory/document"]),
    ("cel", &["inventory/expression"]),
    // Commits are signed with the same keys as SSH has.
    ("russh", &["transport", "sim", "repo/signature/ssh"]),
    ("snmp2", &["transport"]),
    ("graphql_parser", &["sim/sonar"]),
    // Simulated billing systems call webhooks.
    ("reqwest", &["transport", "sim/webhook"]),
    ("lettre", &["transport/smtp"]),
    ("axum", &["daemon/pages", "sim"]),
    ("prometheus_client", &["daemon/metrics"]),
    ("async_snmp", &["sim"]),
    ("notify", &["daemon/file_events"]),
    ("opentelemetry", &["cli/log"]),
    ("opentelemetry_http", &["cli/log"]),
    ("opentelemetry_otlp", &["cli/log"]),
    ("opentelemetry_sdk", &["cli/log"]),
    ("tracing_opentelemetry", &["cli/log"]),
    ("tracing_subscriber", &["cli/log"]),
    ("git2", &["repo"]),
    ("base64", &["repo/signature/openpgp", "sim"]),
    ("rusqlite", &["store"]),
    ("clap", &["cli"]),
    ("tar", &["cli/doctor/bundle"]),
    ("flate2", &["cli/doctor/bundle", "store/packed"]),
];

/// Rooms without I/O: no sockets, files, clocks, environment or tasks.
const PURE: &[&str] = &[
    "domain",
    "diagnostic",
    "alert",
    "inventory",
    "observed",
    "dialect",
    "plan",
    "checkup",
    "onboard",
    "published",
    "billing",
];

/// What a pure room may not name.
const WORLD: &[&str] = &[
    "tokio::",
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "async fn",
    "std::process",
];

fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The code of a file: comments and its tests left out.
fn code(text: &str) -> String {
    let shipping = text.split("#[cfg(test)]").next().unwrap_or_default();
    shipping
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

#[test]
fn imports_go_down_never_up() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = MAY_IMPORT
        .iter()
        .map(|(room, others)| (*room, others.iter().copied().collect()))
        .collect();
    let mut wrong = Vec::new();
    for (file, text) in sources().iter().filter(|(file, _)| !is_test(file)) {
        let Some(allowed) = allowed.get(room(file)) else {
            continue;
        };
        for word in code(text).split("crate::").skip(1) {
            let other: String = word
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if other != room(file) && !other.is_empty() && !allowed.contains(other.as_str()) {
                wrong.push(format!("src/{file} imports `{other}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_outside_world_has_one_door() {
    let mut wrong = Vec::new();
    for (file, text) in sources().iter().filter(|(file, _)| !is_test(file)) {
        let code = code(text);
        for (name, rooms) in ONLY_IN {
            let path = format!("{name}::");
            let is_part = |before: &str| before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let mut named = code.match_indices(&path).map(|(at, _)| &code[..at]);
            let named = named.any(|before| !is_part(before)) || code.contains(&format!("use {name};"));
            if named && !rooms.iter().any(|room| file.starts_with(room)) {
                wrong.push(format!("src/{file} names `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_do_not_touch_the_world() {
    let mut wrong = Vec::new();
    for (file, text) in sources()
        .iter()
        .filter(|(file, _)| !is_test(file) && PURE.contains(&room(file)))
    {
        let code = code(text);
        wrong.extend(
            WORLD
                .iter()
                .filter(|word| code.contains(*word))
                .map(|word| format!("src/{file} names `{word}`")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_in_the_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = std::fs::read_to_string(root.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_module = path.is_dir() || path.extension().is_some_and(|extension| extension == "rs");
        if is_module && name != "main" && !name.starts_with("snapshots") {
            assert!(
                listed.contains(&format!("mod {name};")),
                "tests/it/{name} is not listed in tests/it/main.rs"
            );
        }
    }
}
