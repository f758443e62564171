//! Flags that the commands share.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::TimeSpan;
use crate::inventory::model::Inventory;
use crate::inventory::rollout::{Canary, WaveSize, Waves};
use crate::plan::Target;
use crate::transport::ssh::HostKeyPolicy;

/// Where the inventory is.
#[derive(Debug, Clone, Args)]
pub(super) struct InventoryArgs {
    /// Folder that holds `gamops.yaml`, or that file itself.
    #[arg(short, long, value_name = "PATH", default_value = ".", env = "GAMOPS_INVENTORY")]
    pub(super) inventory: PathBuf,
}

/// How devices are reached and what is remembered of them.
#[derive(Debug, Clone, Args)]
pub(super) struct FleetArgs {
    /// Only this device, or only this object on it; may be given more than once. Addresses are as plans
    /// print them: `maple-a` or `maple-a/subscriber/s-10442`.
    #[arg(short, long = "target", value_name = "ADDRESS")]
    pub(super) targets: Vec<Target>,

    #[command(flatten)]
    pub(super) reach: ReachArgs,
}

/// How devices are reached, and where what is remembered of them is.
#[derive(Debug, Clone, Args)]
pub(super) struct ReachArgs {
    /// What to do about a device whose SSH host key was never seen: pin it (`accept-new`), or refuse unless
    /// the inventory names it (`strict`). A changed key is always refused.
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "accept-new",
        env = "GAMOPS_HOST_KEY_POLICY"
    )]
    pub(super) host_key_policy: HostKeyPolicy,

    /// How many devices are read at once.
    #[arg(
        long,
        value_name = "N",
        default_value = "256",
        env = "GAMOPS_PARALLELISM",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    pub(super) parallelism: u16,

    #[command(flatten)]
    pub(super) state: StateArgs,
}

/// In which portions devices are changed. What is not given is as `policies.waves` says.
#[derive(Debug, Clone, Args)]
pub(super) struct WaveArgs {
    /// Change these devices first: keys with commas between, or a number for those whose subscribers feel least of it.
    /// Only if they are fine, the others follow.
    #[arg(long, value_name = "N|DEVICES")]
    pub(super) canary: Option<Canary>,

    /// How many devices are changed together after that: a number, or a share such as 20%. If one of them is not fine
    /// afterwards, those after it are not begun.
    #[arg(long, value_name = "N|SHARE")]
    pub(super) wave_size: Option<WaveSize>,

    /// How long to wait between two waves, such as 90s or 2m.
    #[arg(long, value_name = "TIME")]
    pub(super) wave_pause: Option<TimeSpan>,
}

impl WaveArgs {
    /// Whether anything was given.
    pub(super) const fn is_given(&self) -> bool {
        self.canary.is_some() || self.wave_size.is_some() || self.wave_pause.is_some()
    }

    /// Puts what was given in the place of what the inventory says.
    pub(super) fn over(&self, waves: &mut Waves) {
        if let Some(canary) = &self.canary {
            waves.canary.clone_from(canary);
        }
        waves.size = self.wave_size.unwrap_or(waves.size);
        waves.pause = self.wave_pause.unwrap_or(waves.pause);
    }
}

/// Whether maintenance windows count.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct WindowArgs {
    /// Also make changes that subscribers would feel while the device's maintenance window is closed. The plan says so, and the
    /// run's record.
    #[arg(long)]
    pub(super) ignore_windows: bool,
}

/// How long a run that changes devices is believed to be alive.
#[derive(Debug, Clone, Args)]
pub(super) struct LeaseArgs {
    /// How long this run keeps a device to itself without a sign of life, which it gives three times as often. Only a run
    /// that hangs needs it: on this machine the end of a run is seen at once.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) lease_ttl: TimeSpan,
}

/// Where the state database is.
#[derive(Debug, Clone, Args)]
pub(super) struct StateArgs {
    /// State database: pins, ownership, journal. By default `<inventory id>.db` under
    /// `$XDG_STATE_HOME/gamops`, else under `~/.local/state/gamops`.
    #[arg(long, value_name = "FILE", env = "GAMOPS_STATE")]
    pub(super) state: Option<PathBuf>,
}

impl StateArgs {
    /// The database of an inventory. An error where neither the flag nor a home folder says where.
    pub(super) fn path(&self, inventory: &Inventory) -> anyhow::Result<PathBuf> {
        if let Some(path) = &self.state {
            return Ok(path.clone());
        }
        Ok(state_folder()?.join(Path::new(&inventory.id).with_extension("db")))
    }
}

/// The folder of what is remembered, unless somebody says otherwise. An error where no home folder is there to have it.
pub(super) fn state_folder() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .ok_or_else(|| anyhow::anyhow!("there is no home folder to keep state in; name a file with `--state FILE`"))?;
    Ok(base.join("gamops"))
}
