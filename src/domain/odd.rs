//! What is odd about a look at a check, held against earlier ones: fewer tests, a fraction of the time. It changes no
//! verdict; a gate may ask for the tests.

use super::check::{Check, Reader};
use super::evidence::{Counts, Evidence};
use super::limit::human_duration;
use super::verdict::Judgement;

/// What earlier looks at a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// How many tests ran when it was last looked at, where that was counted.
    pub ran: Option<u64>,
    /// How long each of the last looks took, in milliseconds.
    pub took_ms: Vec<u64>,
}

/// How many looks there must be before there is a usual time.
const LOOKS: usize = 3;
/// A look that took less than this as a rule is never odd.
const LEAST_MS: u64 = 1_000;
/// What fraction of the usual time is odd.
const FRACTION: u64 = 10;

/// How many tests ran: those that were skipped did not.
pub fn ran(counts: Counts) -> u64 {
    counts.passed.saturating_add(counts.failed)
}

/// Whether what a check counts are tests: of what else is counted, less may be as good.
pub fn counts_tests(check: &Check) -> bool {
    check.probe.reader().is_some_and(Reader::counts_tests)
}

/// What is odd, each in a sentence.
pub fn notes(
    check: &Check,
    judgement: &Judgement,
    evidence: &Evidence,
    usual: &Usual,
) -> Vec<String> {
    let mut notes = vec![];
    let tests = judgement.counts.map(ran).filter(|_| counts_tests(check));
    if let (Some(now), Some(then)) = (tests, usual.ran)
        && now < then
    {
        notes.push(format!(
            "{now} tests ran, {then} when it was last looked at"
        ));
    }
    let mut took = usual.took_ms.clone();
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    let now = evidence.duration_ms;
    if took.len() >= LOOKS && median >= LEAST_MS && now < median / FRACTION {
        let [now, median] =
            [now, median].map(|ms| human_duration(std::time::Duration::from_millis(ms)));
        notes.push(format!("it took {now}, {median} as a rule"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::testing::{counted, now};
    use super::super::verdict::judge;
    use super::{Evidence, Usual, notes};

    fn of(passed: u64, failed: u64, took: u64, usual: &Usual) -> Vec<String> {
        let (check, mut seen) = (counted("tests"), ran_of(passed, failed));
        seen.duration_ms = took;
        let observed = super::super::evidence::Observed::Evidence(Box::new(seen.clone()));
        let judgement = judge(&check, &observed, now());
        notes(&check, &judgement, &seen, usual)
    }

    fn ran_of(passed: u64, failed: u64) -> Evidence {
        match super::super::testing::ran(passed, failed) {
            super::super::evidence::Observed::Evidence(evidence) => *evidence,
            super::super::evidence::Observed::Withheld(_) => unreachable!("it was seen"),
        }
    }

    #[test]
    fn fewer_tests_and_a_fraction_of_the_time_are_odd() {
        let usual = |ran, took: &[u64]| Usual {
            ran,
            took_ms: took.to_vec(),
        };
        let cases: [(u64, u64, u64, Usual, &[&str]); 8] = [
            (
                40,
                0,
                10,
                usual(Some(120), &[]),
                &["40 tests ran, 120 when it was last looked at"],
            ),
            (100, 20, 10, usual(Some(120), &[]), &[]),
            (130, 0, 10, usual(Some(120), &[]), &[]),
            (40, 0, 10, usual(None, &[4_000, 4_100]), &[]),
            (
                40,
                0,
                10,
                usual(None, &[4_000, 5_000, 4_100]),
                &["it took 10 ms, 4.1 s as a rule"],
            ),
            (40, 0, 410, usual(None, &[4_000, 5_000, 4_100]), &[]),
            (40, 0, 1, usual(None, &[900, 900, 900]), &[]),
            (
                0,
                40,
                1,
                usual(Some(41), &[]),
                &["40 tests ran, 41 when it was last looked at"],
            ),
        ];
        for (passed, failed, took, usual, expected) in cases {
            assert_eq!(of(passed, failed, took, &usual), expected, "{usual:?}");
        }
    }
}
