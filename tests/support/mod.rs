//! What tests of the whole program share: a project in a folder of its own, the built `ready` run in it under a guard
//! against hanging, its report, and the proof that nothing of it is left running.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use readiness::ledger::Ledger;
use rustix::process::{Pid, Signal};
use serde_json::Value;

/// Whatever takes longer hangs.
const GUARD: Duration = Duration::from_secs(60);
/// The variable by which a test finds the processes that it started.
const MARK: &str = "FAULT_TEST_MARK";

/// Waits until something has happened; fails where it does not.
pub fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + GUARD;
    while !happened() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A project in a temporary folder.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// A project with these checks, as TOML.
    pub fn new(checks: &str) -> Project {
        let folder = tempfile::Builder::new()
            .prefix("ready-fault-")
            .tempdir()
            .unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let project = Project { folder };
        project.write(
            "readiness.toml",
            &format!("[project]\nname = \"faults\"\n{checks}"),
        );
        project
    }

    /// A project with one check, `it`, that gives a script to the shell.
    pub fn script(script: &str, more: &str) -> Project {
        Project::new(&check("it", script, more))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn executable(&self, name: &str, text: &str) {
        self.write(name, text);
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Gives a program of the test's own the project's folder and mark, and nothing that changes how `ready` behaves.
    pub fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env(MARK, self.mark())
            .env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("READY_")
                || matches!(
                    &*name,
                    "CI" | "GITHUB_ACTIONS" | "TERM" | "http_proxy" | "HTTP_PROXY"
                )
            {
                command.env_remove(&*name);
            }
        }
    }

    /// `ready` with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        self.prepare(command.args(args));
        command
    }

    /// Runs `ready check --format json`.
    pub fn check(&self) -> Done {
        self.start(&["check", "--format", "json"]).finish()
    }

    /// Starts `ready`.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::new(self.command(args))
    }

    fn mark(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// The living processes of this project, by their command lines.
    pub fn running(&self) -> Vec<(Pid, String)> {
        let mark = format!("{MARK}={}", self.mark());
        processes(|folder| {
            let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|pair| pair == mark.as_bytes())
        })
    }

    /// Fails where a process of the project lives.
    pub fn nothing_runs(&self) {
        let left = self.running();
        left.iter()
            .for_each(|(pid, _)| _ = rustix::process::kill_process(*pid, Signal::KILL));
        assert!(left.is_empty(), "left running: {left:?}");
    }

    /// Every byte of the ledger, and what its reports and evidence are unpacked.
    pub fn ledger_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.path(".ready")).unwrap();
        let packed = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
        let reports = serde_json::to_vec(&self.recorded_reports()).unwrap();
        packed.chain(reports).collect()
    }

    /// The ledger, where there is one that a run was appended to.
    pub fn ledger(&self) -> Option<Ledger> {
        Ledger::open_existing(self.folder.path()).unwrap()
    }

    /// The reports in the ledger with their evidence, as JSON, the oldest first.
    pub fn recorded_reports(&self) -> Vec<Value> {
        // A process that was ended before its transaction was over has not even made the table.
        let Some(ledger) = self.ledger() else {
            return vec![];
        };
        let mut runs = ledger.last_runs(1_000).unwrap();
        runs.retain(|run| run.kept);
        runs.reverse();
        let report = |run: &readiness::ledger::RunRow| {
            let report = ledger.report(&run.id).unwrap().unwrap();
            serde_json::to_value(ledger.with_evidence(report).unwrap()).unwrap()
        };
        runs.iter().map(report).collect()
    }

    /// The runs in the ledger, as JSON, the oldest first.
    pub fn recorded_runs(&self) -> Vec<Value> {
        let mut reports = self.recorded_reports();
        reports
            .iter_mut()
            .map(|report| report["run"].take())
            .collect()
    }
}

/// The living processes that `wanted` picks by their folder in `/proc`.
pub fn processes(wanted: impl Fn(&Path) -> bool) -> Vec<(Pid, String)> {
    let folders = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let found = folders.filter_map(|folder| {
        let pid = Pid::from_raw(folder.file_name()?.to_str()?.parse().ok()?)?;
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        // What has ended and waits to be reaped has no command line any more.
        (!line.is_empty() && wanted(&folder)).then(|| {
            (
                pid,
                String::from_utf8_lossy(&line)
                    .replace('\0', " ")
                    .trim()
                    .to_string(),
            )
        })
    });
    found.collect()
}

/// A check that gives a script to the shell.
pub fn check(id: &str, script: &str, more: &str) -> String {
    format!("[checks.{id}]\nsays = \"{id}\"\nshell = true\nrun = '''\n{script}'''\n{more}\n")
}

/// A running program under guard.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    lines: mpsc::Receiver<String>,
    stderr: String,
    deadline: Instant,
}

impl Running {
    pub fn new(mut command: Command) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.split(b'\n') {
                let _ = sender.send(String::from_utf8_lossy(&line.unwrap()).into_owned() + "\n");
            }
        });
        let stdout = std::thread::spawn(move || {
            let mut bytes = vec![];
            stdout.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Running {
            child,
            stdout: Some(stdout),
            lines,
            stderr: String::new(),
            deadline: Instant::now() + GUARD,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for a line on standard error that holds these words.
    pub fn wait_for_line(&mut self, words: &str) {
        loop {
            match self
                .lines
                .recv_timeout(self.deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    let found = line.contains(words);
                    self.stderr += &line;
                    if found {
                        return;
                    }
                }
                Err(error) => {
                    let _ = self.child.kill();
                    panic!("no line with `{words}` ({error}):\n{}", self.stderr);
                }
            }
        }
    }

    /// Waits until something that it brings about has happened; fails with its words where it ends or hangs before.
    pub fn wait_until(&mut self, what: &str, happened: impl Fn() -> bool) {
        while !happened() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() >= self.deadline {
                let _ = self.child.kill();
                self.stderr.extend(self.lines.try_iter());
                panic!(
                    "it never happened: {what} (ended: {ended:?}):\n{}",
                    self.stderr
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Done {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() >= self.deadline {
                let _ = self.child.kill();
                self.stderr.extend(self.lines.try_iter());
                panic!("it hangs:\n{}", self.stderr);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let stdout = self.stdout.take().unwrap().join().unwrap();
        self.stderr.extend(self.lines.iter());
        let stderr = std::mem::take(&mut self.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        Done {
            status: status.code(),
            stdout,
            stderr,
        }
    }
}

/// What a run of `ready` gave.
pub struct Done {
    /// The exit status.
    pub status: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Done {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The JSON report.
    pub fn report(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", self.status, self.stderr))
    }

    /// The row of one check.
    pub fn row(&self, id: &str) -> Value {
        let report = self.report();
        let row = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == id)
            .cloned();
        row.unwrap_or_else(|| panic!("no check `{id}`: {report}"))
    }

    /// `verdict reason-code` of one check.
    pub fn verdict(&self, id: &str) -> String {
        let row = self.row(id);
        format!(
            "{} {}",
            row["verdict"].as_str().unwrap(),
            row["reason"]["code"].as_str().unwrap()
        )
    }

    /// The reason of one check, in words.
    pub fn reason(&self, id: &str) -> String {
        self.row(id)["reason"]["text"].as_str().unwrap().to_string()
    }

    /// The last attempt of one check.
    pub fn attempt(&self, id: &str) -> Value {
        self.row(id)["evidence"]["attempts"]
            .as_array()
            .and_then(|attempts| attempts.last())
            .cloned()
            .unwrap_or_default()
    }

    /// What one check left running, by name.
    pub fn leaked(&self, id: &str) -> Vec<String> {
        let leaked = self.attempt(id)["leaked"].clone();
        leaked
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_string())
            .collect()
    }

    /// The report's warnings.
    pub fn warnings(&self) -> Vec<String> {
        let report = self.report();
        report["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_string())
            .collect()
    }
}
