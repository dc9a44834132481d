use proptest::prelude::*;

use super::super::assess::{Deciding, From, Setting, assess};
use super::super::check::{Attestation, Probe};
use super::super::evidence::Outcome;
use super::super::gate::Gate;
use super::super::ratio;
use super::super::report::Shard;
use super::super::testing::*;
use super::*;

const MERGED: &str = "01JDZZZZZZZZZZZZZZZZZZZZZZ";

/// A report from the machine of that name, about the same files as the others here.
fn from(host: &str, cases: Vec<(Check, Observed)>) -> Named {
    let mut scene = Scene::of(cases);
    for seen in &mut scene.seen {
        if let Observed::Evidence(evidence) = &mut seen.observed {
            evidence.host = host.to_string();
        }
    }
    named(host, scene)
}

fn named(host: &str, mut scene: Scene) -> Named {
    let mut run = a_run(&format!("01JD-{host}"));
    run.host.name = host.to_string();
    run.complete = true;
    run.tree = Some("blake3:11".to_string());
    run.manifest = Some("sha256:22".to_string());
    scene.setting.run = Some(run);
    Named {
        name: format!("{host}.json"),
        report: scene.assess(),
    }
}

fn run_of(named: &mut Named) -> &mut Run {
    named.report.run.as_mut().unwrap()
}

/// As the shard of that number of so many.
fn sharded(mut named: Named, index: u32, of: u32, split: &str, own: &[&str]) -> Named {
    let run = run_of(&mut named);
    run.complete = false;
    run.selected = own.iter().map(|id| id.to_string()).collect();
    run.shard = Some(Shard {
        index,
        of,
        split: split.to_string(),
    });
    named
}

fn merged(reports: Vec<Named>) -> Report {
    let merged = merge(reports, MERGED.to_string(), now()).unwrap();
    let setting = Setting {
        ready: "0.1.0".to_string(),
        run: Some(merged.run),
        about: merged.about,
        preflight: merged.preflight,
        found: vec![],
        called_for: merged.again.called_for,
        bases: merged.again.bases,
        against: None,
        warnings: merged.warnings,
        deciding: Deciding::Gates(vec!["default".to_string()]),
    };
    let (project, gates) = (&merged.again.project, merged.again.project.gates.clone());
    assess(project, &gates, merged.again.seen, setting, now())
}

fn refused(reports: Vec<Named>) -> String {
    let refusal = merge(reports, MERGED.to_string(), now()).err();
    refusal
        .map(|refusal| refusal.to_string())
        .unwrap_or_default()
}

/// What two machines saw of the same check, and what that comes to: whichever of them is named first.
#[test]
fn what_says_something_beats_what_does_not_and_the_worse_counts() {
    let flaky = || observed(vec![read(1, counts(0, 3, 0)), read(0, counts(3, 0, 0))]);
    #[rustfmt::skip]
    let cases = [
        (holds(), unknown(), Verdict::Verified, Code::Held),
        (holds(), withheld(Code::ToolMissing), Verdict::Verified, Code::Held),
        (breaks(), withheld(Code::CannotTell), Verdict::Failed, Code::AllFailed),
        (ran(2, 1), unknown(), Verdict::Partial, Code::SomeFailed),
        (holds(), breaks(), Verdict::Failed, Code::AllFailed),
        (holds(), ran(2, 1), Verdict::Partial, Code::SomeFailed),
        (ran(2, 1), breaks(), Verdict::Failed, Code::AllFailed),
        (flaky(), holds(), Verdict::Partial, Code::Flaky),
        (flaky(), ran(2, 1), Verdict::Partial, Code::Flaky), // 1/2 is worse than 2/3
        (flaky(), ran(1, 2), Verdict::Partial, Code::SomeFailed),
        (withheld(Code::CannotTell), withheld(Code::ToolMissing), Verdict::Unverified, Code::CannotTell),
        (withheld(Code::ToolMissing), withheld(Code::WrongPlatform), Verdict::Unverified, Code::ToolMissing),
        (withheld(Code::WrongPlatform), unknown(), Verdict::Unverified, Code::WrongPlatform),
        (withheld(Code::Interrupted), withheld(Code::NeedsFailed), Verdict::Unverified, Code::Interrupted),
        (ran(0, 0), withheld(Code::PortTaken), Verdict::Unverified, Code::NoResults),
    ];
    for (a, b, verdict, code) in cases {
        let machines = || {
            let a = from("a", vec![(counted("it"), a.clone())]);
            (a, from("b", vec![(counted("it"), b.clone())]))
        };
        let ((a, b), (c, d)) = (machines(), machines());
        let (there, back) = (merged(vec![a, b]), merged(vec![d, c]));
        assert_eq!(there, back);
        let row = &there.checks[0];
        assert_eq!((row.verdict, row.reason.code), (verdict, code), "{row:#?}");
    }
}

#[test]
fn a_stale_failure_goes_before_what_was_never_seen() {
    let failed = |stale: bool| {
        let mut scene = Scene::of([(counted("it"), breaks())]);
        scene.seen[0].stale = stale.then(|| "files were changed".to_string());
        scene.seen[0].recorded = Some(From {
            run: "01JC".to_string(),
            commit: None,
            reused: false,
        });
        named("a", scene)
    };
    let other = || from("b", vec![(counted("it"), withheld(Code::CannotTell))]);
    let row = &merged(vec![failed(true), other()]).checks[0];
    assert_eq!((row.reason.code, row.potential), (Code::Stale, 0.0));
    // What is recorded and stands is a look like any other.
    let row = &merged(vec![
        failed(false),
        from("b", vec![(counted("it"), holds())]),
    ])
    .checks[0];
    assert_eq!(row.verdict, Verdict::Failed);
    assert_eq!(row.recorded.as_deref(), Some("01JC"));
}

#[test]
fn a_word_and_what_does_not_apply_stay_as_they_are() {
    let machine = |host: &str| {
        let scene = Scene::of([(manual("rehearsed"), word()), (counted("chart"), unknown())]);
        named(host, scene.inapplicable("chart"))
    };
    let report = merged(vec![machine("a"), machine("b")]);
    assert_eq!(report.checks[0].reason.code, Code::Attested);
    assert_eq!(report.checks[0].observations.len(), 2);
    assert!(!report.checks[1].applicable && report.gates[0].open);
}

#[test]
fn all_that_was_seen_is_kept_with_its_machine() {
    let mut windows = from(
        "w",
        vec![(counted("it"), breaks()), (counted("x"), unknown())],
    );
    run_of(&mut windows).host.os = "windows".to_string();
    let report = merged(vec![
        from(
            "l",
            vec![(counted("it"), holds()), (counted("x"), unknown())],
        ),
        windows,
        from(
            "m",
            vec![
                (counted("it"), withheld(Code::ToolMissing)),
                (counted("x"), unknown()),
            ],
        ),
    ]);
    let seen = report.checks[0].observations.iter().map(|seen| {
        let os = seen.os.as_deref().unwrap_or_default();
        format!(
            "{} {os} {} {} {}",
            seen.host,
            seen.run,
            seen.verdict.word(),
            seen.reason.code.word()
        )
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            "l linux 01JD-l verified held",
            "m linux 01JD-m unverified tool-missing",
            "w windows 01JD-w failed all-failed",
        ]
    );
    // Nobody looked at it, so nobody saw anything.
    assert_eq!(report.checks[1].observations, []);
    let run = report.run.unwrap();
    let runs = run.merged.iter().map(|part| part.run.as_str());
    assert_eq!(runs.collect::<Vec<_>>(), ["01JD-l", "01JD-m", "01JD-w"]);
    assert_eq!(
        (run.host.name.as_str(), run.host.os.as_str()),
        ("l, m, w", "linux, windows")
    );
    assert!(run.complete);
}

#[test]
fn the_same_evidence_in_two_reports_is_seen_once() {
    let later = || {
        let mut scene = Scene::of([(counted("it"), holds())]);
        scene.seen[0].recorded = Some(From {
            run: "01JD-here".to_string(),
            commit: None,
            reused: true,
        });
        let mut later = named("b", scene);
        run_of(&mut later).host.name = "here".to_string();
        later
    };
    let report = merged(vec![later(), from("here", vec![(counted("it"), holds())])]);
    assert_eq!(report.checks[0].observations.len(), 1);
    assert_eq!(
        report.checks[0].recorded, None,
        "it is from a run that this one is made of"
    );
}

#[test]
fn needs_are_looked_at_on_what_all_know() {
    let top = || Check {
        needs: vec!["base".to_string()],
        ..counted("top")
    };
    let report = merged(vec![
        from("a", vec![(counted("base"), holds()), (top(), holds())]),
        from(
            "b",
            vec![
                (counted("base"), breaks()),
                (top(), withheld(Code::NeedsFailed)),
            ],
        ),
    ]);
    assert_eq!(report.checks[0].verdict, Verdict::Failed);
    assert_eq!(report.checks[1].reason.code, Code::NeedsFailed);
}

#[test]
fn evidence_that_grew_too_old_says_nothing_any_more() {
    let brief = || Check {
        max_age: Some(std::time::Duration::from_secs(3600)),
        ..counted("it")
    };
    let mut old = from("a", vec![(brief(), breaks())]);
    let evidence = old.report.checks[0].evidence.as_mut().unwrap();
    evidence.started = time("2026-11-22T09:00:00Z");
    let report = merged(vec![old, from("b", vec![(brief(), holds())])]);
    assert_eq!(report.checks[0].verdict, Verdict::Verified);
    assert_eq!(report.checks[0].observations[0].reason.code, Code::Stale);
}

#[test]
fn gates_are_held_against_the_base_that_asks_for_most() {
    let base = |name: &str, verified: u64| Base {
        name: name.to_string(),
        verified: ratio::of(verified, 100),
        held: vec![],
        tests: BTreeMap::new(),
    };
    let report = |host: &str, base: Option<Base>| {
        let scene = Scene::of([(counted("a"), ran(1, 1))]).gate(Gate {
            name: "staging".to_string(),
            no_regression: true,
            ..Gate::default()
        });
        named(
            host,
            match base {
                Some(base) => scene.base("staging", base),
                None => scene,
            },
        )
    };
    let state = |bases: [Option<Base>; 2]| {
        let [one, other] = bases;
        let report = merged(vec![report("one", one), report("other", other)]);
        let state = report
            .gates
            .iter()
            .find(|state| state.name == "staging")
            .unwrap();
        (state.open, state.base.clone())
    };
    let (low, high) = (base("low", 40), base("high", 60));
    for bases in [
        [Some(low.clone()), Some(high.clone())],
        [Some(high), Some(low.clone())],
    ] {
        assert_eq!(state(bases), (false, Some("high".to_string())));
    }
    assert_eq!(state([None, Some(low)]), (true, Some("low".to_string())));
    assert_eq!(state([None, None]), (false, None));
}

#[test]
fn what_a_command_line_asked_for_is_no_gate_of_the_project() {
    let mut scene = Scene::of([(counted("it"), holds())]);
    scene.gates.push(Gate {
        name: "--min-score".to_string(),
        min_score: Some(99.0),
        ..Gate::default()
    });
    let report = merged(vec![named("a", scene)]);
    assert_eq!(report.gates.len(), 1);
}

#[test]
fn what_is_not_about_the_same_is_refused_by_name() {
    let a = || from("a", vec![(counted("it"), holds())]);
    let b = |change: fn(&mut Named)| {
        let mut b = from("b", vec![(counted("it"), holds())]);
        change(&mut b);
        b
    };
    type Case = (fn(&mut Named), &'static str);
    #[rustfmt::skip]
    let cases: [Case; 12] = [
        (|b| b.report.run = None, "`b.json` is about recorded evidence and no run"),
        (|b| run_of(b).tree = None, "`b.json` is about no state of the files"),
        (|b| run_of(b).tree = Some("blake3:33".to_string()), "`b.json` differs from `a.json` in the state of the files: blake3:33…, not blake3:11…"),
        (|b| run_of(b).manifest = Some("sha256:44".to_string()), "`b.json` differs from `a.json` in the manifest: sha256:44…, not sha256:22…"),
        (|b| b.report.project = "till".to_string(), "in the project: `till`, not `shop`"),
        (|b| run_of(b).id = "01JD-a".to_string(), "run 01JD-a stands in both `a.json` and `b.json`"),
        (|b| b.report.checks[0].applicable = false, "in what applies: `it` does not apply, not `it` applies"),
        (|b| b.report.checks.clear(), "in the checks that its manifest comes to"),
        (|b| b.report.checks[0].evidence.as_mut().unwrap().binding.definition = "blake3:55".to_string(), "in what a check is: `it` as ready 0.1.0 has it"),
        (|b| run_of(b).shard = Some(Shard { index: 1, of: 2, split: "blake3:66".to_string() }), "in how the checks were split: 2 shards, blake3:66…, not none"),
        // Who says nothing contradicts nobody.
        (|b| run_of(b).environment = Some("staging".to_string()), ""),
        (|b| run_of(b).artifact = Some("sha256:77".to_string()), ""),
    ];
    for (change, words) in cases {
        let said = refused(vec![a(), b(change)]);
        assert!(
            said.contains(words) && (words.is_empty() == said.is_empty()),
            "{words}: {said}"
        );
    }
    let of = |host: &str, environment: &str| {
        let mut named = from(host, vec![(counted("it"), holds())]);
        run_of(&mut named).environment = Some(environment.to_string());
        named
    };
    let said = refused(vec![of("a", "staging"), of("b", "production")]);
    assert!(
        said.contains("in where it was judged: `production`, not `staging`"),
        "{said}"
    );
    assert_eq!(refused(vec![]), "there is no report to merge");
}

#[test]
fn shards_belong_to_one_split_and_missing_ones_are_told() {
    let shard = |host: &str, index, split: &str, own: &[&str]| {
        let cases = ["x", "y", "z"].map(|id| {
            let observed = if own.contains(&id) {
                holds()
            } else {
                unknown()
            };
            (counted(id), observed)
        });
        sharded(from(host, cases.to_vec()), index, 3, split, own)
    };
    let split = "blake3:66";
    let report = merged(vec![
        shard("a", 1, split, &["x"]),
        shard("b", 3, split, &["z"]),
    ]);
    assert_eq!(
        report.warnings,
        ["shard 2 of 3 is missing: its checks are not run"]
    );
    assert_eq!(report.checks[1].reason.code, Code::NotRun);
    let run = report.run.clone().unwrap();
    assert!(!run.complete && run.selected == ["x", "z"]);

    let all = vec![
        // The report of two comes together with the third.
        Named {
            name: "ac.json".to_string(),
            report,
        },
        shard("c", 2, split, &["y"]),
    ];
    let report = merged(all);
    assert_eq!(report.warnings, Vec::<String>::new());
    let run = report.run.unwrap();
    assert!(run.complete && run.selected.is_empty() && run.merged.len() == 3);
    assert!(report.gates[0].open);

    let said = refused(vec![
        shard("a", 1, split, &["x"]),
        shard("b", 2, "blake3:67", &["y"]),
    ]);
    assert!(
        said.contains(
            "in how the checks were split: 3 shards, blake3:67…, not 3 shards, blake3:66…"
        ),
        "{said}"
    );
}

#[test]
fn words_that_some_say_name_the_machine() {
    let machine = |host: &str, warnings: &[&str], seen: &str| {
        let mut named = from(host, vec![(counted("it"), holds())]);
        named.report.warnings = warnings.iter().map(|text| text.to_string()).collect();
        named.report.preflight = vec![Preflight {
            what: "node".to_string(),
            ok: Some(true),
            seen: seen.to_string(),
        }];
        named
    };
    let report = merged(vec![
        machine("a", &["all", "one"], "20"),
        machine("b", &["all"], "22"),
    ]);
    assert_eq!(report.warnings, ["all", "on a: one"]);
    let seen = report.preflight.iter().map(|item| item.seen.as_str());
    assert_eq!(seen.collect::<Vec<_>>(), ["20 on a", "22 on b"]);
    let report = merged(vec![machine("a", &[], "20"), machine("b", &[], "20")]);
    assert_eq!(report.preflight.len(), 1);
}

#[test]
fn a_word_that_expired_since_is_stale() {
    let expired = Check {
        probe: Probe::Manual(Attestation {
            by: "release manager".to_string(),
            on: day("2026-11-01"),
            expires: day("2026-11-21"),
            link: None,
        }),
        ..manual("rehearsed")
    };
    let mut named = from(
        "a",
        vec![(
            manual("rehearsed"),
            observed(vec![attempt(Outcome::Attested)]),
        )],
    );
    named.report.checks[0].definition = expired;
    assert_eq!(merged(vec![named]).checks[0].reason.code, Code::Stale);
}

fn anything() -> impl Strategy<Value = Observed> {
    prop_oneof![
        (0..4u64, 0..4u64).prop_map(|(passed, failed)| ran(passed, failed)),
        Just(withheld(Code::CannotTell)),
        Just(withheld(Code::ToolMissing)),
        Just(unknown()),
    ]
}

/// Checks of which some need the one before.
fn checks(needs: &[bool]) -> Vec<Check> {
    let checks = needs.iter().enumerate().map(|(at, needs)| Check {
        needs: if *needs && at > 0 {
            vec![format!("c{}", at - 1)]
        } else {
            vec![]
        },
        ..counted(&format!("c{at}"))
    });
    checks.collect()
}

/// What counts of a report: verdicts, credits, score and gates, and what was seen where.
fn essence(report: &Report) -> impl PartialEq + std::fmt::Debug + use<> {
    let rows = report.checks.iter().map(|row| {
        let mut seen = row.observations.clone();
        seen.sort_by_key(|seen| seen.run.clone());
        (row.verdict, row.exact.clone(), seen)
    });
    (
        rows.collect::<Vec<_>>(),
        report.score.clone(),
        report.gates.clone(),
    )
}

proptest! {
    #![proptest_config(same_every_time(150))]

    #[test]
    fn the_order_in_which_reports_come_together_makes_no_difference(
        cases in proptest::collection::vec(([anything(), anything(), anything()], any::<bool>()), 1..6),
    ) {
        let needs = cases.iter().map(|(_, needs)| *needs).collect::<Vec<_>>();
        let machine = |at: usize| {
            let seen = cases.iter().map(|(seen, _)| seen[at].clone());
            from(["a", "b", "c"][at], checks(&needs).into_iter().zip(seen).collect())
        };
        let at_once = merged(vec![machine(0), machine(1), machine(2)]);
        prop_assert_eq!(&at_once, &merged(vec![machine(2), machine(0), machine(1)]));
        let pair = Named { name: "ab.json".to_string(), report: merged(vec![machine(0), machine(1)]) };
        let in_turn = merged(vec![machine(2), pair]);
        prop_assert_eq!(essence(&at_once), essence(&in_turn));
    }

    #[test]
    fn shards_together_say_what_one_run_says(
        cases in proptest::collection::vec((anything(), 0..3u32), 1..8),
    ) {
        let checks = checks(&vec![false; cases.len()]);
        let whole = from("a", checks.iter().cloned().zip(cases.iter().map(|(seen, _)| seen.clone())).collect());
        let shard = |index: u32| {
            let seen = cases.iter().map(|(seen, of)| if *of == index { seen.clone() } else { unknown() });
            let ids = cases.iter().zip(&checks).filter(|((_, of), _)| *of == index);
            let own = ids.map(|(_, check)| check.id.as_str()).collect::<Vec<_>>();
            let named = from(["a", "b", "c"][index as usize], checks.iter().cloned().zip(seen).collect());
            sharded(named, index + 1, 3, "blake3:66", &own)
        };
        let together = merged(vec![shard(0), shard(1), shard(2)]);
        prop_assert_eq!(&together.score, &whole.report.score);
        prop_assert_eq!(&together.gates, &whole.report.gates);
        let verdicts = |report: &Report| report.checks.iter().map(|row| (row.verdict, row.reason.clone())).collect::<Vec<_>>();
        prop_assert_eq!(verdicts(&together), verdicts(&whole.report));
        prop_assert!(together.run.unwrap().complete);
    }
}

#[test]
fn reports_that_were_judged_by_other_rules_are_refused() {
    let report = |host: &str| from(host, vec![(counted("a"), ran(1, 1))]);
    let changed = |change: fn(&mut Report)| {
        let mut other = report("other");
        change(&mut other.report);
        refused(vec![report("one"), other])
    };
    for (change, what) in [
        (
            (|report| report.policies.push(Gate::default())) as fn(&mut Report),
            "the rules of its gates",
        ),
        (
            |report| report.checks[0].definition.optional = true,
            "the definitions of its checks",
        ),
        (|report| report.caps.exercised = 1.0, "its caps"),
    ] {
        let why = changed(change);
        assert!(why.contains(what), "{why}");
    }
    assert_eq!(changed(|_| {}), "");
}

#[test]
fn who_names_nothing_does_not_join_those_who_differ() {
    let report = |host: &str, artifact: Option<&str>| {
        let mut named = from(host, vec![(counted("a"), ran(1, 1))]);
        run_of(&mut named).artifact = artifact.map(str::to_string);
        named
    };
    let why = refused(vec![
        report("none", None),
        report("one", Some("sha256:1")),
        report("two", Some("sha256:2")),
    ]);
    assert!(why.contains("what was judged"), "{why}");
}

#[test]
fn a_shard_that_cannot_be_is_refused() {
    for (index, of) in [(0, 3), (4, 3), (1, u32::MAX)] {
        let named = from("one", vec![(counted("a"), ran(1, 1))]);
        let why = refused(vec![sharded(named, index, of, "blake3:s", &["a"])]);
        assert!(why.contains("there is no such shard"), "{why}");
    }
}
