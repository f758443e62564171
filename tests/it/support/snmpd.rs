//! net-snmp's agent.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU8;
use std::process::Command;
use std::time::{Duration, Instant};

use gamops::dialect::snmp::SYS_DESCR;
use gamops::domain::Secret;
use gamops::transport::snmp::{Agent, Answer, Version, get};

use super::program::{Server, find, free_udp_port};

/// A running agent; it ends when this is dropped.
pub(crate) struct Snmpd {
    _server: Server,
    _folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl Snmpd {
    /// Starts it at a free port of an address, with a read community and more lines of configuration.
    pub(crate) async fn start(at: Ipv4Addr, community: &str, more: &str) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match Self::start_at((at, free_udp_port()).into(), community, more).await {
                Ok(started) => return started,
                Err(log) => assert!(Instant::now() < deadline, "snmpd does not start: {log}"),
            }
        }
    }

    /// As [`Self::start`], at a port of one's own. An error is what it said before it ended: the port was taken.
    pub(crate) async fn start_at(address: SocketAddr, community: &str, more: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("snmpd.conf");
        std::fs::write(&config, format!("rocommunity {community} 127.0.0.0/8\n{more}")).unwrap();
        let mut server = Server::start(
            Command::new(find("snmpd", "snmpd"))
                .args(["-f", "-Le", "-C", "-I", "-smux", "-c"])
                .arg(&config)
                .arg(format!("udp:{address}"))
                .env("SNMP_PERSISTENT_DIR", folder.path())
                .env("MIBS", ""),
            &folder.path().join("log"),
        );
        let agent = Agent {
            host: address.ip().to_string(),
            port: address.port(),
            version: Version::V2c,
            community: Secret::new(community),
            timeout: Duration::from_millis(200),
            attempts: NonZeroU8::MIN,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !server.has_ended() {
            if matches!(get(&agent, &[SYS_DESCR]).await, Ok(Answer::Values(_))) {
                return Ok(Self {
                    _server: server,
                    _folder: folder,
                    address,
                });
            }
            assert!(Instant::now() < deadline, "snmpd does not answer: {}", server.log());
        }
        Err(server.log())
    }
}
