//! What `promtool check rules` prints on standard output: for each file a line `Checking F`, and below it
//! `SUCCESS: N rules found`, unless it failed. Source: `CheckRules` in prometheus' `cmd/promtool/main.go`; seen with 2.42.
//!
//! What is wrong with a file goes to standard error, and the exit status is 0 where rules are only there twice
//! ("lint error"): a file without `SUCCESS` failed. Its rules are not counted by anybody, and Prometheus would load
//! none of them: a broken file is a finding, not a share of the rules.

use crate::domain::evidence::Results;

use super::{Tally, plain, short};

/// Reads the printed text. The rules of good files passed; each broken file is a finding.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let mut tally = Tally::default();
    // The file whose outcome is not known yet.
    let mut checking = None;
    let mut files = 0;
    let broken = |tally: &mut Tally, file: Option<&str>| {
        if let Some(file) = file {
            tally.failed(1);
            tally.name(file);
        }
    };
    for line in text.lines() {
        if let Some(file) = line.strip_prefix("Checking ") {
            broken(&mut tally, checking.replace(file));
            files += 1;
        } else if let Some(number) = rules(line) {
            let Some(number) = number else {
                return Err(short(&format!(
                    "`{}` does not say how many rules",
                    line.trim()
                )));
            };
            if checking.take().is_none() {
                return Err("`SUCCESS` without the file that was checked".into());
            }
            tally.passed(number);
        }
    }
    broken(&mut tally, checking);
    if files == 0 {
        return Err(
            "no line `Checking FILE`: it is not the output of `promtool check rules`".into(),
        );
    }
    Ok(Results {
        findings: Some(tally.counts.failed),
        ..tally.results()
    })
}

/// How many rules a line `SUCCESS: N rules found` speaks of.
fn rules(line: &str) -> Option<Option<u64>> {
    let rest = line.trim_start().strip_prefix("SUCCESS: ")?;
    let number = rest
        .strip_suffix(" rules found")
        .or_else(|| rest.strip_suffix(" rule found"));
    Some(number.and_then(|number| number.parse().ok()))
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
                (output!("promtool/green.txt"), Ok(([2, 0, 0], &[]))),
                // Exit 0, with "FAILED:" on standard error.
                (
                    output!("promtool/duplicate.txt"),
                    Ok(([0, 1, 0], &["dup.yml"])),
                ),
                (
                    output!("promtool/broken.txt"),
                    Ok(([0, 1, 0], &["bad.yml"])),
                ),
                (
                    output!("promtool/mixed.txt"),
                    Ok(([2, 2, 0], &["dup.yml", "bad.yml"])),
                ),
                (output!("promtool/none.txt"), Ok(([0, 0, 0], &[]))),
            ],
        );
        let (_, mixed) = output!("promtool/mixed.txt");
        assert_eq!(read(mixed).unwrap().findings, Some(2));
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (
                "Checking a.yml\r\n  SUCCESS: 1 rule found\r\n",
                Ok(([1, 0, 0], &[])),
            ),
            ("Checking a.yml", Ok(([0, 1, 0], &["a.yml"]))),
            (
                "Checking a.yml\n  SUCCESS: many rules found",
                Err("how many"),
            ),
            ("Checking a.yml\n  SUCCESS", Ok(([0, 1, 0], &["a.yml"]))),
            ("  SUCCESS: 2 rules found", Err("without the file")),
            (
                "promtool: error: path 'x' does not exist",
                Err("no line `Checking"),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("promtool/mixed.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
