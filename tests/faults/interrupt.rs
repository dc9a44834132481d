//! Ctrl-C, once and more often, and an end without warning.

use crate::support::{Done, Project, Running, check, wait_until};
use rustix::process::Signal;

/// Checks of which the first two run, with all that makes ending them hard, and the last never begins.
fn to_interrupt() -> Project {
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 300; done' & touch stubborn; while :; do sleep 300; done";
    let polite = "setsid sleep 300 & sleep 300 & touch polite; wait";
    Project::new(
        &(check("stubborn", stubborn, "")
            + &check("polite", polite, "")
            + &check("never", "touch never", "")),
    )
}

fn interrupted(words: &[&str], signal: Signal) -> (Project, Done) {
    let project = to_interrupt();
    let mut running = Running::new({
        let mut command = project.command(&["check", "--format", "table", "--jobs", "2"]);
        command.env("COLUMNS", "200");
        command
    });
    wait_until("both checks run", || {
        project.has("stubborn") && project.has("polite")
    });
    for words in words {
        running.signal(signal);
        if !words.is_empty() {
            running.wait_for_line(words);
        }
    }
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130), "{}", done.stderr);
    assert!(!project.has("never"));
    (project, done)
}

const ASKED: &str = "running checks are asked to end";
const MADE: &str = "running checks are made to end";

#[test]
fn ctrl_c_ends_the_run_and_records_it() {
    for (words, signal) in [
        ([ASKED].as_slice(), Signal::INT),
        (&[ASKED, MADE], Signal::INT),
        (&[ASKED], Signal::TERM),
        (&[ASKED], Signal::HUP),
    ] {
        let (project, done) = interrupted(words, signal);
        assert!(
            done.text().contains("not-run") || done.text().contains("stopped before its turn"),
            "{}",
            done.text()
        );
        let runs = project.recorded_runs();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["interrupted"], true);
        assert_eq!(runs[0]["complete"], false);
    }
}

#[test]
fn the_report_of_an_interrupted_run_says_so() {
    let project = to_interrupt();
    let running = project.start(&["check", "--format", "json", "--jobs", "2"]);
    wait_until("both checks run", || {
        project.has("stubborn") && project.has("polite")
    });
    running.signal(Signal::INT);
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.report()["run"]["interrupted"], true);
    assert_eq!(done.verdict("stubborn"), "unverified interrupted");
    assert_eq!(done.verdict("polite"), "unverified interrupted");
    assert_eq!(done.verdict("never"), "unverified not-run");
    assert_eq!(done.report()["decision"]["open"], false);
    assert_eq!(project.recorded_runs().len(), 1);
}

#[test]
fn the_third_ctrl_c_ends_at_once_and_leaves_nothing_either() {
    // Nothing can hold up the second word for long, so that the third may come after the end; then it changes nothing.
    let (project, _) = interrupted(&[ASKED, MADE, ""], Signal::INT);
    let runs = if project.has(".ready/ledger.sqlite") {
        project.recorded_runs().len()
    } else {
        0
    };
    assert!(runs <= 1, "{runs}");
}

#[test]
fn an_interrupted_run_is_never_evidence() {
    let project = Project::script("[ -e go ] && exit 0; touch runs; sleep 300", "");
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it runs", || project.has("runs"));
    running.signal(Signal::INT);
    assert_eq!(running.finish().status, Some(130));
    let done = project.start(&["status", "--format", "json"]).finish();
    assert_eq!(done.verdict("it"), "unverified not-run");
}

#[test]
fn a_request_that_is_not_answered_ends_with_ctrl_c() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "[checks.it]\nsays = \"x\"\nhttp = \"http://127.0.0.1:{port}/\"\n"
    ));
    let running = project.start(&["check", "--format", "json"]);
    let _connection = server.accept().unwrap();
    running.signal(Signal::INT);
    let done = running.finish();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
}

#[test]
fn an_answer_that_is_waited_for_is_no_longer_after_ctrl_c() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = Project::new(
        &(format!(
            "[checks.it]\nsays = \"x\"\nhttp = \"http://127.0.0.1:{port}/\"\nexpect = {{ within = \"10m\" }}\n"
        ) + &check("never", "touch never", "needs = [\"it\"]")),
    );
    let running = project.start(&["check", "--format", "json"]);
    // It is answered with nothing at all, and asks again.
    for _ in 0..3 {
        drop(server.accept().unwrap());
    }
    running.signal(Signal::INT);
    let done = running.finish();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
    assert_eq!(done.verdict("never"), "unverified not-run");
    assert!(!project.has("never"));
}

#[test]
fn a_run_that_is_killed_can_be_followed_by_another() {
    let project = Project::script("touch runs; [ -e go ] || sleep 300", "");
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it runs", || project.has("runs"));
    running.signal(Signal::KILL);
    assert_eq!(running.finish().status, None);
    // Nothing is left that could end them: the test does.
    project
        .running()
        .iter()
        .for_each(|(pid, _)| _ = rustix::process::kill_process(*pid, Signal::KILL));
    project.write("go", "");
    assert_eq!(project.check().verdict("it"), "verified held");
    assert_eq!(project.recorded_runs().len(), 1);
}
