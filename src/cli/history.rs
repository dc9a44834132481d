//! `ready history`: the trend over recorded runs. Nothing is run.

use anyhow::Result;
use clap::Args;

use super::runs::{self, Kept};
use super::selection::nearest;
use super::{Exit, Global, Usage, print_text, written};
use crate::domain::history::History;
use crate::ledger::{Ledger, RunRow};
use crate::reporter;

/// Print the trend over recorded runs: what was verified, how steady each check is, how long it takes
///
/// A check is flaky where its verdict changed between runs of the same files with the same definition. Only what a run
/// looked at itself is compared.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready history
  ready history --last 100
  ready history --check backend-tests   its verdict, credit and duration, run by run
  ready history --component backend
  ready history --format json")]
pub(super) struct Options {
    /// How many runs, the newest
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    last: u64,
    /// Also runs of selected checks, and those that were interrupted
    #[arg(long)]
    all: bool,
    /// The trend of this component; may be given several times
    #[arg(long, value_name = "ID")]
    component: Vec<String>,
    /// The trend of this check; may be given several times
    #[arg(long, value_name = "ID")]
    check: Vec<String>,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let ledger = Ledger::open_existing(&runs::folder(global)?)?;
    let mut rows = match &ledger {
        Some(ledger) if options.all => ledger.last_runs(options.last)?,
        Some(ledger) => ledger.complete_runs(None, options.last)?,
        None => vec![],
    };
    rows.reverse();
    let kept = match &ledger {
        Some(ledger) => Kept::of(ledger, &rows)?,
        None => Kept::default(),
    };
    let history = History::of(&kept.reports);
    known(options, &history)?;
    let selects = !(options.check.is_empty() && options.component.is_empty());
    let history = match selects {
        true => history.only(&options.check, &options.component),
        false => history,
    };
    let mut warnings = nothing(ledger.as_ref(), &rows)?;
    if let [first, more @ ..] = kept.pruned.as_slice() {
        let runs = match more.len() {
            0 => format!("the report of run {first} was pruned"),
            more => format!(
                "the reports of {} runs were pruned, {first} the first",
                more + 1
            ),
        };
        warnings.push(format!("{runs}: only its place in the chain is left"));
    }
    let broken = !kept.lost.is_empty();
    warnings.extend(kept.lost);
    let shown = reporter::history::Shown {
        history: &history,
        components: &options.component,
        warnings: &warnings,
    };
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            shown.json(&mut text)?;
            written(&[&text])?;
        }
        _ => {
            shown.table(selects, global.style(), &mut text)?;
            print_text(&text)?;
        }
    }
    Ok(if broken { Exit::Broken } else { Exit::Open })
}

/// What to say where there is no run to show.
fn nothing(ledger: Option<&Ledger>, rows: &[RunRow]) -> Result<Vec<String>> {
    if !rows.is_empty() {
        return Ok(vec![]);
    }
    let any = match ledger {
        Some(ledger) => !ledger.last_runs(1)?.is_empty(),
        None => false,
    };
    Ok(vec![match any {
        true => "no complete run is recorded: `--all` also shows those of selected checks, and interrupted ones".to_string(),
        false => "nothing is recorded yet: run `ready check`".to_string(),
    }])
}

/// Whether all that is asked for stands in one of the runs.
fn known(options: &Options, history: &History) -> Result<(), Usage> {
    if history.runs.is_empty() {
        return Ok(());
    }
    let checks = || history.checks.iter().map(|trend| trend.id.as_str());
    let missing = |what: &str, id: &str, known: Vec<&str>| {
        let hint = nearest(id, known)
            .unwrap_or_else(|| "`--last N` looks further back, `--all` at every run".to_string());
        Usage::new(format!("no {what} `{id}` stands in these runs"), Some(hint))
    };
    if let Some(id) = options
        .check
        .iter()
        .find(|id| !checks().any(|known| known == *id))
    {
        return Err(missing("check", id, checks().collect()));
    }
    let components = || history.components();
    match options
        .component
        .iter()
        .find(|id| !components().any(|known| known == *id))
    {
        Some(id) => Err(missing("component", id, components().collect())),
        None => Ok(()),
    }
}
