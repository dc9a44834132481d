//! `ready diff BASE` and `no_weakening` over real repositories: edits as what they are, the same evidence under both manifests,
//! a gate that the change which takes it out cannot switch off.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Two checks of which one fails, and a gate that guards itself.
const MANIFEST: &str = r#"[project]
name = "shop"
[gate]
min_score = 40
no_weakening = true
[checks.tests]
says = "The tests pass"
run = ["cat", "out.tap"]
reader = "tap"
at_least = 4
[checks.broken]
says = "It holds"
run = ["sh", "-c", "exit 1"]
"#;

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    /// A repository with the manifest on `main`, which `origin/main` is, too, and the tests' results.
    fn new(manifest: &str) -> Shop {
        let shop = Shop {
            folder: tempfile::tempdir().unwrap(),
        };
        shop.git(&["init", "-q", "-b", "main"]);
        shop.git(&["config", "user.email", "shop@example.org"]);
        shop.git(&["config", "user.name", "shop"]);
        shop.write("readiness.toml", manifest);
        shop.write("out.tap", "1..4\nok 1\nok 2\nok 3\nok 4\n");
        shop.commit();
        shop.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn git(&self, args: &[&str]) {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
    }

    fn ready(&self, args: &[&str]) -> Output {
        ready(self.folder.path(), args, &[])
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.ready(&[args, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }
}

fn ready(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100");
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITHUB_BASE_REF",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "READY_AGAINST",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// What the default gate says of `no_weakening`.
fn weakened(report: &Value) -> (bool, Vec<String>) {
    let gate = report["gates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|gate| gate["name"] == "default")
        .unwrap();
    let reasons = gate["reasons"].as_array().unwrap().iter();
    let of_rule = reasons.filter(|reason| reason["rule"] == "no_weakening");
    let texts = of_rule.map(|reason| reason["text"].as_str().unwrap().to_string());
    (gate["open"] == true, texts.collect())
}

#[test]
fn what_was_moved_is_told_with_what_it_gains() {
    let shop = Shop::new(MANIFEST);
    shop.ready(&["check"]);
    let same = said(&shop.ready(&["diff", "origin/main"]));
    assert!(same.contains("the manifest asks what it asked"), "{same}");
    assert!(same.contains("50 % under the manifest of origin/main, 50 % under this one: the goalposts stand where they stood; nothing was weakened"), "{same}");

    let moved = MANIFEST
        .replace("min_score = 40", "min_score = 30")
        .replace("at_least = 4", "at_least = 4\nweight = 3")
        .replace("[checks.broken]", "[checks.broken]\noptional = true");
    shop.write("readiness.toml", &moved);
    shop.ready(&["check"]);
    let output = shop.ready(&["diff", "origin/main"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0));
    for words in [
        "weaker gate default: min_score was 40.0, is 30.0",
        "weaker check tests: weight was 1.0, is 3.0 (+25.0 points by the same evidence)",
        "weaker check broken: optional was false, is true (+50.0 points by the same evidence)",
        "50 % under the manifest of origin/main, 100 % under this one: 50.0 points come from moving the goalposts; 3 edits weaker",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = shop.json(&["diff", "main"]);
    assert_eq!(
        (&json["verified"], &json["verified_now"]),
        (&Value::from(50.0), &Value::from(100.0))
    );
    assert_eq!(json["edits"].as_array().unwrap().len(), 3);
    let github =
        String::from_utf8(shop.ready(&["diff", "main", "--format", "github"]).stdout).unwrap();
    assert_eq!(github.lines().count(), 3);
    assert!(github.contains("::warning file=readiness.toml,line=12,title=Less is asked::check broken: optional was false"), "{github}");
}

#[test]
fn the_gate_closes_for_what_was_weakened_and_for_nothing_else() {
    let shop = Shop::new(MANIFEST);
    let (open, texts) = weakened(&shop.json(&["check"]));
    assert!(open && texts.is_empty(), "{texts:?}");
    // Tighter and neutral edits pass.
    shop.write(
        "readiness.toml",
        &MANIFEST.replace(
            "at_least = 4",
            "at_least = 4\nowner = \"ada\"\nblocking = true",
        ),
    );
    assert_eq!(weakened(&shop.json(&["check"])), (true, vec![]));
    shop.write(
        "readiness.toml",
        &MANIFEST.replace("at_least = 4", "at_least = 2"),
    );
    let report = shop.json(&["check"]);
    let (open, texts) = weakened(&report);
    assert!(!open);
    assert_eq!(
        texts,
        ["check tests: at_least was 4, is 2, since origin/main"]
    );
    assert_eq!(report["against"]["revision"], "origin/main");
    // `status` and a report that is read elsewhere say the same.
    assert_eq!(weakened(&shop.json(&["status"])), (false, texts.clone()));
    let file = shop.path(".ready/report.json");
    std::fs::write(&file, report.to_string()).unwrap();
    assert_eq!(
        weakened(&shop.json(&["status", "--from", ".ready/report.json"])),
        (false, texts)
    );
    // Another revision may be named.
    shop.commit();
    assert_eq!(
        weakened(&shop.json(&["check", "--against", "HEAD"])),
        (true, vec![])
    );
}

#[test]
fn it_cannot_be_switched_off_in_the_change_that_weakens() {
    let shop = Shop::new(MANIFEST);
    let off = MANIFEST
        .replace("no_weakening = true\n", "")
        .replace("at_least = 4", "at_least = 1");
    shop.write("readiness.toml", &off);
    // On a developer's machine nobody asks; in the CI system's pull request the base does.
    let ci = [("GITHUB_BASE_REF", "main"), ("CI", "true")];
    let output = ready(shop.folder.path(), &["check", "--format", "json"], &ci);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (open, texts) = weakened(&report);
    assert!(!open);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts
            .iter()
            .any(|text| text.contains("no_weakening was true, is false")),
        "{texts:?}"
    );
    // Nor by taking the gate away: the others close for it.
    let renamed = off.replace("[gate]", "[gates.easy]");
    shop.write("readiness.toml", &renamed);
    let output = ready(shop.folder.path(), &["check", "--gate", "easy"], &ci);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("no_weakening: gate default"),
        "{}",
        said(&output)
    );
}

#[test]
fn without_its_base_it_is_closed_and_says_how_to_get_it() {
    let shop = Shop::new(MANIFEST);
    let of = |folder: &Path, variables: &[(&str, &str)]| {
        let output = ready(folder, &["check", "--format", "json"], variables);
        weakened(&serde_json::from_slice(&output.stdout).unwrap())
    };
    let (open, texts) = of(shop.folder.path(), &[("GITHUB_BASE_REF", "release")]);
    assert!(!open);
    assert_eq!(
        texts,
        ["no-base: `origin/release` is no revision that is here; `git fetch origin release`"]
    );
    // A change that takes the rule out, in a clone without the base: named by whoever wrote the workflow, it is closed all the
    // same; else that nobody can tell is said.
    let manifest = std::fs::read_to_string(shop.path("readiness.toml")).unwrap();
    shop.write(
        "readiness.toml",
        &manifest.replace("no_weakening = true\n", ""),
    );
    let (open, texts) = of(shop.folder.path(), &[("READY_AGAINST", "origin/release")]);
    assert!(
        !open && texts[0].starts_with("no-base: `origin/release`"),
        "{texts:?}"
    );
    let output = ready(
        shop.folder.path(),
        &["check"],
        &[("GITHUB_BASE_REF", "release")],
    );
    assert!(
        said(&output).contains("whether the base asks for `no_weakening` is not known"),
        "{}",
        said(&output)
    );
    shop.write("readiness.toml", &manifest);
    shop.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    let (open, texts) = of(shop.folder.path(), &[]);
    assert!(
        !open && texts[0].contains("`--against origin/main` names a revision"),
        "{texts:?}"
    );
    // A clone of the last commit alone.
    shop.commit();
    shop.commit();
    let elsewhere = tempfile::tempdir().unwrap();
    let from = format!("file://{}", shop.folder.path().display());
    shop.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &from,
        elsewhere.path().to_str().unwrap(),
    ]);
    let (open, texts) = of(elsewhere.path(), &[("GITHUB_BASE_REF", "gone")]);
    assert!(!open && texts[0].contains("`fetch-depth: 0`"), "{texts:?}");
}

#[test]
fn folders_of_checks_are_read_where_the_base_is() {
    let own = "says = \"It holds\"\n[probe]\nrun = [\"sh\", \"-c\", \"exit 0\"]\n[cannot_tell]\nexit = [7]\n";
    let manifest = "[project]\nname = \"shop\"\n[library]\nfolders = [\"ci/checks\"]\n[gate]\nmin_score = 10\nno_weakening = true\n[checks.own]\nuse = \"own\"\n";
    let shop = Shop::new(manifest);
    shop.write("ci/checks/own.toml", own);
    shop.commit();
    shop.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    assert_eq!(weakened(&shop.json(&["check"])), (true, vec![]));
    shop.write("ci/checks/own.toml", &own.replace("[7]", "[7, 1]"));
    let (open, texts) = weakened(&shop.json(&["check"]));
    assert!(!open);
    assert!(texts[0].contains("check own: cannot_tell was"), "{texts:?}");
}

#[test]
fn a_manifest_that_was_not_there_weakens_nothing() {
    let shop = Shop::new(MANIFEST);
    shop.git(&["rm", "-q", "--cached", "readiness.toml"]);
    shop.git(&["commit", "-q", "-m", "none"]);
    shop.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    assert_eq!(weakened(&shop.json(&["check"])), (true, vec![]));
    assert!(
        said(&shop.ready(&["diff", "origin/main"])).contains("there is no manifest at origin/main")
    );
    let output = shop.ready(&["diff", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("`nowhere` is no revision that is here")
    );
    let output = shop.ready(&["diff"]);
    assert_eq!(output.status.code(), Some(2));
}
