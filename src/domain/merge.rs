//! One report out of those of several machines about the same files and the same manifest: what each of them could verify.
//! Of a check, what says something beats what says nothing; among what says something the worse counts. The order in which
//! the reports come makes no difference.

mod fit;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use self::fit::Refusal;
use self::fit::{
    go_together, missing_shards, missing_words, no_run_twice, same_about, same_definition,
};
use super::about::About;
use super::again::Again;
use super::assess::Seen;
use super::check::Check;
use super::evidence::Observed;
use super::held;
use super::ratio::Ratio;
use super::reason::{Code, Reason};
use super::regression::Base;
use super::report::{CheckRow, Host, Observation, Part, Preflight, Report, Run};
use super::verdict::{Judgement, Verdict};

/// A report and what it is called: its file.
#[derive(Clone, Debug)]
pub struct Named {
    /// As the user knows it.
    pub name: String,
    /// What stands in it.
    pub report: Report,
}

/// What several reports come to; to be judged as one.
#[derive(Clone, Debug)]
pub struct Merged {
    /// What is judged.
    pub again: Again,
    /// The run that all the runs make together.
    pub run: Run,
    /// What it is about, as far as any of them says.
    pub about: About,
    /// What each machine has.
    pub preflight: Vec<Preflight>,
    /// What a reader must know beside the figures.
    pub warnings: Vec<String>,
}

/// What the reports come to together, as of `now`, under the id of a run of its own.
///
/// # Errors
/// They are not about the same project, files, manifest and split, or the same run stands in several.
pub fn merge(mut reports: Vec<Named>, id: String, now: Timestamp) -> Result<Merged, Refusal> {
    let first = reports.first().ok_or(Refusal::Nothing)?;
    for named in &reports {
        let run = named.run()?;
        if run.tree.is_none() {
            return Err(Refusal::NoTree(named.name.clone()));
        }
        go_together(first, named)?;
    }
    same_about(&reports)?;
    no_run_twice(&reports)?;
    let missing = missing_shards(&reports)?;

    // Whoever names them in another order means the same.
    reports.sort_by_key(|named| {
        let run = named.report.run.as_ref();
        run.map(|run| (run.started, run.id.clone()))
    });
    let first = reports.first().ok_or(Refusal::Nothing)?;
    let mut again = Again::of(&first.report);
    // What one command line asked for beside the manifest is no gate of the project.
    again
        .project
        .gates
        .retain(|gate| !gate.name.starts_with("--"));
    let own = reports.iter().flat_map(|named| parts(&named.report));
    let own = own.map(|part| part.run).collect::<BTreeSet<_>>();
    for (at, check) in again.project.checks.iter().enumerate() {
        let looks = reports
            .iter()
            .map(|named| Look::of(&named.report, at, check, now));
        same_definition(&reports, at)?;
        again.seen[at] = best(looks.collect::<Result<Vec<_>, _>>()?, &own);
    }
    let runs = reports
        .iter()
        .map(Named::run)
        .collect::<Result<Vec<_>, _>>()?;
    for called in reports.iter().flat_map(|named| &named.report.undeclared) {
        if !again.called_for.contains(called) {
            again.called_for.push(called.clone());
        }
    }
    again.bases = bases(&reports);
    let mut warnings = missing;
    warnings.extend(told(&reports));
    Ok(Merged {
        run: together(id, &reports, &runs, &again),
        about: about(&reports),
        preflight: preflight(&reports),
        again,
        warnings,
    })
}

/// The runs that a report is made of.
pub fn parts(report: &Report) -> Vec<Part> {
    let Some(run) = &report.run else {
        return vec![];
    };
    if !run.merged.is_empty() {
        return run.merged.clone();
    }
    vec![Part {
        run: run.id.clone(),
        host: run.host.name.clone(),
        os: run.host.os.clone(),
        shard: run.shard.clone(),
    }]
}

/// What one report says of one check.
struct Look {
    seen: Seen,
    judgement: Judgement,
    run: String,
    observations: Vec<Observation>,
}

impl Look {
    /// As of `now`, and by itself: its needs are looked at when all is together.
    fn of(report: &Report, at: usize, check: &Check, now: Timestamp) -> Result<Look, Refusal> {
        let (Some(row), Some(run)) = (report.checks.get(at), &report.run) else {
            return Err(Refusal::Nothing);
        };
        let seen = super::again::seen(row);
        let judgement = seen.judge(check, now);
        let of = row.recorded.clone().unwrap_or_else(|| run.id.clone());
        let observations = match (row.observations.as_slice(), judgement.reason.code) {
            // What was not looked at was not seen.
            ([], Code::NotRun) => vec![],
            ([], _) => vec![observation(row, run, &judgement, of.clone())],
            (known, _) => known.to_vec(),
        };
        // Of what was put together before, the machine that it is from.
        let from = observations
            .iter()
            .find(|seen| seen.reason == judgement.reason);
        Ok(Look {
            run: from.map_or(of, |seen| seen.run.clone()),
            seen,
            judgement,
            observations,
        })
    }

    /// The least is what counts.
    fn rank(&self) -> impl Ord + use<> {
        let started = match &self.seen.observed {
            Observed::Evidence(evidence) => Some(evidence.started),
            Observed::Withheld(_) => None,
        };
        (
            weight(&self.judgement),
            Reverse(started),
            self.run.clone(),
            self.seen.recorded.is_some(),
        )
    }
}

fn observation(row: &CheckRow, run: &Run, judgement: &Judgement, of: String) -> Observation {
    let host = row.evidence.as_ref().map(|evidence| evidence.host.clone());
    let host = host.unwrap_or_else(|| run.host.name.clone());
    Observation {
        // What was recorded elsewhere may be of another system.
        os: (host == run.host.name).then(|| run.host.os.clone()),
        host,
        run: of,
        verdict: judgement.verdict,
        reason: judgement.reason.clone(),
    }
}

/// What says something before what says nothing; of the first the worse first, of the others what tells most.
fn weight(judgement: &Judgement) -> (u8, Ratio, Ratio, usize) {
    let class = match judgement.verdict {
        Verdict::Failed => 0,
        Verdict::Partial => 1,
        Verdict::Verified => 2,
        Verdict::Unverified => 3,
    };
    let (credit, potential) = (judgement.credit.clone(), judgement.potential.clone());
    (class, credit, potential, tells(judgement.reason.code))
}

/// The reasons of what is unverified, those first that tell most: a person's word, then looks that came to nothing, then
/// what kept one from looking. Only a lower potential goes before: what failed once and is stale since keeps the ceiling
/// down.
const TELLING: [Code; 11] = [
    Code::Attested,
    Code::CannotTell,
    Code::Unreadable,
    Code::NoResults,
    Code::Interrupted,
    Code::NeedsFailed,
    Code::PortTaken,
    Code::Stale,
    Code::ToolMissing,
    Code::WrongPlatform,
    Code::NotRun,
];

fn tells(code: Code) -> usize {
    let place = TELLING.iter().position(|known| *known == code);
    place.unwrap_or(TELLING.len())
}

/// What counts of several looks, with all of them beside it.
fn best(looks: Vec<Look>, own: &BTreeSet<String>) -> Seen {
    let mut observations: Vec<Observation> = vec![];
    for seen in looks.iter().flat_map(|look| &look.observations) {
        // The ledger of a machine gives the same evidence to each of its reports.
        let known = |known: &Observation| (&known.run, &known.host) == (&seen.run, &seen.host);
        if !observations.iter().any(known) {
            observations.push(seen.clone());
        }
    }
    // A failure on any machine breaks what held on the others.
    let mut before: Vec<held::Look> = vec![];
    for look in looks.iter().flat_map(|look| &look.seen.looks) {
        if !before.contains(look) {
            before.push(look.clone());
        }
    }
    // That it was seen to fail is true wherever it was seen; where it was not, one machine's word is as good as another's.
    let proofs = looks.iter().filter_map(|look| look.seen.proof.clone());
    let proof = proofs.min_by_key(|proof| (proof.result, Reverse(proof.at)));
    let best = looks.into_iter().min_by_key(Look::rank);
    let mut seen = best.map_or_else(
        || {
            Seen::now(Observed::Withheld(Reason::new(
                Code::NotRun,
                "it was not run",
            )))
        },
        |look| look.seen,
    );
    seen.recorded = seen.recorded.filter(|from| !own.contains(&from.run));
    seen.observations = observations;
    seen.looks = before;
    seen.proof = proof;
    seen
}

/// The run that several make together.
fn together(id: String, reports: &[Named], runs: &[&Run], again: &Again) -> Run {
    let was_due = |check: &Check| {
        let mut ended = runs.iter().filter(|run| !run.interrupted);
        ended.any(|run| run.is_for(&check.id))
    };
    let checks = || again.project.checks.iter().zip(&again.seen);
    let mut due = checks().filter(|(check, seen)| seen.applicable && !check.on_demand);
    let complete = runs.iter().any(|run| run.complete) || due.all(|(check, _)| was_due(check));
    let all = runs
        .iter()
        .any(|run| run.selected.is_empty() && run.shard.is_none());
    let selected = checks()
        .map(|(check, _)| &check.id)
        .filter(|id| !complete && !all && runs.iter().any(|run| run.is_for(id)));
    let of = |pick: fn(&Run) -> Option<&String>| runs.iter().find_map(|run| pick(run)).cloned();
    let alike = |pick: fn(&Run) -> Option<&String>| {
        let same = runs.iter().all(|run| pick(run) == pick(runs[0]));
        same.then(|| pick(runs[0]).cloned()).flatten()
    };
    let hosts = runs.iter().map(|run| &run.host);
    Run {
        id,
        started: runs.iter().map(|run| run.started).min().unwrap_or_default(),
        finished: runs
            .iter()
            .map(|run| run.finished)
            .max()
            .unwrap_or_default(),
        complete,
        interrupted: !complete && runs.iter().any(|run| run.interrupted),
        out_of_time: !complete && runs.iter().any(|run| run.out_of_time),
        selected: selected.cloned().collect(),
        host: Host {
            name: listed(hosts.clone().map(|host| host.name.as_str())),
            os: listed(hosts.clone().map(|host| host.os.as_str())),
            arch: listed(hosts.clone().map(|host| host.arch.as_str())),
            ci: alike(|run| run.host.ci.as_ref()),
        },
        jobs: runs
            .iter()
            .fold(0, |jobs, run| jobs.saturating_add(run.jobs)),
        commit: alike(|run| run.commit.as_ref()),
        tree: of(|run| run.tree.as_ref()),
        dirty: runs.iter().filter_map(|run| run.dirty).max(),
        manifest: of(|run| run.manifest.as_ref()),
        artifact: of(|run| run.artifact.as_ref()),
        environment: of(|run| run.environment.as_ref()),
        shard: None,
        merged: reports
            .iter()
            .flat_map(|named| parts(&named.report))
            .collect(),
        services: runs.iter().flat_map(|run| run.services.clone()).collect(),
    }
}

/// What each gate is held against: where the machines knew different ones, the one that asks for most.
fn bases(reports: &[Named]) -> BTreeMap<String, Base> {
    let all = reports.iter().flat_map(|named| &named.report.bases);
    let mut bases: BTreeMap<String, Base> = BTreeMap::new();
    for (gate, base) in all {
        let asks = |base: &Base| (base.verified.clone(), base.held.len(), base.name.clone());
        match bases.get(gate) {
            Some(known) if asks(known) >= asks(base) => {}
            _ => _ = bases.insert(gate.clone(), base.clone()),
        }
    }
    bases
}

/// What they are about together: they agree, as far as they say it.
fn about(reports: &[Named]) -> About {
    let all = || reports.iter().map(|named| &named.report.about);
    let artifact = all().find(|about| about.artifact.is_some());
    About {
        environment: all().find_map(|about| about.environment.clone()),
        ..artifact.cloned().unwrap_or_default()
    }
}

/// Each word once, in order of appearance.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut listed: Vec<&str> = vec![];
    for word in words.flat_map(|words| words.split(", ")) {
        if !listed.contains(&word) {
            listed.push(word);
        }
    }
    listed.join(", ")
}

fn host(named: &Named) -> &str {
    let run = named.report.run.as_ref();
    run.map_or("", |run| run.host.name.as_str())
}

/// What each machine has, once where several have the same.
fn preflight(reports: &[Named]) -> Vec<Preflight> {
    let all = reports
        .iter()
        .flat_map(|named| named.report.preflight.iter().map(move |item| (named, item)));
    let mut told: Vec<Preflight> = vec![];
    for (named, item) in all.clone() {
        let alike = |other: &Preflight| (other.ok, &other.seen) == (item.ok, &item.seen);
        let mut of_it = all.clone().filter(|(_, other)| other.what == item.what);
        let item = match of_it.all(|(_, other)| alike(other)) {
            true => item.clone(),
            false => Preflight {
                seen: format!("{} on {}", item.seen, host(named)),
                ..item.clone()
            },
        };
        if !told.contains(&item) {
            told.push(item);
        }
    }
    told
}

/// The warnings of all reports; what only some say, with the machine.
fn told(reports: &[Named]) -> Vec<String> {
    let mut told: Vec<String> = vec![];
    for named in reports {
        // What was missing when some were put together may be here now.
        let shards = parts(&named.report)
            .into_iter()
            .filter_map(|part| part.shard);
        let of = shards.map(|shard| shard.of).max().unwrap_or(0);
        let missing = (1..=of).map(|index| missing_words(index, of));
        let missing = missing.collect::<Vec<_>>();
        let warnings = named.report.warnings.iter();
        for warning in warnings.filter(|warning| !missing.contains(warning)) {
            let said = |named: &Named| named.report.warnings.contains(warning);
            let text = match reports.iter().all(said) {
                true => warning.clone(),
                false => format!("on {}: {warning}", host(named)),
            };
            if !told.contains(&text) {
                told.push(text);
            }
        }
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
