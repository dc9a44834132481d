//! `ready diff`: what moved the score from one run to another, or what a manifest asks otherwise than that of a git revision.
//! Nothing is run.

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;

use super::against;
use super::runs;
use super::session::Session;
use super::standing::{Question, Standing};
use super::{Exit, Global, Usage, print_text, written};
use crate::domain::diff::{Diff, verified};
use crate::ledger::Ledger;
use crate::reporter::{self, goalposts::Compared};

/// Print what the manifest asks otherwise than that of a git revision, or what moved the score from one run to another
///
/// With BASE: every edit of the manifest and of its own folders of checks since that revision, as tighter, weaker or neutral, and
/// what the recorded evidence comes to under both manifests. A change of weights and the like is weaker where the same evidence
/// scores more by it. With `--runs`: every difference with its share of the score, which add up exactly.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready diff origin/main                   the manifest's edits, and this evidence under both manifests
  ready diff origin/main --format github   what was weakened as annotations in a pull request
  ready diff --runs last~1 last
  ready diff --runs 01JD8ZK3 last          a run by the beginning of its id: `ready history` shows them
  ready diff --runs main.json branch.json  reports that `ready check --format json` wrote, here or elsewhere")]
pub(super) struct Options {
    /// A git revision: a branch, a tag, a commit
    #[arg(value_name = "BASE", conflicts_with = "runs")]
    base: Option<String>,
    /// The two: `last`, `last~1`, a run's id or its beginning, or a file with a report in JSON
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    runs: Vec<String>,
    /// The output: table or json; with BASE also github
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json", "github"])]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    if let Some(base) = &options.base {
        return of_manifests(base, options, global);
    }
    let example =
        || Some("`ready diff origin/main`, or `ready diff --runs last~1 last`".to_string());
    let [from, to] = options.runs.as_slice() else {
        return Err(Usage::new("say what to compare", example()).into());
    };
    if options.format == "github" {
        let hint = Some("for annotations, name a revision: `ready diff origin/main`".to_string());
        return Err(Usage::new("two runs are compared as table or json", hint).into());
    }
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

/// The manifest's edits since a revision.
fn of_manifests(base: &str, options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::open(global)?;
    let there = against::there(&session, base).map_err(|problem| Usage::new(problem, None))?;
    let standing = Standing::of(&session, Question::default())?;
    let now = Timestamp::now();
    let (report, ledger) = (&standing.report, standing.ledger.as_ref());
    let both = against::both(&there, &session, report, ledger, now);
    let manifest = session.manifest.as_deref();
    let compared = Compared {
        revision: base,
        commit: &there.commit,
        file: manifest.map_or(String::new(), |path| path.display().to_string()),
        both: both.as_ref(),
        gates: &report.gates,
        decides: &report.decision.gates,
    };
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            reporter::goalposts::json(&compared, &mut text)?;
            written(&[&text])?;
        }
        "github" => {
            reporter::goalposts::github(&compared, &mut text)?;
            written(&[&text])?;
        }
        _ => {
            reporter::goalposts::render(&compared, global.style(), &mut text)?;
            print_text(&text)?;
        }
    }
    Ok(match standing.broken {
        true => Exit::Broken,
        false => Exit::Open,
    })
}
