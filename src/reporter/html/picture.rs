//! The figures of the page's pictures: the template draws them as SVG. Lengths are in percent of the width.

use jiff::Timestamp;

use super::super::page::safe;
use super::super::words::{moment, percent, short, takes};
use crate::domain::report::{Before, Report};
use crate::domain::verdict::Verdict;

/// Verified against what is possible and claimed, from 0 to 100.
pub(super) struct Bar {
    pub(super) verified: f64,
    /// What may still be verified, behind that.
    pub(super) open: f64,
    /// What persons attest, at the end of what is possible.
    pub(super) attested_from: f64,
    pub(super) attested: f64,
    /// The place of the claim's mark.
    pub(super) claimed: Option<f64>,
}

impl Bar {
    pub(super) fn of(verified: f64, ceiling: f64, attested: f64, claimed: Option<f64>) -> Bar {
        let verified = tenth(verified);
        let ceiling = tenth(ceiling).max(verified);
        Bar {
            verified,
            open: tenth(ceiling - verified),
            attested_from: ceiling,
            attested: tenth(attested.min(100.0 - ceiling)),
            // The mark is a point wide.
            claimed: claimed.map(|claimed| tenth(claimed.clamp(0.0, 100.0)).min(99.2)),
        }
    }
}

/// A figure cut to a tenth: enough to draw it, and never more than it is.
fn tenth(figure: f64) -> f64 {
    (figure.clamp(0.0, 100.0) * 10.0).floor() / 10.0
}

/// What was verified over the runs.
pub(super) struct Trend {
    /// Points of lines: `x,y` from the top left, in a square of 100.
    pub(super) verified: String,
    pub(super) ceiling: String,
    pub(super) claimed: String,
    pub(super) rows: Vec<TrendRow>,
    pub(super) summary: String,
}

pub(super) struct TrendRow {
    pub(super) run: String,
    pub(super) when: String,
    pub(super) commit: String,
    pub(super) verified: String,
    pub(super) ceiling: String,
    pub(super) claimed: String,
    pub(super) gate: &'static str,
}

impl Trend {
    /// Of the runs before and of this one; none where there is no other.
    pub(super) fn of(report: &Report) -> Option<Trend> {
        let own = Before::of(report);
        let all = report.before.iter().chain(&own).collect::<Vec<_>>();
        if all.len() < 2 {
            return None;
        }
        let step = 100.0 / (all.len() - 1) as f64;
        let line = |value: fn(&Before) -> Option<f64>| {
            let points = all.iter().zip(0..).filter_map(|(run, at)| {
                let y = 100.0 - value(run)?.clamp(0.0, 100.0);
                Some(format!("{:.2},{y:.2}", step * f64::from(at)))
            });
            points.collect::<Vec<_>>().join(" ")
        };
        let row = |run: &&Before| TrendRow {
            run: safe(&run.run),
            when: moment(run.started),
            commit: run
                .commit
                .as_deref()
                .map(|commit| safe(short(commit)))
                .unwrap_or_default(),
            verified: percent(run.verified),
            ceiling: percent(run.ceiling),
            claimed: run.claimed.map(percent).unwrap_or_default(),
            gate: if run.open { "open" } else { "closed" },
        };
        let (first, last) = (all[0], all[all.len() - 1]);
        Some(Trend {
            verified: line(|run| Some(run.verified)),
            ceiling: line(|run| Some(run.ceiling)),
            claimed: line(|run| run.claimed),
            rows: all.iter().rev().map(row).collect(),
            summary: format!(
                "verified over {} runs: {} on {}, {} on {}",
                all.len(),
                percent(first.verified),
                moment(first.started),
                percent(last.verified),
                moment(last.started)
            ),
        })
    }
}

/// What ran when, on how many slots.
pub(super) struct Timeline {
    pub(super) rows: Vec<TimelineRow>,
    /// The height of the picture, in pixels.
    pub(super) height: usize,
    pub(super) took: String,
    /// What took longest, with its time.
    pub(super) longest: Vec<(String, String)>,
    pub(super) summary: String,
}

pub(super) struct TimelineRow {
    /// A slot, or a service.
    pub(super) name: String,
    pub(super) y: usize,
    pub(super) bars: Vec<TimelineBar>,
}

pub(super) struct TimelineBar {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) kind: &'static str,
    pub(super) title: String,
}

/// The height of a row, in pixels.
const ROW: usize = 22;
/// Checks that are named for the time they took.
const LONGEST: usize = 10;
/// Rows that are drawn: of more than so many slots the first.
const ROWS: usize = 64;

impl Timeline {
    /// Of the report's own run; none where it looked at nothing.
    pub(super) fn of(report: &Report) -> Option<Timeline> {
        let run = report.run.as_ref().filter(|run| run.merged.is_empty())?;
        let whole = millis(run.started, run.finished).max(1.0);
        let bar = |from: Timestamp, millis_: u64, kind, title: String| {
            let x = (millis(run.started, from) / whole * 100.0).clamp(0.0, 100.0);
            let width = (millis_ as f64 / whole * 100.0).clamp(0.15, (100.0 - x).max(0.15));
            TimelineBar {
                x: (x * 100.0).round() / 100.0,
                width: (width * 100.0).round() / 100.0,
                kind,
                title: safe(&title),
            }
        };
        let mut slots = std::collections::BTreeMap::<u32, Vec<TimelineBar>>::new();
        let mut times = vec![];
        for row in report.checks.iter().filter(|row| row.was_observed()) {
            let Some(evidence) = &row.evidence else {
                continue;
            };
            let kind = match row.verdict {
                Verdict::Verified => "verified",
                Verdict::Partial => "partial",
                Verdict::Failed => "failed",
                Verdict::Unverified => "unverified",
            };
            let time = takes(evidence.duration_ms as f64 / 1000.0);
            let title = format!("{}: {} in {time}", row.id, row.verdict.word());
            times.push((evidence.duration_ms, &row.id));
            let bars = slots.entry(evidence.slot).or_default();
            bars.push(bar(evidence.started, evidence.duration_ms, kind, title));
        }
        if slots.is_empty() {
            return None;
        }
        let services = run.services.iter().filter_map(|service| {
            let (from, took) = (service.started?, service.duration_ms?);
            let title = format!("service {}: {}", service.id, service.state.word());
            Some((safe(&service.id), vec![bar(from, took, "service", title)]))
        });
        let number = slots.len();
        let slots = slots
            .into_iter()
            .map(|(slot, bars)| (format!("slot {slot}"), bars));
        let rows = services.chain(slots).take(ROWS).enumerate();
        let rows = rows.map(|(at, (name, bars))| TimelineRow {
            name,
            y: at * ROW + 2,
            bars,
        });
        let rows = rows.collect::<Vec<_>>();
        times.sort_by(|one, other| other.cmp(one));
        let longest = times.iter().take(LONGEST);
        let longest = longest.map(|(took, id)| (safe(id), takes(*took as f64 / 1000.0)));
        Some(Timeline {
            height: rows.len() * ROW,
            rows,
            took: takes(whole / 1000.0),
            longest: longest.collect(),
            summary: format!(
                "{} checks on {number} slots in {}",
                times.len(),
                takes(whole / 1000.0)
            ),
        })
    }
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1000.0
}
