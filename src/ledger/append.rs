//! A run is added at the end: report, evidence, outputs and the link of the chain in one transaction.

use anyhow::Result;
use rusqlite::{ErrorCode, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

use super::{HINT, Ledger, chain, code, digest, outputs};
use crate::domain::evidence::Outcome;
use crate::domain::report::{LedgerHead, Report};

impl Ledger {
    /// Appends the run that a report is about, with the evidence that was had in it: all of it, or nothing. `files` is
    /// what is kept of the state of the project's files. Gives the new end of the chain.
    ///
    /// # Errors
    /// The file cannot be written; then it is as it was.
    pub fn append(
        &mut self,
        report: &mut Report,
        files: Option<&impl Serialize>,
    ) -> Result<LedgerHead> {
        let mut added = self.add(report, files);
        // A repaired ledger has taken its place meanwhile.
        while added.as_ref().is_err_and(|error| error.is::<Replaced>()) {
            *self = Ledger::make(&self.file)?;
            added = self.add(report, files);
        }
        added.map_err(|error| match code(&error) {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => error.context(HINT),
            _ => error,
        })
    }

    fn add(&mut self, report: &mut Report, files: Option<&impl Serialize>) -> Result<LedgerHead> {
        let Some(run) = report.run.clone() else {
            anyhow::bail!("a report without a run is nothing that happened");
        };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if super::identity(&self.file) != self.opened {
            return Err(Replaced.into());
        }
        let mut appended = vec![];
        for row in report.checks.iter().filter(|row| row.recorded.is_none()) {
            let Some(evidence) = &row.evidence else {
                continue;
            };
            let mut evidence = evidence.clone();
            outputs::put_apart(&mut evidence, &run.id, &transaction)?;
            let cancelled =
                |attempt: &crate::domain::evidence::Attempt| attempt.outcome == Outcome::Cancelled;
            let interrupted = evidence.attempts.iter().any(cancelled);
            let text = serde_json::to_string(&evidence)?;
            let sql = "INSERT INTO evidence (check_id, run, interrupted, verdict, evidence) VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.prepare_cached(sql)?.execute(params![
                row.id,
                run.id,
                interrupted,
                row.verdict.word(),
                text
            ])?;
            let (verdict, digest) = (row.verdict.word().to_string(), digest(text.as_bytes()));
            appended.push(chain::Entry(row.id.clone(), digest, verdict, interrupted));
        }
        if let (Some(tree), Some(files)) = (&run.tree, files) {
            let sql = "UPDATE trees SET used = ?2 WHERE digest = ?1";
            if transaction.execute(sql, params![tree, run.id])? == 0 {
                let files = outputs::compressed(&serde_json::to_vec(files)?)?;
                let sql = "INSERT INTO trees (digest, used, files) VALUES (?1, ?2, ?3)";
                transaction.execute(sql, params![tree, run.id, files])?;
            }
        }
        let last = "SELECT at, digest FROM runs ORDER BY at DESC LIMIT 1";
        let last = transaction.query_row(last, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        });
        let (at, before) = last.optional()?.unwrap_or_default();
        let report_text = without_evidence(report, serde_json::to_vec)?;
        let link = chain::Link {
            id: run.id.clone(),
            complete: run.complete,
            commit: run.commit.clone(),
            tree: run.tree.clone(),
            dirty: run.dirty,
            report: digest(&report_text),
            evidence: serde_json::to_string(&appended)?,
            before,
        };
        let sql = "INSERT INTO runs (at, id, complete, commit_id, tree, dirty, report, report_digest, evidence, before, digest)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let head = link.digest();
        transaction.execute(
            sql,
            params![
                at + 1,
                link.id,
                link.complete,
                link.commit,
                link.tree,
                link.dirty,
                outputs::compressed(&report_text)?,
                link.report,
                link.evidence,
                link.before,
                head
            ],
        )?;
        transaction.commit()?;
        Ok(LedgerHead {
            digest: head,
            runs: at as u64 + 1,
        })
    }
}

/// Another file stands where the one that was opened stood.
#[derive(Debug)]
struct Replaced;

impl std::fmt::Display for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another ledger has taken its place")
    }
}

impl std::error::Error for Replaced {}

/// Makes something of a report while its evidence is away: that has a table of its own.
fn without_evidence<T>(report: &mut Report, make: impl FnOnce(&Report) -> T) -> T {
    let rows = report.checks.iter_mut();
    let evidence = rows.map(|row| row.evidence.take()).collect::<Vec<_>>();
    let made = make(report);
    for (row, evidence) in report.checks.iter_mut().zip(evidence) {
        row.evidence = evidence;
    }
    made
}
