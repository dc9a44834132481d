//! Bare counts and changes: "0 vulnerabilities", "13 → 0 failing tests", "fixed 33 tests". Found only where the words are clear.

use std::sync::LazyLock;

use regex::Regex;

use super::words::compiled;
use crate::domain::claim::Said;

const NOUN: &str = r"(?:known |critical |high |open |security |dependency )*(?:vulnerabilit(?:y|ies)|CVEs?|(?:failing|failed|broken|flaky) tests?|test failures?|lint(?:er|ing)? (?:errors?|warnings?)|type errors?|compiler (?:errors?|warnings?))";

static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)(?:^|[^\w.,/%])(?P<count>\d[\d,]*|zero|no) (?P<of>{NOUN})\b"
    ))
});
static FROM_TO: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)(?:^|[^\w.,/%])(?P<from>\d[\d,]*) ?(?:→|->|⇒|=>|down to|to) ?(?P<to>\d[\d,]*) (?P<of>{NOUN}|tests|failures|errors|warnings)\b"
    ))
});
static OF_FROM_TO: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)\b(?P<of>{NOUN}|failures|errors|warnings)\W{{1,4}}(?:from )?(?P<from>\d[\d,]*) ?(?:→|->|⇒|=>|down to|to) ?(?P<to>\d[\d,]*)(?:$|[^\w%.])"
    ))
});
static FIXED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)\b(?:fix(?:ed|es)|repaired|resolved) (?P<by>\d[\d,]*) (?P<of>{NOUN}|tests?|failures?)\b|\b(?P<by2>\d[\d,]*) (?P<of2>{NOUN}|tests?|failures?) (?:were |are )?(?:fixed|resolved|repaired)\b"
    ))
});

/// The counts and changes in a text, each with the byte where it begins.
pub(super) fn of(text: &str) -> Vec<(usize, Said)> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) && !text.to_lowercase().contains("zero") {
        return vec![];
    }
    let mut found = vec![];
    let mut taken: Vec<std::ops::Range<usize>> = vec![];
    let number = |captures: &regex::Captures<'_>, name: &str| {
        let text = captures.name(name)?.as_str().to_lowercase();
        match text.as_str() {
            "zero" | "no" => Some(0),
            digits => digits.replace(',', "").parse::<u64>().ok(),
        }
    };
    let words = |captures: &regex::Captures<'_>, name: &str| {
        captures.name(name).map(|found| found.as_str().to_string())
    };
    for pattern in [&*FROM_TO, &*OF_FROM_TO] {
        for captures in pattern.captures_iter(text) {
            let (from, to) = (number(&captures, "from"), number(&captures, "to"));
            if let (Some(whole), Some(of), true) = (
                captures.get(0),
                words(&captures, "of"),
                from.is_some() && to.is_some(),
            ) {
                taken.push(whole.range());
                found.push((
                    whole.start(),
                    Said::Delta {
                        from,
                        to,
                        by: None,
                        of,
                    },
                ));
            }
        }
    }
    for captures in FIXED.captures_iter(text) {
        let by = number(&captures, "by").or_else(|| number(&captures, "by2"));
        let of = words(&captures, "of").or_else(|| words(&captures, "of2"));
        if let (Some(whole), Some(of), true) = (captures.get(0), of, by.is_some()) {
            taken.push(whole.range());
            found.push((
                whole.start(),
                Said::Delta {
                    from: None,
                    to: None,
                    by,
                    of,
                },
            ));
        }
    }
    for captures in COUNT.captures_iter(text) {
        let within = |at: usize| taken.iter().any(|range| range.contains(&at));
        if let (Some(count), Some(of), Some(at)) = (
            number(&captures, "count"),
            words(&captures, "of"),
            captures.name("count"),
        ) && !within(at.start())
        {
            found.push((at.start(), Said::Count { count, of }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_changes() {
        let said = |text: &str| {
            let found = of(text).into_iter();
            found.map(|(_, said)| said.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(said("0 vulnerabilities found"), ["0 vulnerabilities"]);
        assert_eq!(
            said("Zero known vulnerabilities, no CVEs"),
            ["0 known vulnerabilities", "0 CVEs"]
        );
        assert_eq!(said("13 → 0 failing tests"), ["13 -> 0 failing tests"]);
        assert_eq!(said("Vulnerabilities: 13 → 0"), ["13 -> 0 Vulnerabilities"]);
        assert_eq!(said("fixed 33 tests"), ["33 tests fewer"]);
        assert_eq!(said("33 tests fixed since sprint 17"), ["33 tests fewer"]);
        assert_eq!(
            said("in 2 to 3 weeks, 5 items, 3 to 4 people"),
            Vec::<String>::new()
        );
    }
}
