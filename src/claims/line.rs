//! What a line, an item of a list or a sentence claims.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::{Percent, Ratio, percents, ratios};
use super::outline::{Kind, Text};
use super::place::{Place, subject};
use super::words::{self, State, compiled};
use super::{At, Claimed, changes, tense};
use crate::domain::claim::{Mark, OVERALL, Said, Tense};

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

/// Whether a line of a paragraph stands by itself: it begins with a mark, a number or a key.
pub(super) fn begins_anew(line: &str) -> bool {
    static KEY: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"^(?:\d+[.)] |\p{Lu}[\w /()&'’.-]{1,40}:(?: |$))"));
    let line = line.trim_start();
    sign_before(line).0.is_some() || KEY.is_match(line)
}

/// Whether a heading says that the document is about how much of an interface is covered.
pub(super) fn is_about_coverage(heading: &str) -> bool {
    static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)\b(?:api|feature|function|spec|standard|binding|wrapper|platform|protocol|syscall|instruction)s? (?:and \w+ )?(?:coverage|compatibility|parity)\b",
        )
    });
    ABOUT.is_match(heading)
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
fn sign_behind(text: &str) -> (Option<Sign>, usize) {
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

/// A text that says nothing: a form, a legend, a question as a whole.
pub(super) fn is_void(text: &str) -> bool {
    static LEGEND: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"(?i)^\W*(?:legend|key|format|status codes?|symbols?)\b\W"));
    let boxes = text.matches(['☐', '⬜']).count();
    let explained = text
        .split(['✅', '❌', '⚠', '🟢', '🔴', '🟡', '⏳', '🚧', '🔄'])
        .skip(1);
    let explained = explained
        .filter(|after| {
            after
                .trim_start_matches(['\u{fe0f}', ' ', '`'])
                .starts_with(['=', ':'])
        })
        .count();
    boxes > 1
        || text.contains("____")
        || explained > 1
        || LEGEND.is_match(text)
        || text.trim_end_matches(['*', '_', ' ']).ends_with('?')
}

/// The claims of a line or an item.
pub(super) fn claims(text: &Text, place: &Place<'_>) -> Vec<Claimed> {
    let whole = text.text.as_str();
    let (sign, at) = match text.ticked {
        Some(true) => (Some(boxed(Mark::Done)), 0),
        Some(false) => (Some(boxed(Mark::NotDone)), 0),
        None => sign_before(whole),
    };
    if text.ticked.is_none() && is_void(whole) {
        return vec![];
    }
    let mut line = Line {
        text: whole,
        place,
        item: text.kind == Kind::Item,
        claimed: vec![],
    };
    if text.quoted && sign.is_none() {
        return vec![];
    }
    let muted = place.silent() && !sign.is_some_and(|sign| sign.waits);
    match sign {
        _ if muted => {}
        Some(sign) => line.signed(sign, at),
        None => line.unsigned(),
    }
    if !muted {
        let tense = tense::nearest([place.tense()]);
        for (at, said) in changes::of(whole) {
            let subject = match &said {
                Said::Count { .. } | Said::Delta { .. } => line.key_subject(),
                _ => OVERALL.to_string(),
            };
            line.claimed.push(Claimed {
                at: At::Byte(at),
                subject,
                said,
                tense,
            });
        }
    }
    line.distinct()
}

/// A key and where its value begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'t> {
    pub(super) key: &'t str,
    pub(super) value: usize,
}

/// Splits a text at its first colon, or at a dash after a short key.
pub(super) fn pair(text: &str) -> Option<Pair<'_>> {
    const LONGEST: usize = 80;
    let colon = text.match_indices(':').find(|(at, _)| {
        let rest = &text[at + 1..];
        rest.is_empty() || rest.starts_with([' ', '*', '_'])
    });
    let dash = [" - ", " – ", " — "]
        .into_iter()
        .filter_map(|dash| Some((text.find(dash)?, dash)));
    let dash = dash
        .min()
        .filter(|(at, _)| colon.is_none_or(|(colon, _)| at < &colon));
    let (at, separator) = match (dash, colon) {
        // A dash separates only what it would be odd to say otherwise: a state.
        (Some((at, dash)), _)
            if words::at_start(value_of(text, at + dash.len()).0).is_some()
                || sign_before(value_of(text, at + dash.len()).0).0.is_some() =>
        {
            (at, dash)
        }
        (_, Some((at, colon))) => (at, colon),
        _ => return None,
    };
    let key = text[..at].trim_matches(['*', '_', ' ']);
    let is_key = !key.is_empty() && key.len() <= LONGEST && !key.contains(". ");
    is_key.then(|| Pair {
        key,
        value: at + separator.len() + value_of(text, at + separator.len()).1,
    })
}

fn value_of(text: &str, from: usize) -> (&str, usize) {
    let value = text[from..].trim_start_matches([' ', '*', '_']);
    (value, text[from..].len() - value.len())
}

/// Keys whose values describe, ask for or explain something.
static DESCRIBES: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:descriptions?|deliverables?|features?(?: complete)?|requirements?|criteri(?:a|on)|acceptance.*|expected (?:result|output|behaviou?r)s?|actions?|next (?:steps?|actions?)|recommend(?:ation|ed)s?|how|why.*|what.*|who.*|when.*|note|notes|warning|tips?|example|usage|impact|priority|severity|timeline|duration|effort|solution|fix|mitigation|risk|purpose|reason|command|a|q|question|answer to.*|claims? (?:under|to).*|threshold|can .*|is .*|are .*|does .*|do .*|did .*|will .*|should .*|could .*|has .*|have .*|how .*|if .*|when .*|.*\?)$",
    )
});
/// Keys of figures that are no completeness, readiness or passing.
static OTHER_FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:weights?|contribution|gap|change|delta|diff(?:erence)?|improvement|increase|reduction|decrease|savings?|discount|growth|revenue|profit|margin|conversion|churn|retention|market|price|cost|uptime|availability|sla|cpu|gpu|memory|ram|disk|latency|throughput|usage|utilization|load|traffic|thresholds?|minimum|min|max|limit|fail(?:ed|ure|ing|s)?|errors|error rate|skipped|risk|confidence|accuracy|precision|recall|f1|compression|speed(?:up)?|faster|slower|overhead|cache|hit rate|duplicat\w*|bounce|loss|drop|probability|similarity|battery|humidity|tax|interest|share|sampl\w*|rollout|canary|quality gate)\b",
    )
});
static COVERAGE: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"(?i)\b(?:coverage|cov|covered|покрыти\w*)\b"));
/// Keys whose percentages are completeness, readiness or passing, whatever else stands in the value.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:overall|total|readiness|ready|progress|complet(?:e|ed|ion|eness)|score|pass(?:ing|ed)? ?(?:rate|%|percentage)?|success(?: rate)?|status|implement(?:ed|ation)|done|maturity|functional(?:ity)?|milestone|готовность|прогресс|статус)\b",
    )
});
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^\+?[*_)]*[ -]?(?:of (?:the |all )?)?(?:[\w/&'-]+ ){0,3}?(?:complete[d]?|completion|done|finished|ready|readiness|passing|passed|pass|pass[- ]rate|success|successful|success[- ]rate|working|works|implemented|functional|operational|production[- ]ready|готов\w*|готово|выполнен\w*)\b",
    )
});
static AIM: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?:\b(?:to )?(?:reach|achieve|hit|achieving|reaching|target(?:ing)?(?: of)?|goal(?: of)?|aim(?:ing)? for|aim for)[ *:]*(?:near-)?[~>≥=]*[ *]*|near-)$",
    )
});
static DENIED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:not|isn't|is not|aren't|never|nowhere near|far from|less than|without)(?: yet| really| at| a| an| the)?[ *]*$",
    )
});
pub(super) static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^[*_)]*[ -]?(?:[\w/&'-]+ ){0,2}?(?:tests?|test[- ]cases?|cases|specs|tasks?|items?|suites?|plans?|points|functions?|methods|checks?|scenarios?|features?|modules?|components?|endpoints?|commands?|templates?|probes?|files?|stories|requirements|criteria|services|handlers|pages|apis?|bugs|issues|tickets|steps|stages|phases|models?|tables?|screens|routes|examples?|classes|passing|passed|pass|complete[d]?|done|implemented|working|ready|finished|verified|fixed|migrated|ported|approved|resolved|green|succeeded|successful)\b",
    )
});
static COUNTING_KEY: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:tests?|total|tasks?|items?|suites?|progress|passed|passing|complet(?:e|ed|ion)|done|implemented|ported|migrated|functions?|features?|modules?|components?|endpoints?|checks?|scenarios?|status|score|executed|criteria|requirements|overall|results?|plans?|coverage|running|validated|verified|fixed|created|covered|tested|integrated|deployed|approved|resolved|converted|working)\b",
    )
});
static POSITION: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:phase|step|plan|part|page|sprint|week|day|stage|version|milestone|iteration|level|chapter|lesson|round|attempt|session|batch|volume|slide|figure|node|tier|priority|rule|article)s?[ #*:]*$",
    )
});
static FAILING: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^[*_)]*[ -]?(?:[\w/&'-]+ ){0,2}?(?:(?:are |still )?fail(?:ed|ing|s|ures?)?|broken|errors?)\b",
    )
});
static SCORE: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:score|readiness|rating|grade|overall|health|points?|maturity|quality|production)\b",
    )
});

struct Line<'t> {
    text: &'t str,
    place: &'t Place<'t>,
    item: bool,
    claimed: Vec<Claimed>,
}

impl<'t> Line<'t> {
    fn push(&mut self, at: usize, subject: String, said: Said, tense: Tense) {
        self.claimed.push(Claimed {
            at: At::Byte(at),
            subject,
            said,
            tense,
        });
    }

    /// Without what is said twice.
    fn distinct(self) -> Vec<Claimed> {
        let mut distinct: Vec<Claimed> = vec![];
        for claimed in self.claimed {
            let same = |other: &Claimed| {
                let again =
                    matches!(claimed.said, Said::Mark { .. }) && other.subject != claimed.subject;
                other.said == claimed.said && other.tense == claimed.tense && !again
            };
            if !distinct.iter().any(same) {
                distinct.push(claimed);
            }
        }
        distinct
    }

    fn key_subject(&self) -> String {
        match pair(self.text) {
            Some(pair) => subject(pair.key, Some(self.place)),
            None => self.place.thing(),
        }
    }

    fn tense_here(&self, key: Option<&str>) -> Option<Tense> {
        key.and_then(tense::of_title).or_else(|| self.place.tense())
    }

    /// A line that is led by a mark.
    fn signed(&mut self, sign: Sign, at: usize) {
        static SEVERE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)^[*_ ]*(?:critical|warnings?|notes?|important|caution|attention|high risk|medium risk|low risk|danger|do not|don't|never|disclaimer|breaking|security notice|known (?:issues?|limitations?)|limitations?|risk)\b",
            )
        });
        let rest = &self.text[at..];
        if sign.mark == Mark::Partial && !sign.checkbox && SEVERE.is_match(rest) {
            return;
        }
        let pair = pair(rest);
        let mark = resolved(sign, rest);
        let words = match rest.trim().is_empty() {
            true => self
                .place
                .headings
                .last()
                .map_or(OVERALL.to_string(), |heading| heading.text.clone()),
            false => rest.to_string(),
        };
        let first = percents(rest).into_iter().next().filter(|first| {
            rest[..first.range.start]
                .trim_matches(['*', '~', ' '])
                .is_empty()
        });
        let subject = match &first {
            Some(first) => subject(&rest[first.range.end..], Some(self.place)),
            None => subject(&words, Some(self.place)),
        };
        let key = pair.map(|pair| pair.key);
        let tense = tense::nearest([self.tense_here(key), self.will_be(rest)]);
        self.push(
            at.min(self.text.len()),
            subject.clone(),
            Said::Mark { mark },
            tense,
        );
        if sign.checkbox && mark != Mark::Done && sign.mark != Mark::Done {
            // What is still to be done names the figure that it is to reach.
            return;
        }
        let actual = rest.to_lowercase().find("actually");
        for percent in percents(rest) {
            let bare = pair.is_some_and(|pair| self.is_bare(rest, &percent, pair.value));
            let denied = mark == Mark::NotDone
                && !bare
                && actual.is_none_or(|actual| percent.range.start < actual)
                && first
                    .as_ref()
                    .is_some_and(|first| first.range == percent.range);
            let leads = first
                .as_ref()
                .is_some_and(|first| first.range == percent.range);
            let fits = match mark {
                Mark::Done => percent.value >= 50.0,
                Mark::Partial => percent.value > 0.0 && percent.value < 100.0,
                Mark::NotDone => percent.value > 0.0 && percent.value < 100.0,
            };
            let after_actual = actual.is_some_and(|actual| percent.range.start > actual);
            let other = self.is_other(rest, &percent, key);
            let enclosed = is_enclosed(rest, &percent) && fits;
            let told = (UNIT.is_match(&rest[percent.range.end..]) || enclosed) && !other;
            if !denied && (told || after_actual || (leads && !other) || (bare && fits && !other)) {
                let tense = tense::nearest([self.figure_tense(rest, &percent), Some(tense)]);
                self.push(
                    at + percent.range.start,
                    subject.clone(),
                    percent.said(),
                    tense,
                );
            }
        }
        if mark == Mark::Done || rest.contains("ctually") {
            self.ratios(rest, at, key, &subject, tense, true);
        } else {
            self.ratios(rest, at, key, &subject, tense, false);
        }
    }

    fn will_be(&self, rest: &str) -> Option<Tense> {
        static WILL: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)\bwill be\b"));
        WILL.is_match(rest).then_some(Tense::Goal)
    }

    fn figure_tense(&self, text: &str, percent: &Percent) -> Option<Tense> {
        tense::of_figure(&text[..percent.range.start], &text[percent.range.end..])
    }

    /// Whether the value is nothing but this figure, marks and what stands in parentheses.
    fn is_bare(&self, text: &str, percent: &Percent, value: usize) -> bool {
        static NEUTRAL: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)^(?:[~≈>≥<*_\s+.,!()-]|about|approx\.?|approximately|around|roughly|over|at least|only|now|currently|yes|no|overall)*$",
            )
        });
        static PAREN: LazyLock<Regex> = LazyLock::new(|| compiled(r"\([^()]*\)"));
        if percent.range.start < value {
            return false;
        }
        let outside = [
            &text[value..percent.range.start],
            " ",
            &text[percent.range.end..],
        ]
        .concat();
        let outside = PAREN.replace_all(&outside, " ");
        let outside = outside
            .chars()
            .filter(|c| words::of_char(*c).is_none() && !words::is_decoration(*c))
            // The cells of a bar say nothing.
            .filter(|c| !matches!(c, '\u{2580}'..='\u{25ff}' | '[' | ']' | '=' | '#'))
            .collect::<String>();
        let outside = outside.split(" | ").next().unwrap_or_default();
        NEUTRAL.is_match(outside)
    }

    /// Whether the figure is about something else than completeness, readiness or passing.
    fn is_other(&self, text: &str, percent: &Percent, key: Option<&str>) -> bool {
        let (start, end) = (percent.range.start, percent.range.end);
        let clause_start = text[..start]
            .rfind(['.', ';', '|', ',', '('])
            .map_or(0, |at| at + 1);
        let before = &text[clause_start..start];
        let after = &text[end..];
        let clause_end = after
            .find(['.', ';', '|', ',', ')', '('])
            .unwrap_or(after.len());
        let clause = [before, &after[..clause_end]].concat();
        let unit = UNIT.find(after).map(|found| found.as_str());
        let covers = |text: &str| {
            COVERAGE.is_match(text) && !self.place.coverage && !is_about_coverage(text)
        };
        let key_is_other = key.is_some_and(|key| OTHER_FIGURE.is_match(key) || covers(key));
        key_is_other || (unit.is_none() && OTHER_FIGURE.is_match(&clause)) || covers(&clause)
    }

    /// A line that no mark leads.
    fn unsigned(&mut self) {
        let text = self.text;
        if text.contains(" | ") && self.segments() {
            return;
        }
        let (sign, end) = sign_behind(text);
        let pair = pair(&text[..end]);
        let key = pair.map(|pair| pair.key);
        if key.is_some_and(|key| DESCRIBES.is_match(key)) && sign.is_none() {
            if let Some(pair) = pair {
                self.aims(pair);
            }
            return;
        }
        let mut stated = false;
        let tense = tense::nearest([self.tense_here(key)]);
        let quoted = pair.is_some_and(|pair| text[pair.value..].starts_with(['"', '“']));
        if quoted && tense != Tense::Past {
            return;
        }
        match (sign, pair) {
            (Some(sign), pair) if !self.is_instruction(text) => {
                let value = pair.map_or(&text[..end], |pair| &text[pair.value.min(end)..end]);
                let mark = resolved(sign, value);
                let (at, subject) = (end.saturating_sub(1), self.subject_of(pair, &text[..end]));
                self.push(floor(text, at), subject, Said::Mark { mark }, tense);
                stated = true;
            }
            (None, Some(pair)) => {
                let value = &text[pair.value..];
                let leading = sign_before(value).0;
                let state = words::at_start(value);
                if let Some(sign) = leading {
                    let mark = resolved(sign, value);
                    let subject = self.subject_of(Some(pair), text);
                    self.push(pair.value, subject, Said::Mark { mark }, tense);
                    stated = true;
                } else if let Some(state) = state {
                    let subject = self.subject_of(Some(pair), text);
                    self.push(pair.value, subject, Said::Mark { mark: state.mark }, tense);
                    stated = true;
                } else if let Some(mark) =
                    words::only(pair.key).filter(|_| !value.is_empty() && self.is_shouted(pair.key))
                {
                    self.push(
                        0,
                        subject(value, Some(self.place)),
                        Said::Mark { mark },
                        tense,
                    );
                    stated = true;
                } else if let Some(state) = self.key_state(pair.key) {
                    let words = &pair.key[..state.range.start];
                    self.push(
                        0,
                        subject(words, Some(self.place)),
                        Said::Mark { mark: state.mark },
                        tense,
                    );
                    stated = true;
                }
            }
            _ => {}
        }
        if !stated
            && let Some((at, mark, words)) = self.in_parentheses().or_else(|| behind_dash(text))
        {
            let words = subject(&words, Some(self.place));
            self.push(at, words, Said::Mark { mark }, tense);
            stated = true;
        }
        if !stated
            && self.item
            && let Some(mark) = words::only(text).filter(|_| pair.is_none())
        {
            // An item that is nothing but a state belongs to the line above.
            let thing = self
                .place
                .intro
                .map_or(OVERALL.to_string(), |intro| subject(&intro.text, None));
            self.push(0, thing, Said::Mark { mark }, tense);
            stated = true;
        }
        let before = self.claimed.len();
        self.figures(text, 0, pair, tense);
        let figured = self.claimed.len() > before;
        if !stated || pair.is_none() {
            self.sentences(figured);
        }
    }

    fn is_shouted(&self, key: &str) -> bool {
        key.chars().all(|c| !c.is_lowercase())
    }

    /// A state at the end of the key of an item ("Async operations failing: …").
    fn key_state(&self, key: &str) -> Option<State> {
        static SURE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)^(?:failing|failed|complete|completed|done|incomplete|broken|blocked|pending|not .*|untested)$",
            )
        });
        let state = words::at_end(key)?;
        let words = key[..state.range.start].trim();
        let several = words.split_whitespace().count() > 1;
        (self.item && several && SURE.is_match(&key[state.range.clone()])).then_some(state)
    }

    fn subject_of(&self, pair: Option<Pair<'_>>, text: &str) -> String {
        match pair {
            Some(pair) => subject(pair.key, Some(self.place)),
            None => subject(text, Some(self.place)),
        }
    }

    fn is_instruction(&self, text: &str) -> bool {
        static VERB: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)^(?:run|verify|check|ensure|make sure|confirm|deploy|proceed|fix|add|update|create|test|review|monitor|see|try|use|open|wait|should|must|please|let|do|go|start|stop|keep|consider|recommend)\b",
            )
        });
        let (_, at) = sign_before(text);
        VERB.is_match(text[at..].trim_start_matches(['*', '_', ' ']))
    }

    /// Several pairs on one line. Gives whether they said anything.
    fn segments(&mut self) -> bool {
        let mut at = 0;
        let mut parts: Vec<(usize, &'t str)> = vec![];
        for part in self.text.split(" | ") {
            parts.push((at, part));
            at += part.len() + 3;
        }
        let number = |part: &str| {
            let pair = pair(part)?;
            Some((
                pair.key.to_string(),
                super::figures::whole_number(&part[pair.value..])?,
            ))
        };
        let numbers = parts
            .iter()
            .filter_map(|(at, part)| Some((*at, number(part)?)))
            .collect::<Vec<_>>();
        static ALL: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)^total\b ?"));
        static SOME: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)^(?:used|done|pass(?:ed|ing)|complete[d]?|implemented|ported|covered|finished|wrapped)\b",
            )
        });
        let total = numbers.iter().find(|(_, (key, _))| ALL.is_match(key));
        let some = numbers.iter().find(|(_, (key, _))| SOME.is_match(key));
        let tense = tense::nearest([self.place.tense()]);
        let mut name = None;
        if let (Some((_, (key, total))), Some((at, (_, passed)))) = (total, some)
            && passed <= total
        {
            let of = subject(&ALL.replace(key, ""), Some(self.place));
            let said = Said::Ratio {
                passed: *passed,
                total: *total,
            };
            self.push(*at, of.clone(), said, tense);
            name = Some(of);
        }
        for (start, part) in parts {
            let mut line = Line {
                text: part,
                place: self.place,
                item: false,
                claimed: vec![],
            };
            let part_of_pair = pair(part);
            // `Status: A done ✅ | B in progress 🚧`: each part is about what it names.
            let value = part_of_pair.map_or(0, |pair| pair.value);
            let (sign, end) = sign_after(part);
            let inner = &part[value.min(end)..end];
            if let (Some(sign), Some(state)) = (
                sign,
                words::at_end(inner).filter(|state| state.range.start > 0),
            ) {
                let mark = resolved(sign, &inner[state.range.clone()]);
                line.push(
                    0,
                    subject(&inner[..state.range.start], Some(self.place)),
                    Said::Mark { mark },
                    tense,
                );
            } else {
                line.unsigned();
            }
            for mut claimed in line.claimed {
                if let At::Byte(at) = &mut claimed.at {
                    *at += start;
                }
                if let (Some(name), Some(_)) = (&name, part_of_pair) {
                    claimed.subject = name.clone();
                }
                self.claimed.push(claimed);
            }
        }
        true
    }

    /// A state that is all that stands in parentheses.
    fn in_parentheses(&self) -> Option<(usize, Mark, String)> {
        static GROUP: LazyLock<Regex> = LazyLock::new(|| compiled(r"\((?P<inside>[^()]*)\)"));
        let groups = GROUP.captures_iter(self.text).filter_map(|captures| {
            let (whole, inside) = (captures.get(0)?, captures.name("inside")?.as_str());
            let before = self.text[..whole.start()].trim();
            let after = self.text[whole.end()..].trim_matches(['*', '_', ' ', '.', ':', '!']);
            let signed = sign_before(inside).0.map(|sign| resolved(sign, inside));
            let mark = signed.or_else(|| words::only(&without_figures(inside)))?;
            let fits = !before.is_empty() && (self.item || signed.is_some() || after.is_empty());
            fits.then(|| (whole.start(), mark, before.to_string()))
        });
        groups.into_iter().next()
    }

    /// What a line that describes something still says about what is to be.
    fn aims(&mut self, pair: Pair<'_>) {
        if tense::of_title(pair.key) == Some(Tense::Goal) {
            self.figures(self.text, 0, Some(pair), Tense::Goal);
        }
    }

    /// Every figure that says how much is complete, ready or passes.
    fn figures(&mut self, text: &str, offset: usize, pair: Option<Pair<'_>>, tense: Tense) {
        let key = pair.map(|pair| pair.key);
        let all = percents(text);
        let counted = ratios(text);
        for (nth, percent) in all.iter().enumerate() {
            let (before, after) = (&text[..percent.range.start], &text[percent.range.end..]);
            let in_quotes = before.matches(['"', '“', '”']).count() % 2 == 1;
            if in_quotes || DENIED.is_match(before) || is_asked(after) {
                continue;
            }
            let aimed =
                AIM.is_match(before) || after.to_lowercase().trim_start().starts_with("target");
            let near = |a: usize, b: usize| {
                let between = text.get(a..b).unwrap_or_default();
                let led = text[..a.min(b)].to_lowercase().contains("from ");
                a <= b && (is_arrow(between) || (led && b - a < 40 && between.ends_with(" to ")))
            };
            let previous = nth.checked_sub(1).map(|nth| all[nth].range.end);
            let next = all.get(nth + 1).map(|next| next.range.start);
            let rises = next.is_some_and(|next| near(percent.range.end, next));
            let risen = previous.is_some_and(|previous| near(previous, percent.range.start));
            let bare = pair.is_some_and(|pair| self.is_bare(text, percent, pair.value));
            let beside_ratio = counted.iter().any(|ratio| {
                let between = text.get(ratio.range.end..percent.range.start);
                between.is_some_and(|between| {
                    between.len() < 40 && between.trim_end_matches(['~', ' ', '*']).ends_with('(')
                }) && self.counts(text, ratio, key)
            });
            static OF_TESTS: LazyLock<Regex> =
                LazyLock::new(|| compiled(r"(?i)\b(?:passing|passed)\b[^.;()]*\([~*]*$"));
            let of_tests = OF_TESTS.is_match(before) && after.starts_with(')');
            static READY: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)готов\w* на [~*]*$"));
            let unit = UNIT.is_match(after) || READY.is_match(before);
            let of_progress = key.is_some_and(|key| PROGRESS.is_match(key))
                && pair.is_some_and(|pair| percent.range.start >= pair.value);
            let covers = self.place.coverage && COVERAGE.is_match(text);
            let other = self.is_other(text, percent, key);
            let signed = is_signed(before);
            let enclosed = self.item && is_enclosed(text, percent);
            let told = unit
                || bare
                || enclosed
                || beside_ratio
                || of_tests
                || of_progress
                || rises
                || risen
                || covers
                || (aimed && !after.trim_start().to_lowercase().starts_with("of "));
            if other || signed || !told {
                continue;
            }
            let figure = match (rises, risen) {
                (true, false) => Some(Tense::Past),
                (false, true) => Some(Tense::Now),
                _ if aimed => Some(Tense::Goal),
                _ => tense::of_figure(before, after),
            };
            let subject = self.figure_subject(text, percent, pair);
            self.push(
                offset + percent.range.start,
                subject,
                percent.said(),
                tense::nearest([figure, Some(tense)]),
            );
        }
        let subject = match pair {
            Some(pair) => subject(pair.key, Some(self.place)),
            None => String::new(),
        };
        self.ratios(text, offset, key, &subject, tense, true);
    }

    fn figure_subject(&self, text: &str, percent: &Percent, pair: Option<Pair<'_>>) -> String {
        if let Some(pair) = pair.filter(|pair| percent.range.start >= pair.value) {
            return subject(pair.key, Some(self.place));
        }
        static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)(?P<what>[\w][\w /&-]*?) (?:is|are|stands at|at) (?:now |only |about |currently )?[~*]*$",
            )
        });
        let before = &text[..percent.range.start];
        let what = BEFORE
            .captures(before)
            .and_then(|found| Some(found.name("what")?.as_str().to_string()));
        match what {
            Some(what) => subject(&what, Some(self.place)),
            None => self.place.thing(),
        }
    }

    /// Whether two numbers count what is done or passes.
    fn counts(&self, text: &str, ratio: &Ratio, key: Option<&str>) -> bool {
        let (before, after) = (&text[..ratio.range.start], &text[ratio.range.end..]);
        if POSITION.is_match(before) || is_signed(before) {
            return false;
        }
        static DONE_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)\b(?:passed|complete[d]?|implemented|done|passing|finished|resolved|verified|working|all)[ *:(]*$",
            )
        });
        let keyed = key.is_some_and(|key| COUNTING_KEY.is_match(key));
        let of_parens = before.ends_with('(') && after.starts_with(')');
        COUNTED.is_match(after) || keyed || DONE_BEFORE.is_match(before) || (of_parens && self.item)
    }

    fn ratios(
        &mut self,
        text: &str,
        offset: usize,
        key: Option<&str>,
        subject_of_line: &str,
        tense: Tense,
        done: bool,
    ) {
        for ratio in ratios(text) {
            let (before, after) = (&text[..ratio.range.start], &text[ratio.range.end..]);
            let scored = key.is_some_and(|key| SCORE.is_match(key))
                || (key.is_none() && SCORE.is_match(before));
            let quoted = before.matches(['"', '“', '”']).count() % 2 == 1;
            if quoted || DENIED.is_match(before) {
                continue;
            }
            let when = tense::nearest([tense::of_figure(before, after), Some(tense)]);
            let named = match subject_of_line.is_empty() {
                true => self.counted_subject(after),
                false => subject_of_line.to_string(),
            };
            if ratio.total == 100 && scored && !FAILING.is_match(after) {
                let value = ratio.passed as f64;
                let said = Said::Percent {
                    value,
                    value_max: None,
                };
                self.push(offset + ratio.range.start, named, said, when);
                continue;
            }
            static GRADE: LazyLock<Regex> = LazyLock::new(|| {
                compiled(
                    r"(?i)\b(?:score|rating|grade|quality|stars?|confidence|severity|priority|risk|satisfaction|effort|complexity)\b",
                )
            });
            let graded = [5, 10].contains(&ratio.total)
                && GRADE.is_match(key.unwrap_or(before))
                && !COUNTED.is_match(after);
            let fails = FAILING.is_match(after);
            if graded
                || !(fails || self.counts(text, &ratio, key))
                || !(done || COUNTED.is_match(after))
            {
                continue;
            }
            let skipped = key.is_some_and(|key| {
                static CLASS: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)\b(?:fail(?:ed|ing|ures?)?|skipped|errors?|blocked|pending|missing|remaining|open|partial)\b"));
                CLASS.is_match(key)
            });
            if skipped && !fails {
                continue;
            }
            let passed = match fails {
                true => ratio.total - ratio.passed,
                false => ratio.passed,
            };
            let said = Said::Ratio {
                passed,
                total: ratio.total,
            };
            self.push(offset + ratio.range.start, named, said, when);
        }
    }

    fn counted_subject(&self, after: &str) -> String {
        let words = after
            .trim_start()
            .split(|c: char| !(c.is_alphanumeric() || c == ' ' || c == '-'));
        let noun = words.into_iter().next().unwrap_or_default();
        let noun = noun
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        match noun.is_empty() {
            true => self.place.thing(),
            false => subject(&noun, Some(self.place)),
        }
    }

    /// What sentences say of something: that it is done, or not. `figured` says that a figure says it already.
    fn sentences(&mut self, figured: bool) {
        static CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)(?:\b(?P<verb>is|are|was|were|has been|have been)|(?P<short>'s|’s)) (?:now |still |currently |fully |all |also |already |technically |completely |both |just )*(?P<state>not (?:yet |fully |been )*(?:complete[d]?|ready|production[- ]ready|done|finished|implemented|tested|passing|verified|resolved|closed)|incomplete|unfinished|unresolved|untested|(?:consistently |still )*fail(?:ing|ed)|complete[d]?|done|finished|production[- ]ready|ready|passing|passed|implemented|tested|resolved|closed)\b(?P<after>[^\w]|$)",
            )
        });
        static DOUBT: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)\b(?:if|when|whenever|once|until|unless|whether|should|would|could|can|must|might|may|ensure|make sure|verify|check|claim(?:s|ed|ing)?|said|says|told|think|thought|believe[sd]?|assume[sd]?|hope|want|so that)\b",
            )
        });
        if self.is_instruction(self.text) && self.item {
            return;
        }
        for (start, sentence) in sentences(self.text) {
            if sentence.trim_end().ends_with('?') {
                continue;
            }
            for captures in CLAUSE.captures_iter(sentence) {
                let (Some(whole), Some(state)) = (captures.get(0), captures.name("state")) else {
                    continue;
                };
                let before = &sentence[..whole.start()];
                let quoted = before.matches(['"', '“', '”']).count() % 2 == 1;
                let rest = &sentence[state.end()..];
                if quoted || DOUBT.is_match(before) || !words_stand(rest) {
                    continue;
                }
                let Some(mark) = words::only(state.as_str()) else {
                    continue;
                };
                let clause = before.rfind([',', ';', ':']).map_or(0, |at| at + 1);
                // "25 of 42 are done" is a ratio and no state.
                let figure = &before[clause..];
                if !ratios(figure).is_empty() || !percents(figure).is_empty() {
                    continue;
                }
                static JOIN: LazyLock<Regex> = LazyLock::new(|| {
                    compiled(r"(?i)^.*\b(?:but|and|while|though|although|yes|no|then|that|as)\b,? ")
                });
                let words = JOIN.replace(&before[clause..], "");
                let goal = before.to_lowercase().contains("then");
                let when = tense::nearest([goal.then_some(Tense::Goal), self.place.tense()]);
                self.push(
                    start + whole.start(),
                    subject(&words, Some(self.place)),
                    Said::Mark { mark },
                    when,
                );
            }
            if !figured {
                self.test_counts(start, sentence);
            }
        }
        static RUSSIAN: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)(?P<what>[\p{L}]+) (?:полностью |уже )?(?P<state>написан[аоы]?|готов[аоы]?|реализован[аоы]?|завершен[аоы]?)(?P<end>[.!,]|$)",
            )
        });
        for captures in RUSSIAN.captures_iter(self.text) {
            if let (Some(whole), Some(what)) = (captures.get(0), captures.name("what")) {
                let when = tense::nearest([self.place.tense()]);
                self.push(
                    whole.start(),
                    subject(what.as_str(), Some(self.place)),
                    Said::Mark { mark: Mark::Done },
                    when,
                );
            }
        }
    }

    /// Tests that are said to pass or fail without their total.
    fn test_counts(&mut self, start: usize, sentence: &str) {
        static PASS: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)(?:\ball (?:[\w-]+ ){0,3}tests (?:are |now )*(?:pass(?:ing|ed)?|green)\b|^\W*tests pass\b|\b\d[\d,]* (?:[\w-]+ ){0,2}tests? (?:are )?(?:pass(?:ing|ed)?|green)\b|\b\d[\d,]* passing (?:[\w-]+ )?tests?\b|\bpassed all (?:[\w-]+ ){0,2}tests\b|\bтесты проходят\b)",
            )
        });
        static FAIL: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)\b(?P<number>\d[\d,]*) (?:(?:[\w-]+ ){0,2}tests? (?:are |still )*fail(?:ing|ed)?\b|fail(?:ing|ed)\b(?: (?:[\w-]+ )?tests?)?|failures\)|failures?$)",
            )
        });
        static DOUBT: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?i)\b(?:if|when|once|until|unless|should|must|ensure|make sure|verify|check that|to make|so that|making|appear)\b",
            )
        });
        let when = tense::nearest([self.place.tense()]);
        for found in PASS.find_iter(sentence) {
            if !DOUBT.is_match(&sentence[..found.start()]) {
                self.push(
                    start + found.start(),
                    "tests".to_string(),
                    Said::Mark { mark: Mark::Done },
                    when,
                );
            }
        }
        for captures in FAIL.captures_iter(sentence) {
            let Some((whole, number)) = captures.get(0).zip(captures.name("number")) else {
                continue;
            };
            let rest = &sentence[whole.end()..];
            let changes = is_arrow(rest.get(..4).unwrap_or(rest))
                || sentence[..whole.start()].trim_end().ends_with(['→', '>']);
            if changes || DOUBT.is_match(&sentence[..whole.start()]) {
                continue;
            }
            let none = number.as_str().bytes().all(|byte| byte == b'0');
            let mark = if none { Mark::Done } else { Mark::NotDone };
            self.push(
                start + whole.start(),
                "tests".to_string(),
                Said::Mark { mark },
                when,
            );
        }
    }
}

/// Whether the sentence that goes on with this is a question.
fn is_asked(after: &str) -> bool {
    let end = after.find(['.', '!', '?', ';']);
    end.is_some_and(|end| after[end..].starts_with('?'))
}

fn words_stand(rest: &str) -> bool {
    // The regular expression made sure that the state ends here.
    words::at_start(&["done", rest].concat()).is_some()
}

/// What stands beside figures, without the dashes and marks between.
fn without_figures(text: &str) -> String {
    let mut rest = text.to_string();
    for percent in percents(text).iter().rev() {
        rest.replace_range(percent.range.clone(), "");
    }
    let says = |c: &char| words::of_char(*c).is_none() && !words::is_decoration(*c);
    let rest = rest.chars().filter(says).collect::<String>();
    rest.trim_matches([' ', '-', '–', '—', ':', ',', '~', '*'])
        .to_string()
}

/// Whether a percentage stands in parentheses with nothing beside it but a state, behind a name.
fn is_enclosed(text: &str, percent: &Percent) -> bool {
    let (before, after) = (&text[..percent.range.start], &text[percent.range.end..]);
    let (Some(open), Some(close)) = (before.rfind('('), after.find(')')) else {
        return false;
    };
    let inside = without_figures(&text[open + 1..percent.range.end + close]);
    let single = inside.split_whitespace().count() < 2
        && inside.chars().all(|c| c.is_alphabetic() || c == ' ');
    let named = before[..open].trim_end().chars().next_back();
    let named = named.is_some_and(|c| c.is_alphabetic() || matches!(c, '`' | '*' | ')'));
    let near = !after[..close].contains('(') && !before[open..].contains(')');
    near && named && single
}

/// A state that is all that stands behind the last dash.
fn behind_dash(text: &str) -> Option<(usize, Mark, String)> {
    let dashes = [" - ", " – ", " — "]
        .into_iter()
        .filter_map(|dash| Some((text.rfind(dash)?, dash.len())));
    let (at, length) = dashes.max()?;
    let mark = words::only(&text[at + length..])?;
    Some((at, mark, text[..at].to_string()))
}

/// Whether a figure is a change: a sign stands before it.
fn is_signed(before: &str) -> bool {
    let mut before = before.chars().rev();
    let sign = before.next();
    matches!(sign, Some('+' | '−'))
        || (sign == Some('-') && before.next().is_none_or(|c| !c.is_alphanumeric()))
}

/// Whether what stands between two figures leads from one to the other.
fn is_arrow(between: &str) -> bool {
    static ARROW: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"(?i)^[\s*_)]*(?:→|->|=>|⇒|➜|to)[\s*_(~]*$"));
    ARROW.is_match(between) || between.trim_start().starts_with('→')
}

/// The sentences of a text and where each begins.
fn sentences(text: &str) -> Vec<(usize, &str)> {
    static END: LazyLock<Regex> = LazyLock::new(|| compiled(r"[.!?;](?:[\s*_]+|$)"));
    let mut sentences = vec![];
    let mut start = 0;
    for end in END.find_iter(text) {
        sentences.push((start, &text[start..end.start() + 1]));
        start = end.end();
    }
    sentences.push((start, &text[start..]));
    sentences.retain(|(_, sentence)| !sentence.trim().is_empty());
    sentences
}

/// The greatest boundary of a character at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
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

impl Percent {
    pub(super) fn said(&self) -> Said {
        Said::Percent {
            value: self.value,
            value_max: self.most,
        }
    }
}
