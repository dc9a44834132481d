//! A Prometheus exposition: the text format 0.0.4 and OpenMetrics 1.0, as a service answers on `/metrics`. Sources:
//! "Exposition formats" in Prometheus' documentation, the OpenMetrics specification; seen with prometheus_client 0.26.
//!
//! Every sample counts as passed, for it is there and it parses; one line that does not makes the whole unreadable, as
//! Prometheus drops a scrape whole. The sum of the samples of each name is a measure of that name, for limits such as
//! `http_requests_total = "> 0"`.

use std::collections::BTreeMap;

use crate::domain::evidence::{Counts, Results};

use super::short;

/// Reads the whole exposition. Measures: `samples`, and for each name of samples the sum of their values; one that is
/// infinite or no number is not measured.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        format!("line {line} is not UTF-8")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the exposition is empty".into());
    }
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    let mut samples = 0_u64;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = sample(line) else {
            return Err(short(&format!("line {} is no sample: `{line}`", at + 1)));
        };
        samples += 1;
        *sums.entry(name).or_default() += value;
    }
    let mut measures = BTreeMap::from([("samples".to_string(), samples as f64)]);
    let finite = sums.into_iter().filter(|(_, sum)| sum.is_finite());
    measures.extend(finite.map(|(name, sum)| (name.to_string(), sum)));
    Ok(Results {
        counts: Some(Counts {
            passed: samples,
            ..Counts::default()
        }),
        measures,
        ..Results::default()
    })
}

/// Name and value of `name{label="value",…} 1.5 1395066363000`, the time and an OpenMetrics exemplar left out.
fn sample(line: &str) -> Option<(&str, f64)> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    let end = line.find(|c: char| !(first(c) || c.is_ascii_digit()))?;
    let (name, rest) = line.split_at(end);
    if !name.starts_with(first) {
        return None;
    }
    let rest = match rest.trim_start().strip_prefix('{') {
        Some(labels) => after_labels(labels)?,
        None if rest.starts_with([' ', '\t']) => rest,
        None => return None,
    };
    let rest = match rest.split_once(" # ") {
        Some((figures, _exemplar)) => figures,
        None => rest,
    };
    let mut figures = rest.split_ascii_whitespace();
    let value = number(figures.next()?)?;
    let time_is_number = figures.next().is_none_or(|time| number(time).is_some());
    (time_is_number && figures.next().is_none()).then_some((name, value))
}

/// What follows the `}` of the labels, given what follows their `{`.
fn after_labels(labels: &str) -> Option<&str> {
    let mut rest = labels.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (name, value) = rest.split_once('=')?;
        let name = name.trim();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(word)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            return None;
        }
        rest = after_quoted(value.trim_start().strip_prefix('"')?)?.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

/// What follows the closing quote.
fn after_quoted(quoted: &str) -> Option<&str> {
    let mut escaped = false;
    let end = quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(&quoted[end + 1..])
}

/// A figure as Go writes it, `+Inf` and `NaN` among them.
fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if text.contains(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) => None,
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, on_a_small_stack, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("prometheus/client.txt"), Ok(([12, 0, 0], &[]))),
                (output!("prometheus/openmetrics.txt"), Ok(([12, 0, 0], &[]))),
                (output!("prometheus/fastapi.txt"), Ok(([56, 0, 0], &[]))),
                (
                    output!("npm-audit/green.json"),
                    Err("line 1 is no sample: `{`"),
                ),
            ],
        );
        let (_, client) = output!("prometheus/client.txt");
        let measures = read(client).unwrap().measures;
        assert_eq!(measures["http_requests_total"], 4.0);
        assert_eq!(measures["latency_seconds_sum"], 3.05);
        assert_eq!(measures["queue_jobs"], -1.5e-7);
        assert!(!measures.contains_key("temperature_celsius"));
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            ("a 1", Ok(([1, 0, 0], &[]))),
            ("a{} 1\r\nb{x=\"}\",} +Inf 12\n", Ok(([2, 0, 0], &[]))),
            ("a {x=\"\\\"\", y=\"\\\\\"} 1", Ok(([1, 0, 0], &[]))),
            ("a{x=\"1\"} 1 # {trace=\"2\"} 0.5", Ok(([1, 0, 0], &[]))),
            ("# TYPE a counter\n# EOF", Ok(([0, 0, 0], &[]))),
            ("<html>", Err("line 1 is no sample: `<html>`")),
            ("ok", Err("no sample")),
            ("status healthy", Err("no sample")),
            ("a 1 2 3", Err("no sample")),
            ("a{x=1} 1", Err("no sample")),
            ("a{x=\"1} 1", Err("no sample")),
            ("a{x=\"1\" y=\"2\"} 1", Err("no sample")),
            ("a{1x=\"1\"} 1", Err("no sample")),
            ("a inf", Err("no sample")),
            ("1a 1", Err("no sample")),
            ("a\u{e9} 1", Err("no sample")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
        assert!(
            read(b"a 1\n\xff")
                .unwrap_err()
                .contains("line 2 is not UTF-8")
        );
    }

    #[test]
    fn repetition_does_no_harm() {
        on_a_small_stack(|| {
            for part in ["a{x=\"", "a{x=\"\",", "{", "\\", "a 1\n"] {
                let _ = read(part.repeat(100_000).as_bytes());
            }
        });
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("prometheus/client.txt").1, output!("prometheus/openmetrics.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
