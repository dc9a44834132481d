use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::super::check::Check;
use super::super::super::claim::ClaimState::{self, *};
use super::super::super::claim::{Claim, Found, Mark, OVERALL, Said, Tense};
use super::super::super::evidence::{Counts, Observed, Reading, Results};
use super::super::super::gate::Gate;
use super::super::super::level::Level;
use super::super::super::project::Component;
use super::super::super::reason::Code;
use super::super::super::report::Report;
use super::super::super::testing::*;
use super::names::normalised;

fn said(subject: &str, said: Said) -> Found {
    Found {
        document: "STATUS.md".to_string(),
        line: 12,
        subject: subject.to_string(),
        said,
        tense: Tense::Now,
        quote: String::new(),
        about: None,
    }
}

fn percent(value: f64) -> Said {
    Said::Percent {
        value,
        value_max: None,
    }
}

fn done() -> Said {
    Said::Mark { mark: Mark::Done }
}

fn not_done() -> Said {
    Said::Mark {
        mark: Mark::NotDone,
    }
}

fn of(passed: u64, total: u64) -> Said {
    Said::Ratio { passed, total }
}

fn count(count: u64, of: &str) -> Said {
    let of = of.to_string();
    Said::Count { count, of }
}

fn delta(from: Option<u64>, to: Option<u64>, by: Option<u64>, of: &str) -> Said {
    let of = of.to_string();
    Said::Delta { from, to, by, of }
}

/// Backend tests (35 of 40 pass), an API that holds, Docker that nobody could build, a licence that is only there, an audit
/// with two findings, error tracking that fails.
fn shop() -> Scene {
    let component = |id: &str, title: &str, aliases: &[&str]| Component {
        title: title.to_string(),
        aliases: aliases.iter().map(|name| name.to_string()).collect(),
        ..component(id)
    };
    let findings = Results {
        findings: Some(2),
        measures: BTreeMap::from([("outdated_packages".to_string(), 7.0)]),
        ..Results::default()
    };
    Scene::of([
        (within("backend", counted("backend-tests")), ran(35, 5)),
        (within("api", run("health")), passed()),
        (within("docker", run("image")), withheld(Code::ToolMissing)),
        (
            Check {
                level: Level::Present,
                ..within("licence", run("licence-text"))
            },
            passed(),
        ),
        (within("security", counted("audit")), read(findings)),
        (within("sentry", run("sentry")), observed(vec![exit(1)])),
        (within("sentry", run("sentry-captures")), passed()),
    ])
    .component(component(
        "backend",
        "Backend tests",
        &["API tests", "pytest"],
    ))
    .component(component("sentry", "Error tracking", &["Sentry"]))
    .component(Component {
        enough: Some(Level::Present),
        ..component("licence", "Licence", &[])
    })
}

fn passed() -> Observed {
    observed(vec![exit(0)])
}

fn read(results: Results) -> Observed {
    let mut attempt = exit(0);
    attempt.reading = Some(Reading::Results(results));
    observed(vec![attempt])
}

fn report(scene: Scene, found: Vec<Found>) -> Report {
    let mut scene = scene;
    scene.setting.found = found;
    scene.assess()
}

fn claim_in(scene: Scene, found: Found) -> Claim {
    let document = found.document.clone();
    let report = report(scene, vec![found]);
    let mut claims = report.claims.into_iter();
    claims
        .find(|claim| claim.found.document == document)
        .unwrap()
}

#[test]
fn what_the_evidence_makes_of_a_claim() {
    let cases: &[(&str, Said, ClaimState, Option<&str>)] = &[
        // Figures against what is verified, and at best verified.
        ("Backend tests", percent(87.5), Backed, Some("backend")),
        ("Backend tests", percent(88.0), Backed, Some("backend")),
        (
            "Backend tests",
            percent(88.1),
            Contradicted,
            Some("backend"),
        ),
        ("Docker", percent(75.0), Unproved, Some("docker")),
        ("Docker", percent(80.0), Contradicted, Some("docker")),
        ("API", percent(75.0), Backed, Some("api")),
        ("API", percent(100.0), Contradicted, Some("api")),
        ("Kubernetes", percent(100.0), Unbacked, None),
        // Ratios, number by number.
        ("Backend tests", of(35, 40), Backed, Some("backend")),
        ("Backend tests", of(34, 40), Unclaimed, Some("backend")),
        ("Backend tests", of(36, 40), Contradicted, Some("backend")),
        ("Backend tests", of(35, 38), Contradicted, Some("backend")),
        ("Backend tests", of(35, 41), Contradicted, Some("backend")),
        ("Docker", of(3, 4), Unproved, Some("docker")),
        ("API", of(3, 4), Unproved, Some("api")),
        (OVERALL, of(35, 40), Backed, None),
        // Marks against verdicts and levels.
        ("API", done(), Backed, Some("api")),
        ("Backend tests", done(), Contradicted, Some("backend")),
        ("Sentry", done(), Contradicted, Some("sentry")),
        ("Docker", done(), Unproved, Some("docker")),
        ("Licence", done(), Backed, Some("licence")),
        ("Kubernetes", done(), Unbacked, None),
        ("Sentry", not_done(), Backed, Some("sentry")),
        ("Docker", not_done(), Backed, Some("docker")),
        ("API", not_done(), Unclaimed, Some("api")),
        (OVERALL, done(), Contradicted, None),
        // Counts.
        (
            "Security",
            count(2, "vulnerabilities"),
            Backed,
            Some("security"),
        ),
        (
            "Security",
            count(0, "vulnerabilities"),
            Contradicted,
            Some("security"),
        ),
        ("Security", count(0, "regrets"), Unproved, Some("security")),
        ("Backend tests", count(40, "tests"), Backed, Some("backend")),
        (
            "Backend tests",
            count(41, "tests"),
            Contradicted,
            Some("backend"),
        ),
        (
            "Backend tests",
            count(0, "failing tests"),
            Contradicted,
            Some("backend"),
        ),
        (
            "Docker",
            count(0, "vulnerabilities"),
            Unproved,
            Some("docker"),
        ),
        // One check of all measures it by that very name.
        (
            "Elsewhere",
            count(7, "outdated packages"),
            Backed,
            Some("security"),
        ),
        (
            "Elsewhere",
            count(0, "outdated packages"),
            Contradicted,
            Some("security"),
        ),
        ("Elsewhere", count(0, "vulnerabilities"), Unbacked, None),
        // Changes, of which nothing is recorded.
        (
            "Backend tests",
            delta(None, None, Some(33), "tests"),
            Unproved,
            Some("backend"),
        ),
        (
            "Backend tests",
            delta(Some(13), Some(0), None, "tests"),
            Contradicted,
            Some("backend"),
        ),
        (
            "Backend tests",
            delta(Some(13), Some(5), None, "failures"),
            Unproved,
            Some("backend"),
        ),
    ];
    for (subject, what, state, component) in cases {
        let claim = claim_in(shop(), said(subject, what.clone()));
        let seen = (claim.state, claim.component.as_deref());
        assert_eq!(
            seen,
            (Some(*state), *component),
            "{subject} {what}: {}",
            claim.why
        );
        assert!(!claim.why.is_empty(), "{subject} {what}");
    }
}

#[test]
fn what_was_skipped_may_still_pass() {
    let skipped = |passed, failed, skipped| {
        let counts = Counts {
            passed,
            failed,
            skipped,
        };
        Scene::of([(counted("tests"), read(Results::counted(counts, vec![])))])
    };
    let cases = [
        (skipped(38, 0, 2), of(40, 40), Unproved),
        (skipped(38, 0, 2), of(38, 40), Backed),
        (skipped(37, 1, 2), of(40, 40), Contradicted),
        (skipped(40, 0, 0), of(38, 40), Unclaimed),
        (skipped(30, 0, 0), of(40, 40), Contradicted),
    ];
    for (scene, what, state) in cases {
        let claim = claim_in(scene, said("tests", what.clone()));
        assert_eq!(claim.state, Some(state), "{what}: {}", claim.why);
    }
}

#[test]
fn a_change_is_held_against_what_was_recorded() {
    let cases = [
        // (failed at most before, failed now, claim, state)
        (33.0, 0, delta(None, None, Some(33), "tests"), Backed),
        (3.0, 0, delta(None, None, Some(33), "tests"), Contradicted),
        (40.0, 7, delta(None, None, Some(33), "tests"), Backed),
        (40.0, 8, delta(None, None, Some(33), "tests"), Contradicted),
        (
            13.0,
            0,
            delta(Some(13), Some(0), None, "failing tests"),
            Backed,
        ),
        (
            12.0,
            0,
            delta(Some(13), Some(0), None, "failing tests"),
            Contradicted,
        ),
        (
            13.0,
            1,
            delta(Some(13), Some(0), None, "failing tests"),
            Contradicted,
        ),
        (
            0.0,
            0,
            delta(Some(13), Some(0), None, "failing tests"),
            Unproved,
        ),
    ];
    for (before, failed, what, state) in cases {
        let mut scene = Scene::of([(counted("tests"), ran(40, failed))]);
        scene.seen[0].earlier = BTreeMap::from([("failed".to_string(), before)]);
        let claim = claim_in(scene, said("tests", what.clone()));
        assert_eq!(
            claim.state,
            Some(state),
            "{before}, {failed}, {what}: {}",
            claim.why
        );
    }
}

#[test]
fn a_name_finds_what_it_means_and_nothing_is_guessed() {
    let about = |id: &str| Found {
        about: Some(id.to_string()),
        ..said("Whatever this is", done())
    };
    let to = |component: Option<&'static str>, check: Option<&'static str>| (component, check);
    let cases = [
        (said("backend TESTS", done()), to(Some("backend"), None)),
        (
            said("2.1 The Backend Test", done()),
            to(Some("backend"), None),
        ),
        (said("API tests", done()), to(Some("backend"), None)),
        (said("pytest", done()), to(Some("backend"), None)),
        (said("health", done()), to(Some("api"), Some("health"))),
        (
            said("health is as it should be", done()),
            to(Some("api"), Some("health")),
        ),
        // The component and its check are called the same: the whole of it is meant.
        (said("Sentry", done()), to(Some("sentry"), None)),
        (said("Backend", done()), to(Some("backend"), None)),
        (said("Backend test suite", done()), to(None, None)),
        (
            about("sentry-captures"),
            to(Some("sentry"), Some("sentry-captures")),
        ),
        (about("sentry"), to(Some("sentry"), Some("sentry"))),
        (about("api"), to(Some("api"), None)),
        (about("no-such"), to(None, None)),
    ];
    for (found, (component, check)) in cases {
        let claim = claim_in(shop(), found.clone());
        let seen = (claim.component.as_deref(), claim.check.as_deref());
        assert_eq!(seen, (component, check), "{found:?}");
    }
    let two = Scene::of([
        (within("a", run("login")), passed()),
        (within("b", run("other")), passed()),
    ])
    .component(Component {
        title: "Login".to_string(),
        ..component("b")
    });
    let claim = claim_in(two, said("Login", done()));
    assert_eq!((claim.state, claim.component), (Some(Unbacked), None));
    assert_eq!(claim.why, "it may mean component b or check login");
    let claim = claim_in(shop(), about("no-such"));
    assert!(claim.why.contains("`no-such`"), "{}", claim.why);
}

#[test]
fn a_group_is_its_members_together() {
    let member = |id: &str| Component {
        group: Some("Monitoring".to_string()),
        ..component(id)
    };
    let scene = || {
        Scene::of([
            (within("sentry", counted("a")), ran(1, 1)),
            (within("metrics", counted("b")), holds()),
        ])
        .component(member("sentry"))
        .component(member("metrics"))
    };
    let state = |what| claim_in(scene(), said("Monitoring", what)).state;
    assert_eq!(state(percent(75.0)), Some(Backed));
    assert_eq!(state(percent(76.0)), Some(Contradicted));
    assert_eq!(state(done()), Some(Contradicted));
}

#[test]
fn what_was_or_shall_be_is_held_against_nothing() {
    for tense in [Tense::Past, Tense::Goal] {
        let found = Found {
            tense,
            ..said("Backend tests", percent(100.0))
        };
        let claim = claim_in(shop(), found);
        assert_eq!(
            (claim.state, claim.component.as_deref()),
            (None, Some("backend"))
        );
    }
}

#[test]
fn evidence_that_saw_nothing_at_work_proves_no_mark() {
    let at = |level, enough| {
        let check = Check {
            level,
            ..within("docs", run("present"))
        };
        let scene = Scene::of([(check, passed())]).component(Component {
            enough,
            ..component("docs")
        });
        claim_in(scene, said("docs", done())).state
    };
    assert_eq!(at(Level::Present, None), Some(Unproved));
    assert_eq!(at(Level::Wired, None), Some(Unproved));
    assert_eq!(at(Level::Wired, Some(Level::Present)), Some(Backed));
    assert_eq!(at(Level::Validated, None), Some(Backed));
}

#[test]
fn a_strong_check_of_one_component_proves_nothing_of_another() {
    let present = Check {
        level: Level::Present,
        ..within("docs", run("written"))
    };
    let scene = || {
        Scene::of([
            (within("api", counted("tests")), holds()),
            (present.clone(), passed()),
        ])
    };
    let state = |subject| claim_in(scene(), said(subject, done()));
    assert_eq!(state("api").state, Some(Backed));
    let overall = state(OVERALL);
    assert_eq!(overall.state, Some(Unproved));
    assert!(overall.why.ends_with(": written"), "{}", overall.why);
}

#[test]
fn a_suite_that_nobody_could_run_may_hold_what_is_lacking_and_mends_no_failure() {
    let scene = |failed| {
        Scene::of([
            (within("backend", counted("unit")), ran(40, failed)),
            (
                within("backend", counted("browser")),
                withheld(Code::ToolMissing),
            ),
        ])
    };
    let state = |failed, what| claim_in(scene(failed), said("backend", what)).state;
    assert_eq!(state(0, of(60, 60)), Some(Unproved));
    assert_eq!(state(0, of(40, 40)), Some(Backed));
    assert_eq!(state(1, of(60, 60)), Some(Contradicted));
}

#[test]
fn the_highest_figure_that_anyone_claims_is_the_claim() {
    let figures = |manifest: Option<f64>, documents: &[(&str, f64, Tense)]| {
        let scene = shop();
        let scene = match manifest {
            Some(figure) => scene.claim(figure),
            None => scene,
        };
        let found = documents.iter().map(|(subject, value, tense)| Found {
            tense: *tense,
            ..said(subject, percent(*value))
        });
        let report = report(scene, found.collect());
        let backend = report.components.iter().find(|row| row.id == "backend");
        (
            report.score.claimed,
            backend.unwrap().claimed,
            report.score.partly_claimed,
        )
    };
    let now = Tense::Now;
    assert_eq!(
        figures(Some(80.0), &[(OVERALL, 95.0, now)]),
        (Some(95.0), None, false)
    );
    assert_eq!(
        figures(Some(95.0), &[(OVERALL, 80.0, now)]),
        (Some(95.0), None, false)
    );
    assert_eq!(
        figures(
            None,
            &[(OVERALL, 60.0, Tense::Past), (OVERALL, 99.0, Tense::Goal)]
        ),
        (None, None, false)
    );
    assert_eq!(
        figures(None, &[("Backend tests", 98.0, now), ("pytest", 90.0, now)]),
        (Some(98.0), Some(98.0), true)
    );
}

#[test]
fn what_is_verified_and_not_spoken_of_is_unclaimed() {
    let unclaimed = |found: Vec<Found>| report(shop(), found).unclaimed;
    assert_eq!(
        unclaimed(vec![]),
        Vec::<String>::new(),
        "no document, nothing to speak"
    );
    let overall = unclaimed(vec![said(OVERALL, percent(50.0))]);
    assert_eq!(overall, ["health", "licence-text", "sentry-captures"]);
    let sentry = unclaimed(vec![said("Sentry", not_done()), said("health", done())]);
    assert_eq!(sentry, ["licence-text"]);
}

#[test]
fn gates_hold_claims_against_the_evidence() {
    let reasons = |gate: Gate, found: Vec<Found>| {
        let report = report(shop().gate(gate), found);
        let reasons = report.gates[0].reasons.iter();
        reasons
            .map(|reason| (reason.rule.clone(), reason.text.clone()))
            .collect::<Vec<_>>()
    };
    let honest = || vec![said("API", done()), said("Docker", not_done())];
    let untrue = || {
        vec![
            said("API", done()),
            said("Sentry", done()),
            said("Kubernetes", done()),
        ]
    };
    let no_contradicted = || Gate {
        no_contradicted: true,
        every_check: false,
        ..implicit()
    };
    let max_unbacked = |most| Gate {
        max_unbacked: Some(most),
        every_check: false,
        ..implicit()
    };
    assert_eq!(reasons(no_contradicted(), honest()), []);
    let told = reasons(no_contradicted(), untrue());
    let text = "STATUS.md:12 says Sentry done: sentry is failed, exit status 1, expected 0";
    assert_eq!(told, [("no_contradicted".to_string(), text.to_string())]);
    assert_eq!(reasons(max_unbacked(1), untrue()), []);
    let told = reasons(max_unbacked(0), untrue());
    assert_eq!(
        told[0].1,
        "1 claim has nothing that checks it, more than 0: STATUS.md:12"
    );
    // A gate that nobody's word reaches has nothing to judge.
    assert_eq!(reasons(no_contradicted(), vec![])[0].0, "nothing-to-judge");
    assert_eq!(reasons(max_unbacked(0), vec![])[0].0, "nothing-to-judge");
}

#[test]
fn names_are_compared_without_what_makes_no_difference() {
    let same = [
        ("Backend Tests", "backend-test"),
        ("1. API & UI", "api_ui"),
        ("The load-tests", "Load test"),
        ("✅ Docker", "docker"),
        ("2FA", "2fa"),
    ];
    for (a, b) in same {
        assert_eq!(normalised(a), normalised(b), "{a} {b}");
    }
    for (a, b) in [
        ("Backend tests", "Frontend tests"),
        ("API", "API docs"),
        ("glass", "glas"),
        ("1", ""),
    ] {
        if a != "1" {
            assert_ne!(normalised(a), normalised(b), "{a} {b}");
        }
    }
}

proptest! {
    #![proptest_config(same_every_time(300))]

    /// A higher figure, a better ratio or fewer findings never stand better than a humbler claim about the same thing.
    #[test]
    fn a_bolder_claim_never_stands_better(
        passed in 0..9u64, failed in 0..9u64, low in 0..=100u32, high in 0..=100u32,
        claimed in 0..9u64, rest in 0..9u64,
    ) {
        let state = |what| {
            let scene = Scene::of([(within("backend", counted("tests")), ran(passed, failed))]);
            let state = claim_in(scene, said("backend", what)).state.unwrap();
            // To say less than what is verified is no worse than to say as much.
            let state = if state == Unclaimed { Backed } else { state };
            ClaimState::ALL.iter().position(|other| *other == state).unwrap()
        };
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(state(percent(f64::from(high))) <= state(percent(f64::from(low))));
        let humble = state(of(claimed, claimed + rest));
        prop_assert!(state(of(claimed + 1, claimed + 1 + rest)) <= humble);
        if rest > 0 {
            prop_assert!(state(of(claimed + 1, claimed + rest)) <= humble);
        }
        prop_assert!(state(count(claimed, "failing tests")) <= state(count(claimed + 1, "failing tests")));
    }
}
