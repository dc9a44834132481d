//! The rules: what a check is, what evidence is, what follows from it. Pure: nothing here reads a file, the
//! environment, the clock or a process, or prints; `now` is a parameter. Verdict, score and gate are computed here and
//! nowhere else.
//!
//! Read in this order: [`check`] (what is asked), [`evidence`] (what was observed), [`about`] (of what and where), [`control`] (what must make a check fail), [`proof`] (that it did), [`expectation`] (how one is held
//! against the other), [`verdict`] (the judgement of one check), [`score`] (components and overall), [`gate`] (open or
//! closed), [`regression`] (against what), [`goalposts`] (whether less is asked than before), [`held`] (for how long), [`odd`] (what is unlike before), [`claim`] (what people say), [`assess`] (all of it together),
//! [`report`] (as printed and published), [`again`] (a report, judged once more), [`merge`] (several reports as one), [`diff`] (of two
//! of them), [`history`] (over several).

pub mod about;
pub mod again;
pub mod assess;
pub mod check;
pub mod claim;
pub mod control;
pub mod diff;
pub mod event;
pub mod evidence;
pub mod expectation;
pub mod finding;
pub mod gate;
pub mod goalposts;
pub mod held;
pub mod history;
pub mod interpolate;
pub mod level;
pub mod limit;
pub mod listen;
pub mod merge;
pub mod odd;
pub mod plan;
pub mod project;
pub mod proof;
pub mod ratio;
pub mod reason;
pub mod regression;
pub mod report;
pub mod score;
pub mod service;
pub mod shard;
pub mod statement;
#[cfg(test)]
pub(crate) mod testing;
pub mod verdict;
pub mod version;
pub mod waiver;
