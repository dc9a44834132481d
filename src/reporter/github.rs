//! `github`: workflow commands for GitHub Actions, which show as annotations on the manifest's lines: of what keeps the
//! deciding gates closed first. GitHub shows ten of each level for a step, so there are no more.
//! Format: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::annotation::{Annotation, data};
use super::page::fix_words;
use super::sentence;
use super::words::verdict;
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;
use crate::domain::waiver::WaiverState;

/// So many annotations of one level are shown for a step.
const SHOWN: usize = 10;

/// Writes the commands.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let deciding = report
        .gates
        .iter()
        .filter(|gate| report.decision.gates.contains(&gate.name));
    let reasons = deciding.flat_map(|gate| &gate.reasons);
    let required = reasons
        .filter_map(|reason| reason.check.as_deref())
        .collect::<BTreeSet<_>>();
    let open = || {
        let rows = report
            .checks
            .iter()
            .filter(|row| row.counts_for_score() && !row.holds());
        rows.filter(|row| row.waiver != Some(WaiverState::InForce))
    };
    let errors = open().filter(|row| required.contains(row.id.as_str()));
    let warnings = open().filter(|row| !required.contains(row.id.as_str()));
    annotate("error", &errors.collect::<Vec<_>>(), out)?;
    annotate("warning", &warnings.collect::<Vec<_>>(), out)?;
    let level = if report.decision.open {
        "notice"
    } else {
        "error"
    };
    writeln!(
        out,
        "::{level} title=ready::{}",
        data(&sentence::of(report))
    )
}

fn annotate(level: &str, rows: &[&CheckRow], out: &mut dyn Write) -> io::Result<()> {
    // The sentence is one, too.
    let most = SHOWN - 1;
    for (at, row) in rows.iter().take(most).enumerate() {
        let fix = &row.definition.fix;
        let seconds = fix.takes.map(|takes| takes.as_secs_f64());
        let fix = match row.verdict {
            Verdict::Unverified => super::check_list::to_do(row),
            _ => fix_words(seconds, fix.how.as_deref()),
        };
        let fix = fix.map(|fix| format!("; {fix}"));
        let more = match rows.len() - most.min(rows.len()) {
            more if more > 0 && at + 1 == most => format!(" (and {more} more)"),
            _ => String::new(),
        };
        let annotation = Annotation {
            level,
            file: &row.definition.source.file,
            line: row.definition.source.line as usize,
            column: None,
            title: &format!("{}: {}", row.id, verdict(row)),
            message: &format!(
                "{}: {}{}{more}",
                row.says,
                row.reason.text,
                fix.unwrap_or_default()
            ),
        };
        annotation.write(out)?;
    }
    Ok(())
}
