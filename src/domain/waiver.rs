//! An accepted risk: it unblocks a gate, and never raises a score.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ratio;
use super::verdict::Judgement;

/// An accepted risk for one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiver {
    /// The check that it exempts.
    pub check: String,
    /// Who accepts the risk.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it works.
    pub expires: Date,
    /// The credit (0 to 1) below which it does not work.
    pub down_to: Option<f64>,
}

/// What a waiver does today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It exempts its check.
    InForce,
    /// Its last day is past.
    Expired,
    /// Its check holds without it, or counts for no gate.
    Needless,
    /// Its check fell below what it accepts.
    Exceeded,
}

impl Waiver {
    /// What the waiver does on `today` for a check that was judged so.
    pub fn state(&self, judgement: &Judgement, today: Date) -> WaiverState {
        if today > self.expires {
            WaiverState::Expired
        } else if judgement.holds() {
            WaiverState::Needless
        } else if self
            .down_to
            .is_some_and(|floor| judgement.credit < ratio::decimal(floor))
        {
            WaiverState::Exceeded
        } else {
            WaiverState::InForce
        }
    }
}
