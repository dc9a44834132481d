//! Proving that checks can fail: each on its control and on the good state, in a copy of the project. What comes of it is
//! judged in [`domain::proof`](crate::domain::proof); here it is only brought about.
//!
//! A control that is declared is laid over the copy and the check is run as ever. For probes of our own, and for the results
//! that a reader reads, controls are made out of what the check expects and what it saw on the good state.

mod answers;
mod made;
mod ports;
mod results;
mod scratch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::anyhow;
use jiff::Timestamp;

pub use scratch::Scratch;

use crate::domain::check::{Check, Probe, RunProbe};
use crate::domain::control::Control;
use crate::domain::evidence::{Binding, Evidence, Observed};
use crate::domain::expectation::RunExpect;
use crate::domain::project::Project;
use crate::domain::proof::{Proven, Shows, Trial, declared, follows};
use crate::domain::reason::{Code, Reason};
use crate::domain::verdict::{Judgement, Verdict, judge};
use crate::domain::version::Version;
use crate::mask::Masker;
use crate::probe::{self, Context, Ports, ReadResults, http::Clients};
use crate::process::Cancel;
use crate::runner::{self, Job};

/// How this program starts itself to do nothing, well.
pub const NOTHING: &str = "__nothing";

/// How long a tool may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(60);

/// What proving goes on with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The id of all this, by which what is left over is known.
    pub run: &'a str,
    /// The machine's name.
    pub host: &'a str,
    /// The word to stop.
    pub cancel: &'a Cancel,
    /// Takes secrets out of what is kept.
    pub masker: &'a Masker,
    /// The HTTP clients.
    pub clients: &'a Clients,
    /// The readers.
    pub read: ReadResults,
}

/// Proves the checks of a project.
pub struct Prover<'a> {
    /// With ports that nobody else has.
    project: Project,
    scratch: &'a Scratch,
    applicable: &'a [bool],
    means: Means<'a>,
    bindings: Vec<Binding>,
    /// What became, on the good state, of the checks that others need.
    needed: BTreeMap<usize, Judgement>,
}

/// What came of one check.
#[derive(Debug)]
pub struct Outcome {
    /// What follows.
    pub result: Proven,
    /// In words.
    pub text: String,
    /// Each control that it was tried on.
    pub trials: Vec<Trial>,
}

/// That the word to stop came: nothing follows.
#[derive(Debug)]
pub struct Stopped;

/// What was seen of a check and how it is judged.
struct Looked {
    judgement: Judgement,
    evidence: Option<Box<Evidence>>,
}

impl<'a> Prover<'a> {
    /// For the project that the copy is of; whether each check applies, by place.
    pub fn new(
        project: &Project,
        scratch: &'a Scratch,
        applicable: &'a [bool],
        means: Means<'a>,
    ) -> Prover<'a> {
        Prover {
            bindings: vec![Binding::default(); project.checks.len()],
            project: ports::automatic(project),
            scratch,
            applicable,
            means,
            needed: BTreeMap::new(),
        }
    }

    /// Proves the check at that place.
    ///
    /// # Errors
    /// The word to stop came.
    pub fn prove(&mut self, at: usize) -> Result<Outcome, Stopped> {
        let check = self.project.checks[at].clone();
        for need in self.needs(at) {
            if let Some(why) = self.unmet(need)? {
                let text = format!("it needs `{}`: {why}", self.project.checks[need].id);
                return Ok(Outcome {
                    result: Proven::DoesNotHold,
                    text,
                    trials: vec![],
                });
            }
        }
        let mut trials = vec![];
        if let Some(control) = check.control.clone() {
            trials.push(self.on_control(at, &check, &control)?);
        }
        let good = self.look(at, &check)?;
        if good.judgement.holds()
            && let Some(evidence) = &good.evidence
        {
            // Programs are never run from the thread that orphans come to.
            let made = std::thread::scope(|scope| {
                let made = scope.spawn(|| self.made(&check, evidence));
                made.join()
                    .unwrap_or_else(|_| Err(anyhow!("`ready` itself failed")))
            });
            match made {
                Ok(made) => trials.extend(made),
                Err(error) => {
                    trials.push(not_tried("a control that is made for it", false, &error))
                }
            }
        }
        if self.means.cancel.told() > 0 {
            return Err(Stopped);
        }
        let (result, text) = follows(&trials, &good.judgement, by_itself(&check));
        Ok(Outcome {
            result,
            text,
            trials,
        })
    }

    /// What does the work of a check, with the version that it gives of itself: by what the check says to ask, else none.
    pub fn tool(&self, at: usize) -> Option<String> {
        let check = &self.project.checks[at];
        let asked = &check.needs_tool.as_ref()?.version;
        // How it is started is no name, nor are the words that ask.
        let started = ["npx", "--no-install", "python", "python3", "-m"];
        let named = asked
            .iter()
            .filter(|word| !started.contains(&word.as_str()));
        let named = named.take_while(|word| !word.starts_with('-') && *word != "version");
        let name = named.cloned().collect::<Vec<_>>().join(" ");
        let asking = Check {
            probe: Probe::Run(RunProbe {
                argv: asked.clone(),
                shell: false,
                files: vec![],
                reader: None,
                listen: None,
                cleanup: vec![],
                expect: RunExpect::default(),
            }),
            timeout: VERSION_WITHIN,
            needs_tool: None,
            ..check.clone()
        };
        let look = std::thread::scope(|scope| {
            let ports = Ports::default();
            let look = scope.spawn(move || probe::observe(&asking, &self.context(&ports)));
            look.join().ok()
        })?;
        let streams = [look.attempt.stdout?, look.attempt.stderr?];
        let version = streams
            .iter()
            .find_map(|stream| Version::find(&stream.tail))?;
        Some(format!("{name} {}", version.text()))
    }

    /// The places of the checks that a check needs, those first that others need.
    fn needs(&self, at: usize) -> Vec<usize> {
        let mut needs = runner::with_needs(&self.project, [at]);
        needs.remove(&at);
        // What needs nothing of the rest goes first.
        let mut ordered: Vec<usize> = vec![];
        while let Some(next) = needs.iter().copied().find(|need| {
            let of = runner::with_needs(&self.project, [*need]);
            of.iter()
                .all(|other| other == need || ordered.contains(other))
        }) {
            needs.remove(&next);
            ordered.push(next);
        }
        ordered
    }

    /// Why a check that another needs does not hold on the good state.
    fn unmet(&mut self, need: usize) -> Result<Option<String>, Stopped> {
        if !self.needed.contains_key(&need) {
            let check = self.project.checks[need].clone();
            let looked = match self.applicable[need] {
                true => self.look(need, &check)?.judgement,
                // The runner builds on what does not apply.
                false => return Ok(None),
            };
            self.needed.insert(need, looked);
        }
        let judgement = &self.needed[&need];
        Ok((!judgement.holds()).then(|| judgement.reason.text.clone()))
    }

    /// The check on its declared control.
    fn on_control(&self, at: usize, check: &Check, control: &Control) -> Result<Trial, Stopped> {
        let laid = match self.scratch.lay(control) {
            Ok(laid) => laid,
            Err(error) => return Ok(not_tried(&words(control), true, &error)),
        };
        let looked = self.look(at, &violated(check, control))?;
        drop(laid);
        let shows = declared(
            &looked.judgement,
            looked.evidence.as_deref(),
            &control.signal,
        );
        let mut reason = looked.judgement.reason;
        if shows == Shows::WrongReason {
            let signal = &control.signal;
            reason.text += &format!("; `{signal}` is not seen in a failure");
        }
        Ok(Trial {
            control: words(control),
            declared: true,
            verdict: looked.judgement.verdict,
            reason,
            shows,
        })
    }

    /// Looks at a check in the copy, as a run would, with the services that it needs.
    fn look(&self, at: usize, check: &Check) -> Result<Looked, Stopped> {
        let mut project = self.project.clone();
        project.checks[at] = check.clone();
        let due = BTreeSet::from([at]);
        let met = self.needed.iter().filter(|(_, needed)| needed.holds());
        let met = met.map(|(at, _)| *at).collect();
        let ports = Ports::default();
        let (_silent, stopping) = mpsc::channel();
        let ran = runner::run(
            &Job {
                project: &project,
                due: &due,
                applicable: self.applicable,
                reused: &met,
                durations: &vec![None; project.checks.len()],
                fail_fast: false,
                jobs: 1,
                host: self.means.host,
                bindings: &self.bindings,
                context: self.context(&ports),
            },
            stopping,
            |_| {},
        );
        if ran.stopped {
            return Err(Stopped);
        }
        let observed = ran.observed.into_iter().nth(at).flatten();
        let observed = observed.unwrap_or_else(|| {
            let warnings = ran.warnings.join("; ");
            Observed::Withheld(Reason::new(Code::NotRun, warnings))
        });
        Ok(Looked {
            judgement: judge(check, &observed, Timestamp::now()),
            evidence: match observed {
                Observed::Evidence(evidence) => Some(evidence),
                Observed::Withheld(_) => None,
            },
        })
    }

    fn context<'c>(&'c self, ports: &'c Ports) -> Context<'c> {
        Context {
            folder: self.scratch.folder(),
            run: self.means.run,
            cancel: self.means.cancel,
            masker: self.means.masker,
            ports,
            clients: self.means.clients,
            read: self.means.read,
        }
    }
}

/// A control that could not be tried, which shows nothing.
fn not_tried(control: &str, declared: bool, error: &anyhow::Error) -> Trial {
    Trial {
        control: control.to_string(),
        declared,
        verdict: Verdict::Unverified,
        reason: Reason::new(Code::CannotTell, format!("it cannot be tried: {error:#}")),
        shows: Shows::WrongReason,
    }
}

/// Whether the controls that are made for a check show that it can fail.
fn by_itself(check: &Check) -> bool {
    match &check.probe {
        Probe::Run(run) => run.listen.is_some(),
        _ => true,
    }
}

/// The check as its control has it. It is tried once: trying again would only take time.
fn violated(check: &Check, control: &Control) -> Check {
    let mut violated = Check {
        retries: 0,
        ..check.clone()
    };
    if let Some(probe) = &control.probe {
        violated.probe = (**probe).clone();
    }
    if let Some(cwd) = &control.cwd {
        violated.cwd = Some(cwd.clone());
    }
    violated.env.extend(control.env.clone());
    violated
}

/// A control in words.
fn words(control: &Control) -> String {
    let files = control.files.keys().map(|file| format!("`{file}`"));
    let files = files.collect::<Vec<_>>().join(", ");
    let mut words = vec![];
    if !files.is_empty() {
        words.push(format!("with {files} of its control"));
    }
    if control.patch.is_some() {
        words.push("with the patch of its control".to_string());
    }
    if control.probe.is_some() {
        words.push("run as its control says".to_string());
    } else if !control.env.is_empty() {
        words.push("with the environment of its control".to_string());
    }
    words.join(", ")
}
