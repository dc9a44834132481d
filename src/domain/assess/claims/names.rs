//! What a document's words for a thing mean: the check, the component or the group of that name. A name that could mean
//! two things means none: nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::claim::{Found, OVERALL};
use super::super::super::gate::Judged;
use super::super::rated::RatedComponent;

/// What a claim is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Target {
    /// The project.
    Whole,
    /// These components, by place: one, or those of a group.
    Components(Vec<usize>),
    /// The check at this place.
    Check(usize),
}

/// What a claim's words were found to mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Bound {
    /// This.
    To(Target),
    /// Nothing that is known here.
    Nothing,
    /// One of several, in words.
    Several(Vec<String>),
    /// The document names an id that does not exist.
    NoSuch(String),
}

/// The names of a project.
pub(super) struct Names<'a> {
    checks: BTreeMap<&'a str, usize>,
    components: BTreeMap<&'a str, usize>,
    meant: BTreeMap<String, BTreeSet<Target>>,
    rated: &'a [RatedComponent],
    judged: &'a [Judged<'a>],
}

impl<'a> Names<'a> {
    pub(super) fn of(rated: &'a [RatedComponent], judged: &'a [Judged<'a>]) -> Names<'a> {
        let mut names = Names {
            checks: BTreeMap::new(),
            components: BTreeMap::new(),
            meant: BTreeMap::new(),
            rated,
            judged,
        };
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, rated) in rated.iter().enumerate() {
            let component = &rated.component;
            // A check that is a component of its own is known as the check.
            if rated.is_own(judged) {
                continue;
            }
            names.components.insert(&component.id, at);
            let called = [&component.id, &component.title].into_iter();
            let target = Target::Components(vec![at]);
            names.call(called.chain(&component.aliases), &target);
            if let Some(group) = &component.group {
                groups.entry(group).or_default().push(at);
            }
        }
        for (at, judged) in judged.iter().enumerate() {
            let check = judged.check;
            names.checks.insert(&check.id, at);
            let called = [&check.id, &check.says].into_iter();
            names.call(called.chain(&check.aliases), &Target::Check(at));
        }
        for (group, members) in groups {
            // Where a component bears the group's name, people mean that one.
            names
                .meant
                .entry(normalised(group))
                .or_insert_with(|| BTreeSet::from([Target::Components(members)]));
        }
        names
    }

    fn call<'n>(&mut self, called: impl Iterator<Item = &'n String>, target: &Target) {
        for name in called.map(|name| normalised(name)) {
            if !name.is_empty() {
                self.meant.entry(name).or_default().insert(target.clone());
            }
        }
    }

    /// What the claim is about: what the document says by an id, else what its subject's name means.
    pub(super) fn bind(&self, found: &Found) -> Bound {
        if let Some(id) = &found.about {
            return match (self.checks.get(&**id), self.components.get(&**id)) {
                (Some(check), _) => Bound::To(Target::Check(*check)),
                (None, Some(component)) => Bound::To(Target::Components(vec![*component])),
                (None, None) if id == OVERALL => Bound::To(Target::Whole),
                (None, None) => Bound::NoSuch(id.clone()),
            };
        }
        if found.subject == OVERALL {
            return Bound::To(Target::Whole);
        }
        let Some(meant) = self.meant.get(&normalised(&found.subject)) else {
            return Bound::Nothing;
        };
        let mut widest = meant.iter().filter(|wide| {
            let mut others = meant.iter();
            others.all(|narrow| self.contains(wide, narrow))
        });
        match widest.next() {
            Some(target) => Bound::To(target.clone()),
            None => Bound::Several(meant.iter().map(|target| self.words(target)).collect()),
        }
    }

    /// Whether one target is the other or part of it: a component and its check of the same name are no two things.
    fn contains(&self, wide: &Target, narrow: &Target) -> bool {
        match (wide, narrow) {
            (Target::Components(wide), Target::Check(check)) => wide
                .iter()
                .any(|component| self.rated[*component].checks.contains(check)),
            _ => wide == narrow,
        }
    }

    fn words(&self, target: &Target) -> String {
        match target {
            Target::Whole => "the project".to_string(),
            Target::Components(places) => {
                let ids = places.iter().map(|at| &*self.rated[*at].component.id);
                format!("component {}", ids.collect::<Vec<_>>().join(", "))
            }
            Target::Check(at) => format!("check {}", self.judged[*at].check.id),
        }
    }
}

/// A name without what makes no difference: case, punctuation, numbering before it, articles, plural.
pub(super) fn normalised(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !["", "a", "an", "and", "the"].contains(word));
    let words = words.skip_while(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let singular = |word: &str| match word.strip_suffix('s') {
        Some(rest) if rest.len() > 2 && !rest.ends_with('s') => rest.to_string(),
        _ => word.to_string(),
    };
    words.map(singular).collect::<Vec<_>>().join(" ")
}
