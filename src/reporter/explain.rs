//! One check, in full: what it runs, what was seen last, why that verdict, how to do it by hand, how to mend it.

use std::io::{self, Write};

use super::page::{author_words, safe, waiver_of};
use super::words::{age, bold, colour, count, moment, painted, short, verdict};
use super::{Style, reproduce};
use crate::domain::about::About;
use crate::domain::check::{Blocking, Check, Probe, Queries, ReaderInput};
use crate::domain::evidence::{Attempt, Outcome, Reading, Stream};
use crate::domain::expectation::Held;
use crate::domain::level::Level;
use crate::domain::limit::human_duration;
use crate::domain::report::{CheckRow, Report};
use crate::sanitise::{self, Colour};

/// Writes all that is known of one check of the report.
///
/// # Errors
/// The output cannot be written to.
pub fn render(
    report: &Report,
    row: &CheckRow,
    library_doc: Option<&str>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let check = &row.definition;
    writeln!(out, "{}: {}", bold(&row.id, style), safe(&row.says))?;
    writeln!(
        out,
        "  declared at    {}:{}",
        check.source.file, check.source.line
    )?;
    if let Some(author) = &row.author {
        writeln!(out, "  its line       {}", author_words(author))?;
    }
    if let Some(library) = &check.library {
        writeln!(out, "  from library   {library}")?;
    }
    writeln!(
        out,
        "  component      {} (weight {})",
        row.component, row.weight
    )?;
    writeln!(
        out,
        "  evidence       {}: {}",
        row.level,
        level_words(row.level)
    )?;
    probe(check, out)?;
    if let Some(owner) = &check.owner {
        writeln!(out, "  owner          {}", safe(owner))?;
    }
    if let Some(risk) = &check.risk {
        writeln!(out, "  risk           {}", safe(risk))?;
    }
    match &check.blocking {
        Blocking::No => {}
        Blocking::Default => writeln!(out, "  blocks         the default gate")?,
        Blocking::Gates(gates) => writeln!(out, "  blocks         {}", gates.join(", "))?,
    }
    if let Some(least) = check.at_least {
        writeln!(out, "  at least       {least} results")?;
    }
    if !check.needs.is_empty() {
        writeln!(out, "  needs          {}", check.needs.join(", "))?;
    }
    if !check.inputs.is_empty() {
        writeln!(out, "  inputs         {}", safe(&check.inputs.join(", ")))?;
    }
    if let Some(age) = check.max_age {
        writeln!(out, "  counts for     {}", human_duration(age))?;
    }
    writeln!(out)?;
    if let Some(doc) = library_doc {
        writeln!(out, "{}\n", doc.trim())?;
    }

    writeln!(
        out,
        "{} {}",
        bold("Verdict:", style),
        painted(&verdict(row), colour(row.verdict), style)
    )?;
    writeln!(out, "  because        {}", safe(&row.reason.text))?;
    if let Some(waiver) = waiver_of(report, &row.id) {
        writeln!(out, "  waiver         {waiver}")?;
    }
    if let Some(text) = &row.contradiction {
        writeln!(out, "  contradiction  {}", safe(text))?;
    }
    writeln!(
        out,
        "  credit         {} of 1, at most {} if what is unverified held",
        shown(row.credit),
        shown(row.potential)
    )?;
    for note in &row.notes {
        writeln!(out, "  odd            {}", safe(note))?;
    }
    if let Some(proof) = &row.proof {
        let (result, ago) = (proof.result.words(), age(proof.at, report.generated));
        let commit = proof.commit.as_deref().map(short);
        let on = commit.map_or(String::new(), |commit| format!(" on {commit}"));
        let text = format!("{result}, {ago} ago{on}: {}", proof.text);
        writeln!(out, "  can it fail    {}", safe(&text))?;
    } else if !matches!(check.probe, Probe::Manual(_)) {
        let text = format!("nobody has shown it: `ready prove {}`", row.id);
        writeln!(out, "  can it fail    {text}")?;
    }
    match &row.evidence {
        None => writeln!(
            out,
            "  evidence       none recorded: run `ready check {}`",
            row.id
        )?,
        Some(evidence) => {
            let ago = age(evidence.started, report.generated);
            let run = row
                .recorded
                .as_deref()
                .map(|run| format!(", run {run}"))
                .unwrap_or_default();
            let reused = if row.reused { ", reused" } else { "" };
            writeln!(
                out,
                "  seen           {} ({ago} ago) on {}{run}{reused}",
                moment(evidence.started),
                safe(&evidence.host)
            )?;
            if let Some(program) = &evidence.binding.program {
                let version = program.version.as_ref();
                let version = version.map(|version| format!(" ({version})"));
                let line = format!("{}{}", program.path, version.unwrap_or_default());
                writeln!(out, "  program        {}", safe(&line))?;
            }
            let about = About {
                artifact: evidence.binding.artifact.clone(),
                name: None,
                environment: evidence.binding.environment.clone(),
            };
            if let Some(about) = about.words() {
                writeln!(out, "  about          {}", safe(&about))?;
            }
            let several = evidence.attempts.len() > 1;
            for (at, attempt) in evidence.attempts.iter().enumerate() {
                if several {
                    writeln!(out, "\n{}", bold(&format!("Attempt {}", at + 1), style))?;
                }
                self::attempt(attempt, style, out)?;
            }
        }
    }
    writeln!(out)?;
    if let Some(line) = reproduce::by_hand(row) {
        writeln!(out, "{} {}", bold("By hand:", style), safe(&line))?;
    }
    if let Some(how) = &check.fix.how {
        let takes = check
            .fix
            .takes
            .map(|takes| format!(" (about {})", human_duration(takes)))
            .unwrap_or_default();
        writeln!(
            out,
            "{} {}{takes}",
            bold("To mend it:", style),
            safe(&reproduce::with_gaps(how))
        )?;
    }
    Ok(())
}

fn probe(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    match &check.probe {
        Probe::Run(run) => {
            writeln!(out, "  runs           {}", safe(&run.argv.join(" ")))?;
            if let Some(listen) = &run.listen {
                let method = listen.method.as_deref().unwrap_or("any method");
                let within = human_duration(listen.within);
                writeln!(
                    out,
                    "  must call      {method} {} within {within}",
                    safe(&listen.path)
                )?;
            }
            if !run.files.is_empty() {
                writeln!(out, "  on files       {}", safe(&run.files.join(" ")))?;
            }
            if let Some(cwd) = &check.cwd {
                writeln!(out, "  in             {}", safe(cwd))?;
            }
            if let Some(reader) = &run.reader {
                let input = match &reader.input {
                    ReaderInput::Stdout => "its standard output",
                    ReaderInput::Stderr => "its standard error",
                    ReaderInput::Body => "the body of the answer",
                    ReaderInput::File(file) => file,
                };
                writeln!(
                    out,
                    "  results        {} from {}",
                    reader.format,
                    safe(input)
                )?;
                for (name, query) in reader.queries.iter().flat_map(Queries::named) {
                    writeln!(out, "  asks           {} = {}", safe(name), safe(query))?;
                }
            }
        }
        Probe::Http(http) => writeln!(out, "  asks           {} {}", http.method, safe(&http.url))?,
        Probe::File(file) => writeln!(out, "  looks at       {}", safe(&file.pattern))?,
        Probe::Variable(variable) => {
            let place = variable.file.as_deref().unwrap_or("the environment");
            writeln!(
                out,
                "  looks at       {} in {}",
                safe(&variable.name),
                safe(place)
            )?;
        }
        Probe::Port(port) => {
            let state = if port.listening { "listens" } else { "is free" };
            writeln!(out, "  looks at       whether port {} {state}", port.port)?;
        }
        Probe::Tool(tool) => {
            let version = tool.version.as_deref().unwrap_or("any version");
            writeln!(
                out,
                "  looks for      {} ({})",
                safe(&tool.name),
                safe(version)
            )?;
        }
        Probe::Manual(manual) => {
            let link = manual
                .link
                .as_deref()
                .map(|link| format!(", see {}", safe(link)))
                .unwrap_or_default();
            writeln!(
                out,
                "  attested       by {} on {}, until {}{link}",
                safe(&manual.by),
                manual.on,
                manual.expires
            )?;
        }
    }
    writeln!(out, "  time limit     {}", human_duration(check.timeout))
}

fn attempt(attempt: &Attempt, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  took           {}",
        human_duration(std::time::Duration::from_millis(attempt.duration_ms))
    )?;
    writeln!(out, "  outcome        {}", outcome(&attempt.outcome))?;
    if let Some(Reading::Results(results)) = &attempt.reading {
        if let Some(counts) = &results.counts {
            writeln!(
                out,
                "  results        {} passed, {} failed, {} skipped",
                counts.passed, counts.failed, counts.skipped
            )?;
        }
        for (name, figure) in &results.measures {
            writeln!(out, "  measured       {} = {figure}", safe(name))?;
        }
        for name in &results.failures {
            writeln!(out, "  failed         {}", safe(name))?;
        }
    }
    for checked in &attempt.checked {
        let (word, seen) = match checked.held {
            Held::Yes => ("held", String::new()),
            Held::No => ("did not hold", format!(": {}", safe(&checked.seen))),
            Held::Unknown => ("unknown", format!(": {}", safe(&checked.seen))),
        };
        writeln!(
            out,
            "  expected       {} — {word}{seen}",
            safe(&checked.what)
        )?;
    }
    if let Some(waited) = &attempt.waited {
        let before = waited.before.as_deref().map(safe);
        let before = before.map(|before| format!(", before: {before}"));
        let (asked, before) = (waited.asked, before.unwrap_or_default());
        writeln!(
            out,
            "  asked          {}{before}",
            count(asked as usize, "time")
        )?;
    }
    if let Some(answer) = &attempt.answer {
        for redirect in &answer.redirects {
            let (status, to) = (redirect.status, safe(&redirect.to));
            writeln!(out, "  redirect       status {status} to {to}")?;
        }
        writeln!(
            out,
            "  answer         status {} after {:.0} ms",
            answer.status, answer.latency_ms
        )?;
        stream("body", &answer.body, style, out)?;
    }
    for call in attempt.calls.iter().flatten() {
        let what = call.not_as_expected.as_deref().unwrap_or("as expected");
        writeln!(
            out,
            "  call           {} {} after {} ms: {}",
            safe(&call.method),
            safe(&call.path),
            call.after_ms,
            safe(what)
        )?;
        stream("body", &call.body, style, out)?;
    }
    for file in attempt.files.iter().flatten() {
        writeln!(out, "  file           {}", safe(file))?;
    }
    if let Some(problem) = &attempt.cleanup {
        writeln!(out, "  not cleaned up {}", safe(problem))?;
    }
    for leaked in &attempt.leaked {
        writeln!(out, "  left running   {}", safe(leaked))?;
    }
    for (name, output) in [("stdout", &attempt.stdout), ("stderr", &attempt.stderr)] {
        if let Some(output) = output {
            stream(name, output, style, out)?;
        }
    }
    Ok(())
}

fn stream(name: &str, stream: &Stream, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {name:14} {} bytes, {}", stream.bytes, stream.digest)?;
    let colour = if style.colour {
        Colour::Pass
    } else {
        Colour::Drop
    };
    for line in sanitise::lines(stream.head.trim_end(), colour) {
        writeln!(out, "    | {line}")?;
    }
    if stream.stored.is_some() {
        writeln!(out, "    | pruned from the ledger")?;
    } else if stream.truncated {
        writeln!(out, "    | … the middle was not kept")?;
    }
    for line in sanitise::lines(stream.tail.trim_end(), colour) {
        writeln!(out, "    | {line}")?;
    }
    Ok(())
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(status) => format!("exit status {status}"),
        Outcome::Signal(signal) => format!("ended by signal {signal}"),
        Outcome::Timeout(limit) => format!(
            "ended by ready after {}",
            human_duration(std::time::Duration::from_millis(*limit))
        ),
        Outcome::Cancelled => "stopped with the run".to_string(),
        Outcome::Service(text) => safe(text),
        Outcome::Spawn(failure) => format!("not started: {}", safe(&failure.text)),
        Outcome::Answered => "an answer came".to_string(),
        Outcome::Unanswered(failure) => format!("no answer: {}", safe(&failure.text)),
        Outcome::Looked => "looked".to_string(),
        Outcome::Unseen(failure) => safe(&failure.text),
        Outcome::Attested => "a person's word".to_string(),
    }
}

fn level_words(level: Level) -> &'static str {
    match level {
        Level::Exercised => "it is run, and what comes of it is counted or read",
        Level::Validated => "judged by a status alone, or by a static validation",
        Level::Wired => "content that is as expected",
        Level::Present => "something is there",
        Level::Attested => "a person says so",
    }
}

/// A fraction as a short number: what stands in the report is a hair below where it has no exact form.
fn shown(fraction: f64) -> f64 {
    (fraction * 1e6).round() / 1e6
}
