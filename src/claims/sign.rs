//! A mark before or behind a text, and the state that it shows together with the words beside it.

use std::sync::LazyLock;

use regex::Regex;

use super::pair::pair;
use super::words::{self, compiled};
use crate::domain::claim::Mark;

/// A mark before or behind a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sign {
    pub(super) mark: Mark,
    /// Whether it stands whatever the words say.
    pub(super) decides: bool,
    /// A checkbox gives way only to a label that says that the work goes on.
    pub(super) checkbox: bool,
    /// It stands for work that is to be done, and for no instruction.
    pub(super) waits: bool,
}

/// The mark that a text begins with, and where the text behind it begins.
pub(super) fn sign_before(text: &str) -> (Option<Sign>, usize) {
    static BOX: LazyLock<Regex> = LazyLock::new(|| compiled(r"^\[(?P<tick>[ xX~-])\](?: |$)"));
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| compiled(r"^\d+(?:\.\d+)*[.)] +"));
    let mut at = NUMBER.find(text).map_or(0, |found| found.end());
    if let Some(found) = BOX.captures(&text[at..]) {
        let mark = match found.name("tick").map_or(" ", |tick| tick.as_str()) {
            " " => Mark::NotDone,
            "-" | "~" => Mark::Partial,
            _ => Mark::Done,
        };
        let end = found.get(0).map_or(0, |whole| whole.end());
        return (Some(boxed(mark)), at + end);
    }
    let mut sign = None;
    for c in text[at..].chars() {
        match words::of_char(c) {
            Some(mark) if sign.is_none() => {
                sign = Some(Sign {
                    mark,
                    decides: words::decides(c),
                    checkbox: c == '☐' || c == '⬜' || c == '☑',
                    waits: matches!(c, '⏳' | '☐' | '⬜' | '🔲'),
                });
            }
            Some(_) => {}
            None if c.is_whitespace() || words::is_decoration(c) => {}
            None => break,
        }
        at += c.len_utf8();
    }
    (sign, at)
}

pub(super) fn boxed(mark: Mark) -> Sign {
    Sign {
        mark,
        decides: false,
        checkbox: true,
        waits: true,
    }
}

/// The mark that a text ends with, and where the text before it ends.
pub(super) fn sign_after(text: &str) -> (Option<Sign>, usize) {
    let (mut sign, mut end) = (None, text.len());
    for (at, c) in text.char_indices().rev() {
        match words::of_char(c) {
            Some(mark) => {
                sign = Some(Sign {
                    mark,
                    decides: words::decides(c),
                    checkbox: false,
                    waits: c == '⏳',
                });
            }
            None if c.is_whitespace()
                || words::is_decoration(c)
                || matches!(c, '*' | '_' | '.' | '!') => {}
            None => break,
        }
        end = at;
    }
    match sign {
        Some(_) => (sign, end),
        None => (None, text.len()),
    }
}

/// The mark that a text ends with, be it that an explanation in parentheses follows.
pub(super) fn sign_behind(text: &str) -> (Option<Sign>, usize) {
    let (sign, end) = sign_after(text);
    let explained = || {
        let text = text.trim_end().strip_suffix(')')?;
        let open = text.rfind('(')?;
        Some(sign_after(&text[..open])).filter(|(sign, _)| sign.is_some())
    };
    // The word for the mark may follow it: `✅ COMPLETE`.
    let named = || {
        let (at, c) = text
            .char_indices()
            .rev()
            .find(|(_, c)| words::of_char(*c).is_some())?;
        words::only(&text[at + c.len_utf8()..])?;
        Some(sign_after(&text[..at + c.len_utf8()]))
    };
    match sign {
        Some(_) => (sign, end),
        None => explained().or_else(named).unwrap_or((sign, end)),
    }
}

/// The state that a mark and the words beside it show together.
pub(super) fn resolved(sign: Sign, words_beside: &str) -> Mark {
    if sign.decides {
        return sign.mark;
    }
    let text = words_beside.trim_start_matches(|c: char| {
        words::of_char(c).is_some() || words::is_decoration(c) || c == ' '
    });
    if sign.checkbox {
        // Only a label that the work goes on takes a box's place.
        static LABEL: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)(?:^[\[(]?(?:in[- ]progress|wip|partial(?:ly)?|partly)\b[\])]?|[\[(_*] ?(?:in[- ]progress|wip|partial(?:ly)?(?: \w+)?|partly)[\])_*]|\b(?:partly|partially)\W*$)",
            )
        });
        return match LABEL.is_match(text) {
            true => Mark::Partial,
            false => sign.mark,
        };
    }
    static PAREN: LazyLock<Regex> = LazyLock::new(|| compiled(r"\((?P<inside>[^()]*)\)"));
    if let Some(state) = words::at_start(text) {
        return state.mark;
    }
    // An adjective before what it is about: "Untested flow".
    static ADJECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)^(?:untested|unverified|incomplete|unfinished|unresolved|failing|failed|pending)\b",
        )
    });
    if ADJECTIVE.is_match(text) {
        return Mark::NotDone;
    }
    let inside = PAREN
        .captures_iter(text)
        .find_map(|captures| words::only(captures.name("inside")?.as_str()));
    if let Some(mark) = inside {
        return running(mark, &text.to_lowercase());
    }
    let outside = PAREN.replace_all(text, " ");
    let main = outside.split(['—', '–']).next_back().unwrap_or_default();
    let main = main.trim_end_matches(|c: char| !c.is_alphanumeric());
    if let Some(state) = words::at_end(main)
        && state.mark == Mark::NotDone
    {
        return state.mark;
    }
    if let Some(pair) = pair(text)
        && let Some(state) = words::at_start(&text[pair.value..])
    {
        return state.mark;
    }
    sign.mark
}

/// What runs while a task is under way is not done.
fn running(mark: Mark, lower: &str) -> Mark {
    match mark {
        Mark::Done if lower.contains("(running") || lower.contains("(executing") => Mark::Partial,
        mark => mark,
    }
}
