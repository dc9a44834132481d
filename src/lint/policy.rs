//! Weights, caps, gates, needs and waivers that cannot do what they look like.

use std::collections::{BTreeMap, HashMap};

use num_traits::One;

use super::{Lint, Said, Severity};
use crate::domain::check::{Blocking, Check, Probe};
use crate::domain::gate::{DEFAULT, Gate};
use crate::domain::level::Level;
use crate::domain::project::{Component, Project};
use crate::domain::ratio::{self, Ratio};
use crate::domain::score::{Weighed, component};

/// A waiver that lasts longer than this many days has no end that anybody waits for.
const LONGEST_WAIVER: i64 = 366;
/// The share of a component's weight below which a level is carried by too little.
const THIN: f64 = 0.1;
/// The most checks of a component, and sums of others, that are gone through to tell whether a weight matters.
const MOST_CHECKS: usize = 12;
const MOST_SUMS: usize = 20_000;

/// A component with its checks, those that count.
struct Members<'p> {
    id: &'p str,
    declared: Option<&'p Component>,
    checks: Vec<&'p Check>,
}

impl Members<'_> {
    fn weight(&self) -> f64 {
        match (self.declared, self.checks.first()) {
            (Some(declared), _) => declared.weight,
            // A check without a component is one by itself.
            (None, Some(check)) if check.component.is_none() => check.weight,
            _ => 1.0,
        }
    }

    fn enough(&self) -> Option<Level> {
        self.declared.and_then(|component| component.enough)
    }

    /// What it reaches where these of its checks hold and the rest fail, 0 to 1; a person's word earns nothing.
    fn reaches(&self, project: &Project, holds: impl Fn(usize) -> bool) -> Ratio {
        let weighed = self.checks.iter().enumerate().map(|(at, check)| {
            let attested = matches!(check.probe, Probe::Manual(_));
            let credit = ratio::of(u64::from(holds(at) && !attested), 1);
            Weighed {
                weight: ratio::decimal(check.weight),
                potential: credit.clone(),
                credit,
                level: at_best(check),
                attested,
            }
        });
        let weighed = weighed.collect::<Vec<_>>();
        if weighed.is_empty() {
            return Ratio::default();
        }
        component(&weighed, &project.caps, self.enough())
            .standing
            .verified
    }
}

impl Lint<'_> {
    /// Everything that is about more than one check.
    pub(super) fn policy(&mut self) {
        let project = self.input.project;
        let members = members(project);
        let weights = members.iter().map(Members::weight);
        let mean = weights.sum::<f64>() / members.len().max(1) as f64;
        for component in &members {
            let is_heavy = members.len() > 1 && component.weight() >= mean;
            self.component(component, is_heavy);
        }
        for gate in project.gates.iter().filter(|gate| !gate.implied) {
            self.gate(gate, &members);
        }
        self.toothless(&members);
        for check in &project.checks {
            self.needs(check);
        }
        self.waivers();
    }

    /// One component; `is_heavy`: it weighs as much as one of several does on average, or more.
    fn component(&mut self, of: &Members<'_>, is_heavy: bool) {
        let project = self.input.project;
        let key = ["components", of.id];
        if of.checks.is_empty() {
            let said = Said {
                rule: "no-checks",
                severity: Severity::Warning,
                text: format!(
                    "no check is about the component `{}`: it stays at 0 %",
                    of.id
                ),
                hint: "declare a check for it, or take it out",
            };
            return self.at(&key, None, said);
        }
        if let Some(enough) = of.enough()
            && enough <= Level::Wired
            && is_heavy
        {
            let said = Said {
                rule: "heavy-enough",
                severity: Severity::Warning,
                text: format!(
                    "`{}` counts in full by `enough = \"{enough}\"`, and weighs as much as the rest on average: what is merely {enough} carries the score",
                    of.id
                ),
                hint: "give it a small weight, or a check that runs it",
            };
            self.at(&[key[0], key[1], "enough"], None, said);
        }
        let carried = component(
            &of.checks
                .iter()
                .map(|check| Weighed {
                    weight: ratio::decimal(check.weight),
                    credit: Ratio::one(),
                    potential: Ratio::one(),
                    level: check.level,
                    attested: matches!(check.probe, Probe::Manual(_)),
                })
                .collect::<Vec<_>>(),
            &project.caps,
            of.enough(),
        );
        let Some(level) = carried.level else { return };
        let total = of.checks.iter().map(|check| check.weight).sum::<f64>();
        let strong = of.checks.iter().filter(|check| check.level >= level);
        let carries = strong.map(|check| check.weight).sum::<f64>();
        if of.checks.len() > 1 && carries / total < THIN {
            let said = Said {
                rule: "thin-level",
                severity: Severity::Warning,
                text: format!(
                    "`{}` is {level} by {:.0} % of its weight: the rest of its checks is weaker evidence, which its score does not show",
                    of.id,
                    carries / total * 100.0
                ),
                hint: "give the check that carries it the weight that it has in truth, or strengthen the others",
            };
            self.at(&key, None, said);
        }
    }

    /// Whether a gate can open at all.
    fn gate(&mut self, gate: &Gate, members: &[Members<'_>]) {
        let project = self.input.project;
        let path = |key: &str| match gate.name == DEFAULT {
            true => vec!["gate".to_string(), key.to_string()],
            false => vec!["gates".to_string(), gate.name.clone(), key.to_string()],
        };
        let hint = "a check that counts results, reads an answer's body or is proved (`ready prove`) lifts the cap; else lower the bound";
        let mut never = |key: &str, more: Option<&str>, text: String| {
            let path = path(key);
            let path = path.iter().map(String::as_str).chain(more);
            let said = Said {
                rule: "never-opens",
                severity: Severity::Error,
                text,
                hint,
            };
            self.at(&path.collect::<Vec<_>>(), None, said);
        };
        let all = |_: usize| true;
        for (id, least) in &gate.components {
            let Some(component) = members.iter().find(|component| component.id == id) else {
                continue;
            };
            let most = component.reaches(project, all);
            if most < ratio::percent(*least) {
                let most = ratio::to_percent(&most).floor();
                never(
                    "components",
                    Some(id),
                    format!(
                        "gate `{}` can never open: `{id}` reaches {most} % at most by the caps of its evidence, and {least} % is asked",
                        gate.name
                    ),
                );
            }
        }
        let weights = members.iter().map(|of| ratio::decimal(of.weight()));
        let total = weights.sum::<Ratio>();
        let sum = members
            .iter()
            .map(|of| ratio::decimal(of.weight()) * of.reaches(project, all))
            .sum::<Ratio>();
        if let Some(least) = gate.min_score
            && total > Ratio::default()
            && !gate.count_attested
            && sum.clone() / total.clone() < ratio::percent(least)
        {
            let most = ratio::to_percent(&(sum / total)).floor();
            never(
                "min_score",
                None,
                format!(
                    "gate `{}` can never open: {most} % is the most that these checks can verify, and {least} % is asked",
                    gate.name
                ),
            );
        }
    }

    /// Checks whose fate changes no gate, whatever becomes of the others: computed.
    fn toothless(&mut self, members: &[Members<'_>]) {
        let project = self.input.project;
        let gates = project.gates.iter().filter(|gate| !gate.implied);
        let gates = gates.collect::<Vec<_>>();
        // Without a gate of its own, a manifest wants every check to hold.
        if gates.is_empty() || gates.iter().any(|gate| !only_scores(gate)) {
            return;
        }
        let needed = project.checks.iter().flat_map(|check| &check.needs);
        let needed = needed.map(String::as_str).collect::<Vec<_>>();
        for (place, of) in members.iter().enumerate() {
            for (at, check) in of.checks.iter().enumerate() {
                let named = |gate: &&Gate| {
                    gate.require.contains(&check.id)
                        || match &check.blocking {
                            Blocking::No => false,
                            Blocking::Default => gate.name == DEFAULT,
                            Blocking::Gates(names) => names.contains(&gate.name),
                        }
                        || gate.components.contains_key(of.id)
                };
                let is_word = matches!(check.probe, Probe::Manual(_));
                if is_word || needed.contains(&check.id.as_str()) || gates.iter().any(named) {
                    continue;
                }
                let bounds = gates.iter().filter_map(|gate| gate.min_score);
                let decides = bounds.map(|least| decides(project, members, place, at, least));
                if decides.into_iter().any(|decides| decides) {
                    continue;
                }
                let said = Said {
                    rule: "toothless",
                    severity: Severity::Warning,
                    text: format!(
                        "`{}` decides no gate: whether it holds or fails, and whatever becomes of the others, each stays as it is",
                        check.id
                    ),
                    hint: "make it `blocking`, name it in `require`, or give it a weight that counts",
                };
                self.at_check(check, "weight", said);
            }
        }
    }

    /// Needs that are never met.
    fn needs(&mut self, check: &Check) {
        let project = self.input.project;
        for need in &check.needs {
            let Some(needed) = project.check(need) else {
                continue;
            };
            let apart = !check.os.is_empty()
                && !needed.os.is_empty()
                && !check.os.iter().any(|os| needed.os.contains(os));
            let why = match &needed.probe {
                Probe::Manual(_) => {
                    "a person's word is never verified, so that the need is never met"
                }
                _ if apart => "the two are for different systems, so that it never runs",
                _ if needed.on_demand && !check.on_demand => {
                    "it runs only on demand, and until its evidence is there this one never runs"
                }
                _ => continue,
            };
            let said = Said {
                rule: "hidden-by-need",
                severity: Severity::Warning,
                text: format!("`{}` needs `{need}`: {why}", check.id),
                hint: "take the need out, or need what can hold in the same run",
            };
            self.at_check(check, "needs", said);
        }
    }

    fn waivers(&mut self) {
        let today = self.input.today;
        for waiver in &self.input.project.waivers {
            let days = today
                .until(waiver.expires)
                .map(|span| i64::from(span.get_days()));
            let Ok(days) = days else { continue };
            if days > LONGEST_WAIVER {
                let said = Said {
                    rule: "endless-waiver",
                    severity: Severity::Warning,
                    text: format!(
                        "the waiver of `{}` lasts until {}, {days} days: a risk that nobody looks at again",
                        waiver.check, waiver.expires
                    ),
                    hint: "accept it for some weeks, and look at it again then",
                };
                self.at(&["waivers", &waiver.check, "expires"], None, said);
            }
        }
    }
}

/// The level that a check can have: what a control can prove counts as exercised then.
fn at_best(check: &Check) -> Level {
    match check.by_exit_alone && check.control.is_some() {
        true => Level::Exercised,
        false => check.level,
    }
}

/// The components with their checks, those that count.
fn members(project: &Project) -> Vec<Members<'_>> {
    let mut members = project
        .components
        .iter()
        .map(|component| Members {
            id: &component.id,
            declared: Some(component),
            checks: vec![],
        })
        .collect::<Vec<_>>();
    let places = members.iter().enumerate().map(|(at, of)| (of.id, at));
    let mut places = places.collect::<HashMap<_, _>>();
    for check in project.checks.iter().filter(|check| !check.optional) {
        let id = check.component.as_deref().unwrap_or(&check.id);
        let at = *places.entry(id).or_insert(members.len());
        if at == members.len() {
            members.push(Members {
                id,
                declared: None,
                checks: vec![],
            });
        }
        members[at].checks.push(check);
    }
    members
}

/// Whether nothing but scores and names decides a gate.
fn only_scores(gate: &Gate) -> bool {
    let plain = Gate {
        name: gate.name.clone(),
        says: gate.says.clone(),
        min_score: gate.min_score,
        count_attested: gate.count_attested,
        require: gate.require.clone(),
        components: gate.components.clone(),
        ..Gate::default()
    };
    *gate == plain
}

/// Whether there is a state of the other checks in which the score reaches the bound with this check and not without it.
/// Where there are too many to go through, it is taken to be so.
fn decides(
    project: &Project,
    members: &[Members<'_>],
    place: usize,
    at: usize,
    least: f64,
) -> bool {
    if members.iter().any(|of| of.checks.len() > MOST_CHECKS) {
        return true;
    }
    let total = members.iter().map(Members::weight).sum::<f64>();
    let bound = least / 100.0 * total;
    // What the other components can come to together.
    let mut sums = vec![0.0];
    for (other, of) in members.iter().enumerate() {
        if other == place {
            continue;
        }
        let reached = reachable(project, of, None);
        let mut next = BTreeMap::new();
        for sum in &sums {
            for (value, _) in &reached {
                let sum = sum + value * of.weight();
                next.insert((sum * 1e9).round() as i64, sum);
            }
        }
        if next.len() > MOST_SUMS {
            return true;
        }
        sums = next.into_values().collect();
    }
    let of = &members[place];
    reachable(project, of, Some(at))
        .iter()
        .any(|(without, with)| {
            let [low, high] = [without, with].map(|value| value * of.weight());
            // A hair of rounding must not make a check look toothless.
            sums.iter()
                .any(|sum| sum + low < bound + 1e-9 && sum + high >= bound - 1e-9 && high > low)
        })
}

/// What a component comes to in each state of its checks; without and with the one at that place, where one is meant.
fn reachable(project: &Project, of: &Members<'_>, at: Option<usize>) -> Vec<(f64, f64)> {
    let free = (0..of.checks.len())
        .filter(|place| Some(*place) != at)
        .collect::<Vec<_>>();
    let mut reached = BTreeMap::new();
    for state in 0..(1u32 << free.len()) {
        let holds = |place: usize| {
            let bit = free.iter().position(|free| *free == place);
            bit.is_some_and(|bit| state & (1 << bit) != 0)
        };
        let without = ratio::number(&of.reaches(project, holds));
        let with = match at {
            Some(at) => ratio::number(&of.reaches(project, |place| place == at || holds(place))),
            None => without,
        };
        reached.insert(
            ((without * 1e12) as i64, (with * 1e12) as i64),
            (without, with),
        );
    }
    reached.into_values().collect()
}
