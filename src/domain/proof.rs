//! The proof that a check can fail: what came of it on its controls and on the good state, and what follows.
//!
//! A check is proved where it failed on every control, for the reason that the control gives it, and held on the good
//! state. A crash, a missing tool, any `unverified` is no detection: it would look the same on a project without a fault.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Outcome, Program, Reading};
use super::reason::{Code, Reason};
use super::verdict::{Judgement, Verdict};

/// How long a proof counts: what a check runs beside the project's own files (its tool's plug-ins, an image, a service
/// elsewhere) changes without a trace in its definition.
pub const COUNTS_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Whether a check was seen to fail where it must.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Proven {
    /// It failed on every control, for its reason, and held on the good state.
    Proved,
    /// It stayed green on a control.
    CannotFail,
    /// It did not hold on a control, and for another reason than the control gives.
    WrongReason,
    /// There is none that would show it.
    NoControl,
    /// It does not hold on the good state, so that failing shows nothing.
    DoesNotHold,
}

impl Proven {
    /// The words in reports.
    pub fn words(self) -> &'static str {
        match self {
            Proven::Proved => "proved",
            Proven::CannotFail => "cannot fail",
            Proven::WrongReason => "wrong reason",
            Proven::NoControl => "no control",
            Proven::DoesNotHold => "does not hold",
        }
    }
}

/// What came of a check on one control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The control, in words.
    pub control: String,
    /// Whether the manifest or the library declares it; else `ready` made it out of what the check expects.
    pub declared: bool,
    /// How the check was judged.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What that shows.
    pub shows: Shows,
}

/// What a trial shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shows {
    /// It failed for the control's reason.
    Detected,
    /// It held. (What gates accept by `pass_at` is told all the same, with less credit.)
    StayedGreen,
    /// It did not hold, and not for that reason.
    WrongReason,
}

/// All that came of proving one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The check.
    pub check: String,
    /// What follows.
    pub result: Proven,
    /// In words.
    pub text: String,
    /// Each control that it was tried on.
    pub trials: Vec<Trial>,
    /// When it was begun.
    pub at: Timestamp,
    /// The machine's name.
    pub host: String,
    /// The commit, where there is one.
    pub commit: Option<String>,
    /// The digest of the check's definition with its control, `blake3:…`: it counts for no other.
    pub definition: String,
    /// The program that was run, with its version where it tells one.
    pub program: Option<Program>,
    /// What did the work, with its version, where it tells one: `pytest 9.2.0`.
    #[serde(default)]
    pub tool: Option<String>,
}

/// What a control that the manifest or the library declares must come to.
pub fn declared(judgement: &Judgement, evidence: Option<&Evidence>, signal: &str) -> Shows {
    let seen = || {
        let mut texts = evidence.map(texts).unwrap_or_default();
        texts.push(&judgement.reason.text);
        texts.iter().any(|text| text.contains(signal))
    };
    match judgement.verdict {
        Verdict::Verified => Shows::StayedGreen,
        Verdict::Failed | Verdict::Partial if seen() => Shows::Detected,
        _ => Shows::WrongReason,
    }
}

/// What a control that `ready` made must come to: one of these codes.
pub fn made(judgement: &Judgement, codes: &[Code]) -> Shows {
    match judgement.verdict {
        Verdict::Verified => Shows::StayedGreen,
        _ if codes.contains(&judgement.reason.code) => Shows::Detected,
        _ => Shows::WrongReason,
    }
}

/// What follows from the trials of a check. `good` is how it was judged on the good state; `by_itself`: whether the controls
/// that `ready` makes show that the check can fail, as they do for a probe of its own; those for the results of somebody
/// else's program show that the results are read, not that the program finds anything.
pub fn follows(trials: &[Trial], good: &Judgement, by_itself: bool) -> (Proven, String) {
    let first = |shows: Shows| trials.iter().find(|trial| trial.shows == shows);
    if let Some(trial) = first(Shows::StayedGreen) {
        let mut text = format!("it held all the same: {}", trial.control);
        if trial.declared {
            text += ", unless its control is none for what it runs here";
        }
        return (Proven::CannotFail, text);
    }
    if !good.holds() {
        let text = format!("on the good state: {}", good.reason.text);
        return (Proven::DoesNotHold, text);
    }
    if let Some(trial) = first(Shows::WrongReason) {
        let (control, verdict) = (&trial.control, trial.verdict.word());
        let text = format!("{control}: {verdict}, {}", trial.reason.text);
        return (Proven::WrongReason, text);
    }
    let declared = trials.iter().any(|trial| trial.declared);
    let counted = match trials.len() {
        1 => "1 control".to_string(),
        many => format!("{many} controls"),
    };
    match trials.first() {
        None => (
            Proven::NoControl,
            "nothing shows that it can fail".to_string(),
        ),
        Some(_) if !declared && !by_itself => {
            let text = format!(
                "its results are judged well ({counted}); what its program finds is not shown"
            );
            (Proven::NoControl, text)
        }
        Some(first) => {
            let text = match trials.len() {
                1 => format!("it failed: {}: {}", first.control, first.reason.text),
                _ => format!("it failed on {counted}"),
            };
            (Proven::Proved, text)
        }
    }
}

impl Proof {
    /// Whether it still counts: for that definition, that program and so long.
    pub fn counts(&self, definition: &str, program: Option<&Program>, now: Timestamp) -> bool {
        let same_program = match (&self.program, program) {
            (Some(then), Some(now)) => then.is(now),
            _ => true,
        };
        self.definition == definition && same_program && self.is_young(now)
    }

    /// Whether it is not too old to count.
    pub fn is_young(&self, now: Timestamp) -> bool {
        let age = Duration::try_from(now.duration_since(self.at));
        age.is_ok_and(|age| age <= COUNTS_FOR)
    }
}

/// Every text that evidence holds of what was seen.
fn texts(evidence: &Evidence) -> Vec<&str> {
    let mut texts: Vec<&str> = vec![];
    for attempt in &evidence.attempts {
        let answer = attempt.answer.iter().map(|answer| &answer.body);
        let streams = attempt.stdout.iter().chain(&attempt.stderr).chain(answer);
        let calls = attempt.calls.iter().flatten().map(|call| &call.body);
        for stream in streams.chain(calls) {
            texts.extend([&stream.head[..], &stream.tail]);
        }
        for checked in &attempt.checked {
            texts.extend([&checked.what[..], &checked.seen]);
        }
        texts.extend(attempt.files.iter().flatten().map(String::as_str));
        match &attempt.reading {
            Some(Reading::Results(results)) => {
                texts.extend(results.failures.iter().map(String::as_str));
            }
            Some(Reading::Unreadable(text) | Reading::CannotTell(text)) => texts.push(text),
            None => {}
        }
        match &attempt.outcome {
            Outcome::Service(text) => texts.push(text),
            Outcome::Spawn(failure) => texts.push(&failure.text),
            Outcome::Unanswered(failure) => texts.push(&failure.text),
            Outcome::Unseen(failure) => texts.push(&failure.text),
            _ => {}
        }
    }
    texts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::*;
    use super::super::verdict::judge;
    use super::*;

    fn judged(observed: super::super::evidence::Observed) -> Judgement {
        judge(&counted("it"), &observed, now())
    }

    fn trial(shows: Shows, declared: bool) -> Trial {
        Trial {
            control: "a broken file".to_string(),
            declared,
            verdict: Verdict::Failed,
            reason: Reason::new(Code::ExitStatus, "exit status 1"),
            shows,
        }
    }

    #[test]
    fn only_a_failure_for_the_declared_reason_is_a_detection() {
        let mut failing = ran(3, 1);
        if let super::super::evidence::Observed::Evidence(evidence) = &mut failing {
            let Some(Reading::Results(results)) = &mut evidence.attempts[0].reading else {
                panic!("it counts")
            };
            results.failures = vec!["test_that_fails".to_string()];
        }
        let super::super::evidence::Observed::Evidence(evidence) = failing.clone() else {
            panic!("it was seen")
        };
        let cases = [
            (
                judged(failing),
                Some(&*evidence),
                "test_that_fails",
                Shows::Detected,
            ),
            (
                judged(ran(3, 1)),
                Some(&*evidence),
                "another_test",
                Shows::WrongReason,
            ),
            (
                judged(ran(4, 0)),
                Some(&*evidence),
                "test_that_fails",
                Shows::StayedGreen,
            ),
            (
                judged(withheld(Code::ToolMissing)),
                None,
                "",
                Shows::WrongReason,
            ),
            (
                judged(withheld(Code::CannotTell)),
                None,
                "",
                Shows::WrongReason,
            ),
            (judged(ran(0, 0)), None, "", Shows::WrongReason),
        ];
        for (judgement, evidence, signal, shows) in cases {
            assert_eq!(
                declared(&judgement, evidence, signal),
                shows,
                "{judgement:?}"
            );
        }
        // What gates accept is partial all the same: the check has told of the failure.
        let accepted = Judgement {
            accepted: true,
            ..judged(ran(3, 1))
        };
        assert_eq!(
            declared(&accepted, Some(&*evidence), "test_that_fails"),
            Shows::Detected
        );
        assert_eq!(made(&accepted, &[Code::SomeFailed]), Shows::Detected);
    }

    #[test]
    fn what_follows_is_the_worst_of_it() {
        use Shows::{Detected, StayedGreen, WrongReason};
        let (good, bad) = (judged(ran(3, 0)), judged(ran(3, 1)));
        type Case<'a> = (&'a [(Shows, bool)], &'a Judgement, bool, Proven);
        let cases: [Case<'_>; 9] = [
            (&[], &good, true, Proven::NoControl),
            (&[], &bad, true, Proven::DoesNotHold),
            (&[(Detected, true)], &good, false, Proven::Proved),
            (&[(Detected, true)], &bad, false, Proven::DoesNotHold),
            (&[(Detected, false)], &good, true, Proven::Proved),
            (&[(Detected, false)], &good, false, Proven::NoControl),
            (
                &[(Detected, true), (WrongReason, false)],
                &good,
                true,
                Proven::WrongReason,
            ),
            (
                &[(WrongReason, true), (StayedGreen, true)],
                &bad,
                true,
                Proven::CannotFail,
            ),
            (
                &[(Detected, true), (StayedGreen, false)],
                &good,
                false,
                Proven::CannotFail,
            ),
        ];
        for (trials, good, by_itself, result) in cases {
            let trials = trials
                .iter()
                .map(|(shows, declared)| trial(*shows, *declared));
            let trials = trials.collect::<Vec<_>>();
            assert_eq!(follows(&trials, good, by_itself).0, result, "{trials:?}");
        }
    }

    proptest! {
        #![proptest_config(same_every_time(300))]

        #[test]
        fn nothing_is_proved_with_a_trial_that_detected_nothing(
            trials in proptest::collection::vec((0..3u8, any::<bool>()), 0..5), holds in any::<bool>(), by_itself in any::<bool>(),
        ) {
            let all = [Shows::Detected, Shows::StayedGreen, Shows::WrongReason];
            let trials = trials.iter().map(|(shows, declared)| trial(all[usize::from(*shows)], *declared));
            let trials = trials.collect::<Vec<_>>();
            let good = judged(if holds { ran(3, 0) } else { ran(3, 1) });
            let (result, text) = follows(&trials, &good, by_itself);
            prop_assert!(!text.is_empty());
            if result == Proven::Proved {
                prop_assert!(holds && !trials.is_empty());
                prop_assert!(trials.iter().all(|trial| trial.shows == Shows::Detected));
                prop_assert!(by_itself || trials.iter().any(|trial| trial.declared));
            }
        }
    }
}
