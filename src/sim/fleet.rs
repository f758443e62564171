//! Many devices in one process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::device::SimDevice;
use super::spec::DeviceSpec;
use super::{host_key, snmp, ssh};

/// How a fleet is run.
#[derive(Debug, Clone, Default)]
pub struct FleetOptions {
    /// Folder in which startup configurations outlive the process, one `<name>.cfg` per device; made when
    /// missing. `None`: nothing is kept.
    pub state_dir: Option<PathBuf>,
}

/// The simulator could not start a device.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Two devices of the fleet have one name. The caller's fault.
    #[error("two simulated devices are called {device}")]
    SameName {
        /// The name.
        device: String,
    },
    /// An address is taken or not this machine's. The operator's fault, or another program's.
    #[error("could not listen on {address} for {protocol} of simulated device {device}")]
    Listen {
        /// Device name.
        device: String,
        /// `SSH` or `SNMP`.
        protocol: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The startup configuration has a line that the simulated command line does not take. The fault of who
    /// wrote it.
    #[error("simulated device {device} refused a line of its startup configuration, `{line}`: {reply}")]
    StartupConfig {
        /// Device name.
        device: String,
        /// The line, without secrets.
        line: String,
        /// The device's answer.
        reply: String,
    },
    /// The state folder cannot be used. The operator's fault.
    #[error("could not use {path} for the state of simulated devices")]
    StateDir {
        /// Folder or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No host key could be made. Our bug, or the key library's.
    #[error("could not make a host key for simulated device {device}")]
    HostKey {
        /// Device name.
        device: String,
        /// Why not.
        #[source]
        source: russh::keys::ssh_key::Error,
    },
}

/// A configuration line without what follows the words after which secrets stand.
fn masked(line: &str) -> String {
    for word in ["password", "community"] {
        if let Some(at) = line.find(word) {
            return format!("{} ...", &line[..at + word.len()]);
        }
    }
    line.to_owned()
}

/// Simulated devices that serve SSH and SNMP until stopped or dropped.
#[derive(Debug)]
pub struct Fleet {
    devices: BTreeMap<String, Arc<SimDevice>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Fleet {
    /// Starts devices. All of them are up when this returns.
    ///
    /// # Errors
    ///
    /// [`SimError`] for the first device that cannot be started; the others are stopped again.
    pub async fn start(specs: Vec<DeviceSpec>, options: FleetOptions) -> Result<Self, SimError> {
        let mut fleet = Self {
            devices: BTreeMap::new(),
            stop: CancellationToken::new(),
            tasks: Vec::new(),
        };
        if let Some(folder) = &options.state_dir {
            std::fs::create_dir_all(folder).map_err(|source| SimError::StateDir {
                path: folder.clone(),
                source,
            })?;
        }
        for spec in specs {
            fleet.add(spec, &options).await?;
        }
        Ok(fleet)
    }

    async fn add(&mut self, spec: DeviceSpec, options: &FleetOptions) -> Result<(), SimError> {
        let name = spec.name.clone();
        if self.devices.contains_key(&name) {
            return Err(SimError::SameName { device: name });
        }
        let file = options
            .state_dir
            .as_ref()
            .map(|folder| folder.join(format!("{}.cfg", name.replace(['/', '\\'], "_"))));
        let mut kept = false;
        let startup = match &file {
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => {
                    kept = true;
                    Some(text)
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => spec.startup_config.clone(),
                Err(source) => {
                    let path = path.clone();
                    return Err(SimError::StateDir { path, source });
                }
            },
            None => spec.startup_config.clone(),
        };
        let listen = |protocol, address| {
            let device = name.clone();
            move |source| SimError::Listen {
                device,
                protocol,
                address,
                source,
            }
        };
        let tcp = TcpListener::bind(spec.ssh).await.map_err(listen("SSH", spec.ssh))?;
        let udp = UdpSocket::bind(spec.snmp).await.map_err(listen("SNMP", spec.snmp))?;
        let ssh_addr = tcp.local_addr().map_err(listen("SSH", spec.ssh))?;
        let snmp_addr = udp.local_addr().map_err(listen("SNMP", spec.snmp))?;

        let seed = spec.knobs.host_key_seed.as_ref().unwrap_or(&name);
        let key = if spec.knobs.old_algorithms {
            host_key::rsa(seed).map_err(|source| SimError::HostKey {
                device: name.clone(),
                source,
            })?
        } else {
            host_key::ed25519(seed)
        };
        let (device, rejected) = SimDevice::new(spec, startup, file);
        // What a device wrote itself it also loads as a real one does: line by line, whatever comes of it.
        if let Some(rejected) = rejected.into_iter().next()
            && !kept
        {
            return Err(SimError::StartupConfig {
                device: name,
                line: masked(&rejected.line),
                reply: rejected.reply.trim().to_owned(),
            });
        }
        let device = Arc::new(device);
        // Set once, here, before anybody else has the device.
        let _ = device.ssh.set(ssh_addr);
        let _ = device.snmp.set(snmp_addr);
        let config = Arc::new(ssh::config(&device, key));
        self.tasks.push(tokio::spawn(ssh::serve(
            Arc::clone(&device),
            tcp,
            config,
            self.stop.clone(),
        )));
        self.tasks
            .push(tokio::spawn(snmp::serve(Arc::clone(&device), udp, self.stop.clone())));
        self.devices.insert(name, device);
        Ok(())
    }

    /// The device of this name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<Arc<SimDevice>> {
        self.devices.get(name).cloned()
    }

    /// All devices, by name.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<SimDevice>> {
        self.devices.values()
    }

    /// Ends every session and gives all addresses back.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has ended too.
            let _ = task.await;
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
