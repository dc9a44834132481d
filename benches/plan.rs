//! How long a plan takes to compute for 50, 100 and 200 checks that are not verified, and how that grows: of components with
//! ten checks each, of one component with all of them, and with times that no two sets have in common.
//!
//! `cargo bench --bench plan`

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]

use std::time::{Duration, Instant};

use readiness::domain::assess::{Deciding, Seen, Setting, assess};
use readiness::domain::check::Exits;
use readiness::domain::evidence::Observed;
use readiness::domain::reason::{Code, Reason};
use readiness::domain::report::Report;
use readiness::manifest::{Formats, parse};

const FORMATS: Formats = Formats {
    names: || vec!["tap"],
    exits: |_| Some(Exits::default()),
    query: |_| Ok(()),
};

/// A report on so many checks, in components of so many, of which each takes a time of its own where `odd`.
fn report(checks: usize, within: usize, odd: bool) -> Report {
    let levels = ["present", "wired", "validated"];
    let mut text = "[project]\nname = \"plan\"\n[gate]\nmin_score = 55\n".to_string();
    for component in 0..checks.div_ceil(within) {
        text += &format!(
            "[components.part{component}]\nweight = {}\n",
            1 + component % 4
        );
    }
    for at in 0..checks {
        let minutes = match odd {
            true => 11 + (at * at * 7 + at * 13) % 229,
            false => 15 * (1 + at % 16),
        };
        text += &format!(
            "[checks.c{at}]\ncomponent = \"part{}\"\nsays = \"it holds\"\nrun = [\"true\"]\nlevel = \"{}\"\nweight = {}\nfix = {{ takes = \"{minutes}m\" }}\n",
            at / within,
            levels[at % 3],
            1 + at * 3 % 7
        );
    }
    let now = "2026-11-26T12:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let project = parse(
        "readiness.toml",
        &text,
        "2026-11-26".parse().unwrap(),
        FORMATS,
    )
    .unwrap();
    let unknown = || {
        Seen::now(Observed::Withheld(Reason::new(
            Code::CannotTell,
            "nobody could tell",
        )))
    };
    let seen = project.checks.iter().map(|_| unknown()).collect();
    let setting = Setting {
        ready: "bench".to_string(),
        run: None,
        about: Default::default(),
        preflight: vec![],
        called_for: vec![],
        found: vec![],
        bases: Default::default(),
        against: None,
        warnings: vec![],
        deciding: Deciding::Gates(vec!["default".to_string()]),
    };
    let gates = project.gates.clone();
    assess(&project, &gates, seen, setting, now)
}

fn best_of(times: usize, work: impl Fn() -> Report) -> (Duration, Report) {
    let runs = (0..times).map(|_| {
        let start = Instant::now();
        let report = work();
        (start.elapsed(), report)
    });
    runs.min_by_key(|(time, _)| *time).unwrap()
}

fn main() {
    println!("{:44} {:>10} {:>10} {:>10}", "", "50 checks", "100", "200");
    for (name, within, odd) in [
        ("ten checks to a component", Some(10), false),
        ("each check by itself", Some(1), false),
        ("one component", None, false),
        ("ten to a component, odd times", Some(10), true),
        ("one component, odd times", None, true),
    ] {
        let mut line = format!("{name:44}");
        for checks in [50, 100, 200] {
            let (time, report) = best_of(3, || report(checks, within.unwrap_or(checks), odd));
            let way = report.way.unwrap();
            let proved = match (way.opens, way.minimal) {
                (true, true) => "",
                (true, false) => "*",
                (false, _) => "-",
            };
            line += &format!(" {:>8.1} ms{proved}", time.as_secs_f64() * 1e3);
        }
        println!("{line}");
    }
    println!("* not proved minimal, - nothing opens the gate");
}
