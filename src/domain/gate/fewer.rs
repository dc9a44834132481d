//! `no_fewer_tests`: no check ran fewer tests than in the base.

use super::super::odd::{counts_tests, ran};
use super::super::regression::{FEWER, NO_BASE};
use super::super::verdict::Verdict;
use super::{Decision, Gate, GateReason, base_of, reason};

impl Decision<'_> {
    /// Closes for every check that ran fewer tests than in the base, whatever became of them.
    pub(super) fn fewer_tests(&mut self, gate: &Gate) -> bool {
        if !gate.no_fewer_tests {
            return false;
        }
        let Some(base) = base_of(gate, self.situation) else {
            let text = format!(
                "{NO_BASE}: no earlier complete run is recorded here; `--base FILE` takes a report as the base"
            );
            self.reasons.push(reason(FEWER, text));
            return true;
        };
        for (id, then) in &base.tests {
            let mut checks = self.situation.checks.iter();
            let judged = checks.find(|judged| judged.check.id == *id);
            let counting = judged.filter(|judged| judged.applicable && !judged.check.optional);
            let now = counting.filter(|judged| counts_tests(judged.check));
            // What is unverified tells nothing about the tests of now, stale counts among it.
            let told = now.filter(|judged| judged.judgement.verdict != Verdict::Unverified);
            let counts = told.and_then(|judged| judged.judgement.counts);
            let text = match (judged, counts.map(ran)) {
                (_, Some(now)) if now >= *then => continue,
                (_, Some(now)) => format!("{id}: {now} tests ran, {then} in base {}", base.name),
                (None, _) => format!(
                    "{id} is no longer declared; {then} tests ran in base {}",
                    base.name
                ),
                (Some(_), None) => format!(
                    "{id}: no test is counted now, {then} ran in base {}",
                    base.name
                ),
            };
            self.reasons.push(GateReason {
                check: Some(id.clone()),
                owner: judged.and_then(|judged| judged.check.owner.clone()),
                ..reason(FEWER, text)
            });
        }
        !base.tests.is_empty()
    }
}
