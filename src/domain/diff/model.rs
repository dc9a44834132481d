//! All that the verified score of a report follows from, so that one thing of it can be changed at a time.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Zero;

use crate::domain::level::{Caps, Level};
use crate::domain::ratio::{self, Ratio};
use crate::domain::report::{CheckRow, ComponentRow, Report};
use crate::domain::score::{self, Weighed};

/// The component that a check counts for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// A declared one, by id.
    Declared(String),
    /// The check by itself, with its own weight.
    Own(String),
}

/// What the score knows of a component.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub(super) weight: f64,
    pub(super) enough: Option<Level>,
}

/// What the score knows of a check.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counted {
    pub(super) home: Home,
    pub(super) weight: f64,
    pub(super) level: Level,
    pub(super) applicable: bool,
    pub(super) optional: bool,
    pub(super) credit: Ratio,
}

impl Counted {
    pub(super) fn of(row: &CheckRow) -> Counted {
        Counted {
            home: match &row.definition.component {
                Some(component) => Home::Declared(component.clone()),
                None => Home::Own(row.id.clone()),
            },
            weight: row.weight,
            level: row.level,
            applicable: row.applicable,
            optional: row.optional,
            credit: row.exact.credit.clone(),
        }
    }
}

/// All that the verified score of a report follows from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    pub(super) caps: Caps,
    /// The declared ones.
    pub(super) components: BTreeMap<String, Setting>,
    pub(super) checks: BTreeMap<String, Counted>,
}

impl Model {
    pub(super) fn of(report: &Report) -> Model {
        let checks = report.checks.iter();
        Model {
            caps: report.caps.clone(),
            components: declared(report)
                .map(|row| (row.id.clone(), setting(row)))
                .collect(),
            checks: checks
                .map(|row| (row.id.clone(), Counted::of(row)))
                .collect(),
        }
    }

    pub(super) fn verified(&self) -> Ratio {
        // Component → whether any check counts, though it may not apply; and those that do.
        let mut members: BTreeMap<&Home, (bool, Vec<Weighed>)> = BTreeMap::new();
        for check in self.checks.values().filter(|check| !check.optional) {
            let (any, weighed) = members.entry(&check.home).or_default();
            *any = true;
            weighed.extend(check.applicable.then(|| Weighed {
                weight: ratio::decimal(check.weight),
                credit: check.credit.clone(),
                potential: check.credit.clone(),
                level: check.level,
                attested: false,
            }));
        }
        let rate =
            |weighed: &[Weighed], enough| score::component(weighed, &self.caps, enough).standing;
        let declared = self.components.iter().filter_map(|(id, setting)| {
            let standing = match members.get(&Home::Declared(id.clone())) {
                Some((true, weighed)) if weighed.is_empty() => return None,
                Some((_, weighed)) => rate(weighed, setting.enough),
                None => rate(&[], setting.enough),
            };
            Some((ratio::decimal(setting.weight), standing))
        });
        let own = members.iter().filter_map(|(home, (_, weighed))| {
            let Home::Own(_) = home else { return None };
            let [check] = weighed.as_slice() else {
                return None;
            };
            Some((check.weight.clone(), rate(weighed, None)))
        });
        let standings = declared.chain(own).collect::<Vec<_>>();
        let mean = score::mean(
            standings
                .iter()
                .map(|(weight, standing)| (weight, standing)),
        );
        mean.map_or_else(Ratio::zero, |standing| standing.verified)
    }

    /// Has the component of a check where it has none of that id.
    pub(super) fn house(&mut self, home: &Home, components: &BTreeMap<String, Setting>) {
        if let Home::Declared(id) = home
            && let (false, Some(setting)) = (self.components.contains_key(id), components.get(id))
        {
            self.components.insert(id.clone(), setting.clone());
        }
    }

    /// Is without a component that the last check has left, where there is none in the end.
    pub(super) fn vacate(&mut self, home: &Home, components: &BTreeMap<String, Setting>) {
        if let Home::Declared(id) = home
            && !components.contains_key(id)
            && !self.checks.values().any(|check| check.home == *home)
        {
            self.components.remove(id);
        }
    }
}

/// The rows of declared components: behind them stands one for each check that is in none, by the check's id.
fn declared(report: &Report) -> impl Iterator<Item = &ComponentRow> {
    let own = report
        .checks
        .iter()
        .filter(|row| row.definition.component.is_none());
    let own = own.map(|row| row.id.as_str()).collect::<BTreeSet<_>>();
    let rows = report.components.iter().enumerate();
    rows.filter_map(move |(at, row)| {
        let again = || {
            report.components[at + 1..]
                .iter()
                .any(|later| later.id == row.id)
        };
        (!own.contains(row.id.as_str()) || again()).then_some(row)
    })
}

fn setting(row: &ComponentRow) -> Setting {
    Setting {
        weight: row.weight,
        enough: row.enough,
    }
}

impl Model {
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Counted)) {
        if let Some(check) = self.checks.get_mut(id) {
            change(check);
        }
    }
}
