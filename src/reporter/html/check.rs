//! A check on the page: its verdict in a line, and behind that all that stands for it.

use std::time::Duration;

use super::super::check_list::to_do;
use super::super::page::{author_words, safe, waiver_of};
use super::super::words::{age, moment, percent, short, takes, verdict};
use super::super::{explain, reproduce};
use super::anchor;
use crate::domain::evidence::{Attempt, Stream};
use crate::domain::expectation::Held;
use crate::domain::limit::human_duration;
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;
use crate::sanitise::{self, Colour};

pub(super) struct Check {
    pub(super) anchor: String,
    pub(super) id: String,
    pub(super) says: String,
    pub(super) component: String,
    /// For the filter: the verdict's word, or that the check does not count.
    pub(super) kind: &'static str,
    pub(super) mark: &'static str,
    pub(super) word: String,
    pub(super) reason: String,
    /// Names and values, in their order.
    pub(super) fields: Vec<(&'static str, String)>,
    /// What is copied to a shell.
    pub(super) by_hand: Option<String>,
    /// What was expected, with its mark and whether it held.
    pub(super) expected: Vec<(&'static str, String)>,
    /// The names of results that failed.
    pub(super) failures: Vec<String>,
    /// What was said, by the name of the stream.
    pub(super) output: Vec<(&'static str, String)>,
}

impl Check {
    /// The check at that place.
    pub(super) fn of(report: &Report, at: usize) -> Check {
        let row = &report.checks[at];
        let attempt = row
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.attempts.last());
        let kind = match (row.applicable, row.optional) {
            (false, _) => "not applicable",
            (_, true) => "optional",
            _ => row.verdict.word(),
        };
        Check {
            anchor: anchor(at),
            id: safe(&row.id),
            says: safe(&row.says),
            component: safe(&row.component),
            kind,
            mark: match (kind, row.verdict) {
                ("not applicable", _) => "–",
                (_, Verdict::Verified) => "✓",
                (_, Verdict::Partial) => "~",
                (_, Verdict::Failed) => "✗",
                (_, Verdict::Unverified) => "?",
            },
            word: match kind {
                "not applicable" => kind.to_string(),
                "optional" => format!("optional, {}", verdict(row)),
                _ => verdict(row),
            },
            reason: safe(&row.reason.text),
            fields: fields(report, row),
            by_hand: reproduce::by_hand(row).map(|line| safe(&line)),
            expected: attempt.map(expected).unwrap_or_default(),
            failures: attempt.map(failures).unwrap_or_default(),
            output: attempt
                .map(|attempt| output(report, row, attempt))
                .unwrap_or_default(),
        }
    }
}

fn fields(report: &Report, row: &CheckRow) -> Vec<(&'static str, String)> {
    let check = &row.definition;
    let evidence = row.evidence.as_ref();
    let millis = |millis: u64| human_duration(Duration::from_millis(millis));
    let mut fields = vec![];
    let mut field = |name, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            fields.push((name, safe(&text)));
        }
    };
    field("to do", to_do(row));
    field(
        "risk",
        check
            .risk
            .clone()
            .filter(|_| row.verdict != Verdict::Verified),
    );
    field("contradiction", row.contradiction.clone());
    field("waiver", waiver_of(report, &row.id));
    field("odd", (!row.notes.is_empty()).then(|| row.notes.join("; ")));
    let counts = row.counts.map(|counts| {
        format!(
            "{} passed, {} failed, {} skipped",
            counts.passed, counts.failed, counts.skipped
        )
    });
    field("counted", counts);
    let measured = row
        .measures
        .iter()
        .map(|(name, figure)| match check.limits.get(name) {
            Some(limit) => format!("{name} = {figure} (limit {limit})"),
            None => format!("{name} = {figure}"),
        });
    field("measured", Some(measured.collect::<Vec<_>>().join(", ")));
    let credit = format!(
        "{} of its weight {}, at most {}",
        percent(row.credit * 100.0),
        row.weight,
        percent(row.potential * 100.0)
    );
    field(
        "counts",
        Some(credit).filter(|_| row.counts_for_score() && row.verdict != Verdict::Verified),
    );
    field("evidence", Some(row.level.to_string()));
    if let Some(evidence) = evidence {
        let recorded = row
            .recorded
            .as_deref()
            .map(|run| format!(", recorded in run {run}"));
        let commit = row
            .recorded_at
            .as_deref()
            .map(|commit| format!(" at commit {}", short(commit)));
        let reused = if row.reused {
            ", reused: nothing that it depends on has changed"
        } else {
            ""
        };
        field(
            "seen",
            Some(format!(
                "{} ({} before this report), in {}, on {}{}{}{reused}",
                moment(evidence.started),
                age(evidence.started, report.generated),
                millis(evidence.duration_ms),
                evidence.host,
                recorded.unwrap_or_default(),
                commit.unwrap_or_default()
            )),
        );
        field("ran", Some(evidence.command.join(" ")));
        field("looked at", evidence.target.clone());
        field("in", evidence.cwd.clone());
        let program = evidence
            .binding
            .program
            .as_ref()
            .map(|program| match &program.version {
                Some(version) => format!("{} ({version})", program.path),
                None => program.path.clone(),
            });
        field("program", program);
        field(
            "attempts",
            (evidence.attempts.len() > 1).then(|| evidence.attempts.len().to_string()),
        );
        if let Some(attempt) = evidence.attempts.last() {
            field("outcome", Some(explain::outcome(&attempt.outcome)));
            field(
                "answer",
                attempt.answer.as_ref().map(|answer| {
                    format!("status {} after {:.0} ms", answer.status, answer.latency_ms)
                }),
            );
            let calls = attempt.calls.iter().flatten();
            let calls = calls.map(|call| format!("{} {}", call.method, call.path));
            field("calls", Some(calls.take(5).collect::<Vec<_>>().join(", ")));
            field("not cleaned up", attempt.cleanup.clone());
            field(
                "left running",
                (!attempt.leaked.is_empty()).then(|| attempt.leaked.join(", ")),
            );
        }
    }
    let proof = row.proof.as_ref().map(|proof| {
        format!(
            "{} {} ago: {}",
            proof.result.words(),
            age(proof.at, report.generated),
            proof.text
        )
    });
    field("can it fail", proof);
    let observations = row.observations.iter().map(|seen| {
        format!(
            "{} on {}: {}",
            seen.verdict.word(),
            seen.host,
            seen.reason.text
        )
    });
    field(
        "on several machines",
        (row.observations.len() > 1).then(|| observations.collect::<Vec<_>>().join("; ")),
    );
    field("owner", check.owner.clone());
    field("needs", Some(check.needs.join(", ")));
    let fix = check.fix.takes.map(|time| takes(time.as_secs_f64()));
    let fix = match (fix, &check.fix.how) {
        (Some(time), Some(how)) => Some(format!("{} (about {time})", reproduce::with_gaps(how))),
        (Some(time), None) => Some(format!("about {time}")),
        (None, how) => how.as_deref().map(reproduce::with_gaps),
    };
    field(
        "to mend it",
        fix.filter(|_| row.verdict != Verdict::Failed && row.verdict != Verdict::Partial),
    );
    field(
        "declared at",
        Some(format!("{}:{}", check.source.file, check.source.line)),
    );
    field("its line", row.author.as_ref().map(author_words));
    field("from library", check.library.clone());
    fields
}

fn expected(attempt: &Attempt) -> Vec<(&'static str, String)> {
    let expected = attempt.checked.iter().map(|checked| match checked.held {
        Held::Yes => ("✓", safe(&checked.what)),
        Held::No => ("✗", safe(&format!("{}: {}", checked.what, checked.seen))),
        Held::Unknown => ("?", safe(&format!("{}: {}", checked.what, checked.seen))),
    });
    expected.collect()
}

fn failures(attempt: &Attempt) -> Vec<String> {
    match &attempt.reading {
        Some(crate::domain::evidence::Reading::Results(results)) => {
            results.failures.iter().map(|name| safe(name)).collect()
        }
        _ => vec![],
    }
}

/// The last lines of what was said: more of what is not verified, and less of each where there are many.
fn output(report: &Report, row: &CheckRow, attempt: &Attempt) -> Vec<(&'static str, String)> {
    let many = report.checks.len().max(1);
    let most = match row.verdict {
        Verdict::Verified => (1_000 / many).clamp(3, 12),
        _ => (8_000 / many).clamp(8, 60),
    };
    let body = attempt.answer.as_ref().map(|answer| &answer.body);
    let streams = [
        ("standard output", attempt.stdout.as_ref()),
        ("standard error", attempt.stderr.as_ref()),
        ("body", body),
    ];
    let said = streams
        .into_iter()
        .filter_map(|(name, stream)| Some((name, lines(stream?, most)?)));
    said.collect()
}

/// The longest line that is shown (characters).
const LINE: usize = 400;

/// The last lines of a stream, safe to show; none where it said nothing.
pub(super) fn lines(stream: &Stream, most: usize) -> Option<String> {
    if stream.stored.is_some() {
        return Some(format!(
            "({} bytes, which were pruned from the ledger)",
            stream.bytes
        ));
    }
    let lines = stream.tail.trim_end().lines().collect::<Vec<_>>();
    let from = lines.len().saturating_sub(most);
    let shown = lines[from..].iter().map(|line| {
        let line = sanitise::line(line, Colour::Drop);
        let line = line.trim_end();
        match line.char_indices().nth(LINE) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line.to_string(),
        }
    });
    let mut shown = shown.collect::<Vec<_>>();
    if shown.iter().all(String::is_empty) {
        return None;
    }
    if from > 0 || stream.truncated {
        shown.insert(
            0,
            format!("… {} bytes in all, {}", stream.bytes, stream.digest),
        );
    }
    Some(shown.join("\n"))
}
