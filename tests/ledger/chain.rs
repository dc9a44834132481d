//! Edits are found, and what was edited counts no more.

use rusqlite::params;

use crate::{checked, commit, database, ran, ready};

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
