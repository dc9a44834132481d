//! What people say, set beside what was verified.

use serde::{Deserialize, Serialize};

use super::check::Source;
use super::ratio::{self, Ratio};
use super::score::Standing;

/// A claim and what the evidence makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The file that makes it.
    pub document: String,
    /// The line in it, 1-based.
    pub line: u32,
    /// What it is about: `overall`, a component or a check.
    pub subject: String,
    /// The kind of figure.
    pub kind: ClaimKind,
    /// The claimed figure, in percent.
    pub value: f64,
    /// The component that it is held against; none for the whole.
    pub component: Option<String>,
    /// What the evidence makes of it.
    pub state: ClaimState,
    /// The verified figure, in percent.
    pub verified: f64,
}

/// The kind of figure that is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// A share of 100.
    Percent,
}

/// What the evidence makes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// The evidence reaches it.
    Backed,
    /// Even if all that is unverified held, it could not be reached.
    Contradicted,
    /// The evidence does not reach it, and does not rule it out.
    Unproved,
    /// Nothing checks it.
    Unbacked,
}

/// The points by which a claim may exceed the evidence and still count as rounding.
const ROUNDING: f64 = 0.5;

/// What the evidence makes of a claimed percentage. `checked` says whether any check stands behind the figures.
pub fn percent_state(claimed: f64, standing: &Standing, checked: bool) -> ClaimState {
    let reached = |figure: &Ratio| figure + ratio::percent(ROUNDING) >= ratio::percent(claimed);
    if !checked {
        ClaimState::Unbacked
    } else if reached(&standing.verified) {
        ClaimState::Backed
    } else if reached(&standing.ceiling) {
        ClaimState::Unproved
    } else {
        ClaimState::Contradicted
    }
}

/// A percent claim of the manifest about a subject.
pub fn percent(
    subject: &str,
    component: Option<&str>,
    claimed: f64,
    standing: &Standing,
    checked: bool,
    source: &Source,
) -> Claim {
    Claim {
        document: source.file.clone(),
        line: source.line,
        subject: subject.to_string(),
        kind: ClaimKind::Percent,
        value: claimed,
        component: component.map(str::to_string),
        state: percent_state(claimed, standing, checked),
        verified: ratio::to_percent(&standing.verified),
    }
}

#[cfg(test)]
mod tests {
    use super::ClaimState::*;
    use super::*;
    use crate::domain::ratio::decimal;

    fn standing(verified: f64, ceiling: f64) -> Standing {
        Standing {
            verified: ratio::percent(verified),
            ceiling: ratio::percent(ceiling),
            attested: decimal(0.0),
        }
    }

    #[test]
    fn what_the_evidence_makes_of_a_figure() {
        let cases = [
            // (claimed, verified, ceiling, state)
            (98.0, 98.0, 98.0, Backed),
            (98.0, 99.0, 100.0, Backed),
            (98.0, 97.5, 97.5, Backed),
            (98.0, 97.499_999_999_999, 100.0, Unproved),
            (98.0, 97.499_999_999_999, 97.5, Unproved),
            (98.0, 97.499_999_999_999, 97.499_999_999_999, Contradicted),
            (98.0, 0.0, 100.0, Unproved),
            (98.0, 0.0, 0.0, Contradicted),
            (100.0, 99.5, 99.5, Backed),
            (100.0, 99.4, 99.4, Contradicted),
            (0.0, 0.0, 0.0, Backed),
            (57.5, 57.0, 57.0, Backed),
            (57.6, 57.0, 57.0, Contradicted),
            (0.3, 0.0, 100.0, Backed),
        ];
        for (claimed, verified, ceiling, state) in cases {
            let what = percent_state(claimed, &standing(verified, ceiling), true);
            assert_eq!(
                what, state,
                "{claimed} claimed, {verified} verified, {ceiling} possible"
            );
            assert_eq!(
                percent_state(claimed, &standing(verified, ceiling), false),
                Unbacked
            );
        }
    }

    #[test]
    fn the_border_is_exact_where_binary_fractions_are_not() {
        let third = Standing {
            verified: ratio::of(1, 3),
            ..standing(0.0, 100.0)
        };
        assert_eq!(percent_state(33.833_333_333_333, &third, true), Backed);
        assert_eq!(percent_state(33.833_333_333_334, &third, true), Unproved);
    }

    #[test]
    fn a_claim_keeps_where_it_was_made() {
        let source = Source {
            file: "readiness.toml".to_string(),
            line: 12,
        };
        let claim = percent(
            "Backend tests",
            Some("backend"),
            98.0,
            &standing(66.0, 100.0),
            true,
            &source,
        );
        let wanted = Claim {
            document: "readiness.toml".to_string(),
            line: 12,
            subject: "Backend tests".to_string(),
            kind: ClaimKind::Percent,
            value: 98.0,
            component: Some("backend".to_string()),
            state: Unproved,
            verified: 66.0,
        };
        assert_eq!(claim, wanted);
    }
}
