//! The way to ready: what to mend, in which order, what it gains, and when the gate opens. Computed with the rest of the
//! report; only estimates that the manifest states (`fix.takes`) are used, none is made up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The check that holds afterwards.
    pub check: String,
    /// Why it is in the plan.
    pub stage: Stage,
    /// Whether the gate cannot open without it.
    pub must: bool,
    /// The points by which it raises the verified score at its place in the plan.
    pub gain: f64,
    /// The estimated time, in whole minutes as seconds.
    pub takes_s: f64,
    /// How it is mended; none for what could not be looked at, which is no failure yet.
    #[serde(default)]
    pub how: Option<String>,
    /// The verified score after it, in percent.
    pub verified: f64,
    /// The time of it and all before it, in seconds.
    pub elapsed_s: f64,
    /// Whether the gate opens with it.
    pub opens: bool,
}

/// Why a step is in the plan.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The gate names it, or something that is named needs it.
    Must,
    /// One of the cheapest set that opens the gate.
    Cheapest,
    /// Not needed for the gate; in order of points for each minute.
    More,
}

/// What a plan leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    /// The gate that is to open.
    pub gate: String,
    /// Whether it is open as it is.
    pub open: bool,
    /// Whether the plan opens it.
    pub opens: bool,
    /// Whether it was proved that nothing cheaper opens it.
    pub minimal: bool,
    /// The time until it opens, in seconds; none where it does not.
    pub takes_s: Option<f64>,
    /// The time of all that is planned, in seconds.
    pub all_takes_s: f64,
    /// The verified score after all that is planned, in percent.
    pub all_verified: f64,
    /// What cannot be planned, and why.
    pub unplannable: Vec<Unplannable>,
    /// Why the gate stays closed whatever of the plan is done.
    pub beyond: Vec<String>,
}

/// A check that is not verified and that no plan can count on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unplannable {
    /// Which.
    pub check: String,
    /// Why.
    pub why: String,
}
