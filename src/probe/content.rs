//! Holds what a file must say against what it says, one file at a time, so that only one is in memory. The file probe
//! reads them and asks for the results at the end. Results name files, lines and keys, never what stands there.

use regex::bytes::Regex;

use super::comments::without_comments;
use super::dotenv;
use super::file::few;
use super::structured::{find, format_of, is_filled, line_at, name_of, parse};
use crate::domain::expectation::{Checked, FileExpect, Format, Held};

/// The expectations on the content of a pattern's files, and what was seen so far.
pub(super) struct Content<'e> {
    expect: &'e FileExpect,
    /// What is looked for as text, in the order in which it is reported.
    searches: Vec<Search>,
    keys: Every,
    /// The names of an example, each of which needs a real value.
    example: Option<(Vec<String>, Every)>,
    parses: Every,
    files: usize,
    too_large: Vec<String>,
}

/// A text that must stand somewhere or nowhere.
struct Search {
    what: String,
    regex: Option<Regex>,
    wanted: bool,
    /// Where it stands, `file:line`.
    places: Vec<String>,
    comment: Option<String>,
}

/// Something that must hold for every file.
struct Every {
    what: String,
    problems: Vec<String>,
}

impl<'e> Content<'e> {
    /// Nothing seen yet. `one` says whether the pattern is the name of one file.
    /// `example` are the name of a dotenv file and the names in it.
    pub(super) fn new(
        pattern: &str,
        one: bool,
        expect: &'e FileExpect,
        example: Option<(&str, Vec<String>)>,
    ) -> Content<'e> {
        let (some, every, none) = match one {
            true => (
                format!("`{pattern}` contains"),
                format!("`{pattern}`"),
                format!("`{pattern}` does not contain"),
            ),
            false => (
                format!("a file of `{pattern}` contains"),
                format!("every file of `{pattern}`"),
                format!("no file of `{pattern}` contains"),
            ),
        };
        let search = |says: &str, text: &str, regex: &str, wanted| Search {
            what: format!("{says} `{text}`"),
            regex: Regex::new(regex).ok(),
            wanted,
            places: vec![],
            comment: None,
        };
        let contains = expect
            .text
            .contains
            .iter()
            .map(|text| search(&some, text, &regex::escape(text), true));
        let says = format!("{some} a match of");
        let matches = expect
            .text
            .matches
            .iter()
            .map(|text| search(&says, text, text, true));
        let lacks = expect
            .text
            .lacks
            .iter()
            .map(|text| search(&none, text, &regex::escape(text), false));
        let keys = expect
            .keys
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let example = example.map(|(file, names)| {
            let number = names.len();
            let what = format!("{every} has a real value for each key of `{file}` ({number})");
            let problems = vec![];
            (names, Every { what, problems })
        });
        let format = expect.parses.map_or("", name_of);
        Content {
            expect,
            searches: contains.chain(matches).chain(lacks).collect(),
            keys: Every {
                what: format!("{every} has a value for {keys}"),
                problems: vec![],
            },
            example,
            parses: Every {
                what: format!("{every} is valid {format}"),
                problems: vec![],
            },
            files: 0,
            too_large: vec![],
        }
    }

    /// Takes a file that is too large to read.
    pub(super) fn take_unread(&mut self, name: &str) {
        self.files += 1;
        self.too_large.push(format!("`{name}`"));
    }

    /// Takes a file and what stands in it.
    pub(super) fn take(&mut self, name: &str, text: &[u8]) {
        self.files += 1;
        if !self.searches.is_empty() {
            let code = if self.expect.comments {
                text.into()
            } else {
                without_comments(name, text)
            };
            for search in &mut self.searches {
                search.take(name, text, &code);
            }
        }
        if !self.expect.keys.is_empty() {
            let format = format_of(name).or(self.expect.parses);
            let problem = match format {
                Some(format) => lacking_paths(format, name, text, &self.expect.keys),
                None => lacking_names(text, &self.expect.keys)
                    .map(|lacking| format!("{name}: {lacking}")),
            };
            self.keys.problems.extend(problem);
        }
        if let Some((names, every)) = &mut self.example {
            let lacking = lacking_names(text, names);
            let problem = lacking.map(|lacking| format!("{name}: {lacking}"));
            every.problems.extend(problem);
        }
        if let Some(format) = self.expect.parses {
            self.parses.problems.extend(
                parse(format, name, text)
                    .err()
                    .map(|problem| problem.at(name)),
            );
        }
    }

    /// Each expectation and whether it held.
    pub(super) fn finish(self) -> Vec<Checked> {
        let (files, too_large) = (self.files, few(&self.too_large, ", "));
        let mut results: Vec<_> = self
            .searches
            .into_iter()
            .map(|search| search.finish(files, &too_large))
            .collect();
        if !self.expect.keys.is_empty() {
            results.push(self.keys.finish(&too_large));
        }
        if let Some((names, every)) = self.example {
            results.push(match names.is_empty() {
                true => unknown(every.what, "there is no key in it".to_string()),
                false => every.finish(&too_large),
            });
        }
        if self.expect.parses.is_some() {
            results.push(self.parses.finish(&too_large));
        }
        results
    }
}

impl Search {
    fn take(&mut self, name: &str, text: &[u8], code: &[u8]) {
        let Some(regex) = &self.regex else { return };
        let place = |at| format!("{name}:{}", line_at(text, at));
        if self.wanted && !self.places.is_empty() {
            return;
        }
        if let Some(found) = regex.find(code) {
            self.places.push(place(found.start()));
        } else if self.wanted && self.comment.is_none() {
            self.comment = regex.find(text).map(|found| place(found.start()));
        }
    }

    fn finish(self, files: usize, too_large: &str) -> Checked {
        if self.regex.is_none() {
            return unknown(self.what, "the pattern cannot be used".to_string());
        }
        match (self.wanted, self.places.is_empty()) {
            (_, true) if !too_large.is_empty() => unread(self.what, too_large),
            (true, found_none) => Checked::new(self.what, !found_none, || match self.comment {
                Some(place) => format!("only in a comment ({place})"),
                None if files == 0 => "there is no file".to_string(),
                None if files == 1 => "it is not there".to_string(),
                None => format!("it is in none of the {files} files"),
            }),
            (false, found_none) => Checked::new(self.what, found_none, || {
                format!("it is in {}", few(&self.places, ", "))
            }),
        }
    }
}

impl Every {
    fn finish(self, too_large: &str) -> Checked {
        if self.problems.is_empty() && !too_large.is_empty() {
            return unread(self.what, too_large);
        }
        Checked::new(self.what, self.problems.is_empty(), || {
            few(&self.problems, "; ")
        })
    }
}

fn unread(what: String, too_large: &str) -> Checked {
    unknown(what, format!("too large to read: {too_large}"))
}

fn unknown(what: String, seen: String) -> Checked {
    Checked {
        what,
        held: Held::Unknown,
        seen,
    }
}

/// The dotted paths without a value, or why nobody can tell.
fn lacking_paths(format: Format, name: &str, text: &[u8], keys: &[String]) -> Option<String> {
    let documents = match parse(format, name, text) {
        Ok(documents) => documents,
        Err(problem) => return Some(problem.at(name)),
    };
    let lacking: Vec<_> = keys
        .iter()
        .filter_map(|key| {
            let values: Vec<_> = documents
                .iter()
                .filter_map(|document| find(document, key))
                .collect();
            match values.iter().any(|value| is_filled(value)) {
                true => None,
                false if values.is_empty() => Some(format!("`{key}` is missing")),
                false => Some(format!("`{key}` is empty")),
            }
        })
        .collect();
    (!lacking.is_empty()).then(|| format!("{name}: {}", few(&lacking, ", ")))
}

/// The names that a dotenv file does not give a real value.
fn lacking_names(text: &[u8], keys: &[String]) -> Option<String> {
    let assignments = dotenv::parse(&String::from_utf8_lossy(text));
    let lacking: Vec<_> = keys
        .iter()
        .filter_map(
            |key| match assignments.iter().rfind(|(name, _)| name == key) {
                None => Some(format!("`{key}` is missing")),
                Some((_, value)) => dotenv::placeholder(value)
                    .map(|why| format!("`{key}` has no real value ({why})")),
            },
        )
        .collect();
    (!lacking.is_empty()).then(|| few(&lacking, ", "))
}
