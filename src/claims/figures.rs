//! Percentages and ratios in a text, with what stands around them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::compiled;
use crate::domain::claim::Said;

/// A percentage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Percent {
    pub(super) value: f64,
    pub(super) most: Option<f64>,
    /// The bytes that say it.
    pub(super) range: Range<usize>,
}

impl Percent {
    pub(super) fn said(&self) -> Said {
        Said::Percent {
            value: self.value,
            value_max: self.most,
        }
    }
}

/// So many of so many.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) passed: u64,
    pub(super) total: u64,
    pub(super) range: Range<usize>,
}

static PERCENT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?P<sign>[-+−])?(?P<low>\d{1,3}(?:[.,]\d+)?)(?: ?%? ?[-–—] ?(?P<high>\d{1,3}(?:[.,]\d+)?)| to (?P<most>\d{1,3}(?:[.,]\d+)?))? ?%",
    )
});
static RATIO: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"(?P<a>\d+(?:,\d{3})*) ?(?:/|(?:out )?of (?:the |its |all )?) ?(?P<b>\d+(?:,\d{3})*)")
});

/// The percentages from 0 to 100 in a text; changes by so many percent are none.
pub(super) fn percents(text: &str) -> Vec<Percent> {
    if !text.contains('%') {
        return vec![];
    }
    let found = PERCENT.captures_iter(text).filter_map(|captures| {
        let whole = captures.get(0)?;
        let number = |name| {
            captures
                .name(name)
                .map(|found| found.as_str().replace(',', ".").parse::<f64>())
        };
        let low = number("low")?.ok()?;
        let high = number("high")
            .or_else(|| number("most"))
            .and_then(Result::ok);
        // "in sprint 15 to 96 %" is no range.
        if let Some(most) = captures.name("most")
            && high.is_some_and(|high| high - low > 50.0)
        {
            return Some(Percent {
                value: high.filter(|high| *high <= 100.0)?,
                most: None,
                range: most.start()..whole.end(),
            });
        }
        let before = text[..whole.start()].chars().next_back();
        let glued = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '/'));
        // A sign is one only where no word stands before it: `near-100%` is no change.
        let signed = captures.name("sign").is_some() && !before.is_some_and(char::is_alphanumeric);
        let near = captures.name("sign").is_some() && before.is_some_and(char::is_alphabetic);
        if signed || (glued && !near) || low > 100.0 {
            return None;
        }
        Some(Percent {
            value: low,
            most: high.filter(|high| *high > low && *high <= 100.0),
            range: whole.range(),
        })
    });
    found.collect()
}

/// The ratios in a text of which the first number is no greater than the second; dates, versions and the like are none.
pub(super) fn ratios(text: &str) -> Vec<Ratio> {
    let found = RATIO.captures_iter(text).filter_map(|captures| {
        let whole = captures.get(0)?;
        let number = |name| {
            captures
                .name(name)?
                .as_str()
                .replace(',', "")
                .parse::<u64>()
                .ok()
        };
        let (passed, total) = (number("a")?, number("b")?);
        let before = text[..whole.start()].chars().next_back();
        let after = text[whole.end()..].chars().next();
        let glued = |c: Option<char>| {
            c.is_some_and(|c| {
                c.is_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '$' | '#' | ':')
            })
        };
        let more = text[whole.end()..].trim_start_matches(',');
        let decimal = after == Some('.') && more[1..].starts_with(|c: char| c.is_ascii_digit());
        let glued_after = after
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '_' | '%' | '-'))
            || decimal;
        if glued(before) || glued_after || total == 0 || passed > total {
            return None;
        }
        Some(Ratio {
            passed,
            total,
            range: whole.range(),
        })
    });
    found.collect()
}

/// The whole number that is all of a cell.
pub(super) fn whole_number(cell: &str) -> Option<u64> {
    let cell = cell.trim().trim_matches(['*', '`']);
    let digits = cell.replace([',', ' '], "");
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages() {
        let values = |text: &str| {
            let found = percents(text).into_iter();
            found
                .map(|percent| (percent.value, percent.most))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            values("95% ready, then 97.5 %"),
            [(95.0, None), (97.5, None)]
        );
        assert_eq!(
            values("90-95%, 90% - 95%, ~60–70 %"),
            [(90.0, Some(95.0)), (90.0, Some(95.0)), (60.0, Some(70.0))]
        );
        assert_eq!(values("+5% -3.61% +10-15%"), []);
        assert_eq!(values("near-100% coverage"), [(100.0, None)]);
        assert_eq!(values("250% and v1.5% and 33,6%"), [(33.6, None)]);
    }

    #[test]
    fn ratios_are_no_dates() {
        let values = |text: &str| {
            let found = ratios(text).into_iter();
            found
                .map(|ratio| (ratio.passed, ratio.total))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            values("120/122 passing, 104 of 134, 2 out of 3"),
            [(120, 122), (104, 134), (2, 3)]
        );
        assert_eq!(values("1,204/1,210 tests"), [(1204, 1210)]);
        assert_eq!(
            values("on 3/12/2025, v1/2.5, 9/5, 0/0, a/1/2, 200/404ms"),
            []
        );
    }
}
