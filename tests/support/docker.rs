//! A Docker engine of the tests' own: nothing of it is shared with one that the machine runs. It starts when the first
//! test of a program needs it and ends, with all that it started, when that program does, however that ends: a shell
//! waits until the pipe from the test program closes.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, iter, thread};

use super::tools;

/// An engine that does not answer by then never will.
const GUARD: Duration = Duration::from_secs(60);

/// Starts an engine in the folder `$1`, ends it when standard input closes, and clears up. An engine that is asked
/// politely ends its containerd and unmounts its folder.
const KEEPER: &str = r#"
cd "$1" || exit
name=${1##*/}
{
    dockerd --storage-driver=vfs --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false \
        --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/socket" \
        --containerd-namespace "$name" --containerd-plugins-namespace "$name-plugins"
    : >ended
} </dev/null &
read -r _
until [ -e pid ] || [ -e ended ]; do sleep 0.1; done
kill "$(cat pid)"
tries=300
while [ ! -e ended ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
[ -e ended ] || kill -9 "$(cat pid)" "$(cat exec/containerd/containerd.pid)"
umount data exec/netns/* # the latter after a container has run
cd / && rm -rf "$1"
"#;

static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();

/// A running engine.
pub(crate) struct Engine {
    socket: PathBuf,
    client: PathBuf,
    /// Its standard input is the pipe that keeps the engine.
    _keeper: Child,
}

/// The engine of this test program; none where it cannot be had, which is noted for `test`.
pub(crate) fn engine(test: &str) -> Option<&'static Engine> {
    match ENGINE.get_or_init(start) {
        Ok(engine) => Some(engine),
        Err(why) => {
            tools::without(test, &format!("Docker engine ({why})"));
            None
        }
    }
}

impl Engine {
    /// What `DOCKER_HOST` must be.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// What `DOCKER_CONFIG` must be for Compose to be found.
    pub(crate) fn config(&self) -> PathBuf {
        tools::cache().join("docker")
    }

    /// The `docker` program that came with the engine.
    pub(crate) fn client(&self) -> &Path {
        &self.client
    }

    fn answers(&self) -> bool {
        let mut ask = Command::new(&self.client);
        ask.args(["version", "--format", "{{.Server.Version}}"])
            .env("DOCKER_HOST", self.host())
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|answer| answer.status.success())
    }
}

fn start() -> Result<Engine, String> {
    // The one that came with the engine, where another stands before it on PATH.
    let installed = env::var_os("PATH").unwrap_or_default();
    let client = iter::once(PathBuf::from("/usr/bin"))
        .chain(env::split_paths(&installed))
        .map(|folder| folder.join("docker"))
        .find(|file| file.is_file())
        .ok_or("no docker")?;
    // Below /tmp, as a socket's path must be short.
    let folder = tempfile::Builder::new()
        .prefix("ready-docker-")
        .tempdir_in("/tmp")
        .unwrap()
        .keep();
    let log = fs::File::create(folder.join("log")).unwrap();
    let keeper = Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .arg(&folder)
        .process_group(0) // Ctrl-C ends the test program, and so the engine in its order
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let engine = Engine {
        socket: folder.join("socket"),
        client,
        _keeper: keeper,
    };
    let deadline = Instant::now() + GUARD;
    while !engine.answers() {
        if folder.join("ended").exists() || Instant::now() > deadline {
            let log = fs::read_to_string(folder.join("log")).unwrap();
            let line = log.lines().rfind(|line| !line.trim().is_empty());
            return Err(line.unwrap_or("it said nothing").to_string());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(engine)
}
