//! What is recorded of a project as a report, judged as of now: what every verb shows that runs nothing.

use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;

use super::against;
use super::authors::name_authors;
use super::base;
use super::documents::{self, Documents};
use super::held::look_back;
use super::proofs;
use super::recorded::{Here, Past};
use super::secrets;
use super::session::{self, Session, host};
use super::usual;
use crate::domain::about::About;
use crate::domain::assess::{Deciding, Setting};
use crate::domain::report::{Report, Run};
use crate::ledger::Ledger;

/// What is asked of it.
#[derive(Default)]
pub(super) struct Question<'a> {
    /// What it is about.
    pub(super) about: About,
    /// The gate that decides; none: those of the manifest.
    pub(super) gate: Option<&'a str>,
    /// The report that gates with `no_regression` are held against; none: what the ledger has.
    pub(super) base: Option<&'a Path>,
    /// What documents claim; none: those that the manifest names.
    pub(super) documents: Option<Documents>,
}

/// What is recorded.
pub(super) struct Standing {
    /// Masked only by [`Standing::masked`].
    pub(super) report: Report,
    /// Whether something in the ledger is damaged.
    pub(super) broken: bool,
    /// None where nothing is recorded.
    pub(super) ledger: Option<Ledger>,
}

impl Standing {
    /// Judges what the ledger holds against the files that are here now.
    ///
    /// # Errors
    /// The ledger or a file that is named cannot be read; a [`super::Usage`] where a name means nothing.
    pub(super) fn of(session: &Session, question: Question<'_>) -> Result<Standing> {
        let gates = &session.project.gates;
        let deciding = session::deciding(gates, question.gate)?;
        let documents = match question.documents {
            Some(documents) => documents,
            None => documents::declared(session)?,
        };
        let ledger = Ledger::open_existing(&session.folder)?;
        let (tree, now) = (session.tree(), Timestamp::now());
        let bindings = session.bindings(&tree, &About::default());
        let host = host();
        let here = Here::new(session, &tree, &bindings, now, &host.name);
        let Past { mut seen, mut lost } = here.recorded(ledger.as_ref())?;
        lost.extend(look_back(
            &session.project,
            gates,
            ledger.as_ref(),
            &mut seen,
            now,
        ));
        let (project, known) = (&session.project, ledger.as_ref());
        lost.extend(documents.recall(project, known, &mut seen));
        usual::add(session, known, &mut seen);
        lost.extend(proofs::add(session, known, &bindings, &mut seen, now));
        let mut warnings = match &ledger {
            None => vec!["nothing is recorded yet: run `ready check`".to_string()],
            Some(ledger) => match last_run(ledger) {
                Some(run) if run.interrupted => {
                    vec![format!(
                        "the last run, {}, was interrupted: what it did not finish is shown as it was before",
                        run.id
                    )]
                }
                _ => vec![],
            },
        };
        let named = question
            .base
            .map(|path| base::from_file(path, &session.project.name))
            .transpose()?;
        let bases = base::bases(gates, named.as_ref(), ledger.as_ref(), None)?;
        let broken = !lost.is_empty() || !bases.lost.is_empty();
        warnings.extend(lost);
        warnings.extend(bases.lost);
        let setting = Setting {
            ready: env!("CARGO_PKG_VERSION").to_string(),
            run: None,
            about: question.about,
            preflight: vec![],
            called_for: session.called_for(&tree)?,
            found: documents.found,
            bases: bases.of,
            against: None,
            warnings,
            deciding: Deciding::Gates(deciding),
        };
        let mut report = against::assessed(session, None, gates, seen, setting, (known, now));
        name_authors(&mut report, session);
        report.ledger = ledger.as_ref().map(Ledger::head).transpose()?.flatten();
        Ok(Standing {
            report,
            broken,
            ledger,
        })
    }

    /// The report without secrets.
    pub(super) fn masked(self, session: &Session) -> Report {
        let masker = secrets::masker(&session.project, &session.folder);
        secrets::masked(self.report, &masker)
    }
}

/// The newest run, as far as its report is kept and can be read: what is damaged of it is told elsewhere.
pub(super) fn last_run(ledger: &Ledger) -> Option<Run> {
    let last = ledger.last_runs(1).ok()?.pop()?;
    ledger.report(&last.id).ok()??.run
}
