//! Processes that outlive their parent, on Linux: this process is made the one that orphans come to, so that one that
//! left its group by `setsid` can still be found, named and ended.
//!
//! An orphan belongs to a check by its process group or, outside of it, by the check's name in its environment.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{self, Pid, Signal, WaitOptions};

use super::{Fate, Left, Patience};

/// Held while processes are listed, ended and reaped, so that no process id is used after it was given back. In it: what
/// may live on.
static LISTED: Mutex<Vec<Mark>> = Mutex::new(vec![]);

/// Variables by which processes are known as ours.
pub(super) const RUN: &str = "READY_RUN_ID";
pub(super) const CHECK: &str = "READY_CHECK";

/// Makes orphans come to this process. A kernel that cannot leaves only the process group.
pub(super) fn adopt() {
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

/// Asks the orphans of a program to end that left its group, where no signal to the group reaches them.
pub(super) fn ask(owner: &Owner<'_>) {
    let _listed = lock();
    for orphan in living(|orphan| orphan.group != Some(owner.group) && orphan.belongs_to(owner)) {
        let _ = process::kill_process(orphan.pid, Signal::TERM);
        let _ = process::kill_process(orphan.pid, Signal::CONT);
    }
}

/// Ends the orphans of a program, and those that they leave behind in turn, within a bound.
pub(super) fn end(owner: &Owner<'_>) {
    end_all(|orphan| orphan.belongs_to(owner));
}

/// Lets the orphans of a program live when the others are swept away.
pub(super) fn spare(owner: &Owner<'_>) {
    lock().push(Mark {
        run: owner.run.to_string(),
        check: owner.check.to_string(),
    });
}

/// Ends every orphan that is left once all checks have ended, and says what it found. Spared are those of checks that
/// may leave something running, and what nothing marks where there is such a check: servers overwrite their environment.
pub fn sweep(run: &str) -> Vec<Left> {
    let spared = lock().clone();
    let strangers = {
        let _listed = lock();
        let strange = |orphan: &Candidate| {
            !spared.is_empty() && orphan.mark().is_none_or(|mark| mark.run != run)
        };
        living(strange)
    };
    let kept = strangers
        .iter()
        .map(|orphan| orphan.pid)
        .collect::<HashSet<_>>();
    let ended = end_all(|orphan| {
        !kept.contains(&orphan.pid) && !orphan.mark().is_some_and(|mark| spared.contains(&mark))
    });
    ended
        .into_iter()
        .chain(strangers.into_iter().map(|orphan| Left {
            name: orphan.name,
            fate: Fate::Spared,
        }))
        .collect()
}

/// Reaps orphans that have ended: while a check runs nobody else does, and some programs wait until an id is gone.
pub fn reap() {
    let _listed = lock();
    living(|_| false);
}

/// Ends at once whatever this process has started, on any of its threads, but for what may live on: the last thing done
/// before an exit that waits for nobody.
pub fn abandon() {
    let deadline = Instant::now() + Patience::TO_ABANDON;
    while Instant::now() < deadline {
        let spared = lock();
        let mut any = false;
        for leader in threads()
            .filter(|thread| *thread != process::getpid())
            .flat_map(children)
        {
            // A leader that has ended may have left its group behind.
            let _ = process::kill_process_group(leader, Signal::KILL);
            any |= Candidate::of(leader).is_some_and(|leader| !leader.ended);
        }
        let orphans = living(|orphan| {
            spared.is_empty() || orphan.mark().is_some_and(|mark| !spared.contains(&mark))
        });
        if !any && orphans.is_empty() {
            return;
        }
        orphans
            .iter()
            .for_each(|orphan| _ = process::kill_process(orphan.pid, Signal::KILL));
        drop(spared);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Held, no process is listed or ended by another thread: for reaping.
pub(super) fn lock() -> MutexGuard<'static, Vec<Mark>> {
    LISTED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Ends what is wanted until nothing is left of it, within a bound, and says what it found.
fn end_all(wanted: impl Fn(&Candidate) -> bool) -> Vec<Left> {
    let deadline = Instant::now() + Patience::TO_DIE;
    let mut found: Vec<(Pid, Left)> = vec![];
    let mut refused = HashSet::new();
    loop {
        let listed = lock();
        let orphans = living(|orphan| !refused.contains(&orphan.pid) && wanted(orphan));
        let late = Instant::now() >= deadline;
        for orphan in &orphans {
            let killed = process::kill_process(orphan.pid, Signal::KILL);
            if killed == Err(Errno::PERM) {
                refused.insert(orphan.pid);
            }
            // One that was killed and is still there hangs in the kernel.
            let fate = if late || killed == Err(Errno::PERM) {
                Fate::OutOfReach
            } else {
                Fate::Ended
            };
            match found.iter_mut().find(|(pid, _)| *pid == orphan.pid) {
                Some((_, left)) => left.fate = fate,
                None => found.push((
                    orphan.pid,
                    Left {
                        name: orphan.name.clone(),
                        fate,
                    },
                )),
            }
        }
        drop(listed);
        if late || orphans.is_empty() {
            return found.into_iter().map(|(_, left)| left).collect();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// What a process of a check has in its environment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    run: String,
    check: String,
}

/// A process that came to this one when its parent ended.
struct Candidate {
    pid: Pid,
    /// `None` where the kernel gives nothing any more.
    group: Option<Pid>,
    /// Its first thread has ended; others may live on.
    ended: bool,
}

impl Candidate {
    fn of(pid: Pid) -> Option<Candidate> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name stands in parentheses and may hold anything; state, parent and group come behind the last one.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let ended = matches!(fields.next(), Some("Z" | "X"));
        let group = fields
            .nth(1)
            .and_then(|group| Pid::from_raw(group.parse().ok()?));
        Some(Candidate { pid, group, ended })
    }

    fn belongs_to(&self, owner: &Owner<'_>) -> bool {
        self.group == Some(owner.group)
            || self
                .mark()
                .is_some_and(|mark| mark.run == owner.run && mark.check == owner.check)
    }

    fn mark(&self) -> Option<Mark> {
        let environment = environment(self.pid);
        let value = |name: &str| {
            let pairs = environment.split(|byte| *byte == 0);
            let value = |pair: &[u8]| {
                Some(
                    String::from_utf8_lossy(
                        pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?,
                    )
                    .into_owned(),
                )
            };
            pairs.filter_map(value).next()
        };
        Some(Mark {
            run: value(RUN)?,
            check: value(CHECK)?,
        })
    }
}

fn environment(pid: Pid) -> Vec<u8> {
    let folder = format!("/proc/{pid}");
    let folder = Path::new(&folder);
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap_or_default();
    for _ in 0..10 {
        let environment = read(folder, "environ");
        if !environment.is_empty() || !read(folder, "cmdline").is_empty() {
            return environment;
        }
        // A process that is just becoming another program has neither for a moment.
        std::thread::sleep(Duration::from_millis(1));
    }
    // One whose first thread has ended has both only in the others.
    let threads = fs::read_dir(folder.join("task"))
        .into_iter()
        .flatten()
        .flatten();
    threads
        .map(|thread| read(&thread.path(), "environ"))
        .find(|environment| !environment.is_empty())
        .unwrap_or_default()
}

fn threads() -> impl Iterator<Item = Pid> {
    let threads = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    threads.filter_map(|thread| Pid::from_raw(thread.file_name().to_str()?.parse().ok()?))
}

/// What one of our threads started, or was given.
fn children(thread: Pid) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/self/task/{thread}/children")).unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
}

/// Orphans that `wanted` picks. They come to the main thread, which starts no checks itself, so every child of it is one.
/// Those that have ended are reaped on the way.
fn living(wanted: impl Fn(&Candidate) -> bool) -> Vec<Orphan> {
    let mut orphans = vec![];
    // Whoever ended has left its own children to us, perhaps after the list was read: look once more. A storm of processes
    // must not hold us here.
    for _ in 0..100 {
        orphans.clear();
        let mut reaped = false;
        for candidate in children(process::getpid())
            .into_iter()
            .filter_map(Candidate::of)
        {
            let pid = candidate.pid;
            if candidate.ended
                && !matches!(process::waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
            {
                reaped = true;
            } else if wanted(&candidate) {
                orphans.push(Orphan {
                    pid,
                    name: format!("{} ({pid})", command_line(pid)),
                });
            }
        }
        if !reaped {
            break;
        }
    }
    orphans
}

/// All of it: what is cut before secrets are masked may show a part of one.
fn command_line(pid: Pid) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    match text.trim() {
        "" => fs::read_to_string(format!("/proc/{pid}/comm"))
            .unwrap_or_default()
            .trim()
            .to_string(),
        text => text.to_string(),
    }
}
