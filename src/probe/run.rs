//! `run`: a program, its exit status, its output, and the results that its reader finds.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use globset::{GlobBuilder, GlobSetBuilder};
use jiff::Timestamp;
use regex::bytes::Regex;

use super::command::{self, Declared};
use super::listen::Listener;
use super::{Context, Look};
use crate::domain::check::{Check, Reader, ReaderInput, RunProbe};
use crate::domain::evidence::{Attempt, Failure, Outcome, Reading, SpawnFailure};
use crate::domain::expectation::Checked;
use crate::process::{self, Cancel, Captured, Command, End, Finished, Keep};
use crate::tree;

/// How far the clock of a file system may be behind this machine's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);
/// How long it may take to clean up after an attempt.
const CLEANUP_WITHIN: Duration = Duration::from_secs(120);
/// The largest result file that is read.
const RESULTS_AT_MOST: u64 = 64 << 20;

pub(super) fn observe(check: &Check, probe: &RunProbe, context: &Context<'_>) -> Look {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let refused = |failure| Look {
        command: probe.argv.clone(),
        ..Look::of(Attempt::new(
            started,
            clock.elapsed().as_millis() as u64,
            Outcome::Spawn(failure),
        ))
    };
    let listener = match &probe.listen {
        Some(listen) => match Listener::open(listen, context) {
            Ok(listener) => Some((listener, listen)),
            Err(failure) => return refused(failure),
        },
        None => None,
    };
    let own = |name: &str| {
        listener
            .as_ref()
            .and_then(|(listener, _)| listener.value(name))
    };
    let (command, shown) = match prepare(check, probe, context, &own) {
        Ok(prepared) => prepared,
        Err(failure) => return refused(failure),
    };
    let results = match probe.reader.as_ref().map(|reader| &reader.input) {
        Some(ReaderInput::File(name)) => Some(ResultFile::before(&command, name)),
        _ => None,
    };
    let finished = process::run(&command, context.cancel);
    let waited = match (&listener, &finished.end) {
        (Some((listener, _)), End::Exit(_)) => listener.wait(context.cancel),
        _ => true,
    };
    let took = clock.elapsed();
    let cleanup = cleanup(check, probe, context, &own);
    let (mut heard, mut calls) = (None, None);
    if let Some((listener, listen)) = listener {
        let all = listener.close(context);
        heard = Some(listen.judge(all.as_expected, all.in_all, all.nearest.as_deref()));
        calls = Some(all.kept);
    }
    let attempt = Attempt::new(
        started,
        took.as_millis() as u64,
        outcome(&finished.end, check),
    );
    let judged = matches!(finished.end, End::Exit(_));
    let reading = match &probe.reader {
        Some(reader) if judged => Some(read(reader, results, &finished, context)),
        _ => None,
    };
    let cut_short = context.cancel.told() > 0 && matches!(reading, Some(Reading::CannotTell(_)));
    let attempt = Attempt {
        outcome: match waited && !cut_short {
            true => attempt.outcome,
            false => Outcome::Cancelled,
        },
        reading,
        checked: if judged {
            heard.into_iter().chain(checked(probe, &finished)).collect()
        } else {
            vec![]
        },
        calls,
        cleanup,
        cannot_tell: if judged {
            cannot_tell(check, &finished)
        } else {
            None
        },
        stdout: Some(context.stream(&finished.stdout)),
        stderr: Some(context.stream(&finished.stderr)),
        leaked: finished.leaked,
        ..attempt
    };
    Look {
        command: shown,
        ..Look::of(attempt)
    }
}

/// Cleans up after an attempt, also where the run was stopped; gives what went wrong.
fn cleanup(
    check: &Check,
    probe: &RunProbe,
    context: &Context<'_>,
    own: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    if probe.cleanup.is_empty() {
        return None;
    }
    let cleaning = RunProbe {
        argv: probe.cleanup.clone(),
        shell: false,
        ..probe.clone()
    };
    let (command, shown) = match prepare(check, &cleaning, context, own) {
        Ok(prepared) => prepared,
        Err(failure) => return Some(failure.text),
    };
    let command = Command {
        limit: CLEANUP_WITHIN,
        keep: Keep::TO_SHOW,
        leaves_running: false,
        ..command
    };
    // The run's own word to stop may have been given: this is done all the same.
    let finished = match Cancel::new() {
        Ok(cancel) => process::run(&command, &cancel),
        Err(error) => return Some(error.to_string()),
    };
    if finished.end == End::Exit(0) {
        return None;
    }
    let text = String::from_utf8_lossy(&finished.stderr.kept()).into_owned();
    let words = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    Some(format!("`{}` did not do its work{words}", shown.join(" ")))
}

/// The program of a check, made ready to run.
fn prepare(
    check: &Check,
    probe: &RunProbe,
    context: &Context<'_>,
    own: &dyn Fn(&str) -> Option<String>,
) -> Result<(Command, Vec<String>), Failure<SpawnFailure>> {
    let declared = Declared {
        id: &check.id,
        argv: &probe.argv,
        shell: probe.shell,
        cwd: check.cwd.as_deref(),
        env: &check.env,
        clean_env: check.clean_env,
    };
    let mut prepared = command::prepare(&declared, context, own)?;
    // A shell would say that it is missing in words of its own, and so would a program that starts it.
    if let Some(tool) = &check.needs_tool {
        process::resolve(&tool.name, &prepared.cwd, &prepared.env)?;
    }
    if !probe.files.is_empty() {
        let names = given(&probe.files, &prepared.cwd)?;
        prepared.args.extend(names.iter().map(OsString::from));
        prepared.shown.extend(names);
    }
    let needs_all = probe
        .reader
        .as_ref()
        .is_some_and(|reader| !matches!(reader.input, ReaderInput::File(_)))
        || !probe.expect.stdout.is_empty()
        || !probe.expect.stderr.is_empty()
        || !check.cannot_tell.stdout.is_empty();
    let command = Command {
        program: prepared.program,
        args: prepared.args,
        cwd: prepared.cwd,
        env: prepared.env,
        limit: check.timeout,
        grace: Command::GRACE,
        keep: if needs_all {
            Keep::TO_READ
        } else {
            Keep::TO_SHOW
        },
        leaves_running: check.leaves_running,
        hear: None,
        stdin: None,
    };
    Ok((command, prepared.shown))
}

/// The names of the project's own files that match one of the patterns, relative to the working directory. None of
/// them can be taken for an option.
fn given(patterns: &[String], cwd: &Path) -> Result<Vec<String>, Failure<SpawnFailure>> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        globs.add(glob.map_err(|error| Failure::new(SpawnFailure::Other, error.to_string()))?);
    }
    let globs = globs
        .build()
        .map_err(|error| Failure::new(SpawnFailure::Other, error.to_string()))?;
    let mut names = tree::files(cwd)
        .into_iter()
        .filter(|file| globs.is_match(file) && cwd.join(file).is_file())
        .map(|file| match file.to_string_lossy() {
            name if name.starts_with('-') => format!("./{name}"),
            name => name.into_owned(),
        })
        .collect::<Vec<_>>();
    names.sort();
    if names.is_empty() {
        let patterns = patterns.join("`, `");
        let text = format!("no file of the project matches `{patterns}`");
        return Err(Failure::new(SpawnFailure::NoFiles, text));
    }
    Ok(names)
}

fn outcome(end: &End, check: &Check) -> Outcome {
    match end {
        End::Exit(status) => Outcome::Exit(*status),
        End::Signal(signal) => Outcome::Signal(*signal),
        End::Timeout => Outcome::Timeout(check.timeout.as_millis() as u64),
        End::Cancelled => Outcome::Cancelled,
        End::Spawn(failure) => Outcome::Spawn(failure.clone()),
    }
}

fn checked(probe: &RunProbe, finished: &Finished) -> Vec<Checked> {
    let hold =
        |expect: &crate::domain::expectation::TextExpect, name, stream: &Captured| match expect
            .is_empty()
        {
            true => vec![],
            false => expect.check(name, &stream.kept(), !stream.truncated()),
        };
    let mut results = hold(&probe.expect.stdout, "stdout", &finished.stdout);
    results.extend(hold(&probe.expect.stderr, "stderr", &finished.stderr));
    results
}

/// The first rule by which the tool could not do its work.
fn cannot_tell(check: &Check, finished: &Finished) -> Option<String> {
    let rules = &check.cannot_tell;
    let first = |patterns: &[String], name: &str, stream: &Captured| {
        let text = (!patterns.is_empty()).then(|| stream.kept())?;
        let mut found = patterns
            .iter()
            .filter_map(|pattern| Some(Regex::new(pattern).ok()?.find(&text)?.start()));
        Some(format!("{name} says `{}`", line_at(&text, found.next()?)))
    };
    first(&rules.stderr, "stderr", &finished.stderr)
        .or_else(|| first(&rules.stdout, "stdout", &finished.stdout))
}

/// The line around a place in a text, short enough to be read.
fn line_at(text: &[u8], at: usize) -> String {
    const LONGEST: usize = 200;
    let from = text[..at].iter().rposition(|byte| *byte == b'\n');
    let from = from.map_or(0, |before| before + 1);
    let line = text[from..].split(|byte| *byte == b'\n').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let line = line.trim();
    match line.char_indices().nth(LONGEST) {
        // Secrets are masked later, so that a cut must not leave a part of one.
        Some(_) => "a line that is too long to be shown".to_string(),
        None => line.to_string(),
    }
}

fn read(
    reader: &Reader,
    results: Option<ResultFile>,
    finished: &Finished,
    context: &Context<'_>,
) -> Reading {
    let stream = |stream: &Captured, name: &str| match stream.truncated() {
        true => Err(format!(
            "{name} is too long to be read: {} bytes",
            stream.bytes
        )),
        false => Ok(stream.kept()),
    };
    let bytes = match (&reader.input, results) {
        (ReaderInput::File(_), Some(file)) => file.after(),
        (ReaderInput::Stderr, _) => stream(&finished.stderr, "stderr"),
        _ => stream(&finished.stdout, "stdout"),
    };
    match bytes {
        Ok(bytes) => (context.read)(reader, &bytes, context.cancel),
        Err(problem) => Reading::Unreadable(problem),
    }
}

/// A file that a run must write. One from before is moved aside while it runs, so that neither a tool that left it alone
/// nor a `touch` can pass it off as new; it comes back where nothing takes its place.
struct ResultFile {
    name: String,
    path: PathBuf,
    aside: Option<PathBuf>,
    /// Why the one from before could not be moved aside.
    stuck: Option<String>,
    started: SystemTime,
}

impl ResultFile {
    fn before(command: &Command, name: &str) -> ResultFile {
        let path = command.cwd.join(name);
        // A name that nobody else has: nothing of the user's, and nothing that a killed run left, is written over.
        let mut aside = path.clone().into_os_string();
        aside.push(format!(".ready-before-{}", ulid::Ulid::new()));
        let (aside, stuck) = match std::fs::symlink_metadata(&path) {
            Err(_) => (None, None),
            Ok(data) if data.is_dir() => (None, Some("it is a directory".to_string())),
            Ok(_) => match std::fs::rename(&path, &aside) {
                Ok(()) => (Some(PathBuf::from(aside)), None),
                Err(error) => (None, Some(error.to_string())),
            },
        };
        ResultFile {
            name: name.to_string(),
            path,
            aside,
            stuck,
            started: SystemTime::now(),
        }
    }

    fn after(&self) -> Result<Vec<u8>, String> {
        let name = &self.name;
        if let Some(why) = &self.stuck {
            return Err(format!(
                "`{name}` was there before the run and could not be moved aside: {why}"
            ));
        }
        match std::fs::metadata(&self.path) {
            Err(_) if self.aside.is_some() => Err(format!(
                "`{name}` is older than the run: it was not written again"
            )),
            Err(_) => Err(format!("it did not write its results to `{name}`")),
            // Reading a pipe or a device may never end.
            Ok(data) if !data.is_file() => Err(format!("`{name}` is no regular file")),
            Ok(data) if data.len() > RESULTS_AT_MOST => Err(format!(
                "`{name}` is too large to be read: {} bytes",
                data.len()
            )),
            Ok(data)
                if data
                    .modified()
                    .is_ok_and(|at| at + CLOCKS_DIFFER < self.started) =>
            {
                Err(format!(
                    "`{name}` is older than the run: it was put there, not written"
                ))
            }
            Ok(_) => self
                .read()
                .map_err(|error| format!("`{name}` cannot be read: {error}")),
        }
    }
}

impl ResultFile {
    /// All of it, however it grows meanwhile.
    fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![];
        let file = std::fs::File::open(&self.path)?;
        file.take(RESULTS_AT_MOST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > RESULTS_AT_MOST {
            return Err(std::io::Error::other("it is too large"));
        }
        Ok(bytes)
    }
}

impl Drop for ResultFile {
    fn drop(&mut self) {
        let Some(aside) = &self.aside else { return };
        // What cannot be put back or taken away lies beside, under a name that says what it is.
        let _ = if self.path.exists() {
            std::fs::remove_file(aside)
        } else {
            std::fs::rename(aside, &self.path)
        };
    }
}
