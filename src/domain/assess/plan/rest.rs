//! The components with what is mended so far: what each reaches, and what gains most next.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{One, ToPrimitive, Zero};

use super::super::super::level::Level;
use super::super::super::ratio::{self, Ratio, Total};
use super::super::super::score::Sums;
use super::Planner;

/// The components with what is mended so far.
pub(super) struct Rest<'p, 'a> {
    planner: &'p Planner<'a>,
    /// Of each component.
    sums: Vec<Sums>,
    scores: Vec<Ratio>,
    /// The component of each check.
    components: BTreeMap<usize, usize>,
    /// The weights of the components that count.
    pub(super) weights: Ratio,
}

impl<'p, 'a> Rest<'p, 'a> {
    pub(super) fn new(planner: &'p Planner<'a>, done: &BTreeSet<usize>) -> Rest<'p, 'a> {
        let (rated, judging) = (&planner.figures.rated, planner.judging);
        let sums = rated.iter().map(|rated| {
            let mut sums = Sums::default();
            for at in rated.checks.iter().filter(|at| judging.counts(**at)) {
                let (check, judgement) = (&judging.project.checks[*at], &judging.judgements[*at]);
                let weight = ratio::decimal(check.weight);
                match done.contains(at) {
                    true => sums.add(&weight, &Ratio::one(), check.level),
                    false => sums.add(&weight, &judgement.credit, check.level),
                }
            }
            sums
        });
        let members = rated.iter().enumerate();
        let members =
            members.flat_map(|(place, rated)| rated.checks.iter().map(move |at| (*at, place)));
        let applicable = rated.iter().filter(|rated| rated.applicable);
        let mut rest = Rest {
            planner,
            sums: sums.collect(),
            scores: vec![],
            components: members.collect(),
            weights: ratio::sum(applicable.map(|rated| &rated.weight)),
        };
        rest.scores = (0..rated.len())
            .map(|place| rest.score(place, &[]).0)
            .collect();
        rest
    }

    /// What a check still gains in its component; nothing where it does not count.
    pub(super) fn gain(&self, at: usize) -> Ratio {
        let judging = self.planner.judging;
        match judging.counts(at) {
            true => {
                let weight = ratio::decimal(judging.project.checks[at].weight);
                weight * (Ratio::one() - &judging.judgements[at].credit)
            }
            false => Ratio::zero(),
        }
    }

    /// The score of a component and the level that carries it, with further gains at their levels.
    pub(super) fn score(
        &self,
        component: usize,
        gains: &[(Ratio, Level)],
    ) -> (Ratio, Option<Level>) {
        let enough = self.planner.figures.rated[component].component.enough;
        let mut sums = self.sums[component].clone();
        gains
            .iter()
            .for_each(|(gain, level)| sums.mend(gain, *level));
        sums.carried(&self.planner.judging.project.caps, enough)
    }

    fn gain_at_level(&self, at: usize) -> (Ratio, Level) {
        (self.gain(at), self.planner.judging.project.checks[at].level)
    }

    pub(super) fn component_of(&self, at: usize) -> Option<usize> {
        self.components.get(&at).copied()
    }

    pub(super) fn mend(&mut self, at: usize) {
        if let Some(component) = self.component_of(at) {
            let (gain, level) = self.gain_at_level(at);
            self.sums[component].mend(&gain, level);
            self.scores[component] = self.score(component, &[]).0;
        }
    }

    /// The verified share of the whole.
    pub(super) fn overall(&self) -> Ratio {
        if self.weights.is_zero() {
            return Ratio::zero();
        }
        let rated = self.planner.figures.rated.iter().zip(&self.scores);
        let counting = rated.filter(|(rated, _)| rated.applicable);
        let mut sum = Total::default();
        counting.for_each(|(rated, score)| sum.add(&ratio::times(&rated.weight, score)));
        ratio::over(&sum.ratio(), &self.weights)
    }

    /// What gains most for each minute of what is left and needs nothing that is not done; of equals the first.
    pub(super) fn best(&self, left: &BTreeSet<usize>, done: &BTreeSet<usize>) -> Option<usize> {
        let is_ready = |at: &usize| !done.contains(at) && self.planner.needs[*at].is_subset(done);
        let rate = |at: usize| {
            let component = self.component_of(at)?;
            let gained =
                self.score(component, &[self.gain_at_level(at)]).0 - &self.scores[component];
            let gained = (gained * &self.planner.figures.rated[component].weight).to_f64()?;
            let minutes = self.planner.minutes.get(&at).copied().unwrap_or(0);
            Some((at, gained / (minutes as f64).max(0.5)))
        };
        let mut best: Option<(usize, f64)> = None;
        for (at, rate) in left.iter().copied().filter(is_ready).filter_map(rate) {
            if best.is_none_or(|(_, known)| rate > known) {
                best = Some((at, rate));
            }
        }
        best.map(|(at, _)| at)
    }
}
