//! Which figures of a line say how much is complete, ready or passes: by the words around them, the key before them, what
//! stands beside them. All others (weights, coverage, speed, money, thresholds) are no claims.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::{Percent, Ratio, percents, ratios};
use super::line::Line;
use super::pair::Pair;
use super::place::subject;
use super::tense;
use super::words::{self, compiled};
use crate::domain::claim::{Said, Tense};

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

pub(super) static UNIT: LazyLock<Regex> = LazyLock::new(|| {
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

/// Whether a heading says that the document is about how much of an interface is covered.
pub(super) fn is_about_coverage(heading: &str) -> bool {
    static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
        compiled(
            r"(?i)\b(?:api|feature|function|spec|standard|binding|wrapper|platform|protocol|syscall|instruction)s? (?:and \w+ )?(?:coverage|compatibility|parity)\b",
        )
    });
    ABOUT.is_match(heading)
}

impl Line<'_> {
    pub(super) fn figure_tense(&self, text: &str, percent: &Percent) -> Option<Tense> {
        tense::of_figure(&text[..percent.range.start], &text[percent.range.end..])
    }

    /// Whether the value is nothing but this figure, marks and what stands in parentheses.
    pub(super) fn is_bare(&self, text: &str, percent: &Percent, value: usize) -> bool {
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
    pub(super) fn is_other(&self, text: &str, percent: &Percent, key: Option<&str>) -> bool {
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

    /// Every figure that says how much is complete, ready or passes.
    pub(super) fn figures(
        &mut self,
        text: &str,
        offset: usize,
        pair: Option<Pair<'_>>,
        tense: Tense,
    ) {
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

    pub(super) fn ratios(
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
}

/// Whether the sentence that goes on with this is a question.
fn is_asked(after: &str) -> bool {
    let end = after.find(['.', '!', '?', ';']);
    end.is_some_and(|end| after[end..].starts_with('?'))
}

/// What stands beside figures, without the dashes and marks between.
pub(super) fn without_figures(text: &str) -> String {
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
pub(super) fn is_enclosed(text: &str, percent: &Percent) -> bool {
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

/// Whether a figure is a change: a sign stands before it.
fn is_signed(before: &str) -> bool {
    let mut before = before.chars().rev();
    let sign = before.next();
    matches!(sign, Some('+' | '−'))
        || (sign == Some('-') && before.next().is_none_or(|c| !c.is_alphanumeric()))
}

/// Whether what stands between two figures leads from one to the other.
pub(super) fn is_arrow(between: &str) -> bool {
    static ARROW: LazyLock<Regex> =
        LazyLock::new(|| compiled(r"(?i)^[\s*_)]*(?:→|->|=>|⇒|➜|to)[\s*_(~]*$"));
    ARROW.is_match(between) || between.trim_start().starts_with('→')
}
