//! `ready prove`: each check on its control and on the good state, in a copy of the project. The project itself, its index
//! and what is recorded of its runs stay as they are.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;

use super::secrets;
use super::selection::Selection;
use super::session::{Session, host};
use super::{Exit, Global, Usage, print_text, warn, written};
use crate::domain::check::{Check, Probe};
use crate::domain::evidence::Program;
use crate::domain::project::Requires;
use crate::domain::proof::{Proof, Proven};
use crate::ledger::Ledger;
use crate::manifest::proof_digest;
use crate::mask::Masker;
use crate::probe::{Programs, http::Clients, preflight};
use crate::process::Cancel;
use crate::prove::{Means, Prover, Scratch, Stopped};
use crate::reader;
use crate::reporter;
use crate::runner::{elsewhere, signals};
use crate::tree;

/// Show that checks can fail: run each on its control, where it must fail, and on the good state, where it must hold
///
/// A control is a violation that the manifest or the library declares: files laid over the project, a patch, variables,
/// another command. The check must fail on it, with `signal` in what is seen: a crash, a missing tool, any `unverified` is no
/// detection. For `http`, `file`, `variable`, `port` and `listen` controls are made out of what the check expects, and so are
/// those for the results that a reader reads.
///
/// All of it happens in a copy of the project: its own files, and what `[prove] copy` names of those that git ignores.
/// Services get ports of their own there. What comes of it is recorded, and counts for 30 days for the same definition, control
/// and program; a check that was judged by its exit status alone counts as exercised then.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready prove                      every check
  ready prove pytest lint          these
  ready prove --component backend
  ready prove --format json

Results:
  proved         it failed on its controls for their reason, and held on the good state
  cannot fail    it stayed green on a control                                    (exit 1)
  wrong reason   it did not hold on a control, and not for the control's reason  (exit 1)
  does not hold  it does not hold on the good state                              (exit 1)
  no control     nothing shows that it can fail; `[gate] require_proved = true` wants it to")]
pub(super) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// The output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit> {
    let session = Session::open(global)?;
    let selected = options.selection.places(&session.project)?;
    let places = provable(&session, selected.as_ref())?;
    let cancel = Cancel::new().context("cannot get the descriptors to be stopped by")?;
    let runtime = signals::serve(&cancel, None, |_| {}).context("cannot listen for signals")?;
    let scratch = Scratch::of(&session.folder, &session.project.prove_copy)?;
    for name in &scratch.missing {
        warn(&format!("`[prove] copy`: nothing here is `{name}`"));
    }
    let masker = secrets::masker(&session.project, &session.folder);
    let (clients, run, host) = (Clients::new(runtime), ulid::Ulid::new().to_string(), host());
    let means = Means {
        run: &run,
        host: &host.name,
        cancel: &cancel,
        masker: &masker,
        clients: &clients,
        read: reader::read,
    };
    let mut prover = Prover::new(&session.project, &scratch, &session.applicable, means);
    let asked = Asked {
        session: &session,
        host: &host.name,
        commit: tree::commit_of(&session.folder, "HEAD"),
        cancel: &cancel,
    };
    let (mut proofs, mut stopped) = (vec![], false);
    for (number, at) in (1..).zip(&places) {
        let check = &session.project.checks[*at];
        if !global.quiet && options.format == "table" {
            progress(number, places.len(), &check.id);
        }
        let begun = Timestamp::now();
        match prover.prove(*at) {
            Ok(outcome) => {
                let mut proof = asked.proof(check, begun);
                proof.result = outcome.result;
                proof.text = outcome.text;
                proof.trials = outcome.trials;
                proof.tool = prover.tool(*at).or_else(|| named(proof.program.as_ref()?));
                proofs.push(masked(proof, &masker));
            }
            Err(Stopped) => {
                stopped = true;
                break;
            }
        }
    }
    drop(scratch);
    let recorded = record(&session, &proofs);
    let mut text = vec![];
    match options.format.as_str() {
        "json" => {
            reporter::prove::json(&proofs, &mut text)?;
            written(&[&text])?;
        }
        _ => {
            reporter::prove::render(&proofs, global.style(), &mut text)?;
            print_text(&text)?;
        }
    }
    Ok(match (stopped, recorded) {
        (true, _) => Exit::Interrupted,
        (_, false) => Exit::Broken,
        _ if proofs.iter().all(|proof| is_well(proof.result)) => Exit::Open,
        _ => Exit::Closed,
    })
}

/// What does not say that something is wrong with the check.
fn is_well(result: Proven) -> bool {
    matches!(result, Proven::Proved | Proven::NoControl)
}

/// The places of the checks that can be proved here, of those that are asked for.
fn provable(session: &Session, selected: Option<&BTreeSet<usize>>) -> Result<Vec<usize>> {
    let checks = &session.project.checks;
    let all = (0..checks.len()).collect::<BTreeSet<_>>();
    let (mut places, mut not) = (vec![], vec![]);
    for at in selected.unwrap_or(&all) {
        let check = &checks[*at];
        let why = match &check.probe {
            Probe::Manual(_) => Some("it is a person's word".to_string()),
            _ if !session.applicable[*at] => Some("it does not apply to this project".to_string()),
            _ => elsewhere(check),
        };
        match why {
            None => places.push(*at),
            Some(why) if selected.is_some() => not.push(format!("{}: {why}", check.id)),
            Some(_) => {}
        }
    }
    for why in &not {
        warn(&format!("cannot be proved here: {why}"));
    }
    if places.is_empty() {
        let hint = "`ready list` names the checks".to_string();
        return Err(Usage::new("there is no check to prove", Some(hint)).into());
    }
    Ok(places)
}

/// What every proof says of where and when it was had.
struct Asked<'a> {
    session: &'a Session,
    host: &'a str,
    commit: Option<String>,
    cancel: &'a Cancel,
}

impl Asked<'_> {
    /// A proof of which nothing has come yet.
    fn proof(&self, check: &Check, at: Timestamp) -> Proof {
        let program = Programs::default().of(check, &self.session.folder);
        Proof {
            check: check.id.clone(),
            result: Proven::NoControl,
            text: String::new(),
            trials: vec![],
            at,
            host: self.host.to_string(),
            commit: self.commit.clone(),
            definition: proof_digest(check, &self.session.project.services),
            program: program.map(|program| self.with_version(program)),
            tool: None,
        }
    }

    /// The program with the version that it gives of itself.
    fn with_version(&self, program: Program) -> Program {
        let requires = Requires {
            tools: vec![(program.path.clone(), ">= 0".to_string())],
            ports: vec![],
        };
        let seen = preflight::observe(&requires, &self.session.folder, self.cancel);
        let version = seen
            .first()
            .and_then(|line| line.seen.strip_prefix("found "));
        Program {
            version: version.map(str::to_string),
            ..program
        }
    }
}

/// A program by its name and version, where it tells one.
fn named(program: &Program) -> Option<String> {
    let name = std::path::Path::new(&program.path).file_stem()?;
    let version = program.version.as_ref()?;
    Some(format!("{} {version}", name.to_string_lossy()))
}

/// The proof without secrets.
fn masked(mut proof: Proof, masker: &Masker) -> Proof {
    let mask = |text: &mut String| *text = masker.text(text).into_owned();
    mask(&mut proof.text);
    for trial in &mut proof.trials {
        mask(&mut trial.control);
        mask(&mut trial.reason.text);
    }
    proof
}

/// Records what came of it; gives whether that went well. A folder that cannot be written is no fault of ours.
fn record(session: &Session, proofs: &[Proof]) -> bool {
    let recorded =
        Ledger::open(&session.folder).and_then(|mut ledger| ledger.append_proofs(proofs));
    let Err(error) = recorded else { return true };
    warn(&format!("what was proved is not recorded: {error:#}"));
    crate::ledger::not_writable(&error)
}

/// One line for each check, so that a log shows how far it is.
fn progress(number: usize, of: usize, id: &str) {
    let _ = writeln!(std::io::stderr(), "proving {id} ({number} of {of})");
}
