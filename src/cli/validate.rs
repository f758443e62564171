//! `gamops validate`: every finding of an inventory at once.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::diagnostic::{Colour, Report};
use crate::inventory::{self, Loaded};
use crate::repo;

/// Exit code of an inventory without errors.
const VALID: u8 = 0;
/// Exit code of an inventory with errors.
const INVALID: u8 = 3;

/// Checks an inventory without touching any device.
///
/// Shows everything that is wrong in one run, each finding with its file, line and column. Exits 0 when the inventory can
/// be used, warnings or not, and 3 when it cannot.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  gamops validate inventory-example\n  gamops validate --format json . | jq '.findings[].rule'\n  gamops validate --format sarif . > gamops.sarif"
)]
pub struct Args {
    /// Folder of the inventory, or its gamops.yaml
    #[arg(default_value = ".", env = "GAMOPS_INVENTORY")]
    pub path: PathBuf,

    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: the lines, underlined, with what to do
    Text,
    /// For machines: one JSON object with a versioned format
    Json,
    /// For code scanners: SARIF 2.1.0
    Sarif,
    /// For jobs of GitHub, Gitea and Forgejo, which show the findings beside the lines
    Github,
}

/// How the terminal that is written to looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether colours are wanted.
    pub colour: Colour,
    /// Columns that long source lines are cut to.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: Colour::Off,
            width: 140,
        }
    }
}

/// Checks the inventory and writes findings and a summary to `out`. Returns the exit code.
///
/// # Errors
///
/// When the files cannot be read, or `out` cannot be written.
pub fn run(args: &Args, style: Style, out: &mut dyn Write) -> anyhow::Result<u8> {
    let sources = repo::read_inventory(&args.path).context("reading the inventory")?;
    let loaded = inventory::load(&sources);
    match args.format {
        Format::Text => {
            let findings = loaded.report.render_text(&sources, style.colour, style.width);
            writeln!(out, "{findings}{}", summary(&loaded))
        }
        Format::Json => {
            let json = serde_json::to_string_pretty(&loaded.report).context("writing the report as JSON")?;
            writeln!(out, "{json}")
        }
        Format::Sarif => {
            let sarif = serde_json::to_string_pretty(&loaded.report.sarif(&sources)).context("writing SARIF")?;
            writeln!(out, "{sarif}")
        }
        Format::Github => writeln!(out, "{}{}", loaded.report.github(&sources), summary(&loaded)),
    }
    .context("writing the findings")?;
    Ok(if loaded.report.is_valid() { VALID } else { INVALID })
}

/// `2 errors, 1 warning in 7 files`, or what a valid inventory holds.
fn summary(loaded: &Loaded) -> String {
    let report = &loaded.report;
    let files = counted(report.files(), "file");
    match &loaded.inventory {
        Some(inventory) => {
            let devices = counted(inventory.devices.len(), "device");
            let subscribers = counted(inventory.subscribers.len(), "subscriber");
            let plans = counted(inventory.plans.len(), "plan");
            let warnings = match report.warnings() {
                0 => String::new(),
                _ => format!(", {}", problems(report)),
            };
            format!("Valid: {devices}, {subscribers}, {plans} in {files}{warnings}")
        }
        None => format!("{} in {files}", problems(report)),
    }
}

fn problems(report: &Report) -> String {
    let errors = (report.errors() > 0).then(|| counted(report.errors(), "error"));
    let warnings = (report.warnings() > 0).then(|| counted(report.warnings(), "warning"));
    errors.into_iter().chain(warnings).collect::<Vec<_>>().join(", ")
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
