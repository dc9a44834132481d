//! Where each key of a manifest stands: for whoever has something to say about what was read without a mistake.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::problem::LineStarts;

/// The places of the keys of a TOML document.
#[derive(Debug)]
pub struct Spans {
    /// By the path of the key: `checks`, `lint`, `run`.
    keys: BTreeMap<Vec<String>, Range<usize>>,
    lines: LineStarts,
}

/// A place: 1-based line, and 1-based column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 1-based.
    pub line: usize,
    /// 1-based.
    pub column: usize,
}

impl Spans {
    /// The places in a text that was read before.
    pub fn new(text: &str) -> Spans {
        let (document, _) = DeTable::parse_recoverable(text);
        let mut keys = BTreeMap::new();
        add(document.get_ref(), &mut vec![], &mut keys);
        Spans {
            keys,
            lines: LineStarts::new(text),
        }
    }

    /// Where the key at that path stands, else the table that it would be in; the beginning where there is none.
    pub fn of(&self, path: &[&str], text: &str) -> Place {
        let path = path.iter().map(|key| key.to_string()).collect::<Vec<_>>();
        let known = (1..=path.len()).rev();
        let span = known
            .map(|length| &path[..length])
            .find_map(|path| self.keys.get(path));
        span.map_or(Place { line: 1, column: 1 }, |span| {
            self.at(span.start, text)
        })
    }

    /// Whether there is a key at that path.
    pub fn has(&self, path: &[&str]) -> bool {
        let path = path.iter().map(|key| key.to_string()).collect::<Vec<_>>();
        self.keys.contains_key(&path)
    }

    /// Where a byte of the text is.
    pub fn at(&self, byte: usize, text: &str) -> Place {
        let (line, start) = self.lines.at(byte);
        let before = text.get(start..byte).unwrap_or_default();
        Place {
            line,
            column: before.chars().count() + 1,
        }
    }
}

fn add(
    table: &DeTable<'_>,
    path: &mut Vec<String>,
    keys: &mut BTreeMap<Vec<String>, Range<usize>>,
) {
    for (key, value) in table.iter() {
        path.push(key.get_ref().to_string());
        keys.insert(path.clone(), key.span());
        if let DeValue::Table(table) = value.get_ref() {
            add(table, path, keys);
        }
        path.pop();
    }
}
