//! The controls for the results of a program that a reader reads: with one more failure, with none at all, cut in half, from
//! before the run, and with each measure beyond its limit. They show that results are judged, not that the program finds
//! anything.

use anyhow::Result;

use super::made::{judged, own};
use super::{NOTHING, Prover};
use crate::domain::check::{Check, Probe, Reader, ReaderInput, RunProbe};
use crate::domain::evidence::{Attempt, Counts, Evidence, Reading, Results};
use crate::domain::limit::{Limit, Operator};
use crate::domain::proof::Trial;
use crate::domain::reason::Code;

/// What results with a failure in them may come to.
const FAILING: [Code; 6] = [
    Code::SomeFailed,
    Code::AllFailed,
    Code::Findings,
    Code::Contradiction,
    Code::ExitStatus,
    Code::Limits,
];
/// What results that are none may come to.
const NONE: [Code; 4] = [
    Code::NoResults,
    Code::Unreadable,
    Code::Contradiction,
    Code::CannotTell,
];

impl Prover<'_> {
    /// The trials of a check that reads results, given what was seen of it on the good state.
    pub(super) fn on_results(
        &self,
        check: &Check,
        run: &RunProbe,
        reader: &Reader,
        good: &Evidence,
    ) -> Result<Vec<Trial>> {
        let Some(attempt) = good.attempts.last() else {
            return Ok(vec![]);
        };
        let Some(Reading::Results(results)) = &attempt.reading else {
            return Ok(vec![]);
        };
        let mut trials = vec![];
        let mut with = |control: &str, results: Results, codes: &[Code]| {
            let attempt = Attempt {
                reading: Some(Reading::Results(results)),
                ..attempt.clone()
            };
            trials.push(judged(control, check, attempt, codes));
        };
        if check.limits.is_empty()
            && let Some(results) = one_more_failure(results)
        {
            with("its results with one more failure", results, &FAILING);
        }
        let empty = results.counts.is_some().then(|| Results {
            counts: Some(Counts::default()),
            ..Results::default()
        });
        if let Some(empty) = empty {
            with("its results with nothing in them", empty, &NONE);
        }
        for (name, limit) in &check.limits {
            let control = format!("its results with `{name}` beyond its limit");
            with(&control, beyond(results, name, limit), &FAILING);
        }
        // Whoever writes to its output and is cut off ends badly, which its exit status tells.
        let bytes = match &reader.input {
            ReaderInput::File(file) => {
                let cwd = check.cwd.as_deref().unwrap_or(".");
                std::fs::read(self.scratch.folder().join(cwd).join(file)).ok()
            }
            _ => None,
        };
        if let Some(bytes) = bytes.filter(|bytes| bytes.len() > 1) {
            let half = &bytes[..bytes.len() / 2];
            let reading = (self.means.read)(reader, half, self.means.cancel);
            let cut = Attempt {
                reading: Some(reading),
                ..attempt.clone()
            };
            let codes = [&NONE[..], &FAILING, &[Code::SomeSkipped]].concat();
            trials.push(judged("its results cut in half", check, cut, &codes));
        }
        if let ReaderInput::File(_) = reader.input {
            let idle = Check {
                probe: Probe::Run(RunProbe {
                    argv: own(&[NOTHING]),
                    shell: false,
                    files: vec![],
                    cleanup: vec![],
                    listen: None,
                    ..run.clone()
                }),
                needs_tool: None,
                retries: 0,
                ..check.clone()
            };
            trials.push(self.trial("its results from before the run", &idle, &NONE));
        }
        Ok(trials)
    }
}

/// The results with one more that failed; none where they count nothing.
fn one_more_failure(results: &Results) -> Option<Results> {
    let mut worse = results.clone();
    if let Some(counts) = &mut worse.counts {
        counts.failed += 1;
        return Some(worse);
    }
    *worse.findings.as_mut()? += 1;
    Some(worse)
}

/// The results with a figure on the wrong side of its limit.
fn beyond(results: &Results, name: &str, limit: &Limit) -> Results {
    let bound = limit.bound;
    let figure = match limit.operator {
        Operator::Less | Operator::AtMost => bound.abs().max(1.0) * 2.0 + bound.abs(),
        Operator::Greater | Operator::AtLeast | Operator::Equal => {
            -(bound.abs().max(1.0) * 2.0 + bound.abs())
        }
        Operator::NotEqual => bound,
    };
    let mut results = results.clone();
    // A figure that is counted is one that was measured, too: the measure is what the limit is held against.
    results.measures.insert(name.to_string(), figure);
    let count = figure.max(0.0) as u64;
    if let Some(counts) = &mut results.counts {
        match name {
            "passed" => counts.passed = count,
            "failed" => counts.failed = count,
            "skipped" => counts.skipped = count,
            _ => {}
        }
    }
    if name == "findings" {
        results.findings = Some(count);
    }
    results
}
