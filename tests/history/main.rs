//! What recorded runs say together: the trend, how two of them differ, what must not get worse. Real runs in repositories
//! of their own; cases as data.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod diff;
mod regression;
mod trend;

use std::path::PathBuf;
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// A repository with a manifest, in which checks hold where a file that git ignores is there.
struct Shop {
    folder: TempDir,
}

/// Three checks: two switches in one component, and a program that is nowhere.
const SHOP: &str = r#"[project]
name = "shop"
[claims]
overall = 90
[components.docs]
title = "Documents"
[checks.coin]
component = "docs"
says = "It lands on its head"
shell = true
run = "test -e .ready/coin"
[checks.lamp]
component = "docs"
says = "The lamp is lit"
shell = true
run = "test -e .ready/lamp"
[checks.tool]
says = "A tool says so"
run = ["no-such-tool-anywhere"]
"#;

impl Shop {
    fn new(manifest: &str) -> Shop {
        let shop = Shop {
            folder: tempfile::tempdir().unwrap(),
        };
        shop.git(&["init", "-q"]);
        shop.git(&["config", "user.email", "shop@example.org"]);
        shop.git(&["config", "user.name", "shop"]);
        std::fs::create_dir(shop.path(".ready")).unwrap();
        shop.write(".gitignore", ".ready\n");
        shop.write("readiness.toml", manifest);
        shop.commit();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        text(&output.stdout).trim().to_string()
    }

    /// Commits all that there is, and gives the commit.
    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a state"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn ready(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        command.args(args).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("READY_") || ["CI", "GITHUB_ACTIONS", "COLUMNS"].contains(&&*name) {
                command.env_remove(&*name);
            }
        }
        command.output().unwrap()
    }

    /// The JSON that it prints, and its exit status.
    fn json(&self, args: &[&str]) -> (Value, i32) {
        let output = self.ready(&[args, &["--format", "json"]].concat());
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (json, output.status.code().unwrap())
    }

    /// Runs everything with just these switches on; the report.
    fn check_with(&self, on: &[&str], args: &[&str]) -> Value {
        for name in ["coin", "lamp"] {
            let switch = self.path(".ready").join(name);
            match on.contains(&name) {
                true => std::fs::write(switch, "").unwrap(),
                false => _ = std::fs::remove_file(switch),
            }
        }
        self.json(&[&["check"], args].concat()).0
    }

    /// One statement to the ledger's file.
    fn tamper(&self, sql: &str) {
        let ledger = Connection::open(self.path(".ready/ledger.sqlite")).unwrap();
        assert!(ledger.execute(sql, []).unwrap() > 0, "{sql} did nothing");
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn id(report: &Value) -> &str {
    report["run"]["id"].as_str().unwrap()
}

/// One key of every element of a list.
fn each(list: &Value, key: &str) -> Vec<Value> {
    let list = list.as_array().unwrap();
    list.iter().map(|element| element[key].clone()).collect()
}

/// The element of a list with that id.
fn of<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|row| row["id"] == id);
    found.unwrap_or_else(|| panic!("no `{id}` in {list}"))
}

#[track_caller]
fn says(bytes: &[u8], words: &[&str]) {
    // Where lines are broken is not what this is about.
    let said = text(bytes).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}
