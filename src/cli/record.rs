//! A run of checks while it goes on: begun, observed, judged, recorded. It holds what is known so far, and what a reader of
//! its report must be told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::against;
use super::authors::name_authors;
use super::base;
use super::check::Options;
use super::documents::Documents;
use super::held::look_back;
use super::proofs;
use super::recorded::{self, Here, Past};
use super::secrets;
use super::session::{Session, host};
use super::sharding::Split;
use super::usual;
use super::{Global, style_of};
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Seen, Setting};
use crate::domain::evidence::{Binding, Observed};
use crate::domain::gate::Gate;
use crate::domain::limit::human_duration;
use crate::domain::reason::{Code, Reason};
use crate::domain::regression::Base;
use crate::domain::report::{CalledFor, Preflight, Report, Run};
use crate::ledger::{self, Ledger};
use crate::mask::Masker;
use crate::probe::{Context, Ports, http::Clients, preflight};
use crate::process::Cancel;
use crate::reader;
use crate::reporter::progress::{Mode, Progress};
use crate::runner::{self, Job, Ran, signals};
use crate::tree::Tree;

/// A run while it goes on: what is known of it, and what a reader of the report must be told.
pub(super) struct Record {
    pub(super) run: Run,
    about: About,
    pub(super) tree: Tree,
    /// What was recorded before, where it can be read. What cannot is told when the run is recorded.
    before: Option<Ledger>,
    /// What evidence that is had now is about, by the places of the checks.
    bindings: Vec<Binding>,
    /// The checks that were due and are not run again, with what is recorded of them.
    reused: BTreeMap<usize, Seen>,
    /// How the checks are split, where several machines share them.
    split: Option<Split>,
    /// Whether all that the manifest declares was due.
    whole: bool,
    pub(super) warnings: Vec<String>,
    pub(super) called_for: Vec<CalledFor>,
    /// What documents claim.
    pub(super) documents: Documents,
    /// The base that the command line names.
    pub(super) base: Option<Base>,
    /// The git revision that it names.
    pub(super) against: Option<String>,
    pub(super) broken: bool,
}

impl Record {
    pub(super) fn start(
        session: &Session,
        options: &Options,
        selected: Option<&BTreeSet<usize>>,
        about: About,
        tree: Tree,
    ) -> Record {
        let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let started = Timestamp::now();
        let ids = |places: &BTreeSet<usize>| {
            places
                .iter()
                .map(|at| session.project.checks[*at].id.clone())
                .collect()
        };
        let before = Ledger::open_existing(&session.folder).ok().flatten();
        let run = Run {
            id: next_id(before.as_ref()),
            started,
            finished: started,
            complete: false,
            interrupted: false,
            out_of_time: false,
            selected: selected.map(ids).unwrap_or_default(),
            host: host(),
            jobs: options.jobs.unwrap_or(processors),
            commit: tree.commit.clone(),
            tree: tree.digest.clone(),
            dirty: tree.dirty,
            manifest: Some(session.manifest_digest.clone()),
            artifact: about.artifact.clone(),
            environment: about.environment.clone(),
            shard: None,
            merged: vec![],
            services: vec![],
        };
        let bindings = session.bindings(&tree, &about);
        let declared = session.project.checks.iter().zip(&bindings);
        let mut warnings = vec![];
        for (check, binding) in declared.filter(|(check, _)| !check.inputs.is_empty()) {
            let nowhere = tree.nowhere(&check.inputs);
            let patterns = nowhere.iter().map(|pattern| format!("`{pattern}`"));
            let patterns = patterns.collect::<Vec<_>>().join(", ");
            let then = match binding.inputs {
                Some(_) => String::new(),
                None => ": its evidence counts for the state of all files".to_string(),
            };
            if !nowhere.is_empty() {
                let id = &check.id;
                warnings.push(format!(
                    "`inputs` of {id}: no file matches {patterns}{then}"
                ));
            }
        }
        Record {
            warnings,
            run,
            about,
            tree,
            before,
            bindings,
            reused: BTreeMap::new(),
            split: None,
            whole: selected.is_none(),
            called_for: vec![],
            documents: Documents::default(),
            base: None,
            against: None,
            broken: false,
        }
    }

    /// Makes it the run of one share of the checks, of which `own` is due.
    pub(super) fn take_share(
        &mut self,
        session: &Session,
        options: &Options,
        own: &BTreeSet<usize>,
        split: Split,
    ) {
        let id = |at: &usize| session.project.checks[*at].id.clone();
        let asked = std::mem::take(&mut self.run.selected);
        let own = own.iter().map(id);
        self.run.selected = own
            .filter(|id| asked.is_empty() || asked.contains(id))
            .collect();
        self.run.shard = Some(split.shard.clone());
        self.whole = false;
        self.warnings.extend(split.warnings.iter().cloned());
        let gate = options.gate.as_ref().filter(|name| !name.is_empty());
        for (name, given) in [
            ("gate", gate.is_some()),
            ("min-score", options.min_score.is_some()),
        ] {
            if given {
                self.warnings.push(format!(
                    "`--{name}` decides nothing for one shard, which has not seen all: give it to `ready merge`"
                ));
            }
        }
        self.split = Some(split);
    }

    /// Runs what is due and shows how it goes.
    pub(super) fn observe(
        &mut self,
        session: &Session,
        options: &Options,
        global: &Global,
        mut due: BTreeSet<usize>,
        masker: &Masker,
    ) -> Result<(Ran, Vec<Preflight>)> {
        let cancel = Cancel::new().context("cannot get the descriptors to be stopped by")?;
        let (told, stopping) = mpsc::channel();
        let limit = options.timeout;
        let runtime = signals::serve(&cancel, limit, move |stopping| _ = told.send(stopping))
            .context("cannot listen for signals")?;
        let preflight = preflight::observe(&session.project.requires, &session.folder, &cancel);
        let reused = self.reusable(session, &due, options.fresh);
        due.retain(|at| !reused.contains_key(at));
        let durations = durations(session, &due, self.before.as_ref());
        // A run may be long: nothing is held open meanwhile.
        self.before = self.before.take().filter(|_| due.is_empty());
        let places = reused.keys().copied().collect();
        if !reused.is_empty() && progress_mode(options, global) != Mode::Silent {
            let text = match reused.len() {
                1 => "1 check is not run again: what it depends on has not changed since it was verified".to_string(),
                many => format!(
                    "{many} checks are not run again: what they depend on has not changed since they were verified"
                ),
            };
            let _ = writeln!(std::io::stderr(), "{text} (`--fresh` runs all)");
        }
        let (clients, ports) = (Clients::new(runtime), Ports::default());
        let job = Job {
            project: &session.project,
            due: &due,
            applicable: &session.applicable,
            reused: &places,
            durations: &durations,
            fail_fast: options.fail_fast,
            jobs: self.run.jobs as usize,
            host: &self.run.host.name,
            bindings: &self.bindings,
            context: Context {
                folder: &session.folder,
                run: &self.run.id,
                cancel: &cancel,
                masker,
                ports: &ports,
                clients: &clients,
                read: reader::read,
            },
        };
        let style = style_of(&std::io::stderr(), global);
        let mut progress = Progress::new(
            &session.project,
            due.len(),
            progress_mode(options, global),
            style,
        );
        let mut ran = runner::run(&job, stopping, |event| progress.show(&event));
        progress.end();
        self.run.interrupted = ran.stopped;
        self.run.out_of_time = ran.out_of_time;
        if let Some(limit) = options.timeout.filter(|_| ran.out_of_time) {
            let limit = human_duration(limit);
            self.warnings.push(format!(
                "the run reached its time limit of {limit}: what had not ended by then is unverified"
            ));
        }
        self.run.complete = self.whole && !self.run.interrupted;
        self.run.services = ran.services.clone();
        self.broken |= ran.broken;
        let evidence = ran
            .observed
            .iter_mut()
            .flatten()
            .filter_map(|seen| match seen {
                Observed::Evidence(evidence) => evidence.binding.program.as_mut(),
                Observed::Withheld(_) => None,
            });
        evidence.for_each(|program| program.version = version_in(&preflight, &program.path));
        self.reused = reused;
        Ok((ran, preflight))
    }

    /// The checks among those that are due that need no look, with what is recorded of them.
    fn reusable(
        &self,
        session: &Session,
        due: &BTreeSet<usize>,
        fresh: bool,
    ) -> BTreeMap<usize, Seen> {
        let declares = |at: &usize| self.bindings[*at].inputs.is_some();
        if fresh || !due.iter().any(declares) {
            return BTreeMap::new();
        }
        let here = self.here(session);
        let past = self.before.as_ref().map(|known| here.recorded(Some(known)));
        let Some(Ok(past)) = past else {
            return BTreeMap::new();
        };
        let reusable = here.reusable(due, &past);
        let seen = past.seen.into_iter().enumerate();
        seen.filter(|(at, _)| reusable.contains(at))
            .map(|(at, seen)| (at, recorded::reused(seen)))
            .collect()
    }

    fn here<'a>(&'a self, session: &'a Session) -> Here<'a> {
        let host = &self.run.host.name;
        Here::new(session, &self.tree, &self.bindings, self.run.started, host)
    }

    /// Judges what was observed together with what the ledger knows of the rest, and records it.
    pub(super) fn conclude(
        &mut self,
        session: &Session,
        gates: &[Gate],
        deciding: Deciding,
        mut ran: Ran,
        preflight: Vec<Preflight>,
        masker: &Masker,
    ) -> Report {
        self.run.finished = Timestamp::now();
        self.warnings.append(&mut ran.warnings);
        if ran.observed.iter().any(Option::is_some) {
            self.bind_to(&session.tree(), session, &mut ran.observed);
        }
        let opened = match self.before.take() {
            Some(before) => before.renewed(),
            None => Ledger::open(&session.folder),
        };
        let mut ledger = match opened {
            Ok(ledger) => Some(ledger),
            Err(error) => {
                self.not_recorded(&error);
                None
            }
        };
        let mut places = ran.observed.iter().enumerate();
        let unknown =
            |(at, seen): (usize, &Option<_>)| seen.is_none() && !self.reused.contains_key(&at);
        let past = match places.any(unknown) {
            true => self.past(session, ledger.as_ref()),
            false => vec![],
        };
        let mut past = past.into_iter();
        let mut seen = ran
            .observed
            .into_iter()
            .enumerate()
            .map(|(at, observed)| match (observed, past.next()) {
                (Some(observed), _) => Seen {
                    applicable: session.applicable[at],
                    ..Seen::now(observed)
                },
                (None, past) => match self.reused.remove(&at) {
                    Some(reused) => reused,
                    None => self.not_looked_at(at, past),
                },
            })
            .collect::<Vec<_>>();
        let now = Timestamp::now();
        let mut lost = look_back(&session.project, gates, ledger.as_ref(), &mut seen, now);
        let (project, known) = (&session.project, ledger.as_ref());
        lost.extend(self.documents.recall(project, known, &mut seen));
        usual::add(session, known, &mut seen);
        lost.extend(proofs::add(session, known, &self.bindings, &mut seen, now));
        self.broken |= !lost.is_empty();
        self.warnings.extend(lost);
        let bases = self.bases(gates, ledger.as_ref());
        let setting = Setting {
            bases,
            against: None,
            ready: env!("CARGO_PKG_VERSION").to_string(),
            run: Some(self.run.clone()),
            about: self.about.clone(),
            preflight,
            called_for: std::mem::take(&mut self.called_for),
            found: std::mem::take(&mut self.documents.found),
            warnings: std::mem::take(&mut self.warnings),
            deciding,
        };
        let asked = self.against.as_deref();
        let by = (ledger.as_ref(), now);
        let mut report = against::assessed(session, asked, gates, seen, setting, by);
        name_authors(&mut report, session);
        let mut report = secrets::masked(report, masker);
        let files = self.run.tree.is_some().then(|| self.tree.then());
        match ledger
            .as_mut()
            .map(|ledger| ledger.append(&mut report, files.as_ref()))
        {
            Some(Ok(head)) => report.ledger = Some(head),
            Some(Err(error)) => self.not_recorded(&error),
            None => {}
        }
        let unrecorded = self.warnings.drain(..);
        report
            .warnings
            .extend(unrecorded.map(|text| masker.text(&text).into_owned()));
        report
    }

    /// What there is to say of a check that was not due here: what is recorded, unless another machine is to look and
    /// that says nothing.
    fn not_looked_at(&self, at: usize, past: Option<Seen>) -> Seen {
        let not_run = |text: &str| Observed::Withheld(Reason::new(Code::NotRun, text));
        // Of what another machine is to look at, this one says nothing: what it saw some time ago would count beside it.
        match self.split.as_ref().and_then(|split| split.elsewhere(at)) {
            Some(text) => Seen::now(not_run(&text)),
            None => past.unwrap_or_else(|| Seen::now(not_run("it was not run"))),
        }
    }

    /// What gates are held against that ask for it.
    fn bases(&mut self, gates: &[Gate], ledger: Option<&Ledger>) -> BTreeMap<String, Base> {
        match base::bases(gates, self.base.as_ref(), ledger, Some(&self.run.id)) {
            Ok(bases) => {
                self.broken |= !bases.lost.is_empty();
                self.warnings.extend(bases.lost);
                bases.of
            }
            Err(error) => {
                self.broken = true;
                self.warnings.push(format!(
                    "the base of `no_regression` cannot be read: {error:#}"
                ));
                BTreeMap::new()
            }
        }
    }

    fn not_recorded(&mut self, error: &anyhow::Error) {
        // A checkout that may not be written is no fault of ours; anything else is.
        self.broken |= !ledger::not_writable(error);
        self.warnings
            .push(format!("this run is not recorded: {error:#}"));
    }

    /// What was known before of the checks that were not due.
    fn past(&mut self, session: &Session, ledger: Option<&Ledger>) -> Vec<Seen> {
        let past = match self.here(session).recorded(ledger) {
            Ok(past) => past,
            Err(error) => {
                self.broken = true;
                self.warnings.push(format!(
                    "what was recorded before cannot be read: {error:#}"
                ));
                Past::default()
            }
        };
        self.broken |= !past.lost.is_empty();
        self.warnings.extend(past.lost);
        past.seen
    }

    /// Evidence is about files that stood still. Where they did not, it is about none that could be named, but for that of
    /// checks whose inputs stood.
    fn bind_to(&mut self, now: &Tree, session: &Session, observed: &mut [Option<Observed>]) {
        if now.digest == self.tree.digest {
            return;
        }
        let bindings = session.bindings(now, &self.about);
        for (at, observed) in observed.iter_mut().enumerate() {
            if let Some(Observed::Evidence(evidence)) = observed
                && evidence.binding.inputs != bindings[at].inputs
            {
                evidence.binding.inputs = None;
            }
        }
        const NAMED: usize = 5;
        let changed = self.tree.changed(now);
        let more = match changed.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = changed
            .iter()
            .take(NAMED)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        self.warnings.push(format!(
            "files were changed while the checks ran ({names}{more}): what was seen belongs to no state of the files, and \
             counts as stale from now on; if a check writes them, let git ignore them"
        ));
        self.run.tree = None;
    }
}

/// The id of a run: after that of every run that is recorded, whatever the clock says by now.
fn next_id(before: Option<&Ledger>) -> String {
    let last = before.and_then(|ledger| ledger.last_id().ok()?);
    let last = last.and_then(|id| ulid::Ulid::from_string(&id).ok());
    let new = ulid::Ulid::new();
    match last {
        Some(last) if last >= new => {
            ulid::Ulid::from_parts(last.timestamp_ms() + 1, new.random()).to_string()
        }
        _ => new.to_string(),
    }
}

/// How long each check that is due took when it was last run.
fn durations(
    session: &Session,
    due: &BTreeSet<usize>,
    before: Option<&Ledger>,
) -> Vec<Option<std::time::Duration>> {
    let checks = &session.project.checks;
    let mut durations = vec![None; checks.len()];
    let ids = due.iter().map(|at| checks[*at].id.as_str());
    // Where they cannot be read, the order is another, and nothing else.
    let known = before.and_then(|before| before.durations(ids).ok());
    for (at, known) in due.iter().zip(known.into_iter().flatten()) {
        durations[*at] = known;
    }
    durations
}

/// The version that a program gave of itself before the run, where the manifest asks for one.
fn version_in(preflight: &[Preflight], program: &str) -> Option<String> {
    let name = Path::new(program).file_stem()?.to_str()?;
    let asked = preflight
        .iter()
        .find(|line| line.what.split(' ').next() == Some(name))?;
    let version = asked.seen.strip_prefix("found ")?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.to_string())
}

fn progress_mode(options: &Options, global: &Global) -> Mode {
    let terminal =
        std::io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    match (global.quiet, terminal && !in_ci) {
        (true, _) => Mode::Silent,
        (_, true) => Mode::Terminal,
        _ if std::env::var_os("GITHUB_ACTIONS").is_some() => Mode::BareLines,
        // A machine reads the report; whoever reads the log still sees how far it is.
        _ if !options.outputs.is_table() && !std::io::stderr().is_terminal() => Mode::Silent,
        _ => Mode::Lines,
    }
}
