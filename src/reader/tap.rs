//! TAP, the Test Anything Protocol, versions 12 to 14: test lines `ok 1 - adds` and `not ok 2 - rounds # TODO later`, and
//! a plan `1..2` before or after them. Source: the specifications on testanything.org; seen from Perl's Test::More,
//! Node's test runner, mocha and bats.
//!
//! Lines are counted and held against the plan, nothing else is believed: totals in comments are the producer's own
//! (mocha's `# tests` leaves pending tests out). Without a plan, or with another number of lines than planned, the
//! producer crashed or a test printed such lines itself: that is an error, not a smaller count. Numbers of tests may come
//! in any order and repeat, as mocha's do after a failed hook, but not go beyond the plan.
//!
//! Subtests, YAML blocks and what stands in them are indented. Only lines that are not are read: the parent's line says
//! what became of its subtests.
//!
//! A skipped test is skipped even where it is `not ok`, as bats writes it in TAP 13. So is whatever is marked as TODO: a
//! failure is expected, and a pass is no result yet until the mark is gone. Node writes `ok # TODO` for tests without a
//! body.

use crate::domain::evidence::Results;

use super::{Tally, plain, short};

/// Reads the TAP of one producer. A plan of none, as where all is skipped, gives counts of zero.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let mut stream = Stream::default();
    for (number, line) in (1..).zip(text.lines()) {
        stream.line(number, line)?;
    }
    stream.end()
}

/// What was read so far.
#[derive(Default)]
struct Stream {
    plan: Option<Plan>,
    /// How many test lines there are.
    tests: u64,
    /// The line of the last.
    last: usize,
    /// The highest number that one of them has, and its line.
    highest: (u64, usize),
    tally: Tally,
}

/// The plan.
struct Plan {
    tests: u64,
    line: usize,
    /// How many test lines stand before it.
    before: u64,
}

impl Stream {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(tests) = plan(line) {
            if let Some(first) = &self.plan {
                return Err(format!(
                    "a second plan on line {number}, after that on line {}: read each producer by itself",
                    first.line
                ));
            }
            self.plan = Some(Plan {
                tests,
                line: number,
                before: self.tests,
            });
        } else if let Some(reason) = bail(line) {
            return Err(short(&format!("`Bail out!` on line {number}: {reason}")));
        } else if let Some(test) = Test::new(line) {
            self.tests += 1;
            self.last = number;
            self.highest = self.highest.max((test.number, number));
            match test.outcome {
                Outcome::Passed => self.tally.passed(1),
                Outcome::Skipped => self.tally.skipped(1),
                Outcome::Failed => {
                    self.tally.failed(1);
                    self.tally.name(&test.name());
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Results, String> {
        let Some(plan) = self.plan else {
            return Err(match self.tests {
                0 => "no plan such as `1..3` and no test line: it is no TAP".into(),
                tests => {
                    format!(
                        "no plan such as `1..3`, and the number of test lines is {tests}: the producer crashed or was killed"
                    )
                }
            });
        };
        if plan.tests != self.tests {
            return Err(format!(
                "the plan on line {} is `1..{}`, but the number of test lines is {}",
                plan.line, plan.tests, self.tests
            ));
        }
        if plan.before > 0 && self.last > plan.line {
            return Err(format!(
                "the plan on line {} stands among the tests, not before or after them",
                plan.line
            ));
        }
        let (highest, line) = self.highest;
        if highest > plan.tests {
            return Err(format!(
                "test {highest} on line {line} is beyond the plan `1..{}`",
                plan.tests
            ));
        }
        Ok(self.tally.results())
    }
}

/// N of `1..N`, which may go on with a comment.
fn plan(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, comment) = rest.split_at(end);
    let comment = comment.trim_start();
    (comment.is_empty() || comment.starts_with('#'))
        .then(|| number.parse().ok())
        .flatten()
}

/// The reason in `Bail out! reason`.
fn bail(line: &str) -> Option<&str> {
    const WORDS: &str = "Bail out!";
    let (words, reason) = line.split_at_checked(WORDS.len())?;
    words.eq_ignore_ascii_case(WORDS).then(|| reason.trim())
}

/// A test line.
struct Test<'a> {
    /// Its number; 0 where it has none.
    number: u64,
    description: &'a str,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl<'a> Test<'a> {
    fn new(line: &'a str) -> Option<Test<'a>> {
        let (ok, rest) = match line.strip_prefix("not ") {
            Some(rest) => (false, rest),
            None => (true, line),
        };
        let rest = rest.strip_prefix("ok")?;
        if rest.starts_with(|c: char| !c.is_whitespace()) {
            return None;
        }
        let rest = rest.trim_start();
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = rest.split_at(digits.unwrap_or(rest.len()));
        let number = match number {
            "" => 0,
            // Too large for any plan.
            number => number.parse().unwrap_or(u64::MAX),
        };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('-') {
            Some(text) if !text.starts_with(|c: char| !c.is_whitespace()) => text,
            _ => rest,
        };
        let directive = directive(rest);
        let description = match directive {
            Some(at) => &rest[..at],
            // The opening brace of subtests that follow their parent.
            None => rest.strip_suffix(" {").unwrap_or(rest),
        };
        let outcome = match (directive, ok) {
            (Some(_), _) => Outcome::Skipped,
            (None, true) => Outcome::Passed,
            (None, false) => Outcome::Failed,
        };
        Some(Test {
            number,
            description: description.trim(),
            outcome,
        })
    }

    /// The description without the escapes of TAP 14, else the number.
    fn name(&self) -> String {
        match (self.description, self.number) {
            ("", 0) => "a test without a name".into(),
            ("", number) => format!("test {number}"),
            (name, _) => unescaped(name),
        }
    }
}

/// Where `# SKIP` or `# TODO` begins in what follows a test's number: a `#` that no backslash escapes and no word runs
/// into.
fn directive(text: &str) -> Option<usize> {
    let mut escaped = false;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if character == '#' && !escaped && before.is_whitespace() {
            let word = text[at + 1..].trim_start();
            // `# SKIPPED: no database` occurs.
            if begins(word, "skip") || begins(word, "todo") {
                return Some(at);
            }
        }
        escaped = character == '\\' && !escaped;
        before = character;
    }
    None
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&next @ ('\\' | '#'))) => {
                unescaped.push(next);
                characters.next();
            }
            _ => unescaped.push(character),
        }
    }
    unescaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        let mocha = Ok(([2, 1, 3], &["price rounds \"up\" & <down>"][..]));
        check(
            read,
            &[
                (
                    output!("perl/mixed.tap"),
                    Ok(([2, 2, 5], &["rounds \"up\" \\# # <down>", "parts"])),
                ),
                (output!("perl/done.tap"), Ok(([1, 0, 1], &[]))),
                (output!("perl/skipall.tap"), Ok(([0, 0, 0], &[]))),
                (
                    output!("perl/few.tap"),
                    Err("the plan on line 1 is `1..3`, but the number of test lines is 1"),
                ),
                (
                    output!("perl/many.tap"),
                    Err("is `1..1`, but the number of test lines is 2"),
                ),
                (
                    output!("perl/noplan.tap"),
                    Err("the number of test lines is 2"),
                ),
                (
                    output!("perl/die.tap"),
                    Err("the number of test lines is 1"),
                ),
                (
                    output!("perl/bail.tap"),
                    Err("`Bail out!` on line 3: no database"),
                ),
                (
                    output!("node/mixed.tap"),
                    Ok(([4, 2, 4], &["rounds \"up\" # <down>", "suite"])),
                ),
                (
                    output!("node/load.tap"),
                    Ok(([0, 1, 0], &["/project/load.test.js"])),
                ),
                // A test printed TAP and bailed out; Node writes that as comments.
                (output!("node/own.tap"), Ok(([1, 0, 0], &[]))),
                (output!("node/none.tap"), Ok(([0, 0, 0], &[]))),
                // A test ended the process with 0, and nothing in the output says so.
                (output!("node/exits.tap"), Ok(([1, 0, 0], &[]))),
                (output!("mocha/mixed.tap"), mocha),
                (output!("mocha/mixed13.tap"), mocha),
                (
                    output!("mocha/before.tap"),
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
                (
                    output!("mocha/exits.tap"),
                    Err("the number of test lines is 1"),
                ),
                (output!("bats/mixed.tap"), Ok(([1, 1, 1], &["fails"]))),
                (output!("bats/mixed13.tap"), Ok(([1, 1, 1], &["fails"]))),
                (output!("cargo/green.txt"), Err("it is no TAP")),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            ("1..1\nok", Ok(([1, 0, 0], &[]))),
            (
                "TAP version 14\npragma +strict\n1..1\nok 1\n",
                Ok(([1, 0, 0], &[])),
            ),
            ("ok 2\nnot ok 1\n1..2 # done", Ok(([1, 1, 0], &["test 1"]))),
            ("not ok\n1..1", Ok(([0, 1, 0], &["a test without a name"]))),
            ("1..0 # Skipped: no database", Ok(([0, 0, 0], &[]))),
            (
                "1..0\nok 1",
                Err("is `1..0`, but the number of test lines is 1"),
            ),
            // Subtests of TAP 14, before and after their parent; a child that failed does not count.
            (
                "1..2\n    1..2\n    not ok 1 - x # TODO\n    ok 2\n    Bail out! inside\nok 1 - a\n\
                 not ok 2 - b {\n    not ok 1 - y\n    1..1\n}",
                Ok(([1, 1, 0], &["b"])),
            ),
            // What stands in a YAML block.
            (
                "1..1\nok 1\n  ---\n  1..9\n  not ok 2\n  ...\n",
                Ok(([1, 0, 0], &[])),
            ),
            // Directives.
            ("ok 1 - a # SKIP\n1..1", Ok(([0, 0, 1], &[]))),
            ("ok 1# skip no database\n1..1", Ok(([0, 0, 1], &[]))),
            ("ok # Skipped: x\n1..1", Ok(([0, 0, 1], &[]))),
            ("not ok 1 - a #todo later\n1..1", Ok(([0, 0, 1], &[]))),
            ("ok 1 - a # TODO later\n1..1", Ok(([0, 0, 1], &[]))),
            ("not ok 1 - issue # 5 # TODO\n1..1", Ok(([0, 0, 1], &[]))),
            ("ok 1 - a \\# SKIP\n1..1", Ok(([1, 0, 0], &[]))),
            ("ok 1 - a \\\\# SKIP\n1..1", Ok(([1, 0, 0], &[]))),
            ("ok 1 - a \\\\ # SKIP\n1..1", Ok(([0, 0, 1], &[]))),
            (
                "not ok 1 - C#todo # é日本\n1..1",
                Ok(([0, 1, 0], &["C#todo # é日本"])),
            ),
            // No test lines.
            (
                "okay\nok.\nOK\nnot  ok\n ok 1\nnot okay\n1..0",
                Ok(([0, 0, 0], &[])),
            ),
            (
                "1..x\n0..1\n1..2.\n1..\nok 1",
                Err("the number of test lines is 1"),
            ),
            ("1..18446744073709551616\nok 1", Err("no plan")),
            (
                "1..1\nok 99999999999999999999",
                Err("on line 2 is beyond the plan `1..1`"),
            ),
            (
                "1..2\nok 1\nok 3",
                Err("test 3 on line 3 is beyond the plan `1..2`"),
            ),
            (
                "1..1\nok 1\n1..1\nok 1",
                Err("a second plan on line 3, after that on line 1"),
            ),
            ("ok 1\n1..2\nok 2", Err("stands among the tests")),
            ("1..2\nok 1\nbail out!", Err("`Bail out!` on line 3")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn colours_and_line_endings_do_not_matter() {
        let (_, bytes) = output!("node/mixed.tap");
        let text = String::from_utf8_lossy(bytes);
        let dos = text.replace('\n', "\r\n");
        assert_eq!(read(dos.as_bytes()), read(bytes));
        let coloured = text.replace("not ok", "\u{1b}[31mnot ok\u{1b}[39m");
        assert_eq!(read(coloured.as_bytes()), read(bytes));
    }

    #[test]
    fn repetition_takes_no_time() {
        for part in ["#", "# ", "\\", "ok # # ", "# skip", " "] {
            let text = format!("1..1\nok 1 {}", part.repeat(300_000));
            assert!(read(text.as_bytes()).is_ok());
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("node/mixed.tap").1, output!("perl/mixed.tap").1, output!("bats/mixed13.tap").1])) {
            sound(read(&bytes))?;
        }
    }
}
