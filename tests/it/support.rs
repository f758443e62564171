//! What several tests lean on.

pub(crate) mod dice;
pub(crate) mod forge_server;
pub(crate) mod git_server;
pub(crate) mod http_sink;
pub(crate) mod picture;
pub(crate) mod program;
pub(crate) mod relay;
pub(crate) mod smtp_server;
pub(crate) mod snmpd;
pub(crate) mod ssh_peer;
pub(crate) mod user;
