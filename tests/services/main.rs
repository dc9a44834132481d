//! Services around checks, and `listen`: started when they are needed and no sooner, awaited, watched, always stopped,
//! whoever ends the run and when.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod ended;
mod listening;
mod paused;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other test programs use the rest")]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;
use support::{Done, Project, check};

/// A service that is a script of the shell and says `up` when it is healthy.
pub fn service(id: &str, script: &str, more: &str) -> String {
    let healthy = if more.contains("healthy") || more.contains("port") {
        ""
    } else {
        "healthy = { log = '^up$', within = '60s' }"
    };
    format!("[services.{id}]\nshell = true\nrun = '''\n{script}'''\n{healthy}\n{more}\n")
}

/// Runs until it is asked to end, and notes both: in `starts` and in `stops`.
pub fn lasting(id: &str) -> String {
    format!(
        "echo {id} >> starts\ntrap 'echo {id} >> stops; exit 0' TERM\necho up\nwhile :; do sleep 0.02; done\n"
    )
}

/// A program that never runs: the service of what only needs its word.
const NEEDS_API: &str = "needs = ['api']";

/// What the report says of a service.
pub fn of(done: &Done, id: &str) -> Value {
    let report = done.report();
    let services = report["run"]["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["id"] == id);
    found
        .cloned()
        .unwrap_or_else(|| panic!("no service `{id}`: {services:?}"))
}

/// The warnings, but for the one about what these projects' own programs write.
pub fn warnings(done: &Done) -> Vec<String> {
    let mut warnings = done.warnings();
    warnings.retain(|warning| !warning.starts_with("files were changed"));
    warnings
}

fn lines(project: &Project, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(project.path(name)).unwrap_or_default();
    text.lines().map(str::to_string).collect()
}

/// A check that is verified where the service runs at the time.
fn uses(id: &str, service: &str) -> String {
    check(id, "exit 0", &format!("needs = ['{service}']"))
}

#[test]
fn a_service_is_started_once_shared_and_stopped() {
    let checks = ["a", "b", "c"].map(|id| uses(id, "api")).concat();
    let project = Project::new(&(service("api", &lasting("api"), "") + &checks));
    let done = project.check();
    project.nothing_runs();
    for id in ["a", "b", "c"] {
        assert_eq!(done.verdict(id), "verified held");
    }
    assert_eq!(lines(&project, "starts"), ["api"]);
    assert_eq!(lines(&project, "stops"), ["api"]);
    let api = of(&done, "api");
    assert_eq!(api["state"], "healthy");
    assert_eq!(api["stdout"]["tail"], "up\n");
    assert_eq!(api["reason"], Value::Null);
    assert!(api["healthy_after_ms"].is_u64() && api["duration_ms"].is_u64());
    assert_eq!(warnings(&done), [""; 0]);
}

#[test]
fn none_is_started_that_no_selected_check_needs() {
    let elsewhere = check("elsewhere", "exit 0", "needs = ['api']\nos = ['windows']");
    let rare = check("rare", "exit 0", "needs = ['api']\non_demand = true");
    let project = Project::new(
        &(service("api", &lasting("api"), "")
            + &uses("a", "api")
            + &check("b", "exit 0", "")
            + &elsewhere
            + &rare),
    );
    for args in [
        ["check", "b"].as_slice(),
        &["check", "elsewhere"],
        &["status"],
        &["list"],
    ] {
        project.start(args).finish();
        assert!(!project.has("starts"), "{args:?}");
    }
    let done = project.start(&["check", "b", "--format", "json"]).finish();
    assert_eq!(done.report()["run"]["services"], serde_json::json!([]));
    project.start(&["check", "rare"]).finish();
    assert_eq!(lines(&project, "starts"), ["api"]);
    project.nothing_runs();
}

#[test]
fn they_start_in_order_of_their_needs_and_stop_in_the_other() {
    let services = service("web", &lasting("web"), "needs = ['api']")
        + &service("db", &lasting("db"), "")
        + &service("api", &lasting("api"), "needs = ['db', 'migrated']");
    let migrated = check("migrated", "echo migrated >> starts", "needs = ['db']");
    let project = Project::new(&(services + &migrated + &uses("a", "web")));
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("a"), "verified held");
    assert_eq!(lines(&project, "starts"), ["db", "migrated", "api", "web"]);
    assert_eq!(lines(&project, "stops"), ["web", "api", "db"]);
}

#[test]
fn what_a_service_needs_and_does_not_get_leaves_its_checks_open() {
    let failing = check("migrated", "exit 1", "");
    let project = Project::new(
        &(service("api", &lasting("api"), "needs = ['migrated']") + &failing + &uses("a", "api")),
    );
    let done = project.check();
    assert_eq!(done.verdict("a"), "unverified needs-failed");
    assert_eq!(
        done.reason("a"),
        "service `api` was not started: it needs `migrated`, which does not hold"
    );
    assert!(!project.has("starts"));
}

#[test]
fn one_that_dies_while_it_is_awaited_fails_its_checks_with_its_last_words() {
    let dying = service("api", "echo starting\necho 'no database' >&2\nexit 3\n", "");
    let project = Project::new(&(dying + &uses("a", "api") + &uses("b", "api")));
    let done = project.check();
    project.nothing_runs();
    for id in ["a", "b"] {
        assert_eq!(done.verdict(id), "failed service-failed");
        assert_eq!(
            done.reason(id),
            "service `api` ended with exit status 3 before it was healthy: no database"
        );
        assert_eq!(done.attempt(id)["stderr"]["tail"], "no database\n");
    }
    assert_eq!(of(&done, "api")["state"], "died");
    assert_eq!(of(&done, "api")["outcome"]["exit"], 3);
    assert_eq!(done.status, Some(1));
    // It is recorded: what was green before is not shown again.
    let status = project.start(&["status", "--format", "json"]).finish();
    assert_eq!(status.verdict("a"), "failed service-failed");
}

#[test]
fn one_that_never_gets_healthy_is_stopped_and_fails_its_checks() {
    let more = "healthy = { log = 'never', within = '300ms' }\nstop = { within = '200ms' }";
    let stubborn = "trap '' TERM\necho still starting\nwhile :; do sleep 0.02; done\n";
    let project = Project::new(&(service("api", stubborn, more) + &uses("a", "api")));
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("a"), "failed service-failed");
    assert_eq!(
        done.reason("a"),
        "service `api` was not healthy within 300 ms: no line of its output matches"
    );
    let api = of(&done, "api");
    assert_eq!(api["state"], "unhealthy");
    assert_eq!(api["stdout"]["tail"], "still starting\n");
    let teardown = "it did not end within 200 ms of being asked to, and was made to";
    assert_eq!(api["teardown"], teardown);
    assert_eq!(
        warnings(&done),
        [format!(
            "service `api` was not stopped as it should be: {teardown}"
        )]
    );
}

#[test]
fn one_that_dies_under_a_check_fails_it_and_those_after_it() {
    let dying = "echo up\nwhile [ ! -e kill ]; do sleep 0.01; done\necho lost >&2\nexit 4\n";
    // It ends well, but only once the service is gone: `dead` is written by whoever waits for the service.
    let under = check(
        "under",
        "touch kill\nwhile [ -d /proc/$(cat pid) ]; do sleep 0.01; done",
        NEEDS_API,
    );
    let after = check("after", "exit 0", "needs = ['api', 'under-over']");
    let over = check(
        "under-over",
        "while [ ! -e kill ]; do sleep 0.01; done\nwhile [ -d /proc/$(cat pid) ]; do sleep 0.01; done",
        "",
    );
    let script = format!("echo $$ > pid\n{dying}");
    let project = Project::new(&(service("api", &script, "") + &under + &over + &after));
    let done = project
        .start(&["check", "--format", "json", "--jobs", "3"])
        .finish();
    project.nothing_runs();
    assert_eq!(done.verdict("under"), "failed service-failed");
    assert_eq!(
        done.reason("under"),
        "service `api` ended with exit status 4 while checks used it: lost (the check itself: exit status 0)"
    );
    assert_eq!(done.verdict("after"), "failed service-failed");
    assert_eq!(of(&done, "api")["state"], "died");
    assert!(
        warnings(&done)[0].contains("ended with exit status 4"),
        "{:?}",
        warnings(&done)
    );
}

#[test]
fn one_that_cannot_be_started_leaves_its_checks_open() {
    let healthy = "healthy = { log = 'up' }";
    let program = |id: &str, run: &str, more: &str| {
        format!("[services.{id}]\nrun = {run}\n{healthy}\n{more}\n")
    };
    let services = program(
        "missing",
        "['ready-no-such-program']",
        "needs_tool = { name = 'x', install = 'build it' }",
    ) + &program("folder", "['true']", "cwd = 'nowhere'")
        + &program("variable", "['true', '{env.READY_TEST_NOT_SET}']", "")
        + &program(
            "cannot",
            "['sh', '-c', 'echo no engine >&2; exit 1']",
            "cannot_tell = { stderr = ['no engine'] }",
        );
    let ids = ["missing", "folder", "variable", "cannot"];
    let checks = ids.map(|id| uses(&format!("of-{id}"), id)).concat();
    let done = Project::new(&(services + &checks)).check();
    let told = ids.map(|id| {
        (
            done.verdict(&format!("of-{id}")),
            done.reason(&format!("of-{id}")),
        )
    });
    assert_eq!(told[0].0, "unverified tool-missing");
    assert_eq!(
        told[0].1,
        "service `missing` could not be started: `ready-no-such-program` is not on PATH; install it: build it"
    );
    assert_eq!(told[1].0, "unverified needs-failed");
    assert!(
        told[1].1.contains("the working directory") && told[1].1.contains("does not exist"),
        "{}",
        told[1].1
    );
    assert_eq!(told[2].0, "unverified cannot-tell");
    assert!(
        told[2].1.ends_with("`{env.READY_TEST_NOT_SET}` is not set"),
        "{}",
        told[2].1
    );
    assert_eq!(told[3].0, "unverified cannot-tell");
    assert_eq!(
        told[3].1,
        "service `cannot` could not be started here: no engine"
    );
}

#[test]
fn a_port_that_another_program_serves_is_told_and_nobody_is_asked() {
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port();
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in foreign.incoming().flatten() {
            let mut request = [0; 512];
            let length = stream.read(&mut request).unwrap_or(0);
            // Whoever only looks whether somebody listens says nothing.
            if length > 0 {
                let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        }
    });
    let api = format!(
        "[services.api]\nrun = ['sleep', '300']\nport = {port}\nhealthy = {{ http = 'http://127.0.0.1:{{port}}/' }}\n"
    );
    let health = "[checks.health]\nsays = 'it answers'\nneeds = ['api']\nhttp = 'http://127.0.0.1:{services.api.port}/'\n";
    let project = Project::new(&(api + health));
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("health"), "unverified port-taken");
    assert_eq!(
        done.reason("health"),
        format!("service `api` could not be started: port {port} is taken by another program")
    );
    assert!(asked.try_recv().is_err(), "the stranger was asked");
}

#[test]
fn a_port_of_its_own_reaches_its_checks_and_its_health_is_read() {
    let Some(python) = tools::find("services with python3", &["python3"]) else {
        return;
    };
    let server = r#"
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        body = b'{"status": "starting"}' if Handler.asked < 3 else b'{"status": "ok"}'
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;
    let services = ["one", "two"].map(|id| {
        format!(
            "[services.{id}]\nrun = ['{}', 'server.py', '{{port}}']\nport = 'auto'\nhealthy = {{ http = 'http://127.0.0.1:{{port}}/', expect = {{ json = {{ '$.status' = 'ok' }} }}, within = '60s' }}\n",
            python[0].display()
        )
    });
    let asks = "[checks.asks]\nsays = 'it answers'\nneeds = ['one', 'two']\nhttp = 'http://127.0.0.1:{services.one.port}/{services.two.port}'\nexpect = { json = { '$.status' = 'ok' } }\n";
    let argues = check(
        "argues",
        "echo $A {services.two.port}",
        "needs = ['one', 'two']\nenv = { A = '{services.one.port}' }",
    );
    let project = Project::new(&(services.concat() + asks + &argues));
    project.write("server.py", server);
    let done = project.check();
    project.nothing_runs();
    assert_eq!(
        done.verdict("asks"),
        "verified held",
        "{}",
        done.reason("asks")
    );
    let ports = ["one", "two"].map(|id| of(&done, id)["port"].as_u64().unwrap());
    assert_ne!(ports[0], ports[1]);
    assert_eq!(
        done.attempt("argues")["stdout"]["tail"],
        format!("{} {}\n", ports[0], ports[1])
    );
}

#[test]
fn a_changed_service_makes_the_evidence_of_its_checks_stale() {
    let manifest = |word: &str| {
        format!(
            "[project]\nname = 'x'\n{}{}",
            service("api", &format!("echo up\n: {word}\nexec sleep 300\n"), ""),
            uses("a", "api")
        )
    };
    let project = Project::new("");
    project.write("readiness.toml", &manifest("one"));
    assert_eq!(project.check().verdict("a"), "verified held");
    let status = || project.start(&["status", "--format", "json"]).finish();
    assert_eq!(status().verdict("a"), "verified held");
    project.write("readiness.toml", &manifest("two"));
    assert_eq!(status().verdict("a"), "unverified stale");
    assert_eq!(
        status().reason("a"),
        "the check was changed since it was last run"
    );
}

#[test]
fn secrets_in_what_a_service_says_are_masked_everywhere() {
    let api = service(
        "api",
        "echo \"token is $API_TOKEN\"\necho \"$API_TOKEN\" >&2\nexit 1\n",
        "env = { API_TOKEN = 'hunter2-hunter2' }",
    );
    let project = Project::new(&(api + &uses("a", "api")));
    let mut command = project.command(&["check", "--format", "json", "-v"]);
    command.env("COLUMNS", "200");
    let done = support::Running::new(command).finish();
    assert_eq!(done.verdict("a"), "failed service-failed");
    assert!(!done.text().contains("hunter2-hunter2") && !done.stderr.contains("hunter2-hunter2"));
    let ledger = project.ledger_bytes();
    let secret = b"hunter2-hunter2";
    assert!(!ledger.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn a_closed_standard_error_leaves_no_service_running() {
    let project = Project::new(&(service("api", &lasting("api"), "") + &uses("a", "api")));
    let mut command = std::process::Command::new("sh");
    project.prepare(command.args([
        "-c",
        &format!(
            "exec {} check --format json 2>&-",
            env!("CARGO_BIN_EXE_ready")
        ),
    ]));
    let done = support::Running::new(command).finish();
    project.nothing_runs();
    assert_eq!(done.verdict("a"), "verified held");
    assert_eq!(lines(&project, "stops"), ["api"]);
}
