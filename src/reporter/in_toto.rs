//! `in-toto`: an unsigned Statement v1 about the artifact or the commit that was judged, with the predicate test-result
//! v0.1: which checks passed and which failed. What is unverified is in neither list; it stands in a field of its own.
//! Format: <https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::page::safe;
use super::sentence;
use crate::domain::report::{CheckRow, Report, Run};
use crate::domain::verdict::Verdict;

/// The name of the field for what the predicate has no place for.
const EXTENSION: &str = "urn:ready:attestation:v1";

/// Writes the statement.
///
/// # Errors
/// There is nothing that the statement could be about, or the output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.decision.gates.is_empty() {
        // PASSED of some of the checks would be read as of all.
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a statement is about all checks, and here only some were selected, or a share of them",
        ));
    }
    let subjects = subjects(report)?;
    let rows = |wanted: fn(&CheckRow) -> bool| {
        let rows = report
            .checks
            .iter()
            .filter(|row| row.counts_for_score() && wanted(row));
        rows.map(|row| row.id.clone()).collect::<Vec<_>>()
    };
    let passed = rows(|row| row.verdict == Verdict::Verified);
    let warned = rows(|row| row.verdict == Verdict::Partial && row.holds());
    let failed = rows(|row| {
        row.verdict == Verdict::Failed || (row.verdict == Verdict::Partial && !row.holds())
    });
    // A gate that asks for little is open where nothing was shown, too.
    let shown = !(passed.is_empty() && warned.is_empty());
    let open = report.decision.open && failed.is_empty() && shown;
    // As the predicate has it: where something failed, all did, whatever a gate asks for.
    let result = match (open, warned.is_empty()) {
        (true, true) => "PASSED",
        (true, false) => "WARNED",
        (false, _) => "FAILED",
    };
    let gates = report.gates.iter();
    let gates = gates.map(|gate| (gate.name.clone(), Value::from(gate.open)));
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": configuration(report),
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
            EXTENSION: {
                "unverifiedTests": rows(|row| row.verdict == Verdict::Unverified),
                "verdict": safe(&sentence::of(report)),
                "open": report.decision.open,
                "score": report.score,
                "gates": gates.collect::<serde_json::Map<_, _>>(),
                "decidedBy": report.decision.gates,
                "run": report.run.as_ref().map(|run| &run.id),
                "judged": report.generated,
                "ready": report.ready,
            },
        },
    });
    super::json::document(&statement, out)
}

/// What the statement is about: the artifact, and the commit where the files were those of it.
fn subjects(report: &Report) -> io::Result<Vec<Value>> {
    let run = report.run.as_ref();
    let artifact = run
        .and_then(|run| run.artifact.as_deref())
        .or(report.about.artifact.as_deref());
    let name = report.about.name.as_deref().unwrap_or("artifact");
    let artifact = artifact.and_then(|digest| digest.strip_prefix("sha256:"));
    let artifact = artifact.map(|hex| json!({ "name": safe(name), "digest": { "sha256": hex } }));
    let clean = |run: &&Run| run.dirty == Some(false);
    let commit = run.filter(clean).and_then(|run| run.commit.as_deref());
    let commit = commit
        .map(|commit| json!({ "name": safe(&report.project), "digest": { "gitCommit": commit } }));
    let subjects = artifact.into_iter().chain(commit).collect::<Vec<_>>();
    match subjects.is_empty() {
        false => Ok(subjects),
        true => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a statement is about an artifact (`--artifact`) or a commit without changes beside it, and this report is about neither",
        )),
    }
}

/// The manifest, by its digest.
fn configuration(report: &Report) -> Vec<Value> {
    let digest = report.run.as_ref().and_then(|run| run.manifest.as_deref());
    let hex = digest.and_then(|digest| digest.strip_prefix("sha256:"));
    let manifest = hex.map(|hex| json!({ "name": "readiness.toml", "digest": { "sha256": hex } }));
    manifest.into_iter().collect()
}
