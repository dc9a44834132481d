//! Output: endless, none, not text, acting on whoever prints it.

use crate::done;
use crate::support::{Project, check, wait_until};
use std::process::{Command, Stdio};

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
