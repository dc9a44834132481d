//! The command line: one file per verb, each of which reads as a sentence; what they share; the one table of exit
//! statuses.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what a command line does"
)]

mod about;
mod add;
mod against;
mod authors;
mod base;
mod catalogue;
mod check;
mod ci;
mod claims;
mod completions;
mod demo;
mod detection;
mod diff;
mod documents;
mod exit;
mod explain;
mod from_file;
mod held;
mod history;
mod init;
mod ledger;
mod lint;
mod list;
mod man;
mod mcp;
mod merge;
mod outputs;
mod plan;
mod proofs;
mod prove;
mod record;
mod recorded;
mod report;
mod report_file;
mod runs;
mod schema;
mod secrets;
mod selection;
mod session;
mod sharding;
mod standing;
mod status;
mod usual;
mod writing;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use exit::Exit;

use crate::manifest::Problems;
use crate::reader;
use crate::reporter::{Detail, Style};
use crate::sanitise;

/// Is this safe to ship, and how do we know?
///
/// ready runs the checks that readiness.toml declares, keeps what each one observed as evidence, and sets what was
/// verified beside what was claimed. What did not run is unverified: it never counts as a pass.
#[derive(Debug, Parser)]
#[command(
    name = "ready",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "\
Examples:
  ready check                    run every check and decide the gates
  ready check backend-tests      run one check (and what it needs)
  ready check --gate production  let the gate `production` decide the exit status
  ready check --format json      the whole report as one JSON document
  ready check --report html=report.html --report junit=junit.xml
  ready status                   the table from recorded evidence; nothing is run
  ready merge a.json b.json      one report out of those of several machines
  ready claims STATUS.md         what a document claims, beside what is verified
  ready plan                     the cheapest way to open the gate
  ready prove                    show that the checks can fail
  ready lint                     find checks that cannot fail or cannot matter
  ready history                  what was verified, run by run
  ready diff --runs last~1 last  what moved the score from one run to the next
  ready report --format markdown of the last run, for the release ticket
  ready explain backend-tests    what it runs, what was seen, why this verdict
  ready init                     write a manifest out of what the files here call for

Exit status:
  0  the gate is open (or the verb only prints)      3  ready itself could not do its work
  1  the gate is closed                            130  interrupted
  2  the command line or the manifest is wrong")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb takes.
#[derive(Args, Debug)]
struct Global {
    /// The manifest [default: the nearest readiness.toml from here upward]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "READY_MANIFEST",
        hide_env_values = true
    )]
    manifest: Option<PathBuf>,
    /// Go there first
    #[arg(short = 'C', value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// When to use colours; NO_COLOR is obeyed
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value = "auto",
        env = "READY_COLOR",
        hide_env_values = true
    )]
    color: Color,
    /// Say only the verdict
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say everything that is known of every check
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Options),
    Status(status::Options),
    Merge(merge::Options),
    Claims(claims::Options),
    Ci(ci::Options),
    Plan(plan::Options),
    Prove(prove::Options),
    Lint(lint::Options),
    History(history::Options),
    Diff(diff::Options),
    List(list::Options),
    Demo(demo::Options),
    Explain(explain::Options),
    Report(report::Options),
    Init(init::Options),
    Add(add::Options),
    Ledger(ledger::Options),
    Schema(schema::Options),
    Completions(completions::Options),
    Man(man::Options),
    Mcp(mcp::Options),
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // How this program starts itself to read JSON: no verb of anybody's, and nothing to be found in help or completions.
    if std::env::args_os().skip(1).eq([reader::json::VERB]) {
        return reader::json::serve();
    }
    // How it stands in for a program that does nothing.
    if std::env::args_os().skip(1).eq([crate::prove::NOTHING]) {
        return ExitCode::SUCCESS;
    }
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == demo::VERB)
    {
        let words = std::env::args_os().skip(2);
        let words = words.map(|word| word.to_string_lossy().into_owned());
        return demo::act(&words.collect::<Vec<_>>()).into();
    }
    let parsed = without_empty_variables(Cli::command())
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and are no mistake.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Open
            };
            let _ = error.print();
            return exit.into();
        }
    };
    match go(cli) {
        Ok(exit) => exit.into(),
        Err(error) => complain(&error).into(),
    }
}

/// A CI system that sets a variable of ours to nothing means that it is not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let unset = |arg: clap::Arg| {
        let empty = arg
            .get_env()
            .and_then(std::env::var_os)
            .is_some_and(|value| value.is_empty());
        if empty { arg.env("READY_NOT_SET") } else { arg }
    };
    let names = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_string())
        .collect::<Vec<_>>();
    let command = command.mut_args(unset);
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |verb| verb.mut_args(unset))
    })
}

fn go(cli: Cli) -> Result<Exit> {
    if let Some(directory) = &cli.global.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        return Err(Usage::new(
            format!("cannot go to `{}`: {error}", directory.display()),
            None,
        )
        .into());
    }
    let global = &cli.global;
    match cli.verb {
        Verb::Check(options) => check::run(&options, global),
        Verb::Status(options) => status::run(&options, global),
        Verb::Plan(options) => plan::run(&options, global),
        Verb::Prove(options) => prove::run(&options, global),
        Verb::Lint(options) => lint::run(&options, global),
        Verb::History(options) => history::run(&options, global),
        Verb::Diff(options) => diff::run(&options, global),
        Verb::Demo(options) => demo::run(&options, global),
        Verb::Claims(options) => claims::run(&options, global),
        Verb::Ci(options) => ci::run(&options, global),
        Verb::Merge(options) => merge::run(&options, global),
        Verb::List(options) => list::run(&options, global),
        Verb::Explain(options) => explain::run(&options, global),
        Verb::Init(options) => init::run(&options, global),
        Verb::Add(options) => add::run(&options, global),
        Verb::Ledger(options) => ledger::run(&options, global),
        Verb::Schema(options) => schema::run(&options, global),
        Verb::Report(options) => report::run(&options, global),
        Verb::Man(options) => man::run(&options, Cli::command()),
        Verb::Mcp(options) => mcp::run(&options, global),
        Verb::Completions(options) => completions::run(&options, &mut Cli::command()),
        Verb::Other(words) => Err(unknown_verb(&words[0]).into()),
    }
}

fn unknown_verb(word: &str) -> Usage {
    let command = Cli::command();
    let names = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect::<Vec<_>>();
    let hint = selection::nearest(word, names.iter().copied())
        .unwrap_or_else(|| format!("verbs: {}", names.join(", ")));
    Usage::new(format!("there is no verb `{word}`"), Some(hint))
}

/// A mistake on the command line.
#[derive(Debug)]
struct Usage {
    message: String,
    hint: Option<String>,
}

impl Usage {
    fn new(message: impl Into<String>, hint: Option<String>) -> Usage {
        Usage {
            message: message.into(),
            hint,
        }
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.hint
            .iter()
            .try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

impl std::error::Error for Usage {}

/// Says what went wrong, on standard error, and gives the exit status for it.
fn complain(error: &anyhow::Error) -> Exit {
    let mut stderr = anstream::stderr().lock();
    if let Some(problems) = error.downcast_ref::<Problems>() {
        let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let count = problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        let _ = writeln!(
            stderr,
            "{}{count} {noun}; nothing was run",
            no_command(&problems.render(colour))
        );
        return Exit::Usage;
    }
    let hint = match ledger::damage(error) {
        true => "\nhint: `ready ledger repair` keeps what can be read of a damaged ledger",
        false => "",
    };
    let text = format!("error: {error:#}{hint}");
    for line in sanitise::lines(&text, sanitise::Colour::Drop) {
        let _ = writeln!(stderr, "{}", no_command(&line));
    }
    if error.downcast_ref::<Usage>().is_some() {
        Exit::Usage
    } else {
        Exit::Broken
    }
}

impl Global {
    /// How standard output may be drawn on.
    fn style(&self) -> Style {
        style_of(&io::stdout(), self)
    }

    fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }
}

/// The widest that the table is drawn; longer lines are hard to read.
const WIDEST: usize = 120;
/// The width where there is no terminal to ask.
const IN_A_PIPE: usize = 80;

fn style_of<S: anstream::stream::RawStream>(stream: &S, global: &Global) -> Style {
    let choice = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    };
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse::<usize>().ok());
    let terminal = stream
        .is_terminal()
        .then(terminal_size::terminal_size)
        .flatten()
        .map(|(width, _)| usize::from(width.0));
    let width = terminal.or(columns).unwrap_or(IN_A_PIPE).clamp(20, WIDEST);
    Style {
        colour: choice,
        unicode: unicode(),
        width,
        detail: global.detail(),
    }
}

/// Whether the locale can show more than ASCII.
fn unicode() -> bool {
    if cfg!(windows) {
        return true;
    }
    if std::env::var("TERM").is_ok_and(|term| term == "linux") {
        return false;
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
    {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        // No locale at all is what CI systems and containers have; their logs are UTF-8.
        None => true,
    }
}

/// Prints text that holds what others said. On GitHub a line of output can be a command to the runner, whoever wrote it,
/// so nothing in it is taken for one there.
fn print_text(text: &[u8]) -> Result<()> {
    if !on_github() {
        return written(&[text]);
    }
    let token = ulid::Ulid::new();
    let (stop, go_on) = (
        format!("::stop-commands::{token}\n"),
        format!("::{token}::\n"),
    );
    written(&[stop.as_bytes(), text, go_on.as_bytes()])
}

/// Prints on standard output. A reader that went away is no fault of ours: the exit status stands.
fn written(texts: &[&[u8]]) -> Result<()> {
    let mut out = io::stdout().lock();
    let all = texts.iter().try_for_each(|text| out.write_all(text));
    match all.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn on_github() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

/// Text for standard error, in which no line begins with a command to GitHub's runner: without the older form of
/// commands, which it finds anywhere in a line.
fn no_command(text: &str) -> String {
    if on_github() {
        text.replace("##[", "#\\u{23}[")
    } else {
        text.to_string()
    }
}

/// Tells a warning on standard error.
fn warn(text: &str) {
    let text = sanitise::line(text, sanitise::Colour::Drop);
    let _ = writeln!(io::stderr(), "warning: {}", no_command(&text));
}
