//! `gamops schema`: the formats that other programs read.

use std::io::Write;

use anyhow::Context as _;

use schemars::schema_for;

use crate::alert::json::Notification;
use crate::daemon::settings::Settings;
use crate::inventory;
use crate::plan::json::PlanJson;
use crate::published::Document;

use super::rehearse::RehearsalJson;

/// Prints the JSON Schema of a format.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  gamops schema inventory > schema/inventory.schema.json\n  gamops schema plan > schema/plan.schema.json"
)]
pub struct Args {
    /// Which format
    #[arg(value_enum)]
    pub format: Format,
}

/// A format with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The YAML files of an inventory (draft 7, which editors read)
    Inventory,
    /// What `gamops plan --format json` prints
    Plan,
    /// The settings of `gamops daemon`
    Settings,
    /// What a `webhook` channel of `gamops daemon` posts
    Notification,
    /// A device below `refs/gamops/observed`
    Observed,
    /// What `gamops rehearse --format json` prints
    Rehearsal,
}

/// Writes the schema to `out`. Returns the exit code.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<u8> {
    let schema = match args.format {
        Format::Inventory => inventory::schema(),
        Format::Plan => serde_json::to_value(schema_for!(PlanJson)).context("making the schema")?,
        Format::Settings => serde_json::to_value(schema_for!(Settings)).context("making the schema")?,
        Format::Notification => serde_json::to_value(schema_for!(Notification)).context("making the schema")?,
        Format::Rehearsal => serde_json::to_value(schema_for!(RehearsalJson)).context("making the schema")?,
        Format::Observed => serde_json::to_value(schema_for!(Document)).context("making the schema")?,
    };
    let text = serde_json::to_string_pretty(&schema).context("writing the schema as JSON")?;
    writeln!(out, "{text}").context("writing the schema")?;
    Ok(0)
}
