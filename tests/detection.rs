//! From a project's files to its manifest: which of them call for which check of the library, and how that is run,
//! written down and added to. Trees as data.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Files with their texts, laid out in a folder that is the project's.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1");
    for name in ["CI", "GITHUB_ACTIONS", "READY_MANIFEST", "READY_GATE"] {
        command.env_remove(name);
    }
    command
}

/// `ready` where no tool is found, so that nothing is run.
fn ready(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).env("PATH", "").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What `ready check` says that it detected, of one library check.
fn detected(folder: &Path, check: &str) -> String {
    let output = ready(folder, &["check", "--format", "json"]);
    let stderr = text(&output.stderr);
    let Some(line) = stderr
        .lines()
        .find_map(|line| line.strip_prefix("no readiness.toml: detected "))
    else {
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        return String::new();
    };
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = report["warnings"].as_array().unwrap();
    assert!(
        told.contains(&format!("no readiness.toml: detected {line}").into()),
        "{told:?}"
    );
    let mut rows = report["checks"].as_array().unwrap().iter();
    let ids = rows
        .by_ref()
        .filter(|row| row["definition"]["library"] == check)
        .map(|row| row["id"].as_str().unwrap().to_string())
        .collect::<Vec<_>>();
    let found = line
        .split(", ")
        .filter(|word| ids.iter().any(|id| word.starts_with(&format!("{id} ("))))
        .collect::<Vec<_>>();
    assert_eq!(found.len(), ids.len(), "{line}");
    found.join(", ")
}

const JEST: &str = r#"{ "scripts": { "build": "tsc", "test": "jest --coverage" } }"#;
const NO_TEST: &str = r#"{ "scripts": { "test": "echo \"Error: no test specified\" && exit 1" } }"#;
const PACKAGE: &str = "[package]\nname = \"a\"\n";

/// A tree, the library check that it is about, and what is found of that.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const CASES: &[Case] = &[
    (
        "each example of settings is held against the file beside it",
        "dotenv-keys",
        &[(".env.example", ""), ("backend/.env.sample", "")],
        "dotenv-keys (.env.example), dotenv-keys-backend (backend/.env.sample)",
    ),
    (
        "a configuration file is named before a test file",
        "pytest",
        &[("test_a.py", ""), ("pytest.ini", "")],
        "pytest (pytest.ini)",
    ),
    (
        "tests belong to the nearest root above them, not to their own folder",
        "pytest",
        &[
            ("backend/requirements-dev.txt", ""),
            ("backend/tests/unit/test_a.py", ""),
            ("backend/tests/conftest.py", ""),
        ],
        "pytest (backend/tests/conftest.py)",
    ),
    (
        "without a root they belong to the top",
        "pytest",
        &[("tests/test_a.py", ""), ("tests/deep/b_test.py", "")],
        "pytest (tests/test_a.py)",
    ),
    (
        "two roots are two checks, each named by its folder",
        "pytest",
        &[
            ("Services/Pay_ments/pyproject.toml", ""),
            ("Services/Pay_ments/test_a.py", ""),
            ("api/setup.cfg", ""),
            ("api/tests/test_a.py", ""),
        ],
        "pytest-services-pay-ments (Services/Pay_ments/test_a.py), pytest-api (api/tests/test_a.py)",
    ),
    (
        "a root within a root is left to the outer one",
        "pytest",
        &[
            ("pyproject.toml", ""),
            ("test_a.py", ""),
            ("plugin/pyproject.toml", ""),
            ("plugin/test_b.py", ""),
        ],
        "pytest (test_a.py)",
    ),
    ("no tests, no check", "pytest", &[("app.py", "")], ""),
    (
        "what others wrote does not count",
        "pytest",
        &[
            ("node_modules/gyp/test_a.py", ""),
            ("vendor/x/test_a.py", ""),
            ("env/pyvenv.cfg", ""),
            ("env/lib/x/test_a.py", ""),
            ("out/CACHEDIR.TAG", ""),
            ("out/test_a.py", ""),
            ("{{cookiecutter.name}}/test_a.py", ""),
        ],
        "",
    ),
    (
        "a folder with a manifest of its own is another project",
        "pytest",
        &[
            ("tests/projects/shop/readiness.toml", ""),
            ("tests/projects/shop/backend/test_a.py", ""),
        ],
        "",
    ),
    (
        "what git would ignore does not count, with or without git",
        "pytest",
        &[(".gitignore", "/made/\n"), ("made/test_a.py", "")],
        "",
    ),
    (
        "a workspace is one check, its members are none",
        "cargo-test",
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            ("a/Cargo.toml", PACKAGE),
            ("a/fuzz/Cargo.toml", PACKAGE),
        ],
        "cargo-test (Cargo.toml)",
    ),
    (
        "packages side by side are several",
        "cargo-test",
        &[("a/Cargo.toml", PACKAGE), ("b/Cargo.toml", PACKAGE)],
        "cargo-test-a (a/Cargo.toml), cargo-test-b (b/Cargo.toml)",
    ),
    (
        "a Cargo.toml that is none",
        "cargo-test",
        &[("Cargo.toml", "# [package] to come\n")],
        "",
    ),
    (
        "a package with a test script; one without",
        "npm-test",
        &[
            ("web/package.json", JEST),
            ("package.json", NO_TEST),
            ("docs/package.json", "{}"),
        ],
        "npm-test (web/package.json)",
    ),
    (
        "every package of a monorepo, the top one with it",
        "npm-test",
        &[("package.json", JEST), ("packages/ui/package.json", JEST)],
        "npm-test (package.json), npm-test-packages-ui (packages/ui/package.json)",
    ),
    (
        "one check for each file, told apart by name where folders do not do it",
        "nginx-config",
        &[
            ("a/nginx.conf", ""),
            ("b/nginx.conf", ""),
            ("A/nginx.conf", ""),
        ],
        "nginx-config-a (A/nginx.conf), nginx-config-a-2 (a/nginx.conf), nginx-config-b (b/nginx.conf)",
    ),
];

#[test]
fn each_tree_calls_for_its_checks() {
    for (what, check, files, expected) in CASES {
        let folder = project(files);
        assert_eq!(detected(folder.path(), check), *expected, "{what}");
    }
}

#[test]
fn what_is_detected_is_run_and_recorded_where_it_is() {
    let folder = project(&[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/lib.rs", "#[test]\nfn holds() {}\n"),
        (".gitignore", "/target\n/Cargo.lock\n"),
    ]);
    let output = command(folder.path(), &["check", "cargo-test", "--format", "json"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["checks"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == "cargo-test").unwrap();
    assert_eq!(row["verdict"], "verified", "{row}");
    assert_eq!(row["counts"]["passed"], 1);
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join(".ready/ledger.sqlite").exists());
}

#[test]
fn a_folder_without_anything_to_check_is_told_and_left_alone() {
    for (files, word) in [
        (&[][..], "this folder has no files"),
        (
            &[("notes.txt", "x")][..],
            "nothing here that a library check is for",
        ),
    ] {
        let folder = project(files);
        let output = ready(folder.path(), &["check"]);
        let stderr = text(&output.stderr);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{stderr}"
        );
        assert!(
            stderr.contains(word) && stderr.contains("hint: "),
            "{stderr}"
        );
        assert!(!folder.path().join(".ready").exists());
    }
}

#[test]
fn verbs_that_only_print_do_not_detect() {
    let folder = project(&[("pytest.ini", "")]);
    for args in [&["status"][..], &["list"], &["explain", "tests"]] {
        let output = ready(folder.path(), args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains("no readiness.toml here or in any folder above")
                && stderr.contains("`ready check`"),
            "{stderr}"
        );
    }
}

#[test]
fn a_manifest_above_is_the_manifest() {
    let folder = project(&[
        (
            "readiness.toml",
            "[project]\nname = \"x\"\n[checks.a]\nsays = \"x\"\nfile = \"readiness.toml\"\n",
        ),
        ("backend/pytest.ini", ""),
    ]);
    let output = ready(&folder.path().join("backend"), &["check", "-q"]);
    assert_eq!(text(&output.stderr), "");
    assert!(folder.path().join(".ready").exists());
}

/// The ids of the checks that a manifest declares, with the library checks that they use.
fn declared(folder: &Path) -> Vec<(String, String)> {
    let output = ready(folder, &["status", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    let rows = report["checks"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap().to_string();
    rows.map(|row| (word(&row["id"]), word(&row["definition"]["library"])))
        .collect()
}

const SHOP: &[(&str, &str)] = &[
    ("backend/requirements.txt", ""),
    ("backend/tests/test_a.py", ""),
    ("web/package.json", JEST),
    ("admin/package.json", JEST),
    ("web/nginx.conf", ""),
    ("core/Cargo.toml", PACKAGE),
    ("-odd-/nginx.conf", ""),
    ("quo'te\"d/nginx.conf", ""),
];

#[test]
fn what_init_writes_is_what_check_detects() {
    let folder = project(SHOP);
    let path = folder.path().join("readiness.toml");
    let before = ready(folder.path(), &["check", "--format", "json"]);
    let before: Value = serde_json::from_slice(&before.stdout).unwrap();

    let dry = ready(folder.path(), &["init", "--dry-run"]);
    assert!(!path.exists(), "a dry run writes nothing");
    let init = ready(folder.path(), &["init"]);
    assert_eq!(init.status.code(), Some(0), "{}", text(&init.stderr));
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, text(&dry.stdout));
    assert_eq!(
        ready(folder.path(), &["init", "--stdout", "--force"]).stdout,
        dry.stdout
    );
    let told = text(&init.stdout);
    assert!(told.contains("found  pytest"), "{told}");
    assert!(
        told.ends_with("wrote readiness.toml: `ready check` runs it\n"),
        "{told}"
    );

    let after = ready(folder.path(), &["check", "--format", "json"]);
    let after: Value = serde_json::from_slice(&after.stdout).unwrap();
    let definitions = |report: &Value| {
        let rows = report["checks"].as_array().unwrap().clone();
        let without_place = |mut row: Value| {
            row["definition"]["source"] = Value::Null;
            row["definition"].clone()
        };
        rows.into_iter().map(without_place).collect::<Vec<_>>()
    };
    assert_eq!(definitions(&before), definitions(&after));
    assert_eq!(before["score"]["verified"], after["score"]["verified"]);
    // What is written down asks for it by name, too.
    let gates = after["gates"].as_array().unwrap().iter();
    let gates = gates
        .map(|gate| gate["name"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(gates, ["staging", "production"]);
    let left = std::fs::read_dir(folder.path()).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".readiness")
    });
    assert_eq!(left.count(), 0, "nothing is left beside it");
}

#[test]
fn the_examples_in_the_comments_of_init_load() {
    let folder = project(&[("notes.txt", "x")]);
    assert_eq!(ready(folder.path(), &["init"]).status.code(), Some(0));
    let path = folder.path().join("readiness.toml");
    let example = |line: &str| match line.strip_prefix("# ") {
        Some(code) if code.starts_with('[') || code.contains("= ") => code.to_string(),
        _ if line.starts_with('#') => String::new(),
        _ => line.to_string(),
    };
    let written = std::fs::read_to_string(&path).unwrap();
    let lines = written.lines().map(example).collect::<Vec<_>>();
    std::fs::write(&path, lines.join("\n")).unwrap();
    std::fs::write(folder.path().join("STATUS.md"), "90% ready\n").unwrap();
    let output = ready(folder.path(), &["status", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    assert_eq!(
        report["checks"][0]["definition"]["needs"],
        serde_json::json!(["server"])
    );
    assert_eq!(report["score"]["claimed"], 90.0);
}

#[test]
fn init_never_writes_over_a_manifest_unless_it_is_told_to() {
    let folder = project(&[("readiness.toml", "# mine\n"), ("pytest.ini", "")]);
    let path = folder.path().join("readiness.toml");
    let refused = ready(folder.path(), &["init"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("there is a `readiness.toml` already"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\n");
    assert_eq!(
        ready(folder.path(), &["init", "--force"]).status.code(),
        Some(0)
    );
    assert!(declared(folder.path()).contains(&("pytest".to_string(), "pytest".to_string())));
}

#[test]
fn init_says_which_manifest_counts_from_then_on() {
    let folder = project(&[
        ("readiness.toml", "[project]\nname = \"x\"\n"),
        ("a/notes.txt", ""),
    ]);
    let below = folder.path().join("a");
    let init = ready(&below, &["init"]);
    let told = text(&init.stdout);
    assert!(told.contains("found nothing here"), "{told}");
    assert!(
        told.contains("from here on it counts in this folder"),
        "{told}"
    );
    assert_eq!(declared(&below), []);
}

#[cfg(unix)]
#[test]
fn init_keeps_a_link_and_the_permissions_of_what_it_writes_over() {
    use std::os::unix::fs::PermissionsExt;
    let folder = project(&[("real.toml", "# mine\n"), ("pytest.ini", "")]);
    let (real, link) = (
        folder.path().join("real.toml"),
        folder.path().join("readiness.toml"),
    );
    std::os::unix::fs::symlink("real.toml", &link).unwrap();
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(
        ready(folder.path(), &["init", "--force"]).status.code(),
        Some(0)
    );
    assert!(link.is_symlink());
    assert!(
        std::fs::read_to_string(&real)
            .unwrap()
            .contains("[checks.pytest]")
    );
    assert_eq!(
        std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

const MINE: &str = "\
# Mine.\r
[project]\r
name = \"x\"   # spaced\r
\r
[components.web]\r
[checks.b]\r
says = \"There is a manifest\"\r
file = \"readiness.toml\"\r
# timeout = \"2s\"\r
\r
# Who accepts what.\r
[gate]\r
min_score = 10\r
";

#[test]
fn add_puts_a_check_in_and_leaves_the_rest_alone() {
    let folder = project(&[("readiness.toml", MINE), ("web/package.json", JEST)]);
    let path = folder.path().join("readiness.toml");
    let added = ready(folder.path(), &["add", "npm-test", "--component", "web"]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let told = "added `npm-test` at readiness.toml:11 for web/package.json: `ready check npm-test` runs it\n";
    assert_eq!(text(&added.stdout), told);
    let block = "\r
[checks.npm-test]\r
component = \"web\"\r
use       = \"npm-test\"\r
with      = { path = \"web\" }\r
";
    let (before, after) = MINE.split_at(MINE.find("\r\n# Who").unwrap());
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        [before, block, after].concat()
    );

    let second = [
        "add",
        "pytest",
        "--id",
        "backend",
        "--set",
        "folder=back end",
        "--set",
        "path=\"t\"",
    ];
    assert_eq!(ready(folder.path(), &second).status.code(), Some(0));
    let report = ready(folder.path(), &["status", "--format", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let ids = checks
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(ids, ["b", "npm-test", "backend"]);
    assert_eq!(checks[2]["definition"]["cwd"], "back end");
    assert_eq!(checks[2]["definition"]["probe"]["run"]["argv"][3], "\"t\"");
}

#[test]
fn what_cannot_be_added_is_told_and_nothing_is_written() {
    let own = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/manifests/good/own-checks"
    );
    let manifest = format!("{MINE}[library]\nfolders = [{own:?}]\n");
    let folder = project(&[
        ("readiness.toml", &manifest),
        ("web/package.json", JEST),
        ("package.json", JEST),
    ]);
    let cases: &[(&[&str], &str)] = &[
        (&["pytset"], "did you mean `pytest`?"),
        (
            &["nginx-config", "--id", "b"],
            "there is a check `b` already",
        ),
        (&["nginx-config", "--id", "B b"], "not kebab-case"),
        (
            &["nginx-config", "--component", "webb"],
            "did you mean `web`?",
        ),
        (&["nginx-config", "--set", "fil=x"], "did you mean `file`?"),
        (
            &["nginx-config", "--set", "file"],
            "write it like `--set path=backend`",
        ),
        (
            &["npm-test"],
            "in 2 places: npm-test (package.json), npm-test-web (web/package.json)",
        ),
        (
            &["npm-test"],
            "hint: say which one: `--set path=web --id …`",
        ),
    ];
    for (args, word) in cases {
        let output = ready(folder.path(), &[&["add"], *args].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?} {stderr}");
        assert!(stderr.contains(word), "{args:?} {stderr}");
        let now = std::fs::read_to_string(folder.path().join("readiness.toml")).unwrap();
        assert_eq!(now, manifest, "{args:?}");
    }
    assert_eq!(
        ready(folder.path(), &["add", "layered"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_parameter_that_must_be_set_is_asked_for() {
    let check = "says = \"x\"\n[params]\nurl = { help = \"where it answers\" }\n[probe]\nhttp = \"{url}\"\n";
    let folder = project(&[
        (
            "readiness.toml",
            "[project]\nname = \"x\"\n[library]\nfolders = [\"own\"]\n",
        ),
        ("own/answers.toml", check),
    ]);
    let asked = ready(folder.path(), &["add", "answers"]);
    assert_eq!(asked.status.code(), Some(2));
    let stderr = text(&asked.stderr);
    assert!(
        stderr.contains("hint: --set url=… (where it answers)"),
        "{stderr}"
    );
    let set = ["add", "answers", "--set", "url=http://127.0.0.1:1/a=b"];
    assert_eq!(ready(folder.path(), &set).status.code(), Some(0));
    assert_eq!(
        declared(folder.path()),
        [("answers".to_string(), "answers".to_string())]
    );
}

#[test]
fn without_a_manifest_there_is_nothing_to_add_to() {
    let folder = project(&[("pytest.ini", "")]);
    let output = ready(folder.path(), &["add", "pytest"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`ready init`"));
}

const DECLARES: &str = "\
[project]
name = \"x\"
[gate]
max_undeclared = 1
[checks.web]
use = \"npm-test\"
with = { path = \"web\" }
[ignore]
cargo-test = \"the crate is an example\"
";

#[test]
fn what_the_files_call_for_and_nobody_declares_is_listed() {
    let files = [
        ("readiness.toml", DECLARES),
        ("web/package.json", JEST),
        ("admin/package.json", JEST),
        ("a/nginx.conf", ""),
        ("b/nginx.conf", ""),
        ("pytest.ini", ""),
        ("core/Cargo.toml", PACKAGE),
        (
            "own/mine.toml",
            "says = \"x\"\ndetect = { files = \"*.ini\" }\n[probe]\nfile = \"x\"\n",
        ),
    ];
    let folder = project(&files);
    let undeclared = |args: &[&str]| {
        let output = ready(folder.path(), args);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        let mine = ["mine", "nginx-config", "pytest", "npm-test", "cargo-test"];
        let listed = report["undeclared"].as_array().unwrap().iter();
        let listed = listed.filter(|called| mine.contains(&called["check"].as_str().unwrap()));
        let listed = listed.map(|called| {
            format!(
                "{}: {}",
                called["check"].as_str().unwrap(),
                called["why"].as_str().unwrap()
            )
        });
        (listed.collect::<Vec<_>>(), report)
    };
    for args in [
        &["check", "--format", "json"][..],
        &["check", "web", "--format", "json"],
        &["status", "--format", "json"],
    ] {
        let (listed, report) = undeclared(args);
        assert_eq!(
            listed,
            [
                "nginx-config: a/nginx.conf and 1 more",
                "pytest: pytest.ini"
            ]
        );
        let ignored = &report["ignored"][0];
        assert_eq!(
            (&ignored["check"], &ignored["reason"]),
            (&"cargo-test".into(), &"the crate is an example".into())
        );
        assert_eq!(
            report["gates"][0]["reasons"][0]["rule"], "max_undeclared",
            "{report}"
        );
    }
    let table = ready(folder.path(), &["status"]);
    let table = text(&table.stdout);
    for line in [
        "Not declared\n",
        "  nginx-config: the files call for it (a/nginx.conf and 1 more)\n",
        "  cargo-test: ignored, the crate is an example\n",
    ] {
        assert!(table.contains(line), "{line}{table}");
    }

    // The project's own folder of checks is part of the library, and its mistakes are the manifest's.
    let manifest = folder.path().join("readiness.toml");
    std::fs::write(
        &manifest,
        format!("{DECLARES}[library]\nfolders = [\"own\"]\n"),
    )
    .unwrap();
    let (listed, _) = undeclared(&["status", "--format", "json"]);
    assert_eq!(listed[0], "mine: pytest.ini");
    std::fs::write(
        folder.path().join("own/wrong.toml"),
        "says = \"x\"\n[probe\n",
    )
    .unwrap();
    let output = ready(folder.path(), &["status"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("own/wrong.toml:2"),
        "{}",
        text(&output.stderr)
    );
}

const NEEDS_URL: &str = "says = \"It answers\"\ndetect = { files = \"app.py\", contains = \"/health\" }\n[params]\nurl = { help = \"where it answers\" }\n[probe]\nhttp = \"{url}\"\n";

#[test]
fn what_no_file_tells_all_of_is_listed_and_not_run() {
    let folder = project(&[
        (
            "readiness.toml",
            "[project]\nname = \"x\"\n[library]\nfolders = [\"own\"]\n",
        ),
        ("own/answers.toml", NEEDS_URL),
        ("app.py", "route('/health')"),
    ]);
    let report = ready(folder.path(), &["status", "--format", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let undeclared = report["undeclared"].as_array().unwrap();
    assert!(
        undeclared.iter().any(|called| called["check"] == "answers"),
        "{undeclared:?}"
    );
    let asked = ready(folder.path(), &["add", "answers"]);
    assert!(text(&asked.stderr).contains("--set url=… (where it answers)"));
}

#[test]
fn init_names_the_documents_that_claim_something_and_writes_gates_that_can_open() {
    let folder = project(&[
        ("tests/test_a.py", "def test_a(): pass\n"),
        ("pytest.ini", "[pytest]\n"),
        ("STATUS.md", "# Status\n\nOverall: 95% production ready\n"),
        (
            "docs/progress.md",
            "# Progress\n\n- Backend tests: 12/14 pass\n- Frontend: 80% done\n- [x] Deploy\n",
        ),
        (
            "README.md",
            "# It\n\n- ✅ Fast\n- ✅ Small\n- ✅ Free\n- ✅ Safe\n",
        ),
        (
            "CHANGELOG.md",
            "## 1.0\n\nCoverage: 100%, tests 3/3, all done, 90% ready\n",
        ),
        ("vendor/STATUS.md", "95% production ready\n"),
    ]);
    let init = ready(folder.path(), &["init"]);
    assert_eq!(init.status.code(), Some(0), "{}", text(&init.stderr));
    let manifest = std::fs::read_to_string(folder.path().join("readiness.toml")).unwrap();
    let read = toml::from_str::<toml::Table>(&manifest).unwrap();
    let documents = read["claims"]["documents"].as_array().unwrap();
    let documents = documents
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(documents, ["STATUS.md", "docs/progress.md"], "{manifest}");
    assert!(
        text(&init.stdout).contains("claims STATUS.md\nclaims docs/progress.md\n"),
        "{}",
        text(&init.stdout)
    );
    let gates = &read["gates"];
    let required = |gate: &str| gates[gate]["require"].as_array().unwrap().len();
    assert!(required("staging") >= 1 && required("staging") <= required("production"));
    assert_eq!(gates["production"]["no_contradicted"].as_bool(), Some(true));
    // No gate of it is one that never opens.
    let lint = ready(folder.path(), &["lint", "--format", "json"]);
    assert!(
        !text(&lint.stdout).contains("never-opens"),
        "{}",
        text(&lint.stdout)
    );
}
