//! `ready list`: the checks of the manifest, or of the library.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;

use super::session::Session;
use super::{Exit, Global, Usage, catalogue, written};
use crate::domain::service::{ServicePort, Start};
use crate::manifest::Library;

/// List the checks of the manifest, or of the library
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready list
  ready list --library             what `use` can name, and the readers
  ready list --library security    those with the word in their line: name, component, level, tool, statement
  ready list --library --format markdown > library.md
  ready explain pytest             all that is known of one")]
pub(super) struct Options {
    /// List the library instead, or what of it has all of these words
    #[arg(long, value_name = "WORD", num_args = 0..)]
    library: Option<Vec<String>>,
    /// How the library is shown: as a table, or as a page in Markdown of all that is known of it
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "markdown"], requires = "library")]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let text = match &options.library {
        Some(words) => {
            let session = Session::find(global)?;
            let library = session.map_or_else(Library::built_in, |session| session.library);
            match options.format.as_str() {
                "markdown" if !words.is_empty() => {
                    let hint = "leave the words away, or the format".to_string();
                    return Err(Usage::new("a page shows the whole library", Some(hint)).into());
                }
                "markdown" => catalogue::markdown(&library)?,
                _ => catalogue::list(&library, words)?,
            }
        }
        None => manifest(&Session::open(global)?),
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
    let checks = columns(
        ["CHECK", "COMPONENT", "PROBE", "LEVEL", "TAGS", "SAYS"],
        rows.collect(),
    );
    if session.project.services.is_empty() {
        return checks;
    }
    let needed_by = |id: &String| {
        let checks = session.project.checks.iter();
        let needing = checks.filter(|check| check.needs.contains(id));
        let needing = needing.map(|check| check.id.as_str()).collect::<Vec<_>>();
        if needing.is_empty() {
            "no check: it is never started".to_string()
        } else {
            needing.join(", ")
        }
    };
    let services = session.project.services.iter().map(|service| {
        let port = match service.port {
            Some(ServicePort::Fixed(port)) => port.to_string(),
            Some(ServicePort::Auto) => "auto".to_string(),
            None => "-".to_string(),
        };
        let start = match &service.start {
            Start::Run { argv, .. } => argv.join(" "),
            Start::Compose(file) => format!("docker compose --file {file} up"),
        };
        [service.id.clone(), port, needed_by(&service.id), start]
    });
    let services = columns(["SERVICE", "PORT", "NEEDED BY", "RUNS"], services.collect());
    format!("{checks}\n{services}")
}

/// Rows under a header, each column as wide as its widest cell; the last one runs on.
pub(super) fn columns<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
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
