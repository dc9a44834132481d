//! What the rows of a table claim: states in their cells, percentages in columns or rows that are about completeness, and
//! so many of so many.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::{percents, ratios, whole_number};
use super::measure::{COUNTED, UNIT, is_about_coverage};
use super::outline::{Row, Table};
use super::place::{Place, bare, subject};
use super::sign::{resolved, sign_after, sign_before};
use super::words::{self, compiled};
use super::{At, Claimed, tense};
use crate::domain::claim::{Mark, Said, Tense};

/// Columns that explain.
static NOTES: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:notes?|evidence|comments?|details?|descriptions?|remarks?|why|reason|impact|priority|severity|owner|assignee|date|command|recommendations?|actions?|action needed|effort|eta|deadline|timeline|next|risk|file|path|location|issues?|mitigation|meaning|fix|blocker|criteria|requirements?|method)\b",
    )
});
static FRACTION: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?:\b(?:complet(?:e|ion|eness|ed)|progress|score|pass(?:ing|ed)?(?: rate)?|success(?: rate)?|percent(?:age)?|readiness|ready|rate|implement(?:ed|ation)|done|status|verdict|готовность|прогресс)\b|^%|%$)",
    )
});
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:weight|gap|change|delta|diff(?:erence)?|improvement|share|thresholds?|fail(?:ed|ure|ures|ing)?|errors|error rate|skipped|blocked|confidence|uptime|cpu|memory|disk|latency|usage|cost|savings?|growth|discount|contribution|speed(?:up)?|accuracy|traffic)\b",
    )
});
static COVERAGE: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)\bcov(?:erage)?\b"));
static TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^(?:total(?: tests| cases| items)?|tests?|test cases?|# ?tests|count|cases|all|items|tasks|functions|executed|run)$",
    )
});
static PASSED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^\W*(?:pass(?:ed|ing|es)?|done|complete[d]?|implemented|passed tests|passing tests|success(?:ful)?|ok)\W*$",
    )
});
/// Rows that are named after what became of something.
static OUTCOME: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^\W*(?P<passed>pass(?:ed|ing)?(?: tests)?|success(?:ful)?)\W*$|^\W*(?:fail(?:ed|ing|ures?)?(?: tests)?|errors?|skipped|ignored|pending|blocked|not run|failed/error)\W*$",
    )
});
/// Columns whose rows follow each other in time.
static TIMES: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)^\W*(?:milestone|sprint|date|week|day|month|version|release|run|iteration|session|build|attempt|when|round|snapshot)s?\W*$",
    )
});
static ENUMERATED: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)^(?:#|no\.?|nr\.?|id|№)?$"));
static LEGEND: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"(?i)^(?:symbol|icon|mark|emoji|legend|key)s?$"));

/// The claims of each row.
pub(super) fn claims<'t>(table: &'t Table, place: &Place<'_>) -> Vec<(&'t Row, Vec<Claimed>)> {
    let header = table
        .header
        .iter()
        .map(|cell| bare(cell))
        .collect::<Vec<_>>();
    if place.silent() || header.first().is_some_and(|first| LEGEND.is_match(first)) {
        return vec![];
    }
    let reading = Reading {
        named: name_column(table, &header),
        columns: header.iter().map(|name| tense::of_title(name)).collect(),
        in_time: header.first().is_some_and(|first| TIMES.is_match(first)),
        header,
        place,
        rows: table.rows.len(),
    };
    let mut before: Option<String> = None;
    let rows = table.rows.iter().enumerate().map(|(nth, row)| {
        let (claimed, name) = reading.row(row, nth, before.as_deref());
        before = Some(name);
        (row, claimed)
    });
    rows.collect()
}

/// The column that names what a row is about.
fn name_column(table: &Table, header: &[String]) -> usize {
    let first = header.first().map_or("", String::as_str);
    let numbered = |row: &Row| {
        row.cells.first().is_none_or(|cell| {
            cell.trim_matches('.')
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
    };
    let is_number =
        ENUMERATED.is_match(first) && header.len() > 1 && table.rows.iter().all(numbered);
    usize::from(is_number)
}

struct Reading<'t> {
    header: Vec<String>,
    /// The time that each column speaks of, where it says.
    columns: Vec<Option<Tense>>,
    named: usize,
    in_time: bool,
    place: &'t Place<'t>,
    rows: usize,
}

impl Reading<'_> {
    /// What a row claims, and what it is about.
    fn row(&self, row: &Row, nth: usize, before: Option<&str>) -> (Vec<Claimed>, String) {
        let cell = row.cells.get(self.named).map_or("", String::as_str);
        let key = bare(cell);
        let key = key.trim_matches(['*', '_', '`', ' ']);
        let outcome = OUTCOME
            .captures(key)
            .map(|found| found.name("passed").is_some());
        let key_tense = tense::of_title(key).filter(|_| key.split_whitespace().count() < 3);
        let name = match (key_tense, before) {
            // "Target" is a row about what the row before is about.
            (Some(_), Some(before)) => before.to_string(),
            _ => subject(key, None),
        };
        let mut claimed: Vec<Claimed> = vec![];
        for (at, text) in row.cells.iter().enumerate() {
            let header = self.header.get(at).map_or("", String::as_str);
            let earlier = self.in_time && nth + 1 < self.rows;
            let when = tense::nearest([
                self.columns.get(at).copied().flatten(),
                key_tense,
                earlier.then_some(Tense::Past),
                self.place.tense(),
            ]);
            let mut push = |said: Said, when: Tense| {
                let known = |other: &Claimed| other.said == said && other.tense == when;
                if !claimed.iter().any(known) {
                    claimed.push(Claimed {
                        at: At::Line(row.line),
                        subject: name.clone(),
                        said,
                        tense: when,
                    });
                }
            };
            let notes = NOTES.is_match(header);
            if at != self.named
                && !notes
                && outcome.is_none()
                && let Some(mark) = state(text, header)
            {
                push(Said::Mark { mark }, when);
            } else if at == self.named
                && outcome.is_none()
                && let Some(mark) = self.leading(text, row)
            {
                push(Said::Mark { mark }, when);
            }
            if at == self.named {
                continue;
            }
            for said in self.figures(text, header, key, notes, outcome) {
                push(said, when);
            }
        }
        if outcome.is_none() {
            claimed.extend(self.counted(row, &name));
        }
        (claimed, name)
    }

    /// The mark before a row's name, where no other cell says a state.
    fn leading(&self, text: &str, row: &Row) -> Option<Mark> {
        let sign = sign_before(text).0.or(sign_after(text).0)?;
        let mut others = row
            .cells
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != self.named);
        let said = others.any(|(at, cell)| {
            let header = self.header.get(at).map_or("", String::as_str);
            !NOTES.is_match(header) && state(cell, header).is_some()
        });
        (!said).then(|| resolved(sign, text))
    }

    fn figures(
        &self,
        text: &str,
        header: &str,
        key: &str,
        notes: bool,
        outcome: Option<bool>,
    ) -> Vec<Said> {
        let mut said = vec![];
        let covers = |text: &str| {
            COVERAGE.is_match(text) && !self.place.coverage && !is_about_coverage(text)
        };
        let other = OTHER.is_match(header) || OTHER.is_match(key) || covers(header) || covers(key);
        let columns_of_state =
            FRACTION.is_match(header) || FRACTION.is_match(key) || key_is_goal(key);
        for percent in percents(text) {
            let after = &text[percent.range.end..];
            let unit = UNIT.is_match(after);
            let covered = self.place.coverage && COVERAGE.is_match(after);
            let alone = text[..percent.range.start]
                .trim_matches(|c: char| !c.is_alphanumeric())
                .is_empty();
            let counts = match (notes, outcome) {
                (_, Some(passed)) => passed && alone,
                (true, None) => unit || covered,
                (false, None) => unit || (columns_of_state && !other) || covered,
            };
            if counts && (unit || !other) {
                said.push(percent.said());
            }
        }
        if outcome.is_some() || OTHER.is_match(header) {
            return said;
        }
        let mark = state(text, header);
        for ratio in ratios(text) {
            static SCORE: LazyLock<Regex> =
                LazyLock::new(|| compiled(r"(?i)\b(?:score|rating|grade|readiness)\b"));
            let after = &text[ratio.range.end..];
            let alone = [&text[..ratio.range.start], after].concat();
            static NEUTRAL: LazyLock<Regex> =
                LazyLock::new(|| compiled(r"^(?:[\s*_()~`.]|\d{1,3}(?:\.\d+)?%|[^\x00-\x7f])*$"));
            let alone = NEUTRAL.is_match(&alone);
            if ratio.total == 100 && (SCORE.is_match(header) || SCORE.is_match(key)) {
                said.push(Said::Percent {
                    value: ratio.passed as f64,
                    value_max: None,
                });
            } else if [5, 10].contains(&ratio.total)
                && (SCORE.is_match(header) || SCORE.is_match(key))
            {
                // A grade.
            } else if (COUNTED.is_match(after) || (alone && !notes)) && mark != Some(Mark::Partial)
            {
                static FAILING: LazyLock<Regex> =
                    LazyLock::new(|| compiled(r"(?i)^ ?(?:tests? )?fail"));
                let passed = if FAILING.is_match(after) {
                    ratio.total - ratio.passed
                } else {
                    ratio.passed
                };
                said.push(Said::Ratio {
                    passed,
                    total: ratio.total,
                });
            }
        }
        said
    }

    /// A column of all and a column of those that passed.
    fn counted(&self, row: &Row, name: &str) -> Option<Claimed> {
        let number = |wanted: &Regex| {
            let at = self
                .header
                .iter()
                .position(|header| wanted.is_match(header))?;
            (at != self.named).then_some(())?;
            whole_number(row.cells.get(at)?)
        };
        let (total, passed) = (number(&TOTAL)?, number(&PASSED)?);
        (total > 0 && passed <= total).then(|| Claimed {
            at: At::Line(row.line),
            subject: name.to_string(),
            said: Said::Ratio { passed, total },
            tense: tense::nearest([self.place.tense()]),
        })
    }
}

fn key_is_goal(key: &str) -> bool {
    static GOAL: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)^(?:target|goal)$"));
    GOAL.is_match(key)
}

/// The state that a cell shows: by a mark at its beginning or end, or because it says nothing else.
fn state(cell: &str, header: &str) -> Option<Mark> {
    let bare = bare(cell);
    static DELTA: LazyLock<Regex> = LazyLock::new(|| compiled(r"^[+−-] ?\d"));
    if DELTA.is_match(&bare) {
        return None;
    }
    if let Some(sign) = sign_before(cell).0.or_else(|| sign_after(cell).0) {
        return Some(resolved(sign, cell));
    }
    static STATUS: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)\b(?:status|state|result|verdict|outcome|done|complete[d]?|ready|approved|implemented|verified|tested|pass(?:ed)?|progress|статус)\b",
        )
    });
    let words = bare.trim_matches(['*', '_', '`', ' ', '[', ']']);
    if let Some(mark) = words::only(words) {
        return Some(mark);
    }
    // In a column of states more may follow the word.
    STATUS
        .is_match(header)
        .then(|| words::at_start(words).map(|state| state.mark))
        .flatten()
}
