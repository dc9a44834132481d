//! `ready lint`: checks that cannot fail, or cannot matter. Nothing is run.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::session::Session;
use super::{Exit, Global, print_text, written};
use crate::domain::finding::{Finding, Severity};
use crate::lint::{Input, lint};
use crate::manifest;
use crate::reporter;
use crate::tree;

/// Find checks that cannot fail or cannot matter; nothing is run
///
/// Commands that end well whatever happens (`|| true`, `; true`, a pipe without pipefail, `--exit-zero`, `curl` without
/// `--fail`, `echo` as the check), also one level down, in a script of package.json, a Makefile or a file; expectations that
/// always hold; weights that decide no gate, gates that can never open, needs that hide a check, patterns that would take a
/// failure for something else, waivers without an end. Shell text is read as a shell reads it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready lint
  ready lint --deny                 exit 1 where there is an error or a warning: for CI
  ready lint --deny error
  ready lint --format github        annotations in a pull request
  ready lint --format json")]
pub(super) struct Options {
    /// Exit 1 where there is a finding of this kind or a worse one [default: exit 0 whatever is found]
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "warning", require_equals = false)]
    deny: Option<Kind>,
    /// The output: table, json or github
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json", "github"])]
    format: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Error,
    Warning,
    Note,
}

impl Kind {
    /// The mildest finding that is refused.
    fn severity(self) -> Severity {
        match self {
            Kind::Error => Severity::Error,
            Kind::Warning => Severity::Warning,
            Kind::Note => Severity::Note,
        }
    }
}

/// The largest file that is read one level down.
const MOST: u64 = 1 << 20;

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::open(global)?;
    let findings = find(&session)?;
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            reporter::lint::json(&findings, &mut text)?;
            written(&[&text])?;
        }
        "github" => {
            reporter::lint::github(&findings, &mut text)?;
            written(&[&text])?;
        }
        _ => {
            reporter::lint::render(&findings, global.style(), &mut text)?;
            text.flush()?;
            print_text(&text)?;
        }
    }
    let denied = options.deny.map(Kind::severity);
    let refused = |least: Severity| findings.iter().any(|finding| finding.severity <= least);
    Ok(match denied.is_some_and(refused) {
        true => Exit::Closed,
        false => Exit::Open,
    })
}

/// What there is to find in a manifest.
fn find(session: &Session) -> Result<Vec<Finding>> {
    let Some(path) = &session.manifest else {
        return Ok(vec![]);
    };
    let text = manifest::read(path)?;
    let read = |name: &str| text_of(&session.folder.join(name));
    let own = tree::files(&session.folder).into_iter();
    let own = own.map(|path| path.to_string_lossy().replace('\\', "/"));
    let workflows = own.filter(|name| {
        let inner = name.strip_prefix(".github/workflows/");
        inner.is_some_and(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
    });
    let workflows = workflows.collect::<Vec<_>>();
    let mut findings = lint(&Input {
        project: &session.project,
        file: &path.display().to_string(),
        text: &text,
        today: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        read: &read,
        workflows: &workflows,
    });
    // Files one level down are named as the manifest is: from here.
    let beside = path.parent().unwrap_or(Path::new(""));
    let manifest = path.display().to_string();
    for finding in &mut findings {
        if finding.file != manifest {
            finding.file = beside.join(&finding.file).display().to_string();
        }
    }
    Ok(findings)
}

/// The text of a file; none where it is none, or too large for a script.
fn text_of(path: &Path) -> Option<String> {
    let data = std::fs::metadata(path).ok()?;
    (data.is_file() && data.len() <= MOST).then(|| std::fs::read_to_string(path).ok())?
}
