//! `tool`: whether a program is on PATH, and which version it says it is.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::check::ToolProbe;
use crate::domain::evidence::{Attempt, Failure, Outcome, SpawnFailure};
use crate::domain::expectation::{Checked, Held};
use crate::domain::version::{Constraint, Version};
use crate::process::{self, Cancel, Command, End, Environment, Keep};

/// How long a tool may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn observe(probe: &ToolProbe, folder: &Path, cancel: &Cancel) -> Attempt {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let attempt = |outcome| Attempt::new(started, clock.elapsed().as_millis() as u64, outcome);
    match look(
        &probe.name,
        probe.version.as_deref().unwrap_or("*"),
        folder,
        cancel,
    ) {
        Err(failure) => attempt(Outcome::Spawn(failure)),
        Ok(seen) => {
            let (held, seen_text) = match seen.holds {
                Some(true) => (Held::Yes, String::new()),
                Some(false) => (Held::No, format!("it is {}", seen.text)),
                None => (Held::Unknown, seen.text),
            };
            let what = match &probe.version {
                Some(version) => format!("`{}` is {version}", probe.name),
                None => format!("`{}` is on PATH", probe.name),
            };
            let checked = vec![Checked {
                what,
                held,
                seen: seen_text,
            }];
            Attempt {
                checked,
                ..attempt(Outcome::Looked)
            }
        }
    }
}

/// What was seen of a tool.
pub(super) struct Seen {
    /// Whether its version is as asked; none where it does not tell.
    pub(super) holds: Option<bool>,
    /// Its version, or where it is.
    pub(super) text: String,
}

/// Finds a tool and asks it for its version, unless any will do.
pub(super) fn look(
    name: &str,
    constraint: &str,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Seen, Failure<SpawnFailure>> {
    let program = process::resolve(name, folder, &Environment::default())?;
    if constraint.trim() == "*" {
        return Ok(Seen {
            holds: Some(true),
            text: format!("found at {}", program.display()),
        });
    }
    let ask = |flag| version(&program, flag, folder, cancel);
    let version = ["--version", "-v", "version"].into_iter().find_map(ask);
    Ok(match (version, Constraint::parse(constraint)) {
        (Some(version), Some(wanted)) => Seen {
            holds: Some(wanted.holds(&version)),
            text: version.text(),
        },
        _ => Seen {
            holds: None,
            text: "it does not tell its version".to_string(),
        },
    })
}

fn version(program: &Path, flag: &str, folder: &Path, cancel: &Cancel) -> Option<Version> {
    let command = Command {
        program: program.to_path_buf(),
        args: vec![flag.into()],
        cwd: folder.to_path_buf(),
        env: Environment::default(),
        stdin: None,
        limit: VERSION_WITHIN,
        grace: Command::GRACE,
        keep: Keep::TO_SHOW,
        leaves_running: false,
        hear: None,
    };
    let finished = process::run(&command, cancel);
    let text = [finished.stdout.head, finished.stderr.head].concat();
    (finished.end == End::Exit(0)).then(|| Version::find(&String::from_utf8_lossy(&text)))?
}
