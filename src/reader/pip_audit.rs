//! The JSON of `pip-audit --format json`. Source: `_format/json.py` of pip-audit; seen with 2.10.
//!
//! Each dependency counts once: without a known vulnerability it passed, with one it failed, and one that could not be
//! audited (`skip_reason`: not on the index, an editable install, no advisory service within reach) is skipped work. For
//! then pip-audit still prints "No known vulnerabilities found" and exits 0, be it for all of them.

use serde::Deserialize;

use crate::domain::evidence::Results;

use super::{Tally, one_report};

/// Reads the one report that begins a line. The findings are the vulnerabilities.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(bytes, "`dependencies`", |report: &Report| {
        report.dependencies.is_some()
    })?;
    let (mut tally, mut findings) = (Tally::default(), 0_u64);
    for dependency in report.dependencies.unwrap_or_default() {
        match (dependency.skip_reason, &dependency.vulns) {
            (None, Some(vulns)) if vulns.is_empty() => tally.passed(1),
            (None, Some(vulns)) => {
                tally.failed(1);
                findings = findings.saturating_add(vulns.len() as u64);
                let ids: Vec<_> = vulns.iter().map(|vuln| vuln.id.as_str()).collect();
                let version = dependency.version.as_deref().unwrap_or_default();
                tally.name(&format!(
                    "{} {version} ({})",
                    dependency.name,
                    ids.join(", ")
                ));
            }
            _ => tally.skipped(1),
        }
    }
    Ok(Results {
        findings: Some(findings),
        ..tally.results()
    })
}

#[derive(Deserialize)]
struct Report {
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    vulns: Option<Vec<Vuln>>,
    skip_reason: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Vuln {
    id: String,
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
                (
                    output!("pip-audit/found.json"),
                    Ok(([1, 1, 0], &["idna 3.4 (CVE-2024-3651)"])),
                ),
                (output!("pip-audit/green.json"), Ok(([2, 0, 0], &[]))),
                // Printed "No known vulnerabilities found", and exited 0.
                (output!("pip-audit/skipped.json"), Ok(([0, 0, 2], &[]))),
                (output!("pip-audit/none.json"), Ok(([0, 0, 0], &[]))),
                (output!("npm-audit/green.json"), Err("no `dependencies`")),
            ],
        );
        let (_, found) = output!("pip-audit/found.json");
        assert_eq!(read(found).unwrap().findings, Some(1));
        let (_, skipped) = output!("pip-audit/skipped.json");
        assert_eq!(read(skipped).unwrap().findings, Some(0));
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (
                r#"{"dependencies":[{"name":"a","version":"1","vulns":[]},{"name":"b","skip_reason":"x"},{"name":"c"}]}"#,
                Ok(([1, 0, 2], &[])),
            ),
            (
                r#"{"dependencies":[{"name":"a","vulns":[{"id":"X"},{"id":"Y"}]}]}"#,
                Ok(([0, 1, 0], &["a  (X, Y)"])),
            ),
            // A skipped dependency is not audited, whatever else stands there.
            (
                r#"{"dependencies":[{"name":"a","vulns":[],"skip_reason":"x"}]}"#,
                Ok(([0, 0, 1], &[])),
            ),
            (r#"{"dependencies":{}}"#, Err("cannot be read")),
            (
                r#"{"dependencies":[{"name":"a","vul"#,
                Err("cannot be read"),
            ),
            // Before pip-audit 2.5 it was a list: without `skip_reason`.
            ("[]", Err("no line begins with `{`")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("pip-audit/found.json").1, output!("pip-audit/skipped.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
