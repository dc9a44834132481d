//! `no_weakening`: nothing that is asked may be less than in the manifest of the base. Whether it is asked for is read in that
//! manifest too, so that the change which takes it out is held against it.

use super::super::goalposts::Kind;
use super::{Decision, Gate, GateReason, reason};

/// The rule.
const RULE: &str = "no_weakening";

impl Decision<'_> {
    /// Closes for every edit that is weaker, and where the base cannot be read.
    pub(super) fn weakening(&mut self, gate: &Gate) -> bool {
        let against = self.situation.against;
        let asking = against
            .map(|against| &against.asking[..])
            .unwrap_or_default();
        // A gate that asked for it and is gone asks it of every other.
        let gone = asking
            .iter()
            .any(|name| !self.situation.gates.contains(name));
        if !gate.no_weakening && !asking.contains(&gate.name) && !gone {
            return false;
        }
        let Some(against) = against else {
            let text = "no-base: it is not known which manifest this one is held against; `--against origin/main` names a revision".to_string();
            self.reasons.push(reason(RULE, text));
            return true;
        };
        if let Some(problem) = &against.problem {
            self.reasons
                .push(reason(RULE, format!("no-base: {problem}")));
            return true;
        }
        for edit in against
            .edits
            .iter()
            .filter(|edit| edit.kind == Kind::Weaker)
        {
            let text = format!("{}, since {}", edit.words(), against.revision);
            let check = match &edit.subject {
                super::super::goalposts::Subject::Check(id) => Some(id.clone()),
                _ => None,
            };
            self.reasons.push(GateReason {
                check,
                ..reason(RULE, text)
            });
        }
        true
    }
}
