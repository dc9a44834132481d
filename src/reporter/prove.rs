//! What came of proving checks, for people and machines.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::page::safe;
use super::words::{bold, colour, count, dim, mark, painted, wrapped_after};
use super::{Detail, Style};
use crate::domain::proof::{Proof, Proven, Shows, Trial};
use crate::domain::verdict::Verdict;

/// The results in the order in which they are shown and counted: the worst first.
const RESULTS: [Proven; 5] = [
    Proven::CannotFail,
    Proven::WrongReason,
    Proven::DoesNotHold,
    Proven::NoControl,
    Proven::Proved,
];

/// The proofs in JSON.
#[derive(Serialize)]
struct Document<'p> {
    proofs: &'p [Proof],
}

/// Writes the proofs as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn json(proofs: &[Proof], out: &mut dyn Write) -> io::Result<()> {
    super::json::document(&Document { proofs }, out)
}

/// Writes a line for each check, what did not go well below it, and a sentence.
///
/// # Errors
/// The output cannot be written to.
pub fn render(proofs: &[Proof], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if style.detail > Detail::Quiet {
        for result in RESULTS.into_iter().rev() {
            let of_it = proofs.iter().filter(|proof| proof.result == result);
            { of_it }.try_for_each(|proof| line(proof, style, out))?;
        }
        writeln!(out)?;
    }
    let counted = RESULTS.iter().rev().filter_map(|result| {
        let of_it = proofs
            .iter()
            .filter(|proof| proof.result == *result)
            .count();
        (of_it > 0).then(|| format!("{of_it} {}", result.words()))
    });
    let counted = counted.collect::<Vec<_>>().join(", ");
    let sentence = format!("{}: {counted}", count(proofs.len(), "check"));
    writeln!(out, "{}", bold(&sentence, style))
}

fn line(proof: &Proof, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let word = format!(
        "{} {:<13}",
        mark(like(proof.result), style),
        proof.result.words()
    );
    let plain = format!("{word}  {}: ", proof.check).width();
    let mut text = proof.text.clone();
    if let Some(tool) = &proof.tool {
        text += &format!(" ({tool})");
    }
    let mut lines = wrapped_after(&safe(&text), plain, 4, style.width).into_iter();
    let (word, id) = (
        painted(&word, colour(like(proof.result)), style),
        bold(&proof.check, style),
    );
    let first = format!("{word}  {id}: {}", lines.next().unwrap_or_default());
    writeln!(out, "{}", first.trim_end())?;
    for line in lines {
        writeln!(out, "    {line}")?;
    }
    let all = style.detail == Detail::Verbose;
    let shown = |trial: &&Trial| all || (trial.shows != Shows::Detected && proof.trials.len() > 1);
    for trial in proof.trials.iter().filter(shown) {
        let what = match trial.shows {
            Shows::Detected => "detected",
            Shows::StayedGreen => "stayed green",
            Shows::WrongReason => "wrong reason",
        };
        let text = format!("{what}: {}: {}", trial.control, trial.reason.text);
        let mut lines = wrapped_after(&safe(&text), 4, 6, style.width).into_iter();
        writeln!(out, "    {}", dim(&lines.next().unwrap_or_default(), style))?;
        for line in lines {
            writeln!(out, "      {}", dim(&line, style))?;
        }
    }
    Ok(())
}

/// The verdict that a result is marked and painted like.
fn like(result: Proven) -> Verdict {
    match result {
        Proven::Proved => Verdict::Verified,
        Proven::NoControl => Verdict::Unverified,
        Proven::CannotFail | Proven::WrongReason | Proven::DoesNotHold => Verdict::Failed,
    }
}
