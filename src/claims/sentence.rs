//! What sentences say of something: that it is done, or not; that tests pass, or fail.

use std::sync::LazyLock;

use regex::Regex;

use super::figures::{percents, ratios};
use super::line::Line;
use super::measure::is_arrow;
use super::place::subject;
use super::tense;
use super::words::{self, compiled};
use crate::domain::claim::{Mark, Said, Tense};

impl Line<'_> {
    /// What sentences say of something: that it is done, or not. `figured` says that a figure says it already.
    pub(super) fn sentences(&mut self, figured: bool) {
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

fn words_stand(rest: &str) -> bool {
    // The regular expression made sure that the state ends here.
    words::at_start(&["done", rest].concat()).is_some()
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
