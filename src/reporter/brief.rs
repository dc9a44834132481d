//! `brief`: the report in as few lines as tell an agent or a person in a hurry what may be said and what to do next. Plain
//! text, the same for the same report: no colours, no ages, no width.

use std::io::{self, Write};

use super::check_list::to_do;
use super::page::{fix_words, no_command, safe};
use super::plan;
use super::sentence;
use super::words::{count, percent, takes, verdict};
use crate::domain::claim::{Claim, ClaimState};
use crate::domain::gate::GateState;
use crate::domain::report::{CheckRow, Report};
use crate::domain::statement;
use crate::domain::verdict::Verdict;

/// Checks that are named in a list; where there are more, the rest is a number.
const NAMED: usize = 60;
/// Lines in a list; where there are more, the rest is a number.
const LINES: usize = 20;
/// The longest line (characters): `ready explain` says all of it.
const LINE: usize = 240;
/// The steps that come next.
const STEPS: usize = 3;

/// Writes the text.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut text = vec![];
    write(report, &mut text)?;
    out.write_all(no_command(&String::from_utf8_lossy(&text)).as_bytes())
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", safe(&sentence::of(report)))?;
    for gate in &report.gates {
        self::gate(report, gate, out)?;
    }
    let (can, cannot) = statement::split(report);
    let names = can.iter().take(NAMED).map(|row| safe(&row.id));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = match can.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match can.is_empty() {
        true => writeln!(out, "verified: nothing")?,
        false => writeln!(out, "verified ({}): {names}{more}", can.len())?,
    }
    list(out, "not verified", &cannot, |row| not_verified(row))?;
    let contradicted = report
        .claims
        .iter()
        .filter(|claim| claim.state == Some(ClaimState::Contradicted))
        .collect::<Vec<_>>();
    list(
        out,
        "claims that the evidence contradicts",
        &contradicted,
        |claim| self::claim(claim),
    )?;
    next(report, out)?;
    writeln!(out, "Only what stands under `verified` may be called done.")
}

/// A title with the number, and a line for each.
fn list<T>(
    out: &mut dyn Write,
    title: &str,
    items: &[T],
    line: impl Fn(&T) -> String,
) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} ({}):", items.len())?;
    for item in items.iter().take(LINES) {
        writeln!(out, "- {}", cut(&line(item)))?;
    }
    match items.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

fn gate(report: &Report, gate: &GateState, out: &mut dyn Write) -> io::Result<()> {
    let decides = match report.decision.gates.contains(&gate.name) {
        true => ", decides",
        false => "",
    };
    let door = if gate.open { "open" } else { "closed" };
    let waived = match gate.waived.len() {
        0 => String::new(),
        _ if !gate.open => String::new(),
        waived => format!(" with {}", count(waived, "waiver")),
    };
    writeln!(out, "gate {}: {door}{waived}{decides}", safe(&gate.name))?;
    for reason in gate.reasons.iter().take(LINES) {
        let text = safe(&format!("{}: {}", reason.rule, reason.text));
        writeln!(out, "- {}", cut(&text))?;
    }
    match gate.reasons.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

fn not_verified(row: &CheckRow) -> String {
    let to_do = match row.verdict {
        // What mends a failure stands below, in its order.
        Verdict::Failed | Verdict::Partial => None,
        _ => to_do(row),
    };
    let to_do = to_do.map(|text| format!("; to do: {text}"));
    safe(&format!(
        "{}: {}: {}{}",
        row.id,
        verdict(row),
        row.reason.text,
        to_do.unwrap_or_default()
    ))
}

fn claim(claim: &Claim) -> String {
    safe(&claim.words())
}

/// The first steps of the plan; where there is none, what is worst.
fn next(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.plan.is_empty() {
        let (_, cannot) = statement::split(report);
        let fix = |row: &&CheckRow| {
            let fix = &row.definition.fix;
            let seconds = fix.takes.map(|takes| takes.as_secs_f64());
            let words = to_do(row).or_else(|| fix_words(seconds, fix.how.as_deref()));
            Some(format!("{}: {}", row.id, words?))
        };
        let steps = cannot
            .iter()
            .filter_map(fix)
            .take(STEPS)
            .collect::<Vec<_>>();
        return numbered(&steps, out);
    }
    let steps = report.plan.iter().take(STEPS).map(|step| {
        let time = match step.takes_s {
            0.0 => "at once".to_string(),
            seconds => takes(seconds),
        };
        let opens = if step.opens { ", the gate opens" } else { "" };
        let advice = plan::advice(report, step);
        let advice = advice.map(|advice| format!(": {advice}"));
        format!(
            "{}{} ({time}, to {} verified{opens})",
            step.check,
            advice.unwrap_or_default(),
            percent(step.verified)
        )
    });
    numbered(&steps.collect::<Vec<_>>(), out)
}

fn numbered(steps: &[String], out: &mut dyn Write) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "next:")?;
    let mut lines = steps.iter().zip(1..);
    lines.try_for_each(|(step, at)| writeln!(out, "{at}. {}", cut(&safe(step))))
}

/// A line of which too much is left out.
fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_string(),
    }
}
