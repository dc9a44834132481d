//! What programs do wrong, done on purpose: `ready` returns within its bounds, leaves nothing running, says what
//! happened, and is never green by mistake.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod support;
#[path = "support/tools.rs"]
mod tools;

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::{Done, Project, Running, check, processes, wait_until};

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

// Processes that outlive their parent.

#[test]
fn a_background_process_is_named_and_ended() {
    let done = done("sleep 300 & exit 0", "");
    assert_eq!(done.verdict("it"), "verified held");
    assert!(
        done.leaked("it")[0].starts_with("sleep 300 ("),
        "{:?}",
        done.leaked("it")
    );
}

#[test]
fn so_is_one_that_holds_no_pipe() {
    let done = done("sleep 300 > /dev/null 2>&1 & exit 0", "");
    assert!(
        done.leaked("it")[0].starts_with("sleep 300 ("),
        "{:?}",
        done.leaked("it")
    );
}

#[test]
fn so_is_one_in_a_session_of_its_own() {
    for pipe in ["", "> /dev/null 2>&1"] {
        let done = done(&format!("setsid -f sleep 300 {pipe}\nexit 0"), "");
        assert_eq!(done.verdict("it"), "verified held");
        assert!(
            done.leaked("it")[0].starts_with("sleep 300 ("),
            "{:?}",
            done.leaked("it")
        );
    }
}

#[test]
fn one_that_nothing_marks_is_ended_with_the_run() {
    let project = Project::script(&unmarked("sleep 300.125"), "");
    let done = project.check();
    let left = processes(|folder| {
        std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.125\0"
    });
    assert_eq!(left, []);
    assert!(
        done.warnings()
            .iter()
            .any(|warning| warning.contains("300.125")),
        "{:?}",
        done.warnings()
    );
}

/// Starts a daemon without our variables, and ends once it is that daemon.
fn unmarked(program: &str) -> String {
    format!(
        "setsid -f env -i sh -c 'touch up; exec {program}' > /dev/null 2>&1\nwhile [ ! -e up ]; do sleep 0.01; done"
    )
}

#[test]
fn one_that_may_live_lives() {
    let project = Project::script(
        "setsid -f sleep 300 > /dev/null 2>&1",
        "leaves_running = true",
    );
    let done = project.check();
    let left = project.running();
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    assert_eq!(
        left.iter()
            .map(|(_, line)| line.as_str())
            .collect::<Vec<_>>(),
        ["sleep 300"]
    );
    assert_eq!(done.leaked("it"), [""; 0]);
    assert_eq!(done.warnings(), [""; 0]);
}

#[test]
fn one_that_may_live_lives_even_where_it_wiped_its_environment() {
    let project = Project::script(&unmarked("sleep 300.25"), "leaves_running = true");
    let done = project.check();
    let left = || {
        processes(|folder| {
            std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.25\0"
        })
    };
    wait_until("it is seen to live", || !left().is_empty());
    let left = left();
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        done.warnings()
            .iter()
            .any(|warning| warning.contains("left alone") && warning.contains("300.25")),
        "{:?}",
        done.warnings()
    );
}

#[test]
fn one_that_may_live_is_ended_at_the_time_limit_all_the_same() {
    let done = done(
        "setsid -f sleep 300 > /dev/null 2>&1\nsleep 300",
        "leaves_running = true\ntimeout = \"500ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
}

#[test]
fn what_a_leftover_leaves_behind_in_turn_is_ended_too() {
    // Each outlives its parent only once that one is killed.
    let tree = "setsid sh -c 'setsid sh -c \"setsid sleep 300 & wait\" & wait' > /dev/null 2>&1 &\n(setsid sleep 301 & sleep 302) &\nexit 0";
    let done = done(tree, "");
    assert_eq!(done.verdict("it"), "verified held");
    assert!(!done.leaked("it").is_empty());
}

#[test]
fn orphans_are_reaped_while_their_check_runs() {
    // As `start-stop-daemon --stop` does: it waits until the process id is gone, and a zombie is not gone.
    let script =
        "(sleep 0 & echo $! > pid)\nwhile kill -0 $(cat pid) 2> /dev/null; do sleep 0.01; done";
    assert_eq!(
        done(script, "timeout = \"20s\"").verdict("it"),
        "verified held"
    );
}

#[test]
fn a_process_that_may_not_be_ended_bounds_the_run() {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    let Some(setpriv) = setpriv.filter(|_| is_root()) else {
        tools::without("a process that may not be ended", "setpriv for root");
        return;
    };
    // `ready` without rights, and a program that gets them: what it starts cannot be killed by us.
    let script =
        "setsid -f ./with-rights --reuid 0 --regid 0 --clear-groups sleep 300.5 > /dev/null 2>&1";
    let project = Project::script(script, "");
    std::fs::copy(setpriv, project.path("with-rights")).unwrap();
    std::fs::set_permissions(
        project.path("with-rights"),
        PermissionsExt::from_mode(0o4755),
    )
    .unwrap();
    let done = without_rights(&project, 54_321, "").finish();
    let left = processes(|folder| {
        std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.5\0"
    });
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    if done.verdict("it") != "verified held" || left.is_empty() {
        return; // Programs do not get rights on this file system.
    }
    let warnings = done
        .warnings()
        .into_iter()
        .filter(|warning| warning.contains("sleep 300.5 ("))
        .collect::<Vec<_>>();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("cannot be ended"), "{warnings:?}");
}

/// `ready` in this project as a user who owns nothing else.
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

// Time limits.

#[test]
fn a_grandchild_that_ignores_term_is_ended_at_the_time_limit() {
    for (how, name) in [
        ("sh", "in the group"),
        ("setsid sh", "in a session of its own"),
    ] {
        let script = format!("{how} -c 'trap \"\" TERM; while :; do sleep 300; done' &\nwait");
        assert_eq!(
            done(&script, "timeout = \"500ms\"").verdict("it"),
            "failed timed-out",
            "{name}"
        );
    }
}

#[test]
fn a_program_that_ignores_term_is_ended_at_the_time_limit() {
    let done = done(
        "trap '' TERM\nwhile :; do sleep 300; done",
        "timeout = \"300ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(
        done.reason("it"),
        "still running after 300 ms, its time limit"
    );
}

#[test]
fn a_program_that_stopped_itself_is_asked_to_end_and_goes_on_to_do_so() {
    let done = done(
        "trap 'echo bye; exit 0' TERM\nkill -STOP $$\nwhile :; do sleep 1; done",
        "timeout = \"500ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "bye\n");
}

#[test]
fn a_status_after_the_time_limit_does_not_matter() {
    let done = done(
        "trap 'exit 0' TERM\nwhile :; do sleep 0.05; done",
        "timeout = \"300ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["outcome"]["timeout"], 300);
}

#[test]
fn a_child_has_its_time_to_end_where_its_parent_took_none() {
    // A shell ends on TERM at once; what it waits for still has to put things in order.
    let child =
        "trap \"sleep 0.3; echo in order; exit 0\" TERM; echo ready; while :; do sleep 0.05; done";
    let done = done(&format!("sh -c '{child}' &\nwait"), "timeout = \"1s\"");
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "ready\nin order\n");
}

#[test]
fn a_fork_storm_ends_with_its_time_limit() {
    let project = Project::script(
        "./in-group & ./in-group & ./outside & ./outside & wait; sleep 300",
        "timeout = \"400ms\"",
    );
    // Each starts its successor and ends: nothing has the same process id for long.
    project.executable("in-group", "#!/bin/sh\n[ -e stop ] || ./in-group &\n");
    project.executable("outside", "#!/bin/sh\n[ -e stop ] || setsid ./outside &\n");
    let done = project.check();
    project.write("stop", "");
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "failed timed-out");
}

// Output.

#[test]
fn endless_output_is_counted_and_cut() {
    let done = done("yes", "timeout = \"300ms\"");
    assert_eq!(done.verdict("it"), "failed timed-out");
    let stdout = done.attempt("it")["stdout"].clone();
    assert_eq!(stdout["truncated"], true);
    assert!(
        stdout["bytes"].as_u64().unwrap() > 1 << 20,
        "{}",
        stdout["bytes"]
    );
}

#[test]
fn output_does_not_grow_memory() {
    let writes = check("writes", "head -c 200000000 /dev/zero | tr '\\0' x", "");
    let waits = check(
        "waits",
        "touch written\nwhile [ ! -e go ]; do sleep 0.01; done",
        "needs = [\"writes\"]",
    );
    let project = Project::new(&(writes + &waits));
    let running = project.start(&["check", "--format", "json"]);
    wait_until("200 MB are written", || project.has("written"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    project.write("go", "");
    let done = running.finish();
    assert_eq!(done.attempt("writes")["stdout"]["bytes"], 200_000_000);
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
    // Without optimisation the program itself is larger.
    let most = if cfg!(debug_assertions) {
        40 << 10
    } else {
        20 << 10
    };
    assert!(peak < most, "{peak} kB");
}

#[test]
fn a_megabyte_on_one_stream_before_the_other_is_read() {
    let done = done(
        "head -c 1000000 /dev/zero | tr '\\0' e >&2; head -c 1000000 /dev/zero | tr '\\0' o",
        "",
    );
    assert_eq!(done.verdict("it"), "verified held");
    for (stream, letter) in [("stdout", b'o'), ("stderr", b'e')] {
        let stream = done.attempt("it")[stream].clone();
        assert_eq!(stream["bytes"], 1_000_000);
        assert_eq!(
            stream["digest"],
            format!("blake3:{}", blake3::hash(&vec![letter; 1_000_000]).to_hex())
        );
    }
}

#[test]
fn bytes_that_are_no_text_and_a_line_without_end_are_taken_in() {
    let done = done(
        "printf '\\377\\376\\000\\n'; head -c 5000000 /dev/zero | tr '\\0' x",
        "",
    );
    let stdout = done.attempt("it")["stdout"].clone();
    assert_eq!(stdout["bytes"], 5_000_004);
    assert!(
        stdout["head"]
            .as_str()
            .unwrap()
            .starts_with("\u{fffd}\u{fffd}\0\nxxx")
    );
    let raw = [b"\xff\xfe\x00\n".as_slice(), &vec![b'x'; 5_000_000]].concat();
    assert_eq!(
        stdout["digest"],
        format!("blake3:{}", blake3::hash(&raw).to_hex())
    );
}

#[test]
fn no_output_acts_on_a_terminal_or_hides_a_line() {
    let script = r"printf '\033]0;title\nFAILED here\n\033]52;c;aGk=\007\033[2J]]>\302\233\342\200\256bidi\n'; exit 1";
    let project = Project::script(script, "");
    for format in ["json", "table"] {
        let done = project
            .start(&["check", "--format", format, "--color", "always"])
            .finish();
        assert_eq!(done.status, Some(1));
        let text = done.text();
        assert!(text.contains("FAILED here"), "{text}");
        assert!(text.contains("]]>"), "{text}");
        assert!(!text.contains('\u{7}'), "{text:?}");
        assert!(
            format == "json" || !text.contains(['\u{9b}', '\u{202e}']),
            "{text:?}"
        );
        assert!(
            text.split('\u{1b}')
                .skip(1)
                .all(|rest| rest.starts_with('[')
                    && rest
                        .trim_start_matches(|c: char| c == '[' || c == ';' || c.is_ascii_digit())
                        .starts_with('m')),
            "{text:?}"
        );
        assert!(format == "table" || !text.contains('\u{1b}'), "{text:?}");
        if format == "json" {
            assert!(
                done.attempt("it")["stdout"]["tail"]
                    .as_str()
                    .unwrap()
                    .contains("\u{1b}[2J]]>")
            );
        }
    }
}

#[test]
fn a_name_of_a_leftover_does_not_act_on_a_terminal() {
    let project = Project::script(
        "setsid -f ./left \"$(printf '\\033[2J\\033]0;x')\" > /dev/null 2>&1",
        "",
    );
    project.executable("left", "#!/bin/sh\nsleep 300\n");
    let done = project.start(&["check"]).finish();
    project.nothing_runs();
    assert!(done.text().contains("left"), "{}", done.text());
    assert!(!done.text().contains('\u{1b}'), "{:?}", done.text());
}

#[test]
fn a_program_that_closes_its_output_and_runs_on_is_waited_for() {
    let done = done("exec > /dev/null 2>&1\nsleep 0.2\nexit 3", "");
    assert_eq!(done.verdict("it"), "failed exit-status");
}

#[test]
fn output_after_the_programs_end_is_taken_in() {
    let done = done("(sleep 0.2; echo late) &\nexit 0", "");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "late\n");
    assert_eq!(done.leaked("it"), [""; 0]);
}

#[test]
fn there_is_nothing_to_read_on_standard_input() {
    let done = done(
        "test \"$(wc -c)\" -eq 0 && test /dev/null -ef /dev/stdin",
        "",
    );
    assert_eq!(done.verdict("it"), "verified held");
}

#[test]
fn descriptors_of_ours_do_not_reach_a_program() {
    let script = "ls /proc/self/fd | tr '\\n' ' '";
    let checks = (0..8)
        .map(|n| check(&format!("c{n}"), script, ""))
        .collect::<String>();
    let done = Project::new(&checks).check();
    // What we inherited ourselves passes through.
    let inherited = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    for n in 0..8 {
        assert_eq!(
            done.attempt(&format!("c{n}"))["stdout"]["tail"],
            String::from_utf8(inherited.stdout.clone()).unwrap()
        );
    }
}

// Secrets.

const SECRET: &str = "hunter2/pass+word=X";

/// Fails where a sink holds the text.
fn is_nowhere(project: &Project, done: &Done, text: &str) {
    for (name, sink) in [
        ("stdout", done.stdout.clone()),
        ("stderr", done.stderr.clone().into_bytes()),
        ("ledger", project.ledger_bytes()),
    ] {
        assert!(
            !contains(&sink, text.as_bytes()),
            "`{text}` is in {name}: {}",
            String::from_utf8_lossy(&sink)
        );
    }
}

fn with_secret(project: &Project, name: &str, secret: &str, format: &str) -> Done {
    let mut command = project.command(&["check", "--verbose", "--format", format]);
    command.env(name, secret);
    Running::new(command).finish()
}

#[test]
fn a_secret_is_masked_however_it_is_written() {
    let bytes = SECRET
        .chars()
        .map(|c| format!("printf %s '{c}'; printf %s '{c}' >&2\n"))
        .collect::<String>();
    let checks = [
        check("bytes", &bytes, ""),
        check("failing", "echo \"$API_TOKEN\"; echo \"$API_TOKEN\" >&2; exit 1", ""),
        check("base64", "printf %s \"x$API_TOKEN\" | base64; printf %s \"xy$API_TOKEN\" | base64; printf %s \"$API_TOKEN\" | base64; exit 1", ""),
        check("leaked", "setsid -f ./left \"$API_TOKEN\" > /dev/null 2>&1", ""),
        check("expected", "echo \"$API_TOKEN\"", "expect = { stdout = { lacks = [\"hunter2/pass+word=X\"] } }\nsecrets = [\"API_TOKEN\"]"),
        "[checks.argument]\nsays = \"a\"\nrun = [\"false\", \"{env.API_TOKEN}\"]\n".to_string(),
        "[checks.program]\nsays = \"a\"\nrun = [\"./{env.API_TOKEN}\"]\n".to_string(),
        "[checks.url]\nsays = \"u\"\nhttp = \"http://127.0.0.1:1/{env.API_TOKEN}?token={env.API_TOKEN}\"\n".to_string(),
        "[checks.bad-url]\nsays = \"u\"\nhttp = \"{env.API_TOKEN}://x\"\n".to_string(),
    ];
    // The manifest's own words are the user's; the one check that names the secret in them is left out below.
    for format in ["json", "table"] {
        let project = Project::new(
            &checks
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != 0 && *n != 4)
                .map(|(_, check)| check.as_str())
                .collect::<String>(),
        );
        project.executable("left", "#!/bin/sh\nsleep 300\n");
        let done = with_secret(&project, "API_TOKEN", SECRET, format);
        project.nothing_runs();
        assert_eq!(done.status, Some(1), "{}", done.stderr);
        for form in [
            SECRET,
            "hunter2%2Fpass%2Bword%3DX",
            "aHVudGVyMi9wYXNz",
            "h1bnRlcjIvcGFzcyt3b3Jk",
        ] {
            is_nowhere(&project, &done, form);
        }
        assert!(done.text().contains("***"), "{}", done.text());
    }
    let project = Project::new(&checks[0]);
    let bytes = with_secret(&project, "API_TOKEN", SECRET, "json");
    assert_eq!(bytes.attempt("bytes")["stdout"]["tail"], "***");
    assert_eq!(bytes.attempt("bytes")["stderr"]["tail"], "***");
}

#[test]
fn a_secret_of_several_lines_is_masked_line_by_line() {
    let project = Project::script("printf %s \"$SIGNING_SECRET\" | sed 's/^/> /'; exit 1", "");
    let done = with_secret(
        &project,
        "SIGNING_SECRET",
        "first-line-of-it\nsecond-line-of-it\n",
        "json",
    );
    assert_eq!(done.attempt("it")["stdout"]["tail"], "> ***\n> ***\n");
    is_nowhere(&project, &done, "line-of-it");
}

#[test]
fn a_secret_at_the_border_of_what_is_kept_is_not_shown_in_part() {
    // Masked, the head is short enough to be stored up to its border, which cuts through a secret.
    let secret = (0..50).map(|n| format!("k{n:03}")).collect::<String>();
    let script = |length: usize| {
        format!(
            "for n in $(seq {length}); do printf %s \"$API_TOKEN\"; done; printf %s {}",
            "x".repeat(length % 7)
        )
    };
    let checks = (1000..1014)
        .map(|n| check(&format!("c{n}"), &script(n), ""))
        .collect::<String>();
    let project = Project::new(&checks);
    let done = with_secret(&project, "API_TOKEN", &secret, "json");
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    for n in 0..50 {
        is_nowhere(&project, &done, &format!("k{n:03}"));
    }
}

#[test]
fn a_secret_at_the_border_of_a_shortened_name_is_not_shown_in_part() {
    let secret = "abcdefghijklmnopqrstuvwxyz0123456789";
    let project = Project::new(
        &(0..3)
            .map(|n| check(&format!("c{n}"), &leftover(n, ""), ""))
            .collect::<String>(),
    );
    project.executable("left", "#!/bin/sh\nsleep 300\n");
    let done = with_secret(&project, "API_TOKEN", secret, "json");
    project.nothing_runs();
    for n in 0..3 {
        assert!(
            done.leaked(&format!("c{n}"))[0].contains("left"),
            "{:?}",
            done.leaked(&format!("c{n}"))
        );
    }
    is_nowhere(&project, &done, &secret[..8]);
    // The same for what is ended with the run.
    let project = Project::new(&check(
        "it",
        &(leftover(1, "env -i") + "\nwhile [ ! -e up ]; do sleep 0.01; done"),
        "",
    ));
    project.executable("left", "#!/bin/sh\ntouch up\nsleep 300\n");
    let done = with_secret(&project, "API_TOKEN", secret, "json");
    let left = processes(|folder| {
        contains(
            &std::fs::read(folder.join("cmdline")).unwrap_or_default(),
            secret.as_bytes(),
        )
    });
    assert_eq!(left, []);
    assert!(
        done.warnings()
            .iter()
            .any(|warning| warning.contains("left")),
        "{:?}",
        done.warnings()
    );
    is_nowhere(&project, &done, &secret[..8]);
}

/// Leaves a process whose command line has a secret across its 80th character.
fn leftover(n: usize, prefix: &str) -> String {
    let fill = "x".repeat(80 - "/bin/sh ./left ".len() - 10 - n * 5 - 1);
    format!("setsid -f {prefix} ./left {fill} $API_TOKEN > /dev/null 2>&1")
}

// Programs that cannot be started.

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

// Exit statuses.

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

// Ctrl-C.

/// Checks of which the first two run, with all that makes ending them hard, and the last never begins.
fn to_interrupt() -> Project {
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 300; done' & touch stubborn; while :; do sleep 300; done";
    let polite = "setsid sleep 300 & sleep 300 & touch polite; wait";
    Project::new(
        &(check("stubborn", stubborn, "")
            + &check("polite", polite, "")
            + &check("never", "touch never", "")),
    )
}

fn interrupted(words: &[&str], signal: Signal) -> (Project, Done) {
    let project = to_interrupt();
    let mut running = Running::new({
        let mut command = project.command(&["check", "--format", "table", "--jobs", "2"]);
        command.env("COLUMNS", "200");
        command
    });
    wait_until("both checks run", || {
        project.has("stubborn") && project.has("polite")
    });
    for words in words {
        running.signal(signal);
        if !words.is_empty() {
            running.wait_for_line(words);
        }
    }
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130), "{}", done.stderr);
    assert!(!project.has("never"));
    (project, done)
}

const ASKED: &str = "running checks are asked to end";
const MADE: &str = "running checks are made to end";

#[test]
fn ctrl_c_ends_the_run_and_records_it() {
    for (words, signal) in [
        ([ASKED].as_slice(), Signal::INT),
        (&[ASKED, MADE], Signal::INT),
        (&[ASKED], Signal::TERM),
        (&[ASKED], Signal::HUP),
    ] {
        let (project, done) = interrupted(words, signal);
        assert!(
            done.text().contains("not-run") || done.text().contains("stopped before its turn"),
            "{}",
            done.text()
        );
        let runs = project.recorded_runs();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["interrupted"], true);
        assert_eq!(runs[0]["complete"], false);
    }
}

#[test]
fn the_report_of_an_interrupted_run_says_so() {
    let project = to_interrupt();
    let running = project.start(&["check", "--format", "json", "--jobs", "2"]);
    wait_until("both checks run", || {
        project.has("stubborn") && project.has("polite")
    });
    running.signal(Signal::INT);
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.report()["run"]["interrupted"], true);
    assert_eq!(done.verdict("stubborn"), "unverified interrupted");
    assert_eq!(done.verdict("polite"), "unverified interrupted");
    assert_eq!(done.verdict("never"), "unverified not-run");
    assert_eq!(done.report()["decision"]["open"], false);
    assert_eq!(project.recorded_runs().len(), 1);
}

#[test]
fn the_third_ctrl_c_ends_at_once_and_leaves_nothing_either() {
    // Nothing can hold up the second word for long, so that the third may come after the end; then it changes nothing.
    let (project, _) = interrupted(&[ASKED, MADE, ""], Signal::INT);
    let runs = if project.has(".ready/ledger.sqlite") {
        project.recorded_runs().len()
    } else {
        0
    };
    assert!(runs <= 1, "{runs}");
}

#[test]
fn an_interrupted_run_is_never_evidence() {
    let project = Project::script("[ -e go ] && exit 0; touch runs; sleep 300", "");
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it runs", || project.has("runs"));
    running.signal(Signal::INT);
    assert_eq!(running.finish().status, Some(130));
    let done = project.start(&["status", "--format", "json"]).finish();
    assert_eq!(done.verdict("it"), "unverified not-run");
}

#[test]
fn a_request_that_is_not_answered_ends_with_ctrl_c() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "[checks.it]\nsays = \"x\"\nhttp = \"http://127.0.0.1:{port}/\"\n"
    ));
    let running = project.start(&["check", "--format", "json"]);
    let _connection = server.accept().unwrap();
    running.signal(Signal::INT);
    let done = running.finish();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
}

// What the machine lacks.

/// `ready check --format json` with limits of the shell.
fn limited(project: &Project, limits: &str) -> Done {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &format!("{limits} exec \"$0\" check --format json --jobs 8"),
        env!("CARGO_BIN_EXE_ready"),
    ]);
    project.prepare(&mut command);
    Running::new(command).finish()
}

#[test]
fn few_descriptors_are_no_fault_of_a_check_and_never_green() {
    let checks = (0..8)
        .map(|n| {
            check(
                &format!("c{n}"),
                &format!("touch runs-{n}; [ -e runs-0 ]; exit 1"),
                "",
            )
        })
        .collect::<String>();
    let mut starved = 0;
    for descriptors in 4..40 {
        let project = Project::new(&checks);
        let done = limited(&project, &format!("ulimit -n {descriptors};"));
        project.nothing_runs();
        match done.status {
            Some(3) => {
                let unrecorded = done.stdout.windows(12).any(|part| part == b"not recorded");
                assert!(
                    unrecorded || done.stderr.starts_with("error: "),
                    "{}",
                    done.stderr
                );
            }
            Some(1) => {
                for n in 0..8 {
                    let id = format!("c{n}");
                    match done.verdict(&id).as_str() {
                        "failed exit-status" => {}
                        "unverified cannot-tell" => {
                            starved += 1;
                            assert!(
                                done.reason(&id).contains("Too many open files"),
                                "{}",
                                done.reason(&id)
                            );
                        }
                        other => panic!("{descriptors}: {other}: {}", done.reason(&id)),
                    }
                }
            }
            // The system's loader needs descriptors as well.
            Some(127) => {}
            other => panic!("{descriptors}: {other:?} {}", done.stderr),
        }
    }
    assert!(starved > 0);
}

#[test]
fn few_processes_are_no_fault_of_a_check_and_never_green() {
    if !is_root() || !std::path::Path::new("/usr/bin/setpriv").exists() {
        tools::without("few processes", "setpriv for root");
        return; // The limit counts every process of the user: only one who has no others gives the same result twice.
    }
    let mut starved = 0;
    for (processes, user) in (1..12).zip(54_400..) {
        let project = Project::new(&(check("a", "exit 1", "") + &check("b", "exit 1", "")));
        // dash knows the limit as -p, others as -u.
        let done = without_rights(
            &project,
            user,
            &format!("ulimit -p {processes} 2> /dev/null || ulimit -u {processes};"),
        )
        .finish();
        match done.status {
            Some(3) => assert!(
                done.stderr.contains("error: ") || !done.warnings().is_empty(),
                "{}",
                done.stderr
            ),
            Some(1) => {
                for id in ["a", "b"] {
                    match done.verdict(id).as_str() {
                        "failed exit-status" => {}
                        "unverified cannot-tell" => {
                            starved += 1;
                            assert!(
                                done.reason(id).contains("Resource temporarily unavailable"),
                                "{}",
                                done.reason(id)
                            );
                        }
                        other => panic!("{processes}: {other}: {}", done.reason(id)),
                    }
                }
            }
            other => panic!("{processes}: {other:?} {}", done.stderr),
        }
    }
    assert!(starved > 0);
}

/// `ready` in a script of the shell, which gives its exit status as its last line.
fn in_shell(project: &Project, script: &str) -> Done {
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ready")]);
    project.prepare(&mut command);
    Running::new(command).finish()
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    for (script, status) in [
        ("exit 0", 0),
        ("head -c 100000 /dev/zero | tr '\\0' x; exit 1", 1),
    ] {
        for verb in ["check --format json", "check --verbose", "check 2>&1"] {
            let project = Project::script(script, "");
            let done = in_shell(
                &project,
                &format!("\"$0\" {verb} | true; exit ${{PIPESTATUS[0]}}"),
            );
            assert_eq!(done.status, Some(status), "{verb}: {}", done.stderr);
            assert_eq!(project.recorded_runs().len(), 1);
        }
        let project = Project::script(script, "");
        assert_eq!(
            in_shell(
                &project,
                "\"$0\" check | head -1 > first; exit ${PIPESTATUS[0]}"
            )
            .status,
            Some(status)
        );
        assert_eq!(
            std::fs::read_to_string(project.path("first")).unwrap(),
            "faults\n"
        );
        assert_eq!(
            in_shell(&project, "exec \"$0\" check >&- 2>&-").status,
            Some(status)
        );
    }
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    let project = Project::script("exit 0", "");
    let done = in_shell(&project, "exec \"$0\" check > /dev/full");
    assert_eq!(done.status, Some(3));
    assert!(
        done.stderr.contains("No space left on device"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_check_whose_folder_goes_away_while_it_runs_is_still_judged() {
    let project = Project::script("rmdir ../gone; exit 4", "cwd = \"gone\"");
    std::fs::create_dir(project.path("gone")).unwrap();
    assert_eq!(project.check().verdict("it"), "failed exit-status");
}

#[test]
fn what_a_check_needs_is_not_begun_after_a_failure() {
    let project = Project::new(
        &(check("base", "kill -9 $$", "") + &check("next", "touch next", "needs = [\"base\"]")),
    );
    let done = project.check();
    assert_eq!(done.verdict("next"), "unverified needs-failed");
    assert!(!project.has("next"));
}

#[test]
fn a_pass_after_a_failure_is_partial_and_keeps_both_attempts() {
    let project = Project::script(
        "[ -e again ] && exit 0; touch again; setsid -f sleep 300; exit 1",
        "retries = 2",
    );
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "partial flaky");
    let attempts = done.row("it")["evidence"]["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 2);
    assert_eq!(attempts[0]["leaked"].as_array().unwrap().len(), 1);
}

#[test]
fn a_program_that_is_asked_its_version_leaves_nothing_either() {
    let project = Project::new(
        "[requires]\ntools = { \"./tool\" = \">= 1.0\" }\n[checks.it]\nsays = \"x\"\nrun = [\"true\"]\n",
    );
    project.executable(
        "tool",
        "#!/bin/sh\nsetsid -f sleep 300 > /dev/null 2>&1\necho 1.2\n",
    );
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "verified held");
}

#[test]
fn output_is_not_given_to_whoever_has_none_to_take() {
    // A daemon that holds the pipes and that we do not know bounds the wait, and the run goes on.
    let script = "setsid -f env -i sleep 300.75\nexit 0";
    let done = Project::script(script, "").check();
    assert_eq!(done.verdict("it"), "verified held");
    assert_eq!(
        processes(
            |folder| std::fs::read(folder.join("cmdline")).unwrap_or_default()
                == b"sleep\x00300.75\0"
        ),
        []
    );
}

#[test]
fn a_run_that_is_killed_can_be_followed_by_another() {
    let project = Project::script("touch runs; [ -e go ] || sleep 300", "");
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it runs", || project.has("runs"));
    running.signal(Signal::KILL);
    assert_eq!(running.finish().status, None);
    // Nothing is left that could end them: the test does.
    project
        .running()
        .iter()
        .for_each(|(pid, _)| _ = rustix::process::kill_process(*pid, Signal::KILL));
    project.write("go", "");
    assert_eq!(project.check().verdict("it"), "verified held");
    assert_eq!(project.recorded_runs().len(), 1);
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
