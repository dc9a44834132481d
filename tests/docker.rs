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

/// Containers of the project's Compose file, running or not.
fn containers(engine: &Engine, project: &Project) -> String {
    let folder = project.path("").display().to_string();
    let of_it = format!(
        "label=com.docker.compose.project.working_dir={}",
        folder.trim_end_matches('/')
    );
    let mut list = Command::new(engine.client());
    list.args(["ps", "--all", "--quiet", "--filter", &of_it]);
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
    assert_eq!(containers(engine, &project), "");

    let project = composed(&found[0], free_port(), "false");
    let done = check(&project, engine, &engine.host());
    assert_eq!(
        done.verdict("page"),
        "failed service-failed",
        "{}",
        done.report()
    );
    assert_eq!(containers(engine, &project), "");

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

/// Ctrl-C once the Compose file's container runs, while its health is waited for or a check uses it.
#[test]
fn a_compose_file_is_taken_down_after_ctrl_c() {
    let test = "docker compose and Ctrl-C";
    let Some((engine, found)) =
        docker::engine(test).zip(tools::find(test, &["busybox", "docker-compose"]))
    else {
        return;
    };
    for (health, state) in [("false", "not-started"), ("true", "healthy")] {
        let port = free_port();
        let project = composed(&found[0], port, health);
        let manifest = std::fs::read_to_string(project.path("readiness.toml")).unwrap();
        let waits = "[checks.waits]\nsays = \"x\"\nneeds = [\"web\"]\nrun = [\"/bin/sh\", \"-c\", \"echo > waits; exec sleep 300\"]\n";
        // It is not to be found unhealthy before the word comes.
        let compose = std::fs::read_to_string(project.path("compose.yml")).unwrap();
        project.write(
            "compose.yml",
            &compose.replace("retries: 3", "retries: 3000"),
        );
        project.write("readiness.toml", &(manifest + waits));
        let programs = tools::only(
            &project.path("bin"),
            &[engine.client().to_path_buf(), "/bin/sleep".into()],
        );
        let mut command = project.command(&["check", "waits", "--format", "json"]);
        command
            .env("PATH", programs)
            .env("DOCKER_HOST", engine.host());
        command.env("DOCKER_CONFIG", engine.config());
        let running = Running::new(command);
        support::wait_until("it is in the middle of it", || match health {
            "true" => project.has("waits"),
            _ => std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(),
        });
        assert_ne!(containers(engine, &project), "");
        running.signal(rustix::process::Signal::INT);
        let done = running.finish();
        project.nothing_runs();
        assert_eq!(containers(engine, &project), "");
        assert_eq!(done.status, Some(130), "{}", done.stderr);
        let web = &done.report()["run"]["services"][0];
        assert_eq!(
            (&web["state"], &web["teardown"]),
            (&state.into(), &serde_json::Value::Null)
        );
        let code = if health == "true" {
            "interrupted"
        } else {
            "not-run"
        };
        assert_eq!(done.verdict("waits"), format!("unverified {code}"));
    }
}

/// What has the port of a Compose file is no service of ours.
#[test]
fn a_compose_file_whose_port_is_taken_is_not_brought_up() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "[services.web]\ncompose = \"compose.yml\"\nport = {port}\n[checks.it]\nsays = \"x\"\nrun = [\"true\"]\nneeds = [\"web\"]\n"
    ));
    let done = project.check();
    assert_eq!(done.verdict("it"), "unverified port-taken");
    assert_eq!(
        done.reason("it"),
        format!("service `web` could not be started: port {port} is taken by another program")
    );
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// The image of the program itself, of which the container file says how it is made: with whatever program lies beside it.
#[test]
fn the_image_of_the_container_file_holds_the_program() {
    let Some(engine) = docker::engine("the container file") else {
        return;
    };
    let project = Project::new("");
    std::fs::copy(env!("CARGO_BIN_EXE_ready"), project.path("ready")).unwrap();
    let docker = |args: &[&str]| {
        let mut docker = Command::new(engine.client());
        docker.args(args).env("DOCKER_HOST", engine.host());
        let output = docker.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Containerfile");
    let [file, folder] = [&file, &project.path(".")].map(|path| path.display().to_string());
    docker(&[
        "build",
        "--quiet",
        "--file",
        &file,
        "--tag",
        "ready-image",
        &folder,
    ]);
    let entry = docker(&[
        "image",
        "inspect",
        "--format",
        "{{.Config.Entrypoint}}",
        "ready-image",
    ]);
    assert_eq!(entry, "[/usr/local/bin/ready]");
    let container = docker(&["create", "ready-image"]);
    let out = project.path("out").display().to_string();
    docker(&["cp", &format!("{container}:/usr/local/bin/ready"), &out]);
    docker(&["rm", &container]);
    let [inside, beside] = ["out", "ready"].map(|name| std::fs::read(project.path(name)).unwrap());
    assert!(inside == beside, "the image holds another program");
}
