//! The JSON of `locust --headless --json` or `--json-file`: one object for each kind of request. Sources: `stats.py` of
//! locust (`StatsEntry.to_dict`, `calculate_response_time_percentile`); seen with 2.47.
//!
//! Requests are counted, and the percentiles are worked out from the histogram `response_times` as locust itself does.
//! A run of no request writes `[]` and exits 0; a locust file that cannot be loaded writes nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::evidence::{Counts, Results};

use super::{short, whole_json};

/// Reads the whole JSON. Measures: `requests`, `failures`, `failure_ratio`, `p50_ms`, `p95_ms`, `p99_ms`, `mean_ms`,
/// `max_ms`; without a request none but `requests`.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let entries: Vec<Entry> = whole_json(bytes)?;
    let sum = |pick: fn(&Entry) -> u64| entries.iter().map(pick).fold(0, u64::saturating_add);
    let requests = sum(|entry| entry.num_requests);
    let failures = sum(|entry| entry.num_failures);
    let mut measures = BTreeMap::from([("requests".to_string(), requests as f64)]);
    let times = Histogram::of(&entries)?;
    if requests > 0 {
        let total_ms: f64 = entries.iter().map(|entry| entry.total_response_time).sum();
        let slowest = entries.iter().filter_map(|entry| entry.max_response_time);
        measures.extend([
            ("failures".to_string(), failures as f64),
            (
                "failure_ratio".to_string(),
                failures as f64 / requests as f64,
            ),
            ("mean_ms".to_string(), total_ms / requests as f64),
            ("max_ms".to_string(), slowest.fold(0.0, f64::max)),
        ]);
        for percent in [50, 95, 99] {
            if let Some(time) = times.percentile(percent) {
                measures.insert(format!("p{percent}_ms"), time);
            }
        }
    }
    let mut failed: Vec<_> = entries.iter().filter(|e| e.num_failures > 0).collect();
    failed.sort_by_key(|entry| std::cmp::Reverse(entry.num_failures));
    let name = |entry: &&Entry| {
        let method = entry.method.as_deref().unwrap_or_default();
        short(&format!("{method} {}", entry.name))
    };
    Ok(Results {
        counts: Some(Counts {
            passed: requests.saturating_sub(failures),
            failed: failures,
            skipped: 0,
        }),
        measures,
        failures: failed.iter().take(Results::NAMED).map(name).collect(),
        ..Results::default()
    })
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    method: Option<String>,
    num_requests: u64,
    num_failures: u64,
    #[serde(default)]
    total_response_time: f64,
    max_response_time: Option<f64>,
    /// How many requests took how long, by the rounded milliseconds.
    response_times: BTreeMap<String, u64>,
}

/// How many requests took how long, the slowest first.
struct Histogram(Vec<(f64, u64)>);

impl Histogram {
    fn of(entries: &[Entry]) -> Result<Histogram, String> {
        let mut times = vec![];
        for (time, number) in entries.iter().flat_map(|entry| &entry.response_times) {
            let time = time.parse().ok().filter(|time: &f64| time.is_finite());
            let time = time.ok_or("a key of `response_times` is no number of milliseconds")?;
            times.push((time, *number));
        }
        times.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Ok(Histogram(times))
    }

    /// The time within which so many percent of the requests were answered.
    fn percentile(&self, percent: u64) -> Option<f64> {
        let all = self
            .0
            .iter()
            .fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        let within = u128::from(all) * u128::from(percent) / 100;
        let mut slower = 0_u64;
        let mut times = self.0.iter();
        times.find_map(|(time, number)| {
            slower = slower.saturating_add(*number);
            (u128::from(all - slower.min(all)) <= within).then_some(*time)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("locust/green.json"), Ok(([9, 0, 0], &[]))),
                (
                    output!("locust/mixed.json"),
                    Ok(([41, 9, 0], &["GET /bad"])),
                ),
                (
                    output!("locust/down.json"),
                    Ok(([0, 14, 0], &["GET /a", "GET /b"])),
                ),
                // No request, exit 0; so does a run without a host.
                (output!("locust/none.json"), Ok(([0, 0, 0], &[]))),
            ],
        );
    }

    /// Of the run with 9 failures among 50 requests.
    const MIXED: [(&str, f64); 8] = [
        ("requests", 50.0),
        ("failures", 9.0),
        ("failure_ratio", 0.18),
        ("p50_ms", 6.0),
        ("p95_ms", 18.0),
        ("p99_ms", 38.0),
        ("mean_ms", 7.168485119973411),
        ("max_ms", 37.72708499991495),
    ];

    /// As locust's own functions work them out of the same file.
    #[test]
    fn figures_are_those_of_locust() {
        let (_, json) = output!("locust/mixed.json");
        let measures = read(json).unwrap().measures;
        for (name, figure) in MIXED {
            let measured = measures[name];
            assert!(
                (figure - measured).abs() < 1e-9,
                "{name}: {figure}, {measured}"
            );
        }
    }

    #[test]
    fn written_outputs() {
        const ONE: &str = r#"[{"name":"/a","method":"GET","num_requests":2,"num_failures":1,"response_times":{"10":1,"20.5":1}}]"#;
        let cases: &[(&str, Read)] = &[
            (ONE, Ok(([1, 1, 0], &["GET /a"]))),
            // Requests that ended without an answer can outnumber those that were timed.
            (
                &ONE.replace("\"num_failures\":1", "\"num_failures\":3"),
                Ok(([0, 3, 0], &["GET /a"])),
            ),
            (&ONE.replace("\"10\"", "\"None\""), Err("no number")),
            (&ONE.replace("\"10\"", "\"NaN\""), Err("no number")),
            (
                &ONE.replace("\"num_requests\"", "\"n\""),
                Err("cannot be read"),
            ),
            (&ONE[..40], Err("cannot be read")),
            ("Starting\n[]", Err("cannot be read")),
            ("{}", Err("cannot be read")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
        let measures = read(b"[]").unwrap().measures;
        assert_eq!(measures, BTreeMap::from([("requests".into(), 0.0)]));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("locust/mixed.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
