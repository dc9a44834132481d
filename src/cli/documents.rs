//! The documents that make claims: found, read, and what was recorded of the figures that they say have changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Usage;
use super::session::Session;
use crate::claims::{self, block};
use crate::domain::assess::Seen;
use crate::domain::claim::{Found, OVERALL, Said, Tense};
use crate::domain::evidence::{Evidence, Reading};
use crate::domain::project::Project;
use crate::ledger::Ledger;
use crate::tree;

/// What documents claim.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// In order of documents and lines.
    pub(super) found: Vec<Found>,
}

/// How many looks back a figure is looked for that is said to have changed.
const LOOKS: usize = 200;

/// What the documents claim that the manifest names.
///
/// # Errors
/// A [`Usage`] where one is not there; another where it cannot be read.
pub(super) fn declared(session: &Session) -> Result<Documents> {
    let folder = &session.folder;
    let mut names: Vec<String> = vec![];
    for pattern in &session.project.documents {
        let matching = matching(pattern, folder);
        if matching.is_empty() {
            let hint =
                "name documents that are there in `[claims] documents`, relative to the manifest";
            let message = format!("no document matches `{pattern}`");
            return Err(Usage::new(message, Some(hint.to_string())).into());
        }
        names.extend(matching);
    }
    let mut documents = Documents::default();
    let mut seen = std::collections::BTreeSet::new();
    for name in names.into_iter().filter(|name| seen.insert(name.clone())) {
        documents.read(&folder.join(&name), &name)?;
    }
    Ok(documents)
}

/// The project's documents that say how far it is: with a figure for the whole, or with several claims. Figures that a history
/// of changes tells are of the past.
pub(super) fn that_claim(folder: &Path) -> Vec<String> {
    /// So many claims make a document one that claims.
    const SEVERAL: usize = 3;
    /// The largest that is looked at (bytes), and how many.
    const LARGEST: u64 = 1 << 20;
    const MOST: usize = 200;
    let own = tree::files(folder).into_iter();
    let own = own.filter_map(|path| path.to_str().map(|name| name.replace('\\', "/")));
    let candidates = own.filter(|name| {
        let lower = name.to_ascii_lowercase();
        let file = lower.rsplit('/').next().unwrap_or_default();
        let near =
            !lower.contains('/') || (lower.starts_with("docs/") && lower.matches('/').count() == 1);
        near && file.ends_with(".md")
            && !file.starts_with("changelog")
            && !file.starts_with("history")
    });
    let claims = |name: &String| {
        let path = folder.join(name);
        let small =
            std::fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
        let Some(text) = small.then(|| std::fs::read(&path).ok()).flatten() else {
            return false;
        };
        let found = claims::extract(&text, name);
        let now = found.iter().filter(|found| found.tense == Tense::Now);
        let percent = |found: &&Found| matches!(found.said, Said::Percent { .. });
        let whole = now
            .clone()
            .filter(percent)
            .any(|found| found.subject == OVERALL);
        // A list of features is marked, too, and says nothing of how far they are.
        let figures = now
            .clone()
            .filter(|found| matches!(found.said, Said::Percent { .. } | Said::Ratio { .. }));
        whole || (figures.count() > 0 && now.count() >= SEVERAL)
    };
    let mut names = candidates.take(MOST).filter(claims).collect::<Vec<_>>();
    names.sort();
    names
}

/// The files that a pattern names, relative to the folder: of the project's own, unless it names a single one.
pub(super) fn matching(pattern: &str, folder: &Path) -> Vec<String> {
    if folder.join(pattern).is_file() {
        return vec![pattern.to_string()];
    }
    let set = tree::set_of(&[pattern.to_string()]);
    let own = tree::files(folder).into_iter();
    let own = own.filter(|path| set.is_match(path) && folder.join(path).is_file());
    own.map(|path| path.to_string_lossy().replace('\\', "/"))
        .collect()
}

/// Whether the manifest names the document.
pub(super) fn is_declared(session: &Session, path: &Path) -> bool {
    let folder = &session.folder;
    let names = session.project.documents.iter();
    let mut names = names.flat_map(|pattern| matching(pattern, folder));
    let same =
        |name: String| Some(folder.join(name).canonicalize().ok()? == path.canonicalize().ok()?);
    names.any(|name| same(name) == Some(true))
}

/// What these documents claim, by the names they were given.
///
/// # Errors
/// A [`Usage`] where one is not there; another where it cannot be read.
pub(super) fn named(paths: &[PathBuf]) -> Result<Documents> {
    let mut documents = Documents::default();
    for path in paths {
        let name = path.display().to_string();
        if !path.is_file() {
            let what = match path.is_dir() {
                true => format!("`{name}` is a folder"),
                false => format!("there is no document `{name}`"),
            };
            return Err(Usage::new(what, Some("name Markdown files".to_string())).into());
        }
        documents.read(path, &name)?;
    }
    Ok(documents)
}

impl Documents {
    fn read(&mut self, path: &Path, name: &str) -> Result<()> {
        let text = std::fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
        // What `ready` wrote there itself claims nothing.
        let text = block::silenced(&String::from_utf8_lossy(&text));
        self.found.extend(claims::extract(text.as_bytes(), name));
        Ok(())
    }

    /// Where a document speaks of a change, adds to what was seen of each check the highest figures that were ever recorded
    /// of it. Gives what could not be read, in words.
    pub(super) fn recall(
        &self,
        project: &Project,
        ledger: Option<&Ledger>,
        seen: &mut [Seen],
    ) -> Vec<String> {
        let changes =
            |found: &Found| matches!(found.said, Said::Delta { .. }) && found.tense == Tense::Now;
        let Some(ledger) = ledger.filter(|_| self.found.iter().any(changes)) else {
            return vec![];
        };
        let mut lost = vec![];
        let back = ledger.looks();
        for (check, seen) in project.checks.iter().zip(seen) {
            if check.probe.reader().is_none() {
                continue;
            }
            let mut looks = 0;
            let looked = back.back_through(&check.id, |_, evidence| {
                raise(&mut seen.earlier, evidence);
                looks += 1;
                looks < LOOKS
            });
            if let Err(error) = looked {
                lost.push(format!(
                    "what was recorded of {} before cannot be told: {error:#}",
                    check.id
                ));
            }
        }
        lost
    }
}

/// Raises each figure to that of the evidence where it is higher.
fn raise(figures: &mut BTreeMap<String, f64>, evidence: &Evidence) {
    let readings = evidence.attempts.iter();
    let readings = readings.filter_map(|attempt| attempt.reading.as_ref());
    for reading in readings {
        if let Reading::Results(results) = reading {
            for (name, figure) in results.figures() {
                let highest = figures.entry(name).or_insert(figure);
                *highest = highest.max(figure);
            }
        }
    }
}
