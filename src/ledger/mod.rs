//! The append-only history of evidence on this machine: an SQLite file in `.ready/` beside the manifest.
//!
//! A run is appended in one transaction: it is in the ledger whole or not at all. What is stored is already masked.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::domain::evidence::{Evidence, Outcome};
use crate::domain::report::Run;

/// The version of the tables that this program writes.
pub const SCHEMA_VERSION: i64 = 1;

/// How long another `ready` may keep the file busy.
const BUSY: Duration = Duration::from_secs(30);

/// The history of one project.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

/// Evidence with the run that it is from.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The run's id.
    pub run: String,
    /// The digest of the files that the run was about.
    pub tree: Option<String>,
    /// The commit of that run.
    pub commit: Option<String>,
    /// What was observed.
    pub evidence: Evidence,
}

/// The file of a project's ledger.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(".ready").join("ledger.sqlite")
}

impl Ledger {
    /// Opens the ledger of a project, and makes it where there is none.
    ///
    /// # Errors
    /// The folder cannot be written, the file is no ledger, or it is from a newer version.
    pub fn open(folder: &Path) -> Result<Ledger> {
        let file = path(folder);
        let own = file.parent().unwrap_or(folder);
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
        let connection =
            Connection::open(&file).with_context(|| format!("cannot open `{}`", file.display()))?;
        let mut ledger = Ledger::prepare(connection, &file)?;
        ledger
            .create()
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(ledger)
    }

    /// Opens the ledger of a project for reading; none where there is none.
    ///
    /// # Errors
    /// The file cannot be read, is no ledger, or is from a newer version.
    pub fn open_existing(folder: &Path) -> Result<Option<Ledger>> {
        let file = path(folder);
        if !file.exists() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&file, flags).map_err(anyhow::Error::from);
        let ledger = match opened.and_then(|connection| Ledger::prepare(connection, &file)) {
            Err(error) if not_writable(&error) => Ledger::prepare(unchanging(&file)?, &file)?,
            other => other.with_context(|| format!("cannot open `{}`", file.display()))?,
        };
        Ok((ledger.version()? > 0).then_some(ledger))
    }

    fn prepare(connection: Connection, file: &Path) -> Result<Ledger> {
        connection.busy_timeout(BUSY)?;
        let ledger = Ledger { connection };
        let version = ledger.version().map_err(|error| {
            let what = match error
                .downcast_ref::<rusqlite::Error>()
                .and_then(rusqlite::Error::sqlite_error_code)
            {
                Some(rusqlite::ErrorCode::NotADatabase) => {
                    "is not a ledger; move it away to begin a new one"
                }
                _ => "cannot be read",
            };
            error.context(format!("`{}` {what}", file.display()))
        })?;
        if version > SCHEMA_VERSION {
            bail!(
                "`{}` is from a newer `ready` (tables of version {version}, this one knows {SCHEMA_VERSION}): update `ready`",
                file.display()
            );
        }
        Ok(ledger)
    }

    /// The version of the tables; 0 where there are none yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn version(&self) -> Result<i64> {
        Ok(self
            .connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }

    fn create(&mut self) -> Result<()> {
        if self.version()? == SCHEMA_VERSION {
            return Ok(());
        }
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have made the tables while this one waited for the lock.
        transaction.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS runs (
                 id   TEXT PRIMARY KEY,          -- a ULID: sorts by time
                 run  TEXT NOT NULL              -- domain::report::Run as JSON
             ) STRICT;
             CREATE TABLE IF NOT EXISTS evidence (
                 check_id    TEXT NOT NULL,
                 run         TEXT NOT NULL REFERENCES runs (id),
                 interrupted INTEGER NOT NULL,   -- 1: it was stopped, and says nothing about the check
                 evidence    TEXT NOT NULL,      -- domain::evidence::Evidence as JSON
                 PRIMARY KEY (check_id, run)
             ) STRICT, WITHOUT ROWID;
             PRAGMA user_version = {SCHEMA_VERSION};"
        ))?;
        transaction.commit()?;
        Ok(())
    }

    /// Appends a run with the evidence of its checks: all of it, or nothing.
    ///
    /// # Errors
    /// The file cannot be written; then it is as it was.
    pub fn append<'a>(
        &mut self,
        run: &Run,
        evidence: impl IntoIterator<Item = (&'a str, &'a Evidence)>,
    ) -> Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO runs (id, run) VALUES (?1, ?2)",
            params![run.id, serde_json::to_string(run)?],
        )?;
        {
            let sql = "INSERT INTO evidence (check_id, run, interrupted, evidence) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = transaction.prepare(sql)?;
            for (check, evidence) in evidence {
                let interrupted = evidence
                    .attempts
                    .iter()
                    .any(|attempt| attempt.outcome == Outcome::Cancelled);
                insert.execute(params![
                    check,
                    run.id,
                    interrupted,
                    serde_json::to_string(evidence)?
                ])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The newest evidence about a check; none where it was never observed to its end.
    ///
    /// # Errors
    /// The file cannot be read, or a row in it does not parse.
    pub fn latest(&self, check: &str) -> Result<Option<Recorded>> {
        let sql = "SELECT runs.id, runs.run, evidence.evidence FROM evidence JOIN runs ON runs.id = evidence.run
                   WHERE check_id = ?1 AND NOT interrupted ORDER BY evidence.run DESC LIMIT 1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([check], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        });
        let Some((id, run, evidence)) = row.optional()? else {
            return Ok(None);
        };
        let run: Run =
            serde_json::from_str(&run).with_context(|| format!("run {id} does not parse"))?;
        let evidence = serde_json::from_str(&evidence)
            .with_context(|| format!("the evidence of `{check}` in run {id} does not parse"))?;
        Ok(Some(Recorded {
            run: id,
            tree: run.tree,
            commit: run.commit,
            evidence,
        }))
    }

    /// How long a check took when it was last observed to its end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn duration(&self, check: &str) -> Result<Option<Duration>> {
        let sql = "SELECT json_extract(evidence, '$.duration_ms') FROM evidence
                   WHERE check_id = ?1 AND NOT interrupted ORDER BY run DESC LIMIT 1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([check], |row| row.get::<_, Option<i64>>(0));
        Ok(row
            .optional()?
            .flatten()
            .map(|millis| Duration::from_millis(millis.unsigned_abs())))
    }

    /// The newest evidence about each of several checks.
    ///
    /// # Errors
    /// As for [`Ledger::latest`].
    pub fn latest_of<'a>(
        &self,
        checks: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, Recorded>> {
        let mut found = HashMap::new();
        for check in checks {
            found.extend(
                self.latest(check)?
                    .map(|recorded| (check.to_string(), recorded)),
            );
        }
        Ok(found)
    }

    /// The newest run; none where there was none.
    ///
    /// # Errors
    /// The file cannot be read, or the row does not parse.
    pub fn last_run(&self) -> Result<Option<Run>> {
        let row =
            self.connection
                .query_row("SELECT run FROM runs ORDER BY id DESC LIMIT 1", [], |row| {
                    row.get::<_, String>(0)
                });
        row.optional()?
            .map(|run| serde_json::from_str(&run).context("the last run does not parse"))
            .transpose()
    }
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
    let code = error
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ReadOnly | CannotOpen | PermissionDenied))
}

/// Opens a file that nobody can write, as one that does not change: a write-ahead log would need its shared memory.
fn unchanging(file: &Path) -> Result<Connection> {
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
