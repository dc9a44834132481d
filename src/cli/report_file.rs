//! Reports that come as files: what somebody made elsewhere, or some time ago.

use std::path::Path;

use serde::Deserialize;

use super::Usage;
use crate::domain::report::{FORMAT, Report};

/// Reads a report. What is no report, or one of a format that this `ready` does not know, is the user's to know.
pub(super) fn read(path: &Path) -> Result<Report, Usage> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Usage::new(format!("cannot read `{name}`: {error}"), None))?;
    /// What every report says, of whatever format.
    #[derive(Deserialize)]
    struct Header {
        format: String,
    }
    let format = serde_json::from_str::<Header>(&text).map(|header| header.format);
    match format {
        Ok(format) if format != FORMAT && format.starts_with("ready-report/") => Err(Usage::new(
            format!("`{name}` is a report of the format `{format}`, this `ready` knows `{FORMAT}`"),
            Some("update `ready`, or make the report with this one".to_string()),
        )),
        _ => serde_json::from_str(&text).map_err(|error| no_report(path, &text, &error)),
    }
}

fn no_report(path: &Path, text: &str, error: &serde_json::Error) -> Usage {
    let name = path.display();
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
    let what = what
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_string();
    Usage::new(
        format!("{name}:{line}:{column}: it is no report: {what}"),
        Some(hint),
    )
}
