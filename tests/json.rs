//! The reader `json` from outside: queries that a manifest writes itself, good, wrong and hostile, put to what programs
//! wrote. Whatever a query does, `ready` returns, says which one it was, and leaves nothing running.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, dead_code)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};
use support::{Project, Running, processes, wait_until};

/// A document, the keys of the reader beside `json`, more of the check, and what comes of it: verdict with reason code,
/// and words of the reason.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const RESULTS: &str = r#"{"ok": 3, "bad": 0, "p95": 412.5, "tests": [
    {"name": "a", "state": "passed"}, {"name": "b", "state": "failed"}, {"name": "c", "state": "passed"}, {"name": "d", "state": "todo"}]}"#;

/// Stands for brackets without end.
const DEEP: &str = "DEEP";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // What can be counted and measured.
    (RESULTS, r#"passed = ".ok", failed = ".bad""#, "", "verified held", "3 of 3 passed"),
    (RESULTS, r#"passed = ".ok + 0.0", failed = ".bad * 1.0""#, "", "verified held", "3 of 3 passed"),
    (RESULTS, r#"passed = '[.tests[] | select(.state == "passed")] | length', total = ".tests | length""#, "", "partial some-failed", "2 of 4 passed, 2 failed"),
    (RESULTS, r#"passed = ".ok", failed = "1", total = "6""#, "", "partial some-failed", "3 of 6 passed, 1 failed, 2 skipped"),
    (RESULTS, r#"passed = ".ok", failed = ".bad", skipped = "1""#, "expected_skips = 1", "verified held", "3 of 3 passed (1 skipped as expected)"),
    (RESULTS, r#"passed = ".ok", failed = ".bad""#, "at_least = 4", "partial some-skipped", "1 of at least 4 missing"),
    (RESULTS, r#"findings = '[.tests[] | select(.state == "failed")] | length'"#, "", "failed findings", "1 found"),
    (RESULTS, r#"findings = ".bad", passed = ".ok", total = "4""#, "", "partial some-skipped", "3 of 4 passed, 1 skipped"),
    (RESULTS, r#"findings = ".bad""#, "", "verified held", "nothing found"),
    (RESULTS, r#"measures = { p95_ms = ".p95" }"#, r#"limits = { p95_ms = "< 500" }"#, "verified held", "its limit holds"),
    (RESULTS, r#"measures = { p95_ms = ".p95" }"#, r#"limits = { p95_ms = "< 400" }"#, "failed limits", "p95_ms is 412.5, limit < 400"),
    (RESULTS, r#"measures = { p99_ms = ".p99" }"#, r#"limits = { p99_ms = "< 400" }"#, "unverified no-results", "it ended, but nothing ran"),
    (RESULTS, r#"passed = ".ok", failed = ".bad", measures = { p99_ms = ".p99" }"#, r#"limits = { p99_ms = "< 400" }"#, "unverified no-results", "not measured: `p99_ms`"),
    ("{}", r#"passed = "0", failed = "0""#, "", "unverified no-results", "it ended, but nothing ran"),
    ("{}", r#"passed = "0", failed = "0", skipped = "2""#, "", "unverified no-results", "all 2 were skipped"),
    // What cannot.
    ("", r#"passed = "1", failed = "0""#, "", "unverified unreadable", "the JSON is empty"),
    (" \n", r#"passed = "1", failed = "0""#, "", "unverified unreadable", "the JSON is empty"),
    ("3 passed", r#"passed = "1", failed = "0""#, "", "unverified unreadable", "where more follows: only one document is read"),
    ("{\"ok\": 3,", r#"passed = "1", failed = "0""#, "", "unverified unreadable", "the JSON cannot be read"),
    ("\u{1}\u{fffd}\u{0}", r#"passed = "1", failed = "0""#, "", "unverified unreadable", "the JSON cannot be read: value expected, line 1, column 1"),
    ("{}", r#"passed = ".ok", failed = "0""#, "", "unverified unreadable", "`passed` must be a whole number: `.ok` gives null"),
    (RESULTS, r#"passed = ".ok", failed = ".tests[].ms""#, "", "unverified unreadable", "`failed` must be a whole number: `.tests[].ms` gives several values"),
    (RESULTS, r#"passed = ".ok", failed = ".tests[] | select(.ms)""#, "", "unverified unreadable", "gives nothing"),
    (RESULTS, r#"passed = ".ok", failed = "-1""#, "", "unverified unreadable", "gives -1"),
    (RESULTS, r#"passed = ".p95", failed = "0""#, "", "unverified unreadable", "gives 412.5"),
    (RESULTS, r#"passed = ".ok", failed = "nan""#, "", "unverified unreadable", "gives NaN"),
    (RESULTS, r#"passed = ".tests[0].name", failed = "0""#, "", "unverified unreadable", "gives a string"),
    (RESULTS, r#"passed = ".ok", failed = ".ok.x""#, "", "unverified unreadable", "`.ok.x` fails: cannot index 3 with \"x\""),
    (RESULTS, r#"passed = ".ok", failed = ".bad", total = "2""#, "", "unverified unreadable", "`total` is 2, and the counts add up to 3"),
    (RESULTS, r#"passed = ".ok", failed = ".bad", measures = { name = ".tests[0].name" }"#, "", "unverified unreadable", "`name` must be a number"),
    // What would never end, or take the machine with it.
    (RESULTS, r#"passed = ".ok", failed = "def f: 1 + f; f""#, "", "unverified cannot-tell", "the query of `failed`, `def f: 1 + f; f`, goes too deep"),
    (RESULTS, r#"passed = "reduce range(60) as $i (\"x\"; . + .) | length", failed = "0""#, "", "unverified cannot-tell", "needs too much memory"),
    (RESULTS, r#"passed = ".ok", failed = ".bad", measures = { ms = "def f: f; f" }"#, "", "unverified cannot-tell", "the query of `ms`, `def f: f; f`, took too long"),
    (RESULTS, r#"passed = "[range(1e9)] | length", failed = "0""#, "", "unverified cannot-tell", "the query of `passed`, `[range(1e9)] | length`,"),
    (RESULTS, r#"passed = "last(range(1e18))", failed = "0""#, "", "unverified cannot-tell", "the query of `passed`, `last(range(1e18))`, took too long"),
    (DEEP, r#"passed = "1", failed = "0""#, "", "unverified cannot-tell", "reading its JSON goes too deep"),
];

/// The children that answer queries: all of them, or only those that nobody waits for any more.
fn children(of: Option<Pid>) -> Vec<(Pid, String)> {
    let is_one = |folder: &Path| {
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        line.ends_with(b"/ready\0__jq\0")
    };
    let parent = |folder: &Path| {
        let status = std::fs::read_to_string(folder.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        line.trim().parse::<i32>().ok()
    };
    let lost = |parent: i32| {
        let line = std::fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
        !String::from_utf8_lossy(&line).contains("/ready\0")
    };
    processes(|folder| {
        is_one(folder)
            && parent(folder).is_some_and(|parent| match of {
                Some(pid) => parent == pid.as_raw_nonzero().get(),
                None => lost(parent),
            })
    })
}

fn nothing_is_left(project: &Project) {
    project.nothing_runs();
    assert_eq!(children(None), []);
}

#[test]
fn every_query_comes_to_an_end_and_to_a_verdict() {
    let checks = CASES.iter().enumerate().map(|(at, (_, keys, more, ..))| {
        format!(
            "[checks.c{at}]\nsays = \"it\"\nrun = [\"cat\", \"in{at}.json\"]\nreader = {{ json = \"stdout\", {keys} }}\n{more}\n"
        )
    });
    let project = Project::new(&checks.collect::<String>());
    for (at, (document, ..)) in CASES.iter().enumerate() {
        match *document {
            DEEP => project.write(&format!("in{at}.json"), &"[".repeat(2_000_000)),
            document => project.write(&format!("in{at}.json"), document),
        }
    }
    let done = project.check();
    nothing_is_left(&project);
    for (at, (_, keys, more, verdict, words)) in CASES.iter().enumerate() {
        let id = format!("c{at}");
        let reason = done.reason(&id);
        assert_eq!(done.verdict(&id), *verdict, "{keys} {more}: {reason}");
        assert!(reason.contains(words), "{keys} {more}: {reason}");
    }
}

#[test]
fn results_come_from_a_stream_or_a_file() {
    let reader = |input: &str| {
        format!("reader = {{ json = \"{input}\", passed = \".ok\", failed = \".bad\" }}")
    };
    let results = r#"{"ok": 2, "bad": 1}"#;
    let write = |to: &str| format!("echo '{results}' {to}\nexit 1\n");
    let checks = [
        support::check("out", &write(""), &reader("stdout")),
        support::check("err", &write(">&2"), &reader("stderr")),
        support::check("file", &write("> out.json"), &reader("out.json")),
        support::check("none", "exit 1\n", &reader("none.json")),
        support::check("old", "exit 1\n", &reader("old.json")),
        support::check(
            "green",
            &write("").replace("exit 1", "exit 0"),
            &reader("stdout"),
        ),
        support::check(
            "red",
            "echo '{\"ok\": 2, \"bad\": 0}'\nexit 1\n",
            &reader("stdout"),
        ),
    ];
    let project = Project::new(&checks.concat());
    project.write("old.json", results);
    let done = project.check();
    nothing_is_left(&project);
    for (id, verdict) in [
        ("out", "partial some-failed"),
        ("err", "partial some-failed"),
        ("file", "partial some-failed"),
        ("none", "unverified unreadable"),
        ("old", "unverified unreadable"),
        ("green", "partial some-failed"),
        ("red", "failed contradiction"),
    ] {
        assert_eq!(done.verdict(id), verdict, "{}", done.reason(id));
    }
    assert!(done.row("green")["contradiction"].is_string());
}

#[test]
fn a_large_document_is_read_whole() {
    let script =
        "printf '['\nfor i in 1 2 3 4 5 6 7 8 9 10; do cat part; done\nprintf '{\"ok\": true}]'\n";
    let project = Project::script(
        script,
        "reader = { json = \"stdout\", passed = \"[.[] | select(.ok)] | length\", total = \"length\" }",
    );
    project.write("part", &"{\"ok\": true},\n".repeat(10_000));
    let done = project.check();
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
    assert_eq!(done.row("it")["counts"]["passed"], 100_001);
}

#[test]
fn a_secret_in_what_a_query_stumbles_over_is_masked() {
    let secret = "correct-horse-battery";
    let project = Project::script(
        "echo '{\"key\": \"'$API_TOKEN'\"}'\n",
        "reader = { json = \"stdout\", passed = \".key.x\", failed = \"0\" }",
    );
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("API_TOKEN", secret);
    let done = Running::new(command).finish();
    let reason = done.reason("it");
    assert!(reason.contains("cannot index \"***\" with"), "{reason}");
    assert!(!done.text().contains(secret));
}

/// What the child says to a request, with a secret in its environment.
fn child(queries: &str, document: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ready"))
        .arg("__jq")
        .env("API_TOKEN", "correct-horse-battery")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    write!(stdin, "{queries}\n{document}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn even_a_query_that_no_manifest_let_through_sees_nothing_else() {
    let queries = [
        "env.API_TOKEN",
        "$ENV.API_TOKEN",
        "env | tojson",
        "now",
        "localtime",
        "input",
        "[inputs]",
        "input_filename",
        "halt",
        "halt_error",
        "debug",
        "stderr",
        "import \\\"a\\\" as $a; $a",
        "include \\\"a\\\"; .",
        "$__prog_args",
    ];
    let asked = format!("[\"{}\", \".ok\"]", queries.join("\", \""));
    let said = child(&asked, "{\"ok\": 1}");
    let lines = said.lines().collect::<Vec<_>>();
    assert_eq!(lines.len(), queries.len() + 2, "{said}");
    for (query, answer) in queries.iter().zip(&lines[1..]) {
        assert!(answer.starts_with("{\"failed\":"), "{query}: {answer}");
    }
    assert_eq!(*lines.last().unwrap(), "{\"number\":1.0}");
    assert!(!said.contains("correct-horse"));
}

/// Whether a process may take no more than so much memory and time, and leaves no core.
fn is_limited(pid: Pid) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()));
    let limits = limits.unwrap_or_default();
    let most = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    most("Max address space").is_some_and(|bytes| bytes < 1 << 30)
        && most("Max cpu time").is_some_and(|seconds| seconds < 10)
        && most("Max core file size") == Some(0)
}

#[test]
fn stopping_the_run_stops_its_queries() {
    let project = Project::script(
        "echo '{}'\n",
        "reader = { json = \"stdout\", passed = \"def f: f; f\", failed = \"0\" }",
    );
    let running = project.start(&["check", "--format", "json"]);
    let pid = running.pid();
    let child = || children(Some(pid)).first().map(|(child, _)| *child);
    wait_until("a query is put, within limits", || {
        child().is_some_and(is_limited)
    });
    running.signal(Signal::INT);
    let done = running.finish();
    nothing_is_left(&project);
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
}

#[test]
fn its_queries_belong_to_a_check() {
    let manifest = |query: &str| {
        format!(
            "[project]\nname = \"x\"\n[checks.it]\nsays = \"it\"\nrun = [\"echo\", '{{\"ok\": 2, \"bad\": 1}}']\nreader = {{ json = \"stdout\", passed = \"{query}\", failed = \".bad\" }}\n"
        )
    };
    let project = Project::new("");
    project.write("readiness.toml", &manifest(".ok"));
    assert_eq!(project.check().verdict("it"), "partial some-failed");
    let explained = project.start(&["explain", "it"]).finish().text();
    for line in [
        "results        json from its standard output",
        "asks           passed = .ok",
        "asks           failed = .bad",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    project.write("readiness.toml", &manifest(".ok + 1"));
    let stale = project.start(&["status", "--format", "json"]).finish();
    assert_eq!(stale.verdict("it"), "unverified stale");
    assert!(
        stale
            .reason("it")
            .starts_with("the check was changed since it was last run, ")
    );
}

#[test]
fn nobody_finds_the_verb_of_the_child() {
    let project = Project::new("");
    for args in [
        &["--help"][..],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["__jq", "more"],
    ] {
        let done = project.start(args).finish();
        assert!(!done.text().contains("__jq"), "{args:?}");
        assert!(!done.stderr.contains("verbs: __jq"), "{args:?}");
    }
    assert!(
        project
            .start(&["list", "--library"])
            .finish()
            .text()
            .contains("\njson ")
    );
}
