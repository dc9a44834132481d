//! The summary that pytest prints last: `=== 2 failed, 35 passed, 3 skipped in 1.20s ===`, with `-q` without the signs,
//! and above it the list `short test summary info`. Source: `_pytest/terminal.py`; seen with pytest 8.3 and 9.2.
//!
//! The line counts reports, not tests. A test whose teardown fails is reported twice, as passed or failed and as an
//! error; failed subtests are reported beside their test. Here each test counts once, failed if any report says so, as
//! in the JUnit XML of the same run. Which errors are of a teardown is said in the headings of the tracebacks; where
//! these are missing (`--tb=no`), each error of a test is taken for one.
//!
//! An expected failure (`xfailed`) is skipped, as in pytest's JUnit XML: it is no evidence that anything works. An
//! unexpected pass (`xpassed`) passed; where it must not (`strict`), pytest says failed.

use std::collections::HashSet;

use crate::domain::check::Exits;
use crate::domain::evidence::Results;

use super::{Tally, plain};

/// pytest's exit statuses: 5 says that no test ran.
pub fn exits() -> Exits {
    Exits {
        no_results: vec![5],
        ..Exits::default()
    }
}

/// Reads pytest's printed summary, wherever it stands in the output: the last line that is one counts.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut from_the_end = lines.iter().enumerate().rev();
    let Some((at, summary)) = from_the_end.find_map(|(at, line)| Some((at, summary(line)?))) else {
        return Err("no summary line such as `3 passed in 0.12s`: `-qq` leaves it out".into());
    };
    let above = &lines[..at];
    let list = Listed::above(above);
    let overlap = summary.overlap(&list, above);

    let mut tally = Tally::default();
    tally.passed(summary.passed.saturating_sub(overlap.passed));
    tally.failed(
        summary
            .failed
            .saturating_add(summary.errors)
            .saturating_sub(overlap.failed),
    );
    tally.skipped(summary.skipped);
    let named = usize::try_from(tally.counts.failed).unwrap_or(usize::MAX);
    list.tests().take(named).for_each(|id| tally.name(id));
    Ok(tally.results())
}

/// The numbers of a summary line.
#[derive(Default)]
struct Summary {
    passed: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
}

/// Reports beyond the first of their test, by what they were counted as.
#[derive(Default)]
struct Overlap {
    passed: u64,
    failed: u64,
}

impl Summary {
    /// What is counted more than once.
    fn overlap(&self, list: &Listed, above: &[&str]) -> Overlap {
        let whole = (list.failed.len() + list.subtests.len()) as u64 == self.failed
            && list.errors.len() as u64 == self.errors;
        let empty = Listed::default();
        // Options (`-r`, `--no-summary`) can leave part of the list out: then it is no help.
        let list = if whole { list } else { &empty };

        let failed: HashSet<_> = list.failed.iter().collect();
        let subtests: HashSet<_> = list.subtests.iter().collect();
        let errors: HashSet<_> = list.errors.iter().collect();
        let beside = subtests.difference(&failed).count();
        let again = errors
            .iter()
            .filter(|id| failed.contains(*id) || subtests.contains(*id))
            .count();
        let twice = (list.errors.len() - errors.len()) + again;
        Overlap {
            // With unittest's subtests the test itself is reported as passed.
            passed: (beside as u64)
                .saturating_add(self.teardowns(list, above).saturating_sub(twice as u64)),
            failed: (list.subtests.len() - beside + twice) as u64,
        }
    }

    /// How many of the errors are of a teardown.
    fn teardowns(&self, list: &Listed, above: &[&str]) -> u64 {
        let (mut teardowns, mut others) = (0, 0);
        for line in above.iter().filter(|line| line.starts_with('_')) {
            let heading = line.trim_matches('_').trim_start();
            teardowns += u64::from(heading.starts_with("ERROR at teardown of "));
            others += u64::from(
                heading.starts_with("ERROR at setup of ")
                    || heading.starts_with("ERROR collecting "),
            );
        }
        if teardowns + others == self.errors {
            return teardowns;
        }
        let collecting = list.errors.iter().filter(|id| !id.contains("::")).count();
        self.errors.saturating_sub(collecting as u64)
    }
}

/// The tests in the list `short test summary info`.
#[derive(Default)]
struct Listed<'a> {
    failed: Vec<&'a str>,
    subtests: Vec<&'a str>,
    errors: Vec<&'a str>,
}

impl<'a> Listed<'a> {
    /// The last list in these lines.
    fn above(lines: &[&'a str]) -> Listed<'a> {
        let heading = |line: &&str| {
            line.starts_with('=') && line.trim_matches('=').trim() == "short test summary info"
        };
        let mut list = Listed::default();
        let Some(at) = lines.iter().rposition(heading) else {
            return list;
        };
        for line in &lines[at..] {
            if let Some(rest) = line.strip_prefix("FAILED ") {
                list.failed.push(id(rest));
            } else if let Some(rest) = line.strip_prefix("ERROR ") {
                list.errors.push(id(rest));
            } else if line.starts_with("SUBFAILED") {
                list.subtests.push(subtest(line));
            } else if let Some((_, rest)) = line
                .split_once(" SUBFAIL ")
                .filter(|_| line.starts_with(['[', '(']))
            {
                // As the plugin pytest-subtests writes it; pytest has subtests of its own from 9 on.
                list.subtests.push(id(rest));
            }
        }
        list
    }

    /// Each test once.
    fn tests(&self) -> impl Iterator<Item = &'a str> {
        let mut seen = HashSet::new();
        let all = [&self.failed, &self.subtests, &self.errors].map(|ids| ids.iter().copied());
        all.into_iter().flatten().filter(move |id| seen.insert(*id))
    }
}

/// The test's id before ` - message`. Parameters stand in brackets and may hold the separator too.
fn id(line: &str) -> &str {
    let end = match (line.find('['), line.find(" - ")) {
        (Some(bracket), Some(message)) if bracket < message => match line.find("] - ") {
            Some(at) => at + 1,
            None if line.ends_with(']') => line.len(),
            None => message,
        },
        (_, Some(message)) => message,
        (_, None) => line.len(),
    };
    line[..end].trim()
}

/// The test's id in `SUBFAILED[message] (i=1) test.py::test - message`: the first word with a `::`.
fn subtest(line: &str) -> &str {
    let from = line.find("::").and_then(|at| line[..at].rfind(' '));
    id(&line[from.unwrap_or_default()..])
}

/// The numbers in the line, where it is a summary.
fn summary(line: &str) -> Option<Summary> {
    let (parts, time) = line.trim().trim_matches('=').trim().rsplit_once(" in ")?;
    // `1.20s`, `75.00s (0:01:15)`; `1.20 seconds` before pytest 5.
    let seconds = time.split(' ').next()?.trim_end_matches('s');
    if !seconds.starts_with(|first: char| first.is_ascii_digit()) || seconds.parse::<f64>().is_err()
    {
        return None;
    }
    let mut summary = Summary::default();
    if parts == "no tests ran" {
        return Some(summary);
    }
    let mut known = false;
    for part in parts.split(", ") {
        // `13 tests collected`, `no tests collected (2 deselected)`: nothing ran.
        if part.contains(" collected") {
            known = true;
            continue;
        }
        let (number, word) = part.split_once(' ')?;
        let number = number.parse::<u64>().ok()?;
        let sum = match word {
            "passed" | "xpassed" => &mut summary.passed,
            "failed" | "subtests failed" => &mut summary.failed,
            "error" | "errors" => &mut summary.errors,
            "skipped" | "xfailed" => &mut summary.skipped,
            "deselected" | "warning" | "warnings" | "rerun" | "subtests passed"
            | "subtests skipped" => {
                known = true;
                continue;
            }
            // A plugin's word for a result: nobody knows what it means.
            word if word
                .chars()
                .all(|letter| letter.is_alphabetic() || letter == ' ' || letter == '-') =>
            {
                summary.skipped = summary.skipped.saturating_add(number);
                continue;
            }
            _ => return None,
        };
        known = true;
        *sum = sum.saturating_add(number);
    }
    known.then_some(summary)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::junit;
    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    const MIXED: &[&str] = &[
        "test_mixed.py::test_fail",
        "test_mixed.py::test_xpass_strict",
        "test_mixed.py::test_param[a - b]",
        "test_mixed.py::test_param[== 3 passed in 0.1s ==]",
        "test_mixed.py::test_param[\\xe9\\n]",
        "test_mixed.py::test_setup_error",
        "test_mixed.py::test_teardown_error",
    ];
    const TEARDOWN: &[&str] = &["test_teardown.py::test_three", "test_teardown.py::test_two"];

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("pytest/green.txt"), Ok(([2, 0, 0], &[]))),
                (output!("pytest/mixed.txt"), Ok(([4, 7, 2], MIXED))),
                (output!("pytest/mixed-colour.txt"), Ok(([4, 7, 2], MIXED))),
                (output!("pytest/teardown.txt"), Ok(([1, 2, 0], TEARDOWN))),
                (
                    output!("pytest/subtests.txt"),
                    Ok(([1, 1, 0], &["test_subtests.py::test_sub"])),
                ),
                (
                    output!("pytest/subtest-class.txt"),
                    Ok(([1, 1, 0], &["test_class.py::TestThing::test_subs"])),
                ),
                (
                    output!("pytest/rerun.txt"),
                    Ok(([1, 1, 0], &["test_rerun.py::test_always"])),
                ),
                (
                    output!("pytest/broken.txt"),
                    Ok(([0, 1, 0], &["test_broken.py"])),
                ),
                (output!("pytest/empty.txt"), Ok(([0, 0, 0], &[]))),
                (output!("pytest/no-such-file.txt"), Ok(([0, 0, 0], &[]))),
                (output!("pytest/deselected.txt"), Ok(([0, 0, 0], &[]))),
                (output!("pytest/collect-only.txt"), Ok(([0, 0, 0], &[]))),
                // A test printed a list and a summary.
                (output!("pytest/forged.txt"), Ok(([2, 0, 0], &[]))),
                // No headings: the error in a setup is taken for one in a teardown.
                (output!("pytest/mixed-quiet.txt"), Ok(([3, 7, 2], MIXED))),
                (
                    output!("pytest/teardown-quiet.txt"),
                    Ok(([1, 2, 0], TEARDOWN)),
                ),
                (
                    output!("pytest/broken-continue.txt"),
                    Ok((
                        [1, 3, 0],
                        &[
                            "test_teardown.py::test_three",
                            "test_broken.py",
                            "test_teardown.py::test_two",
                        ],
                    )),
                ),
                // No list either: nobody knows that one test both failed and broke.
                (output!("pytest/teardown-bare.txt"), Ok(([0, 3, 0], &[]))),
                (
                    output!("pytest/no-summary-line.txt"),
                    Err("no summary line"),
                ),
                (output!("cargo/green.txt"), Err("no summary line")),
            ],
        );
    }

    #[test]
    fn the_xml_of_the_same_run_says_the_same() {
        for ((name, text), (_, xml)) in [
            (output!("pytest/mixed.txt"), output!("pytest/mixed.xml")),
            (
                output!("pytest/teardown.txt"),
                output!("pytest/teardown.xml"),
            ),
            (
                output!("pytest/subtests.txt"),
                output!("pytest/subtests.xml"),
            ),
            (
                output!("pytest/subtest-class.txt"),
                output!("pytest/subtest-class.xml"),
            ),
            (
                output!("pytest/subtest-plugin.txt"),
                output!("pytest/subtest-plugin.xml"),
            ),
            (output!("pytest/rerun.txt"), output!("pytest/rerun.xml")),
            (output!("pytest/broken.txt"), output!("pytest/broken.xml")),
            (output!("pytest/empty.txt"), output!("pytest/empty.xml")),
        ] {
            assert_eq!(
                read(text).unwrap().counts,
                junit::read(xml).unwrap().counts,
                "{name}"
            );
        }
    }

    #[test]
    fn summary_lines() {
        let cases: &[(&str, Read)] = &[
            ("3 passed in 0.12s", Ok(([3, 0, 0], &[]))),
            (
                "= 1 passed, 2 skipped, 9 deselected, 1 warning in 75.01s (0:01:15) =",
                Ok(([1, 0, 2], &[])),
            ),
            ("=== 2 passed in 0.12 seconds ===", Ok(([2, 0, 0], &[]))),
            (
                "1 passed, 1 retried, 4 quarantined in 1.00s",
                Ok(([1, 0, 5], &[])),
            ),
            (
                "no tests collected (13 deselected) in 0.01s",
                Ok(([0, 0, 0], &[])),
            ),
            (
                "4/13 tests collected (9 deselected), 1 error in 0.01s",
                Ok(([0, 1, 0], &[])),
            ),
            (
                "18446744073709551615 passed, 1 xpassed, 1 failed in 1.0s",
                Ok(([u64::MAX, 1, 0], &[])),
            ),
            ("18446744073709551616 passed in 1.0s", Err("no summary")),
            ("5 files in 1.00s", Err("no summary")),
            ("3 passed in ages", Err("no summary")),
            ("3 passed in inf", Err("no summary")),
            ("3 passed", Err("no summary")),
            ("all 3 passed in 0.12s", Err("no summary")),
            ("passed in 0.12s", Err("no summary")),
            ("E  == 3 passed in 0.12s ==", Err("no summary")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn ids_end_where_the_message_begins() {
        for (line, expected) in [
            ("a.py::t - x - y", "a.py::t"),
            ("a.py::t", "a.py::t"),
            ("a.py::t[a - b] - [1] - x", "a.py::t[a - b]"),
            ("a.py::t[a - b]", "a.py::t[a - b]"),
            ("a.py::t - [XPASS(strict)] known", "a.py::t"),
            ("a.py::t[cut - of", "a.py::t[cut"),
        ] {
            assert_eq!(id(line), expected);
        }
        assert_eq!(subtest("SUBFAILED[m - m] (i=1) a.py::t - x"), "a.py::t");
        assert_eq!(subtest("SUBFAILED(i=1)"), "SUBFAILED(i=1)");
    }

    #[test]
    fn line_endings_do_not_matter() {
        for (_, bytes) in [
            output!("pytest/mixed.txt"),
            output!("pytest/mixed-colour.txt"),
        ] {
            let dos = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
            assert_eq!(read(dos.as_bytes()), read(bytes));
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("pytest/mixed-colour.txt").1, output!("pytest/subtests.txt").1, output!("pytest/teardown.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
