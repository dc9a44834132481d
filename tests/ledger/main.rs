//! The ledger as seen from outside: it survives what happens to it, finds what was edited, and evidence counts only for
//! what it was had on.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod blind;
mod chain;
mod fresh;
mod prune;
#[allow(dead_code, reason = "other test programs use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod survive;
#[path = "../support/tools.rs"]
mod tools;

use std::process::Command;

use rusqlite::Connection;
use support::{Done, Project, check};

/// Runs `ready` with these arguments.
fn ready(project: &Project, args: &[&str]) -> Done {
    project.start(args).finish()
}

/// Runs the checks; gives the JSON report.
fn checked(project: &Project, args: &[&str]) -> Done {
    ready(project, &[&["check", "--format", "json"], args].concat())
}

/// Makes the project a repository with all its files committed.
fn commit(project: &Project, message: &str) {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .current_dir(project.path("."));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    if !project.has(".git") {
        git(&["init", "-q"]);
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", message]);
}

/// The file of the ledger, opened by other means than its own.
fn database(project: &Project) -> Connection {
    Connection::open(project.path(".ready/ledger.sqlite")).unwrap()
}

/// A project of two checks, which ran so many times.
fn ran(times: usize) -> Project {
    let project = Project::new(&[check("a", "echo a", ""), check("b", "exit 1", "")].concat());
    for _ in 0..times {
        assert_eq!(ready(&project, &["check", "-q"]).status, Some(1));
    }
    project
}
