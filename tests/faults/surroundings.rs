//! Where `ready` is run: without a home, without git, on terminals of any width and none, by people without UTF-8. It says
//! the same everywhere, and what failed stays red.

use std::process::Command;

use crate::support::{Project, Running, check};

/// One check that holds, of which only the exit status tells, and one that does not: 75 % of a half whatever surrounds it.
fn half() -> Project {
    Project::new(&(check("good", "exit 0", "") + &check("bad", "echo größer; exit 1", "")))
}

#[test]
fn what_is_missing_around_changes_no_verdict() {
    let usual = std::env::var("PATH").unwrap();
    for (what, unset, set) in [
        ("no home", "HOME", ("XDG_CONFIG_HOME", "/nowhere")),
        ("no git", "", ("PATH", "/nowhere")),
        ("no PATH", "PATH", ("HOME", "/nowhere")),
        ("no UTF-8", "LANG", ("LC_ALL", "C")),
        ("an unknown locale", "LANG", ("LC_ALL", "xx_YY.KOI8-R")),
        ("a dumb terminal", "", ("TERM", "dumb")),
        ("no terminal at all", "TERM", ("COLUMNS", "20")),
        ("a width that is none", "", ("COLUMNS", "-1")),
        (
            "a temporary folder that is not there",
            "",
            ("TMPDIR", "/nowhere"),
        ),
        ("a time zone that is not there", "", ("TZ", "No/Where")),
    ] {
        let project = half();
        for args in [
            &["check", "--format", "json"][..],
            &["status", "--format", "json"],
            &["status"],
            &["lint"],
            &["history"],
        ] {
            let mut command = project.command(args);
            command
                .env("PATH", &usual)
                .env_remove(unset)
                .env(set.0, set.1);
            let done = Running::new(command).finish();
            let text = done.text() + &done.stderr;
            assert!(!text.contains("panicked"), "{what}, {args:?}: {text}");
            let status = match args[0] {
                "check" => 1,
                _ => 0,
            };
            assert_eq!(done.status, Some(status), "{what}, {args:?}: {text}");
            if args.contains(&"json") {
                assert_eq!(done.report()["score"]["verified"], 37.5, "{what}, {args:?}");
            }
        }
        project.nothing_runs();
    }
}

/// What `ready check` shows on a terminal of so many columns, and its exit status.
fn on_a_terminal(columns: u32, kind: &str) -> (String, Option<i32>) {
    let project = half();
    let ready = env!("CARGO_BIN_EXE_ready");
    let line = format!("stty cols {columns}; TERM={kind} exec {ready} check");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    project.prepare(&mut command);
    command.env_remove("NO_COLOR").env_remove("COLUMNS");
    let done = Running::new(command).finish();
    project.nothing_runs();
    (done.text(), done.status)
}

#[test]
fn a_terminal_of_any_width_and_kind_shows_that_it_is_not_ready() {
    for columns in [1, 20, 80, 4096] {
        for kind in ["xterm-256color", "dumb", "no-such-terminal"] {
            let (shown, status) = on_a_terminal(columns, kind);
            assert_eq!(status, Some(1), "{columns} {kind}: {shown}");
            assert!(!shown.contains("panicked"), "{columns} {kind}: {shown}");
            for word in ["good", "bad", "NOT READY"] {
                assert!(shown.contains(word), "{columns} {kind}, {word}: {shown}");
            }
            // A terminal that can do nothing is told nothing.
            if kind == "dumb" {
                assert!(!shown.contains('\u{1b}'), "{columns}: {shown:?}");
            }
        }
    }
}
