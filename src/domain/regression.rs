//! What must not get worse: an earlier report, as far as a gate with `no_regression` is held against it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::diff::{self, Mismatch};
use super::gate::GateState;
use super::odd;
use super::ratio::{self, Ratio};
use super::report::{CheckRow, Report};

/// The rule's key in the manifest.
pub const RULE: &str = "no_regression";
/// The key of the rule about tests.
pub const FEWER: &str = "no_fewer_tests";
/// How the reason begins where there is nothing to compare with.
pub const NO_BASE: &str = "no-base";

/// An earlier report that a gate is held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// What it is called: the id of its run, or a file.
    pub name: String,
    /// The score that was verified, a fraction of 1.
    #[serde(with = "super::report::fraction")]
    #[schemars(with = "String")]
    pub verified: Ratio,
    /// The checks that held: verified or accepted, and counting.
    pub held: Vec<String>,
    /// How many tests each check ran that counts them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tests: BTreeMap<String, u64>,
}

impl Base {
    /// What matters of a report; `name` is what it is called where it is not about a run.
    ///
    /// # Errors
    /// Its score does not follow from its rows.
    pub fn of(report: &Report, name: &str) -> Result<Base, Mismatch> {
        let held = |row: &&CheckRow| row.counts_for_score() && row.holds();
        let tests = |row: &CheckRow| {
            let counted = row.counts_for_score() && odd::counts_tests(&row.definition);
            let counts = row.counts.filter(|_| counted)?;
            Some((row.id.clone(), odd::ran(counts)))
        };
        let run = report.run.as_ref().map(|run| run.id.as_str());
        Ok(Base {
            name: run.unwrap_or(name).to_string(),
            verified: diff::verified(report)?,
            held: report
                .checks
                .iter()
                .filter(held)
                .map(|row| row.id.clone())
                .collect(),
            tests: report.checks.iter().filter_map(tests).collect(),
        })
    }
}

/// Whether a gate was closed for a regression or for fewer tests: such a report is no base, or what got worse would be the measure of itself.
pub fn regressed(state: &GateState) -> bool {
    let mut reasons = state.reasons.iter();
    reasons
        .any(|reason| [RULE, FEWER].contains(&&*reason.rule) && !reason.text.starts_with(NO_BASE))
}

/// Two scores in percent, each rounded down to as few places as tell them apart.
pub(super) fn apart(from: &Ratio, to: &Ratio) -> [String; 2] {
    let figures = [from, to].map(ratio::to_percent);
    let places = |places: usize| {
        let scale = 10f64.powi(places as i32);
        figures.map(|figure| format!("{:.places$}", (figure * scale).floor() / scale))
    };
    let told = (0..=6).map(places).find(|[from, to]| from != to);
    told.unwrap_or_else(|| figures.map(|figure| figure.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_told_apart_by_as_few_places_as_do() {
        for (from, to, wanted) in [
            (ratio::of(67, 100), ratio::of(61, 100), ["67", "61"]),
            (ratio::of(612, 1000), ratio::of(611, 1000), ["61.2", "61.1"]),
            (
                ratio::of(2, 3),
                ratio::of(6_666_666, 10_000_000),
                ["66.6666", "66.6666"],
            ),
        ] {
            let told = apart(&from, &to);
            assert!(
                told[0].starts_with(wanted[0]) && told[1].starts_with(wanted[1]),
                "{told:?}"
            );
            assert_ne!(told[0], told[1]);
        }
    }
}
