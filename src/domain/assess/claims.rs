//! Every claim held against what was verified: those of the manifest, and those that documents make.

mod names;
mod weighed;

pub(super) use self::names::Bound;
use self::names::{Names, Target};
use super::super::claim::{Claim, ClaimState, Found, OVERALL, Said, Tense};
use super::super::gate::Judged;
use super::super::project::Project;
use super::super::score::Standing;
use super::super::verdict::Verdict;
use super::Seen;
use super::rated::RatedComponent;

/// All that claims are held against.
pub(super) struct Facts<'a> {
    pub(super) project: &'a Project,
    pub(super) rated: &'a [RatedComponent],
    pub(super) whole: Option<&'a Standing>,
    pub(super) judged: &'a [Judged<'a>],
    pub(super) seen: &'a [Seen],
}

/// What each claim of the documents is about.
pub(super) fn bind(found: &[Found], rated: &[RatedComponent], judged: &[Judged<'_>]) -> Vec<Bound> {
    if found.is_empty() {
        return vec![];
    }
    let names = Names::of(rated, judged);
    found.iter().map(|found| names.bind(found)).collect()
}

/// The higher of two figures, of which either may be absent.
pub(super) fn higher(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// The highest figures that documents claim for how things are now: for the whole, and of each component.
pub(super) struct Highest {
    pub(super) overall: Option<f64>,
    /// By place.
    pub(super) components: Vec<Option<f64>>,
}

impl Highest {
    pub(super) fn of(
        found: &[Found],
        bound: &[Bound],
        rated: &[RatedComponent],
        judged: &[Judged<'_>],
    ) -> Highest {
        let mut highest = Highest {
            overall: None,
            components: vec![None; rated.len()],
        };
        for (found, bound) in found.iter().zip(bound) {
            let (Said::Percent { value, .. }, Tense::Now) = (&found.said, found.tense) else {
                continue;
            };
            let slot = match bound {
                Bound::To(Target::Whole) => &mut highest.overall,
                Bound::To(Target::Components(places)) if places.len() == 1 => {
                    &mut highest.components[places[0]]
                }
                // A check that is a component of its own.
                Bound::To(Target::Check(at)) => {
                    match rated
                        .iter()
                        .position(|rated| rated.checks == [*at] && rated.is_own(judged))
                    {
                        Some(place) => &mut highest.components[place],
                        None => continue,
                    }
                }
                _ => continue,
            };
            *slot = higher(*slot, Some(*value));
        }
        highest
    }
}

impl Facts<'_> {
    /// Every claim with what the evidence makes of it, the manifest's first.
    pub(super) fn claims(&self, found: &[Found], bound: &[Bound]) -> Vec<Claim> {
        let manifest = self.of_manifest();
        let manifest = manifest.iter().map(|(found, bound)| (found, bound));
        let all = manifest.chain(found.iter().zip(bound));
        all.map(|(found, bound)| self.claim(found, bound)).collect()
    }

    /// What the manifest claims, and about what.
    fn of_manifest(&self) -> Vec<(Found, Bound)> {
        let overall = self.project.claim.iter().map(|claim| {
            let found = Found::percent(OVERALL, claim.percent, &claim.source);
            (found, Bound::To(Target::Whole))
        });
        let components = self.rated.iter().enumerate().filter_map(|(at, rated)| {
            let component = &rated.component;
            let found = Found::percent(&component.title, component.claim?, &component.source);
            Some((found, Bound::To(Target::Components(vec![at]))))
        });
        // One that is in no component is among those above.
        let within = self.judged.iter().enumerate();
        let within = within.filter(|(_, judged)| judged.check.component.is_some());
        let checks = within.filter_map(|(at, judged)| {
            let check = judged.check;
            let found = Found::percent(&check.id, check.claim?, &check.source);
            Some((found, Bound::To(Target::Check(at))))
        });
        overall.chain(components).chain(checks).collect()
    }

    fn claim(&self, found: &Found, bound: &Bound) -> Claim {
        let mut claim = Claim {
            found: found.clone(),
            component: None,
            check: None,
            state: None,
            verified: None,
            checks: vec![],
            why: String::new(),
        };
        let target = match (bound, &found.said) {
            (Bound::To(target), _) => Some(target.clone()),
            // What is counted may have one check that measures it by that name.
            (Bound::Nothing, Said::Count { of, .. } | Said::Delta { of, .. }) => {
                self.only_measure(of).map(Target::Check)
            }
            _ => None,
        };
        match &target {
            Some(Target::Components(places)) if places.len() == 1 => {
                claim.component = Some(self.rated[places[0]].component.id.clone());
            }
            Some(Target::Check(at)) => {
                let check = self.judged[*at].check;
                claim.component = Some(check.component.clone().unwrap_or_else(|| check.id.clone()));
                claim.check = Some(check.id.clone());
            }
            _ => {}
        }
        // What was or shall be is not held against what is.
        if found.tense != Tense::Now {
            return claim;
        }
        let Some(target) = target else {
            claim.state = Some(ClaimState::Unbacked);
            claim.why = match bound {
                Bound::Several(meant) => format!("it may mean {}", meant.join(" or ")),
                Bound::NoSuch(id) => {
                    format!("it names `{id}`, and there is no check or component of that id")
                }
                _ => "no check or component has that name".to_string(),
            };
            return claim;
        };
        let outcome = self.weigh(&found.said, &target);
        claim.state = Some(outcome.state);
        claim.verified = outcome.verified;
        claim.why = outcome.why;
        let ids = outcome
            .checks
            .iter()
            .map(|at| self.judged[*at].check.id.clone());
        claim.checks = ids.collect();
        claim
    }

    /// The checks that are verified and that no document speaks of, by themselves or by their component.
    pub(super) fn unclaimed(&self, found: &[Found], bound: &[Bound]) -> Vec<String> {
        // Where no document says anything, nobody is silent about something.
        if found.is_empty() {
            return vec![];
        }
        let now = found
            .iter()
            .zip(bound)
            .filter(|(found, _)| found.tense == Tense::Now);
        let mut spoken_of = vec![false; self.judged.len()];
        for (_, bound) in now {
            match bound {
                // Who speaks of the whole speaks of nothing in it by name.
                Bound::To(target) if *target != Target::Whole => {
                    self.members(target)
                        .into_iter()
                        .for_each(|at| spoken_of[at] = true);
                }
                _ => {}
            }
        }
        let silent = self
            .judged
            .iter()
            .zip(spoken_of)
            .filter(|(judged, spoken_of)| {
                !spoken_of && judged.applicable && judged.judgement.verdict == Verdict::Verified
            });
        silent.map(|(judged, _)| judged.check.id.clone()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
