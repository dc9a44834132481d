//! What a heading claims: that the thing which it names is in a state, or to how many percent. Most headings only name a topic
//! or a group ("✅ Working"), and claim nothing.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::{percents, ratios};
use super::line::is_void;
use super::measure::{COUNTED, UNIT};
use super::outline::{Kind, Text};
use super::pair::pair;
use super::place::{Place, Title, bare, is_numbered, subject};
use super::sign::{resolved, sign_after, sign_before};
use super::words::{self, compiled};
use super::{At, Claimed, tense};
use crate::domain::claim::{Mark, OVERALL, Said, Tense};

/// A state that is shouted among other words.
static SHOUTED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?:^|[\s:(—–-])(?P<state>NOT (?:PRODUCTION[- ])?(?:READY|STARTED|COMPLETE|DONE|TESTED|IMPLEMENTED)|(?:PRODUCTION[- ])?READY|COMPLETED?|DONE|FINISHED|APPROVED|PASSED|FAILED|INCOMPLETE|IN PROGRESS|PENDING|BLOCKED|VERIFIED|IMPLEMENTED|RESOLVED)(?:[\s!.*)]*$|[\s*!]*[-–—:!(|])",
    )
});

/// The claims of a heading.
pub(super) fn claims(text: &Text, place: &Place<'_>) -> Vec<Claimed> {
    let whole = text.text.trim();
    if is_void(whole) || is_topic(whole) {
        return vec![];
    }
    let title = Title::of(3, whole);
    let when = title.tense.or_else(|| place.tense());
    let when = tense::nearest([when]);
    let mut claimed = figures(whole, when);
    let (before, at) = sign_before(whole);
    let (after, end) = sign_after(whole);
    let sign = before.or(after);
    let body = &whole[at.min(end)..end.max(at)];
    let state = stated(body);
    let named = match &state {
        Some((_, words)) => words.clone(),
        None => body.to_string(),
    };
    let keyed = pair(body);
    let by_value = keyed.and_then(|pair| {
        let value = &body[pair.value..];
        let sign = sign_before(value).0?;
        Some((resolved(sign, value), pair.key.to_string()))
    });
    let found = match (sign, state, by_value) {
        (_, _, Some((mark, key))) => Some((mark, key)),
        (Some(sign), Some((mark, words)), _) => {
            let mark = if sign.decides { sign.mark } else { mark };
            Some((mark, words))
        }
        (Some(sign), None, _)
            if is_numbered(body.trim()) || is_numbered(whole) || !claimed.is_empty() =>
        {
            Some((resolved(sign, body), named))
        }
        (Some(_), None, _) => None,
        (None, Some((mark, words)), _) => Some((mark, words)),
        (None, None, _) => None,
    };
    if let Some((mark, words)) = found {
        claimed.push(Claimed {
            at: At::Byte(0),
            // The title of a document is that of the project.
            subject: match text.kind {
                Kind::Heading(1) => OVERALL.to_string(),
                _ => name(&words),
            },
            said: Said::Mark { mark },
            tense: when,
        });
    }
    claimed
}

fn name(words: &str) -> String {
    // What stands in parentheses may be part of a name, a figure is not.
    static FIGURE: LazyLock<Regex> = LazyLock::new(|| compiled(r"\([~\d][^()]*%\)"));
    let words = FIGURE.replace_all(words, "");
    let words = bare(&words);
    let trimmed = words.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—' | '!' | '(')
    });
    match trimmed.to_lowercase().as_str() {
        "" => OVERALL.to_string(),
        _ => subject(trimmed, None),
    }
}

/// Whether a heading only says what kind of thing stands below it.
fn is_topic(heading: &str) -> bool {
    static TOPIC: LazyLock<Regex> = LazyLock::new(|| {
        compiled(r"(?i)^\W*(?:what|why|how|who|where|when|can|is|are|does|did|should)\b|:\s*$")
    });
    let bare = bare(heading);
    let words = bare.trim_end_matches(|c: char| !c.is_alphanumeric());
    let only_state = words::only(words).is_some()
        && words.split_whitespace().count() < 3
        && !words.to_lowercase().starts_with("ready for");
    TOPIC.is_match(&bare)
        || (only_state
            && words::at_start(words).is_some_and(|state| state.range.len() + 3 > words.len()))
}

/// The state that a heading says in so many words, and what is in it.
fn stated(body: &str) -> Option<(Mark, String)> {
    static GROUP: LazyLock<Regex> = LazyLock::new(|| compiled(r"\((?P<inside>[^()]*)\)"));
    static READY_FOR: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)^(?P<not>not )?(?:ready for (?:production|deployment|release|launch|use|review|staging)|production[- ]ready)\b",
        )
    });
    static RUSSIAN: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"(?i)проект\b.*\b(?:работает|готов)"));
    let bare = bare(body);
    if let Some(found) = READY_FOR.captures(&bare) {
        let mark = if found.name("not").is_some() {
            Mark::NotDone
        } else {
            Mark::Done
        };
        return Some((mark, String::new()));
    }
    if RUSSIAN.is_match(&bare) {
        return Some((Mark::Done, String::new()));
    }
    for captures in GROUP.captures_iter(&bare) {
        let (Some(whole), Some(inside)) = (captures.get(0), captures.name("inside")) else {
            continue;
        };
        if let Some(mark) = words::only(inside.as_str()) {
            return Some((mark, bare[..whole.start()].to_string()));
        }
    }
    for dash in [" - ", " — ", " – ", ": "] {
        if let Some((before, after)) = bare.rsplit_once(dash)
            && let Some(mark) = words::only(after)
        {
            return Some((mark, before.to_string()));
        }
    }
    let found = SHOUTED.captures(&bare)?.name("state")?;
    let before = bare[..found.start()].trim_matches(|c: char| !c.is_alphanumeric());
    if before.is_empty() {
        return None;
    }
    Some((words::only(found.as_str())?, before.to_string()))
}

/// A score out of 100, or so many of so many that pass or are done.
fn counted(heading: &str, when: Tense) -> Vec<Claimed> {
    static SCORE: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"(?i)\b(?:score|readiness|rating|grade|overall|health)\b"));
    let found = ratios(heading).into_iter().filter_map(|ratio| {
        let (before, after) = (&heading[..ratio.range.start], &heading[ratio.range.end..]);
        let said = match ratio.total {
            100 if SCORE.is_match(before) => Said::Percent {
                value: ratio.passed as f64,
                value_max: None,
            },
            _ if COUNTED.is_match(after) => Said::Ratio {
                passed: ratio.passed,
                total: ratio.total,
            },
            _ => return None,
        };
        Some(Claimed {
            at: At::Byte(ratio.range.start),
            subject: name(before),
            said,
            tense: when,
        })
    });
    found.collect()
}

/// The percentages in a heading: those with a unit, the value after a colon, one in parentheses after a name, and from one to
/// another.
fn figures(heading: &str, when: Tense) -> Vec<Claimed> {
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)\b(?:coverage|faster|slower|cost|savings?|weight|points?|threshold|reduction|improvement|growth|uptime|for)\b",
        )
    });
    static VALUE: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?:: ?|\()[~*]*$"));
    let all = percents(heading);
    let mut claimed = counted(heading, when);
    for (nth, percent) in all.iter().enumerate() {
        let (before, after) = (
            &heading[..percent.range.start],
            &heading[percent.range.end..],
        );
        let quoted = before.matches(['"', '“', '”']).count() % 2 == 1;
        let arrow = |between: Option<&str>| {
            between.is_some_and(|between| {
                between.contains(['→']) || between.contains("->") || between.trim() == "to"
            })
        };
        let rises = all
            .get(nth + 1)
            .is_some_and(|next| arrow(heading.get(percent.range.end..next.range.start)));
        let risen = nth > 0 && arrow(heading.get(all[nth - 1].range.end..percent.range.start));
        let unit = UNIT.is_match(after);
        let value = VALUE.is_match(before) && !OTHER.is_match(heading);
        if quoted || !(unit || rises || risen || value) || (OTHER.is_match(heading) && !unit) {
            continue;
        }
        let words = before.trim_end_matches(['(', ':', ' ', '~']);
        let named = match words.is_empty() || rises || risen {
            true => "pass rate".to_string(),
            false => name(words),
        };
        claimed.push(Claimed {
            at: At::Byte(percent.range.start),
            subject: named,
            said: percent.said(),
            tense: if rises { Tense::Past } else { when },
        });
    }
    claimed
}
