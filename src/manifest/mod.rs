//! From `readiness.toml` to a [`Project`]: read, resolved against the library, with everything that is wrong named at
//! its place. `load` touches the disk, `parse` does not.

mod add;
mod check;
mod control;
mod definition;
pub mod detect;
mod draft;
mod expect;
mod item;
mod keys;
pub mod library;
mod library_check;
mod names;
mod probes;
mod problem;
mod project;
mod reader;
mod schema;
mod sections;
mod service;
mod spans;
mod values;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

pub use add::add;
pub use draft::{Declaration, draft};
pub use library::Library;
pub use library_check::{LibraryCheck, Param, Seen};
pub use problem::{Problem, Problems, nearest};
pub use project::{definition_digest, parse, proof_digest};
pub use schema::{reference, schema};
pub use spans::{Place, Spans};
pub use values::{ANY, Install};

use crate::domain::check::{Exits, Mistake};
use crate::domain::project::Project;

/// The manifest's name.
pub const FILE: &str = "readiness.toml";

/// A manifest that was read without a problem.
#[derive(Debug)]
pub struct Loaded {
    /// What it declares.
    pub project: Project,
    /// The file.
    pub path: PathBuf,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// The library, with the folders that it names.
    pub library: Library,
    /// Its digest, `sha256:…`.
    pub digest: String,
}

/// The nearest manifest from `start` upward.
pub fn find(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join(FILE))
        .find(|path| path.is_file())
}

/// What a manifest must know of the readers: handed in by the caller, so that reading a manifest and reading results stay
/// apart.
#[derive(Clone, Copy)]
pub struct Formats {
    /// All names.
    pub names: fn() -> Vec<&'static str>,
    /// The exit statuses of the tool behind a name; none where there is no such reader.
    pub exits: fn(&str) -> Option<Exits>,
    /// What is wrong with a jq query.
    pub query: fn(&str) -> Result<(), Mistake>,
}

/// Reads a manifest and the check folders that it names.
///
/// # Errors
/// [`Problems`] where the manifest is wrong; another error where it cannot be read.
pub fn load(path: &Path, today: Date, formats: Formats) -> Result<Loaded> {
    load_text(path, &read(path)?, today, formats)
}

/// The text of a manifest.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let name = path.display().to_string();
    Ok(String::from_utf8(bytes).map_err(|error| Problems::not_utf8(&name, &error))?)
}

/// As [`load`], with the text that the file has or is to have.
///
/// # Errors
/// As for [`load`].
pub fn load_text(path: &Path, text: &str, today: Date, formats: Formats) -> Result<Loaded> {
    let name = path.display().to_string();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    // Beside the manifest, without the `./` that nobody wrote.
    let beside = path.parent().unwrap_or(Path::new(""));
    let read_folder = |library: &mut Library, name: &str| library.add_folder(&beside.join(name));
    let mut library = Library::built_in();
    let project = project::parse_with(&name, text, &mut library, &read_folder, today, formats)?;
    Ok(Loaded {
        project,
        path: path.to_path_buf(),
        folder,
        library,
        digest: digest(text),
    })
}

/// A folder of checks by its name, as its files, by their paths, and their texts; or why there is none.
pub type Folder<'a> = &'a dyn Fn(&str) -> Result<Vec<(String, String)>, String>;

/// Reads a manifest that is not on disk, with the folders of checks that it names.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_with_folders(
    name: &str,
    text: &str,
    read: Folder<'_>,
    today: Date,
    formats: Formats,
) -> Result<Project, Problems> {
    let folder = |library: &mut Library, name: &str| {
        library.add_files(read(name)?);
        Ok(())
    };
    let mut library = Library::built_in();
    project::parse_with(name, text, &mut library, &folder, today, formats)
}

/// The digest of a manifest's text, `sha256:…`.
pub fn digest(text: &str) -> String {
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
