//! The names in a manifest held against each other: needs and their cycles, waivers, gates, components.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::check::Read;
use super::item::At;
use super::problem::nearest;
use super::project::Whole;
use super::sections::{self, ReadGate};
use crate::domain::check::{Blocking, Probe};
use crate::domain::gate::{DEFAULT, Gate};
use crate::domain::project::{OUTSIDE_MAX_AGE, Project};

impl Whole<'_> {
    /// Holds the names against each other, and adds the components that library checks bring along.
    pub(super) fn resolve(mut self) -> Project {
        self.components();
        self.own_components();
        let ids = std::mem::take(&mut self.ids);
        // Each hint compares a name with every check; beyond a screenful nobody reads them.
        let hints_left = Cell::new(100);
        let near = |name: &str| {
            hints_left.set(hints_left.get() - 1);
            if hints_left.get() < 0 {
                None
            } else {
                nearest(name, ids.iter().map(String::as_str))
            }
        };
        self.services(&ids, &near);
        for name in &self.waived {
            if !ids.contains(&name.value) {
                name.problem(
                    self.problems,
                    format!("there is no check `{}` to waive", name.value),
                    near(&name.value),
                );
            }
        }
        self.gate_names(&ids, &near);
        self.cycles();
        self.implicit_gate();
        self.project.gates = self.gates.into_iter().map(|read| read.gate).collect();
        let services = self.services.into_iter();
        self.project.services = services.filter_map(|read| read.service).collect();
        let services = &self.project.services;
        let checks = self.checks.into_iter().filter_map(|read| {
            let mut check = read.check?;
            let outside = services
                .iter()
                .any(|service| check.needs.contains(&service.id));
            if outside && !read.has_max_age {
                check.max_age = Some(OUTSIDE_MAX_AGE);
            }
            Some(check)
        });
        self.project.checks = checks.collect();
        self.project
    }

    /// Checks and services share one namespace; what either needs is in it, and whose port it names, it needs.
    fn services(&self, checks: &BTreeSet<String>, near: &dyn Fn(&str) -> Option<String>) {
        let services = self
            .services
            .iter()
            .map(|read| (read.id.value.as_str(), read));
        let services = services.collect::<BTreeMap<_, _>>();
        for read in self
            .services
            .iter()
            .filter(|read| checks.contains(&read.id.value))
        {
            let message = format!("`{}` is the name of a check as well", read.id.value);
            let hint = "checks and services share one namespace: give it another name";
            read.id.problem(self.problems, message, Some(hint.into()));
        }
        let mut ports = BTreeMap::new();
        for read in &self.services {
            let Some(port) = &read.port else { continue };
            if let Some(other) = ports.insert(port.value, &read.id.value) {
                let message = format!("service `{other}` has port {} as well", port.value);
                let hint = "give it another, or let both be `\"auto\"`";
                port.problem(self.problems, message, Some(hint.into()));
            }
        }
        let of_checks = self.checks.iter().map(|read| (&read.needs, &read.ports_of));
        let of_services = self
            .services
            .iter()
            .map(|read| (&read.needs, &read.ports_of));
        for (needs, ports_of) in of_checks.chain(of_services) {
            let unknown = |need: &&At<String>| {
                !checks.contains(&need.value) && !services.contains_key(need.value.as_str())
            };
            for need in needs.iter().filter(unknown) {
                let message = format!("`needs` names no check and no service: `{}`", need.value);
                let hint = nearest(&need.value, services.keys().copied());
                need.problem(self.problems, message, hint.or_else(|| near(&need.value)));
            }
            for named in ports_of {
                let text = format!("`{{services.{}.port}}`", named.value);
                match services.get(named.value.as_str()) {
                    None => {
                        let hint = nearest(&named.value, services.keys().copied());
                        named.problem(self.problems, format!("{text} names no service"), hint);
                    }
                    Some(read)
                        if read
                            .service
                            .as_ref()
                            .is_some_and(|service| service.port.is_none()) =>
                    {
                        let hint = format!("add `port = \"auto\"` to [services.{}]", named.value);
                        named.problem(
                            self.problems,
                            format!("{text}: that service has no `port`"),
                            Some(hint),
                        );
                    }
                    Some(_) if !needs.iter().any(|need| need.value == named.value) => {
                        let hint = format!(
                            "add `needs = [\"{}\"]`: it is started only for what needs it",
                            named.value
                        );
                        named.problem(
                            self.problems,
                            format!("{text} is named and not needed"),
                            Some(hint),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// A check without a component is one by itself: it may not have the name of another.
    fn own_components(&self) {
        for read in self.checks.iter().filter(|read| read.component.is_none()) {
            if self
                .project
                .components
                .iter()
                .any(|component| component.id == read.id.value)
            {
                let message = format!(
                    "check `{0}` has the name of component `{0}` and does not belong to it",
                    read.id.value
                );
                let hint = format!(
                    "add `component = \"{}\"`, or give it another name",
                    read.id.value
                );
                read.id.problem(self.problems, message, Some(hint));
            }
        }
    }

    fn components(&mut self) {
        let mut known = self
            .project
            .components
            .iter()
            .map(|component| component.id.clone())
            .collect::<BTreeSet<_>>();
        for read in self.checks.iter().filter(|read| read.library_component) {
            let Some(component) = &read.component else {
                continue;
            };
            if known.insert(component.value.clone()) {
                let source = read
                    .check
                    .as_ref()
                    .map(|check| check.source.clone())
                    .unwrap_or_default();
                self.project
                    .components
                    .push(sections::undeclared_component(&component.value, source));
            }
        }
        for read in &self.checks {
            let Some(component) = &read.component else {
                continue;
            };
            if !known.contains(&component.value) {
                let hint = nearest(&component.value, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("declare it: [components.{}]", component.value));
                component.problem(
                    self.problems,
                    format!("there is no component `{}`", component.value),
                    Some(hint),
                );
            }
        }
    }

    fn gate_names(&self, ids: &BTreeSet<String>, near: &dyn Fn(&str) -> Option<String>) {
        let gates = self
            .gates
            .iter()
            .map(|read| read.gate.name.as_str())
            .collect::<BTreeSet<_>>();
        let optional = self
            .checks
            .iter()
            .filter(|read| read.optional)
            .map(|read| read.id.value.as_str())
            .collect::<BTreeSet<_>>();
        let components = self
            .project
            .components
            .iter()
            .map(|component| component.id.as_str())
            .collect::<BTreeSet<_>>();
        let own = self
            .checks
            .iter()
            .filter(|read| read.component.is_none())
            .map(|read| read.id.value.as_str());
        let own = own.collect::<BTreeSet<_>>();
        for name in self.gates.iter().flat_map(|read| &read.require) {
            let check = &name.value;
            if !ids.contains(check) {
                name.problem(
                    self.problems,
                    format!("a gate requires `{check}`, which is no check"),
                    near(check),
                );
            } else if optional.contains(check.as_str()) {
                name.problem(
                    self.problems,
                    format!("a gate requires `{check}`, which is optional"),
                    None,
                );
            }
        }
        for name in self.gates.iter().flat_map(|read| &read.held) {
            let check = &name.value;
            let attested = |read: &&Read| {
                let probe = read.check.as_ref().map(|check| &check.probe);
                read.id.value == *check && matches!(probe, Some(Probe::Manual(_)))
            };
            let wrong = if !ids.contains(check) {
                "which is no check"
            } else if optional.contains(check.as_str()) {
                "which is optional"
            } else if self.checks.iter().any(|read| attested(&read)) {
                "which somebody attests"
            } else {
                continue;
            };
            let message = format!("a gate asks how long `{check}` held, {wrong}");
            let hint = near(check).filter(|_| !ids.contains(check));
            name.problem(self.problems, message, hint);
        }
        for name in self.gates.iter().flat_map(|read| &read.components) {
            if !own.contains(name.value.as_str()) && !components.contains(name.value.as_str()) {
                let message = format!(
                    "a gate asks for component `{}`, which is not declared",
                    name.value
                );
                let hint = nearest(&name.value, components.iter().copied());
                name.problem(
                    self.problems,
                    message,
                    hint.or_else(|| Some(format!("declare it: [components.{}]", name.value))),
                );
            }
        }
        for name in self.checks.iter().flat_map(|read| &read.blocking) {
            if !gates.contains(name.value.as_str()) {
                let message = format!("`blocking` names no gate: `{}`", name.value);
                let hint = nearest(&name.value, gates.iter().copied());
                name.problem(
                    self.problems,
                    message,
                    hint.or_else(|| Some(format!("declare it: [gates.{}]", name.value))),
                );
            }
        }
        for read in self
            .checks
            .iter()
            .filter(|read| read.optional && read.is_blocking)
        {
            read.id.problem(
                self.problems,
                format!("check `{}` is both optional and blocking", read.id.value),
                None,
            );
        }
    }

    /// Names each cycle of `needs` in full, once, at its first check.
    fn cycles(&self) {
        let checks = self
            .checks
            .iter()
            .map(|read| (read.id.value.as_str(), &read.needs));
        let services = self
            .services
            .iter()
            .map(|read| (read.id.value.as_str(), &read.needs));
        let nodes = checks.chain(services).collect::<Vec<_>>();
        let index = nodes.iter().enumerate().map(|(at, (id, _))| (*id, at));
        let index = index.collect::<BTreeMap<_, _>>();
        let mut done = vec![false; nodes.len()];
        for start in 0..nodes.len() {
            // An explicit stack: a chain of needs may be as long as the manifest.
            let mut path = vec![(start, 0usize)];
            let mut on_path = BTreeSet::from([start]);
            while let Some((at, next)) = path.pop() {
                if done[at] {
                    on_path.remove(&at);
                    continue;
                }
                let Some(need) = nodes[at].1.get(next) else {
                    done[at] = true;
                    on_path.remove(&at);
                    continue;
                };
                path.push((at, next + 1));
                let Some(&needed) = index.get(need.value.as_str()) else {
                    continue;
                };
                if on_path.contains(&needed) {
                    let from = path.iter().position(|(at, _)| *at == needed).unwrap_or(0);
                    let mut names = path[from..]
                        .iter()
                        .map(|(at, _)| nodes[*at].0)
                        .collect::<Vec<_>>();
                    names.push(nodes[needed].0);
                    need.problem(
                        self.problems,
                        format!("`needs` goes in a circle: {}", names.join(" → ")),
                        None,
                    );
                } else if !done[needed] {
                    on_path.insert(needed);
                    path.push((needed, 0));
                }
            }
        }
    }

    /// The default gate where none is declared: every check, or those that block it where there are only named gates.
    fn implicit_gate(&mut self) {
        let declared = self.gates.iter().any(|read| read.gate.name == DEFAULT);
        let blocking = self.checks.iter().any(|read| {
            read.check
                .as_ref()
                .is_some_and(|check| check.blocking == Blocking::Default)
        });
        if !declared && (blocking || self.gates.is_empty()) {
            let gate = Gate {
                name: DEFAULT.to_string(),
                every_check: self.gates.is_empty(),
                implied: true,
                ..Gate::default()
            };
            self.gates.insert(
                0,
                ReadGate {
                    gate,
                    require: vec![],
                    components: vec![],
                    held: vec![],
                },
            );
        }
    }
}
