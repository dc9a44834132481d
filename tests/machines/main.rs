//! Several machines that look at the same project: clones of one repository, each with its own environment. What they report
//! is merged, split and shown to whoever has nothing but the file.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod ci;
mod file;
mod merge;
mod shards;
#[path = "../support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A check of every fate, two of which depend on the machine.
pub(crate) const MANIFEST: &str = r#"
[project]
name = "shop"
[claims]
overall = 90
[gate]
min_score = 50
[gates.strict]
require = ["tool"]
[components.docs]
title = "Documents"
[checks.here]
component = "docs"
says = "There is a manifest"
file = "readiness.toml"
[checks.tests]
says = "The tests pass"
run = ["cat", "results.tap"]
reader = "tap"
[checks.tool]
says = "A tool of the CI says so"
run = ["only-on-ci"]
[checks.differs]
says = "It holds everywhere"
shell = true
run = 'test "$MACHINE" = ci'
"#;

/// A repository with this project, and clones of it.
pub(crate) struct Machines {
    folder: tempfile::TempDir,
}

impl Machines {
    pub(crate) fn new(manifest: &str) -> Machines {
        let machines = Machines {
            folder: tempfile::tempdir().unwrap(),
        };
        let origin = machines.path("origin");
        std::fs::create_dir(&origin).unwrap();
        std::fs::create_dir(machines.path("tools")).unwrap();
        std::fs::write(origin.join("readiness.toml"), manifest).unwrap();
        let results = "1..3\nok 1 - a\nok 2 - b\nnot ok 3 - c\n";
        std::fs::write(origin.join("results.tap"), results).unwrap();
        git(&origin, &["init", "--quiet", "--initial-branch=main"]);
        git(&origin, &["add", "--all"]);
        git(&origin, &["commit", "--quiet", "--message=one"]);
        machines
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A tool that those machines have on which it is put on the `PATH`.
    pub(crate) fn tool(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path("tools").join(name);
        std::fs::write(&file, "#!/bin/sh\nexit 0\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    }

    pub(crate) fn clone(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        let from = self.path("origin").display().to_string();
        git(
            self.folder.path(),
            &["clone", "--quiet", &from, &folder.display().to_string()],
        );
        folder
    }

    /// Checks in a clone of that name, and keeps the report beside it under that name.
    pub(crate) fn check(&self, name: &str, args: &[&str]) -> Option<i32> {
        let folder = match self.path(name) {
            there if there.exists() => there,
            _ => self.clone(name),
        };
        let mut command = ready(
            &folder,
            &[&["check", "--format", "json"][..], args].concat(),
        );
        if name.starts_with("ci") {
            let path = std::env::var("PATH").unwrap();
            command
                .env("MACHINE", "ci")
                .env("PATH", format!("{}:{path}", self.path("tools").display()));
        }
        let output = command.output().unwrap();
        assert!(!output.stdout.is_empty(), "{}", text(&output.stderr));
        // As if that were the name of the machine.
        let mut report = json(&output.stdout);
        let host = report["run"]["host"]["name"].take();
        report["run"]["host"]["name"] = name.into();
        for row in report["checks"].as_array_mut().unwrap() {
            if row["evidence"]["host"] == host {
                row["evidence"]["host"] = name.into();
            }
        }
        std::fs::write(
            self.path(&format!("{name}.json")),
            serde_json::to_vec(&report).unwrap(),
        )
        .unwrap();
        output.status.code()
    }

    /// `ready` in the folder around the clones, where there is no manifest.
    pub(crate) fn ready(&self, args: &[&str]) -> Output {
        ready(self.folder.path(), args).output().unwrap()
    }
}

pub(crate) fn git(folder: &Path, args: &[&str]) {
    let names = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let done = Command::new("git")
        .current_dir(folder)
        .args(names)
        .args(args)
        .output()
        .unwrap();
    assert!(done.status.success(), "{args:?}: {}", text(&done.stderr));
}

pub(crate) fn ready(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for name in ["CI", "GITHUB_ACTIONS", "COLUMNS", "MACHINE"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("READY_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", text(bytes)))
}

/// `verdict reason` of one check of a report.
pub(crate) fn verdict(report: &Value, id: &str) -> String {
    let row = row(report, id);
    let word = |value: &Value| value.as_str().unwrap().to_string();
    format!("{} {}", word(&row["verdict"]), word(&row["reason"]["code"]))
}

pub(crate) fn row<'a>(report: &'a Value, id: &str) -> &'a Value {
    let rows = report["checks"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap()
}

/// What counts of a report: verdicts with their reasons and credits, the score, the gates.
pub(crate) fn essence(report: &Value) -> Value {
    let rows = report["checks"].as_array().unwrap().iter();
    let rows = rows.map(|row| {
        serde_json::json!([
            row["id"],
            row["verdict"],
            row["reason"],
            row["exact"],
            row["counts"],
            row["applicable"]
        ])
    });
    serde_json::json!([
        rows.collect::<Vec<_>>(),
        report["score"],
        report["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["verified"])
            .collect::<Vec<_>>(),
        report["gates"],
        report["decision"],
    ])
}

pub(crate) fn report_of(machines: &Machines, name: &str) -> Value {
    json(&std::fs::read(machines.path(&format!("{name}.json"))).unwrap())
}
