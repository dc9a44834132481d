//! What a line, an item of a list or a sentence claims.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::percents;
use super::measure::{UNIT, is_enclosed, without_figures};
use super::outline::{Kind, Text};
use super::pair::{Pair, pair};
use super::place::{Place, subject};
use super::sign::{Sign, boxed, resolved, sign_after, sign_before, sign_behind};
use super::words::{self, State, compiled};
use super::{At, Claimed, changes, tense};
use crate::domain::claim::{Mark, OVERALL, Said, Tense};

/// Whether a line of a paragraph stands by itself: it begins with a mark, a number or a key.
pub(super) fn begins_anew(line: &str) -> bool {
    static KEY: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"^(?:\d+[.)] |\p{Lu}[\w /()&'’.-]{1,40}:(?: |$))"));
    let line = line.trim_start();
    sign_before(line).0.is_some() || KEY.is_match(line)
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

/// Keys whose values describe, ask for or explain something.
static DESCRIBES: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:descriptions?|deliverables?|features?(?: complete)?|requirements?|criteri(?:a|on)|acceptance.*|expected (?:result|output|behaviou?r)s?|actions?|next (?:steps?|actions?)|recommend(?:ation|ed)s?|how|why.*|what.*|who.*|when.*|note|notes|warning|tips?|example|usage|impact|priority|severity|timeline|duration|effort|solution|fix|mitigation|risk|purpose|reason|command|a|q|question|answer to.*|claims? (?:under|to).*|threshold|can .*|is .*|are .*|does .*|do .*|did .*|will .*|should .*|could .*|has .*|have .*|how .*|if .*|when .*|.*\?)$",
    )
});

pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) place: &'t Place<'t>,
    pub(super) item: bool,
    claimed: Vec<Claimed>,
}

impl<'t> Line<'t> {
    pub(super) fn push(&mut self, at: usize, subject: String, said: Said, tense: Tense) {
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

    pub(super) fn is_instruction(&self, text: &str) -> bool {
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

/// The greatest boundary of a character at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
