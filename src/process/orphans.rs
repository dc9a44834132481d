//! Processes that outlive their parent, on Linux: this process is made the one that orphans come to, so that one that
//! left its group by `setsid` can still be found, named and ended.
//!
//! An orphan belongs to a check by its process group or, outside of it, by the check's name in its environment.

use std::fs;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use rustix::process::{self, Pid, Signal, WaitOptions};

use super::Patience;

/// Held while orphans are listed, ended and reaped, so that no process id is used after it was given back.
static LISTED: Mutex<()> = Mutex::new(());

/// Variables by which processes are known as ours.
pub(super) const RUN: &str = "READY_RUN_ID";
pub(super) const CHECK: &str = "READY_CHECK";

/// Makes orphans come to this process. A kernel that cannot leaves only the process group.
pub fn adopt() {
    let _ = process::set_child_subreaper(Some(process::getpid()));
}

/// Whose orphans are looked for.
pub(super) struct Owner<'a> {
    /// The process group of the program.
    pub(super) group: Pid,
    /// The run's id, as in the environment.
    pub(super) run: &'a str,
    /// The check's id, as in the environment.
    pub(super) check: &'a str,
}

/// An orphan that still lives.
pub(super) struct Orphan {
    pub(super) pid: Pid,
    pub(super) name: String,
}

/// The living orphans of a program. Costs one small read where there are none at all.
pub(super) fn of(owner: &Owner<'_>) -> Vec<Orphan> {
    let _listed = lock();
    living(|orphan| orphan.belongs_to(owner))
}

/// Ends the orphans of a program, and those that they leave behind in turn, within a bound.
pub(super) fn end(owner: &Owner<'_>) {
    let deadline = Instant::now() + Patience::TO_DIE;
    while Instant::now() < deadline {
        let _listed = lock();
        let orphans = living(|orphan| orphan.belongs_to(owner));
        if orphans.is_empty() {
            return;
        }
        orphans.iter().for_each(kill_and_reap);
    }
}

/// Ends every orphan that is left once all checks have ended, spares those of the checks named in `spared`, and names
/// what it ended.
pub fn sweep(run: &str, spared: &[String]) -> Vec<String> {
    let deadline = Instant::now() + Patience::TO_DIE;
    let mut names = vec![];
    while Instant::now() < deadline {
        let _listed = lock();
        let orphans = living(|orphan| !spared.iter().any(|check| orphan.is_marked(run, check)));
        if orphans.is_empty() {
            break;
        }
        orphans.iter().for_each(kill_and_reap);
        names.extend(orphans.into_iter().map(|orphan| orphan.name));
    }
    names
}

fn lock() -> MutexGuard<'static, ()> {
    LISTED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn kill_and_reap(orphan: &Orphan) {
    let _ = process::kill_process(orphan.pid, Signal::KILL);
    let _ = process::waitpid(Some(orphan.pid), WaitOptions::empty());
}

/// A process that came to this one when its parent ended.
struct Candidate {
    pid: Pid,
    /// `None` where the kernel gives nothing any more.
    group: Option<i32>,
}

impl Candidate {
    fn belongs_to(&self, owner: &Owner<'_>) -> bool {
        self.group == Some(owner.group.as_raw_nonzero().get())
            || self.is_marked(owner.run, owner.check)
    }

    fn is_marked(&self, run: &str, check: &str) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let has = |name: &str, value: &str| {
            environment.split(|byte| *byte == 0).any(|pair| {
                pair.strip_prefix(name.as_bytes())
                    .and_then(|rest| rest.strip_prefix(b"="))
                    == Some(value.as_bytes())
            })
        };
        has(RUN, run) && has(CHECK, check)
    }
}

/// Orphans that `wanted` picks. They come to the main thread, which starts no checks itself, so every child of it is one.
/// Those that have ended are reaped on the way.
fn living(wanted: impl Fn(&Candidate) -> bool) -> Vec<Orphan> {
    let main = process::getpid();
    let list = fs::read_to_string(format!("/proc/self/task/{main}/children")).unwrap_or_default();
    let pids = list
        .split_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    let mut orphans = vec![];
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name stands in parentheses and may hold anything; state, parent and group come behind the last one.
        let mut fields = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace();
        if matches!(fields.next(), Some("Z" | "X")) {
            let _ = process::waitpid(Some(pid), WaitOptions::NOHANG);
            continue;
        }
        let candidate = Candidate {
            pid,
            group: fields.nth(1).and_then(|group| group.parse().ok()),
        };
        if wanted(&candidate) {
            orphans.push(Orphan {
                pid,
                name: format!("{} ({pid})", command_line(pid)),
            });
        }
    }
    orphans
}

fn command_line(pid: Pid) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    match text.trim().char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text.trim()[..end]),
        None => text.trim().to_string(),
    }
}
