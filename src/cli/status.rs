//! `ready status`: the table from recorded evidence. Nothing is run.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::outputs::{Of, Outputs};
use super::runs;
use super::session::Session;
use super::standing::{Question, Standing};
use super::{Exit, Global, Usage, about, from_file};
use crate::domain::diff::Diff;
use crate::domain::report::{Report, short};
use crate::ledger::{Ledger, RunRow};
use crate::tree;

/// Print the table from recorded evidence; nothing is run
///
/// Evidence counts for the files and the definition of the check that it was had on, and for as long as it may be old;
/// what does not match is unverified (stale).
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready status
  ready status --gate production   exit 1 where that gate is closed
  ready status --gate staging --environment staging --artifact registry/app@sha256:…
  ready status --from report.json  of a report that was made elsewhere: no manifest is needed
  ready status --since v1.4.0      also what rose, fell, appeared and vanished since the run at that commit
  ready status --format markdown   for the release ticket
  ready status --format json")]
pub(super) struct Options {
    /// Let this gate decide the exit status [default: exit 0 whatever the gates say]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,
    #[command(flatten)]
    about: about::Asked,
    /// A report (`ready check --format json`) to show instead, judged as of now
    #[arg(long, value_name = "REPORT", conflicts_with = "since")]
    from: Option<PathBuf>,
    /// Also what has changed since a run: its id or the beginning of one, `last`, or the tag, branch or commit it was at
    #[arg(long, value_name = "REV|RUN")]
    since: Option<String>,
    /// Hold gates with `no_regression` or `no_fewer_tests` against this report in JSON [default: the last complete run that had not regressed]
    #[arg(long, value_name = "FILE", env = "READY_BASE", hide_env_values = true)]
    base: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    options.outputs.probe()?;
    if let Some(path) = &options.from {
        let report = from_file::judged_again(
            path,
            options.about.about()?,
            options.gate.as_deref(),
            options.base.as_deref(),
            global,
        )?;
        options.outputs.emit(&report, Of::File, global)?;
        return Ok(exit(options, &report));
    }
    let session = Session::open(global)?;
    let since = match &options.since {
        Some(word) => Some(since(word, &session)?),
        None => None,
    };
    let question = Question {
        about: options.about.about()?,
        gate: options.gate.as_deref(),
        base: options.base.as_deref(),
        documents: None,
    };
    let mut standing = Standing::of(&session, question)?;
    if let Some(since) = since {
        let run = since.run.as_ref().filter(|run| !run.complete);
        let report = &mut standing.report;
        report.warnings.extend(run.map(|run| {
            format!(
                "run {} was not complete: what it had not looked at is as it was known before",
                run.id
            )
        }));
        let diff = Diff::between(&since, report);
        let why = |error| Usage::new(format!("cannot tell what has changed: {error}"), None);
        report.since = Some(diff.map_err(why)?);
    }
    let broken = standing.broken;
    let report = standing.masked(&session);
    options.outputs.emit(&report, Of::Record, global)?;
    Ok(match broken {
        true => Exit::Broken,
        false => exit(options, &report),
    })
}

/// A verb that only prints is content, unless a gate was asked for.
fn exit(options: &Options, report: &Report) -> Exit {
    match options.gate.is_none() || report.decision.open {
        true => Exit::Open,
        false => Exit::Closed,
    }
}

/// The report of the run that a word names: by itself, or by the commit that it was at.
fn since(word: &str, session: &Session) -> Result<Report> {
    let Some(ledger) = Ledger::open_existing(&session.folder)? else {
        let hint = Some("run `ready check`".to_string());
        return Err(Usage::new("nothing is recorded yet: there is no earlier run", hint).into());
    };
    let row = match runs::run(word, &ledger)? {
        Some(row) => row,
        None => run_at(word, session, &ledger)?,
    };
    runs::report(&row, &ledger)
}

/// The run that was at a revision: the newest complete one, else the newest.
fn run_at(word: &str, session: &Session, ledger: &Ledger) -> Result<RunRow> {
    let Some(commit) = tree::commit_of(&session.folder, word) else {
        let hint = "it may be a run's id or its beginning, `last`, or what git takes for a commit";
        let message = format!("`{word}` is neither a recorded run nor a git revision");
        return Err(Usage::new(message, Some(hint.to_string())).into());
    };
    if let Some(row) = ledger.run_of_commit(&commit)? {
        return Ok(row);
    }
    let mut near = vec![];
    for (commits, where_) in tree::around(&session.folder, &commit)
        .iter()
        .zip(["before", "after"])
    {
        for commit in commits {
            if ledger.run_of_commit(commit)?.is_some() {
                near.push(format!("{} ({where_} it)", short(commit)));
                break;
            }
        }
    }
    let hint = match near.is_empty() {
        true => "no commit before or after it has one: `ready history` shows what is recorded"
            .to_string(),
        false => format!("the nearest commits that have one: {}", near.join(", ")),
    };
    let message = match commit.starts_with(word) {
        true => format!("no run is recorded at commit {}", short(&commit)),
        false => format!("no run is recorded at `{word}`, commit {}", short(&commit)),
    };
    Err(Usage::new(message, Some(hint)).into())
}
