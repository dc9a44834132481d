//! Every run holds a digest over itself, its evidence and the run before it. Whoever edits, removes or inserts a row breaks
//! the chain there; a report that was kept elsewhere holds its end, by which a cut tail is found. This finds edits; it is
//! no protection against somebody who computes the chain anew.

use anyhow::Result;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{HINT, Ledger, digest, outputs};
use crate::domain::report::LedgerHead;

/// What the digest of a run is over.
pub(super) struct Link {
    pub(super) id: String,
    pub(super) complete: bool,
    pub(super) commit: Option<String>,
    pub(super) tree: Option<String>,
    pub(super) dirty: Option<bool>,
    /// The digest of its report.
    pub(super) report: String,
    /// The list of its evidence, as JSON.
    pub(super) evidence: String,
    /// The digest of the run before.
    pub(super) before: String,
}

/// A piece of evidence in the list of its run: the check, the digest of the evidence, the verdict as it was judged then, and
/// whether it was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry(
    pub(super) String,
    pub(super) String,
    pub(super) String,
    pub(super) bool,
);

impl Link {
    /// The columns of `runs` that [`Link::read`] takes, in its order.
    pub(super) const COLUMNS: &str =
        "id, complete, commit_id, tree, dirty, report_digest, evidence, before, digest";

    /// A run's link, and the digest that stands in its row.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(Link, String)> {
        let link = Link {
            id: row.get(0)?,
            complete: row.get(1)?,
            commit: row.get(2)?,
            tree: row.get(3)?,
            dirty: row.get(4)?,
            report: row.get(5)?,
            evidence: row.get(6)?,
            before: row.get(7)?,
        };
        Ok((link, row.get(8)?))
    }

    /// The evidence that the run appended.
    pub(super) fn entries(&self) -> Vec<Entry> {
        // A list that does not parse is one that was changed, which its digest tells.
        serde_json::from_str(&self.evidence).unwrap_or_default()
    }

    /// BLAKE3 over all of it, each part followed by a zero byte.
    pub(super) fn digest(&self) -> String {
        let known = format!("{:?} {:?} {}", self.commit, self.dirty, self.complete);
        let tree = self.tree.as_deref().unwrap_or_default();
        let parts = [
            &self.before,
            &self.id,
            &known,
            tree,
            &self.report,
            &self.evidence,
        ];
        let bytes = parts.map(|part| [part.as_bytes(), &[0]].concat()).concat();
        digest(&bytes)
    }
}

/// What was found when the ledger was verified.
#[derive(Debug, Default)]
pub struct Verified {
    /// The end of the chain; none where there is no run.
    pub head: Option<LedgerHead>,
    /// What is not as it was recorded.
    pub faults: Vec<Fault>,
    /// How many reports and pieces of evidence were pruned, of which only the digest is left.
    pub pruned: u64,
    /// How many pieces of evidence were compared with their digests.
    pub compared: u64,
    /// Whether a part of the file cannot be read at all.
    pub damaged: bool,
}

/// Something in the ledger that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The run; none where it is about the ledger as a whole.
    pub run: Option<String>,
    /// In words.
    pub text: String,
}

impl Ledger {
    /// The end of the chain; none where there is no run.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn head(&self) -> Result<Option<LedgerHead>> {
        let sql = "SELECT at, digest FROM runs ORDER BY at DESC LIMIT 1";
        let head = self.connection.query_row(sql, [], |row| {
            Ok(LedgerHead {
                runs: row.get::<_, i64>(0)?.unsigned_abs(),
                digest: row.get(1)?,
            })
        });
        Ok(head.optional()?)
    }

    /// Holds every row against its digest and every run against the one before; and the end of the chain that a report
    /// holds against what is here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn verify(&self, against: Option<&LedgerHead>) -> Result<Verified> {
        let mut verified = Verified {
            head: self.head()?,
            ..Verified::default()
        };
        let walked = self.walk(&mut verified);
        if let Err(error) = walked.and_then(|()| self.walk_proofs(&mut verified)) {
            verified.damaged = true;
            verified.faults.push(Fault {
                run: None,
                text: format!("the ledger cannot be read to its end: {error:#}"),
            });
        }
        self.file(&mut verified);
        if let Some(against) = against {
            let sql = "SELECT digest FROM runs WHERE at = ?1";
            let at = i64::try_from(against.runs).unwrap_or(i64::MAX);
            let here = self
                .connection
                .query_row(sql, [at], |row| row.get::<_, String>(0));
            let text = match here.optional()? {
                Some(here) if here == against.digest => None,
                Some(_) => Some("is another one here"),
                None => Some("is not here: the ledger was cut, or is another one"),
            };
            verified.faults.extend(text.map(|text| Fault {
                run: None,
                text: format!(
                    "run {} of the chain, which the report ends with, {text}",
                    against.runs
                ),
            }));
        }
        Ok(verified)
    }

    /// Whether the file itself is sound, indexes included.
    fn file(&self, verified: &mut Verified) {
        let check = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let text = match check {
            Ok(text) if text == "ok" => return,
            Ok(text) => text.replace('\n', "; "),
            Err(error) => error.to_string(),
        };
        verified.damaged = true;
        verified.faults.push(Fault {
            run: None,
            text: format!("{HINT}: {text}"),
        });
    }

    fn walk(&self, verified: &mut Verified) -> Result<()> {
        let sql = format!("SELECT {}, at, report FROM runs ORDER BY at", Link::COLUMNS);
        let mut select = self.connection.prepare(&sql)?;
        let mut rows = select.query([])?;
        let (mut before, mut last, mut found) = (String::new(), 0, 0);
        while let Some(row) = rows.next()? {
            let at = row.get::<_, i64>(9)?;
            let (link, expected) = Link::read(row)?;
            let mut fault = |text: String| {
                verified.faults.push(Fault {
                    run: Some(link.id.clone()),
                    text,
                });
            };
            if at != last + 1 {
                fault(match at - last - 1 {
                    1 => "the run before it is missing".to_string(),
                    missing => format!("{missing} runs before it are missing"),
                });
            } else if link.before != before {
                fault("it does not follow the run before it".to_string());
            }
            if link.digest() != expected {
                fault("its row was changed".to_string());
            }
            match row.get::<_, Option<Vec<u8>>>(10)? {
                None => verified.pruned += 1,
                Some(report) => {
                    let text = outputs::decompressed(&report);
                    if !text.is_ok_and(|text| digest(&text) == link.report) {
                        fault("its report was changed".to_string());
                    }
                }
            }
            found += self.compare(&link, verified)?;
            (before, last) = (expected, at);
        }
        self.outputs(verified)?;
        self.newest_are_there(verified)?;
        let all = "SELECT count(*) FROM evidence";
        let all = self
            .connection
            .query_row(all, [], |row| row.get::<_, i64>(0))?;
        if all.unsigned_abs() != found {
            self.unlisted(verified)?;
        }
        Ok(())
    }

    /// The newest evidence of a check is never pruned: where it is gone, somebody took it.
    fn newest_are_there(&self, verified: &mut Verified) -> Result<()> {
        let sql = "SELECT check_id, run FROM evidence WHERE evidence IS NULL AND NOT interrupted AND run =
                   (SELECT max(run) FROM evidence AS other WHERE other.check_id = evidence.check_id AND NOT other.interrupted)";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            verified.faults.push(Fault {
                run: Some(row.get(1)?),
                text: format!(
                    "its evidence of `{}` is gone: the newest is never pruned",
                    row.get::<_, String>(0)?
                ),
            });
        }
        Ok(())
    }

    /// Names the evidence that no run says that it appended.
    fn unlisted(&self, verified: &mut Verified) -> Result<()> {
        let sql = "SELECT check_id, run, run IN (SELECT id FROM runs) FROM evidence WHERE NOT EXISTS
                   (SELECT 1 FROM runs, json_each(runs.evidence) WHERE runs.id = evidence.run AND value ->> 0 = check_id)";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let check = row.get::<_, String>(0)?;
            verified.faults.push(Fault {
                run: Some(row.get(1)?),
                text: match row.get(2)? {
                    true => format!("evidence of `{check}` was put here later"),
                    false => format!("evidence of `{check}` is here, its run is not"),
                },
            });
        }
        Ok(())
    }

    /// Holds every output against the digest that it is addressed by.
    fn outputs(&self, verified: &mut Verified) -> Result<()> {
        let sql = "SELECT digest, used, data FROM outputs WHERE data IS NOT NULL";
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let data = row.get::<_, Vec<u8>>(2)?;
            let expected = row.get::<_, String>(0)?;
            if !outputs::decompressed(&data).is_ok_and(|text| digest(&text) == expected) {
                verified.faults.push(Fault {
                    run: Some(row.get(1)?),
                    text: "an output of its was changed".to_string(),
                });
            }
        }
        Ok(())
    }

    /// Holds the evidence of a run against the digests that the run has; gives how much of it is here.
    fn compare(&self, link: &Link, verified: &mut Verified) -> Result<u64> {
        let sql =
            "SELECT evidence, verdict, interrupted FROM evidence WHERE check_id = ?1 AND run = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut found = 0;
        for Entry(check, expected, verdict, interrupted) in link.entries() {
            let row = select.query_row(params![check, link.id], |row| {
                let columns = (row.get::<_, String>(1)?, row.get::<_, bool>(2)?);
                Ok((row.get::<_, Option<String>>(0)?, columns))
            });
            let row = row.optional()?;
            found += u64::from(row.is_some());
            let text = match row {
                None => Some("is gone"),
                Some((_, columns)) if columns != (verdict, interrupted) => Some("was changed"),
                Some((None, _)) => {
                    verified.pruned += 1;
                    None
                }
                Some((Some(evidence), _)) => {
                    verified.compared += 1;
                    (digest(evidence.as_bytes()) != expected).then_some("was changed")
                }
            };
            verified.faults.extend(text.map(|text| Fault {
                run: Some(link.id.clone()),
                text: format!("its evidence of `{check}` {text}"),
            }));
        }
        Ok(found)
    }
}
