//! The choice of the fixes that open a gate for the least time: the whole must reach so much, single components theirs, and so
//! many unverified checks must go.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::super::super::level::Level;
use super::super::super::ratio::{self, Ratio};
use super::super::super::verdict::Verdict;
use super::Planner;
use super::front::{self, Front, Sets, State, units};
use super::rest::Rest;

/// Larger sets of checks that need each other are mended as a whole.
const MOST_NEEDING: usize = 10;

/// The choice of further fixes, where the musts are done.
pub(super) struct Knapsack<'p, 'a> {
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
    pub(super) fn new(planner: &'p Planner<'a>, must: &'p BTreeSet<usize>) -> Knapsack<'p, 'a> {
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
    pub(super) fn may_reach(&self, state: &State) -> bool {
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

    pub(super) fn solve(&self) -> (Front, Sets) {
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
        let scale = free.iter().fold(BigInt::one(), |scale, at| {
            lcm(&scale, self.start.gain(*at).denom())
        });
        let (mut complete, respects) = (true, components.len() * levels + 1);
        let whole = Ratio::from_integer(scale.clone());
        let mut scaled: BTreeMap<usize, Vec<(usize, u128)>> = BTreeMap::new();
        for at in &free {
            let gain = (self.start.gain(*at) * &whole).to_u128();
            // Sums of many must not outgrow it.
            let gain = gain.filter(|gain| gain >> 100 == 0);
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
        // What is gained at a level and stronger, less what is gained at stronger ones alone.
        let before = std::iter::once(&0).chain(gained);
        let at_level = gained
            .iter()
            .zip(before)
            .map(|(all, stronger)| all - stronger);
        let gains = at_level.zip(Level::ALL).map(|(gain, level)| {
            let gain = Ratio::from_integer(gain.into()) / scale;
            (gain, level)
        });
        let (best, carried) = self.start.score(component, &gains.collect::<Vec<_>>());
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

fn lcm(a: &BigInt, b: &BigInt) -> BigInt {
    // As fractions: a / b in lowest terms has b / gcd below.
    let fraction = Ratio::new(a.clone(), b.clone());
    a * fraction.denom()
}
