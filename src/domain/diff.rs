//! How two reports differ, and what each difference did to the verified score.
//!
//! The differences are applied to the first report one after the other, in this order, and within each step by the ids of
//! the checks; what the score changes by at each is that part's share. So the parts add up to the whole, exactly:
//!
//! 1. check set: checks that vanished, that appeared (with all that is known of them), that apply now or no longer, that
//!    are optional now or no longer;
//! 2. weights: caps, weights of checks, levels of checks, the components that they count for, components that appeared or
//!    vanished without checks, weights of components, and what is enough for them;
//! 3. tools that went missing or came: a reason of tool-missing, wrong-platform or cannot-tell on one side;
//! 4. staleness: a reason of stale, not-run, needs-failed or interrupted on one side;
//! 5. results: every other change of a verdict or its credit;
//! 6. waivers, which never change a score.
//!
//! Another order would share out differently where two changes meet; this one is the same every time.

mod model;
mod walk;

use std::fmt;

use jiff::Timestamp;
use num_traits::Signed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::model::Model;
use self::walk::{Pairs, Walk};
use super::ratio::{self, Ratio};
use super::report::{Report, fraction};

/// How one report became another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The earlier one.
    pub from: Side,
    /// The later one.
    pub to: Side,
    /// What the verified score changed by, in points, rounded toward zero.
    pub points: f64,
    /// The same, as an exact fraction of 1.
    #[serde(with = "fraction")]
    #[schemars(with = "String")]
    pub exact: Ratio,
    /// Every difference; the largest change first, then in the order of the steps.
    pub parts: Vec<Part>,
}

/// One of the two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The run that it is about; none where it was put together from recorded evidence.
    pub run: Option<String>,
    /// When that began; else when it was put together.
    pub at: Timestamp,
    /// The git commit.
    pub commit: Option<String>,
    /// Percent, rounded toward zero.
    pub verified: f64,
    /// The same, as an exact fraction of 1.
    #[serde(with = "fraction")]
    #[schemars(with = "String")]
    pub exact: Ratio,
}

/// One difference and its share of the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which step it belongs to.
    pub kind: Kind,
    /// The check that it is about.
    pub check: Option<String>,
    /// The component that it is about, where it is about no check.
    pub component: Option<String>,
    /// What changed.
    pub what: What,
    /// What it was, in words.
    pub from: Option<String>,
    /// What it is, in words.
    pub to: Option<String>,
    /// Whether the check asks something else than it did.
    #[serde(default)]
    pub redefined: bool,
    /// Where it went.
    pub direction: Direction,
    /// Its share of the change, in points, rounded toward zero.
    pub points: f64,
    /// The same, as an exact fraction of 1.
    #[serde(with = "fraction")]
    #[schemars(with = "String")]
    pub exact: Ratio,
}

/// The steps, in order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Which checks count.
    CheckSet,
    /// How much what counts for.
    Weights,
    /// Tools that went missing or came.
    Tools,
    /// Evidence that went stale, or was had again.
    Staleness,
    /// What came of the checks.
    Results,
    /// Accepted risks.
    Waivers,
}

impl Kind {
    /// The words in reports.
    pub fn words(self) -> &'static str {
        match self {
            Kind::CheckSet => "check set",
            Kind::Weights => "weights",
            Kind::Tools => "tools",
            Kind::Staleness => "staleness",
            Kind::Results => "results",
            Kind::Waivers => "waivers",
        }
    }
}

/// What changed about a check or a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new; `to` is its verdict.
    Appeared,
    /// It is gone; `from` is its verdict.
    Vanished,
    /// Whether it applies.
    Applies,
    /// Whether it is optional.
    Optional,
    /// The cap of a level; the level stands where a component would.
    Cap,
    /// Its weight.
    Weight,
    /// The strength of its evidence.
    Level,
    /// The component that it counts for.
    Component,
    /// The level that is enough for the component.
    Enough,
    /// The verdict, its credit or the reason why there is none.
    Verdict,
    /// Its waiver.
    Waiver,
}

/// Where a part went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A check that was not there before.
    Appeared,
    /// A check that is no longer there.
    Vanished,
    /// It raised the score.
    Rose,
    /// It lowered the score.
    Fell,
    /// The score is what it was.
    Same,
}

/// A report whose figures do not follow from its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "its score does not follow from its checks: it was edited, or is from a `ready` that kept no exact fractions",
        )
    }
}

impl std::error::Error for Mismatch {}

/// The verified score of a report as an exact fraction of 1, from its rows; 0 where nothing counts.
///
/// # Errors
/// It is not the score that the report says.
pub fn verified(report: &Report) -> Result<Ratio, Mismatch> {
    let verified = Model::of(report).verified();
    let said = report.score.verified;
    match (ratio::to_percent(&verified) - said).abs() < 1e-9 {
        true => Ok(verified),
        false => Err(Mismatch),
    }
}

impl Diff {
    /// How one report became the other.
    ///
    /// # Errors
    /// The figures of one of them do not follow from its rows.
    pub fn between(from: &Report, to: &Report) -> Result<Diff, Mismatch> {
        let (before, after) = (verified(from)?, verified(to)?);
        let mut walk = Walk {
            model: Model::of(from),
            verified: before.clone(),
            parts: vec![],
        };
        let pairs = Pairs::of(from, to);
        walk.check_set(&pairs);
        walk.weights(&pairs, &from.caps, &to.caps);
        for kind in [Kind::Tools, Kind::Staleness, Kind::Results] {
            walk.verdicts(&pairs, kind);
        }
        walk.waivers(&from.waivers, &to.waivers);
        let mut parts = walk.parts;
        parts.sort_by_key(|part| std::cmp::Reverse(part.exact.abs()));
        let change = &after - &before;
        Ok(Diff {
            from: side(from, before),
            to: side(to, after),
            points: ratio::to_percent(&change),
            exact: change,
            parts,
        })
    }
}

fn side(report: &Report, verified: Ratio) -> Side {
    let run = report.run.as_ref();
    Side {
        run: run.map(|run| run.id.clone()),
        at: run.map_or(report.generated, |run| run.started),
        commit: run.and_then(|run| run.commit.clone()),
        verified: ratio::to_percent(&verified),
        exact: verified,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
