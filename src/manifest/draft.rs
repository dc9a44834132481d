//! A manifest for a project that has none, out of what its files call for: text that a person goes on with, and that is
//! read like any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::detect::Found;
use super::library_check::LibraryCheck;
use super::sections::title;

const HEAD: &str = "\
# What must hold before this project ships, and how it is known. `ready check` runs it. `ready list --library` names
# further checks, `ready explain NAME` says what one does.

";
const GATE: &str = "
# Without a gate every check must be verified. With one, this is enough:
# [gate]
# min_score     = 80           # percent that must be verified
# max_overclaim = 10           # points by which what is claimed may exceed that

# What somebody says is done, to be held against what is verified:
# [claims]
# overall = 90
";
const MORE: &str = r#"
# What no file tells must be written by hand, such as what a service answers:
# [checks.health]
# says   = "The health check answers healthy"
# http   = "http://127.0.0.1:8000/health"
# expect = { json = { "$.status" = "healthy" } }
"#;

/// The text of a manifest that declares what was found.
pub fn draft(name: &str, found: &[Found], library: &[LibraryCheck]) -> String {
    let library = library
        .iter()
        .map(|check| (check.name.as_str(), check))
        .collect::<BTreeMap<_, _>>();
    let mut text = format!("{HEAD}[project]\nname = {}\n{GATE}", string(name));
    let mut components = found
        .iter()
        .filter_map(|found| library.get(found.check.as_str())?.component.as_deref())
        .collect::<Vec<_>>();
    components.sort_unstable();
    components.dedup();
    for (at, component) in components.iter().enumerate() {
        let more = match at {
            0 => {
                "# The rows of the table; each may have a `weight`, a `claim` in percent and an `owner`, too.\n"
            }
            _ => "",
        };
        let title = string(&title(component));
        put(
            &mut text,
            format_args!("\n{more}[components.{component}]\ntitle = {title}\n"),
        );
    }
    for found in found {
        let says = library
            .get(found.check.as_str())
            .map_or("", |check| check.says.as_str());
        let by = format!("called for by {}", found.file);
        put(
            &mut text,
            format_args!("\n# {says}: {by}\n[checks.{}]\n", found.id),
        );
        if let Some(place) = &found.place {
            let place = match place.as_str() {
                "." => "the top folder",
                place => place,
            };
            let says = string(&format!("{says} ({place})"));
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
    text + MORE
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
