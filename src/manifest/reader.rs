//! `reader`: what turns the results of a `run` into figures, by the name of a format or by queries of the check's own.

use super::check::Reading;
use super::item::Item;
use super::problem::nearest;
use crate::domain::check::{Queries, Reader, ReaderInput};

/// The reader whose queries stand in the manifest.
const JSON: &str = "json";
const LIKE: &str =
    "write it like `reader = { json = \"out.json\", passed = \".ok\", failed = \".bad\" }`";

impl<'a> Reading<'_, 'a, '_> {
    pub(super) fn reader(&self, item: &Item<'a>) -> Option<Reader> {
        let like = || Some("write it like `reader = { junit = \"out.xml\" }`".to_string());
        let (named, format, input) = if item.is_string() {
            (item.clone(), item.string()?, ReaderInput::Stdout)
        } else if !item.is_table() {
            let hint = "write it like `reader = \"junit\"` or `reader = { junit = \"out.xml\" }`";
            item.problem("`reader` must name a format", Some(hint.into()));
            return None;
        } else if item.has(JSON) {
            return self.queries(item);
        } else {
            let fields = item.table()?.collect::<Vec<_>>();
            let [field] = fields.as_slice() else {
                item.problem("`reader` must name one format", like());
                return None;
            };
            (field.clone(), field.key.to_string(), self.input(field)?)
        };
        let problem = |message: String, hint: String| match item.is_string() {
            true => named.problem(message, Some(hint)),
            false => named.key_problem(message, Some(hint)),
        };
        if format == JSON {
            problem("the reader `json` needs queries".into(), LIKE.into());
            return None;
        }
        let Some(exits) = (self.context.formats.exits)(&format) else {
            let names = self.context.reader_names;
            let hint = nearest(&format, names.iter().copied())
                .unwrap_or_else(|| format!("readers: {}", names.join(", ")));
            problem(format!("there is no reader `{format}`"), hint);
            return None;
        };
        Some(Reader {
            format,
            queries: None,
            input,
            exits,
        })
    }

    fn input(&self, item: &Item<'a>) -> Option<ReaderInput> {
        Some(match self.filled_not_empty(item)?.as_str() {
            "stdout" => ReaderInput::Stdout,
            "stderr" => ReaderInput::Stderr,
            path => ReaderInput::File(path.to_string()),
        })
    }

    /// A reader of any JSON by queries.
    fn queries(&self, item: &Item<'a>) -> Option<Reader> {
        let (mut queries, mut input) = (Queries::default(), None);
        for field in item.table()? {
            match field.key {
                JSON => input = self.input(&field),
                "measures" => {
                    for measure in field.table().into_iter().flatten() {
                        if Queries::COUNTS.contains(&measure.key) {
                            let message = format!("`{}` is a count, no measure", measure.key);
                            let hint = "write it beside `measures`, or give it another name";
                            measure.key_problem(message, Some(hint.into()));
                        }
                        let query = self.query(&measure);
                        queries.measures.insert(measure.key.to_string(), query);
                    }
                }
                name if Queries::COUNTS.contains(&name) => {
                    queries.counts.insert(name.to_string(), self.query(&field));
                }
                _ => {
                    let known = [&[JSON][..], &Queries::COUNTS, &["measures"]].concat();
                    field.unknown("the reader `json`", &known);
                }
            }
        }
        self.judges(item, &queries);
        Some(Reader {
            format: JSON.to_string(),
            queries: Some(queries),
            input: input?,
            exits: (self.context.formats.exits)(JSON)?,
        })
    }

    /// A query as it stands: braces are jq's own, and nothing is put into them.
    fn query(&self, item: &Item<'a>) -> String {
        let query = item.string().unwrap_or_default();
        if !query.is_empty()
            && let Err(mistake) = (self.context.formats.query)(&query)
        {
            item.part_problem(
                mistake.at,
                format!("not a jq query: {}", mistake.text),
                None,
            );
        }
        query
    }

    /// Queries by which nothing could ever fail, or nothing ever hold, are a mistake.
    fn judges(&self, item: &Item<'a>, queries: &Queries) {
        let asks = |name: &str| queries.counts.contains_key(name);
        let limited = self.keys.get("limits").is_some();
        let (message, hint) = if queries.counts.is_empty() && queries.measures.is_empty() {
            ("the reader `json` needs queries", LIKE)
        } else if queries.counts.is_empty() && !limited {
            (
                "`measures` alone judge nothing",
                "add `limits` for them, or count with `passed` and `failed`",
            )
        } else if ["failed", "skipped", "total"].into_iter().any(asks) && !asks("passed") {
            (
                "without `passed`, nothing counted could ever hold",
                "add a query for `passed`; for problems that a tool found, use `findings`",
            )
        } else if asks("passed") && !["failed", "total", "findings"].into_iter().any(asks) {
            (
                "with `passed` alone, nobody would see what failed",
                "add a query for `failed` or `total`",
            )
        } else {
            return;
        };
        item.problem(message, Some(hint.into()));
    }
}

/// A limit on a figure that no query asks for would never be held against anything.
pub(super) fn asked(queries: &Queries, limit: &Item<'_>) {
    let mut known = queries.named().map(|(name, _)| name).collect::<Vec<_>>();
    if queries.counts.contains_key("passed") {
        // Each is known where one is.
        known.extend(Queries::COUNTS.iter().filter(|name| **name != "findings"));
    }
    if !known.contains(&limit.key) {
        let hint = nearest(limit.key, known.iter().copied())
            .unwrap_or_else(|| "add a query for it to the reader".into());
        limit.key_problem(format!("no query measures `{}`", limit.key), Some(hint));
    }
}
