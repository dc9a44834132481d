//! Several machines that look at the same project: clones of one repository, each with its own environment. What they report
//! is merged, split and shown to whoever has nothing but the file.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use readiness::domain::report::Report;
use serde_json::Value;

/// A check of every fate, two of which depend on the machine.
const MANIFEST: &str = r#"
[project]
name = "shop"
[claims]
overall = 90
[gate]
min_score = 50
[gates.strict]
require = ["tool"]
[components.docs]
title = "Documents"
[checks.here]
component = "docs"
says = "There is a manifest"
file = "readiness.toml"
[checks.tests]
says = "The tests pass"
run = ["cat", "results.tap"]
reader = "tap"
[checks.tool]
says = "A tool of the CI says so"
run = ["only-on-ci"]
[checks.differs]
says = "It holds everywhere"
shell = true
run = 'test "$MACHINE" = ci'
"#;

/// A repository with this project, and clones of it.
struct Machines {
    folder: tempfile::TempDir,
}

impl Machines {
    fn new(manifest: &str) -> Machines {
        let machines = Machines {
            folder: tempfile::tempdir().unwrap(),
        };
        let origin = machines.path("origin");
        std::fs::create_dir(&origin).unwrap();
        std::fs::create_dir(machines.path("tools")).unwrap();
        std::fs::write(origin.join("readiness.toml"), manifest).unwrap();
        let results = "1..3\nok 1 - a\nok 2 - b\nnot ok 3 - c\n";
        std::fs::write(origin.join("results.tap"), results).unwrap();
        git(&origin, &["init", "--quiet", "--initial-branch=main"]);
        git(&origin, &["add", "--all"]);
        git(&origin, &["commit", "--quiet", "--message=one"]);
        machines
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A tool that those machines have on which it is put on the `PATH`.
    fn tool(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path("tools").join(name);
        std::fs::write(&file, "#!/bin/sh\nexit 0\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn clone(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        let from = self.path("origin").display().to_string();
        git(
            self.folder.path(),
            &["clone", "--quiet", &from, &folder.display().to_string()],
        );
        folder
    }

    /// Checks in a clone of that name, and keeps the report beside it under that name.
    fn check(&self, name: &str, args: &[&str]) -> Option<i32> {
        let folder = match self.path(name) {
            there if there.exists() => there,
            _ => self.clone(name),
        };
        let mut command = ready(
            &folder,
            &[&["check", "--format", "json"][..], args].concat(),
        );
        if name.starts_with("ci") {
            let path = std::env::var("PATH").unwrap();
            command
                .env("MACHINE", "ci")
                .env("PATH", format!("{}:{path}", self.path("tools").display()));
        }
        let output = command.output().unwrap();
        assert!(!output.stdout.is_empty(), "{}", text(&output.stderr));
        // As if that were the name of the machine.
        let mut report = json(&output.stdout);
        let host = report["run"]["host"]["name"].take();
        report["run"]["host"]["name"] = name.into();
        for row in report["checks"].as_array_mut().unwrap() {
            if row["evidence"]["host"] == host {
                row["evidence"]["host"] = name.into();
            }
        }
        std::fs::write(
            self.path(&format!("{name}.json")),
            serde_json::to_vec(&report).unwrap(),
        )
        .unwrap();
        output.status.code()
    }

    /// `ready` in the folder around the clones, where there is no manifest.
    fn ready(&self, args: &[&str]) -> Output {
        ready(self.folder.path(), args).output().unwrap()
    }
}

fn git(folder: &Path, args: &[&str]) {
    let names = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let done = Command::new("git")
        .current_dir(folder)
        .args(names)
        .args(args)
        .output()
        .unwrap();
    assert!(done.status.success(), "{args:?}: {}", text(&done.stderr));
}

fn ready(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for name in ["CI", "GITHUB_ACTIONS", "COLUMNS", "MACHINE"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("READY_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", text(bytes)))
}

/// `verdict reason` of one check of a report.
fn verdict(report: &Value, id: &str) -> String {
    let row = row(report, id);
    let word = |value: &Value| value.as_str().unwrap().to_string();
    format!("{} {}", word(&row["verdict"]), word(&row["reason"]["code"]))
}

fn row<'a>(report: &'a Value, id: &str) -> &'a Value {
    let rows = report["checks"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap()
}

#[test]
fn what_two_machines_could_each_verify_is_one_report() {
    let machines = Machines::new(MANIFEST);
    machines.tool("only-on-ci");
    assert_eq!(machines.check("ci", &[]), Some(0));
    assert_eq!(machines.check("laptop", &[]), Some(1));

    let files = ["merge", "laptop.json", "ci.json"];
    let merged =
        machines.ready(&[&files[..], &["--format", "json", "--output", "m.json"]].concat());
    assert_eq!(merged.status.code(), Some(1), "{}", text(&merged.stderr));
    let report = json(&merged.stdout);
    for (id, expected) in [
        ("here", "verified held"),
        ("tests", "partial some-failed"),
        ("tool", "verified held"),
        ("differs", "failed exit-status"),
    ] {
        assert_eq!(verdict(&report, id), expected);
    }
    let seen = row(&report, "tool")["observations"]
        .as_array()
        .unwrap()
        .iter();
    let seen = seen.map(|seen| {
        assert!(seen["run"].is_string() && seen["os"].is_string());
        format!("{} {}", seen["host"], seen["verdict"])
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [r#""ci" "verified""#, r#""laptop" "unverified""#]
    );
    let run = &report["run"];
    assert_eq!(run["complete"], true);
    assert_eq!(run["merged"].as_array().unwrap().len(), 2);
    assert_eq!(run["host"]["name"], "ci, laptop");
    // What is written is what is printed, and nothing else is left behind.
    let written = std::fs::read(machines.path("m.json")).unwrap();
    assert_eq!(json(&written), report);
    assert!(!machines.path(".ready").exists());
    let _: Report = serde_json::from_value(report).unwrap();

    let strict = machines.ready(&[&files[..], &["--gate", "strict"]].concat());
    assert_eq!(strict.status.code(), Some(0));
    let table = text(&strict.stdout);
    for words in [
        "merged from 2 runs on ci, laptop, ",
        "Seen on several machines\n  tool\n    verified on ci (",
        "    unverified (tool-missing) on laptop (",
        "`only-on-ci` is not on PATH",
    ] {
        assert!(table.contains(words), "{words}:\n{table}");
    }
    assert!(!table.contains("  here\n"), "all agree on it:\n{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn reports_that_do_not_go_together_are_refused_by_name() {
    let machines = Machines::new(MANIFEST);
    machines.check("a", &[]);
    std::fs::write(machines.clone("b").join("more.txt"), "more").unwrap();
    machines.check("b", &[]);
    let other = machines.clone("c").join("readiness.toml");
    std::fs::write(&other, MANIFEST.replace("90", "91")).unwrap();
    machines.check("c", &[]);
    let change = |name: &str, change: fn(&mut Value)| {
        let mut report = json(&std::fs::read(machines.path("a.json")).unwrap());
        change(&mut report);
        std::fs::write(machines.path(name), report.to_string()).unwrap();
    };
    change("newer.json", |report| {
        report["format"] = "ready-report/2".into()
    });
    change("changed.json", |report| report["run"]["tree"] = Value::Null);
    change("manifest.json", |report| {
        report["run"]["manifest"] = "sha256:0".into();
        report["run"]["id"] = "01JD".into();
    });
    std::fs::write(
        machines.path("cut.json"),
        "{\"format\": \"ready-report/1\",\n \"ready\"",
    )
    .unwrap();
    std::fs::write(machines.path("empty.json"), "").unwrap();
    let status = ready(&machines.path("a"), &["status", "--format", "json"]);
    std::fs::write(
        machines.path("status.json"),
        { status }.output().unwrap().stdout,
    )
    .unwrap();

    let cases: [(&[&str], &str); 10] = [
        (
            &["a.json", "b.json"],
            "`b.json` differs from `a.json` in the state of the files: blake3:",
        ),
        (
            &["a.json", "c.json"],
            "`c.json` differs from `a.json` in the state of the files: blake3:",
        ),
        (
            &["a.json", "manifest.json"],
            "`manifest.json` differs from `a.json` in the manifest: sha256:0…, not sha256:",
        ),
        (
            &["a.json", "a.json"],
            "stands in both `a.json` and `a.json`",
        ),
        (
            &["changed.json"],
            "`changed.json` is about no state of the files that could be named",
        ),
        (
            &["newer.json"],
            "`newer.json` is a report of the format `ready-report/2`, this `ready` knows `ready-report/1`",
        ),
        (
            &["status.json"],
            "`status.json` is about recorded evidence and no run",
        ),
        (&["cut.json"], "cut.json:2:8: it is no report"),
        (&["empty.json"], "`empty.json` is no report: it is empty"),
        (&["none.json"], "cannot read `none.json`"),
    ];
    for (files, words) in cases {
        let refused = machines.ready(&[&["merge"], files].concat());
        let said = text(&refused.stderr);
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains("hint:") || words.contains("cannot read"),
            "{said}"
        );
        assert!(refused.stdout.is_empty());
    }
    let gate = machines.ready(&["merge", "a.json", "--gate", "stric"]);
    assert!(text(&gate.stderr).contains("did you mean `strict`?"));
}

/// Checks of which some belong together; a service that two of them need, one that needs a check.
const SHARED: &str = r#"
[project]
name = "shop"
[gate]
min_score = 30
[services.server]
run = ["sh", "-c", "echo up; exec sleep 60"]
healthy = { log = "up" }
[services.worker]
run = ["sh", "-c", "echo up; exec sleep 60"]
healthy = { log = "up" }
needs = ["schema"]
[checks.schema]
says = "The schema is there"
file = "readiness.toml"
[checks.jobs]
says = "Jobs are done"
needs = ["worker"]
run = ["true"]
[checks.health]
says = "The server answers"
needs = ["server"]
run = ["true"]
[checks.orders]
says = "Orders come in"
needs = ["server"]
run = ["true"]
[checks.build]
says = "It builds"
run = ["true"]
[checks.image]
says = "There is an image"
needs = ["build"]
run = ["true"]
[checks.tests]
says = "The tests pass"
run = ["cat", "results.tap"]
reader = "tap"
[checks.broken]
says = "It is not broken"
run = ["false"]
[checks.windows]
says = "It runs on Windows"
os = ["windows"]
run = ["true"]
[checks.chart]
says = "The chart is valid"
applies = { files = "chart/*" }
run = ["true"]
[checks.load]
says = "It bears the load"
on_demand = true
run = ["true"]
"#;

/// What counts of a report: verdicts with their reasons and credits, the score, the gates.
fn essence(report: &Value) -> Value {
    let rows = report["checks"].as_array().unwrap().iter();
    let rows = rows.map(|row| {
        serde_json::json!([
            row["id"],
            row["verdict"],
            row["reason"],
            row["exact"],
            row["counts"],
            row["applicable"]
        ])
    });
    serde_json::json!([
        rows.collect::<Vec<_>>(),
        report["score"],
        report["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["verified"])
            .collect::<Vec<_>>(),
        report["gates"],
        report["decision"],
    ])
}

fn report_of(machines: &Machines, name: &str) -> Value {
    json(&std::fs::read(machines.path(&format!("{name}.json"))).unwrap())
}

/// The checks that a shard was for.
fn own(report: &Value) -> Vec<String> {
    let own = report["run"]["selected"].as_array().unwrap().iter();
    own.map(|id| id.as_str().unwrap().to_string()).collect()
}

#[test]
fn three_shards_in_three_clones_say_what_one_run_says() {
    let machines = Machines::new(SHARED);
    assert_eq!(machines.check("whole", &[]), Some(0));
    let whole = report_of(&machines, "whole");
    let mut all = vec![];
    for shard in ["1", "2", "3"] {
        let status = machines.check(
            shard,
            &[
                "--shard",
                &format!("{shard}/3"),
                "--durations",
                "../whole.json",
            ],
        );
        let report = report_of(&machines, shard);
        let own = own(&report);
        // Its own checks decide, and nothing else.
        let holds = own.iter().all(|id| verdict(&report, id) == "verified held");
        assert_eq!(status, Some(i32::from(!holds)), "{own:?}");
        assert_eq!(report["run"]["complete"], false);
        let services = report["run"]["services"].as_array().unwrap().len();
        assert!(
            services
                <= own
                    .iter()
                    .filter(|id| ["jobs", "health", "orders"].contains(&id.as_str()))
                    .count()
        );
        let together =
            |a: &str, b: &str| own.iter().any(|id| id == a) == own.iter().any(|id| id == b);
        assert!(
            together("build", "image") && together("schema", "jobs"),
            "{own:?}"
        );
        for id in ["schema", "health", "tests"]
            .iter()
            .filter(|id| own.iter().all(|own| own != *id))
        {
            assert_eq!(verdict(&report, id), "unverified not-run");
            let text = row(&report, id)["reason"]["text"].as_str().unwrap();
            assert!(
                text.starts_with("it is for shard ") && text.ends_with(" of 3"),
                "{text}"
            );
        }
        all.extend(own);
    }
    all.sort();
    let due = [
        "broken", "build", "health", "image", "jobs", "orders", "schema", "tests", "windows",
    ];
    assert_eq!(all, due, "each check is in one shard");

    let merged = machines.ready(&["merge", "3.json", "1.json", "2.json", "--format", "json"]);
    let report = json(&merged.stdout);
    assert_eq!(essence(&report), essence(&whole));
    assert_eq!(report["run"]["complete"], true);
    assert_eq!(merged.status.code(), Some(0));

    // One that is missing is told, and what it was to run is not run.
    let two = machines.ready(&["merge", "3.json", "1.json"]);
    let table = text(&two.stdout);
    assert!(
        table.contains("warning: shard 2 of 3 is missing: its checks are not run"),
        "{table}"
    );
    assert!(table.contains("it is for shard 2 of 3"), "{table}");

    // Another split, none, and other durations, which make another split.
    machines.check("other", &["--shard", "1/2"]);
    machines.check("equal", &["--shard", "2/3"]);
    for (other, words) in [
        (
            "other.json",
            "`other.json` differs from `1.json` in how the checks were split: 2 shards, blake3:",
        ),
        (
            "whole.json",
            "`whole.json` differs from `1.json` in how the checks were split: none, not 3 shards",
        ),
    ] {
        let refused = machines.ready(&["merge", "1.json", other]);
        assert!(
            text(&refused.stderr).contains(words),
            "{}",
            text(&refused.stderr)
        );
        assert_eq!(refused.status.code(), Some(2));
    }
    let split = |name: &str| report_of(&machines, name)["run"]["shard"]["split"].clone();
    assert_eq!(split("1"), split("2"));
    assert_ne!(split("1"), split("other"));
}

#[test]
fn a_shard_runs_its_share_of_what_was_selected() {
    let machines = Machines::new(SHARED);
    let selected = ["image", "orders", "tests", "--shard"];
    let mut all = vec![];
    for shard in ["1/2", "2/2"] {
        let name = &shard[..1];
        machines.check(name, &[&selected[..], &[shard]].concat());
        let report = report_of(&machines, name);
        all.extend(own(&report));
        if own(&report).iter().any(|id| id == "image") {
            assert_eq!(
                verdict(&report, "build"),
                "verified held",
                "what it needs comes along"
            );
        }
    }
    all.sort();
    assert_eq!(all, ["image", "orders", "tests"]);
    let merged = json(
        &machines
            .ready(&["merge", "1.json", "2.json", "--format", "json"])
            .stdout,
    );
    assert_eq!(merged["run"]["complete"], false);
    assert_eq!(verdict(&merged, "broken"), "unverified not-run");
}

#[test]
fn each_command_line_of_shards_has_its_status_and_its_words() {
    let machines = Machines::new(SHARED);
    let folder = machines.clone("it");
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["--shard", "0/3"],
            2,
            "there is no shard 0 of 3: they are counted from 1 to 3",
        ),
        (&["--shard", "4/3"], 2, "there is no shard 4 of 3"),
        (&["--shard", "1/0"], 2, "there may be 1 to 1000 shards"),
        (&["--shard", "two"], 2, "write it like `2/5`"),
        (&["--durations", "x.json"], 2, "--shard"),
        (
            &["--shard", "1/2", "--durations", "x.json"],
            2,
            "cannot read `x.json`",
        ),
        (
            &["--shard", "1/2", "--gate", "defualt"],
            2,
            "did you mean `default`?",
        ),
        (
            &["--shard", "1/1"],
            1,
            "SHARD 1 OF 1 DOES NOT HOLD: 6 of 9 checks verified",
        ),
        // There are more shards than there is to share.
        (
            &["--shard", "20/20", "--gate", "default"],
            0,
            "SHARD 20 OF 20 HOLDS: 0 of 0 checks verified",
        ),
    ];
    for (args, status, words) in cases {
        let done = ready(&folder, &[&["check"], args].concat())
            .output()
            .unwrap();
        let said = format!("{}{}", text(&done.stdout), text(&done.stderr));
        assert!(said.contains(words), "{args:?}: {said}");
        assert_eq!(done.status.code(), Some(status), "{args:?}");
        if args.contains(&"20/20") {
            assert!(said.contains(", shard 20 of 20 on "), "{said}");
            assert!(
                said.contains("`--gate` decides nothing for one shard"),
                "{said}"
            );
        }
    }
}

/// What holds today and not for ever: evidence of an hour, a word, a waiver.
const AGEING: &str = r#"
[project]
name = "shop"
[gate]
max_unverified = 0
[gates.production]
require = ["tests", "broken"]
[checks.tests]
says = "The tests pass"
run = ["true"]
max_age = "1h"
[checks.broken]
says = "It is not broken"
run = ["false"]
[checks.rehearsed]
says = "The way back was rehearsed"
manual = { by = "release manager", on = 2026-01-01, expires = 2999-01-01 }
[waivers.broken]
owner = "web team"
reason = "rebuilt this week"
expires = 2999-01-01
"#;

#[test]
fn whoever_has_only_the_file_sees_what_holds_today() {
    let machines = Machines::new(AGEING);
    machines.check("ci", &[]);
    let from = |name: &str, args: &[&str]| {
        let args = [&["status", "--from", name], args].concat();
        let done = machines.ready(&args);
        let said = format!("{}{}", text(&done.stdout), text(&done.stderr));
        (said.replace("\n  ", " "), done.status.code())
    };
    let (table, status) = from("ci.json", &[]);
    assert_eq!(status, Some(0), "{table}");
    for words in [
        "this is from `ci.json`, made less than a minute ago about commit ",
        "judged as of now",
        "on ci, ",
        "default OPEN, decides",
        "production OPEN WITH 1 WAIVER",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert_eq!(from("ci.json", &["--gate", "production"]).1, Some(0));
    let json_of = |name: &str| {
        json(
            &machines
                .ready(&["status", "--from", name, "--format", "json"])
                .stdout,
        )
    };
    let (then, now) = (report_of(&machines, "ci"), json_of("ci.json"));
    for key in [
        "score", "checks", "gates", "waivers", "claims", "run", "ledger", "policies",
    ] {
        assert_eq!(then[key], now[key], "{key}");
    }
    // A report of a report.
    std::fs::write(machines.path("again.json"), now.to_string()).unwrap();
    assert_eq!(essence(&json_of("again.json")), essence(&now));

    // Time passes, one thing at a time.
    type Case = (fn(&mut Value), &'static str, &'static str);
    let cases: [Case; 3] = [
        (
            |report| report["checks"][0]["evidence"]["started"] = "2026-01-01T00:00:00Z".into(),
            "tests is unverified: its evidence is ",
            "unverified stale",
        ),
        (
            |report| report["waivers"][0]["waiver"]["expires"] = "2026-01-02".into(),
            "require: broken is failed: exit status 1",
            "verified held",
        ),
        (
            |report| report["run"]["finished"] = "2026-01-01T00:00:00Z".into(),
            " d ago about commit ",
            "verified held",
        ),
    ];
    for (change, words, tests) in cases {
        let mut report = then.clone();
        change(&mut report);
        std::fs::write(machines.path("old.json"), report.to_string()).unwrap();
        let (table, status) = from("old.json", &["--gate", "production"]);
        assert!(table.contains(words), "{words}: {table}");
        let closed = !words.contains("ago");
        assert_eq!(status, Some(i32::from(closed)), "{table}");
        assert_eq!(verdict(&json_of("old.json"), "tests"), tests);
        // A gate that does not decide changes no exit status.
        assert_eq!(from("old.json", &[]).1, Some(0));
    }
    let mut report = then.clone();
    report["checks"][2]["definition"]["probe"]["manual"]["expires"] = "2026-01-02".into();
    std::fs::write(machines.path("old.json"), report.to_string()).unwrap();
    assert_eq!(
        verdict(&json_of("old.json"), "rehearsed"),
        "unverified stale"
    );

    for (args, words) in [
        (&["none.json"][..], "cannot read `none.json`"),
        (
            &["ci.json", "--gate", "prodution"],
            "did you mean `production`?",
        ),
    ] {
        let (said, status) = from(args[0], &args[1..]);
        assert!(said.contains(words) && status == Some(2), "{said}");
    }
}

#[test]
fn a_file_about_something_else_than_what_is_here_says_so() {
    let machines = Machines::new(AGEING);
    machines.check("ci", &[]);
    let here = machines.clone("here");
    let warnings = || {
        let done = ready(
            &here,
            &["status", "--from", "../ci.json", "--format", "json"],
        )
        .output()
        .unwrap();
        assert_eq!(done.status.code(), Some(0));
        json(&done.stdout)["warnings"].as_array().unwrap()[1..].to_vec()
    };
    assert_eq!(warnings(), Vec::<Value>::new());
    std::fs::write(here.join("more.txt"), "more").unwrap();
    assert_eq!(
        warnings(),
        ["the files here are not those that the report is about"]
    );
    std::fs::write(here.join("readiness.toml"), MANIFEST).unwrap();
    assert_eq!(
        warnings(),
        ["the manifest here is not the one that the report is about"]
    );
    std::fs::write(here.join("readiness.toml"), "[projct]").unwrap();
    assert_eq!(
        warnings(),
        ["the manifest here cannot be loaded; the report is about another"]
    );
    assert!(!here.join(".ready").exists(), "nothing is recorded");
}
