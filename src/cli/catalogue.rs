//! The library as a catalogue: a line for each check, and all that is known of one.

use std::fmt::Write as _;

use super::list::columns;
use super::{Usage, selection};
use crate::domain::limit::human_duration;
use crate::manifest::{ANY, Library, LibraryCheck, Seen};
use crate::reader;
use crate::sanitise::{self, Colour};

/// The checks of the library that have all the words in their lines, by their areas, and so the readers.
pub(super) fn list(library: &Library, words: &[String]) -> anyhow::Result<String> {
    let fits = |cells: &[&str]| {
        let line = cells.join(" ").to_lowercase();
        words.iter().all(|word| line.contains(&word.to_lowercase()))
    };
    let rows = sorted(library)?.into_iter().filter_map(|check| {
        let area = area(&check).to_string();
        let level = check.level.map_or("-", |level| level.word()).to_string();
        let row = [check.name.clone(), level, tool(&check), check.says];
        let cells = row.iter().map(String::as_str).chain([area.as_str()]);
        fits(&cells.collect::<Vec<_>>()).then_some((area, row))
    });
    let (areas, rows): (Vec<_>, Vec<_>) = rows.unzip();
    let readers = reader::names()
        .into_iter()
        .filter(|(name, about)| fits(&[name, about]))
        .map(|(name, about)| [name.to_string(), about.to_string()]);
    let readers = readers.collect::<Vec<_>>();
    if rows.is_empty() && readers.is_empty() {
        let message = format!(
            "nothing in the library has `{}` in its line",
            words.join("` and `")
        );
        let hint = selection::nearest(&words.join("-"), library.names())
            .unwrap_or_else(|| "`ready list --library` lists all of it".to_string());
        return Err(Usage::new(message, Some(hint)).into());
    }
    let mut text = String::new();
    if !rows.is_empty() {
        let table = columns(["CHECK", "EVIDENCE", "TOOL, SEEN", "SAYS"], rows);
        let mut lines = table.lines();
        let mut put = |line: &str| {
            text += line;
            text.push('\n');
        };
        put(lines.next().unwrap_or_default());
        let mut before = None;
        for (area, line) in areas.iter().zip(lines) {
            if before.replace(area) != Some(area) {
                put(&format!("\n{}", safe(area)));
            }
            put(line);
        }
    }
    if !readers.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &columns(["READER", "READS"], readers);
    }
    Ok(text)
}

/// The whole library as a page in Markdown.
pub(super) fn markdown(library: &Library) -> anyhow::Result<String> {
    let checks = sorted(library)?;
    let mut text = format!(
        "# The library of checks\n\n<!-- Written by `ready list --library --format markdown`: do not edit. -->\n\n\
         {} checks that a manifest can `use`. `ready explain NAME` shows one of them, `ready add NAME` declares it. What the strength of\n\
         evidence means for the score is in the README; how to add a check, in checks/README.md.\n",
        checks.len()
    );
    // Writing to a String cannot fail.
    let mut put = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
    let cell = |text: &str| safe(text).replace('|', "\\|");
    for of_area in checks.chunk_by(|a, b| area(a) == area(b)) {
        put(format_args!("\n## {}\n", safe(area(&of_area[0]))));
        put(format_args!("| check | says | evidence | tool, seen |"));
        put(format_args!("| --- | --- | --- | --- |"));
        for check in of_area {
            let level = check.level.map_or("-", |level| level.word());
            let (name, says) = (&check.name, cell(&check.says));
            put(format_args!(
                "| [`{name}`](#{name}) | {says} | {level} | {} |",
                cell(&tool(check))
            ));
        }
        for check in of_area {
            put(format_args!(
                "\n### {}\n\n{}",
                check.name,
                safe(&check.says)
            ));
            put(format_args!(""));
            for line in sanitise::lines(&check.doc, Colour::Drop) {
                put(format_args!("{line}"));
            }
            if let Some((name, ways)) = &check.tool {
                let ways = ways.iter().map(|(system, way)| match system == ANY {
                    true => safe(way),
                    false => format!("{system}: {}", safe(way)),
                });
                let ways = ways.collect::<Vec<_>>().join("; ");
                put(format_args!("\nNeeds `{}`. To get it: {ways}.", safe(name)));
            }
            if !check.params.is_empty() {
                put(format_args!(
                    "\n| parameter | default | is |\n| --- | --- | --- |"
                ));
                for param in &check.params {
                    let default = match &param.default {
                        Some(default) => format!("`{default:?}`"),
                        None => "must be set".to_string(),
                    };
                    let help = param.help.as_deref().unwrap_or_default();
                    put(format_args!(
                        "| `{}` | {} | {} |",
                        param.name,
                        cell(&default),
                        cell(help)
                    ));
                }
            }
        }
    }
    Ok(text)
}

/// The checks by area and name.
fn sorted(library: &Library) -> anyhow::Result<Vec<LibraryCheck>> {
    let mut checks = library.checks()?;
    checks.sort_by(|a, b| (&a.component, &a.name).cmp(&(&b.component, &b.name)));
    Ok(checks)
}

/// What a check is about: the component that it counts for.
fn area(check: &LibraryCheck) -> &str {
    check.component.as_deref().unwrap_or("other")
}

/// The tool of a check and the version of it that was seen at work.
fn tool(check: &LibraryCheck) -> String {
    let worker = check.worker.as_deref();
    let name = worker.or(check.tool.as_ref().map(|(name, _)| name.as_str()));
    match (name, check.seen.as_ref().map(seen)) {
        (None, _) => "-".to_string(),
        (Some(name), None) => name.to_string(),
        (Some(name), Some(seen)) if seen.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{name} {seen}")
        }
        (Some(name), Some(seen)) => format!("{name}, {seen}"),
    }
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
    if let Some((kind, words)) = &check.probe {
        // A script has lines of its own.
        let words = words.iter().map(|word| match word.contains('\n') {
            true => "(the script below)",
            false => word.as_str(),
        });
        let name = if kind == "run" { "runs" } else { kind };
        line(name, &words.collect::<Vec<_>>().join(" "));
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
        Some(Seen::With(_)) => line("tried with", &tool(check)),
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
    let scripts = check.probe.iter().flat_map(|(_, words)| words);
    for script in scripts.filter(|word| word.contains('\n')) {
        text += "\nTHE SCRIPT\n";
        for line in sanitise::lines(script.trim(), Colour::Drop) {
            text += &line;
            text += "\n";
        }
    }
    text
}

fn safe(text: &str) -> String {
    sanitise::line(text, Colour::Drop)
}
