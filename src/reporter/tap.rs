//! `tap`: the report as TAP version 14, a test point for each check. What is not verified is `not ok`; what is waived, is
//! optional or does not apply is skipped and says so. Format: <https://testanything.org/tap-version-14-specification.html>.

use std::io::{self, Write};

use super::page::safe;
use super::words::verdict;
use super::{output, sentence};
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// Writes the document.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{}", report.checks.len())?;
    for (row, at) in report.checks.iter().zip(1..) {
        let ok = match row.holds() {
            true => "ok",
            false => "not ok",
        };
        let name = escaped(&format!("{}: {}", row.id, row.says));
        let words = safe(&format!("{}: {}", verdict(row), row.reason.text));
        let directive = match (row.holds(), skipped(row)) {
            (false, Some(why)) => format!(" # SKIP {why}; {words}"),
            _ => String::new(),
        };
        writeln!(out, "{ok} {at} - {name}{directive}")?;
        if row.verdict != Verdict::Verified && directive.is_empty() {
            diagnosis(row, &words, out)?;
        }
    }
    writeln!(out, "# {}", safe(&sentence::of(report)))
}

fn skipped(row: &CheckRow) -> Option<&'static str> {
    match () {
        () if !row.applicable => Some("does not apply"),
        () if row.optional => Some("optional, outside score and gates"),
        () if row.waiver == Some(WaiverState::InForce) => Some("waived"),
        () => None,
    }
}

/// What is known of a test point, as a block of YAML.
fn diagnosis(row: &CheckRow, words: &str, out: &mut dyn Write) -> io::Result<()> {
    // A string of JSON is one of YAML.
    let quoted = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted.replace("##[", "#\\u0023[")
    };
    let source = &row.definition.source;
    writeln!(out, "  ---")?;
    writeln!(out, "  message: {}", quoted(words))?;
    writeln!(out, "  severity: {}", quoted(row.verdict.word()))?;
    writeln!(out, "  reason: {}", quoted(row.reason.code.word()))?;
    writeln!(
        out,
        "  at: {}",
        quoted(&safe(&format!("{}:{}", source.file, source.line)))
    )?;
    let advice = output::advice(row);
    if !advice.is_empty() {
        writeln!(out, "  advice: {}", quoted(&advice))?;
    }
    writeln!(out, "  ...")
}

/// Text as it may describe a test point: `#` begins a directive.
fn escaped(text: &str) -> String {
    safe(text).replace('\\', "\\\\").replace('#', "\\#")
}
