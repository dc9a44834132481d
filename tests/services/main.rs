//! Services around checks, programs that are listened to, and runs that are stopped, bounded and paused: seen from
//! outside, with the verdict and the words of each.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod down;
mod health;
mod life;
mod listen;
mod pause;
mod secrets;
mod start;
mod stop;
#[allow(dead_code, reason = "other test programs use the rest")]
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use std::net::TcpListener;

use serde_json::Value;
use support::{Done, Project};

/// A service that gives a script to the shell.
fn service(id: &str, script: &str, more: &str) -> String {
    format!("[services.{id}]\nshell = true\nrun = '''\n{script}'''\n{more}\n")
}

/// A service that says `up`, and notes in `started` and `stopped` when it is.
fn noting(id: &str, more: &str) -> String {
    let script = format!(
        "echo {id} >> started\ntrap 'echo {id} >> stopped; exit 0' TERM\necho up\nsleep 300 & wait\n"
    );
    service(
        id,
        &script,
        &format!("healthy = {{ log = \"^up$\" }}\n{more}"),
    )
}

/// What became of a service, as the report has it.
fn of_service(done: &Done, id: &str) -> Value {
    let report = done.report();
    let services = report["run"]["services"].as_array().unwrap();
    let one = services.iter().find(|service| service["id"] == id);
    one.cloned()
        .unwrap_or_else(|| panic!("no service `{id}`: {services:?}"))
}

/// The services of the report, each with what became of it.
fn states(done: &Done) -> Vec<String> {
    let report = done.report();
    let services = report["run"]["services"].as_array().unwrap();
    let state =
        |service: &Value| format!("{} {}", service["id"], service["state"]).replace('"', "");
    services.iter().map(state).collect()
}

/// What a file of the project holds; nothing where there is none.
fn text(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path(name)).unwrap_or_default()
}

/// Runs these checks; nothing of them may be left.
fn checked(project: &Project, args: &[&str]) -> Done {
    let args = [&["check", "--format", "json"], args].concat();
    let done = project.start(&args).finish();
    project.nothing_runs();
    done
}

/// A port on which nobody listens.
fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
