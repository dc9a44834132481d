//! Recorded runs: the ledger beside the manifest, which need not load, and reports out of it, as a command line names them.
//! A report that is damaged or was pruned is named, and is no reason not to show the others.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Global, Usage, report_file, session};
use crate::domain::report::Report;
use crate::ledger::{Damaged, Ledger, RunRow};

/// The folder of the project: the manifest's, else the one that we are in.
pub(super) fn folder(global: &Global) -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the working directory")?;
    let manifest = session::manifest(global)?;
    let folder = manifest.as_deref().and_then(|manifest| manifest.parent());
    Ok(folder.map_or_else(|| here.clone(), |folder| here.join(folder)))
}

/// Reports of several runs.
#[derive(Default)]
pub(super) struct Kept {
    /// In the order that was asked for.
    pub(super) reports: Vec<Report>,
    /// The runs whose reports were pruned.
    pub(super) pruned: Vec<String>,
    /// What is damaged, in words.
    pub(super) lost: Vec<String>,
}

impl Kept {
    /// The reports of these runs.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(super) fn of<'a>(
        ledger: &Ledger,
        rows: impl IntoIterator<Item = &'a RunRow>,
    ) -> Result<Kept> {
        let mut kept = Kept::default();
        for row in rows {
            match ledger.report(&row.id) {
                Ok(Some(report)) => kept.reports.push(report),
                Ok(None) => kept.pruned.push(row.id.clone()),
                Err(error) => kept.lost.push(error.downcast::<Damaged>()?.to_string()),
            }
        }
        Ok(kept)
    }
}

/// How runs are named.
const NAMES: &str = "`last`, `last~1`, a run's id or the beginning of one (`ready history --all` shows them), or a file with a report in JSON";
/// The least of an id that is taken for its beginning.
const BEGINNING: usize = 4;

/// The report that a word names: of a recorded run, or in a file.
///
/// # Errors
/// There is no such run, there are several, or its report cannot be read.
pub(super) fn named(word: &str, ledger: Option<&Ledger>) -> Result<Report> {
    if let Some(ledger) = ledger
        && let Some(row) = run(word, ledger)?
    {
        return report(&row, ledger);
    }
    if Path::new(word).is_file() {
        return Ok(report_file::read(Path::new(word))?);
    }
    Err(Usage::new(format!("there is no run `{word}`"), Some(NAMES.to_string())).into())
}

/// The report of a recorded run.
///
/// # Errors
/// It was pruned or is damaged.
pub(super) fn report(row: &RunRow, ledger: &Ledger) -> Result<Report> {
    let pruned = || Usage::new(format!("the report of run {} was pruned", row.id), None);
    Ok(ledger.report(&row.id)?.ok_or_else(pruned)?)
}

/// The recorded run that a word names; none where it names none.
///
/// # Errors
/// It names several, or the ledger cannot be read.
pub(super) fn run(word: &str, ledger: &Ledger) -> Result<Option<RunRow>> {
    let back = match word.strip_prefix("last") {
        Some("") => Some(0),
        Some(back) => back
            .strip_prefix('~')
            .and_then(|back| back.parse::<u32>().ok()),
        None => None,
    };
    if let Some(back) = back {
        let mut rows = ledger.last_runs(u64::from(back) + 1)?;
        return Ok((rows.len() > back as usize).then(|| rows.pop()).flatten());
    }
    if word.len() < BEGINNING || !word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(None);
    }
    let mut rows = ledger.runs_like(word)?;
    if rows.len() > 1 {
        let ids = rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>();
        let hint = format!("write more of one of them: {}", ids.join(", "));
        return Err(Usage::new(format!("several runs begin with `{word}`"), Some(hint)).into());
    }
    Ok(rows.pop())
}
