//! Figures, ages and marks as people read them. Nothing is rounded up.

use std::time::Duration;

use jiff::Timestamp;
use owo_colors::{AnsiColors, OwoColorize};
use unicode_width::UnicodeWidthStr;

use super::Style;
pub(super) use crate::domain::limit::age;
use crate::domain::limit::human_duration;
pub(super) use crate::domain::report::short;
use crate::domain::report::{CheckRow, Run};
use crate::domain::verdict::Verdict;

/// A figure in whole percent, rounded down.
pub(super) fn percent(figure: f64) -> String {
    format!("{} %", figure.floor())
}

/// The points between two printed figures, so that the columns of a row agree with each other.
pub(super) fn gap(claimed: f64, gap: f64) -> String {
    format!("{}", claimed.floor() - (claimed - gap + 1e-9).floor())
}

/// A moment as people write it, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// At which commit a run was, as it follows a sentence; nothing where there is none.
pub(super) fn at_commit(run: &Run) -> String {
    let commit = run.commit.as_deref().map(short);
    match (commit, run.dirty) {
        (Some(commit), Some(true)) => format!(", commit {commit} with uncommitted changes"),
        (Some(commit), _) => format!(", commit {commit}"),
        (None, _) => String::new(),
    }
}

/// A number of seconds as people say it.
pub(super) fn takes(seconds: f64) -> String {
    human_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// The mark of a verdict. The word always stands beside it.
pub(super) fn mark(verdict: Verdict, style: Style) -> &'static str {
    match (verdict, style.unicode) {
        (Verdict::Verified, true) => "✓",
        (Verdict::Partial, true) => "~",
        (Verdict::Failed, true) => "✗",
        (Verdict::Unverified, _) => "?",
        (Verdict::Verified, false) => "+",
        (Verdict::Partial, false) => "~",
        (Verdict::Failed, false) => "x",
    }
}

/// What a row says of its verdict in one or two words.
pub(super) fn verdict(row: &CheckRow) -> String {
    match (row.verdict, row.accepted_at) {
        (Verdict::Partial, Some(floor)) => format!("partial, accepted at {floor}"),
        (Verdict::Unverified, _) => format!("unverified ({})", row.reason.code.word()),
        (verdict, _) => verdict.word().to_string(),
    }
}

/// The colour of a verdict.
pub(super) fn colour(verdict: Verdict) -> AnsiColors {
    match verdict {
        Verdict::Verified => AnsiColors::Green,
        Verdict::Partial | Verdict::Unverified => AnsiColors::Yellow,
        Verdict::Failed => AnsiColors::Red,
    }
}

/// The text in a colour, where colours may be used.
pub(super) fn painted(text: &str, colour: AnsiColors, style: Style) -> String {
    if style.colour {
        text.color(colour).to_string()
    } else {
        text.to_string()
    }
}

/// The text in bold, where that may be used.
pub(super) fn bold(text: &str, style: Style) -> String {
    if style.colour {
        text.bold().to_string()
    } else {
        text.to_string()
    }
}

/// The text dimmed, where that may be used.
pub(super) fn dim(text: &str, style: Style) -> String {
    if style.colour {
        text.dimmed().to_string()
    } else {
        text.to_string()
    }
}

/// The line, cut to so many columns. Colour sequences count, which cuts a coloured line early, never late.
pub(super) fn cut(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_string();
    }
    let mut kept = String::new();
    for c in line.chars() {
        if kept.width() + 2 > width {
            break;
        }
        kept.push(c);
    }
    let reset = if kept.contains('\u{1b}') {
        "\u{1b}[0m"
    } else {
        ""
    };
    format!("{kept}…{reset}")
}

/// Lines of at most `width` columns.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    wrapped_after(text, 0, 0, width)
}

/// Lines of at most `width` columns, of which the first begins after `first` columns and the others after `rest`. A word
/// is broken only where it is longer than a line.
pub(super) fn wrapped_after(text: &str, first: usize, rest: usize, width: usize) -> Vec<String> {
    let room = |line: usize| width.saturating_sub(if line == 0 { first } else { rest });
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let at = lines.len() - 1;
        let used = lines[at].width();
        let gap = usize::from(used > 0);
        // The first line may have room for nothing; a later one takes the word, however long.
        let must_take = used == 0 && (at > 0 || first <= rest);
        if !must_take && used + gap + word.width() > room(at) {
            lines.push(word.to_string());
        } else {
            let line = &mut lines[at];
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// `1 check`, `2 checks`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_never_rounded_up() {
        assert_eq!(percent(99.6), "99 %");
        assert_eq!(percent(57.0), "57 %");
        assert_eq!(percent(0.0), "0 %");
    }

    #[test]
    fn a_printed_gap_is_that_of_the_printed_figures() {
        assert_eq!(gap(95.0, 95.0 - 61.2), "34");
        assert_eq!(gap(95.0, 0.0), "0");
        assert_eq!(gap(90.0, 90.0 - 99.5), "-9");
    }
}
