//! Whole reports: what counts, what leaves the denominator, what is claimed, and the JSON that all of it is published as.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::claim::ClaimState;
use super::super::evidence::Evidence;
use super::super::evidence::{Answer, Attempt, Outcome, Reading, Results, Stream};
use super::super::expectation::Held;
use super::super::level::Level;
use super::super::project::Component;
use super::super::ratio::Ratio;
use super::super::report::{ComponentRow, GENERAL, GroupRow};
use super::super::testing::*;
use super::super::verdict::Verdict;
use super::*;

fn find<'a>(report: &'a Report, component: &str) -> &'a ComponentRow {
    report
        .components
        .iter()
        .find(|row| row.id == component)
        .unwrap()
}

fn group<'a>(report: &'a Report, title: &str) -> &'a GroupRow {
    report.groups.iter().find(|row| row.title == title).unwrap()
}

fn figures(report: &Report) -> (f64, f64, f64) {
    (
        report.score.verified,
        report.score.ceiling,
        report.score.attested,
    )
}

fn in_group(title: &str, id: &str) -> Component {
    Component {
        group: Some(title.to_string()),
        ..component(id)
    }
}

fn claiming(percent: f64, component: Component) -> Component {
    Component {
        claim: Some(percent),
        ..component
    }
}

fn weighing(weight: f64, check: Check) -> Check {
    Check { weight, ..check }
}

fn optional(check: Check) -> Check {
    Check {
        optional: true,
        ..check
    }
}

#[test]
fn a_component_without_checks_has_verified_nothing() {
    let report = Scene::of([(within("web", counted("a")), holds())])
        .component(component("docs"))
        .assess();
    let row = find(&report, "docs");
    assert_eq!(
        (
            row.verified,
            row.ceiling,
            row.no_checks,
            row.applicable,
            row.level
        ),
        (0.0, 100.0, true, true, None)
    );
    assert_eq!(figures(&report), (50.0, 100.0, 0.0));
    assert!(!find(&report, "web").no_checks);
}

#[test]
fn a_component_whose_checks_are_all_optional_is_like_one_without() {
    for title in ["Monitoring", GENERAL] {
        let report = Scene::of([
            (within("web", counted("a")), holds()),
            (optional(within("docs", counted("b"))), holds()),
        ])
        .component(in_group(title, "docs"))
        .assess();
        let row = find(&report, "docs");
        assert_eq!(
            (row.verified, row.no_checks, row.applicable),
            (0.0, true, true),
            "{title}"
        );
        assert_eq!(
            figures(&report),
            (50.0, 100.0, 0.0),
            "making a check optional raises nothing"
        );
    }
}

#[test]
fn what_does_not_apply_leaves_the_denominator_and_is_listed() {
    let scene = || {
        Scene::of([
            (within("web", counted("a")), holds()),
            (within("web", counted("b")), unknown()),
            (within("nginx", counted("c")), breaks()),
            (within("nginx", counted("d")), unknown()),
            (counted("e"), breaks()),
        ])
    };
    assert_eq!(figures(&scene().assess()).0, 16.666_666_666_666_664);
    let report = scene()
        .inapplicable("b")
        .inapplicable("c")
        .inapplicable("d")
        .inapplicable("e")
        .assess();
    assert_eq!(figures(&report), (100.0, 100.0, 0.0));
    assert!(
        !find(&report, "nginx").applicable
            && !find(&report, "nginx").no_checks
            && !find(&report, "e").applicable
    );
    assert_eq!(report.checks.len(), 5);
    assert_eq!(report.checks.iter().filter(|row| row.applicable).count(), 1);
    assert_eq!(
        report
            .groups
            .iter()
            .map(|row| row.title.as_str())
            .collect::<Vec<_>>(),
        ["The web"]
    );
    // One of a component's checks is enough to keep it in.
    assert_eq!(
        figures(&scene().inapplicable("c").inapplicable("e").assess()),
        (25.0, 100.0, 0.0)
    );
}

#[test]
fn a_check_without_a_component_is_one_of_its_own() {
    let report = Scene::of([
        (within("web", weighing(1000.0, counted("a"))), holds()),
        (weighing(2.0, counted("b")), breaks()),
        (
            Check {
                claim: Some(80.0),
                owner: Some("ops".to_string()),
                ..weighing(1.0, counted("c"))
            },
            ran(1, 1),
        ),
        (weighing(7.0, optional(counted("d"))), breaks()),
    ])
    .assess();
    // (1·1 + 2·0 + 1·½) / 4: the component weighs 1, whatever its check does.
    assert_eq!(figures(&report).0, 37.5);
    let general = group(&report, GENERAL);
    assert_eq!(
        (general.components.as_slice(), general.weight),
        (["b".to_string(), "c".to_string()].as_slice(), 3.0)
    );
    assert_eq!(
        (general.verified, general.claimed, general.gap),
        (16.666_666_666_666_664, Some(80.0), Some(30.0))
    );
    let own = find(&report, "c");
    assert_eq!(
        (own.title.as_str(), own.weight, own.owner.as_deref()),
        ("c", 1.0, Some("ops"))
    );
    assert_eq!(report.checks[2].component, "c");
    assert!(!find(&report, "d").applicable);
}

#[test]
fn no_check_is_left_out() {
    // Of a component that nobody declared.
    let mut scene = Scene::of([
        (within("web", counted("a")), holds()),
        (within("wbe", counted("b")), breaks()),
    ]);
    scene
        .project
        .components
        .retain(|component| component.id == "web");
    assert_eq!(figures(&scene.assess()), (50.0, 50.0, 0.0));
    // Of which nothing was seen.
    let mut scene = Scene::of([(counted("a"), holds()), (counted("b"), holds())]);
    scene.seen.pop();
    let report = scene.assess();
    assert_eq!(figures(&report), (50.0, 100.0, 0.0));
    assert_eq!(
        (report.checks[1].verdict, report.checks[1].reason.code),
        (Verdict::Unverified, Code::NotRun)
    );
    assert!(!report.gates[0].open);
}

#[test]
fn a_group_is_one_row() {
    let report = Scene::of([
        (within("sentry", counted("a")), holds()),
        (within("web", counted("b")), holds()),
        (within("prometheus", run("c")), observed(vec![exit(0)])),
        (within("grafana", counted("d")), unknown()),
        (within("loki", counted("e")), unknown()),
    ])
    .component(Component {
        weight: 2.0,
        ..claiming(100.0, in_group("Monitoring", "sentry"))
    })
    .component(in_group("Monitoring", "prometheus"))
    .component(claiming(90.0, in_group("Monitoring", "grafana")))
    .component(in_group("Monitoring", "loki"))
    .inapplicable("e")
    .assess();
    assert_eq!(
        report
            .groups
            .iter()
            .map(|row| row.title.as_str())
            .collect::<Vec<_>>(),
        ["Monitoring", "The web"]
    );
    let row = group(&report, "Monitoring");
    assert_eq!(row.components, ["sentry", "prometheus", "grafana"]);
    // Caps stand per component: (2·100 + 75 + 0) / 4; claimed (2·100 + 90) / 3 against (2·100 + 0) / 3.
    assert_eq!((row.weight, row.verified, row.ceiling), (4.0, 68.75, 93.75));
    assert_eq!(
        (row.claimed, row.gap),
        (Some(96.666_666_666_666_67), Some(30.0))
    );
    assert_eq!(
        (row.level, row.oldest),
        (Some(Level::Validated), Some(time("2026-11-22T11:59:59Z")))
    );
    // The group is for the eye: the whole is the mean over components.
    assert_eq!(figures(&report).0, 75.0);
}

#[test]
fn a_cap_is_named_with_what_would_lift_it() {
    let scene = || Scene::of([(within("licence", file("a")), observed(vec![there()]))]);
    let report = scene().assess();
    let cap = find(&report, "licence").cap.clone().unwrap();
    assert_eq!(
        (cap.percent, cap.level, figures(&report).0),
        (25.0, Level::Present, 25.0)
    );
    assert!(!cap.lift.is_empty());
    let enough = Component {
        enough: Some(Level::Present),
        ..component("licence")
    };
    let report = scene().component(enough).assess();
    let row = find(&report, "licence");
    assert_eq!(
        (row.verified, row.cap.as_ref(), row.enough),
        (100.0, None, Some(Level::Present))
    );
}

fn there() -> Attempt {
    Attempt {
        files: Some(vec!["LICENSE".to_string()]),
        ..attempt(Outcome::Looked)
    }
}

#[test]
fn a_persons_word_stands_beside_the_score() {
    let report = Scene::of([
        (weighing(47.0, within("web", counted("a"))), holds()),
        (weighing(3.0, within("web", manual("b"))), word()),
    ])
    .assess();
    assert_eq!(figures(&report), (94.0, 94.0, 6.0));
    assert!(
        report.gates[0].open,
        "enough for the gate that nobody declared"
    );
    assert_eq!(report.checks[1].reason.code, Code::Attested);
}

#[test]
fn the_whole_of_nothing() {
    for scene in [
        Scene::of([]),
        Scene::of([(counted("a"), holds())]).inapplicable("a"),
        Scene::of([(optional(counted("a")), holds())]),
    ] {
        let report = scene.claim(95.0).assess();
        assert_eq!(figures(&report), (0.0, 0.0, 0.0));
        assert_eq!(
            (
                report.score.claimed,
                report.score.gap,
                report.score.partly_claimed
            ),
            (Some(95.0), Some(95.0), false)
        );
        assert_eq!(
            report
                .claims
                .iter()
                .map(|claim| claim.state)
                .collect::<Vec<_>>(),
            [Some(ClaimState::Unbacked)]
        );
        assert!(!report.decision.open && !report.gates[0].open && report.groups.is_empty());
    }
}

#[test]
fn the_claim_for_the_whole_outranks_the_others() {
    let scene = || {
        Scene::of([
            (within("web", counted("a")), ran(1, 1)),
            (within("api", counted("b")), holds()),
        ])
        .component(claiming(90.0, component("web")))
    };
    let score = scene().claim(95.0).assess().score;
    assert_eq!(
        (score.claimed, score.gap, score.partly_claimed),
        (Some(95.0), Some(20.0), false)
    );
    // Without it, claimed and gap cover those that claim: 90 against 50, not against 75.
    let score = scene().assess().score;
    assert_eq!(
        (
            score.verified,
            score.claimed,
            score.gap,
            score.partly_claimed
        ),
        (75.0, Some(90.0), Some(40.0), true)
    );
    let score = scene()
        .component(claiming(80.0, component("api")))
        .assess()
        .score;
    assert_eq!(
        (score.claimed, score.gap, score.partly_claimed),
        (Some(85.0), Some(10.0), true)
    );
    let score = Scene::of([(counted("a"), holds())]).assess().score;
    assert_eq!(
        (score.claimed, score.gap, score.partly_claimed),
        (None, None, false)
    );
    // As it was said, not a step below.
    let tenths = Scene::of([(within("web", counted("a")), holds())])
        .component(claiming(14.8, component("web")))
        .assess();
    assert_eq!(
        (tenths.score.claimed, group(&tenths, "The web").claimed),
        (Some(14.8), Some(14.8))
    );
    // What does not apply claims nothing for the whole.
    let score = scene().inapplicable("a").assess().score;
    assert_eq!(
        (score.verified, score.claimed, score.gap),
        (100.0, None, None)
    );
}

#[test]
fn claims_are_held_against_the_evidence() {
    let claimed = |percent, check| Check {
        claim: Some(percent),
        ..check
    };
    let report = Scene::of([
        (within("web", counted("a")), holds()),
        (within("api", counted("b")), unknown()),
        (within("load", counted("c")), breaks()),
        (within("nginx", counted("d")), unknown()),
        (
            within("web", claimed(90.0, optional(counted("e")))),
            ran(1, 1),
        ),
        (claimed(90.0, counted("f")), ran(9, 1)),
    ])
    .component(claiming(100.0, component("web")))
    .component(claiming(90.0, component("api")))
    .component(claiming(90.0, component("load")))
    .component(claiming(90.0, component("nginx")))
    .component(claiming(90.0, component("docs")))
    .inapplicable("d")
    .claim(70.0)
    .assess();
    let states = report
        .claims
        .iter()
        .map(|claim| {
            (
                claim.found.subject.as_str(),
                claim.component.as_deref(),
                claim.state.unwrap(),
            )
        })
        .collect::<Vec<_>>();
    use ClaimState::*;
    let wanted = [
        ("overall", None, Unproved),
        ("The web", Some("web"), Backed),
        ("The api", Some("api"), Unproved),
        ("The load", Some("load"), Contradicted),
        ("The nginx", Some("nginx"), Unbacked),
        ("The docs", Some("docs"), Unbacked),
        ("f", Some("f"), Backed),
        ("e", Some("web"), Contradicted),
    ];
    assert_eq!(states, wanted);
    let bare = Scene::of([])
        .component(component("docs"))
        .claim(95.0)
        .assess();
    assert_eq!(
        (bare.claims[0].state, bare.score.gap),
        (Some(Unbacked), Some(95.0)),
        "no check stands behind it"
    );
}

#[test]
fn a_gap_may_be_negative() {
    let report = Scene::of([(within("web", counted("a")), ran(2, 1))])
        .component(claiming(57.0, component("web")))
        .claim(40.0)
        .assess();
    // Toward zero: the claim is exceeded by at least so much.
    let (whole, web) = (report.score.gap.unwrap(), find(&report, "web").gap.unwrap());
    assert!(
        whole > -26.666_666_666_666_67 && whole < -26.666_666_666_666_65,
        "{whole}"
    );
    assert!(
        web > -9.666_666_666_666_67 && web < -9.666_666_666_666_65,
        "{web}"
    );
    assert_eq!(group(&report, "The web").gap, Some(web));
}

#[test]
fn evidence_that_is_no_longer_about_this_code_is_stale() {
    let stale = |observed| {
        let mut scene = Scene::of([(counted("a"), observed)]);
        scene.seen[0].stale = Some("the tree changed".to_string());
        scene.seen[0].recorded = Some(From {
            run: "01JD".to_string(),
            commit: None,
            reused: false,
        });
        scene.assess()
    };
    let cases = [
        (holds(), Code::Stale, 1.0),
        (breaks(), Code::Stale, 0.0),
        (ran(3, 1), Code::Stale, 0.75),
        (withheld(Code::ToolMissing), Code::ToolMissing, 1.0),
    ];
    for (observed, code, potential) in cases {
        let row = stale(observed).checks.remove(0);
        assert_eq!(
            (row.verdict, row.reason.code, row.credit, row.potential),
            (Verdict::Unverified, code, 0.0, potential)
        );
        assert_eq!(row.recorded.as_deref(), Some("01JD"));
    }
    assert!(!stale(holds()).gates[0].open);
}

#[test]
fn a_row_says_what_gates_make_of_its_check() {
    let check = |id: &str| Check {
        pass_at: Some(0.75),
        ..counted(id)
    };
    let gate = Gate {
        require: vec!["b".to_string()],
        ..implicit()
    };
    let report = Scene::of([
        (check("a"), ran(3, 1)),
        (check("b"), holds()),
        (check("c"), ran(1, 1)),
        (
            Check {
                blocking: Blocking::Default,
                ..check("d")
            },
            holds(),
        ),
    ])
    .gate(gate)
    .waive(waiver("c"))
    .assess();
    let rows = report
        .checks
        .iter()
        .map(|row| (row.blocking, row.accepted_at, row.waiver))
        .collect::<Vec<_>>();
    let wanted = [
        (false, Some(0.75), None),
        (true, None, None),
        (false, None, Some(WaiverState::InForce)),
        (true, None, None),
    ];
    assert_eq!(rows, wanted);
    assert_eq!(
        (report.checks[0].verdict, report.checks[0].credit),
        (Verdict::Partial, 0.75),
        "accepted, and still partial"
    );
}

#[test]
fn gates_decide() {
    let scene = |names: &[&str]| {
        let mut scene = Scene::of([(counted("a"), ran(57, 43))]);
        let gate = |name: &str, least| Gate {
            name: name.to_string(),
            min_score: Some(least),
            ..Gate::default()
        };
        scene.gates = vec![gate("staging", 50.0), gate("production", 90.0)];
        scene.setting.deciding =
            Deciding::Gates(names.iter().map(|name| name.to_string()).collect());
        let report = scene.assess();
        assert_eq!(
            report
                .gates
                .iter()
                .map(|gate| gate.open)
                .collect::<Vec<_>>(),
            [true, false],
            "all gates are told"
        );
        report.decision.open
    };
    assert!(scene(&["staging"]));
    assert!(!scene(&["production"]));
    assert!(!scene(&["staging", "production"]));
    assert!(!scene(&["stagign"]), "no such gate");
    assert!(!scene(&["staging", "stagign"]));
    assert!(!scene(&[]));
}

#[test]
fn selected_checks_decide_by_themselves() {
    let scene = |ids: &[&str]| {
        Scene::of([
            (counted("fine"), holds()),
            (
                Check {
                    pass_at: Some(0.5),
                    ..counted("accepted")
                },
                ran(1, 1),
            ),
            (manual("attested"), word()),
            (counted("partial"), ran(1, 1)),
            (counted("failed"), breaks()),
            (counted("unknown"), unknown()),
            (counted("elsewhere"), unknown()),
        ])
        .inapplicable("elsewhere")
        .waive(waiver("failed"))
        .select(ids)
        .assess()
    };
    let opens = |ids: &[&str]| scene(ids).decision.open;
    assert!(
        opens(&["fine"])
            && opens(&["fine", "accepted", "attested"])
            && opens(&["fine", "elsewhere"])
    );
    for closed in ["partial", "failed", "unknown", "elsewhere", "no-such-check"] {
        assert!(!opens(&[closed]), "{closed}");
    }
    assert!(!opens(&["fine", "failed"]));
    assert!(!opens(&[]), "nothing selected");
    let report = scene(&["fine"]);
    assert!(
        report.decision.gates.is_empty() && !report.gates[0].open,
        "gates are told, and do not decide"
    );
    let mut no_run = Scene::of([(counted("a"), holds())]).select(&["a"]);
    no_run.setting.run = None;
    assert!(!no_run.assess().decision.open);
}

/// A report with something in every field.
fn full() -> Report {
    let secret = "sk-0123456789abcdef";
    let env = [("API_TOKEN".to_string(), secret.to_string())];
    let check = Check {
        env: env.clone().into(),
        secrets: vec!["API_TOKEN".to_string()],
        max_age: Some(std::time::Duration::from_millis(1_234_567)),
        ..counted("a")
    };
    let stream = || Stream {
        bytes: 9,
        digest: "blake3:00".to_string(),
        truncated: true,
        head: "h".to_string(),
        tail: "t".to_string(),
        stored: None,
    };
    let seen = Attempt {
        stdout: Some(stream()),
        stderr: Some(Stream::default()),
        leaked: vec!["node (17)".to_string()],
        ..expecting(
            read(
                0,
                Results {
                    findings: Some(0),
                    measures: measured(&[("p95_ms", 0.1 + 0.2)]).measures,
                    ..counts(7, 2, 1)
                },
            ),
            &[Held::Yes],
        )
    };
    let answer = Answer {
        redirects: vec![],
        status: 200,
        headers: vec![("server".to_string(), "x".to_string())],
        body: stream(),
        latency_ms: 12.345,
        address: None,
    };
    let answered = Attempt {
        answer: Some(answer),
        ..expecting(
            attempt(Outcome::Answered),
            &[Held::Yes, Held::No, Held::Unknown],
        )
    };
    let evidence = Evidence {
        env: vec!["API_TOKEN".to_string()],
        cwd: Some("backend".to_string()),
        ..evidence(vec![seen])
    };
    let mut scene = Scene::of([
        (within("web", check), Observed::Evidence(Box::new(evidence))),
        (
            within("web", limited(&[("p95_ms", "< 0.3"), ("total", ">= 10")])),
            observed(vec![read(0, measured(&[("p95_ms", f64::NAN)]))]),
        ),
        (within("sentry", http("b")), observed(vec![answered])),
        (
            within("sentry", variable("c")),
            observed(vec![attempt(Outcome::Looked)]),
        ),
        (within("licence", file("d")), observed(vec![there()])),
        (manual("e"), word()),
        (run("f"), unknown()),
    ])
    .component(claiming(99.9, in_group("Monitoring", "sentry")))
    .component(component("docs"))
    .claim(95.5)
    .waive(waiver("b"))
    .select(&["a", "b"]);
    scene.setting.preflight = vec![Preflight {
        what: "python >= 3.11".to_string(),
        ok: None,
        seen: "?".to_string(),
    }];
    scene.setting.warnings = vec!["the tree changed during the run".to_string()];
    scene.assess()
}

#[test]
fn a_report_survives_json() {
    let report = full();
    let text = serde_json::to_string_pretty(&report).unwrap();
    let again = serde_json::from_str::<Report>(&text).unwrap();
    assert_eq!(serde_json::to_string_pretty(&again).unwrap(), text);
    // The one loss is meant: names of added variables come back, their values never left. And JSON has no NaN.
    let mut known = report;
    known.checks[0]
        .definition
        .env
        .values_mut()
        .for_each(String::clear);
    if let Some(Reading::Results(results)) = known.checks[1]
        .evidence
        .as_mut()
        .and_then(|e| e.attempts[0].reading.as_mut())
    {
        results.measures.clear();
    }
    assert_eq!(again, known);
}

#[test]
fn no_value_of_a_variable_stands_in_the_json() {
    let text = serde_json::to_string(&full()).unwrap();
    assert!(text.contains("API_TOKEN") && !text.contains("sk-0123456789abcdef"));
}

#[test]
fn keys_that_came_later_are_ignored() {
    fn grow(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.values_mut().for_each(grow);
                // Not where keys are data or name a variant.
                let open = [
                    "format", "verified", "verdict", "rule", "started", "says", "owner", "cap",
                    "exit",
                ]
                .iter()
                .any(|key| map.contains_key(*key));
                if open && map.len() > 1 {
                    map.insert("came-later".to_string(), json!({ "x": [1] }));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(grow),
            _ => {}
        }
    }
    let report = full();
    let mut value = serde_json::to_value(&report).unwrap();
    grow(&mut value);
    assert!(
        value["checks"][0]["evidence"]["attempts"][0]["came-later"].is_object()
            && value["came-later"].is_object()
    );
    let again = serde_json::from_value::<Report>(value).unwrap();
    assert_eq!(
        serde_json::to_value(again).unwrap(),
        serde_json::to_value(report).unwrap()
    );
}

#[test]
fn the_json_has_the_published_shape() {
    let value = serde_json::to_value(full()).unwrap();
    let at = |pointer: &str| {
        value
            .pointer(pointer)
            .cloned()
            .unwrap_or_else(|| panic!("no {pointer}"))
    };
    assert_eq!(at("/format"), json!("ready-report/1"));
    assert_eq!(at("/score/claimed"), json!(95.5));
    assert_eq!(at("/checks/0/verdict"), json!("partial"));
    assert_eq!(at("/checks/0/reason/code"), json!("some-failed"));
    assert_eq!(
        at("/checks/0/counts"),
        json!({ "passed": 7, "failed": 2, "skipped": 1 })
    );
    assert_eq!(at("/checks/0/level"), json!("exercised"));
    assert_eq!(
        at("/checks/0/evidence/attempts/0/outcome"),
        json!({ "exit": 0 })
    );
    assert_eq!(at("/checks/0/definition/env"), json!(["API_TOKEN"]));
    assert_eq!(at("/checks/0/waiver"), Value::Null);
    assert_eq!(at("/checks/1/reason/code"), json!("no-results"));
    assert_eq!(at("/gates/0/name"), json!("default"));
    assert_eq!(at("/gates/0/reasons/0/rule"), json!("every-check"));
    assert_eq!(at("/claims/0/state"), json!("contradicted"));
    for pointer in [
        "/run/id",
        "/run/host/os",
        "/components/0/cap",
        "/components/0/gap",
        "/claims/0/line",
        "/checks/0/evidence/duration_ms",
    ] {
        at(pointer);
    }
}

/// Of 1 to 40 results of a check of that weight, so many passed; in one of two components or alone.
fn any_case() -> impl Strategy<Value = (u32, u64, u64, Option<&'static str>, Level)> {
    (
        1..=50u32,
        0..=40u64,
        0..=40u64,
        select(vec![None, Some("web"), Some("api")]),
        select(Level::ALL[..4].to_vec()),
    )
}

proptest! {
    #![proptest_config(same_every_time(200))]

    #[test]
    fn figures_are_sound_and_survive_json(cases in vec(any_case(), 1..6), claim in proptest::option::of(0..=1000u32)) {
        let scene = Scene::of(cases.into_iter().enumerate().map(|(at, (weight, passed, failed, component, level))| {
            let check = Check { weight: f64::from(weight) / 10.0, component: component.map(str::to_string), level, ..counted(&format!("c{at}")) };
            (check, ran(passed, failed))
        }));
        let scene = match claim {
            Some(tenths) => scene.claim(f64::from(tenths) / 10.0),
            None => scene,
        };
        let report = scene.assess();
        let (verified, ceiling, attested) = figures(&report);
        prop_assert!(0.0 <= verified && verified <= ceiling && ceiling <= 100.0 && attested == 0.0);
        for row in &report.groups {
            prop_assert!(0.0 <= row.verified && row.verified <= row.ceiling && row.ceiling <= 100.0);
        }
        // A printed figure, read back, still opens no gate that the exact one does not open.
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Report>(&text).unwrap(), &report);
    }

    /// One component, one check of counts: every figure is known, and no float is above it.
    #[test]
    fn floats_never_exceed_the_exact_fraction(passed in 1..=u64::from(u32::MAX), failed in 0..=u64::from(u32::MAX)) {
        let report = Scene::of([(counted("a"), ran(passed, failed))]).assess();
        let exact = ratio::of(passed, passed + failed);
        let percent = &exact * Ratio::from_integer(100.into());
        let of = |figure: f64| <Ratio as num_traits::FromPrimitive>::from_f64(figure).unwrap();
        prop_assert!(of(report.checks[0].credit) <= exact && of(report.checks[0].potential) <= exact);
        for figure in [report.score.verified, report.score.ceiling, report.components[0].verified, report.groups[0].verified] {
            prop_assert!(of(figure) <= percent);
            prop_assert!(of(figure.next_up()) > percent);
        }
    }
}
