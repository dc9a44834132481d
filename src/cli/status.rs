//! `ready status`: the table from recorded evidence. Nothing is run.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;

use super::authors::name_authors;
use super::held::look_back;
use super::recorded::{Here, Past};
use super::secrets;
use super::session::{self, Session, host};
use super::{Exit, Global, about, format_name, from_file, print};
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Setting, assess};
use crate::domain::report::{Report, Run};
use crate::ledger::Ledger;

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
  ready status --format json")]
pub(super) struct Options {
    /// Let this gate decide the exit status [default: exit 0 whatever the gates say]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,
    #[command(flatten)]
    about: about::Asked,
    /// A report (`ready check --format json`) to show instead, judged as of now
    #[arg(long, value_name = "REPORT")]
    from: Option<PathBuf>,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format_name)]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    if let Some(path) = &options.from {
        let report = from_file::judged_again(
            path,
            options.about.about()?,
            options.gate.as_deref(),
            global,
        )?;
        print(&report, &options.format, global.style())?;
        return Ok(exit(options, &report));
    }
    let session = Session::open(global)?;
    let gates = &session.project.gates;
    let deciding = session::deciding(gates, options.gate.as_deref())?;
    let ledger = Ledger::open_existing(&session.folder)?;
    let (tree, now) = (session.tree(), Timestamp::now());
    let here = Here {
        session: &session,
        tree: &tree,
        bindings: &session.bindings(&tree, &About::default()),
        now,
        host: &host().name,
    };
    let Past { mut seen, mut lost } = here.recorded(ledger.as_ref())?;
    lost.extend(look_back(
        &session.project,
        gates,
        ledger.as_ref(),
        &mut seen,
        now,
    ));
    let mut warnings = match &ledger {
        None => vec!["nothing is recorded yet: run `ready check`".to_string()],
        Some(ledger) => match last_run(ledger) {
            Some(run) if run.interrupted => {
                vec![format!(
                    "the last run, {}, was interrupted: what it did not finish is shown as it was before",
                    run.id
                )]
            }
            _ => vec![],
        },
    };
    let broken = !lost.is_empty();
    warnings.extend(lost);
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: None,
        about: options.about.about()?,
        preflight: vec![],
        called_for: session.called_for(&tree)?,
        warnings,
        deciding: Deciding::Gates(deciding),
    };
    let mut report = assess(&session.project, gates, seen, setting, now);
    name_authors(&mut report, &session);
    report.ledger = ledger.as_ref().map(Ledger::head).transpose()?.flatten();
    let report = secrets::masked(report, &secrets::masker(&session.project, &session.folder));
    print(&report, &options.format, global.style())?;
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

/// The newest run, as far as its report is kept and can be read: what is damaged of it is told elsewhere.
fn last_run(ledger: &Ledger) -> Option<Run> {
    let last = ledger.last_runs(1).ok()?.pop()?;
    ledger.report(&last.id).ok()??.run
}
