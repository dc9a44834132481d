//! Whatever comes in: what others wrote, changed at random, in front of everything that reads it. Nothing may panic, and what each
//! part promises of its output must hold.
//!
//! In the ordinary tests each target takes a few hundred inputs, always the same ones. `READY_FUZZ_SECONDS=600 cargo test --release
//! --test fuzz -- --nocapture TARGET` goes on for so long, from another start each time, and says how many it took. What it finds
//! is printed as it can be put into `FOUND`, which is tried first each time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot set up has failed"
)]

mod mutate;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use readiness::claims;
use readiness::domain::again::Again;
use readiness::domain::assess::{Deciding, Setting, assess};
use readiness::domain::merge::{Named, merge};
use readiness::domain::report::Report;
use readiness::manifest::{self, Formats};
use readiness::mask::Masker;
use readiness::reader;
use readiness::reporter::{self, Style};
use readiness::sanitise::{self, Colour};

use mutate::Mutator;

/// Inputs that were found, by target, kept so that they stay mended.
const FOUND: [(&str, &[u8]); 0] = [];

/// So many inputs a target takes in the ordinary tests.
const FEW: u64 = 300;

/// Tries a target on changed seeds.
fn fuzz(target: &str, seeds: &[Vec<u8>], run: impl Fn(&[u8])) {
    let long = std::env::var("READY_FUZZ_SECONDS")
        .ok()
        .map(|seconds| seconds.parse().unwrap());
    let long = long.map(Duration::from_secs);
    let start = match long {
        Some(_) => Timestamp::now().as_nanosecond() as u64,
        None => 1,
    };
    let found = FOUND
        .iter()
        .filter(|(of, _)| *of == target)
        .map(|(_, input)| input.to_vec());
    for input in found.chain(seeds.iter().cloned()) {
        tried(target, &input, &run);
    }
    let mut mutator = Mutator::new(start, seeds);
    let (begun, mut taken) = (Instant::now(), 0_u64);
    // What is measured here is only when to stop.
    while long.map_or(taken < FEW, |long| begun.elapsed() < long) {
        tried(target, &mutator.next_input(), &run);
        taken += 1;
    }
    if long.is_some() {
        println!(
            "{target}: {taken} inputs in {:?} from {start}",
            begun.elapsed()
        );
    }
}

fn tried(target: &str, input: &[u8], run: &impl Fn(&[u8])) {
    if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
        panic!(
            "{target} fails on (\"{target}\", b\"{}\")",
            input.escape_ascii()
        );
    }
}

fn formats() -> Formats {
    Formats {
        names: || reader::names().into_iter().map(|(name, _)| name).collect(),
        exits: reader::exits,
        query: reader::json::check,
    }
}

#[test]
fn manifests() {
    let today = jiff::civil::date(2026, 11, 26);
    fuzz("manifests", &seeds::manifests(), |input| {
        let text = String::from_utf8_lossy(input);
        match manifest::parse("readiness.toml", &text, today, formats()) {
            // Each problem has a place that can be shown.
            Err(problems) => assert!(!problems.is_empty() && !problems.render(false).is_empty()),
            Ok(project) => assert!(project.checks.iter().all(|check| check.weight > 0.0)),
        }
    });
}

#[test]
fn readers() {
    let names = reader::names();
    fuzz("readers", &seeds::results(), |input| {
        for (name, _) in &names {
            let Some(format) = reader::by_name(name) else {
                continue;
            };
            if let Ok(results) = (format.read)(input) {
                let total = results.counts.map_or(0, |counts| counts.total());
                // Of what is named as failed, something was counted as failed.
                let failed = results.counts.map_or(1, |counts| counts.failed);
                assert!(total >= failed || results.counts.is_none(), "{name}");
                assert!(
                    results.figures().values().all(|figure| figure.is_finite()),
                    "{name}"
                );
            }
        }
    });
}

#[test]
fn queries() {
    fuzz("queries", &seeds::queries(), |input| {
        let query = String::from_utf8_lossy(input);
        if let Err(mistake) = reader::json::check(&query) {
            assert!(mistake.at.end <= query.len() && !mistake.text.is_empty());
        }
    });
}

#[test]
fn documents() {
    fuzz("documents", &seeds::documents(), |input| {
        let lines = input.split(|byte| *byte == b'\n').count() as u32;
        for found in claims::extract(input, "STATUS.md") {
            assert!(found.line >= 1 && found.line <= lines.max(1), "{found:?}");
        }
    });
}

/// A report as somebody may hand it over: judged again, merged, and shown in every format.
#[test]
fn reports() {
    let now = "2026-11-26T12:00:00Z".parse::<Timestamp>().unwrap();
    fuzz("reports", &seeds::reports(), |input| {
        let Ok(report) = serde_json::from_slice::<Report>(input) else {
            return;
        };
        for format in &reporter::FORMATS {
            // A format may have nothing to say of a report; it may not break on it.
            let _ = format.render(&report, Style::PLAIN, &mut vec![]);
        }
        let named = |name: &str, report: &Report| Named {
            name: name.to_string(),
            report: report.clone(),
        };
        let mut other = report.clone();
        if let Some(run) = &mut other.run {
            run.id.push('2');
        }
        let _ = merge(
            vec![named("a", &report), named("b", &other)],
            "m".to_string(),
            now,
        );
        let again = Again::of(&report);
        let setting = Setting {
            ready: "0".to_string(),
            run: report.run.clone(),
            about: again.about,
            preflight: vec![],
            called_for: again.called_for,
            found: again.found,
            bases: again.bases,
            against: again.against,
            warnings: vec![],
            deciding: Deciding::Gates(vec![]),
        };
        let judged = assess(
            &again.project,
            &again.project.gates,
            again.seen,
            setting,
            now,
        );
        let score = &judged.score;
        assert!(
            (0.0..=100.0).contains(&score.verified),
            "{}",
            score.verified
        );
        assert!(score.ceiling >= score.verified && score.ceiling <= 100.0);
    });
}

#[test]
fn sanitiser() {
    fuzz("sanitiser", &seeds::outputs(), |input| {
        let text = String::from_utf8_lossy(input);
        for line in text.lines() {
            let dropped = sanitise::line(line, Colour::Drop);
            assert!(!dropped.contains(sanitise::acts), "{line:?}");
            let passed = sanitise::line(line, Colour::Pass);
            // Nothing but colours is left to act, and nothing is said that is not said without them.
            assert!(
                !passed.contains(|c| sanitise::acts(c) && c != '\u{1b}'),
                "{line:?}"
            );
            assert_eq!(sanitise::line(&passed, Colour::Drop), dropped, "{line:?}");
        }
    });
}

#[test]
fn masker() {
    const SECRETS: [&str; 3] = [
        "hunter2-Passw0rd!",
        "line one\nline two of it",
        "tökén/with+signs==",
    ];
    let masker = Masker::new(SECRETS);
    let mut seeds = seeds::outputs();
    seeds.extend(SECRETS.map(|secret| secret.as_bytes().to_vec()));
    seeds.extend(SECRETS.map(|secret| format!("a {secret} b {secret}{secret}").into_bytes()));
    fuzz("masker", &seeds, |input| {
        let masked = masker.bytes(input);
        let holds =
            |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
        for secret in SECRETS {
            assert!(
                !holds(&masked, secret.as_bytes()),
                "{}",
                input.escape_ascii()
            );
        }
        // What holds no secret stays as it is.
        assert!(
            masked.len() == input.len() || holds(&masked, b"***"),
            "{}",
            masked.escape_ascii()
        );
    });
}

/// `ready ledger import` of files as they may come from anywhere: an error or a record that verifies.
#[cfg(unix)]
#[test]
fn imports() {
    use std::process::Command;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("readiness.toml"),
        "[project]\nname = \"fuzzed\"\n",
    )
    .unwrap();
    let ready = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_ready"))
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let mut seeds = seeds::reports();
    seeds.truncate(2);
    fuzz("imports", &seeds, |input| {
        std::fs::write(folder.path().join("in.json"), input).unwrap();
        let import = ready(&["ledger", "import", "in.json"]);
        let said = String::from_utf8_lossy(&import.stderr).into_owned();
        assert!(
            matches!(import.status.code(), Some(0 | 2)) && !said.contains("panicked"),
            "{said}"
        );
        if import.status.code() == Some(0) {
            let verify = ready(&["ledger", "verify"]);
            assert_eq!(
                verify.status.code(),
                Some(0),
                "{}",
                String::from_utf8_lossy(&verify.stderr)
            );
        }
    });
}
