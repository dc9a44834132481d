//! `ready add NAME`: declares a check of the library in the manifest, and leaves everything else of it as it is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;

use super::detection::{self, Detection};
use super::session::{self, Session};
use super::{Exit, Global, Usage, print_text, selection, writing};
use crate::manifest::{self, Declaration, LibraryCheck};

/// Add a check of the library to the manifest
///
/// It comes after the last check; comments, order and line endings stay as they are. Where the project's files call for
/// it in one place, its parameters are set to that.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready add pytest
  ready add pytest --id backend-tests --component backend --set folder=backend
  ready list --library                what there is
  ready explain pytest                its parameters")]
pub(super) struct Options {
    /// The library check
    name: String,
    /// Its id in the manifest [default: its name]
    #[arg(long)]
    id: Option<String>,
    /// The component that it counts for [default: the library's]
    #[arg(long, value_name = "ID")]
    component: Option<String>,
    /// Set a parameter
    #[arg(long, value_name = "PARAMETER=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write it like `--set path=backend`".to_string())?;
    Ok((name.trim().to_string(), value.to_string()))
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let path = session::manifest(global)?.ok_or_else(session::no_manifest)?;
    let session = Session::load(&path)?;
    let library = &session.library;
    let Some(check) = library.check(&options.name)? else {
        let hint = selection::nearest(&options.name, library.names())
            .unwrap_or_else(|| "`ready list --library` lists what there is".to_string());
        let message = format!("the library has no check `{}`", options.name);
        return Err(Usage::new(message, Some(hint)).into());
    };
    let id = options.id.as_deref().unwrap_or(&options.name);
    if session.project.check(id).is_some() {
        let hint = format!("give this one another name: `--id {id}-2`");
        return Err(Usage::new(format!("there is a check `{id}` already"), Some(hint)).into());
    }
    let (with, why) = parameters(options, &session, &check)?;
    let text = manifest::read(&path)?;
    let declaration = Declaration {
        id,
        says: None,
        component: options.component.as_deref(),
        check: &options.name,
        with,
    };
    let (text, line) = manifest::add(&text, &declaration);
    // Nothing is written that would not load.
    session::load_text(&path, &text)?;
    writing::replace(&path, &text).with_context(|| format!("cannot write `{}`", path.display()))?;
    if !global.quiet {
        let place = format!("{}:{line}", path.display());
        let told = format!("added `{id}` at {place}{why}: `ready check {id}` runs it\n");
        // It is written, whether or not anybody hears of it.
        let _ = print_text(told.as_bytes());
    }
    Ok(Exit::Open)
}

/// What `with` sets: what the command line says, else what the files call for; and that in words.
fn parameters(
    options: &Options,
    session: &Session,
    check: &LibraryCheck,
) -> Result<(BTreeMap<String, String>, String)> {
    let known = || check.params.iter().map(|param| param.name.as_str());
    for (name, _) in &options.set {
        if !known().any(|known| known == name) {
            let hint = selection::nearest(name, known()).unwrap_or_else(|| {
                format!("parameters: {}", known().collect::<Vec<_>>().join(", "))
            });
            let message = format!("`{}` has no parameter `{name}`", check.name);
            return Err(Usage::new(message, Some(hint)).into());
        }
    }
    let mut with = options.set.iter().cloned().collect::<BTreeMap<_, _>>();
    let mut why = String::new();
    if with.is_empty() {
        let found = found(&session.folder, session, &check.name)?;
        match found.as_slice() {
            [] => {}
            [one] => {
                with = one.with.clone();
                why = format!(" for {}", one.file);
            }
            several => {
                let message = format!(
                    "the files here call for `{}` in {} places: {}",
                    check.name,
                    several.len(),
                    detection::words(several)
                );
                // The last one is never the top, which is what there is without `--set`.
                let sets = several
                    .iter()
                    .rev()
                    .find_map(|found| found.with.iter().next());
                let sets = sets.map(|(name, value)| format!("`--set {name}={value} --id …`"));
                let hint = format!("say which one: {}", sets.unwrap_or_default());
                return Err(Usage::new(message, Some(hint)).into());
            }
        }
    }
    let missing = check
        .params
        .iter()
        .filter(|param| param.default.is_none() && !with.contains_key(&param.name));
    let missing = missing
        .map(|param| {
            format!(
                "--set {}=… ({})",
                param.name,
                param.help.as_deref().unwrap_or("no help")
            )
        })
        .collect::<Vec<_>>();
    if !missing.is_empty() {
        let message = format!("`{}` needs to be told more", check.name);
        return Err(Usage::new(message, Some(missing.join(" "))).into());
    }
    Ok((with, why))
}

/// Where the files call for one check.
fn found(folder: &Path, session: &Session, name: &str) -> Result<Vec<manifest::detect::Found>> {
    let mut found = Detection::of(folder, &session.library)?.found;
    found.retain(|found| found.check == name);
    Ok(found)
}
