//! What evidence is about, as seen from outside: artifact and environment, how long it held, who answers for its lines in the
//! manifest, what waivers change. Cases as data; times stand in evidence that a test writes, nobody waits for them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, dead_code)]

mod support;

use jiff::{Timestamp, ToSpan};
use readiness::domain::report::Report;
use readiness::domain::verdict::Verdict;
use readiness::ledger::Ledger;
use serde_json::Value;
use support::{Done, Project};

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A check of files, one that looks outside, and one that somebody attests.
const SHOP: &str = r#"
[gates.one]
same_artifact = true
[gates.there]
environment = "staging"
[checks.code]
says = "The code is there"
file = "code"
[checks.mode]
says = "The mode is set"
variable = "MODE"
[checks.word]
says = "Somebody rehearsed"
manual = { by = "ops", on = 2026-11-01, expires = 2999-12-01 }
"#;

fn shop() -> Project {
    let project = Project::new(SHOP);
    project.write("code", "1\n");
    project
}

fn run(project: &Project, args: &[&str]) -> Done {
    let mut command = project.command(args);
    command.env("MODE", "fast");
    support::Running::new(command).finish()
}

fn json(project: &Project, args: &[&str]) -> Done {
    run(project, &[args, &["--format", "json"]].concat())
}

/// The reasons for which a gate is closed.
fn reasons(report: &Value, gate: &str) -> Vec<String> {
    let gates = report["gates"].as_array().unwrap();
    let gate = gates.iter().find(|state| state["name"] == gate).unwrap();
    let reasons = gate["reasons"].as_array().unwrap();
    assert_eq!(gate["open"], reasons.is_empty());
    let text = |reason: &Value| reason["text"].as_str().unwrap().to_string();
    reasons.iter().map(text).collect()
}

#[test]
fn each_way_to_name_an_artifact_and_each_mistake() {
    let project = shop();
    project.write("app.tar", "hello\n");
    let of_file = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    let named = format!("host:5000/app:1.2@{A}");
    let cases = [
        (A, A, Value::Null),
        (&named, A, "host:5000/app:1.2".into()),
        ("app.tar", of_file, "app.tar".into()),
    ];
    for (what, digest, name) in cases {
        for verb in ["check", "status"] {
            let report = json(&project, &[verb, "--artifact", what]).report();
            assert_eq!(report["about"]["artifact"], digest, "{verb} {what}");
            assert_eq!(report["about"]["name"], name, "{verb} {what}");
        }
    }
    let cases = [
        (
            "nothing.tar",
            "`nothing.tar` is no digest, no image with its digest, and no file",
        ),
        ("app:1.2", "a tag alone can be moved"),
        ("sha256:12", "`sha256:12` does not end in a whole digest"),
        (".", "name the file that is shipped"),
    ];
    for (what, words) in cases {
        for verb in ["check", "status"] {
            let done = run(&project, &[verb, "--artifact", what]);
            assert_eq!(done.status, Some(2), "{verb} {what}");
            assert!(done.stderr.contains(words), "{}", done.stderr);
            assert!(done.stderr.contains("hint: "), "{}", done.stderr);
        }
    }
    let done = run(&project, &["check", "--environment", "my staging"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("write it like `staging`"),
        "{}",
        done.stderr
    );
}

#[test]
fn it_is_recorded_with_the_run_and_with_all_evidence_and_shown() {
    let project = shop();
    let mut command = project.command(&["check"]);
    command.env("READY_ARTIFACT", format!("app@{A}"));
    command.env("READY_ENVIRONMENT", "staging");
    command.env("MODE", "fast");
    let text = support::Running::new(command).finish().text();
    let shown = "about artifact app (sha256:aaaaaaaaaaaa), environment staging\n";
    assert!(text.contains(shown), "{text}");
    let report = &project.recorded_reports()[0];
    assert_eq!(report["run"]["artifact"], A);
    assert_eq!(report["run"]["environment"], "staging");
    for row in report["checks"].as_array().unwrap() {
        assert_eq!(row["evidence"]["binding"]["artifact"], A, "{row}");
        assert_eq!(
            row["evidence"]["binding"]["environment"], "staging",
            "{row}"
        );
    }
    let text = run(&project, &["explain", "code"]).text();
    let shown = "  about          artifact sha256:aaaaaaaaaaaa, environment staging\n";
    assert!(text.contains(shown), "{text}");
    let text = run(&project, &["status", "--environment", "dev"]).text();
    assert!(text.contains("asked about environment dev\n"), "{text}");
}

/// The words of a command line, in which `A` and `B` stand for the artifacts.
fn words(line: &str) -> Vec<&str> {
    let word = |word| match word {
        "A" => A,
        "B" => B,
        word => word,
    };
    line.split_whitespace().map(word).collect()
}

#[test]
fn evidence_about_another_is_not_silently_taken() {
    let nothing = "no rule and no blocking check of it applies: there is nothing to judge";
    let unnamed = "no artifact is named: --artifact";
    let nowhere = "mode was looked at in no environment that is named, not in staging";
    let code_b = "code is about sha256:bbbbbbbbbbbb, not about sha256:aaaaaaaaaaaa";
    let mode_b = "mode is about sha256:bbbbbbbbbbbb, not about sha256:aaaaaaaaaaaa";
    let code_none = "code is about no artifact, not about sha256:aaaaaaaaaaaa";
    let other = "this is about dev, and the gate about staging";
    let a_staging = "--artifact A --environment staging";
    // (the runs, the question, reasons of the gate about the artifact, of that about the environment)
    type Case<'a> = (&'a [&'a str], &'a str, &'a [&'a str], &'a [&'a str]);
    let cases: [Case<'_>; 10] = [
        (&[], "", &[unnamed], &[nothing]),
        (&[], "--artifact A", &[nothing], &[nothing]),
        (&[""], "", &[unnamed], &[nowhere]),
        (&[a_staging], "", &[], &[]),
        (&[a_staging], "--artifact A", &[], &[]),
        (
            &["--artifact B"],
            "--artifact A",
            &[code_b, mode_b],
            &[nowhere],
        ),
        (
            &[a_staging, "code --artifact B"],
            "--artifact A",
            &[code_b],
            &[],
        ),
        (&[a_staging, "code"], "", &[code_none], &[]),
        (
            &["", "mode --environment staging", "code --environment dev"],
            "",
            &[unnamed],
            &["code was looked at in dev, not in staging"],
        ),
        (&[a_staging], "--environment dev", &[], &[other]),
    ];
    for (runs, question, artifact, environment) in cases {
        let project = shop();
        for line in runs {
            run(&project, &[&["check"], &words(line)[..]].concat());
        }
        let done = json(&project, &[&["status"], &words(question)[..]].concat());
        let report = done.report();
        assert_eq!(reasons(&report, "one"), artifact, "{runs:?} {question}");
        assert_eq!(
            reasons(&report, "there"),
            environment,
            "{runs:?} {question}"
        );
    }
}

#[test]
fn a_run_about_another_artifact_tells_of_what_was_recorded_before() {
    let project = shop();
    run(&project, &["check", "--artifact", A]);
    let done = json(
        &project,
        &["check", "code", "--artifact", B, "--gate", "one"],
    );
    assert_eq!(done.status, Some(1));
    let about = format!("mode is about {}, not about {}", &A[..19], &B[..19]);
    assert_eq!(reasons(&done.report(), "one"), [about]);
}

#[test]
fn evidence_is_used_again_for_the_same_artifact_alone() {
    let project = Project::new(
        "[checks.code]\nsays = \"It is there\"\nfile = \"code\"\ninputs = [\"code\"]\n",
    );
    project.write("code", "1\n");
    let cases = [
        ("", false),
        ("", true),
        ("--artifact A", false),
        ("--artifact A", true),
        ("--artifact B", false),
        ("--artifact B --environment dev", false),
    ];
    for (line, reused) in cases {
        let done = json(&project, &[&["check"], &words(line)[..]].concat());
        assert_eq!(done.row("code")["reused"], reused, "{line}");
    }
}

/// A look: minutes ago, verdict, and what differs: `d` another definition, else the environment.
type Look = (i64, Verdict, &'static str);

/// Records these looks at the check `mode`, the oldest last, each in a run of its own.
fn record(project: &Project, looks: &[Look]) {
    let done = json(project, &["check"]);
    let _ = std::fs::remove_dir_all(project.path(".ready"));
    let now = Timestamp::now();
    let mut ledger = Ledger::open(&project.path("")).unwrap();
    for (at, (minutes, verdict, what)) in looks.iter().rev().enumerate() {
        let mut report: Report = serde_json::from_slice(&done.stdout).unwrap();
        report.run.as_mut().unwrap().id = format!("{at:026}");
        report.checks.retain(|row| row.id == "mode");
        let row = &mut report.checks[0];
        row.verdict = *verdict;
        let evidence = row.evidence.as_mut().unwrap();
        evidence.started = now - minutes.minutes();
        match *what {
            "" => {}
            "d" => evidence.binding.definition = "blake3:00".to_string(),
            environment => evidence.binding.environment = Some(environment.to_string()),
        }
        ledger.append(&mut report, None::<&Value>).unwrap();
    }
}

#[test]
fn a_check_held_for_as_long_as_a_gate_asks() {
    use Verdict::{Failed, Partial, Unverified, Verified};
    let manifest = r#"
[gates.long]
held_for = { mode = "48h" }
[gates.there]
environment = "staging"
held_for = { mode = "48h" }
[checks.mode]
says = "The mode is set"
variable = "MODE"
"#;
    const H: i64 = 60;
    let long = [
        (1, Verified, ""),
        (24 * H, Verified, ""),
        (48 * H, Verified, ""),
    ];
    let with = |more: Look| {
        let mut looks = long.to_vec();
        looks.push(more);
        looks.sort_by_key(|look| look.0);
        looks
    };
    // The looks, and the beginning of the reason for which the gate is closed; none: it is open.
    let cases: &[(&[Look], &str)] = &[
        (&long, ""),
        (&with((60 * H, Failed, "")), ""),
        (&with((30 * H, Unverified, "")), ""),
        (&with((30 * H, Failed, "")), "mode: failed at "),
        (&with((30 * H, Partial, "")), "mode: partial at "),
        (
            &with((30 * H, Verified, "d")),
            "mode: verified since 24 h ago as it is defined now, less than 2 d",
        ),
        (&long[..1], "mode: verified since 1 min ago, less than 2 d"),
        (&long[..2], "mode: verified since 24 h ago, less than 2 d"),
        (&[long[0], long[2]], "mode: not looked at from "),
        (&[], "mode is unverified: no evidence is recorded for it"),
        (&long[1..], "mode is unverified: its evidence is "),
    ];
    for (looks, wanted) in cases {
        let project = Project::new(manifest);
        record(&project, looks);
        let report = json(&project, &["status"]).report();
        let reasons = reasons(&report, "long");
        match reasons.as_slice() {
            [] => assert_eq!(*wanted, "", "{looks:?}"),
            [reason] => assert!(
                !wanted.is_empty() && reason.starts_with(wanted),
                "{looks:?}: {reason}"
            ),
            more => panic!("{looks:?}: {more:?}"),
        }
    }
    // A run adds its own look; it is enough where the rest was, and needs no older one than that.
    let project = Project::new(manifest);
    record(
        &project,
        &[20, 40, 60].map(|hours| (hours * H, Verified, "")),
    );
    assert_eq!(run(&project, &["check", "--gate", "long"]).status, Some(0));
    let mut command = project.command(&["check", "--gate", "long"]);
    command.env_remove("MODE");
    assert_eq!(support::Running::new(command).finish().status, Some(1));
    let report = json(&project, &["check"]).report();
    assert!(reasons(&report, "long")[0].starts_with("mode: failed at "));
    // Looks elsewhere are none.
    let project = Project::new(manifest);
    let there = long.map(|(minutes, verdict, _)| (minutes, verdict, "staging"));
    record(&project, &there);
    let report = json(&project, &["status"]).report();
    assert_eq!(reasons(&report, "there"), [""; 0]);
    record(&project, &[there[0], (24 * H, Verified, "dev"), there[2]]);
    let report = json(&project, &["status"]).report();
    assert!(reasons(&report, "there")[0].starts_with("mode: not looked at from "));
    assert_eq!(reasons(&report, "long"), [""; 0]);
}

/// A project in a repository, with its manifest committed by `Ada`.
fn repository(manifest: &str) -> Project {
    let project = Project::new(manifest);
    git(&project, "Ada", &["init", "-q", "-b", "main"]);
    commit(&project, "Ada");
    project
}

fn git(project: &Project, author: &str, args: &[&str]) {
    let mut command = std::process::Command::new("git");
    let own = [
        "-c",
        &format!("user.name={author}"),
        "-c",
        "user.email=x@localhost",
        "-c",
        "commit.gpgsign=false",
    ];
    let output = command
        .current_dir(project.path(""))
        .args(own)
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
}

fn commit(project: &Project, author: &str) {
    git(project, author, &["add", "-A"]);
    git(project, author, &["commit", "-q", "-m", "x"]);
}

const WAIVED: &str = r#"
[gates.staging]
require = ["load", "code"]
[checks.code]
says = "The code is there"
file = "readiness.toml"
[checks.load]
says = "The load is borne"
file = "no-such"
[checks.word]
says = "Somebody rehearsed"
manual = { by = "ops", on = 2026-11-01, expires = 2999-12-01 }

[waivers.load]
owner = "web team"
reason = "tracked"
expires = 2999-11-28
"#;

/// The authors of the first waiver and of the attestation, and whether each has a commit.
fn authors(report: &Value) -> [(Option<String>, bool); 2] {
    let mut rows = report["checks"].as_array().unwrap().iter();
    let word = &rows.find(|row| row["id"] == "word").unwrap()["author"];
    [&report["waivers"][0]["author"], word].map(|author| {
        let name = author["name"].as_str().map(str::to_string);
        let commit = author["commit"].as_str();
        assert!(commit.is_none_or(|commit| commit.len() >= 40));
        (name, commit.is_some())
    })
}

#[test]
fn waivers_and_attestations_say_who_wrote_their_lines() {
    let project = repository(WAIVED);
    let check = |project: &Project| authors(&json(project, &["check"]).report());
    let of = |name: &str| (Some(name.to_string()), true);
    assert_eq!(check(&project), [of("Ada"), of("Ada")]);
    // Who extends what another wrote answers for it.
    let text = std::fs::read_to_string(project.path("readiness.toml")).unwrap();
    project.write("readiness.toml", &text.replace("2999-11-28", "2999-11-29"));
    assert_eq!(check(&project), [(None, false), of("Ada")]);
    let text = run(&project, &["check"]).text();
    assert!(text.contains("by its line: not committed"), "{text}");
    commit(&project, "Bob \u{1b}[31m::error::\u{202e}");
    let [waiver, word] = check(&project);
    assert!(waiver.0.unwrap().starts_with("Bob ") && word == of("Ada"));
    let text = [
        run(&project, &["check"]),
        run(&project, &["explain", "load"]),
    ]
    .map(|done| done.text());
    for text in text {
        assert!(text.contains("by its line: Bob "), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let text = run(&project, &["explain", "word"]).text();
    assert!(text.contains("  its line       Ada, commit "), "{text}");
    // It is recorded with the run.
    let recorded = project.recorded_reports();
    assert_eq!(authors(recorded.last().unwrap())[1], of("Ada"));
}

#[test]
fn where_git_does_not_know_nobody_is_named() {
    // (what is done to the project, what is said)
    let none = "none";
    let yet = "not committed yet";
    let cases: [(&str, &[&[&str]], &str); 3] = [
        ("no repository", &[], none),
        ("no commit", &[&["init", "-q"]], yet),
        (
            "another file was committed",
            &[
                &["init", "-q"],
                &["add", "other"],
                &["commit", "-q", "-m", "x"],
            ],
            yet,
        ),
    ];
    for (case, commands, wanted) in cases {
        let project = Project::new(WAIVED);
        project.write("other", "1\n");
        commands.iter().for_each(|args| git(&project, "Ada", args));
        let report = json(&project, &["check"]).report();
        let author = &report["waivers"][0]["author"];
        let said = match author {
            Value::Null => none,
            author if author["name"].is_null() => yet,
            _ => "somebody",
        };
        assert_eq!(said, wanted, "{case}");
    }
    // A clone without its history would name whoever came last for all that is older.
    let project = repository(WAIVED);
    project.write("other", "1\n");
    commit(&project, "Bob");
    let clone = Project::new(WAIVED);
    let from = format!("file://{}", project.path("").display());
    std::fs::remove_file(clone.path("readiness.toml")).unwrap();
    git(&clone, "Bob", &["clone", "-q", "--depth", "1", &from, "."]);
    assert_eq!(
        authors(&json(&clone, &["check"]).report()),
        [(None, false), (None, false)]
    );
    let text = run(&clone, &["check"]).text();
    assert!(!text.contains("its line"), "{text}");
}

#[test]
fn what_waivers_change_stands_side_by_side() {
    let waiver = |check: &str, expires: &str| {
        format!("[waivers.{check}]\nowner = \"x\"\nreason = \"y\"\nexpires = {expires}\n")
    };
    let base = WAIVED.split("[waivers.load]").next().unwrap();
    let past = "2020-01-01";
    let day = || Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let today = day();
    let soon = today.checked_add(3.days()).unwrap().to_string();
    let closed = "require: load is failed: `no-such` is not there";
    // (the waivers, whether the gate is open, lines of the table)
    let cases: [(Vec<String>, bool, &[&str]); 4] = [
        (
            vec![waiver("load", &soon), waiver("code", &soon)],
            true,
            &[
                "staging OPEN WITH 1 WAIVER",
                "waived: load",
                &format!("closed without its waivers: {closed}"),
                "(in force, expires in 3 days)",
                "(needless: the check holds without it)",
                "waivers: 1 in force, 1 needless; gate staging would be closed without them; score 8 % with and without",
            ],
        ),
        (
            vec![waiver("load", past), waiver("word", &soon)],
            false,
            &[
                "staging CLOSED",
                closed,
                "days ago: it no longer works)",
                "(needless: no gate would be closed for the check)",
                "waivers: 1 expired, 1 needless; no gate is open only with them; score 8 % with and without",
            ],
        ),
        (
            vec![waiver("load", &today.to_string())],
            true,
            &["(in force, today is its last day)"],
        ),
        (vec![], false, &[closed, "staging CLOSED"]),
    ];
    for (waivers, open, lines) in cases {
        let project = Project::new(&[base, &waivers.concat()].concat());
        let mut command = project.command(&["check"]);
        command.env("COLUMNS", "120");
        let text = support::Running::new(command).finish().text();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let report = json(&project, &["status"]).report();
        if day() != today {
            // The words are those of the next day.
            return;
        }
        for line in lines {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert_eq!(text.contains("waivers:"), !waivers.is_empty(), "{text}");
        let gate = &report["gates"][0];
        assert_eq!(gate["open"], open);
        match open {
            true => {
                assert_eq!(gate["without_waivers"]["open"], false);
                assert_eq!(gate["without_waivers"]["reasons"][0]["check"], "load");
            }
            false => assert_eq!(gate["without_waivers"], Value::Null),
        }
    }
}
