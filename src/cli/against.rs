//! The manifest of a git revision that this one is held against: which revision, what stands there, and what the evidence
//! comes to under both.

use std::path::Path;

use jiff::Timestamp;

use super::session::{self, Session};
use crate::domain::assess::{Seen, Setting, assess};
use crate::domain::gate::Gate;
use crate::domain::goalposts::{Against, Both, Edit, Subject, edits, judge};
use crate::domain::project::Project;
use crate::domain::report::Report;
use crate::ledger::Ledger;
use crate::tree;

/// The variables by which CI systems name what a change is to go into: GitHub, GitLab, Bitbucket, Azure.
const OF_CI: [&str; 4] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCHNAME",
];
/// What is taken where nobody names one.
const USUAL: [&str; 3] = ["origin/HEAD", "origin/main", "origin/master"];

/// The revision that this manifest is held against: the one that is named, else that of the CI system, else, where a gate asks
/// for one, the usual. None: nobody asks, or nobody can tell.
fn revision(session: &Session, asked: Option<&str>, gates: &[Gate]) -> Option<String> {
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        return Some(asked.to_string());
    }
    let set = OF_CI.iter().filter_map(|name| std::env::var(name).ok());
    let of_ci = set.into_iter().find(|name| !name.is_empty());
    if let Some(branch) = of_ci {
        let branch = branch.trim_start_matches("refs/heads/");
        return Some(format!("origin/{branch}"));
    }
    let asks = gates.iter().any(|gate| gate.no_weakening);
    let mut usual = USUAL.iter().filter(|_| asks);
    let known = usual.find(|name| tree::commit_of(&session.folder, name).is_some());
    known.map(|name| name.to_string())
}

/// The manifest of a revision.
pub(super) struct There {
    /// The commit.
    pub(super) commit: String,
    /// What it declares; none where there was no manifest yet.
    pub(super) project: Option<Project>,
}

/// The manifest of a revision, with the folders of checks that it names.
///
/// # Errors
/// Why it cannot be read, and what to do.
pub(super) fn there(session: &Session, revision: &str) -> Result<There, String> {
    let folder = &session.folder;
    let Some(commit) = tree::commit_of(folder, revision) else {
        let branch = revision.strip_prefix("origin/").unwrap_or(revision);
        let fetch = match tree::is_shallow(folder) {
            true => "this is a shallow clone: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout".to_string(),
            false => format!("`git fetch origin {branch}`"),
        };
        return Err(format!("`{revision}` is no revision that is here; {fetch}"));
    };
    let path = session.manifest.as_deref().and_then(tree::within);
    let path = path.ok_or("the manifest is in no repository")?;
    let Some(text) = tree::show(folder, &commit, &path) else {
        return Ok(There {
            commit,
            project: None,
        });
    };
    let text = String::from_utf8(text).map_err(|_| format!("`{path}` at {revision} is no text"))?;
    let beside = Path::new(&path).parent().unwrap_or(Path::new(""));
    let read = |name: &str| {
        let inner = tree::clean(&beside.join(name));
        let inner = inner.to_string_lossy().replace('\\', "/");
        let files = tree::list(folder, &commit, &inner).ok_or(format!("there is no `{name}`"))?;
        let files = files.into_iter().filter_map(|file| {
            let text = tree::show(folder, &commit, &file)?;
            Some((file, String::from_utf8(text).ok()?))
        });
        Ok(files.collect())
    };
    let name = format!("{path} at {revision}");
    let project = session::parse_with_folders(&name, &text, &read);
    let project = project.map_err(|problems| {
        let first = problems
            .iter()
            .next()
            .map(|problem| problem.message.clone());
        format!(
            "the manifest at `{revision}` cannot be read: {}",
            first.unwrap_or_default()
        )
    })?;
    Ok(There {
        commit,
        project: Some(project),
    })
}

/// What the evidence of a report comes to under the manifest of a revision as well, with every edit since; none where there
/// was no manifest yet.
pub(super) fn both(
    there: &There,
    session: &Session,
    report: &Report,
    ledger: Option<&Ledger>,
    now: Timestamp,
) -> Option<Both> {
    let project = there.project.as_ref()?;
    let mut both = judge(project, &session.project, report, now);
    both.edits
        .extend(of_the_tool(project, &there.commit, ledger));
    Some(both)
}

/// The library checks that another version of the tool defined otherwise when the revision was run, as far as that is recorded.
fn of_the_tool(project: &Project, commit: &str, ledger: Option<&Ledger>) -> Vec<Edit> {
    let recorded = || {
        let ledger = ledger?;
        let row = ledger.run_of_commit(commit).ok()??;
        ledger.report(&row.id).ok()?
    };
    let Some(report) = recorded().filter(|report| report.ready != env!("CARGO_PKG_VERSION")) else {
        return vec![];
    };
    let mut then = project.clone();
    for check in then
        .checks
        .iter_mut()
        .filter(|check| check.library.is_some())
    {
        let row = report.checks.iter().find(|row| row.id == check.id);
        if let Some(row) = row.filter(|row| row.definition.library == check.library) {
            // A report has neither values of variables nor controls.
            let (env, control) = (check.env.clone(), check.control.clone());
            *check = crate::domain::again::asked(&row.definition);
            (check.env, check.control) = (env, control);
        }
    }
    let mut changed = edits(&then, project);
    changed.retain(|edit| matches!(edit.subject, Subject::Check(_)));
    for edit in &mut changed {
        let key = edit.key.take().unwrap_or_default();
        edit.key = Some(format!("{key} (of the library of ready {})", report.ready));
        edit.line = None;
    }
    changed
}

/// The report, with gates held against the manifest of the base where that is asked for: here, there, or on the command
/// line. `asked` is the revision that the command line names.
pub(super) fn assessed(
    session: &Session,
    asked: Option<&str>,
    gates: &[Gate],
    seen: Vec<Seen>,
    mut setting: Setting,
    (ledger, now): (Option<&Ledger>, Timestamp),
) -> Report {
    let project = &session.project;
    let Some(revision) = revision(session, asked, gates) else {
        return assess(project, gates, seen, setting, now);
    };
    let named = asked.is_some_and(|asked| !asked.is_empty());
    let asks_here = gates.iter().any(|gate| gate.no_weakening);
    let mut against = Against {
        revision: revision.clone(),
        commit: None,
        problem: None,
        edits: vec![],
        asking: vec![],
        verified: None,
        verified_now: None,
        not_comparable: vec![],
    };
    match there(session, &revision) {
        Err(problem) if !named && !asks_here => {
            setting.warnings.push(format!(
                "whether the base asks for `no_weakening` is not known: {problem}"
            ));
            return assess(project, gates, seen, setting, now);
        }
        Err(problem) => {
            // Who names the base wants to be held against it, whatever it says: every gate is.
            if named {
                against.asking = gates.iter().map(|gate| gate.name.clone()).collect();
            }
            against.problem = Some(problem);
        }
        Ok(there) => {
            against.commit = Some(there.commit.clone());
            let gates_there = there.project.iter().flat_map(|project| &project.gates);
            let asking = gates_there.filter(|gate| gate.no_weakening);
            against.asking = asking.map(|gate| gate.name.clone()).collect();
            if !named && !asks_here && against.asking.is_empty() {
                return assess(project, gates, seen, setting, now);
            }
            let report = assess(project, gates, seen.clone(), setting.clone(), now);
            if let Some(both) = both(&there, session, &report, ledger, now) {
                against.edits = both.edits;
                against.verified = Some(both.verified);
                against.verified_now = Some(both.verified_now);
                against.not_comparable = both.not_comparable;
            }
        }
    }
    setting.against = Some(against);
    assess(project, gates, seen, setting, now)
}
