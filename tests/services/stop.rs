//! How services and runs are stopped: politely, at once, at the run's own limit, and with nobody to tell it to.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{Done, Project, Running, check, wait_until};
use crate::{checked, noting, of_service, service, states, text};

const HEALTHY: &str = "healthy = { log = \"^up$\", within = \"1h\" }";

#[test]
fn one_that_does_not_end_is_made_to_which_is_told_apart() {
    for script in [
        "trap '' TERM; echo up; while :; do sleep 300; done",
        // Its leader ends as it is asked to, what it started does not.
        "sh -c \"trap '' TERM; echo up; while :; do sleep 300; done\" & trap 'exit 0' TERM; wait",
    ] {
        let project = Project::new(
            &(service(
                "db",
                script,
                &format!("{HEALTHY}\nstop = {{ within = \"200ms\" }}"),
            ) + &check("it", "exit 0", "needs = [\"db\"]")),
        );
        let done = checked(&project, &[]);
        assert_eq!(done.status, Some(0), "{}", done.stderr);
        assert_eq!(done.verdict("it"), "verified held");
        assert_eq!(states(&done), ["db healthy"]);
        let db = of_service(&done, "db");
        let what = "it did not end within 200 ms of being asked to, and was made to";
        assert_eq!(db["teardown"], what, "{script}");
        assert_eq!(db["stdout"]["tail"], "up\n");
        assert_eq!(db["reason"], serde_json::Value::Null);
        let warning = format!("service `db` was not stopped as it should be: {what}");
        assert!(done.warnings().contains(&warning), "{:?}", done.warnings());
    }
}

#[test]
fn one_that_is_already_failed_is_made_to_end_as_well() {
    let project = Project::new(
        &(service(
            "db",
            "trap '' TERM; echo working; while :; do sleep 300; done",
            "healthy = { log = \"^up$\", within = \"3s\" }\nstop = { within = \"200ms\" }",
        ) + &check("it", "exit 0", "needs = [\"db\"]")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "failed service-failed");
    let db = of_service(&done, "db");
    assert_eq!(db["stdout"]["tail"], "working\n");
    assert!(db["teardown"].is_string());
}

const ASKED: &str = "running checks are asked to end";
const MADE: &str = "running checks are made to end";

/// Signals a run each time that it has said what it makes of the one before, once it is in the middle of something.
fn interrupted(project: &Project, times: usize) -> Done {
    let mut running = project.start(&["check", "--format", "table"]);
    wait_until("it is in the middle of it", || project.has("middle"));
    for words in [ASKED, MADE, ""].iter().take(times) {
        running.signal(Signal::INT);
        if !words.is_empty() {
            running.wait_for_line(words);
        }
    }
    project.write("interrupted", "");
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130), "{}", done.stderr);
    if times < 3 || project.has(".ready/ledger.sqlite") {
        let runs = project.recorded_runs();
        // The third word ends it at once, if it has not ended by then.
        assert!(runs.len() == 1 || times == 3 && runs.is_empty(), "{runs:?}");
        let ledger = rusqlite::Connection::open(project.path(".ready/ledger.sqlite")).unwrap();
        let sound = ledger.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        assert_eq!(sound.unwrap(), "ok");
        for run in runs {
            assert_eq!(run["interrupted"], true);
            assert_eq!(run["complete"], false);
        }
    }
    done
}

#[test]
fn ctrl_c_while_a_service_is_started() {
    let ends = "touch middle; echo working; sleep 300 & wait";
    // Only the second word, or the third, ends this one.
    let stubborn = "trap '' TERM; touch middle; while :; do sleep 300; done";
    for (script, times) in [(ends, 1), (stubborn, 2), (stubborn, 3)] {
        let project = Project::new(
            &(noting("db", "")
                + &service(
                    "web",
                    script,
                    &format!("needs = [\"db\"]\n{HEALTHY}\nstop = {{ within = \"1h\" }}"),
                )
                + &check("it", "touch ran", "needs = [\"web\"]")),
        );
        interrupted(&project, times);
        assert!(!project.has("ran"));
        assert_eq!(text(&project, "started"), "db\n");
        if times == 1 {
            assert_eq!(text(&project, "stopped"), "db\n");
            let run = &project.recorded_runs()[0];
            assert_eq!(run["services"][0]["id"], "db");
            assert_eq!(run["services"][1]["state"], "not-started");
            assert_eq!(
                run["services"][1]["reason"]["text"],
                "the run was stopped before it was healthy"
            );
            assert_eq!(run["services"][1]["stdout"]["tail"], "working\n");
        }
    }
}

#[test]
fn ctrl_c_while_a_check_uses_services() {
    let stubborn = "trap '' TERM; echo up; while :; do sleep 300; done";
    for times in 1..=3 {
        let db = match times {
            1 => noting("db", ""),
            // A second word is for it as well, or the first one would be waited for.
            _ => service(
                "db",
                stubborn,
                &format!("{HEALTHY}\nstop = {{ within = \"1h\" }}"),
            ),
        };
        let ends = if times == 1 { "" } else { "trap '' TERM;" };
        let project = Project::new(
            &(db + &noting("web", "needs = [\"db\"]")
                + &check(
                    "it",
                    &format!("{ends} touch middle; while :; do sleep 300; done"),
                    "needs = [\"web\"]",
                )),
        );
        interrupted(&project, times);
        if times == 1 {
            assert_eq!(text(&project, "stopped"), "web\ndb\n");
        }
    }
}

#[test]
fn ctrl_c_while_services_are_stopped() {
    let slow = "trap 'touch middle; while [ ! -e interrupted ]; do sleep 0.01; done; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    let stubborn = "trap 'touch middle' TERM; echo up; while :; do sleep 0.01; done";
    for (script, times) in [(slow, 1), (stubborn, 2), (stubborn, 3)] {
        let more = format!("{HEALTHY}\nstop = {{ within = \"1h\" }}");
        let project = Project::new(
            // What the one that hangs needs is stopped after it, and hangs as well.
            &(service("db", if times == 1 { slow } else { stubborn }, &more)
                + &service("web", script, &format!("{more}\nneeds = [\"db\"]"))
                + &check("it", "exit 0", "needs = [\"web\"]")),
        );
        interrupted(&project, times);
    }
}

#[test]
fn a_run_that_reaches_its_limit_ends_in_order() {
    let project = Project::new(
        &(noting("db", "")
            + &check("runs", "touch runs; sleep 300", "needs = [\"db\"]")
            + &check("never", "touch never", "needs = [\"db\"]")),
    );
    let done = checked(&project, &["--jobs", "1", "--timeout", "5s"]);
    assert!(project.has("runs"), "the machine is too slow to tell");
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    assert_eq!(done.verdict("runs"), "unverified interrupted");
    assert_eq!(done.reason("runs"), "stopped before it ended");
    assert_eq!(done.verdict("never"), "unverified not-run");
    assert_eq!(done.reason("never"), "the run was stopped before its turn");
    assert!(!project.has("never"));
    assert_eq!(states(&done), ["db healthy"]);
    assert_eq!(text(&project, "stopped"), "db\n");
    let warning =
        "the run reached its time limit of 5.0 s: what had not ended by then is unverified";
    assert!(
        done.warnings().contains(&warning.to_string()),
        "{:?}",
        done.warnings()
    );
    let runs = project.recorded_runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (&runs[0]["interrupted"], &runs[0]["complete"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_limit_is_longer_than_nothing() {
    let project = Project::script("exit 0", "");
    for limit in ["0s", "soon"] {
        let done = project.start(&["check", "--timeout", limit]).finish();
        assert_eq!(done.status, Some(2), "{}", done.stderr);
    }
}

#[test]
fn nobody_to_tell_is_no_reason_to_leave_a_service_running() {
    let project = Project::new(&(noting("db", "") + &check("it", "exit 0", "needs = [\"db\"]")));
    for stderr in ["2>&-", "2> /dev/full", "2> >(exec true)"] {
        let mut command = Command::new("bash");
        let script = format!("exec '{}' check {stderr}", env!("CARGO_BIN_EXE_ready"));
        project.prepare(command.args(["-c", &script]).stdin(Stdio::null()));
        let done = Running::new(command).finish();
        project.nothing_runs();
        assert_eq!(done.status, Some(0), "{stderr}: {}", done.text());
        assert!(done.text().contains("verified"), "{}", done.text());
    }
    assert_eq!(text(&project, "stopped"), "db\ndb\ndb\n");
    assert_eq!(project.recorded_runs().len(), 3);
}
