//! `ready lint` over manifests as teams write them: none of the sound ones is flagged, and of the vacuous ones at most two are
//! missed; each is found by the rule that is meant, at its place.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    manifest: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// The rule that must find it.
    finds: Option<String>,
    /// Where: `line` of the manifest, or `file:line`.
    at: Option<String>,
}

fn cases(file: &str) -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/lint")
        .join(file);
    let cases: Cases = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    cases.case
}

/// A project with the case in it.
fn laid_out(case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let in_a_month = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30 * 24);
    let date = in_a_month
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .to_string();
    let manifest = case.manifest.replace("{in 30 days}", &date);
    let manifest = format!(
        "[project]\nname = \"case\"\n{}",
        manifest.trim_start_matches('\n')
    );
    std::fs::write(folder.path().join("readiness.toml"), manifest).unwrap();
    for (name, text) in &case.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn lint(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command
        .arg("lint")
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1");
    for name in ["CI", "GITHUB_ACTIONS", "READY_MANIFEST", "READY_COLOR"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn findings(folder: &Path) -> Vec<Value> {
    let output = lint(folder, &["--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    document["findings"].as_array().unwrap().clone()
}

#[test]
fn no_sound_manifest_is_flagged() {
    let cases = cases("sound.toml");
    assert!(cases.len() >= 30, "{}", cases.len());
    let flagged = cases.iter().filter_map(|case| {
        let findings = findings(laid_out(case).path());
        (!findings.is_empty()).then(|| format!("{}: {findings:#?}", case.name))
    });
    let flagged = flagged.collect::<Vec<_>>();
    assert!(flagged.is_empty(), "{}", flagged.join("\n"));
}

#[test]
fn what_cannot_fail_or_cannot_matter_is_found() {
    let cases = cases("vacuous.toml");
    assert!(cases.len() >= 30, "{}", cases.len());
    let mut missed = vec![];
    for case in &cases {
        let findings = findings(laid_out(case).path());
        let rule = case.finds.as_deref().unwrap();
        let Some(found) = findings.iter().find(|finding| finding["rule"] == rule) else {
            missed.push(format!("{} ({rule}): {findings:#?}", case.name));
            continue;
        };
        for key in ["text", "hint", "severity"] {
            assert!(!found[key].as_str().unwrap().is_empty(), "{found:#}");
        }
        assert!(
            found["line"].as_u64() > Some(0) && found["column"].as_u64() > Some(0),
            "{found:#}"
        );
        if let Some(at) = &case.at {
            let (file, line) = at.rsplit_once(':').unwrap_or(("readiness.toml", at));
            let place = (found["file"].as_str().unwrap(), found["line"].to_string());
            assert_eq!(place, (file, line.to_string()), "{}: {found:#}", case.name);
        }
    }
    assert!(missed.len() <= 2, "{}", missed.join("\n"));
    // None is missed now; whoever adds a rule or a case may not lose one unseen.
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn deny_decides_the_exit_status() {
    let cases = cases("vacuous.toml");
    let of = |rule: &str| {
        cases
            .iter()
            .find(|case| case.finds.as_deref() == Some(rule))
            .unwrap()
    };
    let (error, warning) = (laid_out(of("cannot-fail")), laid_out(of("status-lost")));
    let sound = tempfile::tempdir().unwrap();
    let manifest = "[project]\nname = \"x\"\n[checks.a]\nsays = \"a\"\nrun = [\"pytest\"]\n";
    std::fs::write(sound.path().join("readiness.toml"), manifest).unwrap();
    for (folder, args, status) in [
        (&error, &[][..], 0),
        (&error, &["--deny"], 1),
        (&error, &["--deny", "error"], 1),
        (&warning, &["--deny", "error"], 0),
        (&warning, &["--deny", "warning"], 1),
        (&warning, &["--deny"], 1),
        (&sound, &["--deny", "note"], 0),
        (&sound, &["--deny", "nothing"], 2),
    ] {
        let output = lint(folder.path(), args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {output:?}");
    }
}

#[test]
fn each_output_names_place_rule_and_mend() {
    let cases = cases("vacuous.toml");
    let folder = laid_out(&cases[0]);
    let text = |args: &[&str]| String::from_utf8(lint(folder.path(), args).stdout).unwrap();
    let table = text(&[]);
    for words in [
        "readiness.toml:6:1: error [cannot-fail]",
        "`tests` cannot fail",
        "mend: ",
        "1 error",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let github = text(&["--format", "github"]);
    assert!(
        github.starts_with("::error file=readiness.toml,line=6,col=1,title=ready lint%3A cannot-fail::`tests` cannot fail"),
        "{github}"
    );
    assert_eq!(github.lines().count(), 1);
}

#[test]
fn a_manifest_with_a_mistake_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("readiness.toml"),
        "[project]\nnme = \"x\"\n",
    )
    .unwrap();
    let output = lint(folder.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

/// Every rule that a case is found by is in the docs, and every one in the docs is in the code.
#[test]
fn the_docs_name_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("docs/lint.md")).unwrap();
    let rows = docs.lines().filter(|line| line.starts_with("| `"));
    let documented = rows.flat_map(|row| {
        let first = row.split('|').nth(1).unwrap();
        let rules = first.split(',');
        rules.map(|rule| rule.trim().trim_matches('`').to_string())
    });
    let documented = documented.collect::<BTreeSet<_>>();
    let files = std::fs::read_dir(root.join("src/lint")).unwrap();
    let code = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let code = code.collect::<String>();
    for rule in &documented {
        assert!(
            code.contains(&format!("\"{rule}\"")),
            "no code says `{rule}`"
        );
    }
    let found = cases("vacuous.toml").into_iter();
    let found = found.filter_map(|case| case.finds).collect::<BTreeSet<_>>();
    let undocumented = found.difference(&documented).collect::<Vec<_>>();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    let untried = documented.difference(&found).collect::<Vec<_>>();
    assert!(untried.is_empty(), "no case shows {untried:?}");
}
