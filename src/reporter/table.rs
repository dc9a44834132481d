//! `table`: the status table and what a person must know beside it. Readable in 80 columns, in a pipe and without
//! colour; everything that other programs said is made safe to print.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use owo_colors::AnsiColors;
use unicode_width::UnicodeWidthStr;

use super::columns::Columns;
use super::words::{
    age, bold, colour, count, cut, dim, mark, moment, painted, percent, takes, verdict, wrapped,
    wrapped_after,
};
use super::{Detail, Style, reproduce};
use crate::domain::evidence::Stream;
use crate::domain::gate::{GateReason, GateState};
use crate::domain::report::{CheckRow, ComponentRow, GroupRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;
use crate::sanitise::{self, Colour};

/// Lines of output that are shown of a check that is not verified.
const OUTPUT_LINES: usize = 8;

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
        page.beside(out)?;
        page.gates(out)?;
    }
    page.sentence(out)
}

struct Page<'r> {
    report: &'r Report,
    style: Style,
}

impl Page<'_> {
    fn heading(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = safe(&self.report.project);
        writeln!(out, "{}", bold(&name, self.style))?;
        let line = match &self.report.run {
            Some(run) => {
                let commit = match (&run.commit, run.dirty) {
                    (Some(commit), Some(true)) => {
                        format!(", commit {} with uncommitted changes", short(commit))
                    }
                    (Some(commit), _) => format!(", commit {}", short(commit)),
                    (None, _) => String::new(),
                };
                let stopped = if run.interrupted {
                    ", stopped before its end"
                } else {
                    ""
                };
                format!(
                    "run {} on {}, {}{commit}{stopped}",
                    run.id,
                    safe(&run.host.name),
                    moment(run.started)
                )
            }
            None => format!(
                "from recorded evidence, {}; nothing was run",
                moment(self.report.generated)
            ),
        };
        for line in wrapped(&line, self.style.width) {
            writeln!(out, "{}", dim(&line, self.style))?;
        }
        for warning in self.report.warnings.iter().cloned().chain(self.leaks()) {
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
        self.report.checks.iter().filter_map(move |row| {
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
                Some(false) => ("missing", AnsiColors::Red),
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
                "{verified} verified  {unverified} unverified  {failed} failed or missing; figures are rounded down"
            );
            for line in wrapped(&legend, self.style.width) {
                writeln!(out, "{}", dim(&line, self.style))?;
            }
        }
        if score.attested > 0.0 {
            let text = format!(
                "{} verified + {} attested by persons, who are believed and not counted",
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
        let full_cells = (verified / 10.0).floor() as usize;
        let open_cells = ((ceiling / 10.0).ceil() as usize).clamp(full_cells, 10) - full_cells;
        [
            full.repeat(full_cells),
            open.repeat(open_cells),
            none.repeat(10 - full_cells - open_cells),
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
            .map(|row| row.id.clone())
            .collect::<Vec<_>>();
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

    fn checks(&self, out: &mut dyn Write) -> io::Result<()> {
        let counting = || {
            self.report
                .checks
                .iter()
                .filter(|row| row.applicable && !row.optional)
        };
        let verbose = self.style.detail == Detail::Verbose;
        let verified = counting()
            .filter(|row| row.verdict == Verdict::Verified)
            .collect::<Vec<_>>();
        if verbose && !verified.is_empty() {
            self.title(out, "Verified")?;
            verified.iter().try_for_each(|row| self.check(out, row))?;
            writeln!(out)?;
        }
        let mut open = counting()
            .filter(|row| row.verdict != Verdict::Verified)
            .collect::<Vec<_>>();
        open.sort_by_key(|row| match row.verdict {
            Verdict::Failed => 0,
            Verdict::Partial => 1,
            _ => 2,
        });
        if !open.is_empty() {
            self.title(out, "Not verified")?;
            open.iter().try_for_each(|row| self.check(out, row))?;
            writeln!(out)?;
        }
        let optional = self
            .report
            .checks
            .iter()
            .filter(|row| row.applicable && row.optional)
            .collect::<Vec<_>>();
        if !optional.is_empty() {
            self.title(out, "Optional, outside score and gates")?;
            for row in optional {
                self.check_line(out, row)?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn check_line(&self, out: &mut dyn Write, row: &CheckRow) -> io::Result<()> {
        let word = format!("{} {}", mark(row.verdict, self.style), verdict(row));
        let start = format!(
            "{}  {}: ",
            painted(&word, colour(row.verdict), self.style),
            bold(&row.id, self.style)
        );
        let plain = format!("{word}  {}: ", row.id).width();
        let text = safe(&row.reason.text);
        let mut lines = wrapped_after(&text, plain, 4, self.style.width).into_iter();
        writeln!(out, "{start}{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(out, "    {line}"))
    }

    fn check(&self, out: &mut dyn Write, row: &CheckRow) -> io::Result<()> {
        self.check_line(out, row)?;
        self.field(out, "says", &safe(&row.says))?;
        if let Some(risk) = &row.definition.risk {
            self.field(out, "risk", &safe(risk))?;
        }
        if let Some(text) = &row.contradiction {
            self.field(out, "contradiction", &safe(text))?;
        }
        if let Some(state) = row.waiver {
            self.field(out, "waiver", waiver_words(state))?;
        }
        let attempt = row
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.attempts.last());
        if let Some(line) = reproduce::by_hand(&row.definition, row.evidence.as_ref()) {
            self.verbatim(out, "by hand", &safe(&line))?;
        }
        if let Some(fix) = fix_words(
            row.definition.fix.takes.map(|takes| takes.as_secs_f64()),
            row.definition.fix.how.as_deref(),
        ) {
            self.field(out, "fix", &safe(&fix))?;
        }
        let streams = attempt.map(|attempt| [&attempt.stderr, &attempt.stdout]);
        let verbose = self.style.detail == Detail::Verbose;
        // What is counted is named already; the end of the output tells most where nothing was.
        let shown = streams
            .into_iter()
            .flatten()
            .flatten()
            .filter(|stream| !stream.tail.trim().is_empty());
        for stream in shown.take(if verbose { 2 } else { 1 }) {
            if verbose || row.verdict != Verdict::Verified {
                self.output(out, stream)?;
            }
        }
        Ok(())
    }

    fn output(&self, out: &mut dyn Write, stream: &Stream) -> io::Result<()> {
        let colour = if self.style.colour {
            Colour::Pass
        } else {
            Colour::Drop
        };
        let lines = sanitise::lines(stream.tail.trim_end(), colour).collect::<Vec<_>>();
        let most = if self.style.detail == Detail::Verbose {
            usize::MAX
        } else {
            OUTPUT_LINES
        };
        let from = lines.len().saturating_sub(most);
        if from > 0 || stream.truncated {
            writeln!(
                out,
                "    {}",
                dim(&format!("| … {} bytes in all", stream.bytes), self.style)
            )?;
        }
        for line in &lines[from..] {
            writeln!(
                out,
                "    {} {}",
                dim("|", self.style),
                cut(line, self.style.width.saturating_sub(6).max(20))
            )?;
        }
        Ok(())
    }

    /// Waivers and limitations.
    fn beside(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.report.waivers.is_empty() {
            self.title(out, "Waivers")?;
            for row in &self.report.waivers {
                let waiver = &row.waiver;
                let text = format!(
                    "{}: {}; accepted by {} until {} ({})",
                    waiver.check,
                    safe(&waiver.reason),
                    safe(&waiver.owner),
                    waiver.expires,
                    waiver_words(row.state)
                );
                self.paragraph(out, "  ", &text)?;
            }
            writeln!(out)?;
        }
        if !self.report.limitations.is_empty() {
            self.title(out, "Limitations")?;
            for text in &self.report.limitations {
                self.paragraph(out, "  ", &safe(text))?;
            }
            writeln!(out)?;
        }
        Ok(())
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
            .map(|says| format!(": {}", safe(says)))
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
        for reason in &gate.reasons {
            self.paragraph(out, "      ", &reason_words(reason))?;
        }
        Ok(())
    }

    fn sentence(&self, out: &mut dyn Write) -> io::Result<()> {
        let report = self.report;
        let score = &report.score;
        let due = |row: &&CheckRow| row.applicable && !row.optional;
        let unverified = report
            .checks
            .iter()
            .filter(due)
            .filter(|row| row.verdict == Verdict::Unverified);
        let unverified = unverified
            .filter(|row| row.reason.code != crate::domain::reason::Code::Attested)
            .count();
        let mut text = if report.decision.gates.is_empty() {
            let selected = report
                .run
                .as_ref()
                .map(|run| run.selected.as_slice())
                .unwrap_or_default();
            let rows = report
                .checks
                .iter()
                .filter(|row| selected.contains(&row.id) && row.applicable);
            let verified = rows
                .clone()
                .filter(|row| row.verdict == Verdict::Verified)
                .count();
            let word = if report.decision.open {
                "HOLDS"
            } else {
                "DOES NOT HOLD"
            };
            format!(
                "{word}: {verified} of {} verified",
                count(rows.count(), "selected check")
            )
        } else {
            let word = if report.decision.open {
                "READY"
            } else {
                "NOT READY"
            };
            let claimed = score
                .claimed
                .map(|claimed| format!(", claimed {}", percent(claimed)))
                .unwrap_or_default();
            let here = match unverified {
                0 => String::new(),
                n if report.run.is_some() => {
                    format!("; {} could not be verified here", count(n, "check"))
                }
                n => format!(
                    "; {} {} unverified",
                    count(n, "check"),
                    if n == 1 { "is" } else { "are" }
                ),
            };
            format!(
                "{word}: verified {}{claimed}{here}",
                percent(score.verified)
            )
        };
        if report.run.as_ref().is_some_and(|run| run.interrupted) {
            text = format!("INTERRUPTED; {text}");
        }
        let colour = if report.decision.open {
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

    fn title(&self, out: &mut dyn Write, text: &str) -> io::Result<()> {
        writeln!(out, "{}", bold(text, self.style))
    }

    fn field(&self, out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
        let mut lines = wrapped_after(text, 6 + name.width(), 6, self.style.width).into_iter();
        writeln!(
            out,
            "    {} {}",
            dim(&format!("{name}:"), self.style),
            lines.next().unwrap_or_default()
        )?;
        lines.try_for_each(|line| writeln!(out, "      {line}"))
    }

    /// A field that is copied to a shell, so it is never broken.
    fn verbatim(&self, out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
        writeln!(out, "    {} {text}", dim(&format!("{name}:"), self.style))
    }

    /// Text with a hanging indent under its start.
    fn paragraph(&self, out: &mut dyn Write, start: &str, text: &str) -> io::Result<()> {
        let indent = start.len() - start.trim_start().len() + 2;
        let mut lines = wrapped_after(text, start.width(), indent, self.style.width).into_iter();
        writeln!(out, "{start}{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))
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

fn fix_words(takes_s: Option<f64>, how: Option<&str>) -> Option<String> {
    match (takes_s, how) {
        (Some(seconds), Some(how)) => Some(format!("{}: {how}", takes(seconds))),
        (Some(seconds), None) => Some(takes(seconds)),
        (None, how) => how.map(str::to_string),
    }
}

fn waiver_words(state: WaiverState) -> &'static str {
    match state {
        WaiverState::InForce => "in force",
        WaiverState::Expired => "expired: it no longer works",
        WaiverState::Needless => "needless: the check holds",
        WaiverState::Exceeded => "exceeded: the check fell below what it accepts",
    }
}

/// Text from outside on one line, safe to print.
fn safe(text: &str) -> String {
    sanitise::lines(text, Colour::Drop)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first names of a list, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len() {
        0..=SHOWN => names.join(", "),
        n => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}
