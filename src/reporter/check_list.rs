//! The checks of a report one by one: what is verified in a line each; what is not with its reason, the end of its output,
//! how to do it by hand and what to do about it.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::page::{Page, author_words, fix_words, safe, waiver_of};
use super::words::{
    age, bold, colour, count, cut, dim, mark, painted, short, verdict, wrapped_after,
};
use super::{Detail, reproduce};
use crate::domain::check::Probe;
use crate::domain::evidence::{Outcome, Stream};
use crate::domain::expectation::Held;
use crate::domain::proof::Proven;
use crate::domain::reason::Code;
use crate::domain::report::CheckRow;
use crate::domain::verdict::Verdict;
use crate::sanitise::{self, Colour};

/// Lines of output that are shown of a check that is not verified.
const OUTPUT_LINES: usize = 8;
/// Verified checks that are listed; where there are more, the rest is a number.
const VERIFIED_LINES: usize = 30;

impl Page<'_> {
    /// Every check that counts, then the optional ones.
    pub(super) fn checks(&self, out: &mut dyn Write) -> io::Result<()> {
        let counting = || {
            self.report
                .checks
                .iter()
                .filter(|row| row.applicable && !row.optional)
        };
        let mut open = counting()
            .filter(|row| row.verdict != Verdict::Verified)
            .collect::<Vec<_>>();
        open.sort_by_key(|row| match row.verdict {
            Verdict::Failed => 0,
            Verdict::Partial => 1,
            _ => 2,
        });
        if !open.is_empty() {
            self.title(out, "Cannot say yet")?;
            open.iter().try_for_each(|row| self.check(out, row))?;
            writeln!(out)?;
        }
        self.verified(
            out,
            &counting()
                .filter(|row| row.verdict == Verdict::Verified)
                .collect::<Vec<_>>(),
        )?;
        let optional = self
            .report
            .checks
            .iter()
            .filter(|row| row.applicable && row.optional)
            .collect::<Vec<_>>();
        if !optional.is_empty() {
            self.title(out, "Optional, outside score and gates")?;
            optional
                .iter()
                .try_for_each(|row| self.check_line(out, row))?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn verified(&self, out: &mut dyn Write, rows: &[&CheckRow]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.title(out, "Can say")?;
        if self.style.detail == Detail::Verbose {
            rows.iter().try_for_each(|row| self.check(out, row))?;
        } else {
            rows.iter()
                .take(VERIFIED_LINES)
                .try_for_each(|row| self.check_line(out, row))?;
            if rows.len() > VERIFIED_LINES {
                let more = count(rows.len() - VERIFIED_LINES, "check");
                writeln!(out, "  and {more} more, which `-v` lists")?;
            }
        }
        writeln!(out)
    }

    fn check_line(&self, out: &mut dyn Write, row: &CheckRow) -> io::Result<()> {
        let proof = row.proof.as_ref();
        let proof = proof.filter(|proof| proof.result != Proven::NoControl);
        let proof = proof.map(|proof| format!(", {}", proof.result.words()));
        let word = format!(
            "{} {}{}",
            mark(row.verdict, self.style),
            verdict(row),
            proof.unwrap_or_default()
        );
        let plain = format!("{word}  {}: ", row.id).width();
        let mut text = match self.reused(row) {
            Some(reused) => format!("{}; {reused}", row.reason.text),
            None => row.reason.text.clone(),
        };
        // What is verified can be said; what is not says so below its reason.
        if row.verdict == Verdict::Verified {
            text = format!("{} ({text})", row.says);
        }
        let mut lines = wrapped_after(&safe(&text), plain, 4, self.style.width).into_iter();
        let (word, id) = (
            painted(&word, colour(row.verdict), self.style),
            bold(&row.id, self.style),
        );
        let line = format!("{word}  {id}: {}", lines.next().unwrap_or_default());
        writeln!(out, "{}", line.trim_end())?;
        lines.try_for_each(|line| writeln!(out, "    {line}"))?;
        let mut notes = row.notes.iter();
        notes.try_for_each(|note| self.field(out, "odd", &safe(note)))
    }

    /// How old the evidence is that stood for a look, and of which code.
    fn reused(&self, row: &CheckRow) -> Option<String> {
        let evidence = row.evidence.as_ref().filter(|_| row.reused)?;
        let ago = age(evidence.started, self.report.generated);
        let commit = row.recorded_at.as_deref();
        let on = commit.map_or(String::new(), |commit| format!(" on {}", short(commit)));
        Some(format!("reused, verified {ago} ago{on}"))
    }

    fn check(&self, out: &mut dyn Write, row: &CheckRow) -> io::Result<()> {
        let verbose = self.style.detail == Detail::Verbose;
        let check = &row.definition;
        self.check_line(out, row)?;
        if row.verdict != Verdict::Verified {
            self.field(out, "says", &safe(&row.says))?;
        }
        if let Some(risk) = check
            .risk
            .as_ref()
            .filter(|_| row.verdict != Verdict::Verified)
        {
            self.field(out, "risk", &safe(risk))?;
        }
        if let Some(text) = &row.contradiction {
            self.field(out, "contradiction", &safe(text))?;
        }
        if let Some(waiver) = waiver_of(self.report, &row.id) {
            self.field(out, "waiver", &waiver)?;
        }
        if let Some(author) = &row.author {
            self.field(out, "its line", &author_words(author))?;
        }
        if let Some(owner) = check.owner.as_ref().filter(|_| verbose) {
            self.field(out, "owner", &safe(owner))?;
        }
        if let Some(text) = to_do(row) {
            self.field(out, "to do", &safe(&text))?;
        }
        if let Some(line) = reproduce::by_hand(row) {
            self.verbatim(out, "by hand", &safe(&line))?;
        }
        let Some(attempt) = row
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.attempts.last())
        else {
            return Ok(());
        };
        for checked in attempt
            .checked
            .iter()
            .filter(|checked| verbose && checked.held == Held::Yes)
        {
            self.field(out, "held", &safe(&checked.what))?;
        }
        // What a service said stands with the service.
        let of_service =
            matches!(attempt.outcome, Outcome::Service(_)) && self.report.run.is_some();
        if of_service
            && row
                .evidence
                .as_ref()
                .is_some_and(|evidence| evidence.command.is_empty())
        {
            return Ok(());
        }
        // The end of what was said on standard error tells most; where nothing was, that of the output.
        let streams = [&attempt.stderr, &attempt.stdout].into_iter().flatten();
        let said =
            streams.filter(|stream| !stream.tail.trim().is_empty() || stream.stored.is_some());
        said.take(if verbose { 2 } else { 1 })
            .try_for_each(|stream| self.output(out, stream))
    }

    pub(super) fn output(&self, out: &mut dyn Write, stream: &Stream) -> io::Result<()> {
        let colour = if self.style.colour {
            Colour::Pass
        } else {
            Colour::Drop
        };
        if stream.stored.is_some() {
            let text = format!(
                "| {} bytes, which were pruned from the ledger",
                stream.bytes
            );
            return writeln!(out, "    {}", dim(&text, self.style));
        }
        let lines = sanitise::lines(stream.tail.trim_end(), colour).collect::<Vec<_>>();
        let most = if self.style.detail == Detail::Verbose {
            usize::MAX
        } else {
            OUTPUT_LINES
        };
        let from = lines.len().saturating_sub(most);
        if from > 0 || stream.truncated {
            let dots = if self.style.unicode { "…" } else { "..." };
            writeln!(
                out,
                "    {}",
                dim(
                    &format!("| {dots} {} bytes in all", stream.bytes),
                    self.style
                )
            )?;
        }
        for line in &lines[from..] {
            let line = cut(line, self.style.width.saturating_sub(6).max(20));
            writeln!(out, "    {} {line}", dim("|", self.style))?;
        }
        Ok(())
    }
}

/// What a person does about a check that is not verified. How to mend what fails is no advice for what was not seen.
pub(super) fn to_do(row: &CheckRow) -> Option<String> {
    let check = &row.definition;
    let text = match row.reason.code {
        _ if row.verdict == Verdict::Verified => return None,
        _ if row.verdict != Verdict::Unverified => {
            return fix_words(
                check.fix.takes.map(|takes| takes.as_secs_f64()),
                check.fix.how.as_deref(),
            );
        }
        Code::Stale if matches!(check.probe, Probe::Manual(_)) => {
            format!(
                "say so again in `manual` of {}, or verify it",
                check.source.file
            )
        }
        Code::NotRun | Code::Stale | Code::Interrupted => format!("run `ready check {}`", row.id),
        Code::ToolMissing
            if check
                .needs_tool
                .as_ref()
                .is_some_and(|tool| tool.install.is_some()) =>
        {
            return None;
        }
        Code::ToolMissing => "install the program, or run the check where it is".to_string(),
        Code::WrongPlatform => format!("run it on {}", check.os.join(" or ")),
        Code::NeedsFailed => "first mend what it needs".to_string(),
        Code::NoResults if row.counts.is_some_and(|counts| counts.skipped > 0) => {
            "see by hand why all of it was skipped: nothing was verified".to_string()
        }
        Code::NoResults => "make it run something: nothing was counted".to_string(),
        Code::CannotTell => "make its work possible here, or run it where it is".to_string(),
        Code::Unreadable => {
            "see what the command does with its results: run it by hand".to_string()
        }
        Code::PortTaken => "free the port".to_string(),
        _ => return None,
    };
    Some(text)
}
