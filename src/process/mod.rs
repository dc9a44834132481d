//! Running other people's programs: started in a process group of their own, read while they run, bounded in time and
//! in what is kept of their output, and never left behind.
//!
//! [`run`] gives what happened as data; it has no opinion about it. What it promises: it returns within the time limit
//! plus the grace periods in [`Patience`], whatever the program does; every byte of both streams is counted and
//! digested; nothing of the program's process group lives on, unless the command says that it may.
//!
//! Call it from any thread but the main one: orphans come to the main thread, and are told apart by that.

mod cancel;
mod capture;
mod clock;
#[cfg(target_os = "linux")]
mod orphans;
mod start;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use cancel::Cancel;
pub use capture::{Captured, Keep};
pub use clock::Clock;
pub use start::{Environment, resolve};

use crate::domain::evidence::{Failure, SpawnFailure};

#[cfg(target_os = "linux")]
pub use orphans::{abandon, reap, sweep};
#[cfg(unix)]
pub use unix::{Pulse, TO_GO_ON, TO_PAUSE, go_on, pause, run, run_seen};
#[cfg(windows)]
pub use windows::{Pulse, run, run_seen};

/// Ends what was left behind and belongs to no check: only where the system can tell.
#[cfg(not(target_os = "linux"))]
pub fn sweep(_run: &str) -> Vec<Left> {
    vec![]
}

/// Reaps orphans: only where they come to this process.
#[cfg(not(target_os = "linux"))]
pub fn reap() {}

/// Ends at once what runs: only where the system can tell.
#[cfg(not(target_os = "linux"))]
pub fn abandon() {}

/// A process that was left once all checks had ended.
#[derive(Debug)]
pub struct Left {
    /// Its command line and, in parentheses, its id.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a process that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was ended.
    Ended,
    /// It lives, since it may be that of a check that may leave something running.
    Spared,
    /// It lives, and nothing can be done about it.
    OutOfReach,
}

/// The longest command line that is shown of a process, in characters.
const NAME_AT_MOST: usize = 80;

/// `name (pid)` with a name that is short enough to show. Only for one in which secrets are masked already.
pub fn shortened(name: &str) -> String {
    let (line, pid) = name.rsplit_once(" (").unwrap_or((name, ""));
    match line.char_indices().nth(NAME_AT_MOST) {
        Some((end, _)) if !pid.is_empty() => format!("{}… ({pid}", &line[..end]),
        Some((end, _)) => format!("{}…", &line[..end]),
        None => name.to_string(),
    }
}

/// A program to run, with everything resolved.
#[derive(Debug)]
pub struct Command {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub args: Vec<OsString>,
    /// An existing directory, absolute.
    pub cwd: PathBuf,
    /// What it sees of the environment.
    pub env: Environment,
    /// What it is given on standard input; none: nothing to read.
    pub stdin: Option<Arc<[u8]>>,
    /// How long it may run.
    pub limit: Duration,
    /// How long it may take to end once it is asked to, before it is made to.
    pub grace: Duration,
    /// How much of its output is kept.
    pub keep: Keep,
    /// Whether what it leaves behind may live on.
    pub leaves_running: bool,
    /// Who is given its output as it comes.
    pub hear: Option<Hear>,
}

impl Command {
    /// No limit: until it is stopped.
    pub const WITHOUT_LIMIT: Duration = Duration::from_secs(u32::MAX as u64);
    /// The grace of a program of which nothing else is said.
    pub const GRACE: Duration = Duration::from_secs(2);
}

/// Is given each chunk of a program's output: whether it is of its standard error, and the bytes.
#[derive(Clone)]
pub struct Hear(pub Arc<HearChunk>);

type HearChunk = dyn Fn(bool, &[u8]) + Send + Sync;

impl std::fmt::Debug for Hear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hear")
    }
}

/// What came of a program.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Whether it, or what it started, did not end in the time that it had once it was asked to, and was made to.
    pub killed: bool,
    /// Processes that outlived it, `name (pid)`, with the whole command line as the name.
    pub leaked: Vec<String>,
}

/// How a program ended. A time limit or a cancellation outranks the status that it gives afterwards.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// By itself, with this status.
    Exit(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// By us, at its time limit.
    Timeout,
    /// By us, since the run was stopped.
    Cancelled,
    /// It never began.
    Spawn(Failure<SpawnFailure>),
}

/// How long we wait where a program does not do its part.
pub(crate) struct Patience;

impl Patience {
    /// From the leader's end (or the last output after it) until its pipes are given up. Less than half a second loses
    /// output on a loaded machine.
    pub(crate) const TO_DRAIN: Duration = Duration::from_millis(600);
    /// The most that output after the leader's end can prolong the wait.
    pub(crate) const DRAIN_AT_MOST: Duration = Duration::from_secs(5);
    /// For the kernel to end what was killed.
    #[cfg(unix)]
    pub(crate) const TO_DIE: Duration = Duration::from_secs(5);
    /// For ending what runs before an exit at once.
    #[cfg(target_os = "linux")]
    pub(crate) const TO_ABANDON: Duration = Duration::from_secs(1);
    /// For whoever still writes the program that is to be started.
    #[cfg(unix)]
    pub(crate) const TO_BE_WRITTEN: Duration = Duration::from_secs(3);
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn given(script: &str, limit: Duration) -> Finished {
        let command = Command {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: "/".into(),
            env: Environment::default(),
            stdin: Some(vec![b'x'; 1 << 20].into()),
            limit,
            keep: Keep::TO_READ,
            leaves_running: false,
            grace: Command::GRACE,
            hear: None,
        };
        run(&command, &Cancel::new().unwrap())
    }

    #[test]
    fn what_a_program_is_given_and_does_not_read_holds_up_nobody() {
        let long = Duration::from_secs(60);
        let all = given("cat", long);
        assert_eq!(
            (all.end, all.stdout.kept()),
            (End::Exit(0), vec![b'x'; 1 << 20])
        );
        let some = given("head -c 3; exit 7", long);
        assert_eq!(
            (some.end, some.stdout.kept()),
            (End::Exit(7), b"xxx".to_vec())
        );
        assert_eq!(given("exit 0", long).end, End::Exit(0));
        let none = given("exec sleep 60", Duration::from_millis(50));
        assert_eq!(none.end, End::Timeout);
    }
}
