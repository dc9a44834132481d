//! One program on Windows: started, read by two threads, bounded. Only the program itself is ended; what it started
//! lives on, which a job object will change.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Cancel, Captured, Command, End, Finished, Patience, start};

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
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.args).current_dir(&command.cwd);
    process
        .stdin(start::stdin(&command.stdin))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.env.apply(&mut process);
    let started = Instant::now();
    let mut child = match process.spawn() {
        Ok(child) => child,
        Err(error) => {
            finished.end = End::Spawn(start::refused(&command.program, &command.cwd, &error));
            return finished;
        }
    };
    start::feed(&mut child, &command.stdin);
    let (sender, receiver) = mpsc::sync_channel(16);
    let streams = [
        child
            .stdout
            .take()
            .map(|s| Box::new(s) as Box<dyn Read + Send>),
        child.stderr.take().map(|s| Box::new(s) as _),
    ];
    for (at, stream) in streams.into_iter().enumerate() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let (mut stream, mut buffer) = (stream?, vec![0; 64 << 10]);
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                sender.send((at, buffer[..length].to_vec())).ok()?;
            }
            Some(())
        });
    }
    drop(sender);
    let mut take = |patience: Duration| match receiver.recv_timeout(patience) {
        Ok((at, chunk)) => {
            let stream = match at {
                0 => &mut finished.stdout,
                _ => &mut finished.stderr,
            };
            stream.push(&chunk);
            if let Some(hear) = &command.hear {
                hear.0(at == 1, &chunk);
            }
            Some(())
        }
        Err(_) => None,
    };
    let mut ended_by_us = None;
    let status = loop {
        take(Duration::from_millis(5));
        if let Ok(Some(status)) = child.try_wait() {
            break Some(status);
        }
        let end = match (cancel.told(), started.elapsed() >= command.limit) {
            (1.., _) => End::Cancelled,
            (0, true) => End::Timeout,
            (0, false) => continue,
        };
        ended_by_us = Some(end);
        let _ = child.kill();
        break child.wait().ok();
    };
    let most = Instant::now() + Patience::DRAIN_AT_MOST;
    while Instant::now() < most && take(Patience::TO_DRAIN).is_some() {}
    finished.end = ended_by_us
        .unwrap_or_else(|| End::Exit(status.and_then(|status| status.code()).unwrap_or(-1)));
    finished
}
