use std::time::Duration;

use proptest::prelude::*;

use super::super::super::check::{Blocking, Check, Fix, Priority};
use super::super::super::evidence::Observed;
use super::super::super::gate::Gate;
use super::super::super::level::Level;
use super::super::super::plan::Stage;
use super::super::super::project::Component;
use super::super::super::reason::Code;
use super::super::super::report::Report;
use super::super::super::testing::*;
use super::super::super::verdict::Verdict;

fn takes(minutes: u64, check: Check) -> Check {
    Check {
        fix: Fix {
            takes: Some(Duration::from_secs(minutes * 60)),
            how: Some(format!("mend {}", check.id)),
        },
        ..check
    }
}

fn at_least(percent: f64) -> Gate {
    Gate {
        name: "default".to_string(),
        min_score: Some(percent),
        ..Gate::default()
    }
}

/// The steps in words: `stage check minutes`, with a `!` where the gate opens.
fn told(report: &Report) -> Vec<String> {
    let steps = report.plan.iter().map(|step| {
        let stage = match step.stage {
            Stage::Must => "must",
            Stage::Cheapest => "cheapest",
            Stage::More => "more",
        };
        let opens = if step.opens { "!" } else { "" };
        format!("{stage} {} {}{opens}", step.check, step.elapsed_s / 60.0)
    });
    steps.collect()
}

fn fails() -> Observed {
    ran(0, 1)
}

#[test]
fn the_cheapest_set_is_not_the_best_first() {
    // By points for each minute `a` comes first (6 of 10 in 5 minutes); with it 11 are needed, without it 10.
    let weighs = |weight: f64, check: Check| Check { weight, ..check };
    let scene = Scene::of([
        (within("x", takes(5, weighs(6.0, counted("a")))), fails()),
        (within("x", takes(5, weighs(5.0, counted("b")))), fails()),
        (within("x", takes(5, weighs(5.0, counted("c")))), fails()),
        (within("x", takes(6, weighs(4.0, counted("d")))), fails()),
    ])
    .gate(at_least(50.0));
    let report = scene.assess();
    // 10 of 20 are needed: b and c in 10 minutes, or a and one of them in 10; a and d take 11.
    assert_eq!(told(&report)[1], "cheapest b 10!");
    let way = report.way.unwrap();
    assert!(way.opens && way.minimal && !way.open);
    assert_eq!(
        (way.takes_s, way.all_takes_s, way.all_verified),
        (Some(600.0), 1260.0, 100.0)
    );
}

#[test]
fn a_fix_that_lifts_a_cap_counts_what_it_lifts() {
    // Three files are there (25 % at most); one test that runs lifts the whole to 100 %.
    let there = |id: &str| Check {
        level: Level::Present,
        ..within("x", run(id))
    };
    let scene = Scene::of([
        (there("a"), observed(vec![exit(0)])),
        (there("b"), observed(vec![exit(0)])),
        (takes(7, there("c")), observed(vec![exit(1)])),
        (within("x", takes(30, counted("tests"))), fails()),
    ])
    .gate(at_least(60.0));
    let report = scene.assess();
    // Mended alone, `c` leaves it at 25 %; `tests` alone makes 1 / (1 + 1) of it, both 1.
    assert_eq!(told(&report), ["cheapest tests 30", "cheapest c 37!"]);
    assert_eq!(report.plan[0].gain, 25.0);
    assert_eq!(
        (report.plan[1].gain, report.plan[1].verified),
        (50.0, 100.0)
    );
}

#[test]
fn what_must_be_done_comes_first_and_in_order_of_needs_and_priority() {
    let blocking = |check: Check| Check {
        blocking: Blocking::Default,
        ..check
    };
    let needing = Check {
        needs: vec!["base".to_string()],
        priority: Some(Priority::High),
        ..counted("top")
    };
    let urgent = Check {
        priority: Some(Priority::High),
        ..counted("urgent")
    };
    let scene = Scene::of([
        (takes(5, counted("more")), fails()),
        (blocking(takes(20, needing)), withheld(Code::NeedsFailed)),
        (takes(10, counted("base")), fails()),
        (blocking(takes(40, urgent)), fails()),
        (blocking(takes(1, counted("quick"))), fails()),
    ])
    .gate(at_least(10.0));
    let wanted = [
        "must urgent 40",
        "must quick 41",
        "must base 51",
        "must top 71!",
        "more more 76",
    ];
    assert_eq!(told(&scene.assess()), wanted);
}

#[test]
fn what_nobody_estimated_and_what_no_fix_opens_is_said() {
    let gate = Gate {
        max_undeclared: Some(0),
        ..at_least(90.0)
    };
    let needing = Check {
        needs: vec!["unknown".to_string()],
        ..counted("needing")
    };
    let mut scene = Scene::of([
        (counted("unknown"), fails()),
        (takes(5, needing), withheld(Code::NeedsFailed)),
        (takes(5, counted("mendable")), fails()),
        (manual("word"), word()),
    ])
    .gate(gate);
    scene.setting.called_for = vec![super::super::super::report::CalledFor {
        check: "pip-audit".to_string(),
        why: "requirements.txt".to_string(),
    }];
    let report = scene.assess();
    let way = report.way.clone().unwrap();
    let unplannable = way
        .unplannable
        .iter()
        .map(|item| format!("{}: {}", item.check, item.why))
        .collect::<Vec<_>>();
    assert_eq!(
        unplannable,
        [
            "unknown: `fix.takes` does not say how long it takes",
            "needing: it needs unknown, which cannot be planned",
            "word: only a check verifies what a person says",
        ]
    );
    assert!(!way.opens && !way.minimal && way.takes_s.is_none());
    assert_eq!(way.beyond.len(), 2, "{:?}", way.beyond);
    assert!(way.beyond[1].starts_with("max_undeclared"));
    assert_eq!(told(&report), ["more mendable 5"]);
}

#[test]
fn an_open_gate_needs_nothing() {
    let scene = Scene::of([(counted("a"), holds()), (takes(5, counted("b")), fails())])
        .gate(at_least(40.0));
    let report = scene.assess();
    let way = report.way.clone().unwrap();
    assert!(way.open && !way.opens);
    assert_eq!(told(&report), ["more b 5"]);
    let nothing = Scene::of([(counted("a"), holds())])
        .gate(at_least(40.0))
        .assess();
    assert_eq!(nothing.plan, []);
}

#[test]
fn what_cannot_be_looked_at_whole_is_not_called_proved() {
    // Fifteen checks that need the first: more sets than are looked at.
    let base = (takes(1, counted("base")), fails());
    let tops = (0..15).map(|at| {
        let check = Check {
            needs: vec!["base".to_string()],
            ..counted(&format!("t{at}"))
        };
        (takes(10 + at, check), withheld(Code::NeedsFailed))
    });
    let scene = Scene::of(std::iter::once(base).chain(tops)).gate(at_least(20.0));
    let way = scene.assess().way.unwrap();
    assert!(way.opens && !way.minimal);
}

/// What a scene is made of, so that it can be made again with some of it mended.
#[derive(Clone, Debug)]
struct Made {
    checks: Vec<Check>,
    seen: Vec<Observed>,
    components: Vec<Component>,
    gate: Gate,
    claim: Option<f64>,
    inapplicable: usize,
}

impl Made {
    fn scene(&self, mended: &dyn Fn(usize) -> bool) -> Report {
        let seen = self
            .seen
            .iter()
            .enumerate()
            .map(|(at, seen)| match mended(at) {
                true => holds(),
                false => seen.clone(),
            });
        let mut scene = Scene::of(self.checks.iter().cloned().zip(seen)).gate(self.gate.clone());
        for component in &self.components {
            scene = scene.component(component.clone());
        }
        if let Some(claim) = self.claim {
            scene = scene.claim(claim);
        }
        scene
            .inapplicable(&format!("c{}", self.inapplicable))
            .assess()
    }
}

fn made(most: usize) -> impl Strategy<Value = Made> {
    let seen = || {
        prop_oneof![
            (0..5u64, 0..5u64).prop_map(|(passed, failed)| ran(passed, failed)),
            Just(withheld(Code::CannotTell)),
            Just(unknown()),
            Just(ran(0, 1)),
            Just(holds()),
        ]
    };
    let check = (
        seen(),
        0..4usize,
        0..4usize,
        1..30u64,
        1..5u32,
        any::<[bool; 4]>(),
    );
    let gate = (
        proptest::option::of(0..=100u32),
        proptest::option::of(0..4u64),
        proptest::option::of((0..3usize, 0..=100u32)),
        proptest::option::of(0..=60u32),
        any::<[bool; 4]>(),
    );
    let claims = (
        proptest::option::of(50..=100u32),
        proptest::option::of(50..=100u32),
    );
    (
        proptest::collection::vec(check, 1..=most),
        gate,
        claims,
        0..20usize,
    )
        .prop_map(move |(cases, gate, claims, inapplicable)| {
            let levels = [
                Level::Exercised,
                Level::Validated,
                Level::Wired,
                Level::Present,
            ];
            let checks = cases.iter().enumerate().map(
                |(at, (_, of, level, minutes, weight, [optional, needs, blocks, unknown]))| {
                    let check = Check {
                        component: (*of > 0).then(|| format!("part{of}")),
                        level: levels[*level],
                        weight: f64::from(*weight),
                        optional: *optional && *needs,
                        needs: if *needs && at > 0 {
                            vec![format!("c{}", (at * 7 + of) % at)]
                        } else {
                            vec![]
                        },
                        pass_at: (*weight == 3).then_some(0.5),
                        blocking: if *blocks && *weight == 4 {
                            Blocking::Default
                        } else {
                            Blocking::No
                        },
                        ..counted(&format!("c{at}"))
                    };
                    if *unknown && *weight == 1 {
                        check
                    } else {
                        takes(*minutes, check)
                    }
                },
            );
            let (least, unverified, minimum, overclaim, [attested, level, required, implied]) =
                gate;
            let first = cases.first().map_or(0, |case| case.1);
            let components = (1..4).map(|of| Component {
                claim: claims.1.filter(|_| of == 1).map(f64::from),
                enough: (of == 2).then_some(Level::Wired),
                weight: f64::from(of),
                ..component(&format!("part{of}"))
            });
            Made {
                checks: checks.collect(),
                seen: cases.iter().map(|case| case.0.clone()).collect(),
                components: components.collect(),
                gate: Gate {
                    name: "default".to_string(),
                    min_score: least.map(f64::from),
                    count_attested: attested,
                    max_unverified: unverified,
                    components: minimum
                        .filter(|_| first > 0)
                        .map(|(of, least)| (format!("part{}", of + 1), f64::from(least)))
                        .into_iter()
                        .collect(),
                    max_overclaim: overclaim
                        .filter(|_| claims.0.is_some() || claims.1.is_some())
                        .map(f64::from),
                    require_level: (level && required).then_some(Level::Wired),
                    require: if required {
                        vec!["c0".to_string()]
                    } else {
                        vec![]
                    },
                    every_check: implied && attested && level,
                    ..Gate::default()
                },
                claim: claims.0.map(f64::from),
                inapplicable,
            }
        })
}

/// Holds the plan against every other set of fixes that could be planned.
fn nothing_cheaper_opens(made: &Made) -> Result<(), TestCaseError> {
    let report = made.scene(&|_| false);
    let way = report.way.clone().unwrap();
    let id = |at: usize| made.checks[at].id.clone();
    let planned = report
        .plan
        .iter()
        .map(|step| step.check.clone())
        .collect::<Vec<_>>();
    let free = (0..made.checks.len())
        .filter(|at| planned.contains(&id(*at)))
        .collect::<Vec<_>>();
    let minutes = |at: usize| {
        let step = report.plan.iter().find(|step| step.check == id(at));
        step.unwrap().takes_s / 60.0
    };
    // Running totals are those of the steps, and what the plan says of its end is so.
    let total = report.plan.iter().map(|step| step.takes_s).sum::<f64>();
    prop_assert_eq!(total, way.all_takes_s);
    prop_assert_eq!(
        report.plan.last().map_or(total, |step| step.elapsed_s),
        total
    );
    let end = made.scene(&|at| free.contains(&at));
    prop_assert!((end.score.verified - way.all_verified).abs() < 1e-9);
    prop_assert!(
        (report
            .plan
            .last()
            .map_or(end.score.verified, |step| step.verified)
            - end.score.verified)
            .abs()
            < 1e-9
    );
    prop_assert_eq!(report.gates[0].open, way.open);
    if way.open {
        return Ok(());
    }
    prop_assert_eq!(
        end.gates[0].open,
        way.opens,
        "all together open it, or nothing does"
    );
    let Some(cost) = way.takes_s else {
        return Ok(());
    };
    let until = report.plan.iter().position(|step| step.opens).unwrap();
    let done = planned[..=until].to_vec();
    let opened = made.scene(&|at| done.contains(&id(at)));
    prop_assert!(opened.gates[0].open, "{:?}", opened.gates[0].reasons);
    // Partial evidence that its need brings back is beyond what is proved.
    if !way.minimal {
        let hidden =
            |row: &super::super::super::report::CheckRow| row.reason.code == Code::NeedsFailed;
        prop_assert!(report.checks.iter().any(hidden));
        return Ok(());
    }
    for bits in 0..1_u32 << free.len() {
        let within = |nth: &usize| bits >> nth & 1 == 1;
        let set = (0..free.len())
            .filter(within)
            .map(|nth| free[nth])
            .collect::<Vec<_>>();
        let cheaper = set.iter().map(|at| minutes(*at) * 60.0).sum::<f64>();
        if cheaper < cost {
            let other = made.scene(&|at| set.contains(&at));
            prop_assert!(
                !other.gates[0].open,
                "{set:?} opens it in {cheaper} s, the plan in {cost}: {done:?}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(same_every_time(400))]

    #[test]
    fn no_other_set_opens_the_gate_for_less(made in made(7)) {
        nothing_cheaper_opens(&made)?;
    }
}

proptest! {
    #![proptest_config(same_every_time(8))]

    #[test]
    fn nor_of_fourteen(made in made(14)) {
        nothing_cheaper_opens(&made)?;
    }
}

#[test]
fn a_check_that_does_not_count_is_in_no_plan() {
    let optional = Check {
        optional: true,
        ..takes(5, counted("optional"))
    };
    let scene = Scene::of([
        (optional, fails()),
        (takes(5, counted("elsewhere")), fails()),
        (counted("a"), holds()),
    ])
    .inapplicable("elsewhere")
    .gate(at_least(99.0));
    let report = scene.assess();
    assert_eq!(report.checks[0].verdict, Verdict::Failed);
    assert_eq!(report.plan, []);
}
