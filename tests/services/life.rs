//! Which services are started, how often, in what order, and in what order they are stopped.

use rustix::process::Signal;

use crate::support::{Project, check, wait_until};
use crate::{checked, noting, of_service, states, text};

/// `web` needs `db`; nothing needs `other` but a check of its own.
fn shop() -> Project {
    Project::new(
        &(noting("web", "needs = [\"db\"]")
            + &noting("db", "")
            + &noting("other", "")
            + &check("page", "exit 0", "needs = [\"web\"]")
            + &check("rows", "exit 0", "needs = [\"db\", \"web\"]")
            + &check("broken", "exit 1", "needs = [\"web\"]")
            + &check("waits", "touch waits; sleep 300", "needs = [\"web\"]")
            + &check("lint", "exit 0", "")
            + &check("far", "exit 0", "needs = [\"other\"]")),
    )
}

fn in_order(project: &Project) {
    assert_eq!(text(project, "started"), "db\nweb\n");
    assert_eq!(text(project, "stopped"), "web\ndb\n");
}

#[test]
fn what_selected_checks_need_is_started_once_and_stopped_in_reverse_order() {
    for jobs in ["1", "4"] {
        let project = shop();
        let done = checked(&project, &["page", "rows", "--jobs", jobs]);
        assert_eq!(done.status, Some(0), "{}", done.stderr);
        assert_eq!(done.verdict("page"), "verified held");
        assert_eq!(done.verdict("rows"), "verified held");
        assert_eq!(states(&done), ["web healthy", "db healthy"]);
        in_order(&project);
        let db = of_service(&done, "db");
        assert_eq!(db["stdout"]["tail"], "up\n");
        assert_eq!(db["reason"], serde_json::Value::Null);
        assert_eq!(db["teardown"], serde_json::Value::Null);
        assert!(
            db["healthy_after_ms"].is_u64() && db["started"].is_string(),
            "{db}"
        );
        // The ledger knows what the report knows.
        let runs = project.recorded_runs();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["services"], done.report()["run"]["services"]);
    }
}

#[test]
fn they_are_stopped_so_after_a_failure_too() {
    let project = shop();
    let done = checked(&project, &["broken"]);
    assert_eq!(done.status, Some(1));
    assert_eq!(done.verdict("broken"), "failed exit-status");
    in_order(&project);
}

#[test]
fn and_after_ctrl_c() {
    let project = shop();
    let running = project.start(&["check", "waits", "--format", "json"]);
    wait_until("the check runs", || project.has("waits"));
    running.signal(Signal::INT);
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("waits"), "unverified interrupted");
    assert_eq!(states(&done), ["web healthy", "db healthy"]);
    in_order(&project);
}

#[test]
fn a_selection_that_needs_none_starts_none() {
    let project = shop();
    let done = checked(&project, &["lint"]);
    assert_eq!(done.status, Some(0));
    assert_eq!(states(&done), [""; 0]);
    assert!(!project.has("started"));
}

#[test]
fn checks_that_do_not_run_start_none() {
    let project = Project::new(
        &(noting("db", "")
            + &check(
                "elsewhere",
                "exit 0",
                "needs = [\"db\"]\nos = [\"windows\"]",
            )
            + &check("asked", "exit 0", "needs = [\"db\"]\non_demand = true")),
    );
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("elsewhere"), "unverified wrong-platform");
    assert_eq!(done.verdict("asked"), "unverified not-run");
    assert_eq!(states(&done), [""; 0]);
    assert!(!project.has("started"));
    let done = checked(&project, &["asked"]);
    assert_eq!(done.verdict("asked"), "verified held");
    assert_eq!(text(&project, "started"), "db\n");
}

#[test]
fn a_check_that_is_alone_has_its_service_all_the_same() {
    let project = Project::new(
        &(noting("db", "")
            + &check("one", "exit 0", "needs = [\"db\"]\nalone = true")
            + &check("two", "exit 0", "needs = [\"db\"]\nalone = true")
            + &check("three", "exit 0", "")),
    );
    let done = checked(&project, &["--jobs", "4"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert_eq!(text(&project, "started"), "db\n");
}

#[test]
fn a_service_may_need_a_check() {
    let with = |script: &str| {
        let project = Project::new(
            &(check("migrated", script, "")
                + &noting("web", "needs = [\"migrated\"]")
                + &check("page", "exit 0", "needs = [\"web\"]")),
        );
        let done = checked(&project, &["page"]);
        (project, done)
    };
    let (project, done) = with("[ ! -e started ]");
    assert_eq!(done.verdict("page"), "verified held");
    assert_eq!(text(&project, "started"), "web\n");
    let (project, done) = with("exit 1");
    let why = "service `web` was not started: it needs `migrated`, which does not hold";
    assert_eq!(done.verdict("page"), "unverified needs-failed");
    assert_eq!(done.reason("page"), why);
    assert_eq!(states(&done), ["web not-started"]);
    assert_eq!(of_service(&done, "web")["reason"]["text"], why);
    assert!(!project.has("started"));
}

#[test]
fn once_a_check_fails_fast_no_service_is_started_or_waited_for() {
    let project = Project::new(
        &(check(
            "wrong",
            "while [ ! -e starting ]; do sleep 0.01; done; exit 1",
            "",
        ) + &crate::service(
            "slow",
            "touch starting; sleep 300",
            "healthy = { log = \"up\", within = \"1h\" }",
        ) + &noting("later", "needs = [\"slow\"]")
            + &check("page", "touch page", "needs = [\"later\"]")),
    );
    let done = checked(&project, &["--fail-fast", "--jobs", "2"]);
    assert_eq!(done.verdict("wrong"), "failed exit-status");
    assert_eq!(done.verdict("page"), "unverified not-run");
    assert_eq!(
        done.reason("page"),
        "the run ended with the failure of `wrong`"
    );
    assert_eq!(states(&done), ["slow not-started", "later not-started"]);
    assert!(!project.has("page") && !project.has("started"));
}
