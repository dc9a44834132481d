//! What the manifest says that a machine should have: tools with versions, free ports. Looked at before the run, printed
//! first, never scored.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use crate::domain::project::Requires;
use crate::domain::report::Preflight;
use crate::domain::version::{Constraint, Version};
use crate::process::{self, Cancel, Command, End, Environment, Keep};

/// How long a tool may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(10);

/// Looks at everything that is asked for, every tool at once.
pub fn observe(requires: &Requires, folder: &Path, cancel: &Cancel) -> Vec<Preflight> {
    let tools = std::thread::scope(|scope| {
        let look = |(name, constraint): &'_ (String, String)| {
            let (name, constraint) = (name.clone(), constraint.clone());
            scope.spawn(move || tool(&name, &constraint, folder, cancel))
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

fn tool(name: &str, constraint: &str, folder: &Path, cancel: &Cancel) -> Preflight {
    let what = if constraint == "*" {
        name.to_string()
    } else {
        format!("{name} {constraint}")
    };
    let env = Environment::default();
    let program = match process::resolve(name, folder, &env) {
        Ok(program) => program,
        Err(failure) => {
            return Preflight {
                what,
                ok: Some(false),
                seen: failure.text,
            };
        }
    };
    let wanted = Constraint::parse(constraint);
    if constraint == "*" {
        return Preflight {
            what,
            ok: Some(true),
            seen: format!("found at {}", program.display()),
        };
    }
    let version = ["--version", "-v", "version"]
        .into_iter()
        .find_map(|flag| version(&program, flag, folder, cancel));
    match (version, wanted) {
        (Some(version), Some(wanted)) => Preflight {
            what,
            ok: Some(wanted.holds(&version)),
            seen: format!("found {}", version.text()),
        },
        _ => Preflight {
            what,
            ok: None,
            seen: "it does not tell its version".to_string(),
        },
    }
}

fn version(program: &Path, flag: &str, folder: &Path, cancel: &Cancel) -> Option<Version> {
    let command = Command {
        program: program.to_path_buf(),
        args: vec![flag.into()],
        cwd: folder.to_path_buf(),
        env: Environment::default(),
        limit: VERSION_WITHIN,
        keep: Keep::TO_SHOW,
        leaves_running: false,
    };
    let finished = process::run(&command, cancel);
    let text = [finished.stdout.head, finished.stderr.head].concat();
    if finished.end != End::Exit(0) {
        return None;
    }
    Version::find(&String::from_utf8_lossy(&text))
}

fn free_port(port: u16) -> Preflight {
    let what = format!("port {port}");
    match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
        Ok(_) => Preflight {
            what,
            ok: Some(true),
            seen: "free".to_string(),
        },
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Preflight {
            what,
            ok: Some(false),
            seen: "taken by another program".to_string(),
        },
        Err(error) => Preflight {
            what,
            ok: None,
            seen: error.to_string(),
        },
    }
}
