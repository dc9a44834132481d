//! `json`: the report itself, the source of every other output. One document, nothing else.

use std::io::{self, Write};

use crate::domain::report::Report;

/// Writes the report as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    out.write_all(b"\n")
}
