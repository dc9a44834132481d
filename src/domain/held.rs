//! How long a check has held without a break: judged from the looks at it, which are evidence of several runs.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::gate::Gate;
use super::limit::human_duration;
use super::project::{OUTSIDE_MAX_AGE, Project};
use super::verdict::Verdict;

/// One look at a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// When it began.
    pub started: Timestamp,
    /// The verdict, as it was judged then.
    pub verdict: Verdict,
    /// Whether the check held: it was verified, or accepted.
    pub held: bool,
    /// The digest of the check's definition.
    pub definition: String,
    /// Where it was looked at, where that was named.
    pub environment: Option<String>,
}

/// How long a gate wants a check to have held.
#[derive(Clone, Debug, PartialEq)]
pub struct Span<'a> {
    /// So long, up to now.
    pub least: Duration,
    /// The longest that nobody may have looked.
    pub between: Duration,
    /// Looks elsewhere are none. Those at what is the same everywhere need not name a place.
    pub environment: Option<&'a str>,
    /// Whether what is looked at is the same everywhere.
    pub anywhere: bool,
}

impl<'a> Span<'a> {
    /// What a gate wants of a check; none where it does not ask.
    pub fn of(gate: &'a Gate, check: &Check, outside: bool) -> Option<Span<'a>> {
        Some(Span {
            least: *gate.held_for.get(&check.id)?,
            between: check.max_age.unwrap_or(OUTSIDE_MAX_AGE),
            environment: gate.environment.as_deref(),
            anywhere: !outside,
        })
    }

    /// Whether it is one of the looks that count here. What says neither yes nor no is none.
    fn counts(&self, look: &Look) -> bool {
        let there = match (self.environment, look.environment.as_deref()) {
            (Some(wanted), Some(there)) => wanted == there,
            (Some(_), None) => self.anywhere,
            (None, _) => true,
        };
        there && look.verdict != Verdict::Unverified
    }

    /// Whether no older look changes anything.
    pub fn ends_at(&self, look: &Look, now: Timestamp) -> bool {
        let age = since(look.started, now);
        (self.counts(look) && (age >= self.least || !look.held))
            || age > self.least.saturating_add(self.between)
    }

    /// Whether the check held so long without a break, up to now: it was looked at often enough, under one definition, and
    /// held every time. Looks may be in any order.
    ///
    /// # Errors
    /// What is against it, in words.
    pub fn judge(&self, looks: &[Look], now: Timestamp) -> Result<(), String> {
        let mut looks = looks
            .iter()
            .filter(|look| self.counts(look))
            .collect::<Vec<_>>();
        looks.sort_by_key(|look| std::cmp::Reverse(look.started));
        let Some(newest) = looks.first() else {
            return Err(match self.environment {
                Some(environment) => format!("never looked at in {environment}"),
                None => "never looked at".to_string(),
            });
        };
        let short = |from: Timestamp, why: &str| {
            let held = match since(from, now) {
                held if held.as_secs() < 60 => "a moment".to_string(),
                held => human_duration(held),
            };
            let least = human_duration(self.least);
            format!("verified since {held} ago{why}, less than {least}")
        };
        // When the last look was that counts so far; none: nothing but now.
        let mut last = None;
        for look in &looks {
            let from = last.unwrap_or(now);
            if look.definition != newest.definition {
                return Err(short(from, " as it is defined now"));
            }
            if since(look.started, from) > self.between {
                let to = last.map_or("now".to_string(), moment);
                let (before, between) = (moment(look.started), human_duration(self.between));
                return Err(format!(
                    "not looked at from {before} to {to}: longer than {between}"
                ));
            }
            if !look.held {
                let (word, at) = (look.verdict.word(), moment(look.started));
                return Err(format!("{word} at {at}"));
            }
            if since(look.started, now) >= self.least {
                return Ok(());
            }
            last = Some(look.started);
        }
        Err(short(last.unwrap_or(now), ""))
    }
}

/// What the gates want of a check that they want to have held for some time.
pub fn spans<'a>(gates: &'a [Gate], project: &Project, check: &Check) -> Vec<Span<'a>> {
    let outside = !project.depends_on_files_alone(check);
    let spans = gates
        .iter()
        .filter_map(|gate| Span::of(gate, check, outside));
    spans.collect()
}

/// The time from one moment to a later one; none where it is no later.
fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::testing::{now, same_every_time};
    use super::*;

    const HOUR: u64 = 3_600;

    fn span() -> Span<'static> {
        Span {
            least: Duration::from_secs(48 * HOUR),
            between: Duration::from_secs(24 * HOUR),
            environment: None,
            anywhere: false,
        }
    }

    fn ago(seconds: u64) -> Look {
        Look {
            started: now() - Duration::from_secs(seconds),
            verdict: Verdict::Verified,
            held: true,
            definition: "blake3:00".to_string(),
            environment: None,
        }
    }

    fn hours_ago(hours: &[u64]) -> Vec<Look> {
        hours.iter().map(|hours| ago(hours * HOUR)).collect()
    }

    fn of(verdict: Verdict, look: Look) -> Look {
        Look {
            verdict,
            held: verdict == Verdict::Verified,
            ..look
        }
    }

    fn defined(definition: &str, look: Look) -> Look {
        Look {
            definition: definition.to_string(),
            ..look
        }
    }

    fn at(environment: &str, look: Look) -> Look {
        Look {
            environment: Some(environment.to_string()),
            ..look
        }
    }

    #[track_caller]
    fn says(looks: &[Look], words: &str) {
        let judged = span().judge(looks, now());
        assert_eq!(judged.err().as_deref().unwrap_or("held"), words);
    }

    #[test]
    fn it_was_looked_at_often_enough_and_held_every_time() {
        says(&hours_ago(&[0, 24, 48]), "held");
        says(&hours_ago(&[24, 48]), "held");
        says(&hours_ago(&[1, 20, 40, 60]), "held");
        says(&hours_ago(&[60, 1, 40, 20]), "held");
        // What was before does not matter.
        let before = [
            hours_ago(&[1, 20, 40, 49]),
            vec![of(Verdict::Failed, ago(50 * HOUR))],
        ];
        says(&before.concat(), "held");
    }

    #[test]
    fn what_is_against_it_is_said() {
        says(&[], "never looked at");
        says(
            &hours_ago(&[0]),
            "verified since a moment ago, less than 2 d",
        );
        says(
            &hours_ago(&[1, 20, 31]),
            "verified since 31 h ago, less than 2 d",
        );
        says(
            &[ago(HOUR), ago(24 * HOUR), ago(48 * HOUR - 60)],
            "verified since 47 h 59 min ago, less than 2 d",
        );
        says(
            &hours_ago(&[25, 40, 60]),
            "not looked at from 2026-11-21 11:00 UTC to now: longer than 24 h",
        );
        says(
            &hours_ago(&[1, 20, 45, 60]),
            "not looked at from 2026-11-20 15:00 UTC to 2026-11-21 16:00 UTC: longer than 24 h",
        );
        let broken = |verdict| {
            [
                ago(HOUR),
                of(verdict, ago(20 * HOUR)),
                ago(40 * HOUR),
                ago(50 * HOUR),
            ]
        };
        says(&broken(Verdict::Failed), "failed at 2026-11-21 16:00 UTC");
        says(&broken(Verdict::Partial), "partial at 2026-11-21 16:00 UTC");
        says(
            &[of(Verdict::Failed, ago(HOUR))],
            "failed at 2026-11-22 11:00 UTC",
        );
        let changed = [
            ago(HOUR),
            ago(20 * HOUR),
            defined("blake3:01", ago(22 * HOUR)),
            ago(50 * HOUR),
        ];
        says(
            &changed,
            "verified since 20 h ago as it is defined now, less than 2 d",
        );
    }

    #[test]
    fn the_borders_are_exact() {
        let day = 24 * HOUR;
        says(&[ago(day), ago(2 * day)], "held");
        says(
            &[ago(day + 1), ago(2 * day)],
            "not looked at from 2026-11-21 11:59 UTC to now: longer than 24 h",
        );
        says(
            &[ago(day - 1), ago(2 * day - 1)],
            "verified since 47 h 59 min ago, less than 2 d",
        );
        says(
            &[ago(day - 1), ago(2 * day)],
            "not looked at from 2026-11-20 12:00 UTC to 2026-11-21 12:00 UTC: longer than 24 h",
        );
    }

    #[test]
    fn a_look_that_says_neither_yes_nor_no_is_none() {
        let unknown = |hours| of(Verdict::Unverified, ago(hours * HOUR));
        says(
            &[
                ago(HOUR),
                unknown(10),
                ago(20 * HOUR),
                ago(40 * HOUR),
                ago(50 * HOUR),
            ],
            "held",
        );
        says(
            &[ago(HOUR), unknown(20), ago(30 * HOUR), ago(50 * HOUR)],
            "not looked at from 2026-11-21 06:00 UTC to 2026-11-22 11:00 UTC: longer than 24 h",
        );
        says(&[unknown(1)], "never looked at");
    }

    #[test]
    fn what_gates_accept_holds() {
        let accepted = Look {
            verdict: Verdict::Partial,
            held: true,
            ..ago(24 * HOUR)
        };
        says(&[ago(HOUR), accepted, ago(48 * HOUR)], "held");
    }

    #[test]
    fn looks_elsewhere_are_none() {
        let there = |anywhere| Span {
            environment: Some("staging"),
            anywhere,
            ..span()
        };
        let judge = |anywhere, looks: &[Look]| there(anywhere).judge(looks, now()).is_ok();
        let staging = hours_ago(&[1, 24, 48])
            .into_iter()
            .map(|look| at("staging", look))
            .collect::<Vec<_>>();
        assert!(judge(false, &staging) && judge(true, &staging));
        let nowhere = hours_ago(&[1, 24, 48]);
        assert!(!judge(false, &nowhere) && judge(true, &nowhere));
        let elsewhere = hours_ago(&[1, 24, 48])
            .into_iter()
            .map(|look| at("dev", look))
            .collect::<Vec<_>>();
        assert!(!judge(false, &elsewhere) && !judge(true, &elsewhere));
        // A failure elsewhere breaks nothing.
        let failed = vec![at("dev", of(Verdict::Failed, ago(10 * HOUR)))];
        assert!(judge(false, &[staging, failed].concat()));
        assert_eq!(
            there(false).judge(&nowhere, now()).err().as_deref(),
            Some("never looked at in staging")
        );
    }

    #[test]
    fn clocks_that_go_wrong_let_nothing_hold_longer() {
        let future = Look {
            started: now() + Duration::from_secs(HOUR),
            ..ago(0)
        };
        says(&[future], "verified since a moment ago, less than 2 d");
    }

    fn looks() -> impl Strategy<Value = Vec<Look>> {
        let verdicts = [Verdict::Verified, Verdict::Failed, Verdict::Unverified];
        // Mostly well, so that some hold.
        let verdict =
            proptest::sample::select([[verdicts[0]; 18].to_vec(), verdicts.to_vec()].concat());
        let definition =
            proptest::sample::select([["blake3:00"; 30].to_vec(), vec!["blake3:01"]].concat());
        let look =
            (0..80 * HOUR, verdict, definition).prop_map(|(seconds, verdict, definition)| {
                defined(definition, of(verdict, ago(seconds)))
            });
        vec(look, 0..25)
    }

    proptest! {
        #![proptest_config(same_every_time(2_000))]

        /// The rule again, as a sentence: at every moment of the span the last look is young enough, and no look that
        /// matters says no.
        #[test]
        fn it_is_what_the_sentence_says(looks in looks()) {
            let span = span();
            let mut counting = looks.iter().filter(|look| look.verdict != Verdict::Unverified).collect::<Vec<_>>();
            counting.sort_by_key(|look| std::cmp::Reverse(look.started));
            let first = counting.iter().position(|look| since(look.started, now()) >= span.least);
            let wanted = first.is_some_and(|first| {
                let needed = &counting[..=first];
                let times = std::iter::once(now()).chain(needed.iter().map(|look| look.started)).collect::<Vec<_>>();
                needed.iter().all(|look| look.held && look.definition == needed[0].definition)
                    && times.windows(2).all(|pair| since(pair[1], pair[0]) <= span.between)
            });
            prop_assert_eq!(span.judge(&looks, now()).is_ok(), wanted);
        }

        /// Nothing is missed by not going back further.
        #[test]
        fn looks_beyond_the_end_change_nothing(looks in looks()) {
            let (span, mut looks) = (span(), looks);
            looks.sort_by_key(|look| std::cmp::Reverse(look.started));
            let end = looks.iter().position(|look| span.ends_at(look, now()));
            let read = &looks[..end.map_or(looks.len(), |end| end + 1)];
            prop_assert_eq!(span.judge(read, now()), span.judge(&looks, now()));
        }
    }
}
