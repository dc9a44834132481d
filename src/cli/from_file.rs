//! `ready status --from REPORT`: the table for whoever has only the file. What it holds is judged again as of now.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use super::base;
use super::session::{Session, deciding};
use super::{Global, report_file};
use crate::domain::about::About;
use crate::domain::again::{Again, keep_authors};
use crate::domain::assess::{Deciding, Setting, assess};
use crate::domain::limit::human_duration;
use crate::domain::report::{Report, Run, short};

/// The report in a file, judged again: about what it was about, or about what is asked; `gate` decides,
/// and `base` is a report that gates are held against in place of what it was held against.
pub(super) fn judged_again(
    path: &Path,
    asked: About,
    gate: Option<&str>,
    base: Option<&Path>,
    global: &Global,
) -> Result<Report> {
    let then = report_file::read(path)?;
    let now = Timestamp::now();
    let again = Again::of(&then);
    let gates = &again.project.gates;
    let bases = match base {
        Some(base) => base::named(gates, base, &again.project.name)?,
        None => again.bases,
    };
    let mut warnings = vec![where_from(path, &then, now)];
    warnings.extend(then.run.as_ref().and_then(|run| differs_here(run, global)));
    warnings.extend(then.warnings.iter().cloned());
    let setting = Setting {
        ready: env!("CARGO_PKG_VERSION").to_string(),
        run: then.run.clone(),
        about: match asked == About::default() {
            true => again.about,
            false => asked,
        },
        preflight: then.preflight.clone(),
        called_for: again.called_for,
        found: again.found,
        bases,
        against: again.against,
        warnings,
        deciding: Deciding::Gates(deciding(gates, gate)?),
    };
    let mut report = assess(&again.project, gates, again.seen, setting, now);
    keep_authors(&mut report, &then);
    report.ledger = then.ledger;
    Ok(report)
}

/// What a reader must know first: this is a file, about that commit, and so old.
fn where_from(path: &Path, then: &Report, now: Timestamp) -> String {
    let made = then.run.as_ref().map_or(then.generated, |run| run.finished);
    let age = Duration::try_from(now.duration_since(made)).unwrap_or_default();
    let about = match &then.run {
        Some(run) => match (&run.commit, run.dirty) {
            (Some(commit), Some(true)) => {
                format!("commit {} with uncommitted changes", short(commit))
            }
            (Some(commit), _) => format!("commit {}", short(commit)),
            (None, _) => "files without a commit".to_string(),
        },
        None => "what was recorded where it was made".to_string(),
    };
    format!(
        "this is from `{}`, made {} about {about}; nothing was run, and all of it is judged as of now",
        path.display(),
        ago(age)
    )
}

/// How long ago that was: seconds say nothing of a file.
fn ago(age: Duration) -> String {
    let unit = match age.as_secs() {
        0..60 => return "less than a minute ago".to_string(),
        60..3600 => 60,
        _ => 3600,
    };
    let whole = Duration::from_secs(age.as_secs() / unit * unit);
    format!("{} ago", human_duration(whole))
}

/// What is not as it was in the report, where there is a project here: whoever reads it may think that it is about this.
fn differs_here(run: &Run, global: &Global) -> Option<String> {
    let Ok(session) = Session::find(global) else {
        return Some("the manifest here cannot be loaded; the report is about another".to_string());
    };
    let session = session?;
    if run.manifest.as_ref() != Some(&session.manifest_digest) {
        return Some("the manifest here is not the one that the report is about".to_string());
    }
    let tree = run.tree.as_ref()?;
    (session.tree().digest.as_ref() != Some(tree))
        .then(|| "the files here are not those that the report is about".to_string())
}
