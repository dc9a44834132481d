//! `markdown`: the report for a ticket, a pull request or the summary of a CI step: the verdict, the table, what it is safe
//! to do, what can be said and what not yet, what blocks, what is waived and until when, who ran it where and when.

use std::io::{self, Write};

use super::page::{author_words, fix_words, safe, waiver_words};
use super::sentence;
use super::words::{at_commit, count, gap, moment, percent, short};
use crate::domain::claim::ClaimState;
use crate::domain::gate::{GateReason, GateState};
use crate::domain::report::Report;
use crate::domain::statement::{Permission, Statement, Statements};
use crate::domain::verdict::Verdict;

/// Lines in a list; where there are more, the rest is a number.
const LINES: usize = 100;

/// Writes the page.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "## {}: {}\n",
        cell(&report.project),
        cell(&sentence::of(report))
    )?;
    for warning in &report.warnings {
        writeln!(out, "> **warning:** {}\n", cell(warning))?;
    }
    table(report, out)?;
    gates(report, out)?;
    statements(&Statements::of(report), out)?;
    contradicted(report, out)?;
    waivers(report, out)?;
    let limitations = report
        .limitations
        .iter()
        .map(|text| cell(text))
        .collect::<Vec<_>>();
    list("Limitations", &limitations, out)?;
    let undeclared = report.undeclared.iter();
    let undeclared = undeclared.map(|called| {
        format!(
            "{}: the files call for it ({})",
            cell(&called.check),
            cell(&called.why)
        )
    });
    list("Not declared", &undeclared.collect::<Vec<_>>(), out)?;
    writeln!(out, "{}", cell(&provenance(report)))
}

/// The status table.
fn table(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "| Component | Verified | Ceiling | Claimed | Gap | Evidence |"
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | --- |")?;
    let claims = |claimed: Option<f64>, of: Option<f64>| match claimed.zip(of) {
        Some((claimed, of)) => format!("{} | {}", percent(claimed), gap(claimed, of)),
        None => " | ".to_string(),
    };
    for row in &report.groups {
        let level = row.level.map_or("none", |level| level.word());
        let figures = [row.verified, row.ceiling].map(percent);
        let claims = claims(row.claimed, row.gap);
        writeln!(
            out,
            "| {} | {} | {} | {claims} | {level} |",
            cell(&row.title),
            figures[0],
            figures[1]
        )?;
    }
    let score = &report.score;
    let figures = [score.verified, score.ceiling].map(percent);
    let claims = claims(score.claimed, score.gap);
    writeln!(
        out,
        "| **Overall** | **{}** | {} | {claims} | |\n",
        figures[0], figures[1]
    )?;
    if score.attested > 0.0 {
        let attested = percent(score.attested);
        writeln!(
            out,
            "{} verified + {attested} attested (a person's word, not counted as verified)\n",
            figures[0]
        )?;
    }
    if score.partly_claimed {
        writeln!(
            out,
            "Claimed and gap of the whole cover only the components that claim.\n"
        )?;
    }
    writeln!(
        out,
        "Figures are rounded down. The ceiling is what would be verified if all that is unverified held.\n"
    )
}

fn gates(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for gate in &report.gates {
        let decides = match report.decision.gates.contains(&gate.name) {
            true => ", decides",
            false => "",
        };
        writeln!(
            out,
            "### Gate {}: {}{decides}\n",
            cell(&gate.name),
            door(gate)
        )?;
        let reasons = gate.reasons.iter().map(blocker).collect::<Vec<_>>();
        items(&reasons, out)?;
        let without = gate.without_waivers.as_ref().filter(|_| gate.open);
        let without = without.iter().flat_map(|without| &without.reasons);
        let without =
            without.map(|reason| format!("closed without its waivers: {}", blocker(reason)));
        items(&without.collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

fn door(gate: &GateState) -> String {
    match (gate.open, gate.waived.len()) {
        (true, 0) => "OPEN".to_string(),
        (true, waived) => format!("OPEN WITH {}", count(waived, "waiver").to_uppercase()),
        (false, _) => "CLOSED".to_string(),
    }
}

/// What keeps a gate closed, who answers for it, how long mending takes and how it is done.
fn blocker(reason: &GateReason) -> String {
    let owner = reason.owner.as_ref().map(|owner| format!("owner: {owner}"));
    let fix = fix_words(reason.takes_s, reason.how.as_deref());
    let more = [owner, fix]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ");
    let more = if more.is_empty() {
        more
    } else {
        format!(" ({more})")
    };
    cell(&format!("{}: {}{more}", reason.rule, reason.text))
}

fn contradicted(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let claims = report
        .claims
        .iter()
        .filter(|claim| claim.state == Some(ClaimState::Contradicted));
    list(
        "Claims that the evidence contradicts",
        &claims.map(|claim| cell(&claim.words())).collect::<Vec<_>>(),
        out,
    )
}

fn waivers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.waivers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "### Waivers\n\n| Check | Reason | Accepted by | Expires | State |\n| --- | --- | --- | --- | --- |"
    )?;
    for row in &report.waivers {
        let waiver = &row.waiver;
        let author = row
            .author
            .as_ref()
            .map(|author| format!("; by its line: {}", author_words(author)));
        let state = waiver_words(report, row) + &author.unwrap_or_default();
        let [check, reason, owner, state] =
            [&waiver.check, &waiver.reason, &waiver.owner, &state].map(|text| cell(text));
        writeln!(
            out,
            "| {check} | {reason} | {owner} | {} | {state} |",
            waiver.expires
        )?;
    }
    writeln!(out)
}

/// Who ran it, where and when.
fn provenance(report: &Report) -> String {
    let about = report.about.words().map(|about| format!(", about {about}"));
    let about = about.unwrap_or_default();
    let Some(run) = &report.run else {
        let at = moment(report.generated);
        return format!(
            "From recorded evidence, {at}{about}; nothing was run. ready {}.",
            report.ready
        );
    };
    let host = &run.host;
    let ci = host.ci.as_ref().map(|ci| format!(", {ci}"));
    let what = match run.merged.len() {
        0 => format!("Run {}", run.id),
        runs => format!("Merged from {}", count(runs, "run")),
    };
    let record = report.ledger.as_ref().map(|head| {
        let digest = head.digest.rsplit(':').next().unwrap_or_default();
        format!(
            " Recorded as run {} of its ledger, {}.",
            head.runs,
            short(digest)
        )
    });
    format!(
        "{what} on {} ({} {}{}), {} to {}{}{about}. ready {}.{}",
        host.name,
        host.os,
        host.arch,
        ci.unwrap_or_default(),
        moment(run.started),
        moment(run.finished),
        at_commit(run),
        report.ready,
        record.unwrap_or_default()
    )
}

/// What it is safe to do, what can be said, and what not yet.
pub(super) fn statements(statements: &Statements, out: &mut dyn Write) -> io::Result<()> {
    let permissions = |allowed: &[Permission]| {
        let words = allowed
            .iter()
            .map(|allowed| cell(&permission_words(allowed)));
        words.collect::<Vec<_>>()
    };
    let said = |said: &[Statement]| {
        let words = said
            .iter()
            .map(|statement| cell(&statement_words(statement)));
        words.collect::<Vec<_>>()
    };
    list("Safe to", &permissions(&statements.safe_to), out)?;
    list("Not safe to", &permissions(&statements.not_safe_to), out)?;
    list("Can say", &said(&statements.can_say), out)?;
    list("Cannot say yet", &said(&statements.cannot_say_yet), out)
}

pub(super) fn statement_words(statement: &Statement) -> String {
    let (says, check, why) = (&statement.says, &statement.check, &statement.why);
    match statement.verdict {
        Verdict::Verified => format!("{says} ({check}: {why})"),
        verdict => format!("{says} ({check} is {}: {why})", verdict.word()),
    }
}

pub(super) fn permission_words(permission: &Permission) -> String {
    let gate = &permission.gate;
    let why = match (permission.why.as_slice(), permission.waived.as_slice()) {
        ([], []) => String::new(),
        ([], waived) => format!(", with waivers for {}", waived.join(", ")),
        (why, _) => format!(": {}", why.join("; ")),
    };
    format!("{} (gate {gate}{why})", permission.says)
}

fn list(title: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {title}\n")?;
    items(lines, out)
}

fn items(lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    for line in lines.iter().take(LINES) {
        writeln!(out, "- {line}")?;
    }
    if let more @ 1.. = lines.len().saturating_sub(LINES) {
        writeln!(out, "- and {more} more")?;
    }
    match lines.is_empty() {
        true => Ok(()),
        false => writeln!(out),
    }
}

/// Text from outside as it may stand in a cell of a Markdown table, or in a line: nothing in it is markup, names somebody
/// or leads anywhere.
pub(super) fn cell(text: &str) -> String {
    let text = safe(text);
    let mut cell = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '<' => cell += "&lt;",
            '&' => cell += "&amp;",
            // Within a word it is only itself.
            '_' if is_word(before) && is_word(rest.peek().copied()) => cell.push(c),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' => cell.extend(['\\', c]),
            // A name behind it would be told of this.
            '@' => cell += "&#64;",
            c => cell.push(c),
        }
        before = Some(c);
    }
    cell
}
