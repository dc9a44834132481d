//! Edits are found, and what was edited counts no more.

use rusqlite::params;

use crate::{Project, checked, commit, database, ran, ready};

/// What `ready ledger verify` says and its exit status.
fn verified(project: &crate::support::Project, args: &[&str]) -> (Option<i32>, String) {
    let done = ready(project, &[&["ledger", "verify"], args].concat());
    (done.status, done.text())
}

#[test]
fn what_nobody_touched_holds() {
    let project = ran(3);
    let (status, text) = verified(&project, &[]);
    assert_eq!(status, Some(0));
    assert!(
        text.starts_with("3 runs, 6 pieces of evidence: the chain holds\n  its end: blake3:"),
        "{text}"
    );
}

#[test]
fn every_edit_is_found_and_named() {
    let edits = [
        (
            "UPDATE evidence SET evidence = replace(evidence, '\"exit\":1', '\"exit\":0') WHERE check_id = 'b'",
            "its evidence of `b` was changed",
        ),
        (
            "DELETE FROM evidence WHERE check_id = 'a'",
            "its evidence of `a` is gone",
        ),
        (
            "UPDATE runs SET report = (SELECT report FROM runs WHERE at = 1) WHERE at = 2",
            "its report was changed",
        ),
        (
            "UPDATE runs SET report_digest = (SELECT report_digest FROM runs WHERE at = 1) WHERE at = 2",
            "its row was changed",
        ),
        (
            "DELETE FROM runs WHERE at = 2",
            "the run before it is missing",
        ),
        (
            "DELETE FROM runs WHERE at = 2; UPDATE runs SET at = 2 WHERE at = 3",
            "it does not follow the run before it",
        ),
        ("DELETE FROM runs WHERE at = 3", "is here, its run is not"),
        (
            "UPDATE runs SET id = '01AAAAAAAAAAAAAAAAAAAAAAAA' WHERE at = 2",
            "its row was changed",
        ),
        (
            "INSERT INTO evidence SELECT 'c', run, interrupted, verdict, evidence FROM evidence LIMIT 1",
            "`c` was put here later",
        ),
        (
            "UPDATE evidence SET verdict = 'verified'",
            "its evidence of `b` was changed",
        ),
        (
            "UPDATE evidence SET interrupted = 1 WHERE check_id = 'b'",
            "its evidence of `b` was changed",
        ),
        (
            "UPDATE evidence SET evidence = NULL WHERE check_id = 'b'",
            "its evidence of `b` is gone: the newest is never pruned",
        ),
        (
            "UPDATE runs SET tree = 'blake3:00' WHERE at = 3",
            "its row was changed",
        ),
        (
            "UPDATE runs SET complete = 0 WHERE at = 3",
            "its row was changed",
        ),
        (
            "UPDATE runs SET commit_id = 'beef' WHERE at = 3",
            "its row was changed",
        ),
        (
            "UPDATE runs SET dirty = 0 WHERE at = 3",
            "its row was changed",
        ),
    ];
    for (edit, words) in edits {
        let project = ran(3);
        database(&project).execute_batch(edit).unwrap();
        let (status, text) = verified(&project, &[]);
        assert_eq!(status, Some(1), "{edit}: {text}");
        assert!(
            text.contains("the chain does not hold") && text.contains(words),
            "{edit}: {text}"
        );
    }
}

#[test]
fn a_cut_tail_is_found_by_a_report_that_was_kept_elsewhere() {
    let project = ran(2);
    let report = checked(&project, &[]);
    project.write("report.json", &report.text());
    assert_eq!(verified(&project, &["--against", "report.json"]).0, Some(0));
    let end = &report.report()["ledger"];
    assert_eq!(end["runs"], 3);

    // With one run more it still holds: the report's end is in the chain.
    checked(&project, &[]);
    assert_eq!(verified(&project, &["--against", "report.json"]).0, Some(0));
    let cut = "DELETE FROM runs WHERE at > 2; DELETE FROM evidence WHERE run NOT IN (SELECT id FROM runs)";
    database(&project).execute_batch(cut).unwrap();
    assert_eq!(
        verified(&project, &[]).0,
        Some(0),
        "a cut tail alone leaves no trace"
    );
    let (status, text) = verified(&project, &["--against", "report.json"]);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("run 3 of the chain, which the report ends with, is not here"),
        "{text}"
    );
    // Nor is it hidden by new runs.
    checked(&project, &[]);
    let (status, text) = verified(&project, &["--against", "report.json"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("is another one here"), "{text}");
}

#[test]
fn evidence_that_was_edited_counts_no_more() {
    let project = ran(2);
    let edit = "UPDATE evidence SET evidence = replace(evidence, '\"exit\":1', '\"exit\":0') WHERE check_id = 'b'";
    assert_eq!(database(&project).execute(edit, []).unwrap(), 2);
    let status = ready(&project, &["status", "--format", "json"]);
    assert_eq!(status.status, Some(3), "{}", status.stderr);
    assert_eq!(status.verdict("b"), "unverified not-run");
    assert_eq!(status.verdict("a"), "verified held");
    let warnings = status.report()["warnings"].to_string();
    assert!(
        warnings.contains("`b`") && warnings.contains("its row was changed"),
        "{warnings}"
    );
    // A run of its own evidence is as good as ever, and the next status with it.
    assert_eq!(ready(&project, &["check", "-q"]).status, Some(1));
    let status = ready(&project, &["status", "--format", "json"]);
    assert_eq!(status.status, Some(0), "{}", status.stderr);
    assert_eq!(status.verdict("b"), "failed exit-status");
}

#[test]
fn an_output_that_was_edited_is_told() {
    let project = crate::Project::script("seq 1 2000", "");
    checked(&project, &[]);
    let ledger = database(&project);
    let other = zstd::bulk::compress(b"nothing of the kind", 3).unwrap();
    assert_eq!(
        ledger
            .execute("UPDATE outputs SET data = ?1", params![other])
            .unwrap(),
        1
    );
    drop(ledger);
    let status = ready(&project, &["status", "--format", "json"]);
    assert_eq!(status.status, Some(3));
    let warnings = status.report()["warnings"].to_string();
    assert!(warnings.contains("its output was changed"), "{warnings}");
    let (status, text) = verified(&project, &[]);
    assert_eq!(status, Some(1));
    assert!(text.contains("an output of its"), "{text}");
}

#[test]
fn what_is_exported_can_be_imported_elsewhere_once() {
    let project = ran(3);
    commit(&project, "first");
    let here = checked(&project, &[]);
    let exported = ready(&project, &["ledger", "export"]);
    assert_eq!(exported.text().lines().count(), 4);

    let elsewhere = crate::Project::new("");
    std::fs::copy(
        project.path("readiness.toml"),
        elsewhere.path("readiness.toml"),
    )
    .unwrap();
    commit(&elsewhere, "first");
    elsewhere.write("../runs.jsonl", &exported.text());
    let import = ["ledger", "import", "../runs.jsonl"];
    assert_eq!(ready(&elsewhere, &import).text(), "imported 4 runs\n");
    assert_eq!(
        ready(&elsewhere, &import).text(),
        "imported 0 runs, 4 already here\n"
    );
    std::fs::remove_file(elsewhere.path("../runs.jsonl")).unwrap();
    assert_eq!(verified(&elsewhere, &[]).0, Some(0));
    let status = ready(&elsewhere, &["status", "--format", "json"]);
    for id in ["a", "b"] {
        assert_eq!(status.verdict(id), here.verdict(id));
        assert_eq!(status.attempt(id), here.attempt(id));
    }
}

#[test]
fn what_is_no_report_is_not_imported_and_changes_nothing() {
    let project = ran(1);
    let status = ready(&project, &["status", "--format", "json"]).text();
    let good = ready(&project, &["ledger", "export"]).text();
    let cases = [
        (
            "{\"format\": \"ready-report/1\"}",
            "bad.json:1:28: it is no report: missing field",
        ),
        ("hello", "bad.json:1:1: it is no report: expected value"),
        (status.as_str(), "is of recorded evidence, not of a run"),
        (
            &good.replace("ready-report/1", "ready-report/9"),
            "is a report of the format `ready-report/9`",
        ),
        (&format!("{good}{{}}\n"), "bad.json:2:1:2: it is no report"),
    ];
    for (text, words) in cases {
        let other = crate::Project::new("");
        other.write("bad.json", text);
        let done = ready(&other, &["ledger", "import", "bad.json"]);
        assert_eq!(done.status, Some(2), "{}", done.stderr);
        assert!(done.stderr.contains(words), "{}", done.stderr);
        assert!(!other.has(".ready/ledger.sqlite"), "{words}");
    }
}

#[test]
fn a_failure_that_was_hidden_and_files_that_were_exchanged_count_no_more() {
    for edit in [
        "UPDATE evidence SET interrupted = 1 WHERE check_id = 'it' AND run = (SELECT max(run) FROM evidence)",
        "UPDATE runs SET tree = (SELECT tree FROM runs WHERE at = 1)",
    ] {
        let project = Project::script("test ! -e broken", "");
        assert_eq!(ready(&project, &["check", "-q"]).status, Some(0));
        project.write("broken", "");
        assert_eq!(ready(&project, &["check", "-q"]).status, Some(1));
        std::fs::remove_file(project.path("broken")).unwrap();
        database(&project).execute_batch(edit).unwrap();
        let status = ready(&project, &["status", "--format", "json"]);
        assert_ne!(status.verdict("it"), "verified held", "{edit}");
    }
}

#[test]
fn an_edit_is_not_carried_elsewhere() {
    let project = ran(2);
    let edit = "UPDATE evidence SET evidence = replace(evidence, '\"exit\":1', '\"exit\":0') WHERE check_id = 'b'";
    database(&project).execute_batch(edit).unwrap();
    let exported = ready(&project, &["ledger", "export"]);
    assert_eq!((exported.status, exported.text().as_str()), (Some(3), ""));
    assert!(
        exported.stderr.contains("its row was changed"),
        "{}",
        exported.stderr
    );
}

#[test]
fn what_was_seen_last_counts_whatever_the_clock_says() {
    // A report of a machine whose clock is ahead.
    let project = Project::script("test ! -e ../$(basename \"$PWD\").broken", "");
    let good = checked(&project, &[]).report();
    let ahead = jiff::Timestamp::now() + std::time::Duration::from_secs(864_000);
    let id = ulid::Ulid::from_parts(ahead.as_millisecond().unsigned_abs(), 7).to_string();
    let mut future = good.clone();
    future["run"]["id"] = id.clone().into();
    project.write("../future.json", &future.to_string());
    let import = ["ledger", "import", "../future.json"];
    let refused = ready(&project, &import);
    assert_eq!(refused.status, Some(2));
    assert!(
        refused
            .stderr
            .contains("is from after now: a clock was wrong"),
        "{}",
        refused.stderr
    );
    for id in [
        "7ZZZ",
        "",
        &good["run"]["id"].as_str().unwrap().to_lowercase(),
    ] {
        future["run"]["id"] = (*id).into();
        project.write("../future.json", &future.to_string());
        assert_eq!(ready(&project, &import).status, Some(2), "{id}");
    }
    // One that is there all the same, since this machine's own clock was ahead then.
    future["run"]["id"] = id.into();
    let mut report: readiness::domain::report::Report = serde_json::from_value(future).unwrap();
    let mut ledger = readiness::ledger::Ledger::open(&project.path(".")).unwrap();
    ledger.append(&mut report, None::<&()>).unwrap();
    drop(ledger);
    let broken = format!(
        "{}.broken",
        project.path(".").canonicalize().unwrap().display()
    );
    std::fs::write(&broken, "").unwrap();
    assert_eq!(ready(&project, &["check", "-q"]).status, Some(1));
    let status = ready(&project, &["status", "--format", "json"]);
    assert_eq!(status.verdict("it"), "failed exit-status");
    std::fs::remove_file(broken).unwrap();
    std::fs::remove_file(project.path("../future.json")).unwrap();
}

#[test]
fn a_report_of_another_project_is_not_imported() {
    let project = ran(1);
    let other = crate::Project::new("");
    let text = checked(&project, &[])
        .text()
        .replace("\"faults\"", "\"another\"");
    other.write("report.json", &text);
    let done = ready(&other, &["ledger", "import", "report.json"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("is of `another`, this is `faults`"),
        "{}",
        done.stderr
    );
}

#[test]
fn nothing_is_repaired_that_is_sound() {
    let project = ran(2);
    let before = std::fs::read(project.path(".ready/ledger.sqlite")).unwrap();
    let done = ready(&project, &["ledger", "repair"]);
    assert_eq!(
        done.text(),
        "nothing of the ledger is damaged: it stays as it is\n"
    );
    assert_eq!(
        std::fs::read(project.path(".ready/ledger.sqlite")).unwrap(),
        before
    );
}
