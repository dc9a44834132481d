//! `docker build` as a check and a Compose file as a service, with a real engine and without.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

#[path = "support/docker.rs"]
mod docker;
#[allow(dead_code, reason = "other test programs use the rest")]
mod support;
#[path = "support/tools.rs"]
mod tools;

use std::path::Path;
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
    command.env("DOCKER_CONFIG", engine.config());
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

/// A project whose Compose file starts a web server, which says `hello`, on this port.
fn composed(busybox: &Path, port: u16, health: &str) -> Project {
    let project = Project::new(
        &r#"
[services.web]
compose = "compose.yml"

[checks.page]
says  = "The page says hello"
needs = ["web"]
http  = "http://127.0.0.1:PORT/"
expect = { body = { contains = "hello" } }
"#
        .replace("PORT", &port.to_string()),
    );
    std::fs::copy(busybox, project.path("busybox")).unwrap();
    project.write("index.html", "hello\n");
    project.write(
        "Dockerfile",
        "FROM scratch\nCOPY busybox /busybox\nCOPY index.html /www/index.html\n",
    );
    // A first process ignores SIGTERM.
    let compose = r#"
services:
  web:
    build: .
    network_mode: host
    stop_signal: SIGKILL
    command: ["/busybox", "httpd", "-f", "-h", "/www", "-p", "127.0.0.1:PORT"]
    healthcheck:
      test: ["CMD", "/busybox", "HEALTH"]
      interval: 1s
      retries: 3
"#;
    let compose = compose.replace("PORT", &port.to_string());
    project.write("compose.yml", &compose.replace("HEALTH", health));
    project
}

/// Containers of the engine, running or not.
fn containers(engine: &Engine) -> String {
    let mut list = Command::new(engine.client());
    list.args(["ps", "--all", "--quiet"]);
    let seen = list.env("DOCKER_HOST", engine.host()).output().unwrap();
    String::from_utf8(seen.stdout).unwrap()
}

#[test]
fn a_compose_file_is_brought_up_and_down() {
    let test = "docker compose";
    let Some((engine, found)) =
        docker::engine(test).zip(tools::find(test, &["busybox", "docker-compose"]))
    else {
        return;
    };
    let project = composed(&found[0], free_port(), "true");
    let done = check(&project, engine, &engine.host());
    assert_eq!(done.verdict("page"), "verified held", "{}", done.report());
    assert_eq!(containers(engine), "");

    let project = composed(&found[0], free_port(), "false");
    let done = check(&project, engine, &engine.host());
    assert_eq!(
        done.verdict("page"),
        "failed service-failed",
        "{}",
        done.report()
    );
    assert_eq!(containers(engine), "");

    let project = composed(&found[0], free_port(), "true");
    let nobody = format!("unix://{}", project.path("nobody").display());
    let done = check(&project, engine, &nobody);
    assert_eq!(
        done.verdict("page"),
        "unverified cannot-tell",
        "{}",
        done.report()
    );
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
