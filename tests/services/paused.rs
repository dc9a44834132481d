//! Ctrl-Z: everything stands still, time limits with it, and goes on as if nothing had been.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::support::{Project, check, wait_until};
use super::{lasting, service};

/// Whether a process is stopped.
fn stopped(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('T'))
}

#[test]
fn a_stopped_run_loses_no_time() {
    let limit = Duration::from_secs(4);
    let waits = check(
        "waits",
        "echo $$ > pid\nwhile [ ! -e go ]; do sleep 0.01; done",
        "needs = ['api']\ntimeout = '4s'",
    );
    let project = Project::new(
        &(service("api", &format!("echo $$ > service\n{}", lasting("api")), "") + &waits),
    );
    let running = project.start(&["check", "--format", "json"]);
    let pid = |name: &str| {
        let text = std::fs::read_to_string(project.path(name)).unwrap_or_default();
        text.trim().parse().ok().and_then(Pid::from_raw)
    };
    wait_until("the check runs", || {
        pid("pid").is_some() && pid("service").is_some()
    });
    running.signal(Signal::TSTP);
    let all = [running.pid(), pid("pid").unwrap(), pid("service").unwrap()];
    wait_until("all are stopped", || all.iter().all(|pid| stopped(*pid)));
    let since = Instant::now();
    wait_until("longer than the limit", || {
        since.elapsed() > limit + limit / 4
    });
    running.signal(Signal::CONT);
    wait_until("all go on", || !all.iter().any(|pid| stopped(*pid)));
    project.write("go", "");
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(
        done.verdict("waits"),
        "verified held",
        "{}",
        done.reason("waits")
    );
    assert_eq!(done.status, Some(0));
}
