//! The report in one sentence: what a person reads last, and with `-q` alone.

use super::words::{count, percent};
use crate::domain::reason::Code;
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;

/// The sentence.
pub(super) fn of(report: &Report) -> String {
    let text = if report.decision.gates.is_empty() {
        of_selected(report)
    } else {
        let open = match left_open(report) {
            open if open.is_empty() => closed(report),
            open => open,
        };
        format!("{}: {}{open}", word(report), figures(report))
    };
    match &report.run {
        Some(run) if run.out_of_time => format!("OUT OF TIME; {text}"),
        Some(run) if run.interrupted => format!("INTERRUPTED; {text}"),
        _ => text,
    }
}

/// Why a gate that decides is closed, where no check says it.
fn closed(report: &Report) -> String {
    let mut deciding = report
        .gates
        .iter()
        .filter(|gate| report.decision.gates.contains(&gate.name));
    let reason = deciding.find_map(|gate| Some((&gate.name, gate.reasons.first()?)));
    reason.map_or(String::new(), |(gate, reason)| {
        format!("; {gate}: {}", reason.text)
    })
}

fn of_selected(report: &Report) -> String {
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
    match report.run.as_ref().and_then(|run| run.shard.as_ref()) {
        Some(shard) => format!(
            "SHARD {} OF {} {word}: {verified} of {} verified; the gates are for the merged report",
            shard.index,
            shard.of,
            count(rows.count(), "check")
        ),
        None => format!(
            "{word}: {verified} of {} verified",
            count(rows.count(), "selected check")
        ),
    }
}

fn word(report: &Report) -> String {
    let deciding = report
        .gates
        .iter()
        .filter(|gate| report.decision.gates.contains(&gate.name));
    let waived = deciding
        .flat_map(|gate| &gate.waived)
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    match (report.decision.open, waived) {
        (false, _) => "NOT READY".to_string(),
        (true, _) if report.score.verified == 0.0 => {
            "THE GATE IS OPEN, BUT NOTHING IS VERIFIED".to_string()
        }
        (true, 0) => "READY".to_string(),
        (true, 1) => "READY WITH 1 WAIVER".to_string(),
        (true, waived) => format!("READY WITH {waived} WAIVERS"),
    }
}

fn figures(report: &Report) -> String {
    let score = &report.score;
    let claimed = match (score.claimed, score.gap) {
        (Some(claimed), Some(gap)) if score.partly_claimed => {
            format!(
                ", claimed {} by a part (verified there: {})",
                percent(claimed),
                percent(claimed - gap + 1e-9)
            )
        }
        (Some(claimed), _) => format!(", claimed {}", percent(claimed)),
        (None, _) => String::new(),
    };
    format!("verified {}{claimed}", percent(score.verified))
}

/// How many checks are not verified, by what became of them.
fn left_open(report: &Report) -> String {
    let counting = report
        .checks
        .iter()
        .filter(|row| row.applicable && !row.optional);
    let number = |wanted: fn(&CheckRow) -> bool| counting.clone().filter(|row| wanted(row)).count();
    let unverified =
        number(|row| row.verdict == Verdict::Unverified && row.reason.code != Code::Attested);
    let (failed, partial) = (
        number(|row| row.verdict == Verdict::Failed),
        number(|row| row.verdict == Verdict::Partial),
    );
    let tried_all = report
        .run
        .as_ref()
        .is_some_and(|run| run.selected.is_empty());
    let mut parts = vec![];
    match unverified {
        0 => {}
        n if tried_all => parts.push(format!("{} could not be verified here", count(n, "check"))),
        1 => parts.push("1 check is unverified".to_string()),
        n => parts.push(format!("{n} checks are unverified")),
    }
    let noun = |n: usize, of: &[String]| {
        if of.is_empty() {
            count(n, "check")
        } else {
            n.to_string()
        }
    };
    if failed > 0 {
        parts.push(format!("{} failed", noun(failed, &parts)));
    }
    if partial > 0 {
        parts.push(format!("{} partial", noun(partial, &parts)));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("; {}", parts.join(", "))
    }
}
