//! Files of the user's that are written whole or not at all: beside, brought to disk, then put in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file that is not there yet; fails with [`io::ErrorKind::AlreadyExists`] where it is.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    let beside = Beside::write(path, text)?;
    // A link is made or is not: unlike a renaming, it takes nothing's place.
    match fs::hard_link(&beside.0, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            // Some file systems have no links.
            fs::rename(&beside.0, path)?;
        }
        linked => linked?,
    }
    settle(path)
}

/// Writes a file in the place of the one that may be there, with that one's permissions.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let beside = Beside::write(&path, text)?;
    if let Ok(data) = fs::metadata(&path) {
        fs::set_permissions(&beside.0, data.permissions())?;
    }
    fs::rename(&beside.0, &path)?;
    settle(&path)
}

/// A file beside the one that is meant, gone in the end whatever happens.
struct Beside(PathBuf);

impl Beside {
    fn write(path: &Path, text: &str) -> io::Result<Beside> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}", ulid::Ulid::new()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)?;
        let beside = Beside(beside);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After a renaming there is nothing left to remove.
        let _ = fs::remove_file(&self.0);
    }
}

/// Brings the folder's entry to disk, where folders can be opened.
fn settle(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match File::open(folder) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}
