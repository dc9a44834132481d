//! What stands behind a verdict, as text for outputs that cannot lay it out: what was said, and what to do.

use super::check_list::to_do;
use super::page::safe;
use super::reproduce;
use crate::domain::evidence::Stream;
use crate::domain::report::CheckRow;
use crate::sanitise::{self, Colour};

/// The most that is kept of a stream (bytes): readers of reports are no place for whole logs.
const MOST: usize = 16 * 1024;

/// What a check's last attempt said, safe to print, line by line.
#[derive(Default)]
pub(super) struct Said {
    /// On standard output, or as the body of an answer.
    pub(super) stdout: Option<String>,
    /// On standard error.
    pub(super) stderr: Option<String>,
}

/// What the last attempt said.
pub(super) fn said(row: &CheckRow) -> Said {
    let evidence = row.evidence.as_ref();
    let Some(attempt) = evidence.and_then(|evidence| evidence.attempts.last()) else {
        return Said::default();
    };
    let body = attempt.answer.as_ref().map(|answer| &answer.body);
    Said {
        stdout: attempt.stdout.as_ref().or(body).and_then(text),
        stderr: attempt.stderr.as_ref().and_then(text),
    }
}

/// A stream as text; none where it said nothing.
pub(super) fn text(stream: &Stream) -> Option<String> {
    if stream.stored.is_some() {
        return Some(format!(
            "({} bytes, which were pruned from the ledger)",
            stream.bytes
        ));
    }
    let tail = stream.tail.trim_end();
    let start = tail.len().saturating_sub(MOST);
    let start = (start..=tail.len())
        .find(|at| tail.is_char_boundary(*at))
        .unwrap_or(0);
    let lines = sanitise::lines(&tail[start..], Colour::Drop).collect::<Vec<_>>();
    let text = lines.join("\n");
    if text.trim().is_empty() {
        return None;
    }
    Some(match start > 0 || stream.truncated {
        true => format!("(the end of {} bytes)\n{text}", stream.bytes),
        false => text,
    })
}

/// What a person does about a check and how it is done by hand: a line each, as far as they are known.
pub(super) fn advice(row: &CheckRow) -> String {
    let lines = [
        ("to do", to_do(row)),
        ("risk", row.definition.risk.clone()),
        ("owner", row.definition.owner.clone()),
        ("by hand", reproduce::by_hand(row)),
    ];
    let lines = lines
        .into_iter()
        .filter_map(|(name, text)| Some(format!("{name}: {}", safe(&text?))));
    lines.collect::<Vec<_>>().join("\n")
}
