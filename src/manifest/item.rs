//! A value of a TOML document with its place: asked for as a type, it gives the value or notes a problem at its own
//! line. All reading of manifests and check files goes through here, so that no mistake hides another.

use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Collector, nearest};
use crate::domain::limit::{Limit, parse_duration};

/// The document that a value is from, and where its problems go.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) problems: &'a Collector,
    pub(super) source: usize,
    /// Whether it is built in: then tests have tried every pattern in it, and none is compiled only to see whether it is one.
    pub(super) built_in: bool,
}

/// A key and its value, each with its place.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) key: &'a str,
    pub(super) key_span: Range<usize>,
    value: &'a DeValue<'a>,
    pub(super) span: Range<usize>,
    pub(super) origin: Origin<'a>,
    /// Whether it is one of several values under the key.
    element: bool,
}

/// The items of a table, in order of the document.
pub(super) fn items<'a>(
    table: &'a DeTable<'a>,
    origin: Origin<'a>,
) -> impl Iterator<Item = Item<'a>> {
    table.iter().map(move |(key, value)| Item {
        key: key.get_ref(),
        key_span: key.span(),
        value: value.get_ref(),
        span: value.span(),
        origin,
        element: false,
    })
}

impl<'a> Item<'a> {
    /// Notes a problem with the value.
    pub(super) fn problem(&self, message: impl Into<String>, hint: Option<String>) {
        self.origin
            .problems
            .push(self.origin.source, self.span.clone(), message, hint);
    }

    /// Notes a problem with a part of the string that the value is: these bytes of it, the end where they are none.
    pub(super) fn part_problem(
        &self,
        part: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let text = self.value.as_str().unwrap_or_default();
        // Two quotes longer than its text, it is written without escapes, so that its bytes are those of the source.
        let span = match self.span.len() == text.len() + 2 {
            true => {
                let start = self.span.start + 1;
                start + part.start..start + part.end.max(part.start + 1)
            }
            false => self.span.clone(),
        };
        self.origin
            .problems
            .push(self.origin.source, span, message, hint);
    }

    /// Notes a problem with the key.
    pub(super) fn key_problem(&self, message: impl Into<String>, hint: Option<String>) {
        self.origin
            .problems
            .push(self.origin.source, self.key_span.clone(), message, hint);
    }

    /// Notes that the key is none of the known ones.
    pub(super) fn unknown(&self, place: &str, known: &[&str]) {
        let hint = nearest(self.key, known.iter().copied())
            .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
        self.key_problem(format!("unknown key `{}` in {place}", self.key), Some(hint));
    }

    fn wrong(&self, wanted: &str) {
        self.wrong_with_hint(wanted, None);
    }

    fn wrong_with_hint(&self, wanted: &str, hint: Option<&str>) {
        let each = if self.element { "each value of " } else { "" };
        let message = format!(
            "{each}`{}` must be {wanted}, not {}",
            self.key,
            article(self.value.type_str())
        );
        self.problem(message, hint.map(str::to_string));
    }

    pub(super) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// A string that is not empty.
    pub(super) fn string(&self) -> Option<String> {
        match self.value.as_str() {
            Some(text) if text.trim().is_empty() => {
                self.problem(format!("`{}` is empty", self.key), None);
                None
            }
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong("a string");
                None
            }
        }
    }

    /// A string, which may be empty.
    pub(super) fn text(&self) -> Option<String> {
        match self.value.as_str() {
            Some(text) => Some(text.to_string()),
            None => {
                self.wrong("a string");
                None
            }
        }
    }

    /// A string, number or boolean, as text.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(number) => Some(number.to_string()),
                    Err(_) => self.number().map(|number| number.to_string()),
                }
            }
            // As written: a version such as 3.10 is not 3.1.
            DeValue::Float(float) => self.number().map(|_| float.as_str().to_string()),
            DeValue::Boolean(value) => Some(value.to_string()),
            _ => {
                self.wrong("a string, a number or a boolean");
                None
            }
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.wrong("`true` or `false`");
        }
        value
    }

    /// A finite number.
    pub(super) fn number(&self) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .map(|n| n as f64),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => {
                self.wrong("a number");
                return None;
            }
        };
        let finite = number.filter(|number| number.is_finite());
        if finite.is_none() {
            self.problem(
                format!("`{}` is not a number that can be used", self.key),
                None,
            );
        }
        finite
    }

    /// A number within bounds; `words` says which.
    pub(super) fn number_in(&self, words: &str, within: impl Fn(f64) -> bool) -> Option<f64> {
        let number = self.number()?;
        if within(number) {
            return Some(number);
        }
        self.problem(
            format!("`{}` must be {words}, not {number}", self.key),
            None,
        );
        None
    }

    /// A percentage, 0 to 100.
    pub(super) fn percent(&self) -> Option<f64> {
        self.number_in("a percentage from 0 to 100", |n| (0.0..=100.0).contains(&n))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(&self, least: i64, most: i64) -> Option<i64> {
        let DeValue::Integer(integer) = self.value else {
            self.wrong("a whole number");
            return None;
        };
        match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let bounds = match most {
                    i64::MAX => format!("{least} or more"),
                    most => format!("from {least} to {most}"),
                };
                self.problem(
                    format!("`{}` must be {bounds}, not {}", self.key, integer.as_str()),
                    None,
                );
                None
            }
        }
    }

    /// A non-negative count.
    pub(super) fn count(&self) -> Option<u64> {
        self.whole(0, i64::MAX).map(|number| number as u64)
    }

    /// A duration such as `2m30s`; `zero` says whether none at all is one.
    pub(super) fn duration(&self, zero: bool) -> Option<Duration> {
        const HINT: &str = "write it like `90s`, `2m30s`, `500ms`, `1h` or `2d`";
        let Some(text) = self.value.as_str() else {
            self.wrong_with_hint("a duration", Some(HINT));
            return None;
        };
        match parse_duration(text) {
            Ok(duration) if duration.is_zero() && !zero => {
                self.problem(format!("`{}` must be longer than nothing", self.key), None);
                None
            }
            Ok(duration) => Some(duration),
            Err(message) => {
                self.problem(message, Some(HINT.into()));
                None
            }
        }
    }

    /// A comparison such as `< 500`.
    pub(super) fn limit(&self) -> Option<Limit> {
        if matches!(self.value, DeValue::Integer(_) | DeValue::Float(_)) {
            return Limit::parse(&self.number()?.to_string()).ok();
        }
        self.comparison(
            Limit::parse,
            "write it like `< 500`, `<= 0.01`, `>= 80` or `== 0`",
        )
    }

    /// A comparison of a duration such as `< 500ms`, in milliseconds.
    pub(super) fn latency(&self) -> Option<Limit> {
        self.comparison(Limit::parse_millis, "write it like `< 500ms` or `<= 2s`")
    }

    fn comparison(&self, parse: fn(&str) -> Result<Limit, String>, hint: &str) -> Option<Limit> {
        let Some(text) = self.value.as_str() else {
            self.wrong_with_hint("a comparison", Some(hint));
            return None;
        };
        match parse(text) {
            Ok(limit) => Some(limit),
            Err(message) => {
                self.problem(message, Some(hint.to_string()));
                None
            }
        }
    }

    /// A date, as TOML has them or as a string.
    pub(super) fn date(&self) -> Option<Date> {
        let text = match self.value {
            DeValue::Datetime(date) if date.time.is_none() => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => {
                self.wrong("a date such as 2026-12-01");
                return None;
            }
        };
        // The parser would also take times and other ways to write a date.
        let plain = text.len() == 10
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = text.parse::<Date>().ok().filter(|_| plain);
        if date.is_none() {
            self.problem(
                format!("`{text}` is not a date"),
                Some("write it like 2026-12-01".into()),
            );
        }
        date
    }

    /// A regular expression that compiles.
    pub(super) fn pattern(&self) -> Option<String> {
        let pattern = self.text()?;
        if self.origin.built_in {
            return Some(pattern);
        }
        match regex::bytes::Regex::new(&pattern) {
            Ok(_) => Some(pattern),
            Err(error) => {
                // The crate's message repeats the pattern over several lines; its last line says what is wrong.
                let error = error.to_string();
                let cause = error
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_string();
                self.problem(
                    format!("`{pattern}` is not a regular expression: {cause}"),
                    None,
                );
                None
            }
        }
    }

    /// The values of an array, or the one value itself, each with its own place under the same key.
    pub(super) fn elements(&self) -> Vec<Item<'a>> {
        let element = |value: &'a Spanned<DeValue<'a>>| Item {
            value: value.get_ref(),
            span: value.span(),
            element: true,
            ..self.clone()
        };
        match self.value {
            DeValue::Array(array) => array.iter().map(element).collect(),
            _ => vec![self.clone()],
        }
    }

    /// The values of an array; none where it is something else.
    pub(super) fn array(&self) -> Option<Vec<Item<'a>>> {
        self.value.is_array().then(|| self.elements())
    }

    /// One string or an array of them, none empty.
    pub(super) fn strings(&self) -> Vec<String> {
        self.elements().iter().filter_map(Item::string).collect()
    }

    /// The values of an array of strings; anything else is a problem.
    pub(super) fn argv(&self) -> Option<Vec<Item<'a>>> {
        let elements = self.array();
        if elements.is_none() {
            self.wrong("an array of strings");
        }
        elements
    }

    /// Whether it is a table that has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        matches!(self.value, DeValue::Table(table) if table.contains_key(key))
    }

    /// The items of a table.
    pub(super) fn table(&self) -> Option<impl Iterator<Item = Item<'a>> + use<'a>> {
        match self.value {
            DeValue::Table(table) => Some(items(table, self.origin)),
            DeValue::Array(array)
                if array
                    .iter()
                    .next()
                    .is_some_and(|first| first.get_ref().is_table()) =>
            {
                self.wrong_with_hint(
                    "a table",
                    Some("a table has single brackets: `[name]`, not `[[name]]`"),
                );
                None
            }
            _ => {
                self.wrong("a table");
                None
            }
        }
    }

    /// The value as JSON has it.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        Some(match self.value {
            DeValue::String(text) => text.as_ref().into(),
            DeValue::Boolean(value) => (*value).into(),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(number) => number.into(),
                    Err(_) => self.number()?.into(),
                }
            }
            DeValue::Float(_) => self.number()?.into(),
            DeValue::Array(_) => self
                .elements()
                .iter()
                .map(Item::json)
                .collect::<Option<Vec<_>>>()?
                .into(),
            DeValue::Table(_) => {
                let fields = self
                    .table()?
                    .map(|item| Some((item.key.to_string(), item.json()?)));
                fields.collect::<Option<serde_json::Map<_, _>>>()?.into()
            }
            DeValue::Datetime(date) => date.to_string().into(),
        })
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// A value of its own type with the place that it was read at, for problems that show only later.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) source: usize,
    pub(super) span: Range<usize>,
}

impl At<String> {
    /// A key, where it stands.
    pub(super) fn key(item: &Item<'_>) -> At<String> {
        At {
            value: item.key.to_string(),
            source: item.origin.source,
            span: item.key_span.clone(),
        }
    }
}

impl<T> At<T> {
    pub(super) fn new(value: T, item: &Item<'_>) -> At<T> {
        At {
            value,
            source: item.origin.source,
            span: item.span.clone(),
        }
    }

    pub(super) fn problem(
        &self,
        problems: &Collector,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        problems.push(self.source, self.span.clone(), message, hint);
    }
}
