//! All that the verified score of a report follows from, so that one thing of it can be changed at a time.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{One, Signed, Zero};

use crate::domain::level::{Caps, Level};
use crate::domain::ratio::{self, Ratio};
use crate::domain::report::{CheckRow, ComponentRow, Report};
use crate::domain::score::Sums;

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

/// All that the verified score of a report follows from. Sums are kept over the checks of each component and over the
/// components, so that one change costs the same however many checks there are.
#[derive(Clone, Debug)]
pub(super) struct Model {
    caps: Caps,
    /// The declared ones.
    components: BTreeMap<String, Setting>,
    checks: BTreeMap<String, Counted>,
    members: BTreeMap<Home, Members>,
    /// Over the components that apply: their weights, and weight by what is verified.
    weights: Ratio,
    weighed: Ratio,
}

/// The checks of a component.
#[derive(Clone, Debug, Default)]
struct Members {
    all: usize,
    /// Those that are not optional.
    asked: usize,
    /// Those that apply as well.
    counting: usize,
    sums: Sums,
}

impl Model {
    pub(super) fn of(report: &Report) -> Model {
        let mut model = Model {
            caps: report.caps.clone(),
            components: BTreeMap::new(),
            checks: BTreeMap::new(),
            members: BTreeMap::new(),
            weights: Ratio::zero(),
            weighed: Ratio::zero(),
        };
        for row in declared(report) {
            model.declare(&row.id, Some(setting(row)));
        }
        for row in &report.checks {
            model.put(&row.id, Counted::of(row));
        }
        model
    }

    /// The score, a fraction of 1.
    pub(super) fn verified(&self) -> Ratio {
        match self.weights.is_zero() {
            true => Ratio::zero(),
            false => &self.weighed / &self.weights,
        }
    }

    pub(super) fn components(&self) -> &BTreeMap<String, Setting> {
        &self.components
    }

    /// Counts a check that is not there yet.
    pub(super) fn put(&mut self, id: &str, check: Counted) {
        let home = check.home.clone();
        self.count(&home, -Ratio::one());
        self.book(&check, Ratio::one());
        self.checks.insert(id.to_string(), check);
        self.count(&home, Ratio::one());
    }

    /// Counts a check no longer.
    pub(super) fn take(&mut self, id: &str) -> Option<Counted> {
        let home = self.checks.get(id)?.home.clone();
        self.count(&home, -Ratio::one());
        let check = self.checks.remove(id)?;
        self.book(&check, -Ratio::one());
        self.count(&home, Ratio::one());
        Some(check)
    }

    /// Changes what is known of a check.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Counted)) {
        if let Some(mut check) = self.take(id) {
            change(&mut check);
            self.put(id, check);
        }
    }

    /// Declares a component so, or no longer.
    pub(super) fn declare(&mut self, id: &str, setting: Option<Setting>) {
        let home = Home::Declared(id.to_string());
        self.count(&home, -Ratio::one());
        match setting {
            Some(setting) => self.components.insert(id.to_string(), setting),
            None => self.components.remove(id),
        };
        self.count(&home, Ratio::one());
    }

    /// Sets the caps.
    pub(super) fn cap(&mut self, change: impl FnOnce(&mut Caps)) {
        let declared = self.components.keys().cloned().map(Home::Declared);
        let own = self
            .members
            .keys()
            .filter(|home| matches!(home, Home::Own(_)));
        let homes = declared.chain(own.cloned()).collect::<Vec<_>>();
        homes
            .iter()
            .for_each(|home| self.count(home, -Ratio::one()));
        change(&mut self.caps);
        homes.iter().for_each(|home| self.count(home, Ratio::one()));
    }

    /// Adds a check to the sums of its component, or takes it out of them: `sign` is 1 or -1.
    fn book(&mut self, check: &Counted, sign: Ratio) {
        let members = self.members.entry(check.home.clone()).or_default();
        let step = |number: &mut usize| match sign.is_positive() {
            true => *number += 1,
            false => *number -= 1,
        };
        step(&mut members.all);
        if check.optional {
            return;
        }
        step(&mut members.asked);
        if check.applicable {
            step(&mut members.counting);
            let weight = ratio::decimal(check.weight) * sign;
            members.sums.add(&weight, &check.credit, check.level);
        }
    }

    /// Adds what a component reaches to the whole, or takes it out of it.
    fn count(&mut self, home: &Home, sign: Ratio) {
        let Some((weight, verified)) = self.reached(home) else {
            return;
        };
        let weight = ratio::decimal(weight) * sign;
        self.weighed += &weight * verified;
        self.weights += weight;
    }

    /// The weight of a component and what it reaches; none where it does not apply.
    fn reached(&self, home: &Home) -> Option<(f64, Ratio)> {
        let members = self.members.get(home);
        let reached = |enough| match members {
            Some(members) => members.sums.reached(&self.caps, enough),
            None => Ratio::zero(),
        };
        let counting = members.is_some_and(|members| members.counting > 0);
        match home {
            Home::Declared(id) => {
                let setting = self.components.get(id)?;
                let asked = members.is_some_and(|members| members.asked > 0);
                (counting || !asked).then(|| (setting.weight, reached(setting.enough)))
            }
            Home::Own(id) => {
                let check = self.checks.get(id).filter(|_| counting)?;
                Some((check.weight, reached(None)))
            }
        }
    }

    /// Has the component of a check where it has none of that id.
    pub(super) fn house(&mut self, home: &Home, components: &BTreeMap<String, Setting>) {
        if let Home::Declared(id) = home
            && let (false, Some(setting)) = (self.components.contains_key(id), components.get(id))
        {
            self.declare(id, Some(setting.clone()));
        }
    }

    /// Is without a component that the last check has left, where there is none in the end.
    pub(super) fn vacate(&mut self, home: &Home, components: &BTreeMap<String, Setting>) {
        let empty = self
            .members
            .get(home)
            .is_none_or(|members| members.all == 0);
        if let Home::Declared(id) = home
            && !components.contains_key(id)
            && empty
        {
            self.declare(id, None);
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
