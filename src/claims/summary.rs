//! The one thing in a block of code that claims something: the summary that a test runner printed, with how many passed and
//! how many there were.

use std::sync::LazyLock;

use regex::Regex;

use super::place::Place;
use super::words::compiled;
use super::{At, Claimed};
use crate::domain::claim::Said;

static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?P<number>\d[\d,]*) (?:tests? |examples? |assertions? |specs? )?(?P<what>passed|passing|pass|failed|failing|failures?|errors?|skipped|ignored|pending|total)\b",
    )
});
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?P<what>passed|passing|failed|failing|failures?|errors?|skipped|ignored|total(?: tests)?|tests run|collected)\s*[:=]\s*(?P<number>\d[\d,]*)",
    )
});

/// How many lines around the one with the passed count may hold the others.
const NEIGHBOURS: usize = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: Option<u64>,
    failed: Option<u64>,
    skipped: Option<u64>,
    total: Option<u64>,
}

fn counts(line: &str) -> Counts {
    let mut counts = Counts::default();
    let found = AFTER.captures_iter(line).chain(BEFORE.captures_iter(line));
    for captures in found {
        let (Some(number), Some(what)) = (captures.name("number"), captures.name("what")) else {
            continue;
        };
        let Ok(number) = number.as_str().replace(',', "").parse::<u64>() else {
            continue;
        };
        let what = what.as_str().to_lowercase();
        let slot = match &*what {
            _ if what.starts_with("pass") => &mut counts.passed,
            _ if what.starts_with("fail") || what.starts_with("error") => &mut counts.failed,
            "skipped" | "ignored" | "pending" => &mut counts.skipped,
            _ => &mut counts.total,
        };
        // `2 failed, 1 error` are three that did not pass; `Passed: 41` is said once.
        let more = what.starts_with("error") || what.starts_with("fail");
        *slot = match (*slot, more) {
            (Some(before), true) => Some(before.saturating_add(number)),
            (Some(before), false) => Some(before),
            (None, _) => Some(number),
        };
    }
    counts
}

/// The summary in a block of code, if there is one: on the line with the passed count. Of several that of the tests counts.
pub(super) fn claim(lines: &[(u32, String)], place: &Place<'_>) -> Option<Claimed> {
    let with_passed = lines.iter().enumerate().filter_map(|(at, (line, text))| {
        let here = counts(text);
        let passed = here.passed?;
        let around = at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS + 1).min(lines.len());
        let mut all = here;
        // Each line of a summary of several suites is one by itself.
        if here.failed.is_none() && here.total.is_none() {
            for (_, text) in &lines[around] {
                let other = counts(text);
                if other.passed.is_none() {
                    all.failed = all.failed.or(other.failed);
                    all.skipped = all.skipped.or(other.skipped);
                    all.total = all.total.or(other.total);
                }
            }
        }
        let sum = passed
            .saturating_add(all.failed.unwrap_or(0))
            .saturating_add(all.skipped.unwrap_or(0));
        let total = all.total.filter(|total| *total >= passed).unwrap_or(sum);
        let is_told = all.failed.is_some() || all.total.is_some();
        let lower = text.to_lowercase();
        let of_suites = lower.contains("suites") || lower.contains("files");
        (is_told && total > 0).then_some((of_suites, *line, passed, total))
    });
    let (_, line, passed, total) = with_passed.min_by_key(|(of_suites, ..)| *of_suites)?;
    Some(Claimed {
        at: At::Line(line),
        subject: "tests".to_string(),
        said: Said::Ratio { passed, total },
        tense: super::tense::nearest([place.tense()]),
    })
}
