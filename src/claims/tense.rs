//! The time that a part of a document speaks of: how things are, how they were, how they are to be.

use std::sync::LazyLock;

use regex::Regex;

use super::words::compiled;
use crate::domain::claim::Tense::{self, Goal, Now, Past};

/// A heading, a key or the header of a column that is about the past: nothing but the word, or the word before what it is about.
static PAST: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:the )?(?:before|was|old|start|initial(?:ly)?|baseline|previous(?:ly)?|earlier|original(?:ly)?|last (?:week|month|sprint|time|release))(?:$|[^\w]*$|:| (?:state|status|value|claim|milestone|score|rate|results?|run|assessment|coverage|readiness|pass rate)\b)",
    )
});
static GOAL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:the |our )?(?:targets?|goals?|expected|expectation|projected|projections?|estimated?|estimates?|required|desired|planned|forecast|maximum achievable|potential|future|next (?:week|month|sprint|release|milestone|quarter)|with [^:]*\b(?:if|once|when|done|complete|fixed|works?)\b|with (?:docker|everything|all|the|full)\b|after (?:current|the|this|these|all|fix|next|completion|execution|deployment)\b)",
    )
});
/// Words in a sentence that make of a figure what is to be.
static AIMED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:to (?:reach|achieve|hit|get to|become)|reach(?:es)? (?:>|at least|over|~)? ?$|reach|achieving|targets?(?: of| is|ing)?|goals?|aim(?:s|ing)?|will (?:be|reach|have)|would (?:be|reach)|should (?:be|reach)|expected?|estimated?|projected|by the end of|by end of|then (?:it's|it is|we are|the)|near-)\b",
    )
});
static FROM_THEN: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:up from|down from|was|were|previously|before|at the time|used to be)\b[^.;%]*$",
    )
});

/// What a heading, a key or a column's header speaks of; none where it says nothing about time.
pub(super) fn of_title(title: &str) -> Option<Tense> {
    let title = title.trim_start_matches(|c: char| !c.is_alphanumeric());
    let title = title.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    match title {
        _ if PAST.is_match(title) => Some(Past),
        _ if GOAL.is_match(title) => Some(Goal),
        _ => None,
    }
}

/// What a figure speaks of, by the words before and after it in its sentence.
pub(super) fn of_figure(before: &str, after: &str) -> Option<Tense> {
    let start = before.rfind(['.', ';', '!', '?']).map_or(0, |at| at + 1);
    let before = &before[start..];
    if FROM_THEN.is_match(before) {
        return Some(Past);
    }
    let near = before.char_indices().rev().nth(60).map_or(0, |(at, _)| at);
    let aimed_after = ["target", " target", " goal"]
        .iter()
        .any(|word| after.to_lowercase().starts_with(word));
    (AIMED.is_match(&before[near..]) || before.trim_end().ends_with("near") || aimed_after)
        .then_some(Goal)
}

/// The first that says something, from the nearest outward; else now.
pub(super) fn nearest(tenses: impl IntoIterator<Item = Option<Tense>>) -> Tense {
    tenses.into_iter().flatten().next().unwrap_or(Now)
}
