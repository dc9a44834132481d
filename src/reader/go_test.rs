//! The JSON lines of `go test -json`, one event a line. Source: `go doc test2json`; seen with Go 1.19 and 1.27. Lines that
//! are no events (build output, what else shares the stream) are passed over, but for the `FAIL package [build failed]`
//! that Go prints as text before 1.24.
//!
//! Tests and their subtests both have events, and a failed subtest fails its parent. Counted are the tests without
//! subtests, and of the others those whose failure no subtest explains and those that skipped themselves.
//!
//! A test that began and did not end failed: it hung, or its program died. A benchmark ends with its package. A package
//! that failed though none of its tests did (it does not build, `TestMain` ended it, a data race) is one failed result. A
//! package without an end was cut off, and then nobody knows about the rest of it: that is an error.
//!
//! With `-count`, or where the failed tests are run again into the same stream, a test has several ends. If they differ,
//! it failed; but where its package passed in the end it is flaky, no clean pass and no failure: then it is skipped, as
//! work that is not verified, and measured.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, plain, short};

/// Reads the events of all packages of a run. Always with the measure `flaky`.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let mut run = Run::default();
    for line in text.lines() {
        if line.starts_with('{') {
            if let Ok(event) = serde_json::from_str(line) {
                run.event(event);
            }
        } else if let Some(package) = unbuilt(line) {
            run.broken.insert(package.into());
        }
    }
    run.results()
}

/// The package in `FAIL package [build failed]`.
fn unbuilt(line: &str) -> Option<&str> {
    let (package, why) = line.strip_prefix("FAIL\t")?.rsplit_once(" [")?;
    matches!(why.trim_end(), "build failed]" | "setup failed]").then_some(package)
}

/// An event, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    /// Empty where `go tool test2json` was not told.
    #[serde(borrow, default)]
    package: Cow<'a, str>,
    /// Empty where the event is the package's.
    #[serde(borrow, default)]
    test: Cow<'a, str>,
    #[serde(borrow, default)]
    import_path: Cow<'a, str>,
    #[serde(borrow, default)]
    failed_build: Cow<'a, str>,
}

/// What was read so far.
#[derive(Default)]
struct Run<'a> {
    packages: Vec<Package<'a>>,
    package_at: HashMap<Cow<'a, str>, usize>,
    /// In the order of their first events.
    tests: Vec<Test<'a>>,
    test_at: HashMap<(usize, Cow<'a, str>), usize>,
    /// What did not build and has no package's end.
    broken: HashSet<Cow<'a, str>>,
}

struct Package<'a> {
    name: Cow<'a, str>,
    /// How it ended last; none while it runs.
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Passed,
    Failed,
    Skipped,
}

struct Test<'a> {
    package: usize,
    name: Cow<'a, str>,
    /// How often it began more than it ended.
    open: u64,
    passed: bool,
    failed: bool,
    skipped: bool,
    /// Whether it has subtests.
    parent: bool,
    /// Whether one of these failed.
    explained: bool,
}

impl<'a> Run<'a> {
    fn event(&mut self, event: Event<'a>) {
        let end = match &*event.action {
            // `bench` is the end of a benchmark that logged something.
            "pass" | "bench" => Some(End::Passed),
            "fail" => Some(End::Failed),
            "skip" => Some(End::Skipped),
            "start" | "run" => None,
            "build-fail" => {
                self.broken.insert(event.import_path);
                return;
            }
            _ => return,
        };
        let package = match self.package_at.get(&event.package) {
            Some(at) => *at,
            None => {
                let at = self.packages.len();
                self.packages.push(Package {
                    name: event.package.clone(),
                    end: None,
                });
                self.package_at.insert(event.package, at);
                at
            }
        };
        if event.test.is_empty() {
            self.packages[package].end = end;
            self.broken.remove(&event.failed_build);
        } else {
            if end.is_none() {
                self.packages[package].end = None;
            }
            self.test(package, event.test).event(end);
        }
    }

    fn test(&mut self, package: usize, name: Cow<'a, str>) -> &mut Test<'a> {
        let new = self.tests.len();
        let at = *self.test_at.entry((package, name.clone())).or_insert(new);
        if at == new {
            self.tests.push(Test {
                package,
                name,
                open: 0,
                passed: false,
                failed: false,
                skipped: false,
                parent: false,
                explained: false,
            });
        }
        &mut self.tests[at]
    }

    fn results(mut self) -> Result<Results, String> {
        // Some versions say it in both ways.
        self.broken
            .retain(|path| !self.package_at.contains_key(path));
        if self.packages.is_empty() && self.broken.is_empty() {
            return Err("no line is an event of `go test -json`".into());
        }
        if let Some(package) = self.packages.iter().find(|package| package.end.is_none()) {
            return Err(format!(
                "the package `{}` has no end: the run was cut off",
                short(&package.name)
            ));
        }
        for test in &mut self.tests {
            let passed = self.packages[test.package].end == Some(End::Passed);
            test.close(passed);
        }
        self.explain();

        let mut tally = Tally::default();
        tally.flaky(0);
        let mut failed = vec![false; self.packages.len()];
        for test in &self.tests {
            let package = &self.packages[test.package];
            let flaky = test.passed && package.end == Some(End::Passed);
            failed[test.package] |= test.failed;
            if test.failed && test.explained {
                continue;
            }
            if test.failed && flaky {
                tally.flaky(1);
            } else if test.failed {
                tally.failed(1);
                tally.name(&named(&package.name, &test.name));
            } else if test.skipped {
                tally.skipped(1);
            } else if !test.parent {
                tally.passed(1);
            }
        }
        for (package, failed) in self.packages.iter().zip(failed) {
            if package.end == Some(End::Failed) && !failed {
                tally.failed(1);
                tally.name(&package.name);
            }
        }
        let mut broken: Vec<_> = self.broken.into_iter().collect();
        broken.sort_unstable();
        for path in broken {
            tally.failed(1);
            tally.name(&path);
        }
        Ok(tally.results())
    }

    /// Finds out which tests have subtests, and which of them fail through these.
    fn explain(&mut self) {
        let mut order: Vec<usize> = (0..self.tests.len()).collect();
        // By parts, not as text: else `TestA#01` stands between `TestA` and `TestA/b`.
        order.sort_by(|one, next| {
            let (one, next) = (&self.tests[*one], &self.tests[*next]);
            one.package
                .cmp(&next.package)
                .then_with(|| one.name.split('/').cmp(next.name.split('/')))
        });
        // The tests that the one at hand is below.
        let mut above: Vec<usize> = vec![];
        let mut parents = vec![];
        for at in order {
            while let Some(last) = above.last()
                && !self.tests[at].is_below(&self.tests[*last])
            {
                above.pop();
            }
            if let Some(parent) = above.last() {
                parents.push((at, *parent));
                self.tests[*parent].parent = true;
            }
            above.push(at);
        }
        for (at, parent) in parents.into_iter().rev() {
            let failed = self.tests[at].failed || self.tests[at].explained;
            self.tests[parent].explained |= failed;
        }
    }
}

impl Test<'_> {
    /// It began (none) or ended.
    fn event(&mut self, end: Option<End>) {
        match end {
            None => self.open += 1,
            Some(end) => {
                self.open = self.open.saturating_sub(1);
                match end {
                    End::Passed => self.passed = true,
                    End::Failed => self.failed = true,
                    End::Skipped => self.skipped = true,
                }
            }
        }
    }

    /// Its package ended, and passed or not.
    fn close(&mut self, passed: bool) {
        if self.open > 0 {
            if passed && self.name.starts_with("Benchmark") {
                self.passed = true;
            } else {
                self.failed = true;
                // However often it ended well, once it did not end.
                self.passed = false;
            }
        }
    }

    fn is_below(&self, other: &Test) -> bool {
        let below = self.name.strip_prefix(&*other.name);
        self.package == other.package && below.is_some_and(|below| below.starts_with('/'))
    }
}

fn named(package: &str, test: &str) -> String {
    if package.is_empty() {
        test.to_owned()
    } else {
        format!("{package}: {test}")
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
                    output!("go/price.json"),
                    Ok((
                        [6, 3, 2],
                        &[
                            "example.com/shop/price: TestRounds",
                            "example.com/shop/price: TestTable/two_words",
                            "example.com/shop/price: TestOwn",
                        ],
                    )),
                ),
                // Before Go 1.20 what a test prints without a line break hides its end, and may forge others.
                (
                    output!("go/old-price.json"),
                    Ok((
                        [5, 5, 2],
                        &[
                            "example.com/shop/price: TestRounds",
                            "example.com/shop/price: TestTable/two_words",
                            "example.com/shop/price: TestOwn",
                            "example.com/shop/price: TestPrints",
                            "example.com/shop/price: TestForged",
                        ],
                    )),
                ),
                (
                    output!("go/broken.json"),
                    Ok(([0, 1, 0], &["example.com/shop/broken"])),
                ),
                (
                    output!("go/old-broken.txt"),
                    Ok(([0, 1, 0], &["example.com/shop/broken"])),
                ),
                (output!("go/nosuch.json"), Ok(([0, 1, 0], &["./nosuch"]))),
                (
                    output!("go/crash.json"),
                    Ok(([1, 1, 0], &["example.com/shop/crash: TestPanics/inner"])),
                ),
                (
                    output!("go/old-crash.json"),
                    Ok(([1, 1, 0], &["example.com/shop/crash: TestPanics/inner"])),
                ),
                (
                    output!("go/timeout.json"),
                    Ok(([1, 1, 0], &["example.com/shop/timeout: TestHangs"])),
                ),
                // `TestMain` ended it, before and after its tests.
                (
                    output!("go/fatal.json"),
                    Ok(([0, 1, 0], &["example.com/shop/fatal"])),
                ),
                (
                    output!("go/main.json"),
                    Ok(([1, 1, 0], &["example.com/shop/main"])),
                ),
                (output!("go/par.json"), Ok(([2, 0, 0], &[]))),
                (output!("go/bench.json"), Ok(([1, 0, 0], &[]))),
                (output!("go/none.json"), Ok(([0, 0, 0], &[]))),
                (output!("go/empty.json"), Ok(([0, 0, 0], &[]))),
                (output!("go/rerun.json"), Ok(([1, 0, 1], &[]))),
                (
                    output!("go/count2.json"),
                    Ok(([1, 1, 0], &["example.com/shop/price: TestRounds"])),
                ),
                (output!("jest/green.json"), Err("no line is an event")),
                (output!("cargo/green.txt"), Err("no line is an event")),
            ],
        );
    }

    #[test]
    fn flaky_tests_are_measured() {
        let flaky = |bytes| read(bytes).unwrap().measures["flaky"];
        assert_eq!(flaky(output!("go/rerun.json").1), 1.0);
        assert_eq!(flaky(output!("go/price.json").1), 0.0);
    }

    /// Events of package `p` in short: `run A` is of a test, `pass` of the package; other lines stay as they are.
    fn events(short: &str) -> String {
        let line = |line: &str| {
            let mut words = line.split(' ');
            let action = words.next().unwrap();
            match (action, words.next()) {
                ("start" | "pass" | "fail" | "skip", None) => {
                    format!("{{\"Action\":\"{action}\",\"Package\":\"p\"}}\n")
                }
                ("run" | "pass" | "fail" | "skip" | "bench", Some(test)) => {
                    format!("{{\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":\"{test}\"}}\n")
                }
                _ => format!("{line}\n"),
            }
        };
        short.split("; ").map(line).collect()
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            ("start; run A; pass A; pass", Ok(([1, 0, 0], &[]))),
            ("run A; pass A; pass", Ok(([1, 0, 0], &[]))),
            ("start; run A; pass A", Err("the package `p` has no end")),
            ("start; fail; run A", Err("the package `p` has no end")),
            ("start; run A; fail", Ok(([0, 1, 0], &["p: A"]))),
            // It should not happen, and the worse is assumed.
            ("start; run A; pass", Ok(([0, 1, 0], &["p: A"]))),
            (
                "start; run BenchmarkA; bench BenchmarkA; pass",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "start; run BenchmarkA; fail",
                Ok(([0, 1, 0], &["p: BenchmarkA"])),
            ),
            // Parents: one whose grandchild failed, one that failed by itself, one that skipped itself.
            (
                "start; run A; run A/b; run A/b/c; fail A/b/c; fail A/b; fail A; fail",
                Ok(([0, 1, 0], &["p: A/b/c"])),
            ),
            (
                "run A; run A/b; fail A; pass A/b; fail",
                Ok(([1, 1, 0], &["p: A"])),
            ),
            (
                "run A; run A/b; pass A/b; skip A; pass",
                Ok(([1, 0, 1], &[])),
            ),
            ("run A; run A/b; fail", Ok(([0, 1, 0], &["p: A/b"]))),
            // A name with a `/` of its own, names that sort between parent and child, a child without its parent.
            (
                "run A; run A#01; run A-b; run A/x/y; fail A/x/y; fail A; pass A#01; pass A-b; run B/c; pass B/c; fail",
                Ok(([3, 1, 0], &["p: A/x/y"])),
            ),
            (
                "run A; run AB; fail AB; fail A; fail",
                Ok(([0, 2, 0], &["p: A", "p: AB"])),
            ),
            // Several ends: flaky only where the package passed in the end.
            (
                "run A; fail A; fail; run A; pass A; pass",
                Ok(([0, 0, 1], &[])),
            ),
            (
                "run A; fail A; run A; pass A; fail",
                Ok(([0, 1, 0], &["p: A"])),
            ),
            ("run A; pass A; run A; fail", Ok(([0, 1, 0], &["p: A"]))),
            (
                "run A; pass A; pass; run A; skip A; pass",
                Ok(([0, 0, 1], &[])),
            ),
            // Builds.
            (
                "{\"ImportPath\":\"q\",\"Action\":\"build-fail\"}; run A; pass A; pass",
                Ok(([1, 1, 0], &["q"])),
            ),
            (
                "FAIL\tp [build failed]; start; fail; FAIL\tq [setup failed]; FAIL",
                Ok(([0, 2, 0], &["p", "q"])),
            ),
            // Other lines.
            (
                "go: downloading x; {; {}; {\"Action\":1}; start; run A; # x; pass A; pass",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "{\"Action\":\"run\",\"Test\":\"A\"}; {\"Action\":\"fail\",\"Test\":\"A\"}; {\"Action\":\"fail\"}",
                Ok(([0, 1, 0], &["A"])),
            ),
            ("ok  \tp\t0.01s", Err("no line is an event")),
            (
                "{\"Action\":\"output\",\"Package\":\"p\"}",
                Err("no line is an event"),
            ),
        ];
        for (short, expected) in cases {
            check(read, &[((short, events(short).as_bytes()), *expected)]);
        }
    }

    #[test]
    fn line_endings_do_not_matter() {
        for (_, bytes) in [output!("go/price.json"), output!("go/old-broken.txt")] {
            let dos = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
            assert_eq!(read(dos.as_bytes()), read(bytes));
        }
    }

    #[test]
    fn nesting_and_repetition_do_no_harm() {
        on_a_small_stack(|| {
            let deep = format!("run {}; fail", "a/".repeat(300_000));
            assert!(read(events(&deep).as_bytes()).is_ok());
            let many: String = (1..600)
                .map(|depth| format!("run {}; ", "a/".repeat(depth)))
                .collect();
            assert_eq!(
                read(events(&(many + "fail")).as_bytes())
                    .unwrap()
                    .counts
                    .unwrap()
                    .total(),
                599
            );
            for part in ["[", "{\"Action\":", "{\"Action\":\"run\",\"x\":["] {
                assert!(read(part.repeat(100_000).as_bytes()).is_err());
            }
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("go/price.json").1, output!("go/broken.json").1, output!("go/rerun.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
