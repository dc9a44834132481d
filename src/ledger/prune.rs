//! Retention: what is old or too much goes, its digests stay, so that the chain still holds.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rusqlite::{Connection, TransactionBehavior, params};

use super::Ledger;
use crate::domain::evidence::Evidence;

/// What is to be kept.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// The first run of which everything is kept, by the time in its id; none: age alone is no reason.
    pub since: Option<String>,
    /// The most bytes that the ledger may have.
    pub bytes: Option<u64>,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Outputs of programs.
    pub outputs: u64,
    /// Pieces of evidence.
    pub evidence: u64,
    /// Reports of runs.
    pub reports: u64,
    /// The bytes that the ledger had before.
    pub bytes_before: u64,
    /// Those that it has now.
    pub bytes_after: u64,
}

/// How much of what is oldest goes at a time, of all runs, until the ledger is small enough.
const STEPS: usize = 20;

impl Ledger {
    /// Prunes: first what is older than `keep.since`, then the oldest outputs, reports and evidence until what is left
    /// fits. The newest evidence of every check and the newest run stay, whatever their age and size.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn prune(&mut self, keep: &Keep) -> Result<Pruned> {
        let mut pruned = Pruned {
            bytes_before: self.bytes()?,
            ..Pruned::default()
        };
        if let Some(since) = &keep.since {
            self.forget_outputs(since, &mut pruned)?;
            self.forget_rows(since, &mut pruned)?;
        }
        if let Some(most) = keep.bytes {
            self.shrink(most, &mut pruned)?;
        }
        self.release()?;
        pruned.bytes_after = self.bytes()?;
        Ok(pruned)
    }

    /// The bytes of the ledger that are in use.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn bytes(&self) -> Result<u64> {
        let number = |pragma: &str| {
            self.connection
                .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
        };
        let pages = number("page_count")? - number("freelist_count")?;
        Ok((pages * number("page_size")?).unsigned_abs())
    }

    /// Makes it smaller by and by: outputs of the oldest runs first, since they are most of it, then the rest of them.
    fn shrink(&mut self, most: u64, pruned: &mut Pruned) -> Result<()> {
        let mut select = self.connection.prepare("SELECT id FROM runs ORDER BY id")?;
        let ids = select.query_map([], |row| row.get::<_, String>(0))?;
        let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
        drop(select);
        if ids.is_empty() {
            return Ok(());
        }
        let borders = (1..=STEPS).map(|step| (ids.len() * step / STEPS).min(ids.len() - 1));
        let borders = borders
            .map(|border| ids[border].clone())
            .collect::<Vec<_>>();
        for border in &borders {
            if self.bytes()? <= most {
                return Ok(());
            }
            self.forget_outputs(border, pruned)?;
        }
        for border in &borders {
            if self.bytes()? <= most {
                return Ok(());
            }
            self.forget_rows(border, pruned)?;
        }
        Ok(())
    }

    /// Outputs and states of files that no run since has had.
    fn forget_outputs(&mut self, since: &str, pruned: &mut Pruned) -> Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outputs = "UPDATE outputs SET data = NULL WHERE used < ?1 AND data IS NOT NULL
                       AND digest NOT IN (SELECT value FROM json_each(?2))";
        let kept = serde_json::to_string(&outputs_of_newest(&transaction)?)?;
        pruned.outputs += transaction.execute(outputs, [since, &kept])? as u64;
        transaction.execute("DELETE FROM trees WHERE used < ?1", [since])?;
        transaction.commit().context("cannot write the ledger")
    }

    /// Evidence and reports from before.
    fn forget_rows(&mut self, since: &str, pruned: &mut Pruned) -> Result<()> {
        let kept = serde_json::to_string(&self.kept_reports()?)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let evidence = "UPDATE evidence SET evidence = NULL WHERE run < ?1 AND evidence IS NOT NULL AND run <
                        (SELECT max(run) FROM evidence AS newer WHERE newer.check_id = evidence.check_id AND NOT newer.interrupted)";
        pruned.evidence += transaction.execute(evidence, params![since])? as u64;
        let reports = "UPDATE runs SET report = NULL WHERE id < ?1 AND report IS NOT NULL
                       AND id NOT IN (SELECT value FROM json_each(?2))";
        pruned.reports += transaction.execute(reports, params![since, kept])? as u64;
        transaction.commit().context("cannot write the ledger")
    }

    /// The newest run, the newest complete one, and what its gates were held against: without that, what has regressed would
    /// be the next measure.
    fn kept_reports(&self) -> Result<BTreeSet<String>> {
        let mut kept = self.last_id()?.into_iter().collect::<BTreeSet<_>>();
        for run in self.complete_runs(None, 1)? {
            let report = self.report(&run.id)?;
            let gates = report.into_iter().flat_map(|report| report.gates);
            kept.extend(gates.filter_map(|gate| gate.base));
            kept.insert(run.id);
        }
        Ok(kept)
    }

    /// Gives what is free back to the file system.
    fn release(&self) -> Result<()> {
        let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        // Best effort: another `ready` may be reading.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }
}

/// The digests of the outputs of the newest evidence of every check.
fn outputs_of_newest(connection: &Connection) -> Result<BTreeSet<String>> {
    let sql = "SELECT evidence FROM evidence WHERE evidence IS NOT NULL AND run =
               (SELECT max(run) FROM evidence AS other WHERE other.check_id = evidence.check_id AND NOT other.interrupted)";
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    let mut digests = BTreeSet::new();
    while let Some(row) = rows.next()? {
        // What does not parse has no output that it could be shown with.
        if let Ok(mut evidence) = serde_json::from_str::<Evidence>(&row.get::<_, String>(0)?) {
            let streams = evidence.streams_mut();
            digests.extend(streams.filter_map(|stream| Some(stream.stored.take()?.digest)));
        }
    }
    Ok(digests)
}
