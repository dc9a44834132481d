//! The state that the project's files were in when evidence was had, kept small: the commit, and what differed from it.
//! From it comes what has changed since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Entries, Paths, Tree, differing, git, listed};

/// The state of a project's files at some time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Then {
    /// The commit; none outside of a repository, where `files` is all of them.
    commit: Option<String>,
    /// Path → mode and content of what differed from the commit; none for what was not there.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// What of it must be kept to tell later what has changed.
    pub fn then(&self) -> Then {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = || self.files.keys().cloned().collect::<BTreeSet<_>>();
        let commit = self.commit.clone().filter(|_| self.differing.is_some());
        let kept = match (&commit, &self.differing) {
            (Some(_), Some(differing)) => differing.clone(),
            _ => all(),
        };
        let files = kept
            .iter()
            .map(|path| (text(path), self.files.get(path).map(|entry| text(entry))));
        Then {
            commit,
            files: files.collect(),
        }
    }

    /// The files that have changed since. None where it cannot be told any more.
    pub fn changed_since(&self, then: &Then) -> Option<Changed> {
        self.digest.as_ref()?;
        let mut before = match &then.commit {
            Some(commit) => {
                let list = git(&self.top, &["ls-tree", "-r", "-z", commit], None)?;
                // MODE SP TYPE SP ID
                listed(&list, |fields| {
                    let mut fields = fields.split(|byte| *byte == b' ');
                    Some([fields.next()?, &b" "[..], fields.nth(1)?].concat())
                })?
            }
            None => Entries::new(),
        };
        for (path, entry) in &then.files {
            match entry {
                Some(entry) => {
                    before.insert(path.clone().into_bytes(), entry.clone().into_bytes());
                }
                None => _ = before.remove(path.as_bytes()),
            }
        }
        Some(Changed(differing(&before, &self.files)))
    }

    /// The names of those that match one of the patterns (none: all of them), relative to the folder where they are below it.
    pub fn named(&self, changed: &Changed, patterns: &[String]) -> Vec<String> {
        let names = match patterns {
            [] => changed.0.iter().collect(),
            patterns => self.among(changed.0.iter(), patterns),
        };
        let folder = self.folder.strip_prefix(&self.top).map(super::bytes);
        let folder = folder.unwrap_or_default();
        let shown = names.into_iter().map(|name| {
            let below = name
                .strip_prefix(&folder[..])
                .and_then(|rest| rest.strip_prefix(b"/"));
            String::from_utf8_lossy(below.unwrap_or(name)).into_owned()
        });
        shown.collect()
    }
}

/// Files that have changed, by their paths below the top.
#[derive(Clone, Debug)]
pub struct Changed(Paths);
