//! The plan: what must be mended, the cheapest set of further fixes that opens the gate, then the best points for each
//! minute.
//!
//! A fix of a check makes it verified, and with it whatever it needs. The cheapest set is exact: for the components that
//! needs tie together, all sets of fixes of which none is cheaper and better than another (a component's score follows from
//! what is earned at each level and what is missing, so these are compared); then the same over all components, minutes
//! against the whole. Shares of the whole are compared in units of 2⁻⁸⁰, and whoever comes within their sum of the bound is
//! judged by the gate itself. Where a front had to be cut, the plan says that it is not proved minimal.

mod front;

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{One, Signed, ToPrimitive, Zero};

use self::front::{Front, Sets, State, units};
use super::super::check::{Blocking, Probe};
use super::super::gate::{DEFAULT, Gate, GateState};
use super::super::level::Level;
use super::super::plan::{Stage, Step, Unplannable, Way};
use super::super::ratio::{self, Ratio};
use super::super::verdict::{Judgement, Verdict};
use super::super::waiver::WaiverState;
use super::{Figures, Judging, needs_of_recorded};

/// Larger sets of checks that need each other are mended as a whole.
const MOST_NEEDING: usize = 10;

/// What to do until a gate opens, and further.
pub(super) fn plan(
    judging: &Judging<'_>,
    gate: &Gate,
    state: &GateState,
    figures: &Figures,
) -> (Vec<Step>, Way) {
    Planner::new(judging, gate, figures).plan(state)
}

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
                        .insert(*at, u64::try_from(minutes).unwrap_or(u64::MAX / 1_000));
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
            let blocks = match &check.blocking {
                Blocking::No => false,
                Blocking::Default => gate.name == DEFAULT,
                Blocking::Gates(names) => names.contains(&gate.name),
            };
            let by_name = gate.require.contains(&check.id) || blocks;
            let held = judging
                .base(gate)
                .is_some_and(|base| base.held.contains(&check.id));
            let waived = self.waived(*at);
            (by_name && !judgement.holds() && !waived)
                || (gate.every_check && !judgement.stands() && !waived)
                || (held && !judgement.holds())
        };
        let counting = (0..judging.project.checks.len()).filter(|at| judging.counts(*at));
        self.closed(counting.filter(named))
    }

    fn waived(&self, at: usize) -> bool {
        let (judging, judgement) = (self.judging, &self.judging.judgements[at]);
        let id = &judging.project.checks[at].id;
        let mut waivers = judging.project.waivers.iter();
        waivers.any(|waiver| {
            waiver.check == *id && waiver.state(judgement, judging.today) == WaiverState::InForce
        })
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
        Rest::new(self, done).best(all, done).map(|(at, _)| at)
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
                    Stage::Cheapest | Stage::More => rated.best(&left, &done).map(|(at, _)| at),
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
                    how: check.fix.how.clone(),
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

/// The components with what is mended so far.
struct Rest<'p, 'a> {
    planner: &'p Planner<'a>,
    /// Of each component: what is earned at each level and stronger, and what is missing.
    earned: Vec<[Ratio; Level::ALL.len()]>,
    missing: Vec<Ratio>,
    scores: Vec<Ratio>,
    weights: Ratio,
}

impl<'p, 'a> Rest<'p, 'a> {
    fn new(planner: &'p Planner<'a>, done: &BTreeSet<usize>) -> Rest<'p, 'a> {
        let rated = &planner.figures.rated;
        let mut rest = Rest {
            planner,
            earned: rated.iter().map(|_| Default::default()).collect(),
            missing: rated.iter().map(|_| Ratio::zero()).collect(),
            scores: vec![],
            weights: rated
                .iter()
                .filter(|rated| rated.applicable)
                .map(|rated| rated.weight.clone())
                .sum(),
        };
        let judging = planner.judging;
        for (component, rated) in rated.iter().enumerate() {
            for at in rated.checks.iter().filter(|at| judging.counts(**at)) {
                let (check, judgement) = (&judging.project.checks[*at], &judging.judgements[*at]);
                let weight = ratio::decimal(check.weight);
                let credit = match done.contains(at) {
                    true => Ratio::one(),
                    false => judgement.credit.clone(),
                };
                for (earned, level) in rest.earned[component].iter_mut().zip(Level::ALL) {
                    if check.level >= level {
                        *earned += &weight * &credit;
                    }
                }
                rest.missing[component] += &weight * (Ratio::one() - &credit);
            }
        }
        rest.scores = (0..rated.len())
            .map(|component| rest.score(component, None))
            .collect();
        rest
    }

    /// What a check still gains in its component; nothing where it does not count.
    fn gain(&self, at: usize) -> Ratio {
        let judging = self.planner.judging;
        match judging.counts(at) {
            true => {
                let weight = ratio::decimal(judging.project.checks[at].weight);
                weight * (Ratio::one() - &judging.judgements[at].credit)
            }
            false => Ratio::zero(),
        }
    }

    /// The score of a component, with one further check mended.
    fn score(&self, component: usize, and: Option<usize>) -> Ratio {
        let gain = and.map(|at| (self.gain(at), self.planner.judging.project.checks[at].level));
        let rated = &self.planner.figures.rated[component];
        let caps = &self.planner.judging.project.caps;
        let missing = match &gain {
            Some((gain, _)) => &self.missing[component] - gain,
            None => self.missing[component].clone(),
        };
        let mut best = Ratio::zero();
        for (earned, level) in self.earned[component].iter().zip(Level::ALL) {
            let earned = match &gain {
                Some((gain, of)) if *of >= level => earned + gain,
                _ => earned.clone(),
            };
            best = best.max(reached(
                &earned,
                &missing,
                level,
                rated.component.enough,
                caps,
            ));
        }
        best
    }

    fn component_of(&self, at: usize) -> Option<usize> {
        self.planner
            .figures
            .rated
            .iter()
            .position(|rated| rated.checks.contains(&at))
    }

    fn mend(&mut self, at: usize) {
        let Some(component) = self.component_of(at) else {
            return;
        };
        let (gain, of) = (self.gain(at), self.planner.judging.project.checks[at].level);
        for (earned, level) in self.earned[component].iter_mut().zip(Level::ALL) {
            if of >= level {
                *earned += &gain;
            }
        }
        self.missing[component] -= &gain;
        self.scores[component] = self.score(component, None);
    }

    /// The verified share of the whole.
    fn overall(&self) -> Ratio {
        if self.weights.is_zero() {
            return Ratio::zero();
        }
        let rated = self.planner.figures.rated.iter().zip(&self.scores);
        let sum = rated
            .filter(|(rated, _)| rated.applicable)
            .map(|(rated, score)| &rated.weight * score)
            .sum::<Ratio>();
        sum / &self.weights
    }

    /// What gains most for each minute of what is left and needs nothing that is not done; of equals the first.
    fn best(&self, left: &BTreeSet<usize>, done: &BTreeSet<usize>) -> Option<(usize, f64)> {
        let ready = left
            .iter()
            .copied()
            .filter(|at| !done.contains(at) && self.planner.needs[*at].is_subset(done));
        let rate = |at: usize| {
            let component = self.component_of(at)?;
            let gained = self.score(component, Some(at)) - &self.scores[component];
            let gained = (gained * &self.planner.figures.rated[component].weight).to_f64()?;
            let minutes = self.planner.minutes.get(&at).copied().unwrap_or(0);
            Some((at, gained / (minutes as f64).max(0.5)))
        };
        let mut best: Option<(usize, f64)> = None;
        for (at, rate) in ready.filter_map(rate) {
            if best.is_none_or(|(_, known)| rate > known) {
                best = Some((at, rate));
            }
        }
        best
    }
}

/// What is reached at a level: what is earned there of what is earned and missing, capped.
fn reached(
    earned: &Ratio,
    missing: &Ratio,
    level: Level,
    enough: Option<Level>,
    caps: &super::super::level::Caps,
) -> Ratio {
    let all = earned + missing;
    if all.is_zero() {
        return Ratio::zero();
    }
    let cap = match enough {
        Some(enough) if level >= enough => Ratio::one(),
        _ => ratio::percent(caps.percent(level)),
    };
    (earned / all).min(cap)
}

/// The choice of further fixes, where the musts are done.
struct Knapsack<'p, 'a> {
    planner: &'p Planner<'a>,
    start: Rest<'p, 'a>,
    must: &'p BTreeSet<usize>,
    /// The least that the whole must reach, in units; more than the sum of what rounding takes is never asked.
    least: u128,
    /// The least that the components which claim must reach together, in units, and their weight.
    claiming: Option<(u128, Ratio)>,
    /// How many of those that are unverified must be mended.
    unverified: u128,
}

impl<'p, 'a> Knapsack<'p, 'a> {
    fn new(planner: &'p Planner<'a>, must: &'p BTreeSet<usize>) -> Knapsack<'p, 'a> {
        let (gate, figures, judging) = (planner.gate, planner.figures, planner.judging);
        let start = Rest::new(planner, must);
        let slack = figures.rated.len() as u128 + 1;
        let mut least = Ratio::zero();
        if let (Some(percent), Some(standing)) = (gate.min_score, &figures.whole.standing) {
            let attested = match gate.count_attested {
                true => standing.attested.clone(),
                false => Ratio::zero(),
            };
            least = least.max(ratio::percent(percent) - attested);
        }
        if let Some(base) = judging.base(gate) {
            least = least.max(base.verified.clone());
        }
        let mut claiming = None;
        if let (Some(most), Some(claimed)) = (gate.max_overclaim, &figures.whole.claimed) {
            let reach = claimed - ratio::percent(most);
            match figures.whole.partly_claimed {
                false => least = least.max(reach),
                true => {
                    let weights = figures
                        .rated
                        .iter()
                        .filter(|rated| rated.applicable && rated.claim.is_some());
                    let weights = weights.map(|rated| rated.weight.clone()).sum::<Ratio>();
                    if !weights.is_zero() && reach.is_positive() {
                        claiming = Some((units(&reach).saturating_sub(slack), weights));
                    }
                }
            }
        }
        let open = |at: &usize| {
            let judgement = &judging.judgements[*at];
            judging.counts(*at) && judgement.verdict == Verdict::Unverified && !judgement.attested()
        };
        let open = (0..judging.project.checks.len())
            .filter(open)
            .filter(|at| !must.contains(at) && !planner.waived(*at));
        let unverified = gate.max_unverified.map_or(0, |most| {
            (open.count() as u128).saturating_sub(u128::from(most))
        });
        Knapsack {
            planner,
            start,
            must,
            least: match least.is_positive() {
                true => units(&least).saturating_sub(slack),
                false => 0,
            },
            claiming,
            unverified,
        }
    }

    /// Whether a set gains as much as is asked for, as far as units tell.
    fn may_reach(&self, state: &State) -> bool {
        let claiming = self.claiming.as_ref().map_or(0, |(least, _)| *least);
        state.gains[0] >= self.least
            && state.gains[1] >= claiming
            && state.gains[2] >= self.unverified
    }

    /// The components that needs tie together, by place.
    fn groups(&self) -> Vec<Vec<usize>> {
        let components = self.planner.figures.rated.len();
        let mut group = (0..components).collect::<Vec<_>>();
        for (at, needs) in self.planner.needs.iter().enumerate() {
            let ends = needs
                .iter()
                .filter(|need| self.is_free(**need))
                .map(|need| (at, *need));
            for (a, b) in ends.filter(|(at, _)| self.is_free(*at)) {
                if let (Some(a), Some(b)) = (self.start.component_of(a), self.start.component_of(b))
                {
                    let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
                    group
                        .iter_mut()
                        .filter(|of| **of == from)
                        .for_each(|of| *of = to);
                }
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (component, of) in group.into_iter().enumerate() {
            groups.entry(of).or_default().push(component);
        }
        groups.into_values().collect()
    }

    /// Whether a check may be mended or left.
    fn is_free(&self, at: usize) -> bool {
        self.planner.minutes.contains_key(&at) && !self.must.contains(&at)
    }

    fn solve(&self) -> (Front, Sets) {
        let mut sets = Sets::new();
        let mut whole = Front::nothing(3);
        let groups = self
            .groups()
            .into_iter()
            .map(|group| self.group(&group, &mut sets))
            .collect::<Vec<_>>();
        // What the groups that are left can add at most tells early who will never get there.
        let highest = |front: &Front, at: usize| {
            front
                .states
                .iter()
                .map(|state| state.gains[at])
                .max()
                .unwrap_or(0)
        };
        let mut ahead =
            [0, 1, 2].map(|at| groups.iter().map(|front| highest(front, at)).sum::<u128>());
        for front in groups {
            for (at, ahead) in ahead.iter_mut().enumerate() {
                *ahead -= highest(&front, at);
            }
            let hopeful = |gains: &[u128]| {
                let claiming = self.claiming.as_ref().map_or(0, |(least, _)| *least);
                let least = [self.least, claiming, self.unverified];
                (0..3).all(|at| gains[at].saturating_add(ahead[at]) >= least[at])
            };
            // A front may hold far more than is kept: it is cut down as it grows.
            let most = match self.claiming.is_some() || self.unverified > 0 {
                true => 4 * front::LONGEST_OF_SEVERAL,
                false => 40 * front::LONGEST,
            };
            let (mut states, mut complete) = (vec![], whole.complete && front.complete);
            for (nth, a) in whole.states.iter().enumerate() {
                for (mth, b) in front.states.iter().enumerate() {
                    let gains = a
                        .gains
                        .iter()
                        .zip(&b.gains)
                        .map(|(a, b)| a + b)
                        .collect::<Vec<_>>();
                    if hopeful(&gains) {
                        states.push(State {
                            minutes: a.minutes + b.minutes,
                            gains,
                            set: nth * front.states.len() + mth,
                        });
                    }
                }
                if states.len() > most {
                    let shorter = Front::of(std::mem::take(&mut states), complete);
                    (states, complete) = (shorter.states, shorter.complete);
                }
            }
            let mut joined = Front::of(states, complete);
            for state in &mut joined.states {
                let (a, b) = (
                    state.set / front.states.len(),
                    state.set % front.states.len(),
                );
                state.set = sets.with(whole.states[a].set, front.states[b].set, &[]);
            }
            whole = joined;
        }
        (whole, sets)
    }

    /// The front of the components that needs tie together: what they add to the whole, to those that claim, and how many
    /// unverified checks they mend.
    fn group(&self, components: &[usize], sets: &mut Sets) -> Front {
        let levels = Level::ALL.len();
        let rated = &self.planner.figures.rated;
        let free = components
            .iter()
            .flat_map(|component| rated[*component].checks.iter().copied());
        let free = free.filter(|at| self.is_free(*at)).collect::<Vec<_>>();
        // Every gain in this group is a whole number of these.
        let scale = free.iter().fold(num_bigint::BigInt::one(), |scale, at| {
            lcm(&scale, self.start.gain(*at).denom())
        });
        let (mut complete, respects) = (true, components.len() * levels + 1);
        let whole = Ratio::from_integer(scale.clone());
        let mut scaled: BTreeMap<usize, Vec<(usize, u128)>> = BTreeMap::new();
        for at in &free {
            let gain = (self.start.gain(*at) * &whole).to_u128();
            complete &= gain.is_some();
            let of = self.planner.judging.project.checks[*at].level;
            let place = components
                .iter()
                .position(|component| rated[*component].checks.contains(at))
                .unwrap_or(0);
            let weaker = Level::ALL
                .into_iter()
                .enumerate()
                .filter(|(_, level)| of >= *level);
            let mut gains = weaker
                .map(|(nth, _)| (place * levels + nth, gain.unwrap_or(0)))
                .collect::<Vec<_>>();
            gains.push((respects - 1, self.counts_unverified(*at)));
            scaled.insert(*at, gains);
        }
        let mut front = Front::nothing(respects);
        for cluster in self.clusters(&free) {
            let options = self.options(&cluster, &mut complete);
            let mut states = vec![];
            // Of equals the earlier check is preferred: what goes without this one stands first.
            for (mth, option) in options.iter().enumerate() {
                for (nth, state) in front.states.iter().enumerate() {
                    let mut gains = state.gains.clone();
                    for (respect, gain) in option.iter().flat_map(|at| &scaled[at]) {
                        gains[*respect] += gain;
                    }
                    let minutes = option
                        .iter()
                        .filter_map(|at| self.planner.minutes.get(at))
                        .sum::<u64>();
                    states.push(State {
                        minutes: state.minutes + minutes,
                        gains,
                        set: nth * options.len() + mth,
                    });
                }
            }
            let mut next = Front::of(states, front.complete);
            for state in &mut next.states {
                let (before, option) = (state.set / options.len(), state.set % options.len());
                state.set = sets.with(front.states[before].set, 0, &options[option]);
            }
            front = next;
        }
        complete &= front.complete;
        let scale = Ratio::from_integer(scale);
        let states = front.states.into_iter().filter_map(|state| {
            let mut gains = vec![0, 0, state.gains[respects - 1]];
            for (nth, component) in components.iter().enumerate() {
                let gained = &state.gains[nth * levels..(nth + 1) * levels];
                let score = self.component(*component, gained, &scale)?;
                let rated = &rated[*component];
                if !rated.applicable {
                    continue;
                }
                gains[0] += units(&(&rated.weight * &score / &self.start.weights));
                if let (Some((_, weights)), Some(_)) = (&self.claiming, rated.claim) {
                    gains[1] += units(&(&rated.weight * &score / weights));
                }
            }
            Some(State { gains, ..state })
        });
        Front::of(states.collect(), complete)
    }

    fn counts_unverified(&self, at: usize) -> u128 {
        let judgement = &self.planner.judging.judgements[at];
        let asked = self.planner.gate.max_unverified.is_some();
        u128::from(asked && judgement.verdict == Verdict::Unverified && !self.planner.waived(at))
    }

    /// The score of a component with these gains; none where the gate asks more of it.
    fn component(&self, component: usize, gained: &[u128], scale: &Ratio) -> Option<Ratio> {
        let (planner, gate) = (self.planner, self.planner.gate);
        let rated = &planner.figures.rated[component];
        let gained = gained
            .iter()
            .map(|gained| Ratio::from_integer((*gained).into()) / scale)
            .collect::<Vec<_>>();
        let missing = &self.start.missing[component] - gained.last()?;
        let (mut best, mut carried) = (Ratio::zero(), None);
        let levels = self.start.earned[component]
            .iter()
            .zip(&gained)
            .zip(Level::ALL);
        for ((earned, gained), level) in levels {
            let here = reached(
                &(earned + gained),
                &missing,
                level,
                rated.component.enough,
                &planner.judging.project.caps,
            );
            if here > best {
                (best, carried) = (here, Some(level));
            }
        }
        let least = gate
            .components
            .get(&rated.component.id)
            .map(|least| ratio::percent(*least));
        let weak = gate.require_level.is_some_and(|weakest| {
            let enough = rated
                .component
                .enough
                .is_some_and(|enough| carried >= Some(enough));
            rated.applicable && carried < Some(weakest) && !enough
        });
        (least.is_none_or(|least| best >= least) && !weak).then_some(best)
    }

    /// The checks that need each other, and each other one alone.
    fn clusters(&self, free: &[usize]) -> Vec<Vec<usize>> {
        let mut cluster = free.iter().map(|at| (*at, *at)).collect::<BTreeMap<_, _>>();
        for at in free {
            for need in self.planner.needs[*at]
                .iter()
                .filter(|need| free.contains(need))
            {
                let (from, to) = (
                    cluster[at].max(cluster[need]),
                    cluster[at].min(cluster[need]),
                );
                cluster
                    .values_mut()
                    .filter(|of| **of == from)
                    .for_each(|of| *of = to);
            }
        }
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, of) in cluster {
            clusters.entry(of).or_default().push(at);
        }
        clusters.into_values().collect()
    }

    /// The sets of a cluster that hold all that they need.
    fn options(&self, cluster: &[usize], complete: &mut bool) -> Vec<Vec<usize>> {
        let needs = |set: &[usize]| {
            let held = |need: &usize| set.contains(need) || self.must.contains(need);
            set.iter()
                .all(|at| self.planner.needs[*at].iter().all(held))
        };
        if cluster.len() > MOST_NEEDING {
            // Each with what it needs: more than these are there, and not looked at.
            *complete = false;
            let bundles = cluster.iter().map(|at| {
                let bundle = self.planner.closed([*at]);
                bundle
                    .into_iter()
                    .filter(|at| !self.must.contains(at))
                    .collect::<Vec<_>>()
            });
            return [vec![], cluster.to_vec()]
                .into_iter()
                .chain(bundles)
                .collect();
        }
        let subsets = (0..1_u32 << cluster.len()).map(|bits| {
            let within = cluster
                .iter()
                .enumerate()
                .filter(|(nth, _)| bits >> nth & 1 == 1);
            within.map(|(_, at)| *at).collect::<Vec<_>>()
        });
        subsets.filter(|set| needs(set)).collect()
    }
}

fn lcm(a: &num_bigint::BigInt, b: &num_bigint::BigInt) -> num_bigint::BigInt {
    // As fractions: a / b in lowest terms has b / gcd below.
    let fraction = Ratio::new(a.clone(), b.clone());
    a * fraction.denom()
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
