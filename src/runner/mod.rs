//! Running the checks: in order of their needs, so many at once, each attempt judged to decide about the next, the
//! services that they need around them, every event told as it happens.

mod compose;
mod log_watch;
mod queue;
mod services;
pub mod signals;
mod worker;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use crate::domain::check::Check;
use crate::domain::event::{Event, ServiceNow};
use crate::domain::evidence::{Binding, Observed, Outcome};
use crate::domain::project::Project;
use crate::domain::reason::{Code, Reason};
use crate::domain::service::{ServiceRun, ServiceState};
use crate::probe::Context;
use crate::process::{Fate, shortened};
use queue::Queue;
use services::Post;
use worker::{Unmet, Worker, unmet};

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
    /// The places of checks that need no look, since what was recorded of them holds.
    pub reused: &'a BTreeSet<usize>,
    /// How long the check at each place took before, where that is known.
    pub durations: &'a [Option<Duration>],
    /// Whether nothing more begins once a check does not hold.
    pub fail_fast: bool,
    /// How many run at once, at least 1.
    pub jobs: usize,
    /// The machine's name.
    pub host: &'a str,
    /// What the evidence of the check at each place is about.
    pub bindings: &'a [Binding],
    /// What the probes look with.
    pub context: Context<'a>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// For each check of the project: what was observed; none where it was not due.
    pub observed: Vec<Option<Observed>>,
    /// What became of the services that they need.
    pub services: Vec<ServiceRun>,
    /// What went wrong in `ready` itself, or was found left over.
    pub warnings: Vec<String>,
    /// Whether `ready` itself failed at some check.
    pub broken: bool,
    /// Whether it was stopped, by whomever.
    pub stopped: bool,
    /// Whether the run ended at its own time limit, and not at anybody's word.
    pub out_of_time: bool,
}

impl Ran {
    fn broken(job: &Job<'_>, warning: String) -> Ran {
        Ran {
            observed: vec![None; job.project.checks.len()],
            services: vec![],
            warnings: vec![warning],
            broken: true,
            stopped: job.context.cancel.told() > 0,
            out_of_time: false,
        }
    }
}

/// Why a run ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopping {
    /// A person or the system said so; how often.
    Told(u8),
    /// It outlived its time limit.
    OutOfTime,
}

/// The places of the selected checks and of every check that they or their services need.
pub fn with_needs(project: &Project, selected: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut due = BTreeSet::new();
    let mut services = BTreeSet::new();
    let mut open = selected
        .into_iter()
        .map(|at| &project.checks[at].id)
        .collect::<Vec<_>>();
    while let Some(id) = open.pop() {
        if let Some(at) = project.checks.iter().position(|check| check.id == *id) {
            if due.insert(at) {
                open.extend(&project.checks[at].needs);
            }
        } else if let Some(at) = project
            .services
            .iter()
            .position(|service| service.id == *id)
            && services.insert(at)
        {
            open.extend(&project.services[at].needs);
        }
    }
    due
}

/// The places of the services that these checks need, and that those need in turn. What is for another machine needs
/// none here.
fn services_of(project: &Project, due: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut services = BTreeSet::new();
    let here = due
        .iter()
        .map(|at| &project.checks[*at])
        .filter(|check| is_for_this_system(check));
    let mut open = here.flat_map(|check| &check.needs).collect::<Vec<_>>();
    while let Some(id) = open.pop() {
        if let Some(at) = project
            .services
            .iter()
            .position(|service| service.id == *id)
            && services.insert(at)
        {
            open.extend(&project.services[at].needs);
        }
    }
    services
}

/// Why a check cannot be run on this system; none where it can.
pub fn elsewhere(check: &Check) -> Option<String> {
    (!is_for_this_system(check)).then(|| {
        let systems = check.os.join(" and ");
        format!("it is for {systems}, this is {}", std::env::consts::OS)
    })
}

fn is_for_this_system(check: &Check) -> bool {
    check.os.is_empty() || check.os.iter().any(|os| os == std::env::consts::OS)
}

/// What the threads of a run say to the one that called for it.
enum Said {
    /// Something happened.
    Event(Event),
    /// This service may be started.
    ToStart(usize),
    /// The life of a service is over.
    Over,
    /// A slot has nothing more to do.
    SlotDone,
}

/// Runs what is due. `tell` hears every event, on the calling thread.
pub fn run(job: &Job<'_>, stopping: mpsc::Receiver<Stopping>, tell: impl FnMut(Event)) -> Ran {
    let wanted = services_of(job.project, job.due);
    let posts = job
        .project
        .services
        .iter()
        .map(|service| Post::new(service, job));
    let posts = match posts.collect::<std::io::Result<Vec<_>>>() {
        Ok(posts) => posts,
        Err(error) => {
            let text = format!("cannot get the descriptors that services need: {error}");
            return Ran::broken(job, text);
        }
    };
    let state = Mutex::new(State {
        queue: Queue::new(job.project, job.due, &wanted, job.durations),
        observed: vec![None; job.project.checks.len()],
        holds: job
            .applicable
            .iter()
            .enumerate()
            .map(|(at, applies)| !applies || job.reused.contains(&at))
            .collect(),
        warnings: vec![],
        broken: false,
        failed: None,
        waiting: 0,
    });
    let changed = Condvar::new();
    let (sender, receiver) = mpsc::channel();
    let mut host = Host {
        job,
        posts: &posts,
        tell: Some(tell),
        panicked: None,
        alive: vec![],
        slots: 0,
        out_of_time: false,
    };
    std::thread::scope(|scope| {
        for slot in 1..=job.jobs.clamp(1, job.due.len().max(1)) {
            let worker = Worker {
                job,
                slot: slot as u32,
                state: &state,
                changed: &changed,
                posts: &posts,
                sender: sender.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("slot {slot}"));
            // The first slot must have its thread; further ones are for speed, and few threads are no fault of a check.
            if let Err(error) = thread.spawn_scoped(scope, move || worker.work()) {
                if slot == 1 {
                    let mut state = lock(&state);
                    state
                        .warnings
                        .push(format!("no thread could be started: {error}"));
                    state.broken = true;
                }
                break;
            }
            host.slots += 1;
        }
        while host.slots > 0 || !host.alive.is_empty() {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(Said::Event(event)) => host.tell(event),
                Ok(Said::ToStart(at)) => {
                    let life = Life {
                        at,
                        state: &state,
                        changed: &changed,
                        posts: &posts,
                        job,
                        sender: sender.clone(),
                    };
                    let thread = std::thread::Builder::new().name("service".to_string());
                    match thread.spawn_scoped(scope, move || life.live()) {
                        Ok(_) => host.alive.push(at),
                        Err(error) => {
                            let text = format!("no thread could be started: {error}");
                            posts[at].withhold(Reason::new(Code::CannotTell, text));
                            lock(&state).queue.settled(at);
                            changed.notify_all();
                        }
                    }
                }
                Ok(Said::Over) => host.alive.retain(|at| posts[*at].record().is_none()),
                Ok(Said::SlotDone) => host.slots -= 1,
                Err(mpsc::RecvTimeoutError::Timeout) => crate::process::reap(),
                // We hold a sender ourselves.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            if let Ok(stopping) = stopping.try_recv() {
                host.stop(stopping);
            }
            host.wind_down();
        }
    });
    // What was said last.
    receiver.try_iter().for_each(|said| match said {
        Said::Event(event) => host.tell(event),
        Said::ToStart(_) | Said::Over | Said::SlotDone => {}
    });
    // In this order: that the time was over is said before the word is given.
    let told = job.context.cancel.told();
    stopping.try_iter().for_each(|stopping| host.stop(stopping));
    if let Some(panic) = host.panicked {
        std::panic::resume_unwind(panic);
    }
    let mut state = state
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    fail_those_of_the_dead(job, &posts, &mut state.observed);
    let services = wanted
        .iter()
        .filter_map(|at| posts[*at].record())
        .collect::<Vec<_>>();
    state.warnings.extend(services.iter().filter_map(warning));
    state.warnings.extend(left_over(job));
    Ran {
        observed: state.observed,
        services,
        warnings: state.warnings,
        broken: state.broken,
        stopped: told > 0 || host.out_of_time,
        out_of_time: host.out_of_time && told <= 1,
    }
}

/// A service that ended by itself was no service to those that used it, also where it did so only after they had ended.
fn fail_those_of_the_dead(job: &Job<'_>, posts: &[Post<'_>], observed: &mut [Option<Observed>]) {
    let dead = posts.iter().filter_map(Post::record);
    let dead = dead.filter(|service| service.state == ServiceState::Died);
    for service in dead.filter(|service| service.healthy_after_ms.is_some()) {
        let checks = job.project.checks.iter().zip(observed.iter_mut());
        for (_, observed) in checks.filter(|(check, _)| check.needs.contains(&service.id)) {
            let Some(Observed::Evidence(evidence)) = observed else {
                continue;
            };
            let (Some(attempt), Some(reason)) = (evidence.attempts.last_mut(), &service.reason)
            else {
                continue;
            };
            if !matches!(attempt.outcome, Outcome::Service(_) | Outcome::Cancelled) {
                attempt.outcome =
                    Outcome::Service(worker::died_under(&reason.text, &attempt.outcome));
            }
        }
    }
}

/// What a reader must know of a service whose checks may all look well.
fn warning(service: &ServiceRun) -> Option<String> {
    let id = &service.id;
    match (&service.teardown, service.state, &service.reason) {
        (Some(teardown), _, _) => Some(format!(
            "service `{id}` was not stopped as it should be: {teardown}"
        )),
        (None, ServiceState::Died, Some(reason)) if service.healthy_after_ms.is_some() => {
            Some(reason.text.clone())
        }
        _ => None,
    }
}

/// The thread that called for the run: it starts services, stops them once no check needs them any more, and tells.
struct Host<'a, T> {
    job: &'a Job<'a>,
    posts: &'a [Post<'a>],
    /// None once it has panicked: what was started must end in order all the same.
    tell: Option<T>,
    panicked: Option<Box<dyn std::any::Any + Send>>,
    /// The services whose life is not over.
    alive: Vec<usize>,
    /// The slots that are not done.
    slots: usize,
    out_of_time: bool,
}

impl<T: FnMut(Event)> Host<'_, T> {
    fn tell(&mut self, event: Event) {
        let Some(tell) = &mut self.tell else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| tell(event))) {
            self.tell = None;
            self.panicked = Some(panic);
            self.job.context.cancel.tell();
        }
    }

    fn stop(&mut self, stopping: Stopping) {
        self.out_of_time |= stopping == Stopping::OutOfTime;
        self.tell(match stopping {
            Stopping::Told(told) => Event::Stopping { told },
            Stopping::OutOfTime => Event::OutOfTime,
        });
        if self.job.context.cancel.told() > 1 {
            let alive = self.alive.iter().map(|at| &self.posts[*at]);
            alive.for_each(Post::stop_at_once);
        }
    }

    /// Once every check has ended: stops each service that none of those that still live needs.
    fn wind_down(&mut self) {
        if self.slots > 0 {
            return;
        }
        let services = &self.job.project.services;
        let is_needed = |at: usize| {
            let id = &services[at].id;
            self.alive
                .iter()
                .any(|other| services[*other].needs.contains(id))
        };
        let idle = self
            .alive
            .iter()
            .copied()
            .filter(|at| !self.posts[*at].was_told() && !is_needed(*at));
        for at in idle.collect::<Vec<_>>() {
            self.posts[at].stop();
            self.tell(Event::Service {
                service: at,
                now: ServiceNow::Stopping,
            });
        }
    }
}

/// The thread of a service.
struct Life<'a> {
    at: usize,
    state: &'a Mutex<State>,
    changed: &'a Condvar,
    posts: &'a [Post<'a>],
    job: &'a Job<'a>,
    sender: mpsc::Sender<Said>,
}

impl Life<'_> {
    fn live(&self) {
        let post = &self.posts[self.at];
        let settled = || {
            lock(self.state).queue.settled(self.at);
            self.changed.notify_all();
        };
        let tell = |now| {
            let service = self.at;
            let _ = self
                .sender
                .send(Said::Event(Event::Service { service, now }));
        };
        let service = &self.job.project.services[self.at];
        // Not in the head of the match, where the lock would be held all along.
        let unmet = {
            let state = lock(self.state);
            unmet(&service.needs, self.job, &state.holds, self.posts)
        };
        match unmet {
            Some(Unmet::Open(reason) | Unmet::Failed(reason, _)) => {
                // Its own checks are not failed by what it needs: it was never started.
                let text = format!("service `{}` was not started: {}", service.id, reason.text);
                post.withhold(Reason::new(Code::NeedsFailed, text));
                settled();
            }
            None => {
                if catch_unwind(AssertUnwindSafe(|| post.live(&tell, &settled))).is_err() {
                    let text = format!(
                        "`ready` itself failed at service `{}`: please report it",
                        service.id
                    );
                    post.withhold(Reason::new(Code::CannotTell, text.clone()));
                    let mut state = lock(self.state);
                    state.warnings.push(text);
                    state.broken = true;
                    drop(state);
                    settled();
                }
            }
        }
        let _ = self.sender.send(Said::Over);
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
    /// How many slots wait until a check can begin.
    waiting: usize,
}

fn lock<'m>(state: &'m Mutex<State>) -> MutexGuard<'m, State> {
    state
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
