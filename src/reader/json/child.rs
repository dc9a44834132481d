//! The child that puts queries to a document, seen from both sides. It is this program itself, started by a verb that
//! nobody types, with a clean environment, little memory and little time: what a query does to it happens to nobody else.
//!
//! The document goes to its standard input, after one line with the queries. On its standard output it says when the
//! document was read and then each answer, a line each, so that where it ends too soon it is known at what.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use super::super::short;
use super::jq::{self, Query};
use super::{Answer, STACK};
use crate::process::{self, Cancel, Command, End, Environment, Finished, Keep};

/// The verb that starts it.
pub const VERB: &str = "__jq";

/// Memory that it may take beyond what the document itself needs, in bytes.
#[cfg(unix)]
const MEMORY: u64 = (512 << 20) + STACK as u64;
/// Memory for each byte of a document. One of 200,000 small objects was seen to take 19.
#[cfg(unix)]
const MEMORY_PER_BYTE: u64 = 32;
/// Processor time that it may take, in seconds, and the size of a document that adds another one.
const SECONDS: u64 = 3;
const BYTES_PER_SECOND: u64 = 8 << 20;
/// On a machine with other work, the time by the clock is longer than that of the processor.
const CLOCK: u64 = 5;

/// Puts named queries to a document: their answers in order, or what is wrong with the document.
///
/// # Errors
/// Why there are no answers, in words: that is no fault of the document.
pub(super) fn ask(
    queries: &[(&str, &str)],
    document: &[u8],
    cancel: &Cancel,
) -> Result<Result<Vec<Answer>, String>, String> {
    let no_child = |error: &dyn std::fmt::Display| {
        format!("the process that reads its results did not start: {error}")
    };
    let program = std::env::current_exe().map_err(|error| no_child(&error))?;
    let texts = queries.iter().map(|(_, text)| text).collect::<Vec<_>>();
    let mut input = serde_json::to_vec(&texts).map_err(|error| no_child(&error))?;
    input.push(b'\n');
    input.extend_from_slice(document);
    let seconds = seconds(document.len() as u64);
    let command = Command {
        cwd: program.parent().unwrap_or(&program).to_path_buf(),
        program,
        args: vec![VERB.into()],
        env: Environment {
            clean: true,
            set: Default::default(),
        },
        stdin: Some(input.into()),
        limit: Duration::from_secs(CLOCK * seconds),
        grace: Command::GRACE,
        keep: Keep::TO_READ,
        leaves_running: false,
        hear: None,
    };
    let finished = process::run(&command, cancel);
    let kept = finished.stdout.kept();
    let mut lines = kept.split_inclusive(|byte| *byte == b'\n');
    let read = lines
        .next()
        .and_then(|line| serde_json::from_slice::<Result<(), String>>(line).ok());
    let answers = lines.map_while(|line| serde_json::from_slice::<Answer>(line).ok());
    let answers = answers.collect::<Vec<_>>();
    match read {
        Some(Err(problem)) => Ok(Err(problem)),
        Some(Ok(())) if answers.len() == queries.len() && finished.end == End::Exit(0) => {
            Ok(Ok(answers))
        }
        _ => {
            let at = match (&read, queries.get(answers.len())) {
                (Some(_), Some((name, text))) => {
                    format!("the query of `{name}`, `{}`,", short(text))
                }
                _ => "reading its JSON".to_string(),
            };
            Err(match &finished.end {
                End::Spawn(failure) => no_child(&failure.text),
                End::Cancelled => format!("{at} was stopped with the run"),
                _ => format!("{at} {}", over(&finished, seconds)),
            })
        }
    }
}

fn seconds(length: u64) -> u64 {
    SECONDS + length / BYTES_PER_SECOND
}

/// Why a child that ended too soon did, by what Rust's runtime says last and by the signal.
fn over(finished: &Finished, seconds: u64) -> String {
    let said = String::from_utf8_lossy(&finished.stderr.kept()).into_owned();
    match finished.end {
        End::Timeout => format!("took too long: more than {} s", CLOCK * seconds),
        _ if said.contains("overflowed its stack") => "goes too deep".into(),
        _ if said.contains("memory allocation") => "needs too much memory".into(),
        #[cfg(unix)]
        End::Signal(signal) if signal == rustix::process::Signal::XCPU.as_raw() => {
            format!("took too long: more than {seconds} s of processor time")
        }
        End::Signal(signal) => format!("was ended by signal {signal}"),
        _ => "ended without an answer".into(),
    }
}

/// The child: reads its input, answers, ends.
pub fn serve() -> ExitCode {
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer() -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut queries = vec![];
    stdin.read_until(b'\n', &mut queries)?;
    let queries = serde_json::from_slice::<Vec<String>>(&queries)?;
    let mut document = vec![];
    stdin.read_to_end(&mut document)?;
    limit(document.len() as u64)?;
    let answering = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || say_all(&queries, &document))?;
    answering
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a panic")))
}

fn say_all(queries: &[String], document: &[u8]) -> io::Result<()> {
    let document = jq::parse(document);
    say(&document.as_ref().map(|_| ()).map_err(String::as_str))?;
    let Ok(document) = document else {
        return Ok(());
    };
    for query in queries {
        say(&match Query::compile(query) {
            Ok(query) => query.answer(document.clone()),
            Err(mistake) => Answer::Failed(mistake.text),
        })?;
    }
    // Deep values take stack to be dropped, and this process ends anyway.
    std::mem::forget(document);
    Ok(())
}

fn say(what: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Limits this process for good. Where the system has no such limits, the deadline of whoever asks is the only one.
#[cfg(unix)]
fn limit(length: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Never above a limit that stands already, which the system would refuse.
    let lower = |resource, soft: u64, hard: u64| {
        let held = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit {
            current: Some(soft.min(held)),
            maximum: Some(hard.min(held)),
        };
        setrlimit(resource, limit)
    };
    // An abort is expected, and nobody reads its core.
    lower(Resource::Core, 0, 0)?;
    // KILL follows where XCPU does not end it.
    lower(Resource::Cpu, seconds(length), seconds(length) + 1)?;
    let most = MEMORY.saturating_add(length.saturating_mul(MEMORY_PER_BYTE));
    let memory = lower(Resource::As, most, most);
    // Elsewhere the kernel may refuse such a limit, or take it and not hold it.
    if cfg!(target_os = "linux") {
        memory?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit(_: u64) -> io::Result<()> {
    Ok(())
}
