//! The knapsack behind a plan: of all sets of fixes those of which none is both cheaper and better than another, a Pareto
//! front of minutes against what they gain. First for the components that needs tie together, then for the whole.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// The most states that a front keeps. Where there are more, it is thinned out, and what comes of it is not proved.
pub(super) const LONGEST: usize = 20_000;
/// The same where states differ in several respects: each is compared with each.
pub(super) const LONGEST_OF_SEVERAL: usize = 600;

/// A set of fixes: what it costs, what it gains in each respect, and which they are.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) minutes: u64,
    /// In each respect more is better.
    pub(super) gains: Vec<u128>,
    /// The last fix, as a place in the [`Sets`]; 0: none.
    pub(super) set: usize,
}

/// Sets that share what they have in common.
#[derive(Debug)]
pub(super) struct Sets {
    /// Of each set: two others, and what it adds to them.
    links: Vec<(usize, usize, Vec<usize>)>,
}

impl Sets {
    pub(super) fn new() -> Sets {
        Sets {
            links: vec![(0, 0, vec![])],
        }
    }

    /// The set of two others and of these.
    pub(super) fn with(&mut self, a: usize, b: usize, more: &[usize]) -> usize {
        match (a, b, more) {
            (set, 0, []) | (0, set, []) => set,
            _ => {
                self.links.push((a, b, more.to_vec()));
                self.links.len() - 1
            }
        }
    }

    /// What is in a set, in no order.
    pub(super) fn members(&self, set: usize) -> Vec<usize> {
        let (mut members, mut open) = (vec![], vec![set]);
        while let Some(set) = open.pop().filter(|set| *set != 0).or_else(|| open.pop()) {
            let (a, b, more) = &self.links[set];
            members.extend(more);
            open.extend([*a, *b].into_iter().filter(|set| *set != 0));
        }
        members
    }
}

/// A front, and whether every state that belongs there is in it.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) states: Vec<State>,
    pub(super) complete: bool,
}

impl Front {
    /// Of nothing: it costs nothing.
    pub(super) fn nothing(respects: usize) -> Front {
        Front {
            states: vec![State {
                minutes: 0,
                gains: vec![0; respects],
                set: 0,
            }],
            complete: true,
        }
    }

    /// Without the states that cost no less than another and gain no more in any respect.
    pub(super) fn of(mut states: Vec<State>, complete: bool) -> Front {
        let respects = distinct_respects(&states);
        let key = |state: &State| {
            let gains = respects
                .iter()
                .map(|at| std::cmp::Reverse(state.gains[*at]));
            (state.minutes, gains.collect::<Vec<_>>())
        };
        states.sort_by_cached_key(key);
        let mut kept: Vec<State> = vec![];
        let better = |a: &State, b: &State| respects.iter().all(|at| a.gains[*at] >= b.gains[*at]);
        for state in states {
            // In one respect the last that was kept gains most of all.
            let dominated = match respects.len() {
                0 => !kept.is_empty(),
                1 => kept.last().is_some_and(|last| better(last, &state)),
                _ => kept.iter().rev().any(|other| better(other, &state)),
            };
            if !dominated {
                kept.push(state);
            }
        }
        let most = match respects.len() {
            0 | 1 => LONGEST,
            _ => LONGEST_OF_SEVERAL,
        };
        let cut = kept.len() > most;
        if cut {
            let last = kept.len() - 1;
            let step = kept.len().div_ceil(most);
            let mut at = 0;
            kept.retain(|_| {
                at += 1;
                (at - 1) % step == 0 || at - 1 == last
            });
        }
        Front {
            states: kept,
            complete: complete && !cut,
        }
    }
}

/// The respects in which states differ, each once.
fn distinct_respects(states: &[State]) -> Vec<usize> {
    let respects = states.first().map_or(0, |state| state.gains.len());
    let mut distinct: Vec<usize> = vec![];
    for at in 0..respects {
        let constant = states
            .windows(2)
            .all(|pair| pair[0].gains[at] == pair[1].gains[at]);
        let known = |other: &usize| {
            states
                .iter()
                .all(|state| state.gains[*other] == state.gains[at])
        };
        if !constant && !distinct.iter().any(known) {
            distinct.push(at);
        }
    }
    distinct
}

/// The binary digits behind the point of a share of the whole.
pub(super) const DIGITS: usize = 80;

/// A share from 0 on as a whole number of units, rounded down: sums of many stay exact to less than a unit each.
pub(super) fn units(share: &BigRational) -> u128 {
    let scaled: BigInt = (share.numer() << DIGITS) / share.denom();
    scaled.to_u128().unwrap_or(0)
}
