//! `ready schema`: the JSON Schema of the manifest, for editors, and that of the report, for programs.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::session::Session;
use super::{Exit, Global, Usage, written};
use crate::manifest::{self, Library};
use crate::{reader, reporter};

/// Print the JSON Schema of the manifest, for editors, or of the report, for programs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready schema > readiness.schema.json
  ready schema report               of `ready check --format json`

With that file beside it, this first line of readiness.toml lets editors that know Taplo or Tombi complete and check it:
  #:schema ./readiness.schema.json")]
pub(super) struct Options {
    /// Of what
    #[arg(default_value = "manifest")]
    what: What,
    /// The output; the manifest's schema as a page, too
    #[arg(long, value_name = "FORMAT", default_value = "json", value_parser = ["json", "markdown"])]
    format: String,
}

/// What there is a schema of.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// readiness.toml
    Manifest,
    /// The JSON report
    Report,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let as_page = options.format == "markdown";
    if matches!(options.what, What::Report) {
        if as_page {
            let message = "the schema of the report is printed as json only";
            return Err(Usage::new(message, None).into());
        }
        written(&[reporter::json::schema().as_bytes(), b"\n"])?;
        return Ok(Exit::Open);
    }
    let session = Session::find(global)?;
    let library = session.map_or_else(Library::built_in, |session| session.library);
    let readers = reader::names()
        .into_iter()
        .map(|(name, _)| name)
        .collect::<Vec<_>>();
    let text = match as_page {
        true => manifest::reference(&library, &readers),
        false => manifest::schema(&library, &readers),
    };
    written(&[text.as_bytes()])?;
    Ok(Exit::Open)
}
