//! What the ledger knows: the newest evidence of a check, and the reports of earlier runs. A row that is damaged is told as
//! such, and is no reason not to read the others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::chain::{Entry, Link};
use super::{Damaged, Ledger, damaged, digest, outputs};
use crate::domain::evidence::Evidence;
use crate::domain::report::Report;

/// Evidence with the run that it is from.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The run.
    pub run: RunOf,
    /// The verdict as it was judged then.
    pub verdict: String,
    /// What was observed.
    pub evidence: Evidence,
}

/// The run that evidence is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOf {
    /// Its id.
    pub id: String,
    /// The digest of the files that it was about.
    pub tree: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// Whether the files differed from that, where it is known.
    pub dirty: Option<bool>,
}

/// A run in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its place in the chain, from 1.
    pub at: u64,
    /// Its id.
    pub id: String,
    /// Whether every check of the manifest was due and got its turn.
    pub complete: bool,
    /// Its commit.
    pub commit: Option<String>,
    /// Whether its report is still kept.
    pub kept: bool,
}

/// A run whose row is as it was written: what it was about, and what it appended, by check.
struct Sound {
    of: RunOf,
    appended: HashMap<String, Entry>,
}

/// The runs that were read so far.
type Known = RefCell<HashMap<String, Rc<Sound>>>;

impl Ledger {
    /// The newest evidence about each of several checks, in their order; none where a check was never observed to its
    /// end. What is damaged is told by itself.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn latest_of<'a>(
        &self,
        checks: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Result<Option<Recorded>, Damaged>>> {
        let known = RefCell::default();
        // One lock for all of them, and one state of the ledger.
        let reading = self.connection.unchecked_transaction()?;
        let each = checks
            .into_iter()
            .map(|check| match self.newest(check, &known) {
                Ok(recorded) => Ok(Ok(recorded)),
                Err(error) => error.downcast::<Damaged>().map(Err),
            });
        let latest = each.collect();
        drop(reading);
        latest
    }

    fn newest(&self, check: &str, known: &Known) -> Result<Option<Recorded>> {
        let what = || format!("the newest evidence of `{check}`");
        let sql = "SELECT run, evidence FROM evidence WHERE check_id = ?1 ORDER BY run DESC";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query([check])?;
        loop {
            let row = rows.next().map_err(|error| damaged(error, &what()))?;
            let Some(row) = row else { return Ok(None) };
            let (run, text) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str_or_null()?);
            let (sound, entry) = self.listed(check, run, known)?;
            // What was stopped says nothing. The run's own list tells, not the column by which others look it up.
            if entry.3 {
                continue;
            }
            let broken = |how: &str| Damaged(format!("{}, of run {run}, {how}", what()));
            let text = text.ok_or_else(|| broken("is gone"))?;
            let mut evidence = parsed(text, &entry, run)?;
            outputs::put_back(&mut evidence, &self.connection)
                .map_err(|error| broken(&format!("is damaged: {error:#}")))?;
            return Ok(Some(Recorded {
                run: sound.of.clone(),
                verdict: entry.2.clone(),
                evidence,
            }));
        }
    }

    /// A run and what its list says of the evidence of a check.
    fn listed(&self, check: &str, run: &str, known: &Known) -> Result<(Rc<Sound>, Entry)> {
        let sound = self.sound(run, known)?;
        let entry = listed_in(&sound, check, run)?.clone();
        Ok((sound, entry))
    }

    /// A run, held against its digest.
    fn sound(&self, run: &str, known: &Known) -> Result<Rc<Sound>> {
        if let Some(sound) = known.borrow().get(run) {
            return Ok(sound.clone());
        }
        let sql = format!("SELECT {} FROM runs WHERE id = ?1", Link::COLUMNS);
        let mut select = self.connection.prepare_cached(&sql)?;
        let link = select.query_row([run], Link::read).optional();
        let link = link.map_err(|error| damaged(error, &format!("run {run}")))?;
        let (link, expected) =
            link.ok_or_else(|| Damaged(format!("there is evidence of run {run}, which is gone")))?;
        if link.digest() != expected {
            return Err(Damaged(format!(
                "run {run} is not what was recorded: its row was changed"
            ))
            .into());
        }
        let entries = link.entries().into_iter();
        let sound = Rc::new(Sound {
            appended: entries.map(|entry| (entry.0.clone(), entry)).collect(),
            of: RunOf {
                id: link.id,
                tree: link.tree,
                commit: link.commit,
                dirty: link.dirty,
            },
        });
        known.borrow_mut().insert(run.to_string(), sound.clone());
        Ok(sound)
    }

    /// How long each of these checks took when it was last observed to its end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn durations<'c>(
        &self,
        checks: impl IntoIterator<Item = &'c str>,
    ) -> Result<Vec<Option<Duration>>> {
        // One look at the file for all: each by itself would lock it, and read its pages anew.
        let _one_look = self.connection.unchecked_transaction()?;
        checks
            .into_iter()
            .map(|check| self.duration(check))
            .collect()
    }

    fn duration(&self, check: &str) -> Result<Option<Duration>> {
        let sql = "SELECT json_extract(evidence, '$.duration_ms') FROM evidence
                   WHERE check_id = ?1 AND NOT interrupted ORDER BY run DESC LIMIT 1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([check], |row| row.get::<_, Option<i64>>(0));
        Ok(row
            .optional()?
            .flatten()
            .map(|millis| Duration::from_millis(millis.unsigned_abs())))
    }

    /// What was kept of the state of the project's files, by its digest; none where it was pruned or never known.
    ///
    /// # Errors
    /// The file cannot be read, or the row does not parse.
    pub fn files<F: DeserializeOwned>(&self, tree: &str) -> Result<Option<F>> {
        let sql = "SELECT files FROM trees WHERE digest = ?1";
        let row = self
            .connection
            .query_row(sql, [tree], |row| row.get::<_, Vec<u8>>(0));
        let Some(data) = row.optional()? else {
            return Ok(None);
        };
        let files = outputs::decompressed(&data)?;
        Ok(Some(
            serde_json::from_slice(&files).context("the state of the files does not parse")?,
        ))
    }

    /// The last runs, the newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_runs(&self, most: u64) -> Result<Vec<RunRow>> {
        let sql = "SELECT at, id, complete, commit_id, report IS NOT NULL FROM runs ORDER BY id DESC LIMIT ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let rows = select.query_map([i64::try_from(most).unwrap_or(i64::MAX)], run_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last complete runs, the newest first; where a run is named, of those that began before it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn complete_runs(&self, before: Option<&str>, most: u64) -> Result<Vec<RunRow>> {
        let sql = "SELECT at, id, complete, commit_id, report IS NOT NULL FROM runs
                   WHERE complete = 1 AND id < ?1 ORDER BY id DESC LIMIT ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        // Behind every id.
        let before = before.unwrap_or("~");
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = select.query_map(params![before, most], run_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest run that was about a commit, a complete one where there is one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn run_of_commit(&self, commit: &str) -> Result<Option<RunRow>> {
        let sql = "SELECT at, id, complete, commit_id, report IS NOT NULL FROM runs
                   WHERE commit_id = ?1 ORDER BY complete DESC, dirty IS 1, id DESC LIMIT 1";
        let row = self.connection.query_row(sql, [commit], run_row);
        Ok(row.optional()?)
    }

    /// The runs whose ids begin so.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn runs_like(&self, beginning: &str) -> Result<Vec<RunRow>> {
        let sql = "SELECT at, id, complete, commit_id, report IS NOT NULL FROM runs
                   WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id DESC LIMIT 10";
        let mut select = self.connection.prepare(sql)?;
        let rows = select.query_map([beginning.to_ascii_uppercase()], run_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The report of a run, without its evidence. None where it was pruned.
    ///
    /// # Errors
    /// [`Damaged`] where it is not what was recorded; another where the file cannot be read.
    pub fn report(&self, run: &str) -> Result<Option<Report>> {
        Ok(self.part_of_report(run)?.map(|(report, _)| report))
    }

    /// As much of the report of a run as `R` has, and the length of the whole in bytes. None where it was pruned.
    ///
    /// # Errors
    /// As [`Ledger::report`].
    pub fn part_of_report<R: DeserializeOwned>(&self, run: &str) -> Result<Option<(R, usize)>> {
        let sql = "SELECT report, report_digest FROM runs WHERE id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([run], |row| {
            Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, String>(1)?))
        });
        let row = row.optional();
        let Some((Some(data), expected)) =
            row.map_err(|error| damaged(error, &format!("the report of run {run}")))?
        else {
            return Ok(None);
        };
        let broken = |how: String| Damaged(format!("the report of run {run} {how}"));
        let text = outputs::decompressed(&data)
            .map_err(|error| broken(format!("is damaged: {error:#}")))?;
        if digest(&text) != expected {
            return Err(broken("is not what was recorded: its row was changed".to_string()).into());
        }
        let report = serde_json::from_slice(&text);
        let report = report.map_err(|error| broken(format!("does not parse: {error}")))?;
        Ok(Some((report, text.len())))
    }

    /// Puts the evidence back into a report that was recorded; what was pruned stays away.
    ///
    /// # Errors
    /// [`Damaged`] where it is not what was recorded; another where the file cannot be read.
    pub fn with_evidence(&self, mut report: Report) -> Result<Report> {
        let own = report.run.as_ref().map(|run| run.id.clone());
        let sql = "SELECT evidence FROM evidence WHERE check_id = ?1 AND run = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let known = Known::default();
        for row in &mut report.checks {
            let Some(run) = row.recorded.as_ref().or(own.as_ref()) else {
                continue;
            };
            let text =
                select.query_row(params![row.id, run], |row| row.get::<_, Option<String>>(0));
            if let Some(text) = text.optional()?.flatten() {
                let (_, entry) = self.listed(&row.id, run, &known)?;
                let mut evidence = parsed(&text, &entry, run)?;
                outputs::put_back(&mut evidence, &self.connection).map_err(|error| {
                    Damaged(format!(
                        "the evidence of `{}` in run {run}: {error:#}",
                        row.id
                    ))
                })?;
                row.evidence = Some(evidence);
            }
        }
        Ok(report)
    }

    /// Looks back at what several checks came to: what is read of a run is kept for the next check.
    pub fn looks(&self) -> Looks<'_> {
        Looks {
            ledger: self,
            known: Known::default(),
        }
    }

    /// The id of the newest run.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_id(&self) -> Result<Option<String>> {
        let sql = "SELECT max(id) FROM runs";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }
}

/// Looks back, see [`Ledger::looks`].
pub struct Looks<'l> {
    ledger: &'l Ledger,
    known: Known,
}

impl Looks<'_> {
    /// The verdicts of a check, the newest first, each with its evidence without long texts, or as much of that as `E` has,
    /// until `on` says that it has seen enough.
    ///
    /// # Errors
    /// [`Damaged`] where a row is not what was recorded; another where the file cannot be read.
    pub fn back_through<E: DeserializeOwned>(
        &self,
        check: &str,
        mut on: impl FnMut(&str, &E) -> bool,
    ) -> Result<()> {
        let sql = "SELECT run, evidence FROM evidence WHERE check_id = ?1 ORDER BY run DESC";
        let mut select = self.ledger.connection.prepare_cached(sql)?;
        let mut rows = select.query([check])?;
        while let Some(row) = rows.next()? {
            let run = row.get::<_, String>(0)?;
            let sound = self.ledger.sound(&run, &self.known)?;
            let entry = listed_in(&sound, check, &run)?;
            // Pruned: what was before it is not known.
            let Some(text) = row.get_ref(1)?.as_str_or_null()? else {
                break;
            };
            if !entry.3 && !on(&entry.2, &sound_part(text, entry, &run)?) {
                break;
            }
        }
        Ok(())
    }
}

/// What a run's list says of the evidence of a check.
fn listed_in<'s>(sound: &'s Sound, check: &str, run: &str) -> Result<&'s Entry, Damaged> {
    let entry = sound.appended.get(check);
    entry.ok_or_else(|| {
        Damaged(format!(
            "evidence of `{check}` was put into run {run} later"
        ))
    })
}

/// Evidence out of its row.
fn parsed(text: &str, entry: &Entry, run: &str) -> Result<Evidence, Damaged> {
    let mut evidence = sound_part::<Evidence>(text, entry, run)?;
    // Most have one attempt, and were given room for four.
    evidence.attempts.shrink_to_fit();
    Ok(evidence)
}

/// As much as is wanted of evidence out of its row, which is held against what its run says of it.
fn sound_part<E: DeserializeOwned>(text: &str, entry: &Entry, run: &str) -> Result<E, Damaged> {
    let broken = |how: String| Damaged(format!("the evidence of `{}` in run {run} {how}", entry.0));
    if digest(text.as_bytes()) != entry.1 {
        return Err(broken(
            "is not what was recorded: its row was changed".to_string(),
        ));
    }
    serde_json::from_str(text).map_err(|error| broken(format!("does not parse: {error}")))
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        at: row.get::<_, i64>(0)?.unsigned_abs(),
        id: row.get(1)?,
        complete: row.get(2)?,
        commit: row.get(3)?,
        kept: row.get(4)?,
    })
}
