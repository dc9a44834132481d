//! Each format of a report with a reader or validator of others, on a check of every fate.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{MANIFEST, Project, json, node_modules, said, script, text, tools};

/// The names of all formats, as the command line lists them.
fn formats() -> Vec<String> {
    let project = Project::new(MANIFEST);
    let refused = project.ready(&["report", "--format", "no-such"]);
    let all = text(&refused.stderr);
    let list = all
        .split("possible values: ")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    list.split(", ").map(str::to_string).collect()
}

fn checked() -> Project {
    let project = Project::new(MANIFEST);
    project.commit();
    let run = project.ready(&["check"]);
    assert_eq!(run.status.code(), Some(1), "{}", text(&run.stderr));
    project
}

#[test]
fn the_report_is_as_its_schema_says() {
    let Some(programs) = tools::find("the report's schema", &["check-jsonschema"]) else {
        return;
    };
    let project = checked();
    let schema = project.ready(&["schema", "report"]);
    project.write("schema.json", text(&schema.stdout));
    // Of a run, of recorded evidence, with a past, and from the ledger.
    project.ready(&["check", "--report", "json=a.json"]);
    project.ready(&["status", "--report", "json=b.json", "--since", "last~1"]);
    project.ready(&["report", "last~1", "--report", "json=c.json"]);
    project.ready(&["merge", "a.json", "--report", "json=d.json"]);
    let files = ["a.json", "b.json", "c.json", "d.json"].map(|name| project.path(name));
    let mut command = Command::new(&programs[0]);
    said(
        command
            .arg("--schemafile")
            .arg(project.path("schema.json"))
            .args(&files),
    );
    // It says no to what is no report.
    let mut wrong = json(&project.read("a.json"));
    wrong["checks"][0]["verdict"] = "passed".into();
    project.write("wrong.json", &wrong.to_string());
    let mut command = Command::new(&programs[0]);
    command
        .arg("--schemafile")
        .arg(project.path("schema.json"))
        .arg(project.path("wrong.json"));
    assert!(!command.output().unwrap().status.success());
    // Every key of it is described.
    let schema = json(&project.read("schema.json"));
    let described = |place: &str, of: &Value| {
        for (key, value) in of["properties"].as_object().into_iter().flatten() {
            assert!(
                value["description"].is_string()
                    || value["allOf"].is_array()
                    || value["$ref"].is_string(),
                "{place}.{key}"
            );
        }
    };
    described("report", &schema);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        described(name, definition);
    }
}

#[test]
fn junit_and_ctrf_count_the_same_for_their_readers() {
    let Some(programs) = tools::find(
        "reports for CI systems",
        &["node", "html-validate", "junitparser"],
    ) else {
        return;
    };
    let project = checked();
    for format in ["junit", "ctrf", "html"] {
        project.write(format, &project.report(format));
    }
    let mut node = Command::new(&programs[0]);
    node.arg(script("validate.mjs")).arg(node_modules());
    let seen = json(&said(
        node.args(["junit", "ctrf", "html"].map(|name| project.path(name))),
    ));
    assert_eq!(
        seen["junit"],
        // Failed: counted, fails, the gate. Unknown: missing. Skipped: waived, optional, elsewhere.
        json!({ "tests": 9, "header": 9, "failures": 3, "errors": 1, "skipped": 3, "names": 9 })
    );
    assert_eq!(seen["ctrf"], json!({ "valid": true, "errors": [] }));
    assert_eq!(seen["html"], json!([]));
    let python = programs[2].with_file_name("python");
    let counts = "import sys, junitparser as j\nx = j.JUnitXml.fromfile(sys.argv[1])\nprint(x.tests, x.failures, x.errors, x.skipped)\nfor s in x:\n for c in s:\n  print(c.classname, c.name, [type(r).__name__ for r in c.result])";
    let read = said(
        Command::new(python)
            .args(["-c", counts])
            .arg(project.path("junit")),
    );
    assert!(read.starts_with("9 3 1 3\n"), "{read}");
    for line in [
        "ready.backend counted ['Failure']",
        "ready.missing missing ['Error']",
        "ready.waived waived ['Skipped']",
        "ready.accepted accepted []",
    ] {
        assert!(read.contains(line), "{line}: {read}");
    }
    let summary = &json(&project.read("ctrf"))["results"]["summary"];
    let numbers = ["tests", "passed", "failed", "skipped", "other", "pending"]
        .map(|key| summary[key].as_u64().unwrap());
    assert_eq!(numbers, [8, 2, 2, 3, 1, 0]);
}

#[test]
fn promtool_accepts_the_metrics() {
    let Some(programs) = tools::find("metrics", &["promtool"]) else {
        return;
    };
    let project = checked();
    let metrics = project.report("prometheus");
    project.write("metrics", &metrics);
    let input = std::fs::File::open(project.path("metrics")).unwrap();
    let mut promtool = Command::new(&programs[0]);
    promtool
        .args(["check", "metrics"])
        .stdin(Stdio::from(input));
    let output = promtool.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    for line in [
        "ready_open{project=\"fates\"} 0",
        "ready_gate_open{project=\"fates\",gate=\"staging\"} 1",
        "ready_checks{project=\"fates\",verdict=\"failed\"} 2",
        "ready_check_verdict{project=\"fates\",check=\"missing\",component=\"missing\",verdict=\"unverified\"} 1",
        "ready_claimed_ratio{project=\"fates\"} 0.95",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
}

#[test]
fn sarif_is_read_with_each_result_on_its_line() {
    let Some(programs) = tools::find("sarif", &["sarif"]) else {
        return;
    };
    let project = checked();
    project.write("log.sarif", &project.report("sarif"));
    let mut sarif = Command::new(&programs[0]);
    let read = said(
        sarif
            .arg("csv")
            .arg("--output")
            .arg(project.path("log.csv"))
            .arg(project.path("log.sarif")),
    );
    let rows = project.read("log.csv");
    assert_eq!(rows.lines().count(), 7, "{read}{rows}");
    let manifest = project.read("readiness.toml");
    let line = |start: &str| manifest.lines().position(|line| line == start).unwrap() + 1;
    let log = json(&project.read("log.sarif"));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let result = |id: &str| {
        results
            .iter()
            .find(|result| result["ruleId"] == id)
            .unwrap()
    };
    for (id, level) in [
        ("fails", "error"),
        ("missing", "warning"),
        ("accepted", "note"),
        ("counted", "warning"),
    ] {
        let at = &result(id)["locations"][0]["physicalLocation"];
        assert_eq!(result(id)["level"], level, "{id}");
        assert_eq!(at["artifactLocation"]["uri"], "readiness.toml");
        assert_eq!(
            at["region"]["startLine"],
            line(&format!("[checks.{id}]")),
            "{id}"
        );
    }
    assert_eq!(result("waived")["suppressions"][0]["status"], "accepted");
}

/// The fields of an in-toto Statement v1 and a test-result v0.1, from their specifications: the public validators take
/// nonsense for digests.
#[test]
fn the_statement_is_about_a_commit_or_an_artifact() {
    let project = checked();
    let statement = json(&project.report("in-toto"));
    let hex = |text: &Value, length: usize| {
        let text = text.as_str().unwrap();
        assert!(
            text.len() == length
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()),
            "{text}"
        );
    };
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(
        statement["predicateType"],
        "https://in-toto.io/attestation/test-result/v0.1"
    );
    hex(&statement["subject"][0]["digest"]["gitCommit"], 40);
    let predicate = &statement["predicate"];
    hex(&predicate["configuration"][0]["digest"]["sha256"], 64);
    assert_eq!(predicate["result"], "FAILED");
    assert_eq!(predicate["passedTests"], json!(["runs"]));
    assert_eq!(predicate["warnedTests"], json!(["accepted"]));
    assert_eq!(
        predicate["failedTests"],
        json!(["counted", "fails", "waived"])
    );
    assert_eq!(
        predicate["urn:ready:attestation:v1"]["unverifiedTests"],
        json!(["missing"])
    );

    // Of changed files no commit can be named.
    project.write("more", "changed");
    project.ready(&["check"]);
    let refused = project.ready(&["report", "--format", "in-toto"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        text(&refused.stderr).contains("--artifact"),
        "{}",
        text(&refused.stderr)
    );
    let artifact = format!("sha256:{}", "0a".repeat(32));
    project.ready(&["check", "--artifact", &artifact]);
    let statement = json(&project.report("in-toto"));
    assert_eq!(
        statement["subject"],
        json!([{ "name": "artifact", "digest": { "sha256": "0a".repeat(32) } }])
    );
}

#[test]
fn tap_is_counted_by_our_own_reader_as_what_is_verified() {
    let project = checked();
    project.write("tap", &project.report("tap"));
    let reader = Project::new(
        "[project]\nname = \"r\"\n[checks.r]\nsays = \"r\"\nrun = [\"cat\", \"tap\"]\nreader = \"tap\"\n",
    );
    reader.write("tap", &project.read("tap"));
    let report = json(text(&reader.ready(&["check", "--format", "json"]).stdout));
    assert_eq!(
        report["checks"][0]["counts"],
        json!({ "passed": 2, "failed": 3, "skipped": 3 })
    );
}

#[test]
fn badges_say_no_more_than_is_verified() {
    let project = checked();
    let badge = json(&project.report("badge"));
    let report = json(&project.report("json"));
    let verified = report["score"]["verified"].as_f64().unwrap().floor();
    assert_eq!(badge["schemaVersion"], 1);
    assert_eq!(badge["message"], format!("{verified}% of 95% claimed"));
    assert_eq!(
        (&badge["color"], &badge["isError"]),
        (&json!("red"), &json!(true))
    );
    let svg = project.report("badge-svg");
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let title = picture
        .descendants()
        .find(|node| node.has_tag_name("title"))
        .unwrap();
    assert_eq!(
        title.text(),
        Some(format!("verified: {verified}% of 95% claimed").as_str())
    );
}

#[test]
fn what_is_brief_is_the_same_for_the_same_results() {
    let project = checked();
    let first = project.report("brief");
    project.ready(&["check"]);
    let second = project.report("brief");
    assert_eq!(first, second);
    let lines = first.lines().collect::<Vec<_>>();
    assert!(lines[0].starts_with("NOT READY: verified "), "{first}");
    for line in [
        "gate default: closed, decides",
        "gate staging: open",
        "verified (1): runs",
        "- missing: unverified (tool-missing): `no-such-tool` is not on PATH; to do: install the program, or run the check where it is",
        "1. counted: mend the tests (2 h, to ",
        "Only what stands under `verified` may be called done.",
    ] {
        assert!(
            lines.iter().any(|have| have.starts_with(line)),
            "{line}: {first}"
        );
    }
}

#[test]
fn every_format_is_written_into_a_file_as_it_is_printed() {
    let project = checked();
    for format in formats() {
        let printed = project.report(&format);
        let file = format!("{format}=out");
        let status = project.ready(&["report", "-q", "--report", &file]).status;
        assert_eq!(status.code(), Some(0), "{format}");
        let written = project.read("out");
        assert!(!written.trim().is_empty(), "{format}");
        // The table is as wide as there is room.
        if format != "table" {
            assert_eq!(printed, written, "{format}");
        }
        // And the same out of the report in JSON.
        project.write("from.json", &project.report("json"));
        let from = project.ready(&["report", "--from", "from.json", "--format", &format]);
        if format != "table" {
            assert_eq!(text(&from.stdout), printed, "{format}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_told_before_anything_runs() {
    let project = Project::new(
        "[project]\nname = \"p\"\n[checks.c]\nsays = \"c\"\nrun = [\"touch\", \"ran\"]\n",
    );
    std::fs::create_dir(project.path("folder")).unwrap();
    for (reports, words) in [
        (
            &["html=readiness.toml/r.html"][..],
            "cannot write `readiness.toml/r.html`",
        ),
        (&["html=folder"], "it is a folder"),
        (&["html=r", "junit=r"], "two reports go into `r`"),
        (&["pdf=r.pdf"], "there is no format `pdf`"),
        (&["html"], "write it like `html=report.html`"),
    ] {
        let args = reports.iter().flat_map(|report| ["--report", report]);
        let refused = project.ready(&[&["check"], &args.collect::<Vec<_>>()[..]].concat());
        assert!(
            text(&refused.stderr).contains(words),
            "{}",
            text(&refused.stderr)
        );
        assert_eq!(refused.status.code(), Some(2), "{words}");
        assert!(!project.path("ran").exists(), "{words}");
    }
    let nothing = project.ready(&["report"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("nothing is recorded yet"));
}

#[test]
fn a_report_from_elsewhere_takes_nothing_from_the_ledger_here() {
    let project = checked();
    let mut report = json(&project.report("json"));
    for key in ["before", "since"] {
        report.as_object_mut().unwrap().remove(key);
    }
    project.write("foreign.json", &report.to_string());
    project.ready(&["check"]);
    for verb in [
        &["report", "--from", "foreign.json"][..],
        &["status", "--from", "foreign.json"],
        &["merge", "foreign.json"],
    ] {
        let shown = project.ready(&[verb, &["--format", "json"]].concat());
        let shown = json(text(&shown.stdout));
        assert_eq!(
            (shown.get("before"), shown.get("since")),
            (None, None),
            "{verb:?}"
        );
    }
    // Of a run here it is told.
    assert_eq!(
        json(&project.report("json"))["before"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn one_report_that_cannot_be_made_keeps_no_other_from_being_written() {
    let project = Project::new(MANIFEST);
    // No commit and no artifact: there is nothing that the statement could be about.
    let run = project.ready(&[
        "check",
        "--report",
        "in-toto=statement.json",
        "--report",
        "junit=junit.xml",
    ]);
    assert_eq!(run.status.code(), Some(3));
    assert!(
        text(&run.stderr).contains("into `statement.json`"),
        "{}",
        text(&run.stderr)
    );
    assert!(text(&run.stdout).contains("NOT READY"));
    assert!(!project.path("statement.json").exists());
    assert!(project.read("junit.xml").contains("</testsuites>"));
    let run = project.ready(&["check", "--format", "in-toto", "--report", "tap=out.tap"]);
    assert!(run.status.code() == Some(3) && run.stdout.is_empty());
    assert!(project.read("out.tap").starts_with("TAP version 14"));
}

#[test]
fn figures_that_cannot_be_break_no_format() {
    let project = checked();
    let report = json(&project.report("json"));
    for (key, figure) in [
        ("ceiling", -5.0),
        ("verified", 250.0),
        ("verified", -1e300),
        ("claimed", 1e300),
        ("gap", -1e300),
    ] {
        let mut odd = report.clone();
        odd["score"][key] = figure.into();
        for rows in ["groups", "components"] {
            odd[rows]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|row| row[key] = figure.into());
        }
        project.write("odd.json", &odd.to_string());
        for format in formats() {
            let shown = project.ready(&["report", "--from", "odd.json", "--format", &format]);
            assert_eq!(
                shown.status.code(),
                Some(0),
                "{format}, {key} = {figure}: {}",
                text(&shown.stderr)
            );
        }
    }
}

#[test]
fn a_report_that_raises_its_caps_gains_nothing() {
    let project = checked();
    let report = json(&project.report("json"));
    let verified = |report: &Value| {
        project.write("odd.json", &report.to_string());
        let shown = project.ready(&["status", "--from", "odd.json", "--format", "json"]);
        json(text(&shown.stdout))["score"]["verified"]
            .as_f64()
            .unwrap()
    };
    let honest = verified(&report);
    let mut odd = report.clone();
    for level in ["exercised", "validated", "wired", "present"] {
        odd["caps"][level] = 2555.0.into();
    }
    assert_eq!(verified(&odd), honest);
    // A weight that no manifest may have counts as none was said, or as the most that may be.
    let weighing = |weight: f64| {
        let mut odd = report.clone();
        let checks = odd["checks"].as_array_mut().unwrap();
        checks
            .iter_mut()
            .for_each(|row| row["definition"]["weight"] = weight.into());
        verified(&odd)
    };
    assert_eq!([weighing(-3.0), weighing(0.0)], [honest, honest]);
    assert_eq!(weighing(1e300), weighing(1000.0));
}

#[test]
fn a_statement_says_passed_only_of_all_and_of_something() {
    let checks = "[checks.holds]\nsays = \"a\"\nfile = \"readiness.toml\"\n[checks.open]\nsays = \"b\"\nrun = [\"no-such-tool\"]\n";
    let manifest = |gate: &str| format!("[project]\nname = \"p\"\n[gate]\n{gate}\n{checks}");
    let project = Project::new(&manifest("min_score = 1"));
    project.commit();
    project.ready(&["check"]);
    let result =
        |project: &Project| json(&project.report("in-toto"))["predicate"]["result"].clone();
    assert_eq!(result(&project), "PASSED");
    // One of two checks holds; nobody may read that as all of them.
    let selected = project.ready(&["check", "holds", "--format", "in-toto"]);
    assert_eq!(
        selected.status.code(),
        Some(3),
        "{}",
        text(&selected.stdout)
    );
    assert!(text(&selected.stderr).contains("only some were selected"));
    // The gate is open, and nothing is verified.
    let nothing = manifest("max_unverified = 9")
        .replace("file = \"readiness.toml\"", "run = [\"no-such-tool\"]");
    let nothing = Project::new(&nothing);
    nothing.commit();
    assert_eq!(nothing.ready(&["check"]).status.code(), Some(0));
    assert_eq!(result(&nothing), "FAILED");
}

#[test]
fn junit_is_not_green_where_the_gate_is_closed_for_something_else_than_a_check() {
    for (manifest, rule) in [
        ("[project]\nname = \"empty\"\n", "nothing"),
        (
            "[project]\nname = \"p\"\n[gate]\nno_regression = true\n[checks.a]\nsays = \"a\"\nfile = \"readiness.toml\"\n",
            "no-base",
        ),
    ] {
        let project = Project::new(manifest);
        let run = project.ready(&["check", "--report", "junit=junit.xml"]);
        let junit = project.read("junit.xml");
        assert_eq!(run.status.code(), Some(1), "{}", text(&run.stdout));
        let gate = junit.contains("classname=\"ready.gates\"") && junit.contains(rule);
        assert!(gate && junit.matches("<failure").count() == 1, "{junit}");
    }
}
