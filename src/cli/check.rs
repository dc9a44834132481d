//! `ready check`: run, judge, record, print.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;

use super::authors::name_authors;
use super::base;
use super::detection;
use super::held::look_back;
use super::recorded::{self, Here, Past};
use super::secrets;
use super::selection::Selection;
use super::session::{self, Session, deciding, host};
use super::sharding::{Sharding, Split};
use super::{Exit, Global, about, format_name, no_command, print, style_of};
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Seen, Setting, assess};
use crate::domain::evidence::{Binding, Observed};
use crate::domain::gate::Gate;
use crate::domain::limit::{human_duration, parse_duration};
use crate::domain::reason::{Code, Reason};
use crate::domain::regression::Base;
use crate::domain::report::{CalledFor, Preflight, Report, Run};
use crate::domain::verdict::Verdict;
use crate::ledger::{self, Ledger};
use crate::manifest;
use crate::mask::Masker;
use crate::probe::{Context, Ports, http::Clients, preflight};
use crate::process::Cancel;
use crate::reader;
use crate::reporter::progress::{Mode, Progress};
use crate::runner::{self, Job, Ran, signals};
use crate::sanitise;
use crate::tree::Tree;

/// Run the checks, judge them, record the evidence, print the report
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready check                             everything; the default gate decides the exit status
  ready check backend-tests health        these, and what they need; they decide the exit status
  ready check --component backend
  ready check --gate production --format json > report.json
  ready check --artifact dist/app.tar.gz --environment staging
  ready check --shard 2/5 --durations last.json --format json > 2.json

Without a readiness.toml here or in any folder above, it runs the library checks that the files here call for.
With a selection, the rest of the report is from recorded evidence.")]
pub(super) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// The gate that decides the exit status [default: the default gate, else all]
    #[arg(long, value_name = "NAME", env = "READY_GATE", hide_env_values = true)]
    gate: Option<String>,
    #[command(flatten)]
    about: about::Asked,
    /// Also fail where less than this percentage is verified
    #[arg(long, value_name = "PERCENT", env = "READY_MIN_SCORE", hide_env_values = true, value_parser = percentage)]
    min_score: Option<f64>,
    /// How many checks run at once [default: the number of processors]
    #[arg(short, long, value_name = "N", env = "READY_JOBS", hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=4096))]
    jobs: Option<u32>,
    /// Begin nothing more once a check does not hold
    #[arg(long)]
    fail_fast: bool,
    /// How long the whole run may take (`90s`, `20m`); what has not ended by then is unverified
    #[arg(long, value_name = "DURATION", env = "READY_TIMEOUT", hide_env_values = true, value_parser = duration)]
    timeout: Option<Duration>,
    /// Also run the checks that run on demand
    #[arg(long)]
    all: bool,
    /// Run every check, also those whose `inputs` have not changed since they were last verified
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    sharding: Sharding,
    /// Hold gates with `no_regression` against this report in JSON [default: the last complete run that had not regressed]
    #[arg(long, value_name = "FILE", env = "READY_BASE", hide_env_values = true)]
    base: Option<PathBuf>,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format_name)]
    format: String,
}

impl Default for Options {
    /// Everything, as where nothing is said.
    fn default() -> Options {
        Options {
            selection: Selection::default(),
            gate: None,
            about: about::Asked::default(),
            min_score: None,
            jobs: None,
            fail_fast: false,
            timeout: None,
            all: false,
            fresh: false,
            sharding: Sharding::default(),
            base: None,
            format: "table".to_string(),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let like = |error| format!("{error}: write it like `90s`, `20m` or `1h30m`");
    match parse_duration(text).map_err(like)? {
        Duration::ZERO => Err("it must be longer than nothing".to_string()),
        duration => Ok(duration),
    }
}

pub(super) fn percentage(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|n| (0.0..=100.0).contains(n))
        .ok_or_else(|| format!("`{text}` is not a percentage from 0 to 100"))
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::open_or_detect(global)?;
    let detected = (!session.detected.is_empty()).then(|| {
        let complete = session
            .detected
            .iter()
            .filter(|found| found.missing.is_empty());
        let found = detection::words(complete);
        format!("no {}: detected {found}", manifest::FILE)
    });
    if let (Some(detected), false) = (&detected, global.quiet) {
        let detected = sanitise::line(detected, sanitise::Colour::Drop);
        let _ = writeln!(std::io::stderr(), "{detected}");
    }
    let selected = options.selection.places(&session.project)?;
    let mut due = due(&session, selected.as_ref(), options.all);
    let split = options.sharding.split(&session, &due)?;
    if let Some(split) = &split {
        due.retain(|at| split.is_own(*at));
    }
    let (gates, deciding) = gates(options, &session, selected.is_some(), split.is_some())?;
    let base = options.base.as_deref().map(base::from_file).transpose()?;

    let about = options.about.about()?;
    let tree = session.tree();
    let masker = secrets::masker(&session.project, &session.folder);
    let mut record = Record::start(&session, options, selected.as_ref(), about, tree);
    if let Some(split) = split {
        record.take_share(&session, options, &due, split);
    }
    record.warnings.extend(detected);
    record.called_for = session.called_for(&record.tree)?;
    record.base = base;
    let (ran, preflight) = record.observe(&session, options, global, due, &masker)?;
    let report = record.conclude(&session, &gates, deciding, ran, preflight, &masker);

    if global.quiet && options.format == "table" {
        // The one sentence leaves no room for them, and they may not be lost.
        for warning in &report.warnings {
            let warning = sanitise::line(warning, sanitise::Colour::Drop);
            let _ = writeln!(std::io::stderr(), "warning: {}", no_command(&warning));
        }
    }
    print(&report, &options.format, global.style())?;
    let exit = exit(&report, &record);
    // The process ends here: what the system takes back at once need not be freed piece by piece.
    std::mem::forget((session, record, report));
    Ok(exit)
}

/// The places of the checks that are due: those that are selected with what they need, else all that do not wait to be
/// asked for.
fn due(session: &Session, selected: Option<&BTreeSet<usize>>, on_demand: bool) -> BTreeSet<usize> {
    let all = || (0..session.project.checks.len()).collect::<BTreeSet<_>>();
    let mut due = selected.map_or_else(all, |places| {
        runner::with_needs(&session.project, places.iter().copied())
    });
    due.retain(|at| session.applicable[*at]);
    if selected.is_none() && !on_demand {
        due.retain(|at| !session.project.checks[*at].on_demand);
    }
    due
}

/// The gates of the manifest and of the command line, and what decides. One share of the checks decides by itself: no gate
/// can be judged by it.
fn gates(
    options: &Options,
    session: &Session,
    selected: bool,
    shared: bool,
) -> Result<(Vec<Gate>, Deciding)> {
    let mut gates = session.project.gates.clone();
    if shared {
        deciding(&gates, options.gate.as_deref())?;
        return Ok((gates, Deciding::Selected));
    }
    let mut names = match (selected, &options.gate) {
        (true, None) => vec![],
        (true, Some(named)) if named.is_empty() => vec![],
        (_, named) => deciding(&gates, named.as_deref())?,
    };
    let selected_decide = names.is_empty() && selected;
    if let Some(least) = options.min_score {
        let floor = session::floor(least);
        names.push(floor.name.clone());
        gates.push(floor);
    }
    let deciding = match (selected_decide, names.is_empty()) {
        (true, true) => Deciding::Selected,
        (true, false) => Deciding::SelectedAnd(names),
        (false, _) => Deciding::Gates(names),
    };
    Ok((gates, deciding))
}

fn exit(report: &Report, record: &Record) -> Exit {
    match report {
        _ if record.run.interrupted && !record.run.out_of_time => Exit::Interrupted,
        _ if record.broken => Exit::Broken,
        // Whatever a gate thinks of what it has seen, it has not seen all.
        _ if record.run.out_of_time => Exit::Closed,
        _ if report.decision.open => Exit::Open,
        _ => Exit::Closed,
    }
}

/// A run while it goes on: what is known of it, and what a reader of the report must be told.
struct Record {
    run: Run,
    about: About,
    tree: Tree,
    /// What evidence that is had now is about, by the places of the checks.
    bindings: Vec<Binding>,
    /// The checks that were due and are not run again, with what is recorded of them.
    reused: BTreeMap<usize, Seen>,
    /// How the checks are split, where several machines share them.
    split: Option<Split>,
    /// Whether all that the manifest declares was due.
    whole: bool,
    warnings: Vec<String>,
    called_for: Vec<CalledFor>,
    /// The base that the command line names.
    base: Option<Base>,
    broken: bool,
}

impl Record {
    fn start(
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
        let run = Run {
            id: ulid::Ulid::new().to_string(),
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
        let nowhere = declared
            .filter(|(check, binding)| !check.inputs.is_empty() && binding.inputs.is_none())
            .map(|(check, _)| {
                format!(
                    "`inputs` of {} match no file: its evidence counts for the state of all files",
                    check.id
                )
            });
        Record {
            warnings: nowhere.collect(),
            run,
            about,
            tree,
            bindings,
            reused: BTreeMap::new(),
            split: None,
            whole: selected.is_none(),
            called_for: vec![],
            base: None,
            broken: false,
        }
    }

    /// Makes it the run of one share of the checks, of which `own` is due.
    fn take_share(
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
    fn observe(
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
        let durations = durations(session, &due);
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

    /// The checks among those that are due that need no look, with what is recorded of them. What cannot be read of the
    /// ledger is told when the run is recorded.
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
        let Some(ledger) = Ledger::open_existing(&session.folder).ok().flatten() else {
            return BTreeMap::new();
        };
        let here = self.here(session);
        let Ok(past) = here.recorded(Some(&ledger)) else {
            return BTreeMap::new();
        };
        let reusable = here.reusable(due, &past);
        let seen = past.seen.into_iter().enumerate();
        seen.filter(|(at, _)| reusable.contains(at))
            .map(|(at, seen)| (at, recorded::reused(seen)))
            .collect()
    }

    fn here<'a>(&'a self, session: &'a Session) -> Here<'a> {
        Here {
            session,
            tree: &self.tree,
            bindings: &self.bindings,
            now: self.run.started,
            host: &self.run.host.name,
        }
    }

    /// Judges what was observed together with what the ledger knows of the rest, and records it.
    fn conclude(
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
        let mut ledger = match Ledger::open(&session.folder) {
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
                    None => self.not_looked_at(session, at, past),
                },
            })
            .collect::<Vec<_>>();
        let now = Timestamp::now();
        let lost = look_back(&session.project, gates, ledger.as_ref(), &mut seen, now);
        self.broken |= !lost.is_empty();
        self.warnings.extend(lost);
        let bases = self.bases(gates, ledger.as_ref());
        let setting = Setting {
            bases,
            ready: env!("CARGO_PKG_VERSION").to_string(),
            run: Some(self.run.clone()),
            about: self.about.clone(),
            preflight,
            called_for: std::mem::take(&mut self.called_for),
            warnings: std::mem::take(&mut self.warnings),
            deciding,
        };
        let mut report = assess(&session.project, gates, seen, setting, now);
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
    fn not_looked_at(&self, session: &Session, at: usize, past: Option<Seen>) -> Seen {
        let not_run = |text: &str| Observed::Withheld(Reason::new(Code::NotRun, text));
        let past = past.unwrap_or_else(|| Seen::now(not_run("it was not run")));
        let Some(text) = self.split.as_ref().and_then(|split| split.elsewhere(at)) else {
            return past;
        };
        let judgement = past.judge(&session.project.checks[at], self.run.finished);
        match judgement.verdict {
            Verdict::Unverified if !judgement.attested() => Seen::now(not_run(&text)),
            _ => past,
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

/// How long each check that is due took when it was last run. What cannot be read here is told when the run is recorded.
fn durations(session: &Session, due: &BTreeSet<usize>) -> Vec<Option<std::time::Duration>> {
    let ledger = match due.is_empty() {
        true => None,
        false => Ledger::open_existing(&session.folder).ok().flatten(),
    };
    let duration = |id: &str| ledger.as_ref()?.duration(id).ok()?;
    let checks = session.project.checks.iter().enumerate();
    checks
        .map(|(at, check)| due.contains(&at).then(|| duration(&check.id)).flatten())
        .collect()
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
        _ if options.format == "json" && !std::io::stderr().is_terminal() => Mode::Silent,
        _ => Mode::Lines,
    }
}
