//! The JSON of `npm audit --json`, report version 2. Sources: `@npmcli/arborist`'s `audit-report.js`,
//! `npm-audit-report`; seen with npm 11.
//!
//! Each package of the lock file counts once, failed where a vulnerability affects it, directly or through what it
//! depends on. Where the advisory service cannot be asked, npm exits 1 as it does for a vulnerability, and writes an
//! object with `message` or `error` in place of the report.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::evidence::{Counts, Results};

use super::{one_report, short};

/// The severities, the worst first.
const SEVERITIES: [&str; 5] = ["critical", "high", "moderate", "low", "info"];

/// Reads the one report that begins a line. The findings are the packages with a vulnerability; how many of each
/// severity is a measure.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(
        bytes,
        "`metadata`, and says of no problem",
        |report: &Report| report.metadata.is_some() || report.says().is_some(),
    )?;
    let says = report.says().map(str::to_string);
    let Some(metadata) = report.metadata else {
        let says = says.unwrap_or_default();
        return Err(short(&format!("npm could not audit: {says}")));
    };
    if report.audit_report_version != Some(2) {
        return Err(
            "it is not of `auditReportVersion` 2, which npm writes from version 7 on".into(),
        );
    }
    let number = |name: &str| metadata.vulnerabilities.get(name).copied().unwrap_or(0);
    let by_severity = SEVERITIES.iter().map(|name| number(name));
    let (found, listed) = (number("total"), report.vulnerabilities.len() as u64);
    if by_severity.fold(0, u64::saturating_add) != found || listed != found {
        return Err(format!(
            "`metadata.vulnerabilities.total` is {found}, but {listed} are listed"
        ));
    }
    let total = metadata
        .dependencies
        .get("total")
        .copied()
        .ok_or("the JSON has no `metadata.dependencies.total`")?;
    let rank = |package: &Package| SEVERITIES.iter().position(|name| *name == package.severity);
    let mut packages: Vec<_> = report.vulnerabilities.iter().collect();
    packages.sort_by_key(|(_, package)| rank(package));
    Ok(Results {
        counts: Some(Counts {
            passed: total.saturating_sub(found),
            failed: found,
            skipped: 0,
        }),
        findings: Some(found),
        measures: SEVERITIES
            .iter()
            .map(|name| ((*name).to_string(), number(name) as f64))
            .collect(),
        failures: packages
            .iter()
            .take(Results::NAMED)
            .map(|(name, package)| short(&format!("{name} ({})", package.severity)))
            .collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    audit_report_version: Option<u64>,
    metadata: Option<Metadata>,
    #[serde(default)]
    vulnerabilities: BTreeMap<String, Package>,
    message: Option<String>,
    error: Option<Problem>,
}

impl Report {
    /// What npm says in place of a report.
    fn says(&self) -> Option<&str> {
        let summary = || self.error.as_ref().map(|error| error.summary.as_str());
        self.message.as_deref().or_else(summary)
    }
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    summary: String,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    vulnerabilities: BTreeMap<String, u64>,
    #[serde(default)]
    dependencies: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    severity: String,
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
                    output!("npm-audit/found.json"),
                    Ok(([2, 1, 0], &["minimist (critical)"])),
                ),
                (output!("npm-audit/green.json"), Ok(([2, 0, 0], &[]))),
                // No dependencies, exit 0.
                (output!("npm-audit/none.json"), Ok(([0, 0, 0], &[]))),
                // All of these exit 1.
                (
                    output!("npm-audit/refused.json"),
                    Err("npm could not audit: request to http"),
                ),
                (
                    output!("npm-audit/not-allowed.json"),
                    Err("npm could not audit: 405 Method Not Allowed"),
                ),
                (
                    output!("npm-audit/no-lock.json"),
                    Err("npm could not audit: This command requires an existing lockfile."),
                ),
                (output!("pip-audit/found.json"), Err("no `metadata`")),
            ],
        );
        let (_, found) = output!("npm-audit/found.json");
        let results = read(found).unwrap();
        assert_eq!(results.findings, Some(1));
        assert_eq!(results.measures["critical"], 1.0);
        assert_eq!(results.measures["high"], 0.0);
    }

    #[test]
    fn written_outputs() {
        const TWO: &str = r#"{"auditReportVersion":2,"vulnerabilities":{"a":{"severity":"low"},"b":{"severity":"high","via":["a"]}},"metadata":{"vulnerabilities":{"low":1,"high":1,"total":2},"dependencies":{"total":9}}}"#;
        let cases: &[(&str, Read)] = &[
            (TWO, Ok(([7, 2, 0], &["b (high)", "a (low)"]))),
            (
                &TWO.replace("\"total\":9", "\"total\":1"),
                Ok(([0, 2, 0], &["b (high)", "a (low)"])),
            ),
            (
                &TWO.replace("\"total\":2", "\"total\":3"),
                Err("is 3, but 2"),
            ),
            (&TWO.replace("\"low\":1", "\"low\":2"), Err("is 2, but 2")),
            (
                &TWO.replace("\"total\":9", "\"prod\":9"),
                Err("no `metadata.dependencies.total`"),
            ),
            (
                &TWO.replace("\"auditReportVersion\":2", "\"actions\":[]"),
                Err("`auditReportVersion` 2"),
            ),
            (r#"{"error":{"code":"X"}}"#, Err("npm could not audit")),
            ("{}", Err("no `metadata`")),
            ("[]", Err("no line begins with `{`")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("npm-audit/found.json").1, output!("npm-audit/refused.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
