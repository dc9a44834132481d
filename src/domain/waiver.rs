//! An accepted risk: it unblocks a gate, and never raises a score.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Source;
use super::ratio;
use super::verdict::Judgement;

/// An accepted risk for one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Where it was declared.
    #[serde(default)]
    pub source: Source,
}

/// What a waiver does today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It exempts its check.
    InForce,
    /// Its last day is past.
    Expired,
    /// Its check holds without it, or no gate would be closed for it.
    Needless,
    /// Its check fell below what it accepts.
    Exceeded,
}

impl Waiver {
    /// The days from `today` to its last one; negative where that is past.
    pub fn days_left(&self, today: Date) -> i32 {
        // Between dates there are never more days than an i32 counts.
        today.until(self.expires).map_or(0, |span| span.get_days())
    }

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

/// Whether a waiver in force exempts the check of that id.
pub(super) fn is_waived(
    waivers: &[Waiver],
    check: &str,
    judgement: &Judgement,
    today: Date,
) -> bool {
    let mut own = waivers.iter().filter(|waiver| waiver.check == check);
    own.any(|waiver| waiver.state(judgement, today) == WaiverState::InForce)
}
