//! The JSON of `cargo audit --json`. Source: `Report` of the crate rustsec; seen with cargo-audit 0.22.
//!
//! Each package of the lock file counts once, failed where an advisory is about it. With an advisory database that holds
//! nothing, as after a fetch that went wrong, cargo-audit finds nothing and exits 0: such a report is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::evidence::{Counts, Results};

use super::{one_report, short};

/// Reads the one report that begins a line. The findings are the vulnerabilities. Measures: how many warnings of each
/// kind, and `database_updated`, the time of the newest advisory in seconds since 1970, where it is known.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let report = one_report(
        bytes,
        "`database`, `lockfile` and `vulnerabilities`",
        |report: &Report| report.parts().is_some(),
    )?;
    let Some((database, lockfile, vulnerabilities)) = report.parts() else {
        return Err("the JSON has no `vulnerabilities`".into());
    };
    if database.advisory_count == 0 {
        return Err("the advisory database is empty: nothing could be looked up".into());
    }
    let found = vulnerabilities.count;
    if vulnerabilities.list.len() as u64 != found {
        return Err(format!(
            "`vulnerabilities.count` is {found}, but {} are listed",
            vulnerabilities.list.len()
        ));
    }
    let packages: BTreeSet<_> = vulnerabilities
        .list
        .iter()
        .map(|vulnerability| &vulnerability.package)
        .collect();
    let failed = packages.len() as u64;
    let mut measures: BTreeMap<_, _> = report
        .warnings
        .iter()
        .map(|(kind, list)| (kind.clone(), list.len() as f64))
        .collect();
    let updated = database.last_updated.as_deref().unwrap_or_default();
    if let Ok(updated) = updated.parse::<jiff::Timestamp>() {
        measures.insert("database_updated".into(), updated.as_second() as f64);
    }
    let name = |vulnerability: &Vulnerability| {
        let Package { name, version } = &vulnerability.package;
        short(&format!("{name} {version} ({})", vulnerability.advisory.id))
    };
    Ok(Results {
        counts: Some(Counts {
            passed: lockfile.dependency_count.saturating_sub(failed),
            failed,
            skipped: 0,
        }),
        findings: Some(found),
        measures,
        failures: vulnerabilities
            .list
            .iter()
            .take(Results::NAMED)
            .map(name)
            .collect(),
    })
}

#[derive(Deserialize)]
struct Report {
    database: Option<Database>,
    lockfile: Option<Lockfile>,
    vulnerabilities: Option<Vulnerabilities>,
    #[serde(default)]
    warnings: BTreeMap<String, Vec<IgnoredAny>>,
}

impl Report {
    fn parts(&self) -> Option<(&Database, &Lockfile, &Vulnerabilities)> {
        Some((
            self.database.as_ref()?,
            self.lockfile.as_ref()?,
            self.vulnerabilities.as_ref()?,
        ))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Database {
    advisory_count: u64,
    last_updated: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lockfile {
    dependency_count: u64,
}

#[derive(Deserialize)]
struct Vulnerabilities {
    count: u64,
    list: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Vulnerability {
    advisory: Advisory,
    package: Package,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
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
                    output!("cargo-audit/found.json"),
                    Ok(([2, 1, 0], &["left 1.0.0 (RUSTSEC-2026-0001)"])),
                ),
                (output!("cargo-audit/green.json"), Ok(([2, 0, 0], &[]))),
                // Exit 0, and a vulnerable package in the lock file.
                (
                    output!("cargo-audit/empty-database.json"),
                    Err("the advisory database is empty"),
                ),
                (
                    output!("npm-audit/green.json"),
                    Err("cannot be read: missing field"),
                ),
            ],
        );
        let (_, found) = output!("cargo-audit/found.json");
        let results = read(found).unwrap();
        assert_eq!(results.findings, Some(1));
        assert_eq!(
            results.measures,
            BTreeMap::from([("unmaintained".into(), 1.0)])
        );
    }

    #[test]
    fn written_outputs() {
        const TWO: &str = r#"{"database":{"advisory-count":900,"last-updated":"2026-11-20T10:00:00Z"},"lockfile":{"dependency-count":5},"vulnerabilities":{"found":true,"count":2,"list":[{"advisory":{"id":"R-1"},"package":{"name":"a","version":"1"}},{"advisory":{"id":"R-2"},"package":{"name":"a","version":"1"}}]}}"#;
        let cases: &[(&str, Read)] = &[
            // Two advisories about one package.
            (
                &TWO.replace("\"a\",\"version\":\"1\"}}]", "\"b\",\"version\":\"1\"}}]"),
                Ok(([3, 2, 0], &["a 1 (R-1)", "b 1 (R-2)"])),
            ),
            (
                &TWO.replace("\"count\":2", "\"count\":3"),
                Err("is 3, but 2 are listed"),
            ),
            (
                &TWO.replace("\"lockfile\"", "\"lock\""),
                Err("no `database`, `lockfile`"),
            ),
            (&TWO.replace(":900", ":-1"), Err("cannot be read")),
            (
                "error: not found: Couldn't load Cargo.lock",
                Err("no line begins with `{`"),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
        let results = read(TWO.as_bytes()).unwrap();
        assert_eq!(results.findings, Some(2));
        assert_eq!(results.counts.unwrap().passed, 4);
        assert_eq!(results.measures["database_updated"], 1_795_168_800.0);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("cargo-audit/found.json").1])) {
            sound(read(&bytes))?;
        }
    }
}
