//! `ready check`: run, judge, record, print.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::base;
use super::detection;
use super::documents;
use super::outputs::{Of, Outputs};
use super::record::Record;
use super::secrets;
use super::selection::Selection;
use super::session::{self, Session, deciding};
use super::sharding::Sharding;
use super::{Exit, Global, about, warn};
use crate::domain::assess::Deciding;
use crate::domain::gate::Gate;
use crate::domain::limit::parse_duration;
use crate::domain::report::Report;
use crate::manifest;
use crate::runner;
use crate::sanitise;

/// Run the checks, judge them, record the evidence, print the report
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready check                             everything; the default gate decides the exit status
  ready check backend-tests health        these, and what they need; they decide the exit status
  ready check --component backend
  ready check --gate production --format json > ../report.json
  ready check --report html=.ready/report.html --report junit=.ready/junit.xml
  ready check --artifact dist/app.tar.gz --environment staging
  ready check --shard 2/5 --durations last.json --format json > ../2.json

Without a readiness.toml here or in any folder above, it runs the library checks that the files here call for.
With a selection, the rest of the report is from recorded evidence.
A report is best written into .ready, outside of the project, or where git ignores it: among its files it would be one of those that are judged.
In GitHub Actions the run also annotates the manifest's lines, writes the summary of the step and sets outputs (open, verified, ceiling, claimed, unverified-checks, failed-checks); in GitLab it writes .ready/junit.xml. `--no-ci` turns that off.")]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// The gate that decides the exit status [default: the default gate, else all]
    #[arg(long, value_name = "NAME", env = "READY_GATE", hide_env_values = true)]
    pub(super) gate: Option<String>,
    #[command(flatten)]
    pub(super) about: about::Asked,
    /// Also fail where less than this percentage is verified
    #[arg(long, value_name = "PERCENT", env = "READY_MIN_SCORE", hide_env_values = true, value_parser = percentage)]
    pub(super) min_score: Option<f64>,
    /// How many checks run at once [default: the number of processors]
    #[arg(short, long, value_name = "N", env = "READY_JOBS", hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) jobs: Option<u32>,
    /// Begin nothing more once a check does not hold
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// How long the whole run may take (`90s`, `20m`); what has not ended by then is unverified
    #[arg(long, value_name = "DURATION", env = "READY_TIMEOUT", hide_env_values = true, value_parser = duration)]
    pub(super) timeout: Option<Duration>,
    /// Also run the checks that run on demand
    #[arg(long)]
    pub(super) all: bool,
    /// Run every check, also those whose `inputs` have not changed since they were last verified
    #[arg(long)]
    pub(super) fresh: bool,
    #[command(flatten)]
    pub(super) sharding: Sharding,
    /// Hold gates with `no_regression` or `no_fewer_tests` against this report in JSON [default: the last complete run that had not regressed]
    #[arg(long, value_name = "FILE", env = "READY_BASE", hide_env_values = true)]
    pub(super) base: Option<PathBuf>,
    /// Hold gates with `no_weakening` against the manifest of this git revision [default: what the CI system names, else origin/HEAD, origin/main]
    #[arg(
        long,
        value_name = "REV",
        env = "READY_AGAINST",
        hide_env_values = true
    )]
    pub(super) against: Option<String>,
    #[command(flatten)]
    pub(super) outputs: Outputs,
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
            against: None,
            outputs: Outputs::default(),
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
    options.outputs.probe()?;
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
    let base = options
        .base
        .as_deref()
        .map(|path| base::from_file(path, &session.project.name))
        .transpose()?;

    let about = options.about.about()?;
    let documents = documents::declared(&session)?;
    let tree = session.tree();
    let masker = secrets::masker(&session.project, &session.folder);
    let mut record = Record::start(&session, options, selected.as_ref(), about, tree);
    if let Some(split) = split {
        record.take_share(&session, options, &due, split);
    }
    record.warnings.extend(detected);
    record.documents = documents;
    record.called_for = session.called_for(&record.tree)?;
    record.base = base;
    record.against = options.against.clone();
    let (ran, preflight) = record.observe(&session, options, global, due, &masker)?;
    let report = record.conclude(&session, &gates, deciding, ran, preflight, &masker);

    if global.quiet && options.outputs.is_table() {
        // The one sentence leaves no room for them, and they may not be lost.
        for warning in &report.warnings {
            warn(warning);
        }
    }
    options.outputs.emit(&report, Of::Run, global)?;
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
