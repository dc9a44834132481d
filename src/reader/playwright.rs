//! The JSON of `playwright test --reporter=json`. Source: `JSONReport` in Playwright's `reporter.d.ts`; seen with 1.65.
//!
//! `stats` is held against the tests in `suites`. What fails outside any test (a file that cannot be loaded, the time
//! limit of the whole run, no test found) stands only in `errors`, beside figures that look like a run of nothing: with
//! an error and no failed test nobody knows what was tested, and the report is unreadable. With a failed test the
//! figures stand, as after `--max-failures`: what did not run then is among the skipped.
//!
//! A test that passed only on a retry (`flaky`) is no clean pass and no failure either: it is skipped, as work that is
//! not verified, and measured. A test that failed as `test.fail()` says it must is skipped: it is no evidence that
//! anything works.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, one_report, plain, short};

/// Reads the one report that begins a line. Always with the measure `flaky`.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(bytes, "`stats` and `suites`", |report: &Report| {
        report.stats.is_some() && report.suites.is_some()
    })?;
    let (Some(stats), Some(suites)) = (report.stats, report.suites) else {
        return Err("the JSON has no `stats`".into());
    };
    if let Some(error) = report.errors.first()
        && stats.unexpected == 0
    {
        let message = error.message.as_deref().or(error.value.as_deref());
        let message = plain(message.unwrap_or("without a message").as_bytes());
        let first = message.trim().lines().next().unwrap_or_default();
        return Err(short(&format!("`errors` is not empty: {first}")));
    }

    let mut tally = Tally::default();
    tally.flaky(0);
    let mut listed = Stats::default();
    let mut names = vec![];
    suites
        .iter()
        .try_for_each(|suite| suite.count(&mut names, &mut listed, &mut tally))?;
    for (key, said, counted) in [
        ("expected", stats.expected, listed.expected),
        ("unexpected", stats.unexpected, listed.unexpected),
        ("flaky", stats.flaky, listed.flaky),
        ("skipped", stats.skipped, listed.skipped),
    ] {
        if said != counted {
            return Err(format!(
                "`stats.{key}` is {said}, but the suites have {counted}"
            ));
        }
    }
    Ok(tally.results())
}

/// The report, as far as it is read. Keys are optional: other objects on standard output must not be errors.
#[derive(Deserialize)]
struct Report {
    stats: Option<Stats>,
    suites: Option<Vec<Suite>>,
    #[serde(default)]
    errors: Vec<Error>,
}

#[derive(Default, Deserialize)]
struct Stats {
    expected: u64,
    unexpected: u64,
    flaky: u64,
    skipped: u64,
}

/// An error outside any test; a thrown value that is no error has no message.
#[derive(Deserialize)]
struct Error {
    message: Option<String>,
    value: Option<String>,
}

/// A file or a `describe` in it. The parser's limit bounds how deep they nest.
#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    title: String,
    #[serde(default)]
    specs: Vec<Spec>,
    #[serde(default)]
    suites: Vec<Suite>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    title: String,
    tests: Vec<Test>,
}

/// A spec in one project.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    status: String,
    #[serde(default)]
    expected_status: String,
    #[serde(default)]
    project_name: String,
}

impl Suite {
    /// Counts the tests in it; `names` are those of the suites around it.
    fn count<'a>(
        &'a self,
        names: &mut Vec<&'a str>,
        listed: &mut Stats,
        tally: &mut Tally,
    ) -> Result<(), String> {
        names.push(&self.title);
        for spec in &self.specs {
            for test in &spec.tests {
                match test.status.as_str() {
                    "expected" => {
                        listed.expected += 1;
                        if test.expected_status == "failed" {
                            tally.skipped(1);
                        } else {
                            tally.passed(1);
                        }
                    }
                    "unexpected" => {
                        listed.unexpected += 1;
                        tally.failed(1);
                        tally.name(&full_name(&test.project_name, names, &spec.title));
                    }
                    "flaky" => {
                        listed.flaky += 1;
                        tally.flaky(1);
                    }
                    "skipped" => {
                        listed.skipped += 1;
                        tally.skipped(1);
                    }
                    status => return Err(format!("a test has the status `{}`", short(status))),
                }
            }
        }
        for suite in &self.suites {
            suite.count(names, listed, tally)?;
        }
        names.pop();
        Ok(())
    }
}

/// As Playwright prints it: `[project] › file › suite › title`.
fn full_name(project: &str, suites: &[&str], title: &str) -> String {
    let project = (!project.is_empty()).then(|| format!("[{project}]"));
    let parts: Vec<&str> = project
        .as_deref()
        .into_iter()
        .chain(suites.iter().copied())
        .chain([title])
        .collect();
    parts.join(" › ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, on_a_small_stack, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        const ROUNDS: &[&str] = &["[a] › mixed.spec.js › price › rounds \"up\" & <down>"];
        check(
            read,
            &[
                (output!("playwright/green.json"), Ok(([1, 0, 0], &[]))),
                // Of the skipped, one is flaky and one must fail.
                (output!("playwright/mixed.json"), Ok(([1, 1, 4], ROUNDS))),
                (
                    output!("playwright/surprise.json"),
                    Ok((
                        [0, 2, 1],
                        &[
                            "[a] › surprise.spec.js › must fail and passes",
                            "[a] › surprise.spec.js › steps › first",
                        ],
                    )),
                ),
                (
                    output!("playwright/hooks.json"),
                    Ok(([0, 1, 1], &["[a] › hooks.spec.js › one"])),
                ),
                (output!("playwright/projects.json"), Ok(([4, 0, 0], &[]))),
                (output!("playwright/list.json"), Ok(([0, 0, 6], &[]))),
                (output!("playwright/stopped.json"), Ok(([1, 1, 4], ROUNDS))),
                (
                    output!("playwright/load.json"),
                    Err("`errors` is not empty: Error: Cannot find module './absent'"),
                ),
                (
                    output!("playwright/timeout.json"),
                    Err("`errors` is not empty: Timed out waiting 1.5s"),
                ),
                (
                    output!("playwright/none.json"),
                    Err("`errors` is not empty: Error: No tests found."),
                ),
                (
                    output!("jest/green.json"),
                    Err("has no `stats` and `suites`"),
                ),
            ],
        );
    }

    #[test]
    fn flaky_tests_are_measured() {
        let flaky = |bytes| read(bytes).unwrap().measures["flaky"];
        assert_eq!(flaky(output!("playwright/mixed.json").1), 1.0);
        assert_eq!(flaky(output!("playwright/green.json").1), 0.0);
    }

    #[test]
    fn written_outputs() {
        const GREEN: &str = r#"{"stats":{"expected":1,"unexpected":0,"flaky":0,"skipped":0},"errors":[],"suites":[{"title":"a.js","specs":[{"title":"x","tests":[{"status":"expected"}]}]}]}"#;
        let cases: &[(&str, Read)] = &[
            (GREEN, Ok(([1, 0, 0], &[]))),
            (
                &format!("\r\n> x\r\n\r\n{GREEN}\r\ndone\r\n"),
                Ok(([1, 0, 0], &[])),
            ),
            (
                &format!("{GREEN}\n{GREEN}"),
                Err("a second report begins on line 2"),
            ),
            (
                &GREEN.replace("\"expected\":1", "\"expected\":2"),
                Err("`stats.expected` is 2, but the suites have 1"),
            ),
            (
                &GREEN.replace("\"unexpected\":0", "\"unexpected\":1"),
                Err("`stats.unexpected` is 1, but the suites have 0"),
            ),
            (
                &GREEN.replace("\"status\":\"expected\"", "\"status\":\"odd\""),
                Err("a test has the status `odd`"),
            ),
            (
                &GREEN.replace("[],", "[{\"value\":\"x\"}],"),
                Err("`errors` is not empty: x"),
            ),
            (
                &GREEN.replace("[],", "[{}],"),
                Err("`errors` is not empty: without a message"),
            ),
            (
                &GREEN.replace(",\"flaky\":0", ""),
                Err("missing field `flaky`"),
            ),
            (
                &GREEN.replace("stats", "s"),
                Err("has no `stats` and `suites`"),
            ),
            (&GREEN[..GREEN.len() / 2], Err("cannot be read: EOF")),
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
                "{\"suites\":[",
                "{\"suites\":[\n",
                "{\"specs\":[{\"tests\":[",
                "{\n",
            ] {
                assert!(read(part.repeat(100_000).as_bytes()).is_err());
            }
            let deep = "{\"suites\":[".repeat(50) + &"]}".repeat(50);
            let deep = deep.replacen(
                '{',
                "{\"stats\":{\"expected\":0,\"unexpected\":0,\"flaky\":0,\"skipped\":0},",
                1,
            );
            assert!(read(deep.as_bytes()).is_ok());
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("playwright/mixed.json").1, output!("playwright/load.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
