//! `ready ci github|gitlab`: a workflow in which several machines share the checks and one merges their reports. What is
//! printed is the user's from there on.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use super::session::{Session, deciding};
use super::{Exit, Global, Usage, writing, written};

/// Print a workflow for a CI system: machines that share the checks, and one that merges their reports
///
/// Each machine runs one shard of the checks and keeps its report; the last job makes one of them, and the gate decides
/// about its status. Where one machine is too small, the CI system is what brings more.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready ci github --output .github/workflows/readiness.yml
  ready ci github --shards 5 --gate production
  ready ci gitlab > readiness.gitlab-ci.yml          and `include` it")]
pub(super) struct Options {
    /// The CI system
    system: System,
    /// How many machines share the checks
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    shards: u32,
    /// The gate that decides [default: the default gate, else all]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,
    /// Write it there
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

/// The CI systems that there is a workflow for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum System {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
}

impl System {
    fn template(self) -> &'static str {
        match self {
            System::Github => include_str!("github.yml"),
            System::Gitlab => include_str!("gitlab.yml"),
        }
    }
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let gate = options
        .gate
        .as_deref()
        .map(|name| known(name, global))
        .transpose()?;
    let text = workflow(options.system, options.shards, gate);
    let Some(path) = &options.output else {
        written(&[text.as_bytes()])?;
        return Ok(Exit::Open);
    };
    if path.exists() && !options.force {
        let message = format!("there is a `{}` already", path.display());
        let hint = "`--force` writes over it, without `--output` it is printed".to_string();
        return Err(Usage::new(message, Some(hint)).into());
    }
    let cannot = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(cannot)?;
    }
    writing::replace(path, &text).with_context(cannot)?;
    Ok(Exit::Open)
}

fn workflow(system: System, shards: u32, gate: Option<&str>) -> String {
    let list = (1..=shards).map(|shard| shard.to_string());
    let gate = gate.map(|name| format!(" --gate {name}"));
    system
        .template()
        .replace("@SHARDS@", &shards.to_string())
        .replace("@LIST@", &list.collect::<Vec<_>>().join(", "))
        .replace("@GATE@", &gate.unwrap_or_default())
}

/// The name of a gate that the manifest here has, where there is one. It goes into a shell's line as it is.
fn known<'a>(name: &'a str, global: &Global) -> Result<&'a str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
        return Err(Usage::new(format!("`{name}` is no name of a gate"), None).into());
    }
    if let Some(session) = Session::find(global)? {
        deciding(&session.project.gates, Some(name))?;
    }
    Ok(name)
}
