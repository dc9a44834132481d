//! The words and characters by which documents say that something is done, partly done, or not done.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::claim::Mark::{self, Done, NotDone, Partial};

/// The state that a character shows.
pub(super) fn of_char(c: char) -> Option<Mark> {
    match c {
        '✅' | '✓' | '✔' | '☑' | '🟢' => Some(Done),
        '⚠' | '🟡' | '🔄' | '🚧' => Some(Partial),
        '❌' | '✗' | '✘' | '✖' | '⏳' | '🔴' | '⬜' | '☐' | '🔲' => Some(NotDone),
        _ => None,
    }
}

/// Whether a character decides by itself, whatever the words beside it say.
pub(super) fn decides(c: char) -> bool {
    matches!(c, '✅' | '✓' | '✔' | '☑' | '❌' | '✗' | '✘' | '✖')
}

/// Whether a character is a picture or belongs to one, and says nothing.
pub(super) fn is_decoration(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{200d}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
        && of_char(c).is_none()
}

/// What is done, as it begins a value; each ends where a word does.
const DONE: &str = r"production[- ]ready|feature[- ]complete|completed?|done|finished|implemented|ready(?: for\b| to (?:ship|deploy|launch|merge|release|go)\b)?|approved|pass(?:ed|ing|es)?|success(?:ful|fully)?|verified|validated|tested|working|works|running|available|functional|operational|integrated|configured|shipped|closed|resolved|yes|готово|готовы?|готова|работает|работают|реализован[оаы]?|завершен[оаы]?";
const PARTIAL: &str = r"(?:partially|partly) (?:complete[d]?|implemented|done|working|tested|ready|integrated|functional)|partial(?:ly)?|partly|in[- ]progress|wip|work in progress|executing|ongoing|needs? (?:work|testing|review|attention)|conditional(?:ly)?|uncertain|(?:mostly|almost|nearly) (?:done|complete[d]?|finished|ready|working)|(?:implemented|added|done|complete|configured|written|started|exists?|coded) but (?:not |un|in|needs)[\w -]*|в процессе|частично";
const NOT_DONE: &str = r"not (?:yet |been |fully |currently |production[- ])*(?:started|done|run|running|tested|ready|implemented|complete[d]?|finished|working|verified|validated|available|functional|integrated|configured|approved|passing|passed|deployed|wired|resolved|supported|production[- ]ready)|un(?:tested|verified|resolved|finished|implemented|configured|available)|incomplete|inoperative|fail(?:ed|ing|s|ures?|ure)?|pending|to ?do|blocked|no[- ]go|no|future|planned|delayed|deferred|below target|broken|не (?:готов[оаы]?|работает|настроен[оаы]?|реализован[оаы]?|завершен[оаы]?|запущен[оаы]?)";

/// A state at the beginning of a text.
static AT_START: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = format!(
        r#"(?i)^["“'(\[]?(?:(?:is|are|now|fully|completely|always|all|just|already|currently) )*(?:(?P<partial>{PARTIAL})|(?P<not>{NOT_DONE})|(?P<done>{DONE}))(?P<after>$|[^\w])"#
    );
    compiled(&pattern)
});

/// A state at the end of a text.
static AT_END: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = format!(
        r#"(?i)(?:^|[^\w-])(?:(?P<partial>{PARTIAL})|(?P<not>{NOT_DONE})|(?P<done>{DONE}))["”')\].! ]*$"#
    );
    compiled(&pattern)
});

/// The pattern is ours, so it compiles; where it did not, nothing would match.
pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|_| NOTHING.clone())
}

#[allow(clippy::unwrap_used, reason = "an empty class is a pattern")]
static NOTHING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[^\s\S]").unwrap());

/// A state and the bytes of the words that say it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) mark: Mark,
    pub(super) range: std::ops::Range<usize>,
}

fn state(captures: &regex::Captures<'_>) -> Option<State> {
    [("partial", Partial), ("not", NotDone), ("done", Done)]
        .into_iter()
        .find_map(|(name, mark)| {
            let found = captures.name(name)?;
            Some(State {
                mark,
                range: found.range(),
            })
        })
}

/// The state that a text begins with, where that stands as one: what follows does not make it the verb or the adjective of
/// something else ("Complete the guide", "Working groups").
pub(super) fn at_start(text: &str) -> Option<State> {
    let found = state(&AT_START.captures(text)?)?;
    let word = &text[found.range.clone()];
    let rest = &text[found.range.end..];
    let lower = word.to_lowercase();
    // `Yes` and `No` answer only where they stand alone or are shouted.
    let answer = ["yes", "no"].contains(&&*lower);
    if answer {
        let alone = !rest.starts_with(' ') || word.chars().all(char::is_uppercase) || follows(rest);
        return (alone && !rest.starts_with('-')).then_some(found);
    }
    // What somebody is ready for follows.
    (lower.ends_with(" for") || stands(rest) || word.chars().all(|c| !c.is_lowercase()))
        .then_some(found)
}

/// Whether nothing follows that would take the state for itself.
fn stands(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['*', '"', '”', '\'', ')', ']']);
    match rest.chars().next() {
        None => true,
        Some(c) if c.is_whitespace() => follows(rest),
        Some('-' | '/' | '_') => false,
        Some(c) => !c.is_alphanumeric(),
    }
}

/// Whether what follows after a blank leaves the state as it is.
fn follows(rest: &str) -> bool {
    const AFTER: [&str; 40] = [
        "on",
        "for",
        "in",
        "with",
        "by",
        "at",
        "as",
        "and",
        "but",
        "since",
        "until",
        "after",
        "before",
        "from",
        "to",
        "via",
        "per",
        "of",
        "now",
        "yet",
        "only",
        "because",
        "due",
        "when",
        "successfully",
        "correctly",
        "perfectly",
        "consistently",
        "well",
        "properly",
        "fine",
        "within",
        "across",
        "without",
        "under",
        "through",
        "against",
        "locally",
        "на",
        "в",
    ];
    let rest = rest.trim_start();
    let Some(first) = rest.chars().next() else {
        return true;
    };
    if !first.is_alphanumeric() {
        return true;
    }
    let word = rest
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    AFTER.contains(&&*word.to_lowercase())
}

/// The state that a text ends with.
pub(super) fn at_end(text: &str) -> Option<State> {
    // What is looked for is short: a long line need not be searched from its beginning.
    let from = text.len().saturating_sub(80);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at))?;
    let mut found = state(&AT_END.captures(&text[from..])?)?;
    found.range = found.range.start + from..found.range.end + from;
    Some(found)
}

/// The state that is all that a text is.
pub(super) fn only(text: &str) -> Option<Mark> {
    let text = text
        .trim()
        .trim_matches(['*', '_', '(', ')', '[', ']', '.', '!', '"', '“', '”'])
        .trim();
    if text.len() > 60 {
        return None;
    }
    let found = state(&AT_START.captures(text)?)?;
    let rest = text[found.range.end..].trim_matches(|c: char| !c.is_alphanumeric());
    let adverb = [
        "",
        "yet",
        "now",
        "successfully",
        "consistently",
        "locally",
        "today",
        "✓",
    ];
    adverb
        .contains(&&*rest.to_lowercase())
        .then_some(found.mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_at_the_beginning() {
        let cases = [
            ("Complete", Some(Done)),
            ("COMPLETE ✅", Some(Done)),
            ("Completed (2/3)", Some(Done)),
            ("Complete the guide", None),
            ("Working groups meet", None),
            ("Working on Linux", Some(Done)),
            ("not started", Some(NotDone)),
            ("Not yet implemented", Some(NotDone)),
            ("NOT PRODUCTION READY", Some(NotDone)),
            ("In progress, since May", Some(Partial)),
            ("implemented but not tested", Some(Partial)),
            ("Mostly done", Some(Partial)),
            ("NO, needs work", Some(NotDone)),
            ("No known issues", None),
            ("No", Some(NotDone)),
            ("no-go", Some(NotDone)),
            ("YES! Absolutely", Some(Done)),
            ("Ready for production", Some(Done)),
            ("Ready to review", Some(Done)),
            ("Future", Some(NotDone)),
            ("Future-proof", None),
            ("fully tested", Some(Done)),
            ("Excellent", None),
            ("Passenger list", None),
            ("готово", Some(Done)),
        ];
        for (text, mark) in cases {
            assert_eq!(at_start(text).map(|state| state.mark), mark, "{text}");
        }
    }

    #[test]
    fn states_at_the_end_and_alone() {
        assert_eq!(
            at_end("the export is not implemented").map(|state| state.mark),
            Some(NotDone)
        );
        assert_eq!(
            at_end("Storage (COMPLETED)").map(|state| state.mark),
            Some(Done)
        );
        assert_eq!(at_end("complete the work").map(|state| state.mark), None);
        assert_eq!(only("(NOT STARTED)"), Some(NotDone));
        assert_eq!(only("failing consistently"), Some(NotDone));
        assert_eq!(only("waits for testing"), None);
    }
}
