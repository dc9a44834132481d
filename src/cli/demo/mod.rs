//! `ready demo`: a small project that lies in this program, laid out and checked like any other. Its status document
//! overclaims; its service and its tests are this program itself, so that nothing else need be installed.

mod actors;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub(super) use actors::{VERB, act};

use super::{Exit, Global, Usage, check, written};

/// Check a small project that comes with this program: claimed against verified in a second
///
/// Nothing else need be installed. The project is laid out in a temporary folder that is gone afterwards, or in DIR.
/// The exit status is 0 whatever the gate says: it is a demonstration.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready demo
  ready demo bookshop    lay it out there, to look at and to change; then: cd bookshop && ready check")]
pub(super) struct Options {
    /// Where to lay the project out and leave it; a folder that is not there yet, or empty
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// The project's files, by their place in it.
const FILES: [(&str, &str); 5] = [
    ("readiness.toml", include_str!("project/readiness.toml")),
    ("STATUS.md", include_str!("project/STATUS.md")),
    ("app/main.py", include_str!("project/app/main.py")),
    ("docs/rollback.md", include_str!("project/docs/rollback.md")),
    ("env.production", include_str!("project/env.production")),
];

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    if let Some(folder) = &options.folder {
        empty(folder)?;
        lay_out(folder)?;
        let shown = folder.display();
        let text = format!(
            "The bookshop is in {shown}. Its STATUS.md says: 95 % production ready.\n\n  cd {shown}\n  ready check                  what holds of that\n  ready explain tracker-wired  why, and how to mend it\n  ready check load             what runs on demand\n"
        );
        written(&[text.as_bytes()])?;
        return Ok(Exit::Open);
    }
    let folder = Temporary::new()?;
    lay_out(&folder.0)?;
    let global = Global {
        manifest: Some(folder.0.join(crate::manifest::FILE)),
        directory: None,
        ..*global
    };
    let exit = check::run(&check::Options::default(), &global)?;
    if !global.quiet && matches!(exit, Exit::Open | Exit::Closed) {
        let text = "\n\
            This was a demonstration: the bookshop's STATUS.md claims 95 %, and the table\n\
            says what is known of that.\n  \
            ready demo DIR    lays the bookshop out in DIR, to look at and to change\n  \
            ready check       in a project of yours; without a manifest it runs what its\n                    \
            files call for\n";
        written(&[text.as_bytes()])?;
    }
    Ok(match exit {
        // What a gate says of the bookshop is nobody's failure.
        Exit::Closed => Exit::Open,
        other => other,
    })
}

/// That a folder holds nothing, and is there.
fn empty(folder: &Path) -> Result<()> {
    let usage = |text: String| {
        Usage::new(
            text,
            Some("name one that is not there yet, or empty".into()),
        )
    };
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(usage(format!("`{}` is not empty", folder.display())).into());
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        Err(error) => {
            return Err(usage(format!("`{}` cannot be used: {error}", folder.display())).into());
        }
    }
    Ok(())
}

fn lay_out(folder: &Path) -> Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let program = toml::Value::String(program.display().to_string()).to_string();
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let on = today.saturating_sub(10.days()).to_string();
    let expires = today.saturating_add(20.days()).to_string();
    for (name, text) in FILES {
        let path = folder.join(name);
        let text = text
            .replace("@READY@", &program)
            .replace("@ON@", &on)
            .replace("@EXPIRES@", &expires);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)?;
            file.write_all(text.as_bytes())
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// A folder that is gone with this.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Temporary> {
        let folder = std::env::temp_dir().join(format!("ready-demo-{}", ulid::Ulid::new()));
        fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        Ok(Temporary(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed lies where temporary things lie, under a name that says what it is.
        let _ = fs::remove_dir_all(&self.0);
    }
}
