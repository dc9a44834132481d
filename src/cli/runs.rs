//! Recorded runs: the ledger beside the manifest, which need not load, and reports out of it. A report that is damaged or
//! was pruned is named, and is no reason not to show the others.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Global, session};
use crate::domain::report::Report;
use crate::ledger::{Damaged, Ledger, RunRow};

/// The folder of the project: the manifest's, else the one that we are in.
pub(super) fn folder(global: &Global) -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the working directory")?;
    let manifest = session::manifest(global)?;
    let folder = manifest.as_deref().and_then(|manifest| manifest.parent());
    Ok(folder.map_or_else(|| here.clone(), |folder| here.join(folder)))
}

/// Reports of several runs.
#[derive(Default)]
pub(super) struct Kept {
    /// In the order that was asked for.
    pub(super) reports: Vec<Report>,
    /// The runs whose reports were pruned.
    pub(super) pruned: Vec<String>,
    /// What is damaged, in words.
    pub(super) lost: Vec<String>,
}

impl Kept {
    /// The reports of these runs.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(super) fn of<'a>(
        ledger: &Ledger,
        rows: impl IntoIterator<Item = &'a RunRow>,
    ) -> Result<Kept> {
        let mut kept = Kept::default();
        for row in rows {
            match ledger.report(&row.id) {
                Ok(Some(report)) => kept.reports.push(report),
                Ok(None) => kept.pruned.push(row.id.clone()),
                Err(error) => kept.lost.push(error.downcast::<Damaged>()?.to_string()),
            }
        }
        Ok(kept)
    }
}
