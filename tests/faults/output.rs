//! Output: endless, none, not text, acting on whoever prints it.

use std::process::{Command, Stdio};

use crate::done;
use crate::support::{Project, Running, check, wait_until};

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

/// What acts on a terminal or hides from whoever reads: OSC 52, a title without end, the screen cleared, concealed text,
/// C1, the order of text turned around, a soft hyphen.
const ACTS: &str =
    "\u{1b}]52;c;aGk=\u{7}\u{1b}]0;t \u{1b}[2J\u{1b}[8mhid\u{9b}2J\u{202e}bidi\u{2066}\u{ad}\u{85}";

/// Fails where a text holds more than characters and colours.
fn does_nothing(text: &str, what: &str) {
    for (at, c) in text.char_indices() {
        let colour = || {
            let rest = text[at + 1..].strip_prefix('[').unwrap_or("?");
            let end = rest.find(|c: char| c != ';' && !c.is_ascii_digit());
            let (codes, rest) = rest.split_at(end.unwrap_or(0));
            rest.starts_with('m') && codes.split(';').all(|code| code != "8")
        };
        let harmless = match c {
            '\u{1b}' => colour(),
            '\n' => true,
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => false,
            c => !c.is_control(),
        };
        assert!(harmless, "{what}: {c:?} acts in {:?}", &text[at..]);
    }
}

/// A project in which everything that others can say acts, and none of it holds.
fn that_acts() -> Project {
    // As programs print it, and as a script can name it.
    let says = "cat acts; cat acts >&2; exit 1";
    let results = "cp results.xml out.xml; exit 1";
    let project = Project::new(
        &(check("says", says, "")
            + &check("reads", results, "reader = { junit = \"out.xml\" }")
            + &check(
                "leaves",
                "setsid -f ./left \"$(cat acts)\" > /dev/null 2>&1; exit 1",
                "",
            )
            + "[checks.files]\nsays = \"f\"\nfile = \"found/*\"\nexpect = { contains = \"x\" }\n"
            + "[checks.tool]\nsays = \"t\"\ntool = \"./tool\"\nexpect = { version = \">= 9\" }\n"),
    );
    project.write("acts", &format!("FAILED {ACTS}\n"));
    let name = ACTS.replace(['\u{1b}', '\u{7}'], "");
    project.write(
        "results.xml",
        &format!("<testsuite name='s' tests='1' failures='1'><testcase classname='c' name='FAILED {name}'><failure message='m'/></testcase></testsuite>"),
    );
    std::fs::create_dir(project.path("found")).unwrap();
    project.write(
        &format!("found/FAILED {}", ACTS.replace('/', "")),
        "nothing",
    );
    project.executable("left", "#!/bin/sh\nsleep 300\n");
    project.executable("tool", "#!/bin/sh\ncat acts; echo 1.2\n");
    project
}

#[test]
fn nothing_that_anybody_says_acts_on_a_terminal() {
    let project = that_acts();
    for words in [
        "check --verbose --color always",
        "check --color never",
        "check --quiet --color always",
        "status --verbose --color always",
        "explain says --color always",
        "explain reads --color always",
        "explain leaves --color always",
        "explain files --color always",
        "explain tool --color always",
        "check --format json",
    ] {
        let args = words.split(' ').collect::<Vec<_>>();
        let done = project.start(&args).finish();
        does_nothing(&done.text(), words);
        does_nothing(&done.stderr, words);
        if words.starts_with("check") {
            assert_eq!(done.status, Some(1), "{words}: {}", done.stderr);
        }
        if !words.contains("quiet") && !words.contains("tool") {
            let shown = done.text().contains("FAILED") || done.text().contains("left");
            assert!(shown, "{words}: {}", done.text());
        }
    }
    project.nothing_runs();
    let done = project.check();
    for (id, verdict) in [
        ("says", "failed exit-status"),
        ("reads", "failed all-failed"),
        ("leaves", "failed exit-status"),
        ("files", "failed expectation"),
        ("tool", "failed expectation"),
    ] {
        assert_eq!(done.verdict(id), verdict, "{}", done.reason(id));
    }
}

/// The commands that GitHub's runner finds in a stream: those of today at the beginning of a line, those of before
/// anywhere in it; between a line that stops them and one that ends this, none.
fn commands(stream: &str) -> Vec<String> {
    let mut found = vec![];
    let mut stopped = None;
    for line in stream.split(['\n', '\r']).map(str::trim) {
        match (&stopped, line.strip_prefix("::stop-commands::")) {
            (Some(token), _) if line == format!("::{token}::") => stopped = None,
            (Some(_), _) => {}
            (None, Some(token)) => {
                assert!(token.len() >= 26, "the token cannot be guessed");
                stopped = Some(token.to_string());
            }
            (None, None) if line.starts_with("::") || line.contains("##[") => {
                found.push(line.to_string());
            }
            (None, None) => {}
        }
    }
    assert_eq!(stopped, None, "commands are stopped for good:\n{stream}");
    found
}

#[test]
fn the_reader_of_commands_in_these_tests_reads_them() {
    let token = "x".repeat(26);
    let stream = format!(
        "::error::a\nb ##[error]c\n::stop-commands::{token}\n::error::d\n::{token}::\nx\r ::warning::e\n"
    );
    assert_eq!(
        commands(&stream),
        ["::error::a", "b ##[error]c", "::warning::e"]
    );
}

#[test]
fn nothing_that_anybody_says_is_a_command_on_github() {
    let says = [
        "::error file=a::x",
        "::add-mask::verified",
        "  ::stop-commands::0000",
        "::0000::",
        "x ##[error]y",
        "##[add-mask]verified",
        "a\r::warning::b",
    ]
    .join("\n");
    let project = Project::new(
        &(check("says", "cat says; cat says >&2; exit 1", "")
            + &check("last", "printf '::error::last\\n' >&2; exit 1", "")
            + &check("older", "printf '##[error]last\\n' >&2; exit 1", "")
            + &check(
                "leaves",
                "setsid -f ./left '##[error]left' > /dev/null 2>&1; exit 1",
                "",
            )
            + "[checks.file]\nsays = \"::error::says ##[error]says\"\nfile = \"no\\n::error::##[error]file\"\n"),
    );
    project.write("says", &(says + "\n"));
    project.executable("left", "#!/bin/sh\nsleep 300\n");
    let on_github = |words: &str| {
        let args = words.split(' ').collect::<Vec<_>>();
        let mut command = project.command(&args);
        let done = Running::new({
            command.env("GITHUB_ACTIONS", "true").env("CI", "true");
            command
        })
        .finish();
        // What annotates the manifest's lines is ours; what others said is data in it.
        let ours = |line: &String| {
            let starts = ["::error file=readiness.toml,line=", "::error title=ready::"];
            starts.iter().any(|start| line.starts_with(start)) && !line.contains("##[")
        };
        let text = done.text();
        let foreign = commands(&text)
            .into_iter()
            .filter(|line| !ours(&line.to_string()));
        assert_eq!(foreign.collect::<Vec<_>>(), [""; 0], "{words}");
        assert_eq!(commands(&done.stderr), [""; 0], "{words}");
        done
    };
    for words in ["check --verbose", "check --quiet", "check --format json"] {
        let done = on_github(words);
        assert_eq!(done.status, Some(1), "{words}: {}", done.stderr);
    }
    for words in [
        "status --verbose",
        "explain says",
        "explain last",
        "explain file",
    ] {
        assert_eq!(on_github(words).status, Some(0), "{words}");
    }
    assert_eq!(on_github("check ##[error]x").status, Some(2));
    project.nothing_runs();
    // The evidence holds it as it was said.
    let done = on_github("check --format json");
    assert_eq!(done.verdict("older"), "failed exit-status");
    assert_eq!(done.attempt("older")["stderr"]["tail"], "##[error]last\n");
}

#[test]
fn results_that_are_no_file_are_not_waited_for() {
    let script = "mkfifo fifo.json";
    let project = Project::script(
        script,
        "reader = { json = 'fifo.json', findings = '0' }\ntimeout = '60s'",
    );
    let done = project.check();
    assert_eq!(done.verdict("it"), "unverified unreadable");
    assert_eq!(
        done.reason("it"),
        "`fifo.json` is no regular file (exit status 0)"
    );
}

#[test]
fn what_lies_beside_a_result_file_stays() {
    let project = Project::script(
        "echo 0 > r.json",
        "reader = { json = 'r.json', findings = '.' }",
    );
    project.write("r.json", "1");
    project.write("r.json.ready-before", "precious");
    assert_eq!(project.check().verdict("it"), "verified held");
    let beside = std::fs::read_to_string(project.path("r.json.ready-before")).unwrap();
    assert_eq!(beside, "precious");
    let files = std::fs::read_dir(project.path(".")).unwrap().flatten();
    let files = files.map(|file| file.file_name().into_string().unwrap());
    let left = files.filter(|name| name.starts_with("r.json")).count();
    assert_eq!(left, 2, "nothing of the run's own is left");
}
