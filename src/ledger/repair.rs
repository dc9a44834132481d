//! A damaged ledger: what can be read of it is copied into a new one, which then takes its place.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, params};

use super::{Ledger, outputs, path};

/// What came of a repair.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Runs that were kept.
    pub runs: u64,
    /// Pieces of evidence that were kept.
    pub evidence: u64,
    /// What could not be read, in words.
    pub lost: Vec<String>,
    /// Where the damaged file is now.
    pub aside: PathBuf,
}

/// Copies all that can be read of a project's ledger into a new one beside it, which takes its place; the damaged one is
/// kept under another name. Rows are copied as they are: what is missing shows when the chain is verified. None where nothing
/// is damaged.
///
/// # Errors
/// There is no ledger, nothing of it can be read, or the folder cannot be written.
pub fn repair(folder: &Path) -> Result<Option<Repaired>> {
    let file = path(folder);
    anyhow::ensure!(file.exists(), "there is no ledger `{}`", file.display());
    if is_sound(&file) {
        return Ok(None);
    }
    let beside = file.with_extension(format!("repaired.{}", std::process::id()));
    remove(&beside);
    // Nobody appends between the copy and the change of places, as far as the file still lets itself be locked.
    let lock = Connection::open(&file)?;
    lock.busy_timeout(super::BUSY)?;
    let _ = lock.execute_batch("BEGIN IMMEDIATE");
    let repaired = copy(&file, &beside);
    let mut repaired = match repaired {
        Ok(repaired) => repaired,
        Err(error) => {
            remove(&beside);
            return Err(error);
        }
    };
    repaired.aside = file.with_extension(format!("damaged-{}.sqlite", ulid::Ulid::new()));
    for end in ["-wal", "-shm"] {
        let (from, to) = (with_end(&file, end), with_end(&repaired.aside, end));
        if from.exists() {
            std::fs::rename(&from, &to)
                .with_context(|| format!("cannot move `{}`", from.display()))?;
        }
    }
    std::fs::rename(&file, &repaired.aside)
        .and_then(|()| std::fs::rename(&beside, &file))
        .with_context(|| format!("cannot move `{}`", file.display()))?;
    drop(lock);
    Ok(Some(repaired))
}

/// Whether every page of the file and every row in it can be read.
fn is_sound(file: &Path) -> bool {
    let sound = || -> Result<bool> {
        let ledger = Ledger::open_file(file)?;
        let verified = ledger.verify(None)?;
        Ok(!verified.damaged)
    };
    sound().unwrap_or(false)
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(end);
    name.into()
}

fn remove(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_end(file, end));
    }
}

fn copy(from: &Path, to: &Path) -> Result<Repaired> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let damaged = Connection::open_with_flags(from, flags)?;
    damaged.busy_timeout(super::BUSY)?;
    let new = Ledger::make(to)?;
    let mut repaired = Repaired::default();
    let tables: [(&str, &str, &[&str]); 5] = [
        (
            "runs",
            "at",
            &[
                "at",
                "id",
                "complete",
                "commit_id",
                "tree",
                "dirty",
                "report",
                "report_digest",
                "evidence",
                "before",
                "digest",
            ],
        ),
        (
            "evidence",
            "check_id",
            &["check_id", "run", "interrupted", "verdict", "evidence"],
        ),
        ("outputs", "at", &["at", "digest", "used", "data"]),
        ("trees", "digest", &["digest", "used", "files"]),
        (
            "proofs",
            "at",
            &["at", "check_id", "proof", "before", "digest"],
        ),
    ];
    let has_proofs = super::schema::version(&damaged).unwrap_or(0) >= super::schema::WITH_PROOFS;
    let tables = tables.into_iter();
    for (table, order, columns) in tables.filter(|(table, ..)| *table != "proofs" || has_proofs) {
        let copied = copy_table(&damaged, &new.connection, table, order, columns);
        match table {
            "runs" => repaired.runs = copied.rows,
            "evidence" => repaired.evidence = copied.rows,
            _ => {}
        }
        repaired.lost.extend(copied.lost);
    }
    repaired
        .lost
        .extend(without_damaged_outputs(&new.connection)?);
    anyhow::ensure!(
        repaired.runs + repaired.evidence > 0 || repaired.lost.is_empty(),
        "nothing of `{}` can be read: move it away to begin a new one",
        from.display()
    );
    // The one file holds all of it, so that it can be moved.
    new.connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(repaired)
}

/// Takes away the outputs that are not what was stored, so that the next run which prints the same stores it anew. Says how
/// many there were.
fn without_damaged_outputs(connection: &Connection) -> Result<Option<String>> {
    let mut select =
        connection.prepare("SELECT at, digest, data FROM outputs WHERE data IS NOT NULL")?;
    let mut damaged = vec![];
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (digest, data) = (row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?);
        let text = outputs::decompressed(&data);
        if text.map_or(true, |text| super::digest(&text) != digest) {
            damaged.push(row.get::<_, i64>(0)?);
        }
    }
    for at in &damaged {
        connection.execute("UPDATE outputs SET data = NULL WHERE at = ?1", [at])?;
    }
    let lost = format!("a part of `outputs`: {} of them are damaged", damaged.len());
    Ok((!damaged.is_empty()).then_some(lost))
}

#[derive(Default)]
struct Copied {
    rows: u64,
    lost: Option<String>,
}

/// Reads a table from both ends: a damaged page in the middle hides what is behind it only from one side.
fn copy_table(
    from: &Connection,
    to: &Connection,
    table: &str,
    order: &str,
    columns: &[&str],
) -> Copied {
    let names = columns.join(", ");
    let places = (1..=columns.len()).map(|at| format!("?{at}"));
    let insert = format!(
        "INSERT OR IGNORE INTO {table} ({names}) VALUES ({})",
        places.collect::<Vec<_>>().join(", ")
    );
    let mut copied = Copied::default();
    for direction in ["ASC", "DESC"] {
        let select = format!("SELECT {names} FROM {table} ORDER BY {order} {direction}");
        let read = || -> rusqlite::Result<u64> {
            let mut select = from.prepare(&select)?;
            let mut insert = to.prepare_cached(&insert)?;
            let (mut rows, mut new) = (select.query([])?, 0);
            to.execute_batch("BEGIN")?;
            let result = loop {
                match rows.next() {
                    Ok(Some(row)) => {
                        let values = (0..columns.len())
                            .map(|at| row.get::<_, rusqlite::types::Value>(at))
                            .collect::<rusqlite::Result<Vec<_>>>();
                        let inserted = values
                            .and_then(|values| insert.execute(rusqlite::params_from_iter(values)));
                        match inserted {
                            Ok(inserted) => new += inserted as u64,
                            Err(error) => break Err(error),
                        }
                    }
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            to.execute("COMMIT", params![])?;
            // What was read before the error is kept; the error itself is told from the other side as well.
            copied.rows += new;
            result.map(|()| new)
        };
        match { read }() {
            Ok(_) => {
                copied.lost = None;
                break;
            }
            Err(error) => copied.lost = Some(format!("a part of `{table}`: {error}")),
        }
    }
    copied
}
