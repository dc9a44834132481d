//! `expect`, for each kind of probe.

use std::collections::BTreeMap;

use super::item::Item;
use super::values::one_of;
use crate::domain::expectation::{
    FileExpect, Format, HttpExpect, RunExpect, TextExpect, ValueExpect,
};

/// `exit`, `stdout`, `stderr`.
pub(super) fn run<'i, 'a: 'i>(fields: impl Iterator<Item = &'i Item<'a>>) -> RunExpect {
    let mut expect = RunExpect::default();
    for item in fields {
        match item.key {
            "exit" => {
                let elements = item.elements();
                let statuses = elements
                    .iter()
                    .filter_map(|item| item.whole(0, i64::from(u32::MAX)));
                expect.exit = statuses.map(|status| status as i32).collect();
                if elements.is_empty() {
                    item.problem("`exit` names no status", None);
                }
            }
            "stdout" => expect.stdout = text(item),
            "stderr" => expect.stderr = text(item),
            _ => item.unknown("`expect` of a `run`", &["exit", "stdout", "stderr"]),
        }
    }
    expect
}

/// `status`, `headers`, `json`, `body`, `latency`, `not_found`, `within`.
pub(super) fn http<'i, 'a: 'i>(fields: impl Iterator<Item = &'i Item<'a>>) -> HttpExpect {
    let mut expect = HttpExpect::default();
    for item in fields {
        match item.key {
            "status" => {
                let statuses = item.elements();
                expect.status = statuses
                    .iter()
                    .filter_map(|item| item.whole(100, 599))
                    .map(|status| status as u16)
                    .collect();
                if statuses.is_empty() {
                    item.problem("`status` names no status", None);
                }
            }
            "headers" => expect.headers = headers(item),
            "json" => expect.json = json(item),
            "body" => expect.body = text(item),
            "latency" => expect.latency_ms = item.latency(),
            "not_found" => expect.not_found = item.boolean().unwrap_or(false),
            "within" => expect.within = item.duration(false),
            _ => item.unknown(
                "`expect` of an `http`",
                &[
                    "status",
                    "headers",
                    "json",
                    "body",
                    "latency",
                    "not_found",
                    "within",
                ],
            ),
        }
    }
    expect
}

/// Expected values by lower-case header name.
pub(super) fn headers(item: &Item<'_>) -> BTreeMap<String, ValueExpect> {
    let fields = item.table().into_iter().flatten();
    fields
        .filter_map(|field| Some((field.key.to_ascii_lowercase(), one_value(&field)?)))
        .collect()
}

/// Expected values by JSONPath.
pub(super) fn json(item: &Item<'_>) -> BTreeMap<String, ValueExpect> {
    let mut expect = BTreeMap::new();
    for field in item.table().into_iter().flatten() {
        if let Err(error) = serde_json_path::JsonPath::parse(field.key) {
            let hint = "write it like `$.status` or `$.items[0].name` (RFC 9535)";
            field.key_problem(
                format!("`{}` is not a JSONPath: {error}", field.key),
                Some(hint.into()),
            );
        } else if let Some(value) = one_value(&field) {
            expect.insert(field.key.to_string(), value);
        }
    }
    expect
}

/// `absent`, `exists`, `count`, `contains`, `matches`, `lacks`, `comments`, `keys`, `parses`. `probe` is the `file` key.
pub(super) fn file<'i, 'a: 'i>(
    fields: impl Iterator<Item = &'i Item<'a>>,
    probe: &Item<'_>,
) -> FileExpect {
    let mut expect = FileExpect::default();
    for item in fields {
        match item.key {
            "absent" => expect.absent = item.boolean().unwrap_or(false),
            "exists" => expect.absent = !item.boolean().unwrap_or(true),
            "count" => expect.count = item.limit(),
            "comments" => expect.comments = item.boolean().unwrap_or(false),
            "keys" => expect.keys = item.strings(),
            "links" => expect.links = item.boolean().unwrap_or(false),
            // Read by the probe, which puts parameters in.
            "keys_of" => {}
            "parses" => expect.parses = one_of(item, &["json", "yaml", "toml"], Format::parse),
            "contains" | "matches" | "lacks" => text_key(&mut expect.text, item),
            _ => item.unknown(
                "`expect` of a `file`",
                &[
                    "absent", "exists", "count", "contains", "matches", "lacks", "comments",
                    "keys", "keys_of", "parses", "links",
                ],
            ),
        }
    }
    if expect.absent && (expect.reads_content() || expect.count.is_some()) {
        probe.problem(
            "a file that must be absent has no content to expect anything of",
            None,
        );
    }
    expect
}

/// `contains`, `matches`, `lacks` of a single value.
pub(super) fn value<'i, 'a: 'i>(fields: impl Iterator<Item = &'i Item<'a>>) -> TextExpect {
    let mut expect = TextExpect::default();
    for item in fields {
        match item.key {
            "contains" | "matches" | "lacks" => text_key(&mut expect, item),
            _ => item.unknown(
                "`expect` of a `variable`",
                &["contains", "matches", "lacks"],
            ),
        }
    }
    expect
}

/// `listening` or `free` of a port: whether something must listen on it.
pub(super) fn port<'i, 'a: 'i>(fields: impl Iterator<Item = &'i Item<'a>>) -> bool {
    let mut listening = true;
    for item in fields {
        match item.key {
            "listening" => listening = item.boolean().unwrap_or(true),
            "free" => listening = !item.boolean().unwrap_or(false),
            _ => item.unknown("`expect` of a `port`", &["listening", "free"]),
        }
    }
    listening
}

/// `version` of a tool.
pub(super) fn tool<'i, 'a: 'i>(fields: impl Iterator<Item = &'i Item<'a>>) -> Option<String> {
    let mut version = None;
    for item in fields {
        match item.key {
            "version" => version = version_constraint(item),
            _ => item.unknown("`expect` of a `tool`", &["version"]),
        }
    }
    version
}

/// A constraint such as `>= 3.11`.
pub(super) fn version_constraint(item: &Item<'_>) -> Option<String> {
    let text = item.string()?;
    if crate::domain::version::Constraint::parse(&text).is_none() {
        let hint = "write it like `>= 3.11`, `20`, `>= 1.2, < 2` or `*`";
        item.problem(
            format!("`{text}` is not a version constraint"),
            Some(hint.into()),
        );
        return None;
    }
    Some(text)
}

pub(super) fn text(item: &Item<'_>) -> TextExpect {
    let mut expect = TextExpect::default();
    for field in item.table().into_iter().flatten() {
        match field.key {
            "contains" | "matches" | "lacks" => text_key(&mut expect, &field),
            _ => field.unknown(
                &format!("`{}`", item.key),
                &["contains", "matches", "lacks"],
            ),
        }
    }
    expect
}

fn text_key(expect: &mut TextExpect, item: &Item<'_>) {
    match item.key {
        "contains" => expect.contains = item.strings(),
        "matches" => expect.matches = item.elements().iter().filter_map(Item::pattern).collect(),
        _ => expect.lacks = item.strings(),
    }
}

/// A value to equal, or a table with one of `is`, `matches`, `compare`, `exists`.
fn one_value(item: &Item<'_>) -> Option<ValueExpect> {
    if !item.is_table() {
        return item.json().map(ValueExpect::Is);
    }
    let fields = item.table()?.collect::<Vec<_>>();
    let known = ["is", "matches", "compare", "exists"];
    let [field] = fields.as_slice() else {
        item.problem(
            format!("`{}` must have one of {}", item.key, known.join(", ")),
            None,
        );
        return None;
    };
    match field.key {
        "is" => field.json().map(ValueExpect::Is),
        "matches" => field.pattern().map(ValueExpect::Matches),
        "compare" => field.limit().map(ValueExpect::Compare),
        "exists" => field.boolean().map(ValueExpect::Exists),
        _ => {
            field.unknown("an expected value", &known);
            None
        }
    }
}
