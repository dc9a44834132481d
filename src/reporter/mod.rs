//! The report for people and machines: one file per output. A reporter sees the report and how it may draw, never the
//! manifest, the clock or the exit status.

mod annotation;
mod check_list;
pub mod claims;
mod columns;
pub mod diff;
pub mod explain;
pub mod goalposts;
pub mod history;
pub mod json;
pub mod lint;
mod machine_list;
mod page;
pub mod plan;
pub mod progress;
pub mod prove;
pub mod reproduce;
mod sentence;
mod service_list;
pub mod table;
mod waivers;
mod words;

use std::io::{self, Write};

use crate::domain::report::Report;

/// The outputs that exist, by name.
pub const FORMATS: [&str; 2] = ["table", "json"];
/// The outputs that are in the language of the command line and that nothing writes yet.
pub const LATER: [&str; 11] = [
    "brief",
    "junit",
    "markdown",
    "html",
    "github",
    "ctrf",
    "prometheus",
    "badge",
    "in-toto",
    "tap",
    "sarif",
];

/// How an output may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used; nothing is ever said by colour alone.
    pub colour: bool,
    /// Whether characters beyond ASCII may be used.
    pub unicode: bool,
    /// How many columns there are.
    pub width: usize,
    /// How much is said.
    pub detail: Detail,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The verdict in a sentence.
    Quiet,
    /// What a person must know.
    Normal,
    /// Everything that is known of every check.
    Verbose,
}

/// Writes the report in the named format, one of [`FORMATS`].
///
/// # Errors
/// The output cannot be written to.
pub fn render(format: &str, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        "json" => json::render(report, out),
        _ => table::render(report, style, out),
    }
}
