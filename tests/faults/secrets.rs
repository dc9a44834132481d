//! Secrets in what programs print, on every way out.

use readiness::reporter::FORMATS;

use crate::contains;
use crate::support::{Done, Project, Running, check, processes};

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

#[test]
fn a_secret_across_every_border_of_what_is_read_is_masked() {
    // What is read at once, and what is kept of the beginning, both end after 64 KiB.
    let border = 64 << 10;
    let script = |before: usize, after: usize| {
        let fill =
            |count: usize, with: char| format!("head -c {count} /dev/zero | tr '\\0' {with}; ");
        fill(border - before, 'x') + "printf %s \"$API_TOKEN\"; " + &fill(after, 'y') + "exit 1"
    };
    let splits = 0..=SECRET.len();
    // With less than that after it, nothing is dropped; with more, all but the beginning and the end is.
    let checks = splits.clone().flat_map(|split| {
        [("whole", 100), ("cut", border + SECRET.len())]
            .map(|(name, after)| check(&format!("{name}-{split}"), &script(split, after), ""))
    });
    let project = Project::new(&checks.collect::<String>());
    let mut command = project.command(&["check", "--verbose", "--format", "json"]);
    // The statement must be about something.
    command.args(["--artifact", "readiness.toml"]);
    let reports = tempfile::tempdir().unwrap();
    for format in &FORMATS {
        let file = reports.path().join(format.name);
        command.arg(format!("--report={}={}", format.name, file.display()));
    }
    let summary = reports.path().join("summary");
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary);
    command.env("API_TOKEN", SECRET);
    let done = Running::new(command).finish();
    for split in splits {
        let whole = done.attempt(&format!("whole-{split}"))["stdout"].clone();
        let tail = whole["tail"].as_str().unwrap();
        assert!(
            tail.ends_with(&format!("x***{}", "y".repeat(100))),
            "{split}"
        );
        let cut = done.attempt(&format!("cut-{split}"))["stdout"].clone();
        assert_eq!(cut["truncated"], true);
        for part in ["head", "tail"] {
            let kept = cut[part].as_str().unwrap();
            let rest = kept.trim_start_matches('x').trim_start_matches("***");
            assert!(rest.chars().all(|c| c == 'y'), "{split} {part}: {rest}");
        }
    }
    for at in 0..SECRET.len() - 4 {
        is_nowhere(&project, &done, &SECRET[at..at + 5]);
    }
    let written = std::fs::read_dir(reports.path()).unwrap();
    let written = written.map(|file| file.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(written.len(), FORMATS.len() + 1, "{}", done.stderr);
    for file in written {
        let text = std::fs::read(&file).unwrap();
        for at in 0..SECRET.len() - 4 {
            let part = &SECRET[at..at + 5];
            assert!(!contains(&text, part.as_bytes()), "{file:?} has `{part}`");
        }
    }
}

#[test]
fn what_tools_make_of_a_secret_is_masked() {
    let secret = "it's a p@ss/wörd+1&<2>";
    // `base64` breaks its lines after 76 characters: the secret stands before, across and behind that place.
    let encoded = (30..62).map(|before| {
        let fill = "x".repeat(before);
        check(
            &format!("base64-{before}"),
            &format!("printf %s {fill}\"$API_TOKEN\"{} | base64", "y".repeat(40)),
            "",
        )
    });
    let checks = encoded.collect::<String>()
        + &check(
            "hex",
            "printf %s \"$API_TOKEN\" | od -An -v -tx1 | tr -d ' \\n'",
            "",
        )
        + &check("wrapped", "printf %s \"$API_TOKEN\" | fold -w 7", "")
        + &check(
            "coloured",
            "printf '\\033[1mit\\047s \\033[31ma\\033[m %s' \"${API_TOKEN#it?s a }\"",
            "",
        )
        + &check("traced", "set -x; : \"$API_TOKEN\"", "")
        + "[checks.quoted]\nsays = \"q\"\nrun = [\"bash\", \"-c\", \"printf '%q\\\\n' \\\"$API_TOKEN\\\"; set -x; : \\\"$API_TOKEN\\\"\"]\n";
    let project = Project::new(&checks);
    let done = with_secret(&project, "API_TOKEN", secret, "json");
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    for (id, stream, shown) in [
        ("hex", "stdout", "***"),
        ("wrapped", "stdout", "***\n\n\n"),
        ("coloured", "stdout", "\u{1b}[1m***"),
        ("traced", "stderr", "+ : ***\n"),
        ("quoted", "stdout", "***\n"),
    ] {
        assert_eq!(done.attempt(id)[stream]["tail"], shown, "{id}");
    }
    let stars = |text: &str| text.chars().filter(|c| *c == '*').count();
    for before in 30..62 {
        let id = format!("base64-{before}");
        let tail = done.attempt(&id)["stdout"]["tail"].clone();
        assert_eq!(stars(tail.as_str().unwrap()), 3, "{id}: {tail}");
    }
    // The same bytes at each offset that base64 knows.
    for part in ["cEBzcy93", "BAc3Mvd", "wQHNzL3"] {
        is_nowhere(&project, &done, part);
    }
}

#[test]
fn a_secret_leaves_in_no_name_or_reason_either() {
    let results = "printf '<testsuite name=\"s\"><testcase name=\"t %s\"><failure/></testcase></testsuite>' \"$API_TOKEN\" > out.xml; exit 1";
    let checks = check("reads", results, "reader = { junit = \"out.xml\" }")
        + &check(
            "unreadable",
            "echo \"$API_TOKEN\" > bad.xml; exit 1",
            "reader = { junit = \"bad.xml\" }",
        )
        + &check("says", "echo \"not $API_TOKEN\" >&2; exit 1", "")
        + "[checks.files]\nsays = \"f\"\nfile = \"found/*\"\n"
        + "[checks.place]\nsays = \"p\"\nrun = [\"true\"]\ncwd = \"{env.API_TOKEN}\"\n"
        + "[checks.pattern]\nsays = \"p\"\nfile = \"{env.API_TOKEN}/*\"\n";
    let secret = "hunter2-pass-word";
    for words in [
        "check --format json",
        "check --verbose",
        "check --quiet",
        "status --verbose",
        "explain reads",
        "explain files",
    ] {
        let project = Project::new(&checks);
        std::fs::create_dir(project.path("found")).unwrap();
        project.write(&format!("found/{secret}"), "");
        let run = |words: &str| {
            let args = words.split(' ').collect::<Vec<_>>();
            let mut command = project.command(&args);
            command.env("API_TOKEN", secret);
            Running::new(command).finish()
        };
        let checked = run("check --format json");
        assert_eq!(checked.verdict("reads"), "failed all-failed");
        assert_eq!(checked.reason("says"), "exit status 1, expected 0: not ***");
        assert_eq!(checked.verdict("place"), "failed cannot-start");
        let done = run(words);
        is_nowhere(&project, &checked, secret);
        is_nowhere(&project, &done, secret);
    }
}

#[test]
fn a_secret_that_is_a_word_of_the_report_saves_no_other() {
    let project = Project::new(
        &(check(
            "it",
            "echo verified $API_TOKEN; exit 1",
            "env = { DB_PASSWORD = \"verified\" }",
        ) + &check("postgres", "exit 1", "env = { PGPASSWORD = \"postgres\" }")),
    );
    let done = with_secret(&project, "API_TOKEN", SECRET, "json");
    assert_eq!(done.verdict("it"), "failed exit-status");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "*** ***\n");
    is_nowhere(&project, &done, SECRET);
    // An id that is one is still found by whoever names it.
    let done = project.start(&["explain", "postgres"]).finish();
    assert_eq!(done.status, Some(0), "{}", done.stderr);
}
