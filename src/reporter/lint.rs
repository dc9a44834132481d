//! What `lint` found, for people and machines.

use std::io::{self, Write};

use serde::Serialize;

use super::Style;
use super::annotation::Annotation;
use super::page::safe;
use super::words::{bold, count, painted, wrapped_after};
use crate::domain::finding::{Finding, Severity};

/// The findings in JSON.
#[derive(Serialize)]
struct Document<'f> {
    findings: &'f [Finding],
}

/// Writes the findings as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn json(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    super::json::document(&Document { findings }, out)
}

/// Writes each finding as an annotation for GitHub.
///
/// # Errors
/// The output cannot be written to.
pub fn github(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let annotation = Annotation {
            level: command,
            file: &finding.file,
            line: finding.line,
            column: Some(finding.column),
            title: &format!("ready lint: {}", finding.rule),
            message: &format!("{}; {}", finding.text, finding.hint),
        };
        annotation.write(out)?;
    }
    Ok(())
}

/// Writes each finding with its place and what to do, and a sentence.
///
/// # Errors
/// The output cannot be written to.
pub fn render(findings: &[Finding], style: Style, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let place = format!("{}:{}:{}", finding.file, finding.line, finding.column);
        let word = painted(finding.severity.word(), colour(finding.severity), style);
        writeln!(
            out,
            "{}: {word} [{}]",
            bold(&safe(&place), style),
            finding.rule
        )?;
        for (mark, text) in [("", &finding.text), ("mend: ", &finding.hint)] {
            let text = format!("{mark}{text}");
            for line in wrapped_after(&safe(&text), 4, 4, style.width) {
                writeln!(out, "    {line}")?;
            }
        }
    }
    if findings.is_empty() {
        return writeln!(
            out,
            "{}",
            bold(
                "nothing found: every check here can fail, as far as can be read",
                style
            )
        );
    }
    let counted = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let of_it = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        (of_it > 0).then(|| count(of_it, severity.word()))
    });
    let counted = counted.into_iter().flatten().collect::<Vec<_>>().join(", ");
    writeln!(out, "\n{}", bold(&counted, style))
}

fn colour(severity: Severity) -> owo_colors::AnsiColors {
    match severity {
        Severity::Error => owo_colors::AnsiColors::Red,
        Severity::Warning => owo_colors::AnsiColors::Yellow,
        Severity::Note => owo_colors::AnsiColors::Blue,
    }
}
