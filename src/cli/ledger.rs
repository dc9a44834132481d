//! `ready ledger`: the record itself. It can be verified, made smaller, carried elsewhere, and mended.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::runs;
use super::session::Session;
use super::{Exit, Global, Usage, print_text, report_file, session, written};
use crate::domain::limit::parse_duration;
use crate::domain::report::{LedgerHead, Report};
use crate::ledger::{self, Keep, Ledger};
use crate::sanitise;

/// Verify, prune, export, import or repair the record of runs
///
/// Every run that is recorded holds a digest over itself, its evidence and the run before it, and every JSON report holds
/// the end of that chain. That finds what was edited, removed or cut off. It does not stop somebody who computes the whole
/// chain anew, unless a report with its end is kept elsewhere.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready ledger verify
  ready ledger verify --against report.json   also find that runs were cut off since that report
  ready ledger prune --older-than 90d --max-size 100MB
  ready ledger export > runs.jsonl
  ready ledger import ci-report.json
  ready ledger repair                         keep what can be read of a damaged file")]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

/// How far the clocks of two machines may be apart.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

#[derive(Debug, Subcommand)]
enum Verb {
    /// Hold every row against its digest, and every run against the one before it
    Verify {
        /// A JSON report: the run that it ends with must be here
        #[arg(long, value_name = "REPORT")]
        against: Option<PathBuf>,
    },
    /// Let old outputs, evidence and reports go; their digests stay
    ///
    /// The newest evidence of every check and the newest run stay, whatever their age and size.
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true).args(["older_than", "max_size"]))]
    Prune {
        /// Everything that is older (`90d`, `48h`)
        #[arg(long, value_name = "DURATION", value_parser = age)]
        older_than: Option<Duration>,
        /// The oldest, until the ledger is no larger (`100MB`, `1GB`): outputs first
        #[arg(long, value_name = "SIZE", value_parser = size)]
        max_size: Option<u64>,
    },
    /// Print every run as a JSON report with its evidence, one a line, the oldest first
    Export,
    /// Take over runs from JSON reports, or from what `export` printed
    ///
    /// What they say is taken as it is: a report that somebody wrote by hand is no evidence.
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Copy what can be read of a damaged ledger into a new one; the damaged one is kept beside it
    Repair,
}

fn age(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("{error}: write it like `90d` or `48h`"))
}

fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1_000),
        ("B", 1),
    ];
    let wrong = || format!("`{text}` is not a size: write it like `100MB` or `1GB`");
    let upper = text.trim().to_ascii_uppercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((upper.strip_suffix(name)?, *unit)))
        .ok_or_else(wrong)?;
    let number = number.trim().parse::<u64>().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let folder = runs::folder(global)?;
    match &options.verb {
        Verb::Verify { against } => verify(&folder, against.as_deref()),
        Verb::Prune {
            older_than,
            max_size,
        } => prune(&folder, *older_than, *max_size),
        Verb::Export => export(&folder),
        Verb::Import { files } => import(&folder, files, global),
        Verb::Repair => repair(&folder),
    }
}

fn open(folder: &Path) -> Result<Ledger> {
    Ledger::open_existing(folder)?.ok_or_else(|| {
        let hint = "`ready check` records a run".to_string();
        Usage::new("nothing is recorded here", Some(hint)).into()
    })
}

fn verify(folder: &Path, against: Option<&Path>) -> Result<Exit> {
    let against = against.map(end_of).transpose()?;
    let verified = open(folder)?.verify(against.as_ref())?;
    let mut text = vec![];
    let (runs, end) = match &verified.head {
        Some(head) => (head.runs, head.digest.as_str()),
        None => (0, "nothing"),
    };
    let compared = counted(verified.compared, "piece of evidence", "pieces of evidence");
    let runs = counted(runs, "run", "runs");
    match verified.faults.is_empty() {
        true => writeln!(
            text,
            "{runs}, {compared}: the chain holds\n  its end: {end}"
        )?,
        false => writeln!(text, "{runs}, {compared}: the chain does not hold")?,
    }
    for fault in &verified.faults {
        let run = fault.run.iter().map(|run| format!("run {run}: "));
        let line = format!("  {}{}", run.collect::<String>(), fault.text);
        writeln!(text, "{}", sanitise::line(&line, sanitise::Colour::Drop))?;
    }
    if verified.pruned > 0 {
        let pruned = counted(verified.pruned, "row was", "rows were");
        writeln!(text, "  {pruned} pruned: their digests stand")?;
    }
    print_text(&text)?;
    // What cannot be read is one thing, what reads otherwise than it was written another.
    let unreadable = verified.damaged;
    Ok(match (verified.faults.is_empty(), unreadable) {
        (true, _) => Exit::Open,
        (false, true) => Exit::Broken,
        (false, false) => Exit::Closed,
    })
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The end of the chain that a report holds.
fn end_of(file: &Path) -> Result<LedgerHead> {
    let end = report_file::read(file)?.ledger;
    end.ok_or_else(|| {
        let message = format!(
            "the report `{}` was not recorded: it has no end of a chain",
            file.display()
        );
        Usage::new(message, None).into()
    })
}

fn prune(folder: &Path, older_than: Option<Duration>, max_size: Option<u64>) -> Result<Exit> {
    let since = older_than.map(|age| {
        let millis = Timestamp::now().as_millisecond().unsigned_abs();
        let millis = millis.saturating_sub(age.as_millis() as u64);
        ulid::Ulid::from_parts(millis, 0).to_string()
    });
    let keep = Keep {
        since,
        bytes: max_size,
    };
    let pruned = open(folder)?.prune(&keep)?;
    let mut text = vec![];
    writeln!(
        text,
        "pruned {}, {} and {}: {} before, {} now",
        counted(pruned.outputs, "output", "outputs"),
        counted(pruned.evidence, "piece of evidence", "pieces of evidence"),
        counted(pruned.reports, "report", "reports"),
        human_size(pruned.bytes_before),
        human_size(pruned.bytes_after),
    )?;
    if let Some(most) = max_size.filter(|most| pruned.bytes_after > *most) {
        writeln!(
            text,
            "what must stay is more than {}: the newest evidence of every check, the newest run, and the chain",
            human_size(most)
        )?;
    }
    print_text(&text)?;
    Ok(Exit::Open)
}

fn human_size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn export(folder: &Path) -> Result<Exit> {
    let ledger = open(folder)?;
    let mut runs = ledger.last_runs(u64::MAX)?;
    runs.reverse();
    let (mut gone, mut damaged) = (0, vec![]);
    for run in runs {
        match ledger.report(&run.id) {
            Ok(Some(report)) => match ledger.with_evidence(report) {
                Ok(report) => written(&[&serde_json::to_vec(&report)?, b"\n"])?,
                Err(error) => damaged.push(error.downcast::<ledger::Damaged>()?.to_string()),
            },
            Ok(None) => gone += 1,
            Err(error) => damaged.push(error.downcast::<ledger::Damaged>()?.to_string()),
        }
    }
    let mut stderr = std::io::stderr();
    if gone > 0 {
        let gone = counted(gone, "run was", "runs were");
        let _ = writeln!(stderr, "{gone} pruned before and left out");
    }
    for text in &damaged {
        let _ = writeln!(stderr, "left out: {text}");
    }
    Ok(match damaged.is_empty() {
        true => Exit::Open,
        false => Exit::Broken,
    })
}

fn import(folder: &Path, files: &[PathBuf], global: &Global) -> Result<Exit> {
    // All of them are read before the first is taken over: a mistake in one leaves the ledger as it was.
    let mut reports = vec![];
    for file in files {
        let (text, name) = (report_file::text(file)?, file.display().to_string());
        match report_file::parse(&name, &text) {
            Ok(report) => reports.push((name, report)),
            Err(_) if text.trim_start().starts_with('{') && text.trim_end().contains('\n') => {
                for (at, line) in text.lines().enumerate() {
                    let name = format!("{name}:{}", at + 1);
                    reports.push((name.clone(), report_file::parse(&name, line)?));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    let project = session::manifest(global)?.and_then(|path| Session::load(&path).ok());
    for (name, report) in &reports {
        can_be_imported(report, project.as_ref())
            .map_err(|(why, hint)| Usage::new(format!("the report `{name}` {why}"), hint))?;
    }
    let mut ledger = Ledger::open(folder)?;
    let (mut taken, mut known) = (0, 0);
    for (name, report) in &mut reports {
        let id = report.run.as_ref().map_or("", |run| &*run.id);
        if ledger.runs_like(id)?.iter().any(|run| run.id == id) {
            known += 1;
            continue;
        }
        ledger
            .append(report, None::<&()>)
            .with_context(|| format!("cannot import `{name}`"))?;
        taken += 1;
    }
    let taken = counted(taken, "run", "runs");
    let known = match known {
        0 => String::new(),
        known => format!(", {known} already here"),
    };
    print_text(format!("imported {taken}{known}\n").as_bytes())?;
    Ok(Exit::Open)
}

/// Why a report cannot be taken over, and what to do; nothing where it can.
fn can_be_imported(
    report: &Report,
    project: Option<&Session>,
) -> Result<(), (String, Option<String>)> {
    let refused = |why: String| Err((why, None));
    let Some(run) = &report.run else {
        let hint = "import the report of `ready check`".to_string();
        return Err((
            "is of recorded evidence, not of a run".to_string(),
            Some(hint),
        ));
    };
    if let Some(project) = project.map(|session| &session.project.name)
        && *project != report.project
    {
        return refused(format!("is of `{}`, this is `{project}`", report.project));
    }
    let latest = Timestamp::now() + CLOCKS_DIFFER;
    let id = ulid::Ulid::from_string(&run.id)
        .ok()
        .filter(|id| id.to_string() == run.id);
    let Some(id) = id else {
        return refused(format!("has a run whose id is none: {:?}", run.id));
    };
    let begun = i64::try_from(id.timestamp_ms()).unwrap_or(i64::MAX);
    let evidence = report.checks.iter().filter_map(|row| row.evidence.as_ref());
    let mut times = evidence
        .map(|evidence| evidence.started)
        .chain([run.started]);
    if begun > latest.as_millisecond() || times.any(|time| time > latest) {
        return refused("is from after now: a clock was wrong".to_string());
    }
    let mut ids = BTreeSet::new();
    match report.checks.iter().find(|row| !ids.insert(&row.id)) {
        Some(twice) => refused(format!("has the check `{}` twice", twice.id)),
        None => Ok(()),
    }
}

fn repair(folder: &Path) -> Result<Exit> {
    let Some(repaired) = ledger::repair(folder)? else {
        print_text(b"nothing of the ledger is damaged: it stays as it is\n")?;
        return Ok(Exit::Open);
    };
    let mut text = vec![];
    writeln!(
        text,
        "kept {} and {}",
        counted(repaired.runs, "run", "runs"),
        counted(repaired.evidence, "row of evidence", "rows of evidence"),
    )?;
    for lost in &repaired.lost {
        writeln!(text, "lost: {lost}")?;
    }
    writeln!(
        text,
        "the damaged ledger is kept as {}",
        repaired.aside.display()
    )?;
    let verified = open(folder)?.verify(None)?;
    for fault in verified.faults {
        let run = fault.run.iter().map(|run| format!("run {run}: "));
        writeln!(text, "lost: {}{}", run.collect::<String>(), fault.text)?;
    }
    print_text(&text)?;
    Ok(match repaired.lost.is_empty() {
        true => Exit::Open,
        false => Exit::Broken,
    })
}

/// Whether a verb came to no end because the ledger is damaged, and the error does not say yet what to do.
pub(super) fn damage(error: &anyhow::Error) -> bool {
    ledger::is_damaged(error) && !format!("{error:#}").contains("ready ledger repair")
}
