//! Programs that cannot be started, and how those that were ended.

use std::process::Command;

use crate::support::{Project, Running, check};

#[test]
fn what_keeps_a_program_from_starting_is_said_apart() {
    let run = |id: &str, program: &str, more: &str| {
        format!("[checks.{id}]\nsays = \"x\"\nrun = [\"{program}\"]\n{more}\n")
    };
    let project = Project::new(
        &[
            run("program", "no-such-program-anywhere", ""),
            run("path", "./no-such-file", ""),
            run("folder", "true", "cwd = \"no-such-folder\""),
            run("no-folder", "true", "cwd = \"readiness.toml\""),
            run("interpreter", "./needs-interpreter", ""),
            run("windows", "./windows", ""),
            run("mode", "./not-executable", ""),
            run("directory", "./a-directory", ""),
            run("format", "./no-format", ""),
        ]
        .concat(),
    );
    project.executable("needs-interpreter", "#!/no/such/interpreter\n");
    project.executable("windows", "#!/bin/sh\r\ntrue\r\n");
    project.executable("no-format", "\u{1}\u{2}\u{3}");
    project.write("not-executable", "#!/bin/sh\n");
    std::fs::create_dir(project.path("a-directory")).unwrap();
    let done = project.check();
    assert_eq!(done.status, Some(1));
    let expected = [
        (
            "program",
            "unverified tool-missing",
            "`no-such-program-anywhere` is not on PATH",
        ),
        (
            "path",
            "unverified tool-missing",
            "there is no `./no-such-file`",
        ),
        (
            "folder",
            "failed cannot-start",
            "no-such-folder` does not exist",
        ),
        (
            "no-folder",
            "failed cannot-start",
            "readiness.toml` is no directory",
        ),
        (
            "interpreter",
            "unverified tool-missing",
            "needs the interpreter `/no/such/interpreter`, which does not exist",
        ),
        (
            "windows",
            "failed cannot-start",
            "its first line ends in a carriage return",
        ),
        (
            "mode",
            "failed cannot-start",
            "`./not-executable` is not executable",
        ),
        (
            "directory",
            "failed cannot-start",
            "`./a-directory` is a directory",
        ),
        ("format", "failed cannot-start", "Exec format error"),
    ];
    for (id, verdict, words) in expected {
        assert_eq!(done.verdict(id), verdict, "{id}: {}", done.reason(id));
        assert!(done.reason(id).contains(words), "{id}: {}", done.reason(id));
    }
}

#[test]
fn a_program_that_is_just_being_written_is_tried_again() {
    let checks = (0..64)
        .map(|n| format!("[checks.c{n}]\nsays = \"x\"\nrun = [\"./script\"]\n"))
        .collect::<String>();
    let project = Project::new(&checks);
    let text = "#!/bin/sh\ntouch \"ran-$READY_CHECK\"\n";
    project.executable("script", text);
    let running = project.start(&["check", "--format", "json", "--jobs", "8"]);
    // Written in place with what it holds already, so that whoever reads it meanwhile reads all of it.
    let mut open = std::fs::OpenOptions::new()
        .write(true)
        .open(project.path("script"));
    let mut rounds = 0;
    while !(0..64).all(|n| project.has(&format!("ran-c{n}"))) && rounds < 100_000 {
        if let Ok(file) = &mut open {
            use std::os::unix::fs::FileExt;
            file.write_all_at(text.as_bytes(), 0).unwrap();
        }
        // Open for most of the time, and closed for a moment in each round.
        open = std::fs::OpenOptions::new()
            .write(true)
            .open(project.path("script"));
        std::thread::yield_now();
        rounds += 1;
        if rounds % 4 == 0 {
            drop(std::mem::replace(
                &mut open,
                Err(std::io::ErrorKind::Other.into()),
            ));
            std::thread::yield_now();
        }
    }
    drop(open);
    let done = running.finish();
    for n in 0..64 {
        assert_eq!(
            done.verdict(&format!("c{n}")),
            "verified held",
            "{}",
            done.reason(&format!("c{n}"))
        );
    }
}

#[test]
fn how_a_program_ended_is_said() {
    let statuses = [124, 126, 127, 137]
        .map(|status| check(&format!("c{status}"), &format!("exit {status}"), ""));
    let signals = ["KILL", "SEGV", "TERM"]
        .map(|signal| check(&signal.to_lowercase(), &format!("kill -{signal} $$"), ""));
    let expected = check("expected", "exit 127", "expect = { exit = 127 }");
    let done = Project::new(&(statuses.concat() + &signals.concat() + &expected)).check();
    for (id, verdict, reason) in [
        (
            "c124",
            "failed exit-status",
            "exit status 124, expected 0 (by convention: a time limit)",
        ),
        (
            "c126",
            "failed exit-status",
            "exit status 126, expected 0 (by convention: not executable)",
        ),
        (
            "c127",
            "failed exit-status",
            "exit status 127, expected 0 (by convention: a command was not found)",
        ),
        (
            "c137",
            "failed exit-status",
            "exit status 137, expected 0 (by convention: killed, often out of memory)",
        ),
        ("kill", "failed killed", "ended by signal 9 (KILL)"),
        ("segv", "failed killed", "ended by signal 11 (SEGV)"),
        ("term", "failed killed", "ended by signal 15 (TERM)"),
        ("expected", "verified held", "exit status 127"),
    ] {
        assert_eq!(
            (done.verdict(id).as_str(), done.reason(id).as_str()),
            (verdict, reason),
            "{id}"
        );
    }
}

#[test]
fn statuses_are_told_where_ends_of_children_are_ignored() {
    // Inherited from whoever started us: the system then reaps children itself, and their statuses are lost.
    let project = Project::new(&(check("good", "exit 0", "") + &check("bad", "exit 3", "")));
    let mut command = Command::new("env");
    command.args([
        "--ignore-signal=CHLD",
        env!("CARGO_BIN_EXE_ready"),
        "check",
        "--format",
        "json",
    ]);
    project.prepare(&mut command);
    let done = Running::new(command).finish();
    assert_eq!(
        done.verdict("good"),
        "verified held",
        "{}",
        done.reason("good")
    );
    assert_eq!(
        done.verdict("bad"),
        "failed exit-status",
        "{}",
        done.reason("bad")
    );
}

#[test]
fn a_check_whose_folder_goes_away_while_it_runs_is_still_judged() {
    let project = Project::script("rmdir ../gone; exit 4", "cwd = \"gone\"");
    std::fs::create_dir(project.path("gone")).unwrap();
    assert_eq!(project.check().verdict("it"), "failed exit-status");
}
