//! The files of a new inventory, from templates and answers. Pure: writes nothing.

use crate::diagnostic::SourceFile;
use crate::inventory::{self, ROOT_FILE};

use super::Ci;
use super::answers::Answers;

/// A file to write: its path from the root, `/` between the parts, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) text: String,
}

/// Where editors find the schema.
const SCHEMA: &str = "schema/inventory.schema.json";

/// Puts values in the places that a template has for them.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

/// The files that gamops reads.
pub(super) fn inventory_files(answers: &Answers) -> Vec<NewFile> {
    let root = fill(
        include_str!("templates/gamops.yaml"),
        &[("id", &answers.id), ("credentials", &answers.credentials)],
    );
    let time_zone = match &answers.time_zone {
        Some(zone) => format!("    time_zone: {zone}"),
        None => "    # time_zone: America/Montreal   # for maintenance windows".to_owned(),
    };
    let device_key = answers.device.as_ref().map_or("maple-a", |device| &device.key);
    let site = fill(
        include_str!("templates/site.yaml"),
        &[
            ("site", &answers.site),
            ("time_zone", &time_zone),
            ("device", &device(answers)),
            ("device_key", device_key),
        ],
    );
    let file = |path: String, text| NewFile { path, text };
    vec![
        file(ROOT_FILE.to_owned(), root),
        file(format!("sites/{}.yaml", answers.site), site),
    ]
}

/// The first device, or an example of one.
fn device(answers: &Answers) -> String {
    let site = &answers.site;
    match &answers.device {
        Some(device) => format!(
            "devices:\n  {}:\n    site: {site}\n    model: {}\n    address: \"{}\"",
            device.key, device.model, device.address
        ),
        None => {
            format!("# devices:\n#   maple-a:\n#     site: {site}\n#     model: GAM-12-C\n#     address: 192.0.2.10")
        }
    }
}

/// All files of the repository, those that gamops reads first.
pub(super) fn all_files(answers: &Answers, ci: Ci) -> anyhow::Result<Vec<NewFile>> {
    let mut files = inventory_files(answers);
    let schema = serde_json::to_string_pretty(&inventory::schema())?;
    let readme = fill(
        include_str!("templates/README.md"),
        &[
            ("id", &answers.id),
            ("credentials_text", &credentials_text(&answers.credentials)),
            ("ci_text", ci_text(ci)),
        ],
    );
    let others = [
        (SCHEMA, format!("{schema}\n")),
        ("README.md", readme),
        (".gitignore", include_str!("templates/gitignore").to_owned()),
    ];
    let recipe = match ci {
        Ci::Github => Some((
            ".github/workflows/gamops.yml",
            include_str!("../../../packaging/ci/github.yml"),
        )),
        Ci::Gitlab => Some((".gitlab-ci.yml", include_str!("../../../packaging/ci/gitlab.yml"))),
        Ci::Forgejo => Some((
            ".forgejo/workflows/gamops.yml",
            include_str!("../../../packaging/ci/forgejo.yml"),
        )),
        Ci::None => None,
    };
    let others = others
        .into_iter()
        .chain(recipe.map(|(path, text)| (path, text.to_owned())));
    files.extend(others.map(|(path, text)| NewFile {
        path: path.to_owned(),
        text,
    }));
    Ok(files)
}

/// What there is to know of the recipe; empty without one.
const fn ci_text(ci: Ci) -> &'static str {
    match ci {
        Ci::None => "",
        Ci::Github | Ci::Gitlab | Ci::Forgejo => {
            "
## Pull requests

The recipe checks the files and shows the plan of each change where it is reviewed, without reaching a device: from what
`gamops daemon` observes, once its settings say `observed: {publish: true}`. Until there is something observed, `gamops preview`
fails and says so; leave the lines after `gamops validate` out as long as there is no daemon.
"
        }
    }
}

/// The variables that hold the values of named credentials.
fn variable(credentials: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_uppercase(),
        false => '_',
    };
    format!("GAMOPS_CRED_{}", credentials.chars().map(letter).collect::<String>())
}

fn credentials_text(credentials: &str) -> String {
    if credentials == "factory" {
        return "`factory` is built in: user `admin` with an empty password, as a GAM leaves the factory. Give the devices a\n\
                password, and write another name into `gamops.yaml`."
            .to_owned();
    }
    let variable = variable(credentials);
    format!(
        "The inventory says `credentials: {credentials}`, a name. Whoever runs gamops has the values in the environment:\n\
         `{variable}_USERNAME`, `{variable}_PASSWORD` and, for SNMP, `{variable}_COMMUNITY`; or in\n\
         `~/.config/gamops/settings.yaml`, which nobody else may read:\n\
         `credentials: {{{credentials}: {{username: ops, password_file: /run/secrets/gam}}}}`."
    )
}

/// What is wrong with an inventory of these answers, in the words of `gamops validate`; `None`: nothing.
pub(super) fn problem(answers: &Answers) -> Option<String> {
    let sources: Vec<SourceFile> = inventory_files(answers)
        .into_iter()
        .map(|NewFile { path, text }| SourceFile { path, text })
        .collect();
    let loaded = inventory::load(&sources);
    let finding = loaded.report.findings().first()?;
    let help = finding
        .help
        .as_ref()
        .map(|help| format!("; {help}"))
        .unwrap_or_default();
    Some(format!("{}{help}", finding.message))
}
