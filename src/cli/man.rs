//! `ready man`: the manual pages, made from what the command line knows of itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::{Exit, Usage, selection, writing, written};

/// Print the manual page of ready or of one of its verbs, or write all of them into a folder
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready man | man -l -
  ready man check | man -l -
  ready man --output ~/.local/share/man/man1    then `man ready-check`")]
pub(super) struct Options {
    /// The verb [default: the page of ready itself]
    #[arg(value_name = "VERB", conflicts_with = "output")]
    verb: Option<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &Options, command: clap::Command) -> Result<Exit> {
    let pages = pages(command)?;
    if let Some(folder) = &options.output {
        return all(&pages, folder);
    }
    let name = match &options.verb {
        Some(verb) => format!("ready-{verb}"),
        None => "ready".to_string(),
    };
    let Some((_, text)) = pages.iter().find(|(page, _)| *page == name) else {
        let verbs = pages
            .iter()
            .filter_map(|(page, _)| page.strip_prefix("ready-"));
        let verb = options.verb.as_deref().unwrap_or_default();
        let hint = selection::nearest(verb, verbs);
        return Err(Usage::new(format!("there is no verb `{verb}`"), hint).into());
    };
    written(&[text])?;
    Ok(Exit::Open)
}

/// Every page by its name: `ready`, `ready-check`, `ready-ledger-verify`, …
fn pages(command: clap::Command) -> Result<Vec<(String, Vec<u8>)>> {
    let mut pages = vec![];
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut open = vec![(String::new(), command)];
    while let Some((above, command)) = open.pop() {
        let name = match above.is_empty() {
            true => command.get_name().to_string(),
            false => format!("{above}-{}", command.get_name()),
        };
        open.extend(
            command
                .get_subcommands()
                .map(|verb| (name.clone(), verb.clone())),
        );
        let mut text = vec![];
        let shown = command.display_name(name.clone());
        clap_mangen::Man::new(shown)
            .title(name.clone())
            .render(&mut text)?;
        pages.push((name, text));
    }
    Ok(pages)
}

fn all(pages: &[(String, Vec<u8>)], folder: &Path) -> Result<Exit> {
    let cannot = |path: &Path| format!("cannot write `{}`", path.display());
    std::fs::create_dir_all(folder).with_context(|| cannot(folder))?;
    for (name, text) in pages {
        let path = folder.join(format!("{name}.1"));
        writing::replace(&path, &String::from_utf8_lossy(text)).with_context(|| cannot(&path))?;
    }
    Ok(Exit::Open)
}
