//! A report as what it was judged from: it holds all that there is to judge, so it can be judged again, at another time or
//! together with others, by whoever has nothing but the report.

use std::collections::BTreeMap;

use super::about::About;
use super::assess::{From, Seen};
use super::check::Check;
use super::claim::Found;
use super::evidence::Observed;
use super::goalposts::Against;
use super::level::Level;
use super::project::{Component, Project};
use super::regression::Base;
use super::report::{CalledFor, CheckRow, Report};

/// What a report was judged from. Services and what a machine should have are no part of it: they are for running.
#[derive(Clone, Debug)]
pub struct Again {
    /// The project, with the gates that were judged.
    pub project: Project,
    /// What was seen of each of its checks.
    pub seen: Vec<Seen>,
    /// What it is about, as far as that was said.
    pub about: About,
    /// What its gates were held against, by their names.
    pub bases: BTreeMap<String, Base>,
    /// The manifest that its gates were held against.
    pub against: Option<Against>,
    /// The library checks that the project's files call for, as far as nothing answers them.
    pub called_for: Vec<CalledFor>,
    /// What its documents claim.
    pub found: Vec<Found>,
}

impl Again {
    /// What the report was judged from.
    pub fn of(report: &Report) -> Again {
        let waivers = report.waivers.iter().map(|row| row.waiver.clone());
        // A report from a file may say anything; what no manifest could say is brought within its bounds.
        let checks = report.checks.iter().map(|row| Check {
            weight: weight(row.definition.weight),
            ..asked(&row.definition)
        });
        let declared = report.declared.components.iter();
        let components = declared.map(|component| Component {
            weight: weight(component.weight),
            ..component.clone()
        });
        Again {
            project: Project {
                name: report.project.clone(),
                limitations: report.limitations.clone(),
                claim: report.declared.claim.clone(),
                components: components.collect(),
                checks: checks.collect(),
                gates: report.policies.clone(),
                waivers: waivers.collect(),
                ignored: report.ignored.clone(),
                caps: report.caps.within_bounds(),
                ..Project::default()
            },
            seen: report.checks.iter().map(seen).collect(),
            about: report.about.clone(),
            bases: report.bases.clone(),
            against: report.against.clone(),
            called_for: report.undeclared.clone(),
            found: report.declared.documents.clone(),
        }
    }
}

/// A weight as a manifest may have it: > 0 and ≤ 1000.
fn weight(weight: f64) -> f64 {
    match weight > 0.0 {
        true => weight.min(1000.0),
        false => 1.0,
    }
}

/// The definition as it was before a proof lifted its level: whether that still does is judged again.
pub fn asked(definition: &Check) -> Check {
    Check {
        level: match definition.by_exit_alone {
            true => Level::Validated,
            false => definition.level,
        },
        ..definition.clone()
    }
}

/// Takes over who wrote which lines of the manifest, where it is not known yet: only where the repository is can git be
/// asked.
pub fn keep_authors(report: &mut Report, of: &Report) {
    let known = of.checks.iter().map(|row| (&row.id, &row.author));
    let known = known.collect::<BTreeMap<_, _>>();
    for row in report.checks.iter_mut().filter(|row| row.author.is_none()) {
        row.author = known.get(&row.id).copied().cloned().flatten();
    }
    for row in report.waivers.iter_mut().filter(|row| row.author.is_none()) {
        let known = of.waivers.iter().find(|known| known.waiver == row.waiver);
        row.author = known.and_then(|known| known.author.clone());
    }
}

/// What a row was judged from.
pub(super) fn seen(row: &CheckRow) -> Seen {
    let from = |run: &String| From {
        run: run.clone(),
        commit: row.recorded_at.clone(),
        reused: row.reused,
    };
    Seen {
        observed: match &row.evidence {
            Some(evidence) => Observed::Evidence(Box::new(evidence.clone())),
            None => Observed::Withheld(row.reason.clone()),
        },
        applicable: row.applicable,
        recorded: row.recorded.as_ref().map(from),
        stale: row.stale.clone(),
        observations: row.observations.clone(),
        looks: row.looks.clone(),
        earlier: row.earlier.clone(),
        outside: Some(row.outside),
        proof: row.proof.clone().map(Box::new),
        usual: None,
        notes: row.notes.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::assess::assess;
    use super::super::gate::Gate;
    use super::super::reason::Code;
    use super::super::testing::*;
    use super::super::verdict::Verdict;
    use super::*;

    /// The report as somebody else reads it, judged again at the same moment.
    fn twice(scene: Scene) -> (Report, Report) {
        let setting = scene.setting.clone();
        let first = scene.assess();
        let read = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        assert_eq!(first, read);
        let again = Again::of(&read);
        let gates = again.project.gates.clone();
        let second = assess(&again.project, &gates, again.seen, setting, now());
        (first, second)
    }

    #[test]
    fn a_report_judged_again_is_the_same() {
        let old = Check {
            max_age: Some(Duration::from_millis(1)),
            ..counted("old")
        };
        let scene = Scene::of([
            (within("backend", counted("tests")), ran(35, 5)),
            (within("backend", run("lint")), observed(vec![exit(0)])),
            (
                file("licence"),
                observed(vec![attempt(super::super::evidence::Outcome::Looked)]),
            ),
            (manual("rehearsed"), word()),
            (old, holds()),
            (counted("absent"), withheld(Code::ToolMissing)),
            (within("none", counted("elsewhere")), unknown()),
        ])
        .claim(95.0)
        .inapplicable("elsewhere")
        .component(super::super::project::Component {
            claim: Some(90.0),
            weight: 3.0,
            aliases: vec!["API tests".to_string()],
            ..component("backend")
        })
        .waive(waiver("absent"))
        .gate(Gate {
            min_score: Some(40.0),
            max_overclaim: Some(10.0),
            ..implicit()
        });
        let (first, second) = twice(scene);
        assert_eq!(first, second);
        assert!(first.score.claimed.is_some() && !first.gates[0].open);
    }

    #[test]
    fn evidence_about_something_else_stays_so_whatever_its_needs_say() {
        let needing = Check {
            needs: vec!["base".to_string()],
            ..counted("top")
        };
        let mut scene = Scene::of([(counted("base"), unknown()), (needing, holds())]);
        scene.seen[1].stale = Some("files were changed".to_string());
        scene.seen[1].recorded = Some(From {
            run: "01JD".to_string(),
            commit: None,
            reused: false,
        });
        let (first, second) = twice(scene);
        assert_eq!(first, second);
        assert_eq!(first.checks[1].reason.code, Code::NeedsFailed);
        // Its need holds at last: what was seen is as stale as before.
        let mut again = Again::of(&first);
        again.seen[0] = Seen::now(holds());
        let setting = Scene::of([]).setting;
        let third = assess(&again.project, &[implicit()], again.seen, setting, now());
        assert_eq!(third.checks[1].verdict, Verdict::Unverified);
        assert_eq!(third.checks[1].reason.code, Code::Stale);
    }

    /// Anything that may be seen of a check.
    fn anything() -> impl Strategy<Value = Observed> {
        prop_oneof![
            (0..5u64, 0..5u64).prop_map(|(passed, failed)| ran(passed, failed)),
            Just(withheld(Code::CannotTell)),
            Just(withheld(Code::NeedsFailed)),
            Just(unknown()),
        ]
    }

    proptest! {
        #![proptest_config(same_every_time(200))]

        #[test]
        fn any_report_judged_again_is_the_same(
            cases in proptest::collection::vec(
                (anything(), 0..4usize, any::<[bool; 5]>(), 1..5u32), 1..8),
            claim in proptest::option::of(0..100u32),
        ) {
            let made = cases.iter().enumerate().map(|(at, (observed, of, [optional, needs, ..], weight))| {
                let check = Check {
                    optional: *optional,
                    weight: f64::from(*weight),
                    needs: if *needs && at > 0 { vec![format!("c{}", at - 1)] } else { vec![] },
                    pass_at: (*weight > 2).then_some(0.5),
                    component: (*of > 0).then(|| format!("part{of}")),
                    ..counted(&format!("c{at}"))
                };
                (check, observed.clone())
            });
            let mut scene = Scene::of(made.collect::<Vec<_>>());
            for (seen, (.., [_, _, applicable, recorded, stale], _)) in scene.seen.iter_mut().zip(&cases) {
                seen.applicable = *applicable;
                seen.recorded = recorded.then(|| From { run: "01JD".to_string(), commit: None, reused: *stale });
                seen.stale = (*stale && *recorded).then(|| "the check was changed".to_string());
            }
            if let Some(claim) = claim {
                scene = scene.claim(f64::from(claim));
            }
            let (first, second) = twice(scene);
            prop_assert_eq!(first, second);
        }
    }
}
