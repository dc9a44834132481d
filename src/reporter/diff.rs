//! What moved the score from one report to another: the largest share first, with its sign.

use std::io::{self, Write};

use num_traits::{Signed, Zero};
use owo_colors::AnsiColors;

use super::Style;
use super::page::safe;
use super::words::{bold, moment, painted, short, wrapped, wrapped_after};
use crate::domain::diff::{Diff, Direction, Part, Side, What};

/// Writes both sides, and every part.
///
/// # Errors
/// The output cannot be written to.
pub fn render(diff: &Diff, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (name, side) in [("from", &diff.from), ("to", &diff.to)] {
        let text = format!(
            "{name:<4}  {}: verified {}",
            side_words(side),
            figure(side.verified)
        );
        for (at, line) in wrapped_after(&text, 0, 6, style.width).iter().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "" } else { "      " })?;
        }
    }
    writeln!(out)?;
    if diff.parts.is_empty() {
        return writeln!(out, "Nothing that counts differs.");
    }
    for part in diff.parts.iter().filter(|part| !part.exact.is_zero()) {
        line(part, style, out)?;
    }
    let total = format!("{:>8}  in all", points(&diff.exact, diff.points));
    writeln!(out, "{}", bold(&total, style))?;
    let without = diff.parts.iter().filter(|part| part.exact.is_zero());
    group("Without effect on the score", without, style, out)
}

/// Writes what rose, fell, appeared and vanished since the earlier side.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn since(diff: &Diff, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("Since {}", side_words(&diff.from));
    for line in wrapped(&title, style.width) {
        writeln!(out, "{}", bold(&line, style))?;
    }
    let change = format!(
        "  verified {} {} {}, {} points",
        figure(diff.from.verified),
        arrow(style),
        figure(diff.to.verified),
        points(&diff.exact, diff.points)
    );
    writeln!(out, "{change}")?;
    if diff.parts.is_empty() {
        writeln!(out, "  nothing that counts differs")?;
    }
    for (name, direction) in [
        ("Rose", Direction::Rose),
        ("Fell", Direction::Fell),
        ("Appeared", Direction::Appeared),
        ("Vanished", Direction::Vanished),
        ("Changed without effect on the score", Direction::Same),
    ] {
        let parts = diff.parts.iter().filter(|part| part.direction == direction);
        group(name, parts, style, out)?;
    }
    writeln!(out)
}

fn group<'a>(
    name: &str,
    parts: impl Iterator<Item = &'a Part>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{}", bold(name, style))?;
    for part in parts {
        line(part, style, out)?;
    }
    Ok(())
}

fn line(part: &Part, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let colour = match part.exact.is_negative() {
        true => AnsiColors::Red,
        false => AnsiColors::Green,
    };
    let share = format!("{:>8}", points(&part.exact, part.points));
    let share = match part.exact.is_zero() {
        true => share,
        false => painted(&share, colour, style),
    };
    const INDENT: usize = 10;
    let text = format!("{} ({})", words(part, style), part.kind.words());
    for (at, line) in wrapped_after(&text, INDENT, INDENT + 2, style.width)
        .iter()
        .enumerate()
    {
        match at {
            0 => writeln!(out, "{share}  {line}")?,
            _ => writeln!(out, "{:1$}{line}", "", INDENT + 2)?,
        }
    }
    Ok(())
}

/// What changed, about which check or component.
/// What the score changed by since the earlier side, in a sentence.
pub(super) fn summary(diff: &Diff, style: Style) -> String {
    let change = match diff.parts.is_empty() {
        true => "nothing that counts differs".to_string(),
        false => format!("{} points", points(&diff.exact, diff.points)),
    };
    format!(
        "Since {}: verified {} {} {}, {change}",
        side_words(&diff.from),
        figure(diff.from.verified),
        arrow(style),
        figure(diff.to.verified)
    )
}

/// One difference and its share, on a line.
pub(super) fn sentence(part: &Part, style: Style) -> String {
    let share = points(&part.exact, part.points);
    format!("{share}: {} ({})", words(part, style), part.kind.words())
}

fn words(part: &Part, style: Style) -> String {
    let about = match (&part.check, &part.component, part.what) {
        (Some(check), ..) => check.clone(),
        (None, Some(level), What::Cap) => format!("{level} evidence"),
        (None, Some(component), _) => format!("component {component}"),
        (None, None, _) => String::new(),
    };
    let word = |text: &Option<String>| text.as_deref().unwrap_or("none").to_string();
    let (from, to) = (word(&part.from), word(&part.to));
    let change = format!("{from} {} {to}", arrow(style));
    let what = match part.what {
        What::Appeared => format!("appeared, {to}"),
        What::Vanished => format!("vanished, was {from}"),
        What::Applies if part.to.as_deref() == Some("does not apply") => {
            format!("no longer applies, was {from}")
        }
        What::Applies => format!("applies now, {to}"),
        What::Optional if to == "optional" => "optional now".to_string(),
        What::Optional => "no longer optional".to_string(),
        What::Cap => format!("cap {change}"),
        What::Weight => format!("weight {change}"),
        What::Level => format!("level {change}"),
        What::Component => format!("component {change}"),
        What::Enough => format!("enough {change}"),
        What::Verdict => change,
        What::Waiver => match (&part.from, &part.to) {
            (None, _) => format!("waiver added, {to}"),
            (_, None) => format!("waiver removed, was {from}"),
            _ => format!("waiver {change}"),
        },
    };
    let redefined = if part.redefined {
        "; the check was changed"
    } else {
        ""
    };
    safe(&format!("{about}: {what}{redefined}"))
}

fn side_words(side: &Side) -> String {
    let commit = side.commit.as_deref().map(short);
    let commit = commit
        .map(|commit| format!("commit {commit}, "))
        .unwrap_or_default();
    let at = moment(side.at);
    match &side.run {
        Some(run) => safe(&format!("run {run} ({commit}{at})")),
        None => format!("recorded evidence ({at})"),
    }
}

fn arrow(style: Style) -> &'static str {
    if style.unicode { "→" } else { "->" }
}

/// Percent with two places, rounded down, so that a small change shows.
fn figure(percent: f64) -> String {
    format!("{:.2} %", (percent * 100.0).floor() / 100.0)
}

/// Points with their sign and two places, rounded toward zero; what is less than that is no nothing.
fn points(exact: &crate::domain::ratio::Ratio, points: f64) -> String {
    let cut = (points * 100.0).trunc() / 100.0;
    match (exact.is_zero(), cut == 0.0) {
        (true, _) => "0".to_string(),
        (false, true) if exact.is_negative() => "> -0.01".to_string(),
        (false, true) => "< +0.01".to_string(),
        (false, false) => format!("{cut:+.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ratio::{self, of};

    #[test]
    fn points_have_a_sign_and_are_never_more_than_they_are() {
        for (exact, wanted) in [
            (of(1, 4), "+25.00"),
            (-of(1, 3), "-33.33"),
            (of(2, 3), "+66.66"),
            (of(0, 1), "0"),
            (of(1, 1_000_000), "< +0.01"),
            (-of(1, 1_000_000), "> -0.01"),
            (of(1, 1), "+100.00"),
        ] {
            assert_eq!(points(&exact, ratio::to_percent(&exact)), wanted);
        }
    }

    #[test]
    fn a_figure_is_rounded_down() {
        assert_eq!(figure(66.666), "66.66 %");
        assert_eq!(figure(100.0), "100.00 %");
    }
}
