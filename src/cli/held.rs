//! The looks at checks that gates want to have held for some time: what was just seen, and what the ledger knows of before,
//! as far back as it matters.

use anyhow::Result;
use jiff::Timestamp;

use crate::domain::assess::Seen;
use crate::domain::check::Check;
use crate::domain::evidence::{Evidence, Observed};
use crate::domain::gate::Gate;
use crate::domain::held::{Look, Span, spans};
use crate::domain::project::Project;
use crate::domain::verdict::{Verdict, judge};
use crate::ledger::{Ledger, Looks};

/// Adds the looks to what was seen of each check. Gives what could not be read, in words: then there are none, and nothing
/// counts as held.
pub(super) fn look_back(
    project: &Project,
    gates: &[Gate],
    ledger: Option<&Ledger>,
    seen: &mut [Seen],
    now: Timestamp,
) -> Vec<String> {
    let mut lost = vec![];
    let ledger = ledger.map(Ledger::looks);
    for (check, seen) in project.checks.iter().zip(seen) {
        let spans = spans(gates, project, check);
        if spans.is_empty() {
            continue;
        }
        // What is recorded is in the ledger, be it used again or not.
        let just_now = match &seen.observed {
            Observed::Evidence(evidence) if seen.recorded.is_none() => {
                let judged = judge(check, &seen.observed, now);
                Some(look(evidence, judged.verdict, judged.holds()))
            }
            _ => None,
        };
        match back(check, &spans, ledger.as_ref(), just_now, now) {
            Ok(looks) => seen.looks = looks,
            Err(error) => lost.push(format!(
                "how long {} has held cannot be told: {error:#}",
                check.id
            )),
        }
    }
    lost
}

fn back(
    check: &Check,
    spans: &[Span<'_>],
    ledger: Option<&Looks<'_>>,
    just_now: Option<Look>,
    now: Timestamp,
) -> Result<Vec<Look>> {
    let mut looks = just_now.into_iter().collect::<Vec<_>>();
    let mut open = spans.to_vec();
    let mut more = |looks: &[Look]| {
        open.retain(|span| looks.last().is_none_or(|look| !span.ends_at(look, now)));
        !open.is_empty()
    };
    if let (Some(ledger), true) = (ledger, more(&looks)) {
        ledger.back_through(&check.id, |verdict, evidence| {
            looks.push(recorded(check, verdict, evidence));
            more(&looks)
        })?;
    }
    Ok(looks)
}

/// A look that is recorded, with the verdict as it was judged then. Whether gates accept what is partial depends on the
/// check alone, and under another definition it matters no more.
fn recorded(check: &Check, verdict: &str, evidence: &Evidence) -> Look {
    let verdict = match verdict {
        "verified" => Verdict::Verified,
        "partial" => Verdict::Partial,
        "failed" => Verdict::Failed,
        _ => Verdict::Unverified,
    };
    let accepted = || {
        let observed = Observed::Evidence(Box::new(evidence.clone()));
        judge(check, &observed, evidence.started).accepted
    };
    let held = verdict == Verdict::Verified || (verdict == Verdict::Partial && accepted());
    look(evidence, verdict, held)
}

fn look(evidence: &Evidence, verdict: Verdict, held: bool) -> Look {
    Look {
        started: evidence.started,
        verdict,
        held,
        definition: evidence.binding.definition.clone(),
        environment: evidence.binding.environment.clone(),
    }
}
