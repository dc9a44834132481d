//! `json`: the report itself, the source of every other output. One document, nothing else.

use std::io::{self, Write};

use crate::domain::report::Report;

/// Writes the report as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    // GitHub's runner finds commands of the older form anywhere in a line of output. Only strings can hold one.
    let json = serde_json::to_string(report)?.replace("##[", "#\\u0023[");
    writeln!(out, "{json}")
}
