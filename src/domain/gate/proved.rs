//! `require_proved`: every check was seen to fail where it must.

use super::super::check::Probe;
use super::super::proof::Proven;
use super::{Decision, Gate, GateReason, reason};

/// The rule.
const RULE: &str = "require_proved";

impl Decision<'_> {
    /// Closes for every check that is not proved; gives whether there is any that could be. A person's word cannot be, and nobody asks it to.
    pub(super) fn proved(&mut self, gate: &Gate) -> bool {
        if !gate.require_proved {
            return false;
        }
        let provable = self
            .counting()
            .filter(|judged| !matches!(judged.check.probe, Probe::Manual(_)));
        let provable = provable.collect::<Vec<_>>();
        for judged in &provable {
            let now = self.situation.now;
            let proof = judged.proof.filter(|proof| proof.is_young(now));
            let check = judged.check;
            let (why, how) = match proof.map(|proof| (proof.result, &proof.text)) {
                Some((Proven::Proved, _)) => continue,
                Some((Proven::NoControl, text)) => (
                    format!("no control: {text}"),
                    "declare what must make it fail: `control = { files = …, signal = … }`"
                        .to_string(),
                ),
                Some((result, text)) => (
                    format!("{}: {text}", result.words()),
                    format!("ready prove {}", check.id),
                ),
                None => (
                    "nobody has seen it fail where it must".to_string(),
                    format!("ready prove {}", check.id),
                ),
            };
            self.reasons.push(GateReason {
                check: Some(check.id.clone()),
                owner: check.owner.clone(),
                how: Some(how),
                ..reason(RULE, format!("{} is not proved: {why}", check.id))
            });
        }
        !provable.is_empty()
    }
}
