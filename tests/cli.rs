//! The command line as a user meets it: arguments in, exit status and words out. Cases as data.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use readiness::domain::reason::Code;
use readiness::domain::report::Report;
use tempfile::TempDir;

/// Three checks of every fate, two of them files, so that every system can run them.
const MANIFEST: &str = r#"
[project]
name = "small"
[claims]
overall = 90
[gate]
min_score = 20
[gates.strict]
says = "Ship it"
require = ["absent"]
[components.docs]
title = "Documents"
[checks.here]
component = "docs"
tags = ["quick"]
says = "There is a manifest"
file = "readiness.toml"
[checks.absent]
component = "docs"
says = "There is a changelog"
file = "CHANGELOG.md"
fix = { takes = "30m", how = "write it" }
[checks.tool]
says = "A tool says so"
run = ["no-such-tool-anywhere", "--now"]
owner = "ops"
"#;

fn project(manifest: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("readiness.toml"), manifest).unwrap();
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "READY_GATE",
        "READY_JOBS",
        "READY_COLOR",
        "READY_MIN_SCORE",
        "READY_MANIFEST",
    ] {
        command.env_remove(name);
    }
    command
}

fn ready(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn each_command_line_has_its_exit_status_and_its_words() {
    let folder = project(MANIFEST);
    // arguments, exit status, words on standard output, words on standard error
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (
            &["--version"],
            0,
            concat!("ready ", env!("CARGO_PKG_VERSION")),
            "",
        ),
        (&["--help"], 0, "ready check --gate production", ""),
        (&["check", "--help"], 0, "Examples:", ""),
        (&["status", "--help"], 0, "nothing is run", ""),
        (&[], 2, "", "Usage: ready"),
        (&["chekc"], 2, "", "did you mean `check`?"),
        (&["dance"], 2, "", "there is no verb `dance`"),
        (&["mcp"], 2, "", "no client speaks to it"),
        (&["report"], 2, "", "nothing is recorded yet"),
        (&["plan"], 0, "no plan opens gate default", ""),
        (&["plan", "--gate", "default"], 1, "30 min  absent", ""),
        (&["claims"], 0, "contradicted  readiness.toml", ""),
        (
            &["check", "--report", "html"],
            2,
            "",
            "write it like `html=report.html`",
        ),
        (&["check", "--format", "xls"], 2, "", "invalid value 'xls'"),
        (&["check", "hree"], 2, "", "did you mean `here`?"),
        (
            &["check", "--component", "dosc"],
            2,
            "",
            "did you mean `docs`?",
        ),
        (&["check", "--tag", "slow"], 2, "", "no check was selected"),
        (
            &["check", "--gate", "stric"],
            2,
            "",
            "did you mean `strict`?",
        ),
        (&["check", "--jobs", "0"], 2, "", "0 is not in 1..=4096"),
        (&["check", "--min-score", "101"], 2, "", "not a percentage"),
        (
            &["check", "--manifest", "none.toml"],
            2,
            "",
            "there is no manifest `none.toml`",
        ),
        (&["-C", "nowhere", "check"], 2, "", "cannot go to `nowhere`"),
        // Nothing is recorded before the first run.
        (&["status"], 0, "nothing is recorded yet", ""),
        (
            &["status", "--gate", "default"],
            1,
            "no evidence is recorded",
            "",
        ),
        (
            &["check"],
            1,
            "NOT READY: verified 12 %, claimed 90 %; 1 check could not be verified here",
            "[3/3]",
        ),
        (&["check", "-q"], 1, "NOT READY", ""),
        (
            &["check", "here"],
            0,
            "HOLDS: 1 of 1 selected check verified",
            "",
        ),
        (&["check", "--tag", "quick"], 0, "HOLDS", ""),
        (
            &["check", "absent", "-q"],
            1,
            "DOES NOT HOLD: 0 of 1 selected check verified",
            "",
        ),
        (&["check", "tool", "-q"], 1, "DOES NOT HOLD", ""),
        (
            &["check", "here", "--gate", "strict", "-q"],
            1,
            "NOT READY",
            "",
        ),
        (
            &["check", "--min-score", "12", "--gate", "default"],
            1,
            "--min-score OPEN, decides",
            "",
        ),
        (&["check", "-v"], 1, "Can say\n", ""),
        (
            &["status"],
            0,
            "NOT READY: verified 12 %, claimed 90 %; 1 check is unverified",
            "",
        ),
        (&["status", "--gate", "strict", "-q"], 1, "NOT READY", ""),
        (&["list"], 0, "here    docs", ""),
        (&["list", "--library"], 0, "pytest", ""),
        (
            &["list", "--library"],
            0,
            "JUnit XML, which most test tools write",
            "",
        ),
        (
            &["list", "--library", "jest", "JSON"],
            0,
            "READER  READS\njest    the JSON",
            "",
        ),
        (
            &["list", "--library", "web-server"],
            0,
            "\nweb-server\nnginx-config        validated  nginx 1.22  nginx accepts",
            "",
        ),
        (
            &["list", "--library", "pytets"],
            2,
            "",
            "did you mean `pytest`?",
        ),
        (
            &["explain", "nginx-config"],
            0,
            "library check  checks/nginx-config.toml (built in)",
            "",
        ),
        (&["explain", "pytset"], 2, "", "did you mean `pytest`?"),
        (
            &["explain", "absent"],
            0,
            "To mend it: write it (about 30 min)",
            "",
        ),
        (&["explain", "absnt"], 2, "", "did you mean `absent`?"),
        (&["completions", "bash"], 0, "_ready()", ""),
    ];
    for (args, status, out, err) in cases {
        let output = ready(folder.path(), args);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let shown = format!(
            "ready {}\n--- stdout\n{stdout}--- stderr\n{stderr}",
            args.join(" ")
        );
        assert_eq!(output.status.code(), Some(*status), "{shown}");
        assert!(stdout.contains(out), "{shown}");
        assert!(stderr.contains(err), "{shown}");
    }
}

#[test]
fn without_a_manifest_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = ready(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("no readiness.toml here or in any folder above"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        !folder.path().join(".ready").exists(),
        "nothing is written where nothing is run"
    );
}

#[test]
fn a_library_check_of_the_projects_own_is_shown_like_the_others() {
    let own = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/manifests/good/own-checks"
    );
    let folder = project(&format!(
        "[project]\nname = \"x\"\n[library]\nfolders = [{own:?}]\n[checks.a]\nuse = \"layered\"\n"
    ));
    let shown = |args: &[&str]| text(&ready(folder.path(), args).stdout).to_string();
    let page = shown(&["explain", "layered"]);
    for line in [
        "layered: Plain\n",
        "  evidence       validated\n",
        "  runs           serve --port={port} {{literal}} {env.HOME}/{file} {print $1}\n",
        "  results        read as junit\n",
        "    windows      winget install serve\n",
        "    install      get serve\n",
        "  tried with     serve, serve 1.2\n",
        "  mending takes  about 2 h\n",
        "\nLayers.\n",
        "port       \"8000\"     where it listens\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
    assert!(shown(&["explain", "a"]).contains("Layers.\nTried with its tool: serve 1.2."));
    let list = shown(&["list", "--library", "layers"]);
    assert!(
        list.contains("\nlayers\nlayered  validated  serve, serve 1.2  Plain"),
        "{list}"
    );
}

#[test]
fn the_manifest_is_found_upward_and_paths_are_relative_to_it() {
    let folder = project(MANIFEST);
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    assert_eq!(
        ready(&below, &["check", "here", "-q"]).status.code(),
        Some(0)
    );
    assert!(folder.path().join(".ready/ledger.sqlite").exists());
    assert!(!below.join(".ready").exists());
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let folder = project(MANIFEST);
    for args in [
        &["check", "--format", "json"][..],
        &["status", "--format", "json"],
        &["check", "-q", "--format", "json"],
    ] {
        let output = ready(folder.path(), args);
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report.format, "ready-report/1");
        assert_eq!(text(&output.stdout).lines().count(), 1);
        let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(again, report);
    }
}

#[test]
fn a_problem_of_the_manifest_runs_nothing_and_writes_nothing() {
    let folder =
        project("[project]\nname = \"x\"\n[checks.a]\nsays = \"a\"\nrnu = [\"touch\", \"ran\"]\n");
    let output = ready(folder.path(), &["check"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for words in [
        "readiness.toml:5:1",
        "did you mean `run`?",
        "nothing was run",
    ] {
        assert!(stderr.contains(words), "{words} is not in\n{stderr}");
    }
    assert!(output.stdout.is_empty());
    assert!(!folder.path().join(".ready").exists());
}

#[test]
fn colours_obey_the_flag_the_environment_and_the_pipe() {
    let folder = project(MANIFEST);
    let coloured = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = command(folder.path(), args);
        command.envs(env.iter().copied());
        text(&command.output().unwrap().stdout).contains('\u{1b}')
    };
    assert!(!coloured(&["check"], &[]), "not in a pipe");
    assert!(coloured(&["check", "--color", "always"], &[]));
    assert!(coloured(&["check"], &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&["check"], &[("READY_COLOR", "always")]));
    assert!(!coloured(
        &["check", "--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!coloured(&["check"], &[("NO_COLOR", "1")]));
}

#[test]
fn every_width_is_kept_and_no_width_is_fatal() {
    let folder = project(MANIFEST);
    ready(folder.path(), &["check", "-q"]);
    for columns in ["1", "20", "40", "60", "80", "120", "4096", "0", "many"] {
        let output = command(folder.path(), &["status"])
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{columns}");
        let width = columns.parse::<usize>().unwrap_or(80).clamp(40, 120);
        let table = text(&output.stdout)
            .lines()
            .filter(|line| !line.contains("by hand:"));
        let longest = table.map(|line| line.chars().count()).max().unwrap();
        if columns.parse::<usize>().is_ok_and(|columns| columns >= 40) {
            assert!(longest <= width, "{longest} > {width}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_locale_without_unicode_gets_none() {
    let folder = project(MANIFEST);
    let output = command(folder.path(), &["check"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.stdout.is_ascii(), "{}", text(&output.stdout));
    assert!(output.stderr.is_ascii(), "{}", text(&output.stderr));
}

#[test]
fn on_github_foreign_words_cannot_be_commands() {
    let folder = project(
        "[project]\nname = \"x\"\n[checks.a]\nsays = \"::error::says\"\nfile = \"no\\n::error::file\"\n",
    );
    let output = command(folder.path(), &["check"])
        .env("GITHUB_ACTIONS", "true")
        .env("CI", "true")
        .output()
        .unwrap();
    let stdout = text(&output.stdout);
    let token = stdout
        .lines()
        .next()
        .unwrap()
        .strip_prefix("::stop-commands::")
        .unwrap();
    assert!(token.len() >= 26, "the token cannot be guessed");
    // Behind the table what commands the runner is ours, and what others said in it is data.
    let (_, commands) = stdout.split_once(&format!("\n::{token}::\n")).unwrap();
    for line in commands.lines() {
        let ours = line.starts_with("::error file=")
            || line.starts_with("::warning file=")
            || line.starts_with("::error title=ready::");
        assert!(ours, "{line}");
    }
    for line in text(&output.stderr).lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
    }
}

#[test]
fn a_closed_output_does_not_change_the_verdict() {
    let folder = project(MANIFEST);
    for (args, status) in [
        (&["check"][..], 1),
        (&["check", "here"], 0),
        (&["status"], 0),
        (&["list"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(folder.path(), args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{args:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn evidence_is_stale_once_files_or_the_definition_changed() {
    let folder = project(MANIFEST);
    let git = |args: &[&str]| {
        let identity = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t.invalid",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git")
            .args(identity)
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let verdict = |id: &str| {
        let output = ready(folder.path(), &["status", "--format", "json"]);
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        let row = report.checks.into_iter().find(|row| row.id == id).unwrap();
        row.reason.code.word().to_string()
    };
    std::fs::write(folder.path().join("source.txt"), "one").unwrap();
    git(&["init", "-q"]);
    ready(folder.path(), &["check", "-q"]);
    assert_eq!(verdict("here"), "held", "uncommitted files are files");
    git(&["add", "-A"]);
    assert_eq!(verdict("here"), "held", "staging changes nothing");
    git(&["commit", "-qm", "one"]);
    assert_eq!(verdict("here"), "held", "committing changes nothing");
    std::fs::write(folder.path().join("source.txt"), "two").unwrap();
    assert_eq!(verdict("here"), "stale", "an edit does");
    std::fs::write(folder.path().join("source.txt"), "one").unwrap();
    assert_eq!(verdict("here"), "held", "the same content is the same tree");
    std::fs::write(folder.path().join("new.txt"), "").unwrap();
    assert_eq!(verdict("absent"), "stale", "an untracked file counts");
    std::fs::remove_file(folder.path().join("new.txt")).unwrap();

    let changed = MANIFEST.replace("file = \"CHANGELOG.md\"", "file = \"source.txt\"");
    std::fs::write(folder.path().join("readiness.toml"), changed).unwrap();
    assert_eq!(
        verdict("absent"),
        "stale",
        "another definition is another check"
    );
}

#[test]
fn a_run_that_cannot_be_recorded_is_still_reported() {
    let folder = project(MANIFEST);
    std::fs::write(folder.path().join(".ready"), "not a folder").unwrap();
    let output = ready(folder.path(), &["check", "--format", "json"]);
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "what is not recorded is not done"
    );
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("this run is not recorded")),
        "{:?}",
        report.warnings
    );
    assert_eq!(
        report
            .checks
            .iter()
            .filter(|row| row.evidence.is_some())
            .count(),
        3
    );
}

#[test]
fn a_ledger_from_the_future_or_of_another_kind_is_refused_clearly() {
    let folder = project(MANIFEST);
    ready(folder.path(), &["check", "-q"]);
    let file = folder.path().join(".ready/ledger.sqlite");
    let ledger = rusqlite::Connection::open(&file).unwrap();
    ledger.pragma_update(None, "user_version", 99).unwrap();
    drop(ledger);
    let output = ready(folder.path(), &["status"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stderr).contains("newer `ready`"),
        "{}",
        text(&output.stderr)
    );

    for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.path().join(".ready").join(name));
    }
    std::fs::write(&file, "this is no database, by far").unwrap();
    let output = ready(folder.path(), &["status"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stderr).contains("is not a ledger"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn optional_checks_and_waivers_are_shown_and_never_scored() {
    let more = "\n[waivers.absent]\nowner = \"docs\"\nreason = \"OPS-1\"\nexpires = 2999-01-01\n[checks.extra]\nsays = \"extra\"\noptional = true\nfile = \"extra\"\n";
    let folder = project(&format!("{MANIFEST}{more}"));
    let output = ready(folder.path(), &["check", "--gate", "strict"]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    for words in [
        "strict OPEN WITH 1 WAIVER, decides, safe to: Ship it",
        "waived: absent",
        "Optional, outside score and gates",
        "READY WITH 1 WAIVER: verified 12 %",
    ] {
        assert!(stdout.contains(words), "{words} is not in\n{stdout}");
    }
}

/// The report of `ready status`.
fn status(folder: &Path) -> Report {
    serde_json::from_slice(&ready(folder, &["status", "--format", "json"]).stdout).unwrap()
}

fn reason(report: &Report, id: &str) -> String {
    let row = report.checks.iter().find(|row| row.id == id).unwrap();
    row.reason.code.word().to_string()
}

/// A manifest of these tables.
fn named_x(tables: &str) -> TempDir {
    project(&format!("[project]\nname = \"x\"\n{tables}"))
}

#[test]
fn outside_of_git_a_changed_file_is_seen_too() {
    let folder = project(MANIFEST);
    std::fs::write(folder.path().join("source.txt"), "one").unwrap();
    ready(folder.path(), &["check", "-q"]);
    assert_eq!(reason(&status(folder.path()), "here"), "held");
    std::fs::write(folder.path().join("source.txt"), "two").unwrap();
    assert_eq!(reason(&status(folder.path()), "here"), "stale");
}

#[test]
fn a_file_that_git_ignores_counts_where_a_check_looks_at_it() {
    let folder = named_x("[checks.key]\nsays = 'set'\nvariable = 'KEY'\nin = '.env'\n");
    std::fs::write(folder.path().join(".gitignore"), ".env\nother\n").unwrap();
    std::fs::write(folder.path().join(".env"), "KEY=a1b2c3\n").unwrap();
    let init = Command::new("git")
        .args(["init", "-q"])
        .current_dir(folder.path())
        .status();
    assert!(init.unwrap().success());
    ready(folder.path(), &["check", "-q"]);
    std::fs::write(folder.path().join("other"), "nobody looks at it").unwrap();
    assert_eq!(reason(&status(folder.path()), "key"), "held");
    std::fs::write(folder.path().join(".env"), "KEY=\n").unwrap();
    assert_eq!(reason(&status(folder.path()), "key"), "stale");
}

#[test]
fn gates_and_sentences_are_not_opened_by_nothing() {
    const HERE: &str = "[checks.a]\nsays = 'a'\nfile = 'readiness.toml'\n";
    const NOWHERE: &str = "[checks.b]\nsays = 'b'\nfile = 'none'\n";
    // tables, exit status, words
    let cases = [
        (
            // A condition with a typing error.
            format!(
                "[gate]\nrequire = ['a', 'b']\n{HERE}{NOWHERE}applies = {{ files = 'ngnix.conf' }}\n"
            ),
            1,
            "b is required and does not apply here",
        ),
        (
            format!("{HERE}{NOWHERE}applies = {{ files = 'x.conf' }}\n"),
            0,
            "b (no file matches x.conf)",
        ),
        (
            format!("[gate]\nmin_score = 0\n{NOWHERE}"),
            0,
            "THE GATE IS OPEN, BUT NOTHING IS VERIFIED: verified 0 %; 1 check failed",
        ),
        (
            format!("[components.d]\nclaim = 25\n{HERE}component = 'd'\n{NOWHERE}"),
            1,
            "NOT READY: verified 12 %, claimed 25 % by a part (verified there: 25 %); 1 check failed",
        ),
        (
            format!("[components.api]\nclaim = 90\n{HERE}"),
            1,
            "every-check: API is declared and no check counts for it",
        ),
    ];
    for (tables, status, words) in cases {
        let output = command(named_x(&tables).path(), &["check"])
            .env("COLUMNS", "120")
            .output()
            .unwrap();
        let stdout = text(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{stdout}");
        assert!(stdout.contains(words), "{words} is not in\n{stdout}");
    }
}

#[test]
#[cfg(unix)]
fn files_that_change_while_checks_run_leave_evidence_about_nothing() {
    let folder = named_x("[checks.a]\nsays = 'a'\nshell = true\nrun = 'echo x > coverage.out'\n");
    let output = ready(folder.path(), &["check", "--format", "json"]);
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        report.warnings[0].contains("(coverage.out)"),
        "{:?}",
        report.warnings
    );
    assert_eq!(reason(&status(folder.path()), "a"), "stale");
}

#[test]
#[cfg(unix)]
fn results_from_before_the_run_are_no_results() {
    const OLD: &str = "<testsuite tests='1'><testcase classname='a' name='b'/></testsuite>";
    const NEW: &str = "<testsuite tests='1'><testcase classname='a' name='c'/></testsuite>";
    // What the command does with the file, the reason, what is in the file afterwards.
    let cases = [
        ("true".to_string(), "unreadable", OLD),
        ("touch out.xml".to_string(), "unreadable", ""),
        (
            "cp out.xml copy; cp copy out.xml".to_string(),
            "unreadable",
            OLD,
        ),
        (format!("printf \"{NEW}\" > out.xml"), "held", NEW),
    ];
    for (script, code, left) in cases {
        let folder = named_x(&format!(
            "[checks.a]\nsays = 'a'\nshell = true\nrun = '''{script}'''\nreader = {{ junit = 'out.xml' }}\n"
        ));
        std::fs::write(folder.path().join("out.xml"), OLD).unwrap();
        let output = ready(folder.path(), &["check", "--format", "json"]);
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reason(&report, "a"), code, "{script}");
        let now = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
        assert_eq!(now, left, "{script}");
        assert!(
            !folder.path().join("out.xml.ready-before").exists(),
            "{script}"
        );
    }
}

#[test]
#[cfg(unix)]
fn what_runs_on_demand_runs_when_it_is_named_or_all_are_asked_for() {
    let folder = named_x(
        "[checks.a]\nsays = 'a'\nrun = ['true']\n[checks.load]\nsays = 'load'\non_demand = true\nrun = ['true']\n",
    );
    let ran = |args: &[&str]| {
        let output = ready(folder.path(), &[args, &["--format", "json"]].concat());
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        let row = report
            .checks
            .into_iter()
            .find(|row| row.id == "load")
            .unwrap();
        (row.verdict.word(), row.recorded.is_some(), row.reason.text)
    };
    let (verdict, _, text) = ran(&["check"]);
    assert_eq!(
        (verdict, text.as_str()),
        ("unverified", "it runs on demand: `ready check load`")
    );
    assert_eq!(ran(&["check", "--all"]).0, "verified");
    let (verdict, recorded, _) = ran(&["check"]);
    assert_eq!(
        (verdict, recorded),
        ("verified", true),
        "fresh evidence counts"
    );
    std::fs::write(folder.path().join("new"), "").unwrap();
    assert_eq!(ran(&["check"]).0, "unverified", "stale evidence does not");
    assert_eq!(ran(&["check", "load"]).0, "verified");
}

#[test]
#[cfg(unix)]
fn fail_fast_begins_nothing_after_a_failure() {
    let checks = (0..20)
        .map(|n| format!("[checks.c{n}]\nsays = 'c'\nrun = ['false']\n"))
        .collect::<String>();
    let folder = named_x(&checks);
    let output = ready(
        folder.path(),
        &["check", "--fail-fast", "--jobs", "1", "--format", "json"],
    );
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    let codes = report
        .checks
        .iter()
        .map(|row| row.reason.code.word())
        .collect::<Vec<_>>();
    assert_eq!(codes[0], "exit-status");
    assert!(
        codes[1..].iter().all(|code| *code == "not-run"),
        "{codes:?}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn ports_and_tools_are_looked_at() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = named_x(&format!(
        "[checks.up]\nsays = 'up'\nport = {port}\n\
         [checks.taken]\nsays = 'taken'\nport = {port}\nexpect = {{ free = true }}\n\
         [checks.git]\nsays = 'git'\ntool = 'git'\nexpect = {{ version = '>= 1.0' }}\n\
         [checks.new-git]\nsays = 'git'\ntool = 'git'\nexpect = {{ version = '>= 999' }}\n\
         [checks.none]\nsays = 'none'\ntool = 'no-such-tool-anywhere'\n"
    ));
    let output = ready(folder.path(), &["check", "--format", "json"]);
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report
        .checks
        .iter()
        .map(|row| (row.id.as_str(), row.reason.code.word(), row.level.word()));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            ("up", "held", "wired"),
            ("taken", "expectation", "present"),
            ("git", "held", "present"),
            ("new-git", "expectation", "present"),
            ("none", "tool-missing", "present"),
        ]
    );
}

#[test]
#[cfg(unix)]
fn no_option_lets_a_selected_check_off() {
    let folder = named_x(
        "[checks.good]\nweight = 9\nsays = 'g'\nrun = ['true']\n[checks.bad]\nsays = 'b'\nrun = ['false']\n",
    );
    let exit = |args: &[&str]| ready(folder.path(), args).status.code();
    assert_eq!(exit(&["check", "-q"]), Some(1));
    assert_eq!(exit(&["check", "bad", "--min-score", "1", "-q"]), Some(1));
    assert_eq!(exit(&["check", "good", "--min-score", "1", "-q"]), Some(0));
    assert_eq!(exit(&["check", "good", "--min-score", "99", "-q"]), Some(1));
}

#[test]
fn a_gate_that_is_only_implied_does_not_decide_alone() {
    let tables = "[gates.high]\nmin_score = 99\n[checks.a]\nblocking = true\nsays = 'a'\nfile = 'readiness.toml'\n";
    let folder = named_x(tables);
    assert_eq!(
        ready(folder.path(), &["check", "-q"]).status.code(),
        Some(1)
    );
    assert_eq!(
        ready(folder.path(), &["check", "-q", "--gate", "default"])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn recorded_evidence_counts_only_while_its_needs_hold() {
    let folder = named_x(
        "[checks.b]\nsays = 'b'\nneeds = ['a']\nfile = 'readiness.toml'\n[checks.a]\nsays = 'a'\nvariable = 'READY_TEST_NEED'\n",
    );
    let run = |value: Option<&str>| {
        let mut command = command(folder.path(), &["check", "-q"]);
        value.map(|value| command.env("READY_TEST_NEED", value));
        assert!(
            command
                .env("READY_JOBS", "")
                .status()
                .unwrap()
                .code()
                .is_some_and(|code| code < 2)
        );
    };
    run(Some("value"));
    assert_eq!(reason(&status(folder.path()), "b"), "held");
    run(None);
    assert_eq!(reason(&status(folder.path()), "b"), "needs-failed");
}

#[test]
#[cfg(unix)]
fn an_ignored_file_that_a_pattern_matches_counts_too() {
    let folder =
        named_x("[checks.a]\nsays = 'a'\nfile = 'build/*.js'\nexpect = { contains = 'sentry' }\n");
    std::fs::write(folder.path().join(".gitignore"), "build/\n").unwrap();
    std::fs::create_dir(folder.path().join("build")).unwrap();
    std::fs::write(folder.path().join("build/a.js"), "sentry").unwrap();
    assert!(
        Command::new("git")
            .args(["init", "-q"])
            .current_dir(folder.path())
            .status()
            .unwrap()
            .success()
    );
    ready(folder.path(), &["check", "-q"]);
    assert_eq!(reason(&status(folder.path()), "a"), "held");
    std::fs::remove_dir_all(folder.path().join("build")).unwrap();
    assert_eq!(reason(&status(folder.path()), "a"), "stale");
}

#[test]
#[cfg(unix)]
fn secrets_are_masked_wherever_they_come_from() {
    let folder = named_x(
        "[checks.literal]\nsays = 'prints plain-secret-1'\nrun = ['sh', '-c', 'echo plain-secret-1']\nenv = { DB_PASSWORD = 'plain-secret-1' }\n\
         [checks.indirect]\nsays = 'i'\nrun = ['sh', '-c', 'echo $API_TOKEN']\nenv = { API_TOKEN = '{env.STAGING_THING}' }\n\
         [checks.dotenv]\nsays = 'd'\nvariable = 'SENTRY_DSN'\nin = '.env'\n\
         [checks.prints]\nsays = 'p'\nrun = ['cat', '.env']\n\
         [checks.url]\nsays = 'u'\nhttp = 'http://127.0.0.1:9/?token=query-secret-4'\n\
         [checks.header]\nsays = 'h'\nhttp = 'http://127.0.0.1:9/'\nheaders = { Authorization = 'Bearer header-secret-5' }\n",
    );
    let dotenv = "SENTRY_DSN=dotenv-secret-3\nDATABASE_URL=postgres://app:address-secret-6@db/x\n";
    std::fs::write(folder.path().join(".env"), dotenv).unwrap();
    let secrets = [
        "plain-secret-1",
        "indirect-secret-2",
        "dotenv-secret-3",
        "query-secret-4",
        "header-secret-5",
        "address-secret-6",
    ];
    for args in [
        &["check", "-v"][..],
        &["check", "--format", "json"],
        &["status", "-v"],
        &["explain", "literal"],
        &["explain", "url"],
        &["explain", "header"],
    ] {
        let output = command(folder.path(), args)
            .env("STAGING_THING", "indirect-secret-2")
            .output()
            .unwrap();
        for secret in secrets {
            let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
            assert!(!shown.contains(secret), "{args:?} shows {secret}:\n{shown}");
        }
    }
    let files = std::fs::read_dir(folder.path().join(".ready")).unwrap();
    let ledger = files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect::<Vec<_>>();
    for secret in secrets {
        let found = ledger
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "the ledger holds {secret}");
    }
}

#[test]
fn status_says_where_a_check_can_be_run_at_all() {
    let other = if cfg!(windows) { "linux" } else { "windows" };
    let folder = project(&format!(
        "[project]\nname = \"p\"\n[checks.there]\nsays = \"there\"\nrun = [\"true\"]\nos = [\"{other}\"]\n"
    ));
    let report = status(folder.path());
    let row = &report.checks[0];
    assert_eq!(row.reason.code, Code::WrongPlatform);
    assert!(
        row.reason
            .text
            .starts_with(&format!("it is for {other}, this is "))
    );
}
