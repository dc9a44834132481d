//! The append-only history of evidence on this machine: an SQLite file in `.ready/` beside the manifest.
//!
//! A run is appended in one transaction: it is in the ledger whole or not at all. What is stored is already masked. Read
//! in this order: [`schema`](self) (the tables), `append`, `read`, `chain` (edits are found), `proofs`, `prune`, `repair`.

mod append;
mod chain;
mod outputs;
mod proofs;
mod prune;
mod read;
mod repair;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use chain::{Fault, Verified};
pub use prune::{Keep, Pruned};
pub use read::{Looks, Recorded, RunOf, RunRow};
pub use repair::{Repaired, repair};
pub use schema::VERSION;

/// How long another `ready` may keep the file busy.
const BUSY: Duration = Duration::from_secs(30);

/// The most memory for pages of the file, in KiB.
const CACHE_KIB: i64 = 16 << 10;

/// What is said of a damaged file.
const HINT: &str = "the ledger is damaged, `ready ledger repair` keeps what can be read";

/// The history of one project.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    file: PathBuf,
    /// What tells the file that was opened from another in its place, where the system has that.
    opened: Option<u64>,
}

/// Something in the ledger that cannot be read or was changed; the rest of it stands.
#[derive(Debug)]
pub struct Damaged(pub String);

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Damaged {}

/// The file of a project's ledger.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(".ready").join("ledger.sqlite")
}

impl Ledger {
    /// Opens the ledger of a project, and makes it where there is none.
    ///
    /// # Errors
    /// The folder cannot be written, the file is no ledger, or it is from another version.
    pub fn open(folder: &Path) -> Result<Ledger> {
        let file = path(folder);
        own_folder(&file)?;
        Ledger::make(&file)
    }

    /// Makes of one that was opened for reading one that is ready to be written, as [`Ledger::open`] does.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn renewed(mut self) -> Result<Ledger> {
        own_folder(&self.file)?;
        schema::create(&mut self.connection)
            .with_context(|| format!("cannot write `{}`", self.file.display()))?;
        Ok(self)
    }

    /// Opens a file, and makes its tables where there are none.
    fn make(file: &Path) -> Result<Ledger> {
        let connection =
            Connection::open(file).with_context(|| format!("cannot open `{}`", file.display()))?;
        let mut ledger = Ledger::prepare(connection, file)?;
        schema::create(&mut ledger.connection)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(ledger)
    }

    /// Opens the ledger of a project for reading; none where there is none.
    ///
    /// # Errors
    /// The file cannot be read, is no ledger, or is from another version.
    pub fn open_existing(folder: &Path) -> Result<Option<Ledger>> {
        let file = path(folder);
        if !file.exists() {
            return Ok(None);
        }
        let ledger = Ledger::open_file(&file)?;
        Ok((schema::version(&ledger.connection)? > 0).then_some(ledger))
    }

    fn open_file(file: &Path) -> Result<Ledger> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(file, flags)
            .with_context(|| format!("cannot open `{}`", file.display()));
        match opened.and_then(|connection| Ledger::prepare(connection, file)) {
            Err(error) if not_writable(&error) || no_room(&error) => {
                Ledger::prepare(unchanging(file)?, file)
            }
            other => other,
        }
    }

    fn prepare(connection: Connection, file: &Path) -> Result<Ledger> {
        connection.busy_timeout(BUSY)?;
        // Otherwise SQLite plans a statement anew for every value that is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let version = schema::version(&connection).map_err(|error| {
            let what = match code(&error) {
                Some(rusqlite::ErrorCode::NotADatabase) => {
                    "it is not a ledger; move it away to begin a new one"
                }
                Some(rusqlite::ErrorCode::DatabaseCorrupt) => HINT,
                Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DiskFull) => {
                    "it cannot be opened: is the disk full?"
                }
                _ => "it cannot be read",
            };
            error.context(format!("`{}`: {what}", file.display()))
        })?;
        // A run of a thousand checks changes more pages than the usual two megabytes hold: each would be written twice.
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        if version > VERSION {
            bail!(
                "`{}` is from a newer `ready` (tables of version {version}, this one knows {VERSION}): update `ready`",
                file.display()
            );
        }
        if version > 0 && version < schema::OLDEST {
            bail!(
                "`{}` is from a `ready` before its first release (tables of version {version}, this one knows {VERSION}): move it away to begin a new one",
                file.display()
            );
        }
        Ok(Ledger {
            connection,
            file: file.to_path_buf(),
            opened: identity(file),
        })
    }
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(fs::metadata(file).ok()?.ino())
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<u64> {
    None
}

/// What SQLite says is wrong.
fn code(error: &anyhow::Error) -> Option<rusqlite::ErrorCode> {
    let error = error.downcast_ref::<rusqlite::Error>()?;
    error.sqlite_error_code()
}

/// Whether what went wrong is a damaged ledger, of which something may be kept.
pub fn is_damaged(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(code(error), Some(DatabaseCorrupt | NotADatabase))
}

/// Whether a ledger is as it should be and only cannot be written.
pub fn not_writable(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    use std::io::ErrorKind;
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return matches!(
            error.kind(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        );
    }
    matches!(code(error), Some(ReadOnly | CannotOpen | PermissionDenied))
}

/// Whether there is no room for the shared memory that reading beside a writer takes.
fn no_room(error: &anyhow::Error) -> bool {
    matches!(
        code(error),
        Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DiskFull)
    )
}

/// What is wrong where one row cannot be read: the row is damaged, which leaves the others; or all is in vain.
fn damaged(error: rusqlite::Error, what: &str) -> anyhow::Error {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            Damaged(format!("{what} cannot be read: {HINT}")).into()
        }
        _ => anyhow::Error::from(error).context(format!("cannot read {what}")),
    }
}

/// Opens a file that nobody can write, as one that does not change: a write-ahead log would need its shared memory.
fn unchanging(file: &Path) -> Result<Connection> {
    let mut log = file.as_os_str().to_os_string();
    log.push("-wal");
    // What stands in it would be passed over in silence.
    if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        bail!(
            "the last run was cut off before it was settled in `{}`, and nobody can settle it where nothing can be written",
            file.display()
        );
    }
    let path = file
        .display()
        .to_string()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags);
    connection.with_context(|| format!("cannot open `{}`", file.display()))
}

/// Makes the folder of a ledger, which git is told to ignore.
fn own_folder(file: &Path) -> Result<()> {
    let own = file.parent().unwrap_or(file);
    fs::create_dir_all(own).with_context(|| format!("cannot make `{}`", own.display()))?;
    let ignore = own.join(".gitignore");
    if !ignore.exists() {
        let beside = own.join(format!(".gitignore.{}", std::process::id()));
        let written = fs::write(&beside, "*\n").and_then(|()| fs::rename(&beside, &ignore));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written.with_context(|| format!("cannot write `{}`", ignore.display()))?;
    }
    Ok(())
}

/// BLAKE3, as the ledger writes it.
fn digest(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}
