//! What is expected of an output, an answer, a file or a value, and whether it held.
//!
//! It is decided once, at the moment of looking, on the raw bytes in memory; the evidence keeps the result of each
//! expectation. What was dropped from a stream can never satisfy an expectation about the whole of it.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::check::{is_default, maybe_seconds};
use super::limit::Limit;

/// One expectation and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// The expectation in words.
    pub what: String,
    /// Whether it held.
    pub held: Held,
    /// What was seen instead, where it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
}

/// Whether an expectation held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// Too little was kept to say.
    Unknown,
}

impl Checked {
    /// The result of an expectation; `seen` is kept where it did not hold.
    pub fn new(what: impl Into<String>, held: bool, seen: impl FnOnce() -> String) -> Checked {
        let (held, seen) = if held {
            (Held::Yes, String::new())
        } else {
            (Held::No, seen())
        };
        Checked {
            what: what.into(),
            held,
            seen,
        }
    }

    /// One of which nobody can tell whether it held, and why.
    pub(crate) fn unknown(what: impl Into<String>, seen: &str) -> Checked {
        Checked {
            what: what.into(),
            held: Held::Unknown,
            seen: seen.to_string(),
        }
    }
}

/// What a text must be like. Patterns are regular expressions of the `regex` crate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextExpect {
    /// Each must occur.
    #[serde(default, skip_serializing_if = "is_default")]
    pub contains: Vec<String>,
    /// Each must match somewhere.
    #[serde(default, skip_serializing_if = "is_default")]
    pub matches: Vec<String>,
    /// None may occur.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lacks: Vec<String>,
}

impl TextExpect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.contains.is_empty() && self.matches.is_empty() && self.lacks.is_empty()
    }

    /// Holds the expectation against `text`, called `name` in the results. `whole` says whether `text` is all there was:
    /// if it is not, only what was found can be known, and only where a single piece of it decides.
    pub fn check(&self, name: &str, text: &[u8], whole: bool) -> Vec<Checked> {
        let dropped = "too much output: its middle was dropped";
        let mut results = vec![];
        for wanted in &self.contains {
            let what = format!("{name} contains `{wanted}`");
            let found = contains(text, wanted.as_bytes());
            results.push(match found || whole {
                true => Checked::new(what, found, || {
                    format!("{name} does not contain `{wanted}`")
                }),
                false => Checked::unknown(what, dropped),
            });
        }
        for pattern in &self.matches {
            let what = format!("{name} matches `{pattern}`");
            results.push(match (Regex::new(pattern), whole) {
                (Err(_), _) => Checked::unknown(what, "the pattern cannot be used"),
                (Ok(_), false) => Checked::unknown(what, dropped),
                (Ok(regex), true) => Checked::new(what, regex.is_match(text), || {
                    format!("{name} does not match `{pattern}`")
                }),
            });
        }
        for unwanted in &self.lacks {
            let what = format!("{name} lacks `{unwanted}`");
            let found = contains(text, unwanted.as_bytes());
            results.push(match found || whole {
                true => Checked::new(what, !found, || format!("{name} contains `{unwanted}`")),
                false => Checked::unknown(what, dropped),
            });
        }
        results
    }
}

/// What a program's end must be like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunExpect {
    /// The exit statuses that are well, where no reader decides.
    pub exit: Vec<i32>,
    /// Standard output.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stdout: TextExpect,
    /// Standard error.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stderr: TextExpect,
}

impl Default for RunExpect {
    fn default() -> Self {
        RunExpect {
            exit: vec![0],
            stdout: TextExpect::default(),
            stderr: TextExpect::default(),
        }
    }
}

/// What an HTTP answer must be like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpExpect {
    /// The statuses that are well; empty: 200 to 299.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Vec<u16>,
    /// Headers, by lower-case name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: BTreeMap<String, ValueExpect>,
    /// Values in a JSON body, by JSONPath (RFC 9535). Every node that a path finds must be as expected, and there must
    /// be one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub json: BTreeMap<String, ValueExpect>,
    /// The body as text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: TextExpect,
    /// From the request to the end of the body, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub latency_ms: Option<Limit>,
    /// Whether a path beside this one that cannot exist must be answered otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_found: bool,
    /// How long all of it may take to become so; none: it must be so at once.
    #[serde(
        rename = "within_s",
        default,
        skip_serializing_if = "Option::is_none",
        with = "maybe_seconds"
    )]
    #[schemars(with = "Option<f64>")]
    pub within: Option<Duration>,
}

impl HttpExpect {
    /// Whether the body decides, not the status alone.
    pub fn reads_body(&self) -> bool {
        // That something is absent from a body shows nothing of what is there.
        !self.json.is_empty() || !self.body.contains.is_empty() || !self.body.matches.is_empty()
    }

    /// The texts that decide about a body once they have all come, whatever follows: it must do no more than contain them.
    pub fn decided_by(&self) -> &[String] {
        let body = &self.body;
        let more = !body.matches.is_empty() || !body.lacks.is_empty() || !self.json.is_empty();
        if more { &[] } else { &body.contains }
    }

    /// Holds the expectation against an answer. `whole` says whether `body` is all of it.
    pub fn check(
        &self,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
        whole: bool,
        latency_ms: f64,
    ) -> Vec<Checked> {
        let mut results = vec![];
        let seen_status = || match redirect(status, headers) {
            Some(to) => format!("status is {status}, which leads to {to}"),
            None => format!("status is {status}"),
        };
        if self.status.is_empty() {
            results.push(Checked::new(
                "status is 200 to 299",
                (200..300).contains(&status),
                seen_status,
            ));
        } else {
            let wanted = self
                .status
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(" or ");
            results.push(Checked::new(
                format!("status is {wanted}"),
                self.status.contains(&status),
                seen_status,
            ));
        }
        for (name, expect) in &self.headers {
            let what = format!("header `{name}` {}", expect.words());
            let values: Vec<_> = headers
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| Value::from(v.as_str()))
                .collect();
            results.push(expect.check_all(what, &values.iter().collect::<Vec<_>>()));
        }
        if !self.json.is_empty() {
            results.extend(self.check_json(body, whole));
        }
        results.extend(self.body.check("the body", body, whole));
        if let Some(limit) = &self.latency_ms {
            let what = format!("latency {limit} ms");
            results.push(Checked::new(what, limit.holds(latency_ms), || {
                format!("it took {latency_ms:.0} ms")
            }));
        }
        results
    }

    fn check_json(&self, body: &[u8], whole: bool) -> Vec<Checked> {
        let parsed = serde_json::from_slice::<Value>(body);
        let mut results = vec![];
        for (path, expect) in &self.json {
            let what = format!("`{path}` {}", expect.words());
            results.push(match (&parsed, JsonPath::parse(path)) {
                (_, Err(_)) => Checked::unknown(what, "the path cannot be used"),
                (Err(_), _) if !whole => Checked::unknown(what, "the body is too long to read"),
                (Err(_), _) => Checked::new(what, false, || "the body is not JSON".to_string()),
                (Ok(json), Ok(path)) => expect.check_all(what, &path.query(json).all()),
            });
        }
        results
    }
}

/// Where an answer leads, where it does.
fn redirect(status: u16, headers: &[(String, String)]) -> Option<&str> {
    let (_, to) = headers.iter().find(|(name, _)| name == "location")?;
    (300..400).contains(&status).then(|| without_query(to))
}

/// A URL, absolute or not, without query and fragment: what stands there may let somebody in.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// What is seen where a value is nowhere.
pub const ABSENT: &str = "it is not there";

/// What a single value must be like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueExpect {
    /// Equal to this one; numbers by value.
    Is(Value),
    /// A string in which the regular expression matches.
    Matches(String),
    /// A number within the bound.
    Compare(Limit),
    /// There (`true`) or not (`false`), whatever it is.
    Exists(bool),
}

impl ValueExpect {
    /// What must hold of it, as the end of a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            ValueExpect::Is(value) => format!("is {value}"),
            ValueExpect::Matches(pattern) => format!("matches `{pattern}`"),
            ValueExpect::Compare(limit) => format!("{limit}"),
            ValueExpect::Exists(true) => "exists".to_string(),
            ValueExpect::Exists(false) => "does not exist".to_string(),
        }
    }

    /// Holds the expectation against every value that was found.
    pub(super) fn check_all(&self, what: String, found: &[&Value]) -> Checked {
        if let ValueExpect::Exists(wanted) = self {
            return Checked::new(what, found.is_empty() != *wanted, || {
                if *wanted { ABSENT } else { "it is there" }.to_string()
            });
        }
        match found.iter().find(|value| !self.holds(value)) {
            Some(wrong) => Checked::new(what, false, || format!("it is {wrong}")),
            None => Checked::new(what, !found.is_empty(), || ABSENT.to_string()),
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            ValueExpect::Is(wanted) => same(wanted, value),
            ValueExpect::Matches(pattern) => value.as_str().is_some_and(|text| {
                Regex::new(pattern).is_ok_and(|regex| regex.is_match(text.as_bytes()))
            }),
            ValueExpect::Compare(limit) => value.as_f64().is_some_and(|number| limit.holds(number)),
            ValueExpect::Exists(wanted) => *wanted,
        }
    }
}

/// Equality in which `1` and `1.0` are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.as_f64() == y.as_f64() && (x.is_f64() || y.is_f64()))
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// What files must be like. `contains`, `matches` and `lacks` look at the text with its comments taken out, where the
/// kind of file is known, unless `comments` says that they count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileExpect {
    /// Whether no file may match the pattern.
    #[serde(default, skip_serializing_if = "is_default")]
    pub absent: bool,
    /// How many files must match.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count: Option<Limit>,
    /// Each piece in at least one of them; unwanted ones in none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text: TextExpect,
    /// Whether comments count as text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comments: bool,
    /// Keys that every file must have: dotted paths in JSON, YAML and TOML, names with a value in dotenv files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keys: Vec<String>,
    /// The dotenv file of which every name must have a real value in every file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keys_of: Option<String>,
    /// The format in which every file must parse.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parses: Option<Format>,
    /// Whether what every link within the project leads to must be there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub links: bool,
}

impl FileExpect {
    /// Whether it looks into the files, not only at their being there.
    pub fn reads_content(&self) -> bool {
        !self.text.is_empty()
            || !self.keys.is_empty()
            || self.keys_of.is_some()
            || self.parses.is_some()
            || self.links
    }
}

/// A format of structured text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
}

impl Format {
    /// The format of that name.
    pub fn parse(word: &str) -> Option<Format> {
        match word {
            "json" => Some(Format::Json),
            "yaml" => Some(Format::Yaml),
            "toml" => Some(Format::Toml),
            _ => None,
        }
    }
}

/// Whether `wanted` occurs in `text`.
pub fn contains(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty()
        || aho_corasick::AhoCorasick::new([wanted]).is_ok_and(|finder| finder.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(checked: &[Checked]) -> Vec<Held> {
        checked.iter().map(|c| c.held).collect()
    }

    fn text(contains: &[&str], matches: &[&str], lacks: &[&str]) -> TextExpect {
        let own = |list: &[&str]| list.iter().map(|s| s.to_string()).collect();
        TextExpect {
            contains: own(contains),
            matches: own(matches),
            lacks: own(lacks),
        }
    }

    #[test]
    fn a_whole_text_decides_every_expectation() {
        let expect = text(&["ok", "no"], &["^b", "z$"], &["bad", "broken"]);
        let results = expect.check("stdout", b"broken but ok", true);
        assert_eq!(
            held(&results),
            [
                Held::Yes,
                Held::No,
                Held::Yes,
                Held::No,
                Held::Yes,
                Held::No
            ]
        );
    }

    #[test]
    fn a_truncated_text_satisfies_nothing_about_the_whole() {
        let expect = text(&["ok", "no"], &["ok"], &["bad", "broken"]);
        let results = expect.check("stdout", "broken … ok".as_bytes(), false);
        assert_eq!(
            held(&results),
            [
                Held::Yes,
                Held::Unknown,
                Held::Unknown,
                Held::Unknown,
                Held::No
            ]
        );
    }

    #[test]
    fn invalid_utf8_and_nul_are_text_like_any_other() {
        let results = text(&["ok"], &["o."], &["\u{0}"]).check("stdout", b"\xff\xfe ok \x00", true);
        assert_eq!(held(&results), [Held::Yes, Held::Yes, Held::No]);
    }

    #[test]
    fn an_answer_is_held_against_each_expectation() {
        let expect = HttpExpect {
            status: vec![200],
            headers: BTreeMap::from([("content-type".into(), ValueExpect::Matches("json".into()))]),
            json: BTreeMap::from([
                (
                    "$.count".into(),
                    ValueExpect::Compare(Limit::parse("> 1").unwrap_or_else(|e| panic!("{e}"))),
                ),
                ("$.items[*].ok".into(), ValueExpect::Is(json!(true))),
                ("$.missing".into(), ValueExpect::Exists(false)),
                ("$.status".into(), ValueExpect::Is(json!("healthy"))),
            ]),
            body: text(&["healthy"], &[], &["error"]),
            latency_ms: Limit::parse("< 500").ok(),
            not_found: false,
            within: None,
        };
        let headers = [("content-type".to_string(), "application/json".to_string())];
        let good = br#"{"status":"healthy","count":2.0,"items":[{"ok":true},{"ok":true}]}"#;
        assert!(
            expect
                .check(200, &headers, good, true, 12.0)
                .iter()
                .all(|c| c.held == Held::Yes)
        );

        let wrong = br#"{"status":"unhealthy","count":"2","items":[{"ok":true},{"ok":false}],"missing":null,"error":1}"#;
        let results = expect.check(503, &[], wrong, true, 900.0);
        assert!(
            results
                .iter()
                .filter(|c| c.what != "the body contains `healthy`")
                .all(|c| c.held == Held::No),
            "{results:#?}"
        );
        assert!(
            expect
                .check(200, &headers, b"OK", true, 1.0)
                .iter()
                .any(|c| c.seen == "the body is not JSON")
        );
    }

    #[test]
    fn a_path_that_finds_nothing_does_not_hold() {
        let expect = HttpExpect {
            json: BTreeMap::from([("$.a[*]".into(), ValueExpect::Is(json!(1)))]),
            ..HttpExpect::default()
        };
        assert!(
            expect
                .check(200, &[], br#"{"a":[]}"#, true, 1.0)
                .iter()
                .any(|c| c.held == Held::No && c.seen == ABSENT)
        );
    }

    #[test]
    fn a_redirect_is_no_success() {
        assert_eq!(
            held(&HttpExpect::default().check(302, &[], b"", true, 1.0)),
            [Held::No]
        );
    }

    #[test]
    fn where_a_redirect_leads_is_said_without_its_query() {
        let headers = [(
            "location".to_string(),
            "/login?next=%2F&ticket=1".to_string(),
        )];
        let checked = HttpExpect::default().check(302, &headers, b"", true, 1.0);
        assert_eq!(checked[0].seen, "status is 302, which leads to /login");
    }

    #[test]
    fn the_beginning_of_a_body_decides_only_where_no_more_is_asked() {
        let decided_by = |body| {
            let expect = HttpExpect {
                body,
                ..HttpExpect::default()
            };
            expect.decided_by().len()
        };
        assert_eq!(decided_by(text(&["ok", "go"], &[], &[])), 2);
        assert_eq!(decided_by(text(&["ok"], &["go$"], &[])), 0);
        assert_eq!(decided_by(text(&["ok"], &[], &["error"])), 0);
        assert_eq!(decided_by(TextExpect::default()), 0);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(same(&json!(1), &json!(1.0)));
        assert!(same(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!same(&json!(1), &json!("1")));
        assert!(!same(
            &json!(9007199254740993u64),
            &json!(9007199254740992u64)
        ));
    }
}
