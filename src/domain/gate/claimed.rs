//! What a gate makes of claims: how far they may exceed the evidence, and whether they may contradict it or have nothing that
//! checks them.

use super::super::claim::{Claim, ClaimState};
use super::super::ratio;
use super::{Decision, Gate, GateReason, reason};

impl<'a> Decision<'a> {
    pub(super) fn overclaim(&mut self, gate: &Gate) -> bool {
        let Some(most) = gate.max_overclaim else {
            return false;
        };
        match self.situation.gap {
            Some(gap) if *gap > ratio::percent(most) => {
                // Upward, so that what is printed exceeds the bound as the exact figure does.
                let points = (ratio::to_percent(gap) * 10.0).ceil() / 10.0;
                let text = format!(
                    "the claim exceeds what is verified by {points} points, more than {most}"
                );
                self.reasons.push(reason("max_overclaim", text));
            }
            Some(_) => {}
            None => self.reasons.push(reason(
                "max_overclaim",
                "nothing claims a figure".to_string(),
            )),
        }
        true
    }

    fn in_state(&self, state: ClaimState) -> impl Iterator<Item = &'a Claim> + use<'a> {
        let claims = self.situation.claims.iter();
        claims.filter(move |claim| claim.state == Some(state))
    }

    /// Each contradicted claim is a reason: a waiver accepts a risk, it makes no untrue word true.
    pub(super) fn contradicted(&mut self, gate: &Gate) -> bool {
        if !gate.no_contradicted {
            return false;
        }
        for claim in self.in_state(ClaimState::Contradicted) {
            self.reasons.push(GateReason {
                check: claim.checks.first().cloned(),
                ..reason("no_contradicted", claim.words())
            });
        }
        !self.situation.claims.is_empty()
    }

    pub(super) fn unbacked(&mut self, gate: &Gate) -> bool {
        let Some(most) = gate.max_unbacked else {
            return false;
        };
        let unbacked = self.in_state(ClaimState::Unbacked).collect::<Vec<_>>();
        if unbacked.len() as u64 > most {
            let are = match unbacked.len() {
                1 => "1 claim has".to_string(),
                many => format!("{many} claims have"),
            };
            let first = unbacked.iter().take(3).map(|claim| claim.found.place());
            let places = first.collect::<Vec<_>>().join(", ");
            let text = format!("{are} nothing that checks it, more than {most}: {places}");
            self.reasons.push(reason("max_unbacked", text));
        }
        !self.situation.claims.is_empty()
    }
}
