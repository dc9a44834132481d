//! The JSON of `actionlint -format '{{json .}}'`: a list of what is wrong. Source: `Error` in actionlint's
//! `docs/usage.md`; seen with the fork 1.17 and the list that the original writes.
//!
//! The list says nothing of how many files were looked at: an empty one is a pass only where the command names them.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{found, whole_json};

/// Reads the whole JSON. Each entry is a finding.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let problems: Vec<Problem> = whole_json(bytes)?;
    Ok(found(problems.iter().map(|problem| {
        format!("{}:{}: {}", problem.filepath, problem.line, problem.message)
    })))
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(default)]
    filepath: String,
    #[serde(default)]
    line: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        let (_, mixed) = output!("actionlint/mixed.json");
        let results = read(mixed).unwrap();
        assert_eq!(results.findings, Some(3));
        assert!(
            results.failures[0]
                .starts_with(".github/workflows/ci.yml:1: unknown Webhook event \"psh\".")
        );
        let (_, green) = output!("actionlint/green.json");
        let results = read(green).unwrap();
        assert_eq!((results.findings, results.counts), (Some(0), None));
    }

    #[test]
    fn what_is_no_list_is_unreadable() {
        for text in ["{}", "[{}]", "null", "[", "no project was found"] {
            assert!(
                read(text.as_bytes())
                    .unwrap_err()
                    .contains("cannot be read")
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("actionlint/mixed.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
