//! The JSON Schema of the manifest, draft-07, for editors, and the same as a page for people. It is written by hand beside the
//! code that reads; a test holds the keys of both against each other.

use serde_json::{Map, Value};

use super::Library;

/// The schema, with what `use` and `reader` can name put in.
pub fn schema(library: &Library, readers: &[&str]) -> String {
    let words = |words: &[&str]| {
        let words = words
            .iter()
            .map(|word| serde_json::Value::from(*word).to_string());
        words.collect::<Vec<_>>().join(", ")
    };
    include_str!("schema.json")
        .replace("\"{library}\"", &words(&library.names()))
        .replace("\"{readers}\"", &words(readers))
}

/// What stands above the reference.
const HEAD: &str = "\
# Every key of `readiness.toml`

Written by `ready schema --format markdown` from the schema that editors complete and check with. [manifest.md](manifest.md) explains what
the keys are for. A key is of the type that is named; where several are, any of them does. What is required says so.
";

/// The schema as a page in Markdown: a table of keys for each table of the manifest.
pub fn reference(library: &Library, readers: &[&str]) -> String {
    let text = schema(library, readers);
    // It is this program's own text.
    let schema = serde_json::from_str::<Value>(&text).unwrap_or_default();
    let page = Page { schema: &schema };
    let mut text = HEAD.to_string();
    for (name, table) in page.properties(&schema) {
        let entry = page.entry(table);
        let several = entry.is_some() && page.properties(page.resolved(table)).is_empty();
        let what = match (several, entry) {
            (true, Some(entry)) => entry,
            _ => page.resolved(table),
        };
        let keys = page.keys(what);
        let header = if several && !keys.is_empty() {
            format!("{name}.NAME")
        } else {
            name.clone()
        };
        text += &format!("\n## `[{header}]`\n\n{}.\n", page.says(table));
        text += &match keys.is_empty() {
            true => format!("\nEach key is a name, its value {}.\n", page.kind(what)),
            false => table_of(&keys),
        };
    }
    text += "\n## Values\n\n| type | |\n| --- | --- |\n";
    for (name, says) in VALUES {
        text += &format!("| {name} | {says} |\n");
    }
    text
}

/// The types that have names, by their names in the schema.
const VALUES: [(&str, &str); 5] = [
    ("duration", "text: `90s`, `2m30s`, `500ms`, `1h`, `2d`"),
    (
        "limit",
        "text: a comparison, `< 500`, `<= 0.01`, `== 0`, `>= 80`, `> 100`; a number is the most that there may be",
    ),
    ("percent", "a number from 0 to 100"),
    (
        "weight",
        "a number above 0, at most 1000; 1 where nothing is said",
    ),
    ("date", "a date, or text like `2026-12-01`"),
];

/// A key as the page shows it.
struct Key {
    name: String,
    kind: String,
    says: String,
}

fn table_of(keys: &[Key]) -> String {
    let mut text = "\n| key | type | |\n| --- | --- | --- |\n".to_string();
    for key in keys {
        let [kind, says] = [&key.kind, &key.says].map(|text| text.replace('|', "\\|"));
        text += &format!("| `{}` | {kind} | {says} |\n", key.name);
    }
    text
}

struct Page<'s> {
    schema: &'s Value,
}

impl<'s> Page<'s> {
    /// What a reference leads to.
    fn resolved(&self, of: &'s Value) -> &'s Value {
        let target = of["$ref"]
            .as_str()
            .or_else(|| of["allOf"][0]["$ref"].as_str());
        let target = target.and_then(|target| self.schema.pointer(target.trim_start_matches('#')));
        target.map_or(of, |target| self.resolved(target))
    }

    /// The name of a type that has one.
    fn named(&self, of: &Value) -> Option<&'static str> {
        let target = of["$ref"]
            .as_str()
            .or_else(|| of["allOf"][0]["$ref"].as_str())?;
        let name = target.rsplit('/').next()?;
        VALUES
            .iter()
            .map(|(known, _)| *known)
            .find(|known| *known == name)
    }

    fn properties(&self, of: &'s Value) -> Vec<(&'s String, &'s Value)> {
        let properties = of["properties"].as_object().map(Map::iter);
        properties.into_iter().flatten().collect()
    }

    /// What each value of an open table is.
    fn entry(&self, of: &'s Value) -> Option<&'s Value> {
        let entry = &self.resolved(of)["additionalProperties"];
        entry.is_object().then(|| self.resolved(entry))
    }

    fn says(&self, of: &Value) -> String {
        let says = of["description"].as_str().or_else(|| {
            let target = of["$ref"].as_str()?;
            self.schema.pointer(target.trim_start_matches('#'))?["description"].as_str()
        });
        says.unwrap_or_default().to_string()
    }

    /// The keys of a table; those of a table within it by their way there.
    fn keys(&self, table: &'s Value) -> Vec<Key> {
        let mut keys = vec![];
        self.add(table, "", &mut keys);
        keys
    }

    fn add(&self, table: &'s Value, above: &str, keys: &mut Vec<Key>) {
        let required = |name: &str| {
            table["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|other| other == name))
        };
        for (name, value) in self.properties(table) {
            let required = if required(name) { ", required" } else { "" };
            let place = format!("{above}{name}");
            keys.push(Key {
                kind: format!("{}{required}", self.kind(value)),
                says: self.says(value),
                name: place.clone(),
            });
            // A table within a table within a check is as deep as it goes.
            if place.matches('.').count() < 2 {
                self.add(self.resolved(value), &format!("{place}."), keys);
            }
        }
    }

    /// The type in words.
    fn kind(&self, of: &'s Value) -> String {
        if let Some(name) = self.named(of) {
            return name.to_string();
        }
        let of = self.resolved(of);
        let all = |list: &'s Value| list.as_array().map(Vec::as_slice).unwrap_or_default();
        let alternatives = all(&of["anyOf"]);
        if !alternatives.is_empty() {
            let mut kinds = alternatives
                .iter()
                .map(|one| self.kind(one))
                .collect::<Vec<_>>();
            kinds.dedup();
            return kinds.join(" or ");
        }
        if let Some(words) = of["enum"].as_array() {
            // The library and the readers have pages of their own.
            const MANY: usize = 8;
            let words = words
                .iter()
                .map(|word| format!("`{}`", word.as_str().unwrap_or_default()));
            return match words.len() {
                0..=MANY => words.collect::<Vec<_>>().join(", "),
                _ => "a known name".to_string(),
            };
        }
        let name = |kind: &str| match kind {
            "string" => "text".to_string(),
            "integer" | "number" => self.number(kind, of),
            "boolean" => "true or false".to_string(),
            "array" => format!("list of {}", self.kind(&of["items"])),
            "object" => match self.entry(of) {
                Some(entry) if self.properties(of).is_empty() => {
                    format!("table of {}", self.kind(entry))
                }
                _ => "table".to_string(),
            },
            other => other.to_string(),
        };
        match &of["type"] {
            Value::String(kind) => name(kind),
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .map(name)
                .collect::<Vec<_>>()
                .join(" or "),
            _ => "any value".to_string(),
        }
    }

    fn number(&self, kind: &str, of: &Value) -> String {
        let noun = if kind == "integer" {
            "whole number"
        } else {
            "number"
        };
        let bound =
            |key: &str, words: &str| of[key].as_f64().map(|bound| format!("{words} {bound}"));
        let bounds = [
            bound("minimum", "at least"),
            bound("exclusiveMinimum", "above"),
            bound("maximum", "at most"),
        ];
        let bounds = bounds.into_iter().flatten().collect::<Vec<_>>();
        match bounds.is_empty() {
            true => noun.to_string(),
            false => format!("{noun}, {}", bounds.join(", ")),
        }
    }
}
