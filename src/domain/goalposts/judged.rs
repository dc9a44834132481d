//! The same evidence under two manifests, and the edits in its light. What was dropped from evidence, or was looked at in
//! another way, is not comparable, and counts as unverified: never a guess.

use num_traits::Signed;

use jiff::Timestamp;

use super::super::about::About;
use super::super::again;
use super::super::assess::{Deciding, Seen, Setting, assess};
use super::super::check::{Check, Probe};
use super::super::diff;
use super::super::evidence::{Attempt, Observed, Stream};
use super::super::expectation::{Checked, TextExpect};
use super::super::gate::GateState;
use super::super::project::Project;
use super::super::ratio::{self, Ratio};
use super::super::reason::{Code, Reason};
use super::super::report::Report;
use super::fields::{FIELDS, looks_alike};
use super::{Draft, Edit, Kind, Means, Subject, drafts};

/// What the evidence comes to under both manifests.
#[derive(Clone, Debug)]
pub struct Both {
    /// Every edit.
    pub edits: Vec<Edit>,
    /// What is verified under the earlier manifest, in percent.
    pub verified: f64,
    /// What it would be if all that cannot be compared or is unverified held, in percent.
    pub ceiling: f64,
    /// What is verified under this one, in percent.
    pub verified_now: f64,
    /// The gates of the earlier manifest.
    pub gates: Vec<GateState>,
    /// The checks of the earlier manifest whose evidence cannot be held against what was asked there.
    pub not_comparable: Vec<String>,
}

/// Judges the evidence of a report, which was made by the manifest `after`, under the manifest `before` as well.
pub fn judge(before: &Project, after: &Project, report: &Report, now: Timestamp) -> Both {
    let judging = Judging { after, report, now };
    let (earlier, not_comparable) = judging.report_of(before, true);
    let base = verified(&earlier);
    let mut drafts = drafts(before, after);
    for draft in &mut drafts {
        judging.resolve(draft, before, &base);
    }
    judging.together(&mut drafts, before, &base);
    Both {
        edits: drafts.into_iter().map(|draft| draft.edit).collect(),
        verified: earlier.score.verified,
        ceiling: earlier.score.ceiling,
        verified_now: report.score.verified,
        gates: earlier.gates,
        not_comparable,
    }
}

fn verified(report: &Report) -> Ratio {
    // A report that was just made follows from its rows.
    diff::verified(report).unwrap_or_default()
}

struct Judging<'a> {
    after: &'a Project,
    report: &'a Report,
    now: Timestamp,
}

impl Judging<'_> {
    /// The report of the evidence under a manifest, and the checks that cannot be compared.
    fn report_of(&self, project: &Project, gates: bool) -> (Report, Vec<String>) {
        let mut not_comparable = vec![];
        let seen = project.checks.iter().map(|check| {
            let (seen, comparable) = self.seen(check);
            if !comparable {
                not_comparable.push(check.id.clone());
            }
            seen
        });
        let seen = seen.collect();
        let setting = Setting {
            ready: String::new(),
            run: self.report.run.clone().filter(|_| gates),
            about: About {
                artifact: self.report.about.artifact.clone(),
                ..self.report.about.clone()
            },
            preflight: vec![],
            called_for: self.report.undeclared.clone(),
            found: self.report.declared.documents.clone(),
            bases: self.report.bases.clone(),
            against: None,
            warnings: vec![],
            deciding: Deciding::Gates(vec![]),
        };
        let none = vec![];
        let gates = if gates { &project.gates } else { &none };
        let report = assess(project, gates, seen, setting, self.now);
        (report, not_comparable)
    }

    /// What was seen of a check, and whether that can be held against what it asks.
    fn seen(&self, check: &Check) -> (Seen, bool) {
        let row = self.report.checks.iter().find(|row| row.id == check.id);
        let (Some(row), Some(had)) = (row, self.after.check(&check.id)) else {
            let text = "it is declared no longer: nobody looked";
            return (withheld(text), false);
        };
        let mut seen = again::seen(row);
        if check.applies != had.applies {
            // Whether the condition of then is met is not known.
            seen.applicable = true;
        }
        match &mut seen.observed {
            Observed::Withheld(_) => {}
            _ if !looks_alike(check, had) => {
                let applicable = seen.applicable;
                let text = "it is looked at in another way now: not comparable";
                return (
                    Seen {
                        applicable,
                        ..withheld(text)
                    },
                    false,
                );
            }
            Observed::Evidence(evidence) => {
                let mut attempts = evidence.attempts.iter_mut();
                if !attempts.all(|attempt| judge_again(check, had, attempt)) {
                    let text =
                        "what it expected then cannot be seen in what was kept: not comparable";
                    return (withheld(text), false);
                }
            }
        }
        (seen, true)
    }

    /// What an edit means in the light of the evidence.
    fn resolve(&self, draft: &mut Draft, before: &Project, base: &Ratio) {
        if draft.means == Means::Is(Kind::Neutral) {
            return;
        }
        let mut project = before.clone();
        if !apply(&draft.edit, &mut project, self.after) {
            return;
        }
        let (report, _) = self.report_of(&project, false);
        let rise = verified(&report) - base;
        draft.edit.points = Some(ratio::to_percent(&rise)).filter(|points| *points != 0.0);
        let is_new = draft.edit.from.is_none();
        draft.edit.kind = match draft.means {
            Means::Depends if rise.is_negative() => Kind::Tighter,
            Means::Depends if !rise.is_positive() => Kind::Neutral,
            Means::Depends => Kind::Weaker,
            // What is verified beside the rest is honest work.
            Means::Is(kind) if is_new => kind,
            Means::Is(_) if rise.is_positive() => Kind::Weaker,
            Means::Is(kind) => kind,
        };
    }

    /// Edits that only together let the same evidence score more are weaker, all of them.
    fn together(&self, drafts: &mut [Draft], before: &Project, base: &Ratio) {
        if drafts.iter().any(|draft| draft.edit.kind == Kind::Weaker) {
            return;
        }
        let mut project = before.clone();
        let mut applied = false;
        for draft in drafts.iter().filter(|draft| draft.edit.from.is_some()) {
            applied |= apply(&draft.edit, &mut project, self.after);
        }
        if !applied || verified(&self.report_of(&project, false).0) <= *base {
            return;
        }
        for draft in drafts.iter_mut() {
            let counts = draft.edit.from.is_some() && draft.means != Means::Is(Kind::Neutral);
            if counts {
                draft.edit.kind = Kind::Weaker;
            }
        }
    }
}

fn withheld(text: &str) -> Seen {
    Seen::now(Observed::Withheld(Reason::new(Code::NotRun, text)))
}

/// Makes one edit; false where no score follows from it.
fn apply(edit: &Edit, project: &mut Project, after: &Project) -> bool {
    let key = edit.key.as_deref();
    match (&edit.subject, key) {
        (Subject::Check(id), None) => {
            match after.check(id) {
                Some(new) => project.checks.push(new.clone()),
                None => project.checks.retain(|check| check.id != *id),
            }
            declare_components(project, after);
            true
        }
        (Subject::Check(id), Some(key)) => {
            let field = FIELDS.iter().find(|field| field.key == key);
            let check = project.checks.iter_mut().find(|check| check.id == *id);
            let (Some(field), Some(check), Some(now)) = (field, check, after.check(id)) else {
                return false;
            };
            (field.take)(check, now);
            declare_components(project, after);
            true
        }
        (Subject::Component(id), None) => {
            match after.components.iter().find(|of| of.id == *id) {
                Some(new) => project.components.push(new.clone()),
                // One that checks still name stays, with what a component is where nothing is said.
                None => {
                    let named = |check: &Check| check.component.as_deref() == Some(id.as_str());
                    let is_named = project.checks.iter().any(named);
                    for component in project.components.iter_mut().filter(|of| of.id == *id) {
                        (component.weight, component.enough) = (1.0, None);
                    }
                    project.components.retain(|of| is_named || of.id != *id);
                }
            }
            true
        }
        (Subject::Component(id), Some(key)) => {
            let then = project.components.iter_mut().find(|of| of.id == *id);
            let now = after.components.iter().find(|of| of.id == *id);
            let (Some(then), Some(now)) = (then, now) else {
                return false;
            };
            match key {
                "weight" => then.weight = now.weight,
                "enough" => then.enough = now.enough,
                _ => return false,
            }
            true
        }
        (Subject::Project, Some("score.caps")) => {
            project.caps = after.caps.clone();
            true
        }
        _ => false,
    }
}

/// Declares the components that checks name and that only the later manifest has.
fn declare_components(project: &mut Project, after: &Project) {
    let named = project
        .checks
        .iter()
        .filter_map(|check| check.component.clone());
    for id in named.collect::<Vec<_>>() {
        let known = project.components.iter().any(|of| of.id == id);
        let later = after.components.iter().find(|of| of.id == id);
        if let (false, Some(later)) = (known, later) {
            project.components.push(later.clone());
        }
    }
}

/// Holds an attempt against the expectations of another definition of the same look; false where what was kept does not
/// tell.
fn judge_again(check: &Check, had: &Check, attempt: &mut Attempt) -> bool {
    match (&check.probe, &had.probe) {
        (Probe::Run(asked), Probe::Run(had)) if asked.expect != had.expect => {
            if attempt.checked.is_empty() && attempt.stdout.is_none() {
                return true;
            }
            let same = asked.expect.stdout == had.expect.stdout
                && asked.expect.stderr == had.expect.stderr;
            if same {
                return true;
            }
            // What was heard comes first.
            let mut checked = attempt
                .checked
                .iter()
                .take(usize::from(had.listen.is_some()));
            let mut again = checked.by_ref().cloned().collect::<Vec<_>>();
            let outputs = [
                (&asked.expect.stdout, "stdout", &attempt.stdout),
                (&asked.expect.stderr, "stderr", &attempt.stderr),
            ];
            for (expect, name, stream) in outputs {
                match of_stream(expect, name, stream.as_ref()) {
                    Some(checked) => again.extend(checked),
                    None => return false,
                }
            }
            attempt.checked = again;
            true
        }
        (Probe::Http(asked), Probe::Http(had)) if asked.expect != had.expect => {
            let Some(answer) = &attempt.answer else {
                // None came: nothing was expected of it that could have held.
                return true;
            };
            let whole = !answer.body.truncated && answer.body.stored.is_none();
            if asked.expect.not_found != had.expect.not_found || asked.reader.is_some() || !whole {
                return false;
            }
            let not_found = attempt.checked.len() > expected(&had.expect, answer).len();
            if not_found {
                return false;
            }
            attempt.checked = expected(&asked.expect, answer);
            true
        }
        (Probe::File(asked), Probe::File(had)) => asked.expect == had.expect,
        (Probe::Variable(asked), Probe::Variable(had)) => asked.expect == had.expect,
        (Probe::Tool(asked), Probe::Tool(had)) => asked.version == had.version,
        _ => true,
    }
}

fn expected(
    expect: &super::super::expectation::HttpExpect,
    answer: &super::super::evidence::Answer,
) -> Vec<Checked> {
    let body = answer.body.tail.as_bytes();
    expect.check(
        answer.status,
        &answer.headers,
        body,
        true,
        answer.latency_ms,
    )
}

/// What an output comes to; none where not all of it was kept.
fn of_stream(expect: &TextExpect, name: &str, stream: Option<&Stream>) -> Option<Vec<Checked>> {
    if expect.is_empty() {
        return Some(vec![]);
    }
    let stream = stream.filter(|stream| !stream.truncated && stream.stored.is_none())?;
    Some(expect.check(name, stream.tail.as_bytes(), true))
}
