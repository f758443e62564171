//! What an SSH server says before anybody logs in: its software, and the algorithms that it offers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::SshError;
use super::algorithms::preferred;
use super::client::tcp;
use crate::transport::host_and_port;

/// What we say we are. A server may wait for it before it names its algorithms (RFC 4253, 4.2).
const OURS: &[u8] = concat!("SSH-2.0-gamops_", env!("CARGO_PKG_VERSION"), "\r\n").as_bytes();

/// The longest line that is read of what a server says before its identification (RFC 4253, 4.2: 255 and CRLF).
const LONGEST_LINE: u64 = 1024;
/// How many such lines are read.
const MOST_LINES: usize = 32;
/// The largest packet that every implementation takes (RFC 4253, 6.1).
const LARGEST_PACKET: u32 = 35_000;

/// A server, as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The address that answered, of those that the name has.
    pub address: SocketAddr,
    /// How long the connection took: about one round trip.
    pub connected_after: Duration,
    /// Its identification, such as `SSH-2.0-dropbear_2019.78`.
    pub software: String,
    /// Its algorithms. `None`: what it sent was no start of a key exchange.
    pub offer: Option<Offer>,
}

/// The algorithms that a server offers, as it names them, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Key exchange.
    pub kex: Vec<String>,
    /// Host keys.
    pub host_keys: Vec<String>,
    /// Ciphers towards the server.
    pub ciphers: Vec<String>,
    /// MACs towards the server.
    pub macs: Vec<String>,
}

impl Offer {
    /// The kinds of algorithm of which it has none in common with us, without or with the old ones among ours.
    #[must_use]
    pub fn lacks(&self, legacy: bool) -> Vec<&'static str> {
        let ours = preferred(legacy, None);
        let kex: Vec<&str> = ours
            .kex
            .iter()
            .map(AsRef::as_ref)
            .filter(|name| !is_marker(name))
            .collect();
        let host_keys: Vec<String> = ours.key.iter().map(ToString::to_string).collect();
        let ciphers: Vec<&str> = ours.cipher.iter().map(AsRef::as_ref).collect();
        let macs: Vec<&str> = ours.mac.iter().map(AsRef::as_ref).collect();
        let common: Vec<&String> = self
            .ciphers
            .iter()
            .filter(|name| ciphers.contains(&name.as_str()))
            .collect();
        // A cipher that authenticates by itself needs no MAC.
        let needs_none = common
            .iter()
            .any(|name| name.contains("gcm") || name.contains("poly1305"));
        let lacking = [
            (
                "key exchange",
                !self.kex.iter().any(|name| kex.contains(&name.as_str())),
            ),
            ("host key", !self.host_keys.iter().any(|name| host_keys.contains(name))),
            ("cipher", common.is_empty()),
            (
                "MAC",
                !needs_none && !self.macs.iter().any(|name| macs.contains(&name.as_str())),
            ),
        ];
        let lacking = lacking.into_iter().filter(|(_, lacks)| *lacks);
        lacking.map(|(kind, _)| kind).collect()
    }

    /// Reads the payload of a packet that begins a key exchange (RFC 4253, 7.1). `None`: it is something else.
    fn read(payload: &[u8]) -> Option<Self> {
        /// `SSH_MSG_KEXINIT`.
        const KEXINIT: u8 = 20;
        /// Random bytes behind it.
        const COOKIE: usize = 16;
        let (&kind, rest) = payload.split_first()?;
        let mut rest = rest.get(COOKIE..).filter(|_| kind == KEXINIT)?;
        let mut list = || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (names, behind) = behind.split_at_checked(length)?;
            rest = behind;
            let names = std::str::from_utf8(names)
                .ok()?
                .split(',')
                .filter(|name| !name.is_empty());
            Some(names.map(str::to_owned).collect::<Vec<String>>())
        };
        let (kex, host_keys, ciphers, _, macs) = (list()?, list()?, list()?, list()?, list()?);
        Some(Self {
            kex,
            host_keys,
            ciphers,
            macs,
        })
    }
}

/// Whether it is no algorithm but tells of what else a side can do.
fn is_marker(name: &str) -> bool {
    name.starts_with("ext-info-") || name.starts_with("kex-strict-")
}

/// Connects, hears what the server says of itself, and hangs up: one connection, no login.
///
/// # Errors
///
/// [`SshError::Resolve`], [`SshError::Connect`], [`SshError::TimedOut`], and [`SshError::Handshake`] where whatever
/// answers is no SSH server.
pub async fn hello(host: &str, port: u16, within: Duration) -> Result<Hello, SshError> {
    let address = host_and_port(host, port);
    let deadline = Instant::now() + within;
    let mut step = "connecting";
    let hearing = async {
        let (stream, connected_after) = tcp(host, port, within).await?;
        let peer = stream.peer_addr().map_err(|source| SshError::Connect {
            address: address.clone(),
            source,
        })?;
        step = "introducing itself";
        let (software, offer) = listen(stream).await.map_err(|source| SshError::Handshake {
            address: address.clone(),
            source: source.into(),
        })?;
        Ok(Hello {
            address: peer,
            connected_after,
            software,
            offer,
        })
    };
    match timeout_at(deadline, hearing).await {
        Ok(heard) => heard,
        Err(_) => Err(SshError::TimedOut {
            address: address.clone(),
            step,
            after: within,
        }),
    }
}

async fn listen(stream: TcpStream) -> std::io::Result<(String, Option<Offer>)> {
    let mut stream = BufReader::new(stream);
    let mut software = None;
    for _ in 0..MOST_LINES {
        let mut line = Vec::new();
        if (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await? == 0 {
            break;
        }
        // Other lines may come first.
        if line.starts_with(b"SSH-") {
            software = Some(printable(&line));
            break;
        }
    }
    let no_server = || std::io::Error::new(std::io::ErrorKind::InvalidData, "what answers is no SSH server");
    let software = software.ok_or_else(no_server)?;
    stream.write_all(OURS).await?;
    Ok((software, packet(&mut stream).await?.as_deref().and_then(Offer::read)))
}

/// The payload of the next packet; the first ones are not encrypted. `None`: the server hung up, or it is no packet.
async fn packet(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let length = match stream.read_u32().await {
        Ok(length) if length <= LARGEST_PACKET => length,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut packet = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut packet).await?;
    let payload = packet.split_first().and_then(|(&padding, rest)| {
        let end = rest.len().checked_sub(usize::from(padding))?;
        rest.get(..end)
    });
    Ok(payload.map(<[u8]>::to_vec))
}

/// One line as text in which nothing acts on a terminal.
fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let shown = text.trim_end().chars();
    shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &str) -> Vec<u8> {
        let length = u32::try_from(names.len()).unwrap().to_be_bytes();
        [&length, names.as_bytes()].concat()
    }

    fn kexinit(kex: &str, key: &str, cipher: &str, mac: &str) -> Vec<u8> {
        [
            vec![20],
            vec![0; 16],
            list(kex),
            list(key),
            list(cipher),
            list(cipher),
            list(mac),
            list(mac),
        ]
        .concat()
    }

    #[test]
    fn what_a_server_offers_is_read() {
        let offer = Offer::read(&kexinit(
            "curve25519-sha256,kex-strict-s-v00@openssh.com",
            "ssh-ed25519",
            "aes128-ctr",
            "hmac-sha2-256",
        ));
        let offer = offer.unwrap();
        assert_eq!(offer.kex, ["curve25519-sha256", "kex-strict-s-v00@openssh.com"]);
        assert_eq!(offer.lacks(false), Vec::<&str>::new());
    }

    #[test]
    fn an_old_server_has_nothing_in_common_unless_old_algorithms_are_ours_too() {
        let old = kexinit(
            "diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
            "ssh-rsa,ssh-dss",
            "aes128-cbc,3des-cbc",
            "hmac-sha1,hmac-md5",
        );
        let offer = Offer::read(&old).unwrap();
        assert_eq!(offer.lacks(false), ["key exchange", "host key", "cipher", "MAC"]);
        assert_eq!(offer.lacks(true), Vec::<&str>::new());
    }

    #[test]
    fn a_cipher_that_authenticates_needs_no_mac() {
        let offer = Offer::read(&kexinit(
            "curve25519-sha256",
            "ssh-ed25519",
            "aes256-gcm@openssh.com",
            "",
        ))
        .unwrap();
        assert_eq!(offer.lacks(false), Vec::<&str>::new());
        let markers = kexinit("ext-info-c", "ssh-ed25519", "aes256-gcm@openssh.com", "");
        assert_eq!(Offer::read(&markers).unwrap().lacks(true), ["key exchange"]);
    }

    proptest::proptest! {
        #[test]
        fn damaged_offers_are_nothing(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Offer::read(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 20;
            }
            let _ = Offer::read(&bytes);
        }
    }
}
