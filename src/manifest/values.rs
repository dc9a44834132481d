//! The values of single keys: words of closed lists, bounded numbers, lists and small tables.

use std::collections::BTreeMap;

use super::item::{At, Item};
use super::problem::nearest;
use crate::domain::check::{Applies, CannotTell, Priority};
use crate::domain::level::Level;

pub(super) fn strings(item: Option<&Item<'_>>) -> Vec<String> {
    item.map(Item::strings).unwrap_or_default()
}

pub(super) fn strings_at(item: Option<&Item<'_>>) -> Vec<At<String>> {
    let elements = item.map(Item::elements).unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| Some(At::new(element.string()?, element)))
        .collect()
}

/// A weight: more than 0, at most 1000.
pub(super) fn weight(item: &Item<'_>) -> Option<f64> {
    item.number_in("more than 0 and at most 1000", |n| n > 0.0 && n <= 1000.0)
}

/// A level by its word.
pub(super) fn level(item: &Item<'_>) -> Option<Level> {
    one_of(
        item,
        &["exercised", "validated", "wired", "present", "attested"],
        Level::parse,
    )
}

pub(super) fn priority(item: &Item<'_>) -> Option<Priority> {
    one_of(item, &["high", "medium", "low"], |word| match word {
        "high" => Some(Priority::High),
        "medium" => Some(Priority::Medium),
        "low" => Some(Priority::Low),
        _ => None,
    })
}

pub(super) fn operating_systems(item: &Item<'_>) -> Vec<String> {
    let known = ["linux", "macos", "windows"];
    let word = |element: &Item<'_>| {
        one_of(element, &known, |word| {
            known.contains(&word).then(|| word.to_string())
        })
    };
    item.elements().iter().filter_map(word).collect()
}

/// One of a closed list of words.
pub(super) fn one_of<T>(
    item: &Item<'_>,
    known: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let word = item.string()?;
    let value = parse(&word);
    if value.is_none() {
        let hint = nearest(&word, known.iter().copied())
            .unwrap_or_else(|| format!("one of {}", known.join(", ")));
        item.problem(format!("`{}` cannot be `{word}`", item.key), Some(hint));
    }
    value
}

/// File patterns: one, or a list of them.
pub(super) fn patterns(item: &Item<'_>) -> Vec<String> {
    let patterns = item.elements().into_iter().filter_map(|element| {
        let pattern = element.string()?;
        match globset::Glob::new(&pattern) {
            Ok(_) => Some(pattern),
            Err(error) => {
                element.problem(
                    format!("`{pattern}` is not a file pattern: {}", error.kind()),
                    None,
                );
                None
            }
        }
    });
    patterns.collect()
}

pub(super) fn applies(item: &Item<'_>) -> Option<Applies> {
    let mut files = None;
    for field in item.table()? {
        match field.key {
            "files" => {
                files = Some(patterns(&field)).filter(|_| !field.elements().is_empty());
            }
            _ => field.unknown("`applies`", &["files"]),
        }
    }
    match files {
        Some(files) => Some(Applies { files }),
        None => {
            item.problem(
                "`applies` names no files",
                Some("write it like `applies = { files = \"nginx.conf\" }`".into()),
            );
            None
        }
    }
}

pub(super) fn cannot_tell(item: &Item<'_>) -> CannotTell {
    let mut rules = CannotTell::default();
    for field in item.table().into_iter().flatten() {
        let patterns = || field.elements().iter().filter_map(Item::pattern).collect();
        match field.key {
            "exit" => {
                let statuses = field.elements();
                rules.exit = statuses
                    .iter()
                    .filter_map(|item| item.whole(0, i64::from(i32::MAX)))
                    .map(|n| n as i32)
                    .collect();
            }
            "stdout" => rules.stdout = patterns(),
            "stderr" => rules.stderr = patterns(),
            _ => field.unknown("`cannot_tell`", &["exit", "stdout", "stderr"]),
        }
    }
    rules
}

/// How a person gets a program: one way for every system, or one for each.
pub type Install = BTreeMap<String, String>;

/// The system that stands for every other one.
pub const ANY: &str = "any";

/// `install`: a string, or a table by system.
pub(super) fn install(item: &Item<'_>) -> Install {
    const SYSTEMS: [&str; 4] = ["linux", "macos", "windows", ANY];
    if item.is_string() {
        return item
            .string()
            .map(|text| (ANY.to_string(), text))
            .into_iter()
            .collect();
    }
    if !item.is_table() {
        let hint = "a table may have one for each of `linux`, `macos`, `windows` and `any`";
        item.problem("`install` must be a string or a table", Some(hint.into()));
        return Install::new();
    }
    let mut ways = Install::new();
    for field in item.table().into_iter().flatten() {
        if SYSTEMS.contains(&field.key) {
            ways.extend(field.string().map(|text| (field.key.to_string(), text)));
        } else {
            field.unknown("`install`", &SYSTEMS);
        }
    }
    ways
}

/// The way for a system, else that for any.
pub(super) fn install_on(system: &str, ways: &Install) -> Option<String> {
    ways.get(system).or_else(|| ways.get(ANY)).cloned()
}
