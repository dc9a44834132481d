//! The services of a run: each started once what it needs holds, awaited until it is healthy, watched while checks use
//! it, and always stopped, whatever happens: the word that stops it exists before it does.
//!
//! A service lives on a thread of its own. Checks ask how it stands; whoever ends the run says when it is to stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use regex::bytes::Regex;

use super::Job;
use super::log_watch::LogWatch;
use crate::domain::event::ServiceNow;
use crate::domain::evidence::{Failure, Outcome, SpawnFailure, Stream};
use crate::domain::limit::human_duration;
use crate::domain::reason::{Code, Reason};
use crate::domain::service::{Health, Service, ServiceRun, ServiceState, Start};
use crate::probe::service::{self as look, NotHealthy};
use crate::process::{self, Cancel, Clock, End, Finished, Hear, Pulse};

/// How often it is asked whether a service is healthy, at first and after a while.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How a service stands with those who need it.
#[derive(Clone)]
pub(super) enum Standing {
    /// It is not decided yet.
    Open,
    /// It may be used.
    Healthy,
    /// It could not be started: nothing is known of it.
    Withheld(Reason),
    /// It ended by itself or was not healthy in time.
    Failed(Down),
}

/// A service that is down, and what it said.
#[derive(Clone)]
pub(super) struct Down {
    pub(super) text: String,
    pub(super) stdout: Option<Stream>,
    pub(super) stderr: Option<Stream>,
}

/// One service of the run.
pub(super) struct Post<'a> {
    pub(super) service: &'a Service,
    pub(super) job: &'a Job<'a>,
    /// The word to stop.
    pub(super) stop: Cancel,
    /// Whether its program lives.
    pulse: Pulse,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

pub(super) struct State {
    standing: Standing,
    /// How its program ended.
    ended: Option<Finished>,
    record: Option<ServiceRun>,
}

/// How a service that was started got on.
pub(super) struct Course {
    /// Program and arguments.
    shown: Vec<String>,
    port: Option<u16>,
    started: Timestamp,
    clock: Clock,
    pub(super) awaited: Awaited,
    healthy_after: Option<Duration>,
}

impl Course {
    /// From now on.
    pub(super) fn begin(shown: Vec<String>, port: Option<u16>) -> Course {
        Course {
            shown,
            port,
            started: Timestamp::now(),
            clock: Clock::start(),
            awaited: Awaited::Ended,
            healthy_after: None,
        }
    }
}

/// What came of waiting for health.
pub(super) enum Awaited {
    Healthy,
    /// Its program ended.
    Ended,
    /// It was not healthy in time, or never can be.
    Unhealthy(String),
    /// The run was stopped.
    Stopped,
}

impl<'a> Post<'a> {
    /// A service that nobody has started yet.
    ///
    /// # Errors
    /// The system gives no more descriptors.
    pub(super) fn new(service: &'a Service, job: &'a Job<'a>) -> std::io::Result<Post<'a>> {
        Ok(Post {
            service,
            job,
            stop: Cancel::new()?,
            pulse: Pulse::default(),
            state: Mutex::new(State {
                standing: Standing::Open,
                ended: None,
                record: None,
            }),
            changed: Condvar::new(),
        })
    }

    /// How it stands at this moment: one that was healthy may have died since.
    pub(super) fn standing(&self) -> Standing {
        let mut state = self.lock();
        if matches!(state.standing, Standing::Healthy) && !self.was_told() && self.pulse.is_over() {
            // It has ended, and how is about to be known.
            let unknown = |state: &mut State| {
                matches!(state.standing, Standing::Healthy)
                    && state.ended.is_none()
                    && state.record.is_none()
            };
            let known = self.changed.wait_while(state, unknown);
            state = known.unwrap_or_else(PoisonError::into_inner);
        }
        state.standing.clone()
    }

    /// Asks it to end.
    pub(super) fn stop(&self) {
        // Held, or the word may come between a look at it and the wait for it.
        let _state = self.lock();
        self.stop.tell();
        self.changed.notify_all();
    }

    /// Makes it end.
    pub(super) fn stop_at_once(&self) {
        while self.stop.told() < 2 {
            self.stop();
        }
    }

    /// Stops it where it is not up yet: nobody will use it any more.
    pub(super) fn give_up(&self) {
        let is_open = matches!(self.lock().standing, Standing::Open);
        if is_open && !self.was_told() {
            self.stop();
        }
    }

    pub(super) fn was_told(&self) -> bool {
        self.stop.told() > 0
    }

    /// What became of it, once its life is over.
    pub(super) fn record(&self) -> Option<ServiceRun> {
        self.lock().record.clone()
    }

    /// That it is not started, for that reason.
    pub(super) fn withhold(&self, reason: Reason) {
        let mut state = self.lock();
        let record = ServiceRun::not_started(&self.service.id, reason.clone());
        state.record.get_or_insert(record);
        state.standing = Standing::Withheld(reason);
    }

    /// Lives its life, from the start to the end. `settled` is called once it is known how it stands.
    pub(super) fn live(&self, tell: &dyn Fn(ServiceNow), settled: &dyn Fn()) {
        // Whatever goes wrong in here, what was started ends.
        let _stopped = StopOnDrop(self);
        if self.job.context.cancel.told() > 0 || self.was_told() {
            self.withhold(Reason::new(
                Code::NotRun,
                "the run was stopped before its turn",
            ));
            return settled();
        }
        tell(ServiceNow::Starting);
        let result = look::port(self.service, &self.job.context).and_then(|port| {
            match &self.service.start {
                Start::Run { argv, shell } => self.program((argv, *shell), port, tell, settled),
                Start::Compose(file) => self.compose(file, port, tell, settled),
            }
        });
        if let Err(failure) = result {
            let reason = self.not_started(&failure);
            tell(ServiceNow::Down(reason.clone()));
            self.withhold(reason);
            settled();
        }
    }

    /// A program that runs until it is stopped.
    fn program(
        &self,
        run: (&[String], bool),
        port: Option<u16>,
        tell: &dyn Fn(ServiceNow),
        settled: &dyn Fn(),
    ) -> Result<(), Failure<SpawnFailure>> {
        let watch = match &self.service.health {
            Health::Log(pattern) => Some(Arc::new(LogWatch::new(pattern))),
            _ => None,
        };
        let hear = watch
            .clone()
            .map(|watch| Hear(Arc::new(move |err, chunk| watch.hear(err, chunk))));
        let (command, shown) = look::command(self.service, run, port, hear, &self.job.context)?;
        let mut course = Course::begin(shown, port);
        std::thread::scope(|scope| {
            let _stopped = StopOnDrop(self);
            let thread = std::thread::Builder::new().name(format!("service {}", self.service.id));
            let watched = thread.spawn_scoped(scope, || {
                let finished = process::run_seen(&command, &self.stop, &self.pulse);
                let mut state = self.lock();
                if matches!(state.standing, Standing::Healthy) && ended_by_itself(&finished) {
                    let text = self.died(&finished, "while the run used it");
                    state.standing = Standing::Failed(self.down(&finished, &text));
                }
                state.ended = Some(finished);
                drop(state);
                self.changed.notify_all();
            });
            watched.map_err(|error| {
                Failure::new(
                    SpawnFailure::NoResources,
                    format!("no thread could be started: {error}"),
                )
            })?;
            course.awaited = self.await_health(&course, watch.as_deref());
            if let Awaited::Healthy = course.awaited {
                self.is_up(&mut course, tell, settled);
            } else {
                self.stop();
            }
            self.wait_for_the_end();
            Ok(())
        })?;
        let Some(finished) = self.lock().ended.take() else {
            return Ok(());
        };
        if let End::Spawn(failure) = &finished.end {
            return Err(failure.clone());
        }
        let record = ServiceRun {
            teardown: finished.killed.then(|| self.had_to_be_killed()),
            ..self.record_of(&course, &finished)
        };
        self.conclude(record, &course, &finished, tell, settled);
        Ok(())
    }

    /// That it is healthy: those who wait for it learn of it.
    pub(super) fn is_up(&self, course: &mut Course, tell: &dyn Fn(ServiceNow), settled: &dyn Fn()) {
        let after = course.clock.elapsed();
        course.healthy_after = Some(after);
        self.is_healthy();
        tell(ServiceNow::Healthy(course.port, after));
        settled();
    }

    /// What is known of its life once that is over.
    pub(super) fn record_of(&self, course: &Course, finished: &Finished) -> ServiceRun {
        let masked = |texts: &[String]| texts.iter().map(|text| self.masked(text)).collect();
        ServiceRun {
            command: masked(&course.shown),
            port: course.port,
            started: Some(course.started),
            healthy_after_ms: course.healthy_after.map(|after| after.as_millis() as u64),
            duration_ms: Some(course.clock.elapsed().as_millis() as u64),
            outcome: Some(outcome(&finished.end)),
            leaked: masked(&finished.leaked),
            stdout: Some(self.job.context.stream(&finished.stdout)),
            stderr: Some(self.job.context.stream(&finished.stderr)),
            ..ServiceRun::not_started(&self.service.id, Reason::new(Code::NotRun, ""))
        }
    }

    /// Notes what became of it, and how it stands where that is still open.
    pub(super) fn conclude(
        &self,
        record: ServiceRun,
        course: &Course,
        finished: &Finished,
        tell: &dyn Fn(ServiceNow),
        settled: &dyn Fn(),
    ) {
        let runs_by_itself = matches!(self.service.start, Start::Run { .. });
        let cannot_tell = self.cannot_tell(finished);
        let (state, reason) = match &course.awaited {
            Awaited::Healthy if runs_by_itself && ended_by_itself(finished) => {
                let text = self.died(finished, "while the run used it");
                (
                    ServiceState::Died,
                    Some(Reason::new(Code::ServiceFailed, text)),
                )
            }
            Awaited::Healthy => (ServiceState::Healthy, None),
            Awaited::Stopped => {
                let text = "the run was stopped before it was healthy";
                (
                    ServiceState::NotStarted,
                    Some(Reason::new(Code::NotRun, text)),
                )
            }
            _ if cannot_tell.is_some() => {
                let text = cannot_tell.unwrap_or_default();
                (
                    ServiceState::NotStarted,
                    Some(Reason::new(Code::CannotTell, text)),
                )
            }
            Awaited::Ended => {
                let text = self.died(finished, "before it was healthy");
                (
                    ServiceState::Died,
                    Some(Reason::new(Code::ServiceFailed, text)),
                )
            }
            Awaited::Unhealthy(why) => {
                let within = human_duration(self.service.within);
                let text = format!(
                    "service `{}` was not healthy within {within}: {why}",
                    self.service.id
                );
                (
                    ServiceState::Unhealthy,
                    Some(Reason::new(Code::ServiceFailed, self.masked(&text))),
                )
            }
        };
        tell(match &reason {
            None => ServiceNow::Stopped,
            Some(reason) => ServiceNow::Down(reason.clone()),
        });
        let mut held = self.lock();
        if let (Standing::Open, Some(reason)) = (&held.standing, &reason) {
            held.standing = match state {
                ServiceState::NotStarted => Standing::Withheld(reason.clone()),
                _ => Standing::Failed(Down {
                    text: reason.text.clone(),
                    stdout: record.stdout.clone(),
                    stderr: record.stderr.clone(),
                }),
            };
        }
        // Where it could not even be started, there was nothing to take down.
        let not_here = reason
            .as_ref()
            .is_some_and(|reason| reason.code == Code::CannotTell);
        held.record = Some(ServiceRun {
            state,
            reason,
            teardown: record.teardown.filter(|_| !not_here),
            ..record
        });
        drop(held);
        self.changed.notify_all();
        if course.healthy_after.is_none() {
            settled();
        }
    }

    /// Looks again and again until it is healthy, or will not be.
    pub(super) fn await_health(&self, course: &Course, watch: Option<&LogWatch>) -> Awaited {
        let mut pause = PAUSE;
        loop {
            let left = self.service.within.saturating_sub(course.clock.elapsed());
            let seen = match watch {
                Some(watch) if watch.seen() => Ok(()),
                Some(_) => Err(NotHealthy::Yet("no line of its output matches".to_string())),
                None => look::look(
                    self.service,
                    course.port,
                    left.max(PAUSE),
                    &self.job.context,
                ),
            };
            if self.job.context.cancel.told() > 0 || self.was_told() {
                return Awaited::Stopped;
            }
            // Asked last: what answers for a program that is dead is somebody else.
            if self.pulse.is_over() || self.lock().ended.is_some() {
                return Awaited::Ended;
            }
            match seen {
                Ok(()) => return Awaited::Healthy,
                Err(NotHealthy::Ever(why)) => return Awaited::Unhealthy(why),
                Err(NotHealthy::Yet(why)) if left.is_zero() => return Awaited::Unhealthy(why),
                Err(NotHealthy::Yet(_)) => {}
            }
            let state = self.lock();
            let woken =
                self.changed
                    .wait_timeout_while(state, pause.min(left.max(PAUSE)), |state| {
                        state.ended.is_none()
                            && self.job.context.cancel.told() == 0
                            && !self.was_told()
                    });
            drop(woken);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Notes that it may be used, where it has not ended since.
    pub(super) fn is_healthy(&self) {
        let mut state = self.lock();
        if let Some(finished) = state
            .ended
            .as_ref()
            .filter(|finished| ended_by_itself(finished))
        {
            let text = self.died(finished, "while the run used it");
            state.standing = Standing::Failed(self.down(finished, &text));
        } else {
            state.standing = Standing::Healthy;
        }
    }

    fn wait_for_the_end(&self) {
        let state = self.lock();
        let ended = self
            .changed
            .wait_while(state, |state| state.ended.is_none());
        drop(ended);
    }

    fn not_started(&self, failure: &Failure<SpawnFailure>) -> Reason {
        let id = &self.service.id;
        let code = match failure.kind {
            SpawnFailure::MissingProgram | SpawnFailure::MissingInterpreter => Code::ToolMissing,
            SpawnFailure::PortTaken => Code::PortTaken,
            SpawnFailure::NoResources | SpawnFailure::MissingVariable => Code::CannotTell,
            _ => Code::NeedsFailed,
        };
        let install = self
            .service
            .needs_tool
            .as_ref()
            .and_then(|tool| tool.install.as_deref());
        let install = install
            .filter(|_| code == Code::ToolMissing)
            .map(|how| format!("; install it: {how}"))
            .unwrap_or_default();
        let text = format!(
            "service `{id}` could not be started: {}{install}",
            failure.text
        );
        Reason::new(code, self.masked(&text))
    }

    /// The rule by which it could not be started on this machine.
    fn cannot_tell(&self, finished: &Finished) -> Option<String> {
        let rules = &self.service.cannot_tell;
        let by_status = matches!(finished.end, End::Exit(status) if rules.exit.contains(&status));
        let text = [finished.stderr.kept(), finished.stdout.kept()];
        let by_words =
            [&rules.stderr, &rules.stdout]
                .into_iter()
                .zip(&text)
                .any(|(patterns, text)| {
                    let mut patterns = patterns.iter();
                    patterns
                        .any(|pattern| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)))
                });
        (by_status || by_words).then(|| {
            let down = self.down(finished, "");
            let words = self
                .last_words(&down)
                .unwrap_or_else(|| how_it_ended(&finished.end));
            format!(
                "service `{}` could not be started here: {words}",
                self.service.id
            )
        })
    }

    fn died(&self, finished: &Finished, when: &str) -> String {
        let down = self.down(finished, "");
        let words = self
            .last_words(&down)
            .map(|words| format!(": {words}"))
            .unwrap_or_default();
        let how = how_it_ended(&finished.end);
        format!(
            "service `{}` ended with {how} {when}{words}",
            self.service.id
        )
    }

    fn down(&self, finished: &Finished, text: &str) -> Down {
        Down {
            text: text.to_string(),
            stdout: Some(self.job.context.stream(&finished.stdout)),
            stderr: Some(self.job.context.stream(&finished.stderr)),
        }
    }

    /// The last line that it said, on standard error before standard output.
    fn last_words(&self, down: &Down) -> Option<String> {
        let streams = [&down.stderr, &down.stdout].into_iter().flatten();
        streams.filter_map(last_line).next()
    }

    fn had_to_be_killed(&self) -> String {
        let within = human_duration(self.service.stop_within);
        format!("it did not end within {within} of being asked to, and was made to")
    }

    pub(super) fn masked(&self, text: &str) -> String {
        self.job.context.masker.text(text).into_owned()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the word to stop when a service's thread is done with it, by whatever way.
struct StopOnDrop<'p, 'a>(&'p Post<'a>);

impl Drop for StopOnDrop<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

fn outcome(end: &End) -> Outcome {
    match end {
        End::Exit(status) => Outcome::Exit(*status),
        End::Signal(signal) => Outcome::Signal(*signal),
        End::Timeout | End::Cancelled => Outcome::Cancelled,
        End::Spawn(failure) => Outcome::Spawn(failure.clone()),
    }
}

fn ended_by_itself(finished: &Finished) -> bool {
    matches!(finished.end, End::Exit(_) | End::Signal(_))
}

fn how_it_ended(end: &End) -> String {
    match end {
        End::Exit(status) => format!("exit status {status}"),
        End::Signal(signal) => format!("signal {signal}"),
        _ => "no status".to_string(),
    }
}

/// The last line of a stream that says something, where it is short enough to be a reason.
pub(super) fn last_line(stream: &Stream) -> Option<String> {
    let mut lines = stream.tail.lines().map(str::trim);
    let line = lines.rfind(|line| !line.is_empty())?;
    (line.chars().count() <= 200).then(|| line.to_string())
}
