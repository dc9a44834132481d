//! `ctrf`: the report in the Common Test Report Format 1.0.0, a test for each check. What is unverified is `other`, with the
//! word in `rawStatus`; the figures stand in `extra`, since the schema is closed. Format: <https://ctrf.io/docs/specification/overview>.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::page::safe;
use super::words::verdict;
use super::{output, sentence};
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// Writes the document.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let tests = report.checks.iter().map(test).collect::<Vec<_>>();
    let mut numbers = BTreeMap::<&str, usize>::new();
    for row in &report.checks {
        *numbers.entry(status(row)).or_default() += 1;
    }
    let number = |status: &str| numbers.get(status).copied().unwrap_or(0);
    let (start, stop) = match &report.run {
        Some(run) => (run.started, run.finished),
        None => (report.generated, report.generated),
    };
    let components = report.components.iter().map(|row| row.id.as_str());
    let suites = components.filter(|id| report.checks.iter().any(|row| row.component == **id));
    let score = &report.score;
    let gates = report.gates.iter().map(|gate| {
        json!({ "name": gate.name, "open": gate.open, "decides": report.decision.gates.contains(&gate.name) })
    });
    let document = json!({
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "timestamp": report.generated.to_string(),
        "generatedBy": format!("ready {}", report.ready),
        "results": {
            "tool": { "name": "ready", "version": report.ready },
            "summary": {
                "tests": tests.len(),
                "passed": number("passed"),
                "failed": number("failed"),
                "pending": 0,
                "skipped": number("skipped"),
                "other": number("other"),
                "suites": suites.count(),
                "start": millis(start),
                "stop": millis(stop),
            },
            "tests": tests,
            "environment": environment(report),
            "extra": { "ready": {
                "verdict": safe(&sentence::of(report)),
                "score": score,
                "gates": gates.collect::<Vec<_>>(),
            } },
        },
    });
    super::json::document(&document, out)
}

/// The status: one of CTRF's.
fn status(row: &CheckRow) -> &'static str {
    let set_aside = !row.applicable || row.optional || row.waiver == Some(WaiverState::InForce);
    match row.verdict {
        Verdict::Verified if row.applicable => "passed",
        _ if row.accepted_at.is_some() && row.applicable => "passed",
        _ if set_aside => "skipped",
        Verdict::Unverified | Verdict::Verified => "other",
        Verdict::Partial | Verdict::Failed => "failed",
    }
}

fn test(row: &CheckRow) -> Value {
    let raw = match row.applicable {
        true => verdict(row),
        false => "not applicable".to_string(),
    };
    let source = &row.definition.source;
    let millis = row.duration_ms.filter(|_| row.was_observed()).unwrap_or(0);
    let attempts = row
        .evidence
        .as_ref()
        .map_or(0, |evidence| evidence.attempts.len());
    let mut test = json!({
        "name": safe(&format!("{}: {}", row.id, row.says)),
        "status": status(row),
        "rawStatus": raw,
        "duration": millis,
        "suite": [safe(&row.component)],
        "filePath": safe(&source.file),
        "line": source.line,
        "message": safe(&row.reason.text),
        "flaky": row.reason.code == crate::domain::reason::Code::Flaky,
        "retries": attempts.saturating_sub(1),
        "tags": row.definition.tags,
        "extra": { "ready": {
            "check": row.id,
            "verdict": row.verdict,
            "reason": row.reason.code,
            "level": row.level,
            "credit": row.credit,
            "potential": row.potential,
        } },
    });
    let advice = output::advice(row);
    if row.verdict != Verdict::Verified && !advice.is_empty() {
        test["trace"] = advice.into();
    }
    let said = output::said(row);
    let lines = |text: String| text.lines().map(str::to_string).collect::<Vec<_>>();
    if let Some(text) = said.stdout {
        test["stdout"] = lines(text).into();
    }
    if let Some(text) = said.stderr {
        test["stderr"] = lines(text).into();
    }
    test
}

fn environment(report: &Report) -> Value {
    let mut environment = json!({ "reportName": safe(&report.project) });
    if let Some(run) = &report.run {
        environment["osPlatform"] = run.host.os.clone().into();
        if let Some(commit) = &run.commit {
            environment["commit"] = commit.clone().into();
        }
    }
    if let Some(name) = &report.about.environment {
        environment["testEnvironment"] = safe(name).into();
    }
    environment
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}
