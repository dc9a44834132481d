//! One program on Unix: started, read, bounded, ended with its whole process group, reaped last.
//!
//! The leader is left a zombie until its group was killed (`pidfd` or `waitid` without reaping tells its end), since its
//! number could be given to a stranger otherwise.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{self as sys, Pid, Signal};

use super::{Cancel, Captured, Command, End, Finished, Patience, clock, start};

/// Runs a program to its end, its time limit, or the word to stop.
pub fn run(command: &Command, cancel: &Cancel) -> Finished {
    run_seen(command, cancel, &Pulse::default())
}

/// Whether a program still lives, for those who cannot wait until [`run_seen`] has taken in all that it left.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Beat>);

#[derive(Debug, Default)]
enum Beat {
    #[default]
    NotYet,
    Lives(Pid),
    Over,
}

impl Pulse {
    /// Whether it was started and has ended, seen at this moment.
    pub fn is_over(&self) -> bool {
        match *self.beat() {
            Beat::NotYet => false,
            Beat::Lives(leader) => is_zombie(leader),
            Beat::Over => true,
        }
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As [`run`]; meanwhile others see by `pulse` whether the program lives.
pub fn run_seen(command: &Command, cancel: &Cancel, pulse: &Pulse) -> Finished {
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
    let started = clock::now();
    #[cfg(target_os = "linux")]
    super::orphans::adopt();
    match spawn(command, cancel) {
        Ok(mut child) => {
            start::feed(&mut child, &command.stdin);
            *pulse.beat() = Beat::Lives(Pid::from_child(&child));
            Watch::new(command, cancel, pulse, started, child).finish(&mut finished);
        }
        Err(error) => {
            finished.end = End::Spawn(start::refused(&command.program, &command.cwd, &error))
        }
    }
    finished
}

fn spawn(command: &Command, cancel: &Cancel) -> std::io::Result<Child> {
    let deadline = clock::now() + Patience::TO_BE_WRITTEN.min(command.limit);
    let mut pause = Duration::from_millis(1);
    loop {
        let mut process = std::process::Command::new(&command.program);
        process
            .args(&command.args)
            .current_dir(&command.cwd)
            .process_group(0);
        process
            .stdin(start::stdin(&command.stdin))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env.apply(&mut process);
        match start_one(&mut process) {
            // Somebody still writes the file, if only a child of another thread until it executes: it passes.
            Err(error) if start::busy(&error) && clock::now() < deadline && cancel.told() == 0 => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            other => return other,
        }
    }
}

/// Whether all stands still; held for reading while a program is started.
static PAUSED: RwLock<bool> = RwLock::new(false);
/// The process groups of the programs that run.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(vec![]);

fn start_one(process: &mut std::process::Command) -> std::io::Result<Child> {
    let _paused = loop {
        let paused = PAUSED.read().unwrap_or_else(PoisonError::into_inner);
        if !*paused {
            break paused;
        }
        // For a moment only: then this process stands still as well.
        drop(paused);
        std::thread::sleep(Duration::from_millis(1));
    };
    let child = process.spawn()?;
    groups().push(Pid::from_child(&child));
    Ok(child)
}

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of the signal that Ctrl-Z sends.
pub const TO_PAUSE: i32 = Signal::TSTP.as_raw();

/// The number of the signal that lets a stopped process go on.
pub const TO_GO_ON: i32 = Signal::CONT.as_raw();

/// Stops every program that runs, the clock of their time limits, and this process, as Ctrl-Z asks. Another thread may
/// have to take the signal to stop, so this one may come back before it does: [`go_on`] is for the signal to go on.
pub fn pause() {
    let mut paused = PAUSED.write().unwrap_or_else(PoisonError::into_inner);
    *paused = true;
    clock::stop();
    for group in groups().iter() {
        let _ = sys::kill_process_group(*group, Signal::STOP);
    }
    let _ = sys::kill_process(sys::getpid(), Signal::STOP);
}

/// Lets the clock and every program go on, once this process does.
pub fn go_on() {
    let mut paused = PAUSED.write().unwrap_or_else(PoisonError::into_inner);
    clock::go_on();
    for group in groups().iter() {
        let _ = sys::kill_process_group(*group, Signal::CONT);
    }
    *paused = false;
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The program runs; until its limit.
    Running,
    /// It was asked to end; until it is made to.
    Asked,
    /// It has ended as it was asked to; until what it started has done so too, or is made to.
    Leaving,
    /// It was killed; until the kernel has done so.
    Killed,
    /// It has ended; until its pipes are empty and nobody holds them.
    Draining,
}

struct Watch<'a> {
    command: &'a Command,
    cancel: &'a Cancel,
    pulse: &'a Pulse,
    child: Child,
    group: Pid,
    /// Readable once the leader has ended; none where the system has no such thing.
    leader: Option<OwnedFd>,
    pipes: [Option<OwnedFd>; 2],
    stage: Stage,
    /// When the present stage gives way to the next.
    until: Instant,
    /// When draining ends, whatever still comes.
    drained_at_most: Instant,
    /// What we did to it, which outranks its status.
    ended_by_us: Option<End>,
    /// It was killed and is still there: it cannot be waited for.
    hangs: bool,
    /// It, or what it started, was made to end, since it had not done so when its time to was over.
    killed: bool,
    buffer: Vec<u8>,
}

impl<'a> Watch<'a> {
    fn new(
        command: &'a Command,
        cancel: &'a Cancel,
        pulse: &'a Pulse,
        started: Instant,
        mut child: Child,
    ) -> Watch<'a> {
        let group = Pid::from_child(&child);
        let pipes = [
            child.stdout.take().map(OwnedFd::from),
            child.stderr.take().map(OwnedFd::from),
        ];
        Watch {
            command,
            cancel,
            pulse,
            leader: leader_fd(group),
            child,
            group,
            pipes,
            stage: Stage::Running,
            until: started + command.limit,
            drained_at_most: started,
            ended_by_us: None,
            hangs: false,
            killed: false,
            buffer: vec![0; 64 << 10],
        }
    }

    fn finish(mut self, finished: &mut Finished) {
        loop {
            self.advance();
            if self.stage == Stage::Draining && self.done() {
                break;
            }
            self.wait_and_read(finished);
        }
        self.end_the_rest(finished);
        finished.killed = self.killed;
        let status = self.reap();
        finished.end = match (self.ended_by_us, status) {
            (Some(end), _) => end,
            (None, Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => End::Exit(code),
                (None, signal) => End::Signal(signal.unwrap_or(0)),
            },
            (None, Err(_)) => End::Signal(0),
        };
    }

    /// The leader's status. Its number is free from here on.
    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        *self.pulse.beat() = Beat::Over;
        groups().retain(|group| *group != self.group);
        #[cfg(target_os = "linux")]
        let _listed = super::orphans::lock();
        if self.hangs {
            return self.child.try_wait().map(Option::unwrap_or_default);
        }
        self.child.wait()
    }

    /// Goes on to the next stage where the present one is over.
    fn advance(&mut self) {
        let now = clock::now();
        match self.stage {
            Stage::Running if self.leader_has_ended() => self.drain(now),
            Stage::Running if self.cancel.told() > 0 => self.ask(End::Cancelled, now),
            Stage::Running if now >= self.until => self.ask(End::Timeout, now),
            Stage::Asked if self.leader_has_ended() => {
                self.stage = Stage::Leaving;
                #[cfg(target_os = "linux")]
                super::orphans::ask(&self.owner());
            }
            Stage::Asked if now >= self.until || self.cancel.told() > 1 => {
                self.killed = now >= self.until;
                self.signal(Signal::KILL);
                self.stage = Stage::Killed;
                self.until = now + Patience::TO_DIE;
            }
            Stage::Leaving
                if now >= self.until || self.cancel.told() > 1 || self.left_behind().is_empty() =>
            {
                self.killed = now >= self.until;
                self.signal(Signal::KILL);
                self.drain(now);
            }
            Stage::Killed if self.leader_has_ended() => self.drain(now),
            Stage::Killed if now >= self.until => {
                // It hangs in the kernel. Nothing more can be done to it, and the run must go on.
                self.hangs = true;
                self.stage = Stage::Draining;
                self.until = now;
                self.drained_at_most = now;
            }
            _ => {}
        }
    }

    fn drain(&mut self, now: Instant) {
        self.stage = Stage::Draining;
        self.until = now + Patience::TO_DRAIN;
        self.drained_at_most = now + Patience::DRAIN_AT_MOST;
    }

    fn ask(&mut self, end: End, now: Instant) {
        self.ended_by_us = Some(end);
        self.signal(Signal::TERM);
        // A stopped process takes the signal only once it goes on.
        self.signal(Signal::CONT);
        self.stage = Stage::Asked;
        self.until = now + self.command.grace;
    }

    fn signal(&self, signal: Signal) {
        // The leader is not reaped yet, so the group's number is still its own.
        let _ = sys::kill_process_group(self.group, signal);
    }

    fn done(&self) -> bool {
        let now = clock::now();
        if now >= self.until.min(self.drained_at_most) || self.cancel.told() > 1 {
            return true;
        }
        let closed = self.pipes.iter().all(Option::is_none);
        closed && (self.command.leaves_running || self.left_behind().is_empty())
    }

    /// Waits for output, the leader's end, the word to stop, or the end of the stage, and takes in what came.
    fn wait_and_read(&mut self, finished: &mut Finished) {
        let mut fds = Vec::with_capacity(4);
        let pipes = self
            .pipes
            .each_ref()
            .map(|pipe| pipe.as_ref().map(|pipe| push(&mut fds, pipe.as_fd())));
        if let (Some(leader), Stage::Running | Stage::Asked | Stage::Killed) =
            (&self.leader, self.stage)
        {
            push(&mut fds, leader.as_fd());
        }
        match self.stage {
            Stage::Running => _ = push(&mut fds, self.cancel.fd(0)),
            Stage::Asked | Stage::Leaving | Stage::Draining => {
                _ = push(&mut fds, self.cancel.fd(1))
            }
            Stage::Killed => {}
        }
        let left = self.until.saturating_duration_since(clock::now());
        // Some systems count it in milliseconds that must fit in 32 bits.
        let mut patience = left.min(Duration::from_secs(3600));
        let must_ask_again = match self.stage {
            Stage::Running | Stage::Asked | Stage::Killed => self.leader.is_none(),
            Stage::Leaving => true,
            Stage::Draining => pipes == [None, None],
        };
        if must_ask_again {
            // Nothing tells when the leader (without a pidfd) or what it left behind ends: look again soon.
            patience = patience.min(Duration::from_millis(10));
        }
        let timeout = Timespec {
            tv_sec: patience.as_secs() as i64,
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        if rustix::event::poll(&mut fds, Some(&timeout)).is_err() {
            return;
        }
        let ready = pipes.map(|at| at.is_some_and(|at| !fds[at].revents().is_empty()));
        drop(fds);
        for (at, _) in ready.iter().enumerate().filter(|(_, ready)| **ready) {
            let stream = if at == 0 {
                &mut finished.stdout
            } else {
                &mut finished.stderr
            };
            self.read(at, stream);
        }
    }

    fn read(&mut self, at: usize, stream: &mut Captured) {
        let Some(pipe) = &self.pipes[at] else { return };
        match rustix::io::read(pipe, &mut self.buffer[..]) {
            Ok(0) => self.pipes[at] = None,
            Ok(length) => {
                stream.push(&self.buffer[..length]);
                if let Some(hear) = &self.command.hear {
                    hear.0(at == 1, &self.buffer[..length]);
                }
                if self.stage == Stage::Draining {
                    self.until = clock::now() + Patience::TO_DRAIN;
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => self.pipes[at] = None,
        }
    }

    #[cfg(target_os = "linux")]
    fn leader_has_ended(&self) -> bool {
        let Some(leader) = &self.leader else {
            return is_zombie(self.group);
        };
        let mut fds = [PollFd::new(leader, PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        matches!(rustix::event::poll(&mut fds, Some(&now)), Ok(ready) if ready > 0)
    }

    #[cfg(not(target_os = "linux"))]
    fn leader_has_ended(&self) -> bool {
        is_zombie(self.group)
    }

    /// Ends whatever of the program is left, by group first, then what left the group.
    fn end_the_rest(&self, finished: &mut Finished) {
        if self.command.leaves_running && self.ended_by_us.is_none() {
            #[cfg(target_os = "linux")]
            super::orphans::spare(&self.owner());
            return;
        }
        let left_behind = self.left_behind();
        self.signal(Signal::KILL);
        if !left_behind.is_empty() || self.ended_by_us.is_some() {
            self.end_left_behind();
        }
        if self.ended_by_us.is_none() {
            finished.leaked = left_behind;
        }
    }

    #[cfg(target_os = "linux")]
    fn owner(&self) -> super::orphans::Owner<'_> {
        let of = |name: &str| self.command.env.set.get(name).map_or("", String::as_str);
        super::orphans::Owner {
            group: self.group,
            run: of(super::orphans::RUN),
            check: of(super::orphans::CHECK),
        }
    }

    /// The processes that outlived the leader, by name.
    #[cfg(target_os = "linux")]
    fn left_behind(&self) -> Vec<String> {
        super::orphans::of(&self.owner())
            .into_iter()
            .map(|orphan| orphan.name)
            .collect()
    }

    #[cfg(target_os = "linux")]
    fn end_left_behind(&self) {
        super::orphans::end(&self.owner());
    }

    /// Without a way to list them, an open pipe is the sign that something of the group lives on.
    #[cfg(not(target_os = "linux"))]
    fn left_behind(&self) -> Vec<String> {
        let open = self.pipes.iter().any(Option::is_some);
        if open {
            vec![format!("a process of group {}", self.group)]
        } else {
            vec![]
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn end_left_behind(&self) {}
}

/// Whether a child has ended. It is not reaped by that.
fn is_zombie(child: Pid) -> bool {
    let options =
        sys::WaitIdOptions::EXITED | sys::WaitIdOptions::NOHANG | sys::WaitIdOptions::NOWAIT;
    !matches!(sys::waitid(sys::WaitId::Pid(child), options), Ok(None))
}

fn push<'fd>(fds: &mut Vec<PollFd<'fd>>, fd: BorrowedFd<'fd>) -> usize {
    fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
    fds.len() - 1
}

#[cfg(target_os = "linux")]
fn leader_fd(leader: Pid) -> Option<OwnedFd> {
    sys::pidfd_open(leader, sys::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn leader_fd(_: Pid) -> Option<OwnedFd> {
    None
}
