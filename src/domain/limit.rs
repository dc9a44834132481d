//! Comparisons such as `< 500` and `>= 3.11`, and durations such as `2m30s`: written as text in a manifest.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a measured figure is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `=` or `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
}

impl Operator {
    /// Splits a leading operator off; without one the comparison is equality.
    pub fn split(text: &str) -> (Operator, &str) {
        let text = text.trim();
        for (sign, operator) in [
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=", Operator::Equal),
        ] {
            if let Some(rest) = text.strip_prefix(sign) {
                return (operator, rest.trim());
            }
        }
        (Operator::Equal, text)
    }

    /// The sign in manifests.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
        }
    }

    /// Whether `ordering` (of the figure against the bound) satisfies the operator.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Operator::Less => ordering.is_lt(),
            Operator::AtMost => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::AtLeast => ordering.is_ge(),
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
        }
    }
}

/// A bound on a figure: `< 500`, `<= 0.01`, `>= 80`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// How to compare.
    pub operator: Operator,
    /// With what, in the figure's own unit.
    pub bound: f64,
}

impl Limit {
    /// `>= least`.
    pub fn at_least(least: f64) -> Limit {
        Limit {
            operator: Operator::AtLeast,
            bound: least,
        }
    }

    /// Reads a comparison of a plain number; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Limit, String> {
        let (operator, rest) = Operator::split(text);
        match rest.parse::<f64>() {
            Ok(bound) if bound.is_finite() => Ok(Limit { operator, bound }),
            _ => Err(format!("`{text}` is not a comparison with a number")),
        }
    }

    /// Reads a comparison of a duration (`< 500ms`), in milliseconds.
    pub fn parse_millis(text: &str) -> Result<Limit, String> {
        let (operator, rest) = Operator::split(text);
        match parse_duration(rest) {
            Ok(duration) => Ok(Limit {
                operator,
                bound: duration.as_secs_f64() * 1000.0,
            }),
            Err(_) => Err(format!("`{text}` is not a comparison with a duration")),
        }
    }

    /// Whether the figure keeps the bound. What is not a number never does.
    pub fn holds(&self, figure: f64) -> bool {
        figure
            .partial_cmp(&self.bound)
            .is_some_and(|ordering| self.operator.holds(ordering))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.sign(), self.bound)
    }
}

/// Reads `90s`, `2m30s`, `1h`, `500ms`, `2d`: whole numbers with a unit, largest unit first, each at most once.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let wrong = || format!("`{text}` is not a duration");
    let (mut rest, mut next_unit, mut millis) = (text.trim(), 0, 0u64);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let at = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .filter(|at| *at >= next_unit)
            .ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        millis = number
            .checked_mul(UNITS[at].1)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(wrong)?;
        (next_unit, rest) = (at + 1, tail);
    }
    Ok(Duration::from_millis(millis))
}

/// How old something is, in its largest unit.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A duration for people: `850 ms`, `5.1 s`, `2 min 30 s`, `3 h`, `2 d`.
pub fn human_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{}.{} s", seconds, (millis % 1000) / 100),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..172_800 if (seconds / 60).is_multiple_of(60) => format!("{} h", seconds / 3600),
        3600..172_800 => format!("{} h {} min", seconds / 3600, (seconds / 60) % 60),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let cases = [
            ("90s", Some(90_000)),
            ("2m30s", Some(150_000)),
            ("500ms", Some(500)),
            ("1h", Some(3_600_000)),
            ("1d2h", Some(93_600_000)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("s", None),
            ("30s2m", None),
            ("1s1s", None),
            ("1.5s", None),
            ("-1s", None),
            ("5 s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("5µs", None),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text).ok(),
                millis.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn limits_hold_or_not_and_a_missing_number_never_does() {
        assert!(Limit::parse("< 500").is_ok_and(|l| l.holds(499.9) && !l.holds(500.0)));
        assert!(Limit::parse("<=0.01").is_ok_and(|l| l.holds(0.01) && !l.holds(0.02)));
        assert!(Limit::parse("> 100").is_ok_and(|l| l.holds(101.0) && !l.holds(100.0)));
        assert!(Limit::parse("3").is_ok_and(|l| l.holds(3.0) && !l.holds(2.0)));
        assert!(Limit::parse("!= 0").is_ok_and(|l| l.holds(1.0) && !l.holds(0.0)));
        assert!(Limit::parse("< 500").is_ok_and(|l| !l.holds(f64::NAN)));
        assert!(Limit::parse_millis("< 1s").is_ok_and(|l| l.holds(999.0) && !l.holds(1000.0)));
        for bad in ["", "<", "< x", "< inf", "nan", "fast", "<> 3"] {
            assert!(Limit::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_for_people() {
        let cases = [
            (850, "850 ms"),
            (5_120, "5.1 s"),
            (150_000, "2 min 30 s"),
            (7_200_000, "2 h"),
            (86_400_000 * 3, "3 d"),
        ];
        for (millis, text) in cases {
            assert_eq!(human_duration(Duration::from_millis(millis)), text);
        }
    }
}
