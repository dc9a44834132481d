//! Services that ran and are down: evidence against what needs them.

use rustix::process::Signal;

use crate::support::{Project, check, wait_until};
use crate::{checked, free_port, of_service, service, states};

const AT_LEISURE: &str = "healthy = { log = \"^up$\", within = \"1h\" }";

#[test]
fn one_that_ends_while_it_is_awaited_fails_its_checks_at_once() {
    let project = Project::new(
        &(service(
            "db",
            "echo starting; echo 'cannot open the data' >&2; exit 3",
            AT_LEISURE,
        ) + &check("one", "touch ran", "needs = [\"db\"]")
            + &check("two", "touch ran", "needs = [\"db\"]\nretries = 3")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.status, Some(1));
    let why = "service `db` ended with exit status 3 before it was healthy: cannot open the data";
    for id in ["one", "two"] {
        assert_eq!(done.verdict(id), "failed service-failed");
        assert_eq!(done.reason(id), why);
        // What it said is evidence of the check as well.
        assert_eq!(done.attempt(id)["stderr"]["tail"], "cannot open the data\n");
        assert_eq!(done.attempt(id)["stdout"]["tail"], "starting\n");
    }
    assert!(!project.has("ran"));
    assert_eq!(states(&done), ["db died"]);
    assert_eq!(of_service(&done, "db")["reason"]["text"], why);
}

#[test]
fn one_that_is_ended_by_a_signal_is_told_so() {
    let project = Project::new(
        &(service("db", "kill -9 $$", AT_LEISURE) + &check("it", "exit 0", "needs = [\"db\"]")),
    );
    let done = checked(&project, &[]);
    assert_eq!(
        done.reason("it"),
        "service `db` ended with signal 9 before it was healthy"
    );
}

#[test]
fn one_that_never_gets_healthy_fails_its_checks() {
    let port = free_port();
    for (more, why) in [
        (
            "healthy = { log = \"^up$\", within = \"300ms\" }".to_string(),
            "no line of its output matches".to_string(),
        ),
        (
            format!("port = {port}\nhealthy = {{ port = true, within = \"300ms\" }}"),
            "nothing listens on its port".to_string(),
        ),
    ] {
        let project = Project::new(
            &(service("db", "echo working >&2; sleep 300", &more)
                + &check("it", "touch ran", "needs = [\"db\"]")),
        );
        let done = checked(&project, &[]);
        assert_eq!(done.verdict("it"), "failed service-failed");
        assert_eq!(
            done.reason("it"),
            format!("service `db` was not healthy within 300 ms: {why}")
        );
        assert_eq!(states(&done), ["db unhealthy"]);
        assert!(!project.has("ran"));
    }
}

/// Ends once `die` is there, and leaves a process behind that holds its output.
const DIES: &str = "echo $$ > pid; echo up; while [ ! -e die ]; do sleep 0.01; done; echo 'out of disk' >&2\nsleep 300 & exit 4";
/// Has it end, and waits until it has: until nothing but its number is left.
pub(crate) const KILLS: &str = "touch die; pid=$(cat pid)\nwhile [ -e /proc/$pid ] && ! grep -q ') Z ' /proc/$pid/stat; do sleep 0.01; done";

#[test]
fn one_that_dies_under_a_check_fails_it_however_it_ended() {
    for (status, ended) in [("0", "exit status 0"), ("7", "exit status 7")] {
        let project = Project::new(
            &(service("db", DIES, AT_LEISURE)
                + &check("it", &format!("{KILLS}\nexit {status}"), "needs = [\"db\"]")
                + &check("later", "touch later", "needs = [\"db\"]")),
        );
        let done = checked(&project, &["--jobs", "1"]);
        let why = "service `db` ended with exit status 4 while the run used it: out of disk";
        assert_eq!(done.verdict("it"), "failed service-failed");
        assert_eq!(
            done.reason("it"),
            format!("{why} (the check itself: {ended})")
        );
        // Those that come after it do not begin at all.
        assert_eq!(done.verdict("later"), "failed service-failed");
        assert_eq!(done.reason("later"), why);
        assert!(!project.has("later"));
        assert_eq!(states(&done), ["db died"]);
        assert!(
            done.warnings().contains(&why.to_string()),
            "{:?}",
            done.warnings()
        );
        let leaked = of_service(&done, "db")["leaked"][0].to_string();
        assert!(leaked.starts_with("\"sleep 300 ("), "{leaked}");
    }
}

#[test]
fn one_that_dies_once_its_check_has_ended_fails_it_all_the_same() {
    let checks = check("it", "exit 0", "needs = [\"db\"]")
        + &check("kills", KILLS, "needs = [\"it\"]")
        + &check("other", "exit 0", "");
    let project = Project::new(&(service("db", DIES, AT_LEISURE) + &checks));
    let done = checked(&project, &["--jobs", "1"]);
    let why = "service `db` ended with exit status 4 while the run used it: out of disk";
    assert_eq!(done.verdict("it"), "failed service-failed");
    assert_eq!(
        done.reason("it"),
        format!("{why} (the check itself: exit status 0)")
    );
    // What was built on it has lost its ground.
    assert_eq!(done.verdict("kills"), "unverified needs-failed");
    assert_eq!(done.verdict("other"), "verified held");
    assert_eq!(done.status, Some(1));
    let status = project.start(&["status", "--format", "json"]).finish();
    assert_ne!(status.row("it")["verdict"], "verified");
    assert_ne!(status.row("kills")["verdict"], "verified");
}

#[test]
fn those_that_need_it_learn_of_it_long_after_it_died() {
    let project = Project::new(
        &(service("db", DIES, AT_LEISURE)
            + &check("kills", &format!("{KILLS}\nwhile [ -e /proc/$pid ]; do sleep 0.01; done"), "needs = [\"db\"]")
            // Its turn comes once nothing is left to be found of the service.
            + &check("later", "touch later", "needs = [\"db\"]")),
    );
    let done = checked(&project, &["--jobs", "1"]);
    assert_eq!(done.verdict("kills"), "failed service-failed");
    assert_eq!(done.verdict("later"), "failed service-failed");
    assert!(!project.has("later"));
}

#[test]
fn one_that_puts_itself_in_the_background_is_down() {
    // What it left behind may say what it will.
    let script = "p=$$\n(until grep -q ') Z ' /proc/$p/stat; do sleep 0.01; done; echo up; exec sleep 300) &\nexit 0";
    let project = Project::new(
        &(service("db", script, AT_LEISURE) + &check("it", "touch ran", "needs = [\"db\"]")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "failed service-failed");
    assert_eq!(
        done.reason("it"),
        "service `db` ended with exit status 0 before it was healthy: up"
    );
    assert!(!project.has("ran"));
}

#[test]
fn status_shows_the_failure_and_not_what_was_seen_before() {
    let script = "[ \"$BROKEN\" ] && exit 5\necho up; sleep 300 & wait";
    let project = Project::new(
        &(service("db", script, AT_LEISURE) + &check("it", "exit 0", "needs = [\"db\"]")),
    );
    let status = || project.start(&["status", "--format", "json"]).finish();
    assert_eq!(checked(&project, &[]).verdict("it"), "verified held");
    assert_eq!(status().verdict("it"), "verified held");
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("BROKEN", "1");
    crate::support::Running::new(command).finish();
    assert_eq!(status().verdict("it"), "failed service-failed");
    assert_eq!(
        status().reason("it"),
        "service `db` ended with exit status 5 before it was healthy"
    );
}

#[test]
fn evidence_of_a_service_that_was_changed_is_stale() {
    let manifest = |script: &str, env: &str, health: &str| {
        format!(
            "[project]\nname = \"faults\"\n{}{}{}{}",
            service(
                "db",
                script,
                &format!("healthy = {{ log = \"{health}\" }}\nenv = {{ X = \"{env}\" }}")
            ),
            service(
                "web",
                "echo up; sleep 300 & wait",
                "needs = [\"db\"]\nhealthy = { log = \"up\" }"
            ),
            check("it", "exit 0", "needs = [\"web\"]"),
            check("apart", "exit 0", ""),
        )
    };
    let (script, env, health) = ("echo up; sleep 300 & wait", "1", "up");
    let project = Project::new("");
    let before = manifest(script, env, health);
    project.write("readiness.toml", &before);
    assert_eq!(checked(&project, &[]).verdict("it"), "verified held");
    let status = || project.start(&["status", "--format", "json"]).finish();
    for changed in [
        manifest("echo up; sleep 301 & wait", env, health),
        manifest(script, "2", health),
        manifest(script, env, "^up"),
    ] {
        project.write("readiness.toml", &changed);
        let done = status();
        assert_eq!(done.verdict("it"), "unverified stale", "{changed}");
    }
    project.write("readiness.toml", &before);
    assert_eq!(status().verdict("it"), "verified held");
}

#[test]
fn a_check_that_was_interrupted_shows_nothing_even_where_its_service_died() {
    let project = Project::new(
        &(service(
            "db",
            "echo $$ > pid; echo up; while [ ! -e die ]; do sleep 0.01; done",
            AT_LEISURE,
        ) + &check(
            "it",
            "trap 'touch asked; while [ ! -e end ]; do sleep 0.01; done; exit 0' TERM; touch runs; while :; do sleep 0.01; done",
            "needs = [\"db\"]",
        )),
    );
    let running = project.start(&["check", "--format", "json"]);
    wait_until("the check runs", || project.has("runs"));
    running.signal(Signal::INT);
    wait_until("it is asked to end", || project.has("asked"));
    project.write("die", "");
    let pid = crate::text(&project, "pid");
    let gone = || !std::path::Path::new("/proc").join(pid.trim()).exists();
    wait_until("the service is gone", gone);
    project.write("end", "");
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "unverified interrupted");
    assert_eq!(done.status, Some(130));
}

#[test]
fn a_service_that_talks_all_the_time_costs_no_memory() {
    let flood = "echo up; yes 'all is well, and still is, and will be' | head -c 60000000\ntouch flooded; sleep 300 & wait";
    let project = Project::new(
        &(service("db", flood, AT_LEISURE)
            + &check(
                "it",
                "while [ ! -e go ]; do sleep 0.01; done",
                "needs = [\"db\"]",
            )),
    );
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it has said all of it", || project.has("flooded"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
    project.write("go", "");
    let done = running.finish();
    project.nothing_runs();
    assert!(peak < 200_000, "{peak} kB");
    assert_eq!(done.verdict("it"), "verified held");
    let stdout = of_service(&done, "db")["stdout"].clone();
    assert_eq!(stdout["truncated"], true);
    assert_eq!(stdout["bytes"], 60_000_003);
}
