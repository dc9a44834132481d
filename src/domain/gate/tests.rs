//! Each rule open and closed, at its exact border; what waivers do and what they never do.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::check::Fix;
use super::super::evidence::Observed;
use super::super::reason::Code;
use super::super::report::Report;
use super::super::testing::*;
use super::super::waiver::WaiverState;
use super::*;

/// The rules that close the only gate, each with its check.
fn reasons(report: &Report) -> Vec<(&str, Option<&str>)> {
    let [gate] = report.gates.as_slice() else {
        panic!("one gate")
    };
    assert_eq!(
        gate.open,
        gate.reasons.is_empty(),
        "a gate is closed for a reason"
    );
    assert!(gate.reasons.iter().all(|reason| !reason.text.is_empty()));
    gate.reasons
        .iter()
        .map(|reason| (reason.rule.as_str(), reason.check.as_deref()))
        .collect()
}

#[track_caller]
fn open(scene: Scene) -> Report {
    let report = scene.assess();
    assert_eq!(reasons(&report), []);
    report
}

#[track_caller]
fn closed(scene: Scene, wanted: &[(&str, Option<&str>)]) -> Report {
    let report = scene.assess();
    assert_eq!(reasons(&report), wanted);
    report
}

fn named(name: &str) -> Gate {
    Gate {
        name: name.to_string(),
        ..gate()
    }
}

fn require(ids: &[&str]) -> Gate {
    Gate {
        require: ids.iter().map(|id| id.to_string()).collect(),
        ..gate()
    }
}

fn min_score(least: f64) -> Gate {
    Gate {
        min_score: Some(least),
        ..gate()
    }
}

fn minimum(component: &str, least: f64) -> Gate {
    Gate {
        components: BTreeMap::from([(component.to_string(), least)]),
        ..gate()
    }
}

fn max_overclaim(most: f64) -> Gate {
    Gate {
        max_overclaim: Some(most),
        ..gate()
    }
}

fn max_unverified(most: u64) -> Gate {
    Gate {
        max_unverified: Some(most),
        ..gate()
    }
}

fn require_level(level: Level) -> Gate {
    Gate {
        require_level: Some(level),
        ..gate()
    }
}

fn blocking(check: Check) -> Check {
    Check {
        blocking: Blocking::Default,
        ..check
    }
}

fn accepting(check: Check) -> Check {
    Check {
        pass_at: Some(0.75),
        ..check
    }
}

fn optional(check: Check) -> Check {
    Check {
        optional: true,
        ..check
    }
}

#[test]
fn the_gate_of_a_manifest_without_gates_wants_every_check() {
    let scene = |check, observed| Scene::of([(counted("fine"), holds()), (check, observed)]);
    open(scene(counted("a"), holds()));
    open(scene(accepting(counted("a")), ran(3, 1)));
    open(scene(manual("a"), word()));
    open(scene(optional(counted("a")), breaks()));
    open(scene(counted("a"), breaks()).inapplicable("a"));
    let wanted = [("every-check", Some("a"))];
    closed(scene(counted("a"), breaks()), &wanted);
    closed(scene(counted("a"), unknown()), &wanted);
    closed(scene(counted("a"), ran(99, 1)), &wanted);
    closed(scene(accepting(counted("a")), ran(2, 1)), &wanted);
}

#[test]
fn require_wants_evidence() {
    let scene = |check, observed| {
        Scene::of([(check, observed), (counted("b"), breaks())]).gate(require(&["a"]))
    };
    open(scene(counted("a"), holds()));
    open(scene(accepting(counted("a")), ran(3, 1)));
    let wanted = [("require", Some("a"))];
    closed(scene(counted("a"), breaks()), &wanted);
    closed(scene(counted("a"), unknown()), &wanted);
    closed(scene(counted("a"), ran(3, 1)), &wanted);
    closed(scene(accepting(counted("a")), ran(749, 251)), &wanted);
    closed(scene(manual("a"), word()), &wanted);
    closed(scene(counted("c"), holds()), &wanted).gates[0]
        .reasons
        .iter()
        .for_each(|reason| {
            assert_eq!(reason.text, "a is required, and there is no such check");
        });
}

#[test]
fn a_check_blocks_the_gates_that_it_names() {
    let blocks =
        |gates: &[&str]| Blocking::Gates(gates.iter().map(|name| name.to_string()).collect());
    let cases = [
        // (blocking, the gate's name, closed)
        (Blocking::No, "default", false),
        (Blocking::Default, "default", true),
        (Blocking::Default, "production", false),
        (blocks(&["production"]), "production", true),
        (blocks(&["production", "staging"]), "staging", true),
        (blocks(&["production"]), "staging", false),
        (blocks(&["production"]), "default", false),
        (blocks(&[]), "default", false),
    ];
    for (blocking, name, blocked) in cases {
        let gate = Gate {
            min_score: Some(0.0),
            ..named(name)
        };
        let check = Check {
            blocking: blocking.clone(),
            ..counted("a")
        };
        let report = Scene::of([(check, breaks())]).gate(gate).assess();
        let wanted = if blocked {
            vec![("blocking", Some("a"))]
        } else {
            vec![]
        };
        assert_eq!(reasons(&report), wanted, "{blocking:?} at {name}");
    }
    // Blocking alone makes a gate that has something to judge.
    open(Scene::of([(blocking(counted("a")), holds())]).gate(gate()));
    open(Scene::of([(blocking(accepting(counted("a"))), ran(3, 1))]).gate(gate()));
    closed(
        Scene::of([(blocking(manual("a")), word())]).gate(gate()),
        &[("blocking", Some("a"))],
    );
}

#[test]
fn a_check_gives_one_reason_with_all_that_helps_to_mend_it() {
    let check = Check {
        owner: Some("api team".to_string()),
        fix: Fix {
            takes: Some(Duration::from_secs(7_200)),
            how: Some("pytest -x".to_string()),
        },
        ..blocking(counted("a"))
    };
    let gate = Gate {
        every_check: true,
        ..require(&["a"])
    };
    let report = closed(
        Scene::of([(check, breaks())]).gate(gate),
        &[("require", Some("a"))],
    );
    let wanted = GateReason {
        rule: "require".to_string(),
        check: Some("a".to_string()),
        text: "a is failed: 0 of 3 passed, 3 failed".to_string(),
        owner: Some("api team".to_string()),
        takes_s: Some(7_200.0),
        how: Some("pytest -x".to_string()),
    };
    assert_eq!(report.gates[0].reasons, [wanted]);
}

#[test]
fn every_rule_gives_its_reasons() {
    let gate = Gate {
        min_score: Some(50.0),
        max_overclaim: Some(10.0),
        max_unverified: Some(0),
        require_level: Some(Level::Exercised),
        ..minimum("web", 10.0)
    };
    let scene = Scene::of([
        (blocking(within("web", counted("a"))), unknown()),
        (blocking(counted("b")), breaks()),
    ])
    .claim(95.0)
    .gate(gate);
    let wanted = [
        ("blocking", Some("a")),
        ("blocking", Some("b")),
        ("min_score", None),
        ("components", None),
        ("max_overclaim", None),
        ("max_unverified", None),
        ("require_level", None),
        ("require_level", None),
    ];
    closed(scene, &wanted);
}

#[test]
fn min_score_compares_exact_fractions() {
    const WHOLE: u64 = 100_000_000_000_000_000;
    const HAIR: u64 = 56_999_999_999_999_999;
    let scene = |passed, all, least| {
        Scene::of([(counted("a"), ran(passed, all - passed))]).gate(min_score(least))
    };
    open(scene(57, 100, 57.0));
    open(scene(570_000_000, 1_000_000_000, 57.0));
    open(scene(HAIR + 1, WHOLE, 57.0));
    let report = closed(scene(HAIR, WHOLE, 57.0), &[("min_score", None)]);
    assert_eq!(
        report.gates[0].reasons[0].text,
        "verified 56 % is below 57 %"
    );
    assert!(report.score.verified < 57.0);
    open(scene(1, 3, 33.333_333_333_333));
    closed(scene(1, 3, 33.333_333_333_334), &[("min_score", None)]);
    open(scene(7, 7, 100.0));
    closed(scene(WHOLE - 1, WHOLE, 100.0), &[("min_score", None)]);
    open(scene(0, 1, 0.0));
    // 0.1 + 0.2 as weights: what binary fractions get wrong.
    let tenths = |weight, id, observed| {
        (
            Check {
                weight,
                ..counted(id)
            },
            observed,
        )
    };
    open(
        Scene::of([
            tenths(0.1, "a", holds()),
            tenths(0.2, "b", holds()),
            tenths(0.7, "c", breaks()),
        ])
        .gate(min_score(30.0)),
    );
}

#[test]
fn thirds_add_up() {
    let third = |id: &str, observed| (within(id, counted("a")), observed);
    let scene = |least| {
        Scene::of([
            third("x", ran(1, 2)),
            third("y", ran(1, 2)),
            third("z", ran(1, 2)),
        ])
        .gate(min_score(least))
    };
    assert_eq!(open(scene(33.333)).score.verified, 33.333_333_333_333_33);
    closed(scene(33.334), &[("min_score", None)]);
    let thirds = || {
        [
            (counted("a"), holds()),
            (counted("b"), holds()),
            (manual("c"), word()),
        ]
    };
    let with_word = |least| Gate {
        count_attested: true,
        ..min_score(least)
    };
    open(Scene::of(thirds()).gate(with_word(100.0)));
    closed(
        Scene::of(thirds()).gate(min_score(66.666_666_666_667)),
        &[("min_score", None)],
    );
    open(Scene::of(thirds()).gate(min_score(66.666_666_666_666)));
}

#[test]
fn a_persons_word_counts_where_the_gate_says_so() {
    let scene = |gate| Scene::of([(counted("a"), holds()), (manual("b"), word())]).gate(gate);
    open(scene(Gate {
        count_attested: true,
        ..min_score(100.0)
    }));
    let report = closed(scene(min_score(50.1)), &[("min_score", None)]);
    assert_eq!((report.score.verified, report.score.attested), (50.0, 50.0));
    // An expired word is none.
    let mut late = manual("b");
    if let super::super::check::Probe::Manual(word) = &mut late.probe {
        word.expires = day("2026-11-21");
    }
    let gate = Gate {
        count_attested: true,
        ..min_score(50.1)
    };
    closed(
        Scene::of([(counted("a"), holds()), (late, word())]).gate(gate),
        &[("min_score", None)],
    );
}

#[test]
fn components_have_minimums_of_their_own() {
    let scene = |least, observed| {
        Scene::of([
            (within("security", counted("a")), observed),
            (within("web", counted("b")), holds()),
        ])
        .gate(minimum("security", least))
    };
    open(scene(100.0, holds()));
    open(scene(57.0, ran(57, 43)));
    closed(scene(57.1, ran(57, 43)), &[("components", None)]);
    closed(scene(0.1, unknown()), &[("components", None)]);
    // Its cap holds: a program judged by its exit status carries 75.
    let capped = |least| {
        Scene::of([(within("security", run("a")), observed(vec![exit(0)]))])
            .gate(minimum("security", least))
    };
    open(capped(75.0));
    closed(capped(75.1), &[("components", None)]);
    // Without checks it reaches nothing; one that is not there does neither.
    closed(
        Scene::of([(counted("a"), holds())])
            .component(component("security"))
            .gate(minimum("security", 1.0)),
        &[("components", None)],
    );
    closed(
        Scene::of([(counted("a"), holds())]).gate(minimum("security", 1.0)),
        &[("components", None)],
    );
}

#[test]
fn max_overclaim_holds_the_claim_against_the_evidence() {
    let scene = |claim, most| {
        Scene::of([(counted("a"), ran(57, 43))])
            .claim(claim)
            .gate(max_overclaim(most))
    };
    open(scene(67.0, 10.0));
    open(scene(57.0, 0.0));
    open(scene(10.0, 0.0));
    closed(scene(67.1, 10.0), &[("max_overclaim", None)]);
    closed(scene(57.1, 0.0), &[("max_overclaim", None)]);
    let silent = closed(
        Scene::of([(counted("a"), holds())]).gate(max_overclaim(100.0)),
        &[("max_overclaim", None)],
    );
    assert_eq!(silent.gates[0].reasons[0].text, "nothing claims a figure");
    // Only the components that claim: 100 claimed and 50 verified for one, nothing for the other.
    let partly = |most| {
        Scene::of([
            (within("web", counted("a")), ran(1, 1)),
            (within("api", counted("b")), breaks()),
        ])
        .component(Component {
            claim: Some(100.0),
            ..component("web")
        })
        .gate(max_overclaim(most))
    };
    open(partly(50.0));
    closed(partly(49.9), &[("max_overclaim", None)]);
}

#[test]
fn max_unverified_counts_what_nobody_knows() {
    let scene = |most| {
        Scene::of([
            (counted("a"), unknown()),
            (counted("b"), unknown()),
            (counted("c"), breaks()),
            (counted("d"), ran(1, 1)),
            (manual("e"), word()),
            (optional(counted("f")), unknown()),
            (counted("g"), unknown()),
        ])
        .inapplicable("g")
        .gate(max_unverified(most))
    };
    open(scene(2));
    let report = closed(scene(1), &[("max_unverified", None)]);
    assert_eq!(
        report.gates[0].reasons[0].text,
        "2 checks are unverified, more than 1: a, b"
    );
    // A waiver is spent only where it is needed.
    assert!(open(scene(2).waive(waiver("a"))).gates[0].waived.is_empty());
    assert_eq!(open(scene(1).waive(waiver("a"))).gates[0].waived, ["a"]);
    closed(scene(0).waive(waiver("a")), &[("max_unverified", None)]);
}

#[test]
fn require_level_looks_at_what_carries_a_component() {
    let scene = |weakest, observed| {
        Scene::of([(within("web", run("a")), observed)]).gate(require_level(weakest))
    };
    let passed = || observed(vec![exit(0)]);
    open(scene(Level::Validated, passed()));
    open(scene(Level::Present, passed()));
    closed(
        scene(Level::Exercised, passed()),
        &[("require_level", None)],
    );
    let nothing = closed(scene(Level::Present, unknown()), &[("require_level", None)]);
    assert_eq!(
        nothing.gates[0].reasons[0].text,
        "The web is carried by no evidence, present is required"
    );
    // What is enough for a component is enough for the gate.
    let enough = |level| Component {
        enough: Some(level),
        ..component("web")
    };
    open(scene(Level::Exercised, passed()).component(enough(Level::Validated)));
    open(scene(Level::Exercised, passed()).component(enough(Level::Present)));
    closed(
        scene(Level::Exercised, unknown()).component(enough(Level::Present)),
        &[("require_level", None)],
    );
    // A component that is not applicable needs none.
    let two = Scene::of([
        (within("web", counted("a")), holds()),
        (within("nginx", run("b")), unknown()),
    ]);
    open(two.inapplicable("b").gate(require_level(Level::Exercised)));
}

#[test]
fn a_gate_with_nothing_to_judge_is_closed() {
    let nothing = [("nothing-to-judge", None)];
    let one = || Scene::of([(counted("a"), holds())]);
    let inapplicable = || one().inapplicable("a");
    let all_optional = || {
        Scene::of([
            (optional(counted("a")), holds()),
            (optional(counted("b")), holds()),
        ])
    };
    let only_components = || Scene::of([]).component(component("web"));
    let optional_within = || Scene::of([(optional(within("web", counted("a"))), holds())]);

    closed(one().gate(gate()), &nothing);
    for scene in [Scene::of([]), inapplicable(), all_optional()] {
        closed(scene, &nothing);
    }
    // A component that nothing checks is told beside.
    let no_checks = [("nothing-to-judge", None), ("every-check", None)];
    for scene in [only_components(), optional_within()] {
        closed(scene, &no_checks);
    }
    for rules in [
        require(&[]),
        max_unverified(5),
        gate(),
        implicit(),
        min_score(0.0),
    ] {
        closed(Scene::of([]).gate(rules.clone()), &nothing);
        closed(inapplicable().gate(rules.clone()), &nothing);
        closed(all_optional().gate(rules), &nothing);
    }
    // Rules that are only about what does not count judge nothing.
    let beside = |gate| {
        Scene::of([
            (within("web", counted("a")), unknown()),
            (within("api", counted("b")), holds()),
        ])
        .inapplicable("a")
        .gate(gate)
    };
    closed(beside(minimum("web", 100.0)), &[("components", None)]);
    // What a gate requires must be verified: a condition that nobody meets is no way round it.
    let required = [("require", Some("a"))];
    closed(beside(require(&["a"])), &required);
    closed(beside(require(&["a", "b"])), &required);
    closed(optional_within().gate(max_unverified(0)), &nothing);
    closed(optional_within().gate(require(&["a"])), &nothing);
    // A component without checks is something to judge for a score, and has none.
    closed(
        only_components().gate(min_score(1.0)),
        &[("min_score", None)],
    );
}

#[test]
fn what_is_optional_is_outside_of_every_gate() {
    let extra = optional(blocking(within("web", counted("b"))));
    let scene = |observed| {
        Scene::of([
            (within("web", counted("a")), holds()),
            (extra.clone(), observed),
        ])
    };
    for gate in [
        implicit(),
        require(&["a", "b"]),
        min_score(100.0),
        minimum("web", 100.0),
        max_unverified(0),
        require_level(Level::Exercised),
    ] {
        for observed in [breaks(), unknown(), holds()] {
            let report = open(scene(observed).gate(gate.clone()));
            assert_eq!(report.score.verified, 100.0);
        }
    }
}

#[test]
fn a_waiver_exempts_its_check() {
    let scene = |gate: &Gate, observed| {
        Scene::of([(blocking(counted("a")), observed), (counted("b"), holds())]).gate(gate.clone())
    };
    for gate in [implicit(), require(&["a"]), gate(), max_unverified(0)] {
        assert!(!scene(&gate, unknown()).assess().gates[0].open, "{gate:?}");
        let report = open(scene(&gate, unknown()).waive(waiver("a")));
        assert_eq!(report.gates[0].waived, ["a"], "{gate:?}");
        assert_eq!(report.checks[0].waiver, Some(WaiverState::InForce));
        assert!(
            !scene(&gate, unknown()).waive(waiver("b")).assess().gates[0].open,
            "another check's"
        );
    }
    // Also one for which only a person's word stands, where that is not enough.
    let report = open(
        Scene::of([(manual("a"), word())])
            .gate(require(&["a"]))
            .waive(waiver("a")),
    );
    assert_eq!(
        (report.gates[0].waived.len(), report.waivers[0].state),
        (1, WaiverState::InForce)
    );
}

#[test]
fn a_waiver_works_through_its_last_day() {
    let until = |expires| Waiver {
        expires: day(expires),
        ..waiver("a")
    };
    let scene = |expires| Scene::of([(counted("a"), breaks())]).waive(until(expires));
    for expires in ["2026-11-22", "2026-11-23", "9999-12-31"] {
        assert_eq!(
            open(scene(expires)).waivers[0].state,
            WaiverState::InForce,
            "{expires}"
        );
    }
    for expires in ["2026-11-21", "0001-01-01"] {
        let report = closed(scene(expires), &[("every-check", Some("a"))]);
        assert_eq!(
            (report.waivers[0].state, report.gates[0].waived.len()),
            (WaiverState::Expired, 0),
            "{expires}"
        );
    }
}

#[test]
fn a_waiver_that_nothing_needs_is_told() {
    let state = |scene: Scene| open(scene).waivers[0].state;
    assert_eq!(
        state(Scene::of([(counted("a"), holds())]).waive(waiver("a"))),
        WaiverState::Needless
    );
    assert_eq!(
        state(Scene::of([(accepting(counted("a")), ran(3, 1))]).waive(waiver("a"))),
        WaiverState::Needless
    );
    assert_eq!(
        state(Scene::of([(counted("a"), holds())]).waive(waiver("z"))),
        WaiverState::Needless
    );
    let fine = || (counted("fine"), holds());
    assert_eq!(
        state(Scene::of([fine(), (optional(counted("a")), breaks())]).waive(waiver("a"))),
        WaiverState::Needless
    );
    assert_eq!(
        state(
            Scene::of([fine(), (counted("a"), unknown())])
                .inapplicable("a")
                .waive(waiver("a"))
        ),
        WaiverState::Needless
    );
    assert!(
        open(Scene::of([fine()]).waive(waiver("fine"))).gates[0]
            .waived
            .is_empty()
    );
}

#[test]
fn a_waiver_for_which_no_gate_would_be_closed_is_needless() {
    let scene = |gate| Scene::of([(counted("a"), breaks()), (counted("b"), holds())]).gate(gate);
    for gate in [require(&["b"]), min_score(0.0), max_unverified(1)] {
        let report = open(scene(gate).waive(waiver("a")));
        assert_eq!(report.waivers[0].state, WaiverState::Needless);
        assert_eq!(report.checks[0].waiver, Some(WaiverState::Needless));
    }
    // An expired one is told as such, whatever it would do.
    let expired = Waiver {
        expires: day("2026-11-21"),
        ..waiver("a")
    };
    let report = open(scene(require(&["b"])).waive(expired));
    assert_eq!(report.waivers[0].state, WaiverState::Expired);
}

#[test]
fn a_gate_is_shown_without_its_waivers() {
    let scene = |gate| {
        Scene::of([
            (counted("a"), breaks()),
            (counted("b"), holds()),
            (counted("c"), breaks()),
        ])
        .gate(gate)
    };
    let report = open(scene(require(&["a", "b"])).waive(waiver("a")));
    let without = report.gates[0].without_waivers.as_ref().unwrap();
    assert!(!without.open);
    assert_eq!(
        without.reasons[0].text,
        "a is failed: 0 of 3 passed, 3 failed"
    );
    // Where it is closed with them, too, for less.
    let report = scene(require(&["a", "c"])).waive(waiver("a")).assess();
    let without = report.gates[0].without_waivers.as_ref().unwrap();
    assert_eq!(
        (report.gates[0].reasons.len(), without.reasons.len()),
        (1, 2)
    );
    // Where none exempts a check, there is nothing to tell apart.
    for scene in [
        scene(require(&["b"])).waive(waiver("a")),
        scene(require(&["b"])),
    ] {
        assert_eq!(open(scene).gates[0].without_waivers, None);
    }
}

#[test]
fn the_days_that_a_waiver_has_left() {
    let cases = [
        ("2026-11-22", 0),
        ("2026-11-23", 1),
        ("2027-11-22", 365),
        ("2026-11-21", -1),
        ("9999-12-31", 2_912_117),
    ];
    for (expires, left) in cases {
        let waiver = Waiver {
            expires: day(expires),
            ..waiver("a")
        };
        assert_eq!(waiver.days_left(day("2026-11-22")), left, "{expires}");
    }
}

#[test]
fn a_waiver_goes_down_to_its_floor() {
    let cases = [
        // (down_to, passed, failed, state)
        (0.9, 90, 10, WaiverState::InForce),
        (0.9, 899, 101, WaiverState::Exceeded),
        (0.57, 57, 43, WaiverState::InForce),
        (0.1, 0, 9, WaiverState::Exceeded),
        (0.0, 0, 9, WaiverState::InForce),
    ];
    for (floor, passed, failed, state) in cases {
        let waiver = Waiver {
            down_to: Some(floor),
            ..waiver("a")
        };
        let report = Scene::of([(counted("a"), ran(passed, failed))])
            .waive(waiver)
            .assess();
        assert_eq!(
            report.waivers[0].state, state,
            "{passed} and {failed} down to {floor}"
        );
        assert_eq!(report.gates[0].open, state == WaiverState::InForce);
    }
}

#[test]
fn a_waiver_never_raises_a_figure() {
    let scene = |gate| {
        Scene::of([
            (within("web", counted("a")), breaks()),
            (within("web", counted("b")), holds()),
        ])
        .claim(100.0)
        .gate(gate)
    };
    let cases = [
        (min_score(50.1), "min_score"),
        (
            Gate {
                count_attested: true,
                ..min_score(50.1)
            },
            "min_score",
        ),
        (minimum("web", 50.1), "components"),
        (max_overclaim(49.9), "max_overclaim"),
    ];
    for (gate, rule) in cases {
        let (without, with) = (
            scene(gate.clone()).assess(),
            scene(gate).waive(waiver("a")).assess(),
        );
        assert_eq!(
            (&without.score, &without.components),
            (&with.score, &with.components)
        );
        assert_eq!(reasons(&with), [(rule, None)]);
        assert_eq!(with.gates[0].waived.len(), 0);
    }
    let unlevelled = Scene::of([(counted("a"), breaks())])
        .gate(require_level(Level::Present))
        .waive(waiver("a"));
    closed(unlevelled, &[("require_level", None)]);
}

/// What may be seen of a check.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sight {
    Verified,
    Partial,
    Failed,
    Unverified,
}

fn sight(sight: Sight) -> Observed {
    match sight {
        Sight::Verified => holds(),
        Sight::Partial => ran(3, 1),
        Sight::Failed => breaks(),
        Sight::Unverified => unknown(),
    }
}

fn any_sight() -> impl Strategy<Value = Sight> {
    select(vec![
        Sight::Verified,
        Sight::Verified,
        Sight::Verified,
        Sight::Partial,
        Sight::Failed,
        Sight::Unverified,
    ])
}

fn any_case(id: usize) -> impl Strategy<Value = (Check, Sight)> {
    let (level, component) = (
        select(Level::ALL[..4].to_vec()),
        select(vec![None, Some("web"), Some("api")]),
    );
    let flags = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.1));
    (level, component, 1..5u32, flags, any_sight()).prop_map(
        move |(level, component, weight, (accepts, blocks, optional), sight)| {
            let check = Check {
                level,
                component: component.map(str::to_string),
                weight: weight.into(),
                pass_at: accepts.then_some(0.7),
                blocking: if blocks {
                    Blocking::Default
                } else {
                    Blocking::No
                },
                optional,
                ..counted(&format!("check-{id}"))
            };
            (check, sight)
        },
    )
}

fn any_gate() -> impl Strategy<Value = Gate> {
    let sometimes =
        |values: std::ops::Range<u32>| proptest::option::weighted(0.4, values.prop_map(f64::from));
    let rules = (
        sometimes(0..100),
        sometimes(0..100),
        sometimes(0..60),
        proptest::option::weighted(0.4, 0..3u64),
    );
    (rules, any::<bool>(), vec(0..4usize, 0..2)).prop_map(
        |((score, web, overclaim, unverified), every_check, required)| Gate {
            min_score: score,
            components: web
                .map(|least| ("web".to_string(), least))
                .into_iter()
                .collect(),
            max_overclaim: overclaim,
            max_unverified: unverified,
            every_check,
            require: required
                .into_iter()
                .map(|at| format!("check-{at}"))
                .collect(),
            ..gate()
        },
    )
}

proptest! {
    #![proptest_config(same_every_time(400))]

    /// All rules but `require_level`, which asks what carries a component, not how far.
    #[test]
    fn evidence_opens_gates_and_its_lack_closes_them(
        cases in (any_case(0), any_case(1), any_case(2), any_case(3)),
        gate in any_gate(),
        at in 0..4usize,
        waived in vec(0..4usize, 0..3),
    ) {
        let mut cases = [cases.0, cases.1, cases.2, cases.3];
        let mut decide = |with: Sight| {
            cases[at].1 = with;
            let scene = Scene::of(cases.clone().map(|(check, seen)| (check, sight(seen)))).claim(80.0).gate(gate.clone());
            let scene = scene.component(component("web"));
            let report = waived.iter().fold(scene, |scene, at| scene.waive(waiver(&format!("check-{at}")))).assess();
            (report.gates[0].open, report.score)
        };
        let ((with, high), (without, low), (against, none)) = (decide(Sight::Verified), decide(Sight::Unverified), decide(Sight::Failed));
        prop_assert!(with || !without, "verified closed what unverified left open");
        prop_assert!(high.verified >= low.verified && low.verified >= none.verified && low.ceiling >= none.ceiling);
        // A failure may open a gate in one way only: it is no longer unverified.
        prop_assert!(without || !against || gate.max_unverified.is_some());
    }

    #[test]
    fn a_waiver_opens_and_never_scores(
        cases in (any_case(0), any_case(1), any_case(2), any_case(3)),
        gate in any_gate(),
        waived in vec(0..4usize, 1..4),
    ) {
        let cases = [cases.0, cases.1, cases.2, cases.3];
        let scene = || Scene::of(cases.clone().map(|(check, seen)| (check, sight(seen)))).claim(80.0).gate(gate.clone()).component(component("web"));
        let without = scene().assess();
        let with = waived.iter().fold(scene(), |scene, at| scene.waive(waiver(&format!("check-{at}")))).assess();
        prop_assert_eq!((&with.score, &with.components, &with.groups), (&without.score, &without.components, &without.groups));
        prop_assert!(with.gates[0].open || !without.gates[0].open);
        let figures = |report: &Report| {
            let of_figures = |reason: &&GateReason| ["min_score", "components", "max_overclaim"].contains(&reason.rule.as_str());
            report.gates[0].reasons.iter().filter(of_figures).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(figures(&with), figures(&without));
        // What is shown beside an open gate is what it would be in truth; where nothing is, waivers change nothing.
        let beside = with.gates[0].without_waivers.clone().unwrap_or_else(|| WithoutWaivers {
            open: with.gates[0].open,
            reasons: with.gates[0].reasons.clone(),
        });
        prop_assert_eq!((beside.open, &beside.reasons), (without.gates[0].open, &without.gates[0].reasons));
        // One that is in force exempts its check from some gate.
        for row in &with.waivers {
            let exempts = with.gates.iter().any(|gate| gate.waived.contains(&row.waiver.check));
            prop_assert!(exempts == (row.state == WaiverState::InForce), "{row:?}");
        }
    }
}

#[test]
fn undeclared_checks_close_beyond_the_bound() {
    let called = |check: &str| super::super::report::CalledFor {
        check: check.to_string(),
        why: "a file".to_string(),
    };
    let scene = |called_for: &[&str], most: u64| {
        let uses = Check {
            library: Some("pytest".to_string()),
            ..counted("tests")
        };
        let mut scene = Scene::of([(uses, holds())]).gate(Gate {
            max_undeclared: Some(most),
            ..gate()
        });
        scene.setting.called_for = called_for.iter().map(|name| called(name)).collect();
        scene.project.ignored = vec![super::super::project::Ignored {
            check: "npm-audit".to_string(),
            reason: "offline".to_string(),
        }];
        scene
    };
    open(scene(&[], 0));
    let report = open(scene(&["pytest", "npm-audit"], 0));
    assert_eq!(report.undeclared, []);
    assert_eq!(report.ignored.len(), 1);
    let report = open(scene(&["pytest", "cargo-audit"], 1));
    assert_eq!(report.undeclared, [called("cargo-audit")]);
    let report = closed(scene(&["a", "pytest", "b"], 1), &[("max_undeclared", None)]);
    assert_eq!(
        report.gates[0].reasons[0].text,
        "2 checks are called for and not declared, more than 1: a, b"
    );
}

fn no_regression() -> Gate {
    Gate {
        no_regression: true,
        ..gate()
    }
}

/// The base that a scene makes.
fn base_of(scene: Scene) -> Base {
    Base::of(&scene.assess(), "base").unwrap()
}

/// Three checks in one component: the first holds, the others are as given.
fn three(b: Observed, c: Observed) -> Scene {
    let checks = [("a", holds()), ("b", b), ("c", c)];
    Scene::of(checks.map(|(id, observed)| (within("x", counted(id)), observed)))
}

fn texts(report: &Report) -> Vec<&str> {
    let reasons = report.gates[0].reasons.iter();
    reasons.map(|reason| reason.text.as_str()).collect()
}

#[test]
fn without_a_base_nothing_is_known_to_be_no_worse() {
    let scene = || three(holds(), holds()).gate(no_regression());
    let report = closed(scene(), &[("no_regression", None)]);
    assert!(texts(&report)[0].starts_with("no-base: "));
    assert!(
        !regression::regressed(&report.gates[0]),
        "such a report is a base for the next"
    );
    assert_eq!(report.gates[0].base, None);
    // That of another gate is none of this one.
    let other = base_of(three(holds(), holds()));
    closed(scene().base("other", other), &[("no_regression", None)]);
}

#[test]
fn nothing_may_get_worse() {
    let check = Some;
    let score = ("no_regression", None);
    let of = |id| ("no_regression", check(id));
    let accepted = |observed| {
        let check = Check {
            pass_at: Some(0.5),
            ..counted("b")
        };
        Scene::of([(within("x", check), observed)])
    };
    let b_is = |change: fn(&mut Check)| {
        let mut scene = three(holds(), breaks());
        scene
            .project
            .checks
            .iter_mut()
            .filter(|check| check.id == "b")
            .for_each(change);
        scene
    };
    type Case = (Scene, Scene, Vec<(&'static str, Option<&'static str>)>);
    let cases: Vec<Case> = vec![
        // The same, and better.
        (three(holds(), breaks()), three(holds(), breaks()), vec![]),
        (three(breaks(), breaks()), three(holds(), holds()), vec![]),
        (
            three(ran(1, 1), breaks()),
            three(ran(1, 1), breaks()),
            vec![],
        ),
        (
            three(unknown(), breaks()),
            three(breaks(), breaks()),
            vec![],
        ),
        // Worse: each with all that is worse about it.
        (
            three(holds(), holds()),
            three(holds(), breaks()),
            vec![score, of("c")],
        ),
        (
            three(holds(), holds()),
            three(breaks(), unknown()),
            vec![score, of("b"), of("c")],
        ),
        (
            three(holds(), breaks()),
            three(unknown(), holds()),
            vec![of("b")],
        ),
        (
            three(ran(2, 1), breaks()),
            three(ran(1, 2), breaks()),
            vec![score],
        ),
        (
            three(ran(2, 1), breaks()),
            three(unknown(), breaks()),
            vec![score],
        ),
        (
            three(holds(), breaks()),
            three(withheld(Code::Stale), breaks()),
            vec![score, of("b")],
        ),
        // By the smallest that there is.
        (
            three(holds(), ran(1_000_000, 1)),
            three(holds(), ran(999_999, 2)),
            vec![score],
        ),
        (
            three(holds(), ran(999_999, 2)),
            three(holds(), ran(1_000_000, 1)),
            vec![],
        ),
        // What held and is not asked any more.
        (
            three(holds(), breaks()),
            three(holds(), breaks()).without("b"),
            vec![score, of("b")],
        ),
        (
            three(holds(), breaks()),
            three(holds(), breaks()).without("c"),
            vec![],
        ),
        (
            three(holds(), holds()),
            three(holds(), holds()).without("c"),
            vec![of("c")],
        ),
        (
            three(holds(), holds()),
            three(holds(), holds()).inapplicable("b"),
            vec![of("b")],
        ),
        (
            three(holds(), breaks()),
            b_is(|check| check.optional = true),
            vec![score, of("b")],
        ),
        // What never counted.
        (
            b_is(|check| check.optional = true),
            b_is(|check| check.optional = true),
            vec![],
        ),
        (
            three(holds(), holds()).inapplicable("b"),
            three(breaks(), holds()).inapplicable("b"),
            vec![],
        ),
        // Accepted is as good as verified, and partial is not.
        (accepted(ran(1, 1)), accepted(ran(1, 1)), vec![]),
        (accepted(ran(1, 1)), accepted(holds()), vec![]),
        (
            accepted(ran(2, 1)),
            accepted(ran(1, 2)),
            vec![score, of("b")],
        ),
        // A weight, too, lowers a score.
        (
            three(holds(), breaks()),
            b_is(|check| check.weight = 0.5),
            vec![score],
        ),
    ];
    for (at, (before, now, wanted)) in cases.into_iter().enumerate() {
        let base = base_of(before);
        let report = now.gate(no_regression()).base("default", base).assess();
        assert_eq!(reasons(&report), wanted, "case {at}");
        assert_eq!(report.gates[0].base.as_deref(), Some("base"));
        assert_eq!(regression::regressed(&report.gates[0]), !wanted.is_empty());
    }
}

#[test]
fn what_got_worse_is_told() {
    let before = || base_of(three(holds(), ran(1_000_000, 1)));
    let told = |scene: Scene| {
        let report = scene
            .gate(no_regression())
            .base("default", before())
            .assess();
        texts(&report)
            .iter()
            .map(|text| text.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(three(breaks(), ran(1_000_000, 1))),
        [
            "verified fell from 99 % to 66 %, base base",
            "b is failed: 0 of 3 passed, 3 failed; it held in base base"
        ]
    );
    assert_eq!(
        told(three(holds(), ran(999_999, 2))),
        ["verified fell from 99.99996 % to 99.99993 %, base base"]
    );
    assert_eq!(
        told(three(holds(), holds()).without("b")),
        ["b is no longer declared; it held in base base"]
    );
    assert_eq!(
        told(three(holds(), holds()).inapplicable("b")),
        ["b no longer applies; it held in base base"]
    );
}

#[test]
fn a_waiver_is_no_excuse_for_a_regression() {
    let base = || base_of(three(holds(), holds()));
    let now = || three(holds(), breaks()).waive(waiver("c"));
    let wanted = [("no_regression", None), ("no_regression", Some("c"))];
    let report = closed(now().gate(no_regression()).base("default", base()), &wanted);
    assert_eq!(report.gates[0].waived, [""; 0]);
    // It does what it does for the other rules of the same gate.
    let both = Gate {
        require: vec!["c".to_string()],
        ..no_regression()
    };
    let report = closed(now().gate(both).base("default", base()), &wanted);
    assert_eq!(report.gates[0].waived, ["c"]);
}

#[test]
fn a_base_means_nothing_to_a_gate_that_does_not_ask_for_it() {
    let base = base_of(three(holds(), holds()));
    let report = open(
        three(holds(), breaks())
            .gate(min_score(50.0))
            .base("default", base),
    );
    assert_eq!(report.gates[0].base, None);
}

proptest! {
    #![proptest_config(same_every_time(200))]

    #[test]
    fn a_report_is_no_regression_of_itself_and_none_of_one_with_less(
        credits in vec(0..=4u64, 1..6), more in vec(0..=4u64, 6),
    ) {
        let scene = |passed: Vec<u64>| {
            let checks = passed.into_iter().zip(["a", "b", "c", "d", "e", "f"]);
            Scene::of(checks.map(|(passed, id)| (within("x", counted(id)), ran(passed, 4 - passed))))
        };
        let better = credits.iter().zip(more).map(|(credit, more)| (credit + more).min(4)).collect::<Vec<_>>();
        let before = base_of(scene(credits.clone()));
        let after = base_of(scene(better.clone()));
        let held = |scene: Scene, base: &Base| {
            scene.gate(no_regression()).base("default", base.clone()).assess().gates[0].open
        };
        prop_assert!(held(scene(credits.clone()), &before));
        prop_assert!(held(scene(better.clone()), &before));
        prop_assert_eq!(held(scene(credits.clone()), &after), credits == better);
    }
}

#[test]
fn a_gate_of_proofs_or_tests_with_none_of_them_has_nothing_to_judge() {
    let rule = |scene: Scene| scene.assess().gates[0].reasons[0].rule.clone();
    let proofs = Gate {
        require_proved: true,
        ..gate()
    };
    assert_eq!(
        rule(Scene::of([(manual("word"), word())]).gate(proofs)),
        "nothing-to-judge"
    );
    let fewer = || Gate {
        no_fewer_tests: true,
        ..gate()
    };
    let base = |tests: &[(&str, u64)]| Base {
        name: "01JD".to_string(),
        verified: ratio::of(1, 1),
        held: vec![],
        tests: tests
            .iter()
            .map(|(id, ran)| (id.to_string(), *ran))
            .collect(),
    };
    let none = Scene::of([(counted("suite"), holds())])
        .gate(fewer())
        .base("default", base(&[]));
    assert_eq!(rule(none), "nothing-to-judge");
    // What was counted of other files says nothing of the tests of these.
    let mut stale = Scene::of([(counted("suite"), ran(9, 0))])
        .gate(fewer())
        .base("default", base(&[("suite", 9)]));
    assert!(stale.seen[0].stale.is_none());
    stale.seen[0].stale = Some("files were changed".to_string());
    let report = stale.assess();
    assert!(
        report.gates[0].reasons[0]
            .text
            .contains("no test is counted now"),
        "{:?}",
        report.gates[0]
    );
    let fresh = Scene::of([(counted("suite"), ran(9, 0))])
        .gate(fewer())
        .base("default", base(&[("suite", 9)]));
    assert!(fresh.assess().gates[0].open);
}
