//! What the files of a folder call for, and the manifest that comes of it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;

use super::Usage;
use crate::manifest::detect::{self, Files, Found};
use crate::manifest::{self, Library, LibraryCheck};
use crate::tree;

/// The most of a file that is read to see what it is.
const MOST: u64 = 1 << 20;

/// What was looked for in a folder, and found.
pub(super) struct Detection {
    /// The project's name: the folder's.
    name: String,
    library: Vec<LibraryCheck>,
    /// How many files there are.
    files: usize,
    /// What the files call for.
    pub(super) found: Vec<Found>,
}

impl Detection {
    /// Looks at the project's files in a folder.
    pub(super) fn of(folder: &Path, library: &Library) -> Result<Detection> {
        let files = tree::files(folder);
        // What is not text cannot stand in a manifest.
        let files = files.iter().filter_map(|file| file.to_str());
        let files = files.map(|file| file.replace(std::path::MAIN_SEPARATOR, "/"));
        let files = files.collect::<Vec<_>>();
        let files = files.iter().map(String::as_str).collect::<Vec<_>>();
        Detection::among(&files, folder, library)
    }

    /// Looks at these files of a folder.
    pub(super) fn among(files: &[&str], folder: &Path, library: &Library) -> Result<Detection> {
        let library = library.checks_for(files)?;
        let project = Files {
            list: files,
            exists: &|file| folder.join(file).is_file(),
            read: &|file| read(&folder.join(file)),
        };
        let found = detect::find(&library, project);
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|folder| Some(folder.file_name()?.to_string_lossy().trim().to_string()));
        Ok(Detection {
            name: name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "project".to_string()),
            library,
            files: files.len(),
            found,
        })
    }

    /// The manifest that declares what was found; with the documents that claim something, where it is to be written down,
    /// and gates.
    pub(super) fn manifest(&self, documents: Option<&[String]>) -> String {
        manifest::draft(&self.name, &self.found, &self.library, documents)
    }

    /// What can be run without being told more.
    pub(super) fn complete(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.missing.is_empty())
    }

    /// Why nothing can be run here; none where something can.
    pub(super) fn nothing(&self) -> Option<Usage> {
        let elsewhere = "go to a project, `ready -C DIR check`";
        let (seen, hint) = if self.files == 0 {
            (
                "this folder has no files: there is nothing to check".to_string(),
                elsewhere,
            )
        } else if self.files == tree::MOST_FILES {
            let most = tree::MOST_FILES;
            (
                format!("this folder has more than {most} files: it is no one project"),
                elsewhere,
            )
        } else if self.complete().next().is_some() {
            return None;
        } else if self.found.is_empty() {
            (
                "nothing here that a library check is for".to_string(),
                "`ready list --library` names what there is, `ready init` writes a manifest for checks of your own",
            )
        } else {
            (
                format!("no file tells all that these need: {}", words(&self.found)),
                "`ready init` writes them down, with what is missing",
            )
        };
        let message = format!(
            "no {} here or in any folder above, and {seen}",
            manifest::FILE
        );
        Some(Usage::new(message, Some(hint.to_string())))
    }
}

/// What was found, and by which file: `pytest (backend/pytest.ini), npm-test (package.json)`.
pub(super) fn words<'f>(found: impl IntoIterator<Item = &'f Found>) -> String {
    let words = found
        .into_iter()
        .map(|found| format!("{} ({})", found.id, found.file));
    words.collect::<Vec<_>>().join(", ")
}

/// The beginning of a file; none where it is none or cannot be read.
fn read(file: &Path) -> Option<Vec<u8>> {
    if !file.is_file() {
        return None;
    }
    let mut text = vec![];
    File::open(file)
        .ok()?
        .take(MOST)
        .read_to_end(&mut text)
        .ok()?;
    Some(text)
}
