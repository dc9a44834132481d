//! What gates with `no_regression` or `no_fewer_tests` are held against: a report that the command line names, else the newest earlier complete
//! run in which the gate was not closed for a regression.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::{Usage, report_file};
use crate::domain::gate::{Gate, GateState};
use crate::domain::regression::{Base, regressed};
use crate::ledger::{Damaged, Ledger};

/// What was found.
#[derive(Default)]
pub(super) struct Bases {
    /// By the names of the gates.
    pub(super) of: BTreeMap<String, Base>,
    /// What in the ledger is damaged, in words.
    pub(super) lost: Vec<String>,
}

/// The base that a report in a file is, for the project of that name.
///
/// # Errors
/// It cannot be read, its score does not follow from its checks, or it is no measure: of another project, of a part of the
/// checks, or closed for a regression itself.
pub(super) fn from_file(path: &Path, project: &str) -> Result<Base, Usage> {
    let name = path.display().to_string();
    let report = report_file::read(path)?;
    let complete = report.run.as_ref().is_none_or(|run| run.complete);
    let no_measure = match report.gates.iter().find(|state| regressed(state)) {
        _ if report.project != project => {
            Some(format!("is of `{}`, this is `{project}`", report.project))
        }
        _ if !complete => Some("is of a part of the checks, or was stopped".to_string()),
        Some(state) => Some(format!(
            "was closed for a regression itself (gate `{}`)",
            state.name
        )),
        None => None,
    };
    if let Some(why) = no_measure {
        let hint = "a base is the report of a complete run that had not regressed".to_string();
        return Err(Usage::new(
            format!("`{name}` is no base: it {why}"),
            Some(hint),
        ));
    }
    let base = Base::of(&report, &name);
    base.map_err(|mismatch| Usage::new(format!("`{name}`: {mismatch}"), None))
}

/// The report in a file as the base of each gate that asks for one.
///
/// # Errors
/// As for [`from_file`].
pub(super) fn named(
    gates: &[Gate],
    path: &Path,
    project: &str,
) -> Result<BTreeMap<String, Base>, Usage> {
    let base = from_file(path, project)?;
    let asking = gates.iter().filter(|gate| gate.asks_for_base());
    Ok(asking
        .map(|gate| (gate.name.clone(), base.clone()))
        .collect())
}

/// What each of these gates is held against, where it asks for it; of the runs before one, where that is named.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn bases(
    gates: &[Gate],
    named: Option<&Base>,
    ledger: Option<&Ledger>,
    before: Option<&str>,
) -> Result<Bases> {
    let mut bases = Bases::default();
    for gate in gates.iter().filter(|gate| gate.asks_for_base()) {
        let base = match (named, ledger) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(ledger)) => recorded(&gate.name, ledger, before, &mut bases.lost)?,
            (None, None) => None,
        };
        bases.of.extend(base.map(|base| (gate.name.clone(), base)));
    }
    bases.lost.dedup();
    Ok(bases)
}

/// The newest complete run in which the gate had not regressed.
fn recorded(
    gate: &str,
    ledger: &Ledger,
    before: Option<&str>,
    lost: &mut Vec<String>,
) -> Result<Option<Base>> {
    let mut before = before.map(str::to_string);
    while let Some(row) = ledger.complete_runs(before.as_deref(), 1)?.pop() {
        before = Some(row.id.clone());
        let report = match ledger.report(&row.id) {
            Ok(Some(report)) => report,
            Ok(None) => continue,
            Err(error) => {
                lost.push(error.downcast::<Damaged>()?.to_string());
                continue;
            }
        };
        let state = report.gates.iter().find(|state| state.name == gate);
        match state.filter(|state| regressed(state)) {
            None => match Base::of(&report, &row.id) {
                Ok(base) => return Ok(Some(base)),
                Err(mismatch) => lost.push(format!("the report of run {}: {mismatch}", row.id)),
            },
            Some(state) => {
                // All between it and its own base had regressed too: however many they are, they are not read.
                if let Some(base) = earlier(state, &row.id, ledger)? {
                    before = Some(format!("{base}~"));
                }
            }
        }
    }
    Ok(None)
}

/// The recorded run that a gate was held against then, which began before the one that says so.
fn earlier(state: &GateState, run: &str, ledger: &Ledger) -> Result<Option<String>> {
    let Some(base) = state.base.as_deref().filter(|base| *base < run) else {
        return Ok(None);
    };
    let known = ledger
        .runs_like(base)?
        .into_iter()
        .any(|row| row.id == base);
    Ok(known.then(|| base.to_string()))
}
