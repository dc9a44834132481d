//! `table`: the status table and what a person must know beside it. Readable in 80 columns, in a pipe and without
//! colour; everything that other programs said is made safe to print.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use owo_colors::AnsiColors;
use unicode_width::UnicodeWidthStr;

use super::columns::Columns;
use super::page::{Page, few, fix_words, safe};
use super::words::{
    age, at_commit, bold, count, dim, moment, painted, percent, wrapped, wrapped_after,
};
use super::{Detail, Style, diff, sentence, waivers};
use crate::domain::gate::{GateReason, GateState};
use crate::domain::reason::Code;
use crate::domain::report::{CheckRow, ComponentRow, GroupRow, Report};

/// Writes the table.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { report, style };
    if style.detail > Detail::Quiet {
        page.heading(out)?;
        page.preflight(out)?;
        page.status(out)?;
        page.checks(out)?;
        page.machines(out)?;
        page.services(out)?;
        page.claims(out)?;
        page.beside(out)?;
        if let Some(diff) = &report.since {
            diff::since(diff, style, out)?;
        }
        page.gates(out)?;
        page.way(out)?;
    }
    page.sentence(out)
}

impl Page<'_> {
    fn heading(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = safe(&self.report.project);
        writeln!(out, "{}", bold(&name, self.style))?;
        let line = match &self.report.run {
            Some(run) => {
                let commit = at_commit(run);
                let stopped = if run.interrupted {
                    ", stopped before its end"
                } else {
                    ""
                };
                let (host, started) = (safe(&run.host.name), moment(run.started));
                let shard = run.shard.as_ref();
                let shard = shard.map(|shard| format!(", shard {} of {}", shard.index, shard.of));
                let what = match run.merged.len() {
                    0 => format!("run {}{}", run.id, shard.unwrap_or_default()),
                    runs => format!("merged from {}", count(runs, "run")),
                };
                format!("{what} on {host}, {started}{commit}{stopped}")
            }
            None => format!(
                "from recorded evidence, {}; nothing was run",
                moment(self.report.generated)
            ),
        };
        for line in wrapped(&line, self.style.width) {
            writeln!(out, "{}", dim(&line, self.style))?;
        }
        if let Some(about) = self.report.about.words() {
            let about = match self.report.run {
                Some(_) => format!("about {about}"),
                None => format!("asked about {about}"),
            };
            for line in wrapped(&safe(&about), self.style.width) {
                writeln!(out, "{}", dim(&line, self.style))?;
            }
        }
        let warnings = self.report.warnings.iter().cloned();
        for warning in warnings.chain(self.leaks()).chain(self.not_cleaned_up()) {
            self.paragraph(out, "warning: ", &safe(&warning))?;
        }
        writeln!(out)
    }

    /// What checks left running, whatever their verdict.
    fn leaks(&self) -> impl Iterator<Item = String> {
        let attempts = |row: &'_ CheckRow| {
            row.evidence
                .iter()
                .flat_map(|evidence| &evidence.attempts)
                .flat_map(|attempt| attempt.leaked.clone())
                .collect::<Vec<_>>()
        };
        let now = self
            .report
            .checks
            .iter()
            .filter(|row| row.recorded.is_none());
        now.filter_map(move |row| {
            let left = attempts(row);
            (!left.is_empty()).then(|| {
                format!(
                    "{} left processes running, which were ended: {}",
                    row.id,
                    few(&left)
                )
            })
        })
    }

    /// What checks left undone behind them, whatever their verdict.
    fn not_cleaned_up(&self) -> impl Iterator<Item = String> {
        let now = self
            .report
            .checks
            .iter()
            .filter(|row| row.recorded.is_none());
        let attempts = now.flat_map(|row| {
            let attempts = row.evidence.iter().flat_map(|evidence| &evidence.attempts);
            attempts.map(move |attempt| (row, attempt))
        });
        attempts.filter_map(|(row, attempt)| {
            // Where a tool could not even do its work there is nothing to clean up.
            let problem = attempt
                .cleanup
                .as_ref()
                .filter(|_| row.reason.code != Code::CannotTell)?;
            Some(format!("{} was not cleaned up after: {problem}", row.id))
        })
    }

    fn preflight(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.report.preflight.is_empty() {
            return Ok(());
        }
        self.title(out, "This machine")?;
        let longest = self
            .report
            .preflight
            .iter()
            .map(|item| safe(&item.what).width())
            .max()
            .unwrap_or(0);
        for item in &self.report.preflight {
            let (word, colour) = match item.ok {
                Some(true) => ("ok     ", AnsiColors::Green),
                Some(false) => ("not met", AnsiColors::Red),
                None => ("unknown", AnsiColors::Yellow),
            };
            writeln!(
                out,
                "  {}  {}  {}",
                painted(word, colour, self.style),
                padded(&safe(&item.what), longest),
                safe(&item.seen)
            )?;
        }
        writeln!(out)
    }

    fn status(&self, out: &mut dyn Write) -> io::Result<()> {
        let score = &self.report.score;
        let claims =
            score.claimed.is_some() || self.report.groups.iter().any(|row| row.claimed.is_some());
        let columns = Columns::that_fit(
            self.style.width,
            claims,
            self.report.groups.iter().map(|row| row.title.width()).max(),
        );
        let mut table = Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.style.width.clamp(12, 160) as u16);
        table.set_header(columns.header());
        for row in &self.report.groups {
            table.add_row(self.row(&columns, row));
        }
        if self.report.groups.len() > 1 || score.claimed.is_some() {
            table.add_row(self.overall(&columns));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if columns.right_aligned(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", self.in_colours(line.trim_end()))?;
        }
        if columns.bar {
            let [verified, unverified, failed] = self.glyphs();
            let legend = format!(
                "{verified} verified  {unverified} unverified  {failed} failed, or beyond its evidence's cap; rounded down"
            );
            for line in wrapped(&legend, self.style.width) {
                writeln!(out, "{}", dim(&line, self.style))?;
            }
        }
        if score.attested > 0.0 {
            let text = format!(
                "{} verified + {} attested (a person's word, not counted as verified)",
                percent(score.verified),
                percent(score.attested)
            );
            self.paragraph(out, "", &text)?;
        }
        if score.partly_claimed {
            self.paragraph(
                out,
                "",
                "claimed and gap of the whole cover only the components that claim",
            )?;
        }
        writeln!(out)?;
        self.notes(out)
    }

    fn row(&self, columns: &Columns, row: &GroupRow) -> Vec<String> {
        let level = row.level.map_or("none", |level| level.word());
        let oldest = row
            .oldest
            .map(|oldest| age(oldest, self.report.generated))
            .unwrap_or_default();
        columns.cells(
            safe(&row.title),
            self.bar(row.verified, row.ceiling),
            [row.verified, row.ceiling],
            row.claimed.zip(row.gap),
            level.to_string(),
            oldest,
        )
    }

    fn overall(&self, columns: &Columns) -> Vec<String> {
        let score = &self.report.score;
        let bar = self.bar(score.verified, score.ceiling);
        columns.cells(
            "OVERALL".to_string(),
            bar,
            [score.verified, score.ceiling],
            score.claimed.zip(score.gap),
            String::new(),
            String::new(),
        )
    }

    /// Ten cells: what is verified, what may be, what is not. A cell is verified or failed only where all of it is.
    fn bar(&self, verified: f64, ceiling: f64) -> String {
        let [full, open, none] = self.glyphs();
        let full_cells = ((verified / 10.0).floor() as usize).min(10);
        let reached = ((ceiling / 10.0).floor() as usize).min(10);
        // What may still be verified shows, however little it is.
        let open_cells = match reached.saturating_sub(full_cells) {
            0 if ceiling > verified && full_cells < 10 => 1,
            cells => cells,
        };
        [
            full.repeat(full_cells),
            open.repeat(open_cells),
            none.repeat(10 - full_cells - open_cells.min(10 - full_cells)),
        ]
        .concat()
    }

    fn glyphs(&self) -> [&'static str; 3] {
        if self.style.unicode {
            ["█", "░", "·"]
        } else {
            ["#", "?", "."]
        }
    }

    /// The bars of a line in colours.
    fn in_colours(&self, line: &str) -> String {
        if !self.style.colour || !self.style.unicode {
            return line.to_string();
        }
        let mut painted_line = String::new();
        for run in line
            .split_inclusive(|_| true)
            .collect::<Vec<_>>()
            .chunk_by(|a, b| a == b)
        {
            let text = run.concat();
            painted_line += &match run[0] {
                "█" => painted(&text, AnsiColors::Green, self.style),
                "░" => painted(&text, AnsiColors::Yellow, self.style),
                "·" if run.len() > 1 => painted(&text, AnsiColors::Red, self.style),
                _ => text,
            };
        }
        painted_line
    }

    /// What holds components down, and what is not in the figures.
    fn notes(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut notes = vec![];
        let mut capped: Vec<(String, Vec<String>)> = vec![];
        for row in self.report.components.iter().filter(|row| row.applicable) {
            if let Some(cap) = &row.cap {
                let text = format!(
                    "capped at {} ({} evidence); to lift it: {}",
                    percent(cap.percent),
                    cap.level,
                    cap.lift
                );
                match capped.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, titles)) => titles.push(safe(&row.title)),
                    None => capped.push((text, vec![safe(&row.title)])),
                }
            }
            if row.no_checks {
                notes.push(format!(
                    "{}: no checks are declared for it",
                    safe(&row.title)
                ));
            }
            if let (Some(enough), Some(level)) = (row.enough, row.level) {
                notes.push(format!("{}: {level} evidence is all there is to know, says the manifest (enough = {enough})", safe(&row.title)));
            }
        }
        notes.extend(
            capped
                .into_iter()
                .map(|(text, titles)| format!("{}: {text}", few(&titles))),
        );
        let outside = |row: &&ComponentRow| {
            !row.applicable
                && !self
                    .report
                    .checks
                    .iter()
                    .any(|c| c.component == row.id && c.optional)
        };
        let absent = self
            .report
            .components
            .iter()
            .filter(outside)
            .map(|row| safe(&row.title))
            .collect::<Vec<_>>();
        if !absent.is_empty() {
            notes.push(format!(
                "not applicable here, outside the figures: {}",
                few(&absent)
            ));
        }
        let absent = self
            .report
            .checks
            .iter()
            .filter(|row| !row.applicable)
            .map(|row| {
                let patterns = row
                    .definition
                    .applies
                    .as_ref()
                    .map(|applies| applies.files.join(", "));
                format!(
                    "{} (no file matches {})",
                    row.id,
                    safe(&patterns.unwrap_or_default())
                )
            });
        let absent = absent.collect::<Vec<_>>();
        if !absent.is_empty() {
            notes.push(format!("checks that do not apply here: {}", few(&absent)));
        }
        for note in &notes {
            self.paragraph(out, "  ", note)?;
        }
        if notes.is_empty() {
            Ok(())
        } else {
            writeln!(out)
        }
    }

    /// Waivers, limitations, and what is not declared.
    fn beside(&self, out: &mut dyn Write) -> io::Result<()> {
        waivers::render(self, out)?;
        if !self.report.limitations.is_empty() {
            self.title(out, "Limitations")?;
            for text in &self.report.limitations {
                self.paragraph(out, "  ", &safe(text))?;
            }
            writeln!(out)?;
        }
        self.undeclared(out)
    }

    fn undeclared(&self, out: &mut dyn Write) -> io::Result<()> {
        let (undeclared, ignored) = (&self.report.undeclared, &self.report.ignored);
        if undeclared.is_empty() && ignored.is_empty() {
            return Ok(());
        }
        self.title(out, "Not declared")?;
        for called in undeclared {
            let text = format!(
                "{}: the files call for it ({})",
                called.check,
                safe(&called.why)
            );
            self.paragraph(out, "  ", &text)?;
        }
        for ignored in ignored {
            let text = format!("{}: ignored, {}", ignored.check, safe(&ignored.reason));
            self.paragraph(out, "  ", &text)?;
        }
        if !undeclared.is_empty() {
            let text = "`ready add NAME` declares one, `[ignore] NAME = \"why\"` answers it";
            for line in wrapped(text, self.style.width.saturating_sub(2)) {
                writeln!(out, "  {}", dim(&line, self.style))?;
            }
        }
        writeln!(out)
    }

    fn gates(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.report.gates.is_empty() {
            return Ok(());
        }
        self.title(out, "Gates")?;
        for gate in &self.report.gates {
            self.gate(out, gate)?;
        }
        writeln!(out)
    }

    fn gate(&self, out: &mut dyn Write, gate: &GateState) -> io::Result<()> {
        let (word, colour) = match (gate.open, gate.waived.len()) {
            (true, 0) => ("OPEN".to_string(), AnsiColors::Green),
            (true, waived) => (
                format!(
                    "OPEN WITH {}",
                    count(waived, "WAIVER").replace("WAIVERs", "WAIVERS")
                ),
                AnsiColors::Yellow,
            ),
            (false, _) => ("CLOSED".to_string(), AnsiColors::Red),
        };
        let decides = if self.report.decision.gates.contains(&gate.name) {
            ", decides"
        } else {
            ""
        };
        let says = gate
            .says
            .as_deref()
            .map(|says| match gate.open {
                true => format!(", safe to: {}", safe(says)),
                false => format!(", not safe to: {}", safe(says)),
            })
            .unwrap_or_default();
        let taken = 3 + gate.name.width() + word.width();
        let mut lines =
            wrapped_after(&format!("{decides}{says}"), taken, 6, self.style.width).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(
            out,
            "  {} {}{first}",
            bold(&gate.name, self.style),
            painted(&word, colour, self.style)
        )?;
        lines.try_for_each(|line| writeln!(out, "      {line}"))?;
        for id in gate.waived.iter().filter(|_| gate.open) {
            self.paragraph(out, "      ", &format!("waived: {id}"))?;
        }
        let without = gate.without_waivers.as_ref().filter(|_| gate.open);
        for reason in without.iter().flat_map(|without| &without.reasons) {
            let text = format!("closed without its waivers: {}", reason_words(reason));
            self.paragraph(out, "      ", &text)?;
        }
        for reason in &gate.reasons {
            self.paragraph(out, "      ", &reason_words(reason))?;
        }
        Ok(())
    }

    fn sentence(&self, out: &mut dyn Write) -> io::Result<()> {
        let text = sentence::of(self.report);
        let colour = if self.report.decision.open {
            AnsiColors::Green
        } else {
            AnsiColors::Red
        };
        for line in wrapped(&text, self.style.width) {
            writeln!(
                out,
                "{}",
                bold(&painted(&line, colour, self.style), self.style)
            )?;
        }
        Ok(())
    }
}

fn reason_words(reason: &GateReason) -> String {
    let fix = fix_words(reason.takes_s, reason.how.as_deref());
    let more = [reason.owner.clone(), fix]
        .into_iter()
        .flatten()
        .map(|text| safe(&text))
        .collect::<Vec<_>>()
        .join("; ");
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(" ({more})")
    };
    format!("{}: {}{more}", reason.rule, safe(&reason.text))
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}
