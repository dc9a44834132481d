//! Reports of several machines, merged into one.

use readiness::domain::report::Report;
use serde_json::Value;

use crate::{MANIFEST, Machines, json, ready, row, text, verdict};

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
