//! `listen`: a program must call us. What a call must be like, how one is held against that, and what is kept of it.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::check::is_default;
use super::evidence::Stream;
use super::expectation::{Checked, Held, TextExpect, ValueExpect};
use super::limit::{Limit, human_duration};

/// What must arrive while a program runs, or soon after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListenProbe {
    /// The port to listen on; none: a free one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub port: Option<u16>,
    /// The method; none: any.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: Option<String>,
    /// The path without its query: `*` stands for anything but a slash, `**` for anything.
    pub path: String,
    /// Headers, by lower-case name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: BTreeMap<String, ValueExpect>,
    /// The body as text, once its content encoding is undone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: TextExpect,
    /// Values by JSONPath, all in one JSON item of the body: the body itself, an element of it where it is an array, or a
    /// line of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub json: BTreeMap<String, ValueExpect>,
    /// How many such calls there must be.
    pub count: Limit,
    /// How long they may take to arrive, from the start of the program.
    #[serde(rename = "within_s", with = "super::check::seconds")]
    #[schemars(with = "f64")]
    pub within: Duration,
}

/// A call as it came, its content encoding undone.
#[derive(Clone, Debug, PartialEq)]
pub struct Came<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// The path without its query.
    pub path: &'a str,
    /// Header names (lower case) and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// Whether `body` is all of it.
    pub whole: bool,
}

/// What evidence keeps of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// The method, upper case.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Header names (lower case) and values, masked.
    pub headers: Vec<(String, String)>,
    /// The body, its content encoding undone, masked.
    pub body: Stream,
    /// From the start of the program to the end of the call.
    pub after_ms: u64,
    /// In what it is not as expected; none where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_as_expected: Option<String>,
}

impl ListenProbe {
    /// In what a call is not as expected; none where it is.
    pub fn mismatch(&self, came: &Came<'_>) -> Option<String> {
        if let Some(method) = self.method.as_ref().filter(|method| *method != came.method) {
            return Some(format!("its method is {}, not {method}", came.method));
        }
        if !path_pattern(&self.path).is_some_and(|pattern| pattern.is_match(came.path)) {
            return Some(format!("its path does not match `{}`", self.path));
        }
        for (name, expect) in &self.headers {
            let values = came.headers.iter().filter(|(header, _)| header == name);
            let values = values
                .map(|(_, value)| Value::from(value.as_str()))
                .collect::<Vec<_>>();
            let checked = expect.check_all(
                format!("header `{name}`"),
                &values.iter().collect::<Vec<_>>(),
            );
            if checked.held != Held::Yes {
                return Some(format!("header `{name}`: {}", checked.seen));
            }
        }
        let text = self.body.check("its body", came.body, came.whole);
        if let Some(broken) = text.into_iter().find(|checked| checked.held != Held::Yes) {
            return Some(broken.seen);
        }
        if self.json.is_empty() {
            return None;
        }
        let items = json_items(came.body);
        if items.is_empty() {
            return Some("its body holds no JSON".to_string());
        }
        // The nearest item tells most: the one that fails latest.
        let failures = items.iter().map(|item| self.json_mismatch(item));
        failures
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .max_by_key(|(held, _)| *held)
            .map(|(_, text)| text)
    }

    /// How many paths hold before the first that does not, and what is wrong with that one.
    fn json_mismatch(&self, item: &Value) -> Option<(usize, String)> {
        self.json
            .iter()
            .enumerate()
            .find_map(|(at, (path, expect))| {
                let found = JsonPath::parse(path);
                let found = found
                    .as_ref()
                    .map(|path| path.query(item).all())
                    .unwrap_or_default();
                let checked = expect.check_all(format!("`{path}`"), &found);
                (checked.held != Held::Yes).then(|| {
                    (
                        at,
                        format!(
                            "expected in its body: `{path}` {}; {}",
                            expect.words(),
                            checked.seen
                        ),
                    )
                })
            })
    }

    /// Whether enough calls came: `as_expected` of them, `in_all` of any kind. `nearest` says what was wrong with one that
    /// was not as expected.
    pub fn judge(&self, as_expected: u64, in_all: u64, nearest: Option<&str>) -> Checked {
        let what = format!("{} within {}", self.words(), human_duration(self.within));
        Checked::new(what, self.count.holds(as_expected as f64), || {
            match (in_all, nearest) {
                (0, _) => "no call came".to_string(),
                (1, Some(nearest)) => format!("one call came: {nearest}"),
                (all, Some(nearest)) if as_expected == 0 => {
                    format!("{all} calls came, none as expected: {nearest}")
                }
                (all, _) => format!("{as_expected} of {all} calls were as expected"),
            }
        })
    }

    fn words(&self) -> String {
        let method = self
            .method
            .as_deref()
            .map(|method| format!("{method} "))
            .unwrap_or_default();
        let body = self.body.contains.iter().map(|text| format!("`{text}`"));
        let json = self
            .json
            .iter()
            .map(|(path, expect)| format!("`{path}` {}", expect.words()));
        let body = match body.chain(json).collect::<Vec<_>>() {
            all if all.is_empty() => String::new(),
            all => format!(" with {}", all.join(", ")),
        };
        let (calls, arrive) = if self.count == Limit::at_least(1.0) {
            ("a call of".to_string(), "arrives")
        } else {
            (format!("{} calls of", self.count), "arrive")
        };
        format!("{calls} {method}{}{body} {arrive}", self.path)
    }
}

/// The regular expression of a path pattern.
fn path_pattern(pattern: &str) -> Option<Regex> {
    let parts = pattern.split("**").map(|part| {
        let pieces = part.split('*').map(regex::escape);
        pieces.collect::<Vec<_>>().join("[^/]*")
    });
    Regex::new(&format!("^{}$", parts.collect::<Vec<_>>().join(".*"))).ok()
}

/// The JSON values that a body consists of: as a whole, the elements of an array, the lines.
fn json_items(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(elements)) => {
            let mut items = elements.clone();
            items.push(Value::Array(elements));
            items
        }
        Ok(whole) => vec![whole],
        Err(_) => {
            let lines = body.split(|byte| *byte == b'\n');
            lines
                .filter_map(|line| serde_json::from_slice(line).ok())
                .filter(|item: &Value| item.is_object() || item.is_array())
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn probe() -> ListenProbe {
        ListenProbe {
            port: None,
            method: Some("POST".to_string()),
            path: "/api/*/envelope/".to_string(),
            headers: BTreeMap::from([(
                "content-type".to_string(),
                ValueExpect::Matches("sentry".to_string()),
            )]),
            body: TextExpect {
                contains: vec!["ZeroDivisionError".to_string()],
                ..TextExpect::default()
            },
            json: BTreeMap::from([("$.type".to_string(), ValueExpect::Is(json!("event")))]),
            count: Limit::at_least(1.0),
            within: Duration::from_secs(15),
        }
    }

    const ENVELOPE: &[u8] =
        b"{\"event_id\":\"1\"}\n{\"type\":\"event\",\"length\":9}\n{\"exception\":\"ZeroDivisionError\"}\n";

    fn mismatch(change: impl Fn(&mut Came<'_>)) -> Option<String> {
        let headers = [(
            "content-type".to_string(),
            "application/x-sentry-envelope".to_string(),
        )];
        let mut came = Came {
            method: "POST",
            path: "/api/1/envelope/",
            headers: &headers,
            body: ENVELOPE,
            whole: true,
        };
        change(&mut came);
        probe().mismatch(&came)
    }

    #[test]
    fn a_call_is_as_expected_or_the_first_difference_is_told() {
        assert_eq!(mismatch(|_| {}), None);
        type Change = fn(&mut Came<'_>);
        let cases: [(Change, &str); 6] = [
            (|came| came.method = "GET", "its method is GET, not POST"),
            (
                |came| came.path = "/api/1/2/envelope/",
                "its path does not match `/api/*/envelope/`",
            ),
            (
                |came| came.headers = &[],
                "header `content-type`: it is not there",
            ),
            (
                |came| came.body = b"{}",
                "its body does not contain `ZeroDivisionError`",
            ),
            (
                |came| came.body = b"ZeroDivisionError",
                "its body holds no JSON",
            ),
            (
                |came| came.body = b"{\"type\":\"client_report\"}\n{\"x\":\"ZeroDivisionError\"}",
                "expected in its body: `$.type` is \"event\"; it is not there",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(mismatch(change).as_deref(), Some(expected));
        }
    }

    #[test]
    fn all_paths_must_hold_in_one_item() {
        let probe = ListenProbe {
            json: BTreeMap::from([
                ("$.a".to_string(), ValueExpect::Is(json!(1))),
                ("$.b".to_string(), ValueExpect::Is(json!(2))),
            ]),
            body: TextExpect::default(),
            headers: BTreeMap::new(),
            ..probe()
        };
        let mismatch = |body: &[u8]| {
            probe.mismatch(&Came {
                method: "POST",
                path: "/api/1/envelope/",
                headers: &[],
                body,
                whole: true,
            })
        };
        assert_eq!(mismatch(b"{\"a\":1,\"b\":2}"), None);
        assert_eq!(mismatch(b"[{\"a\":0},{\"a\":1,\"b\":2}]"), None);
        assert_eq!(mismatch(b"\n{\"a\":1,\"b\":2}\r\nnoise"), None);
        assert_eq!(
            mismatch(b"[{\"a\":1},{\"b\":2}]").as_deref(),
            Some("expected in its body: `$.b` is 2; it is not there")
        );
        assert_eq!(mismatch(b"1\n2").as_deref(), Some("its body holds no JSON"));
    }

    #[test]
    fn a_pattern_of_a_path_is_no_regular_expression() {
        for (pattern, path, matches) in [
            ("/a.b/*", "/a.b/c", true),
            ("/a.b/*", "/axb/c", false),
            ("/a.b/*", "/a.b/c/d", false),
            ("/a.b/**", "/a.b/c/d", true),
            ("/**/z", "/x/y/z", true),
            ("*", "/x", false),
        ] {
            let seen = path_pattern(pattern).is_some_and(|pattern| pattern.is_match(path));
            assert_eq!(seen, matches, "{pattern} {path}");
        }
    }

    #[test]
    fn what_came_is_told() {
        let probe = probe();
        let said = |fit, all, nearest| probe.judge(fit, all, nearest);
        let held = said(1, 3, None);
        assert_eq!(held.held, Held::Yes);
        assert_eq!(
            held.what,
            "a call of POST /api/*/envelope/ with `ZeroDivisionError`, `$.type` is \"event\" arrives within 15.0 s"
        );
        assert_eq!(said(0, 0, None).seen, "no call came");
        assert_eq!(said(0, 1, Some("its x")).seen, "one call came: its x");
        assert_eq!(
            said(0, 2, Some("its x")).seen,
            "2 calls came, none as expected: its x"
        );
    }
}
