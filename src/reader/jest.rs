//! The JSON of `jest --json` and of `vitest --reporter=json`, which write the same keys. Sources: `AggregatedResult` in
//! `@jest/test-result`, `JsonTestResults` in vitest; seen with jest 30 and vitest 4.
//!
//! Files of tests that could not be loaded, or whose hooks failed outside any test, are in no count of tests: Jest
//! counts them in `numRuntimeErrorTestSuites`, vitest only lists them as failed. Each is one failed result here.
//! `success` also knows of coverage thresholds and obsolete snapshots, though not, in vitest, of errors that no test
//! caught: the exit status tells of those.
//!
//! On standard output the JSON stands among other lines: the banner of `npm test`, what the tests print.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, one_report};

/// Reads the one JSON report that begins a line. Pending and todo tests are skipped.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(bytes, "`numTotalTests`", |report: &Report| {
        report.num_total_tests.is_some()
    })?;
    let Numbers {
        total,
        passed,
        failed,
        skipped,
    } = report.numbers()?;
    if report.was_interrupted {
        return Err("`wasInterrupted` is true: the run did not end".into());
    }
    let mut tally = Tally::default();
    tally.passed(passed);
    tally.failed(failed);
    tally.skipped(skipped);
    let tests = report
        .test_results
        .iter()
        .flat_map(|file| &file.assertion_results);
    let named = usize::try_from(failed).unwrap_or(usize::MAX);
    for test in tests.filter(|test| test.status == "failed").take(named) {
        tally.name(test.full_name.as_deref().unwrap_or("a test without a name"));
    }

    let broken: Vec<_> = report
        .test_results
        .iter()
        .filter(|file| file.is_broken())
        .collect();
    tally.failed((broken.len() as u64).max(report.num_runtime_error_test_suites));
    for file in broken {
        tally.name(file.name.rsplit(['/', '\\']).next().unwrap_or_default());
    }

    match report.success {
        None => Err("the JSON has no `success`".into()),
        Some(false) if total > 0 && tally.counts.failed == 0 => Err(
            "`success` is false though no test failed: a coverage threshold, an obsolete snapshot or a reporter".into(),
        ),
        Some(_) => Ok(tally.results()),
    }
}

/// The report, as far as it is read. Every key is optional: other objects on standard output must not be errors.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    num_total_tests: Option<u64>,
    num_passed_tests: Option<u64>,
    num_failed_tests: Option<u64>,
    #[serde(default)]
    num_pending_tests: u64,
    #[serde(default)]
    num_todo_tests: u64,
    #[serde(default)]
    num_runtime_error_test_suites: u64,
    success: Option<bool>,
    #[serde(default)]
    was_interrupted: bool,
    #[serde(default)]
    test_results: Vec<File>,
}

/// A file of tests.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    assertion_results: Vec<Test>,
}

impl File {
    /// Whether it failed though none of its tests did.
    fn is_broken(&self) -> bool {
        self.status == "failed"
            && self
                .assertion_results
                .iter()
                .all(|test| test.status != "failed")
    }
}

/// A test.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    full_name: Option<String>,
    #[serde(default)]
    status: String,
}

struct Numbers {
    total: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Report {
    fn numbers(&self) -> Result<Numbers, String> {
        let missing = |key: &str| format!("the JSON has no `{key}`");
        let total = self
            .num_total_tests
            .ok_or_else(|| missing("numTotalTests"))?;
        let passed = self
            .num_passed_tests
            .ok_or_else(|| missing("numPassedTests"))?;
        let failed = self
            .num_failed_tests
            .ok_or_else(|| missing("numFailedTests"))?;
        let skipped = self.num_pending_tests.saturating_add(self.num_todo_tests);
        if passed.saturating_add(failed).saturating_add(skipped) != total {
            return Err(format!(
                "`numTotalTests` is {total}, but {passed} passed, {failed} failed and {skipped} are pending or todo"
            ));
        }
        Ok(Numbers {
            total,
            passed,
            failed,
            skipped,
        })
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
        let mixed = Ok(([3, 2, 2], &["fails", "price rounds \"up\" & <down>"][..]));
        check(
            read,
            &[
                (output!("jest/green.json"), Ok(([2, 0, 0], &[]))),
                (output!("jest/mixed.json"), mixed),
                (output!("jest/banner.txt"), mixed),
                (output!("jest/noise.txt"), Ok(([1, 0, 0], &[]))),
                (
                    output!("jest/load.json"),
                    Ok(([1, 1, 0], &["broken.test.js"])),
                ),
                (
                    output!("jest/after.json"),
                    Ok(([2, 1, 0], &["after.test.js"])),
                ),
                (output!("jest/skips.json"), Ok(([0, 0, 2], &[]))),
                (output!("jest/only.json"), Ok(([1, 0, 2], &[]))),
                (output!("jest/none.json"), Ok(([0, 0, 0], &[]))),
                (
                    output!("jest/threshold.json"),
                    Err("`success` is false though no test failed"),
                ),
                (output!("vitest/green.json"), Ok(([2, 0, 0], &[]))),
                (
                    output!("vitest/mixed.json"),
                    Ok(([4, 2, 3], &["fails", "price rounds \"up\" & <down>"])),
                ),
                (
                    output!("vitest/load.json"),
                    Ok(([1, 1, 0], &["broken.test.js"])),
                ),
                (
                    output!("vitest/after.json"),
                    Ok(([2, 1, 0], &["after.test.js"])),
                ),
                (
                    output!("vitest/before.json"),
                    Ok(([0, 1, 2], &["b.test.js"])),
                ),
                (output!("vitest/skips.json"), Ok(([0, 0, 2], &[]))),
                (output!("vitest/none.json"), Ok(([0, 0, 0], &[]))),
                // Its exit status is 1, and nothing in the file says so.
                (output!("vitest/unhandled.json"), Ok(([2, 0, 0], &[]))),
                (output!("vitest/green.xml"), Err("no line begins with `{`")),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        const GREEN: &str =
            r#"{"numTotalTests":1,"numPassedTests":1,"numFailedTests":0,"success":true}"#;
        let cases: &[(&str, Read)] = &[
            (GREEN, Ok(([1, 0, 0], &[]))),
            (&format!("\u{feff}{GREEN}"), Ok(([1, 0, 0], &[]))),
            (
                &format!("\r\n> x\r\n\r\n{GREEN}\r\ndone\r\n"),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &format!("{{\n{{ a: 1 }}\n{{\"x\":[]}}\n{GREEN}\n{{}}\n{{"),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &format!("{GREEN}\n{GREEN}"),
                Err("a second report begins on line 2"),
            ),
            (
                &GREEN.replace("\"numTotalTests\":1", "\"numTotalTests\":2"),
                Err("`numTotalTests` is 2, but 1 passed"),
            ),
            (&GREEN.replace("true", "false"), Err("`success` is false")),
            (
                &GREEN.replace("true", "true,\"wasInterrupted\":true"),
                Err("`wasInterrupted`"),
            ),
            (
                &GREEN.replace("true", "true,\"numRuntimeErrorTestSuites\":2"),
                Ok(([1, 2, 0], &[])),
            ),
            (&GREEN.replace(",\"success\":true", ""), Err("no `success`")),
            (
                &GREEN.replace("numPassedTests", "passed"),
                Err("no `numPassedTests`"),
            ),
            (
                &GREEN.replace("numTotalTests", "total"),
                Err("the JSON on line 1 has no `numTotalTests`"),
            ),
            (
                &GREEN.replace(":1,", ":-1,"),
                Err("line 1 cannot be read: invalid value"),
            ),
            (
                &format!("> x\n{}", &GREEN[..GREEN.len() / 2]),
                Err("line 2 cannot be read: EOF"),
            ),
            (
                "<!DOCTYPE html>\n<html></html>",
                Err("no line begins with `{`"),
            ),
            ("[]", Err("no line begins with `{`")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn cut_in_half_is_unreadable() {
        for (name, bytes) in [
            output!("jest/mixed.json"),
            output!("vitest/mixed.json"),
            output!("jest/banner.txt"),
        ] {
            assert!(read(&bytes[..bytes.len() / 2]).is_err(), "{name}");
        }
    }

    #[test]
    fn nesting_and_repetition_do_no_harm() {
        on_a_small_stack(|| {
            for part in [
                "[",
                "{\"a\":",
                "{\"testResults\":[",
                "{\"a\":[\n",
                "{\n",
                "{}\n",
            ] {
                assert!(
                    read(format!("{{\"testResults\":{}", part.repeat(100_000)).as_bytes()).is_err()
                );
                assert!(read(part.repeat(100_000).as_bytes()).is_err());
            }
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("jest/mixed.json").1, output!("jest/noise.txt").1, output!("vitest/load.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
