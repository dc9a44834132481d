//! Whether reports go together: only those about the same project, files, manifest and split do, and each run once.

use std::collections::BTreeSet;
use std::fmt;

use super::super::again::asked;
use super::super::report::{CheckRow, Report, Run, Shard};
use super::{Named, parts};

/// Why reports do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none.
    Nothing,
    /// It is about recorded evidence, put together on one machine, and no run.
    NoRun(String),
    /// Its files changed while it ran, or there was no telling what they held.
    NoTree(String),
    /// Two that are not about the same.
    Differ {
        /// The one.
        one: String,
        /// The other.
        other: String,
        /// In what they differ.
        what: &'static str,
        /// What the one says.
        has: String,
        /// What the other says.
        other_has: String,
    },
    /// The same run stands in two of them.
    Twice {
        /// The run.
        run: String,
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// The number of its shard cannot be.
    NoShard(String, u32, u32),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Nothing => write!(f, "there is no report to merge"),
            Refusal::NoRun(name) => write!(
                f,
                "`{name}` is about recorded evidence and no run: `ready check --format json` makes a report of one"
            ),
            Refusal::NoTree(name) => write!(
                f,
                "`{name}` is about no state of the files that could be named: they were changed while it ran, or could \
                 not be told"
            ),
            Refusal::Differ {
                one,
                other,
                what,
                has,
                other_has,
            } => write!(
                f,
                "`{other}` differs from `{one}` in {what}: {other_has}, not {has}"
            ),
            Refusal::NoShard(name, index, of) => {
                write!(
                    f,
                    "`{name}` says that it is shard {index} of {of}: there is no such shard"
                )
            }
            Refusal::Twice { run, one, other } => {
                write!(f, "run {run} stands in both `{one}` and `{other}`")
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl Named {
    /// The run that it is about.
    pub(super) fn run(&self) -> Result<&Run, Refusal> {
        let run = self.report.run.as_ref();
        run.ok_or_else(|| Refusal::NoRun(self.name.clone()))
    }
}

/// Refuses two reports that are not about the same.
pub(super) fn go_together(one: &Named, other: &Named) -> Result<(), Refusal> {
    let (run, other_run) = (one.run()?, other.run()?);
    let differ = |what, has: String, other_has: String| {
        Err(Refusal::Differ {
            one: one.name.clone(),
            other: other.name.clone(),
            what,
            has,
            other_has,
        })
    };
    let quoted = |text: &str| format!("`{text}`");
    if one.report.project != other.report.project {
        let (has, other_has) = (&one.report.project, &other.report.project);
        return differ("the project", quoted(has), quoted(other_has));
    }
    if run.tree != other_run.tree {
        return differ("the state of the files", state(run), state(other_run));
    }
    if run.manifest != other_run.manifest {
        let digest = |run: &Run| run.manifest.as_deref().map_or("none".to_string(), short);
        return differ("the manifest", digest(run), digest(other_run));
    }
    let versions = || {
        (
            format!("ready {}", one.report.ready),
            format!("ready {}", other.report.ready),
        )
    };
    let ids = |report: &Report| {
        let ids = report.checks.iter().map(|row| row.id.clone());
        ids.collect::<Vec<_>>()
    };
    if ids(&one.report) != ids(&other.report) {
        let (has, other_has) = versions();
        return differ("the checks that its manifest comes to", has, other_has);
    }
    for (what, alike) in rules(&one.report, &other.report) {
        if !alike {
            let (has, other_has) = versions();
            return differ(what, has, other_has);
        }
    }
    let applies = one.report.checks.iter().zip(&other.report.checks);
    for (row, other_row) in applies {
        if row.applicable != other_row.applicable {
            let words = |row: &CheckRow| match row.applicable {
                true => format!("`{}` applies", row.id),
                false => format!("`{}` does not apply", row.id),
            };
            return differ("what applies", words(row), words(other_row));
        }
    }
    Ok(())
}

fn state(run: &Run) -> String {
    let tree = run.tree.as_deref().map_or("none".to_string(), short);
    match (&run.commit, run.dirty) {
        (Some(commit), Some(true)) => {
            format!("{tree} (commit {} with uncommitted changes)", short(commit))
        }
        (Some(commit), _) => format!("{tree} (commit {})", short(commit)),
        (None, _) => tree,
    }
}

/// The beginning of a digest or of a commit: enough to tell it from another.
fn short(digest: &str) -> String {
    let (kind, hex) = digest
        .split_once(':')
        .map_or(("", digest), |(kind, hex)| (kind, hex));
    let hex = hex.chars().take(12).collect::<String>();
    match kind {
        "" => hex,
        kind => format!("{kind}:{hex}…"),
    }
}

pub(super) fn no_run_twice(reports: &[Named]) -> Result<(), Refusal> {
    let all = || {
        reports.iter().flat_map(|named| {
            let parts = parts(&named.report).into_iter();
            parts.map(|part| (part.run, &named.name))
        })
    };
    for (at, (run, other)) in all().enumerate() {
        if let Some((_, one)) = all().take(at).find(|(known, _)| *known == run) {
            return Err(Refusal::Twice {
                run,
                one: one.clone(),
                other: other.clone(),
            });
        }
    }
    Ok(())
}

/// By what two reports of the same manifest were judged, and whether it is the same: it is not where another `ready` or
/// another library made it, or somebody changed it.
fn rules(one: &Report, other: &Report) -> [(&'static str, bool); 5] {
    // What one command line asked for is no rule of the project.
    let gates = |report: &Report| {
        let gates = report.policies.iter();
        gates
            .filter(|gate| !gate.name.starts_with("--"))
            .cloned()
            .collect::<Vec<_>>()
    };
    let waivers = |report: &Report| {
        let waivers = report.waivers.iter().map(|row| row.waiver.clone());
        waivers.collect::<Vec<_>>()
    };
    // How a tool is installed differs by system, and is no part of what is asked.
    let definitions = |report: &Report| {
        let definitions = report.checks.iter().map(|row| {
            let mut definition = asked(&row.definition);
            if let Some(tool) = &mut definition.needs_tool {
                tool.install = None;
            }
            definition
        });
        definitions.collect::<Vec<_>>()
    };
    [
        ("the rules of its gates", gates(one) == gates(other)),
        ("its waivers", waivers(one) == waivers(other)),
        (
            "the definitions of its checks",
            definitions(one) == definitions(other),
        ),
        ("its components and claims", one.declared == other.declared),
        ("its caps", one.caps == other.caps),
    ]
}

/// Refuses reports of which two say that they are about something else. Who says nothing contradicts nobody.
pub(super) fn same_about(reports: &[Named]) -> Result<(), Refusal> {
    for what in ["what was judged", "where it was judged"] {
        let says = |run: &Run| match what {
            "what was judged" => run.artifact.clone(),
            _ => run.environment.clone(),
        };
        let mut said: Option<(&Named, String)> = None;
        for named in reports {
            let Some(words) = says(named.run()?) else {
                continue;
            };
            match &said {
                Some((one, has)) if *has != words => {
                    return Err(Refusal::Differ {
                        one: one.name.clone(),
                        other: named.name.clone(),
                        what,
                        has: format!("`{has}`"),
                        other_has: format!("`{words}`"),
                    });
                }
                _ => said = Some((named, words)),
            }
        }
    }
    Ok(())
}

/// The most shards that a split can have.
pub(super) const MOST_SHARDS: u32 = 1_000;

/// Refuses parts of different splits, and says which are missing of the one that there is.
pub(super) fn missing_shards(reports: &[Named]) -> Result<Vec<String>, Refusal> {
    let mut all = reports.iter().flat_map(|named| {
        let parts = parts(&named.report).into_iter();
        parts.map(move |part| (part.shard, &named.name))
    });
    let Some((shard, one)) = all.next() else {
        return Ok(vec![]);
    };
    for named in reports {
        for shard in parts(&named.report)
            .into_iter()
            .filter_map(|part| part.shard)
        {
            if shard.index == 0 || shard.index > shard.of || shard.of > MOST_SHARDS {
                return Err(Refusal::NoShard(named.name.clone(), shard.index, shard.of));
            }
        }
    }
    let mut there = shard
        .iter()
        .map(|shard| shard.index)
        .collect::<BTreeSet<_>>();
    for (other_shard, other) in all {
        let split = |shard: &Option<Shard>| {
            let shard = shard.as_ref();
            shard.map(|shard| (shard.of, shard.split.clone()))
        };
        if split(&shard) != split(&other_shard) {
            let words = |shard: &Option<Shard>| match shard {
                Some(shard) => format!("{} shards, {}", shard.of, short(&shard.split)),
                None => "none".to_string(),
            };
            return Err(Refusal::Differ {
                one: one.clone(),
                other: other.clone(),
                what: "how the checks were split",
                has: words(&shard),
                other_has: words(&other_shard),
            });
        }
        there.extend(other_shard.map(|shard| shard.index));
    }
    let of = shard.map_or(0, |shard| shard.of);
    let missing = (1..=of)
        .filter(|index| !there.contains(index))
        .map(|index| missing_words(index, of));
    Ok(missing.collect())
}

pub(super) fn missing_words(index: u32, of: u32) -> String {
    format!("shard {index} of {of} is missing: its checks are not run")
}

/// The same manifest can come to different checks: another `ready`, another library.
pub(super) fn same_definition(reports: &[Named], at: usize) -> Result<(), Refusal> {
    let mut bound = reports.iter().filter_map(|named| {
        let row = &named.report.checks[at];
        let evidence = row.evidence.as_ref().filter(|_| row.stale.is_none())?;
        Some((named, &row.id, &evidence.binding.definition))
    });
    let Some((one, id, definition)) = bound.next() else {
        return Ok(());
    };
    match bound.find(|(.., other)| *other != definition) {
        None => Ok(()),
        Some((other, ..)) => Err(Refusal::Differ {
            one: one.name.clone(),
            other: other.name.clone(),
            what: "what a check is",
            has: format!("that of ready {}", one.report.ready),
            other_has: format!("`{id}` as ready {} has it", other.report.ready),
        }),
    }
}
