//! From what was seen to the report: every check judged, components and the whole scored, gates decided, claims held
//! against what is verified.

mod claims;
mod plan;
mod rated;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::claims::{Facts, Highest, bind, higher};
use self::rated::{RatedComponent, Whole, group_rows, rate};
use super::about::About;
use super::check::{Blocking, Check, Probe};
use super::claim::{Claim, Found};
use super::evidence::Observed;
use super::gate::{self, Gate, GateState, Judged, Rated, Situation};
use super::goalposts::Against;
use super::held::Look;
use super::level::Level;
use super::odd::{Usual, notes};
use super::plan::{Step, Way};
use super::project::Project;
use super::proof::{Proof, Proven};
use super::ratio;
use super::reason::{Code, Reason};
use super::regression::Base;
use super::report::{
    CalledFor, CheckRow, Decision, Declared, Exact, FORMAT, Observation, Preflight, Report, Run,
    WaiverRow,
};
use super::verdict::{Judgement, Verdict, judge};
use super::waiver::{Waiver, WaiverState};

/// What a run or the ledger knows of one check.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was observed.
    pub observed: Observed,
    /// Whether the check applies to this project.
    pub applicable: bool,
    /// The run that the evidence is from, where it is an earlier one.
    pub recorded: Option<From>,
    /// Why the evidence is no longer about this code or this definition.
    pub stale: Option<String>,
    /// The looks at it, this one included, as far back as a gate asks.
    pub looks: Vec<Look>,
    /// The highest figures that were ever recorded of it, by name, where a document speaks of a change.
    pub earlier: BTreeMap<String, f64>,
    /// What each machine saw of it, where several did.
    pub observations: Vec<Observation>,
    /// Whether what it sees may change while the files do not, where a report says so; else its definition tells.
    pub outside: Option<bool>,
    /// What came of it when it was last proved, where that still counts.
    pub proof: Option<Box<Proof>>,
    /// What earlier looks at it came to, where that is known.
    pub usual: Option<Usual>,
    /// What was found odd about it, where a report says so.
    pub notes: Vec<String>,
}

/// The run that recorded evidence is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    /// Its id.
    pub run: String,
    /// The commit that it was about.
    pub commit: Option<String>,
    /// Whether the evidence stands for a check that was due now.
    pub reused: bool,
}

impl Seen {
    /// What this run observed.
    pub fn now(observed: Observed) -> Seen {
        Seen {
            observed,
            applicable: true,
            recorded: None,
            stale: None,
            looks: vec![],
            earlier: BTreeMap::new(),
            observations: vec![],
            outside: None,
            proof: None,
            usual: None,
            notes: vec![],
        }
    }

    /// Whether the check was seen to fail where it must, and that still counts.
    fn is_proved(&self, now: Timestamp) -> bool {
        let proof = self.proof.as_ref();
        proof.is_some_and(|proof| proof.result == Proven::Proved && proof.is_young(now))
    }

    /// The judgement of the check by itself, whatever became of what it needs.
    pub fn judge(&self, check: &Check, now: Timestamp) -> Judgement {
        let judgement = judge(check, &self.observed, now);
        match &self.stale {
            Some(text) if matches!(self.observed, Observed::Evidence(_)) => judgement.stale(text),
            _ => judgement,
        }
    }
}

/// What a report is about beside the checks.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The version of `ready`.
    pub ready: String,
    /// The run; none for recorded evidence.
    pub run: Option<Run>,
    /// What it is about.
    pub about: About,
    /// What the machine has.
    pub preflight: Vec<Preflight>,
    /// The library checks that the project's files call for, declared or not.
    pub called_for: Vec<CalledFor>,
    /// What documents claim.
    pub found: Vec<Found>,
    /// The earlier report that each gate is held against, by the gate's name.
    pub bases: BTreeMap<String, Base>,
    /// The manifest that this one is held against, where one is known.
    pub against: Option<Against>,
    /// What a reader must know beside the figures.
    pub warnings: Vec<String>,
    /// What decides.
    pub deciding: Deciding,
}

/// What decides about the exit status.
#[derive(Clone, Debug, PartialEq)]
pub enum Deciding {
    /// The gates of these names.
    Gates(Vec<String>),
    /// The selected checks by themselves.
    Selected,
    /// Both: the selected checks, and the gates of these names.
    SelectedAnd(Vec<String>),
}

/// Judges every check, scores, decides the gates. `seen` is in the order of the project's checks; what it lacks at the
/// end was not run.
pub fn assess(
    project: &Project,
    gates: &[Gate],
    mut seen: Vec<Seen>,
    setting: Setting,
    now: Timestamp,
) -> Report {
    let not_run = || {
        Seen::now(Observed::Withheld(Reason::new(
            Code::NotRun,
            "it was not run",
        )))
    };
    seen.resize_with(project.checks.len(), not_run);
    let project = &*lifted(project, &seen, now);
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut judgements = project
        .checks
        .iter()
        .zip(&seen)
        .map(|(check, seen)| seen.judge(check, now))
        .collect::<Vec<_>>();
    let alone = judgements.clone();
    needs_of_recorded(project, &seen, &mut judgements);
    let judging = Judging {
        project,
        seen: &seen,
        judgements: &judgements,
        alone: &alone,
        setting: &setting,
        undeclared: &undeclared(project, setting.called_for.clone()),
        now,
        today,
    };
    let mut figures = judging.figures(&judgements, gates);
    let states = std::mem::take(&mut figures.states);
    let decision = decide(&setting, &states, &judging.judged(&judgements));
    let (plan, way) = judging.plan(gates, &decision, &states, &figures);
    let judged = judging.judged(&judgements);
    let (rated, whole) = (&figures.rated, &figures.whole);
    let undeclared = judging.undeclared.to_vec();
    let waivers = waiver_rows(project, &judged, &states, today);
    let outside = judged
        .iter()
        .map(|judged| judged.outside)
        .collect::<Vec<_>>();
    let rows = project.checks.iter().zip(judgements).zip(outside).zip(seen);
    let checks = rows
        .map(|(((check, judgement), outside), seen)| {
            check_row(check, judgement, seen, outside, gates, &waivers)
        })
        .collect::<Vec<_>>();
    Report {
        format: FORMAT.to_string(),
        ready: setting.ready,
        project: project.name.clone(),
        limitations: project.limitations.clone(),
        generated: now,
        run: setting.run,
        about: setting.about,
        preflight: setting.preflight,
        score: whole.score(),
        groups: group_rows(rated, &checks),
        components: rated
            .iter()
            .map(|rated| rated.row(project, &checks))
            .collect(),
        claims: figures.claims.clone(),
        unclaimed: figures.unclaimed.clone(),
        plan,
        way,
        checks,
        gates: states,
        declared: Declared {
            claim: project.claim.clone(),
            components: project.components.clone(),
            documents: setting.found,
        },
        policies: gates.to_vec(),
        bases: setting.bases,
        against: setting.against,
        caps: project.caps.clone(),
        decision,
        waivers,
        undeclared,
        ignored: project.ignored.clone(),
        ledger: None,
        since: None,
        before: vec![],
        warnings: setting.warnings,
    }
}

/// All that is judged.
pub(super) struct Judging<'a> {
    project: &'a Project,
    seen: &'a [Seen],
    /// Of each check as things are.
    judgements: &'a [Judgement],
    /// Of each check by itself, whatever became of what it needs.
    alone: &'a [Judgement],
    setting: &'a Setting,
    undeclared: &'a [CalledFor],
    now: Timestamp,
    today: jiff::civil::Date,
}

/// What follows from judgements.
pub(super) struct Figures {
    rated: Vec<RatedComponent>,
    whole: Whole,
    claims: Vec<Claim>,
    unclaimed: Vec<String>,
    /// Of each gate.
    states: Vec<GateState>,
}

impl Judging<'_> {
    /// Every check with its judgement.
    fn judged<'j>(&'j self, judgements: &'j [Judgement]) -> Vec<Judged<'j>> {
        let checks = self.project.checks.iter().zip(judgements).zip(self.seen);
        let judged = checks.map(|((check, judgement), seen)| Judged {
            check,
            judgement,
            applicable: seen.applicable,
            binding: match (&seen.observed, &check.probe) {
                (_, Probe::Manual(_)) | (Observed::Withheld(_), _) => None,
                (Observed::Evidence(evidence), _) => Some(&evidence.binding),
            },
            outside: seen
                .outside
                .unwrap_or_else(|| !self.project.depends_on_files_alone(check)),
            looks: &seen.looks,
            proof: seen.proof.as_deref(),
        });
        judged.collect()
    }

    /// Scores, claims and gates as they follow from these judgements.
    fn figures(&self, judgements: &[Judgement], gates: &[Gate]) -> Figures {
        let (project, setting) = (self.project, self.setting);
        let judged = self.judged(judgements);
        let mut rated = rate(project, &judged);
        let (found, bound) = (&setting.found, bind(&setting.found, &rated, &judged));
        let highest = Highest::of(found, &bound, &rated, &judged);
        for (rated, claim) in rated.iter_mut().zip(highest.components) {
            rated.claim = higher(rated.claim, claim);
        }
        let declared = project.claim.as_ref().map(|claim| claim.percent);
        let whole = Whole::of(&rated, higher(declared, highest.overall));
        let facts = Facts {
            project,
            rated: &rated,
            whole: whole.standing.as_ref(),
            judged: &judged,
            seen: self.seen,
        };
        let (claims, unclaimed) = (facts.claims(found, &bound), facts.unclaimed(found, &bound));
        let components = rated.iter().map(|rated| Rated {
            component: &rated.component,
            standing: &rated.standing,
            applicable: rated.applicable,
            no_checks: rated.no_checks,
        });
        let situation = Situation {
            about: &setting.about,
            undeclared: self.undeclared,
            checks: &judged,
            components: &components.collect::<Vec<_>>(),
            overall: whole.standing.as_ref(),
            gap: whole.gap.as_ref(),
            claims: &claims,
            bases: &setting.bases,
            against: setting.against.as_ref(),
            gates: &gates
                .iter()
                .map(|gate| gate.name.clone())
                .collect::<Vec<_>>(),
            waivers: &project.waivers,
            now: self.now,
            today: self.today,
        };
        let states = gates
            .iter()
            .map(|gate| gate::decide(gate, &situation))
            .collect();
        Figures {
            rated,
            whole,
            claims,
            unclaimed,
            states,
        }
    }

    /// What the gate is held against, where it asks for it.
    fn base(&self, gate: &Gate) -> Option<&Base> {
        let base = self.setting.bases.get(&gate.name);
        base.filter(|_| gate.asks_for_base())
    }

    /// The plan for the first gate that decides and is closed, else for the first that is closed, else for the first.
    fn plan(
        &self,
        gates: &[Gate],
        decision: &Decision,
        states: &[GateState],
        figures: &Figures,
    ) -> (Vec<Step>, Option<Way>) {
        let closed = |state: &&GateState| !state.open;
        let decides = |state: &&GateState| decision.gates.contains(&state.name);
        let first = states.iter().filter(closed).find(decides);
        let first = first.or_else(|| states.iter().find(decides));
        let first = first
            .or_else(|| states.iter().find(closed))
            .or(states.first());
        let gate = first.and_then(|state| {
            let gate = gates.iter().find(|gate| gate.name == state.name)?;
            Some((gate, state))
        });
        let Some((gate, state)) = gate else {
            return (vec![], None);
        };
        let (steps, way) = plan::plan(self, gate, state, figures);
        (steps, Some(way))
    }
}

/// The project with the level of every check that was judged by its exit status alone, and was seen to fail where it must:
/// it is exercised.
fn lifted<'p>(project: &'p Project, seen: &[Seen], now: Timestamp) -> Cow<'p, Project> {
    let lifts = |check: &Check, seen: &Seen| check.by_exit_alone && seen.is_proved(now);
    let mut checks = project.checks.iter().zip(seen);
    if !checks.any(|(check, seen)| lifts(check, seen)) {
        return Cow::Borrowed(project);
    }
    let mut project = project.clone();
    for (check, seen) in project.checks.iter_mut().zip(seen) {
        if lifts(check, seen) {
            check.level = Level::Exercised;
        }
    }
    Cow::Owned(project)
}

/// What is called for and neither used by a check nor ignored.
fn undeclared(project: &Project, called_for: Vec<CalledFor>) -> Vec<CalledFor> {
    let used = |name: &str| {
        let mut used = project
            .checks
            .iter()
            .filter_map(|check| check.library.as_deref());
        used.any(|used| used == name)
    };
    let ignored = |name: &str| project.ignored.iter().any(|ignored| ignored.check == name);
    let open = called_for
        .into_iter()
        .filter(|called| !used(&called.check) && !ignored(&called.check));
    open.collect()
}

/// A run looks at the needs of what it runs; recorded evidence counts only while what its check needs holds today.
fn needs_of_recorded(project: &Project, seen: &[Seen], judgements: &mut [Judgement]) {
    let places = project
        .checks
        .iter()
        .enumerate()
        .map(|(at, check)| (check.id.as_str(), at));
    let place = places.collect::<BTreeMap<_, _>>();
    // A chain of needs falls one link a pass; most manifests have none to fall.
    loop {
        let holds =
            |at: usize, judgements: &[Judgement]| !seen[at].applicable || judgements[at].holds();
        let fallen = (0..judgements.len()).find_map(|at| {
            // What was seen in this run had its needs when it began; one may have been lost with a service since.
            let is_seen = match seen[at].recorded {
                Some(_) => judgements[at].reason.code != Code::NeedsFailed,
                None => matches!(judgements[at].verdict, Verdict::Verified | Verdict::Partial),
            };
            let needs = project.checks[at].needs.iter().filter(|_| is_seen);
            let unmet = needs
                .filter_map(|need| place.get(need.as_str()))
                .find(|need| !holds(**need, judgements))?;
            Some((at, *unmet))
        });
        let Some((at, unmet)) = fallen else { return };
        let text = format!(
            "it needs `{}`, which does not hold",
            project.checks[unmet].id
        );
        judgements[at] = judgements[at].clone().stale(text);
        judgements[at].reason.code = Code::NeedsFailed;
    }
}

fn check_row(
    check: &Check,
    judgement: Judgement,
    seen: Seen,
    outside: bool,
    gates: &[Gate],
    waivers: &[WaiverRow],
) -> CheckRow {
    let required = gates.iter().any(|gate| gate.require.contains(&check.id));
    let evidence = match seen.observed {
        Observed::Evidence(evidence) => Some(*evidence),
        Observed::Withheld(_) => None,
    };
    let notes = match (&evidence, &seen.usual) {
        (Some(evidence), Some(usual)) => notes(check, &judgement, evidence, usual),
        _ => seen.notes,
    };
    CheckRow {
        id: check.id.clone(),
        component: check.component.clone().unwrap_or_else(|| check.id.clone()),
        says: check.says.clone(),
        probe: check.probe.kind().to_string(),
        weight: check.weight,
        blocking: required || check.blocking != Blocking::No,
        applicable: seen.applicable,
        optional: check.optional,
        verdict: judgement.verdict,
        reason: judgement.reason,
        credit: ratio::number(&judgement.credit),
        potential: ratio::number(&judgement.potential),
        exact: Exact {
            credit: judgement.credit,
            potential: judgement.potential,
        },
        accepted_at: check.pass_at.filter(|_| judgement.accepted),
        level: check.level,
        counts: judgement.counts,
        measures: judgement.measures,
        contradiction: judgement.contradiction,
        waiver: waivers
            .iter()
            .find(|row| row.waiver.check == check.id)
            .map(|row| row.state),
        reused: seen.recorded.as_ref().is_some_and(|from| from.reused),
        recorded_at: seen.recorded.as_ref().and_then(|from| from.commit.clone()),
        recorded: seen.recorded.map(|from| from.run),
        author: None,
        stale: seen.stale,
        observations: seen.observations,
        outside,
        looks: seen.looks,
        earlier: seen.earlier,
        started: evidence.as_ref().map(|evidence| evidence.started),
        duration_ms: evidence.as_ref().map(|evidence| evidence.duration_ms),
        notes,
        proof: seen.proof.map(|proof| *proof),
        definition: check.clone(),
        evidence,
    }
}

fn waiver_rows(
    project: &Project,
    judged: &[Judged<'_>],
    states: &[GateState],
    today: jiff::civil::Date,
) -> Vec<WaiverRow> {
    let state = |waiver: &Waiver| {
        let judged = judged
            .iter()
            .find(|judged| judged.check.id == waiver.check)?;
        let state = waiver.state(judged.judgement, today);
        let counts = judged.applicable && !judged.check.optional;
        let exempts = || {
            states
                .iter()
                .any(|gate| gate.waived.contains(&waiver.check))
        };
        Some(match state {
            WaiverState::Expired => state,
            WaiverState::InForce if !exempts() => WaiverState::Needless,
            _ if !counts => WaiverState::Needless,
            state => state,
        })
    };
    project
        .waivers
        .iter()
        .map(|waiver| WaiverRow {
            waiver: waiver.clone(),
            state: state(waiver).unwrap_or(WaiverState::Needless),
            author: None,
        })
        .collect()
}

fn decide(setting: &Setting, states: &[GateState], judged: &[Judged<'_>]) -> Decision {
    let open = |names: &[String]| {
        let open = |name: &String| states.iter().any(|state| state.name == *name && state.open);
        !names.is_empty() && names.iter().all(open)
    };
    let selected = || {
        let run = setting.run.as_ref();
        let selected = run.map(|run| run.selected.as_slice()).unwrap_or_default();
        // There may be more shards than there is to share.
        if selected.is_empty() && run.is_some_and(|run| run.shard.is_some()) {
            return true;
        }
        let mut counting = judged
            .iter()
            .filter(|judged| selected.contains(&judged.check.id) && judged.applicable)
            .peekable();
        counting.peek().is_some() && counting.all(|judged| judged.judgement.stands())
    };
    match &setting.deciding {
        Deciding::Gates(names) => Decision {
            open: open(names),
            gates: names.clone(),
        },
        Deciding::Selected => Decision {
            open: selected(),
            gates: vec![],
        },
        Deciding::SelectedAnd(names) => Decision {
            open: selected() && open(names),
            gates: names.clone(),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
