//! Where a repository is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a repository, without user and password where those would be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine, bare or with a work tree.
    Folder(PathBuf),
    /// `http://` or `https://`: the whole address.
    Http(String),
    /// `ssh://[user@]host[:port]/path`, or `[user@]host:path`.
    Ssh {
        /// Who logs in; `git` unless said.
        user: String,
        /// Name or IP address.
        host: String,
        /// TCP port, 22 unless said.
        port: u16,
        /// As the server is to be told: with a leading slash in the first form, without in the second.
        path: String,
    },
    /// `git://`: the whole address. Neither secret nor proven to come from whom it says.
    Git(String),
}

/// The text is no address of a repository. Operator's fault. Quotes no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Nothing was written.
    #[error("the address of the repository is empty")]
    Empty,
    /// A password stands in it, where it would be shown to whoever reads the settings.
    #[error("a password or token stands in the address of the repository; name credentials instead")]
    Password,
    /// A kind that is not known.
    #[error("`{0}://` is no kind of repository; write a folder, or file://, https://, ssh:// or git://")]
    Scheme(String),
    /// Nothing is named on the server.
    #[error("`{0}` names no repository on the server")]
    NoPath(String),
    /// The port is no number.
    #[error("`{0}` is no port")]
    Port(String),
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidAddress::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match short_ssh(text) {
                Some(address) => Ok(address),
                None => Ok(Self::Folder(text.into())),
            };
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, server) = match authority.rsplit_once('@') {
            Some((login, server)) => (Some(login), server),
            None => (None, authority),
        };
        if login.is_some_and(|login| login.contains(':')) {
            return Err(InvalidAddress::Password);
        }
        match scheme {
            "file" => Ok(Self::Folder(format!("/{path}").into())),
            _ if path.trim_matches('/').is_empty() || server.is_empty() => Err(InvalidAddress::NoPath(text.to_owned())),
            // A token is often written in the place of the user.
            "http" | "https" if login.is_some() => Err(InvalidAddress::Password),
            "http" | "https" => Ok(Self::Http(text.trim_end_matches('/').to_owned())),
            "git" => Ok(Self::Git(text.to_owned())),
            "ssh" => {
                let (host, port) = host_and_port(server)?;
                Ok(Self::Ssh {
                    user: login.unwrap_or("git").to_owned(),
                    host,
                    port,
                    // `/~/path` is below the home of whoever logs in, as Git has it.
                    path: if path.starts_with('~') {
                        path.to_owned()
                    } else {
                        format!("/{path}")
                    },
                })
            }
            other => Err(InvalidAddress::Scheme(other.to_owned())),
        }
    }
}

/// `[user@]host:path`, which is no path of this machine: no slash stands before the colon.
fn short_ssh(text: &str) -> Option<Address> {
    let (server, path) = text.split_once(':')?;
    if server.contains('/') || server.is_empty() || path.is_empty() {
        return None;
    }
    let (user, host) = server.rsplit_once('@').unwrap_or(("git", server));
    Some(Address::Ssh {
        user: user.to_owned(),
        host: host.to_owned(),
        port: 22,
        path: path.to_owned(),
    })
}

fn host_and_port(server: &str) -> Result<(String, u16), InvalidAddress> {
    let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = match port {
        None => 22,
        Some(port) => port.parse().map_err(|_| InvalidAddress::Port(port.to_owned()))?,
    };
    Ok((host.to_owned(), port))
}

impl Address {
    /// As libgit2 is to be told.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Folder(path) => path.to_string_lossy().into_owned(),
            Self::Http(url) | Self::Git(url) => url.clone(),
            Self::Ssh { host, port, path, .. } => {
                let host = if host.contains(':') {
                    format!("[{host}]")
                } else {
                    host.clone()
                };
                format!("ssh://{host}:{port}/{}", path.trim_start_matches('/'))
            }
        }
    }
}

impl fmt::Display for Address {
    /// As people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Http(url) | Self::Git(url) => f.write_str(url),
            Self::Ssh {
                user,
                host,
                port: 22,
                path,
            } if !path.starts_with('/') => write!(f, "{user}@{host}:{path}"),
            Self::Ssh { user, host, port, path } => {
                let host = if host.contains(':') {
                    format!("[{host}]")
                } else {
                    host.clone()
                };
                let port = if *port == 22 { String::new() } else { format!(":{port}") };
                write!(f, "ssh://{user}@{host}{port}/{}", path.trim_start_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_way_to_write_one_is_read() {
        let ssh = |user: &str, host: &str, port, path: &str| Address::Ssh {
            user: user.to_owned(),
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        };
        assert_eq!(read("../network"), Address::Folder("../network".into()));
        assert_eq!(read("/srv/a:b"), Address::Folder("/srv/a:b".into()));
        assert_eq!(
            read("file:///srv/network.git"),
            Address::Folder("/srv/network.git".into())
        );
        assert_eq!(
            read("https://git.example.org/isp/network.git/"),
            Address::Http("https://git.example.org/isp/network.git".to_owned())
        );
        assert_eq!(
            read("git@git.example.org:isp/network.git"),
            ssh("git", "git.example.org", 22, "isp/network.git")
        );
        assert_eq!(
            read("ssh://git.example.org/isp.git"),
            ssh("git", "git.example.org", 22, "/isp.git")
        );
        assert_eq!(
            read("ssh://bob@[2001:db8::1]:2222/~/isp.git"),
            ssh("bob", "2001:db8::1", 2222, "~/isp.git")
        );
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same() {
        for text in [
            "/srv/network",
            "https://h/p",
            "git@h:p/q.git",
            "ssh://bob@h:2222/p",
            "ssh://git@[::1]:2222/~/p",
            "ssh://git@h/p",
            "git://h/p",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_none_is_refused_without_showing_a_password() {
        for (text, error) in [
            ("", InvalidAddress::Empty),
            ("https://bob:canary@h/p", InvalidAddress::Password),
            ("https://ghp_canary@h/p", InvalidAddress::Password),
            ("ssh://bob:canary@h/p", InvalidAddress::Password),
            ("svn://h/p", InvalidAddress::Scheme("svn".to_owned())),
            ("https://h", InvalidAddress::NoPath("https://h".to_owned())),
            ("ssh://h:x/p", InvalidAddress::Port("x".to_owned())),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error.clone()), "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
