//! Coverage, whichever format it came in: which lines, branches and functions of which files were run.
//!
//! A line that was run counts as passed, one that was not as skipped: nobody looked at it. What was run may still be
//! wrong; coverage shows where no test can have noticed.

use std::collections::BTreeMap;

use crate::domain::evidence::{Counts, Results};

use super::short;

/// What was run of each file.
#[derive(Debug, Default)]
pub(super) struct Coverage<'t> {
    files: BTreeMap<&'t str, File<'t>>,
}

/// What was run of a file. The same line, function or branch may be told several times, once for each test: it was run
/// where any of them ran it.
#[derive(Debug, Default)]
pub(super) struct File<'t> {
    lines: BTreeMap<u64, bool>,
    functions: BTreeMap<&'t str, bool>,
    /// How many there are and how many were taken, by the place of the decision.
    branches: BTreeMap<&'t str, bool>,
    /// Of decisions of which only the figures are told: by line, taken and all.
    decisions: BTreeMap<u64, (u64, u64)>,
}

impl<'t> Coverage<'t> {
    pub(super) fn file(&mut self, name: &'t str) -> &mut File<'t> {
        self.files.entry(name).or_default()
    }

    /// Measures: `lines`, `branches` and `functions` in percent, where there are any, and `files`.
    pub(super) fn results(self) -> Results {
        let mut measures = BTreeMap::new();
        let mut measure = |name: &str, (run, all): (u64, u64)| {
            if all > 0 {
                measures.insert(name.to_string(), run as f64 * 100.0 / all as f64);
            }
        };
        let sum = |part: fn(&File<'t>) -> (u64, u64)| {
            let parts = self.files.values().map(part);
            parts.fold((0_u64, 0_u64), |(run, all), (more, of)| {
                (run.saturating_add(more), all.saturating_add(of))
            })
        };
        let lines = sum(|file| share(file.lines.values()));
        measure("lines", lines);
        measure("functions", sum(|file| share(file.functions.values())));
        measure("branches", sum(File::taken));
        measures.insert("files".to_string(), self.files.len() as f64);
        let mut missed = self.files.iter().map(|(name, file)| {
            let (run, all) = share(file.lines.values());
            (all - run, all, *name)
        });
        let mut missed = missed
            .by_ref()
            .filter(|missed| missed.0 > 0)
            .collect::<Vec<_>>();
        missed.sort_by(|a, b| b.0.cmp(&a.0).then(a.2.cmp(b.2)));
        let named = missed
            .iter()
            .take(Results::NAMED)
            .map(|(missed, all, name)| {
                short(&format!("{name}: {missed} of {all} lines were not run"))
            });
        Results {
            counts: Some(Counts {
                passed: lines.0,
                skipped: lines.1 - lines.0,
                failed: 0,
            }),
            failures: named.collect(),
            measures,
            ..Results::default()
        }
    }
}

impl<'t> File<'t> {
    pub(super) fn line(&mut self, line: u64, run: bool) {
        *self.lines.entry(line).or_default() |= run;
    }

    pub(super) fn function(&mut self, name: &'t str, run: bool) {
        *self.functions.entry(name).or_default() |= run;
    }

    pub(super) fn branch(&mut self, place: &'t str, taken: bool) {
        *self.branches.entry(place).or_default() |= taken;
    }

    pub(super) fn decision(&mut self, line: u64, taken: u64, all: u64) {
        let known = self.decisions.entry(line).or_default();
        *known = (known.0.max(taken.min(all)), known.1.max(all));
    }

    fn taken(&self) -> (u64, u64) {
        let branches = share(self.branches.values());
        self.decisions
            .values()
            .fold(branches, |(taken, all), (more, of)| {
                (taken.saturating_add(*more), all.saturating_add(*of))
            })
    }
}

/// How many are, of how many.
fn share<'a>(parts: impl Iterator<Item = &'a bool>) -> (u64, u64) {
    parts.fold((0_u64, 0_u64), |(run, all), part| {
        (run + u64::from(*part), all + 1)
    })
}
