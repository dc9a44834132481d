//! What people say, set beside what was verified.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Source;
use super::ratio::{self, Ratio};
use super::score::Standing;

/// A claim as it stands somewhere, before it is held against anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The file that makes it, relative to the manifest.
    pub document: String,
    /// The line in it, 1-based.
    pub line: u32,
    /// What it is about, in the document's words; [`OVERALL`] for the whole project.
    pub subject: String,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
    /// The time that it speaks of.
    #[serde(default)]
    pub tense: Tense,
    /// The words that say it.
    #[serde(default)]
    pub quote: String,
    /// The check or component that the document itself names for it (`<!-- ready: ID -->`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Found {
    /// A figure that the manifest claims at that place.
    pub fn percent(subject: &str, percent: f64, source: &Source) -> Found {
        Found {
            document: source.file.clone(),
            line: source.line,
            subject: subject.to_string(),
            said: Said::Percent {
                value: percent,
                value_max: None,
            },
            tense: Tense::Now,
            quote: String::new(),
            about: None,
        }
    }

    /// Where it stands: `STATUS.md:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }

    /// What it says in few words: `Docker 100 %`, `Backend tests 120/122`, `Sentry done`.
    pub fn words(&self) -> String {
        format!("{} {}", self.subject, self.said)
    }
}

/// The subject of claims about the whole project.
pub const OVERALL: &str = "overall";

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Said {
    /// A share of 100.
    Percent {
        /// Percent; the lower end of a range.
        value: f64,
        /// The upper end of a range, in percent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value_max: Option<f64>,
    },
    /// So many of so many.
    Ratio {
        /// Those that are done or pass.
        passed: u64,
        /// All of them.
        total: u64,
    },
    /// A state without a figure: a mark (✅) or a word (DONE).
    Mark {
        /// Which.
        mark: Mark,
    },
    /// A bare number of something ("0 vulnerabilities").
    Count {
        /// How many.
        count: u64,
        /// Of what, in the document's words.
        of: String,
    },
    /// A change of a number ("13 → 0", "fixed 33 tests").
    Delta {
        /// What it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u64>,
        /// What it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<u64>,
        /// By how much it changed, where only that is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<u64>,
        /// Of what, in the document's words.
        of: String,
    },
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Percent {
                value,
                value_max: Some(most),
            } => write!(f, "{value}-{most} %"),
            Said::Percent { value, .. } => write!(f, "{value} %"),
            Said::Ratio { passed, total } => write!(f, "{passed}/{total}"),
            Said::Mark { mark } => write!(f, "{}", mark.word()),
            Said::Count { count, of } => write!(f, "{count} {of}"),
            Said::Delta { from, to, by, of } => {
                let number = |number: &Option<u64>| number.map(|number| number.to_string());
                let ends = [number(from), number(to)].map(Option::unwrap_or_default);
                match by {
                    Some(by) if from.is_none() => write!(f, "{by} {of} fewer"),
                    _ => write!(f, "{} -> {} {of}", ends[0], ends[1]),
                }
            }
        }
    }
}

/// A state without a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// All of it is done and works.
    Done,
    /// Some of it is.
    Partial,
    /// It is not.
    NotDone,
}

impl Mark {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Mark::Done => "done",
            Mark::Partial => "partial",
            Mark::NotDone => "not done",
        }
    }
}

/// The time that a claim speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tense {
    /// How it is.
    #[default]
    Now,
    /// How it was ("Before: 60%").
    Past,
    /// How it is to be ("Target: 95%").
    Goal,
}

/// A claim and what the evidence makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// Who says what, and where.
    #[serde(flatten)]
    pub found: Found,
    /// The component that it is held against; none for the whole, and where nothing is known by its name.
    #[serde(default)]
    pub component: Option<String>,
    /// The check that it is held against, where it is about a single one.
    #[serde(default)]
    pub check: Option<String>,
    /// What the evidence makes of it; none where it does not speak of how things are now.
    pub state: Option<ClaimState>,
    /// The verified figure, in percent; none where it is held against no figure.
    pub verified: Option<f64>,
    /// The checks that say so.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Why it is in that state, in words.
    #[serde(default)]
    pub why: String,
}

impl Claim {
    /// Where it stands, what it says and what the evidence says to that.
    pub fn words(&self) -> String {
        let (place, said) = (self.found.place(), self.found.words());
        match self.why.is_empty() {
            true => format!("{place} says {said}"),
            false => format!("{place} says {said}: {}", self.why),
        }
    }
}

/// What the evidence makes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// It says less than what is verified.
    Unclaimed,
}

impl ClaimState {
    /// All of them, the worst first.
    pub const ALL: [ClaimState; 5] = [
        ClaimState::Contradicted,
        ClaimState::Unproved,
        ClaimState::Unbacked,
        ClaimState::Unclaimed,
        ClaimState::Backed,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            ClaimState::Backed => "backed",
            ClaimState::Contradicted => "contradicted",
            ClaimState::Unproved => "unproved",
            ClaimState::Unbacked => "unbacked",
            ClaimState::Unclaimed => "unclaimed",
        }
    }
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
}
