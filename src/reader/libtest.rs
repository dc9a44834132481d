//! What `cargo test` prints: for each test program (and the doc tests) a line `running N tests` and, when it ended, a
//! line `test result: ok. N passed; N failed; N ignored; N measured; N filtered out; finished in 0.00s`. Harnesses that
//! imitate libtest print the same. Source: `library/test/src/formatters` of Rust; seen with 1.95.
//!
//! Tests print too, and what they print may look like these lines: a result counts only where its numbers add up to
//! the `running` line before it. A program without a result crashed or was killed, and then nobody knows about its
//! tests: that is an error, not a smaller count. Without `--no-fail-fast`, cargo stops after the first program with a
//! failure, and the programs after it are not to be seen here.

use crate::domain::check::Exits;
use crate::domain::evidence::Results;

use super::{Tally, plain};

/// How many `running` lines without a result are remembered: each further result is held against all of them.
const DEEPEST: usize = 100;

/// cargo's exit statuses: 101 says that a test failed, a test program died, or it did not come to a test, since something
/// does not compile.
pub fn exits() -> Exits {
    Exits {
        failed: vec![101],
        ..Exits::default()
    }
}

/// Reads what `cargo test` printed on standard output. Ignored tests are skipped, measured ones (benchmarks) passed.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let mut programs = Programs::default();
    for (number, line) in (1..).zip(text.lines()) {
        programs.line(number, line);
    }
    programs.end()
}

/// The programs seen so far.
#[derive(Default)]
struct Programs<'a> {
    /// Those whose result is still to come: the line of `running N tests`, and N. More than one only where a program
    /// died, or where a test printed such a line or ran tests of its own.
    open: Vec<(usize, u64)>,
    /// Those that ended.
    ended: Vec<Ended<'a>>,
    /// The line of a result that fits no program; one that fits may still follow.
    stray: Option<usize>,
    /// The line of such a result where none followed.
    lost: Option<usize>,
    /// The names under the last line `failures:`.
    names: Vec<&'a str>,
    /// Whether that list goes on.
    naming: bool,
}

/// A test program's result.
struct Ended<'a> {
    figures: Figures,
    names: Vec<&'a str>,
}

/// The numbers of one `test result:` line.
#[derive(Clone, Copy, Default)]
struct Figures {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Figures {
    fn total(self) -> u64 {
        self.passed
            .saturating_add(self.failed)
            .saturating_add(self.ignored)
    }
}

impl<'a> Programs<'a> {
    fn line(&mut self, number: usize, line: &'a str) {
        if line == "failures:" {
            self.names.clear();
            self.naming = true;
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| self.naming) {
            if self.names.len() < Results::NAMED {
                self.names.push(name);
            }
        } else if let Some(tests) = running(line) {
            self.naming = false;
            self.lost = self.lost.or(self.stray.take());
            if self.open.len() < DEEPEST {
                self.open.push((number, tests));
            }
        } else if let Some(figures) = result(line) {
            self.naming = false;
            self.result(number, figures);
        } else {
            self.naming = false;
        }
    }

    fn result(&mut self, number: usize, figures: Figures) {
        let ended = |names: &mut Vec<&'a str>| Ended {
            figures,
            names: std::mem::take(names),
        };
        if let Some(place) = self
            .open
            .iter()
            .rposition(|(_, tests)| *tests == figures.total())
        {
            // Lines `running N tests` after its own were printed by its tests.
            self.open.truncate(place);
            if self.open.is_empty() {
                self.ended.push(ended(&mut self.names));
            }
        } else if self.open.is_empty() {
            match self.ended.last_mut() {
                // A test had printed a result with the right numbers: the program's own comes last.
                Some(last) if last.figures.total() == figures.total() => {
                    *last = ended(&mut self.names);
                    self.stray = None;
                }
                _ => self.stray = self.stray.or(Some(number)),
            }
        }
    }

    fn end(self) -> Result<Results, String> {
        if let Some((line, tests)) = self.open.first() {
            return Err(format!(
                "no `test result:` line for `running {tests} tests` on line {line}: the program crashed or was killed"
            ));
        }
        if let Some(line) = self.lost.or(self.stray) {
            return Err(format!(
                "the `test result:` on line {line} fits no `running N tests` line before it"
            ));
        }
        if self.ended.is_empty() {
            return Err("no `test result:` line".into());
        }
        let mut tally = Tally::default();
        for Ended { figures, names } in &self.ended {
            tally.passed(figures.passed);
            tally.failed(figures.failed);
            tally.skipped(figures.ignored);
            let named = usize::try_from(figures.failed).unwrap_or(usize::MAX);
            names.iter().take(named).for_each(|name| tally.name(name));
        }
        Ok(tally.results())
    }
}

/// N of `running N tests`, which may go on with ` (shuffle seed: 1)`.
fn running(line: &str) -> Option<u64> {
    let (number, tests) = line.strip_prefix("running ")?.split_once(' ')?;
    let (word, _) = tests.split_once(" (").unwrap_or((tests, ""));
    matches!(word, "test" | "tests")
        .then(|| number.parse().ok())
        .flatten()
}

/// The numbers of a `test result:` line.
fn result(line: &str) -> Option<Figures> {
    let (word, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut figures = Figures::default();
    let mut told = false;
    for part in numbers.split("; ") {
        let Some((number, what)) = part.split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match what {
            "passed" => {
                told = true;
                figures.passed = figures.passed.saturating_add(number);
            }
            "measured" => figures.passed = figures.passed.saturating_add(number),
            "failed" => figures.failed = number,
            "ignored" => figures.ignored = number,
            _ => {}
        }
    }
    // The word and the numbers always agree in what libtest prints.
    (told && (word == "ok") == (figures.failed == 0)).then_some(figures)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        let failed = Ok(([6, 1, 2], &["refused"][..]));
        check(
            read,
            &[
                (output!("cargo/green.txt"), Ok(([7, 0, 2], &[]))),
                (output!("cargo/failed.txt"), failed),
                (output!("cargo/failed-colour.txt"), failed),
                (output!("cargo/failed-quiet.txt"), failed),
                (output!("cargo/failed-nocapture.txt"), failed),
                (
                    output!("cargo/crashed.txt"),
                    Err("no `test result:` line for `running 4 tests` on line 10"),
                ),
                (output!("cargo/filtered.txt"), Ok(([0, 0, 0], &[]))),
                (output!("pytest/green.txt"), Err("no `test result:` line")),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (
                "running 1 test\ntest result: ok. 1 passed; 0 failed",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "running 3 tests (shuffle seed: 7)\ntest result: ok. 1 passed; 0 failed; 1 ignored; 1 measured",
                Ok(([2, 0, 1], &[])),
            ),
            ("\nrunning 0 tests\n", Err("on line 2: the program crashed")),
            // One program died, and the next has as many tests.
            (
                "running 1 test\n\nrunning 1 test\ntest result: ok. 1 passed; 0 failed",
                Err("on line 1"),
            ),
            (
                "running 1 test\n\nrunning 2 tests\ntest result: ok. 2 passed; 0 failed",
                Err("on line 1"),
            ),
            // A test ran tests.
            (
                "running 2 tests\nrunning 1 test\ntest result: FAILED. 0 passed; 1 failed\ntest result: ok. 2 passed; 0 failed",
                Ok(([2, 0, 0], &[])),
            ),
            // A test printed such lines.
            (
                "running 2 tests\nrunning 9 tests\ntest result: ok. 2 passed; 0 failed",
                Ok(([2, 0, 0], &[])),
            ),
            (
                "running 1 test\ntest result: ok. 1 passed; 0 failed\nfailures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed",
                Ok(([0, 1, 0], &["a"])),
            ),
            (
                "running 1 test\ntest result: ok. 1 passed; 0 failed\ntest result: ok. 9 passed; 0 failed\n\
                 test result: FAILED. 0 passed; 1 failed",
                Ok(([0, 1, 0], &[])),
            ),
            (
                "running 1 test\ntest result: ok. 1 passed; 0 failed\ntest result: ok. 9 passed; 0 failed\n\
                 running 1 test\ntest result: ok. 1 passed; 0 failed\ntest result: ok. 1 passed; 0 failed",
                Err("line 3 fits no"),
            ),
            // The beginning is missing.
            (
                "test result: ok. 1 passed; 0 failed",
                Err("line 1 fits no `running N tests`"),
            ),
            (
                "running 1 test\ntest result: FAILED. 1 passed; 0 failed",
                Err("on line 1"),
            ),
            (
                "running 1 test\ntest result: ok. 99999999999999999999 passed; 0 failed",
                Err("on line 1"),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn line_endings_do_not_matter() {
        let (_, bytes) = output!("cargo/failed.txt");
        let dos = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        assert_eq!(read(dos.as_bytes()), read(bytes));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("cargo/failed-colour.txt").1, output!("cargo/failed-nocapture.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
