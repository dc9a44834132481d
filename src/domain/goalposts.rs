//! Whether a manifest asks for less than another one did: every edit as tighter, weaker or neutral, and what the same
//! evidence comes to under both.
//!
//! A field has one place in [`fields`] or [`policy`], which says what a change of it means as it stands. Many mean one thing or
//! the other by what the evidence is (a larger weight helps what holds and hurts what fails); and whatever a change looks like,
//! one by which the same evidence scores more is weaker: see [`judged`].

mod fields;
mod judged;
mod policy;
mod sets;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::judged::{Both, judge};
use super::project::Project;

/// What an edit does to what is asked.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Less is asked, or the same evidence scores more.
    Weaker,
    /// More is asked.
    Tighter,
    /// Neither.
    Neutral,
}

impl Kind {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Weaker => "weaker",
            Kind::Tighter => "tighter",
            Kind::Neutral => "neutral",
        }
    }
}

/// What a change of a field means before the evidence is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// That, whatever the evidence is.
    Is(Kind),
    /// By the evidence: weaker where it scores more, tighter where it scores less. Without any: weaker.
    Depends,
}

/// What an edit is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A check, by its id.
    Check(String),
    /// A component, by its id.
    Component(String),
    /// A gate, by its name.
    Gate(String),
    /// The waiver of a check.
    Waiver(String),
    /// The manifest as a whole.
    Project,
}

impl Subject {
    /// As in a sentence.
    pub fn words(&self) -> String {
        match self {
            Subject::Check(id) => format!("check {id}"),
            Subject::Component(id) => format!("component {id}"),
            Subject::Gate(name) => format!("gate {name}"),
            Subject::Waiver(id) => format!("waiver of {id}"),
            Subject::Project => "the manifest".to_string(),
        }
    }
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// What it does.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The key in the manifest; none where the whole of it was added or taken out.
    pub key: Option<String>,
    /// As it was; none where it was not there.
    pub from: Option<String>,
    /// As it is; none where it is gone.
    pub to: Option<String>,
    /// By how many points the same evidence scores more with this edit alone, where that was computed and is not nothing.
    pub points: Option<f64>,
    /// The line of the manifest that it is on, where it is still there.
    pub line: Option<u32>,
}

impl Edit {
    /// In a sentence: what of it was how and is how.
    pub fn words(&self) -> String {
        let subject = self.subject.words();
        let cut = |text: &Option<String>| {
            const LONGEST: usize = 70;
            let text = text.clone().unwrap_or_default().replace('\n', " ");
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        };
        let (from, to) = (cut(&self.from), cut(&self.to));
        match (&self.key, &self.from, &self.to) {
            (None, None, _) => format!("{subject} is new"),
            (None, _, _) => format!("{subject} is gone"),
            (Some(key), _, _) => format!("{subject}: {key} was {from}, is {to}"),
        }
    }
}

/// An edit with what it means as it stands.
struct Draft {
    edit: Edit,
    means: Means,
}

impl Draft {
    fn new(subject: Subject, means: Means) -> Draft {
        Draft {
            edit: Edit {
                kind: match means {
                    Means::Is(kind) => kind,
                    Means::Depends => Kind::Weaker,
                },
                subject,
                key: None,
                from: None,
                to: None,
                points: None,
                line: None,
            },
            means,
        }
    }
}

/// Every edit that makes one manifest of another, in the order of the manifest, without asking any evidence: what depends on
/// it is weaker.
pub fn edits(before: &Project, after: &Project) -> Vec<Edit> {
    let drafts = drafts(before, after).into_iter();
    drafts.map(|draft| draft.edit).collect()
}

fn drafts(before: &Project, after: &Project) -> Vec<Draft> {
    let mut drafts = policy::project(before, after);
    drafts.extend(policy::gates(before, after));
    drafts.extend(policy::components(before, after));
    drafts.extend(fields::checks(before, after));
    drafts.extend(policy::waivers(before, after));
    drafts
}

/// What a gate with `no_weakening` is held against: the manifest of a git revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Against {
    /// The revision, as it was named.
    pub revision: String,
    /// Its commit; none where there is none here.
    pub commit: Option<String>,
    /// Why its manifest cannot be read, and what to do.
    pub problem: Option<String>,
    /// Every edit since.
    pub edits: Vec<Edit>,
    /// The gates that ask for it there; those of this manifest ask for it by themselves.
    pub asking: Vec<String>,
    /// What the evidence verifies under that manifest, in percent.
    pub verified: Option<f64>,
    /// What it verifies under this one, in percent.
    pub verified_now: Option<f64>,
    /// The checks whose evidence cannot be held against what was asked there.
    pub not_comparable: Vec<String>,
}
