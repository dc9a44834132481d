//! LCOV's tracefile, as lcov, coverage.py, Istanbul (jest, c8, nyc), cargo-llvm-cov and gcovr write it. Source: `man geninfo`,
//! "Tracefile format"; seen with coverage.py 7.17 and jest 30.
//!
//! The records of each line are counted, totals (`LF`, `LH`) are not believed. A file without any is one in which nothing
//! can be run.

use crate::domain::evidence::Results;

use super::coverage::Coverage;
use super::short;

/// Reads the whole tracefile: see [`Coverage::results`].
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the tracefile is empty".into());
    }
    let mut coverage = Coverage::default();
    let mut file: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = || short(&format!("line {} is no record of LCOV: `{line}`", at + 1));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "end_of_record" {
            if file.take().is_none() {
                return Err(wrong());
            }
            continue;
        }
        let (kind, value) = line.split_once(':').ok_or_else(wrong)?;
        if kind == "SF" {
            if file.replace(value).is_some() {
                let problem = "begins before the last one ended: the file is cut";
                return Err(format!("the record on line {} {problem}", at + 1));
            }
            coverage.file(value);
            continue;
        }
        let Some(name) = file else {
            // The name of a test stands before the first file; later versions put more there.
            if matches!(kind, "TN" | "VER") {
                continue;
            }
            return Err(wrong());
        };
        let told = coverage.file(name);
        let mut record = || {
            match kind {
                "DA" => {
                    let mut fields = value.split(',');
                    let (line, hits) = (fields.next()?, fields.next()?);
                    told.line(line.parse().ok()?, hits.parse::<f64>().ok()? > 0.0);
                }
                "FNDA" => {
                    let (hits, name) = value.split_once(',')?;
                    told.function(name, hits.parse::<f64>().ok()? > 0.0);
                }
                "BRDA" => {
                    let (place, taken) = value.rsplit_once(',')?;
                    // `-`: the decision was never come to.
                    let taken = taken != "-" && taken.parse::<f64>().ok()? > 0.0;
                    told.branch(place, taken);
                }
                _ => {}
            }
            Some(())
        };
        record().ok_or_else(wrong)?;
    }
    match file {
        Some(name) => Err(short(&format!(
            "the record of `{name}` does not end: the file is cut"
        ))),
        None => Ok(coverage.results()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{check, damaged, output, sound};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_writer_is_counted() {
        check(
            read,
            &[
                (
                    output!("coverage/coverage-py.lcov"),
                    Ok(([3, 0, 1], &["app.py: 1 of 4 lines were not run"])),
                ),
                (
                    output!("coverage/jest.lcov"),
                    Ok(([3, 0, 1], &["app.js: 1 of 4 lines were not run"])),
                ),
            ],
        );
        for output in [
            output!("coverage/coverage-py.lcov"),
            output!("coverage/jest.lcov"),
        ] {
            let measures = read(output.1).unwrap().measures;
            let expected = [
                ("branches", 50.0),
                ("files", 1.0),
                ("functions", 100.0),
                ("lines", 75.0),
            ];
            assert_eq!(
                measures,
                expected
                    .map(|(name, value)| (name.to_string(), value))
                    .into()
            );
        }
    }

    #[test]
    fn several_tests_tell_of_one_file_together() {
        let text = b"TN:a\nSF:x\nDA:1,1\nDA:2,0\nend_of_record\nTN:b\nSF:x\nDA:1,0\nDA:2,3\nend_of_record\n";
        let results = read(text).unwrap();
        assert_eq!(
            results.counts.map(|counts| (counts.passed, counts.skipped)),
            Some((2, 0))
        );
    }

    #[test]
    fn what_is_cut_or_foreign_is_not_read() {
        for (text, problem) in [
            ("", "empty"),
            ("SF:x\nDA:1,1\n", "does not end"),
            ("SF:x\nDA:1,1\nSF:y\nend_of_record\n", "begins before"),
            ("SF:x\nDA:one,1\nend_of_record\n", "line 2 is no record"),
            ("DA:1,1\n", "line 1 is no record"),
            ("end_of_record\n", "line 1 is no record"),
            ("{}", "line 1 is no record"),
        ] {
            let told = read(text.as_bytes()).unwrap_err();
            assert!(told.contains(problem), "{text:?}: {told}");
        }
        let nothing = read(b"SF:x\nend_of_record\n").unwrap();
        assert_eq!(
            nothing.counts.map(|counts| counts.passed + counts.skipped),
            Some(0)
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("coverage/coverage-py.lcov").1, output!("coverage/jest.lcov").1])) {
            sound(read(&bytes))?;
        }
    }
}
