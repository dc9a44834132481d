//! Each case is a check, what was seen of it, and what must follow.

use proptest::prelude::*;

use super::super::check::{CannotTell, NeedsTool};
use super::super::evidence::Failure;
use super::super::expectation::Checked;
use super::super::testing::*;
use super::*;

/// What must follow: verdict, code, credit and potential.
type Follows = (Verdict, Code, Ratio, Ratio);

fn verified() -> Follows {
    (Verdict::Verified, Code::Held, Ratio::one(), Ratio::one())
}

fn failed(code: Code) -> Follows {
    (Verdict::Failed, code, Ratio::zero(), Ratio::zero())
}

fn unverified(code: Code) -> Follows {
    (Verdict::Unverified, code, Ratio::zero(), Ratio::one())
}

/// Credit and potential as counts: (of, all).
fn partial(code: Code, credit: (u64, u64), potential: (u64, u64)) -> Follows {
    let of = |(part, whole)| ratio::of(part, whole);
    (Verdict::Partial, code, of(credit), of(potential))
}

fn follows(judgement: &Judgement) -> Follows {
    let Judgement {
        verdict,
        reason,
        credit,
        potential,
        ..
    } = judgement.clone();
    (verdict, reason.code, credit, potential)
}

fn judged(check: &Check, attempts: Vec<Attempt>) -> Judgement {
    judge(check, &observed(attempts), now())
}

#[track_caller]
fn hold<'a>(cases: impl IntoIterator<Item = (&'a str, Check, Attempt, Follows)>) {
    for (name, check, attempt, wanted) in cases {
        let judgement = judged(&check, vec![attempt]);
        assert_eq!(
            follows(&judgement),
            wanted,
            "{name}: {}",
            judgement.reason.text
        );
        assert!(!judgement.reason.text.is_empty(), "{name}: no text");
    }
}

#[test]
fn a_program_that_could_not_be_started() {
    use SpawnFailure::*;
    let cases = [
        (MissingProgram, unverified(Code::ToolMissing)),
        (MissingInterpreter, unverified(Code::ToolMissing)),
        (MissingDirectory, failed(Code::CannotStart)),
        (NotExecutable, failed(Code::CannotStart)),
        (IsDirectory, failed(Code::CannotStart)),
        (NoResources, unverified(Code::CannotTell)),
        (MissingVariable, unverified(Code::CannotTell)),
        (PortTaken, unverified(Code::PortTaken)),
        (NoFiles, unverified(Code::NoResults)),
        (Other, unverified(Code::CannotTell)),
    ];
    for (kind, wanted) in cases {
        let outcome = || attempt(Outcome::Spawn(Failure::new(kind, "as the system says")));
        hold([
            ("with an exit status", run("a"), outcome(), wanted.clone()),
            ("with a reader", counted("a"), outcome(), wanted),
        ]);
    }
}

#[test]
fn a_missing_tool_says_how_it_is_installed() {
    let tool = NeedsTool {
        name: "trivy".to_string(),
        install: Some("brew install trivy".to_string()),
        version: vec![],
    };
    let check = Check {
        needs_tool: Some(tool),
        ..run("trivy")
    };
    let missing = Outcome::Spawn(Failure::new(
        SpawnFailure::MissingProgram,
        "`trivy` is not on PATH",
    ));
    let text = judged(&check, vec![attempt(missing)]).reason.text;
    assert_eq!(
        text,
        "`trivy` is not on PATH; install it: brew install trivy"
    );
}

#[test]
#[rustfmt::skip] // a case is a line
fn a_program_that_did_not_end_by_itself() {
    hold([
        ("its own time limit", run("a"), attempt(Outcome::Timeout(90_000)), failed(Code::TimedOut)),
        ("the longest time limit", run("a"), attempt(Outcome::Timeout(u64::MAX)), failed(Code::TimedOut)),
        ("a signal that nobody sent", run("a"), attempt(Outcome::Signal(9)), failed(Code::Killed)),
        ("a signal without a name", run("a"), attempt(Outcome::Signal(64)), failed(Code::Killed)),
        ("the run was stopped", run("a"), attempt(Outcome::Cancelled), unverified(Code::Interrupted)),
    ]);
    let results = |outcome| Attempt { outcome, ..read(0, counts(3, 0, 0)) };
    hold([
        ("a time limit outranks results", counted("a"), results(Outcome::Timeout(1)), failed(Code::TimedOut)),
        ("a signal outranks results", counted("a"), results(Outcome::Signal(11)), failed(Code::Killed)),
        ("so does being stopped", counted("a"), results(Outcome::Cancelled), unverified(Code::Interrupted)),
    ]);
}

#[test]
#[rustfmt::skip] // a case is a line
fn an_http_answer_or_none() {
    use HttpFailure::*;
    let cases = [
        (Refused, failed(Code::Unreachable)),
        (Reset, failed(Code::Unreachable)),
        (Certificate, failed(Code::Certificate)),
        (Deadline, failed(Code::TimedOut)),
        (Malformed, failed(Code::Expectation)),
        (Name, unverified(Code::CannotTell)),
        (Proxy, unverified(Code::CannotTell)),
        (CannotSend, unverified(Code::CannotTell)),
    ];
    for (kind, wanted) in cases {
        hold([("no answer", http("a"), attempt(Outcome::Unanswered(Failure::new(kind, "why"))), wanted)]);
    }
    let answered = || attempt(Outcome::Answered);
    hold([
        ("all as expected", http("a"), expecting(answered(), &[Held::Yes, Held::Yes]), verified()),
        ("a wrong answer", http("a"), expecting(answered(), &[Held::Yes, Held::No]), failed(Code::Expectation)),
        ("too little was kept", http("a"), expecting(answered(), &[Held::Yes, Held::Unknown]), unverified(Code::CannotTell)),
        ("wrong outranks too little", http("a"), expecting(answered(), &[Held::Unknown, Held::No]), failed(Code::Expectation)),
        ("nobody held it against anything", http("a"), answered(), unverified(Code::CannotTell)),
    ]);
}

#[test]
#[rustfmt::skip] // a case is a line
fn files_and_variables() {
    use LookFailure::*;
    let cases = [
        (Absent, failed(Code::Absent)),
        (Unset, failed(Code::Unset)),
        (Placeholder, failed(Code::Placeholder)),
        (NoAccess, unverified(Code::CannotTell)),
        (MissingVariable, unverified(Code::CannotTell)),
    ];
    for (kind, wanted) in cases {
        let unseen = || attempt(Outcome::Unseen(Failure::new(kind, "why")));
        hold([("a file", file("a"), unseen(), wanted.clone()), ("a variable", variable("a"), unseen(), wanted)]);
    }
    let looked = |files: Option<&[&str]>| Attempt {
        files: files.map(|files| files.iter().map(|name| name.to_string()).collect()),
        ..attempt(Outcome::Looked)
    };
    let unwanted = || expecting(looked(Some(&[])), &[Held::Yes]);
    hold([
        ("one is there", file("a"), looked(Some(&["LICENSE"])), verified()),
        ("two are there", file("a"), looked(Some(&["LICENSE", "LICENSE-MIT"])), verified()),
        ("none is there", file("a"), looked(Some(&[])), failed(Code::Absent)),
        ("none is there, as expected", file("a"), unwanted(), verified()),
        ("nobody says which", file("a"), looked(None), unverified(Code::CannotTell)),
        ("its content is wrong", file("a"), expecting(looked(Some(&["LICENSE"])), &[Held::No]), failed(Code::Expectation)),
        ("a variable is set", variable("a"), looked(None), verified()),
        ("its value is wrong", variable("a"), expecting(looked(None), &[Held::Yes, Held::No, Held::No]), failed(Code::Expectation)),
        ("too large a file", file("a"), expecting(looked(Some(&["LICENSE"])), &[Held::Unknown]), unverified(Code::CannotTell)),
    ]);
}

#[test]
fn evidence_of_another_kind_of_probe_says_nothing() {
    let checks = || {
        [
            run("a"),
            counted("a"),
            http("a"),
            file("a"),
            variable("a"),
            manual("a"),
        ]
    };
    let looked = Attempt {
        files: Some(vec!["LICENSE".to_string()]),
        ..attempt(Outcome::Looked)
    };
    let attempts = [
        (expecting(exit(0), &[Held::Yes]), vec!["run"]),
        (
            expecting(attempt(Outcome::Answered), &[Held::Yes]),
            vec!["http"],
        ),
        (expecting(looked, &[Held::Yes]), vec!["file", "variable"]),
        (attempt(Outcome::Attested), vec!["manual"]),
    ];
    for check in checks() {
        for (attempt, own) in &attempts {
            let judgement = judged(&check, vec![attempt.clone()]);
            if !own.contains(&check.probe.kind()) {
                assert_eq!(
                    follows(&judgement),
                    unverified(Code::CannotTell),
                    "{check:?} {attempt:?}"
                );
            }
        }
    }
}

#[test]
#[rustfmt::skip] // a case is a line
fn an_exit_status_by_itself() {
    let expects = |statuses: &[i32]| {
        let mut check = run("a");
        if let Probe::Run(run) = &mut check.probe {
            run.expect.exit = statuses.to_vec();
        }
        check
    };
    hold([
        ("0", run("a"), exit(0), verified()),
        ("1", run("a"), exit(1), failed(Code::ExitStatus)),
        ("-1073741819 as Windows gives it", run("a"), exit(-1_073_741_819), failed(Code::ExitStatus)),
        ("0 where 3 is expected", expects(&[3]), exit(0), failed(Code::ExitStatus)),
        ("one of several", expects(&[0, 3]), exit(3), verified()),
        ("none is expected", expects(&[]), exit(0), failed(Code::ExitStatus)),
        ("its output is wrong", run("a"), expecting(exit(0), &[Held::Yes, Held::No]), failed(Code::Expectation)),
        ("too much output", run("a"), expecting(exit(0), &[Held::Unknown]), unverified(Code::CannotTell)),
        ("the status outranks the output", run("a"), expecting(exit(1), &[Held::Unknown]), failed(Code::ExitStatus)),
    ]);
    for (status, hint) in [(124, "time limit"), (126, "not executable"), (127, "not found"), (137, "killed")] {
        let judgement = judged(&run("a"), vec![exit(status)]);
        assert_eq!(follows(&judgement), failed(Code::ExitStatus), "conventional statuses are hints, no more");
        assert!(judgement.reason.text.contains(hint), "{}", judgement.reason.text);
    }
}

#[test]
#[rustfmt::skip] // a case is a line
fn a_tool_that_says_that_it_could_not_do_its_work() {
    let rule = |attempt| Attempt { cannot_tell: Some("stderr matches `no network`".to_string()), ..attempt };
    let by_exit = |check| Check { cannot_tell: CannotTell { exit: vec![4], ..CannotTell::default() }, ..check };
    hold([
        ("by exit", by_exit(run("a")), exit(4), unverified(Code::CannotTell)),
        ("by exit, with a reader", by_exit(counted("a")), exit(4), unverified(Code::CannotTell)),
        ("by exit, although results passed", by_exit(counted("a")), read(4, counts(3, 0, 0)), unverified(Code::CannotTell)),
        ("another exit", by_exit(run("a")), exit(1), failed(Code::ExitStatus)),
        ("by rule", run("a"), rule(exit(1)), unverified(Code::CannotTell)),
        ("by rule, although it ended well", run("a"), rule(exit(0)), unverified(Code::CannotTell)),
        ("by rule, although results passed", counted("a"), rule(read(0, counts(3, 0, 0))), unverified(Code::CannotTell)),
        ("by rule, with nothing read", counted("a"), rule(exit(1)), unverified(Code::CannotTell)),
        ("a rule swallows no failures", counted("a"), rule(read(1, counts(3, 1, 0))), partial(Code::SomeFailed, (3, 4), (3, 4))),
        ("nor findings", counted("a"), rule(read(1, findings(2))), failed(Code::Findings)),
    ]);
}

#[test]
#[rustfmt::skip] // a case is a line
fn results_are_counted() {
    let skips = |n| Check { expected_skips: n, ..counted("a") };
    let least = |n| Check { at_least: Some(n), ..counted("a") };
    let both = |at_least, expected_skips| Check { expected_skips, ..least(at_least) };
    hold([
        ("all passed", counted("a"), read(0, counts(122, 0, 0)), verified()),
        ("some failed", counted("a"), read(1, counts(119, 3, 0)), partial(Code::SomeFailed, (119, 122), (119, 122))),
        ("some skipped", counted("a"), read(0, counts(119, 0, 3)), partial(Code::SomeSkipped, (119, 122), (1, 1))),
        ("both", counted("a"), read(1, counts(6, 1, 3)), partial(Code::SomeFailed, (6, 10), (9, 10))),
        ("all failed", counted("a"), read(1, counts(0, 3, 0)), failed(Code::AllFailed)),
        ("none passed, some failed, some skipped", counted("a"), read(1, counts(0, 1, 9)), failed(Code::AllFailed)),
        ("nothing ran", counted("a"), read(0, counts(0, 0, 0)), unverified(Code::NoResults)),
        ("nothing ran, and it says that it failed", counted("a"), read(1, counts(0, 0, 0)), unverified(Code::NoResults)),
        ("nothing ran, and it says so", counted("a"), read(5, counts(0, 0, 0)), unverified(Code::NoResults)),
        ("only skipped", counted("a"), read(0, counts(0, 0, 3)), unverified(Code::NoResults)),
        ("only skipped, failing", counted("a"), read(1, counts(0, 0, 3)), unverified(Code::NoResults)),
        ("only skipped, as expected", skips(3), read(0, counts(0, 0, 3)), unverified(Code::NoResults)),
        ("no figures at all", counted("a"), read(0, Results::default()), unverified(Code::NoResults)),
        ("skips as expected", skips(3), read(0, counts(7, 0, 3)), verified()),
        ("more skips than expected", skips(3), read(0, counts(6, 0, 4)), partial(Code::SomeSkipped, (6, 7), (1, 1))),
        ("fewer skips than expected", skips(3), read(0, counts(9, 0, 1)), verified()),
        ("no skips although expected", skips(3), read(0, counts(9, 0, 0)), verified()),
        ("failures do not hide among skips", skips(3), read(1, counts(6, 3, 1)), partial(Code::SomeFailed, (6, 9), (6, 9))),
        ("as many as there must be", least(134), read(0, counts(134, 0, 0)), verified()),
        ("more than there must be", least(134), read(0, counts(135, 0, 0)), verified()),
        ("missing ones are skipped ones", least(134), read(0, counts(100, 0, 0)), partial(Code::SomeSkipped, (100, 134), (1, 1))),
        ("missing beside failed", least(10), read(1, counts(5, 1, 1)), partial(Code::SomeFailed, (5, 10), (9, 10))),
        ("all missing", least(134), read(0, counts(0, 0, 0)), unverified(Code::NoResults)),
        ("skipped ones are there", least(10), read(0, counts(7, 0, 3)), partial(Code::SomeSkipped, (7, 10), (1, 1))),
        ("expected skips are there", both(10, 3), read(0, counts(7, 0, 3)), verified()),
        ("they excuse no missing ones", both(10, 3), read(0, counts(7, 0, 0)), partial(Code::SomeSkipped, (7, 10), (1, 1))),
    ]);
}

#[test]
fn counts_are_told_in_full() {
    let check = Check {
        expected_skips: 1,
        at_least: Some(12),
        ..counted("a")
    };
    let results = Results {
        failures: vec!["test_a".to_string()],
        ..counts(6, 1, 3)
    };
    let judgement = judged(&check, vec![read(1, results)]);
    assert_eq!(
        judgement.reason.text,
        "6 of 11 passed, 1 failed, 2 skipped, 2 missing (1 skipped as expected): test_a"
    );
    assert_eq!(
        judgement.counts,
        Some(Counts {
            passed: 6,
            failed: 1,
            skipped: 4
        })
    );
    let nothing = judged(&check, vec![read(0, counts(0, 0, 0))]);
    assert_eq!(
        nothing.counts,
        Some(Counts::default()),
        "where nothing ran nothing is made up"
    );
}

#[test]
#[rustfmt::skip] // a case is a line
fn counts_as_large_as_they_come() {
    const MAX: u64 = u64::MAX;
    let check = Check { expected_skips: MAX, at_least: Some(MAX), ..counted("a") };
    let judgement = judged(&counted("a"), vec![read(1, counts(MAX, 1, MAX))]);
    assert_eq!(judgement.verdict, Verdict::Partial, "a failure is not lost in a saturated sum");
    assert!(judgement.credit < ratio::of(1, 2));
    assert_eq!(judged(&counted("a"), vec![read(1, counts(MAX, MAX, 0))]).credit, ratio::of(1, 2));
    hold([
        ("all passed", counted("a"), read(0, counts(MAX, 0, 0)), verified()),
        ("all failed", counted("a"), read(1, counts(0, MAX, MAX)), failed(Code::AllFailed)),
        ("all skipped", counted("a"), read(0, counts(0, 0, MAX)), unverified(Code::NoResults)),
        ("skips as expected", check, read(0, counts(MAX, 0, MAX)), verified()),
        ("findings", counted("a"), read(1, findings(MAX)), failed(Code::Findings)),
    ]);
}

#[test]
fn results_and_exit_status_hold_each_other() {
    let cases = [
        // (status, results, what follows, whether it is a contradiction)
        (0, counts(3, 0, 0), verified(), false),
        (
            1,
            counts(2, 1, 0),
            partial(Code::SomeFailed, (2, 3), (2, 3)),
            false,
        ),
        (
            0,
            counts(2, 1, 0),
            partial(Code::SomeFailed, (2, 3), (2, 3)),
            true,
        ),
        (0, counts(0, 1, 0), failed(Code::AllFailed), true),
        (0, findings(2), failed(Code::Findings), true),
        (1, findings(2), failed(Code::Findings), false),
        (1, counts(3, 0, 0), failed(Code::Contradiction), true),
        (1, counts(3, 0, 1), failed(Code::Contradiction), true),
        (1, findings(0), failed(Code::Contradiction), true),
        (5, counts(3, 0, 0), failed(Code::Contradiction), true),
        (1, counts(0, 0, 0), unverified(Code::NoResults), false),
        (1, counts(0, 0, 2), unverified(Code::NoResults), false),
    ];
    for (status, results, wanted, contradiction) in cases {
        let judgement = judged(&counted("a"), vec![read(status, results.clone())]);
        assert_eq!(follows(&judgement), wanted, "{status} {results:?}");
        assert_eq!(
            judgement.contradiction.is_some(),
            contradiction,
            "{status} {results:?}"
        );
    }
}

#[test]
#[rustfmt::skip] // a case is a line
fn results_that_cannot_be_read() {
    let unreadable = |status| Attempt { reading: Some(Reading::Unreadable("out.xml is older than the run".to_string())), ..exit(status) };
    let endless = |status| Attempt { reading: Some(Reading::CannotTell("the query took too long".to_string())), ..exit(status) };
    hold([
        ("it ended well", counted("a"), unreadable(0), unverified(Code::Unreadable)),
        ("it ended badly", counted("a"), unreadable(1), unverified(Code::Unreadable)),
        ("it says that nothing ran", counted("a"), unreadable(5), unverified(Code::NoResults)),
        ("nobody read them", counted("a"), exit(0), unverified(Code::Unreadable)),
        ("reading them came to no end", counted("a"), endless(0), unverified(Code::CannotTell)),
        ("nor did it where it ended badly", counted("a"), endless(1), unverified(Code::CannotTell)),
        ("nobody read them, and nothing ran", counted("a"), exit(5), unverified(Code::NoResults)),
    ]);
}

#[test]
#[rustfmt::skip] // a case is a line
fn findings_are_no_counts() {
    let with = |found, (passed, failed, skipped)| Results {
        findings: Some(found),
        ..counts(passed, failed, skipped)
    };
    hold([
        ("none", counted("a"), read(0, findings(0)), verified()),
        ("one", counted("a"), read(1, findings(1)), failed(Code::Findings)),
        ("one among many", counted("a"), read(1, with(1, (99, 1, 0))), failed(Code::Findings)),
        ("none, and some could not be audited", counted("a"), read(0, with(0, (9, 0, 1))), partial(Code::SomeSkipped, (9, 10), (1, 1))),
        ("none, as nothing was audited", counted("a"), read(0, with(0, (0, 0, 0))), unverified(Code::NoResults)),
        ("none, as nothing could be audited", counted("a"), read(0, with(0, (0, 0, 3))), unverified(Code::NoResults)),
        ("found beside what could not be audited", counted("a"), read(1, with(2, (0, 0, 3))), failed(Code::Findings)),
        ("found without any count", counted("a"), read(1, with(2, (0, 0, 0))), failed(Code::Findings)),
        ("within its limit", limited(&[("findings", "<= 2")]), read(1, findings(2)), verified()),
        ("beyond its limit", limited(&[("findings", "<= 2")]), read(1, findings(3)), failed(Code::Limits)),
    ]);
    let named = Results { failures: vec!["CVE-1".to_string(), "CVE-2".to_string()], ..findings(7) };
    assert_eq!(judged(&counted("a"), vec![read(1, named)]).reason.text, "7 found: CVE-1 and 6 more");
}

#[test]
#[rustfmt::skip] // a case is a line
fn limits_hold_or_not() {
    let figures = |p95, ratio| measured(&[("p95_ms", p95), ("failure_ratio", ratio)]);
    let both = || limited(&[("p95_ms", "< 500"), ("failure_ratio", "<= 0.01")]);
    let load = |(passed, failed, skipped), p95| Results { measures: measured(&[("p95_ms", p95)]).measures, ..counts(passed, failed, skipped) };
    let p95 = || limited(&[("p95_ms", "< 500")]);
    hold([
        ("both hold", both(), read(0, figures(499.9, 0.01)), verified()),
        ("one is broken", both(), read(0, figures(500.0, 0.0)), failed(Code::Limits)),
        ("both are broken", both(), read(0, figures(500.0, 0.5)), failed(Code::Limits)),
        ("a broken one explains the status", both(), read(99, figures(500.0, 0.5)), failed(Code::Limits)),
        ("the status has no reason", both(), read(99, figures(1.0, 0.0)), failed(Code::Contradiction)),
        ("not measured", both(), read(0, measured(&[("p95_ms", 1.0)])), unverified(Code::NoResults)),
        ("not measured, the other broken", both(), read(0, measured(&[("p95_ms", 900.0)])), failed(Code::Limits)),
        ("the other way round", both(), read(0, measured(&[("failure_ratio", 0.5)])), failed(Code::Limits)),
        ("nothing measured", both(), read(0, Results::default()), unverified(Code::NoResults)),
        ("no number", p95(), read(0, measured(&[("p95_ms", f64::NAN)])), unverified(Code::NoResults)),
        ("no finite number", p95(), read(0, measured(&[("p95_ms", f64::INFINITY)])), unverified(Code::NoResults)),
        ("no number and a broken one", both(), read(0, figures(f64::NAN, 0.5)), failed(Code::Limits)),
        ("zero samples", p95(), read(0, load((0, 0, 0), 0.0)), unverified(Code::NoResults)),
        ("counts are measures: failed ones", p95(), read(1, load((990, 10, 0), 80.0)), verified()),
        ("skipped ones", p95(), read(0, load((9, 0, 1), 80.0)), verified()),
        ("a failed count within its limit", limited(&[("failed", "<= 10")]), read(1, counts(90, 10, 0)), verified()),
        ("beyond it", limited(&[("failed", "<= 10")]), read(1, counts(90, 11, 0)), failed(Code::Limits)),
        ("the number of samples", limited(&[("total", "> 100")]), read(0, counts(100, 0, 0)), failed(Code::Limits)),
        ("passed and skipped", limited(&[("passed", ">= 5"), ("skipped", "< 2")]), read(0, counts(5, 0, 1)), verified()),
    ]);
}

#[test]
fn under_limits_no_count_contradicts_a_pass() {
    let check = limited(&[("failed", "<= 10")]);
    let judgement = judged(&check, vec![read(0, counts(90, 10, 0))]);
    assert_eq!(
        (judgement.verdict, judgement.contradiction),
        (Verdict::Verified, None)
    );
}

#[test]
fn every_broken_limit_is_named() {
    let check = limited(&[("a", "< 1"), ("b", "< 1"), ("c", "< 1")]);
    let judgement = judged(
        &check,
        vec![read(0, measured(&[("a", 2.0), ("b", 0.5), ("c", 3.5)]))],
    );
    assert_eq!(
        judgement.reason.text,
        "a is 2, limit < 1; c is 3.5, limit < 1"
    );
}

#[test]
fn a_figure_that_is_no_number_leaves_no_trace_in_json() {
    let results = measured(&[("a", f64::NAN), ("b", f64::INFINITY), ("c", 1.5)]);
    let json = serde_json::to_string(&results).unwrap();
    assert_eq!(
        serde_json::from_str::<Results>(&json).unwrap(),
        measured(&[("c", 1.5)])
    );
    let judgement = judged(&counted("a"), vec![read(0, results)]);
    assert_eq!(judgement.measures, measured(&[("c", 1.5)]).measures);
}

#[test]
#[rustfmt::skip] // a case is a line
fn expectations_beside_results() {
    let with = |results, held: &[Held]| expecting(read(i32::from(failures(&results) > 0), results), held);
    hold([
        ("all held", counted("a"), with(counts(3, 0, 0), &[Held::Yes]), verified()),
        ("one is broken", counted("a"), with(counts(3, 0, 0), &[Held::No]), failed(Code::Expectation)),
        ("one is broken beside failures", counted("a"), with(counts(3, 1, 0), &[Held::No]), failed(Code::Expectation)),
        ("too much output", counted("a"), with(counts(3, 0, 0), &[Held::Unknown]), unverified(Code::CannotTell)),
        ("nothing ran", counted("a"), with(counts(0, 0, 0), &[Held::Yes]), unverified(Code::NoResults)),
        ("all failed", counted("a"), with(counts(0, 3, 0), &[Held::Unknown]), failed(Code::AllFailed)),
    ]);
    let judgement = judged(&counted("a"), vec![expecting(read(0, counts(3, 1, 0)), &[Held::Unknown])]);
    let wanted = (Verdict::Unverified, Code::CannotTell, Ratio::zero(), ratio::of(3, 4));
    assert_eq!(follows(&judgement), wanted, "counted failures keep their low potential");
    assert!(judgement.contradiction.is_some(), "a contradiction is shown");
    assert!(judgement.counts.is_some());
}

#[test]
fn a_pass_on_a_later_attempt_is_worth_its_share() {
    let (pass, miss) = (|| read(0, counts(3, 0, 0)), || read(1, counts(0, 3, 0)));
    let cases = [
        (vec![pass()], verified()),
        (vec![miss(), pass()], partial(Code::Flaky, (1, 2), (1, 2))),
        (
            vec![miss(), miss(), pass()],
            partial(Code::Flaky, (1, 3), (1, 3)),
        ),
        (vec![miss(), miss()], failed(Code::AllFailed)),
        (vec![pass(), miss()], failed(Code::AllFailed)),
        (vec![], unverified(Code::NotRun)),
    ];
    for (attempts, wanted) in cases {
        assert_eq!(
            follows(&judged(&counted("a"), attempts.clone())),
            wanted,
            "{attempts:?}"
        );
    }
    let check = |pass_at| Check {
        pass_at: Some(pass_at),
        ..counted("a")
    };
    assert!(judged(&check(0.5), vec![miss(), pass()]).accepted);
    assert!(!judged(&check(0.51), vec![miss(), pass()]).accepted);
}

#[test]
fn a_partial_result_is_accepted_from_pass_at_on() {
    let check = |pass_at| Check {
        pass_at: Some(pass_at),
        ..counted("a")
    };
    let cases = [
        // (pass_at, passed, failed, accepted)
        (0.95, 95, 5, true),
        (0.95, 949, 51, false),
        (0.95, 99, 1, true),
        (0.57, 57, 43, true),
        (0.571, 57, 43, false),
        (1.0, 99, 1, false),
        (0.0, 1, 99, true),
        (0.0, 0, 9, false),
    ];
    for (pass_at, passed, failed, accepted) in cases {
        let judgement = judge(&check(pass_at), &ran(passed, failed), now());
        assert_eq!(
            judgement.accepted, accepted,
            "{passed} and {failed} at {pass_at}"
        );
        assert_eq!(judgement.holds(), accepted);
        assert_eq!(
            judgement.credit,
            ratio::of(passed, passed + failed),
            "acceptance leaves the credit alone"
        );
    }
    let whole = judge(&check(0.95), &holds(), now());
    assert_eq!(
        (whole.verdict, whole.accepted),
        (Verdict::Verified, false),
        "what is verified needs no acceptance"
    );
    assert!(!judge(&counted("a"), &ran(99, 1), now()).accepted);
}

#[test]
fn a_persons_word() {
    let on = |today: &str| judge(&manual("a"), &word(), time(today));
    for today in [
        "2026-11-22T12:00:00Z",
        "2026-11-30T00:00:00Z",
        "2026-11-30T23:59:59Z",
    ] {
        let judgement = on(today);
        assert_eq!(
            follows(&judgement),
            (
                Verdict::Unverified,
                Code::Attested,
                Ratio::zero(),
                Ratio::zero()
            ),
            "{today}"
        );
        assert!(
            judgement.attested() && judgement.stands() && !judgement.holds(),
            "{today}"
        );
    }
    let judgement = on("2026-12-01T00:00:00Z");
    assert_eq!(follows(&judgement), unverified(Code::Stale));
    assert!(!judgement.attested() && !judgement.stands());
}

#[test]
fn evidence_ages() {
    let check = |max_age| Check {
        max_age: Some(std::time::Duration::from_secs(max_age)),
        ..counted("a")
    };
    let old = |observed: Observed, started: &str| match observed {
        Observed::Evidence(evidence) => Observed::Evidence(Box::new(Evidence {
            started: time(started),
            ..*evidence
        })),
        withheld => withheld,
    };
    // It took one second: its age counts from its end.
    for (started, stale) in [
        ("2026-11-22T11:59:59Z", false),
        ("2026-11-21T11:59:59Z", false),
        ("2026-11-21T11:59:58.999Z", true),
        ("2020-01-01T00:00:00Z", true),
        // Clocks differ a little; beyond that nobody knows how old it is.
        ("2026-11-22T12:05:00Z", false),
        ("2026-11-22T12:05:01Z", true),
        ("2026-11-23T00:00:00Z", true),
    ] {
        let judgement = judge(&check(86_400), &old(holds(), started), now());
        assert_eq!(
            follows(&judgement),
            if stale {
                unverified(Code::Stale)
            } else {
                verified()
            },
            "{started}"
        );
    }
    let ancient = |observed| judge(&check(0), &old(observed, "2026-11-01T00:00:00Z"), now());
    let failure = (
        Verdict::Unverified,
        Code::Stale,
        Ratio::zero(),
        Ratio::zero(),
    );
    assert_eq!(
        follows(&ancient(breaks())),
        failure,
        "a stale failure keeps potential 0"
    );
    assert_eq!(
        follows(&ancient(ran(3, 1))),
        (
            Verdict::Unverified,
            Code::Stale,
            Ratio::zero(),
            ratio::of(3, 4)
        )
    );
    assert_eq!(
        follows(&ancient(observed(vec![exit(5)]))),
        unverified(Code::Stale)
    );
    assert_eq!(
        follows(&ancient(unknown())),
        unverified(Code::NotRun),
        "what was not looked at has no age"
    );

    let lenient = Check {
        pass_at: Some(0.5),
        ..check(0)
    };
    let accepted = judge(&lenient, &old(ran(3, 1), "2026-11-01T00:00:00Z"), now());
    assert!(
        !accepted.accepted && !accepted.holds(),
        "what is stale is not accepted"
    );
    assert_eq!(
        follows(&judge(
            &counted("a"),
            &old(holds(), "2020-01-01T00:00:00Z"),
            now()
        )),
        verified(),
        "no limit"
    );
}

#[test]
fn ages_as_large_as_they_come() {
    let check = Check {
        max_age: Some(std::time::Duration::MAX),
        ..counted("a")
    };
    let Observed::Evidence(evidence) = holds() else {
        unreachable!()
    };
    let evidence = Evidence {
        duration_ms: u64::MAX,
        started: Timestamp::MIN,
        ..*evidence
    };
    assert_eq!(
        follows(&judge(
            &check,
            &Observed::Evidence(Box::new(evidence)),
            Timestamp::MAX
        )),
        verified()
    );
}

#[test]
fn what_was_not_looked_at() {
    for code in [
        Code::ToolMissing,
        Code::WrongPlatform,
        Code::NeedsFailed,
        Code::NoResults,
        Code::CannotTell,
        Code::Unreadable,
        Code::NotRun,
        Code::Stale,
        Code::Interrupted,
        Code::PortTaken,
    ] {
        assert_eq!(
            follows(&judge(&counted("a"), &withheld(code), now())),
            unverified(code)
        );
    }
}

#[test]
fn a_service_that_died_is_evidence_against_what_needs_it() {
    for check in [run("a"), counted("a"), http("a"), file("a")] {
        let attempt = Attempt {
            // Whatever was seen beside that: it may all be of another moment.
            checked: vec![],
            ..attempt(Outcome::Service(
                "service `api` ended with exit status 3".to_string(),
            ))
        };
        let judgement = judge(&check, &observed(vec![attempt]), now());
        assert_eq!(follows(&judgement), failed(Code::ServiceFailed));
        assert_eq!(
            judgement.reason.text,
            "service `api` ended with exit status 3"
        );
    }
}

#[test]
fn what_must_call_may_end_as_it_likes_unless_it_is_asked() {
    let heard = |held| expecting(exit(1), &[held]);
    let check = |exit: Vec<i32>| {
        let mut check = run("a");
        let Probe::Run(run) = &mut check.probe else {
            unreachable!()
        };
        run.expect.exit = exit;
        run.listen = Some(Box::new(listening()));
        check
    };
    hold([
        (
            "a call, any status",
            check(vec![]),
            heard(Held::Yes),
            verified(),
        ),
        (
            "no call",
            check(vec![]),
            heard(Held::No),
            failed(Code::Expectation),
        ),
        (
            "a call, another status",
            check(vec![0]),
            heard(Held::Yes),
            failed(Code::ExitStatus),
        ),
        (
            "a call, this status",
            check(vec![0, 1]),
            heard(Held::Yes),
            verified(),
        ),
    ]);
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..4u64, 0..200u64, Just(u64::MAX), any::<u64>()]
}

proptest! {
    #![proptest_config(same_every_time(400))]

    #[test]
    fn any_counts_give_a_sound_judgement(
        (passed, failed, skipped) in (count(), count(), count()),
        expected_skips in count(),
        at_least in proptest::option::of(count()),
        status in 0..6i32,
        tries in 1..5usize,
    ) {
        let check = Check { expected_skips, at_least, ..counted("a") };
        let attempts = vec![read(status, counts(passed, failed, skipped)); tries];
        let judgement = judged(&check, attempts);
        let (credit, potential) = (&judgement.credit, &judgement.potential);
        prop_assert!(*credit >= Ratio::zero() && credit <= potential && *potential <= Ratio::one());
        match judgement.verdict {
            Verdict::Verified => prop_assert!(credit.is_one() && failed == 0 && passed > 0 && status == 0 && tries == 1),
            Verdict::Partial => prop_assert!(*credit > Ratio::zero() && *credit < Ratio::one() && passed > 0),
            Verdict::Failed => prop_assert!(potential.is_zero() && (failed > 0 || status != 0)),
            Verdict::Unverified => prop_assert!(credit.is_zero() && passed == 0 && failed == 0),
        }
        if passed > 0 && failed > 0 {
            let seen = Ratio::from_integer(passed.into()) + Ratio::from_integer(failed.into());
            prop_assert!(*credit <= Ratio::from_integer(passed.into()) / seen);
        }
    }

    #[test]
    fn one_more_failure_or_skip_never_helps(
        (passed, failed, skipped) in (0..50u64, 0..50u64, 0..50u64),
        expected_skips in 0..5u64,
        at_least in proptest::option::of(0..100u64),
    ) {
        let check = Check { expected_skips, at_least, ..counted("a") };
        let credit = |failed: u64, skipped| {
            judged(&check, vec![read(i32::from(failed > 0), counts(passed, failed, skipped))]).credit
        };
        prop_assert!(credit(failed + 1, skipped) <= credit(failed, skipped));
        if at_least.is_none() {
            prop_assert!(credit(failed, skipped + 1) <= credit(failed, skipped));
        }
    }

    #[test]
    fn what_is_stale_earns_nothing_and_regains_no_potential(passed in 0..9u64, failed in 0..9u64, skipped in 0..9u64) {
        let fresh = judged(&counted("a"), vec![read(i32::from(failed > 0), counts(passed, failed, skipped))]);
        let stale = fresh.clone().stale("the tree changed");
        prop_assert_eq!((stale.verdict, stale.reason.code, stale.holds()), (Verdict::Unverified, Code::Stale, false));
        prop_assert!(stale.credit.is_zero() && stale.potential == fresh.potential);
    }
}

/// A counted program whose status 1 says that what it looked at does not hold.
fn refusing() -> Check {
    let mut check = counted("it refuses");
    if let Probe::Run(run) = &mut check.probe
        && let Some(reader) = &mut run.reader
    {
        reader.exits.failed = vec![1];
    }
    check
}

#[test]
fn a_status_that_refuses_needs_no_results() {
    let unread = |status| Attempt {
        reading: Some(Reading::Unreadable("the output is empty".to_string())),
        ..exit(status)
    };
    let cannot = |attempt: Attempt| Attempt {
        cannot_tell: Some("stderr matches `host`".to_string()),
        ..attempt
    };
    hold([
        ("unread", refusing(), unread(1), failed(Code::ExitStatus)),
        (
            "another status, unread",
            refusing(),
            unread(2),
            unverified(Code::Unreadable),
        ),
        (
            "no results",
            refusing(),
            read(1, counts(0, 0, 0)),
            failed(Code::ExitStatus),
        ),
        (
            "passes only",
            refusing(),
            read(1, counts(3, 0, 0)),
            failed(Code::ExitStatus),
        ),
        (
            "counted failures say more",
            refusing(),
            read(1, counts(1, 1, 0)),
            partial(Code::SomeFailed, (1, 2), (1, 2)),
        ),
        (
            "it cannot tell",
            refusing(),
            cannot(unread(1)),
            unverified(Code::CannotTell),
        ),
        (
            "it accepts",
            refusing(),
            read(0, counts(3, 0, 0)),
            verified(),
        ),
    ]);
}

#[test]
fn the_results_in_an_answer() {
    let mut check = http("metrics");
    if let Probe::Http(probe) = &mut check.probe {
        probe.reader = Some(Reader {
            format: "prometheus".to_string(),
            queries: None,
            input: crate::domain::check::ReaderInput::Body,
            exits: crate::domain::check::Exits::default(),
        });
    }
    let limited = Check {
        limits: [("samples".to_string(), limit("> 5"))].into(),
        ..check.clone()
    };
    let came = |reading| Attempt {
        reading,
        checked: vec![Checked::new("status is 200 to 299", true, String::new)],
        ..attempt(Outcome::Answered)
    };
    let results = |results| came(Some(Reading::Results(results)));
    let refused = Attempt {
        checked: vec![Checked::new("status is 200 to 299", false, || {
            "status is 500".to_string()
        })],
        ..results(counts(3, 0, 0))
    };
    let unread = came(Some(Reading::Unreadable("line 1 is no sample".to_string())));
    hold([
        (
            "samples",
            check.clone(),
            results(counts(3, 0, 0)),
            verified(),
        ),
        (
            "no sample",
            check.clone(),
            results(counts(0, 0, 0)),
            unverified(Code::NoResults),
        ),
        (
            "an empty body",
            check.clone(),
            results(Results::default()),
            unverified(Code::NoResults),
        ),
        (
            "another format",
            check.clone(),
            unread,
            failed(Code::Expectation),
        ),
        (
            "not read",
            check.clone(),
            came(None),
            unverified(Code::Unreadable),
        ),
        ("a wrong status", check, refused, failed(Code::Expectation)),
        (
            "not measured",
            limited,
            results(counts(3, 0, 0)),
            unverified(Code::NoResults),
        ),
    ]);
}
