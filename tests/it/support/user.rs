//! A system user for servers that ask the system who may log in.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::program::{find, run};

/// `right`, as crypt(3) keeps it.
pub(crate) const RIGHT: &str =
    "$6$gamops$n.LfoOiPUXWmhARpMTZQIrBK8Psz2e0JigJMzdGwmIR0xgsaJbSiqZvQ8.MlCOGFw4IA7OPmwy1nML2kfqPC5/";

/// A system user that exists as long as this value.
pub(crate) struct User(String);

impl User {
    pub(crate) fn create(crypted: &str) -> Self {
        // Each of this process has its own name, whichever tests run at the same time.
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("gamops{}n{number}", std::process::id());
        assert!(
            std::fs::read_to_string("/proc/self/status")
                .unwrap()
                .contains("\nUid:\t0\t0\t"),
            "this test logs in as a throw-away system user that it creates: run it as root"
        );
        let useradd = find("useradd", "passwd");
        run(Command::new(useradd)
            .args([
                "--no-create-home",
                "--home-dir",
                "/",
                "--shell",
                "/bin/sh",
                "--no-user-group",
                "--password",
                crypted,
            ])
            .arg(&name));
        Self(name)
    }

    /// What it logs in as.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new(find("userdel", "passwd"))
            .arg("--force")
            .arg(&self.0)
            .output();
    }
}
