//! What came of proving checks: one row for each time, chained as runs are, so that an edit is found. They stand apart from
//! runs, whose verdicts they never touch.

use anyhow::Result;
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::chain::{Fault, Verified};
use super::{Damaged, Ledger, damaged, digest, schema};
use crate::domain::proof::Proof;

impl Ledger {
    /// Appends what came of proving checks, all of it or nothing.
    ///
    /// # Errors
    /// The file cannot be written; then it is as it was.
    pub fn append_proofs(&mut self, proofs: &[Proof]) -> Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for proof in proofs {
            let sql = "SELECT at, digest FROM proofs ORDER BY at DESC LIMIT 1";
            let last = transaction.query_row(sql, [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            });
            let (at, before) = last.optional()?.unwrap_or_default();
            let text = serde_json::to_string(proof)?;
            let digest = link(&before, &proof.check, &text);
            let sql = "INSERT INTO proofs (at, check_id, proof, before, digest) VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.prepare_cached(sql)?.execute(params![
                at + 1,
                proof.check,
                text,
                before,
                digest
            ])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Whether anything was ever proved here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn has_proofs(&self) -> Result<bool> {
        if schema::version(&self.connection)? < schema::WITH_PROOFS {
            return Ok(false);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM proofs)";
        let has = self.connection.query_row(sql, [], |row| row.get(0));
        has.map_err(|error| damaged(error, "what was proved"))
    }

    /// What came of a check when it was last proved.
    ///
    /// # Errors
    /// [`Damaged`] where its row is not what was recorded; another where the file cannot be read.
    pub fn proof(&self, check: &str) -> Result<Option<Proof>> {
        if !self.has_proofs()? {
            return Ok(None);
        }
        let sql =
            "SELECT proof, before, digest FROM proofs WHERE check_id = ?1 ORDER BY at DESC LIMIT 1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([check], |row| {
            let (text, before) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok((text, before, row.get::<_, String>(2)?))
        });
        let row = row.optional();
        let row = row.map_err(|error| damaged(error, &format!("the proof of `{check}`")))?;
        let Some((text, before, expected)) = row else {
            return Ok(None);
        };
        let changed = |how: &str| Damaged(format!("the proof of `{check}` {how}"));
        if link(&before, check, &text) != expected {
            return Err(changed("is not what was recorded: its row was changed").into());
        }
        let proof = serde_json::from_str(&text);
        Ok(Some(proof.map_err(|_| changed("does not parse"))?))
    }

    /// Holds every proof against its digest and the one before it.
    pub(super) fn walk_proofs(&self, verified: &mut Verified) -> Result<()> {
        if !self.has_proofs()? {
            return Ok(());
        }
        let sql = "SELECT at, check_id, proof, before, digest FROM proofs ORDER BY at";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        let (mut before, mut last) = (String::new(), 0);
        while let Some(row) = rows.next()? {
            let (at, check) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?);
            let (text, after) = (row.get::<_, String>(2)?, row.get::<_, String>(3)?);
            let expected = row.get::<_, String>(4)?;
            let wrong = match () {
                () if link(&after, &check, &text) != expected => "its row was changed",
                () if at != last + 1 || after != before => "it does not follow the one before it",
                () => "",
            };
            if !wrong.is_empty() {
                verified.faults.push(Fault {
                    run: None,
                    text: format!("the proof of `{check}`: {wrong}"),
                });
            }
            (before, last) = (expected, at);
        }
        Ok(())
    }
}

/// BLAKE3 over what came before and what was proved of which check, each part followed by a zero byte.
fn link(before: &str, check: &str, proof: &str) -> String {
    let parts = [before, check, proof];
    digest(&parts.map(|part| [part.as_bytes(), &[0]].concat()).concat())
}
