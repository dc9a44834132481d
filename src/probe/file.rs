//! Looks at files: whether they are there, how many, and what stands in them. Takes a resolved probe, hands back one
//! attempt. Links are not followed below the place where a pattern begins, and nothing that stands in a file reaches
//! the attempt, but for what a parser says of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use globset::GlobBuilder;
use ignore::WalkBuilder;
use jiff::Timestamp;

use super::content::Content;
use super::dotenv;
use super::links::Links;
use crate::domain::check::FileProbe;
use crate::domain::evidence::{Attempt, Failure, LookFailure, Outcome};
use crate::domain::expectation::{Checked, FileExpect, Held};
use crate::tree;

/// How many files an attempt names.
const NAMED: usize = 50;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// What begins a glob within a pattern.
const GLOB: [char; 4] = ['*', '?', '[', '{'];

/// Looks at the files that match the probe's pattern, relative to `base`.
pub(crate) fn observe(probe: &FileProbe, base: &Path) -> Attempt {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let (outcome, files, checked) = match look(probe, base) {
        Ok((files, checked)) => (Outcome::Looked, Some(files), checked),
        Err(failure) => (Outcome::Unseen(failure), None, vec![]),
    };
    let duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Attempt {
        files,
        checked,
        ..Attempt::new(started, duration_ms, outcome)
    }
}

/// What matches a pattern.
#[derive(Default)]
struct Found {
    /// Names as the pattern writes them, sorted, and where they are.
    files: Vec<(String, PathBuf)>,
    /// What could not be looked into, so that there may be more.
    denied: Option<String>,
}

fn look(
    probe: &FileProbe,
    base: &Path,
) -> Result<(Vec<String>, Vec<Checked>), Failure<LookFailure>> {
    let (pattern, expect) = (&probe.pattern, &probe.expect);
    let Found { files, denied } = find(pattern, base)?;
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let mut checked = vec![];
    if expect.absent {
        checked.push(Checked::new(
            format!("no file matches `{pattern}`"),
            files.is_empty(),
            || format!("there is {}", few(&names, ", ")),
        ));
    }
    if let Some(limit) = &expect.count {
        let what = format!("the number of files that match `{pattern}` is {limit}");
        checked.push(Checked::new(what, limit.holds(files.len() as f64), || {
            format!("it is {}", files.len())
        }));
    }
    let none_needed = !checked.is_empty();
    if expect.reads_content()
        && !(files.is_empty() && expect.absent)
        && (none_needed || !files.is_empty())
    {
        checked.extend(content(pattern, expect, base, &files)?);
    }
    if files.is_empty() && expect.reads_content() && !expect.absent {
        // Nothing is wrong in no files, and nothing is right.
        for checked in checked.iter_mut().skip(usize::from(expect.count.is_some())) {
            if checked.held == Held::Yes {
                checked.held = Held::Unknown;
                checked.seen = "no file matches".to_string();
            }
        }
    }
    match denied {
        // What was found decides, whatever else there may be.
        Some(_)
            if !files.is_empty()
                && !speaks_of_all(expect)
                && checked.iter().all(|c| c.held == Held::Yes) => {}
        Some(denied) => return Err(Failure::new(LookFailure::NoAccess, denied)),
        None if files.is_empty() && !none_needed => {
            let text = if is_plain(pattern) {
                format!("`{pattern}` is not there")
            } else {
                format!("no file matches `{pattern}`")
            };
            return Err(Failure::new(LookFailure::Absent, text));
        }
        None => {}
    }
    Ok((names.into_iter().take(NAMED).collect(), checked))
}

/// Whether a file that was not seen could refute what is expected.
fn speaks_of_all(expect: &FileExpect) -> bool {
    let every = !expect.text.lacks.is_empty()
        || !expect.keys.is_empty()
        || expect.keys_of.is_some()
        || expect.parses.is_some()
        || expect.links;
    expect.absent || expect.count.is_some() || every
}

fn content(
    pattern: &str,
    expect: &FileExpect,
    base: &Path,
    files: &[(String, PathBuf)],
) -> Result<Vec<Checked>, Failure<LookFailure>> {
    let example = match &expect.keys_of {
        Some(name) => Some((name.as_str(), names_in(name, base)?)),
        None => None,
    };
    let mut content = Content::new(pattern, is_plain(pattern), expect, example);
    let mut links = Links::default();
    for (name, path) in files {
        match read(path) {
            Ok(Some(text)) => {
                content.take(name, &text);
                if expect.links {
                    links.take(name, &text, base);
                }
            }
            Ok(None) => content.take_unread(name),
            Err(error) => {
                let text = format!("`{name}` cannot be read: {}", words(&error));
                return Err(Failure::new(LookFailure::NoAccess, text));
            }
        }
    }
    let mut checked = content.finish();
    if expect.links {
        checked.push(links.finish(pattern));
    }
    Ok(checked)
}

/// The names that a dotenv file of examples assigns to.
fn names_in(name: &str, base: &Path) -> Result<Vec<String>, Failure<LookFailure>> {
    let no_access = |why: String| {
        let text = format!("`{name}`, whose keys are asked for, cannot be read: {why}");
        Failure::new(LookFailure::NoAccess, text)
    };
    let text = read(&base.join(name)).map_err(|error| no_access(words(&error)))?;
    let text = text.ok_or_else(|| no_access("it is too large".to_string()))?;
    let mut names: Vec<_> = dotenv::parse(&String::from_utf8_lossy(&text))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The files that a pattern matches now, as far as they can be seen.
pub fn matching(pattern: &str, base: &Path) -> Vec<PathBuf> {
    find(pattern, base).map_or(vec![], |found| {
        found.files.into_iter().map(|(_, path)| path).collect()
    })
}

fn is_plain(pattern: &str) -> bool {
    !pattern.contains(GLOB)
}

fn find(pattern: &str, base: &Path) -> Result<Found, Failure<LookFailure>> {
    let plain = base.join(pattern);
    // `app/[slug]/page.tsx` is a name like any other, if it is there.
    if is_plain(pattern) || plain.symlink_metadata().is_ok() {
        return match fs::metadata(&plain) {
            Ok(_) => Ok(Found {
                files: vec![(pattern.to_string(), plain)],
                denied: None,
            }),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(Found::default())
            }
            Err(error) => Err(Failure::new(
                LookFailure::NoAccess,
                format!("`{pattern}` cannot be looked at: {}", words(&error)),
            )),
        };
    }
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let literal = &pattern[..pattern.find(GLOB).unwrap_or(pattern.len())];
    let (root, rest) = pattern.split_at(literal.rfind('/').map_or(0, |slash| slash + 1));
    let glob = GlobBuilder::new(rest)
        .literal_separator(true)
        .build()
        .map_err(|error| {
            Failure::new(
                LookFailure::NoAccess,
                format!("`{pattern}` is no pattern: {}", error.kind()),
            )
        })?;
    Ok(walk(
        &glob.compile_matcher(),
        root,
        &base.join(root),
        skipped(pattern),
    ))
}

/// The directories that are passed over: what tools put there is not the project's, unless the pattern names it.
fn skipped(pattern: &str) -> Vec<&'static str> {
    let named = |name: &&str| {
        pattern
            .split(['/', '{', ',', '}'])
            .any(|part| part == *name)
    };
    let skipped = tree::PASSED_OVER.into_iter().chain([".ready"]);
    skipped.filter(|name| !named(name)).collect()
}

fn walk(
    glob: &globset::GlobMatcher,
    root: &str,
    directory: &Path,
    skipped: Vec<&'static str>,
) -> Found {
    let mut found = Found::default();
    let mut walk = WalkBuilder::new(directory);
    walk.standard_filters(false)
        .follow_links(false)
        .filter_entry(move |entry| {
            let name = entry.file_name();
            let is_skipped = || {
                entry.file_type().is_some_and(|t| t.is_dir())
                    && skipped.iter().any(|skip| name == *skip)
            };
            entry.depth() == 0 || !(name == ".git" || is_skipped())
        });
    for entry in walk.build() {
        match entry {
            Ok(entry) => {
                let Ok(below) = entry.path().strip_prefix(directory) else {
                    continue;
                };
                // A link to a file counts as that file; pipes and devices count as nothing.
                let is_file = || match entry.file_type() {
                    Some(kind) if kind.is_symlink() => entry.path().is_file(),
                    kind => kind.is_some_and(|kind| kind.is_file()),
                };
                if entry.depth() > 0 && glob.is_match(below) && is_file() {
                    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                    found.files.push((
                        format!("{root}{}", parts.join("/")),
                        entry.path().to_path_buf(),
                    ));
                }
            }
            Err(error) => {
                let why = error
                    .io_error()
                    .filter(|io| io.kind() != ErrorKind::NotFound)
                    .map(words);
                let place = place_of(&error).and_then(|path| path.strip_prefix(directory).ok());
                let place = place.map_or(String::new(), |path| path.to_string_lossy().into_owned());
                let said = why.map(|why| format!("`{root}{place}` cannot be looked into: {why}"));
                found.denied = found.denied.take().or(said);
            }
        }
    }
    found.files.sort();
    found
}

fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => place_of(err),
        _ => None,
    }
}

/// The bytes of a regular file; `None` where it is too large.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // A pipe would wait for a writer for ever.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = vec![];
    if metadata.len() <= LARGEST {
        File::open(path)?
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)?;
    }
    let fits = metadata.len().max(bytes.len() as u64) <= LARGEST;
    Ok(fits.then_some(bytes))
}

/// What the system says, without its number and the path.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

/// The first of `names` in words.
pub(super) fn few(names: &[String], between: &str) -> String {
    const FEW: usize = 5;
    let first = names[..names.len().min(FEW)].join(between);
    match names.len().checked_sub(FEW) {
        Some(more @ 1..) => format!("{first} and {more} more"),
        _ => first,
    }
}

#[cfg(test)]
mod tests;
