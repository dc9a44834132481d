//! What the ledger knows of every check, held against what is here now: evidence counts only for the definition, the
//! files, the inputs and the program that it was had on.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use jiff::Timestamp;

use super::session::Session;
use crate::domain::assess::{From, Seen};
use crate::domain::check::Probe;
use crate::domain::evidence::{Binding, Observed};
use crate::domain::limit::age;
use crate::domain::reason::{Code, Reason};
use crate::domain::report::short;
use crate::domain::verdict::{Verdict, judge};
use crate::ledger::{Ledger, Recorded};
use crate::runner;
use crate::tree::{Changed, Then, Tree};

/// How many of the files that have changed are named.
const NAMED: usize = 2;

/// What is here now: what evidence must be about to count.
pub(super) struct Here<'a> {
    session: &'a Session,
    tree: &'a Tree,
    /// By place.
    bindings: &'a [Binding],
    now: Timestamp,
    /// This machine's name.
    host: &'a str,
    /// What has changed since the states of the files that evidence was had on, by their digests: asked once for each.
    changed: RefCell<HashMap<String, Option<Changed>>>,
}

/// What is recorded of every check, by place, and what of it was lost.
#[derive(Default)]
pub(super) struct Past {
    pub(super) seen: Vec<Seen>,
    /// What in the ledger is damaged, in words.
    pub(super) lost: Vec<String>,
}

impl<'a> Here<'a> {
    /// With nothing asked yet.
    pub(super) fn new(
        session: &'a Session,
        tree: &'a Tree,
        bindings: &'a [Binding],
        now: Timestamp,
        host: &'a str,
    ) -> Here<'a> {
        Here {
            session,
            tree,
            bindings,
            now,
            host,
            changed: RefCell::default(),
        }
    }
}

impl Here<'_> {
    /// What the ledger knows of every check.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn recorded(&self, ledger: Option<&Ledger>) -> Result<Past> {
        let checks = &self.session.project.checks;
        let ids = checks.iter().map(|check| check.id.as_str());
        let latest = match ledger {
            Some(ledger) => ledger.latest_of(ids)?,
            None => checks.iter().map(|_| Ok(None)).collect(),
        };
        let mut past = Past::default();
        for (at, latest) in latest.into_iter().enumerate() {
            let latest = latest.unwrap_or_else(|damaged| {
                past.lost.push(damaged.to_string());
                None
            });
            past.seen.push(match latest {
                Some(recorded) => self.of(at, recorded, ledger),
                None => self.nothing(at),
            });
        }
        Ok(past)
    }

    fn nothing(&self, at: usize) -> Seen {
        let check = &self.session.project.checks[at];
        let applicable = self.session.applicable[at];
        let (code, text) = match applicable {
            false => (
                Code::NotRun,
                "it does not apply to this project".to_string(),
            ),
            true => match runner::elsewhere(check) {
                // It would not be run here either.
                Some(text) => (Code::WrongPlatform, text),
                None if check.on_demand => (
                    Code::NotRun,
                    format!("it runs on demand: `ready check {}`", check.id),
                ),
                None => (Code::NotRun, "no evidence is recorded for it".to_string()),
            },
        };
        Seen {
            applicable,
            ..Seen::now(Observed::Withheld(Reason::new(code, text)))
        }
    }

    fn of(&self, at: usize, recorded: Recorded, ledger: Option<&Ledger>) -> Seen {
        let stale = self.stale(at, &recorded, ledger);
        Seen {
            observed: Observed::Evidence(Box::new(recorded.evidence)),
            applicable: self.session.applicable[at],
            recorded: Some(From {
                run: recorded.run.id,
                commit: recorded.run.commit,
                reused: false,
            }),
            stale,
            looks: vec![],
            earlier: Default::default(),
            observations: vec![],
            outside: None,
            proof: None,
            usual: None,
            notes: vec![],
        }
    }

    /// Why recorded evidence is no longer about what is here; none where it is.
    fn stale(&self, at: usize, recorded: &Recorded, ledger: Option<&Ledger>) -> Option<String> {
        let check = &self.session.project.checks[at];
        let (then, now) = (&recorded.evidence.binding, &self.bindings[at]);
        let since = self.since(recorded);
        if then.definition != now.definition {
            return Some(format!("the check was changed {since}"));
        }
        if matches!(check.probe, Probe::Manual(_)) {
            return None;
        }
        // Another machine has its programs in other places.
        if let (Some(then), Some(now)) = (&then.program, &now.program)
            && !then.is(now)
            && recorded.evidence.host == self.host
        {
            return Some(match then.path == now.path {
                true => format!("the program `{}` was changed {since}", now.path),
                false => format!("it ran `{}`, now it is `{}`", then.path, now.path),
            });
        }
        let changed = || {
            let tree = recorded.run.tree.as_deref()?;
            let mut known = self.changed.borrow_mut();
            let changed = known.entry(tree.to_string()).or_insert_with(|| {
                let then = ledger?.files::<Then>(tree).ok()??;
                self.tree.changed_since(&then)
            });
            Some(self.tree.named(changed.as_ref()?, &check.inputs))
        };
        match (&then.inputs, &now.inputs) {
            (Some(then), Some(now)) if then == now => return None,
            (Some(_), Some(_)) => return Some(named(changed(), &since)),
            // A check without inputs, or without any that are there: it depends on all files.
            _ => {}
        }
        let tree = &recorded.run.tree;
        if tree.is_none() || self.tree.digest.is_none() {
            let why = "files changed while it ran, or there are too many to keep track of";
            return Some(format!(
                "it is not known which files its last run was about: {why}"
            ));
        }
        (*tree != self.tree.digest).then(|| named(changed(), &since))
    }

    /// Since when: how long ago it was looked at, and of which code.
    fn since(&self, recorded: &Recorded) -> String {
        let age = age(recorded.evidence.started, self.now);
        let commit = recorded.run.commit.as_deref().map(short);
        let with = match recorded.run.dirty {
            Some(true) => " with uncommitted changes",
            _ => "",
        };
        let commit = commit
            .map(|commit| format!(" (at commit {commit}{with})"))
            .unwrap_or_default();
        format!("since it was last run, {age} ago{commit}")
    }

    /// The places of the checks among these whose recorded evidence stands for a look: what they say they depend on is as
    /// it was, and it holds. What looks outside of the project's files is never among them.
    pub(super) fn reusable(&self, due: &BTreeSet<usize>, past: &Past) -> BTreeSet<usize> {
        let can = |at: &&usize| {
            let (check, seen) = (&self.session.project.checks[**at], &past.seen[**at]);
            let Observed::Evidence(evidence) = &seen.observed else {
                return false;
            };
            let binding = &self.bindings[**at];
            seen.stale.is_none()
                && binding.inputs.is_some()
                && evidence.binding.is(binding)
                && self.session.project.depends_on_files_alone(check)
                && judge(check, &seen.observed, self.now).verdict == Verdict::Verified
        };
        due.iter().filter(can).copied().collect()
    }
}

/// The files that have changed, in words.
fn named(changed: Option<Vec<String>>, since: &str) -> String {
    match changed.as_deref() {
        None | Some([]) => format!("files were changed {since}"),
        Some([one]) => format!("`{one}` was changed {since}"),
        Some(many) => {
            let names = many.iter().take(NAMED).map(|name| format!("`{name}`"));
            let names = names.collect::<Vec<_>>().join(", ");
            match many.len() - many.len().min(NAMED) {
                0 => format!("{names} were changed {since}"),
                more => format!("{names} and {more} more were changed {since}"),
            }
        }
    }
}

/// How the evidence of a check that was not run again is told.
pub(super) fn reused(seen: Seen) -> Seen {
    let recorded = seen.recorded.map(|from| From {
        reused: true,
        ..from
    });
    Seen { recorded, ..seen }
}
