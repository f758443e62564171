//! The machine that this runs on, by the name that its people know it by.

use std::sync::OnceLock;

/// The machine's name; `localhost` where it tells none.
#[must_use]
pub fn host_name() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        // Linux says it in a file; elsewhere there is a program.
        let said = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| {
            let output = std::process::Command::new("hostname").output()?;
            Ok::<String, std::io::Error>(String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let name = said.unwrap_or_default().trim().to_owned();
        if name.is_empty() { "localhost".to_owned() } else { name }
    })
    .clone()
}
