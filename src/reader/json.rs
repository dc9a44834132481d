//! `json`: any JSON document, by queries that the manifest itself writes in jq. What a query may give: a count is a whole
//! number from zero on, a measure a number. Whatever else comes is said, never guessed at.

mod child;
mod jq;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use child::{VERB, serve};

use crate::domain::check::{Mistake, Queries};
use crate::domain::evidence::{Counts, Reading, Results};
use crate::process::Cancel;

/// Its name in manifests.
pub const NAME: &str = "json";
/// What it is, in one line for a person.
pub const ABOUT: &str = "any JSON document, by jq queries of your own";

/// The longest query, in bytes. Compiling takes stack for each level of nesting, of which a short one has few.
const LONGEST: usize = 2 << 10;
/// The stack that queries are compiled and answered on, in bytes: four times what the deepest of that length was seen to
/// take without optimisation.
const STACK: usize = 128 << 20;

/// Says what is wrong with a query before it is put to anything.
///
/// # Errors
/// The first mistake and its place.
pub fn check(query: &str) -> Result<(), Mistake> {
    if query.len() > LONGEST {
        return Err(Mistake {
            at: 0..query.len(),
            text: format!("it is longer than {LONGEST} bytes"),
        });
    }
    let text = query.to_string();
    let compiling = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || jq::Query::compile(&text).map(|_| ()));
    match compiling.map(std::thread::JoinHandle::join) {
        Ok(Ok(compiled)) => compiled,
        // Without a thread or an answer from it, the child will tell.
        _ => Ok(()),
    }
}

/// Puts the queries to a document, in a child.
pub fn read(queries: &Queries, document: &[u8], cancel: &Cancel) -> Reading {
    let asked = queries.named().collect::<Vec<_>>();
    if document.trim_ascii().is_empty() {
        return Reading::Unreadable("the JSON is empty".into());
    }
    let answers = match child::ask(&asked, document, cancel) {
        Ok(Ok(answers)) => answers,
        Ok(Err(problem)) => return Reading::Unreadable(problem),
        Err(why) => return Reading::CannotTell(why),
    };
    match figures(queries, asked.iter().map(|(name, _)| *name).zip(answers)) {
        Ok(results) => Reading::Results(results),
        Err(problem) => Reading::Unreadable(problem),
    }
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// A finite number.
    Number(f64),
    /// What stands for a number and is none: NaN, or out of range.
    NotFinite(String),
    /// The one value null, which is also what a missing key gives.
    Null,
    /// No value.
    Nothing,
    /// Something else, in words.
    Other(String),
    /// It ended with this error.
    Failed(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Written out, it would be a line of zeros.
            Answer::Number(number) if number.abs() >= 1e21 => write!(f, "gives {number:e}"),
            Answer::Number(number) => write!(f, "gives {number}"),
            Answer::NotFinite(number) => write!(f, "gives {number}"),
            Answer::Null => f.write_str("gives null"),
            Answer::Nothing => f.write_str("gives nothing"),
            Answer::Other(what) => write!(f, "gives {what}"),
            Answer::Failed(error) => write!(f, "fails: {error}"),
        }
    }
}

/// Figures out of answers, which come by the names that they were asked under.
fn figures<'n>(
    queries: &Queries,
    answers: impl Iterator<Item = (&'n str, Answer)>,
) -> Result<Results, String> {
    let (mut counts, mut measures) = (BTreeMap::new(), BTreeMap::new());
    for (name, answer) in answers {
        if let Some(query) = queries.counts.get(name) {
            counts.insert(name, count(name, query, &answer)?);
        } else if let Some(query) = queries.measures.get(name) {
            measures
                .extend(measure(name, query, &answer)?.map(|figure| (name.to_string(), figure)));
        }
    }
    let findings = counts.remove("findings");
    Ok(Results {
        counts: match counts.is_empty() {
            true => None,
            false => Some(add_up(&counts, findings.is_some())?),
        },
        findings,
        measures,
        failures: vec![],
    })
}

fn count(name: &str, query: &str, answer: &Answer) -> Result<u64, String> {
    // From there on not every whole number has a floating-point number of its own.
    const TOO_MANY: f64 = (1u64 << 53) as f64;
    match answer {
        Answer::Number(number) if number.fract() == 0.0 && (0.0..TOO_MANY).contains(number) => {
            Ok(*number as u64)
        }
        answer => Err(format!(
            "`{name}` must be a whole number: `{}` {answer}",
            super::short(query)
        )),
    }
}

/// A measure; none where there was nothing to measure.
fn measure(name: &str, query: &str, answer: &Answer) -> Result<Option<f64>, String> {
    match answer {
        Answer::Number(number) => Ok(Some(*number)),
        Answer::Null | Answer::Nothing | Answer::NotFinite(_) => Ok(None),
        Answer::Other(_) | Answer::Failed(_) => Err(format!(
            "`{name}` must be a number: `{}` {answer}",
            super::short(query)
        )),
    }
}

/// Counts, with what `total` has beyond them: nobody knows what became of it where failures are told, else it failed.
fn add_up(counts: &BTreeMap<&str, u64>, finds: bool) -> Result<Counts, String> {
    let of = |name| counts.get(name).copied().unwrap_or_default();
    let told = |name| counts.contains_key(name);
    let mut sum = Counts {
        passed: of("passed"),
        failed: of("failed"),
        skipped: of("skipped"),
    };
    let (all, Some(&total)) = (sum.total(), counts.get("total")) else {
        return Ok(sum);
    };
    match total.checked_sub(all) {
        Some(0) => {}
        Some(rest) if !told("skipped") && (told("failed") || finds) => sum.skipped = rest,
        Some(rest) if !told("failed") => sum.failed = rest,
        _ => {
            return Err(format!(
                "`total` is {total}, and the counts add up to {all}"
            ));
        }
    }
    Ok(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{damaged, output};
    use super::*;

    /// Reads in this process, where the queries are known to end.
    fn read(queries: &[(&str, &str)], document: &[u8]) -> Result<Results, String> {
        let (counts, measures) = queries
            .iter()
            .map(|(name, query)| (name.to_string(), query.to_string()))
            .partition(|(name, _)| Queries::COUNTS.contains(&name.as_str()));
        let queries = Queries { counts, measures };
        let document = jq::parse(document)?;
        let answers = queries.named().map(|(name, text)| {
            let query = jq::Query::compile(text).unwrap_or_else(|mistake| panic!("{mistake:?}"));
            (name, query.answer(document.clone()))
        });
        figures(&queries, answers)
    }

    #[test]
    fn counts_add_up() {
        let cases: [(&[(&str, &str)], _); 12] = [
            (&[("passed", "3"), ("failed", "1")], Ok([3, 1, 0])),
            (
                &[("passed", "3.0"), ("failed", "1"), ("skipped", "2")],
                Ok([3, 1, 2]),
            ),
            (&[("passed", "3"), ("total", "5")], Ok([3, 2, 0])),
            (
                &[("passed", "3"), ("skipped", "1"), ("total", "5")],
                Ok([3, 1, 1]),
            ),
            (
                &[("passed", "3"), ("failed", "1"), ("total", "5")],
                Ok([3, 1, 1]),
            ),
            (
                &[("passed", "3"), ("findings", "0"), ("total", "5")],
                Ok([3, 0, 2]),
            ),
            (
                &[
                    ("passed", "3"),
                    ("failed", "1"),
                    ("skipped", "1"),
                    ("total", "5"),
                ],
                Ok([3, 1, 1]),
            ),
            (
                &[
                    ("passed", "3"),
                    ("failed", "1"),
                    ("skipped", "1"),
                    ("total", "6"),
                ],
                Err("`total` is 6, and the counts add up to 5"),
            ),
            (
                &[("passed", "3"), ("failed", "1"), ("total", "2")],
                Err("`total` is 2, and the counts add up to 4"),
            ),
            (
                &[("passed", "2.5"), ("failed", "0")],
                Err("`passed` must be a whole number: `2.5` gives 2.5"),
            ),
            (
                &[("passed", "3"), ("failed", "-1")],
                Err("`failed` must be a whole number: `-1` gives -1"),
            ),
            (
                &[("passed", "1e300"), ("failed", "0")],
                Err("`passed` must be a whole number: `1e300` gives 1e300"),
            ),
        ];
        for (queries, expected) in cases {
            let counts = read(queries, b"{}").map(|results| {
                let counts = results.counts.unwrap();
                [counts.passed, counts.failed, counts.skipped]
            });
            assert_eq!(counts, expected.map_err(str::to_string), "{queries:?}");
        }
    }

    #[test]
    fn a_count_is_a_number_that_is_there() {
        for (query, gives) in [
            (".none", "`.none` gives null"),
            ("empty", "`empty` gives nothing"),
            ("1, 2", "`1, 2` gives several values"),
            ("\"3\"", "`\"3\"` gives a string"),
            (".ok", "`.ok` gives true"),
            ("nan", "`nan` gives NaN"),
            ("infinite", "`infinite` gives a number out of range"),
            (
                "9007199254740992",
                "`9007199254740992` gives 9007199254740992",
            ),
            (".ok | length", "`.ok | length` fails: true has no length"),
        ] {
            for name in Queries::COUNTS {
                let problem = read(&[(name, query)], br#"{"ok": true}"#).unwrap_err();
                assert_eq!(problem, format!("`{name}` must be a whole number: {gives}"));
            }
        }
    }

    #[test]
    fn a_measure_is_a_number_or_was_not_measured() {
        let document = br#"{"p95": 7.25, "nan": NaN, "name": "x"}"#;
        let measured = |query| read(&[("it", query)], document).map(|read| read.measures);
        assert_eq!(measured(".p95").unwrap()["it"], 7.25);
        assert_eq!(measured("-1").unwrap()["it"], -1.0);
        for nothing in [".p99", "empty", ".nan", "nan", "1e999"] {
            assert!(measured(nothing).unwrap().is_empty(), "{nothing}");
        }
        assert_eq!(
            measured(".name").unwrap_err(),
            "`it` must be a number: `.name` gives a string"
        );
        assert_eq!(
            measured(".name.x").unwrap_err(),
            "`it` must be a number: `.name.x` fails: cannot index \"x\" with \"x\""
        );
        let findings = read(&[("findings", "2"), ("ms", "3")], document).unwrap();
        assert_eq!((findings.findings, findings.counts), (Some(2), None));
    }

    #[test]
    fn a_query_of_any_nesting_can_be_checked() {
        let parts = [
            ("(", ")"),
            ("[", "]"),
            ("-", ""),
            ("{a:", "}"),
            ("try ", ""),
            ("if . then ", " end"),
            ("\"\\(", ")\""),
            ("def f: ", ";."),
            ("reduce . as $x (.;", ")"),
            (".[", "]"),
            ("first(", ")"),
            ("(.,", ")"),
            (".|", ""),
            ("..?//", ""),
            (". as $x|", ""),
            ("label $a|", ""),
            ("path(", ")"),
            ("1+", ""),
            (".a=", ""),
            ("def f(g): g,g; f(", ")"),
            ("{(\"a\",\"b\"):", "}"),
            ("?", ""),
            (". as [", "]|."),
        ];
        for (open, close) in parts {
            for close in [close, ""] {
                let many = LONGEST / (open.len() + close.len()) - 1;
                // What comes of it is no matter: that anything does is.
                let _ = check(&format!("{}.{}", open.repeat(many), close.repeat(many)));
            }
        }
        assert!(check(&" ".repeat(LONGEST)).is_err());
        let long = check(&format!(".{}", " ".repeat(LONGEST))).unwrap_err();
        assert_eq!(long.text, "it is longer than 2048 bytes");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (query, at, text) in [
            (".a |", 4..4, "a term is missing at its end"),
            (".a b", 3..4, "it goes on after its end"),
            (
                "if . then 1",
                11..11,
                "`else` or `end` is missing at its end",
            ),
            ("1 | é", 4..6, "it has a character that jq does not know"),
            (". | count", 4..9, "jq has no filter `count`"),
            ("map(1; 2)", 0..3, "jq has no filter `map` with 2 arguments"),
            ("$x", 0..2, "there is no variable `$x`"),
            (
                ".a + env.HOME",
                5..8,
                "`env` is left out: a query sees its document and nothing else",
            ),
        ] {
            let mistake = check(query).unwrap_err();
            assert_eq!((mistake.at, mistake.text.as_str()), (at, text), "{query}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_gives_figures_or_says_why(document in damaged(vec![
            output!("jest/mixed.json").1,
            output!("jest/skips.json").1,
        ])) {
            let queries = [
                ("passed", ".numPassedTests"),
                ("failed", ".numFailedTests // ([.. | .status? | select(. == \"failed\")] | length)"),
                ("ms", "[.. | .duration? | numbers] | add"),
            ];
            if let Err(problem) = read(&queries, &document) {
                prop_assert!(!problem.starts_with(char::is_uppercase), "{problem}");
            }
        }

        #[test]
        fn any_query_is_compiled_or_has_a_mistake_in_it(query in "[ -~]{0,60}|[.|()\\[\\]{}\"$a:;,1-]{0,30}") {
            if let Err(mistake) = check(&query) {
                prop_assert!(query.get(mistake.at.clone()).is_some(), "{mistake:?}");
            }
        }
    }
}
