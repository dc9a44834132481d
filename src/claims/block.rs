//! The part of a document that is ours: between a line `<!-- ready:begin … -->` and a line `<!-- ready:end -->`. What stands
//! there is renewed, claims nothing by itself, and is no part of what evidence is about.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

/// What begins the line before it.
pub const BEGIN: &str = "<!-- ready:begin";
/// What begins the line after it.
pub const END: &str = "<!-- ready:end";

/// Why a document has no such part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It has no markers.
    Markers,
    /// The marker on this line (1-based) has no partner.
    Partner(usize),
    /// It has a second one, which begins on this line.
    Second(usize),
}

/// The bytes between the markers, the lines of the markers not among them. Markers in code are none.
///
/// # Errors
/// [`Missing`] where there is no one such part.
pub fn find(text: &str) -> Result<Range<usize>, Missing> {
    let mut begun: Option<(usize, usize)> = None;
    let mut found: Option<Range<usize>> = None;
    let (mut counted, mut line) = (0, 1);
    for (at, comment) in comments(text) {
        line += text[counted..at].matches('\n').count();
        counted = at;
        if comment.starts_with(BEGIN) {
            match (&begun, &found) {
                (Some((_, earlier)), _) => return Err(Missing::Partner(*earlier)),
                (None, Some(_)) => return Err(Missing::Second(line)),
                (None, None) => begun = Some((end_of_line(text, at), line)),
            }
        } else if comment.starts_with(END) {
            let (from, _) = begun.take().ok_or(Missing::Partner(line))?;
            found = Some(from..start_of_line(text, at));
        }
    }
    match (begun, found) {
        (Some((_, line)), _) => Err(Missing::Partner(line)),
        (None, Some(found)) => Ok(found),
        (None, None) => Err(Missing::Markers),
    }
}

/// Where our comments begin, and what follows there.
fn comments(text: &str) -> Vec<(usize, &str)> {
    let mut comments = vec![];
    let mut end = 0;
    for (event, range) in Parser::new(text).into_offset_iter() {
        let is_html = matches!(
            event,
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock)
        );
        // A block of HTML and its lines come as events of their own.
        if !is_html || range.start < end && range.end <= end {
            continue;
        }
        let piece = &text[range.clone()];
        let of_piece = piece.match_indices("<!-- ready:");
        for (at, _) in of_piece.filter(|(at, _)| range.start + at >= end) {
            let (at, rest) = (range.start + at, &piece[at..]);
            let alone = text[start_of_line(text, at)..at].trim().is_empty();
            if alone && (rest.starts_with(BEGIN) || rest.starts_with(END)) {
                comments.push((at, rest));
            }
        }
        end = end.max(range.end);
    }
    comments
}

fn start_of_line(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the next line begins.
fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// The document with an empty part, its lines at their places: what it says by itself.
pub fn silenced(text: &str) -> String {
    match find(text) {
        Ok(part) => {
            let lines = text[part.clone()].matches('\n').count();
            [&text[..part.start], &"\n".repeat(lines), &text[part.end..]].concat()
        }
        Err(_) => text.to_string(),
    }
}

/// The document without what stands in its part, by bytes; none where it has no such part or is no text.
pub fn without(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let part = find(text).ok()?;
    Some([&bytes[..part.start], &bytes[part.end..]].concat())
}

/// The document with this in its part (lines, each ended by `\n`), in the line endings of the document.
///
/// # Errors
/// [`Missing`] where there is no one such part.
pub fn renewed(text: &str, lines: &str) -> Result<String, Missing> {
    let part = find(text)?;
    let lines = match text[..part.start].ends_with("\r\n") {
        true => lines.replace('\n', "\r\n"),
        false => lines.to_string(),
    };
    Ok([&text[..part.start], &lines, &text[part.end..]].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        "# Status\n\n<!-- ready:begin -->\nold\nlines\n<!-- ready:end -->\n\nrest\n";

    #[test]
    fn what_is_between_the_markers_is_found() {
        let part = find(DOCUMENT).unwrap();
        assert_eq!(&DOCUMENT[part], "old\nlines\n");
        let empty = "<!-- ready:begin by ready claims -->\n<!-- ready:end -->";
        assert_eq!(&empty[find(empty).unwrap()], "");
        let table =
            "a\n\n<!-- ready:begin -->\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n<!-- ready:end -->\n";
        assert_eq!(
            &table[find(table).unwrap()],
            "\n| a | b |\n| - | - |\n| 1 | 2 |\n\n"
        );
    }

    #[test]
    fn what_is_no_one_part_is_told() {
        let cases = [
            ("", Missing::Markers),
            ("<!-- ready: backend -->\n", Missing::Markers),
            (
                "```\n<!-- ready:begin -->\n<!-- ready:end -->\n```\n",
                Missing::Markers,
            ),
            ("word <!-- ready:begin --> word\n", Missing::Markers),
            ("a\n\n<!-- ready:begin -->\nb\n", Missing::Partner(3)),
            ("a\n\n<!-- ready:end -->\nb\n", Missing::Partner(3)),
            (
                "<!-- ready:begin -->\n\n<!-- ready:begin -->\n<!-- ready:end -->\n",
                Missing::Partner(1),
            ),
            (
                "<!-- ready:begin -->\n<!-- ready:end -->\n\n<!-- ready:begin -->\n<!-- ready:end -->\n",
                Missing::Second(4),
            ),
        ];
        for (text, missing) in cases {
            assert_eq!(find(text), Err(missing), "{text:?}");
        }
    }

    #[test]
    fn only_the_part_is_renewed_and_it_keeps_the_line_endings() {
        let renewed_text = renewed(DOCUMENT, "new\n").unwrap();
        assert_eq!(
            renewed_text,
            "# Status\n\n<!-- ready:begin -->\nnew\n<!-- ready:end -->\n\nrest\n"
        );
        let windows = DOCUMENT.replace('\n', "\r\n");
        let renewed_text = renewed(&windows, "new\nlines\n").unwrap();
        assert_eq!(renewed_text, windows.replace("old", "new"));
        let marked = format!("\u{feff}{DOCUMENT}");
        assert!(renewed(&marked, "new\n").unwrap().starts_with('\u{feff}'));
    }

    #[test]
    fn it_says_nothing_and_is_no_part_of_what_is_judged() {
        assert_eq!(
            silenced(DOCUMENT),
            "# Status\n\n<!-- ready:begin -->\n\n\n<!-- ready:end -->\n\nrest\n"
        );
        let other = DOCUMENT.replace("old\nlines\n", "");
        assert_eq!(without(DOCUMENT.as_bytes()), without(other.as_bytes()));
        assert_ne!(
            without(DOCUMENT.as_bytes()),
            without(DOCUMENT.replace("rest", "more").as_bytes())
        );
        assert_eq!(without(b"no markers"), None);
        assert_eq!(without(b"\xff"), None);
    }
}
