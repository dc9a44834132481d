//! `ready plan`: the cheapest way to open a gate, and what gains most beyond.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::session::Session;
use super::standing::{Question, Standing};
use super::{Exit, Global, about, from_file, print_text, written};
use crate::reporter::plan;

/// Show the cheapest way to open a gate
///
/// First what the gate names and what that needs, then the cheapest set of further fixes that opens it, by the time that
/// `fix = { takes = "2h" }` of each check estimates, then the rest by points for each minute. It is exact: where it was not
/// proved that nothing cheaper opens the gate, it says so. What has no estimate is listed, and counted on nowhere. Nothing is
/// run: what is recorded is what counts.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready plan
  ready plan --gate production      for that gate; exit 1 while it is closed
  ready plan --from report.json     of a report that was made elsewhere
  ready plan --format json")]
pub(super) struct Options {
    /// The gate to open, which then decides the exit status [default: the first closed one that decides]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,
    /// A report (`ready check --format json`) to plan for instead, judged as of now
    #[arg(long, value_name = "REPORT")]
    from: Option<PathBuf>,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let gate = options.gate.as_deref();
    let (report, broken) = match &options.from {
        Some(path) => {
            let about = about::Asked::default().about()?;
            (
                from_file::judged_again(path, about, gate, None, global)?,
                false,
            )
        }
        None => {
            let session = Session::open(global)?;
            let question = Question {
                gate,
                ..Question::default()
            };
            let standing = Standing::of(&session, question)?;
            let broken = standing.broken;
            (standing.masked(&session), broken)
        }
    };
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            plan::json(&report, &mut text)?;
            written(&[&text])?;
        }
        _ => {
            plan::render(&report, global.style(), &mut text)?;
            print_text(&text)?;
        }
    }
    Ok(match (broken, gate.is_none() || report.decision.open) {
        (true, _) => Exit::Broken,
        (false, true) => Exit::Open,
        (false, false) => Exit::Closed,
    })
}
