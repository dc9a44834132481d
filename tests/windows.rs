//! What only Windows has: programs by PATHEXT, batch files and what they are given, exit statuses of 32 bits, jobs. Runs on
//! Windows and under Wine; what Wine cannot do (Ctrl-Break, `%` in what a batch file is given) is not in here.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// What this program is to be when a check runs it.
const ROLE: &str = "READY_TEST_ROLE";
/// The file in which a program that holds a port names it.
const PORT: &str = "port.txt";

/// A project with these checks.
fn project(checks: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[project]\nname = \"windows\"\n{checks}");
    std::fs::write(folder.path().join("readiness.toml"), text).unwrap();
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.current_dir(folder).args(args);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("READY_") || name == "CI" || name.starts_with("GITHUB_") {
            command.env_remove(&*name);
        }
    }
    command
}

fn check(folder: &Path) -> (Value, Output) {
    let args = ["check", "--format", "json", "--no-ci"];
    let output = command(folder, &args).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    (
        report.unwrap_or_else(|_| panic!("no report: {}", said())),
        output,
    )
}

/// Verdict, reason and the only attempt of a check.
fn seen<'r>(report: &'r Value, id: &str) -> (&'r str, &'r str, &'r Value) {
    let rows = report["checks"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id).unwrap();
    (
        row["verdict"].as_str().unwrap(),
        row["reason"]["text"].as_str().unwrap_or_default(),
        &row["evidence"]["attempts"][0],
    )
}

/// A check by which this program is run in a role.
fn in_role(id: &str, role: &str, more: &str) -> String {
    let this = std::env::current_exe().unwrap();
    format!(
        "[checks.{id}]\nsays = \"It runs\"\nrun = [{:?}, \"--exact\", \"a_role\", \"--nocapture\"]\n\
         env = {{ {ROLE} = {role:?} }}\n{more}\n",
        this.to_string_lossy()
    )
}

/// Not a test: what this program does when a check runs it.
#[test]
fn a_role() {
    match std::env::var(ROLE).as_deref() {
        // Starts another that holds a port, and ends once that does.
        Ok("parent") => {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "a_role"]).env(ROLE, "holder");
            child.spawn().unwrap();
            wait_until("it holds a port", || port(Path::new(".")).is_some());
        }
        Ok("holder") => hold(),
        _ => {}
    }
}

/// Holds a port until somebody says that it may end.
fn hold() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::fs::write("port.new", port.to_string()).unwrap();
    std::fs::rename("port.new", PORT).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let _ = stream.read(&mut [0]);
}

fn port(folder: &Path) -> Option<u16> {
    std::fs::read_to_string(folder.join(PORT))
        .ok()?
        .parse()
        .ok()
}

fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the program that holds the port is there; then it ends.
fn still_there(folder: &Path) -> bool {
    let port = port(folder).unwrap();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    stream.write_all(b"x").is_ok()
}

#[test]
fn a_program_is_found_by_the_endings_of_pathext_and_given_its_arguments_whole() {
    let given = ["a b", "x&y", "q\"q", "a^b", "(c)", "ü"];
    let args = given.map(|arg| format!("{arg:?}")).join(", ");
    let folder = project(&format!(
        "[checks.shim]\nsays = \"It is called\"\nrun = [\"tool\", {args}]\n\
         expect = {{ stdout = {{ contains = [\"first is a b\", \"second is x&y\", \"fourth is a^b\"] }} }}\n"
    ));
    let script = "@echo off\r\nsetlocal\r\nset \"one=%~1\"\r\nset \"two=%~2\"\r\nset \"four=%~4\"\r\n\
                  setlocal enabledelayedexpansion\r\necho first is !one!\r\necho second is !two!\r\necho fourth is !four!\r\n";
    let tools = folder.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    std::fs::write(tools.join("tool.cmd"), script).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(tools).chain(std::env::split_paths(&path));
    let output = command(folder.path(), &["check", "--format", "json", "--no-ci"])
        .env("PATH", std::env::join_paths(paths).unwrap())
        .output()
        .unwrap();
    let report = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    let (verdict, reason, attempt) = seen(&report, "shim");
    assert_eq!(verdict, "verified", "{reason}: {attempt}");
}

#[test]
fn statuses_are_told_whole() {
    let folder = project(
        "[checks.large]\nsays = \"It ends well\"\nrun = [\"cmd\", \"/C\", \"exit 300\"]\n\
         [checks.missing]\nsays = \"It is there\"\nrun = [\"no-such-program-anywhere\"]\n\
         [checks.well]\nsays = \"It ends well\"\nrun = \"exit 0\"\nshell = true\n",
    );
    let (report, output) = check(folder.path());
    let (verdict, reason, _) = seen(&report, "large");
    assert_eq!(verdict, "failed");
    assert!(reason.contains("300"), "{reason}");
    assert_eq!(seen(&report, "missing").0, "unverified");
    assert_eq!(seen(&report, "well").0, "verified");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_a_check_left_running_is_named_and_ended() {
    let folder = project(&in_role("left", "parent", ""));
    let (report, _) = check(folder.path());
    let (verdict, reason, attempt) = seen(&report, "left");
    assert_eq!(verdict, "verified", "{reason}: {attempt}");
    let leaked = attempt["leaked"].as_array().unwrap();
    assert_eq!(leaked.len(), 1, "{attempt}");
    let this = std::env::current_exe().unwrap();
    let name = this.file_name().unwrap().to_string_lossy();
    assert!(
        leaked[0].as_str().unwrap().starts_with(&*name),
        "{leaked:?}"
    );
    assert!(!still_there(folder.path()));
}

#[test]
fn what_may_go_on_running_does() {
    let folder = project(&in_role("left", "parent", "leaves_running = true"));
    let (report, _) = check(folder.path());
    let (verdict, reason, attempt) = seen(&report, "left");
    assert_eq!(verdict, "verified", "{reason}: {attempt}");
    assert!(still_there(folder.path()));
}

#[test]
fn a_program_ends_at_its_time_limit() {
    let folder = project(&in_role("endless", "holder", "timeout = \"2s\""));
    let (report, output) = check(folder.path());
    let (verdict, reason, _) = seen(&report, "endless");
    assert_eq!(
        (verdict, output.status.code()),
        ("failed", Some(1)),
        "{reason}"
    );
    assert!(reason.contains("its time limit"), "{reason}");
    assert!(port(folder.path()).is_none() || !still_there(folder.path()));
}

#[test]
fn addresses_are_probed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}");
        }
    });
    let folder = project(&format!(
        "[checks.open]\nsays = \"Somebody listens\"\nport = {port}\n\
         [checks.health]\nsays = \"It is well\"\nhttp = \"http://127.0.0.1:{port}/health\"\n\
         expect = {{ json = {{ \"$.status\" = \"ok\" }} }}\n"
    ));
    let (report, _) = check(folder.path());
    for id in ["open", "health"] {
        let (verdict, reason, attempt) = seen(&report, id);
        assert_eq!(verdict, "verified", "{id}: {reason}: {attempt}");
    }
}

#[test]
fn runs_at_once_all_stand_in_the_ledger() {
    let folder =
        project("[checks.here]\nsays = \"There is a manifest\"\nfile = \"readiness.toml\"\n");
    let runs = [(); 4].map(|()| {
        command(folder.path(), &["check", "--format", "json", "--no-ci"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut run in runs {
        assert_eq!(run.wait().unwrap().code(), Some(0));
    }
    let verified = command(folder.path(), &["ledger", "verify"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.status.code(), Some(0), "{said}");
    assert!(said.contains('4'), "{said}");
}

#[test]
fn colours_come_where_they_are_asked_for() {
    let folder =
        project("[checks.here]\nsays = \"There is a manifest\"\nfile = \"readiness.toml\"\n");
    for (when, coloured) in [("always", true), ("never", false)] {
        let args = ["check", "--no-ci", "--color", when];
        let output = command(folder.path(), &args).output().unwrap();
        assert_eq!(output.stdout.contains(&0x1b), coloured, "{when}");
    }
}
