//! The waivers of a report: what each does, who wrote it, and what the gates would be without them.

use std::io::{self, Write};

use super::page::{Page, author_words, few, safe, waiver_words};
use super::words::percent;
use crate::domain::waiver::WaiverState;

/// Writes the waivers; nothing where there are none.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = page.report;
    if report.waivers.is_empty() {
        return Ok(());
    }
    page.title(out, "Waivers")?;
    for row in &report.waivers {
        let waiver = &row.waiver;
        let author = row.author.as_ref().map(author_words);
        let author = author.map(|author| format!("; by its line: {author}"));
        let text = format!(
            "{}: {}; accepted by {} until {} ({}){}",
            waiver.check,
            safe(&waiver.reason),
            safe(&waiver.owner),
            waiver.expires,
            waiver_words(report, row),
            author.unwrap_or_default()
        );
        page.paragraph(out, "  ", &text)?;
    }
    page.paragraph(out, "  ", &effect(page))?;
    writeln!(out)
}

/// What all of them change together.
fn effect(page: &Page<'_>) -> String {
    let report = page.report;
    let number = |state| {
        report
            .waivers
            .iter()
            .filter(|row| row.state == state)
            .count()
    };
    let numbers = [
        (WaiverState::InForce, "in force"),
        (WaiverState::Expired, "expired"),
        (WaiverState::Exceeded, "exceeded"),
        (WaiverState::Needless, "needless"),
    ];
    let numbers = numbers.map(|(state, word)| (number(state), word));
    let numbers = numbers.iter().filter(|(number, _)| *number > 0);
    let numbers = numbers.map(|(number, word)| format!("{number} {word}"));
    let numbers = numbers.collect::<Vec<_>>().join(", ");
    let closed = report.gates.iter().filter(|gate| {
        let without = gate.without_waivers.as_ref();
        gate.open && without.is_some_and(|without| !without.open)
    });
    let closed = closed.map(|gate| safe(&gate.name)).collect::<Vec<_>>();
    let gates = match closed.as_slice() {
        [] => "no gate is open only with them".to_string(),
        [one] => format!("gate {one} would be closed without them"),
        more => format!("gates {} would be closed without them", few(more)),
    };
    // Nothing of the score looks at waivers.
    let score = percent(report.score.verified);
    format!("waivers: {numbers}; {gates}; score {score} with and without")
}
