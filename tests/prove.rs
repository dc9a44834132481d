//! `ready prove` as seen from outside: what comes of sound and of sabotaged checks, that the project stays as it is, also
//! where it is interrupted, and what a proof changes afterwards.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "what every kind of test shares")]
mod support;
#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use support::{Done, Project, Running, wait_until};

/// Checks, each with what must come of it and a part of the words.
const CASES: [(&str, &str, &str, &str); 22] = [
    (
        "sound",
        "proved",
        "`x.txt`",
        r#"
run = ["sh", "-c", "! grep -n bad x.txt"]
control = { files = { "x.txt" = "bad\n" }, signal = "1:bad" }"#,
    ),
    (
        "sabotaged",
        "cannot_fail",
        "it held all the same",
        r#"
run = "grep -q good x.txt || true"
shell = true
control = { files = { "x.txt" = "bad\n" }, signal = "bad" }"#,
    ),
    (
        "fails-at-anything",
        "wrong_reason",
        "`no such words` is not seen",
        r#"
run = ["sh", "-c", "! grep -n bad x.txt"]
control = { files = { "x.txt" = "bad\n" }, signal = "no such words" }"#,
    ),
    (
        "crashes",
        "wrong_reason",
        "exit status 1: the tool could not do its work",
        r#"
run = ["sh", "-c", "! grep -n bad x.txt"]
cannot_tell = { exit = [1] }
control = { files = { "x.txt" = "bad\n" }, signal = "bad" }"#,
    ),
    (
        "missing",
        "does_not_hold",
        "not on PATH",
        r#"
run = ["no-such-program-here"]
control = { files = { "x.txt" = "bad\n" }, signal = "bad" }"#,
    ),
    (
        "red",
        "does_not_hold",
        "on the good state",
        r#"
run = ["false"]
control = { env = { A = "1" }, signal = "exit status 1" }"#,
    ),
    (
        "without",
        "no_control",
        "nothing shows",
        r#"run = ["true"]"#,
    ),
    (
        "by-patch",
        "proved",
        "patch",
        r#"
run = ["grep", "-c", "good", "x.txt"]
control = { patch = "--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-good\n+worse\n", signal = "0" }"#,
    ),
    (
        "patch-of-old",
        "wrong_reason",
        "does not apply",
        r#"
run = ["grep", "-c", "good", "x.txt"]
control = { patch = "--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-other\n+worse\n", signal = "0" }"#,
    ),
    (
        "by-variable",
        "proved",
        "environment",
        r#"
run = ["sh", "-c", "echo mode $MODE; test \"$MODE\" != broken"]
env = { MODE = "fine" }
control = { env = { MODE = "broken" }, signal = "mode broken" }"#,
    ),
    (
        "by-command",
        "proved",
        "run as its control says",
        r#"
run = ["sh", "-c", "exit 0"]
control = { run = ["sh", "-c", "echo as it must; exit 3"], signal = "as it must" }"#,
    ),
    (
        "outside",
        "wrong_reason",
        "lies outside of the project",
        r#"
run = ["true"]
control = { files = { "../../etc/x.txt" = "bad\n" }, signal = "bad" }"#,
    ),
    (
        "read",
        "proved",
        "2 controls",
        r#"
file = "*.md"
expect = { matches = "ready" }"#,
    ),
    (
        "only-there",
        "proved",
        "no file is there",
        r#"file = "README.md""#,
    ),
    (
        "matches-anything",
        "cannot_fail",
        "an empty file",
        r#"
file = "README.md"
expect = { matches = ".*" }"#,
    ),
    (
        "wired",
        "proved",
        "3 controls",
        r#"
file = "app.py"
expect = { contains = "init(" }"#,
    ),
    (
        "comments-count",
        "proved",
        "controls",
        r#"
file = "app.py"
expect = { contains = "init(", comments = true, lacks = "never" }"#,
    ),
    (
        "lacking",
        "proved",
        "controls",
        r#"
file = "x.txt"
expect = { lacks = "secret" }"#,
    ),
    (
        "parses",
        "proved",
        "controls",
        r#"
file = "data.json"
expect = { parses = "json", keys = ["a"] }"#,
    ),
    ("set", "proved", "2 controls", r#"variable = "PATH""#),
    (
        "in-file",
        "proved",
        "2 controls",
        r#"
variable = "TOKEN"
in = "settings.env""#,
    ),
    (
        "calls",
        "proved",
        "makes no call",
        r#"
run = ["python3", "-c", "import urllib.request as u; u.urlopen('http://{listen.host}:{listen.port}/in', b'x')"]
listen = { path = "/in", within = "20s" }"#,
    ),
];

fn manifest() -> String {
    let checks = CASES.map(|(id, .., text)| format!("[checks.{id}]\nsays = \"{id}\"\n{text}\n"));
    checks.concat()
}

/// A repository with the cases in it.
fn project(checks: &str) -> Project {
    let project = Project::new(checks);
    for (file, text) in [
        ("x.txt", "good\n"),
        ("README.md", "is it ready\n"),
        ("app.py", "# of the app\ninit(1)\n"),
        ("data.json", "{\"a\": 1, \"s\": \"fine\"}\n"),
        ("settings.env", "TOKEN=3f9c1d7e\n"),
        (".gitignore", "/made\n"),
    ] {
        project.write(file, text);
    }
    git(&project, &["init", "-q"]);
    git(&project, &["add", "-A"]);
    let named = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    git(&project, &[&named[..], &["commit", "-qm", "all"]].concat());
    project
}

fn git(project: &Project, args: &[&str]) {
    let mut command = Command::new("git");
    project.prepare(command.args(args));
    assert!(command.status().unwrap().success());
}

/// Path, kind, times and content of all of the project but what `ready` keeps.
fn state(project: &Project) -> BTreeMap<String, String> {
    let mut find = Command::new("find");
    find.args([
        ".",
        "-path",
        "./.ready",
        "-prune",
        "-o",
        "-type",
        "f",
        "-printf",
        "%p %m %T@\\n",
    ]);
    project.prepare(&mut find);
    let list = String::from_utf8(find.output().unwrap().stdout).unwrap();
    let content = |line: &str| {
        let file = line.split(' ').next().unwrap();
        let bytes = std::fs::read(project.path(file)).unwrap();
        blake3::hash(&bytes).to_hex().to_string()
    };
    list.lines()
        .map(|line| (line.to_string(), content(line)))
        .collect()
}

fn prove(project: &Project, words: &[&str]) -> (Done, Vec<Value>) {
    let words = [&["prove", "--format", "json"], words].concat();
    let done = project.start(&words).finish();
    let document: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    let proofs = document["proofs"].as_array().cloned().unwrap_or_default();
    (done, proofs)
}

#[test]
fn each_check_comes_to_what_it_is() {
    let project = project(&manifest());
    let before = state(&project);
    project.check();
    let runs = project.recorded_reports();
    let (done, proofs) = prove(&project, &[]);
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    assert_eq!(proofs.len(), CASES.len());
    for ((id, result, words, _), proof) in CASES.iter().zip(&proofs) {
        assert_eq!(proof["check"], *id);
        assert_eq!(proof["result"], *result, "{proof:#}");
        let all = proof.to_string();
        assert!(all.contains(words), "{words:?} is not in {proof:#}");
    }
    assert_eq!(state(&project), before);
    assert_eq!(project.recorded_reports(), runs);
    project.nothing_runs();
}

#[test]
fn interrupted_it_leaves_nothing_and_changes_nothing() {
    let outside = tempfile::tempdir().unwrap();
    let (started, scratch) = (outside.path().join("started"), outside.path().join("tmp"));
    std::fs::create_dir(&scratch).unwrap();
    let project = project(
        r#"
[checks.quick]
says = "quick"
run = ["sh", "-c", "! grep -n bad x.txt"]
control = { files = { "x.txt" = "bad\n" }, signal = "bad" }
[checks.slow]
says = "slow"
run = ["sh", "-c", "touch $STARTED; echo changed > x.txt; while :; do sleep 300; done"]
control = { files = { "x.txt" = "bad\n" }, signal = "bad" }
"#,
    );
    let before = state(&project);
    let mut command = project.command(&["prove", "--format", "json"]);
    command.env("STARTED", &started).env("TMPDIR", &scratch);
    let running = Running::new(command);
    wait_until("the second check runs", || started.exists());
    running.signal(Signal::INT);
    let done = running.finish();
    assert_eq!(done.status, Some(130), "{}", done.stderr);
    assert_eq!(state(&project), before);
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    project.nothing_runs();
    // What had come of the first one is known.
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["proofs"].as_array().unwrap().len(), 1);
    assert!(project.recorded_runs().is_empty());
}

fn status(project: &Project) -> Value {
    let done = project.start(&["status", "--format", "json"]).finish();
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn a_proof_lifts_what_an_exit_status_judged_until_it_no_longer_counts() {
    let checks = |word: &str| {
        format!(
            "[gate]\nrequire_proved = true\n[checks.lint]\nsays = \"lint\"\nrun = [\"sh\", \"-c\", \"! grep -n {word} x.txt\"]\ncontrol = {{ files = {{ \"x.txt\" = \"bad\\n\" }}, signal = \"bad\" }}\n"
        )
    };
    let project = project(&checks("bad"));
    project.check();
    let before = status(&project);
    assert_eq!(before["checks"][0]["level"], "validated");
    assert_eq!(before["score"]["verified"], 75.0);
    assert_eq!(before["gates"][0]["reasons"][0]["rule"], "require_proved");
    let (done, _) = prove(&project, &["lint"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let after = status(&project);
    assert_eq!(after["checks"][0]["level"], "exercised");
    assert_eq!(after["checks"][0]["proof"]["result"], "proved");
    assert_eq!(after["score"]["verified"], 100.0);
    assert_eq!(after["gates"][0]["open"], true);
    let explained = project.start(&["explain", "lint"]).finish();
    let line = "can it fail    proved, ";
    assert!(explained.text().contains(line), "{}", explained.text());
    let listed = project.start(&["status"]).finish();
    assert!(
        listed.text().contains("verified, proved  lint"),
        "{}",
        listed.text()
    );
    // A report carries it: whoever has nothing but the file judges the same.
    project.write("report.json", &after.to_string());
    let from = project
        .start(&["status", "--from", "report.json", "--format", "json"])
        .finish();
    assert_eq!(from.report()["score"]["verified"], 100.0);
    std::fs::remove_file(project.path("report.json")).unwrap();
    // Of another definition nothing is proved.
    project.write(
        "readiness.toml",
        &format!("[project]\nname = \"faults\"\n{}", checks("b.d")),
    );
    project.check();
    let other = status(&project);
    assert_eq!(other["checks"][0]["level"], "validated");
    assert_eq!(other["gates"][0]["open"], false);
}

#[test]
fn services_get_ports_that_nobody_has() {
    // The declared port is the user's own server's, which would answer anything.
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = own.local_addr().unwrap().port();
    let project = project(&format!(
        r#"
[services.files]
run = ["python3", "-m", "http.server", "{{port}}", "--bind", "127.0.0.1"]
port = {port}
healthy = {{ http = "http://127.0.0.1:{port}/x.txt" }}
[checks.api]
says = "It answers"
needs = ["files"]
http = "http://127.0.0.1:{port}/data.json"
expect = {{ json = {{ "$.a" = 1 }}, latency = "< 5s", headers = {{ content-type = "application/json" }}, not_found = true }}
[checks.status-alone]
says = "It answers something"
needs = ["files"]
http = "http://localhost:{port}/data.json"
[checks.vacuous]
says = "It answers anything"
needs = ["files"]
http = "http://127.0.0.1:{port}/data.json"
expect = {{ json = {{ "$.s" = {{ matches = ".*" }} }} }}
"#
    ));
    let (done, proofs) = prove(&project, &[]);
    let results = proofs.iter().map(|proof| proof["result"].as_str().unwrap());
    assert_eq!(
        results.collect::<Vec<_>>(),
        ["proved", "proved", "cannot_fail"],
        "{} {proofs:#?}",
        done.stderr
    );
    let controls = proofs[0]["trials"].as_array().unwrap();
    let controls = controls
        .iter()
        .map(|trial| trial["control"].as_str().unwrap());
    assert_eq!(
        controls.collect::<Vec<_>>(),
        [
            "an answer with status 503",
            "`$.a` has another value",
            "`$.a` has another type",
            "an empty body",
            "without the header `content-type`",
            "an answer that comes too late",
            "a server that answers everything alike",
        ]
    );
    project.nothing_runs();
}

#[test]
fn what_git_ignores_is_copied_where_it_is_named() {
    let check = "[checks.made]\nsays = \"made\"\nrun = [\"grep\", \"-c\", \"good\", \"made/deep/out.txt\"]\ncontrol = { files = { \"made/deep/out.txt\" = \"bad\\n\" }, signal = \"0\" }\n";
    let project = project(check);
    std::fs::create_dir_all(project.path("made/deep")).unwrap();
    project.write("made/deep/out.txt", "good\n");
    std::os::unix::fs::symlink("/no/such/place", project.path("made/link")).unwrap();
    let (_, proofs) = prove(&project, &[]);
    assert_eq!(proofs[0]["result"], "does_not_hold");
    let copies = |names: &str| {
        let text = format!("[project]\nname = \"faults\"\n[prove]\ncopy = {names}\n{check}");
        project.write("readiness.toml", &text);
    };
    copies("[\"made\"]");
    let (_, proofs) = prove(&project, &[]);
    assert_eq!(proofs[0]["result"], "proved", "{proofs:#?}");
    copies("[\"made/**/*.txt\"]");
    let (_, proofs) = prove(&project, &[]);
    assert_eq!(proofs[0]["result"], "proved", "{proofs:#?}");
    copies("[\"nowhere\"]");
    let (done, _) = prove(&project, &[]);
    assert!(
        done.stderr.contains("nothing here is `nowhere`"),
        "{}",
        done.stderr
    );
    assert_eq!(
        std::fs::read_to_string(project.path("made/deep/out.txt")).unwrap(),
        "good\n"
    );
}

#[test]
fn what_it_needs_is_looked_at_first() {
    let build = "[checks.build]\nsays = \"build\"\nrun = [\"sh\", \"-c\", \"cp x.txt out.txt\"]\n[checks.test]\nsays = \"test\"\nneeds = [\"build\"]\nrun = [\"grep\", \"-c\", \"good\", \"out.txt\"]\ncontrol = { files = { \"out.txt\" = \"bad\\n\" }, signal = \"0\" }\n";
    let project = project(build);
    let (_, proofs) = prove(&project, &["test"]);
    // What its need made is gone with the control, which lay in its place: the good state is that of the project.
    assert_eq!(proofs[0]["check"], "test");
    assert_eq!(proofs[0]["result"], "proved", "{proofs:#?}");
    let broken = build
        .replace("cp x.txt", "false; cp x.txt")
        .replace("cp x.txt out.txt", "exit 1");
    project.write(
        "readiness.toml",
        &format!("[project]\nname = \"faults\"\n{broken}"),
    );
    let (_, proofs) = prove(&project, &["test"]);
    assert_eq!(proofs[0]["result"], "does_not_hold");
    assert!(
        proofs[0]["text"]
            .as_str()
            .unwrap()
            .contains("it needs `build`")
    );
}

#[test]
fn results_are_judged_with_what_is_wrong_in_them() {
    let Some(programs) = tools::find("results in prove", &["pytest"]) else {
        return;
    };
    let path = tools::path(&programs);
    let project = project(
        "[checks.tests]\nuse = \"pytest\"\n[checks.silenced]\nuse = \"pytest\"\nwith = { result = \"two.xml\" }\ncontrol = { files = { \"test_c.py\" = \"def test_c():\\n    assert False\\n\", \"conftest.py\" = \"collect_ignore = ['test_c.py']\\n\" }, signal = \"test_c\" }\n",
    );
    project.write("test_a.py", "def test_a():\n    assert 1\n");
    let mut command = project.command(&["prove", "--format", "json"]);
    command.env("PATH", path);
    let done = Running::new(command).finish();
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    let [sound, silenced] = [&document["proofs"][0], &document["proofs"][1]];
    assert_eq!(sound["result"], "proved", "{sound:#}");
    let trials = sound["trials"].as_array().unwrap();
    let controls = trials
        .iter()
        .map(|trial| trial["control"].as_str().unwrap());
    assert_eq!(
        controls.skip(1).collect::<Vec<_>>(),
        [
            "its results with one more failure",
            "its results with nothing in them",
            "its results cut in half",
            "its results from before the run",
        ]
    );
    assert_eq!(silenced["result"], "cannot_fail", "{silenced:#}");
}

#[test]
fn an_edited_proof_is_found_and_counts_no_more() {
    let project = project(
        "[checks.lint]\nsays = \"lint\"\nrun = [\"true\"]\ncontrol = { env = { A = \"1\" }, signal = \"x\" }\n",
    );
    project.check();
    prove(&project, &[]);
    let file = project.path(".ready/ledger.sqlite");
    let edit = |from: &str, to: &str| {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let sql = "UPDATE proofs SET proof = replace(proof, ?1, ?2)";
        assert_eq!(connection.execute(sql, [from, to]).unwrap(), 1);
    };
    edit("cannot_fail", "proved");
    let done = project.start(&["ledger", "verify"]).finish();
    assert_eq!(done.status, Some(1));
    assert!(
        done.text()
            .contains("the proof of `lint`: its row was changed"),
        "{}",
        done.text()
    );
    let done = project.start(&["status"]).finish();
    assert_eq!(done.status, Some(3), "{}", done.text());
    edit("proved", "cannot_fail");
    assert_eq!(
        project.start(&["ledger", "verify"]).finish().status,
        Some(0)
    );
}

#[test]
fn mistakes_in_a_control_are_named_at_their_place() {
    let cases = [
        (
            "run = [\"true\"]\ncontrol = { signal = \"x\" }",
            "`control` violates nothing",
        ),
        (
            "run = [\"true\"]\ncontrol = { env = { A = \"1\" } }",
            "`control` lacks `signal`",
        ),
        (
            "file = \"a\"\ncontrol = { env = { A = \"1\" }, signal = \"x\" }",
            "`env` means nothing here",
        ),
        (
            "run = [\"true\"]\ncontrol = { file = \"x\", signal = \"x\" }",
            "did you mean `files`",
        ),
        (
            "use = \"pytest\"\ncontrol = { with = { pth = \"x\" }, signal = \"x\" }",
            "did you mean `path`",
        ),
        (
            "run = [\"true\"]\ncontrol = { files = { \"{nowhere}\" = \"x\" }, signal = \"x\" }",
            "`{nowhere}` is not known",
        ),
    ];
    for (check, words) in cases {
        let project = Project::new(&format!("[checks.a]\nsays = \"a\"\n{check}\n"));
        let done = project.start(&["prove"]).finish();
        assert_eq!(done.status, Some(2), "{}", done.stderr);
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    let project = Project::new(
        "[checks.a]\nsays = \"a\"\nmanual = { by = \"me\", on = 2026-01-01, expires = 2099-01-01 }\n",
    );
    let done = project.start(&["prove"]).finish();
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("there is no check to prove"),
        "{}",
        done.stderr
    );
    assert!(!Path::new(&project.path(".ready")).exists());
}

/// A pattern with more files than evidence names: the control is laid over all of them.
#[test]
fn a_control_for_files_is_laid_over_all_of_them() {
    let project = project(
        "[checks.many]\nsays = \"many\"\nfile = \"many/*.py\"\nexpect = { contains = \"init(\" }\n",
    );
    std::fs::create_dir(project.path("many")).unwrap();
    for at in 0..80 {
        project.write(&format!("many/f{at}.py"), "init(1)\n");
    }
    let (_, proofs) = prove(&project, &[]);
    assert_eq!(proofs[0]["result"], "proved", "{proofs:#?}");
}
