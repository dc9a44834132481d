//! A slot of a run: it takes the next check whose needs have ended, looks until it holds or no attempt is left, and
//! says what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::time::Instant;

use jiff::Timestamp;

use super::services::{Down, Post, Standing};
use super::{Job, Said, State, elsewhere, lock};
use crate::domain::check::Check;
use crate::domain::event::Event;
use crate::domain::evidence::{Attempt, Evidence, Observed, Outcome};
use crate::domain::reason::{Code, Reason};
use crate::domain::verdict::{Judgement, Verdict, judge, judge_attempt};
use crate::probe::{self, Look};

/// Takes one check after another, as long as there is one.
pub(super) struct Worker<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) slot: u32,
    pub(super) state: &'a Mutex<State>,
    pub(super) changed: &'a Condvar,
    pub(super) posts: &'a [Post<'a>],
    pub(super) sender: mpsc::Sender<Said>,
}

impl Worker<'_> {
    /// Until every check has ended.
    pub(super) fn work(&self) {
        self.take_and_run();
        self.say(Said::SlotDone);
    }

    fn take_and_run(&self) {
        let mut state = lock(self.state);
        loop {
            for service in state.queue.take_services() {
                self.say(Said::ToStart(service));
            }
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
                    self.posts.iter().for_each(Post::give_up);
                }
                state.observed[at] = Some(observed);
                if let Some(warning) = broken {
                    state.warnings.push(warning);
                    state.broken = true;
                }
                state.queue.finished(at);
                // A word to nobody would cost a call to the system all the same.
                if state.waiting > 0 {
                    self.changed.notify_all();
                }
            } else if state.queue.is_over() {
                return;
            } else {
                state.waiting += 1;
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
        }
    }

    /// Why a check does not begin.
    fn withheld(&self, at: usize, state: &State) -> Option<Unmet> {
        let check = &self.job.project.checks[at];
        let open = |code, text: String| Some(Unmet::Open(Reason::new(code, text)));
        if self.job.context.cancel.told() > 0 {
            return open(
                Code::NotRun,
                "the run was stopped before its turn".to_string(),
            );
        }
        if let Some(failed) = state.failed {
            let failed = &self.job.project.checks[failed].id;
            return open(
                Code::NotRun,
                format!("the run ended with the failure of `{failed}`"),
            );
        }
        if let Some(text) = elsewhere(check) {
            return open(Code::WrongPlatform, text);
        }
        unmet(&check.needs, self.job, &state.holds, self.posts)
    }

    /// Observes a check, or notes why not, and tells what came of it.
    fn one(&self, at: usize, withheld: Option<Unmet>) -> (Observed, Judgement, Option<String>) {
        let check = &self.job.project.checks[at];
        let clock = Instant::now();
        let (slot, observed, broken) = match withheld {
            Some(Unmet::Open(reason)) => (None, Observed::Withheld(reason), None),
            Some(Unmet::Failed(_, down)) => {
                let attempt = Attempt {
                    stdout: down.stdout,
                    stderr: down.stderr,
                    ..Attempt::new(Timestamp::now(), 0, Outcome::Service(down.text))
                };
                let evidence =
                    self.evidence(at, (Timestamp::now(), &clock), Look::of(attempt), vec![]);
                (None, Observed::Evidence(Box::new(evidence)), None)
            }
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
        self.say(Said::Event(event));
    }

    fn say(&self, said: Said) {
        // The receiver outlives every worker.
        let _ = self.sender.send(said);
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
        // What needs a service that died under it shows nothing, however it ended itself.
        let down = || match unmet(&check.needs, self.job, &[], self.posts) {
            Some(Unmet::Failed(reason, _)) => Some(reason),
            _ => None,
        };
        if look.attempt.outcome != Outcome::Cancelled
            && let Some(reason) = down()
        {
            let text = died_under(&reason.text, &look.attempt.outcome);
            look.attempt.outcome = Outcome::Service(text);
        }
        self.evidence(at, (started, &clock), look, attempts)
    }

    fn evidence(
        &self,
        at: usize,
        (started, clock): (Timestamp, &Instant),
        look: Look,
        mut attempts: Vec<Attempt>,
    ) -> Evidence {
        let check = &self.job.project.checks[at];
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
            binding: self.job.bindings[at].clone(),
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

/// What keeps something from beginning.
pub(super) enum Unmet {
    /// Nothing is known either way.
    Open(Reason),
    /// A service that ran is down, which is evidence against what needs it.
    Failed(Reason, Box<Down>),
}

/// What of these needs is not met.
pub(super) fn unmet(
    needs: &[String],
    job: &Job<'_>,
    holds: &[bool],
    posts: &[Post<'_>],
) -> Option<Unmet> {
    let mut withheld = None;
    for (service, post) in job.project.services.iter().zip(posts) {
        if !needs.contains(&service.id) {
            continue;
        }
        match post.standing() {
            Standing::Healthy => {}
            Standing::Failed(down) => {
                return Some(Unmet::Failed(
                    Reason::new(Code::ServiceFailed, down.text.clone()),
                    Box::new(down),
                ));
            }
            Standing::Withheld(reason) => withheld = Some(reason),
            Standing::Open => {
                let text = format!("service `{}` was not started", service.id);
                withheld = Some(Reason::new(Code::NeedsFailed, text));
            }
        }
    }
    let checks = || job.project.checks.iter().zip(holds);
    let missing = needs
        .iter()
        .filter(|need| checks().any(|(check, holds)| check.id == **need && !holds))
        .map(|need| format!("`{need}`"))
        .collect::<Vec<_>>();
    if missing.is_empty() {
        return withheld.map(Unmet::Open);
    }
    let verb = if missing.len() == 1 { "does" } else { "do" };
    let text = format!("it needs {}, which {verb} not hold", missing.join(" and "));
    Some(Unmet::Open(Reason::new(Code::NeedsFailed, text)))
}

/// What is said of a check whose service died, and how the check itself ended.
pub(super) fn died_under(service: &str, outcome: &Outcome) -> String {
    format!("{service} (the check itself: {})", ended(outcome))
}

/// How a check ended, in a word or two.
fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(status) => format!("exit status {status}"),
        Outcome::Signal(signal) => format!("signal {signal}"),
        Outcome::Timeout(_) => "its time limit".to_string(),
        Outcome::Answered => "an answer".to_string(),
        Outcome::Unanswered(_) => "no answer".to_string(),
        _ => "no result".to_string(),
    }
}
