//! A report for whoever has nothing but the file.

use serde_json::Value;

use crate::{MANIFEST, Machines, essence, json, ready, report_of, text, verdict};

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
