//! The trend over recorded runs, the oldest first: as sparklines and tables, and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::page::safe;
use super::words::{bold, count, dim, mark, percent, short, wrapped, wrapped_after};
use super::{Style, json};
use crate::domain::history::{CheckPoint, CheckTrend, History, RunPoint, heights};
use crate::domain::limit::human_duration;
use crate::domain::verdict::Verdict;

/// A history and what must be said beside it.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    /// The runs, and what they say of each check together.
    #[serde(flatten)]
    pub history: &'a History,
    /// The components that were asked for, in that order.
    #[serde(skip)]
    pub components: &'a [String],
    /// What a reader must know beside the figures.
    pub warnings: &'a [String],
}

/// How many of the newest verdicts of a check are shown in a line.
const VERDICTS: usize = 20;

impl Shown<'_> {
    /// Writes one JSON document.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::document(self, out)
    }

    /// Writes tables: of the whole, or of the parts that were asked for.
    ///
    /// # Errors
    /// The output cannot be written to.
    pub fn table(&self, parts: bool, style: Style, out: &mut dyn Write) -> io::Result<()> {
        for warning in self.warnings {
            let lines = wrapped_after(&safe(warning), 9, 2, style.width);
            for (at, line) in lines.iter().enumerate() {
                writeln!(out, "{}{line}", if at == 0 { "warning: " } else { "  " })?;
            }
        }
        let runs = &self.history.runs;
        if runs.is_empty() {
            return Ok(());
        }
        if !self.warnings.is_empty() {
            writeln!(out)?;
        }
        if !parts {
            whole(runs, style, out)?;
            return self.checks(style, out);
        }
        let components = self.components.iter().map(|id| component(id, runs, style));
        let checks = self
            .history
            .checks
            .iter()
            .map(|trend| check(trend, runs, style));
        for (at, lines) in components.chain(checks).enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        Ok(())
    }

    /// A line for each check, and another where it is flaky.
    fn checks(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let runs = &self.history.runs;
        let mut table = table(&["Check", "Verdicts", "Runs", "Median"], &[2, 3], style);
        let mut flaky = vec![];
        for trend in &self.history.checks {
            flaky.extend(flakiness(trend).map(|text| format!("{}: {text}", trend.id)));
            table.add_row(vec![
                trend.id.clone(),
                verdicts(&trend.id, runs, style),
                trend.runs.to_string(),
                trend.median_ms.map(lasted).unwrap_or_default(),
            ]);
        }
        writeln!(out)?;
        lines_of(&table, out)?;
        let [verified, partial, failed, unverified] = [
            Verdict::Verified,
            Verdict::Partial,
            Verdict::Failed,
            Verdict::Unverified,
        ]
        .map(|verdict| mark(verdict, style));
        let legend = format!(
            "{verified} verified {partial} partial {failed} failed {unverified} unverified {} as recorded before; the newest at the right",
            recorded(style)
        );
        for line in wrapped(&legend, style.width) {
            writeln!(out, "{}", dim(&line, style))?;
        }
        if !flaky.is_empty() {
            writeln!(out)?;
        }
        for text in flaky {
            for (at, line) in wrapped_after(&text, 0, 4, style.width).iter().enumerate() {
                writeln!(out, "{}{line}", if at == 0 { "" } else { "    " })?;
            }
        }
        Ok(())
    }
}

/// The sparklines of the whole and a row for each run.
fn whole(runs: &[RunPoint], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let [verified, ceiling]: [fn(&RunPoint) -> f64; 2] = [|run| run.verified, |run| run.ceiling];
    writeln!(
        out,
        "{}",
        trend_line("Verified", runs.iter().map(verified).collect(), style)
    )?;
    writeln!(
        out,
        "{}",
        trend_line("Ceiling", runs.iter().map(ceiling).collect(), style)
    )?;
    writeln!(out)?;
    let claims = runs.iter().any(|run| run.claimed.is_some());
    let mut header = vec!["Run", "When (UTC)", "Commit", "Verified", "Ceiling"];
    header.extend(claims.then_some("Claimed"));
    header.push("Gate");
    let figures = 3..5 + usize::from(claims);
    let mut table = table(&header, &figures.collect::<Vec<_>>(), style);
    let length = telling_length(runs);
    let named = runs
        .windows(2)
        .any(|pair| pair[0].decided_by != pair[1].decided_by);
    for run in runs {
        let mut cells = vec![
            run_name(run, length),
            when(run.started),
            commit(run),
            percent(run.verified),
            percent(run.ceiling),
        ];
        cells.extend(claims.then(|| run.claimed.map(percent).unwrap_or_default()));
        // Open and closed say little where another gate decided each time.
        cells.push(match named {
            true => format!("{} ({})", run.gate.word(), run.decided_by.join(", ")),
            false => run.gate.word().to_string(),
        });
        table.add_row(cells);
    }
    lines_of(&table, out)?;
    legend(runs, style, out)
}

/// What the marks behind a run and a commit mean, where there are any.
fn legend(runs: &[RunPoint], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let dirty = runs
        .iter()
        .any(|run| run.dirty == Some(true) && run.commit.is_some());
    let part = runs.iter().any(|run| !run.complete);
    let notes = [
        dirty.then_some("+ with uncommitted changes"),
        part.then_some("* not every check was due or had its turn"),
    ];
    let notes = notes.into_iter().flatten().collect::<Vec<_>>().join("; ");
    for line in wrapped(&notes, style.width)
        .iter()
        .filter(|line| !line.is_empty())
    {
        writeln!(out, "{}", dim(line, style))?;
    }
    Ok(())
}

fn component(id: &str, runs: &[RunPoint], style: Style) -> Vec<String> {
    let points = runs.iter().filter_map(|run| {
        let point = run.components.iter().find(|point| point.id == *id)?;
        Some((run, point))
    });
    let points = points.collect::<Vec<_>>();
    let title = points.last().map_or(id, |(_, point)| &point.title);
    let verified = points.iter().map(|(_, point)| point.verified).collect();
    let mut lines = vec![
        bold(&safe(title), style),
        trend_line("Verified", verified, style),
    ];
    let mut table = table(
        &[
            "Run",
            "When (UTC)",
            "Commit",
            "Verified",
            "Ceiling",
            "Level",
        ],
        &[3, 4],
        style,
    );
    let length = telling_length(runs);
    for (run, point) in points {
        table.add_row(vec![
            run_name(run, length),
            when(run.started),
            commit(run),
            percent(point.verified),
            percent(point.ceiling),
            point.level.map_or("none", |level| level.word()).to_string(),
        ]);
    }
    lines.extend(trimmed(&table));
    lines
}

fn check(trend: &CheckTrend, runs: &[RunPoint], style: Style) -> Vec<String> {
    let points = runs
        .iter()
        .filter_map(|run| Some((run, point_of(&trend.id, run)?)));
    let points = points.collect::<Vec<_>>();
    let mut lines = vec![bold(&trend.id, style)];
    let median = trend
        .median_ms
        .map(|millis| format!(", median duration {}", lasted(millis)));
    let looked = format!(
        "{} looked at it{}",
        count(trend.runs as usize, "run"),
        median.unwrap_or_default()
    );
    let about = [Some(looked), flakiness(trend)];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join("; ");
    lines.extend(wrapped(&about, style.width));
    let header = ["Run", "When (UTC)", "Commit", "Verdict", "Credit", "Took"];
    let mut table = table(&header, &[4, 5], style);
    let length = telling_length(runs);
    for (run, point) in points {
        let verdict = match point.verdict {
            Verdict::Unverified => format!("unverified ({})", point.reason.word()),
            verdict => verdict.word().to_string(),
        };
        table.add_row(vec![
            run_name(run, length),
            when(run.started),
            commit(run),
            verdict,
            percent(point.credit * 100.0),
            match (point.duration_ms, point.observed, point.verdict) {
                (Some(millis), ..) => lasted(millis),
                (None, false, verdict) if verdict != Verdict::Unverified => "recorded".to_string(),
                _ => "-".to_string(),
            },
        ]);
    }
    lines.extend(trimmed(&table));
    lines
}

fn point_of<'a>(id: &str, run: &'a RunPoint) -> Option<&'a CheckPoint> {
    run.checks.iter().find(|point| point.id == *id)
}

/// `flaky: 3 changes in 12 runs of the same files`, where it is.
fn flakiness(trend: &CheckTrend) -> Option<String> {
    (trend.changes > 0).then(|| {
        format!(
            "flaky: {} in {} of the same files",
            count(trend.changes as usize, "change"),
            count(trend.compared as usize, "run")
        )
    })
}

/// The newest verdicts of a check, a mark each.
fn verdicts(id: &str, runs: &[RunPoint], style: Style) -> String {
    let newest = &runs[runs.len().saturating_sub(VERDICTS)..];
    let mark_of = |run| match point_of(id, run) {
        None => " ",
        Some(point) if point.observed || point.verdict == Verdict::Unverified => {
            mark(point.verdict, style)
        }
        Some(_) => recorded(style),
    };
    newest.iter().map(mark_of).collect::<String>()
}

fn recorded(style: Style) -> &'static str {
    if style.unicode { "·" } else { "." }
}

/// A sparkline with its name, its first and its last figure; the newest that there is room for.
fn trend_line(name: &str, figures: Vec<f64>, style: Style) -> String {
    let steps = match style.unicode {
        true => ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        false => ["_", ".", ":", "-", "=", "+", "*", "#"],
    };
    let arrow = if style.unicode { "→" } else { "->" };
    let room = style.width.saturating_sub(10 + 2 + 16).max(1);
    let figures = &figures[figures.len().saturating_sub(room)..];
    let line = heights(figures.iter().copied(), steps.len() as u8 - 1);
    let line = line
        .iter()
        .map(|height| steps[usize::from(*height)])
        .collect::<String>();
    match figures {
        [] => format!("{name:<10}"),
        [one] => format!("{name:<10}{line}  {}", percent(*one)),
        [first, .., last] => {
            format!(
                "{name:<10}{line}  {} {arrow} {}",
                percent(*first),
                percent(*last)
            )
        }
    }
}

/// How many characters of a run's id tell it from the others that are shown.
fn telling_length(runs: &[RunPoint]) -> usize {
    // The first ten are its time to the millisecond.
    let tells = |length: &usize| {
        let mut known = std::collections::BTreeSet::new();
        runs.iter()
            .all(|run| known.insert(run.id.get(..*length).unwrap_or(&run.id)))
    };
    (10..26).find(tells).unwrap_or(26)
}

fn run_name(run: &RunPoint, length: usize) -> String {
    let name = run.id.get(..length).unwrap_or(&run.id);
    format!("{name}{}", if run.complete { "" } else { "*" })
}

fn when(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn commit(run: &RunPoint) -> String {
    let Some(commit) = &run.commit else {
        return "-".to_string();
    };
    let dirty = if run.dirty == Some(true) { "+" } else { "" };
    format!("{}{dirty}", short(commit))
}

fn lasted(millis: u64) -> String {
    human_duration(Duration::from_millis(millis))
}

fn table(header: &[&str], right: &[usize], style: Style) -> Table {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_width(style.width.clamp(12, 160) as u16)
        .set_header(header);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at + 1 == header.len() { 0 } else { 2 }));
        if right.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn trimmed(table: &Table) -> Vec<String> {
    let lines = table.lines();
    lines.map(|line| line.trim_end().to_string()).collect()
}

fn lines_of(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    trimmed(table)
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::Detail;
    use super::*;

    fn style(unicode: bool, width: usize) -> Style {
        Style {
            colour: false,
            unicode,
            width,
            detail: Detail::Normal,
        }
    }

    #[test]
    fn a_trend_is_drawn_in_what_room_there_is() {
        let figures = || vec![0.0, 50.0, 99.9, 100.0];
        assert_eq!(
            trend_line("Verified", figures(), style(true, 80)),
            "Verified  ▁▄▇█  0 % → 100 %"
        );
        assert_eq!(
            trend_line("Verified", figures(), style(false, 80)),
            "Verified  _-*#  0 % -> 100 %"
        );
        assert_eq!(
            trend_line("Verified", figures(), style(true, 30)),
            "Verified  ▇█  99 % → 100 %"
        );
        assert_eq!(
            trend_line("Verified", vec![61.7], style(true, 80)),
            "Verified  ▅  61 %"
        );
        let long = trend_line("Verified", vec![100.0; 500], style(true, 80));
        assert!(long.width() <= 80, "{long}");
    }
}
