//! What `cargo nextest run` prints on standard error: the line `Summary [ 0.1s] 3 tests run: 2 passed, 1 failed, 1 skipped`
//! and below it the tests that did not pass. Source: nextest's `reporter/displayer`; seen with 0.9.143.
//!
//! Tests that were filtered out or ignored are skipped, and so are those that a stopped run never came to (`1/3 tests
//! run`). A pass on a retry (`flaky`) stands among the passed; here it is no clean pass.

use crate::domain::check::Exits;
use crate::domain::evidence::Results;

use super::{Tally, plain};

/// nextest's exit statuses: 4 says that there was no test to run, 101 that the build failed.
pub fn exits() -> Exits {
    Exits {
        no_results: vec![4],
        failed: vec![101],
        ..Exits::default()
    }
}

/// Reads the last summary.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_summary = |line: &&str| line.starts_with("Summary [");
    let Some(at) = lines.iter().rposition(is_summary) else {
        return Err("no line `Summary […] N tests run`".into());
    };
    let mut tally = summary(lines[at]).ok_or("the summary cannot be read")?;
    let named = usize::try_from(tally.counts.failed).unwrap_or(usize::MAX);
    let tests = lines[at + 1..].iter().filter_map(|line| name(line));
    for test in tests.take(named) {
        tally.name(test);
    }
    Ok(tally.results())
}

/// The numbers of `Summary [ 0.1s] 3 tests run: 2 passed (1 slow, 1 flaky), 1 timed out, 1 skipped`.
fn summary(line: &str) -> Option<Tally> {
    let (_, rest) = line.split_once("] ")?;
    let (run, outcomes) = rest.split_once(" run: ")?;
    let run = run
        .strip_suffix(" tests")
        .or_else(|| run.strip_suffix(" test"))?;
    let (run, all) = run.split_once('/').unwrap_or((run, run));
    let (run, all): (u64, u64) = (run.parse().ok()?, all.parse().ok()?);
    let mut tally = Tally::default();
    let mut rest = outcomes;
    while !rest.is_empty() {
        // `2 passed (1 slow, 1 flaky), …`: what stands in brackets is a part of it.
        let end = rest.find([',', '(']).unwrap_or(rest.len());
        let (number, word) = rest[..end].trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        let within = match rest[end..].strip_prefix('(') {
            Some(bracket) => {
                let (within, after) = bracket.split_once(')')?;
                rest = after;
                within
            }
            None => {
                rest = &rest[end..];
                ""
            }
        };
        rest = rest.trim_start_matches([',', ' ']);
        let flaky = within
            .split(", ")
            .filter_map(|part| part.strip_suffix(" flaky"));
        let flaky: u64 = flaky
            .filter_map(|number| number.parse::<u64>().ok())
            .fold(0, u64::saturating_add);
        match word {
            "passed" => {
                tally.passed(number.checked_sub(flaky)?);
                if flaky > 0 {
                    tally.flaky(flaky);
                }
            }
            "failed" | "timed out" | "exec failed" => tally.failed(number),
            // Skipped, or a word that nobody knows.
            _ => tally.skipped(number),
        }
    }
    tally.skipped(all.checked_sub(run)?);
    Some(tally)
}

/// The test in `FAIL [   0.105s] (3/3) crate tests::name`.
fn name(line: &str) -> Option<&str> {
    let (outcome, rest) = line.split_once(" [")?;
    let (_, rest) = rest.split_once("] ")?;
    let is_outcome = outcome
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ');
    let test = match rest.strip_prefix('(') {
        Some(bracket) => bracket.split_once(") ")?.1,
        None => rest,
    };
    (is_outcome && !test.is_empty()).then(|| test.trim())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("nextest/green.txt"), Ok(([3, 0, 1], &[]))),
                (output!("nextest/mixed.txt"), Ok(([2, 1, 1], &["nx t::b"]))),
                // Stopped at the first failure, with two to go.
                (
                    output!("nextest/stopped.txt"),
                    Ok(([0, 1, 3], &["nx t::a"])),
                ),
                (output!("nextest/abort.txt"), Ok(([2, 1, 1], &["nx t::a"]))),
                (output!("nextest/none.txt"), Ok(([0, 0, 4], &[]))),
                (output!("nextest/broken.txt"), Err("no line `Summary")),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (
                "Summary [1s] 1 test run: 1 passed, 0 skipped",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "Summary [1s] 6 tests run: 4 passed (1 slow, 2 flaky, 1 leaky), 1 timed out, 1 exec failed, 3 skipped",
                Ok(([2, 2, 5], &[])),
            ),
            (
                "Summary [1s] 1 tests run: 1 quarantined",
                Ok(([0, 0, 1], &[])),
            ),
            (
                "Summary [1s] 3/2 tests run: 3 passed",
                Err("cannot be read"),
            ),
            (
                "Summary [1s] 3 tests run: 1 passed (2 flaky)",
                Err("cannot be read"),
            ),
            (
                "Summary [1s] many tests run: 1 passed",
                Err("cannot be read"),
            ),
            (
                "Summary [1s] 1 tests run: 1 passed (",
                Err("cannot be read"),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("nextest/mixed.txt").1, output!("nextest/stopped.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
