//! From the bytes of a tool's results to figures: one file per format. The probe that ran the tool hands over what the
//! tool wrote; what is read here becomes the reading of its evidence.
//!
//! Each reader is pure, never panics whatever the bytes, takes time linear in them, and prefers to say that results
//! are unreadable over guessing: a wrong count is worse than none. Where a tool leaves open what became of a test, the
//! worse is assumed. Printed text is read with colours or without, with either line ending.
//!
//! To add a format: one file here and one line in [`ALL`]. [`json`] alone is none of them: what it reads is in the
//! manifest, and only a child of this program, with limits, looks at the bytes.

pub mod actionlint;
pub mod cargo_audit;
pub mod cobertura;
pub mod compose;
mod coverage;
pub mod ctrf;
pub mod go_test;
pub mod jest;
pub mod json;
pub mod junit;
pub mod lcov;
pub mod libtest;
pub mod locust;
pub mod mocha;
pub mod nextest;
pub mod nginx;
pub mod npm_audit;
pub mod pip_audit;
pub mod playwright;
pub mod prometheus;
pub mod promtool;
pub mod pytest;
pub mod shellcheck;
pub mod tap;

use serde::de::DeserializeOwned;

use crate::domain::check::{Exits, Reader};
use crate::domain::evidence::{Counts, Reading, Results};
use crate::process::Cancel;

/// A format of results that can be read.
pub struct Format {
    /// Its name in manifests.
    pub name: &'static str,
    /// What it is, in one line for a person.
    pub about: &'static str,
    /// Turns a tool's whole output into figures. The error says in one lower-case sentence what is wrong and where.
    pub read: fn(&[u8]) -> Result<Results, String>,
    /// What the exit statuses of a tool that writes it mean, where the manifest does not say.
    pub exits: fn() -> Exits,
}

/// Every format, by name.
#[rustfmt::skip]
pub const ALL: &[Format] = &[
    Format { name: "actionlint", about: "the JSON of `actionlint -format '{{json .}}'`", read: actionlint::read, exits: Exits::default },
    Format { name: "cargo-audit", about: "the JSON of `cargo audit --json`", read: cargo_audit::read, exits: Exits::default },
    Format { name: "cobertura", about: "Cobertura's XML, which most coverage tools write", read: cobertura::read, exits: Exits::default },
    Format { name: "compose", about: "what `docker compose config --services` prints", read: compose::read, exits: compose::exits },
    Format { name: "ctrf", about: "a CTRF report, which reporters for many test tools write", read: ctrf::read, exits: Exits::default },
    Format { name: "go-test", about: "the JSON lines of `go test -json`", read: go_test::read, exits: Exits::default },
    Format { name: "jest", about: "the JSON of `jest --json`", read: jest::read, exits: Exits::default },
    Format { name: "junit", about: "JUnit XML, which most test tools write", read: junit::read, exits: Exits::default },
    Format { name: "lcov", about: "LCOV's tracefile, which most coverage tools write", read: lcov::read, exits: Exits::default },
    Format { name: "libtest", about: "what `cargo test` prints", read: libtest::read, exits: libtest::exits },
    Format { name: "locust", about: "the JSON of `locust --headless --json`", read: locust::read, exits: Exits::default },
    Format { name: "mocha", about: "the JSON of `mocha --reporter json`", read: mocha::read, exits: Exits::default },
    Format { name: "nextest", about: "what `cargo nextest run` prints", read: nextest::read, exits: nextest::exits },
    Format { name: "nginx", about: "what `nginx -T` prints", read: nginx::read, exits: nginx::exits },
    Format { name: "npm-audit", about: "the JSON of `npm audit --json`", read: npm_audit::read, exits: Exits::default },
    Format { name: "pip-audit", about: "the JSON of `pip-audit --format json`", read: pip_audit::read, exits: Exits::default },
    Format { name: "playwright", about: "the JSON of `playwright test --reporter=json`", read: playwright::read, exits: Exits::default },
    Format { name: "prometheus", about: "a Prometheus exposition, as a service answers on `/metrics`", read: prometheus::read, exits: Exits::default },
    Format { name: "promtool", about: "what `promtool check rules` prints", read: promtool::read, exits: Exits::default },
    Format { name: "pytest", about: "the summary that pytest prints", read: pytest::read, exits: pytest::exits },
    Format { name: "shellcheck", about: "the JSON of `shellcheck --format=json`", read: shellcheck::read, exits: Exits::default },
    Format { name: "tap", about: "TAP, the Test Anything Protocol", read: tap::read, exits: Exits::default },
    Format { name: "vitest", about: "the JSON of `vitest --reporter=json`", read: jest::read, exits: Exits::default },
];

/// The name of every reader, with what it reads.
pub fn names() -> Vec<(&'static str, &'static str)> {
    let formats = ALL.iter().map(|format| (format.name, format.about));
    let mut names = formats
        .chain([(json::NAME, json::ABOUT)])
        .collect::<Vec<_>>();
    names.sort_unstable();
    names
}

/// What the exit statuses of a tool behind a reader mean; none where there is no such reader.
pub fn exits(name: &str) -> Option<Exits> {
    match name {
        json::NAME => Some(Exits::default()),
        name => by_name(name).map(|format| (format.exits)()),
    }
}

/// Reads a tool's results as its reader says.
pub fn read(reader: &Reader, bytes: &[u8], cancel: &Cancel) -> Reading {
    if let Some(queries) = &reader.queries {
        return json::read(queries, bytes, cancel);
    }
    let read = match by_name(&reader.format) {
        Some(format) => (format.read)(bytes),
        None => Err(format!("there is no reader `{}`", reader.format)),
    };
    match read {
        Ok(results) => Reading::Results(results),
        Err(problem) => Reading::Unreadable(problem),
    }
}

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

/// Results as they are counted, with the names of the first that failed.
#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    failures: Vec<String>,
    /// How many passed only on a retry, where the format tells.
    flaky: Option<u64>,
}

impl Tally {
    fn passed(&mut self, number: u64) {
        self.counts.passed = self.counts.passed.saturating_add(number);
    }

    fn skipped(&mut self, number: u64) {
        self.counts.skipped = self.counts.skipped.saturating_add(number);
    }

    fn failed(&mut self, number: u64) {
        self.counts.failed = self.counts.failed.saturating_add(number);
    }

    /// Counts what passed only on a retry: no clean pass and no failure, so skipped, as work that is not verified. The
    /// measure `flaky` says how many.
    fn flaky(&mut self, number: u64) {
        self.skipped(number);
        self.flaky = Some(self.flaky.unwrap_or_default().saturating_add(number));
    }

    /// Names a failed result.
    fn name(&mut self, name: &str) {
        if self.failures.len() < Results::NAMED {
            self.failures.push(short(name));
        }
    }

    fn results(self) -> Results {
        let mut results = Results::counted(self.counts, self.failures);
        if let Some(flaky) = self.flaky {
            results.measures.insert("flaky".into(), flaky as f64);
        }
        results
    }
}

/// A tool's words as one line of bounded length: they may hold line breaks and control characters, and go on for ever.
fn short(words: &str) -> String {
    const LONGEST: usize = 200;
    let mut characters = words.trim().chars();
    let mut short: String = characters
        .by_ref()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Printed text as a person sees it: escape sequences (ECMA-48) removed, bytes that are not UTF-8 replaced.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after_escape(sequence);
    }
    plain.push_str(rest);
    plain
}

/// What follows an escape sequence, given what follows its ESC. A sequence never reaches over the end of its line, so
/// that a broken one hides no line.
fn after_escape(sequence: &str) -> &str {
    let last = |rest: &'_ str, from: char| rest.starts_with(|c| (from..='~').contains(&c));
    let (rest, last) = if let Some(control) = sequence.strip_prefix('[') {
        let rest = control.trim_start_matches(|c| (' '..='?').contains(&c));
        (rest, last(rest, '@'))
    } else if let Some(command) = sequence.strip_prefix(']') {
        let line = command.split('\n').next().unwrap_or_default();
        let bell = line.find('\u{7}').map(|at| at + 1);
        let string = line.find("\u{1b}\\").map(|at| at + 2);
        let length = bell.into_iter().chain(string).min().unwrap_or(line.len());
        (&command[length..], false)
    } else {
        let rest = sequence.trim_start_matches(|c| (' '..='/').contains(&c));
        (rest, last(rest, '0'))
    };
    // All characters of a sequence are ASCII, one byte each.
    &rest[usize::from(last)..]
}

/// Findings, by their names.
fn found(names: impl ExactSizeIterator<Item = String>) -> Results {
    Results {
        findings: Some(names.len() as u64),
        failures: names
            .take(Results::NAMED)
            .map(|name| short(&name))
            .collect(),
        ..Results::default()
    }
}

/// The one JSON value that the bytes are, of a tool that writes nothing else beside it.
fn whole_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err("the JSON is empty".into());
    }
    serde_json::from_slice(bytes)
        .map_err(|error| short(&format!("the JSON cannot be read: {error}")))
}

/// The one report among the JSON objects that begin a line: on standard output it stands among the banner of `npm test`
/// and what the tests print. Two of them are two runs, and neither speaks for both. `told` is what a report is known by,
/// in words, and `is` whether an object has it.
fn one_report<R: DeserializeOwned>(
    bytes: &[u8],
    told: &str,
    is: impl Fn(&R) -> bool,
) -> Result<R, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err("the JSON is empty".into());
    }
    let line = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let mut found = None;
    let mut problem = None;
    let mut at = 0;
    while let Some(start) = next_object(bytes, at) {
        let mut objects = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<R>();
        match objects.next() {
            Some(Ok(report)) => {
                at = start + objects.byte_offset();
                if !is(&report) {
                    problem = problem.or(Some((start, None)));
                } else if found.is_some() {
                    return Err(format!(
                        "a second report begins on line {}: read each run by itself",
                        line(start)
                    ));
                } else {
                    found = Some(report);
                }
            }
            Some(Err(error)) => {
                // Goes on where the error is: what was read up to there is never read again, and time stays linear.
                at = start + begin_of_line(&bytes[start..], error.line()).max(1);
                problem = Some((start, Some(error)));
            }
            None => break,
        }
    }
    found.ok_or_else(|| match problem {
        Some((start, Some(error))) => {
            let line = line(start);
            short(&format!(
                "the JSON that begins on line {line} cannot be read: {error}"
            ))
        }
        Some((start, None)) => format!("the JSON on line {} has no {told}", line(start)),
        None => "no line begins with `{`: there is no JSON object".into(),
    })
}

/// Where the next line that begins with `{` begins, from there on.
fn next_object(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|at| bytes[*at] == b'{' && (*at == 0 || bytes[at - 1] == b'\n'))
}

/// Where the line of that number begins; lines count from 1.
fn begin_of_line(bytes: &[u8], number: usize) -> usize {
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(ends)
        .take(number.max(1))
        .last()
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader makes of an output: passed, failed, skipped and the names of the failed, or a part of the error.
    pub(super) type Read = Result<([u64; 3], &'static [&'static str]), &'static str>;

    /// An output that a tool wrote, by its path under `tests/outputs`.
    macro_rules! output {
        ($path:literal) => {
            (
                $path,
                include_bytes!(concat!("../../tests/outputs/", $path)).as_slice(),
            )
        };
    }
    pub(super) use output;

    /// Holds what a reader makes of each output against what it should.
    pub(super) fn check(
        read: fn(&[u8]) -> Result<Results, String>,
        cases: &[((&str, &[u8]), Read)],
    ) {
        for ((name, bytes), expected) in cases {
            match (read(bytes), expected) {
                (Ok(results), Ok((counts, failures))) => {
                    let Counts {
                        passed,
                        failed,
                        skipped,
                    } = results.counts.unwrap();
                    assert_eq!([passed, failed, skipped], *counts, "{name}");
                    assert_eq!(results.failures, *failures, "{name}");
                }
                (Err(said), Err(part)) => {
                    assert!(said.contains(part), "{name}: {said}");
                    assert!(
                        !said.contains('\n') && !said.starts_with(char::is_uppercase),
                        "{name}: {said}"
                    );
                }
                (read, expected) => panic!("{name}: {read:?}, not {expected:?}"),
            }
        }
    }

    /// Outputs cut off, with bytes changed, with parts repeated, and bytes that no tool wrote.
    pub(super) fn damaged(outputs: Vec<&'static [u8]>) -> impl Strategy<Value = Vec<u8>> {
        let place = || any::<prop::sample::Index>();
        let change = (place(), any::<u8>());
        let harmed = (
            prop::sample::select(outputs),
            place(),
            prop::collection::vec(change, 0..4),
            prop::option::of((place(), place(), place())),
        );
        let harmed = harmed.prop_map(|(output, end, changes, repeat)| {
            let mut bytes = output.to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some((from, length, to)) = repeat {
                let from = from.index(bytes.len());
                let part = bytes[from..from + length.index(bytes.len() - from)].to_vec();
                let to = to.index(bytes.len());
                bytes.splice(to..to, part);
            } else {
                bytes.truncate(end.index(output.len()) + 1);
            }
            bytes
        });
        prop_oneof![3 => harmed, 1 => prop::collection::vec(any::<u8>(), 0..300)]
    }

    /// What holds of results whatever was read.
    pub(super) fn sound(read: Result<Results, String>) -> Result<(), TestCaseError> {
        if let Ok(results) = read {
            // What was skipped may be named too.
            let failed = results
                .counts
                .map(|counts| counts.failed.saturating_add(counts.skipped));
            let most = failed
                .max(results.findings)
                .ok_or_else(|| TestCaseError::fail("neither counts nor findings"))?;
            prop_assert!(results.failures.len() <= Results::NAMED);
            prop_assert!(results.failures.len() as u64 <= most);
        }
        Ok(())
    }

    /// Runs it on a stack as small as a spawned thread's.
    pub(super) fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(run)
            .unwrap()
            .join()
            .unwrap();
    }

    #[test]
    fn formats_are_found_by_their_names() {
        for format in ALL {
            assert_eq!(
                by_name(format.name).map(|found| found.about),
                Some(format.about)
            );
        }
        assert!(by_name("").is_none());
        assert!(ALL.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn every_reader_refuses_what_is_empty() {
        for format in ALL {
            for nothing in [&b""[..], b" \r\n\n", b"\xef\xbb\xbf"] {
                let said = (format.read)(nothing).unwrap_err();
                assert!(said.contains("empty"), "{}: {said}", format.name);
            }
        }
    }

    #[test]
    fn few_tools_have_statuses_of_their_own() {
        for format in ALL {
            let exits = (format.exits)();
            let (no_results, failed): (&[i32], &[i32]) = match format.name {
                "pytest" => (&[5], &[]),
                "nextest" => (&[4], &[101]),
                "libtest" => (&[], &[101]),
                "compose" | "nginx" => (&[], &[1]),
                _ => (&[], &[]),
            };
            assert_eq!(exits.passed, [0]);
            assert_eq!(exits.no_results, no_results, "{}", format.name);
            assert_eq!(exits.failed, failed, "{}", format.name);
        }
    }

    #[test]
    fn escape_sequences_vanish() {
        for (printed, seen) in [
            ("\u{1b}[31m1 failed\u{1b}[0m", "1 failed"),
            ("\u{1b}[32mok\u{1b}(B\u{1b}[m.", "ok."),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7}!", "link!"),
            ("\u{1b}]0;no end\nnext", "\nnext"),
            ("\u{1b}[31\nnext", "\nnext"),
            ("\u{1b}[é\u{1b}", "é"),
            ("\u{1b}\u{1b}[1mx", "x"),
            ("\u{1b}cx", "x"),
        ] {
            assert_eq!(plain(printed.as_bytes()), seen, "{printed:?}");
        }
    }

    #[test]
    fn names_are_one_short_line() {
        let mut tally = Tally::default();
        tally.name(&format!(" a\nb\u{1b}[1m{} ", "é".repeat(300)));
        assert!(tally.failures[0].starts_with("a b [1mé"));
        assert!(tally.failures[0].ends_with("é…"));
        assert_eq!(tally.failures[0].chars().count(), 201);
        for _ in 0..100 {
            tally.name("x");
        }
        assert_eq!(tally.failures.len(), Results::NAMED);
    }
}
