//! What a service needs of a look: its program made ready, its port, whether it is healthy yet.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::command::{self, Declared};
use super::{Context, http, port};
use crate::domain::check::HttpProbe;
use crate::domain::evidence::{Failure, HttpFailure, Outcome, SpawnFailure};
use crate::domain::expectation::Held;
use crate::domain::interpolate;
use crate::domain::service::{Health, Service, ServicePort};
use crate::process::{self, Command, Hear, Keep};

/// How long one question after a service's health may take.
const ONE_LOOK: Duration = Duration::from_secs(10);

/// Makes a program of a service ready: its own, or one that starts, stops or watches it.
///
/// # Errors
/// Why it cannot be started.
pub fn command(
    service: &Service,
    (argv, shell): (&[String], bool),
    port: Option<u16>,
    hear: Option<Hear>,
    context: &Context<'_>,
) -> Result<(Command, Vec<String>), Failure<SpawnFailure>> {
    let declared = Declared {
        id: &service.id,
        argv,
        shell,
        cwd: service.cwd.as_deref(),
        env: &service.env,
        clean_env: service.clean_env,
    };
    let own = |name: &str| port.filter(|_| name == "port").map(|port| port.to_string());
    let prepared = command::prepare(&declared, context, &own)?;
    // A shell would say that it is missing in words of its own, and end with a status of its own.
    if let Some(tool) = &service.needs_tool {
        process::resolve(&tool.name, &prepared.cwd, &prepared.env)?;
    }
    let command = Command {
        program: prepared.program,
        args: prepared.args,
        cwd: prepared.cwd,
        env: prepared.env,
        limit: Command::WITHOUT_LIMIT,
        grace: service.stop_within,
        keep: Keep::TO_SHOW,
        leaves_running: false,
        hear,
        stdin: None,
    };
    Ok((command, prepared.shown))
}

/// The port that a service gets: its own, which must be free, or a free one, which is noted for those that name it.
///
/// # Errors
/// Its own is taken by another program, or there is none.
pub fn port(
    service: &Service,
    context: &Context<'_>,
) -> Result<Option<u16>, Failure<SpawnFailure>> {
    if let Some(number) = asked_at(service, context) {
        is_free(number)?;
        // Not its own `port`, but that of nobody else either.
        context.ports.put(&format!("{}.health", service.id), number);
    }
    match service.port {
        None => Ok(None),
        Some(ServicePort::Fixed(number)) => {
            is_free(number)?;
            context.ports.put(&service.id, number);
            Ok(Some(number))
        }
        Some(ServicePort::Auto) => {
            let none = |error: std::io::Error| {
                Failure::new(
                    SpawnFailure::NoResources,
                    format!("there is no free port: {error}"),
                )
            };
            loop {
                let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(none)?;
                let number = socket.local_addr().map_err(none)?.port();
                // Two services that ask at the same time may be given the same one.
                if context.ports.put(&service.id, number) {
                    return Ok(Some(number));
                }
            }
        }
    }
}

/// The port of this machine at which it is asked for its health, where that is not its own and not one of another service
/// of the run. What answers there before the start would pass for it.
fn asked_at(service: &Service, context: &Context<'_>) -> Option<u16> {
    let Health::Http(probe) = &service.health else {
        return None;
    };
    let url = interpolate::values(&probe.url, |name| context.known(name)).ok()?;
    let number = http::local_port(&url)?;
    let known = service.port == Some(ServicePort::Fixed(number)) || context.ports.has(number);
    (!known).then_some(number)
}

fn is_free(number: u16) -> Result<(), Failure<SpawnFailure>> {
    if port::listens(number) || is_bound(number) {
        let text = format!("port {number} is taken by another program");
        return Err(Failure::new(SpawnFailure::PortTaken, text));
    }
    Ok(())
}

/// Whether a program has the port on the loopback without taking connections yet, or on any other address.
fn is_bound(number: u16) -> bool {
    [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED]
        .into_iter()
        .any(|address| {
            TcpListener::bind((address, number))
                .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
        })
}

/// Why a service is not healthy at this moment.
pub enum NotHealthy {
    /// It may yet be.
    Yet(String),
    /// Waiting does not help.
    Ever(String),
}

/// Looks once whether a service is healthy. Not for one that says so in its log.
///
/// # Errors
/// Why it is not.
pub fn look(
    service: &Service,
    number: Option<u16>,
    left: Duration,
    context: &Context<'_>,
) -> Result<(), NotHealthy> {
    match &service.health {
        Health::Started | Health::Log(_) => Ok(()),
        Health::Port => match number {
            Some(number) if port::listens(number) => Ok(()),
            _ => Err(NotHealthy::Yet("nothing listens on its port".to_string())),
        },
        Health::Http(probe) => {
            let own = |name: &str| match (name, number) {
                ("port", Some(number)) => Some(number.to_string()),
                // The probe itself puts in the rest.
                _ => Some(format!("{{{name}}}")),
            };
            let url = interpolate::values(&probe.url, own).unwrap_or_default();
            let probe = HttpProbe {
                url,
                ..(**probe).clone()
            };
            let attempt = http::observe(&probe, left.min(ONE_LOOK), context).attempt;
            match attempt.outcome {
                Outcome::Answered => {}
                Outcome::Unanswered(failure) => {
                    let for_good = matches!(
                        failure.kind,
                        HttpFailure::Certificate | HttpFailure::Name | HttpFailure::CannotSend
                    );
                    return Err(if for_good {
                        NotHealthy::Ever(failure.text)
                    } else {
                        NotHealthy::Yet(failure.text)
                    });
                }
                _ => return Err(NotHealthy::Yet("the run was stopped".to_string())),
            }
            let broken = attempt
                .checked
                .iter()
                .find(|checked| checked.held != Held::Yes);
            broken.map_or(Ok(()), |checked| {
                let text = format!(
                    "expected of {}: {}; {}",
                    probe.url, checked.what, checked.seen
                );
                Err(NotHealthy::Yet(text))
            })
        }
    }
}
