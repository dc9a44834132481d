//! A manifest for a project that has none, out of what its files call for: text that a person goes on with, and that is
//! read like any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::detect::Found;
use super::library_check::LibraryCheck;
use super::sections::title;

/// The text of a manifest that declares what was found.
pub fn draft(name: &str, found: &[Found], library: &[LibraryCheck]) -> String {
    let library = library
        .iter()
        .map(|check| (check.name.as_str(), check))
        .collect::<BTreeMap<_, _>>();
    let mut text = format!(
        "\
# What must hold before this project ships, and how it is known. `ready check` runs it; `ready list --library` names
# further checks, `ready explain NAME` says what one does.

[project]
name = {}

# Without a gate every check must be verified. With one, it says what is enough:
# [gate]
# min_score      = 80           # percent that must be verified
# max_unverified = 0

# What somebody says is done, to be held against what is verified:
# [claims]
# overall = 90
",
        string(name)
    );
    let mut components = found
        .iter()
        .filter_map(|found| library.get(found.check.as_str())?.component.as_deref())
        .collect::<Vec<_>>();
    components.sort_unstable();
    components.dedup();
    for (at, component) in components.iter().enumerate() {
        let more = match at {
            0 => "# `weight`, `claim` and `owner` can be said here, too.\n",
            _ => "",
        };
        let title = string(&title(component));
        put(
            &mut text,
            format_args!("\n{more}[components.{component}]\ntitle = {title}\n"),
        );
    }
    for found in found {
        put(
            &mut text,
            format_args!("\n# {}\n[checks.{}]\n", found.file, found.id),
        );
        let library = library.get(found.check.as_str());
        if let (Some(place), Some(library)) = (&found.place, library) {
            let place = match place.as_str() {
                "." => "the top folder",
                place => place,
            };
            let says = string(&format!("{} ({place})", library.says));
            put(&mut text, format_args!("says = {says}\n"));
        }
        put(&mut text, format_args!("use  = {}\n", string(&found.check)));
        if !found.with.is_empty() {
            let pairs = found
                .with
                .iter()
                .map(|(param, value)| format!("{} = {}", key(param), string(value)))
                .collect::<Vec<_>>()
                .join(", ");
            put(&mut text, format_args!("with = {{ {pairs} }}\n"));
        }
    }
    text
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(more);
}

/// A string as TOML has it.
fn string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML has it.
fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !text.is_empty() && text.chars().all(bare) {
        true => text.to_string(),
        false => string(text),
    }
}
