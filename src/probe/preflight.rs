//! What the manifest says that a machine should have: tools with versions, free ports. Looked at before the run, printed
//! first, never scored.

use std::path::Path;

use super::{port, tool};
use crate::domain::project::Requires;
use crate::domain::report::Preflight;
use crate::process::Cancel;

/// Looks at everything that is asked for, every tool at once.
pub fn observe(requires: &Requires, folder: &Path, cancel: &Cancel) -> Vec<Preflight> {
    let tools = std::thread::scope(|scope| {
        let look = |(name, constraint): &'_ (String, String)| {
            let (name, constraint) = (name.clone(), constraint.clone());
            scope.spawn(move || tool_line(&name, &constraint, folder, cancel))
        };
        let threads = requires.tools.iter().map(look).collect::<Vec<_>>();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect::<Vec<_>>()
    });
    tools
        .into_iter()
        .chain(requires.ports.iter().map(|port| free_port(*port)))
        .collect()
}

fn tool_line(name: &str, constraint: &str, folder: &Path, cancel: &Cancel) -> Preflight {
    let what = if constraint == "*" {
        name.to_string()
    } else {
        format!("{name} {constraint}")
    };
    let (ok, seen) = match tool::look(name, constraint, folder, cancel) {
        Err(failure) => (Some(false), failure.text),
        Ok(seen) if constraint == "*" || seen.holds.is_none() => (seen.holds, seen.text),
        Ok(seen) => (seen.holds, format!("found {}", seen.text)),
    };
    Preflight { what, ok, seen }
}

fn free_port(number: u16) -> Preflight {
    let taken = port::listens(number);
    let seen = if taken {
        "taken by another program"
    } else {
        "free"
    };
    Preflight {
        what: format!("port {number}"),
        ok: Some(!taken),
        seen: seen.to_string(),
    }
}
