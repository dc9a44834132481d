//! `ready claims`: what documents claim, beside what is verified; and the part of a document that says what is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::documents::{self, Documents};
use super::session::{self, Session};
use super::standing::{Question, Standing, last_run};
use super::{Exit, Global, Usage, print_text, warn, writing, written};
use crate::claims::block::{self, Missing};
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Setting, assess};
use crate::domain::project::Project;
use crate::domain::report::Report;
use crate::reporter::claims;
use crate::tree;

/// Set what documents claim beside what is verified
///
/// Claims are percentages, ratios, marks, counts and changes in Markdown. Each is held against the check or component of
/// that name, alias or id (`<!-- ready: ID -->` on its line) and the newest recorded evidence of it: backed, contradicted
/// (the evidence rules it out), unproved (it does not reach it), unbacked (nothing checks it), unclaimed (it says less than
/// what is verified). Nothing is run. Without a manifest, documents are read all the same: nothing checks them then.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready claims                        of the manifest and its `[claims] documents`
  ready claims STATUS.md docs/*.md    of these documents
  ready claims --format markdown      as a comment on a pull request
  ready claims --format github        each contradicted claim as an annotation on its line
  ready claims --write STATUS.md      renew what stands between <!-- ready:begin --> and <!-- ready:end -->
  ready claims --write STATUS.md --check    exit 1 where that is out of date; nothing is written")]
pub(super) struct Options {
    /// Documents in Markdown [default: those of `[claims] documents`]
    #[arg(value_name = "DOC", conflicts_with = "write")]
    documents: Vec<PathBuf>,
    /// Let this gate decide the exit status [default: exit 0 whatever is claimed]
    #[arg(long, value_name = "NAME", conflicts_with = "write")]
    gate: Option<String>,
    /// The output: table, json, markdown or github
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = claims::FORMATS, conflicts_with = "write")]
    format: String,
    /// Renew the table of what is verified between the markers in this document, and nothing outside of them
    #[arg(long, value_name = "DOC")]
    write: Option<PathBuf>,
    /// Write nothing; exit 1 where the table is out of date
    #[arg(long, requires = "write")]
    check: bool,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    if let Some(path) = &options.write {
        return renew(path, options.check, global);
    }
    let documents = match options.documents.as_slice() {
        [] => None,
        paths => Some(documents::named(paths)?),
    };
    let (report, exit, folder) = match (Session::find(global)?, documents) {
        (Some(session), documents) => held(&session, documents, options)?,
        (None, Some(documents)) => alone(documents, options)?,
        (None, None) => return Err(session::no_manifest().into()),
    };
    let mut text = vec![];
    match options.format.as_str() {
        "json" => claims::json(&report, &mut text)?,
        "markdown" => claims::markdown(&report, &mut text)?,
        "github" => {
            let base = match options.documents.is_empty() {
                true => folder,
                false => PathBuf::new(),
            };
            let path = |name: &str| tree::within(&base.join(name)).unwrap_or(name.to_string());
            claims::github(&report, path, &mut text)?;
        }
        _ => claims::render(&report, global.style(), &mut text)?,
    }
    match options.format.as_str() {
        "table" => print_text(&text)?,
        _ => written(&[&text])?,
    }
    Ok(exit)
}

/// Claims held against what is recorded.
fn held(
    session: &Session,
    documents: Option<Documents>,
    options: &Options,
) -> Result<(Report, Exit, PathBuf)> {
    let only = documents.is_some();
    let question = Question {
        gate: options.gate.as_deref(),
        documents,
        ..Question::default()
    };
    let standing = Standing::of(session, question)?;
    let broken = standing.broken;
    let mut report = standing.masked(session);
    if only {
        // Asked for these documents, nobody wants to know what the manifest says.
        let named = std::mem::take(&mut report.declared.documents);
        let skipped = report.claims.len() - named.len();
        report.claims.drain(..skipped);
    }
    let exit = match (broken, options.gate.is_some() && !report.decision.open) {
        (true, _) => Exit::Broken,
        (false, true) => Exit::Closed,
        (false, false) => Exit::Open,
    };
    Ok((report, exit, session.folder.clone()))
}

/// Claims where no manifest says what would check them.
fn alone(documents: Documents, options: &Options) -> Result<(Report, Exit, PathBuf)> {
    if options.gate.is_some() {
        return Err(session::no_manifest().into());
    }
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: None,
        about: About::default(),
        preflight: vec![],
        called_for: vec![],
        found: documents.found,
        bases: Default::default(),
        against: None,
        warnings: vec![
            "no manifest here: nothing checks what is claimed (`ready init` writes one)"
                .to_string(),
        ],
        deciding: Deciding::Gates(vec![]),
    };
    let now = jiff::Timestamp::now();
    let report = assess(&Project::default(), &[], vec![], setting, now);
    Ok((report, Exit::Open, PathBuf::new()))
}

/// Renews the part of a document that is ours, or tells whether it should be.
fn renew(path: &Path, only_check: bool, global: &Global) -> Result<Exit> {
    let name = path.display().to_string();
    let session = Session::open(global)?;
    let text = std::fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
    let text = String::from_utf8(text).map_err(|_| {
        Usage::new(
            format!("`{name}` is not UTF-8"),
            Some("save it as UTF-8".to_string()),
        )
    })?;
    let part = block::find(&text).map_err(|missing| no_part(&name, &missing))?;
    let standing = Standing::of(&session, Question::default())?;
    let run = standing.ledger.as_ref().and_then(last_run);
    let broken = standing.broken;
    let report = standing.masked(&session);
    for warning in &report.warnings {
        warn(warning);
    }
    if !only_check && !documents::is_declared(&session, path) {
        warn(&format!(
            "`{name}` is not among `[claims] documents`: renewing it makes evidence stale, as any change does"
        ));
    }
    let lines = claims::status_block(&report, run.as_ref());
    // When and where it was had changes with every run; what it says need not.
    let said = |block: &str| {
        block
            .replace("\r\n", "\n")
            .split_once('\n')
            .map(|(_, rest)| rest.to_string())
    };
    let fresh = said(&text[part]) == said(&lines);
    let (exit, word) = match (only_check, fresh) {
        _ if broken => (Exit::Broken, "is not touched: the ledger is damaged"),
        (true, true) => (Exit::Open, "says what is verified"),
        (true, false) => (
            Exit::Closed,
            "is out of date: `ready claims --write` renews it",
        ),
        (false, _) => {
            let renewed =
                block::renewed(&text, &lines).map_err(|missing| no_part(&name, &missing))?;
            writing::replace(path, &renewed).with_context(|| format!("cannot write `{name}`"))?;
            (Exit::Open, "is renewed")
        }
    };
    if !global.quiet {
        print_text(
            format!(
                "`{}` {word}\n",
                crate::sanitise::line(&name, crate::sanitise::Colour::Drop)
            )
            .as_bytes(),
        )?;
    }
    Ok(exit)
}

fn no_part(name: &str, missing: &Missing) -> Usage {
    let (begin, end) = (
        format!("{} -->", block::BEGIN),
        format!("{} -->", block::END),
    );
    let (message, hint) = match missing {
        Missing::Markers => (
            format!("`{name}` has no part to renew"),
            format!("put the lines `{begin}` and `{end}` where it shall stand"),
        ),
        Missing::Partner(line) => (
            format!("{name}:{line}: the marker has no partner"),
            format!("the part begins with a line `{begin}` and ends with a line `{end}`"),
        ),
        Missing::Second(line) => (
            format!("{name}:{line}: a second part begins"),
            "there can be one part in a document".to_string(),
        ),
    };
    Usage::new(message, Some(hint))
}
