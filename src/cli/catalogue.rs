//! The library as a catalogue: a line for each check, and all that is known of one.

use std::fmt::Write as _;

use super::list::columns;
use super::{Usage, selection};
use crate::domain::limit::human_duration;
use crate::manifest::{ANY, Library, LibraryCheck, Seen};
use crate::reader;
use crate::sanitise::{self, Colour};

/// The checks of the library that have all the words in their lines, and so the readers.
pub(super) fn list(library: &Library, words: &[String]) -> anyhow::Result<String> {
    let fits = |cells: &[String]| {
        let line = cells.join(" ").to_lowercase();
        words.iter().all(|word| line.contains(&word.to_lowercase()))
    };
    let mut checks = library.checks()?;
    checks.sort_by(|a, b| (&a.component, &a.name).cmp(&(&b.component, &b.name)));
    let or_dash = |word: Option<String>| word.unwrap_or_else(|| "-".to_string());
    let rows = checks.into_iter().map(|check| {
        [
            check.name,
            or_dash(check.component),
            or_dash(check.level.map(|level| level.to_string())),
            or_dash(check.tool.map(|(name, _)| name)),
            or_dash(check.seen.as_ref().map(seen)),
            check.says,
        ]
    });
    let rows = rows.filter(|row| fits(row)).collect::<Vec<_>>();
    let readers = reader::names()
        .into_iter()
        .map(|(name, about)| [name.to_string(), about.to_string()]);
    let readers = readers.filter(|row| fits(row)).collect::<Vec<_>>();
    if rows.is_empty() && readers.is_empty() {
        let message = format!(
            "nothing in the library has `{}` in its line",
            words.join("` and `")
        );
        let hint = selection::nearest(&words.join("-"), library.names())
            .unwrap_or_else(|| "`ready list --library` lists all of it".to_string());
        return Err(Usage::new(message, Some(hint)).into());
    }
    let mut tables = vec![];
    if !rows.is_empty() {
        let header = ["CHECK", "COMPONENT", "LEVEL", "TOOL", "SEEN", "SAYS"];
        tables.push(columns(header, rows));
    }
    if !readers.is_empty() {
        tables.push(columns(["READER", "READS"], readers));
    }
    Ok(tables.join("\n"))
}

/// The version of the tool that a check was tried with, in a word.
pub(super) fn seen(seen: &Seen) -> String {
    match seen {
        Seen::With(version) => version.clone(),
        Seen::Never => "never".to_string(),
    }
}

/// All that the file of a library check says.
pub(super) fn page(check: &LibraryCheck) -> String {
    let mut text = format!("{}: {}\n", check.name, safe(&check.says));
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:14} {}", safe(value));
    };
    line("library check", &check.file);
    if let Some(component) = &check.component {
        line("component", component);
    }
    if let Some(level) = check.level {
        line("evidence", level.word());
    }
    if let Some((kind, value)) = &check.probe {
        line(if kind == "run" { "runs" } else { kind }, value);
    }
    if let Some(reader) = &check.reader {
        line("results", &format!("read as {reader}"));
    }
    if let Some((tool, ways)) = &check.tool {
        line("needs", tool);
        for (system, way) in ways {
            let on = if system == ANY { "install" } else { system };
            line(&format!("  {on}"), way);
        }
    }
    match &check.seen {
        Some(Seen::With(version)) => line("tried with", version),
        Some(Seen::Never) => line("tried with", "its tool was never seen at work"),
        None => {}
    }
    if let Some(takes) = check.takes {
        line("mending takes", &format!("about {}", human_duration(takes)));
    }
    if let Some(how) = &check.how {
        line("to mend it", how);
    }
    if !check.doc.is_empty() {
        text += "\n";
        for line in sanitise::lines(&check.doc, Colour::Drop) {
            text += &line;
            text += "\n";
        }
    }
    if !check.params.is_empty() {
        text += "\n";
        let rows = check.params.iter().map(|param| {
            let default = match &param.default {
                Some(default) => format!("{default:?}"),
                None => "must be set".to_string(),
            };
            let help = param.help.clone().unwrap_or_default();
            [param.name.clone(), default, help]
        });
        text += &columns(["PARAMETER", "DEFAULT", "IS"], rows.collect());
    }
    text
}

fn safe(text: &str) -> String {
    sanitise::line(text, Colour::Drop)
}
