//! Workflows for CI systems: accepted by the linters of those systems, and run here as far as they are shell.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::shards::SHARED;
use crate::{Machines, essence, json, report_of, text, tools};

/// The workflow that is printed, as text and as data.
fn workflow(machines: &Machines, args: &[&str]) -> (String, Value) {
    let printed = machines.ready(&[&["ci"], args].concat());
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    let yaml = text(&printed.stdout).to_string();
    let data = serde_norway::from_str(&yaml).unwrap();
    (yaml, data)
}

/// Runs a script as the runner would, in that folder and environment; nothing is installed, `ready` is there.
fn step(folder: &Path, script: &str, env: &BTreeMap<&str, String>) -> Option<i32> {
    if script == "cargo install readiness --locked" {
        return Some(0);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_ready")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
    let mut command = Command::new("bash");
    command
        .args(["-e", "-o", "pipefail", "-c", script])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", path)
        .env("CI", "true")
        .envs(env);
    let output = command.output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{script}: {said}"
    );
    output.status.code()
}

fn steps<'a>(data: &'a Value, job: &str) -> &'a [Value] {
    data["jobs"][job]["steps"].as_array().unwrap()
}

/// The step that uses an action.
fn using<'a>(data: &'a Value, job: &str, action: &str) -> &'a Value {
    let uses = |step: &&Value| {
        step["uses"]
            .as_str()
            .is_some_and(|uses| uses.starts_with(action))
    };
    steps(data, job).iter().find(uses).unwrap()
}

fn the_same_as_one_run(machines: &Machines, merged: &Path) {
    machines.check("whole", &[]);
    let merged = json(&std::fs::read(merged).unwrap());
    assert_eq!(essence(&merged), essence(&report_of(machines, "whole")));
    assert_eq!(merged["run"]["complete"], true);
    assert_eq!(merged["run"]["merged"].as_array().unwrap().len(), 3);
}

#[test]
fn the_steps_for_github_say_in_three_clones_what_one_run_says() {
    let machines = Machines::new(SHARED);
    let (_, data) = workflow(&machines, &["github", "--gate", "default"]);
    let shards = data["jobs"]["shard"]["strategy"]["matrix"]["shard"]
        .as_array()
        .unwrap();
    assert_eq!(shards.len(), 3);
    let last = machines.path("last");
    let fetch = using(&data, "merge", "actions/download-artifact");
    assert_eq!(fetch["with"]["merge-multiple"], true);
    let fetched = last.join(fetch["with"]["path"].as_str().unwrap());
    std::fs::create_dir_all(&fetched).unwrap();
    for shard in shards {
        let clone = machines.clone(&format!("clone-{shard}"));
        let temporary = machines.path(&format!("temp-{shard}"));
        std::fs::create_dir(&temporary).unwrap();
        let filled = |text: &Value| {
            text.as_str()
                .unwrap()
                .replace("${{ matrix.shard }}", &shard.to_string())
                .replace("${{ runner.temp }}", &temporary.display().to_string())
        };
        let branch = Command::new("git")
            .args(["rev-parse", "--abbrev-ref", "HEAD"])
            .current_dir(&clone)
            .output()
            .unwrap();
        let env = BTreeMap::from([
            ("RUNNER_TEMP", temporary.display().to_string()),
            ("GITHUB_BASE_REF", text(&branch.stdout).trim().to_string()),
        ]);
        for run in steps(&data, "shard").iter().map(|step| &step["run"]) {
            if !run.is_null() {
                // Checks that do not hold are for the merged report.
                assert_eq!(step(&clone, &filled(run), &env), Some(0));
            }
        }
        let kept = filled(&using(&data, "shard", "actions/upload-artifact")["with"]["path"]);
        let name = Path::new(&kept).file_name().unwrap();
        std::fs::copy(&kept, fetched.join(name)).unwrap();
    }
    let runs = steps(&data, "merge")
        .iter()
        .filter_map(|step| step["run"].as_str());
    let statuses = runs
        .map(|run| step(&last, run, &BTreeMap::new()))
        .collect::<Vec<_>>();
    assert_eq!(statuses, [Some(0), Some(0)], "the gate is open");
    let kept = &using(&data, "merge", "actions/upload-artifact")["with"]["path"];
    let kept = last.join(kept.as_str().unwrap());
    for file in ["report.html", "junit.xml"] {
        assert!(kept.join(file).is_file(), "{file}");
    }
    the_same_as_one_run(&machines, &kept.join("report.json"));
}

#[test]
fn the_steps_for_gitlab_say_in_three_clones_what_one_run_says() {
    let machines = Machines::new(SHARED);
    let (_, data) = workflow(&machines, &["gitlab"]);
    let lines = |job: &str| {
        let lines = data[job]["script"].as_array().unwrap().iter();
        let lines = lines.map(|line| line.as_str().unwrap().to_string());
        lines.collect::<Vec<_>>()
    };
    let of = data["ready-shard"]["parallel"].as_u64().unwrap();
    let last = machines.clone("last");
    std::fs::create_dir(last.join(".ready")).unwrap();
    for index in 1..=of {
        let clone = machines.clone(&format!("clone-{index}"));
        let env = BTreeMap::from([
            ("CI_NODE_INDEX", index.to_string()),
            ("CI_NODE_TOTAL", of.to_string()),
        ]);
        for line in lines("ready-shard") {
            assert_eq!(step(&clone, &line, &env), Some(0));
        }
        let kept = format!(".ready/shard-{index}.json");
        std::fs::copy(clone.join(&kept), last.join(&kept)).unwrap();
    }
    let env = BTreeMap::from([("GITLAB_CI", "true".to_string())]);
    for line in lines("ready-merge") {
        assert_eq!(step(&last, &line, &env), Some(0));
    }
    // What GitLab is told to read is what `ready` writes there by itself.
    let junit = data["ready-merge"]["artifacts"]["reports"]["junit"].as_str();
    assert!(last.join(junit.unwrap()).is_file());
    the_same_as_one_run(&machines, &last.join(".ready/report.json"));
}

#[test]
fn the_last_job_is_the_gate_even_where_a_shard_broke_down() {
    let machines = Machines::new(SHARED);
    let (yaml, data) = workflow(
        &machines,
        &["github", "--shards", "5", "--gate", "production"],
    );
    assert!(
        yaml.contains("ready check --shard ${{ matrix.shard }}/5 --format json"),
        "{yaml}"
    );
    assert!(yaml.contains("shard: [1, 2, 3, 4, 5]\n"), "{yaml}");
    assert!(
        yaml.contains("--report junit=report/junit.xml --gate production\n"),
        "{yaml}"
    );
    assert_eq!(
        data["permissions"],
        serde_json::json!({ "contents": "read" })
    );
    assert_eq!(data["jobs"]["merge"]["permissions"], serde_json::json!({}));
    assert_eq!(data["jobs"]["merge"]["if"], "always()");
    assert_eq!(data["jobs"]["merge"]["needs"], "shard");
    assert_eq!(data["jobs"]["shard"]["strategy"]["fail-fast"], false);
    for job in ["shard", "merge"] {
        let kept = using(&data, job, "actions/upload-artifact");
        assert_eq!(kept["if"], "always()", "{job}");
    }
    let (yaml, data) = workflow(
        &machines,
        &["gitlab", "--shards", "5", "--gate", "production"],
    );
    assert!(
        yaml.contains("--report html=.ready/report.html --gate production\n"),
        "{yaml}"
    );
    assert_eq!(data["ready-shard"]["parallel"], 5);
    assert_eq!(data["ready-merge"]["when"], "always");
}

#[test]
fn the_linters_of_the_systems_accept_them() {
    let test = "workflows for CI systems";
    let Some(programs) = tools::find(
        test,
        &["actionlint", "shellcheck", "check-jsonschema", "git"],
    ) else {
        return;
    };
    let machines = Machines::new(SHARED);
    let folder = machines.path("lint");
    std::fs::create_dir_all(folder.join(".github/workflows")).unwrap();
    crate::git(&folder, &["init", "--quiet"]);
    for (shards, gate) in [("1", None), ("3", Some("production")), ("100", None)] {
        let more = gate.map_or(vec![], |gate| vec!["--gate", gate]);
        for (system, name) in [("github", ".github/workflows/it.yml"), ("gitlab", "it.yml")] {
            let file = folder.join(name);
            let (yaml, _) = workflow(
                &machines,
                &[&[system, "--shards", shards][..], &more].concat(),
            );
            for left in ["@SHARDS@", "@LIST@", "@GATE@"] {
                assert!(!yaml.contains(left), "{left} is not filled");
            }
            std::fs::write(&file, yaml).unwrap();
            let mut command = match system {
                "github" => {
                    let mut command = Command::new(&programs[0]);
                    command.arg(&file);
                    command
                }
                _ => {
                    let mut command = Command::new(&programs[2]);
                    let schema = [
                        "--builtin-schema",
                        "vendor.gitlab-ci",
                        "--data-transform",
                        "gitlab-ci",
                    ];
                    command.args(schema).arg(&file);
                    command
                }
            };
            command
                .current_dir(&folder)
                .env("PATH", tools::path(&programs));
            let said = command.output().unwrap();
            assert!(
                said.status.success(),
                "{system}: {}{}",
                text(&said.stdout),
                text(&said.stderr)
            );
        }
    }
}

#[test]
fn it_is_written_whole_and_over_nothing() {
    let machines = Machines::new(SHARED);
    let file = ".github/workflows/readiness.yml";
    let write =
        |more: &[&str]| machines.ready(&[&["ci", "github", "--output", file], more].concat());
    assert_eq!(write(&[]).status.code(), Some(0));
    let (printed, _) = workflow(&machines, &["github"]);
    let written = || std::fs::read_to_string(machines.path(file)).unwrap();
    assert_eq!(written(), printed);
    let again = write(&["--shards", "4"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("`--force` writes over it"));
    assert_eq!(written(), printed);
    assert_eq!(write(&["--shards", "4", "--force"]).status.code(), Some(0));
    assert!(written().contains("shard: [1, 2, 3, 4]"));
    let beside = std::fs::read_dir(machines.path(".github/workflows")).unwrap();
    assert_eq!(beside.count(), 1);

    let here = machines.clone("here");
    let cases: [(&[&str], &str); 5] = [
        (&["github", "--gate", "defualt"], "did you mean `default`?"),
        (
            &["github", "--gate", "$(id)"],
            "`$(id)` is no name of a gate",
        ),
        (&["github", "--shards", "0"], "0 is not in 1..=100"),
        (&["jenkins"], "[possible values: github, gitlab]"),
        (&["github", "--force"], "--output"),
    ];
    for (args, words) in cases {
        let refused = crate::ready(&here, &[&["ci"], args].concat())
            .output()
            .unwrap();
        let said = text(&refused.stderr);
        assert!(
            said.contains(words) && refused.status.code() == Some(2),
            "{words}: {said}"
        );
    }
}
