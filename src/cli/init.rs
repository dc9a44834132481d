//! `ready init`: a manifest out of what the project's files call for.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::detection::Detection;
use super::documents;
use super::{Exit, Global, Usage, print_text, session, writing, written};
use crate::manifest::{self, Library};
use crate::sanitise::{self, Colour};

/// Detect what the project's files call for and write a manifest that checks it
///
/// The whole tree below this folder is looked at, without what git ignores and what others wrote. What was found, and by
/// which file, is told; the manifest runs as it is and says what can be added.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready init
  ready init --dry-run           print the manifest, write nothing
  ready init --force             write over the manifest that is there
  ready -C services/pay init     for a folder of its own")]
pub(super) struct Options {
    /// Write over a manifest that is there
    #[arg(long)]
    force: bool,
    /// Print the manifest on standard output and write nothing
    #[arg(long, visible_alias = "stdout")]
    dry_run: bool,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let path = global
        .manifest
        .clone()
        .unwrap_or_else(|| PathBuf::from(manifest::FILE));
    if !options.dry_run && !options.force && path.exists() {
        return Err(there_is_one(&path).into());
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let detection = Detection::of(folder, &Library::built_in())?;
    let documents = documents::that_claim(folder);
    let text = detection.manifest(Some(&documents));
    session::parse(manifest::FILE, &text).context("the manifest that was drafted does not load")?;
    let mut told = told(&detection);
    for document in &documents {
        let line = sanitise::line(&format!("claims {document}"), Colour::Drop);
        let _ = writeln!(told, "{line}");
    }
    if options.dry_run {
        if !global.quiet {
            let _ = io::stderr().write_all(told.as_bytes());
        }
        written(&[text.as_bytes()])?;
        return Ok(Exit::Open);
    }
    let done = match options.force {
        true => writing::replace(&path, &text),
        false => writing::create(&path, &text),
    };
    match done {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(there_is_one(&path).into());
        }
        other => other.with_context(|| format!("cannot write `{}`", path.display()))?,
    }
    let then = match detection.complete().next() {
        None => "write checks into it, it has an example",
        Some(_) => "`ready check` runs it",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(told, "wrote {}: {then}", path.display());
    let above = std::path::absolute(folder)?
        .parent()
        .and_then(manifest::find);
    if let Some(above) = above.filter(|_| global.manifest.is_none()) {
        let _ = writeln!(
            told,
            "from here on it counts in this folder, and {} does not",
            above.display()
        );
    }
    if !global.quiet {
        // It is written, whether or not anybody hears of it.
        let _ = print_text(told.as_bytes());
    }
    Ok(Exit::Open)
}

fn there_is_one(path: &Path) -> Usage {
    let hint = "`ready add NAME` adds a check to it, `--dry-run` prints what would be written, `--force` writes over it";
    Usage::new(
        format!("there is a `{}` already", path.display()),
        Some(hint.to_string()),
    )
}

/// What was found and by which file, a line for each.
fn told(detection: &Detection) -> String {
    if detection.found.is_empty() {
        return "found nothing here that a library check is for\n".to_string();
    }
    let widest = detection
        .found
        .iter()
        .map(|found| found.id.len())
        .max()
        .unwrap_or(0);
    let line = |found: &manifest::detect::Found| {
        let missing = found
            .missing
            .iter()
            .map(|param| format!("`{}`", param.name));
        let missing = missing.collect::<Vec<_>>().join(", ");
        let open = match missing.is_empty() {
            true => String::new(),
            false => format!("  (a comment until it says {missing})"),
        };
        let line = format!("found  {:widest$}  {}{open}", found.id, found.file);
        sanitise::line(&line, Colour::Drop) + "\n"
    };
    detection.found.iter().map(line).collect()
}
