//! `json`: the report itself, the source of every other output. One document, nothing else. Whoever prints it is safe: what
//! would act on a terminal, or be a command to GitHub's runner, stands in it as an escape of JSON, which reads as the same.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::domain::report::Report;
use crate::sanitise;

/// Writes the report as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    document(report, out)
}

/// The JSON Schema (draft-07) of the report, derived from its types: what readers of it can rely on.
pub fn schema() -> String {
    let settings = schemars::generate::SchemaSettings::draft07().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Report>();
    // A schema is plain JSON.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

/// Writes anything as one JSON document, as safe to print as a report.
///
/// # Errors
/// The output cannot be written to.
pub fn document(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut json = harmless(serde_json::to_string(value)?);
    json.push('\n');
    out.write_all(json.as_bytes())
}

/// The same JSON on one line, with nothing in it that does anything. Only strings can hold what is escaped here.
fn harmless(mut json: String) -> String {
    // The runner finds commands of its older form anywhere in a line.
    if json.contains("##[") {
        json = json.replace("##[", "#\\u0023[");
    }
    // What stands between what acts is copied as a whole.
    let mut acting = json.match_indices(sanitise::acts).peekable();
    if acting.peek().is_none() {
        return json;
    }
    let (mut harmless, mut from) = (String::with_capacity(json.len()), 0);
    for (at, text) in acting {
        harmless.push_str(&json[from..at]);
        from = at + text.len();
        for unit in text.encode_utf16() {
            // Writing to a String cannot fail.
            let _ = write!(harmless, "\\u{unit:04x}");
        }
    }
    harmless.push_str(&json[from..]);
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_as_the_same() {
        let text = "a ###[error]b \\u0023#[ \u{1b}[2J \u{7f}\u{9b}\u{202e}\u{e0041} ü ✓ \"";
        let json = serde_json::json!({ text: [text] }).to_string();
        let harmless = harmless(json.clone());
        assert!(!harmless.contains("##[") && !harmless.contains(sanitise::acts));
        assert!(harmless.contains("ü ✓"));
        let read = serde_json::from_str::<serde_json::Value>(&harmless).ok();
        assert_eq!(read.map(|json| json.to_string()), Some(json));
    }
}
