//! `ready merge`: one report out of those of several machines.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;

use super::base;
use super::outputs::{Of, Outputs};
use super::session::{deciding, floor};
use super::{Exit, Global, Usage, check, report_file, writing};
use crate::domain::again::keep_authors;
use crate::domain::assess::{Deciding, Setting, assess};
use crate::domain::merge::{Named, merge};
use crate::reporter;

/// Make one report out of those of several machines
///
/// The reports (`ready check --format json`) must be about the same files and the same manifest. Of each check, what says
/// something (verified, partial, failed) beats what is unverified, and the worse counts where several say something; what
/// each machine saw is kept beside it. The gates decide as in `ready check`. Nothing is run or recorded, and no manifest is
/// needed.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready merge laptop.json ci.json
  ready merge shards/*.json --output report.json    the parts of `ready check --shard`, as one
  ready merge shards/*.json --gate production       let that gate decide the exit status")]
pub(super) struct Options {
    /// Reports, as JSON
    #[arg(value_name = "FILE", required = true)]
    reports: Vec<PathBuf>,
    /// The gate that decides the exit status [default: the default gate, else all]
    #[arg(long, value_name = "NAME", env = "READY_GATE", hide_env_values = true)]
    gate: Option<String>,
    /// Also fail where less than this percentage is verified
    #[arg(long, value_name = "PERCENT", env = "READY_MIN_SCORE", hide_env_values = true, value_parser = check::percentage)]
    min_score: Option<f64>,
    /// Hold gates with `no_regression` or `no_fewer_tests` against this report in JSON [default: what the reports were held against]
    #[arg(long, value_name = "FILE", env = "READY_BASE", hide_env_values = true)]
    base: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
    /// Also write the merged report there, as JSON
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    options.outputs.probe()?;
    let read = options.reports.iter().map(|path| {
        Ok(Named {
            name: path.display().to_string(),
            report: report_file::read(path)?,
        })
    });
    let reports = read.collect::<Result<Vec<_>, Usage>>()?;
    let known = reports.iter().map(|named| named.report.clone());
    let known = known.collect::<Vec<_>>();
    let (id, now) = (ulid::Ulid::new().to_string(), Timestamp::now());
    let merged = merge(reports, id, now).map_err(|refusal| {
        let hint = "only reports about the same files, manifest and split make one";
        Usage::new(refusal.to_string(), Some(hint.to_string()))
    })?;
    let mut gates = merged.again.project.gates.clone();
    let bases = match &options.base {
        Some(path) => base::named(&gates, path, &merged.again.project.name)?,
        None => merged.again.bases,
    };
    let mut names = deciding(&gates, options.gate.as_deref())?;
    if let Some(least) = options.min_score {
        let floor = floor(least);
        names.push(floor.name.clone());
        gates.push(floor);
    }
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: Some(merged.run),
        about: merged.about,
        preflight: merged.preflight,
        called_for: merged.again.called_for,
        found: merged.again.found,
        bases,
        against: merged.again.against,
        warnings: merged.warnings,
        deciding: Deciding::Gates(names),
    };
    let mut report = assess(
        &merged.again.project,
        &gates,
        merged.again.seen,
        setting,
        now,
    );
    for named in &known {
        keep_authors(&mut report, named);
    }
    if let Some(path) = &options.output {
        let mut text = vec![];
        reporter::json::render(&report, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        writing::replace(path, &text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    options.outputs.emit(&report, Of::Merge, global)?;
    // Whatever a gate thinks of what was seen until a run was stopped, that is not all.
    let stopped = report.run.as_ref().is_some_and(|run| run.interrupted);
    Ok(match report.decision.open && !stopped {
        true => Exit::Open,
        false => Exit::Closed,
    })
}
