//! What is claimed, beside what is verified: for a terminal, for a pull request, and as annotations on the lines that claim it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use owo_colors::AnsiColors;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::annotation::{Annotation, data};
use super::markdown::{cell, permission_words, statement_words};
use super::page::{Page, few, safe};
use super::words::{at_commit, bold, count, dim, moment, painted, percent, wrapped};
use super::{Detail, Style};
use crate::domain::claim::{Claim, ClaimState, Said};
use crate::domain::report::{Report, Run};
use crate::domain::statement::Statements;

/// The outputs of claims, by name.
pub const FORMATS: [&str; 4] = ["table", "json", "markdown", "github"];

/// Contradicted claims that are listed below the status table; where there are more, the rest is a number.
const CONTRADICTED_LINES: usize = 8;

/// The claims in JSON.
#[derive(Serialize)]
struct Document<'r> {
    /// Figures, ratios and marks.
    claims: Vec<&'r Claim>,
    /// Bare counts and changes.
    counts: Vec<&'r Claim>,
    /// Checks that are verified and that no document speaks of.
    unclaimed: &'r [String],
    statements: Statements,
    warnings: &'r [String],
}

/// Writes the claims as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let bare = |claim: &&Claim| matches!(claim.found.said, Said::Count { .. } | Said::Delta { .. });
    let (counts, claims) = report.claims.iter().partition(bare);
    let document = Document {
        claims,
        counts,
        unclaimed: &report.unclaimed,
        statements: Statements::of(report),
        warnings: &report.warnings,
    };
    super::json::document(&document, out)
}

/// How many claims are in each state, in words; those of the past and of goals apart.
fn tally(claims: &[Claim]) -> String {
    let number = |state| {
        claims
            .iter()
            .filter(|claim| claim.state == Some(state))
            .count()
    };
    let states = ClaimState::ALL
        .into_iter()
        .map(|state| (number(state), state));
    let states = states.filter(|(number, _)| *number > 0);
    let mut parts = states
        .map(|(number, state)| format!("{number} {}", state.word()))
        .collect::<Vec<_>>();
    let otherwise = claims.iter().filter(|claim| claim.state.is_none()).count();
    if otherwise > 0 {
        parts.push(format!("{otherwise} about the past or a goal"));
    }
    match parts.is_empty() {
        true => "nothing is claimed".to_string(),
        false => format!("{}: {}", count(claims.len(), "claim"), parts.join(", ")),
    }
}

/// The claims in the order of their states, the worst first.
fn sorted(claims: &[Claim]) -> impl Iterator<Item = &Claim> {
    let of = move |state| {
        claims
            .iter()
            .filter(move |claim| claim.state == Some(state))
    };
    ClaimState::ALL.into_iter().flat_map(of)
}

fn colour(state: ClaimState) -> AnsiColors {
    match state {
        ClaimState::Backed => AnsiColors::Green,
        ClaimState::Contradicted => AnsiColors::Red,
        ClaimState::Unproved | ClaimState::Unbacked | ClaimState::Unclaimed => AnsiColors::Yellow,
    }
}

fn mark(state: ClaimState, style: Style) -> &'static str {
    match (state, style.unicode) {
        (ClaimState::Backed, true) => "✓",
        (ClaimState::Backed, false) => "+",
        (ClaimState::Contradicted, true) => "✗",
        (ClaimState::Contradicted, false) => "x",
        _ => "?",
    }
}

/// Writes every claim with what the evidence makes of it, the contradicted ones first, and what may be said instead.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { report, style };
    if style.detail > Detail::Quiet {
        for warning in &report.warnings {
            page.paragraph(out, "warning: ", &safe(warning))?;
        }
        sorted(&report.claims).try_for_each(|claim| page.claim(out, claim))?;
        if style.detail == Detail::Verbose {
            for claim in report.claims.iter().filter(|claim| claim.state.is_none()) {
                let text = format!("{} {}", claim.found.place(), claim.found.words());
                page.paragraph(out, "- not about now  ", &safe(&text))?;
            }
        }
        if !report.unclaimed.is_empty() {
            let names = report
                .unclaimed
                .iter()
                .map(|id| safe(id))
                .collect::<Vec<_>>();
            page.paragraph(out, "verified, and no document says so: ", &few(&names))?;
        }
        if !report.claims.is_empty() {
            writeln!(out)?;
        }
        page.statements(out)?;
    }
    for line in wrapped(&tally(&report.claims), style.width) {
        writeln!(out, "{}", bold(&line, style))?;
    }
    Ok(())
}

impl Page<'_> {
    /// The claims below the status table: the tally, and the lines of documents that the evidence contradicts. What the
    /// manifest claims stands in the table.
    pub(super) fn claims(&self, out: &mut dyn Write) -> io::Result<()> {
        let found = &self.report.declared.documents;
        if found.is_empty() {
            return Ok(());
        }
        self.title(out, "Claims")?;
        self.paragraph(out, "  ", &tally(&self.report.claims))?;
        let documents = found
            .iter()
            .map(|found| &found.document)
            .collect::<BTreeSet<_>>();
        let contradicted = sorted(&self.report.claims)
            .filter(|claim| claim.state == Some(ClaimState::Contradicted))
            .filter(|claim| documents.contains(&claim.found.document))
            .collect::<Vec<_>>();
        let most = match self.style.detail {
            Detail::Verbose => contradicted.len(),
            _ => CONTRADICTED_LINES,
        };
        contradicted
            .iter()
            .take(most)
            .try_for_each(|claim| self.claim(out, claim))?;
        if contradicted.len() > most {
            let more = count(contradicted.len() - most, "contradicted claim");
            let more = more.replacen(' ', " more ", 1);
            writeln!(out, "  and {more}")?;
        }
        let text = "`ready claims` shows every one with what the evidence makes of it";
        for line in wrapped(text, self.style.width.saturating_sub(2)) {
            writeln!(out, "  {}", dim(&line, self.style))?;
        }
        writeln!(out)
    }

    fn claim(&self, out: &mut dyn Write, claim: &Claim) -> io::Result<()> {
        let Some(state) = claim.state else {
            return Ok(());
        };
        let word = format!("{} {}", mark(state, self.style), state.word());
        let plain = word.width() + 2;
        let place = safe(&claim.found.place());
        let text = format!("{place}  {}", safe(&claim.found.words()));
        let mut lines = super::words::wrapped_after(&text, plain, 4, self.style.width).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(
            out,
            "{}  {first}",
            painted(&word, colour(state), self.style)
        )?;
        lines.try_for_each(|line| writeln!(out, "    {line}"))?;
        match claim.why.is_empty() {
            true => Ok(()),
            false => self.paragraph(out, "    ", &safe(&claim.why)),
        }
    }

    /// What can be said and what not yet.
    fn statements(&self, out: &mut dyn Write) -> io::Result<()> {
        let statements = Statements::of(self.report);
        for (title, said) in [
            ("Can say", &statements.can_say),
            ("Cannot say yet", &statements.cannot_say_yet),
        ] {
            if said.is_empty() {
                continue;
            }
            self.title(out, title)?;
            for statement in said {
                let text = statement_words(statement);
                self.paragraph(out, "  ", &safe(&text))?;
            }
            writeln!(out)?;
        }
        for (title, allowed) in [
            ("Safe to", &statements.safe_to),
            ("Not safe to", &statements.not_safe_to),
        ] {
            if allowed.is_empty() {
                continue;
            }
            self.title(out, title)?;
            for permission in allowed {
                self.paragraph(out, "  ", &safe(&permission_words(permission)))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Writes the claims as a comment on a pull request: what the evidence contradicts or does not reach, and what can be said.
///
/// # Errors
/// The output cannot be written to.
pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Claims: {}\n", report_name(report))?;
    writeln!(out, "{}\n", cell(&tally(&report.claims)))?;
    for warning in &report.warnings {
        writeln!(out, "> {}\n", cell(warning))?;
    }
    let telling = sorted(&report.claims).filter(|claim| claim.state != Some(ClaimState::Backed));
    let telling = telling.collect::<Vec<_>>();
    if !telling.is_empty() {
        writeln!(
            out,
            "| State | Where | Claim | Evidence |\n| --- | --- | --- | --- |"
        )?;
        for claim in telling {
            let state = claim.state.map_or("", ClaimState::word);
            let [place, said] = [claim.found.place(), claim.found.words()].map(|text| cell(&text));
            writeln!(out, "| {state} | {place} | {said} | {} |", cell(&claim.why))?;
        }
        writeln!(out)?;
    }
    super::markdown::statements(&Statements::of(report), out)
}

fn report_name(report: &Report) -> String {
    cell(&report.project)
}

/// Writes a workflow command for each claim that the evidence contradicts (an error) or does not prove (a warning), on its
/// line. `path` gives where a document is in its repository. Format: the workflow commands of GitHub Actions.
///
/// # Errors
/// The output cannot be written to.
pub fn github(
    report: &Report,
    path: impl Fn(&str) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    for claim in sorted(&report.claims) {
        let level = match claim.state {
            Some(ClaimState::Contradicted) => "error",
            Some(ClaimState::Unproved) => "warning",
            _ => continue,
        };
        let state = claim.state.map_or("", ClaimState::word);
        let message = format!("{}: {}", claim.found.words(), claim.why);
        let annotation = Annotation {
            level,
            file: &path(&claim.found.document),
            line: claim.found.line as usize,
            column: None,
            title: &format!("Claim is {state}"),
            message: &message,
        };
        annotation.write(out)?;
    }
    writeln!(out, "{}", data(&tally(&report.claims)))
}

/// The part of a document that `ready` writes, in Markdown: what is verified of each row, by which run. `run` is the newest
/// that is recorded. Its first line says when, the rest says what: only that is compared.
pub fn status_block(report: &Report, run: Option<&Run>) -> String {
    let stamp = match run {
        Some(run) => {
            let commit = cell(&at_commit(run));
            let (when, host) = (moment(run.started), cell(&run.host.name));
            format!("Verified by `ready` on {host}, {when}{commit}.")
        }
        None => "Nothing is verified: no run of `ready` is recorded.".to_string(),
    };
    let mut block = format!(
        "{stamp}\n\n| Component | Verified | At best | Evidence |\n| --- | ---: | ---: | --- |\n"
    );
    for row in &report.groups {
        let level = row.level.map_or("none", |level| level.word());
        let title = cell(&row.title);
        let figures = [row.verified, row.ceiling].map(percent);
        block += &format!("| {title} | {} | {} | {level} |\n", figures[0], figures[1]);
    }
    let score = &report.score;
    let figures = [score.verified, score.ceiling].map(percent);
    block += &format!("| **Overall** | **{}** | {} | |\n", figures[0], figures[1]);
    let cannot = Statements::of(report).cannot_say_yet;
    if !cannot.is_empty() {
        block += "\nNot verified:\n\n";
        for statement in &cannot {
            let verdict = statement.verdict.word();
            block += &format!(
                "- {} ({}, {verdict})\n",
                cell(&statement.says),
                cell(&statement.check)
            );
        }
    }
    block + "\n"
}
