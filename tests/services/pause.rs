//! Ctrl-Z: everything stands still, the time limits with it, and goes on where it was.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::support::{Project, check, wait_until};
use crate::{noting, service, text};

/// Longer than it takes to get from a start to a stop, shorter than the stop.
const LIMIT: &str = "12s";
const STOPPED_FOR: Duration = Duration::from_millis(12_500);

fn state(pid: Pid) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after
        .split_whitespace()
        .next()
        .unwrap_or("gone")
        .to_string()
}

/// Stopped; or held up by a child that was stopped before it became another program (vfork).
fn stands_still(state: &str) -> bool {
    matches!(state, "T" | "D")
}

/// Stops a run, and lets it go on after longer than its limits.
fn paused(project: &Project, args: &[&str], processes: usize) -> crate::support::Done {
    let args = [&["check", "--format", "json"], args].concat();
    let running = project.start(&args);
    wait_until("it is in the middle of it", || project.has("middle"));
    running.signal(Signal::TSTP);
    let all_stopped = || {
        let all = project.running();
        all.len() >= processes && all.iter().all(|(pid, _)| stands_still(&state(*pid)))
    };
    wait_until("all stand still", all_stopped);
    let since = Instant::now();
    wait_until("it is longer than the limit", || {
        since.elapsed() > STOPPED_FOR
    });
    // None of them has gone on meanwhile.
    assert!(all_stopped(), "{:?}", project.running());
    project.write("go", "");
    running.signal(Signal::CONT);
    let done = running.finish();
    project.nothing_runs();
    done
}

#[test]
fn no_limit_runs_out_while_a_run_is_stopped() {
    let project = Project::new(
        &(noting("db", "")
            + &check(
                "it",
                "touch middle; while [ ! -e go ]; do sleep 0.01; done",
                &format!("needs = [\"db\"]\ntimeout = \"{LIMIT}\""),
            )),
    );
    // `ready`, the service and what it waits for, the check.
    let done = paused(&project, &["--timeout", LIMIT], 4);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert_eq!(done.verdict("it"), "verified held");
    assert_eq!(text(&project, "stopped"), "db\n");
    assert_eq!(project.recorded_runs()[0]["interrupted"], false);
}

#[test]
fn nor_does_the_time_that_a_service_has() {
    let project = Project::new(
        &(service(
            "db",
            "touch middle; while [ ! -e go ]; do sleep 0.01; done; echo up; sleep 300 & wait",
            &format!("healthy = {{ log = \"^up$\", within = \"{LIMIT}\" }}"),
        ) + &check("it", "exit 0", "needs = [\"db\"]")),
    );
    let done = paused(&project, &[], 2);
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
}

#[test]
fn nor_that_of_a_call() {
    let project = Project::new(&check(
        "it",
        "touch middle; while [ ! -e go ]; do sleep 0.01; done; exec 3<> /dev/tcp/127.0.0.1/{listen.port}; printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3",
        &format!("listen = {{ path = \"/\", within = \"{LIMIT}\" }}"),
    ).replace("shell = true\nrun = '''\n", "run = [\"bash\", \"-c\", '''\n").replace("'''\nlisten", "''']\nlisten"));
    let done = paused(&project, &[], 2);
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
}

#[test]
fn a_run_may_be_stopped_again_and_again_and_interrupted_then() {
    let project = Project::new(
        &(noting("db", "") + &check("it", "touch middle; sleep 300", "needs = [\"db\"]")),
    );
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it is in the middle of it", || project.has("middle"));
    let all = |wanted: fn(&str) -> bool| {
        project
            .running()
            .iter()
            .all(|(pid, _)| wanted(&state(*pid)))
    };
    for _ in 0..20 {
        running.signal(Signal::TSTP);
        wait_until("all stand still", || all(stands_still));
        running.signal(Signal::CONT);
        wait_until("all go on", || all(|state| state != "T"));
    }
    running.signal(Signal::TSTP);
    wait_until("all stand still", || all(stands_still));
    // As a shell does that gives up on it.
    running.signal(Signal::INT);
    running.signal(Signal::CONT);
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
    assert_eq!(text(&project, "stopped"), "db\n");
}
