//! From one report to the other, one difference at a time, in the order that [`super`] gives.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Signed;

use super::model::{Counted, Model, Setting};
use super::{Direction, Kind, Part, What};
use crate::domain::level::{Caps, Level};
use crate::domain::ratio::{self, Ratio};
use crate::domain::reason::Code;
use crate::domain::report::{CheckRow, Report, WaiverRow};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// The rows of two reports, by id.
pub(super) struct Pairs<'a> {
    before: BTreeMap<&'a str, &'a CheckRow>,
    after: BTreeMap<&'a str, &'a CheckRow>,
    /// The declared components of the later report.
    components: BTreeMap<String, Setting>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(from: &'a Report, to: &'a Report) -> Pairs<'a> {
        let rows = |report: &'a Report| report.checks.iter().map(|row| (row.id.as_str(), row));
        Pairs {
            before: rows(from).collect(),
            after: rows(to).collect(),
            components: Model::of(to).components().clone(),
        }
    }

    /// The checks that both have.
    fn both(&self) -> impl Iterator<Item = (&'a CheckRow, &'a CheckRow)> {
        let pairs = self.before.iter();
        pairs.filter_map(|(id, before)| Some((*before, *self.after.get(id)?)))
    }
}

/// On the way from one report to the other.
pub(super) struct Walk {
    pub(super) model: Model,
    pub(super) verified: Ratio,
    pub(super) parts: Vec<Part>,
}

/// What a part is about.
enum About<'a> {
    Check(&'a str),
    Component(&'a str),
}

impl Walk {
    /// Makes one change, and notes what the score changed by.
    fn step(
        &mut self,
        kind: Kind,
        about: About<'_>,
        what: What,
        (from, to): (Option<String>, Option<String>),
        change: impl FnOnce(&mut Model),
    ) -> &mut Part {
        change(&mut self.model);
        let verified = self.model.verified();
        let exact = &verified - &self.verified;
        self.verified = verified;
        let direction = match what {
            What::Appeared => Direction::Appeared,
            What::Vanished => Direction::Vanished,
            _ if exact.is_positive() => Direction::Rose,
            _ if exact.is_negative() => Direction::Fell,
            _ => Direction::Same,
        };
        let (check, component) = match about {
            About::Check(id) => (Some(id.to_string()), None),
            About::Component(id) => (None, Some(id.to_string())),
        };
        self.parts.push(Part {
            kind,
            check,
            component,
            what,
            from,
            to,
            redefined: false,
            direction,
            points: ratio::to_percent(&exact),
            exact,
        });
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    pub(super) fn check_set(&mut self, pairs: &Pairs<'_>) {
        let components = &pairs.components;
        let (set, check) = (Kind::CheckSet, About::Check);
        for (id, row) in &pairs.before {
            if !pairs.after.contains_key(id) {
                let words = (Some(verdict(row)), None);
                self.step(set, check(id), What::Vanished, words, |model| {
                    let gone = model.take(id);
                    gone.iter()
                        .for_each(|gone| model.vacate(&gone.home, components));
                });
            }
        }
        for (id, row) in &pairs.after {
            if !pairs.before.contains_key(id) {
                let words = (None, Some(verdict(row)));
                self.step(set, check(id), What::Appeared, words, |model| {
                    let new = Counted::of(row);
                    model.house(&new.home, components);
                    model.put(id, new);
                });
            }
        }
        for (before, after) in pairs.both() {
            let id = before.id.as_str();
            if before.applicable != after.applicable {
                // What does not apply has no verdict to compare with.
                let words = |row: &CheckRow| match row.applicable {
                    true => verdict(row),
                    false => "does not apply".to_string(),
                };
                let words = (Some(words(before)), Some(words(after)));
                self.step(set, check(id), What::Applies, words, |model| {
                    model.change(id, |check| {
                        check.applicable = after.applicable;
                        check.credit = after.exact.credit.clone();
                    });
                });
            }
            if before.optional != after.optional {
                let word = |row: &CheckRow| match row.optional {
                    true => "optional".to_string(),
                    false => "counts".to_string(),
                };
                let words = (Some(word(before)), Some(word(after)));
                self.step(set, check(id), What::Optional, words, |model| {
                    model.change(id, |check| check.optional = after.optional);
                });
            }
        }
    }

    pub(super) fn weights(&mut self, pairs: &Pairs<'_>, before: &Caps, after: &Caps) {
        let weights = Kind::Weights;
        for level in Level::ALL {
            let caps = [before.percent(level), after.percent(level)];
            if caps[0] != caps[1] {
                let words = caps.map(|cap| Some(format!("{cap} %"))).into();
                self.step(
                    weights,
                    About::Component(level.word()),
                    What::Cap,
                    words,
                    |model| {
                        model.cap(|all| {
                            let slot = match level {
                                Level::Exercised => &mut all.exercised,
                                Level::Validated => &mut all.validated,
                                Level::Wired => &mut all.wired,
                                Level::Present => &mut all.present,
                                Level::Attested => return,
                            };
                            *slot = caps[1];
                        });
                    },
                );
            }
        }
        for (before, after) in pairs.both() {
            let id = before.id.as_str();
            if before.weight != after.weight {
                let words = [before, after]
                    .map(|row| Some(row.weight.to_string()))
                    .into();
                self.step(weights, About::Check(id), What::Weight, words, |model| {
                    model.change(id, |check| check.weight = after.weight);
                });
            }
        }
        for (before, after) in pairs.both() {
            let id = before.id.as_str();
            if before.level != after.level {
                let words = [before, after]
                    .map(|row| Some(row.level.to_string()))
                    .into();
                self.step(weights, About::Check(id), What::Level, words, |model| {
                    model.change(id, |check| check.level = after.level);
                });
            }
        }
        for (before, after) in pairs.both() {
            let id = before.id.as_str();
            let (old, new) = (Counted::of(before).home, Counted::of(after).home);
            if old != new {
                let words = [before, after]
                    .map(|row| row.definition.component.clone())
                    .into();
                self.step(weights, About::Check(id), What::Component, words, |model| {
                    model.house(&new, &pairs.components);
                    model.change(id, |check| check.home = new);
                    model.vacate(&old, &pairs.components);
                });
            }
        }
        self.components(&pairs.components);
    }

    fn components(&mut self, after: &BTreeMap<String, Setting>) {
        let (weights, before) = (Kind::Weights, self.model.components().clone());
        for id in before.keys().filter(|id| !after.contains_key(*id)) {
            let words = (Some("no checks".to_string()), None);
            self.step(
                weights,
                About::Component(id),
                What::Vanished,
                words,
                |model| {
                    model.declare(id, None);
                },
            );
        }
        for (id, setting) in after {
            let Some(old) = before.get(id) else {
                let words = (None, Some("no checks".to_string()));
                self.step(
                    weights,
                    About::Component(id),
                    What::Appeared,
                    words,
                    |model| {
                        model.declare(id, Some(setting.clone()));
                    },
                );
                continue;
            };
            let mut set = |what, words, change: fn(&mut Setting, &Setting)| {
                self.step(weights, About::Component(id), what, words, |model| {
                    let mut own = model.components().get(id).cloned();
                    own.iter_mut().for_each(|own| change(own, setting));
                    model.declare(id, own);
                });
            };
            if old.weight != setting.weight {
                let words = [old, setting].map(|s| Some(s.weight.to_string())).into();
                set(What::Weight, words, |own, new| own.weight = new.weight);
            }
            if old.enough != setting.enough {
                let words = [old, setting].map(|s| s.enough.map(|level| level.to_string()));
                set(What::Enough, words.into(), |own, new| {
                    own.enough = new.enough
                });
            }
        }
    }

    /// The changes of verdicts that belong to one step.
    pub(super) fn verdicts(&mut self, pairs: &Pairs<'_>, kind: Kind) {
        for (before, after) in pairs.both() {
            // Whether it applies was told, with its verdict.
            let told = !before.applicable || !after.applicable;
            if told || !differs(before, after) || kind_of(before, after) != kind {
                continue;
            }
            let id = before.id.as_str();
            let words = (Some(verdict(before)), Some(verdict(after)));
            let part = self.step(kind, About::Check(id), What::Verdict, words, |model| {
                model.change(id, |check| check.credit = after.exact.credit.clone());
            });
            part.redefined = !before.definition.asks_like(&after.definition);
        }
    }

    pub(super) fn waivers(&mut self, before: &[WaiverRow], after: &[WaiverRow]) {
        let by_check = |rows| {
            let rows: &[WaiverRow] = rows;
            let rows = rows
                .iter()
                .map(|row| (row.waiver.check.clone(), waiver_words(row)));
            rows.collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (by_check(before), by_check(after));
        for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let words = (before.get(id).cloned(), after.get(id).cloned());
            if words.0 != words.1 {
                self.step(Kind::Waivers, About::Check(id), What::Waiver, words, |_| {});
            }
        }
    }
}

fn differs(before: &CheckRow, after: &CheckRow) -> bool {
    let why = |row: &CheckRow| (row.verdict == Verdict::Unverified).then_some(row.reason.code);
    before.exact.credit != after.exact.credit
        || before.verdict != after.verdict
        || why(before) != why(after)
}

/// Which step a change of verdict belongs to.
fn kind_of(before: &CheckRow, after: &CheckRow) -> Kind {
    let any = |codes: &[Code]| {
        [before, after]
            .iter()
            .any(|row| codes.contains(&row.reason.code))
    };
    if any(&[Code::ToolMissing, Code::WrongPlatform, Code::CannotTell]) {
        Kind::Tools
    } else if any(&[
        Code::Stale,
        Code::NotRun,
        Code::NeedsFailed,
        Code::Interrupted,
    ]) {
        Kind::Staleness
    } else {
        Kind::Results
    }
}

/// A verdict, with what tells it from another of its name.
fn verdict(row: &CheckRow) -> String {
    match row.verdict {
        _ if !row.applicable => "does not apply".to_string(),
        Verdict::Partial => format!("partial {}", row.exact.credit),
        Verdict::Unverified => format!("unverified ({})", row.reason.code.word()),
        verdict => verdict.word().to_string(),
    }
}

fn waiver_words(row: &WaiverRow) -> String {
    let state = match row.state {
        WaiverState::InForce => "in force",
        WaiverState::Expired => "expired",
        WaiverState::Needless => "needless",
        WaiverState::Exceeded => "exceeded",
    };
    format!("{state}, until {}", row.waiver.expires)
}
