//! The checks of a project, split between machines.

use serde_json::Value;

use crate::{Machines, essence, json, ready, report_of, row, text, verdict};

/// Checks of which some belong together; a service that two of them need, one that needs a check.
pub(crate) const SHARED: &str = r#"
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
