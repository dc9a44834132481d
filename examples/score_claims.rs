//! Scores what `ready claims` finds in documents against labels made by hand:
//! `cargo run --example score_claims -- FOLDER [LABELS] [-v]`.
//!
//! FOLDER has documents (`NAME.md`), LABELS (the same folder, where it is not given) a line of JSON for each claim in them
//! (`NAME.jsonl`): `line`, `kind` (`percent`, `ratio`, `mark`), and `value`, `passed` and `total`, or `mark`; `tense`. A claim
//! is right where a label has the same line, kind and value (percentages within half a point). `-v` lists what was missed and
//! what was invented.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people prints"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use readiness::claims::extract;
use readiness::domain::claim::{Mark, Said, Tense};
use serde_json::Value;

/// A claim as far as it is compared.
#[derive(Clone, Debug)]
struct Claim {
    line: u64,
    said: Said,
    tense: Tense,
    text: String,
}

fn label(text: &str) -> Result<Claim, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
    let number = |key: &str| {
        json[key]
            .as_u64()
            .ok_or_else(|| format!("no `{key}`: {text}"))
    };
    let said = match json["kind"].as_str().unwrap_or_default() {
        "percent" => Said::Percent {
            value: json["value"]
                .as_f64()
                .ok_or_else(|| format!("no `value`: {text}"))?,
            value_max: None,
        },
        "ratio" => Said::Ratio {
            passed: number("passed")?,
            total: number("total")?,
        },
        "mark" => Said::Mark {
            mark: match json["mark"].as_str().unwrap_or_default() {
                "done" => Mark::Done,
                "partial" => Mark::Partial,
                "not_done" => Mark::NotDone,
                other => return Err(format!("no mark is called `{other}`: {text}")),
            },
        },
        other => return Err(format!("no kind is called `{other}`: {text}")),
    };
    Ok(Claim {
        line: number("line")?,
        said,
        tense: serde_json::from_value(json["tense"].clone()).unwrap_or_default(),
        text: text.to_string(),
    })
}

fn same(a: &Claim, b: &Claim) -> bool {
    a.line == b.line
        && match (&a.said, &b.said) {
            (Said::Percent { value: a, .. }, Said::Percent { value: b, .. }) => {
                (a - b).abs() <= 0.5
            }
            (a, b) => a == b,
        }
}

/// How many were found, labelled, right, and right about the time.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    found: usize,
    labelled: usize,
    right: usize,
    tense: usize,
}

impl Score {
    fn precision(self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }

    fn recall(self) -> f64 {
        self.right as f64 / self.labelled.max(1) as f64
    }
}

fn score(document: &Path, labels: &Path, verbose: bool) -> Result<Score, String> {
    let bytes = fs::read(document).map_err(|error| format!("{}: {error}", document.display()))?;
    let text =
        fs::read_to_string(labels).map_err(|error| format!("{}: {error}", labels.display()))?;
    let mut left = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(label)
        .collect::<Result<Vec<_>, _>>()?;
    let mut score = Score {
        labelled: left.len(),
        ..Score::default()
    };
    let found = extract(&bytes, &document.display().to_string()).into_iter();
    // Bare counts and changes are not labelled.
    let found =
        found.filter(|found| !matches!(found.said, Said::Count { .. } | Said::Delta { .. }));
    for found in found {
        score.found += 1;
        let claim = Claim {
            line: u64::from(found.line),
            said: found.said.clone(),
            tense: found.tense,
            text: format!("{}: {} | {}", found.line, found.words(), found.quote),
        };
        match left.iter().position(|label| same(label, &claim)) {
            Some(at) => {
                score.right += 1;
                score.tense += usize::from(left.remove(at).tense == claim.tense);
            }
            None if verbose => println!("    invented  {}", claim.text),
            None => {}
        }
    }
    for missed in left.iter().filter(|_| verbose) {
        println!("    missed    {}", missed.text);
    }
    Ok(score)
}

fn run() -> Result<(), String> {
    let (flags, folders): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word == "-v");
    let folder = folders.first().ok_or("which folder of documents?")?;
    let labels = folders.get(1).unwrap_or(folder);
    let entries = fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut documents = paths
        .filter(|path| path.extension().is_some_and(|is| is == "md"))
        .collect::<Vec<PathBuf>>();
    documents.sort();
    let mut all = Score::default();
    for document in &documents {
        let name = document
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let score = score(
            document,
            &Path::new(labels).join(format!("{name}.jsonl")),
            !flags.is_empty(),
        )?;
        println!(
            "{name:28} {} found, {} labelled, {} right: precision {:.3}, recall {:.3}",
            score.found,
            score.labelled,
            score.right,
            score.precision(),
            score.recall()
        );
        all.found += score.found;
        all.labelled += score.labelled;
        all.right += score.right;
        all.tense += score.tense;
    }
    let tense = all.tense as f64 / all.right.max(1) as f64;
    println!(
        "all: precision {:.3}, recall {:.3}, tense {tense:.3}",
        all.precision(),
        all.recall()
    );
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
