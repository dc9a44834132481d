//! What may be said of a project, and what not yet: each check is the evidence for one statement, each named gate allows one
//! thing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::GateState;
use super::report::{CheckRow, Report};
use super::verdict::Verdict;

/// What may be said and done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statements {
    /// Statements that are verified.
    pub can_say: Vec<Statement>,
    /// Those that are not, the refuted ones first.
    pub cannot_say_yet: Vec<Statement>,
    /// What open gates allow.
    pub safe_to: Vec<Permission>,
    /// What closed gates do not.
    pub not_safe_to: Vec<Permission>,
}

/// The statement of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// The check.
    pub check: String,
    /// What it says.
    pub says: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What its evidence shows.
    pub why: String,
}

/// What a gate allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Permission {
    /// The gate.
    pub gate: String,
    /// What it allows.
    pub says: String,
    /// Why it does not; empty where it does.
    pub why: Vec<String>,
    /// The checks that it would be closed for without their waivers.
    pub waived: Vec<String>,
}

impl Statements {
    /// The statements of every check that counts and of every gate that says what it allows.
    pub fn of(report: &Report) -> Statements {
        let (can, cannot) = split(report);
        let permission = |gate: &GateState| {
            Some(Permission {
                gate: gate.name.clone(),
                says: gate.says.clone()?,
                why: gate
                    .reasons
                    .iter()
                    .map(|reason| reason.text.clone())
                    .collect(),
                waived: gate.waived.clone(),
            })
        };
        let (open, closed): (Vec<_>, Vec<_>) = report.gates.iter().partition(|gate| gate.open);
        Statements {
            can_say: can.into_iter().map(statement).collect(),
            cannot_say_yet: cannot.into_iter().map(statement).collect(),
            safe_to: open.into_iter().filter_map(permission).collect(),
            not_safe_to: closed.into_iter().filter_map(permission).collect(),
        }
    }
}

/// The checks that count: those that are verified, and the others, the worst first.
pub fn split(report: &Report) -> (Vec<&CheckRow>, Vec<&CheckRow>) {
    let counting = report.checks.iter().filter(|row| row.counts_for_score());
    let (can, mut cannot): (Vec<_>, Vec<_>) =
        counting.partition(|row| row.verdict == Verdict::Verified);
    cannot.sort_by_key(|row| match row.verdict {
        Verdict::Failed => 0,
        Verdict::Partial => 1,
        _ => 2,
    });
    (can, cannot)
}

fn statement(row: &CheckRow) -> Statement {
    Statement {
        check: row.id.clone(),
        says: row.says.clone(),
        verdict: row.verdict,
        why: row.reason.text.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::Check;
    use super::super::gate::Gate;
    use super::super::testing::*;

    #[test]
    fn only_what_is_verified_can_be_said() {
        let accepted = Check {
            pass_at: Some(0.5),
            ..counted("accepted")
        };
        let optional = Check {
            optional: true,
            ..counted("optional")
        };
        let gate = |name: &str, says: Option<&str>, least: f64| Gate {
            name: name.to_string(),
            says: says.map(str::to_string),
            min_score: Some(least),
            ..Gate::default()
        };
        let mut scene = Scene::of([
            (counted("holds"), holds()),
            (accepted, ran(9, 1)),
            (manual("attested"), word()),
            (counted("fails"), ran(0, 1)),
            (optional, holds()),
            (counted("elsewhere"), holds()),
        ])
        .inapplicable("elsewhere");
        scene.gates = vec![
            gate("default", None, 10.0),
            gate("staging", Some("Show it to testers"), 10.0),
            gate("production", Some("Sell it"), 99.0),
        ];
        let statements = super::Statements::of(&scene.assess());
        let checks = |of: &[super::Statement]| {
            of.iter()
                .map(|statement| statement.check.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(checks(&statements.can_say), ["holds"]);
        assert_eq!(
            checks(&statements.cannot_say_yet),
            ["fails", "accepted", "attested"]
        );
        assert_eq!(statements.can_say[0].says, "holds is as it should be");
        assert!(
            statements.cannot_say_yet[1]
                .why
                .starts_with("9 of 10 passed")
        );
        assert_eq!(statements.safe_to[0].says, "Show it to testers");
        assert_eq!(statements.safe_to.len(), 1);
        assert_eq!(statements.not_safe_to[0].gate, "production");
        assert!(statements.not_safe_to[0].why[0].starts_with("verified"));
    }
}
