//! The JSON of `mocha --reporter json`. Source: mocha's `lib/reporters/json.js`; seen with mocha 10.
//!
//! `stats` is held against the lists `tests`, `passes`, `pending` and `failures`. These overlap: a failed hook is among
//! the failures and no test, and a test whose callback was called again with an error is both a pass and a failure. Each
//! test counts once, failed if any list says so, and each failure that is no test counts by itself.
//!
//! A pass on a retry is no clean pass and no failure either: it is skipped, as work that is not verified, and measured.
//! So is a pass without a duration, which never ran (`--dry-run`), though it is not measured.
//!
//! Tests that a failed hook kept from running, or `.only` or `--bail` left out, are not in the JSON at all.

use std::collections::HashMap;

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, one_report, short};

/// Reads the one report that begins a line. Always with the measure `flaky`.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(
        bytes,
        "`stats` with the lists of tests",
        |report: &Report| report.lists().is_some(),
    )?;
    let Some((stats, [tests, passes, pending, failures])) = report.lists() else {
        return Err("the JSON has no `stats`".into());
    };
    for (key, said, list) in [
        ("tests", stats.tests, tests),
        ("passes", stats.passes, passes),
        ("pending", stats.pending, pending),
        ("failures", stats.failures, failures),
    ] {
        if said != Some(list.len() as u64) {
            let said = said.map_or("missing".into(), |said| said.to_string());
            return Err(format!(
                "`stats.{key}` is {said}, but the list has {}",
                list.len()
            ));
        }
    }

    let mut seen: HashMap<Key, Seen> = HashMap::new();
    for test in tests {
        seen.entry(test.key()).or_default().tests += 1;
    }
    let absent = |test: &Test| {
        short(&format!(
            "`{}` has an outcome, but is not in the list of tests",
            test.full_title
        ))
    };
    if let Some(test) = pending.iter().find(|test| !seen.contains_key(&test.key())) {
        return Err(absent(test));
    }
    for test in passes {
        let seen = seen.get_mut(&test.key()).ok_or_else(|| absent(test))?;
        match (test.duration, test.current_retry) {
            (None, _) => {}
            (Some(_), 0) => seen.passes += 1,
            (Some(_), _) => seen.flaky += 1,
        }
    }
    let mut tally = Tally::default();
    tally.flaky(0);
    for failure in failures {
        let seen = seen.entry(failure.key()).or_default();
        // Beyond the number of its tests it failed again, unless it is no test.
        if seen.tests == 0 || seen.failed < seen.tests {
            seen.failed += 1;
            tally.failed(1);
            tally.name(&failure.full_title);
        }
    }
    for seen in seen.values() {
        let mut rest = seen.tests.saturating_sub(seen.failed);
        let mut at_most = |number: u64| {
            let number = number.min(rest);
            rest -= number;
            number
        };
        // The worse first, where the lists give a test more than one outcome.
        tally.flaky(at_most(seen.flaky));
        tally.passed(at_most(seen.passes));
        tally.skipped(rest);
    }
    Ok(tally.results())
}

/// The report, as far as it is read. Every key is optional: other objects on standard output must not be errors.
#[derive(Deserialize)]
struct Report {
    stats: Option<Stats>,
    tests: Option<Vec<Test>>,
    passes: Option<Vec<Test>>,
    pending: Option<Vec<Test>>,
    failures: Option<Vec<Test>>,
}

impl Report {
    /// The figures, with the tests, passes, pending and failures; where it has them all, it is a report.
    fn lists(&self) -> Option<(&Stats, [&[Test]; 4])> {
        let lists = [
            self.tests.as_deref()?,
            self.passes.as_deref()?,
            self.pending.as_deref()?,
            self.failures.as_deref()?,
        ];
        Some((self.stats.as_ref()?, lists))
    }
}

#[derive(Deserialize)]
struct Stats {
    tests: Option<u64>,
    passes: Option<u64>,
    pending: Option<u64>,
    failures: Option<u64>,
}

/// A test or, among the failures, a hook.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    #[serde(default)]
    full_title: String,
    file: Option<String>,
    duration: Option<f64>,
    #[serde(default)]
    current_retry: u64,
}

/// What a test is known by in every list; tests may share it.
type Key<'a> = (Option<&'a str>, &'a str);

impl Test {
    fn key(&self) -> Key<'_> {
        (self.file.as_deref(), &self.full_title)
    }
}

/// How often something of that key is in each list.
#[derive(Default)]
struct Seen {
    tests: u64,
    passes: u64,
    flaky: u64,
    failed: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, on_a_small_stack, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("mocha/green.json"), Ok(([2, 0, 0], &[]))),
                (
                    output!("mocha/mixed.json"),
                    Ok(([1, 1, 4], &["price rounds \"up\" & <down>"])),
                ),
                (
                    output!("mocha/before.json"),
                    Ok((
                        [3, 4, 0],
                        &[
                            "outer db \"before all\" hook: connects for \"one\"",
                            "outer after \"after all\" hook for \"three\"",
                            "outer each \"before each\" hook for \"four\"",
                            "outer aeach \"after each\" hook for \"six\"",
                        ],
                    )),
                ),
                // `done()` and then `done(error)`.
                (
                    output!("mocha/double.json"),
                    Ok(([1, 1, 0], &["done twice"])),
                ),
                // A test printed JSON with `stats`.
                (output!("mocha/noise.json"), Ok(([1, 0, 0], &[]))),
                (output!("mocha/dry-run.json"), Ok(([0, 0, 6], &[]))),
                (
                    output!("jest/green.json"),
                    Err("has no `stats` with the lists of tests"),
                ),
                (output!("mocha/mixed.tap"), Err("no line begins with `{`")),
            ],
        );
    }

    #[test]
    fn flaky_tests_are_measured() {
        let flaky = |bytes| read(bytes).unwrap().measures["flaky"];
        assert_eq!(flaky(output!("mocha/mixed.json").1), 1.0);
        assert_eq!(flaky(output!("mocha/green.json").1), 0.0);
    }

    /// A report of tests, passes, pending and failures by their titles, each in file `f`.
    fn report(lists: [&[&str]; 4]) -> String {
        let list = |titles: &[&str]| {
            let tests: Vec<_> = titles
                .iter()
                .map(|title| format!("{{\"fullTitle\":\"{title}\",\"file\":\"f\",\"duration\":1}}"))
                .collect();
            tests.join(",")
        };
        let [tests, passes, pending, failures] = lists;
        format!(
            "{{\"stats\":{{\"tests\":{},\"passes\":{},\"pending\":{},\"failures\":{}}},\
             \"tests\":[{}],\"passes\":[{}],\"pending\":[{}],\"failures\":[{}]}}",
            tests.len(),
            passes.len(),
            pending.len(),
            failures.len(),
            list(tests),
            list(passes),
            list(pending),
            list(failures),
        )
    }

    #[test]
    fn written_outputs() {
        let green = &report([&["a"], &["a"], &[], &[]]);
        let cases: &[(&str, Read)] = &[
            (green, Ok(([1, 0, 0], &[]))),
            (&report([&[], &[], &[], &[]]), Ok(([0, 0, 0], &[]))),
            // Two tests of one title, one of which failed.
            (
                &report([&["a", "a"], &["a"], &[], &["a"]]),
                Ok(([1, 1, 0], &["a"])),
            ),
            // One test failed twice.
            (
                &report([&["a"], &[], &[], &["a", "a"]]),
                Ok(([0, 1, 0], &["a"])),
            ),
            // Failures that are no tests.
            (
                &report([&[], &[], &[], &["h", "h"]]),
                Ok(([0, 2, 0], &["h", "h"])),
            ),
            // It began, and nobody knows.
            (&report([&["a"], &[], &[], &[]]), Ok(([0, 0, 1], &[]))),
            (
                &report([&[], &["a"], &[], &[]]),
                Err("`a` has an outcome, but is not in the list of tests"),
            ),
            (
                &report([&[], &[], &["a"], &[]]),
                Err("`a` has an outcome, but is not in the list of tests"),
            ),
            (
                &green.replace("\"tests\":1", "\"tests\":2"),
                Err("`stats.tests` is 2, but the list has 1"),
            ),
            (
                &green
                    .replace("\"failures\":0,", "")
                    .replace(",\"failures\":0", ""),
                Err("`stats.failures` is missing, but the list has 0"),
            ),
            (
                &format!("\u{feff}\r\n> x\r\n{green}\r\ndone\r\n"),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &format!("{green}\n{green}"),
                Err("a second report begins on line 2"),
            ),
            (&green[..green.len() / 2], Err("cannot be read: EOF")),
            (
                "{\"stats\":{}}",
                Err("has no `stats` with the lists of tests"),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn nesting_and_repetition_do_no_harm() {
        on_a_small_stack(|| {
            for part in [
                "[",
                "{\"tests\":[",
                "{\"tests\":[\n",
                "{\"a\":[",
                "{\n",
                "{}\n",
            ] {
                assert!(read(part.repeat(100_000).as_bytes()).is_err());
            }
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("mocha/mixed.json").1, output!("mocha/before.json").1, output!("mocha/noise.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
