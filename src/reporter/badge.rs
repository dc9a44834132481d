//! `badge` and `badge-svg`: what is verified, beside a project's name: as an endpoint for shields.io
//! (<https://shields.io/badges/endpoint-badge>), and as a picture that needs nobody. The figure is rounded down, as everywhere.

use std::io::{self, Write};

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::words::percent;
use crate::domain::report::Report;

/// What stands on the left.
const LABEL: &str = "verified";

/// Writes the endpoint's JSON.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let badge = json!({
        "schemaVersion": 1,
        "label": LABEL,
        "message": message(report),
        "color": colour(report).0,
        "isError": !report.decision.open,
    });
    super::json::document(&badge, out)
}

/// Writes the picture.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn svg(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let message = message(report);
    let (name, colour) = colour(report);
    // The letters of the usual sans-serif at 11 pixels are some 7 wide; the text is made to fit.
    let width = |text: &str| text.width() * 7 + 10;
    let (left, right) = (width(LABEL), width(&message));
    let all = left + right;
    let text = |from: usize, wide: usize, text: &str| {
        format!(
            r##"<text x="{}" y="14" fill="#fff" text-anchor="middle" textLength="{}" lengthAdjust="spacingAndGlyphs">{text}</text>"##,
            from + wide / 2,
            wide - 10
        )
    };
    let texts = text(0, left, LABEL) + &text(left, right, &message);
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{LABEL}: {message}">
<title>{LABEL}: {message}</title>
<clipPath id="r"><rect width="{all}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/><rect class="{name}" x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">{texts}</g>
</svg>"##
    )
}

/// The figure, and the claim where it says more.
fn message(report: &Report) -> String {
    let score = &report.score;
    let verified = percent(score.verified).replace(' ', "");
    match score
        .claimed
        .filter(|claimed| !score.partly_claimed && claimed.floor() > score.verified)
    {
        Some(claimed) => format!(
            "{verified} of {} claimed",
            percent(claimed).replace(' ', "")
        ),
        None => verified,
    }
}

/// The colour by shields' name and as digits, dark enough for white letters: red where what decides is closed, whatever
/// the figure.
fn colour(report: &Report) -> (&'static str, &'static str) {
    match (report.decision.open, report.score.verified) {
        (false, _) => ("red", "#b3261e"),
        (true, verified) if verified >= 90.0 => ("brightgreen", "#1e7a34"),
        (true, verified) if verified >= 60.0 => ("yellowgreen", "#5b6f00"),
        (true, _) => ("yellow", "#8a6100"),
    }
}
