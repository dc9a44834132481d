//! Reads JSON, YAML and TOML and looks up dotted paths in them. Bytes come from the file probe; nothing here looks at
//! the world. Any bytes are accepted; what does not parse is a problem with its line, in the parser's words.

use std::borrow::Cow;

use serde::Deserialize;
use serde_norway::Value;

use super::comments::without_comments;
use crate::domain::expectation::Format;

/// Why a text is not of its format.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    /// The 1-based line, where the parser knows it.
    pub(crate) line: Option<usize>,
    /// What the parser says.
    pub(crate) message: String,
}

impl Problem {
    /// The problem with its place in the file of that name.
    pub(crate) fn at(&self, name: &str) -> String {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        format!("{name}{line}: {}", self.message)
    }
}

/// The format that a file's extension tells.
pub(crate) fn format_of(file_name: &str) -> Option<Format> {
    match file_name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "json" | "jsonc" | "json5" | "webmanifest" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        "toml" => Some(Format::Toml),
        _ => None,
    }
}

/// The format's own name.
pub(crate) fn name_of(format: Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Yaml => "YAML",
        Format::Toml => "TOML",
    }
}

/// The documents in `bytes`: all of a YAML stream, one of the other formats. A byte order mark is passed over, and so
/// are the comments of `.jsonc` and `.json5`, of which nothing else goes beyond JSON here.
pub(crate) fn parse(format: Format, file_name: &str, bytes: &[u8]) -> Result<Vec<Value>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match format {
        Format::Json => {
            let commented = file_name.ends_with(".jsonc") || file_name.ends_with(".json5");
            let text = if commented {
                without_comments(file_name, bytes)
            } else {
                Cow::Borrowed(bytes)
            };
            let json: serde_json::Value =
                serde_json::from_slice(&text).map_err(|error| Problem {
                    line: Some(error.line()),
                    message: error.to_string(),
                })?;
            Ok(vec![serde_norway::to_value(json).map_err(yaml_problem)?])
        }
        Format::Yaml => serde_norway::Deserializer::from_slice(bytes)
            .map(document)
            .collect(),
        Format::Toml => {
            let text = std::str::from_utf8(bytes).map_err(|error| Problem {
                line: Some(line_at(bytes, error.valid_up_to())),
                message: "not UTF-8".to_string(),
            })?;
            // Its `Display` would repeat the line of the file.
            let toml: toml::Value = toml::from_str(text).map_err(|error| Problem {
                line: error.span().map(|span| line_at(bytes, span.start)),
                message: error.message().to_string(),
            })?;
            Ok(vec![serde_norway::to_value(toml).map_err(yaml_problem)?])
        }
    }
}

fn document(document: serde_norway::Deserializer) -> Result<Value, Problem> {
    let mut value = Value::deserialize(document).map_err(yaml_problem)?;
    value.apply_merge().map_err(yaml_problem)?;
    Ok(value)
}

fn yaml_problem(error: serde_norway::Error) -> Problem {
    Problem {
        line: error.location().map(|location| location.line()),
        message: error.to_string(),
    }
}

/// The 1-based line of the byte at `at`.
pub(crate) fn line_at(text: &[u8], at: usize) -> usize {
    1 + text.iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// The value at a dotted path: names of keys, or positions in a list. A key may itself have dots.
pub(crate) fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    child(value, path).or_else(|| {
        path.match_indices('.')
            .find_map(|(dot, _)| find(child(value, &path[..dot])?, &path[dot + 1..]))
    })
}

fn child<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Mapping(mapping) => mapping
            .get(name)
            .or_else(|| mapping.get(Value::from(name.parse::<i64>().ok()?))),
        Value::Sequence(list) => list.get(name.parse::<usize>().ok()?),
        Value::Tagged(tagged) => child(&tagged.value, name),
        _ => None,
    }
}

/// Whether something stands there: neither null nor an empty text.
pub(crate) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Tagged(tagged) => is_filled(&tagged.value),
        _ => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_looked_up_in_every_format() {
        let json = br#"{"a": {"b.c": {"d": 1}, "e": [{"f": false}], "g": "", "h": null}, "a.e": {"x": 0}}"#;
        let yaml = b"base: &base {u: 1}\na:\n  <<: *base\n  b: !Ref x\n  8080: y\n---\nc: 2\n";
        let toml = b"when = 2024-01-01\n[a]\nb = ''\n";
        type Paths = &'static [(&'static str, bool)];
        let cases: &[(Format, &[u8], Paths)] = &[
            (
                Format::Json,
                json,
                &[
                    ("a", true),
                    ("a.b.c.d", true),
                    ("a.e.0.f", true),
                    ("a.e.1", false),
                    ("a.e.x", true),
                ],
            ),
            (
                Format::Json,
                json,
                &[
                    ("a.g", false),
                    ("a.h", false),
                    ("b", false),
                    ("", false),
                    ("a..b", false),
                ],
            ),
            (
                Format::Yaml,
                yaml,
                &[
                    ("a.u", true),
                    ("a.b", true),
                    ("a.8080", true),
                    ("c", true),
                    ("a.c", false),
                ],
            ),
            (
                Format::Toml,
                toml,
                &[("when", true), ("a", true), ("a.b", false)],
            ),
        ];
        for (format, bytes, paths) in cases {
            let documents = parse(*format, "a", bytes).unwrap();
            for (path, wanted) in *paths {
                let filled = documents
                    .iter()
                    .any(|value| find(value, path).is_some_and(is_filled));
                assert_eq!(filled, *wanted, "{format:?} {path}");
            }
        }
    }

    #[test]
    fn problems_have_a_line_and_nothing_of_the_text() {
        let cases: &[(Format, &str, &[u8], Option<usize>)] = &[
            (Format::Json, "a.json", b"{\n  \"a\": hunter2\n}", Some(2)),
            (Format::Json, "a.json", b"{} // hunter2", Some(1)),
            (Format::Yaml, "a.yaml", b"a: 1\n---\nb: [hunter2\n", Some(4)),
            (Format::Toml, "a.toml", b"a = 1\nb = hunter2\n", Some(2)),
            (Format::Toml, "a.toml", b"a = 1\nb = '\xff'\n", Some(2)),
        ];
        for (format, name, bytes, line) in cases {
            let problem = parse(*format, name, bytes).unwrap_err();
            assert_eq!(problem.line, *line, "{name}: {}", problem.message);
            assert!(!problem.message.contains("hunter2"), "{}", problem.message);
        }
        assert!(parse(Format::Json, "a.jsonc", b"\xef\xbb\xbf{} // well").is_ok());
        assert!(parse(Format::Yaml, "a.yaml", b"").is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for format in [Format::Json, Format::Yaml, Format::Toml] {
                let _ = parse(format, "a", &bytes);
            }
        }
    }
}
