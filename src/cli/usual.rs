//! What earlier looks at a check came to, out of the ledger: what is odd about the last one is told by that.

use jiff::Timestamp;
use serde::Deserialize;

use super::session::Session;
use crate::domain::assess::Seen;
use crate::domain::check::Probe;
use crate::domain::evidence::{Observed, Reading};
use crate::domain::odd::{Usual, counts_tests, ran};
use crate::ledger::Ledger;

/// How many looks back.
const LOOKS: usize = 5;

/// Adds to what was seen of each check that ran a program what earlier looks came to. What cannot be read of them is told
/// by whoever needs it for more.
pub(super) fn add(session: &Session, ledger: Option<&Ledger>, seen: &mut [Seen]) {
    let Some(ledger) = ledger else { return };
    let looks = ledger.looks();
    for (check, seen) in session.project.checks.iter().zip(seen) {
        let reused = seen.recorded.as_ref().is_some_and(|from| from.reused);
        let Observed::Evidence(now) = &seen.observed else {
            continue;
        };
        let just_now = seen.recorded.is_none();
        let of_interest = counts_tests(check) || (just_now && matches!(check.probe, Probe::Run(_)));
        if reused || !of_interest {
            continue;
        }
        let mut usual = Usual::default();
        let looked = looks.back_through(&check.id, |_, evidence: &Look| {
            if evidence.started >= now.started {
                return true;
            }
            if usual.took_ms.is_empty() {
                usual.ran = counted(evidence);
            }
            usual.took_ms.push(evidence.duration_ms);
            usual.took_ms.len() < LOOKS
        });
        seen.usual = looked.is_ok().then_some(usual);
    }
}

/// As much of evidence as is asked: of many checks and looks, most of it would be read for nothing.
#[derive(Deserialize)]
struct Look {
    started: Timestamp,
    duration_ms: u64,
    attempts: Vec<LookAttempt>,
}

#[derive(Deserialize)]
struct LookAttempt {
    reading: Option<Reading>,
}

/// How many tests ran, where they were counted.
fn counted(look: &Look) -> Option<u64> {
    let reading = look.attempts.last()?.reading.as_ref()?;
    match reading {
        Reading::Results(results) => results.counts.map(ran),
        Reading::Unreadable(_) | Reading::CannotTell(_) => None,
    }
}
