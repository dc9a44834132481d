//! `ready diff --runs A B`: what moved the score from one run to another. Nothing is run.

use anyhow::Result;
use clap::Args;

use super::runs;
use super::{Exit, Global, Usage, format_name, print_text, written};
use crate::domain::diff::{Diff, verified};
use crate::ledger::Ledger;
use crate::reporter;

/// Print what moved the verified score from one run to another
///
/// Every difference has its share, and the shares add up exactly: which checks there are, weights and caps, tools that
/// went missing or came, evidence that went stale, results. Waivers are shown and never move a score.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready diff --runs last~1 last
  ready diff --runs 01JD8ZK3 last          a run by the beginning of its id: `ready history` shows them
  ready diff --runs main.json branch.json  reports that `ready check --format json` wrote, here or elsewhere")]
pub(super) struct Options {
    /// A git revision
    #[arg(value_name = "BASE", hide = true)]
    base: Option<String>,
    /// The two: `last`, `last~1`, a run's id or its beginning, or a file with a report in JSON
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    runs: Vec<String>,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format_name)]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let example = || Some("two recorded runs: `ready diff --runs last~1 last`".to_string());
    if let Some(base) = &options.base {
        let message = format!("a diff against a git revision, `{base}`, is not supported yet");
        return Err(Usage::new(message, example()).into());
    }
    let [from, to] = options.runs.as_slice() else {
        return Err(Usage::new("say what to compare", example()).into());
    };
    let ledger = Ledger::open_existing(&runs::folder(global)?)?;
    let reports = [from, to].map(|word| runs::named(word, ledger.as_ref()));
    let [before, after] = reports;
    let (before, after) = (before?, after?);
    for (word, report) in [(from, &before), (to, &after)] {
        verified(report).map_err(|mismatch| Usage::new(format!("`{word}`: {mismatch}"), None))?;
    }
    let diff = Diff::between(&before, &after)?;
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            reporter::json::document(&diff, &mut text)?;
            written(&[&text])?;
        }
        _ => {
            reporter::diff::render(&diff, global.style(), &mut text)?;
            print_text(&text)?;
        }
    }
    Ok(Exit::Open)
}
