//! Expectations that always hold, and patterns that would swallow a real failure.

use regex::bytes::Regex;

use super::{Lint, Said, Severity};
use crate::domain::check::{Check, Probe};
use crate::domain::expectation::{HttpExpect, TextExpect, ValueExpect};
use crate::domain::limit::{Limit, Operator};
use crate::domain::odd::counts_tests;

/// What failures look like, as tools print them. A pattern for what is no failure of the project matches none of them.
const FAILURES: [&str; 14] = [
    "FAILED tests/test_api.py::test_health - AssertionError: assert 500 == 200",
    "E       assert 1 == 2",
    "1 failed, 3 passed in 0.12s",
    "Tests:       1 failed, 22 passed, 23 total",
    "test result: FAILED. 3 passed; 1 failed; 0 ignored",
    "--- FAIL: TestHealth (0.00s)",
    "error: could not compile `shop` due to 1 previous error",
    "Error: expected 200, got 500",
    "AssertionError: expected true to be false",
    "src/app.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.",
    "nginx: [emerg] unexpected \"}\" in nginx.conf:12",
    "ERROR: failed to solve: process \"/bin/sh -c npm test\" did not complete successfully: exit code: 1",
    "Found 2 known vulnerabilities in 1 package",
    "npm ERR! code ELIFECYCLE",
];

impl Lint<'_> {
    /// What a check expects.
    pub(super) fn expectations(&mut self, check: &Check) {
        match &check.probe {
            Probe::Run(run) => {
                self.text(check, &run.expect.stdout, "stdout");
                self.text(check, &run.expect.stderr, "stderr");
            }
            Probe::Http(http) => self.http(check, &http.expect),
            Probe::File(file) => {
                self.text(check, &file.expect.text, "the text");
                if let Some(count) = file
                    .expect
                    .count
                    .as_ref()
                    .filter(|limit| always(limit, 0.0, f64::INFINITY))
                {
                    self.always(
                        check,
                        "expect",
                        &format!("`count` is `{count}`, as any number of files is"),
                    );
                }
            }
            Probe::Variable(variable) => self.text(check, &variable.expect, "the value"),
            Probe::Port(_) | Probe::Tool(_) | Probe::Manual(_) => {}
        }
        self.limits(check);
        self.cannot_tell(check);
        if check.at_least == Some(0) {
            self.always(check, "at_least", "`at_least = 0` asks for no result");
        }
    }

    fn always(&mut self, check: &Check, key: &str, what: &str) {
        self.at_check(
            check,
            key,
            Said {
                rule: "always-holds",
                severity: Severity::Error,
                text: format!("an expectation of `{}` always holds: {what}", check.id),
                hint: "expect what would not be there if the statement were false",
            },
        );
    }

    fn text(&mut self, check: &Check, expect: &TextExpect, name: &str) {
        if expect.contains.iter().any(|text| text.trim().is_empty()) {
            self.always(
                check,
                "expect",
                &format!("{name} contains nothing in particular"),
            );
        }
        let empty = expect
            .matches
            .iter()
            .find(|pattern| matches_nothing(pattern));
        if let Some(pattern) = empty {
            self.always(
                check,
                "expect",
                &format!("`{pattern}` matches the empty text, and so any text"),
            );
        }
    }

    fn http(&mut self, check: &Check, expect: &HttpExpect) {
        let status = &expect.status;
        let of = |class: u16| status.iter().any(|status| status / 100 == class);
        if of(2) && of(5) {
            self.always(
                check,
                "expect",
                "`status` takes an error of the server for well",
            );
        }
        self.text(check, &expect.body, "the body");
        let values = expect.json.iter().chain(&expect.headers);
        for (path, value) in values {
            match value {
                ValueExpect::Matches(pattern) if matches_nothing(pattern) => {
                    let what = format!("`{pattern}` at `{path}` matches any text");
                    self.always(check, "expect", &what);
                }
                ValueExpect::Exists(true) if path == "$" => {
                    self.always(check, "expect", "`$` exists in any JSON");
                }
                _ => {}
            }
        }
        if let Some(latency) = &expect.latency_ms
            && always(latency, 0.0, check.timeout.as_secs_f64() * 1000.0)
        {
            let what = format!(
                "`latency` is `{latency}` ms, and no answer is waited for longer than its time limit"
            );
            self.always(check, "expect", &what);
        }
    }

    fn limits(&mut self, check: &Check) {
        for (name, limit) in &check.limits {
            let (least, most) = range(name);
            if always(limit, least, most) {
                let what = format!("`{name}` is never anything but `{limit}`");
                self.always(check, "limits", &what);
            }
        }
        let of_failures = ["failed", "passed", "findings"];
        let mut names = check.limits.keys();
        if counts_tests(check)
            && !check.limits.is_empty()
            && !names.any(|name| of_failures.contains(&name.as_str()))
        {
            self.at_check(
                check,
                "limits",
                Said {
                    rule: "limits-without-failures",
                    severity: Severity::Error,
                    text: format!(
                        "`{}` is judged by its `limits` alone, and none of them is about tests that fail",
                        check.id
                    ),
                    hint: "add `failed = \"== 0\"`, or take the limits out: then every failure counts",
                },
            );
        }
    }

    /// Patterns by which a failure of the project is taken for a tool that could not do its work: those that the manifest
    /// adds.
    fn cannot_tell(&mut self, check: &Check) {
        if !self.spans.has(&["checks", &check.id, "cannot_tell"]) {
            return;
        }
        let rules = &check.cannot_tell;
        let patterns = rules.stdout.iter().chain(&rules.stderr);
        for pattern in patterns {
            let Ok(regex) = Regex::new(pattern) else {
                continue;
            };
            let swallowed = FAILURES
                .iter()
                .find(|failure| regex.is_match(failure.as_bytes()));
            if let Some(failure) = swallowed {
                let text = format!(
                    "`{pattern}` would take a failure for a tool that could not do its work: `{failure}`"
                );
                let hint = "match the words that the tool says in that case and in no other";
                self.wide(check, text, hint);
            }
        }
        if check.probe.reader().is_none() && rules.exit.contains(&1) {
            let text = format!(
                "`{}` takes exit status 1, by which nearly every tool says that something failed, for one that could not do its work",
                check.id
            );
            let hint = "tell the two apart by what it prints: `cannot_tell = { stderr = […] }`";
            self.wide(check, text, hint);
        }
    }

    fn wide(&mut self, check: &Check, text: String, hint: &str) {
        let said = Said {
            rule: "wide-cannot-tell",
            severity: Severity::Error,
            text,
            hint,
        };
        self.at_check(check, "cannot_tell", said);
    }
}

/// Whether a pattern matches the empty text, and so any text.
fn matches_nothing(pattern: &str) -> bool {
    let anchored = pattern.contains('$') && pattern.contains('^');
    !anchored && Regex::new(pattern).is_ok_and(|regex| regex.is_match(b""))
}

/// The values that a figure can have.
fn range(name: &str) -> (f64, f64) {
    match name {
        _ if name.ends_with("_ratio") => (0.0, 1.0),
        "passed" | "failed" | "skipped" | "total" | "findings" | "requests" | "failures"
        | "critical" | "high" | "moderate" | "medium" | "low" | "info" | "errors" | "warnings"
        | "infos" | "styles" | "samples" | "flaky" => (0.0, f64::INFINITY),
        _ if name.ends_with("_ms") => (0.0, f64::INFINITY),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// Whether every value of a range keeps a limit.
fn always(limit: &Limit, least: f64, most: f64) -> bool {
    let bound = limit.bound;
    match limit.operator {
        Operator::Less => most < bound,
        Operator::AtMost => most <= bound,
        Operator::Greater => least > bound,
        Operator::AtLeast => least >= bound,
        Operator::Equal => least == most && least == bound,
        Operator::NotEqual => bound < least || bound > most,
    }
}
