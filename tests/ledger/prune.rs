//! What is old or too much goes, and the chain still holds.

use std::time::Duration;

use readiness::ledger::{Keep, Ledger};

use crate::{Project, checked, ready};

/// A check that prints something else each time.
fn printing() -> Project {
    Project::script("head -c 30000 /dev/urandom | base64", "")
}

#[test]
fn outputs_go_first_and_what_is_newest_stays() {
    let project = printing();
    for _ in 0..8 {
        checked(&project, &[]);
    }
    let open = || Ledger::open_existing(&project.path(".")).unwrap().unwrap();
    let before = open().bytes().unwrap();
    let most = before * 2 / 3;
    let done = ready(
        &project,
        &["ledger", "prune", "--max-size", &format!("{most}B")],
    );
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(
        done.text().contains("0 pieces of evidence and 0 reports"),
        "{}",
        done.text()
    );
    assert!(open().bytes().unwrap() <= most);
    assert_eq!(ready(&project, &["ledger", "verify"]).status, Some(0));
    // The oldest have lost their output, the newest has its own.
    let reports = project.recorded_reports();
    let tail = |at: usize| {
        let stream = &reports[at]["checks"][0]["evidence"]["attempts"][0]["stdout"];
        (
            stream["tail"].as_str().unwrap().len(),
            stream["stored"]["digest"].is_string(),
        )
    };
    assert_eq!(tail(0), (0, true));
    assert_eq!(tail(7), (16 << 10, false));

    let done = ready(&project, &["ledger", "prune", "--max-size", "1B"]);
    assert!(
        done.text().contains("what must stay is more than 1 KB"),
        "{}",
        done.text()
    );
    assert_eq!(project.recorded_reports().len(), 1);
    let status = ready(&project, &["status", "--format", "json"]);
    assert_eq!(
        (status.status, status.verdict("it").as_str()),
        (Some(0), "verified held")
    );
    let verify = ready(&project, &["ledger", "verify"]);
    assert_eq!(verify.status, Some(0));
    assert!(
        verify
            .text()
            .contains("14 rows were pruned: their digests stand"),
        "{}",
        verify.text()
    );
}

#[test]
fn what_is_younger_than_asked_for_stays() {
    let project = printing();
    checked(&project, &[]);
    checked(&project, &[]);
    let done = ready(&project, &["ledger", "prune", "--older-than", "1h"]);
    assert!(
        done.text()
            .starts_with("pruned 0 outputs, 0 pieces of evidence and 0 reports"),
        "{}",
        done.text()
    );
    let old = Keep {
        since: Some(ulid_in(Duration::from_secs(60))),
        bytes: None,
    };
    let mut ledger = Ledger::open(&project.path(".")).unwrap();
    let pruned = ledger.prune(&old).unwrap();
    assert_eq!((pruned.outputs, pruned.evidence, pruned.reports), (1, 1, 1));
}

/// The first run id of a time to come.
fn ulid_in(time: Duration) -> String {
    let at = jiff::Timestamp::now() + time;
    ulid::Ulid::from_parts(at.as_millisecond().unsigned_abs(), 0).to_string()
}

#[test]
fn the_same_output_is_kept_once() {
    let project = Project::script("seq 1 3000", "");
    for _ in 0..3 {
        checked(&project, &[]);
    }
    let ledger = crate::database(&project);
    let count = |sql: &str| {
        ledger
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM outputs"), 1);
    assert_eq!(count("SELECT count(*) FROM evidence"), 3);
    // It is compressed.
    assert!(count("SELECT length(data) FROM outputs") < 8_000);
    let tail =
        project.recorded_reports()[0]["checks"][0]["evidence"]["attempts"][0]["stdout"]["tail"]
            .clone();
    assert!(tail.as_str().unwrap().ends_with("2999\n3000\n"));
}

#[test]
fn something_must_be_asked_for() {
    let project = printing();
    checked(&project, &[]);
    for (args, words) in [
        (&["ledger", "prune"][..], "required"),
        (
            &["ledger", "prune", "--max-size", "many"],
            "write it like `100MB`",
        ),
        (
            &["ledger", "prune", "--older-than", "90"],
            "write it like `90d`",
        ),
    ] {
        let done = ready(&project, args);
        assert_eq!(done.status, Some(2));
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    let empty = Project::new("");
    let done = ready(&empty, &["ledger", "verify"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("nothing is recorded here"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_output_of_what_is_newest_stays_however_old_it_is() {
    let project = Project::new(
        &[
            crate::check("out", "seq 1 3000", ""),
            crate::check("other", "true", ""),
        ]
        .concat(),
    );
    checked(&project, &[]);
    checked(&project, &["other"]);
    checked(&project, &["other"]);
    ready(&project, &["ledger", "prune", "--older-than", "0s"]);
    let status = ready(&project, &["status", "--format", "json"]);
    let tail = status.attempt("out")["stdout"]["tail"].clone();
    assert!(tail.as_str().unwrap().ends_with("3000\n"), "{tail}");
}

#[test]
fn what_gates_are_held_against_stays() {
    let project = Project::new(&format!(
        "[gate]\nno_regression = true\n{}{}",
        crate::check("a", "test ! -e broken", ""),
        crate::check("b", "true", "")
    ));
    checked(&project, &[]);
    checked(&project, &[]);
    project.write("broken", "");
    assert_eq!(ready(&project, &["check", "-q"]).status, Some(1));
    for _ in 0..3 {
        ready(
            &project,
            &["ledger", "prune", "--older-than", "0s", "--max-size", "1B"],
        );
        let done = ready(&project, &["check", "--format", "json"]);
        assert_eq!(done.status, Some(1));
        let reasons = done.report()["gates"][0]["reasons"].to_string();
        assert!(!reasons.contains("no-base"), "{reasons}");
    }
}
