//! What it costs to look into a long history: `ready status` and `ready history` on a ledger of 10,000 runs of 50 checks,
//! against the same on one of 100 runs, in alternating runs. The aim: at most twice as much.
//!
//! `cargo bench --bench ledger`
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use readiness::domain::report::Report;
use readiness::ledger::Ledger;
use support::{alternating, cpu_and_wall};

const CHECKS: usize = 50;
const ROUNDS: usize = 21;

fn main() {
    let [few, many] = [100, 10_000].map(|runs| {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), runs);
        let size = Ledger::open_existing(folder.path())
            .unwrap()
            .unwrap()
            .bytes()
            .unwrap();
        println!(
            "{runs} runs of {CHECKS} checks: {:.1} MB",
            size as f64 / 1e6
        );
        folder
    });
    for args in [&["status"][..], &["history"], &["history", "--check", "c7"]] {
        let on = |folder: &Path| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
            command.args(args).current_dir(folder);
            command
        };
        assert!(on(many.path()).output().unwrap().status.success());
        println!("ready {}, {ROUNDS} alternating rounds", args.join(" "));
        let rounds = alternating(ROUNDS, [&|| on(few.path()), &|| on(many.path())]);
        cpu_and_wall(["100 runs", "10,000 runs"], &rounds);
    }
}

/// A project whose ledger holds so many runs, each a minute after the one before.
fn fill(folder: &Path, runs: u64) {
    let mut manifest = "[project]\nname = \"long\"\n[gate]\nmin_score = 50\n".to_string();
    for at in 0..CHECKS {
        manifest += &format!(
            "[checks.c{at}]\nsays = \"{at} is well\"\nrun = [\"seq\", \"{at}\", \"200\"]\n"
        );
    }
    std::fs::write(folder.join("readiness.toml"), manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    let first = command
        .args(["check", "--format", "json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let mut report = serde_json::from_slice::<Report>(&first.stdout).unwrap();
    std::fs::remove_dir_all(folder.join(".ready")).unwrap();
    let mut ledger = Ledger::open(folder).unwrap();
    let last = report.run.as_ref().unwrap().started;
    for before in (0..runs).rev() {
        let run = report.run.as_mut().unwrap();
        run.started = last - Duration::from_secs(60 * before);
        run.finished = run.started;
        run.id = ulid::Ulid::from_parts(run.started.as_millisecond().unsigned_abs(), 1).to_string();
        let started = run.started;
        for evidence in report
            .checks
            .iter_mut()
            .filter_map(|row| row.evidence.as_mut())
        {
            evidence.started = started;
        }
        ledger.append(&mut report, None::<&()>).unwrap();
    }
}
