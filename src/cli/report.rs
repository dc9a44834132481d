//! `ready report`: the report of a recorded run, or one in a file, in any format. Nothing is run, and nothing is judged again.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::outputs::{Of, Outputs};
use super::{Exit, Global, Usage, report_file, runs};
use crate::ledger::Ledger;

/// Render the report of the last run, of an earlier one, or one in a file, in any format
///
/// The report is shown as it was made; `ready status` judges what is recorded as of now.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready report --format html > .ready/report.html
  ready report --format markdown               for the release ticket
  ready report last~1 --format brief           of the run before the last
  ready report --from report.json --report junit=junit.xml --report html=report.html")]
pub(super) struct Options {
    /// `last`, `last~1`, a run's id or the beginning of one [default: the last run]
    #[arg(value_name = "RUN", conflicts_with = "from")]
    run: Option<String>,
    /// A report in JSON to render
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

const RUNS: &str =
    "`last`, `last~1`, a run's id or the beginning of one: `ready history --all` shows them";

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    options.outputs.probe()?;
    let (report, of) = match &options.from {
        Some(path) => (report_file::read(path)?, Of::File),
        None => {
            let ledger = Ledger::open_existing(&runs::folder(global)?)?;
            let Some(ledger) =
                ledger.filter(|ledger| ledger.last_runs(1).is_ok_and(|runs| !runs.is_empty()))
            else {
                let hint = Some("run `ready check`, or name a report with `--from`".to_string());
                return Err(
                    Usage::new("nothing is recorded yet: there is no run to report", hint).into(),
                );
            };
            let word = options.run.as_deref().unwrap_or("last");
            let row = runs::run(word, &ledger)?;
            let row = row.ok_or_else(|| {
                Usage::new(format!("there is no run `{word}`"), Some(RUNS.to_string()))
            })?;
            let report = runs::report(&row, &ledger)?;
            (ledger.with_evidence(report)?, Of::Record)
        }
    };
    options.outputs.emit(&report, of, global)?;
    Ok(Exit::Open)
}
