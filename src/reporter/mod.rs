//! The report for people and machines: one file per output. A reporter sees the report and how it may draw, never the
//! manifest, the clock or the exit status.

mod annotation;
mod badge;
mod brief;
mod check_list;
pub mod claims;
mod columns;
mod ctrf;
pub mod diff;
pub mod explain;
mod github;
pub mod goalposts;
pub mod history;
mod html;
mod in_toto;
pub mod json;
mod junit;
pub mod lint;
mod machine_list;
mod markdown;
mod output;
mod page;
pub mod plan;
pub mod progress;
mod prometheus;
pub mod prove;
pub mod reproduce;
mod sarif;
mod sentence;
mod service_list;
pub mod table;
mod tap;
mod waivers;
mod words;

use std::io::{self, Write};

use crate::domain::report::Report;

/// An output of the report.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub says: &'static str,
    /// Whether it names lines of the manifest to programs that look for the file in the repository.
    pub places: bool,
    /// So many bytes of earlier reports may be read to tell how it came to this: the runs before, and what has changed since
    /// the last of them. A page shows that; to whoever reads the JSON it must cost next to nothing.
    pub past: usize,
    render: fn(&Report, Style, &mut dyn Write) -> io::Result<()>,
}

/// The outputs, the table first.
pub static FORMATS: [Format; 14] = [
    Format {
        render: |report, style, out| table::render(report, style, out),
        ..Format::new("table", "for people, on a terminal and in a log")
    },
    Format {
        past: 2 << 20,
        render: |report, _, out| json::render(report, out),
        ..Format::new("json", "the report itself, from which all others are made")
    },
    Format {
        render: |report, _, out| brief::render(report, out),
        ..Format::new(
            "brief",
            "the least that tells what may be said and what comes next: for coding agents",
        )
    },
    Format {
        past: 64 << 20,
        render: |report, _, out| html::render(report, out),
        ..Format::new("html", "one file for a browser, with everything in it")
    },
    Format {
        render: |report, _, out| markdown::render(report, out),
        ..Format::new("markdown", "for a ticket or a pull request")
    },
    Format {
        places: true,
        render: |report, _, out| junit::render(report, out),
        ..Format::new("junit", "JUnit XML, for CI systems")
    },
    Format {
        places: true,
        render: |report, _, out| github::render(report, out),
        ..Format::new("github", "annotations for GitHub Actions")
    },
    Format {
        places: true,
        render: |report, _, out| ctrf::render(report, out),
        ..Format::new("ctrf", "Common Test Report Format, JSON")
    },
    Format {
        places: true,
        render: |report, _, out| sarif::render(report, out),
        ..Format::new("sarif", "SARIF 2.1.0, for code scanning")
    },
    Format {
        render: |report, _, out| tap::render(report, out),
        ..Format::new("tap", "Test Anything Protocol 14")
    },
    Format {
        render: |report, _, out| prometheus::render(report, out),
        ..Format::new("prometheus", "gauges in the text exposition format")
    },
    Format {
        render: |report, _, out| in_toto::render(report, out),
        ..Format::new(
            "in-toto",
            "an unsigned attestation of the results, to be signed",
        )
    },
    Format {
        render: |report, _, out| badge::json(report, out),
        ..Format::new("badge", "an endpoint for shields.io")
    },
    Format {
        render: |report, _, out| badge::svg(report, out),
        ..Format::new("badge-svg", "a badge as a picture")
    },
];

impl Format {
    const fn new(name: &'static str, says: &'static str) -> Format {
        Format {
            name,
            says,
            places: false,
            past: 0,
            render: |_, _, _| Ok(()),
        }
    }

    /// The output of that name.
    pub fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Writes the report.
    ///
    /// # Errors
    /// The output cannot be written to, or the report lacks what the format is about.
    pub fn render(&self, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
        (self.render)(report, style, out)
    }
}

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

impl Style {
    /// For files and whoever is no terminal.
    pub const PLAIN: Style = Style {
        colour: false,
        unicode: true,
        width: 120,
        detail: Detail::Normal,
    };
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
