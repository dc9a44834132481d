//! The ways into somebody's workflow: the composite action, the hooks, the container file, the workflows; as far as they are
//! shell, they are run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{MANIFEST, Project, said, text, tools};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn yaml(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    serde_norway::from_str(&text).unwrap()
}

/// The program's folder, before the others.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_ready")).parent().unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", program.display())
}

/// Runs the composite action's steps as the runner does, with these inputs; `None` for a step that was skipped.
fn act(project: &Project, inputs: &[(&str, &str)]) -> (Option<i32>, String) {
    let action = yaml("action.yml");
    let filled = |text: &str| {
        let mut filled = text.to_string();
        for (name, input) in action["inputs"].as_object().unwrap() {
            let given = inputs
                .iter()
                .find(|(have, _)| have == name)
                .map(|(_, value)| *value);
            let value = given.unwrap_or(input["default"].as_str().unwrap());
            filled = filled.replace(&format!("${{{{ inputs.{name} }}}}"), value);
        }
        filled.replace("${{ inputs.version || github.action_ref }}", "v0.1.0")
    };
    std::fs::create_dir_all(project.path("temp")).unwrap();
    let mut all = String::new();
    let mut status = None;
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else {
            continue;
        };
        assert_eq!(step["shell"], "bash");
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", script])
            .env_clear()
            .env("PATH", path())
            .env("GITHUB_ACTIONS", "true");
        bash.env("RUNNER_TEMP", project.path("temp"))
            .env("GITHUB_OUTPUT", project.path("temp/output"))
            .env("GITHUB_PATH", project.path("temp/path"));
        for (name, value) in step["env"].as_object().unwrap() {
            bash.env(name, filled(value.as_str().unwrap()));
        }
        let folder = step["working-directory"]
            .as_str()
            .map(filled)
            .unwrap_or(".".to_string());
        let output = bash.current_dir(project.path(&folder)).output().unwrap();
        all += &format!("{}{}", text(&output.stdout), text(&output.stderr));
        status = output.status.code();
        if status != Some(0) {
            break;
        }
    }
    (status, all)
}

#[test]
fn the_action_checks_with_what_it_is_given() {
    let project = Project::new("");
    project.lay_out("sub/", MANIFEST);
    let (status, all) = act(
        &project,
        &[("working-directory", "sub"), ("gate", "staging")],
    );
    assert_eq!(status, Some(0), "{all}");
    for file in ["report.json", "report.html", "junit.xml"] {
        assert!(
            project.path("temp/readiness").join(file).is_file(),
            "{file}: {all}"
        );
    }
    // Its outputs are those that `ready` sets.
    let action = yaml("action.yml");
    let set = project.read("temp/output");
    for name in action["outputs"].as_object().unwrap().keys() {
        assert!(set.contains(&format!("{name}<<")), "{name}: {set}");
    }
    let (status, all) = act(
        &project,
        &[
            ("working-directory", "sub"),
            ("gate", "staging"),
            ("min-score", "99"),
        ],
    );
    assert_eq!(status, Some(1), "{all}");
    let (status, all) = act(
        &project,
        &[("working-directory", "sub"), ("args", "runs\n--fresh\n")],
    );
    assert!(
        status == Some(0) && all.contains("HOLDS: 1 of 1 selected check"),
        "{all}"
    );
}

#[test]
fn actionlint_accepts_the_workflows_and_shellcheck_the_action() {
    let Some(programs) = tools::find("the project's workflows", &["actionlint", "shellcheck"])
    else {
        return;
    };
    for workflow in ["ci.yml", "release.yml"] {
        let mut actionlint = Command::new(&programs[0]);
        actionlint.arg(root().join(".github/workflows").join(workflow));
        said(
            actionlint
                .env("PATH", tools::path(&programs))
                .current_dir(root()),
        );
    }
    let project = Project::new("");
    for (at, step) in yaml("action.yml")["runs"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        if let Some(script) = step["run"].as_str() {
            let name = format!("step{at}.sh");
            project.write(&name, script);
            said(
                Command::new(&programs[1])
                    .args(["--shell", "bash"])
                    .arg(project.path(&name)),
            );
        }
    }
}

#[test]
fn pre_commit_runs_the_hooks() {
    let Some(programs) = tools::find("hooks of pre-commit", &["pre-commit", "git"]) else {
        return;
    };
    said(
        Command::new(&programs[0])
            .arg("validate-manifest")
            .arg(root().join(".pre-commit-hooks.yaml")),
    );
    // As the manifest has them, but for where the program comes from.
    let hooks = yaml(".pre-commit-hooks.yaml");
    let mut local = hooks.as_array().unwrap().clone();
    for hook in &mut local {
        hook["language"] = "system".into();
        hook["stages"] = serde_json::json!(["manual"]);
    }
    let config = serde_json::json!({ "repos": [{ "repo": "local", "hooks": local }] });
    let manifest = "[project]\nname = \"p\"\n[claims]\noverall = 95\n[gates.claims]\nno_contradicted = true\n\
        [checks.tests]\nsays = \"The tests pass\"\nshell = true\nrun = \"grep -q sums none\"\n";
    let project = Project::new(manifest);
    project.write(".pre-commit-config.yaml", &config.to_string());
    project.write(".gitignore", "home\n.ready\n");
    project.commit();
    let run = |hook: &str| {
        let mut command = Command::new(&programs[0]);
        command
            .args([
                "run",
                "--all-files",
                "--hook-stage",
                "manual",
                "--verbose",
                hook,
            ])
            .current_dir(project.path("."));
        command
            .env("PATH", path())
            .env("PRE_COMMIT_HOME", project.path("home"));
        let output = command.output().unwrap();
        (
            output.status.code(),
            format!("{}{}", text(&output.stdout), text(&output.stderr)),
        )
    };
    let (status, all) = run("ready-check");
    assert!(status == Some(1) && all.contains("NOT READY"), "{all}");
    let (status, all) = run("ready-claims");
    assert!(status == Some(1) && all.contains("contradicted"), "{all}");
    let (status, all) = run("ready-lint");
    assert_eq!(status, Some(0), "{all}");
    project.write(
        "readiness.toml",
        &manifest.replace("sums none", "sums none || true"),
    );
    let (status, all) = run("ready-lint");
    assert!(status == Some(1) && all.contains("cannot-fail"), "{all}");
}

#[test]
fn hadolint_accepts_the_container_file() {
    let Some(programs) = tools::find("the container file", &["hadolint"]) else {
        return;
    };
    said(Command::new(&programs[0]).arg(root().join("Containerfile")));
}
