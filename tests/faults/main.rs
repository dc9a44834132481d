//! What programs do wrong, done on purpose: `ready` returns within its bounds, leaves nothing running, says what
//! happened, and is never green by mistake.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod interrupt;
mod lack;
mod leftovers;
mod limits;
mod order;
mod output;
mod secrets;
mod soak;
mod start;
#[allow(dead_code, reason = "other test programs use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod surroundings;
#[path = "../support/tools.rs"]
mod tools;

use std::process::{Command, Stdio};

use support::{Done, Project, Running, wait_until};

/// A project with one check of a script, run to its end; nothing of it may be left.
fn done(script: &str, more: &str) -> Done {
    let project = Project::script(script, more);
    let done = project.check();
    project.nothing_runs();
    done
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A user who owns nothing else, not even another run of these tests beside this one: limits count all that a user runs.
fn nobody(number: u32) -> u32 {
    100_000 + std::process::id() * 100 + number
}

/// `ready` in this project as such a user.
fn without_rights(project: &Project, user: u32, limits: &str) -> Running {
    std::fs::copy(env!("CARGO_BIN_EXE_ready"), project.path("ready")).unwrap();
    std::os::unix::fs::chown(project.path("."), Some(user), Some(user)).unwrap();
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        &user.to_string(),
        "--regid",
        &user.to_string(),
        "--clear-groups",
    ]);
    command.args([
        "sh",
        "-c",
        &format!("{limits} exec ./ready check --format json --jobs 2"),
    ]);
    project.prepare(&mut command);
    Running::new(command)
}

#[test]
fn guards_of_these_tests_see_what_runs() {
    let project = Project::script("exit 0", "");
    let mut command = Command::new("sleep");
    project.prepare(command.arg("300").stdout(Stdio::null()));
    let mut child = command.spawn().unwrap();
    wait_until("it is seen", || {
        project
            .running()
            .iter()
            .any(|(_, line)| line == "sleep 300")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(project.running(), []);
}
