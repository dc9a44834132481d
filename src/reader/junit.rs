//! JUnit XML. There is no standard: a root `<testsuites>` or `<testsuite>`, suites in suites, and `<testcase>` with
//! `<failure>`, `<error>` or `<skipped>` in it. Seen here: pytest 9, jest-junit 17, vitest 4, cargo-nextest, Node's test
//! runner, mocha-junit-reporter, Playwright, unittest-xml-reporting.
//!
//! Cases are counted, totals are not believed, and those of the root not even looked at. But where a suite's `tests`
//! differs from the number of its cases, something is missing or the writer counts something else (Catch2: assertions),
//! and the file is unreadable; unless it is known why. Three writers are known by the name that they give the root:
//!
//! - **pytest** writes a test that failed and whose teardown failed too as two cases, and each attempt of a rerun test
//!   as one, only the last of which says failed. Its class and name are the test's node id, which is unique in a run,
//!   so cases alike are one test, judged by the worst. Subtests are in `tests`, but not among the cases.
//! - **jest-junit** leaves todo tests out of `tests` and writes them as cases that look passed: so many are skipped
//!   here. It adds cases that are no tests: a file that could not be loaded (twice), a hook that failed.
//! - **mocha-junit-reporter** leaves pending tests out of the cases, and those that a failed hook kept from running:
//!   so many are skipped here. It adds a case for each failed hook.
//!
//! Elsewhere cases with the same name are different tests: nothing forbids it, and parameters are often not in a name.

use std::collections::{HashMap, HashSet};

use roxmltree::{Document, Node};

use crate::domain::evidence::Results;

use super::{Tally, short};

/// Reads JUnit XML. A document type is refused: JUnit has none, and entities can blow a small file up.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the XML is empty".into());
    }
    modest(text)?;
    let document = Document::parse(text).map_err(|problem| match problem {
        roxmltree::Error::DtdDetected => {
            "it has a document type (DTD), which JUnit XML never has".into()
        }
        problem => short(&format!("it is not well-formed XML: {problem}")),
    })?;
    let root = document.root_element();
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        let name = short(root.tag_name().name());
        return Err(format!(
            "the root element is `<{name}>`, not `<testsuites>` or `<testsuite>`"
        ));
    }
    let mut tally = Tally::default();
    for suite in suites(&document) {
        suite
            .count(&mut tally)
            .map_err(|problem| match suite.node {
                Some(node) => format!(
                    "line {}: {problem}",
                    document.text_pos_at(node.range().start).row
                ),
                None => problem,
            })?;
    }
    Ok(tally.results())
}

/// Refuses what the parser takes quadratic time for and no test tool writes: very many attributes on one element, very
/// many namespace prefixes.
pub(super) fn modest(text: &str) -> Result<(), String> {
    const MOST: usize = 200;
    const OPAQUE: [(&str, &str); 3] = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
    let mut prefixes = HashSet::new();
    let mut rest = text;
    while let Some((_, markup)) = rest.split_once('<') {
        if let Some((_, end)) = OPAQUE.iter().find(|(begin, _)| markup.starts_with(begin)) {
            rest = markup.split_once(end).map_or("", |(_, after)| after);
            continue;
        }
        let (mut attributes, mut quote, mut name_from) = (0, None, 0);
        let mut length = markup.len();
        for (at, character) in markup.char_indices() {
            match (quote, character) {
                (None, '>') => {
                    length = at;
                    break;
                }
                (None, '=') => {
                    attributes += 1;
                    let name = markup[name_from..at].split_whitespace().next_back();
                    prefixes.extend(name.filter(|name| name.starts_with("xmlns")));
                }
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), close) if open == close => {
                    quote = None;
                    name_from = at + 1;
                }
                _ => {}
            }
            if attributes > MOST || prefixes.len() > MOST {
                return Err(format!(
                    "more than {MOST} attributes on one element, or namespace prefixes"
                ));
            }
        }
        rest = &markup[length..];
    }
    Ok(())
}

/// What wrote the file.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    Pytest,
    JestJunit,
    Mocha,
    Other,
}

impl Writer {
    fn of(root: Option<&str>, suite: Option<&str>) -> Writer {
        match (root, suite) {
            // pytest 8.3 and before do not name the root.
            (Some("pytest tests"), _) | (None, Some("pytest")) => Writer::Pytest,
            (Some("jest tests"), _) => Writer::JestJunit,
            (Some("Mocha Tests"), _) => Writer::Mocha,
            _ => Writer::Other,
        }
    }

    /// Whether it is a case that this writer adds to those of the tests.
    fn adds(self, case: &Case) -> bool {
        match self {
            Writer::JestJunit => {
                case.class == "Test suite failed to run"
                    || case.name.contains("Test execution failure: ")
            }
            Writer::Mocha => case.outcome == Outcome::Failed && case.name.contains("\" hook"),
            Writer::Pytest | Writer::Other => false,
        }
    }
}

/// A suite with the cases that stand directly in it.
struct Suite<'a, 'input> {
    /// The first stands for the root and has no element.
    node: Option<Node<'a, 'input>>,
    writer: Writer,
    parent: usize,
    cases: Vec<Case<'a>>,
    /// How many suites stand directly in it.
    suites: u64,
    /// How many cases stand in those, at any depth.
    below: u64,
}

/// A test case.
#[derive(Clone, Copy)]
struct Case<'a> {
    class: &'a str,
    name: &'a str,
    outcome: Outcome,
}

/// From best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Skipped,
    Failed,
}

impl<'a> Case<'a> {
    fn new(node: Node<'a, '_>) -> Case<'a> {
        let attribute = |name| node.attribute(name).unwrap_or_default();
        // GoogleTest writes disabled tests without an element of their own.
        let ran = match (attribute("status"), attribute("result")) {
            ("notrun" | "disabled", _) | (_, "suppressed") => Outcome::Skipped,
            _ => Outcome::Passed,
        };
        let elements = node.children().map(|child| match child.tag_name().name() {
            "failure" | "error" => Outcome::Failed,
            "skipped" => Outcome::Skipped,
            _ => Outcome::Passed,
        });
        let outcome = elements.fold(ran, Outcome::max);
        Case {
            class: attribute("classname").trim(),
            name: attribute("name").trim(),
            outcome,
        }
    }

    fn full_name(&self) -> String {
        // jest-junit and mocha-junit-reporter say the same twice.
        if self.name.contains(self.class) {
            self.name.to_owned()
        } else {
            format!("{}::{}", self.class, self.name)
        }
    }
}

/// The suites of a document in its order. One pass and no recursion: suites may be nested to any depth.
fn suites<'a, 'input>(document: &'a Document<'input>) -> Vec<Suite<'a, 'input>> {
    let suite = |node, writer, parent| Suite {
        node,
        writer,
        parent,
        cases: vec![],
        suites: 0,
        below: 0,
    };
    let root = document.root_element();
    let root_name = root
        .attribute("name")
        .filter(|_| root.tag_name().name() == "testsuites");
    let mut suites = vec![suite(None, Writer::of(root_name, None), 0)];
    // The suite that each node is, or stands in; nodes are numbered in the document's order.
    let mut home: Vec<usize> = vec![];
    for node in document.descendants() {
        let parent = node
            .parent()
            .and_then(|parent| home.get(parent.id().get_usize()))
            .copied()
            .unwrap_or_default();
        home.push(parent);
        match node.tag_name().name() {
            "testsuite" => {
                suites[parent].suites += 1;
                let writer = Writer::of(root_name, node.attribute("name"));
                if let Some(home) = home.last_mut() {
                    *home = suites.len();
                }
                suites.push(suite(Some(node), writer, parent));
            }
            "testcase" => suites[parent].cases.push(Case::new(node)),
            _ => {}
        }
    }
    for at in (1..suites.len()).rev() {
        let parent = suites[at].parent;
        suites[parent].below += suites[at].below + suites[at].cases.len() as u64;
    }
    suites
}

impl Suite<'_, '_> {
    /// Counts its own cases, or says why its header contradicts them.
    fn count(&self, tally: &mut Tally) -> Result<(), String> {
        let (added, mut own): (Vec<Case>, Vec<Case>) =
            self.cases.iter().partition(|case| self.writer.adds(case));
        let added = once(&added);
        if self.writer == Writer::Pytest {
            own = once(&own);
        }
        let cases = own.len() as u64;
        let passed = own
            .iter()
            .filter(|case| case.outcome == Outcome::Passed)
            .count() as u64;
        let header = self
            .node
            .and_then(|node| node.attribute("tests")?.trim().parse::<u64>().ok());
        let header = header.unwrap_or(cases);

        // Cases that look passed and are not, and tests without a case.
        let (hidden, missing) = match self.writer {
            Writer::Pytest if header >= cases => (0, 0),
            Writer::JestJunit if header <= cases && cases - header <= passed => (cases - header, 0),
            Writer::Mocha if header >= cases => (0, header - cases),
            // Totals of nested suites cover what is below them; in Node's, each suite below counts as one.
            _ if [cases, cases + self.below, cases + self.suites].contains(&header) => (0, 0),
            _ => {
                let name = self
                    .node
                    .and_then(|node| node.attribute("name"))
                    .unwrap_or_default();
                let name = short(name);
                return Err(format!(
                    "suite `{name}` says tests=\"{header}\", but has {cases} cases"
                ));
            }
        };
        tally.passed(passed - hidden);
        tally.skipped(hidden.saturating_add(missing));
        for case in own.iter().chain(&added) {
            match case.outcome {
                Outcome::Passed => {}
                Outcome::Skipped => tally.skipped(1),
                Outcome::Failed => {
                    tally.failed(1);
                    tally.name(&case.full_name());
                }
            }
        }
        Ok(())
    }
}

/// Cases with the same class and name as one, with the worst outcome.
fn once<'a>(cases: &[Case<'a>]) -> Vec<Case<'a>> {
    let mut places = HashMap::new();
    let mut once: Vec<Case<'a>> = vec![];
    for case in cases {
        let place = *places.entry((case.class, case.name)).or_insert(once.len());
        match once.get_mut(place) {
            Some(first) => first.outcome = first.outcome.max(case.outcome),
            None => once.push(*case),
        }
    }
    once
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, on_a_small_stack, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        let teardown = Ok((
            [1, 2, 0],
            &["test_teardown::test_two", "test_teardown::test_three"][..],
        ));
        let mixed = &[
            "test_mixed::test_fail",
            "test_mixed::test_setup_error",
            "test_mixed::test_teardown_error",
            "test_mixed::test_xpass_strict",
            "test_mixed::test_param[a - b]",
            "test_mixed::test_param[== 3 passed in 0.1s ==]",
            "test_mixed::test_param[\\xe9\\n]",
        ];
        const HOOK: &str = "Test execution failure: could be caused by test hooks like 'afterAll'.";
        check(
            read,
            &[
                (output!("pytest/mixed.xml"), Ok(([4, 7, 2], mixed))),
                (output!("pytest/teardown.xml"), teardown),
                (output!("pytest/teardown-xunit1.xml"), teardown),
                (
                    output!("pytest/subtests.xml"),
                    Ok(([1, 1, 0], &["test_subtests::test_sub"])),
                ),
                (
                    output!("pytest/subtest-class.xml"),
                    Ok(([1, 1, 0], &["test_class.TestThing::test_subs"])),
                ),
                (
                    output!("pytest/rerun.xml"),
                    Ok(([1, 1, 0], &["test_rerun::test_always"])),
                ),
                (
                    output!("pytest/broken.xml"),
                    Ok(([0, 1, 0], &["test_broken"])),
                ),
                (output!("pytest/empty.xml"), Ok(([0, 0, 0], &[]))),
                (output!("jest-junit/green.xml"), Ok(([2, 0, 0], &[]))),
                (
                    output!("jest-junit/mixed.xml"),
                    Ok(([3, 2, 2], &["fails", "price rounds \"up\" & <down>"])),
                ),
                (output!("jest-junit/after.xml"), Ok(([2, 1, 0], &[HOOK]))),
                (output!("jest-junit/skips.xml"), Ok(([0, 0, 2], &[]))),
                (output!("jest-junit/only.xml"), Ok(([1, 0, 2], &[]))),
                (output!("jest-junit/none.xml"), Ok(([0, 0, 0], &[]))),
                // The file that could not be loaded is in it only where jest-junit is told to.
                (output!("jest-junit/load.xml"), Ok(([1, 0, 0], &[]))),
                (
                    output!("jest-junit/load-reported.xml"),
                    Ok((
                        [1, 1, 0],
                        &["Test suite failed to run::load/broken.test.js"],
                    )),
                ),
                (output!("vitest/green.xml"), Ok(([2, 0, 0], &[]))),
                (
                    output!("vitest/mixed.xml"),
                    Ok((
                        [4, 2, 3],
                        &[
                            "mixed/cart.test.js::fails",
                            "mixed/cart.test.js::price > rounds \"up\" & <down>",
                        ],
                    )),
                ),
                (
                    output!("vitest/load.xml"),
                    Ok(([1, 1, 0], &["load/broken.test.js"])),
                ),
                (
                    output!("vitest/after.xml"),
                    Ok(([2, 1, 0], &["after/after.test.js"])),
                ),
                (
                    output!("vitest/before.xml"),
                    Ok(([0, 1, 2], &["before/b.test.js::x"])),
                ),
                (output!("vitest/skips.xml"), Ok(([0, 0, 2], &[]))),
                (output!("vitest/none.xml"), Ok(([0, 0, 0], &[]))),
                // A test that failed once and then passed holds `flakyFailure`.
                (
                    output!("nextest/failed.xml"),
                    Ok(([5, 1, 0], &["shop::cart::refused"])),
                ),
                // Cases beside suites, suites in suites, and a todo that is skipped and failed.
                (
                    output!("node/mixed.xml"),
                    Ok((
                        [6, 3, 1],
                        &["test::top fails", "test::todo", "test::child 2"],
                    )),
                ),
                (output!("node/nested.xml"), Ok(([3, 1, 1], &["test::x"]))),
                (
                    output!("mocha/mixed.xml"),
                    Ok((
                        [3, 3, 4],
                        &[
                            "a bad",
                            "hook \"before all\" hook for \"x\"",
                            "hook after \"after all\" hook for \"x\"",
                        ],
                    )),
                ),
                (
                    output!("playwright/mixed.xml"),
                    Ok(([3, 1, 2], &["pw/a.spec.js::bad"])),
                ),
                (
                    output!("unittest/mixed.xml"),
                    Ok((
                        [1, 8, 2],
                        &[
                            "test_u.T::test_bad",
                            "test_u.T::test_sub (i=1)",
                            "test_u.T::test_err",
                            "test_u.T::test_xpass",
                            "test_u.D::test_b",
                            "test_u.D::test_a",
                            "test_u.D::test_b",
                            "setUpClass (test_u.S)",
                        ],
                    )),
                ),
                (output!("jest/green.json"), Err("not well-formed XML")),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            ("<testsuites/>", Ok(([0, 0, 0], &[]))),
            (
                "\u{feff}<testsuite tests='1'>\r\n<testcase name='a'/>\r\n</testsuite>",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "<testsuite><testcase name='a'/><testcase name='a'/></testsuite>",
                Ok(([2, 0, 0], &[])),
            ),
            (
                "<testsuite tests=''><testcase name='a'/></testsuite>",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "<testsuites tests='9'><testsuite><testcase name='a'/></testsuite></testsuites>",
                Ok(([1, 0, 0], &[])),
            ),
            (
                "<testsuite><testcase><skipped/><error/></testcase><testcase><skipped/></testcase>\
                 <testcase status='notrun' result='suppressed'/><testcase><system-out/></testcase></testsuite>",
                Ok(([1, 1, 2], &[""])),
            ),
            // Totals of what is below.
            (
                "<testsuite tests='2'><testsuite tests='2'><testcase/><testcase/></testsuite></testsuite>",
                Ok(([2, 0, 0], &[])),
            ),
            (
                "<testsuites>\n<testsuite name='s' tests='3'><testcase/></testsuite></testsuites>",
                Err("line 2: suite `s` says tests=\"3\", but has 1 cases"),
            ),
            (
                "<testsuite tests='0'><testcase/></testsuite>",
                Err("line 1: suite `` says tests=\"0\""),
            ),
            (
                "<testsuites name='pytest tests'><testsuite tests='1'><testcase name='a'/><testcase name='b'/></testsuite></testsuites>",
                Err("says tests=\"1\", but has 2 cases"),
            ),
            (
                "<testsuites name='jest tests'><testsuite tests='0'><testcase name='a'><failure/></testcase></testsuite></testsuites>",
                Err("says tests=\"0\", but has 1 cases"),
            ),
            (
                "<testsuites name='Mocha Tests'><testsuite tests='0'><testcase name='a'/></testsuite></testsuites>",
                Err("says tests=\"0\", but has 1 cases"),
            ),
            (
                "<testsuites><testsuite name='pytest' tests='2'><testcase name='a'/></testsuite></testsuites>",
                Ok(([1, 0, 0], &[])),
            ),
            ("<html><body/></html>", Err("the root element is `<html>`")),
            ("<!DOCTYPE html><html/>", Err("document type")),
            (
                "<!DOCTYPE a [<!ENTITY b 'c'>]><testsuites/>",
                Err("document type"),
            ),
            ("<testsuites/><testsuites/>", Err("not well-formed")),
            ("<testsuites>&#x1b;</testsuites>", Err("not well-formed")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    #[test]
    fn cut_in_half_is_unreadable() {
        for (name, bytes) in [
            output!("pytest/mixed.xml"),
            output!("jest-junit/mixed.xml"),
            output!("vitest/mixed.xml"),
        ] {
            assert!(read(&bytes[..bytes.len() / 2]).is_err(), "{name}");
        }
    }

    #[test]
    fn an_entity_bomb_is_refused() {
        let mut bomb = String::from("<!DOCTYPE t [<!ENTITY e0 'xxxxxxxxxx'>");
        for level in 1..20 {
            bomb.push_str(&format!(
                "<!ENTITY e{level} '{}'>",
                format!("&e{};", level - 1).repeat(10)
            ));
        }
        bomb.push_str("]><testsuites><testsuite name='&e19;'/></testsuites>");
        assert!(read(bomb.as_bytes()).unwrap_err().contains("DTD"));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><testsuite><testcase name='\xe9'><failure/></testcase></testsuite>";
        check(read, &[(("latin", latin), Ok(([0, 1, 0], &["\u{fffd}"])))]);
    }

    #[test]
    fn nesting_does_no_harm() {
        on_a_small_stack(|| {
            const DEEP: usize = 100_000;
            let deep = |open: &str, close: &str| {
                read((open.repeat(DEEP) + &close.repeat(DEEP)).as_bytes())
            };
            assert_eq!(
                deep("<testsuite>", "</testsuite>")
                    .unwrap()
                    .counts
                    .unwrap()
                    .total(),
                0
            );
            let counts = deep("<testsuite><testcase/>", "</testsuite>")
                .unwrap()
                .counts
                .unwrap();
            assert_eq!(counts.passed, DEEP as u64);
            assert!(deep("<testsuite>", "").is_err());
            assert!(deep("<testsuite tests='1'>", "</testsuite>").is_err());
        });
    }

    #[test]
    fn very_many_attributes_are_refused() {
        let many = |one: fn(u32) -> String| (0..50_000).map(one).collect::<String>();
        for text in [
            format!("<testsuite {}/>", many(|number| format!("a{number}='1' "))),
            format!(
                "<testsuite {}",
                many(|number| format!("a{number} = \"'\" "))
            ),
            many(|number| format!("<testsuite xmlns:a{number}='b{number}'>")),
            format!(
                "<?x '?><testsuite {}/>",
                many(|number| format!("a{number}='1' "))
            ),
        ] {
            assert!(
                read(text.as_bytes())
                    .unwrap_err()
                    .starts_with("more than 200 attributes")
            );
        }
        let text = many(|number| format!("a{number}='1' xmlns:a{number}='1' "));
        let harmless = format!(
            "<testsuite><testcase name=\"{text}\"><failure><![CDATA[<a {text}/>]]>{text}</failure><!--{text}--></testcase></testsuite>"
        );
        assert_eq!(read(harmless.as_bytes()).unwrap().counts.unwrap().failed, 1);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("pytest/mixed.xml").1, output!("jest-junit/mixed.xml").1, output!("node/mixed.xml").1])) {
            sound(read(&bytes))?;
        }
    }
}
