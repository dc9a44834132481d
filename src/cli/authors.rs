//! Who answers for what no machine verifies: the authors, by git, of the manifest's lines with waivers and attestations.

use jiff::Timestamp;

use super::session::Session;
use crate::domain::check::Probe;
use crate::domain::report::{Author, Report};
use crate::tree::blame;

/// Puts the authors into the report. Git is asked once, and only where there is something to ask about.
pub(super) fn name_authors(report: &mut Report, session: &Session) {
    let Some(manifest) = &session.manifest else {
        return;
    };
    let waivers = report.waivers.iter_mut();
    let waivers = waivers.map(|row| (row.waiver.source.line, &mut row.author));
    let attested = report.checks.iter_mut();
    let attested = attested.filter(|row| matches!(row.definition.probe, Probe::Manual(_)));
    let attested = attested.map(|row| (row.definition.source.line, &mut row.author));
    let (lines, slots): (Vec<_>, Vec<_>) = waivers.chain(attested).unzip();
    for (slot, author) in slots.into_iter().zip(blame::authors(manifest, &lines)) {
        *slot = author.map(|author| match author {
            blame::Author::Committed { name, commit, at } => Author {
                name: Some(name),
                commit: Some(commit),
                at: Timestamp::from_second(at).ok(),
            },
            blame::Author::NotCommittedYet => Author::default(),
        });
    }
}
