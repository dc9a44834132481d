//! The judgement of one check: a pure function of the check, what was observed, and the time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use num_traits::{One, Zero};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Attestation, Check, Probe, Reader};
use super::evidence::{
    Attempt, Counts, Evidence, HttpFailure, LookFailure, Observed, Outcome, Reading, Results,
    SpawnFailure,
};
use super::expectation::Held;
use super::limit::human_duration;
use super::ratio::{self, Ratio};
use super::reason::{Code, Reason};

/// The four verdicts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every expectation held.
    Verified,
    /// Some of the counted results held.
    Partial,
    /// The evidence says that it does not hold.
    Failed,
    /// There is no evidence either way.
    Unverified,
}

impl Verdict {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Partial => "partial",
            Verdict::Failed => "failed",
            Verdict::Unverified => "unverified",
        }
    }
}

/// The judgement of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which of the four.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What it earns, 0 to 1.
    pub credit: Ratio,
    /// What it could earn if all that is unverified held, `credit` to 1.
    pub potential: Ratio,
    /// The counted results, as the check's rules see them.
    pub counts: Option<Counts>,
    /// Measured figures.
    pub measures: BTreeMap<String, f64>,
    /// Where exit status and results say different things: what.
    pub contradiction: Option<String>,
    /// Whether gates accept it although it is partial.
    pub accepted: bool,
}

impl Judgement {
    fn new(verdict: Verdict, code: Code, text: impl Into<String>) -> Judgement {
        let (credit, potential) = match verdict {
            Verdict::Verified => (Ratio::one(), Ratio::one()),
            Verdict::Unverified => (Ratio::zero(), Ratio::one()),
            Verdict::Partial | Verdict::Failed => (Ratio::zero(), Ratio::zero()),
        };
        Judgement {
            verdict,
            reason: Reason::new(code, text),
            credit,
            potential,
            counts: None,
            measures: BTreeMap::new(),
            contradiction: None,
            accepted: false,
        }
    }

    fn failed(code: Code, text: impl Into<String>) -> Judgement {
        Judgement::new(Verdict::Failed, code, text)
    }

    fn unverified(code: Code, text: impl Into<String>) -> Judgement {
        Judgement::new(Verdict::Unverified, code, text)
    }

    /// As it is once it is mended.
    pub(super) fn mended() -> Judgement {
        Judgement::new(Verdict::Verified, Code::Held, "mended")
    }

    /// Whether other checks may build on it: verified, or accepted.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Verified || self.accepted
    }

    /// Whether a person's word stands for it.
    pub fn attested(&self) -> bool {
        self.reason.code == Code::Attested
    }

    /// Whether a gate without rules of its own is content: it holds, or is attested.
    pub fn stands(&self) -> bool {
        self.holds() || self.attested()
    }

    /// The same, no longer current: unverified, whatever it said. What had failed keeps its low potential.
    #[must_use]
    pub fn stale(self, text: impl Into<String>) -> Judgement {
        Judgement {
            verdict: Verdict::Unverified,
            reason: Reason::new(Code::Stale, text),
            credit: Ratio::zero(),
            accepted: false,
            ..self
        }
    }
}

/// Judges a check from what was observed of it.
pub fn judge(check: &Check, observed: &Observed, now: Timestamp) -> Judgement {
    let evidence = match observed {
        Observed::Evidence(evidence) => evidence,
        Observed::Withheld(reason) => {
            return Judgement::unverified(reason.code, reason.text.clone());
        }
    };
    let mut judgement = judge_attempts(check, evidence, now);
    judgement.accepted = judgement.verdict == Verdict::Partial
        && check
            .pass_at
            .is_some_and(|floor| judgement.credit >= ratio::decimal(floor));
    match outlived(check, evidence, now) {
        Some(text) => judgement.stale(text),
        None => judgement,
    }
}

/// How far the clocks of two machines may be apart.
const CLOCKS_DIFFER: std::time::Duration = std::time::Duration::from_secs(300);

fn outlived(check: &Check, evidence: &Evidence, now: Timestamp) -> Option<String> {
    let ahead = std::time::Duration::try_from(evidence.started.duration_since(now));
    if let Ok(ahead) = ahead
        && ahead > CLOCKS_DIFFER
    {
        // Nobody knows how old it is.
        let ahead = human_duration(ahead);
        return Some(format!(
            "its evidence is from {ahead} after now: a clock was wrong"
        ));
    }
    let max_age = check.max_age?;
    let age = std::time::Duration::try_from(now.duration_since(evidence.started)).ok()?;
    (age > max_age.saturating_add(std::time::Duration::from_millis(evidence.duration_ms))).then(
        || {
            format!(
                "its evidence is {} old and counts for {}",
                human_duration(age),
                human_duration(max_age)
            )
        },
    )
}

fn judge_attempts(check: &Check, evidence: &Evidence, now: Timestamp) -> Judgement {
    let judgements = evidence
        .attempts
        .iter()
        .map(|attempt| judge_attempt(check, attempt, now));
    let mut judgements = judgements.collect::<Vec<_>>();
    let tries = judgements.len() as u64;
    let Some(judgement) = judgements.pop() else {
        return Judgement::unverified(Code::NotRun, "nothing was observed");
    };
    if judgement.verdict != Verdict::Verified {
        // Where no attempt held, trying again must not make it look better: the worst one counts.
        let worse = |a: &Judgement, b: &Judgement| {
            (&a.credit, &a.potential).cmp(&(&b.credit, &b.potential))
        };
        return judgements
            .into_iter()
            .chain([judgement])
            .rev()
            .min_by(worse)
            .unwrap_or_else(|| Judgement::unverified(Code::NotRun, "nothing was observed"));
    }
    if tries == 1 {
        return judgement;
    }
    let share = ratio::of(1, tries);
    Judgement {
        verdict: Verdict::Partial,
        reason: Reason::new(Code::Flaky, format!("it held on attempt {tries} only")),
        credit: share.clone(),
        potential: share,
        ..judgement
    }
}

/// Judges one attempt by itself, as the runner does to decide whether another is due.
pub fn judge_attempt(check: &Check, attempt: &Attempt, now: Timestamp) -> Judgement {
    let mut judgement = judge_outcome(check, attempt, now);
    if let Some(waited) = attempt.waited.as_ref().filter(|waited| waited.asked > 1) {
        let before = waited
            .before
            .iter()
            .map(|before| format!(", before: {before}"));
        let before = before.collect::<String>();
        judgement.reason.text += &format!("; asked {} times{before}", waited.asked);
    }
    judgement
}

fn judge_outcome(check: &Check, attempt: &Attempt, now: Timestamp) -> Judgement {
    match &attempt.outcome {
        Outcome::Exit(status) => judge_exit(check, attempt, *status),
        Outcome::Signal(signal) => Judgement::failed(
            Code::Killed,
            format!("ended by signal {}", signal_name(*signal)),
        ),
        Outcome::Timeout(limit) => {
            let limit = human_duration(std::time::Duration::from_millis(*limit));
            Judgement::failed(
                Code::TimedOut,
                format!("still running after {limit}, its time limit"),
            )
        }
        Outcome::Cancelled => Judgement::unverified(Code::Interrupted, "stopped before it ended"),
        Outcome::Service(text) => Judgement::failed(Code::ServiceFailed, text.clone()),
        Outcome::Spawn(failure) => match failure.kind {
            SpawnFailure::MissingProgram | SpawnFailure::MissingInterpreter => {
                Judgement::unverified(Code::ToolMissing, with_install(check, &failure.text))
            }
            SpawnFailure::MissingDirectory
            | SpawnFailure::NotExecutable
            | SpawnFailure::IsDirectory => {
                Judgement::failed(Code::CannotStart, failure.text.clone())
            }
            SpawnFailure::PortTaken => Judgement::unverified(Code::PortTaken, failure.text.clone()),
            SpawnFailure::NoFiles => Judgement::unverified(Code::NoResults, failure.text.clone()),
            SpawnFailure::NoResources | SpawnFailure::MissingVariable | SpawnFailure::Other => {
                Judgement::unverified(Code::CannotTell, failure.text.clone())
            }
        },
        Outcome::Unanswered(failure) => match failure.kind {
            HttpFailure::Refused | HttpFailure::Reset => {
                Judgement::failed(Code::Unreachable, failure.text.clone())
            }
            HttpFailure::Certificate => Judgement::failed(Code::Certificate, failure.text.clone()),
            HttpFailure::Deadline => Judgement::failed(Code::TimedOut, failure.text.clone()),
            HttpFailure::Malformed => Judgement::failed(Code::Expectation, failure.text.clone()),
            HttpFailure::Name | HttpFailure::Proxy | HttpFailure::CannotSend => {
                Judgement::unverified(Code::CannotTell, failure.text.clone())
            }
        },
        Outcome::Unseen(failure) => match failure.kind {
            LookFailure::Absent => Judgement::failed(Code::Absent, failure.text.clone()),
            LookFailure::Unset => Judgement::failed(Code::Unset, failure.text.clone()),
            LookFailure::Placeholder => Judgement::failed(Code::Placeholder, failure.text.clone()),
            LookFailure::NoAccess | LookFailure::MissingVariable => {
                Judgement::unverified(Code::CannotTell, failure.text.clone())
            }
        },
        Outcome::Answered | Outcome::Looked => judge_look(check, attempt),
        Outcome::Attested => match &check.probe {
            Probe::Manual(attestation) => judge_attestation(attestation, now),
            _ => Judgement::unverified(Code::CannotTell, "only a person's word was taken"),
        },
    }
}

const OTHER_PROBE: &str = "its evidence is of another kind of probe";

fn with_install(check: &Check, text: &str) -> String {
    match check
        .needs_tool
        .as_ref()
        .and_then(|tool| tool.install.as_deref())
    {
        Some(install) => format!("{text}; install it: {install}"),
        None => text.to_string(),
    }
}

fn judge_attestation(attestation: &Attestation, now: Timestamp) -> Judgement {
    let today = now.to_zoned(TimeZone::UTC).date();
    if today > attestation.expires {
        let text = format!(
            "the word of {} expired on {}",
            attestation.by, attestation.expires
        );
        return Judgement::unverified(Code::Stale, text);
    }
    let text = format!(
        "{} says so since {}, until {}",
        attestation.by, attestation.on, attestation.expires
    );
    Judgement {
        potential: Ratio::zero(),
        ..Judgement::unverified(Code::Attested, text)
    }
}

/// An answer, files or a variable. Where nothing was expected of it, files and a variable hold by being there.
fn judge_look(check: &Check, attempt: &Attempt) -> Judgement {
    match (&check.probe, &attempt.outcome) {
        (Probe::Http(_), Outcome::Answered)
        | (
            Probe::File(_) | Probe::Variable(_) | Probe::Port(_) | Probe::Tool(_),
            Outcome::Looked,
        ) => {}
        _ => return Judgement::unverified(Code::CannotTell, OTHER_PROBE),
    }
    if let Some(judgement) = judge_expectations(attempt) {
        return judgement;
    }
    if let Some(reader) = check.probe.reader() {
        return match &attempt.reading {
            Some(Reading::Results(results)) => judge_counted(check, results),
            Some(Reading::Unreadable(problem)) => Judgement::failed(
                Code::Expectation,
                format!(
                    "what came is not of the format `{}`: {problem}",
                    reader.format
                ),
            ),
            Some(Reading::CannotTell(why)) => Judgement::unverified(Code::CannotTell, why.clone()),
            None => Judgement::unverified(Code::Unreadable, "its results were not read"),
        };
    }
    if attempt.checked.is_empty() {
        match (&check.probe, attempt.files.as_deref()) {
            (Probe::Http(_), _) | (Probe::File(_), None) => {
                return Judgement::unverified(Code::CannotTell, "nothing of it was judged");
            }
            (Probe::File(_), Some([])) => {
                return Judgement::failed(Code::Absent, "no file matches");
            }
            _ => {}
        }
    }
    Judgement::new(Verdict::Verified, Code::Held, held_text(attempt))
}

/// What the expectations say: nothing where all held.
fn judge_expectations(attempt: &Attempt) -> Option<Judgement> {
    let broken = attempt
        .checked
        .iter()
        .filter(|checked| checked.held == Held::No)
        .collect::<Vec<_>>();
    if let Some(first) = broken.first() {
        let more = match broken.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let text = format!("expected: {}; {}{more}", first.what, first.seen);
        return Some(Judgement::failed(Code::Expectation, text));
    }
    let unknown = attempt
        .checked
        .iter()
        .find(|checked| checked.held == Held::Unknown)?;
    Some(Judgement::unverified(
        Code::CannotTell,
        format!("{}: {}", unknown.what, unknown.seen),
    ))
}

fn held_text(attempt: &Attempt) -> String {
    match (attempt.checked.as_slice(), &attempt.files) {
        ([], Some(files)) => match files.as_slice() {
            [one] => format!("{one} is there"),
            many => format!("{} files are there", many.len()),
        },
        ([], None) => "it is set, and no placeholder".to_string(),
        ([one], _) => one.what.clone(),
        ([first, rest @ ..], _) => format!("{} (and {} more)", first.what, rest.len()),
    }
}

fn judge_exit(check: &Check, attempt: &Attempt, status: i32) -> Judgement {
    let Probe::Run(run) = &check.probe else {
        return Judgement::unverified(Code::CannotTell, OTHER_PROBE);
    };
    if check.cannot_tell.exit.contains(&status) {
        let text = format!("exit status {status}: the tool could not do its work");
        return Judgement::unverified(Code::CannotTell, text);
    }
    let counted_failures = match &attempt.reading {
        Some(Reading::Results(results)) => failures(results) > 0,
        _ => false,
    };
    if let Some(rule) = attempt.cannot_tell.as_ref().filter(|_| !counted_failures) {
        let text = format!("the tool could not do its work: {rule}");
        return Judgement::unverified(Code::CannotTell, text);
    }
    let refuses = run
        .reader
        .as_ref()
        .is_some_and(|reader| reader.exits.failed.contains(&status));
    if refuses && !counted_failures {
        let text = format!("exit status {status}{}", last_words(attempt));
        return Judgement::failed(Code::ExitStatus, text);
    }
    match (&run.reader, &attempt.reading) {
        (Some(reader), Some(Reading::Results(results))) => {
            let judgement = judge_results(check, reader, results, status);
            match (judgement.verdict, judge_expectations(attempt)) {
                // The worse decides; what was counted and seen stays, and counted failures keep their low potential.
                (Verdict::Verified | Verdict::Partial, Some(worse)) => Judgement {
                    potential: worse.potential.min(judgement.potential),
                    counts: judgement.counts,
                    measures: judgement.measures,
                    contradiction: judgement.contradiction,
                    ..worse
                },
                _ => judgement,
            }
        }
        (Some(reader), _) if reader.exits.no_results.contains(&status) => Judgement::unverified(
            Code::NoResults,
            format!("exit status {status}: nothing ran"),
        ),
        (Some(_), Some(Reading::Unreadable(problem))) => Judgement::unverified(
            Code::Unreadable,
            format!("{problem} (exit status {status})"),
        ),
        (Some(_), Some(Reading::CannotTell(why))) => {
            Judgement::unverified(Code::CannotTell, why.clone())
        }
        (Some(_), None) => Judgement::unverified(Code::Unreadable, "its results were not read"),
        (None, _) if !run.exit_is_well(status) => {
            let wanted = run
                .expect
                .exit
                .iter()
                .map(i32::to_string)
                .collect::<Vec<_>>()
                .join(" or ");
            let hint = status_hint(status, &wanted);
            let said = last_words(attempt);
            Judgement::failed(
                Code::ExitStatus,
                format!("exit status {status}, expected {wanted}{hint}{said}"),
            )
        }
        (None, _) => judge_expectations(attempt).unwrap_or_else(|| {
            Judgement::new(
                Verdict::Verified,
                Code::Held,
                match attempt.checked.as_slice() {
                    [] => format!("exit status {status}"),
                    // It may be the error that is to be reported; whoever reads it must know.
                    _ if status != 0 => format!("{} (exit status {status})", held_text(attempt)),
                    _ => held_text(attempt),
                },
            )
        }),
    }
}

/// The last line that a program said on standard error, where it is short enough to be a reason.
fn last_words(attempt: &Attempt) -> String {
    let stderr = attempt
        .stderr
        .as_ref()
        .map_or("", |stream| stream.tail.as_str());
    match stderr.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) if line.chars().count() <= 200 => format!(": {line}"),
        _ => String::new(),
    }
}

/// What a shell conventionally means by a status: a hint, no more.
fn status_hint(status: i32, wanted: &str) -> &'static str {
    match status {
        _ if wanted == status.to_string() => "",
        124 => " (by convention: a time limit)",
        126 => " (by convention: not executable)",
        127 => " (by convention: a command was not found)",
        137 => " (by convention: killed, often out of memory)",
        _ => "",
    }
}

fn failures(results: &Results) -> u64 {
    results
        .counts
        .map_or(0, |counts| counts.failed)
        .max(results.findings.unwrap_or(0))
}

/// Counts, findings and limits by themselves.
fn judge_counted(check: &Check, results: &Results) -> Judgement {
    let counts = results.counts.map(|counts| as_declared(check, counts));
    Judgement {
        counts,
        measures: results
            .measures
            .iter()
            .filter(|(_, figure)| figure.is_finite())
            .map(|(k, v)| (k.clone(), *v))
            .collect(),
        ..judge_figures(check, results, counts)
    }
}

/// Counts, findings and limits, held against the exit status.
fn judge_results(check: &Check, reader: &Reader, results: &Results, status: i32) -> Judgement {
    let judgement = judge_counted(check, results);
    let (failed, claims_pass) = (failures(results), reader.exits.passed.contains(&status));
    if judgement.reason.code == Code::NoResults {
        return judgement;
    }
    // Under limits the counts are measures: they contradict no pass, and a broken limit explains a failing status.
    if !check.limits.is_empty() && (claims_pass || judgement.verdict == Verdict::Failed) {
        return judgement;
    }
    if claims_pass && failed > 0 {
        let text = format!("exit status {status} says that all is well, {failed} did not hold");
        return Judgement {
            contradiction: Some(text),
            ..judgement
        };
    }
    if !claims_pass && failed == 0 {
        let text =
            format!("exit status {status} says that something failed, none of the results did");
        return Judgement {
            verdict: Verdict::Failed,
            reason: Reason::new(Code::Contradiction, text.clone()),
            credit: Ratio::zero(),
            potential: Ratio::zero(),
            contradiction: Some(text),
            ..judgement
        };
    }
    judgement
}

/// The counts with declared skips taken out and missing results put in.
fn as_declared(check: &Check, counts: Counts) -> Counts {
    let missing = match check.at_least {
        Some(least) if counts.total() > 0 => least.saturating_sub(counts.total()),
        _ => 0,
    };
    let skipped = counts.skipped - counts.skipped.min(check.expected_skips);
    Counts {
        skipped: skipped.saturating_add(missing),
        ..counts
    }
}

fn judge_figures(check: &Check, results: &Results, counts: Option<Counts>) -> Judgement {
    let nothing = || Judgement::unverified(Code::NoResults, "it ended, but nothing ran");
    if failures(results) == 0 && results.counts.is_some_and(|counts| counts.passed == 0) {
        return match results.counts {
            Some(counts) if counts.skipped > 0 => Judgement::unverified(
                Code::NoResults,
                format!("all {} were skipped", counts.skipped),
            ),
            _ => nothing(),
        };
    }
    if results.counts.is_none() && results.findings.is_none() && results.measures.is_empty() {
        return nothing();
    }
    if !check.limits.is_empty() {
        return judge_limits(check, results);
    }
    match (results.findings, counts) {
        (Some(found), _) if found > 0 => {
            let text = format!("{found} found{}", named(results));
            Judgement::failed(Code::Findings, text)
        }
        (_, Some(counts)) => judge_counts(check, results, counts),
        (Some(_), None) => Judgement::new(Verdict::Verified, Code::Held, "nothing found"),
        (None, None) => Judgement::new(
            Verdict::Verified,
            Code::Held,
            "measured, with no limit to keep",
        ),
    }
}

fn judge_limits(check: &Check, results: &Results) -> Judgement {
    let (mut broken, mut unmeasured) = (vec![], vec![]);
    let figures = results.figures();
    for (name, limit) in &check.limits {
        match figures.get(name).copied() {
            None => unmeasured.push(format!("`{name}`")),
            Some(figure) if !limit.holds(figure) => {
                broken.push(format!("{name} is {figure}, limit {limit}"))
            }
            Some(_) => {}
        }
    }
    // A broken limit is evidence, whatever else was not measured.
    if broken.is_empty() && !unmeasured.is_empty() {
        return Judgement::unverified(
            Code::NoResults,
            format!("not measured: {}", unmeasured.join(", ")),
        );
    }
    if broken.is_empty() {
        let text = match check.limits.len() {
            1 => "its limit holds".to_string(),
            n => format!("all {n} limits hold"),
        };
        let bounded = |name: &str| check.limits.contains_key(name);
        let text = match results.counts {
            Some(counts) if counts.failed > 0 && !bounded("failed") => {
                format!(
                    "{text}; {} of {} failed, which no limit asks about",
                    counts.failed,
                    counts.total()
                )
            }
            _ => text,
        };
        return Judgement::new(Verdict::Verified, Code::Held, text);
    }
    Judgement::failed(Code::Limits, broken.join("; "))
}

fn judge_counts(check: &Check, results: &Results, counts: Counts) -> Judgement {
    let whole = |number: u64| Ratio::from_integer(number.into());
    let (passed, skipped) = (whole(counts.passed), whole(counts.skipped));
    let all = &passed + whole(counts.failed) + &skipped;
    let mut text = format!("{} of {all} passed", counts.passed);
    if counts.failed > 0 {
        text += &format!(", {} failed", counts.failed);
    }
    let seen = results.counts.unwrap_or_default();
    let unexpected = seen.skipped.saturating_sub(check.expected_skips);
    match (unexpected, counts.skipped.saturating_sub(unexpected)) {
        (0, 0) => {}
        (skipped, 0) => text += &format!(", {skipped} skipped"),
        (0, missing) => {
            text += &format!(
                ", {missing} of at least {} missing",
                check.at_least.unwrap_or(0)
            )
        }
        (skipped, missing) => text += &format!(", {skipped} skipped, {missing} missing"),
    }
    if check.expected_skips > 0 {
        text += &format!(
            " ({} skipped as expected)",
            seen.skipped.min(check.expected_skips)
        );
    }
    text += &named(results);
    if passed == all {
        return Judgement::new(Verdict::Verified, Code::Held, text);
    }
    if counts.passed == 0 {
        return Judgement::failed(Code::AllFailed, text);
    }
    let code = if counts.failed > 0 {
        Code::SomeFailed
    } else {
        Code::SomeSkipped
    };
    Judgement {
        credit: &passed / &all,
        potential: (&passed + &skipped) / &all,
        ..Judgement::new(Verdict::Partial, code, text)
    }
}

fn named(results: &Results) -> String {
    match results.failures.as_slice() {
        [] => String::new(),
        [one] => format!(": {one}"),
        [first, rest @ ..] => format!(
            ": {first} and {} more",
            (failures(results).max(2) - 1).max(rest.len() as u64)
        ),
    }
}

/// The conventional name of a signal, or its number.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        15 => "TERM",
        _ => return signal.to_string(),
    };
    format!("{signal} ({name})")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
