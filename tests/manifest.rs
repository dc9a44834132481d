//! Manifests as data. Each `tests/manifests/bad/NAME.toml` is refused with the text of `NAME.stderr`, to the letter;
//! `UPDATE=1 cargo test --test manifest` writes those texts anew, to be read before they are kept. Each
//! `tests/manifests/good/NAME.toml` loads, and what it resolves to is held below.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use readiness::domain::check::{Blocking, Check, Exits, Probe, ReaderInput, RunProbe};
use readiness::domain::expectation::{Format, ValueExpect};
use readiness::domain::level::Level;
use readiness::domain::limit::Operator;
use readiness::domain::project::{DEFAULT_TIMEOUT, OUTSIDE_MAX_AGE, Project};
use readiness::manifest::{Formats, Problems, load, parse};
use std::process::Command;

const TODAY: Date = date(2026, 11, 22);
const FORMATS: Formats = Formats {
    names: || vec!["jest", "json", "junit", "libtest", "nginx", "pytest"],
    exits: |name| {
        ["jest", "json", "junit", "libtest", "nginx", "pytest"]
            .contains(&name)
            .then(Exits::default)
    },
    query: readiness::reader::json::check,
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/manifests")
        .join(name)
}

fn manifests(name: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect::<Vec<_>>();
    files.sort();
    assert!(!files.is_empty(), "no manifests in {name}");
    files
}

fn good(name: &str) -> Project {
    load(&folder("good").join(name), TODAY, FORMATS)
        .unwrap()
        .project
}

fn read(text: &str) -> Result<Project, Problems> {
    parse("readiness.toml", text, TODAY, FORMATS)
}

fn messages(text: &str) -> Vec<String> {
    read(text)
        .unwrap_err()
        .iter()
        .map(|problem| problem.message.clone())
        .collect()
}

fn check<'p>(project: &'p Project, id: &str) -> &'p Check {
    project.check(id).unwrap()
}

fn run(check: &Check) -> &RunProbe {
    match &check.probe {
        Probe::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_mistake_is_shown_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = vec![];
    for path in manifests("bad") {
        let name = path.file_name().unwrap();
        let mut ready = Command::new(env!("CARGO_BIN_EXE_ready"));
        ready
            .current_dir(folder("bad"))
            .env_clear()
            .env("NO_COLOR", "1")
            .args(["list", "--manifest"])
            .arg(name);
        let output = ready.output().unwrap();
        // Only a waiver's hint tells the day.
        let today = jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .to_string();
        let seen = String::from_utf8(output.stderr)
            .unwrap()
            .replace(&format!("today is {today}"), "today is TODAY");
        let seen = seen.replace("own-checks\\", "own-checks/");
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{}: {seen}",
            path.display()
        );
        let expected = path.with_extension("stderr");
        if update {
            std::fs::write(expected, seen).unwrap();
        } else if std::fs::read_to_string(expected).unwrap_or_default() != seen {
            wrong.push(format!("{}:\n{seen}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_good_manifest_loads() {
    for path in manifests("good") {
        let loaded = load(&path, TODAY, FORMATS)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!loaded.project.name.is_empty());
        assert!(loaded.digest.starts_with("sha256:") && loaded.digest.len() == 71);
    }
}

#[test]
fn a_whole_manifest_is_resolved() {
    let project = good("shop.toml");
    let ids = project
        .checks
        .iter()
        .map(|check| check.id.as_str())
        .collect::<Vec<_>>();
    let in_order = [
        "backend-tests",
        "health",
        "sentry-captures",
        "dsn",
        "nginx",
        "rollback-rehearsed",
        "licence",
    ];
    assert_eq!(ids, in_order);
    let components = project
        .components
        .iter()
        .map(|component| (component.id.as_str(), component.title.as_str()));
    let expected = [
        ("backend", "Backend tests"),
        ("sentry", "Error tracking"),
        ("api", "API"),
        ("operations", "Operations"),
        ("web-server", "Web server"),
    ];
    assert!(components.eq(expected), "{:?}", project.components);
    assert_eq!(
        project
            .gates
            .iter()
            .map(|gate| gate.name.as_str())
            .collect::<Vec<_>>(),
        ["default", "staging"]
    );
    assert_eq!(project.gates[1].require, ["health"]);
    assert_eq!((project.caps.validated, project.caps.wired), (70.0, 50.0));
    let claim = project.claim.as_ref().unwrap();
    assert_eq!((claim.percent, claim.source.line), (95.0, 11));
    assert_eq!(project.requires.ports, [8000, 9090]);
    assert_eq!(project.components[1].enough, Some(Level::Present));

    let backend = check(&project, "backend-tests");
    assert_eq!(
        (backend.says.as_str(), backend.at_least),
        ("The backend's tests pass", Some(122))
    );
    assert_eq!(
        (backend.component.as_deref(), backend.library.as_deref()),
        (Some("backend"), Some("pytest"))
    );
    assert_eq!(
        (backend.level, backend.blocking.clone()),
        (Level::Exercised, Blocking::Default)
    );
    assert_eq!(backend.fix.takes, Some(Duration::from_secs(7200)));
    assert_eq!(
        (backend.timeout, backend.max_age, backend.weight),
        (DEFAULT_TIMEOUT, None, 1.0)
    );
    assert_eq!(
        run(backend).argv[..4],
        ["python3", "-m", "pytest", "backend/tests"]
    );
    assert_eq!(backend.source.line, 42);

    let health = check(&project, "health");
    let Probe::Http(http) = &health.probe else {
        panic!("{health:?}")
    };
    assert_eq!(
        (http.method.as_str(), http.expect.status.as_slice()),
        ("GET", [200].as_slice())
    );
    assert_eq!(
        http.expect.json["$.status"],
        ValueExpect::Is("healthy".into())
    );
    assert_eq!(
        http.expect
            .latency_ms
            .as_ref()
            .map(|limit| (limit.operator, limit.bound)),
        Some((Operator::Less, 500.0))
    );
    assert_eq!(
        (health.level, health.max_age),
        (Level::Exercised, Some(OUTSIDE_MAX_AGE))
    );
    assert_eq!(
        health.blocking,
        Blocking::Gates(vec!["staging".to_string()])
    );
    assert_eq!(
        (health.tags.as_slice(), health.needs.as_slice()),
        (
            ["smoke".to_string()].as_slice(),
            ["backend-tests".to_string()].as_slice()
        )
    );

    let sentry = check(&project, "sentry-captures");
    let env = sentry
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect::<Vec<_>>();
    let expected = [
        ("BIG", "9007199254740993"),
        ("SENTRY_DSN", "http://key@{env.HOST}/1"),
        ("TRIES", "3"),
        ("VERBOSE", "true"),
        ("VERSION", "3.10"),
    ];
    assert_eq!(env, expected);
    assert_eq!(
        (sentry.level, sentry.timeout, sentry.retries),
        (Level::Validated, Duration::from_secs(150), 2)
    );
    assert_eq!(sentry.applies.as_ref().unwrap().files, ["scripts/*.py"]);

    let dsn = check(&project, "dsn");
    assert_eq!(
        (dsn.level, dsn.max_age, dsn.weight, &dsn.component),
        (Level::Present, Some(OUTSIDE_MAX_AGE), 1000.0, &None)
    );
    let nginx = check(&project, "nginx");
    assert_eq!(
        (nginx.level, nginx.max_age),
        (Level::Present, Some(Duration::from_secs(3600)))
    );
    let manual = check(&project, "rollback-rehearsed");
    let Probe::Manual(attestation) = &manual.probe else {
        panic!("{manual:?}")
    };
    assert_eq!(
        (attestation.on, attestation.expires),
        (date(2026, 1, 1), date(2026, 12, 1))
    );
    let Probe::File(file) = &check(&project, "licence").probe else {
        panic!()
    };
    assert_eq!(
        (file.expect.parses, file.expect.text.contains.as_slice()),
        (Some(Format::Yaml), ["MIT".to_string()].as_slice())
    );
    assert_eq!(project.waivers[0].expires, date(2026, 12, 15));
    let ignored = &project.ignored[0];
    assert_eq!(
        (ignored.check.as_str(), ignored.reason.as_str()),
        ("pytest", "there is no Python left")
    );
}

#[test]
fn the_manifest_is_laid_over_the_library() {
    let project = good("merge.toml");
    let env = |check: &Check| check.env.clone().into_iter().collect::<Vec<_>>();
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let limits = |check: &Check| {
        check
            .limits
            .iter()
            .map(|(name, limit)| format!("{name} {limit}"))
            .collect::<Vec<_>>()
    };

    let plain = check(&project, "plain");
    assert_eq!(
        (plain.says.as_str(), plain.component.as_deref(), plain.level),
        ("Plain", Some("layers"), Level::Validated)
    );
    assert_eq!(
        run(plain).argv,
        [
            "serve",
            "--port=8000",
            "{{literal}}",
            "{env.HOME}/out.xml",
            "{print $1}"
        ]
    );
    assert_eq!(
        run(plain).reader.as_ref().unwrap().input,
        ReaderInput::File("out.xml".to_string())
    );
    assert_eq!(
        env(plain),
        [pair("A", "library"), pair("B", "library 8000")]
    );
    assert_eq!(limits(plain), ["one < 1", "two < 2"]);
    assert_eq!(
        (plain.cwd.as_deref(), plain.timeout),
        (Some("at-8000"), Duration::from_secs(60))
    );
    assert_eq!(
        (plain.fix.how.as_deref(), plain.fix.takes),
        (Some("see 8000"), Some(Duration::from_secs(7200)))
    );

    let tool = plain.needs_tool.as_ref().unwrap();
    let install = match std::env::consts::OS {
        "windows" => "winget install serve",
        _ => "get serve",
    };
    assert_eq!(
        (tool.name.as_str(), tool.install.as_deref()),
        ("serve", Some(install))
    );

    let over = check(&project, "over");
    assert_eq!(
        (over.says.as_str(), over.component.as_deref(), over.level),
        ("Over", Some("other"), Level::Wired)
    );
    assert_eq!(run(over).argv[1], "--port=9000");
    assert_eq!(
        env(over),
        [
            pair("A", "library"),
            pair("B", "manifest"),
            pair("C", "9000")
        ]
    );
    assert_eq!(limits(over), ["one < 1", "three < 30", "two < 20"]);
    let expect = &run(over).expect;
    assert_eq!(
        (expect.exit.as_slice(), expect.stdout.contains.as_slice()),
        ([0, 2].as_slice(), ["manifest".to_string()].as_slice())
    );
    assert!(
        expect.stdout.lacks.is_empty(),
        "merged key by key, not deeper"
    );
    assert_eq!(
        (over.tags.as_slice(), over.timeout),
        (["manifest".to_string()].as_slice(), Duration::from_secs(5))
    );
    assert_eq!(
        (&over.fix.how, over.fix.takes),
        (&None, Some(Duration::from_secs(3600))),
        "`fix` replaces"
    );

    let Probe::File(file) = &check(&project, "same-name").probe else {
        panic!("the built-in one was used")
    };
    assert_eq!(file.pattern, "pytest.ini");
    let components = project
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect::<Vec<_>>();
    assert_eq!(components, ["other", "layers"]);
}

#[test]
fn gates_that_nobody_declared() {
    let gates = |name: &str| {
        let gates = good(name).gates;
        gates
            .iter()
            .map(|gate| (gate.name.clone(), gate.every_check))
            .collect::<Vec<_>>()
    };
    assert_eq!(gates("no-gate.toml"), [("default".to_string(), true)]);
    assert_eq!(gates("bare.toml"), [("default".to_string(), true)]);
    assert_eq!(
        gates("named-gate.toml"),
        [("production".to_string(), false)]
    );
    assert_eq!(
        gates("blocking.toml"),
        [
            ("default".to_string(), false),
            ("production".to_string(), false)
        ]
    );
}

#[test]
fn gates_that_ask_what_evidence_is_about() {
    let project = good("held.toml");
    let [gate] = project.gates.as_slice() else {
        panic!("{:?}", project.gates)
    };
    assert!(gate.same_artifact);
    assert_eq!(gate.environment.as_deref(), Some("production"));
    let held = [("code", 5_400), ("health", 172_800)];
    let held = held.map(|(id, seconds)| (id.to_string(), Duration::from_secs(seconds)));
    assert_eq!(gate.held_for, held.into());
}

#[test]
fn windows_line_endings_and_a_byte_order_mark_change_nothing() {
    let project = good("crlf-bom.toml");
    let places = project
        .checks
        .iter()
        .map(|check| (check.id.as_str(), check.source.line))
        .collect::<Vec<_>>();
    assert_eq!(places, [("z", 4), ("a", 9)]);
    assert_eq!(run(&project.checks[0]).argv, ["echo { a; } ${HOME} {}"]);
}

#[test]
fn a_component_may_be_named_before_the_library_check_that_brings_it() {
    let text = "[project]\nname = \"x\"\n[checks.a]\ncomponent = \"tests\"\nsays = \"x\"\nrun = [\"true\"]\n[checks.b]\nuse = \"pytest\"\n";
    assert_eq!(read(text).unwrap().components[0].id, "tests");
}

#[test]
fn folders_are_not_looked_up_without_a_disk() {
    assert_eq!(
        messages("[project]\nname = \"x\"\n[library]\nfolders = [\"checks\"]\n"),
        ["`checks` is not looked up here"]
    );
}

#[test]
fn a_folder_that_is_not_there_is_a_problem_at_its_name() {
    let path = std::env::temp_dir().join(format!("ready-manifest-{}.toml", std::process::id()));
    std::fs::write(
        &path,
        "[project]\nname = \"x\"\n[library]\nfolders = [\"no-such-folder\"]\n",
    )
    .unwrap();
    let error = load(&path, TODAY, FORMATS).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    let problems = error.downcast_ref::<Problems>().unwrap().to_string();
    assert!(
        problems.contains("cannot read") && problems.contains(".toml:4:12"),
        "{problems}"
    );
}

#[test]
fn nesting_and_length_end_in_a_problem() {
    let deep = [
        format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("a = {}{}", "{a=".repeat(10_000), "}".repeat(10_000)),
        format!("[{}]", ["a"; 10_000].join(".")),
        format!("{} = 1", ["a"; 10_000].join(".")),
    ];
    for text in deep {
        assert!(
            messages(&text)
                .iter()
                .any(|message| message.contains("recurs")),
            "{:?}",
            messages(&text)
        );
    }
    let long = "x".repeat(5_000_000);
    for text in [
        format!("[project]\nname = 3\n# {long}\n"),
        format!("[project]\nname = \"x\"\n{long} = 1\n"),
        format!("[project]\nname = \"x\"\n[checks.a]\nsays = \"x\"\nrun = \"{long}\"\n"),
        format!(
            "[project]\nname = \"x\"\n[checks.a]\nsays = \"x\"\nrun = [\"{} }}\"]\nweight = 0\n",
            "{a".repeat(2_000_000)
        ),
    ] {
        let problems = read(&text).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems.to_string().len() < 4_000);
    }
}

#[test]
fn ten_thousand_needs_in_a_row_are_no_circle() {
    let mut text = String::from("[project]\nname = \"x\"\n");
    for at in 0..10_000 {
        let need = if at > 0 {
            format!("needs = [\"c{}\"]\n", at - 1)
        } else {
            String::new()
        };
        text.push_str(&format!(
            "[checks.c{at}]\nsays = \"x\"\nrun = [\"true\"]\n{need}"
        ));
    }
    assert_eq!(read(&text).unwrap().checks.len(), 10_000);
    let circle = messages(&text.replace("[checks.c0]\n", "[checks.c0]\nneeds = [\"c9999\"]\n"));
    assert!(matches!(circle.as_slice(), [one] if one.starts_with("`needs` goes in a circle: ")));
}

fn texts() -> Vec<String> {
    ["good", "bad"]
        .iter()
        .flat_map(|name| manifests(name))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}

/// One change to a text: lines or bytes taken out, put in twice, or replaced.
fn mutated(text: &str, (kind, at, length, bytes): &(u8, usize, usize, Vec<u8>)) -> String {
    if kind % 2 == 0 {
        let mut lines = text
            .split_inclusive('\n')
            .map(str::to_string)
            .collect::<Vec<_>>();
        let from = at % lines.len().max(1);
        let to = (from + length % 4).min(lines.len());
        let part = lines[from.min(to)..to].to_vec();
        match kind % 3 {
            0 => lines.splice(from..to, []).count(),
            1 => lines.splice(from..from, part).count(),
            _ => lines
                .splice(from..to, [String::from_utf8_lossy(bytes).into_owned()])
                .count(),
        };
        return lines.concat();
    }
    let mut raw = text.as_bytes().to_vec();
    let from = at % raw.len().max(1);
    let to = (from + length).min(raw.len());
    let part = raw[from.min(to)..to].to_vec();
    match kind % 3 {
        0 => raw.splice(from..to, []).count(),
        1 => raw.splice(from..from, part).count(),
        _ => raw.splice(from..to, bytes.iter().copied()).count(),
    };
    String::from_utf8_lossy(&raw).into_owned()
}

/// Whatever the text, it loads or every problem can be shown.
fn survives(text: &str) {
    if let Err(problems) = read(text) {
        assert!(!problems.is_empty());
        assert!(!problems.render(true).is_empty() && !problems.render(false).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_manifest_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_line_of_toml_is_a_manifest_or_a_problem(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", "\"", "'", "\"\"\"", "#", "\\", "project",
                "checks", "a", "run", "says", "name", "needs", "use", "with", "1", "-", "2026-01-01", "true", "inf", "é", "\u{feff}", "\0",
            ]),
            0..60,
        ),
    ) {
        survives(&words.concat());
    }

    #[test]
    fn a_changed_manifest_never_panics(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec(
            (any::<u8>(), any::<usize>(), 0..20usize, proptest::collection::vec(any::<u8>(), 0..6)),
            1..5,
        ),
    ) {
        let texts = texts();
        let text = which.get(&texts).clone();
        // Positions are taken within the text, so a huge one is as good as a small one.
        survives(&changes.iter().fold(text, |text, change| mutated(&text, change)));
    }
}
