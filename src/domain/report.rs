//! The report: every check with its judgement and evidence, the scores, the gates, the claims. Every output is rendered
//! from it, and it is published as JSON (`ready-report/1`): keys may be added, none changes meaning, and a reader ignores
//! keys that it does not know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::check::Check;
use super::claim::{Claim, Found};
use super::diff::Diff;
use super::evidence::{Counts, Evidence};
use super::gate::{Gate, GateState};
use super::goalposts::Against;
use super::held::Look;
use super::level::{Caps, Level};
use super::plan::{Step, Way};
use super::project::{Claimed, Component, Ignored};
use super::proof::Proof;
use super::ratio::Ratio;
use super::reason::Reason;
use super::regression::Base;
use super::service::ServiceRun;
use super::verdict::Verdict;
use super::waiver::{Waiver, WaiverState};

/// The format's name and version.
pub const FORMAT: &str = "ready-report/1";
/// The row of the table under which checks without a component stand.
pub const GENERAL: &str = "General";

/// Everything that a run or the ledger says about a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// The version of `ready` that judged.
    pub ready: String,
    /// The project's name.
    pub project: String,
    /// Sentences that are printed and never scored.
    pub limitations: Vec<String>,
    /// When it was judged.
    pub generated: Timestamp,
    /// The run that it is about; none where it was put together from recorded evidence.
    pub run: Option<Run>,
    /// What it is about, as far as that was said: what the run looked at, or what is asked of recorded evidence.
    #[serde(default)]
    pub about: About,
    /// What the machine should have had before the run.
    pub preflight: Vec<Preflight>,
    /// The whole.
    pub score: Score,
    /// The rows of the status table: components, or groups of them.
    pub groups: Vec<GroupRow>,
    /// Every component.
    pub components: Vec<ComponentRow>,
    /// Every declared check.
    pub checks: Vec<CheckRow>,
    /// Every gate.
    pub gates: Vec<GateState>,
    /// What decides, and how.
    pub decision: Decision,
    /// What the manifest declares beside checks, gates and waivers: with it the report can be judged again.
    #[serde(default)]
    pub declared: Declared,
    /// The rules of the gates, as resolved.
    #[serde(default)]
    pub policies: Vec<Gate>,
    /// The manifest that gates with `no_weakening` were held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// What gates with `no_regression` were held against, by the names of the gates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, Base>,
    /// The most that each level of evidence can reach, in percent.
    #[serde(default)]
    pub caps: Caps,
    /// Every declared waiver and what it does today.
    pub waivers: Vec<WaiverRow>,
    /// What the manifest and its documents claim.
    pub claims: Vec<Claim>,
    /// Checks that are verified and that no document speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclaimed: Vec<String>,
    /// What to mend, in order.
    #[serde(default)]
    pub plan: Vec<Step>,
    /// What the plan leads to; none where there is no gate.
    #[serde(default)]
    pub way: Option<Way>,
    /// Library checks that the project's files call for and that the manifest neither declares nor ignores.
    #[serde(default)]
    pub undeclared: Vec<CalledFor>,
    /// Library checks that the manifest says it does without.
    #[serde(default)]
    pub ignored: Vec<Ignored>,
    /// The end of the chain of recorded runs; none where nothing is recorded.
    #[serde(default)]
    pub ledger: Option<LedgerHead>,
    /// What has changed since an earlier report: the one that was asked for, else the last complete run before, as far as
    /// whoever made the report looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Diff>,
    /// The complete runs before, the oldest first, as far back as whoever made the report looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Before>,
    /// What a reader must know beside the figures.
    pub warnings: Vec<String>,
}

impl Report {
    /// The waiver of a check.
    pub fn waiver(&self, check: &str) -> Option<&WaiverRow> {
        self.waivers.iter().find(|row| row.waiver.check == check)
    }
}

/// One of the runs before: what was verified then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Before {
    /// The run's id.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// Its commit.
    pub commit: Option<String>,
    /// Percent.
    pub verified: f64,
    /// Percent.
    pub ceiling: f64,
    /// Percent; none where nothing was claimed.
    pub claimed: Option<f64>,
    /// Whether what decided was open.
    pub open: bool,
}

impl Before {
    /// What a report says of its run; none where it is about no run.
    pub fn of(report: &Report) -> Option<Before> {
        let run = report.run.as_ref()?;
        let (id, commit) = (run.id.clone(), run.commit.clone());
        let at = (id, run.started, commit);
        Some(Before::new(at, &report.score, report.decision.open))
    }

    /// Of a run by its id, its start and its commit.
    pub fn new(
        (run, started, commit): (String, Timestamp, Option<String>),
        score: &Score,
        open: bool,
    ) -> Before {
        Before {
            run,
            started,
            commit,
            verified: score.verified,
            ceiling: score.ceiling,
            claimed: score.claimed.filter(|_| !score.partly_claimed),
            open,
        }
    }
}

/// What a manifest declares beside checks, gates and waivers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    /// What it claims for the whole.
    pub claim: Option<Claimed>,
    /// Its components, in its order.
    pub components: Vec<Component>,
    /// What its documents claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Found>,
}

/// A library check that the project's files call for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalledFor {
    /// Its name in the library.
    pub check: String,
    /// The files that call for it.
    pub why: String,
}

/// The end of the ledger's chain: the digest of its last run, over that run and all before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerHead {
    /// `blake3:…`.
    pub digest: String,
    /// How many runs the chain has.
    pub runs: u64,
}

/// The beginning of a commit, by which people know it.
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// One run of `ready check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// A ULID.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Whether every check of the manifest was due and got its turn.
    pub complete: bool,
    /// Whether a person or a signal stopped it.
    pub interrupted: bool,
    /// Whether it was its own time limit that stopped it.
    #[serde(default)]
    pub out_of_time: bool,
    /// The checks that were selected; empty: all.
    #[serde(default)]
    pub selected: Vec<String>,
    /// Where it ran.
    pub host: Host,
    /// How many checks ran at once.
    pub jobs: u32,
    /// The git commit, where there is one.
    pub commit: Option<String>,
    /// The digest of the files that were judged, uncommitted ones included.
    pub tree: Option<String>,
    /// Whether files differed from the commit.
    pub dirty: Option<bool>,
    /// The manifest's digest, `sha256:…`.
    pub manifest: Option<String>,
    /// What was judged, where that was said: an image or a file by its digest, `sha256:…`.
    #[serde(default)]
    pub artifact: Option<String>,
    /// Where it was judged, where that was said: `staging`.
    #[serde(default)]
    pub environment: Option<String>,
    /// The part of the checks that this machine ran, where several share them.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// The runs that it was put together from, in order of their starts; empty for a run of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Part>,
    /// The services that checks needed, and what became of them.
    #[serde(default)]
    pub services: Vec<ServiceRun>,
}

impl Run {
    /// Whether the check was among those that it was for.
    pub fn is_for(&self, check: &str) -> bool {
        let all = self.selected.is_empty() && self.shard.is_none();
        all || self.selected.iter().any(|selected| selected == check)
    }
}

/// A run that another was put together from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Its id.
    pub run: String,
    /// The machine's name.
    pub host: String,
    /// The machine's system.
    pub os: String,
    /// The shard that it was for, where the checks were split.
    #[serde(default)]
    pub shard: Option<Shard>,
}

/// One of the parts into which the checks were split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// 1-based.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// The digest of the whole split, `blake3:…`: parts of different splits do not fit together.
    pub split: String,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// `linux`, `macos`, `windows`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// The CI system, where one is known.
    pub ci: Option<String>,
}

/// One thing that the machine should have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preflight {
    /// A tool with its version constraint, or a port.
    pub what: String,
    /// Whether it is as asked; none where it could not be told.
    pub ok: Option<bool>,
    /// What was seen.
    pub seen: String,
}

/// The figures of the whole, in percent and points, rounded toward zero; what is claimed, as it was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Borne by evidence.
    pub verified: f64,
    /// What it would be if all that is unverified held.
    pub ceiling: f64,
    /// The share that persons' words stand for.
    pub attested: f64,
    /// What is claimed; none where nothing is.
    pub claimed: Option<f64>,
    /// Claimed minus verified; over the components that claim where there is no claim for the whole.
    pub gap: Option<f64>,
    /// Whether claimed and gap cover only the components that claim.
    #[serde(default)]
    pub partly_claimed: bool,
}

/// A row of the status table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRow {
    /// The group's or the component's title.
    pub title: String,
    /// The components in it.
    pub components: Vec<String>,
    /// Their weights together.
    pub weight: f64,
    /// Percent.
    pub verified: f64,
    /// Percent.
    pub ceiling: f64,
    /// Percent.
    pub attested: f64,
    /// Percent; over those that claim.
    pub claimed: Option<f64>,
    /// Points; over those that claim.
    pub gap: Option<f64>,
    /// The weakest level that carries one of them.
    pub level: Option<Level>,
    /// When the oldest evidence behind it was had.
    pub oldest: Option<Timestamp>,
}

/// A component and what it reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentRow {
    /// Its id.
    pub id: String,
    /// Its name in the table.
    pub title: String,
    /// The row under which it is shown.
    pub group: Option<String>,
    /// Its share of the whole.
    pub weight: f64,
    /// Percent.
    pub verified: f64,
    /// Percent.
    pub ceiling: f64,
    /// Percent.
    pub attested: f64,
    /// Percent.
    pub claimed: Option<f64>,
    /// Points.
    pub gap: Option<f64>,
    /// The level that carries it.
    pub level: Option<Level>,
    /// What holds it down, and what would lift it.
    pub cap: Option<Cap>,
    /// The level that the manifest says is all there is to know.
    pub enough: Option<Level>,
    /// Whether it is in the denominator: false where none of its checks apply.
    pub applicable: bool,
    /// Whether it was declared without a check.
    pub no_checks: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// When its oldest evidence was had.
    pub oldest: Option<Timestamp>,
}

/// A cap that holds a component down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cap {
    /// Percent.
    pub percent: f64,
    /// The level that has the cap.
    pub level: Level,
    /// What would lift it.
    pub lift: String,
}

/// A check, its judgement and its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRow {
    /// Its id.
    pub id: String,
    /// The component that it counts for; its own id where it declares none.
    pub component: String,
    /// The statement.
    pub says: String,
    /// The probe's kind.
    pub probe: String,
    /// Its share within the component.
    pub weight: f64,
    /// Whether some gate requires it by itself.
    pub blocking: bool,
    /// Whether it applies to this project; one that does not is outside score and gates.
    pub applicable: bool,
    /// Whether it is outside score and gates by declaration.
    pub optional: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// 0 to 1.
    pub credit: f64,
    /// 0 to 1.
    pub potential: f64,
    /// Credit and potential as exact fractions.
    #[serde(default)]
    pub exact: Exact,
    /// The credit from which gates accept it, where that makes them.
    pub accepted_at: Option<f64>,
    /// The strength of its evidence.
    pub level: Level,
    /// Counted results.
    pub counts: Option<Counts>,
    /// Measured figures.
    pub measures: BTreeMap<String, f64>,
    /// What exit status and results contradict each other in.
    pub contradiction: Option<String>,
    /// What its waiver does today.
    pub waiver: Option<WaiverState>,
    /// The run that the evidence is from, where it is not this one.
    pub recorded: Option<String>,
    /// The commit of that run.
    #[serde(default)]
    pub recorded_at: Option<String>,
    /// Whether the check was due and its recorded evidence stands for it, since nothing that it depends on has changed.
    #[serde(default)]
    pub reused: bool,
    /// Who wrote an attestation, by git; none where git does not know, and for every other check.
    #[serde(default)]
    pub author: Option<Author>,
    /// Why the recorded evidence is about something else than what was judged, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
    /// What each machine saw of it, where the report was put together from those of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
    /// Whether what it sees may change while the project's files do not.
    #[serde(default)]
    pub outside: bool,
    /// The looks at it, as far back as a gate asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
    /// The highest figures that were ever recorded of it, by name, where a document speaks of a change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<String, f64>,
    /// When its evidence was had.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// How long it took to have it.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// What is odd about it, held against earlier looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What came of it when it was last proved, where that still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The resolved definition.
    pub definition: Check,
    /// What was observed; none where nothing was.
    pub evidence: Option<Evidence>,
}

/// What one machine saw of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// The machine's name.
    pub host: String,
    /// Its system, where that is known.
    pub os: Option<String>,
    /// The run that it is from.
    pub run: String,
    /// What was judged from it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

impl CheckRow {
    /// Whether it counts: it applies, and is not optional.
    pub fn counts_for_score(&self) -> bool {
        self.applicable && !self.optional
    }

    /// Whether other checks and gates may build on it: verified, or accepted.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Verified || self.accepted_at.is_some()
    }

    /// Whether the run that the report is about looked at it, rather than take what was recorded before.
    pub fn was_observed(&self) -> bool {
        self.recorded.is_none() && self.started.is_some()
    }
}

/// A credit and a potential, exactly: `39/40`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exact {
    /// 0 to 1.
    #[serde(with = "fraction")]
    #[schemars(with = "String")]
    pub credit: Ratio,
    /// The credit to 1.
    #[serde(with = "fraction")]
    #[schemars(with = "String")]
    pub potential: Ratio,
}

/// A fraction as the text `39/40`.
pub(super) mod fraction {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::domain::ratio::Ratio;

    /// The longest that is read: exact scores of thousands of checks have some thousand digits.
    const LONGEST: usize = 20_000;

    pub(in crate::domain) fn serialize<S: Serializer>(
        ratio: &Ratio,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(ratio)
    }

    pub(in crate::domain) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Ratio, D::Error> {
        let text = String::deserialize(from)?;
        let parsed = text.parse::<Ratio>().ok().filter(|_| text.len() <= LONGEST);
        parsed.ok_or_else(|| D::Error::custom("a fraction is wanted, like `39/40`"))
    }
}

/// The author of lines of the manifest, by git. Without a commit: somebody, since the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// The author's name.
    pub name: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// When it was written.
    pub at: Option<Timestamp>,
}

/// A waiver and what it does today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverRow {
    /// As declared.
    pub waiver: Waiver,
    /// What it does.
    pub state: WaiverState,
    /// Who wrote it, by git; none where git does not know.
    #[serde(default)]
    pub author: Option<Author>,
}

/// What decides about the exit status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The gates that decide; empty where the selected checks do.
    pub gates: Vec<String>,
    /// Whether they are open, or the selected checks stand.
    pub open: bool,
}
