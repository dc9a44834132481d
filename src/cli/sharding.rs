//! One shard of several: which of the checks that are due this machine runs, and which digest the whole split has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::session::Session;
use super::{Usage, report_file};
use crate::domain::report;
use crate::domain::shard;

/// The most shards that checks are split into.
const MOST: u32 = 1000;

/// The part of the checks that this machine runs.
#[derive(Args, Debug, Default)]
pub(super) struct Sharding {
    /// Run one of several shares of the checks, as `2/5`: each is for one machine, `ready merge` puts their reports together
    #[arg(long, value_name = "K/N")]
    shard: Option<Share>,
    /// A report that says how long each check takes, so that the shards end together [default: all take equally long]
    #[arg(long, value_name = "REPORT", requires = "shard")]
    durations: Option<PathBuf>,
}

/// Which share of how many.
#[derive(Clone, Copy, Debug)]
struct Share {
    index: u32,
    of: u32,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let share = text
            .split_once('/')
            .and_then(|(index, of)| Some((number(index)?, number(of)?)));
        match share {
            Some((index, of)) if (1..=of).contains(&index) && of <= MOST => Ok(Share { index, of }),
            Some((index, of)) if of > MOST || of == 0 => {
                Err(format!("{index} of {of}: there may be 1 to {MOST} shards"))
            }
            Some((index, of)) => Err(format!(
                "there is no shard {index} of {of}: they are counted from 1 to {of}"
            )),
            None => Err("write it like `2/5`: the second of five".to_string()),
        }
    }
}

/// How the checks that are due are split.
pub(super) struct Split {
    /// The share that this machine runs.
    pub(super) shard: report::Shard,
    /// The shard that each check is for, by place.
    pub(super) of: BTreeMap<usize, u32>,
    /// What a reader must know of it.
    pub(super) warnings: Vec<String>,
}

impl Sharding {
    /// The split of what is due; none where all of it is for this machine.
    pub(super) fn split(
        &self,
        session: &Session,
        due: &BTreeSet<usize>,
    ) -> Result<Option<Split>, Usage> {
        let Some(share) = self.shard else {
            return Ok(None);
        };
        let project = &session.project;
        let mut warnings = vec![];
        let durations = match &self.durations {
            None => vec![],
            Some(path) => {
                let known = shard::durations(project, &report_file::read(path)?);
                if !due.iter().any(|at| known[*at].is_some()) {
                    warnings.push(format!(
                        "`{}` says of no check that is due how long it takes: all count as equally long",
                        path.display()
                    ));
                }
                known
            }
        };
        let of = shard::split(project, due, &durations, share.of);
        // Whoever has the same manifest and the same split has the same digest.
        let mut hasher = blake3::Hasher::new();
        hasher.update(session.manifest_digest.as_bytes());
        for (at, shard) in &of {
            hasher.update(format!("\n{} {shard}/{}", project.checks[*at].id, share.of).as_bytes());
        }
        Ok(Some(Split {
            shard: report::Shard {
                index: share.index,
                of: share.of,
                split: format!("blake3:{}", hasher.finalize().to_hex()),
            },
            of,
            warnings,
        }))
    }
}

impl Split {
    /// Whether the check at a place is for this machine.
    pub(super) fn is_own(&self, at: usize) -> bool {
        self.of.get(&at) == Some(&self.shard.index)
    }

    /// Why the check at a place is not run here, where it is for another.
    pub(super) fn elsewhere(&self, at: usize) -> Option<String> {
        let shard = self.of.get(&at)?;
        let elsewhere = *shard != self.shard.index;
        elsewhere.then(|| format!("it is for shard {shard} of {}", self.shard.of))
    }
}
