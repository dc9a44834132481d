//! CTRF, the Common Test Report Format: one JSON object with `results.tests[]` and `results.summary`. Source: the schema
//! of the npm package `ctrf`; seen from jest-ctrf-json-reporter and playwright-ctrf-json-reporter.
//!
//! The list is counted. Where the summary says otherwise, something is missing and the report is unreadable. `pending`
//! and `other` are skipped: of what is neither passed nor failed nobody knows. A test that passed and is `flaky` is
//! skipped too, and measured.
//!
//! A file of tests that could not be loaded is in no CTRF seen here: the exit status tells of it.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, one_report, short};

/// Reads the one report that begins a line. The measure `flaky` stands where the reporter says of tests whether they are.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(bytes, "`results`", |report: &Report| {
        report.results.is_some()
    })?;
    let Some(Listing { summary, tests }) = report.results else {
        return Err("the JSON has no `results`".into());
    };
    let mut tally = Tally::default();
    let mut listed = Summary {
        tests: tests.len() as u64,
        ..Summary::default()
    };
    for test in &tests {
        if test.flaky.is_some() {
            tally.flaky(0);
        }
        match test.status.as_str() {
            "passed" => {
                listed.passed += 1;
                if test.flaky == Some(true) {
                    tally.flaky(1);
                } else {
                    tally.passed(1);
                }
            }
            "failed" => {
                listed.failed += 1;
                tally.failed(1);
                tally.name(&test.full_name());
            }
            status => {
                *match status {
                    "skipped" => &mut listed.skipped,
                    "pending" => &mut listed.pending,
                    "other" => &mut listed.other,
                    _ => return Err(format!("a test has the status `{}`", short(status))),
                } += 1;
                tally.skipped(1);
            }
        }
    }
    for (key, said, counted) in [
        ("tests", summary.tests, listed.tests),
        ("passed", summary.passed, listed.passed),
        ("failed", summary.failed, listed.failed),
        ("skipped", summary.skipped, listed.skipped),
        ("pending", summary.pending, listed.pending),
        ("other", summary.other, listed.other),
    ] {
        if said != counted {
            return Err(format!(
                "`summary.{key}` is {said}, but the list of tests has {counted}"
            ));
        }
    }
    Ok(tally.results())
}

/// The report, as far as it is read. Its key is optional: other objects on standard output must not be errors.
#[derive(Deserialize)]
struct Report {
    results: Option<Listing>,
}

#[derive(Deserialize)]
struct Listing {
    summary: Summary,
    tests: Vec<Test>,
}

/// The totals, all of which the schema requires.
#[derive(Default, Deserialize)]
struct Summary {
    tests: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    pending: u64,
    other: u64,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    status: String,
    flaky: Option<bool>,
    suite: Option<Suite>,
}

/// A path of suites: text or, in later versions of the schema, a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Suite {
    Text(String),
    Path(Vec<String>),
}

impl Test {
    fn full_name(&self) -> String {
        match &self.suite {
            Some(Suite::Text(suite)) if !suite.is_empty() => format!("{suite} > {}", self.name),
            Some(Suite::Path(path)) if !path.is_empty() => {
                format!("{} > {}", path.join(" > "), self.name)
            }
            _ => self.name.clone(),
        }
    }
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
                (
                    output!("ctrf/jest-mixed.json"),
                    Ok((
                        [1, 1, 3],
                        &["mixed.test.js > price > price rounds \"up\" & <down>"],
                    )),
                ),
                (output!("ctrf/jest-green.json"), Ok(([1, 0, 0], &[]))),
                // The one file could not be loaded: the exit status is 1.
                (output!("ctrf/jest-load.json"), Ok(([0, 0, 0], &[]))),
                // The summary counts a test that must fail and did as failed, the list as passed.
                (
                    output!("ctrf/playwright-mixed.json"),
                    Err("`summary.passed` is 2, but the list of tests has 3"),
                ),
                (output!("jest/green.json"), Err("has no `results`")),
            ],
        );
    }

    #[test]
    fn flaky_tests_are_measured() {
        let measures = |bytes| read(bytes).unwrap().measures;
        assert_eq!(measures(output!("ctrf/jest-mixed.json").1)["flaky"], 1.0);
        assert_eq!(measures(output!("ctrf/jest-green.json").1)["flaky"], 0.0);
        assert!(measures(report(1, "passed", "").as_bytes()).is_empty());
    }

    fn report(tests: u64, status: &str, more: &str) -> String {
        let count = |one: &str| u64::from(one == status);
        format!(
            "{{\"results\":{{\"summary\":{{\"tests\":{tests},\"passed\":{},\"failed\":{},\"skipped\":{},\"pending\":{},\
             \"other\":{},\"start\":0,\"stop\":0}},\"tests\":[{{\"name\":\"a\",\"status\":\"{status}\",\"duration\":1{more}}}]}}}}",
            count("passed"),
            count("failed"),
            count("skipped"),
            count("pending"),
            count("other"),
        )
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (&report(1, "passed", ""), Ok(([1, 0, 0], &[]))),
            (
                &report(1, "passed", ",\"flaky\":false"),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &report(1, "passed", ",\"flaky\":true"),
                Ok(([0, 0, 1], &[])),
            ),
            (
                &report(1, "failed", ",\"flaky\":true"),
                Ok(([0, 1, 0], &["a"])),
            ),
            (
                &report(1, "failed", ",\"suite\":[\"x\",\"y\"]"),
                Ok(([0, 1, 0], &["x > y > a"])),
            ),
            (
                &report(1, "failed", ",\"suite\":\"\""),
                Ok(([0, 1, 0], &["a"])),
            ),
            (&report(1, "skipped", ""), Ok(([0, 0, 1], &[]))),
            (&report(1, "pending", ""), Ok(([0, 0, 1], &[]))),
            (&report(1, "other", ""), Ok(([0, 0, 1], &[]))),
            (
                &report(1, "Passed", ""),
                Err("a test has the status `Passed`"),
            ),
            (
                &report(2, "passed", ""),
                Err("`summary.tests` is 2, but the list of tests has 1"),
            ),
            (
                &format!("> x\r\n\r\n{}\r\ndone\r\n", report(1, "passed", "")),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &format!("{0}\n{0}", report(1, "passed", "")),
                Err("a second report begins on line 2"),
            ),
            (
                &report(1, "passed", "").replace("\"other\"", "\"others\""),
                Err("missing field `other`"),
            ),
            ("{\"results\":{}}", Err("missing field")),
            ("{}", Err("has no `results`")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn nesting_and_repetition_do_no_harm() {
        on_a_small_stack(|| {
            for part in ["[", "{\"a\":", "{\"results\":{", "{\n", "{\"results\":\n"] {
                assert!(read(part.repeat(100_000).as_bytes()).is_err());
            }
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("ctrf/jest-mixed.json").1, output!("ctrf/playwright-mixed.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
