//! Reports that come as files: what somebody made elsewhere, or some time ago.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Usage;
use crate::domain::report::{FORMAT, Report};
use crate::sanitise;

/// Reads a report. What is no report, or one of a format that this `ready` does not know, is the user's to know.
pub(super) fn read(path: &Path) -> Result<Report, Usage> {
    parse(&path.display().to_string(), &text(path)?)
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, Usage> {
    let cannot = |error| Usage::new(format!("cannot read `{}`: {error}", path.display()), None);
    std::fs::read_to_string(path).map_err(cannot)
}

/// A report out of a text of that name.
pub(super) fn parse(name: &str, text: &str) -> Result<Report, Usage> {
    /// What every report says, of whatever format.
    #[derive(Deserialize)]
    struct Header {
        format: String,
    }
    let format = serde_json::from_str::<Header>(text).map(|header| header.format);
    match format {
        Ok(format) if format != FORMAT && format.starts_with("ready-report/") => Err(Usage::new(
            format!("`{name}` is a report of the format `{format}`, this `ready` knows `{FORMAT}`"),
            Some("update `ready`, or make the report with this one".to_string()),
        )),
        _ => {
            let value =
                serde_json::from_str(text).map_err(|error| no_report(name, text, &error))?;
            if let Some(place) = unprintable(&value, "") {
                let message =
                    format!("`{name}` is no report: a name in it cannot be printed ({place})");
                return Err(Usage::new(message, None));
            }
            serde_json::from_str(text).map_err(|error| no_report(name, text, &error))
        }
    }
}

/// The place of a name in a report that holds control characters. Names are printed as they are, texts are made safe first.
fn unprintable(value: &Value, place: &str) -> Option<String> {
    const NAMES: [&str; 12] = [
        "id",
        "name",
        "check",
        "run",
        "commit",
        "component",
        "base",
        "recorded",
        "recorded_at",
        "library",
        "host",
        "digest",
    ];
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let place = format!("{place}.{key}");
            match value {
                Value::String(text) => {
                    let wrong = NAMES.contains(&key.as_str()) && text.chars().any(char::is_control);
                    wrong.then_some(place)
                }
                _ => unprintable(value, &place),
            }
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(at, value)| unprintable(value, &format!("{place}[{at}]"))),
        _ => None,
    }
}

fn no_report(name: &str, text: &str, error: &serde_json::Error) -> Usage {
    let hint = "`ready check --format json` makes one".to_string();
    if text.trim().is_empty() {
        return Usage::new(
            format!("`{name}` is no report: it is empty"),
            Some(format!(
                "the run that was to write it came to no end; {hint}"
            )),
        );
    }
    let (line, column) = (error.line(), error.column());
    // The position stands before what is wrong, as for every file.
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let what = sanitise::line(what, sanitise::Colour::Drop);
    Usage::new(
        format!("{name}:{line}:{column}: it is no report: {what}"),
        Some(hint),
    )
}
