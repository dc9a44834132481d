//! The rules of the house about who may know whom, read from the source, so that they stay true.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read the source has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The code of a file without its comments and its unit tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The name of the station that a file belongs to: its folder below `src`, or its own name.
fn station(file: &Path) -> String {
    let relative = file.strip_prefix(src()).unwrap();
    relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_string()
}

/// The words that follow `before` in the code and name a module or a crate.
fn named_after(code: &str, before: &str) -> BTreeSet<String> {
    let starts = code.match_indices(before).filter(|(at, _)| {
        !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
    });
    let word = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    starts
        .map(|(at, _)| word(&code[at + before.len()..]))
        .filter(|word| !word.is_empty())
        .collect()
}

/// What each station uses of the others.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&src()) {
        let station = station(&file);
        let mut named = named_after(&code(&file), "crate::");
        named.remove(&station);
        uses.entry(station).or_default().extend(named);
    }
    uses
}

#[test]
fn each_station_knows_only_what_it_may() {
    let may: [(&str, &[&str]); 12] = [
        ("domain", &[]),
        ("claims", &["domain"]),
        ("manifest", &["domain"]),
        ("mask", &[]),
        ("sanitise", &[]),
        ("tree", &[]),
        ("process", &["domain"]),
        ("probe", &["domain", "mask", "process", "tree"]),
        ("reader", &["domain", "process"]),
        ("ledger", &["domain"]),
        ("lint", &["domain", "manifest"]),
        ("reporter", &["domain", "sanitise"]),
    ];
    let uses = uses();
    for (station, allowed) in may {
        let allowed = allowed
            .iter()
            .map(|name| name.to_string())
            .collect::<BTreeSet<_>>();
        let beyond = uses[station].difference(&allowed).collect::<Vec<_>>();
        assert!(beyond.is_empty(), "{station} may not use {beyond:?}");
    }
    let runner = ["domain", "probe", "process"]
        .map(str::to_string)
        .into_iter()
        .collect::<BTreeSet<_>>();
    assert!(
        uses["runner"].is_subset(&runner),
        "runner uses {:?}",
        uses["runner"]
    );
    let prove = ["domain", "mask", "probe", "process", "runner", "tree"]
        .map(str::to_string)
        .into_iter()
        .collect::<BTreeSet<_>>();
    assert!(
        uses["prove"].is_subset(&prove),
        "prove uses {:?}",
        uses["prove"]
    );
    let covered = may
        .iter()
        .map(|(name, _)| *name)
        .chain(["runner", "prove", "cli", "lib", "main"])
        .collect::<BTreeSet<_>>();
    let unknown = uses
        .keys()
        .filter(|name| !covered.contains(name.as_str()))
        .collect::<Vec<_>>();
    assert!(unknown.is_empty(), "say here what {unknown:?} may use");
}

#[test]
fn the_domain_is_pure() {
    // Computation only: none of these opens a file, a socket or a process, or reads a clock unless asked to.
    let crates = [
        "std",
        "serde",
        "serde_json",
        "serde_json_path",
        "regex",
        "aho_corasick",
        "jiff",
        "num_bigint",
        "num_rational",
        "num_traits",
        "schemars",
        "super",
        "crate",
        "self",
    ];
    let forbidden = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "std::io",
        "SystemTime",
        "Instant",
        "::now()",
        "println!",
        "print!",
    ];
    for file in sources(&src().join("domain")) {
        if file.ends_with("testing.rs") || file.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        let code = code(&file);
        for word in forbidden {
            assert!(!code.contains(word), "{} uses {word}", file.display());
        }
        let roots = code
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("use "))
            .filter_map(|line| line.split([':', ';']).next());
        for root in roots {
            assert!(
                crates.contains(&root),
                "{} uses the crate {root}",
                file.display()
            );
        }
    }
}

#[test]
fn only_the_command_line_and_the_reporters_print() {
    for file in sources(&src()) {
        if !matches!(station(&file).as_str(), "cli" | "reporter") {
            let code = code(&file);
            assert!(
                !code.contains("println!") && !code.contains("eprint"),
                "{} prints",
                file.display()
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources(&src()) {
        let text = fs::read_to_string(&file).unwrap();
        let is_tests = file.file_stem().is_some_and(|name| name == "tests");
        assert!(
            text.starts_with("//!") || is_tests,
            "{} does not begin with `//!`",
            file.display()
        );
    }
}

#[test]
fn the_map_in_the_crate_names_every_station() {
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let (map, modules) = text.split_once("\npub mod ").unwrap();
    for name in format!("pub mod {modules}")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
    {
        let name = name.trim_end_matches(';');
        assert!(
            map.contains(&format!("[`{name}`]")) || map.contains(&format!("[`{name}::")),
            "lib.rs does not say what `{name}` is"
        );
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    let allowing = sources(&src())
        .into_iter()
        .filter(|file| code(file).contains("unsafe_code,"))
        .collect::<Vec<_>>();
    assert_eq!(allowing, [src().join("process/windows/job.rs")]);
}

#[test]
fn every_library_check_has_a_file_that_is_listed() {
    let files = fs::read_dir(src().parent().unwrap().join("checks"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            name.strip_suffix(".toml").map(str::to_string)
        });
    let files = files.collect::<BTreeSet<_>>();
    let built_in = readiness::manifest::library::BUILT_IN
        .iter()
        .map(|definition| definition.name.to_string())
        .collect();
    assert_eq!(files, built_in);
    assert!(files.len() >= 4);
}
