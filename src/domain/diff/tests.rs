//! The score of a report follows from its rows; the parts of a difference add up to it, whatever the two reports are; each
//! difference is told as what it is.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::check::Check;
use super::super::evidence::Observed;
use super::super::level::{Caps, Level};
use super::super::project::Component;
use super::super::reason::Code;
use super::super::testing::*;
use super::*;

/// What is drawn of a check: its id, component, weight, level, and which of the observations there is of it.
type Drawn = (usize, Option<usize>, f64, Level, usize, bool, bool);

/// What is drawn of a project: checks, the weights of components and what is enough for them, caps.
type DrawnProject = (Vec<Drawn>, Vec<(f64, Option<Level>)>, Caps);

const WEIGHTS: [f64; 4] = [1.0, 3.0, 0.1, 1000.0];

fn observations() -> Vec<Observed> {
    let codes = [
        Code::ToolMissing,
        Code::WrongPlatform,
        Code::CannotTell,
        Code::Stale,
        Code::NotRun,
    ];
    let codes = codes
        .into_iter()
        .chain([Code::NeedsFailed, Code::Interrupted, Code::PortTaken]);
    let ran = [holds(), breaks(), ran(1, 2), ran(57, 43), ran(118, 4)];
    ran.into_iter().chain(codes.map(withheld)).collect()
}

fn drawn() -> impl Strategy<Value = DrawnProject> {
    let check = (
        0..7usize,
        proptest::option::of(0..3usize),
        select(&WEIGHTS[..]),
        select(&Level::ALL[..4]),
        0..13usize,
        any::<bool>(),
        prop_oneof![4 => Just(true), 1 => Just(false)],
    );
    let enough = prop_oneof![3 => Just(None), 1 => Just(Some(Level::Wired))];
    let components = vec((select(&WEIGHTS[..]), enough), 0..4usize);
    let caps = prop_oneof![
        Just(Caps::default()),
        Just(Caps {
            validated: 60.0,
            present: 0.0,
            ..Caps::default()
        })
    ];
    (vec(check, 0..7usize), components, caps)
}

fn report((checks, components, caps): DrawnProject) -> Report {
    let observations = observations();
    let mut known = BTreeSet::new();
    let (mut cases, mut inapplicable) = (vec![], vec![]);
    for (id, home, weight, level, seen, plain, applies) in checks {
        if !known.insert(id) {
            continue;
        }
        // The names of checks and of components meet.
        let name = ["a", "b", "c", "d", "e", "f", "g"][id].to_string();
        let check = Check {
            component: home.map(|at| ["a", "x", "y"][at].to_string()),
            weight,
            level,
            optional: !plain && seen % 2 == 0,
            ..counted(&name)
        };
        if !applies {
            inapplicable.push(name);
        }
        cases.push((check, observations[seen].clone()));
    }
    let mut scene = Scene::of(cases);
    scene.project.caps = caps;
    for ((weight, enough), id) in components.into_iter().zip(["a", "x", "y", "z"]) {
        scene = scene.component(Component {
            weight,
            enough,
            ..component(id)
        });
    }
    for id in inapplicable {
        scene = scene.inapplicable(&id);
    }
    scene.assess()
}

proptest! {
    #![proptest_config(same_every_time(300))]

    #[test]
    fn the_parts_add_up_and_the_score_follows_from_the_rows(from in drawn(), to in drawn()) {
        let (from, to) = (report(from), report(to));
        for report in [&from, &to] {
            let exact = Model::of(report).verified();
            prop_assert_eq!(ratio::to_percent(&exact), report.score.verified);
        }
        let diff = Diff::between(&from, &to).unwrap();
        let sum: Ratio = diff.parts.iter().map(|part| part.exact.clone()).sum();
        prop_assert_eq!(&sum, &diff.exact);
        prop_assert_eq!(&diff.to.exact - &diff.from.exact, diff.exact.clone());
        prop_assert!(diff.parts.windows(2).all(|pair| pair[0].exact.abs() >= pair[1].exact.abs()));
        // Published and read again it is the same.
        let json = serde_json::to_string(&diff).unwrap();
        prop_assert_eq!(serde_json::from_str::<Diff>(&json).unwrap(), diff);
        // A report differs from itself in nothing.
        prop_assert_eq!(Diff::between(&from, &from).unwrap().parts, vec![]);
    }
}

/// The parts, as one line each: kind, check or component, what, from, to, points.
fn told(from: Scene, to: Scene) -> Vec<String> {
    let diff = Diff::between(&from.assess(), &to.assess()).unwrap();
    let part = |part: &Part| {
        let word = |text: &Option<String>| text.clone().unwrap_or("-".to_string());
        let about = part.check.as_ref().or(part.component.as_ref());
        let what = serde_json::to_value(part.what).unwrap();
        let redefined = if part.redefined { ", redefined" } else { "" };
        format!(
            "{}: {} {}: {} > {}, {}{redefined}",
            part.kind.words(),
            about.unwrap(),
            what.as_str().unwrap(),
            word(&part.from),
            word(&part.to),
            part.points
        )
    };
    diff.parts.iter().map(part).collect()
}

/// Four checks of weight 1 in one component, of which three hold; the last is as given.
fn four(last: Observed) -> Scene {
    four_with(counted("d"), last)
}

fn four_with(check: Check, last: Observed) -> Scene {
    let held = ["a", "b", "c"].map(|id| (within("x", counted(id)), holds()));
    Scene::of(held.into_iter().chain([(within("x", check), last)]))
}

#[test]
fn every_kind_of_difference_is_told_as_what_it_is() {
    let weighing = |weight| Check {
        weight,
        ..counted("d")
    };
    let at = |level| Check {
        level,
        ..counted("d")
    };
    let optional = Check {
        optional: true,
        ..counted("d")
    };
    let stricter = Check {
        at_least: Some(6),
        ..counted("d")
    };
    let capped = || {
        let mut scene = four_with(at(Level::Validated), holds());
        scene
            .project
            .checks
            .iter_mut()
            .for_each(|check| check.level = Level::Validated);
        scene
    };
    let lowered = || {
        let mut scene = capped();
        scene.project.caps.validated = 50.0;
        scene
    };
    let weighted = |weight| {
        four(breaks()).component(Component {
            weight,
            ..component("x")
        })
    };
    let with = |scene: Scene, id: &str, weight| {
        scene.component(Component {
            weight,
            ..component(id)
        })
    };
    let enough = || {
        capped().component(Component {
            enough: Some(Level::Validated),
            ..component("x")
        })
    };
    let elsewhere = |home: &str| {
        four(holds())
            .component(component("y"))
            .also(within(home, counted("e")), breaks())
    };
    let cases: Vec<(Scene, Scene, &[&str])> = vec![
        (four(holds()), four(holds()), &[]),
        // Results.
        (
            four(breaks()),
            four(holds()),
            &["results: d verdict: failed > verified, 25"],
        ),
        (
            four(holds()),
            four(ran(1, 3)),
            &["results: d verdict: verified > partial 1/4, -18.75"],
        ),
        (
            four(ran(3, 1)),
            four(ran(1, 3)),
            &["results: d verdict: partial 3/4 > partial 1/4, -12.5"],
        ),
        (
            four(holds()),
            four_with(stricter, ran(3, 0)),
            &["results: d verdict: verified > partial 1/2, -12.5, redefined"],
        ),
        (
            four(withheld(Code::PortTaken)),
            four(breaks()),
            &["results: d verdict: unverified (port-taken) > failed, 0"],
        ),
        // Tools and staleness.
        (
            four(holds()),
            four(withheld(Code::ToolMissing)),
            &["tools: d verdict: verified > unverified (tool-missing), -25"],
        ),
        (
            four(withheld(Code::WrongPlatform)),
            four(holds()),
            &["tools: d verdict: unverified (wrong-platform) > verified, 25"],
        ),
        (
            four(withheld(Code::Stale)),
            four(withheld(Code::CannotTell)),
            &["tools: d verdict: unverified (stale) > unverified (cannot-tell), 0"],
        ),
        (
            four(holds()),
            four(withheld(Code::Stale)),
            &["staleness: d verdict: verified > unverified (stale), -25"],
        ),
        (
            four(unknown()),
            four(ran(1, 1)),
            &["staleness: d verdict: unverified (not-run) > partial 1/2, 12.5"],
        ),
        // The check set.
        (
            four(holds()).without("d"),
            four(breaks()),
            &["check set: d appeared: - > failed, -25"],
        ),
        (
            four(breaks()),
            four(holds()).without("d"),
            &["check set: d vanished: failed > -, 25"],
        ),
        (
            four(breaks()),
            four(unknown()).inapplicable("d"),
            &["check set: d applies: failed > does not apply, 25"],
        ),
        (
            four(unknown()).inapplicable("d"),
            four(holds()),
            &["check set: d applies: does not apply > verified, 0"],
        ),
        (
            four(breaks()),
            four_with(optional.clone(), breaks()),
            &["check set: d optional: counts > optional, 25"],
        ),
        (
            four_with(optional, breaks()),
            four(holds()),
            &[
                "check set: d optional: optional > counts, -25",
                "results: d verdict: failed > verified, 25",
            ],
        ),
        // Weights, caps, levels, components.
        (
            four(breaks()),
            four_with(weighing(3.0), breaks()),
            &["weights: d weight: 1 > 3, -25"],
        ),
        (
            four(holds()),
            four_with(at(Level::Wired), holds()),
            &["weights: d level: exercised > wired, 0"],
        ),
        (
            capped(),
            lowered(),
            &["weights: validated cap: 75 % > 50 %, -25"],
        ),
        (
            enough(),
            capped(),
            &["weights: x enough: validated > -, -25"],
        ),
        (
            four(breaks()),
            with(four(breaks()), "y", 1.0),
            &["weights: y appeared: - > no checks, -37.5"],
        ),
        (
            with(four(breaks()), "y", 1.0),
            with(four(breaks()), "y", 2.0),
            &["weights: y weight: 1 > 2, -12.5"],
        ),
        (
            with(four(breaks()), "y", 2.0),
            four(breaks()),
            &["weights: y vanished: no checks > -, 50"],
        ),
        (
            weighted(1.0),
            weighted(7.0),
            &["weights: x weight: 1 > 7, 0"],
        ),
        (
            elsewhere("x"),
            elsewhere("y"),
            &["weights: e component: x > y, 10"],
        ),
        // Waivers raise nothing.
        (
            four(breaks()),
            four(breaks()).waive(waiver("d")),
            &["waivers: d waiver: - > in force, until 2026-11-30, 0"],
        ),
        (
            four(breaks()).waive(waiver("d")),
            four(breaks()),
            &["waivers: d waiver: in force, until 2026-11-30 > -, 0"],
        ),
    ];
    for (from, to, wanted) in cases {
        assert_eq!(told(from, to), wanted);
    }
}
