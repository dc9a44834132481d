//! The plan: what must be mended, the cheapest set of further fixes that opens the gate, then the best points for each
//! minute.
//!
//! A fix of a check makes it verified, and with it whatever it needs. The cheapest set is exact: for the components that
//! needs tie together, all sets of fixes of which none is cheaper and better than another (a component's score follows from
//! what is earned at each level and what is missing, so these are compared); then the same over all components, minutes
//! against the whole. Shares of the whole are compared in units of 2⁻⁸⁰, and whoever comes within their sum of the bound is
//! judged by the gate itself. Where a front had to be cut, the plan says that it is not proved minimal.

mod front;
mod knapsack;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Zero;

use self::knapsack::Knapsack;
use self::rest::Rest;
use super::super::check::Probe;
use super::super::gate::{Gate, GateState};
use super::super::plan::{Stage, Step, Unplannable, Way};
use super::super::ratio::{self, Ratio};
use super::super::verdict::{Judgement, Verdict};
use super::super::waiver::is_waived;
use super::{Figures, Judging, needs_of_recorded};

/// What to do until a gate opens, and further.
pub(super) fn plan(
    judging: &Judging<'_>,
    gate: &Gate,
    state: &GateState,
    figures: &Figures,
) -> (Vec<Step>, Way) {
    Planner::new(judging, gate, figures).plan(state)
}

/// The most minutes that a fix is planned with, so that sums of them stay numbers.
const LONGEST: u64 = 1 << 40;

struct Planner<'a> {
    judging: &'a Judging<'a>,
    gate: &'a Gate,
    /// As things are.
    figures: &'a Figures,
    /// The minutes that each check takes which can be mended.
    minutes: BTreeMap<usize, u64>,
    /// By check: those that it needs, directly or not, and that do not hold.
    needs: Vec<BTreeSet<usize>>,
    unplannable: Vec<Unplannable>,
}

impl<'a> Planner<'a> {
    fn new(judging: &'a Judging<'a>, gate: &'a Gate, figures: &'a Figures) -> Planner<'a> {
        let mut planner = Planner {
            judging,
            gate,
            figures,
            minutes: BTreeMap::new(),
            needs: open_needs(judging),
            unplannable: vec![],
        };
        let checks = &judging.project.checks;
        let open = (0..checks.len())
            .filter(|at| judging.counts(*at) && judging.verdict(*at) != Verdict::Verified)
            .collect::<Vec<_>>();
        // What does not count by itself may be needed by what does.
        let needed = open.iter().flat_map(|at| &planner.needs[*at]).copied();
        let open = needed.chain(open.iter().copied()).collect::<BTreeSet<_>>();
        let mut lacking: BTreeMap<usize, String> = BTreeMap::new();
        for at in &open {
            let why = match (&checks[*at].probe, checks[*at].fix.takes) {
                // Once what it needs is mended, what is known of it counts again.
                _ if judging.alone[*at].verdict == Verdict::Verified => {
                    planner.minutes.insert(*at, 0);
                    continue;
                }
                (Probe::Manual(_), _) => "only a check verifies what a person says",
                (_, None) => "`fix.takes` does not say how long it takes",
                (_, Some(takes)) => {
                    let minutes = takes.as_millis().div_ceil(60_000);
                    planner
                        .minutes
                        .insert(*at, u64::try_from(minutes).unwrap_or(u64::MAX).min(LONGEST));
                    continue;
                }
            };
            lacking.insert(*at, why.to_string());
        }
        // What needs something that cannot be planned cannot be either.
        for at in &open {
            let unplanned = planner.needs[*at]
                .iter()
                .find(|need| !planner.minutes.contains_key(need) || lacking.contains_key(need));
            if let (Some(need), false) = (unplanned, lacking.contains_key(at)) {
                lacking.insert(
                    *at,
                    format!("it needs {}, which cannot be planned", checks[*need].id),
                );
            }
        }
        for (at, why) in lacking {
            planner.minutes.remove(&at);
            let check = checks[at].id.clone();
            planner.unplannable.push(Unplannable { check, why });
        }
        planner
    }

    /// A set with all that it needs.
    fn closed(&self, set: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let set = set.into_iter();
        set.flat_map(|at| self.needs[at].iter().copied().chain([at]))
            .collect()
    }

    fn total(&self, set: &BTreeSet<usize>) -> u64 {
        set.iter().filter_map(|at| self.minutes.get(at)).sum()
    }

    /// The gate with these mended.
    fn decided(&self, fixed: &BTreeSet<usize>) -> (GateState, Figures) {
        let judgements = self.judging.mended(fixed);
        let mut figures = self
            .judging
            .figures(&judgements, std::slice::from_ref(self.gate));
        (figures.states.remove(0), figures)
    }

    fn opens(&self, fixed: &BTreeSet<usize>) -> bool {
        self.decided(fixed).0.open
    }

    fn plan(mut self, state_now: &GateState) -> (Vec<Step>, Way) {
        let all = self.minutes.keys().copied().collect::<BTreeSet<_>>();
        // Where nothing can be mended, all stays as it is.
        let (state_then, all_verified) = match all.is_empty() {
            true => (state_now.clone(), overall(self.figures)),
            false => {
                let (state, figures) = self.decided(&all);
                let verified = overall(&figures);
                (state, verified)
            }
        };
        let mut must = self.musts();
        must.retain(|at| all.contains(at));
        // Partial evidence that comes back with what its check needs is not among what is weighed.
        let mut hidden = (0..self.needs.len()).filter(|at| self.judging.is_hidden(*at));
        let hidden = hidden.any(|at| self.judging.alone[at].verdict != Verdict::Verified);
        let mut minimal = true;
        let mut needed = BTreeSet::new();
        if !state_now.open && state_then.open {
            (needed, minimal) = self.cheapest(&must, &all);
        }
        let beyond = match state_then.open {
            true => vec![],
            false => state_then
                .reasons
                .iter()
                .map(|reason| format!("{}: {}", reason.rule, reason.text))
                .collect(),
        };
        if state_now.open {
            must.clear();
        }
        let steps = self.steps(&must, &needed, &all, state_now.open, hidden);
        let opened = steps
            .iter()
            .find(|step| step.opens)
            .map(|step| step.elapsed_s);
        let way = Way {
            gate: self.gate.name.clone(),
            open: state_now.open,
            opens: opened.is_some(),
            minimal: minimal && !hidden && opened.is_some(),
            takes_s: opened,
            all_takes_s: seconds(self.total(&all)),
            all_verified: ratio::to_percent(&all_verified),
            unplannable: std::mem::take(&mut self.unplannable),
            beyond,
        };
        (steps, way)
    }

    /// What the gate names and does not accept as it is, with all that it needs.
    fn musts(&self) -> BTreeSet<usize> {
        let (judging, gate) = (self.judging, self.gate);
        let named = |at: &usize| {
            let (check, judgement) = (&judging.project.checks[*at], &judging.judgements[*at]);
            let rule = gate.rule_on(check);
            let wanted = rule.is_some_and(|rule| !Gate::accepts(rule, judgement));
            let base = judging.base(gate);
            let held = base.is_some_and(|base| base.held.contains(&check.id));
            (wanted && !self.waived(*at)) || (held && !judgement.holds())
        };
        let counting = (0..judging.project.checks.len()).filter(|at| judging.counts(*at));
        self.closed(counting.filter(named))
    }

    fn waived(&self, at: usize) -> bool {
        let (judging, id) = (self.judging, &self.judging.project.checks[at].id);
        let waivers = &judging.project.waivers;
        is_waived(waivers, id, &judging.judgements[at], judging.today)
    }

    /// The cheapest set that opens the gate, the musts among it, and whether nothing cheaper does.
    fn cheapest(&self, must: &BTreeSet<usize>, all: &BTreeSet<usize>) -> (BTreeSet<usize>, bool) {
        if self.opens(must) {
            return (must.clone(), true);
        }
        let knapsack = Knapsack::new(self, must);
        let (front, sets) = knapsack.solve();
        let mut sure = front.complete;
        for state in &front.states {
            let set = must
                .iter()
                .copied()
                .chain(sets.members(state.set))
                .collect::<BTreeSet<_>>();
            if !knapsack.may_reach(state) {
                continue;
            }
            if self.opens(&set) {
                return (set, sure);
            }
            // It comes as near as units tell, and the gate says no: another set of the same cost may do.
            sure = false;
        }
        // What no figure tells (a claim that is contradicted) is left to the gate: what it still names is mended.
        let mut set = must.clone();
        loop {
            let (state, _) = self.decided(&set);
            if state.open {
                return (set, false);
            }
            let named = state
                .reasons
                .iter()
                .filter_map(|reason| reason.check.as_deref());
            let named = named.filter_map(|id| {
                all.iter()
                    .find(|at| self.judging.project.checks[**at].id == *id)
            });
            let more = self
                .closed(named.copied())
                .into_iter()
                .find(|at| !set.contains(at));
            let next = more.or_else(|| self.best_next(&set, all));
            match next {
                Some(next) => set.extend(self.closed([next])),
                None => return (set, false),
            }
        }
    }

    /// What gains most for each minute, of what is left and needs nothing that is.
    fn best_next(&self, done: &BTreeSet<usize>, all: &BTreeSet<usize>) -> Option<usize> {
        Rest::new(self, done).best(all, done)
    }

    /// The steps in their order, each with what it gains there.
    fn steps(
        &self,
        must: &BTreeSet<usize>,
        needed: &BTreeSet<usize>,
        all: &BTreeSet<usize>,
        open: bool,
        hidden: bool,
    ) -> Vec<Step> {
        let mut steps = vec![];
        let mut done = BTreeSet::new();
        let mut elapsed = 0;
        let mut opened = open;
        let needs_more = needed.difference(must).copied().collect::<BTreeSet<_>>();
        let rest = all
            .iter()
            .copied()
            .filter(|at| !must.contains(at) && !needed.contains(at))
            .collect::<BTreeSet<_>>();
        let mut rated = Rest::new(self, &done);
        let mut verified = rated.overall();
        for (stage, of) in [
            (Stage::Must, must),
            (Stage::Cheapest, &needs_more),
            (Stage::More, &rest),
        ] {
            let mut left = of.clone();
            while !left.is_empty() {
                let next = match stage {
                    Stage::Must => self.first_must(&left, &done),
                    Stage::Cheapest | Stage::More => rated.best(&left, &done),
                };
                let Some(at) = next.or_else(|| left.first().copied()) else {
                    break;
                };
                left.remove(&at);
                done.insert(at);
                rated.mend(at);
                let minutes = self.minutes.get(&at).copied().unwrap_or(0);
                elapsed += minutes;
                let after = match hidden {
                    true => overall(&self.decided(&done).1),
                    false => rated.overall(),
                };
                let opens = !opened
                    && stage != Stage::More
                    && left_to_open(&left, stage, &needs_more, needed)
                    && self.opens(&done);
                opened |= opens;
                let check = &self.judging.project.checks[at];
                steps.push(Step {
                    check: check.id.clone(),
                    stage,
                    must: stage == Stage::Must,
                    gain: ratio::to_percent(&(&after - &verified)),
                    takes_s: seconds(minutes),
                    how: check.fix.advice(self.judging.verdict(at)),
                    verified: ratio::to_percent(&after),
                    elapsed_s: seconds(elapsed),
                    opens,
                });
                verified = after;
            }
        }
        steps
    }

    /// Of what must be done and needs nothing that is left: the most pressing, then the quickest.
    fn first_must(&self, left: &BTreeSet<usize>, done: &BTreeSet<usize>) -> Option<usize> {
        let ready = left
            .iter()
            .copied()
            .filter(|at| self.needs[*at].is_subset(done));
        let urgency = |at: &usize| {
            let check = &self.judging.project.checks[*at];
            let priority = check.priority.map_or(1, |priority| priority as u8);
            (
                priority,
                check.risk.is_none(),
                self.minutes.get(at).copied(),
                *at,
            )
        };
        ready.min_by_key(urgency)
    }
}

/// Whether nothing that is known to be needed is left, so that the gate may open now.
fn left_to_open(
    left: &BTreeSet<usize>,
    stage: Stage,
    more: &BTreeSet<usize>,
    needed: &BTreeSet<usize>,
) -> bool {
    !needed.is_empty() && left.is_empty() && (stage == Stage::Cheapest || more.is_empty())
}

/// The verified share of the whole.
fn overall(figures: &Figures) -> Ratio {
    let standing = figures.whole.standing.as_ref();
    standing.map_or(Ratio::zero(), |standing| standing.verified.clone())
}

fn seconds(minutes: u64) -> f64 {
    minutes as f64 * 60.0
}

/// By check: those that it needs, directly or not, and that do not hold.
fn open_needs(judging: &Judging<'_>) -> Vec<BTreeSet<usize>> {
    let checks = &judging.project.checks;
    let places = checks
        .iter()
        .enumerate()
        .map(|(at, check)| (check.id.as_str(), at));
    let place = places.collect::<BTreeMap<_, _>>();
    let direct = |at: usize| {
        let needs = checks[at]
            .needs
            .iter()
            .filter_map(|need| place.get(need.as_str()).copied());
        needs.collect::<Vec<_>>()
    };
    let open = |at: &usize| judging.seen[*at].applicable && !judging.judgements[*at].holds();
    (0..checks.len())
        .map(|at| {
            let (mut found, mut next) = (BTreeSet::new(), direct(at));
            while let Some(need) = next.pop() {
                if open(&need) && found.insert(need) {
                    next.extend(direct(need));
                }
            }
            found
        })
        .collect()
}

impl Judging<'_> {
    /// The judgements where these were mended: what only lacked one of them counts again.
    fn mended(&self, fixed: &BTreeSet<usize>) -> Vec<Judgement> {
        let alone = self.alone.iter().enumerate();
        let mended = alone.map(|(at, judgement)| match fixed.contains(&at) {
            true => Judgement::mended(),
            false => judgement.clone(),
        });
        let mut mended = mended.collect::<Vec<_>>();
        needs_of_recorded(self.project, self.seen, &mut mended);
        mended
    }

    /// Whether evidence of a check says something that does not count for want of what it needs.
    fn is_hidden(&self, at: usize) -> bool {
        let (alone, here) = (&self.alone[at], &self.judgements[at]);
        alone.credit != here.credit && alone.credit > here.credit
    }

    /// Whether a check counts: it applies, and is not optional.
    fn counts(&self, at: usize) -> bool {
        self.seen[at].applicable && !self.project.checks[at].optional
    }

    fn verdict(&self, at: usize) -> Verdict {
        self.judgements[at].verdict
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
