//! `ready explain CHECK`: what it runs, its last evidence, why this verdict, how to do it by hand, how to mend it.

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use super::secrets;
use super::session::Session;
use super::{Exit, Global, Usage, print_text, selection};
use crate::domain::assess::{Deciding, Setting, assess};
use crate::ledger::Ledger;
use crate::manifest::{Library, parse_library_check};
use crate::reporter;

/// Explain a check: what it runs, its last evidence, why this verdict, how to mend it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready explain backend-tests
  ready list                   names the checks")]
pub(super) struct Options {
    /// The check, by id
    check: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::open(global)?;
    let Some(check) = session.project.check(&options.check) else {
        let ids = session.project.checks.iter().map(|check| check.id.as_str());
        let hint = selection::nearest(&options.check, ids)
            .unwrap_or_else(|| "`ready list` names the checks".to_string());
        return Err(
            Usage::new(format!("there is no check `{}`", options.check), Some(hint)).into(),
        );
    };
    let doc = match check
        .library
        .as_deref()
        .and_then(|name| Library::built_in().get(name))
    {
        Some((file, text)) => Some(parse_library_check(&file, &text)?.doc),
        None => None,
    };
    let ledger = Ledger::open_existing(&session.folder)?;
    let seen = session.recorded(ledger.as_ref(), &session.tree())?;
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: None,
        preflight: vec![],
        warnings: vec![],
        deciding: Deciding::Gates(vec![]),
    };
    let report = assess(
        &session.project,
        &session.project.gates,
        seen,
        setting,
        Timestamp::now(),
    );
    // Its id may hold what is a secret elsewhere, so its place is found before that is masked.
    let mut rows = report.checks.iter();
    let place = rows.position(|row| row.id == options.check);
    let report = secrets::masked(report, &secrets::masker(&session.project, &session.folder));
    let row = place
        .and_then(|place| report.checks.get(place))
        .ok_or_else(|| anyhow!("the check was lost"))?;
    let mut text = vec![];
    reporter::explain::render(&report, row, doc.as_deref(), global.style(), &mut text)?;
    print_text(&text)?;
    Ok(Exit::Open)
}
