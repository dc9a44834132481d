//! Versions as tools print them, and constraints on them: `>= 3.11`, `20`, `>= 1.2, < 2`, `*`.

use std::cmp::Ordering;

use super::limit::Operator;

/// A dotted version: numbers only; what a tool adds behind them is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Vec<u64>);

impl Version {
    /// The first dotted number in a text (`Python 3.11.7`, `v20.1.0`, `nginx/1.22.1`, `go1.19.8`); a lone number counts where
    /// there is no dotted one.
    pub fn find(text: &str) -> Option<Version> {
        let words = || {
            text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
                .map(|word| match word.contains('.') {
                    true => word.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
                    false => word.trim_start_matches(['v', 'V']),
                })
        };
        let parsed = |dotted: bool| {
            words()
                .filter(|word| word.contains('.') == dotted)
                .find_map(Version::parse)
        };
        parsed(true).or_else(|| parsed(false))
    }

    /// The leading numbers of one word.
    fn parse(word: &str) -> Option<Version> {
        let end = word
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(word.len());
        let numbers = word[..end]
            .trim_end_matches('.')
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<Vec<u64>>>()?;
        (!numbers.is_empty()).then_some(Version(numbers))
    }

    /// Compares with missing parts read as 0.
    fn compare(&self, other: &Version) -> Ordering {
        let part = |version: &Version, at: usize| version.0.get(at).copied().unwrap_or(0);
        let longest = self.0.len().max(other.0.len());
        (0..longest)
            .map(|at| part(self, at).cmp(&part(other, at)))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// As numbers with dots.
    pub fn text(&self) -> String {
        self.0
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(".")
    }
}

/// Bounds on a version, all of which must hold; none: any version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint(Vec<(Operator, Version, bool)>);

impl Constraint {
    /// Reads `*`, `20` (that line: 20.x), `>= 3.11`, `>= 1.2, < 2`.
    pub fn parse(text: &str) -> Option<Constraint> {
        if text.trim() == "*" {
            return Some(Constraint(vec![]));
        }
        let part = |part: &str| {
            let (operator, version) = Operator::split(part);
            let bare = operator == Operator::Equal && !part.contains('=');
            let valid = version.starts_with(|c: char| c.is_ascii_digit())
                && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            valid
                .then(|| Version::parse(version))
                .flatten()
                .map(|version| (operator, version, bare))
        };
        text.split(',')
            .map(part)
            .collect::<Option<Vec<_>>>()
            .map(Constraint)
    }

    /// Whether the version is within the bounds.
    pub fn holds(&self, version: &Version) -> bool {
        self.0.iter().all(|(operator, bound, bare)| match bare {
            true => version.0.starts_with(&bound.0),
            false => operator.holds(version.compare(bound)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        let cases = [
            ("Python 3.11.7", Some("3.11.7")),
            ("v20.20.2", Some("20.20.2")),
            ("nginx version: nginx/1.22.1", Some("1.22.1")),
            ("Docker version 28.2.2, build e6534b4", Some("28.2.2")),
            ("pytest 9.2.0rc1", Some("9.2.0")),
            ("jq-1.6", Some("1.6")),
            ("go version go1.19.8 linux/amd64", Some("1.19.8")),
            ("see example.com: 2.1", Some("2.1")),
            ("openjdk 17 2021-09-14", Some("17")),
            ("no version", None),
            ("", None),
        ];
        for (text, version) in cases {
            assert_eq!(
                Version::find(text).map(|v| v.text()).as_deref(),
                version,
                "{text}"
            );
        }
    }

    #[test]
    fn constraints_hold_or_not() {
        let cases = [
            (">= 3.11", "3.11", true),
            (">= 3.11", "3.9.18", false),
            (">= 3.11", "3.12", true),
            ("20", "20.1.0", true),
            ("20", "200.1", false),
            (">= 1.2, < 2", "1.9", true),
            (">= 1.2, < 2", "2.0.0", false),
            ("== 1.2", "1.2.0", true),
            ("*", "0", true),
        ];
        for (constraint, version, holds) in cases {
            let held = Constraint::parse(constraint)
                .zip(Version::find(version))
                .map(|(c, v)| c.holds(&v));
            assert_eq!(held, Some(holds), "{constraint} {version}");
        }
        for bad in ["", "latest", ">= x", "^1.2", ">=", "1,"] {
            assert_eq!(Constraint::parse(bad), None, "{bad}");
        }
    }
}
