//! Running the checks: in order of their needs, so many at once, each attempt judged to decide about the next, every
//! event told as it happens.

mod queue;
pub mod signals;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::check::Check;
use crate::domain::event::Event;
use crate::domain::evidence::{Attempt, Evidence, Observed};
use crate::domain::project::Project;
use crate::domain::reason::{Code, Reason};
use crate::domain::verdict::{Judgement, Verdict, judge, judge_attempt};
use crate::probe::{self, Context};
use crate::process::{Fate, shortened};
use queue::Queue;

/// How many of the processes that outlived every check are named.
const LEFT_NAMED: usize = 10;

/// What a run is made of.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The project.
    pub project: &'a Project,
    /// The places of the checks that are to run, their needs included, without those that do not apply.
    pub due: &'a BTreeSet<usize>,
    /// Whether the check at each place applies.
    pub applicable: &'a [bool],
    /// How long the check at each place took before, where that is known.
    pub durations: &'a [Option<Duration>],
    /// Whether nothing more begins once a check does not hold.
    pub fail_fast: bool,
    /// How many run at once, at least 1.
    pub jobs: usize,
    /// The machine's name.
    pub host: &'a str,
    /// The digests of the checks' definitions.
    pub definitions: &'a [String],
    /// What the probes look with.
    pub context: Context<'a>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// For each check of the project: what was observed; none where it was not due.
    pub observed: Vec<Option<Observed>>,
    /// What went wrong in `ready` itself, or was found left over.
    pub warnings: Vec<String>,
    /// Whether `ready` itself failed at some check.
    pub broken: bool,
}

/// The places of the selected checks and of everything that they need.
pub fn with_needs(project: &Project, selected: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut due = BTreeSet::new();
    let mut open = selected.into_iter().collect::<Vec<_>>();
    while let Some(at) = open.pop() {
        if due.insert(at) {
            let needs = &project.checks[at].needs;
            open.extend(
                needs
                    .iter()
                    .filter_map(|need| project.checks.iter().position(|check| check.id == *need)),
            );
        }
    }
    due
}

/// Runs what is due. `tell` hears every event, on the calling thread.
pub fn run(job: &Job<'_>, stopping: mpsc::Receiver<u8>, mut tell: impl FnMut(Event)) -> Ran {
    let state = Mutex::new(State {
        queue: Queue::new(job.project, job.due, job.durations),
        observed: vec![None; job.project.checks.len()],
        holds: job.applicable.iter().map(|applies| !applies).collect(),
        warnings: vec![],
        broken: false,
        failed: None,
    });
    let changed = Condvar::new();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for slot in 1..=job.jobs.clamp(1, job.due.len().max(1)) {
            let (sender, state, changed) = (sender.clone(), &state, &changed);
            let worker = Worker {
                job,
                slot: slot as u32,
                state,
                changed,
                sender,
            };
            let thread = std::thread::Builder::new().name(format!("slot {slot}"));
            // The first slot must have its thread; further ones are for speed, and few threads are no fault of a check.
            if let Err(error) = thread.spawn_scoped(scope, move || worker.work()) {
                if slot == 1 {
                    let mut state = lock(state);
                    state
                        .warnings
                        .push(format!("no thread could be started: {error}"));
                    state.broken = true;
                }
                break;
            }
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(event) => tell(event),
                Err(mpsc::RecvTimeoutError::Timeout) => crate::process::reap(),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            if let Ok(told) = stopping.try_recv() {
                tell(Event::Stopping { told });
            }
        }
    });
    let mut state = state
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    state.warnings.extend(left_over(job));
    Ran {
        observed: state.observed,
        warnings: state.warnings,
        broken: state.broken,
    }
}

/// Ends what outlived every check, and says what that was.
fn left_over(job: &Job<'_>) -> Vec<String> {
    let left = crate::process::sweep(job.context.run);
    let named = left.iter().take(LEFT_NAMED).map(|left| {
        let name = shortened(&job.context.masker.text(&left.name));
        match left.fate {
            Fate::Ended => format!("a process outlived the run and was ended: {name}"),
            Fate::Spared => format!("a process outlived the run and was left alone, since a check may leave one running: {name}"),
            Fate::OutOfReach => format!("a process outlived the run and cannot be ended: {name}"),
        }
    });
    let more = left.len().saturating_sub(LEFT_NAMED);
    named
        .chain((more > 0).then(|| format!("{more} more processes outlived the run")))
        .collect()
}

struct State {
    queue: Queue,
    observed: Vec<Option<Observed>>,
    /// Whether others may build on the check at each place: it has ended and holds, or does not apply.
    holds: Vec<bool>,
    warnings: Vec<String>,
    broken: bool,
    /// The first check that did not hold, where that ends the run.
    failed: Option<usize>,
}

fn lock<'m>(state: &'m Mutex<State>) -> MutexGuard<'m, State> {
    state
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Worker<'a> {
    job: &'a Job<'a>,
    slot: u32,
    state: &'a Mutex<State>,
    changed: &'a Condvar,
    sender: mpsc::Sender<Event>,
}

impl Worker<'_> {
    fn work(&self) {
        let mut state = lock(self.state);
        loop {
            if let Some(at) = state.queue.take() {
                let withheld = self.withheld(at, &state);
                drop(state);
                let (observed, judgement, broken) = self.one(at, withheld);
                state = lock(self.state);
                state.holds[at] = judgement.holds();
                let does_not_hold = matches!(judgement.verdict, Verdict::Failed | Verdict::Partial)
                    && !judgement.accepted;
                if self.job.fail_fast && does_not_hold {
                    state.failed.get_or_insert(at);
                }
                state.observed[at] = Some(observed);
                if let Some(warning) = broken {
                    state.warnings.push(warning);
                    state.broken = true;
                }
                state.queue.finished(at);
                self.changed.notify_all();
            } else if state.queue.is_over() {
                return;
            } else {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
            }
        }
    }

    /// Why a check does not begin.
    fn withheld(&self, at: usize, state: &State) -> Option<Reason> {
        let check = &self.job.project.checks[at];
        if self.job.context.cancel.told() > 0 {
            return Some(Reason::new(
                Code::NotRun,
                "the run was stopped before its turn",
            ));
        }
        if let Some(failed) = state.failed {
            let text = format!(
                "the run ended with the failure of `{}`",
                self.job.project.checks[failed].id
            );
            return Some(Reason::new(Code::NotRun, text));
        }
        if !check.os.is_empty() && !check.os.iter().any(|os| os == std::env::consts::OS) {
            let text = format!(
                "it is for {}, this is {}",
                check.os.join(" and "),
                std::env::consts::OS
            );
            return Some(Reason::new(Code::WrongPlatform, text));
        }
        let place = |id: &String| {
            self.job
                .project
                .checks
                .iter()
                .position(|check| check.id == *id)
        };
        let unmet = check
            .needs
            .iter()
            .filter(|need| place(need).is_none_or(|at| !state.holds[at]));
        let unmet = unmet.map(|need| format!("`{need}`")).collect::<Vec<_>>();
        (!unmet.is_empty()).then(|| {
            let verb = if unmet.len() == 1 { "does" } else { "do" };
            Reason::new(
                Code::NeedsFailed,
                format!("it needs {}, which {verb} not hold", unmet.join(" and ")),
            )
        })
    }

    /// Observes a check, or notes why not, and tells what came of it.
    fn one(&self, at: usize, withheld: Option<Reason>) -> (Observed, Judgement, Option<String>) {
        let check = &self.job.project.checks[at];
        let clock = Instant::now();
        let (slot, observed, broken) = match withheld {
            Some(reason) => (None, Observed::Withheld(reason), None),
            None => {
                self.tell(Event::Started {
                    check: at,
                    slot: self.slot,
                });
                match catch_unwind(AssertUnwindSafe(|| self.observe(at, check))) {
                    Ok(evidence) => (
                        Some(self.slot),
                        Observed::Evidence(Box::new(evidence)),
                        None,
                    ),
                    Err(_) => {
                        let text =
                            format!("`ready` itself failed at `{}`: please report it", check.id);
                        (
                            Some(self.slot),
                            Observed::Withheld(Reason::new(Code::CannotTell, text.clone())),
                            Some(text),
                        )
                    }
                }
            }
        };
        let judgement = judge(check, &observed, Timestamp::now());
        self.tell(Event::Finished {
            check: at,
            slot,
            judgement: Box::new(judgement.clone()),
            took: clock.elapsed(),
        });
        (observed, judgement, broken)
    }

    fn tell(&self, event: Event) {
        // The receiver outlives every worker.
        let _ = self.sender.send(event);
    }

    /// Looks until it holds, or no attempt is left.
    fn observe(&self, at: usize, check: &Check) -> Evidence {
        let (started, clock) = (Timestamp::now(), Instant::now());
        let context = &self.job.context;
        let mut look = probe::observe(check, context);
        let mut attempts = vec![];
        for _ in 0..check.retries {
            if !self.try_again(check, &look.attempt) {
                break;
            }
            attempts.push(look.attempt);
            look = probe::observe(check, context);
        }
        attempts.push(look.attempt);
        Evidence {
            probe: check.probe.kind().to_string(),
            command: look.command,
            target: look.target,
            cwd: check.cwd.clone(),
            env: check.env.keys().cloned().collect(),
            started,
            duration_ms: clock.elapsed().as_millis() as u64,
            host: self.job.host.to_string(),
            slot: self.slot,
            definition: self.job.definitions[at].clone(),
            attempts,
        }
    }

    /// Another attempt is for what was seen not to hold, never for what could not be seen.
    fn try_again(&self, check: &Check, attempt: &Attempt) -> bool {
        let verdict = judge_attempt(check, attempt, Timestamp::now()).verdict;
        matches!(verdict, Verdict::Failed | Verdict::Partial) && self.context_goes_on()
    }

    fn context_goes_on(&self) -> bool {
        self.job.context.cancel.told() == 0
    }
}
