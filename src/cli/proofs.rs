//! The proofs that are recorded of checks, held against what is here now.

use anyhow::Result;
use jiff::Timestamp;

use super::session::Session;
use crate::domain::assess::Seen;
use crate::domain::evidence::Binding;
use crate::domain::proof::Proof;
use crate::ledger::Ledger;
use crate::manifest::proof_digest;

/// Adds to what was seen of each check what came of it when it was last proved, where that still counts. Gives what could
/// not be read, in words.
pub(super) fn add(
    session: &Session,
    ledger: Option<&Ledger>,
    bindings: &[Binding],
    seen: &mut [Seen],
    now: Timestamp,
) -> Vec<String> {
    let Some(ledger) = ledger else {
        return vec![];
    };
    match ledger.has_proofs() {
        Ok(true) => {}
        Ok(false) => return vec![],
        Err(error) => return vec![format!("{error:#}")],
    }
    let project = &session.project;
    let counting = |at: usize| -> Result<Option<Proof>> {
        let check = &project.checks[at];
        let Some(proof) = ledger.proof(&check.id)? else {
            return Ok(None);
        };
        let definition = proof_digest(check, &project.services);
        let program = bindings[at].program.as_ref();
        Ok(proof.counts(&definition, program, now).then_some(proof))
    };
    let mut lost = vec![];
    for (at, seen) in seen.iter_mut().enumerate() {
        match counting(at) {
            Ok(proof) => seen.proof = proof.map(Box::new),
            Err(error) => lost.push(format!("{error:#}")),
        }
    }
    lost
}
