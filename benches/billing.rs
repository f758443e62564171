//! How long billing takes to get into the branch: the real program, in a process of its own, against a simulated Splynx that answers at once.
//!
//!     cargo bench --bench billing            10,000 accounts, 500 of them on another plan
//!     cargo bench --bench billing -- 1000    1,000 accounts, 50 of them
//!
//! As part of the tests it runs once with few accounts. Prints `name: value` lines.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gamops::sim::billing::{Seed, SeedCustomer};
use gamops::sim::splynx::{KEY, SECRET, Splynx};

use shared::git;

#[path = "shared/git.rs"]
mod shared;

const GAMOPS: &str = env!("CARGO_BIN_EXE_gamops");
/// Subscribers of a device, one on each port.
const SUBSCRIBERS: u64 = 24;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let accounts: u64 = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(if measured { 10_000 } else { 200 });
    // As many as the usual limit on changed plans lets through at once.
    let changed = (accounts / 20).min(500);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let splynx = runtime.block_on(Splynx::start(&Seed::many(accounts))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (work, bare) = (folder.path().join("work"), folder.path().join("isp.git"));
    std::fs::create_dir(&work).unwrap();
    write(&work, accounts);
    git(&work, &["init", "--quiet", "--initial-branch=main"]);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "--message", "as billing has it"]);
    git(folder.path(), &["clone", "--quiet", "--bare", "work", "isp.git"]);
    let settings = format!(
        "repository: {{ address: {} }}\nstate: state.db\nmirror: mirror.git\nbilling: {{ one_by_one: 5, splynx: {{ url: \"{}\", credentials: billing }} }}\n",
        bare.display(),
        splynx.url()
    );
    std::fs::write(folder.path().join("daemon.yaml"), settings).unwrap();
    println!("accounts: {accounts}");

    let (first, _) = sync(folder.path());
    assert_eq!(commits(&bare), 1, "billing and the inventory agree");
    println!("nothing to write, the first time, seconds: {:.2}", first.as_secs_f64());
    for number in 0..changed {
        let customer = SeedCustomer::number(number * 20);
        let service = &customer.services[0];
        assert!(splynx.service(service.id).change_plan(1 + service.offer % 3).is_some());
    }
    let (took, said) = sync(folder.path());
    assert_eq!(commits(&bare), 2, "{said}");
    let message = git(&bare, &["log", "-1", "--format=%B", "main"]);
    let edits = message
        .lines()
        .filter(|line| line.starts_with("Billing-Change: plan"))
        .count();
    assert_eq!(u64::try_from(edits).unwrap(), changed, "{said}");
    println!("subscribers on another plan: {changed}");
    println!(
        "looked at, decided, edited, committed and pushed, seconds: {:.2}",
        took.as_secs_f64()
    );
}

/// An inventory in which every customer has what was bought.
fn write(work: &Path, accounts: u64) {
    let root = "format: 1\ninventory: fleet\ndefaults: { credentials: factory, mode: manage, vlan: 100 }\n\
                plans:\n  home: { rate: 100 Mbps }\n  fast: { rate: 300 Mbps }\n  best: { rate: 500 Mbps }\n\
                billing: { splynx: { plans: { 1: home, 2: fast, 3: best } } }\n";
    std::fs::write(work.join("gamops.yaml"), root).unwrap();
    for device in 0..accounts.div_ceil(SUBSCRIBERS) {
        let mut text = format!(
            "devices:\n  gam-{device}: {{ model: GAM-24-M, address: 10.{}.{}.1 }}\nsubscribers:\n",
            device / 250,
            device % 250
        );
        let first = device * SUBSCRIBERS;
        for number in first..accounts.min(first + SUBSCRIBERS) {
            let customer = SeedCustomer::number(number);
            let service = &customer.services[0];
            let plan = ["home", "fast", "best"][usize::try_from(service.offer - 1).unwrap()];
            let _ = writeln!(
                text,
                "  s-{number}: {{ device: gam-{device}, endpoint: \"{}\", port: {}, plan: {plan}, external: {{ splynx: \"{}/{}\" }} }}",
                service.mac.as_ref().unwrap(),
                number - first + 1,
                customer.id,
                service.id
            );
        }
        std::fs::write(work.join(format!("gam-{device}.yaml")), text).unwrap();
    }
}

/// Looks at everything once; how long that took, and what was said.
fn sync(folder: &Path) -> (Duration, String) {
    let began = Instant::now();
    let done = Command::new(GAMOPS)
        .args(["billing", "sync", "--settings", "daemon.yaml"])
        .env_clear()
        .env("HOME", folder)
        .env("GAMOPS_CRED_BILLING_USERNAME", KEY)
        .env("GAMOPS_CRED_BILLING_PASSWORD", SECRET)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let took = began.elapsed();
    let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}");
    (took, said)
}

fn commits(bare: &Path) -> usize {
    git(bare, &["rev-list", "--count", "main"]).parse().unwrap()
}
