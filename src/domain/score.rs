//! Components and overall: exact fractions from judged checks. Only evidence raises a score.
//!
//! Over the applicable checks of a component let `earned(L)` be the weight·credit of those at level `L` or stronger, and
//! `missing` the weight·(1 − credit) of all. At each level the component reaches `earned(L) / (earned(L) + missing)`,
//! capped by the level's cap; `verified` is the best of these. Weak passes neither pad nor dilute stronger evidence, weak
//! misses still cost. `ceiling` is the same with potential in place of credit.

use num_traits::{One, Zero};

use super::level::{Caps, Level};
use super::ratio::{self, Ratio, Total};

/// A judged check as the score sees it.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// > 0.
    pub weight: Ratio,
    /// 0 to 1.
    pub credit: Ratio,
    /// `credit` to 1.
    pub potential: Ratio,
    /// The strength of its evidence.
    pub level: Level,
    /// Whether a person's word stands for it.
    pub attested: bool,
}

/// What a component, a group or the whole reaches; fractions of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Borne by evidence.
    pub verified: Ratio,
    /// What it would be if all that is unverified held.
    pub ceiling: Ratio,
    /// The share of the weight that a person's word stands for.
    pub attested: Ratio,
}

/// What a component reaches, and by which evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentStanding {
    /// The three figures.
    pub standing: Standing,
    /// The level that carries `verified`; none where nothing does.
    pub level: Option<Level>,
    /// The level whose cap holds `verified` down.
    pub capped: Option<Level>,
}

/// The standing of a component from its applicable checks. Without any, nothing is verified and all is possible.
pub fn component(checks: &[Weighed], caps: &Caps, enough: Option<Level>) -> ComponentStanding {
    let cap = |level: Level| cap(caps, enough, level);
    let by_credit = best(checks, |check| &check.credit, cap);
    let by_potential = best(checks, |check| &check.potential, cap);
    let weight = ratio::sum(checks.iter().map(|check| &check.weight));
    let attested = checks.iter().filter(|check| check.attested);
    let attested = ratio::sum(attested.map(|check| &check.weight));
    ComponentStanding {
        standing: Standing {
            verified: by_credit.reached,
            ceiling: if checks.is_empty() {
                Ratio::one()
            } else {
                by_potential.reached
            },
            attested: if weight.is_zero() {
                Ratio::zero()
            } else {
                ratio::over(&attested, &weight)
            },
        },
        level: by_credit.level,
        capped: by_credit.capped,
    }
}

struct Best {
    reached: Ratio,
    level: Option<Level>,
    capped: Option<Level>,
}

/// `cap` is in percent.
fn best(
    checks: &[Weighed],
    share: impl Fn(&Weighed) -> &Ratio,
    cap: impl Fn(Level) -> f64,
) -> Best {
    let mut sums = Sums::default();
    for check in checks {
        sums.add(&check.weight, share(check), check.level);
    }
    sums.best(cap)
}

/// What a component's checks have earned at each level and what all of them miss: what its score follows from, however
/// many they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// In the order of [`Level::ALL`].
    earned: [Ratio; Level::ALL.len()],
    missing: Ratio,
}

impl Sums {
    /// Counts a check of that weight which earns that share of it.
    pub(super) fn add(&mut self, weight: &Ratio, share: &Ratio, level: Level) {
        for (earned, of) in self.earned.iter_mut().zip(Level::ALL) {
            if of == level && !share.is_zero() {
                *earned += ratio::times(weight, share);
            }
        }
        if !share.is_one() {
            self.missing += ratio::times(weight, &(Ratio::one() - share));
        }
    }

    /// Counts as earned what a check of that level lacked.
    pub(super) fn mend(&mut self, gain: &Ratio, level: Level) {
        for (earned, of) in self.earned.iter_mut().zip(Level::ALL) {
            if of == level {
                *earned += gain;
            }
        }
        self.missing -= gain;
    }

    /// What the checks reach together, 0 to 1, and the level that carries it.
    pub(super) fn carried(&self, caps: &Caps, enough: Option<Level>) -> (Ratio, Option<Level>) {
        let best = self.best(|level| cap(caps, enough, level));
        (best.reached, best.level)
    }

    /// What the checks reach together, 0 to 1.
    pub(super) fn reached(&self, caps: &Caps, enough: Option<Level>) -> Ratio {
        self.best(|level| cap(caps, enough, level)).reached
    }

    fn best(&self, cap: impl Fn(Level) -> f64) -> Best {
        let mut best = Best {
            reached: Ratio::zero(),
            level: None,
            capped: None,
        };
        let (mut earned, mut highest) = (Ratio::zero(), 0.0);
        for (level, here) in Level::ALL.into_iter().zip(&self.earned) {
            let cap = cap(level);
            // Nothing is earned beyond what a stronger level did, and the cap is no higher than there: it reaches no more.
            if here.is_zero() && (earned.is_zero() || cap <= highest) {
                continue;
            }
            match earned.is_zero() {
                true => earned.clone_from(here),
                false => earned += here,
            }
            highest = cap;
            let cap = ratio::percent(cap);
            let uncapped = match self.missing.is_zero() {
                true => None,
                false => Some(&earned / (&earned + &self.missing)).filter(|share| *share <= cap),
            };
            let capped = match uncapped {
                Some(_) => false,
                None => !(self.missing.is_zero() && cap.is_one()),
            };
            let reached = uncapped.unwrap_or(cap);
            let is_more = match best.level {
                Some(_) => reached > best.reached,
                None => !reached.is_zero(),
            };
            if is_more {
                best = Best {
                    reached,
                    level: Some(level),
                    capped: capped.then_some(level),
                };
            }
        }
        best
    }
}

/// The cap of a level in percent, in a component for which a level may be all there is to know.
fn cap(caps: &Caps, enough: Option<Level>, level: Level) -> f64 {
    match enough {
        Some(enough) if level >= enough => 100.0,
        _ => caps.percent(level),
    }
}

/// The weighted mean of several standings; none where there are none.
pub fn mean<'a>(parts: impl IntoIterator<Item = (&'a Ratio, &'a Standing)>) -> Option<Standing> {
    let mut weights = Total::default();
    let mut sums: [Total; 3] = Default::default();
    for (weight, part) in parts {
        let shares = [&part.verified, &part.ceiling, &part.attested];
        for (sum, share) in sums.iter_mut().zip(shares) {
            sum.add(&ratio::times(weight, share));
        }
        weights.add(weight);
    }
    let weights = weights.ratio();
    let mean = |sum: Total| ratio::over(&sum.ratio(), &weights);
    (!weights.is_zero()).then(|| {
        let [verified, ceiling, attested] = sums.map(mean);
        Standing {
            verified,
            ceiling,
            attested,
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
