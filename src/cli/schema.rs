//! `ready schema`: the JSON Schema of the manifest, for editors.

use anyhow::Result;
use clap::Args;

use super::session::Session;
use super::{Exit, Global, written};
use crate::manifest::{self, Library};
use crate::reader;

/// Print the JSON Schema of the manifest, for editors
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready schema > readiness.schema.json

With that file beside it, this first line of readiness.toml lets editors that know Taplo or Tombi complete and check it:
  #:schema ./readiness.schema.json")]
pub(super) struct Options {}

pub(super) fn run(global: &Global) -> Result<Exit> {
    let session = Session::find(global)?;
    let library = session.map_or_else(Library::built_in, |session| session.library);
    let readers = reader::names()
        .into_iter()
        .map(|(name, _)| name)
        .collect::<Vec<_>>();
    written(&[manifest::schema(&library, &readers).as_bytes()])?;
    Ok(Exit::Open)
}
