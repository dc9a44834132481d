//! `docker build` as a check, with a real engine and without: built, refused, no engine, no program.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

#[path = "support/docker.rs"]
mod docker;
#[allow(dead_code, reason = "other test programs use the rest")]
mod support;
#[path = "support/tools.rs"]
mod tools;

use std::process::Command;

use docker::Engine;
use support::{Done, Project, Running};

/// A project with one check, `image`, that builds from scratch what the Dockerfile's lines add.
fn project(lines: &str) -> Project {
    let project = Project::new(
        r#"
[checks.image]
says        = "The image builds"
run         = ["docker", "build", "--tag", "built-by-ready", "."]
needs_tool  = { name = "docker", install = "install Docker Engine" }
cannot_tell = { stderr = ["Cannot connect to the Docker daemon"] }
"#,
    );
    project.write("Dockerfile", &format!("FROM scratch\n{lines}"));
    project.write("page.html", "<h1>hello</h1>\n");
    project
}

/// `ready check` with the program `docker` as the only one on PATH, and this engine.
fn check(project: &Project, engine: &Engine, host: &str) -> Done {
    let programs = tools::only(&project.path("bin"), &[engine.client().to_path_buf()]);
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("PATH", programs).env("DOCKER_HOST", host);
    Running::new(command).finish()
}

#[test]
fn an_image_is_built() {
    let Some(engine) = docker::engine("docker build") else {
        return;
    };
    let project = project("COPY page.html /\nCMD [\"/page.html\"]\n");
    let done = check(&project, engine, &engine.host());
    assert_eq!(done.verdict("image"), "verified held", "{}", done.report());
    assert_eq!(done.row("image")["level"], "validated");

    let mut inspect = Command::new(engine.client());
    inspect.args(["image", "inspect", "--format", "{{.Config.Cmd}}"]);
    inspect.arg("built-by-ready");
    let seen = inspect.env("DOCKER_HOST", engine.host()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&seen.stdout), "[/page.html]\n");
}

#[test]
fn an_image_that_cannot_be_built_has_failed() {
    let Some(engine) = docker::engine("docker build that fails") else {
        return;
    };
    let project = project("COPY missing.html /\n");
    let done = check(&project, engine, &engine.host());
    assert_eq!(done.verdict("image"), "failed exit-status");
}

#[test]
fn without_an_engine_it_cannot_tell() {
    let Some(engine) = docker::engine("docker build without an engine") else {
        return;
    };
    let project = project("COPY page.html /\n");
    let nobody = format!("unix://{}", project.path("nobody").display());
    let done = check(&project, engine, &nobody);
    assert_eq!(done.verdict("image"), "unverified cannot-tell");
    let reason = done.reason("image");
    assert!(reason.contains("Cannot connect"), "{reason}");
}

#[test]
fn without_the_program_the_tool_is_missing() {
    let project = project("COPY page.html /\n");
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("PATH", "");
    let done = Running::new(command).finish();
    assert_eq!(done.verdict("image"), "unverified tool-missing");
    let reason = done.reason("image");
    assert!(reason.contains("install Docker Engine"), "{reason}");
}
