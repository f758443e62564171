//! The prompt: host name, mode in brackets, `#` or `>`, one blank.

use std::fmt;

/// A prompt as the device prints it: `gam-maple(config)# `, `# ` when there is no host name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prompt {
    /// Host name; empty on a fresh device.
    pub hostname: String,
    /// The mode in brackets: `config`, `config-if`; `None` in exec mode.
    pub mode: Option<String>,
    /// Whether it ends in `#` (privileged) and not in `>`.
    pub privileged: bool,
}

/// The longest host name that is taken for one; the MIB's system name holds 255.
const LONGEST_HOSTNAME: usize = 255;

impl Prompt {
    /// Reads a whole line as a prompt. `None` when it is not one.
    ///
    /// Anything that ends in `# ` can look like a prompt, so a fit alone proves nothing: the exact prompt
    /// is learnt at login and compared from then on.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (line, privileged) = match (line.strip_suffix("# "), line.strip_suffix("> ")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return None,
        };
        let (hostname, mode) = match line.strip_suffix(')') {
            Some(rest) => {
                let (hostname, mode) = rest.split_once('(')?;
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                if mode.is_empty() || !mode.bytes().all(plain) {
                    return None;
                }
                (hostname, Some(mode.to_owned()))
            }
            None => (line, None),
        };
        if hostname.len() > LONGEST_HOSTNAME || hostname.contains(['\r', '\n', '(', ')', '#', '>']) {
            return None;
        }
        Some(Self {
            hostname: hostname.to_owned(),
            mode,
            privileged,
        })
    }

    /// Whether the session is in exec mode.
    #[must_use]
    pub fn is_exec(&self) -> bool {
        self.mode.is_none()
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hostname)?;
        if let Some(mode) = &self.mode {
            write!(f, "({mode})")?;
        }
        f.write_str(if self.privileged { "# " } else { "> " })
    }
}
