//! The tables beside the checks: project, requirements, claims, score, components, gates, waivers.

use jiff::civil::Date;

use super::expect::version_constraint;
use super::item::{At, Item};
use super::library::Library;
use super::problem::{LineStarts, nearest};
use super::project::place;
use super::values::{level, patterns, weight};
use crate::domain::gate::{DEFAULT, Gate};
use crate::domain::level::Caps;
use crate::domain::project::{Claimed, Component, Ignored, Project, Requires};
use crate::domain::waiver::Waiver;

/// `[project]`.
pub(super) fn project(section: &Item<'_>, project: &mut Project) {
    for item in section.table().into_iter().flatten() {
        match item.key {
            "name" => project.name = item.string().unwrap_or_default(),
            "limitations" => project.limitations = item.strings(),
            _ => item.unknown("`[project]`", &["name", "limitations"]),
        }
    }
    if section.is_table() && !section.has("name") {
        section.key_problem(
            "`[project]` lacks `name`",
            Some("add `name = \"…\"`".into()),
        );
    }
}

/// `[requires]`: tools and ports that a machine should have.
pub(super) fn requires(section: &Item<'_>) -> Requires {
    let mut requires = Requires::default();
    for item in section.table().into_iter().flatten() {
        match item.key {
            "tools" => {
                let tools = item.table().into_iter().flatten();
                requires.tools = tools
                    .filter_map(|tool| Some((tool.key.to_string(), version_constraint(&tool)?)))
                    .collect();
            }
            "ports" => {
                let ports = item.elements();
                requires.ports = ports
                    .iter()
                    .filter_map(|port| port.whole(1, 65_535))
                    .map(|port| port as u16)
                    .collect();
            }
            _ => item.unknown("`[requires]`", &["tools", "ports"]),
        }
    }
    requires
}

/// `[prove]`: what the copy needs in which checks are proved.
pub(super) fn prove(section: &Item<'_>) -> Vec<String> {
    let mut copy = vec![];
    for item in section.table().into_iter().flatten() {
        match item.key {
            "copy" => copy = patterns(&item),
            _ => item.unknown("`[prove]`", &["copy"]),
        }
    }
    copy
}

/// `[claims]`.
pub(super) fn claims(section: &Item<'_>, project: &mut Project, lines: &Lines<'_>) {
    for item in section.table().into_iter().flatten() {
        match item.key {
            "overall" => {
                project.claim = item.percent().map(|percent| Claimed {
                    percent,
                    source: lines.source(&item),
                });
            }
            "documents" => project.documents = patterns(&item),
            _ => item.unknown("`[claims]`", &["overall", "documents"]),
        }
    }
}

/// `[score]`: caps, which may only be lowered.
pub(super) fn score(section: &Item<'_>, caps: &mut Caps) {
    let defaults = Caps::default();
    for item in section.table().into_iter().flatten() {
        if item.key != "caps" {
            item.unknown("`[score]`", &["caps"]);
            continue;
        }
        for cap in item.table().into_iter().flatten() {
            let (slot, default) = match cap.key {
                "exercised" => (&mut caps.exercised, defaults.exercised),
                "validated" => (&mut caps.validated, defaults.validated),
                "wired" => (&mut caps.wired, defaults.wired),
                "present" => (&mut caps.present, defaults.present),
                _ => {
                    cap.unknown(
                        "`[score.caps]`",
                        &["exercised", "validated", "wired", "present"],
                    );
                    continue;
                }
            };
            match cap.percent() {
                Some(percent) if percent > default => {
                    cap.problem(
                        format!(
                            "a cap can only be lowered: `{}` is at most {default}",
                            cap.key
                        ),
                        None,
                    );
                }
                Some(percent) => *slot = percent,
                None => {}
            }
        }
    }
}

/// `[components.ID]`.
pub(super) fn component(header: &Item<'_>, lines: &Lines<'_>) -> Component {
    kebab(header, "component");
    let mut component = undeclared_component(header.key, lines.source(header));
    for item in header.table().into_iter().flatten() {
        match item.key {
            "title" => component.title = item.string().unwrap_or(component.title),
            "weight" => component.weight = weight(&item).unwrap_or(1.0),
            "group" => component.group = item.string(),
            "claim" => component.claim = item.percent(),
            "owner" => component.owner = item.string(),
            "aliases" => component.aliases = item.strings(),
            "enough" => component.enough = level(&item),
            _ => item.unknown(
                &format!("component `{}`", header.key),
                &[
                    "title", "weight", "group", "claim", "owner", "aliases", "enough",
                ],
            ),
        }
    }
    component
}

/// Words that are written in capitals.
const CAPITALS: [&str; 8] = ["api", "cd", "ci", "cli", "db", "http", "sql", "ui"];

/// The name in the table of a component that gives none.
pub(super) fn title(id: &str) -> String {
    let words = id.split('-').enumerate().map(|(at, word)| {
        let first = word.get(..1).filter(|_| at == 0);
        match first {
            _ if CAPITALS.contains(&word) => word.to_uppercase(),
            Some(first) => first.to_uppercase() + &word[1..],
            None => word.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A component as it is where nothing is said about it.
pub(super) fn undeclared_component(id: &str, source: crate::domain::check::Source) -> Component {
    Component {
        id: id.to_string(),
        title: title(id),
        weight: 1.0,
        group: None,
        claim: None,
        owner: None,
        aliases: vec![],
        enough: None,
        source,
    }
}

/// A gate that was read, with the places of the names in it.
pub(super) struct ReadGate {
    pub(super) gate: Gate,
    pub(super) require: Vec<At<String>>,
    pub(super) components: Vec<At<String>>,
    pub(super) held: Vec<At<String>>,
}

/// `[gate]` and `[gates.NAME]`.
pub(super) fn gate(header: &Item<'_>, name: &str) -> ReadGate {
    const KNOWN: [&str; 18] = [
        "says",
        "min_score",
        "count_attested",
        "require",
        "components",
        "max_overclaim",
        "no_contradicted",
        "max_unbacked",
        "max_unverified",
        "max_undeclared",
        "require_level",
        "same_artifact",
        "environment",
        "held_for",
        "no_regression",
        "require_proved",
        "no_fewer_tests",
        "no_weakening",
    ];
    let mut gate = Gate {
        name: name.to_string(),
        ..Gate::default()
    };
    let (mut require, mut components, mut held) = (vec![], vec![], vec![]);
    for item in header.table().into_iter().flatten() {
        match item.key {
            "says" => gate.says = item.string(),
            "min_score" => gate.min_score = item.percent(),
            "count_attested" => gate.count_attested = item.boolean().unwrap_or(false),
            "require" => {
                let elements = item.elements();
                require = elements
                    .iter()
                    .filter_map(|element| Some(At::new(element.string()?, element)))
                    .collect();
            }
            "components" => {
                for field in item.table().into_iter().flatten() {
                    components.push(At::key(&field));
                    gate.components
                        .extend(field.percent().map(|least| (field.key.to_string(), least)));
                }
            }
            "max_overclaim" => gate.max_overclaim = item.percent(),
            "no_contradicted" => gate.no_contradicted = item.boolean().unwrap_or(false),
            "max_unbacked" => gate.max_unbacked = item.count(),
            "max_unverified" => gate.max_unverified = item.count(),
            "max_undeclared" => gate.max_undeclared = item.count(),
            "require_level" => gate.require_level = level(&item),
            "same_artifact" => gate.same_artifact = item.boolean().unwrap_or(false),
            "environment" => gate.environment = one_word(&item),
            "held_for" => {
                for field in item.table().into_iter().flatten() {
                    held.push(At::key(&field));
                    let least = field.duration(false);
                    gate.held_for
                        .extend(least.map(|least| (field.key.to_string(), least)));
                }
            }
            "no_regression" => gate.no_regression = item.boolean().unwrap_or(false),
            "require_proved" => gate.require_proved = item.boolean().unwrap_or(false),
            "no_fewer_tests" => gate.no_fewer_tests = item.boolean().unwrap_or(false),
            "no_weakening" => gate.no_weakening = item.boolean().unwrap_or(false),
            _ => item.unknown(&format!("gate `{name}`"), &KNOWN),
        }
    }
    gate.require = require.iter().map(|at| at.value.clone()).collect();
    ReadGate {
        gate,
        require,
        components,
        held,
    }
}

/// A name as `--environment` takes it.
fn one_word(item: &Item<'_>) -> Option<String> {
    let name = item.string()?;
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let hint = "write it like `staging`, as `--environment` does";
        item.problem(
            format!("`{}` must be one word", item.key),
            Some(hint.into()),
        );
        return None;
    }
    Some(name)
}

/// `[gates.NAME]`: the name is checked here.
pub(super) fn named_gate(header: &Item<'_>) -> ReadGate {
    if header.key == DEFAULT {
        header.key_problem("the default gate is declared as `[gate]`", None);
    }
    kebab(header, "gate");
    gate(header, header.key)
}

/// `[waivers.CHECK]`.
pub(super) fn waiver(header: &Item<'_>, today: Date, lines: &Lines<'_>) -> Option<Waiver> {
    let (mut owner, mut reason, mut expires, mut down_to) = (None, None, None, None);
    for item in header.table()? {
        match item.key {
            "owner" => owner = item.string(),
            "reason" => reason = item.string(),
            "expires" => expires = item.date(),
            "down_to" => {
                down_to = item.number_in("a credit from 0 to 1", |n| (0.0..=1.0).contains(&n))
            }
            _ => item.unknown(
                &format!("waiver `{}`", header.key),
                &["owner", "reason", "expires", "down_to"],
            ),
        }
    }
    for key in ["owner", "reason", "expires"] {
        if !header.has(key) {
            let hint = format!("a waiver says who accepts what until when; today is {today}");
            header.key_problem(format!("waiver `{}` lacks `{key}`", header.key), Some(hint));
        }
    }
    Some(Waiver {
        check: header.key.to_string(),
        owner: owner?,
        reason: reason?,
        expires: expires?,
        down_to,
        source: lines.source(header),
    })
}

/// `[ignore]`: library checks that the project does without, and why.
pub(super) fn ignored(section: &Item<'_>, library: &Library) -> Vec<Ignored> {
    let mut ignored = vec![];
    for item in section.table().into_iter().flatten() {
        let names = library.names();
        if !names.contains(&item.key) {
            let hint = nearest(item.key, names.iter().copied())
                .unwrap_or_else(|| "`ready list --library` shows those that there are".into());
            item.key_problem(
                format!("the library has no check `{}`", item.key),
                Some(hint),
            );
        }
        ignored.extend(item.string().map(|reason| Ignored {
            check: item.key.to_string(),
            reason,
        }));
    }
    ignored
}

/// Notes a name that is not kebab-case.
pub(super) fn kebab(header: &Item<'_>, what: &str) {
    let id = header.key;
    let fine = !id.is_empty()
        && !id.starts_with('-')
        && !id.ends_with('-')
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !fine {
        // Letters of other alphabets have no one spelling to propose.
        let better = if id.is_ascii() { id } else { "" };
        let better = better
            .to_lowercase()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        let hint = (!better.is_empty()).then(|| format!("write `{better}`"));
        header.key_problem(
            format!("{what} `{id}` is not kebab-case (lower case, digits, hyphens)"),
            hint,
        );
    }
}

/// The lines of the manifest, for the places that reports name.
pub(super) struct Lines<'a> {
    file: &'a str,
    starts: LineStarts,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &'a str, text: &str) -> Lines<'a> {
        Lines {
            file,
            starts: LineStarts::new(text),
        }
    }

    /// Where an item's key stands.
    pub(super) fn source(&self, item: &Item<'_>) -> crate::domain::check::Source {
        place(self.file, self.starts.at(item.key_span.start).0)
    }
}
