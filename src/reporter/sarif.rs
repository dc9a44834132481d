//! `sarif`: what is not verified as results in SARIF 2.1.0, each on its line of the manifest, for code scanning. What is
//! waived is suppressed and says by whom. Format: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::output;
use super::page::safe;
use super::words::verdict;
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// Writes the log.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = report
        .checks
        .iter()
        .filter(|row| row.applicable && row.verdict != Verdict::Verified);
    let rows = rows.collect::<Vec<_>>();
    let rules = rows.iter().map(|row| rule(row)).collect::<Vec<_>>();
    let results = rows
        .iter()
        .zip(0..)
        .map(|(row, at)| result(report, row, at));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ready",
                "version": report.ready,
                "rules": rules,
            } },
            "automationDetails": { "id": format!("ready/{}", safe(&report.project)) },
            "results": results.collect::<Vec<_>>(),
        }],
    });
    super::json::document(&log, out)
}

fn rule(row: &CheckRow) -> Value {
    let help = output::advice(row);
    let help = if help.is_empty() {
        safe(&row.says)
    } else {
        help
    };
    json!({
        "id": row.id,
        "shortDescription": { "text": safe(&row.says) },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(row) },
    })
}

fn result(report: &Report, row: &CheckRow, rule: usize) -> Value {
    let source = &row.definition.source;
    let text = format!("{}: {} ({})", row.says, row.reason.text, verdict(row));
    let mut result = json!({
        "ruleId": row.id,
        "ruleIndex": rule,
        "level": level(row),
        "message": { "text": safe(&text) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&source.file) },
            "region": { "startLine": source.line.max(1) },
        } }],
        // A check has one result: what it is about does not depend on lines.
        "partialFingerprints": { "readyCheck/v1": row.id },
        "properties": { "verdict": row.verdict, "reason": row.reason.code, "component": row.component },
    });
    if row.waiver == Some(WaiverState::InForce)
        && let Some(waived) = report.waiver(&row.id)
    {
        let waiver = &waived.waiver;
        let why = format!(
            "{}; accepted by {} until {}",
            waiver.reason, waiver.owner, waiver.expires
        );
        result["suppressions"] =
            json!([{ "kind": "inSource", "status": "accepted", "justification": safe(&why) }]);
    }
    result
}

fn level(row: &CheckRow) -> &'static str {
    match row.verdict {
        _ if row.optional || row.holds() => "note",
        Verdict::Failed => "error",
        _ => "warning",
    }
}

/// A path as a reference that a URI may be: only what may not stand in one is encoded.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded = path
        .replace('\\', "/")
        .into_bytes()
        .into_iter()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        });
    encoded.collect()
}
