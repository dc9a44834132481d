//! Looking: one file per kind of probe, specification in, evidence out. A probe that cannot look says so in its evidence;
//! it never fails the run.

mod command;
mod comments;
mod content;
mod dotenv;
pub mod file;
pub mod http;
mod links;
mod listen;
mod port;
pub mod preflight;
mod run;
pub mod service;
mod structured;
mod tool;
pub mod variable;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::check::{Check, FileProbe, Probe, Reader};
use crate::domain::evidence::{Attempt, Failure, LookFailure, Outcome, Reading, Stream};
use crate::domain::interpolate;
use crate::mask::Masker;
use crate::process::{Cancel, Captured, shortened};

pub use command::Programs;
pub(crate) use comments::commented_out;

/// Bytes of a stream that evidence keeps, after masking.
const STORED_HEAD: usize = 4 << 10;
const STORED_TAIL: usize = 16 << 10;

/// Turns a tool's results into figures: the reader and the bytes in, the figures or what is wrong out. The word to stop
/// is for one that may take its time.
pub type ReadResults = fn(&Reader, &[u8], &Cancel) -> Reading;

/// What every probe of a run looks with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The manifest's folder, absolute.
    pub folder: &'a Path,
    /// The run's id.
    pub run: &'a str,
    /// The word to stop.
    pub cancel: &'a Cancel,
    /// Takes secrets out of what is kept.
    pub masker: &'a Masker,
    /// The ports that services got.
    pub ports: &'a Ports,
    /// The HTTP clients.
    pub clients: &'a http::Clients,
    /// The readers.
    pub read: ReadResults,
}

/// The ports of the services that run, by id.
#[derive(Debug, Default)]
pub struct Ports(Mutex<BTreeMap<String, u16>>);

impl Ports {
    /// Notes the port of a service; false where another has it already.
    pub fn put(&self, service: &str, port: u16) -> bool {
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = !ports.values().any(|taken| *taken == port);
        if free {
            ports.insert(service.to_string(), port);
        }
        free
    }

    fn has(&self, port: u16) -> bool {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.values().any(|taken| *taken == port)
    }

    fn get(&self, service: &str) -> Option<u16> {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.get(service).copied()
    }
}

/// What one look gave.
#[derive(Debug)]
pub struct Look {
    /// The attempt.
    pub attempt: Attempt,
    /// Program and arguments, where one was to be started.
    pub command: Vec<String>,
    /// What else was looked at.
    pub target: Option<String>,
}

impl Look {
    /// A look of which nothing else is known.
    pub fn of(attempt: Attempt) -> Look {
        Look {
            attempt,
            command: vec![],
            target: None,
        }
    }
}

/// Looks once. Nothing in what comes back holds a secret that the masker knows.
pub fn observe(check: &Check, context: &Context<'_>) -> Look {
    let look = match &check.probe {
        Probe::Run(probe) => run::observe(check, probe, context),
        Probe::Http(probe) => http::observe_within(probe, check.timeout, context),
        Probe::File(probe) => {
            let attempt = match context.filled(&probe.pattern, check) {
                Ok((pattern, folder)) => file::observe(
                    &FileProbe {
                        pattern,
                        ..probe.clone()
                    },
                    &folder,
                ),
                Err(failure) => unseen(failure),
            };
            Look {
                target: Some(probe.pattern.clone()),
                ..Look::of(attempt)
            }
        }
        Probe::Variable(probe) => {
            let file = probe.file.as_deref().unwrap_or_default();
            let target = match &probe.file {
                Some(file) => format!("{} in {file}", probe.name),
                None => probe.name.clone(),
            };
            let attempt = match context.filled(file, check) {
                Ok((_, folder)) => {
                    variable::observe(probe, &folder, &|name| context.variable(name))
                }
                Err(failure) => unseen(failure),
            };
            Look {
                target: Some(target),
                ..Look::of(attempt)
            }
        }
        Probe::Port(probe) => Look {
            target: Some(format!("port {}", probe.port)),
            ..Look::of(port::observe(probe))
        },
        Probe::Tool(probe) => {
            let folder = context.folder.join(check.cwd.as_deref().unwrap_or("."));
            Look {
                target: Some(probe.name.clone()),
                ..Look::of(tool::observe(probe, &folder, context.cancel))
            }
        }
        Probe::Manual(_) => Look::of(Attempt::new(Timestamp::now(), 0, Outcome::Attested)),
    };
    context.masked(look)
}

/// An attempt that could not even look.
fn unseen(failure: Failure<LookFailure>) -> Attempt {
    Attempt::new(Timestamp::now(), 0, Outcome::Unseen(failure))
}

impl Context<'_> {
    /// A name that nobody else has, for what a check or a service of this run makes outside: containers, databases. Lower
    /// case, digits and hyphens.
    pub fn name_of(&self, id: &str) -> String {
        format!("ready-{}-{id}", self.run.to_lowercase())
    }

    /// The value of a name that a run knows: `env.NAME`, `services.ID.port`.
    fn known(&self, name: &str) -> Option<String> {
        match name.split_once('.')? {
            ("env", name) => self.variable(name),
            ("services", rest) => {
                let port = self.ports.get(rest.strip_suffix(".port")?)?;
                Some(port.to_string())
            }
            _ => None,
        }
    }

    /// A variable of the environment that `ready` runs in.
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// A text and the check's folder with `{env.NAME}` put in.
    fn filled(
        &self,
        text: &str,
        check: &Check,
    ) -> Result<(String, std::path::PathBuf), Failure<LookFailure>> {
        let filled = |text: &str| interpolate::values(text, |name| self.known(name));
        let both = filled(text).and_then(|text| {
            Ok((
                text,
                self.folder
                    .join(filled(check.cwd.as_deref().unwrap_or("."))?),
            ))
        });
        both.map_err(|name| Failure::new(LookFailure::MissingVariable, not_set(&name)))
    }

    /// What evidence keeps of a stream. Secrets are masked before anything is cut; next to a cut that the capture made,
    /// what could be a part of a secret is left out.
    pub fn stream(&self, captured: &Captured) -> Stream {
        let digest = captured.digest();
        let bytes = captured.bytes;
        if !captured.truncated() {
            let masked = self.masker.bytes(&captured.kept()).into_owned();
            return if masked.len() <= STORED_TAIL {
                Stream {
                    bytes,
                    digest,
                    truncated: false,
                    head: String::new(),
                    tail: lossy(&masked),
                    stored: None,
                }
            } else {
                self.cut(bytes, digest, &masked, &masked[STORED_HEAD..])
            };
        }
        let border = self.masker.border();
        let tail = captured.tail();
        let head = self.masker.bytes(&captured.head).into_owned();
        let tail = self.masker.bytes(&tail).into_owned();
        let head = &head[..head.len().saturating_sub(border)];
        self.cut(bytes, digest, head, &tail[border.min(tail.len())..])
    }

    fn cut(&self, bytes: u64, digest: String, head: &[u8], tail: &[u8]) -> Stream {
        let head = lossy(&head[..head.len().min(STORED_HEAD)]);
        let tail = lossy(&tail[tail.len().saturating_sub(STORED_TAIL)..]);
        Stream {
            bytes,
            digest,
            truncated: true,
            head,
            tail,
            stored: None,
        }
    }

    /// Masks every text that may hold what a program or a server said.
    fn masked(&self, mut look: Look) -> Look {
        let mask = |text: &mut String| {
            if let std::borrow::Cow::Owned(masked) = self.masker.text(text) {
                *text = masked;
            }
        };
        look.command.iter_mut().for_each(mask);
        look.target.iter_mut().for_each(mask);
        let attempt = &mut look.attempt;
        for checked in &mut attempt.checked {
            mask(&mut checked.what);
            mask(&mut checked.seen);
            shorten(&mut checked.seen);
        }
        attempt.cannot_tell.iter_mut().for_each(mask);
        attempt.cleanup.iter_mut().for_each(mask);
        attempt.leaked.iter_mut().for_each(|name| {
            mask(name);
            *name = shortened(name);
        });
        attempt.files.iter_mut().flatten().for_each(mask);
        for call in attempt.calls.iter_mut().flatten() {
            mask(&mut call.path);
            call.not_as_expected.iter_mut().for_each(mask);
            call.not_as_expected.iter_mut().for_each(shorten);
            mask_headers(&mut call.headers, &mask);
        }
        match &mut attempt.outcome {
            Outcome::Spawn(failure) => mask(&mut failure.text),
            Outcome::Unanswered(failure) => mask(&mut failure.text),
            Outcome::Unseen(failure) => mask(&mut failure.text),
            _ => {}
        }
        match &mut attempt.reading {
            Some(Reading::Results(results)) => results.failures.iter_mut().for_each(mask),
            Some(Reading::Unreadable(problem) | Reading::CannotTell(problem)) => {
                mask(problem);
                shorten(problem);
            }
            None => {}
        }
        if let Some(before) = attempt
            .waited
            .as_mut()
            .and_then(|waited| waited.before.as_mut())
        {
            mask(before);
            shorten(before);
        }
        if let Some(answer) = &mut attempt.answer {
            for redirect in &mut answer.redirects {
                mask(&mut redirect.to);
            }
            mask_headers(&mut answer.headers, &mask);
        }
        look
    }
}

fn mask_headers(headers: &mut [(String, String)], mask: &dyn Fn(&mut String)) {
    for (name, value) in headers {
        http::hide(name, value);
        mask(value);
    }
}

/// Cuts a text to what a person reads. After masking only: a cut may leave a part of a secret that no search finds.
fn shorten(text: &mut String) {
    const LONGEST: usize = 300;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
}

/// That a name in braces has no value.
fn not_set(name: &str) -> String {
    format!("`{{{name}}}` is not set")
}

/// Bytes as text: what is not UTF-8 is replaced.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
