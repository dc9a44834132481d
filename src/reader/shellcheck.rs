//! The JSON of `shellcheck --format=json` (a list of comments) and `json1` (an object with the list). Source:
//! shellcheck's manual; seen with 0.11.
//!
//! The list says nothing of how many files were looked at: an empty one is a pass only where the command names them.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{found, whole_json};

/// Reads the whole JSON. Each comment is a finding; how many of each level are measures.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let comments = match is_object {
        true => whole_json::<Object>(bytes)?.comments,
        false => whole_json(bytes)?,
    };
    let mut results = found(comments.iter().map(|comment| {
        let Comment {
            file,
            line,
            code,
            message,
            ..
        } = comment;
        format!("{file}:{line}: SC{code} {message}")
    }));
    for (level, measure) in [
        ("error", "errors"),
        ("warning", "warnings"),
        ("info", "infos"),
        ("style", "styles"),
    ] {
        let number = comments
            .iter()
            .filter(|comment| comment.level == level)
            .count();
        results.measures.insert(measure.to_string(), number as f64);
    }
    Ok(results)
}

#[derive(Deserialize)]
struct Object {
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
struct Comment {
    file: String,
    line: u64,
    level: String,
    code: u64,
    message: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        for (name, output) in [
            output!("shellcheck/mixed.json"),
            output!("shellcheck/mixed1.json"),
        ] {
            let results = read(output).unwrap();
            assert_eq!(results.findings, Some(3), "{name}");
            assert_eq!(
                results.failures[1],
                "bad.sh:3: SC2164 Use 'cd ... || exit' or 'cd ... || return' in case cd fails."
            );
            assert_eq!(results.measures["infos"], 2.0);
            assert_eq!(results.measures["warnings"], 1.0);
            assert_eq!(results.measures["errors"], 0.0);
        }
        let (_, green) = output!("shellcheck/green.json");
        let results = read(green).unwrap();
        assert_eq!((results.findings, results.counts), (Some(0), None));
    }

    #[test]
    fn what_is_no_list_of_comments_is_unreadable() {
        for text in [
            "{}",
            "[{}]",
            "null",
            "[",
            "{\"comments\":[",
            "No files specified.",
        ] {
            assert!(
                read(text.as_bytes())
                    .unwrap_err()
                    .contains("cannot be read")
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("shellcheck/mixed.json").1, output!("shellcheck/mixed1.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
