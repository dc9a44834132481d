//! Each kind of edit has a case; and whatever the edits, where the same evidence scores more by them, one of them is weaker.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::super::check::{Applies, Blocking, Probe};
use super::super::control::Control;
use super::super::evidence::Observed;
use super::super::expectation::ValueExpect;
use super::super::gate::Gate;
use super::super::level::{Caps, Level};
use super::super::limit::Limit;
use super::super::project::{Component, Ignored};
use super::super::reason::Code;
use super::super::testing::*;
use super::super::waiver::Waiver;
use super::*;

/// A project with a check of each kind, of which some hold.
fn scene() -> Scene {
    let mut http = http("api");
    if let Probe::Http(probe) = &mut http.probe {
        probe.expect.status = vec![200, 204];
        probe.expect.json = BTreeMap::from([("$.ok".to_string(), ValueExpect::Is(true.into()))]);
        probe.expect.latency_ms = Limit::parse("< 500").ok();
    }
    let mut limited = counted("load");
    limited.limits = BTreeMap::from([("p95_ms".to_string(), Limit::parse("< 500").unwrap())]);
    let mut lint = run("lint");
    lint.cannot_tell.stderr = vec!["no network".to_string()];
    lint.control = Some(Box::new(Control::default()));
    lint.needs = vec!["tests".to_string()];
    let tests = super::super::check::Check {
        at_least: Some(10),
        expected_skips: 1,
        pass_at: Some(0.9),
        blocking: Blocking::Default,
        ..counted("tests")
    };
    Scene::of([
        (within("backend", tests), ran(9, 1)),
        (within("backend", lint), observed(vec![exit(0)])),
        (within("web", http), unknown()),
        (within("web", limited), unknown()),
        (file("licence"), looked()),
        (
            super::super::check::Check {
                optional: true,
                ..run("extra")
            },
            observed(vec![exit(1)]),
        ),
    ])
    .component(Component {
        weight: 3.0,
        ..component("backend")
    })
    .gate(Gate {
        min_score: Some(80.0),
        require: vec!["tests".to_string()],
        components: BTreeMap::from([("web".to_string(), 50.0)]),
        max_overclaim: Some(10.0),
        max_unverified: Some(2),
        require_level: Some(Level::Wired),
        held_for: BTreeMap::from([("api".to_string(), Duration::from_secs(3600))]),
        no_regression: true,
        no_weakening: true,
        environment: Some("staging".to_string()),
        ..gate()
    })
    .waive(waiver("load"))
}

fn base() -> Project {
    let scene = scene();
    Project {
        gates: scene.gates,
        ..scene.project
    }
}

/// An edit of a manifest, by what it does to it.
type Make = fn(&mut Project);

fn check(project: &mut Project, id: &str) -> usize {
    project
        .checks
        .iter()
        .position(|check| check.id == id)
        .unwrap()
}

macro_rules! edit {
    ($id:literal, |$check:ident| $body:expr) => {
        |project: &mut Project| {
            let at = check(project, $id);
            let $check = &mut project.checks[at];
            $body;
        }
    };
}

macro_rules! of_gate {
    (|$gate:ident| $body:expr) => {
        |project: &mut Project| {
            let $gate = &mut project.gates[0];
            $body;
        }
    };
}

fn run_of(check: &mut super::super::check::Check) -> &mut super::super::check::RunProbe {
    match &mut check.probe {
        Probe::Run(run) => run,
        _ => unreachable!("it is a program"),
    }
}

fn http_of(check: &mut super::super::check::Check) -> &mut super::super::expectation::HttpExpect {
    match &mut check.probe {
        Probe::Http(http) => &mut http.expect,
        _ => unreachable!("it is a request"),
    }
}

#[test]
fn each_kind_of_edit_is_what_it_is() {
    use Kind::{Neutral, Tighter, Weaker};
    let limit = |text: &str| Limit::parse(text).unwrap();
    let _ = limit;
    let cases: Vec<(&str, Kind, Make)> = vec![
        (
            "command",
            Weaker,
            edit!("lint", |check| run_of(check).argv.push("--quick".into())),
        ),
        (
            "command",
            Weaker,
            edit!("lint", |check| check.env.insert("A".into(), "1".into())),
        ),
        (
            "command",
            Weaker,
            edit!("api", |check| if let Probe::Http(http) = &mut check.probe {
                http.url += "/other"
            }),
        ),
        (
            "expect",
            Weaker,
            edit!("lint", |check| run_of(check).expect.exit.push(1)),
        ),
        (
            "expect",
            Tighter,
            edit!("lint", |check| run_of(check)
                .expect
                .stdout
                .contains
                .push("ok".into())),
        ),
        (
            "expect",
            Weaker,
            edit!("api", |check| http_of(check).status.push(500)),
        ),
        (
            "expect",
            Tighter,
            edit!("api", |check| http_of(check).status = vec![200]),
        ),
        (
            "expect",
            Weaker,
            edit!("api", |check| http_of(check).json.clear()),
        ),
        (
            "expect",
            Weaker,
            edit!("api", |check| http_of(check).latency_ms =
                Limit::parse("< 900").ok()),
        ),
        (
            "expect",
            Tighter,
            edit!("api", |check| http_of(check).latency_ms =
                Limit::parse("< 100").ok()),
        ),
        (
            "expect",
            Weaker,
            edit!("api", |check| http_of(check).within =
                Some(Duration::from_secs(30))),
        ),
        (
            "blocking",
            Weaker,
            edit!("tests", |check| check.blocking = Blocking::No),
        ),
        (
            "blocking",
            Tighter,
            edit!("lint", |check| check.blocking = Blocking::Default),
        ),
        (
            "limits",
            Weaker,
            edit!("load", |check| check.limits = BTreeMap::from([(
                "p95_ms".into(),
                Limit::parse("< 900").unwrap()
            )])),
        ),
        (
            "limits",
            Tighter,
            edit!("load", |check| check.limits = BTreeMap::from([(
                "p95_ms".into(),
                Limit::parse("<= 100").unwrap()
            )])),
        ),
        (
            "limits",
            Weaker,
            edit!("load", |check| check.limits.clear()),
        ),
        (
            "limits",
            Weaker,
            edit!("tests", |check| check.limits = BTreeMap::from([(
                "total".into(),
                Limit::parse("> 1").unwrap()
            )])),
        ),
        (
            "pass_at",
            Weaker,
            edit!("tests", |check| check.pass_at = Some(0.5)),
        ),
        (
            "pass_at",
            Tighter,
            edit!("tests", |check| check.pass_at = None),
        ),
        (
            "pass_at",
            Weaker,
            edit!("lint", |check| check.pass_at = Some(0.5)),
        ),
        (
            "at_least",
            Weaker,
            edit!("tests", |check| check.at_least = Some(5)),
        ),
        (
            "at_least",
            Weaker,
            edit!("tests", |check| check.at_least = None),
        ),
        (
            "at_least",
            Tighter,
            edit!("tests", |check| check.at_least = Some(50)),
        ),
        (
            "expected_skips",
            Weaker,
            edit!("tests", |check| check.expected_skips = 5),
        ),
        (
            "expected_skips",
            Tighter,
            edit!("tests", |check| check.expected_skips = 0),
        ),
        (
            "level",
            Tighter,
            edit!("tests", |check| check.level = Level::Present),
        ),
        ("needs", Weaker, edit!("lint", |check| check.needs.clear())),
        (
            "needs",
            Tighter,
            edit!("load", |check| check.needs.push("tests".into())),
        ),
        (
            "applies",
            Weaker,
            edit!("lint", |check| check.applies = Some(Applies {
                files: vec!["*.py".into()]
            })),
        ),
        (
            "optional",
            Weaker,
            edit!("lint", |check| check.optional = true),
        ),
        (
            "on_demand",
            Weaker,
            edit!("lint", |check| check.on_demand = true),
        ),
        ("timeout", Weaker, edit!("lint", |check| check.timeout *= 2)),
        (
            "timeout",
            Tighter,
            edit!("lint", |check| check.timeout /= 2),
        ),
        ("retries", Weaker, edit!("lint", |check| check.retries = 3)),
        (
            "leaves_running",
            Weaker,
            edit!("lint", |check| check.leaves_running = true),
        ),
        (
            "cannot_tell",
            Weaker,
            edit!("lint", |check| check.cannot_tell.exit.push(1)),
        ),
        (
            "cannot_tell",
            Tighter,
            edit!("lint", |check| check.cannot_tell.stderr.clear()),
        ),
        (
            "inputs",
            Weaker,
            edit!("lint", |check| check.inputs = vec!["src/**".into()]),
        ),
        (
            "max_age",
            Tighter,
            edit!("lint", |check| check.max_age =
                Some(Duration::from_secs(3600))),
        ),
        (
            "control",
            Weaker,
            edit!("lint", |check| check.control = None),
        ),
        (
            "says",
            Neutral,
            edit!("lint", |check| check.says = "otherwise".into()),
        ),
        (
            "owner",
            Neutral,
            edit!("lint", |check| check.owner = Some("ada".into())),
        ),
        (
            "fix",
            Neutral,
            edit!("lint", |check| check.fix.how = Some("mend".into())),
        ),
        (
            "locks",
            Neutral,
            edit!("lint", |check| check.locks.push("db".into())),
        ),
        ("weight", Weaker, edit!("tests", |check| check.weight = 0.1)),
        (
            "component",
            Weaker,
            edit!("tests", |check| check.component = Some("web".into())),
        ),
        (
            "min_score",
            Weaker,
            of_gate!(|gate| gate.min_score = Some(70.0)),
        ),
        ("min_score", Weaker, of_gate!(|gate| gate.min_score = None)),
        (
            "min_score",
            Tighter,
            of_gate!(|gate| gate.min_score = Some(90.0)),
        ),
        (
            "count_attested",
            Weaker,
            of_gate!(|gate| gate.count_attested = true),
        ),
        ("require", Weaker, of_gate!(|gate| gate.require.clear())),
        (
            "require",
            Tighter,
            of_gate!(|gate| gate.require.push("lint".into())),
        ),
        (
            "components",
            Weaker,
            of_gate!(|gate| gate.components = BTreeMap::from([("web".into(), 40.0)])),
        ),
        (
            "components",
            Tighter,
            of_gate!(|gate| _ = gate.components.insert("backend".into(), 40.0)),
        ),
        (
            "max_overclaim",
            Weaker,
            of_gate!(|gate| gate.max_overclaim = Some(30.0)),
        ),
        (
            "max_overclaim",
            Weaker,
            of_gate!(|gate| gate.max_overclaim = None),
        ),
        (
            "max_unverified",
            Weaker,
            of_gate!(|gate| gate.max_unverified = Some(9)),
        ),
        (
            "max_undeclared",
            Tighter,
            of_gate!(|gate| gate.max_undeclared = Some(0)),
        ),
        (
            "max_unbacked",
            Tighter,
            of_gate!(|gate| gate.max_unbacked = Some(0)),
        ),
        (
            "require_level",
            Weaker,
            of_gate!(|gate| gate.require_level = Some(Level::Present)),
        ),
        (
            "held_for",
            Weaker,
            of_gate!(
                |gate| gate.held_for = BTreeMap::from([("api".into(), Duration::from_secs(60))])
            ),
        ),
        ("held_for", Weaker, of_gate!(|gate| gate.held_for.clear())),
        (
            "no_regression",
            Weaker,
            of_gate!(|gate| gate.no_regression = false),
        ),
        (
            "no_weakening",
            Weaker,
            of_gate!(|gate| gate.no_weakening = false),
        ),
        (
            "environment",
            Weaker,
            of_gate!(|gate| gate.environment = None),
        ),
        (
            "same_artifact",
            Tighter,
            of_gate!(|gate| gate.same_artifact = true),
        ),
        (
            "require_proved",
            Tighter,
            of_gate!(|gate| gate.require_proved = true),
        ),
        (
            "no_fewer_tests",
            Tighter,
            of_gate!(|gate| gate.no_fewer_tests = true),
        ),
        (
            "no_contradicted",
            Tighter,
            of_gate!(|gate| gate.no_contradicted = true),
        ),
        (
            "every check",
            Tighter,
            of_gate!(|gate| gate.every_check = true),
        ),
        ("", Weaker, |project| project.gates.clear()),
        ("", Tighter, |project| {
            project.gates.push(Gate {
                name: "staging".into(),
                ..Gate::default()
            })
        }),
        ("", Weaker, |project| _ = project.checks.remove(1)),
        ("", Neutral, |project| {
            project.checks.retain(|check| !check.optional)
        }),
        ("", Tighter, |project| project.checks.push(run("new"))),
        ("enough", Weaker, |project| {
            project.components[0].enough = Some(Level::Present)
        }),
        ("weight", Weaker, |project| {
            project.components[1].weight = 0.1
        }),
        ("title", Neutral, |project| {
            project.components[0].title = "Other".into()
        }),
        ("claim", Neutral, |project| {
            project.components[0].claim = Some(20.0)
        }),
        ("score.caps", Tighter, |project| {
            project.caps = Caps {
                validated: 60.0,
                ..Caps::default()
            }
        }),
        ("ignore", Weaker, |project| {
            project.ignored.push(Ignored {
                check: "cargo-audit".into(),
                reason: "no".into(),
            })
        }),
        ("claims.documents", Tighter, |project| {
            project.documents.push("STATUS.md".into())
        }),
        ("", Weaker, |project| project.waivers.push(waiver("api"))),
        ("", Tighter, |project| project.waivers.clear()),
        ("expires", Weaker, |project| {
            project.waivers[0] = Waiver {
                expires: day("2027-06-01"),
                ..waiver("load")
            }
        }),
        ("down_to", Tighter, |project| {
            project.waivers[0].down_to = Some(0.5)
        }),
        ("services", Neutral, |project| {
            project.services.push(service("db"))
        }),
    ];
    for (at, (key, kind, make)) in cases.into_iter().enumerate() {
        let (before, mut after) = (base(), base());
        make(&mut after);
        let found = edits(&before, &after);
        assert_eq!(found.len(), 1, "case {at}, {key}: {found:#?}");
        assert_eq!(found[0].key.as_deref().unwrap_or(""), key, "case {at}");
        // What depends on the evidence is weaker without any.
        assert_eq!(found[0].kind, kind, "case {at}: {found:#?}");
        let words = found[0].words();
        assert!(!words.contains("null, is null"), "{words}");
        // And the way back is never tighter where this was, nor weaker where this was neutral.
        let back = edits(&after, &before);
        assert_eq!(back.len(), 1, "case {at}: {back:#?}");
        if kind == Tighter {
            assert_eq!(back[0].kind, Weaker, "case {at}: {back:#?}");
        }
    }
    assert_eq!(edits(&base(), &base()), vec![]);
}

/// A field that is added to a check is compared, or known not to be: none is passed over in silence.
#[test]
fn every_field_of_a_check_and_of_a_gate_is_compared() {
    let keys = |value: serde_json::Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let full = super::super::check::Check {
        by_exit_alone: true,
        inputs: vec!["x".to_string()],
        ..run("a")
    };
    // Of the command: `env`, `cwd`, `clean_env`, `probe`. The rest follows from the other keys, or names the check.
    let known = [
        "id",
        "probe",
        "env",
        "cwd",
        "clean_env",
        "by_exit_alone",
        "library",
        "source",
    ];
    for key in keys(serde_json::to_value(&full).unwrap()) {
        let name = key.strip_suffix("_s").unwrap_or(&key);
        let compared = fields::FIELDS.iter().any(|field| field.key == name);
        assert!(compared || known.contains(&name), "{name} is not compared");
    }
    let text = include_str!("policy.rs");
    for key in keys(serde_json::to_value(gate()).unwrap()) {
        let name = key.strip_suffix("_s").unwrap_or(&key);
        let compared = text.contains(&format!("\"{name}\""));
        // That none is declared is `every check`.
        assert!(
            compared || ["name", "implied", "every_check"].contains(&name),
            "{name} is not compared"
        );
    }
}

/// What the evidence comes to under both.
fn both(scene: Scene, before: &Project) -> Both {
    let project = Project {
        gates: scene.gates.clone(),
        ..scene.project.clone()
    };
    let report = scene.assess();
    judge(before, &project, &report, now())
}

#[test]
fn a_weight_is_weaker_where_it_helps_and_tighter_where_it_hurts() {
    let of = |id: &str, weight: f64| {
        let mut scene = scene();
        let before = Project {
            gates: scene.gates.clone(),
            ..scene.project.clone()
        };
        let at = check(&mut scene.project, id);
        scene.project.checks[at].weight = weight;
        let both = both(scene, &before);
        (
            both.edits[0].kind,
            both.edits[0].points.unwrap_or(0.0),
            both.verified_now - both.verified,
        )
    };
    let (kind, points, moved) = of("load", 0.1);
    assert_eq!(kind, Kind::Neutral, "nothing of its component is verified");
    assert_eq!((points, moved), (0.0, 0.0));
    let (kind, points, moved) = of("tests", 0.1);
    assert!(kind == Kind::Weaker || points <= 0.0, "{kind:?} {points}");
    assert!((points - moved).abs() < 1e-9);
}

#[test]
fn what_was_asked_then_is_asked_of_the_same_evidence() {
    // Of an answer all is kept: it can be held against what was expected then.
    let mut scene = scene();
    let at = check(&mut scene.project, "tests");
    scene.project.checks[at].at_least = Some(2);
    let both = both(scene, &base());
    assert!(both.not_comparable.is_empty(), "{:?}", both.not_comparable);
    let edit = &both.edits[0];
    assert_eq!(
        (edit.kind, edit.key.as_deref()),
        (Kind::Weaker, Some("at_least"))
    );
    // Another command is another look.
    let mut scene = self::scene();
    let at = check(&mut scene.project, "lint");
    run_of(&mut scene.project.checks[at]).argv = vec!["true".to_string()];
    let both = self::both(scene, &base());
    assert_eq!(both.not_comparable, ["lint"]);
    assert!(both.verified <= both.verified_now && both.ceiling >= both.verified);
}

/// Edits at random, some of which move the goalposts.
fn random_edit() -> impl Strategy<Value = (u8, usize, f64, bool)> {
    (0..18u8, 0..6usize, 0.1..9.0f64, any::<bool>())
}

fn make(project: &mut Project, (kind, at, figure, on): (u8, usize, f64, bool)) {
    if project.checks.is_empty() {
        return;
    }
    let at = at % project.checks.len();
    let components = project.components.len();
    let check = &mut project.checks[at];
    match kind {
        0 => check.weight = figure,
        1 => check.optional = on,
        2 => check.at_least = Some(figure as u64 * 3),
        3 => check.expected_skips = figure as u64,
        4 => check.level = Level::ALL[figure as usize % 4],
        5 => check.needs = if on { vec![] } else { check.needs.clone() },
        6 => check.component = Some(if on { "web" } else { "backend" }.to_string()),
        7 => check.cannot_tell.exit = if on { vec![1] } else { vec![] },
        8 => _ = project.checks.remove(at),
        9 => project.components[at % components].weight = figure,
        10 => project.components[at % components].enough = on.then_some(Level::Present),
        11 => project.caps.validated = 75.0 - figure,
        12 => {
            if let Probe::Run(run) = &mut check.probe {
                run.expect.exit = if on { vec![0, 1] } else { vec![0] };
            }
        }
        13 => check.max_age = on.then_some(Duration::from_secs(1)),
        14 => {
            check.limits = if on {
                BTreeMap::from([("total".to_string(), Limit::at_least(figure))])
            } else {
                BTreeMap::new()
            }
        }
        15 => check.pass_at = on.then_some(0.5),
        16 => {
            check.applies = on.then(|| Applies {
                files: vec!["x".to_string()],
            })
        }
        _ => check.says = format!("{figure}"),
    }
}

/// Anything that may have been seen of a check.
fn anything() -> impl Strategy<Value = Observed> {
    prop_oneof![
        (0..12u64, 0..4u64).prop_map(|(passed, failed)| ran(passed, failed)),
        (0..3i32).prop_map(|status| observed(vec![exit(status)])),
        Just(withheld(Code::CannotTell)),
        Just(unknown()),
        Just(looked()),
    ]
}

proptest! {
    #![proptest_config(same_every_time(600))]

    #[test]
    fn edits_by_which_the_same_evidence_scores_more_are_never_all_tighter_or_neutral(
        seen in proptest::collection::vec(anything(), 6),
        made in proptest::collection::vec(random_edit(), 1..4),
    ) {
        let mut scene = scene();
        for (known, observed) in scene.seen.iter_mut().zip(seen) {
            known.observed = observed;
        }
        let before = Project { gates: scene.gates.clone(), ..scene.project.clone() };
        let earlier = scene.project.checks.iter().map(|check| check.id.clone()).collect::<Vec<_>>();
        for edit in made {
            make(&mut scene.project, edit);
        }
        // What was seen stays with its check.
        let mut known = earlier.into_iter().zip(std::mem::take(&mut scene.seen)).collect::<BTreeMap<_, _>>();
        scene.seen = scene.project.checks.iter().map(|check| known.remove(&check.id).unwrap()).collect();
        let both = both(scene, &before);
        let weaker = both.edits.iter().any(|edit| edit.kind == Kind::Weaker);
        if both.not_comparable.is_empty() && both.verified_now > both.verified {
            prop_assert!(weaker, "{} to {}: {:#?}", both.verified, both.verified_now, both.edits);
        }
    }
}
