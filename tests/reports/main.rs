//! Reports, read by the readers of others: validators, parsers, a browser, a client of the Model Context Protocol. What is
//! in them beside the figures is as hostile as output can be.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

#[cfg(target_os = "linux")]
mod browser;
mod ci;
mod formats;
mod hostile;
mod mcp;
mod packages;
mod pages;
#[path = "../support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A check of every fate in a few components, with a claim, a waiver, and two gates.
pub(crate) const MANIFEST: &str = r#"
[project]
name = "fates"
limitations = ["It is a test"]
[claims]
overall = 95
documents = ["STATUS.md"]
[gate]
min_score = 90
[gates.staging]
says = "Show it to testers"
min_score = 10
[components.backend]
title = "Backend tests"
claim = 98
[components.docs]
title = "Documents"
[checks.counted]
component = "backend"
says = "The tests pass"
run = ["cat", "results.tap"]
reader = "tap"
blocking = true
owner = "api team"
fix = { takes = "2h", how = "mend the tests" }
[checks.runs]
component = "backend"
says = "It runs"
shell = true
run = "echo out; echo err >&2"
[checks.fails]
component = "docs"
says = "There is a guide"
file = "GUIDE.md"
[checks.missing]
says = "A tool says so"
run = ["no-such-tool"]
[checks.waived]
says = "It is fast"
run = ["false"]
blocking = true
[checks.optional]
says = "There is a logo"
file = "logo.svg"
optional = true
[checks.elsewhere]
says = "The chart is sound"
file = "Chart.yaml"
applies = { files = "Chart.yaml" }
[checks.accepted]
says = "Most of it works"
run = ["cat", "most.tap"]
reader = "tap"
pass_at = 0.5
[waivers.waived]
owner = "web team"
reason = "rebuilt this week"
expires = 2099-01-01
"#;

/// A folder with a project in it.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new(manifest: &str) -> Project {
        let project = Project {
            folder: tempfile::tempdir().unwrap(),
        };
        project.lay_out("", manifest);
        project
    }

    /// Writes the project's files into a folder.
    pub(crate) fn lay_out(&self, folder: &str, manifest: &str) {
        let write = |name: &str, text: &str| self.write(&format!("{folder}{name}"), text);
        write("readiness.toml", manifest);
        write("results.tap", "1..4\nok 1\nok 2\nok 3\nnot ok 4 - sums\n");
        write("most.tap", "1..4\nok 1\nok 2\nok 3\nnot ok 4 - odd\n");
        write(
            "STATUS.md",
            "# Status\n\nBackend tests: 100% passing.\n\n- [x] There is a guide\n",
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        ready(self.folder.path(), args)
    }

    pub(crate) fn ready(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Its files as the first commit of a repository.
    pub(crate) fn commit(&self) {
        let author = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let commit = [&author[..], &["commit", "-q", "-m", "all"]].concat();
        for args in [&["init", "-q"][..], &["add", "-A"], &commit] {
            let git = Command::new("git")
                .args(args)
                .current_dir(self.folder.path())
                .output();
            assert!(git.unwrap().status.success(), "{args:?}");
        }
    }

    /// Checks it once and writes the report in that format.
    pub(crate) fn report(&self, format: &str) -> String {
        let rendered = self.ready(&["report", "--format", format]);
        assert_eq!(
            rendered.status.code(),
            Some(0),
            "{}",
            text(&rendered.stderr)
        );
        text(&rendered.stdout).to_string()
    }
}

/// `ready` in a folder, in an environment of no CI system.
pub(crate) fn ready(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for name in ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "COLUMNS", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What a program says, which must end well.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {all}");
    text(&output.stdout).to_string()
}

/// The packages of node that the tests fetched.
pub(crate) fn node_modules() -> PathBuf {
    tools::cache().join("node-tools/node_modules")
}

/// A script beside this file.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reports")
        .join(name)
}
