//! What several machines saw of the same check, where they do not agree; all that they saw where everything is asked for.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Detail;
use super::page::{Page, safe};
use super::words::{bold, colour, painted, wrapped_after};
use crate::domain::report::{CheckRow, Observation};
use crate::domain::verdict::Verdict;

impl Page<'_> {
    /// The checks of which several machines say different things, each with what they say.
    pub(super) fn machines(&self, out: &mut dyn Write) -> io::Result<()> {
        let verbose = self.style.detail == Detail::Verbose;
        let differ = |row: &&CheckRow| {
            let seen = &row.observations;
            seen.len() > 1 && (verbose || seen.iter().any(|other| other.verdict != seen[0].verdict))
        };
        let rows = self.report.checks.iter().filter(differ).collect::<Vec<_>>();
        if rows.is_empty() {
            return Ok(());
        }
        self.title(out, "Seen on several machines")?;
        for row in rows {
            writeln!(out, "  {}", bold(&row.id, self.style))?;
            row.observations
                .iter()
                .try_for_each(|seen| self.observation(out, row, seen))?;
        }
        writeln!(out)
    }

    fn observation(
        &self,
        out: &mut dyn Write,
        row: &CheckRow,
        seen: &Observation,
    ) -> io::Result<()> {
        let word = match seen.verdict {
            Verdict::Unverified => format!("unverified ({})", seen.reason.code.word()),
            verdict => verdict.word().to_string(),
        };
        let os = seen.os.as_deref().map(|os| format!(" ({os})"));
        // Clones on one machine are told apart by their runs.
        let namesakes = row.observations.iter().filter(|o| o.host == seen.host);
        let run = match namesakes.count() {
            1 => String::new(),
            _ => format!(", run {}", seen.run),
        };
        let text = format!(
            "on {}{}{run}: {}",
            safe(&seen.host),
            safe(&os.unwrap_or_default()),
            safe(&seen.reason.text)
        );
        let lines = wrapped_after(&text, 5 + word.width(), 6, self.style.width);
        let word = painted(&word, colour(seen.verdict), self.style);
        writeln!(out, "    {word} {}", lines[0])?;
        lines[1..]
            .iter()
            .try_for_each(|line| writeln!(out, "      {line}"))
    }
}
