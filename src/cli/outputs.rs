//! Where a report goes: to standard output in one format, into files in others, and to the CI system that this runs in.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use serde::Deserialize;

use super::runs;
use super::{Global, Usage, on_github, print_text, warn, writing, written};
use crate::domain::diff::Diff;
use crate::domain::report::{Before, Decision, Report, Score};
use crate::ledger::Ledger;
use crate::reporter::{FORMATS, Format, Style};
use crate::tree;

/// How a report is shown.
#[derive(Args, Clone, Debug)]
pub(super) struct Outputs {
    /// The output
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = formats())]
    pub(super) format: Format,
    /// Also write the report into a file, in that format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = into_file)]
    files: Vec<(Format, PathBuf)>,
    /// Choose no outputs by the CI system that this runs in (GitHub Actions, GitLab)
    #[arg(long)]
    no_ci: bool,
}

impl Default for Outputs {
    fn default() -> Outputs {
        Outputs {
            format: FORMATS[0],
            files: vec![],
            no_ci: false,
        }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let values = FORMATS
        .iter()
        .map(|format| PossibleValue::new(format.name).help(format.says));
    PossibleValuesParser::new(values).try_map(|name| format(&name))
}

fn format(name: &str) -> Result<Format, String> {
    let names = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>();
    let unknown = || {
        format!(
            "there is no format `{name}`; there are {}",
            names().join(", ")
        )
    };
    Format::named(name).copied().ok_or_else(unknown)
}

fn into_file(text: &str) -> Result<(Format, PathBuf), String> {
    let example = "write it like `html=report.html`";
    let (name, file) = text.split_once('=').ok_or(example)?;
    match file.is_empty() {
        true => Err(example.to_string()),
        false => Ok((format(name)?, PathBuf::from(file))),
    }
}

/// The CI systems whose ways are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    Github,
    Gitlab,
}

impl System {
    /// The one that this runs in.
    fn here() -> Option<System> {
        let set = |name: &str| std::env::var(name).is_ok_and(|value| value == "true");
        match () {
            () if on_github() => Some(System::Github),
            () if set("GITLAB_CI") => Some(System::Gitlab),
            () => None,
        }
    }
}

/// Where GitLab looks for results, as `ready ci gitlab` writes it: in our own folder, which is no part of the files that are judged.
const GITLAB_JUNIT: &str = ".ready/junit.xml";
/// GitHub takes no longer summary of a step (bytes).
const LONGEST_SUMMARY: usize = 1 << 20;
/// The runs before that are shown.
const RUNS_BEFORE: u64 = 30;

/// What a report is of: whether its verb decides something, and whether the ledger here knows what was before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A run that has just ended here.
    Run,
    /// The runs of several machines.
    Merge,
    /// What is recorded here.
    Record,
    /// A file from anywhere.
    File,
}

impl Of {
    fn decides(self) -> bool {
        matches!(self, Of::Run | Of::Merge)
    }

    fn is_of_here(self) -> bool {
        matches!(self, Of::Run | Of::Record)
    }
}

impl Outputs {
    /// Whether a person reads standard output.
    pub(super) fn is_table(&self) -> bool {
        self.format.name == "table"
    }

    /// Makes the folders of the files, and finds what cannot be written while there is nothing to lose yet.
    ///
    /// # Errors
    /// Two outputs go into one file, or a file's folder cannot be made.
    pub(super) fn probe(&self) -> Result<(), Usage> {
        for (at, (_, path)) in self.files.iter().enumerate() {
            if self.files[..at].iter().any(|(_, other)| other == path) {
                let message = format!("two reports go into `{}`", path.display());
                return Err(Usage::new(message, None));
            }
            let cannot =
                |what: &str| Usage::new(format!("cannot write `{}`: {what}", path.display()), None);
            if path.is_dir() {
                return Err(cannot("it is a folder"));
            }
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            if let Some(Err(error)) = folder.map(std::fs::create_dir_all) {
                return Err(cannot(&error.to_string()));
            }
        }
        Ok(())
    }

    /// Prints the report, writes the files, and tells the CI system where the verb decides something.
    ///
    /// # Errors
    /// Something cannot be written; what could be is.
    pub(super) fn emit(&self, report: &Report, of: Of, global: &Global) -> Result<()> {
        let tells_github = of.decides() && !self.no_ci && System::here() == Some(System::Github);
        let files = self.with_ci(of);
        let wanted = || std::iter::once(&self.format).chain(files.iter().map(|(format, _)| format));
        let budget = wanted().map(|format| format.past).max().unwrap_or(0);
        let past = of.is_of_here() && budget > 0;
        let past = past.then(|| with_past(report, budget, global));
        let placed = tells_github || wanted().any(|format| format.places);
        let placed = placed.then(|| with_places(report, global));
        let version = |format: &Format| match (format.past > 0, format.places) {
            (true, _) => past.as_ref().unwrap_or(report),
            (_, true) => placed.as_ref().unwrap_or(report),
            _ => report,
        };
        let printed = self.print(version(&self.format), global);
        let told = match (&printed, tells_github) {
            (Ok(()), true) => {
                tell_github(report, placed.as_ref().unwrap_or(report), self.is_table())
            }
            _ => Ok(()),
        };
        let written = files
            .iter()
            .map(|(format, path)| write(version(format), format, path));
        let all = [printed, told].into_iter().chain(written);
        let mut failures = all.filter_map(Result::err).collect::<Vec<_>>();
        let last = failures.pop();
        failures
            .iter()
            .for_each(|error| warn(&format!("{error:#}")));
        last.map_or(Ok(()), Err)
    }

    fn print(&self, report: &Report, global: &Global) -> Result<()> {
        let mut text = vec![];
        let format = &self.format;
        let rendered = format.render(report, global.style(), &mut text);
        rendered.with_context(|| format!("cannot write the report as `{}`", format.name))?;
        match self.is_table() {
            true => print_text(&text),
            false => written(&[&text]),
        }
    }

    /// The files that are asked for, and those that the CI system reads.
    fn with_ci(&self, of: Of) -> Vec<(Format, PathBuf)> {
        let mut files = self.files.clone();
        let junit = |(format, _): &(Format, PathBuf)| format.name == "junit";
        if of.decides()
            && !self.no_ci
            && System::here() == Some(System::Gitlab)
            && !files.iter().any(junit)
            && let Some(junit) = Format::named("junit")
        {
            // Where it cannot be made, writing says so.
            let _ = std::fs::create_dir_all(".ready");
            files.push((*junit, PathBuf::from(GITLAB_JUNIT)));
        }
        files
    }
}

/// Writes a report into a file, whole or not at all. It is made for no terminal.
fn write(report: &Report, format: &Format, path: &Path) -> Result<()> {
    let mut text = vec![];
    let rendered = format.render(report, Style::PLAIN, &mut text);
    rendered
        .and_then(|()| writing::replace(path, &String::from_utf8_lossy(&text)))
        .with_context(|| {
            format!(
                "cannot write the report as `{}` into `{}`",
                format.name,
                path.display()
            )
        })
}

/// As much of an earlier report as the trend shows.
#[derive(Deserialize)]
struct Earlier {
    run: Option<EarlierRun>,
    score: Score,
    decision: Decision,
}

#[derive(Deserialize)]
struct EarlierRun {
    id: String,
    started: Timestamp,
    commit: Option<String>,
}

/// The report with the runs before it, and what has changed since the last of them, as far as the ledger here knows them and
/// reading their reports takes no more than so many bytes.
fn with_past(report: &Report, budget: usize, global: &Global) -> Report {
    let mut report = report.clone();
    if let Err(error) = add_past(&mut report, budget, global) {
        warn(&format!("the runs before are not in the report: {error:#}"));
    }
    report
}

fn add_past(report: &mut Report, budget: usize, global: &Global) -> Result<()> {
    let Some(ledger) = Ledger::open_existing(&runs::folder(global)?)? else {
        return Ok(());
    };
    let own = report.run.as_ref().map(|run| run.id.clone());
    let (mut read, mut last) = (0, None);
    for row in ledger.complete_runs(own.as_deref(), RUNS_BEFORE)? {
        // What is damaged or was pruned is told by `ready history`.
        let Ok(Some((earlier, length))) = ledger.part_of_report::<Earlier>(&row.id) else {
            continue;
        };
        if let Some(run) = earlier.run {
            let at = (run.id, run.started, run.commit);
            report
                .before
                .push(Before::new(at, &earlier.score, earlier.decision.open));
        }
        last = last.or(Some((row, length)));
        read += length;
        if read > budget {
            break;
        }
    }
    report.before.reverse();
    // What was asked for stands. To compare, all of the last one must be read, which takes longer.
    if let (None, Some((row, length))) = (&report.since, last)
        && length <= budget / 4
        && let Ok(Some(last)) = ledger.report(&row.id)
    {
        report.since = Diff::between(&last, report).ok();
    }
    Ok(())
}

/// The report with the manifest's files named by their places in the repository, where readers of a report look for them.
fn with_places(report: &Report, global: &Global) -> Report {
    let mut report = report.clone();
    let Ok(folder) = runs::folder(global) else {
        return report;
    };
    let mut known = std::collections::HashMap::<String, String>::new();
    let mut place = |file: &str| {
        let place = || {
            let path = Path::new(file);
            let here = tree::within(path).or_else(|| tree::within(&folder.join(path.file_name()?)));
            here.unwrap_or_else(|| file.to_string())
        };
        known.entry(file.to_string()).or_insert_with(place).clone()
    };
    for row in &mut report.checks {
        row.definition.source.file = place(&row.definition.source.file);
    }
    report
}

/// Tells GitHub Actions: annotations on the manifest's lines, the summary of the step, and outputs for later steps.
/// Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
fn tell_github(report: &Report, placed: &Report, annotate: bool) -> Result<()> {
    if report.decision.gates.is_empty() {
        // A share of the checks, or some of them: what comes of all decides.
        return Ok(());
    }
    let rendered = |name: &str, report: &Report| -> Result<Vec<u8>> {
        let mut text = vec![];
        if let Some(format) = Format::named(name) {
            format.render(report, Style::PLAIN, &mut text)?;
        }
        Ok(text)
    };
    if annotate {
        written(&[&rendered("github", placed)?])?;
    }
    if let Some(path) = named_file("GITHUB_STEP_SUMMARY") {
        let mut text = rendered("markdown", report)?;
        let there = std::fs::metadata(&path).map_or(0, |data| data.len() as usize);
        if there + text.len() > LONGEST_SUMMARY {
            text = rendered("brief", report)?;
            if there + text.len() > LONGEST_SUMMARY {
                warn("the summary of this step is full: there is no more room for this report");
                text.clear();
            }
        }
        append(&path, &text).context("cannot write the summary of the step")?;
    }
    if let Some(path) = named_file("GITHUB_OUTPUT") {
        append(&path, outputs(report).as_bytes())
            .context("cannot write the outputs of the step")?;
    }
    Ok(())
}

/// What later steps can ask for, each between delimiters that nobody can foresee.
fn outputs(report: &Report) -> String {
    let score = &report.score;
    let whole = |figure: f64| format!("{}", figure.floor());
    let checks = |wanted: fn(&crate::domain::report::CheckRow) -> bool| {
        let rows = report
            .checks
            .iter()
            .filter(|row| row.counts_for_score() && wanted(row));
        rows.count().to_string()
    };
    use crate::domain::verdict::Verdict;
    let values = [
        ("open", report.decision.open.to_string()),
        ("verified", whole(score.verified)),
        ("ceiling", whole(score.ceiling)),
        ("claimed", score.claimed.map(whole).unwrap_or_default()),
        (
            "unverified-checks",
            checks(|row| row.verdict == Verdict::Unverified),
        ),
        (
            "failed-checks",
            checks(|row| row.verdict == Verdict::Failed),
        ),
    ];
    let lines = values.map(|(name, value)| {
        let delimiter = format!("ready-{}", random());
        format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
    });
    lines.concat()
}

/// Text that nobody can foresee.
fn random() -> String {
    let mut bytes = [0; 16];
    let filled =
        std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    match filled {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => ulid::Ulid::new().to_string(),
    }
}

fn named_file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
}

fn append(path: &Path, text: &[u8]) -> std::io::Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?
        .write_all(text)
}
