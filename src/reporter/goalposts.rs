//! What a manifest asks otherwise than another one, and what the same evidence comes to under both.

use std::io::{self, Write};

use owo_colors::AnsiColors;
use serde::Serialize;

use super::annotation::Annotation;
use super::page::safe;
use super::words::{bold, count, painted, percent, short, wrapped, wrapped_after};
use super::{Detail, Style};
use crate::domain::gate::GateState;
use crate::domain::goalposts::{Both, Edit, Kind};

/// Two manifests, compared.
pub struct Compared<'a> {
    /// The revision, as it was named.
    pub revision: &'a str,
    /// Its commit.
    pub commit: &'a str,
    /// What this manifest is called.
    pub file: String,
    /// What there is to say; none where there was no manifest yet.
    pub both: Option<&'a Both>,
    /// The gates of this manifest, by its evidence.
    pub gates: &'a [GateState],
    /// The gates that decide.
    pub decides: &'a [String],
}

#[derive(Serialize)]
struct Document<'a> {
    revision: &'a str,
    commit: &'a str,
    verified: Option<f64>,
    ceiling: Option<f64>,
    verified_now: Option<f64>,
    edits: &'a [Edit],
    not_comparable: &'a [String],
    gates_then: &'a [GateState],
    gates_now: &'a [GateState],
}

/// Writes it as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn json(compared: &Compared<'_>, out: &mut dyn Write) -> io::Result<()> {
    let both = compared.both;
    let document = Document {
        revision: compared.revision,
        commit: compared.commit,
        verified: both.map(|both| both.verified),
        ceiling: both.map(|both| both.ceiling),
        verified_now: both.map(|both| both.verified_now),
        edits: both.map_or(&[], |both| &both.edits),
        not_comparable: both.map_or(&[], |both| &both.not_comparable),
        gates_then: both.map_or(&[], |both| &both.gates),
        gates_now: compared.gates,
    };
    super::json::document(&document, out)
}

/// Writes what was weakened as annotations for GitHub.
///
/// # Errors
/// The output cannot be written to.
pub fn github(compared: &Compared<'_>, out: &mut dyn Write) -> io::Result<()> {
    let edits = compared.both.iter().flat_map(|both| &both.edits);
    for edit in edits.filter(|edit| edit.kind == Kind::Weaker) {
        let annotation = Annotation {
            level: "warning",
            file: &compared.file,
            line: edit.line.unwrap_or(1) as usize,
            column: None,
            title: "Less is asked",
            message: &format!(
                "{}{}, since {}",
                edit.words(),
                points(edit),
                compared.revision
            ),
        };
        annotation.write(out)?;
    }
    Ok(())
}

/// Writes the edits, the weaker ones first, both scores, and the gates that differ.
///
/// # Errors
/// The output cannot be written to.
pub fn render(compared: &Compared<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let revision = format!("{} ({})", compared.revision, short(compared.commit));
    let Some(both) = compared.both else {
        return writeln!(out, "there is no manifest at {revision}: all of it is new");
    };
    if style.detail > Detail::Quiet {
        for kind in [Kind::Weaker, Kind::Tighter, Kind::Neutral] {
            for edit in both.edits.iter().filter(|edit| edit.kind == kind) {
                line(edit, style, out)?;
            }
        }
        if both.edits.is_empty() {
            writeln!(out, "the manifest asks what it asked at {revision}")?;
        }
        writeln!(out)?;
    }
    for line in wrapped(&sentence(compared, both), style.width) {
        writeln!(out, "{}", bold(&line, style))?;
    }
    if !both.not_comparable.is_empty() && style.detail > Detail::Quiet {
        let text = format!(
            "Not comparable, and unverified under that manifest: {}",
            both.not_comparable.join(", ")
        );
        for line in wrapped(&safe(&text), style.width) {
            writeln!(out, "{line}")?;
        }
    }
    for now in compared.gates {
        let then = both.gates.iter().find(|then| then.name == now.name);
        let word = |open: bool| if open { "open" } else { "closed" };
        if let Some(then) = then.filter(|then| then.open != now.open) {
            let decides = if compared.decides.contains(&now.name) {
                ", which decides,"
            } else {
                ""
            };
            let text = format!(
                "gate {}{decides} is {} under that manifest and {} under this one",
                now.name,
                word(then.open),
                word(now.open)
            );
            for line in wrapped(&safe(&text), style.width) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// Both scores in a sentence: what comes from moving the goalposts.
fn sentence(compared: &Compared<'_>, both: &Both) -> String {
    let moved = both.verified_now - both.verified;
    let (then, now) = (percent(both.verified), percent(both.verified_now));
    let at_most = match both.not_comparable.is_empty() {
        true => String::new(),
        false => format!(
            " (up to {} by what is not comparable)",
            percent(both.ceiling)
        ),
    };
    let from = match moved {
        _ if moved > 0.0 => format!("{} come from moving the goalposts", in_points(moved)),
        _ if moved < 0.0 => format!("{} less by asking more", in_points(-moved)),
        _ => "the goalposts stand where they stood".to_string(),
    };
    let weaker = both
        .edits
        .iter()
        .filter(|edit| edit.kind == Kind::Weaker)
        .count();
    let weakened = match weaker {
        0 => "nothing was weakened".to_string(),
        weaker => format!("{} weaker", count(weaker, "edit")),
    };
    format!(
        "{then} under the manifest of {}{at_most}, {now} under this one: {from}; {weakened}",
        compared.revision
    )
}

fn in_points(points: f64) -> String {
    format!("{points:.1} points")
}

fn points(edit: &Edit) -> String {
    match edit.points {
        Some(points) => format!(" ({points:+.1} points by the same evidence)"),
        None => String::new(),
    }
}

fn line(edit: &Edit, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let word = format!("{:<7}", edit.kind.word());
    let text = format!("{}{}", edit.words(), points(edit));
    let colour = match edit.kind {
        Kind::Weaker => AnsiColors::Red,
        Kind::Tighter => AnsiColors::Green,
        Kind::Neutral => AnsiColors::BrightBlack,
    };
    let mut lines = wrapped_after(&safe(&text), 9, 9, style.width).into_iter();
    let first = lines.next().unwrap_or_default();
    writeln!(out, "{}  {first}", painted(&word, colour, style))?;
    for line in lines {
        writeln!(out, "         {line}")?;
    }
    Ok(())
}
