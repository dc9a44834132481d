//! The tables of the ledger.

use anyhow::Result;
use rusqlite::{Connection, TransactionBehavior};

/// The version of the tables that this program reads and writes.
pub const VERSION: i64 = 4;
/// The oldest version that it can read; what is missing there is added when something is written.
pub(super) const OLDEST: i64 = 3;
/// The first version that holds proofs.
pub(super) const WITH_PROOFS: i64 = 4;

/// The version of the tables in a file; 0 where there are none yet.
pub(super) fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Makes the tables where there are none.
pub(super) fn create(connection: &mut Connection) -> Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made the tables while this one waited for the lock.
    transaction.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS runs (
             at            INTEGER PRIMARY KEY,  -- its place in the chain, from 1
             id            TEXT NOT NULL UNIQUE, -- a ULID: sorts by time of start
             complete      INTEGER NOT NULL,     -- 1: every check of the manifest was due and got its turn
             commit_id     TEXT,
             tree          TEXT,                 -- the digest of the files that it was about
             dirty         INTEGER,              -- 1: they differed from the commit; NULL: nobody knows
             report        BLOB,                 -- domain::report::Report without evidence, JSON, zstd; NULL: pruned
             report_digest TEXT NOT NULL,        -- of that JSON
             evidence      TEXT NOT NULL,        -- JSON: chain::Entry of each piece of evidence that it appended, in order
             before        TEXT NOT NULL,        -- the digest of the run before; empty for the first
             digest        TEXT NOT NULL         -- over all of this: see chain.rs
         ) STRICT;
         CREATE INDEX IF NOT EXISTS runs_of_commit ON runs (commit_id, id);
         CREATE INDEX IF NOT EXISTS complete_runs ON runs (complete, id);
         CREATE TABLE IF NOT EXISTS evidence (
             check_id    TEXT NOT NULL,
             run         TEXT NOT NULL,          -- runs.id
             interrupted INTEGER NOT NULL,       -- 1: it was stopped, and says nothing about the check
             verdict     TEXT NOT NULL,          -- as it was judged then
             evidence    TEXT,                   -- domain::evidence::Evidence as JSON, long texts left out; NULL: pruned
             PRIMARY KEY (check_id, run)
         ) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS outputs (    -- what programs printed: masked head and tail
             at     INTEGER PRIMARY KEY,
             digest TEXT NOT NULL UNIQUE,        -- of head and tail
             used   TEXT NOT NULL,               -- the last run that had it
             data   BLOB                         -- head and tail, zstd; NULL: pruned
         ) STRICT;
         CREATE TABLE IF NOT EXISTS trees (      -- states of the project's files, to tell what has changed since
             digest TEXT PRIMARY KEY,
             used   TEXT NOT NULL,               -- the last run that was about it
             files  BLOB NOT NULL                -- tree::Then as JSON, zstd
         ) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS proofs (     -- what came of proving checks
             at       INTEGER PRIMARY KEY,       -- its place in the chain, from 1
             check_id TEXT NOT NULL,
             proof    TEXT NOT NULL,             -- domain::proof::Proof as JSON
             before   TEXT NOT NULL,             -- the digest of the proof before; empty for the first
             digest   TEXT NOT NULL              -- over before, check_id and proof: see proofs.rs
         ) STRICT;
         CREATE INDEX IF NOT EXISTS proofs_of_check ON proofs (check_id, at);
         PRAGMA user_version = {VERSION};"
    ))?;
    transaction.commit()?;
    Ok(())
}
