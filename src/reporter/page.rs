//! The page that the table and the list of checks are written on: its titles, fields and paragraphs, in whatever width
//! there is.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::Style;
use super::reproduce::with_gaps;
use super::words::{bold, count, dim, short, takes, wrapped_after};
use crate::domain::report::{Author, CheckRow, Report, WaiverRow};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;
use crate::sanitise::{self, Colour};

/// A report and how it may be drawn.
pub(super) struct Page<'r> {
    pub(super) report: &'r Report,
    pub(super) style: Style,
}

impl Page<'_> {
    pub(super) fn title(&self, out: &mut dyn Write, text: &str) -> io::Result<()> {
        writeln!(out, "{}", bold(text, self.style))
    }

    pub(super) fn field(&self, out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
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
    pub(super) fn verbatim(&self, out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
        writeln!(out, "    {} {text}", dim(&format!("{name}:"), self.style))
    }

    /// Text with a hanging indent under its start.
    pub(super) fn paragraph(&self, out: &mut dyn Write, start: &str, text: &str) -> io::Result<()> {
        let indent = start.len() - start.trim_start().len() + 2;
        let mut lines = wrapped_after(text, start.width(), indent, self.style.width).into_iter();
        writeln!(out, "{start}{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))
    }
}

/// What a waiver does and until when, in words.
pub(super) fn waiver_words(report: &Report, row: &WaiverRow) -> String {
    let today = report.generated.to_zoned(TimeZone::UTC).date();
    let left = row.waiver.days_left(today);
    let until = match left {
        0 => "today is its last day".to_string(),
        1.. => format!("expires in {}", count(left.unsigned_abs() as usize, "day")),
        _ => format!("expired {} ago", count(left.unsigned_abs() as usize, "day")),
    };
    let check = report
        .checks
        .iter()
        .find(|check| check.id == row.waiver.check);
    let holds =
        |check: &CheckRow| check.verdict == Verdict::Verified || check.accepted_at.is_some();
    match row.state {
        WaiverState::InForce => format!("in force, {until}"),
        WaiverState::Expired => format!("{until}: it no longer works"),
        WaiverState::Needless if check.is_some_and(holds) => {
            "needless: the check holds without it".to_string()
        }
        WaiverState::Needless => "needless: no gate would be closed for the check".to_string(),
        WaiverState::Exceeded => {
            format!("exceeded: the check fell below what it accepts; {until}")
        }
    }
}

/// The waiver of a check, what it does, and who wrote it.
pub(super) fn waiver_of(report: &Report, check: &str) -> Option<String> {
    let mut rows = report.waivers.iter();
    let row = rows.find(|row| row.waiver.check == check)?;
    let author = row.author.as_ref().map(author_words);
    let author = author.map(|author| format!("; by its line: {author}"));
    let words = waiver_words(report, row);
    Some(words + &author.unwrap_or_default())
}

/// Who wrote a line, as far as git knows.
pub(super) fn author_words(author: &Author) -> String {
    match (&author.name, &author.commit) {
        (Some(name), Some(commit)) => format!("{}, commit {}", safe(name), safe(short(commit))),
        _ => "not committed yet".to_string(),
    }
}

/// How long a fix takes and how it is done, as far as either is known.
pub(super) fn fix_words(takes_s: Option<f64>, how: Option<&str>) -> Option<String> {
    let how = how.map(with_gaps);
    match (takes_s, how) {
        (Some(seconds), Some(how)) => Some(format!("{}: {how}", takes(seconds))),
        (Some(seconds), None) => Some(takes(seconds)),
        (None, how) => how,
    }
}

/// Text from outside on one line, safe to print.
pub(super) fn safe(text: &str) -> String {
    sanitise::lines(text, Colour::Drop)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Text in which GitHub's runner finds no command of its older form, which it looks for anywhere in a line.
pub(super) fn no_command(text: &str) -> String {
    text.replace("##[", "#\\u{23}[")
}

/// HTML or XML in which it finds none, of the newer form neither, which begins a line. It reads as it was.
pub(super) fn no_command_in_markup(markup: &str) -> String {
    let markup = markup.replace("##[", "#&#35;[");
    let lines =
        markup
            .split_inclusive('\n')
            .map(|line| match line.trim_start().starts_with("::") {
                true => line.replacen("::", "&#58;:", 1),
                false => line.to_string(),
            });
    lines.collect()
}

/// The first names of a list, and how many more there are.
pub(super) fn few(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len() {
        0..=SHOWN => names.join(", "),
        n => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}
