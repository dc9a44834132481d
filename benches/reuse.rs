//! What it costs to find that nothing has changed: `ready check` of 1,000 checks with inputs over an unchanged tree of
//! 20,000 files, against `git status` in the same tree, in alternating runs. The aim: at most twice as much.
//!
//! `cargo bench --bench reuse`
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use support::{alternating, cpu_and_wall};

const FOLDERS: usize = 1_000;
const FILES_IN_EACH: usize = 20;
const ROUNDS: usize = 11;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path());
    let ready = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        command.args(args).current_dir(folder.path());
        command
    };
    // The first run verifies all of them, and none after it runs any.
    assert!(ready(&["check", "-q"]).output().unwrap().status.success());
    let again = ready(&["check", "--format", "json"]).output().unwrap();
    let report = serde_json::from_slice::<serde_json::Value>(&again.stdout).unwrap();
    let rows = report["checks"].as_array().unwrap();
    assert!(rows.len() == FOLDERS && rows.iter().all(|row| row["reused"] == true));
    let git = || {
        let mut command = Command::new("git");
        command.arg("status").current_dir(folder.path());
        command
    };
    let rounds = alternating(ROUNDS, [&git, &|| ready(&["check", "-q"])]);
    println!(
        "{FOLDERS} reusable checks over {} files, {ROUNDS} alternating rounds",
        FOLDERS * FILES_IN_EACH
    );
    cpu_and_wall(["git status", "ready check"], &rounds);
}

fn lay_out(folder: &Path) {
    let mut manifest = "[project]\nname = \"many\"\n".to_string();
    for at in 0..FOLDERS {
        let inside = folder.join(format!("part{at}"));
        std::fs::create_dir(&inside).unwrap();
        for file in 0..FILES_IN_EACH {
            std::fs::write(
                inside.join(format!("f{file}.txt")),
                format!("{at} {file}\n"),
            )
            .unwrap();
        }
        manifest += &format!(
            "[checks.c{at}]\nsays = \"part {at} is well\"\nrun = [\"true\"]\ninputs = [\"part{at}/**\"]\n"
        );
    }
    std::fs::write(folder.join("readiness.toml"), manifest).unwrap();
    for args in [
        &["init", "-q"][..],
        &["add", "-A"],
        &[
            "-c",
            "user.name=b",
            "-c",
            "user.email=b@example.org",
            "commit",
            "-q",
            "-m",
            "all",
        ],
    ] {
        assert!(
            Command::new("git")
                .args(args)
                .current_dir(folder)
                .status()
                .unwrap()
                .success()
        );
    }
}
