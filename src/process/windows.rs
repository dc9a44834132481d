//! One program on Windows: started within a job of its own, read by two threads, bounded, ended with all that it started.

mod job;

use std::io::{self, Read};
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Cancel, Captured, Command, End, Finished, Patience, start};
use job::Job;

/// How often it is asked whether a program has ended.
const TICK: Duration = Duration::from_millis(5);

/// What the system itself starts beside a program that has no console.
const CONSOLE: &str = "conhost.exe";

/// Whether a program still lives. Here nobody sees it before [`run_seen`] returns.
#[derive(Debug, Default)]
pub struct Pulse;

impl Pulse {
    /// Whether it was started and has ended, as far as that is seen.
    pub fn is_over(&self) -> bool {
        false
    }
}

/// As [`run`].
pub fn run_seen(command: &Command, cancel: &Cancel, _: &Pulse) -> Finished {
    run(command, cancel)
}

/// Runs a program to its end, its time limit, or the word to stop.
pub fn run(command: &Command, cancel: &Cancel) -> Finished {
    let mut finished = Finished {
        end: End::Cancelled,
        stdout: Captured::new(command.keep),
        stderr: Captured::new(command.keep),
        killed: false,
        leaked: vec![],
    };
    if cancel.told() > 0 {
        return finished;
    }
    let started = Instant::now();
    match begin(command) {
        Ok((child, job)) => {
            let output = Output::of(child, command);
            output.finish(&job, cancel, started, &mut finished);
        }
        Err(error) => {
            finished.end = End::Spawn(start::refused(&command.program, &command.cwd, &error));
        }
    }
    finished
}

/// Starts the program within a job of its own.
fn begin(command: &Command) -> io::Result<(Child, Job)> {
    job::keep_own_streams();
    let job = Job::new(command.leaves_running)?;
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.args).current_dir(&command.cwd);
    process
        .stdin(start::stdin(&command.stdin))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .creation_flags(job::CREATED);
    command.env.apply(&mut process);
    let mut child = process.spawn()?;
    if let Err(error) = job.take_in(&child) {
        // It did not run yet, so it has nothing to be asked.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    start::feed(&mut child, &command.stdin);
    Ok((child, job))
}

/// A program that runs, and what comes of its streams.
struct Output<'a> {
    child: Child,
    command: &'a Command,
    /// Whether it is of standard error, and the bytes; at its end once both streams are.
    chunks: Receiver<(bool, Vec<u8>)>,
}

impl<'a> Output<'a> {
    fn of(mut child: Child, command: &'a Command) -> Output<'a> {
        let (sender, chunks) = mpsc::sync_channel(16);
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for (at, stream) in streams.into_iter().enumerate() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let (mut stream, mut buffer) = (stream?, vec![0; 64 << 10]);
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    sender.send((at == 1, buffer[..length].to_vec())).ok()?;
                }
                Some(())
            });
        }
        Output {
            child,
            command,
            chunks,
        }
    }

    fn finish(mut self, job: &Job, cancel: &Cancel, started: Instant, finished: &mut Finished) {
        let mut ended_by_us = None;
        let mut until = started + self.command.limit;
        let status = loop {
            if self.take(TICK, finished) == Err(RecvTimeoutError::Disconnected) {
                // It has closed both streams, and runs on.
                std::thread::sleep(TICK);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                break Some(status);
            }
            let now = Instant::now();
            match ended_by_us {
                None if cancel.told() > 0 || now >= until => {
                    ended_by_us = Some(match cancel.told() {
                        0 => End::Timeout,
                        _ => End::Cancelled,
                    });
                    // Where nobody can be told, there is nothing to wait for.
                    let patience = match job::ask_to_end(&self.child) {
                        true => self.command.grace,
                        false => Duration::ZERO,
                    };
                    until = now + patience;
                }
                Some(_) if now >= until || cancel.told() > 1 => {
                    finished.killed = now >= until;
                    job.end();
                    break self.child.wait().ok();
                }
                _ => {}
            }
        };
        self.drain(job, cancel, finished);
        let by_itself = ended_by_us.is_none();
        if !(by_itself && self.command.leaves_running) {
            let left = left_behind(job);
            job.end();
            if by_itself {
                finished.leaked = left;
            }
        }
        let exit = || End::Exit(status.and_then(|status| status.code()).unwrap_or(-1));
        finished.end = ended_by_us.unwrap_or_else(exit);
    }

    /// Takes in what still comes once the program has ended, for as long as something does, and gives what it started the
    /// time to end by itself.
    fn drain(&self, job: &Job, cancel: &Cancel, finished: &mut Finished) {
        let most = Instant::now() + Patience::DRAIN_AT_MOST;
        let mut until = Instant::now() + Patience::TO_DRAIN;
        while Instant::now() < until.min(most) && cancel.told() < 2 {
            match self.take(TICK, finished) {
                Ok(()) => until = Instant::now() + Patience::TO_DRAIN,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    if self.command.leaves_running || left_behind(job).is_empty() {
                        return;
                    }
                    std::thread::sleep(TICK);
                }
            }
        }
    }

    /// Takes in one chunk.
    fn take(&self, patience: Duration, finished: &mut Finished) -> Result<(), RecvTimeoutError> {
        let (is_stderr, chunk) = self.chunks.recv_timeout(patience)?;
        let stream = match is_stderr {
            false => &mut finished.stdout,
            true => &mut finished.stderr,
        };
        stream.push(&chunk);
        if let Some(hear) = &self.command.hear {
            hear.0(is_stderr, &chunk);
        }
        Ok(())
    }
}

/// The names of the processes of a job whose first one has ended.
fn left_behind(job: &Job) -> Vec<String> {
    let named = job.processes().into_iter().filter_map(|process| {
        let image = job::image(process)?;
        let name = Path::new(&image).file_name()?.to_string_lossy();
        (!name.eq_ignore_ascii_case(CONSOLE)).then(|| format!("{name} ({process})"))
    });
    named.collect()
}
