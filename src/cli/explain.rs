//! `ready explain CHECK`: what it runs, its last evidence, why this verdict, how to do it by hand, how to mend it.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use super::authors::name_authors;
use super::proofs;
use super::recorded::{Here, Past};
use super::secrets;
use super::session::{self, Session, host};
use super::{Exit, Global, Usage, catalogue, print_text, selection};
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Setting, assess};
use crate::ledger::Ledger;
use crate::manifest::Library;
use crate::reporter::{self, Style};

/// Explain a check: what it runs, its last evidence, why this verdict, how to mend it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready explain backend-tests
  ready explain pytest         a check of the library that the manifest does not declare: its parameters, its tool
  ready list                   names the checks")]
pub(super) struct Options {
    /// The check, by id; else a check of the library, by name
    check: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::find(global)?;
    let built_in = Library::built_in();
    let library = session
        .as_ref()
        .map_or(&built_in, |session| &session.library);
    let name = &options.check;
    let declared = session
        .as_ref()
        .filter(|session| session.project.check(name).is_some());
    let text = match (declared, library.check(name)?, &session) {
        (Some(session), ..) => declared_check(session, name, global.style())?,
        (None, Some(check), _) => catalogue::page(&check).into_bytes(),
        (None, None, Some(session)) => return Err(unknown(session, name).into()),
        (None, None, None) => return Err(session::no_manifest().into()),
    };
    print_text(&text)?;
    Ok(Exit::Open)
}

fn unknown(session: &Session, name: &str) -> Usage {
    let ids = session.project.checks.iter().map(|check| check.id.as_str());
    let hint = selection::nearest(name, ids.chain(session.library.names())).unwrap_or_else(|| {
        "`ready list` names the checks, `ready list --library` those of the library".to_string()
    });
    Usage::new(format!("there is no check `{name}`"), Some(hint))
}

/// What the check is, what is known of it, and what its definition in the library says.
fn declared_check(session: &Session, id: &str, style: Style) -> Result<Vec<u8>> {
    let used = session
        .project
        .check(id)
        .and_then(|check| check.library.as_deref());
    let used = used
        .map(|name| session.library.check(name))
        .transpose()?
        .flatten();
    let doc = used.map(|used| match &used.seen {
        Some(seen) => format!(
            "{}\nTried with its tool: {}.",
            used.doc,
            catalogue::seen(seen)
        ),
        None => used.doc,
    });
    let ledger = Ledger::open_existing(&session.folder)?;
    let (tree, now) = (session.tree(), Timestamp::now());
    let bindings = session.bindings(&tree, &About::default());
    let host = host();
    let here = Here::new(session, &tree, &bindings, now, &host.name);
    let Past { mut seen, mut lost } = here.recorded(ledger.as_ref())?;
    let known = ledger.as_ref();
    lost.extend(proofs::add(session, known, &bindings, &mut seen, now));
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: None,
        about: About::default(),
        preflight: vec![],
        found: vec![],
        called_for: vec![],
        // Its page shows no gate.
        bases: BTreeMap::new(),
        against: None,
        warnings: lost,
        deciding: Deciding::Gates(vec![]),
    };
    let mut report = assess(&session.project, &session.project.gates, seen, setting, now);
    name_authors(&mut report, session);
    // Its id may hold what is a secret elsewhere, so its place is found before that is masked.
    let mut rows = report.checks.iter();
    let place = rows.position(|row| row.id == id);
    let report = secrets::masked(report, &secrets::masker(&session.project, &session.folder));
    let row = place
        .and_then(|place| report.checks.get(place))
        .ok_or_else(|| anyhow!("the check was lost"))?;
    let mut text = vec![];
    reporter::explain::render(&report, row, doc.as_deref(), style, &mut text)?;
    Ok(text)
}
