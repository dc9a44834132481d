//! `junit`: the report as JUnit XML, which every CI system reads: a suite for each component, a case for each check, and one
//! for each gate that decides. What
//! failed is a failure, what nobody knows is an error, what is waived or does not apply is skipped; nothing unverified passes.
//! Format: <https://github.com/testmoapp/junitxml>, as Jenkins and GitLab read it.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::page::{no_command_in_markup, safe, waiver_words};
use super::words::{percent, verdict};
use super::{output, sentence};
use crate::domain::gate::GateState;
use crate::domain::report::{CheckRow, ComponentRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// Writes the document.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut document = quick_junit::Report::new(safe(&report.project));
    for component in &report.components {
        let rows = report
            .checks
            .iter()
            .filter(|row| row.component == component.id);
        let cases = rows.map(|row| case(report, row)).collect::<Vec<_>>();
        if !cases.is_empty() {
            document.add_test_suite(suite(report, component, cases));
        }
    }
    let deciding = report
        .gates
        .iter()
        .filter(|gate| report.decision.gates.contains(&gate.name));
    let gates = deciding.map(|gate| door(report, gate)).collect::<Vec<_>>();
    if !gates.is_empty() {
        let mut suite = TestSuite::new("gates");
        suite.add_test_cases(gates);
        document.add_test_suite(suite);
    }
    let text = document.to_string().map_err(io::Error::other)?;
    writeln!(out, "{}", no_command_in_markup(&text))
}

/// A gate that decides: what keeps it closed need not be a check, so that all of them can pass while it is.
fn door(report: &Report, gate: &GateState) -> TestCase {
    let status = match gate.open {
        true => TestCaseStatus::success(),
        false => {
            let reasons = gate.reasons.iter();
            let reasons = reasons.map(|reason| safe(&format!("{}: {}", reason.rule, reason.text)));
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(safe(&sentence::of(report)));
            status.set_type("ready.closed");
            status.set_description(reasons.collect::<Vec<_>>().join("\n"));
            status
        }
    };
    let mut case = TestCase::new(safe(&gate.name), status);
    case.set_classname("ready.gates");
    case
}

fn suite(report: &Report, component: &ComponentRow, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(safe(&component.title));
    let time = cases.iter().filter_map(|case| case.time).sum::<Duration>();
    suite.add_test_cases(cases).set_time(time);
    let extra = &mut suite.extra;
    if let Some(run) = &report.run {
        extra.insert("timestamp".into(), run.started.to_string().into());
        extra.insert("hostname".into(), safe(&run.host.name).into());
    }
    let figures = [
        ("verified", percent(component.verified)),
        ("ceiling", percent(component.ceiling)),
        ("verdict", sentence::of(report)),
    ];
    for (name, value) in figures {
        suite.add_property((format!("ready.{name}"), safe(&value)));
    }
    suite
}

fn case(report: &Report, row: &CheckRow) -> TestCase {
    let mut case = TestCase::new(safe(&row.id), status(report, row));
    case.set_classname(safe(&format!("ready.{}", row.component)));
    let source = &row.definition.source;
    // Those who annotate invent a place where there is none.
    case.extra.insert("file".into(), safe(&source.file).into());
    case.extra
        .insert("line".into(), source.line.to_string().into());
    let millis = row.duration_ms.filter(|_| row.was_observed());
    case.set_time(Duration::from_millis(millis.unwrap_or(0)));
    let said = output::said(row);
    if let Some(text) = said.stdout {
        case.set_system_out(text);
    }
    if let Some(text) = said.stderr {
        case.set_system_err(text);
    }
    case
}

fn status(report: &Report, row: &CheckRow) -> TestCaseStatus {
    let words = safe(&format!("{}: {}", verdict(row), row.reason.text));
    let skipped = |why: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        status
    };
    if !row.applicable {
        return skipped("it does not apply to this project".to_string());
    }
    if row.optional {
        return match row.verdict {
            Verdict::Verified => TestCaseStatus::success(),
            _ => skipped(format!("optional, outside score and gates; {words}")),
        };
    }
    if let (Some(WaiverState::InForce), Some(waiver)) = (row.waiver, report.waiver(&row.id)) {
        let accepted = format!(
            "waived by {} until {} ({}): {}; {words}",
            safe(&waiver.waiver.owner),
            waiver.waiver.expires,
            waiver_words(report, waiver),
            safe(&waiver.waiver.reason)
        );
        return skipped(accepted);
    }
    let (kind, code) = match row.verdict {
        Verdict::Verified => return TestCaseStatus::success(),
        Verdict::Partial if row.accepted_at.is_some() => return TestCaseStatus::success(),
        Verdict::Partial => (NonSuccessKind::Failure, "ready.partial"),
        Verdict::Failed => (NonSuccessKind::Failure, "ready.failed"),
        Verdict::Unverified => (NonSuccessKind::Error, "ready.unverified"),
    };
    let mut status = TestCaseStatus::non_success(kind);
    // Some read the message, some the body.
    let body = format!("{}\n{words}\n{}", safe(&row.says), output::advice(row));
    status.set_message(words.as_str()).set_type(code);
    status.set_description(body.trim_end());
    status
}
