//! Checks that cannot fail or cannot matter, found without running anything. One file for each kind of finding; nothing here
//! reads the disk: the caller hands in what can be read.

mod commands;
mod expectations;
mod makefile;
mod policy;
mod runs;
mod scripts;
mod shell;
mod syntax;
mod workflows;

use crate::domain::check::Check;
use crate::domain::finding::{Finding, Severity};
use crate::domain::project::Project;
use crate::manifest::{Place, Spans};
use jiff::civil::Date;

/// What is looked at.
pub struct Input<'a> {
    /// The manifest, resolved.
    pub project: &'a Project,
    /// What the manifest is called.
    pub file: &'a str,
    /// What stands in it.
    pub text: &'a str,
    /// The day.
    pub today: Date,
    /// The text of a file of the project, by its path relative to the manifest; none where there is none.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The CI workflows of the project, relative to the manifest.
    pub workflows: &'a [String],
}

/// Looks at a manifest. The findings are in order of file and place.
pub fn lint(input: &Input<'_>) -> Vec<Finding> {
    let mut lint = Lint {
        input,
        spans: Spans::new(input.text),
        findings: vec![],
    };
    for check in &input.project.checks {
        lint.runs(check);
        lint.expectations(check);
    }
    lint.policy();
    lint.syntax();
    lint.workflows();
    let mut findings = lint.findings;
    findings.sort();
    findings.dedup();
    // The manifest first.
    findings.sort_by_key(|finding| finding.file != input.file);
    findings
}

/// While it is looked at.
struct Lint<'a> {
    input: &'a Input<'a>,
    spans: Spans,
    findings: Vec<Finding>,
}

/// What a rule has to say.
struct Said<'s> {
    rule: &'static str,
    severity: Severity,
    text: String,
    hint: &'s str,
}

impl Lint<'_> {
    /// Notes a finding about a key of the manifest.
    fn at(&mut self, path: &[&str], check: Option<&Check>, said: Said<'_>) {
        let place = self.spans.of(path, self.input.text);
        let file = self.input.file.to_string();
        self.in_file(file, place, check, said);
    }

    /// Notes a finding about a key of a check; about the check where the library says it.
    fn at_check(&mut self, check: &Check, key: &str, said: Said<'_>) {
        self.at(&["checks", &check.id, key], Some(check), said);
    }

    /// Notes a finding about a place in any file.
    fn in_file(&mut self, file: String, place: Place, check: Option<&Check>, said: Said<'_>) {
        self.findings.push(Finding {
            file,
            line: place.line,
            column: place.column,
            rule: said.rule,
            severity: said.severity,
            check: check.map(|check| check.id.clone()),
            text: said.text,
            hint: said.hint.to_string(),
        });
    }
}
