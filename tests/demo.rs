//! `ready demo`: the bookshop that comes with the program, checked with nothing else installed. Every verdict and the score
//! are known beforehand, worked out by hand.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

#[allow(dead_code, reason = "other test programs use the rest")]
mod support;

use support::{Done, Project, Running};

/// The verdict, the reason and the credit of every check.
const EXPECTED: [(&str, &str, f64); 11] = [
    ("backend-tests", "partial some-failed", 0.75), // 9 of 12; 2 failed, 1 skipped
    ("health", "verified held", 1.0),
    ("search", "failed expectation", 0.0), // 200, and an error in the body
    ("warehouse", "verified held", 1.0),
    ("tracker-wired", "failed expectation", 0.0), // only in a comment
    ("tracker-address", "failed placeholder", 0.0),
    ("audit", "unverified tool-missing", 0.0),
    ("secret-key", "verified held", 1.0),
    ("load", "unverified not-run", 0.0), // on demand
    ("rollback-written", "verified held", 1.0),
    ("rollback-walked", "unverified attested", 0.0),
];

// By hand: at each level, earned(L) / (earned(L) + missing), capped; the best of these counts.
//
//              weight  verified                              ceiling
//   backend       2    9/12 = 3/4              exercised     (9 + 1)/12 = 5/6
//   api           1    2/(2 + 1) = 2/3         exercised     2/3
//   tracking      1    0                                     0
//   security      1    1/(1 + 1), capped: 1/4  present       validated: 1/1, capped to 3/4
//   load          1    0                                     1
//   rollback      1    1/(1 + 1), capped: 1/4  present       1/4 (a person's word stays one)
//
// verified: (2·3/4 + 2/3 + 0 + 1/4 + 0 + 1/4) / 7 = 8/21; ceiling: (2·5/6 + 2/3 + 0 + 3/4 + 1 + 1/4) / 7 = 13/21
// attested: (1/2) / 7 = 1/14
const VERIFIED: f64 = 800.0 / 21.0;
const CEILING: f64 = 1300.0 / 21.0;
const ATTESTED: f64 = 100.0 / 14.0;

/// `ready` with an empty PATH, no home, 80 columns, in a folder of the test's own.
fn ready(project: &Project, args: &[&str]) -> Done {
    let mut command = project.command(args);
    command
        .env("PATH", "")
        .env("COLUMNS", "80")
        .env("TMPDIR", project.path("."))
        .env_remove("HOME");
    Running::new(command).finish()
}

fn elsewhere() -> Project {
    let project = Project::new("");
    std::fs::remove_file(project.path("readiness.toml")).unwrap();
    project
}

#[test]
fn every_verdict_and_the_score_are_those_worked_out_by_hand() {
    let project = elsewhere();
    let laid_out = ready(&project, &["demo", "shop"]);
    assert_eq!(laid_out.status, Some(0), "{}", laid_out.stderr);
    assert!(laid_out.text().contains("cd shop"), "{}", laid_out.text());
    let done = ready(&project, &["-C", "shop", "check", "--format", "json"]);
    project.nothing_runs();
    for (id, verdict, credit) in EXPECTED {
        assert_eq!(done.verdict(id), verdict, "{id}: {}", done.reason(id));
        let seen = done.row(id)["credit"].as_f64().unwrap();
        assert!((seen - credit).abs() < 1e-12, "{id}: {seen}");
    }
    let report = done.report();
    assert_eq!(report["checks"].as_array().unwrap().len(), EXPECTED.len());
    for (figure, expected) in [
        ("verified", VERIFIED),
        ("ceiling", CEILING),
        ("attested", ATTESTED),
        ("claimed", 95.0),
    ] {
        let seen = report["score"][figure].as_f64().unwrap();
        assert!(
            (seen - expected).abs() < 1e-9,
            "{figure}: {seen}, by hand {expected}"
        );
    }
    assert_eq!(done.status, Some(1), "a project is a project");
    let load = ready(
        &project,
        &["-C", "shop", "check", "load", "--format", "json"],
    );
    project.nothing_runs();
    let counts = serde_json::json!({ "passed": 100, "failed": 0, "skipped": 0 });
    assert_eq!(
        load.row("load")["counts"],
        counts,
        "{}",
        load.reason("load")
    );
}

#[test]
fn it_shows_claimed_against_verified_and_leaves_nothing() {
    let project = elsewhere();
    let done = ready(&project, &["demo"]);
    project.nothing_runs();
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let text = done.text();
    for words in [
        "OVERALL         ███░░░····      38 %     61 %     95 %   57",
        "only in a comment (app/main.py:7)",
        "? unverified (tool-missing)  audit:",
        "? unverified (not-run)  load:",
        "staging OPEN, safe to: Show it to the testers",
        "7 claims: 6 contradicted, 1 unproved",
        "contradicted  STATUS.md:9 Error tracking 100 %",
        "The way to ready",
        "NOT READY: verified 38 %, claimed 95 %",
        "This was a demonstration",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    // A command that is meant to be copied is never broken.
    for line in text.lines().filter(|line| !line.contains("by hand:")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let left = std::fs::read_dir(project.path(".")).unwrap().count();
    assert_eq!(left, 0, "the folder is gone");
}

#[test]
fn it_takes_no_folder_that_holds_something() {
    let project = elsewhere();
    project.write("note", "mine");
    let done = ready(&project, &["demo", "."]);
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.contains("`.` is not empty"), "{}", done.stderr);
    assert!(!project.has("STATUS.md"));
    let done = ready(&project, &["demo", "note"]);
    assert_eq!(done.status, Some(2), "{}", done.stderr);
    assert_eq!(
        std::fs::read_to_string(project.path("note")).unwrap(),
        "mine"
    );
}

#[test]
fn its_actors_are_no_verb_of_anybodys() {
    let project = elsewhere();
    let help = ready(&project, &["--help"]).text();
    assert!(help.contains("demo") && !help.contains("__demo"), "{help}");
    let completions = ready(&project, &["completions", "bash"]).text();
    assert!(completions.contains("demo") && !completions.contains(" __demo"));
    assert_eq!(ready(&project, &["__demo", "dance"]).status, Some(2));
}
