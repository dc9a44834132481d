//! Where in a document a text stands: the headings above it and what introduces it. They tell what it is about, the time it
//! speaks of, and whether it claims anything at all.

use std::sync::LazyLock;

use regex::Regex;

use super::outline::shortened;
use super::tense;
use super::words::{self, compiled};
use crate::domain::claim::{OVERALL, Tense};

/// A heading, or a line that introduces a list.
#[derive(Clone, Debug)]
pub(super) struct Title {
    /// 0 for what is no heading.
    pub(super) level: u8,
    /// Without marks and numbers.
    pub(super) text: String,
    pub(super) tense: Option<Tense>,
    /// Whether what stands below says what is to be done or seen, or how things are called.
    pub(super) silent: bool,
    /// Whether it names one thing: a numbered item, or a heading below the sections.
    pub(super) thing: bool,
}

static SILENT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:legend|key|status (?:legend|key|codes|icons|indicators)|conventions?|symbols?|watch for|you should see|what to (?:look|watch|expect|check)|expected (?:output|results?|behaviou?r|outcome)|look for|verify(?: that)?|example output|sample output|success looks like|how to (?:read|use|verify|test)|what (?:i|we) told you)\b|\b(?:until|unless|once|if|when):$",
    )
});
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:\d+(?:\.\d+)*[.):]|(?:test|step|phase|task|item|part|milestone|stage|feature|issue|story|epic|module) #?\d+(?:\.\d+)*(?:-\d[\d.]*)?\b)",
    )
});

/// What is kept of a title, in bytes.
const LONGEST: usize = 200;

impl Title {
    pub(super) fn of(level: u8, text: &str) -> Title {
        let text = shortened(text, LONGEST);
        let bare = bare(text);
        Title {
            level,
            tense: tense::of_title(&bare),
            silent: SILENT.is_match(&bare),
            thing: level >= 3 || (level == 0 && !bare.ends_with(':')) || is_numbered(text),
            text: bare,
        }
    }
}

/// Whether a text is one of several things that are counted through.
pub(super) fn is_numbered(text: &str) -> bool {
    NUMBERED.is_match(text.trim_start_matches(|c: char| !c.is_alphanumeric()))
}

/// The words of a text: without marks, pictures and the emphasis around them.
pub(super) fn bare(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| words::of_char(*c).is_none() && !words::is_decoration(*c));
    let kept = kept.collect::<String>();
    kept.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_'))
        .to_string()
}

/// Where a text stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'t> {
    /// The headings above, the outermost first.
    pub(super) headings: &'t [Title],
    /// What introduces the list that it is in: the item above, or the line before.
    pub(super) intro: Option<&'t Title>,
    /// Whether the document is about how much of something is covered, so that coverage is completeness.
    pub(super) coverage: bool,
}

impl Place<'_> {
    /// Whether nothing here is a claim.
    pub(super) fn silent(&self) -> bool {
        let here = self.intro.is_some_and(|intro| intro.silent);
        here || self.headings.last().is_some_and(|heading| heading.silent)
    }

    /// The time that it speaks of; none where nothing above says.
    pub(super) fn tense(&self) -> Option<Tense> {
        let above = self.headings.iter().rev().map(|heading| heading.tense);
        let intro = self.intro.and_then(|intro| intro.tense);
        intro.or_else(|| above.into_iter().flatten().next())
    }

    /// What is meant where nothing but a state is said.
    pub(super) fn thing(&self) -> String {
        let intro = self.intro.filter(|intro| intro.thing);
        let heading = self.headings.last().filter(|heading| heading.thing);
        intro
            .or(heading)
            .map_or(OVERALL.to_string(), |title| subject(&title.text, None))
    }
}

static PROJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:the |this |our )?(?:overall(?: \w+)?|(?:project|production|deployment|release|system|launch)?[ -]?(?:readiness|ready|status|score|progress)(?: score| status| level)?|current (?:status|state|progress)|project|application|app|system|it|everything|we|you|answer|verdict|total|(?:final |honest |true )?(?:assessment|verdict|status)|go/no-go|state|result|conclusion|current|maximum achievable|targets?|goals?|expected\b.*|estimated?\b.*|projected\b.*|previous(?:ly)?(?: claim| milestone| status)?|before|after|baseline|initial|reality(?: level.*)?|completion|production-ready|(?:real )?project)$",
    )
});
static GENERIC: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"(?i)^(?:status|state|result|verdict|outcome|progress|completion)$")
});

/// The subject that words name: short, without marks; `overall` where they mean the project. A generic one is that of the
/// place.
pub(super) fn subject(words: &str, place: Option<&Place<'_>>) -> String {
    let bare = bare(shortened(words, LONGEST));
    let mut text = bare.as_str();
    // What follows explains.
    for end in [": ", " - ", " — ", " – ", " ("] {
        if let Some((before, _)) = text.split_once(end)
            && before.chars().any(char::is_alphanumeric)
        {
            text = before;
        }
    }
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | '.' | '!' | ',' | ';' | '*' | '"')
    });
    let text = text
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches(['.', ')', ' ']);
    if GENERIC.is_match(text)
        && let Some(place) = place
    {
        return place.thing();
    }
    match text.is_empty() || PROJECT.is_match(text) {
        true => OVERALL.to_string(),
        false => text.to_string(),
    }
}
