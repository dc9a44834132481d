//! `ready list`: the checks of the manifest, or of the library.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;

use super::session::Session;
use super::{Exit, Global, written};
use crate::manifest::{Library, parse_library_check};
use crate::reader;

/// List the checks of the manifest, or of the library
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready list
  ready list --library        what `use` can name")]
pub(super) struct Options {
    /// List the built-in library instead
    #[arg(long)]
    library: bool,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let text = if options.library {
        library()?
    } else {
        manifest(&Session::open(global)?)
    };
    written(&[text.as_bytes()])?;
    Ok(Exit::Open)
}

fn manifest(session: &Session) -> String {
    let rows = session.project.checks.iter().map(|check| {
        [
            check.id.clone(),
            check.component.clone().unwrap_or_else(|| "-".to_string()),
            check
                .library
                .clone()
                .unwrap_or_else(|| check.probe.kind().to_string()),
            check.level.to_string(),
            if check.tags.is_empty() {
                "-".to_string()
            } else {
                check.tags.join(",")
            },
            check.says.clone(),
        ]
    });
    columns(
        ["CHECK", "COMPONENT", "PROBE", "LEVEL", "TAGS", "SAYS"],
        rows.collect(),
    )
}

fn library() -> Result<String> {
    let library = Library::built_in();
    let mut rows = vec![];
    for name in library.names() {
        let Some((file, text)) = library.get(name) else {
            continue;
        };
        let check = parse_library_check(&file, &text)?;
        let params = check
            .params
            .iter()
            .map(|(name, _, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        rows.push([
            name.to_string(),
            check.component.unwrap_or_else(|| "-".to_string()),
            params,
            check.says,
        ]);
    }
    let checks = columns(["CHECK", "COMPONENT", "PARAMETERS", "SAYS"], rows);
    let readers = reader::names()
        .into_iter()
        .map(|(name, about)| [name.to_string(), about.to_string()]);
    let readers = columns(["READER", "READS"], readers.collect());
    Ok(format!("{checks}\n{readers}"))
}

/// Rows under a header, each column as wide as its widest cell; the last one runs on.
fn columns<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let width = |at: usize| {
        rows.iter()
            .map(|row| row[at].len())
            .chain([header[at].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in std::iter::once(header.map(str::to_string)).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = write!(
                line,
                "{:width$}  ",
                crate::sanitise::line(cell, crate::sanitise::Colour::Drop)
            );
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
