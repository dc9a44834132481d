//! What is beside the checks: gates, components, waivers, caps, what is passed over.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::gate::Gate;
use super::super::project::{Component, Project};
use super::fields::shown;
use super::sets::{
    NEUTRAL, TIGHTER, WEAKER, allowances, asked, demands, forgiven, least, most, named,
};
use super::{Draft, Means, Subject};

/// One thing that may have changed: its key, what that means, and both sides as they are shown.
type Change<'a> = (&'a str, Means, [String; 2]);

fn drafts(subject: &Subject, line: Option<u32>, changes: Vec<Change<'_>>) -> Vec<Draft> {
    let changed = changes.into_iter().filter(|(.., [from, to])| from != to);
    let drafts = changed.map(|(key, means, [from, to])| {
        let mut draft = Draft::new(subject.clone(), means);
        draft.edit.key = Some(key.to_string());
        (draft.edit.from, draft.edit.to) = (Some(from), Some(to));
        draft.edit.line = line;
        draft
    });
    drafts.collect()
}

/// The manifest as a whole.
pub(super) fn project(before: &Project, after: &Project) -> Vec<Draft> {
    let ignored = |project: &Project| {
        let names = project.ignored.iter().map(|ignored| ignored.check.clone());
        names.collect::<Vec<_>>()
    };
    let caps = |project: &Project| {
        let caps = &project.caps;
        [caps.exercised, caps.validated, caps.wired, caps.present]
    };
    let raised = caps(before)
        .iter()
        .zip(caps(after))
        .any(|(then, now)| now > *then);
    let claim = |project: &Project| project.claim.as_ref().map(|claim| claim.percent);
    let services = |project: &Project| {
        let names = project.services.iter().map(|service| service.id.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let mut services = [services(before), services(after)];
    if before.services != after.services && services[0] == services[1] {
        services[1] += ", otherwise";
    }
    let changes = vec![
        (
            "score.caps",
            if raised { WEAKER } else { TIGHTER },
            [caps(before), caps(after)].map(|caps| shown(&caps)),
        ),
        (
            "ignore",
            allowances(&ignored(before), &ignored(after)),
            [ignored(before), ignored(after)].map(|names| shown(&names)),
        ),
        (
            "claims.documents",
            demands(&before.documents, &after.documents),
            [&before.documents, &after.documents].map(shown),
        ),
        (
            "claims.overall",
            NEUTRAL,
            [claim(before), claim(after)].map(|claim| shown(&claim)),
        ),
        ("services", NEUTRAL, services),
        (
            "project.name",
            NEUTRAL,
            [&before.name, &after.name].map(shown),
        ),
        (
            "project.limitations",
            NEUTRAL,
            [&before.limitations, &after.limitations].map(shown),
        ),
        (
            "prove.copy",
            NEUTRAL,
            [&before.prove_copy, &after.prove_copy].map(shown),
        ),
    ];
    drafts(&Subject::Project, None, changes)
}

/// The gates. That none is declared is one, too: then every check must stand.
pub(super) fn gates(before: &Project, after: &Project) -> Vec<Draft> {
    let mut all = vec![];
    for then in &before.gates {
        let subject = Subject::Gate(then.name.clone());
        match after.gates.iter().find(|now| now.name == then.name) {
            Some(now) => all.extend(drafts(&subject, None, gate(then, now))),
            None => {
                let mut draft = Draft::new(subject, WEAKER);
                draft.edit.from = Some(then.says.clone().unwrap_or_else(|| "a gate".to_string()));
                all.push(draft);
            }
        }
    }
    for new in &after.gates {
        if !before.gates.iter().any(|then| then.name == new.name) {
            let mut draft = Draft::new(Subject::Gate(new.name.clone()), TIGHTER);
            draft.edit.to = Some(new.says.clone().unwrap_or_else(|| "a gate".to_string()));
            all.push(draft);
        }
    }
    all
}

fn gate<'a>(then: &Gate, now: &Gate) -> Vec<Change<'a>> {
    let percent = |then: &f64, now: &f64| least(&Some(*then), &Some(*now));
    let longest = |then: &Duration, now: &Duration| least(&Some(*then), &Some(*now));
    let figures = |gate: &Gate| shown(&gate.components);
    let held = |gate: &Gate| {
        let held = gate.held_for.iter();
        let held = held.map(|(id, least)| (id.clone(), least.as_secs_f64()));
        shown(&held.collect::<BTreeMap<_, _>>())
    };
    let words = |asked: bool| asked.to_string();
    let environment = match (&then.environment, &now.environment) {
        (None, Some(_)) => TIGHTER,
        (then, now) if then == now => NEUTRAL,
        _ => WEAKER,
    };
    vec![
        (
            "min_score",
            least(&then.min_score, &now.min_score),
            [then, now].map(|gate| shown(&gate.min_score)),
        ),
        (
            "count_attested",
            forgiven(then.count_attested, now.count_attested),
            [then, now].map(|gate| words(gate.count_attested)),
        ),
        (
            "require",
            demands(&then.require, &now.require),
            [then, now].map(|gate| shown(&gate.require)),
        ),
        (
            "components",
            named(&then.components, &now.components, percent),
            [then, now].map(figures),
        ),
        (
            "max_overclaim",
            most(&then.max_overclaim, &now.max_overclaim),
            [then, now].map(|gate| shown(&gate.max_overclaim)),
        ),
        (
            "no_contradicted",
            asked(then.no_contradicted, now.no_contradicted),
            [then, now].map(|gate| words(gate.no_contradicted)),
        ),
        (
            "max_unbacked",
            most(&then.max_unbacked, &now.max_unbacked),
            [then, now].map(|gate| shown(&gate.max_unbacked)),
        ),
        (
            "max_unverified",
            most(&then.max_unverified, &now.max_unverified),
            [then, now].map(|gate| shown(&gate.max_unverified)),
        ),
        (
            "max_undeclared",
            most(&then.max_undeclared, &now.max_undeclared),
            [then, now].map(|gate| shown(&gate.max_undeclared)),
        ),
        (
            "require_level",
            least(&then.require_level, &now.require_level),
            [then, now].map(|gate| shown(&gate.require_level)),
        ),
        (
            "same_artifact",
            asked(then.same_artifact, now.same_artifact),
            [then, now].map(|gate| words(gate.same_artifact)),
        ),
        (
            "environment",
            environment,
            [then, now].map(|gate| shown(&gate.environment)),
        ),
        (
            "held_for",
            named(&then.held_for, &now.held_for, longest),
            [then, now].map(held),
        ),
        (
            "no_regression",
            asked(then.no_regression, now.no_regression),
            [then, now].map(|gate| words(gate.no_regression)),
        ),
        (
            "require_proved",
            asked(then.require_proved, now.require_proved),
            [then, now].map(|gate| words(gate.require_proved)),
        ),
        (
            "no_fewer_tests",
            asked(then.no_fewer_tests, now.no_fewer_tests),
            [then, now].map(|gate| words(gate.no_fewer_tests)),
        ),
        (
            "no_weakening",
            asked(then.no_weakening, now.no_weakening),
            [then, now].map(|gate| words(gate.no_weakening)),
        ),
        (
            "every check",
            asked(then.every_check, now.every_check),
            [then, now].map(|gate| words(gate.every_check)),
        ),
        ("says", NEUTRAL, [then, now].map(|gate| shown(&gate.says))),
    ]
}

/// The components.
pub(super) fn components(before: &Project, after: &Project) -> Vec<Draft> {
    let of =
        |project: &'_ Project, id: &str| project.components.iter().find(|of| of.id == *id).cloned();
    let mut all = vec![];
    for then in &before.components {
        let subject = Subject::Component(then.id.clone());
        match of(after, &then.id) {
            Some(now) => {
                all.extend(drafts(
                    &subject,
                    Some(now.source.line),
                    component(then, &now),
                ));
            }
            None => {
                let mut draft = Draft::new(subject, Means::Depends);
                draft.edit.from = Some(then.title.clone());
                all.push(draft);
            }
        }
    }
    for new in &after.components {
        if of(before, &new.id).is_none() {
            let mut draft = Draft::new(Subject::Component(new.id.clone()), TIGHTER);
            draft.edit.to = Some(new.title.clone());
            draft.edit.line = Some(new.source.line);
            all.push(draft);
        }
    }
    all
}

fn component<'a>(then: &Component, now: &Component) -> Vec<Change<'a>> {
    // A weaker level that is enough counts in full.
    let enough = match (then.enough, now.enough) {
        (then, now) if then == now => NEUTRAL,
        (Some(_), None) => TIGHTER,
        (Some(then), Some(now)) if now > then => TIGHTER,
        _ => WEAKER,
    };
    let weight = match then.weight == now.weight {
        true => NEUTRAL,
        false => Means::Depends,
    };
    let both = [then, now];
    vec![
        ("weight", weight, both.map(|of| shown(&of.weight))),
        ("enough", enough, both.map(|of| shown(&of.enough))),
        ("claim", NEUTRAL, both.map(|of| shown(&of.claim))),
        ("title", NEUTRAL, both.map(|of| shown(&of.title))),
        ("group", NEUTRAL, both.map(|of| shown(&of.group))),
        ("owner", NEUTRAL, both.map(|of| shown(&of.owner))),
        ("aliases", NEUTRAL, both.map(|of| shown(&of.aliases))),
    ]
}

/// The waivers.
pub(super) fn waivers(before: &Project, after: &Project) -> Vec<Draft> {
    let mut all = vec![];
    for now in &after.waivers {
        let subject = Subject::Waiver(now.check.clone());
        let line = Some(now.source.line);
        match before.waivers.iter().find(|then| then.check == now.check) {
            Some(then) => {
                let both = [then, now];
                let changes = vec![
                    (
                        "expires",
                        most(&Some(then.expires), &Some(now.expires)),
                        both.map(|of| shown(&of.expires)),
                    ),
                    (
                        "down_to",
                        least(&then.down_to, &now.down_to),
                        both.map(|of| shown(&of.down_to)),
                    ),
                    ("owner", NEUTRAL, both.map(|of| shown(&of.owner))),
                    ("reason", NEUTRAL, both.map(|of| shown(&of.reason))),
                ];
                all.extend(drafts(&subject, line, changes));
            }
            None => {
                let mut draft = Draft::new(subject, WEAKER);
                draft.edit.to = Some(now.reason.clone());
                draft.edit.line = line;
                all.push(draft);
            }
        }
    }
    for then in &before.waivers {
        if !after.waivers.iter().any(|now| now.check == then.check) {
            let mut draft = Draft::new(Subject::Waiver(then.check.clone()), TIGHTER);
            draft.edit.from = Some(then.reason.clone());
            all.push(draft);
        }
    }
    all
}
