//! Where an import writes: an inventory that is there, or the folder of a new one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::context;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::diagnostic::SourceFile;
use crate::inventory::model::Inventory;
use crate::inventory::{self, Include, ROOT_FILE};
use crate::onboard::Existing;
use crate::repo::{self, RepoError};

/// The inventory that is added to, or the place of a new one.
pub(super) struct Place {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its texts; empty where it is new.
    pub(super) files: Vec<SourceFile>,
    /// What they say.
    pub(super) inventory: Inventory,
}

impl Place {
    /// The inventory that new files are added to; `None` where there is none yet.
    pub(super) fn existing(&self) -> Option<Existing<'_>> {
        (!self.files.is_empty()).then_some(Existing {
            files: &self.files,
            inventory: &self.inventory,
        })
    }
}

/// The inventory at a path, or where one is to be begun.
pub(super) fn place(path: &Path) -> anyhow::Result<Result<Place, Exit>> {
    let files = match repo::read_inventory(path) {
        Ok(files) => files,
        Err(RepoError::NotFound { .. } | RepoError::NoRoot { .. }) => return begin(path),
        Err(error) => return Err(error).with_context(|| format!("reading the inventory {}", path.display())),
    };
    let folder = match path.is_dir() {
        true => path.to_owned(),
        false => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        },
    };
    let inventory = context::load(path)?;
    Ok(inventory.map(|inventory| Place {
        folder,
        files,
        inventory,
    }))
}

fn begin(folder: &Path) -> anyhow::Result<Result<Place, Exit>> {
    if folder.extension().is_some_and(|extension| extension == "yaml") {
        say(&format!(
            "error: there is no {}\n  help: name the folder that the inventory is to be in",
            folder.display()
        ));
        return Ok(Err(Exit::Failed));
    }
    let id = id_of(folder);
    let root = format!("format: 1\ninventory: {}\n", inventory::quoted(&id, false));
    if folder.is_dir() {
        let there = repo::included_below(folder, &Include::from_root_file(&root))?;
        if let Some(first) = there.first() {
            say(&format!(
                "error: {} has no {ROOT_FILE}, but {first}, which would become part of a new inventory\n  help: name an empty folder, or one that does not exist",
                folder.display()
            ));
            return Ok(Err(Exit::Failed));
        }
    }
    let root = SourceFile {
        path: ROOT_FILE.to_owned(),
        text: root,
    };
    let inventory = inventory::load(&[root]).inventory;
    let inventory = inventory.with_context(|| format!("making an inventory called `{id}`"))?;
    Ok(Ok(Place {
        folder: folder.to_owned(),
        files: Vec::new(),
        inventory,
    }))
}

/// The id of a new inventory: the name of its folder, as far as an id can be that.
fn id_of(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let good = |char: char| {
        if char.is_ascii_alphanumeric() {
            char.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let id: String = name.unwrap_or_default().chars().map(good).take(60).collect();
    match id.trim_matches('-') {
        "" => "gamops".to_owned(),
        id => id.to_owned(),
    }
}
