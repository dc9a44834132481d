//! Takes comments out of source text, so that a commented-out call does not count as one that is made.
//!
//! The file probe asks with a file's name and bytes; nothing here looks at the world. A language is an ordered list of
//! [`Rule`]s: at each place the first that fits wins, and one scanner serves them all. Comments turn into blanks, so
//! that length and lines stay. Any bytes are accepted, in linear time.
//!
//! Where a language cannot be read without its full grammar, text is rather taken for a comment than a comment for
//! text, since a call that is not made must not be seen. The known limits:
//!
//! - A `#` begins a comment in a nested quote of the same kind (`f'{x['#']}'`), in quotes inside of a YAML block, and
//!   in quotes that go over several lines of YAML, INI or Ruby.
//! - JSX text is read as code (`//` in it begins a comment, a backtick a string), a regular expression after `)` or
//!   `}` as a division.
//! - Quotes that MySQL escapes by `\`, C line comments continued by `\`, and code that is disabled by other means
//!   (`#if 0`, `if False:`) are not recognised.

mod languages;
mod scan;

use std::borrow::Cow;

use languages::{LANGUAGES, Language, Rule};
use scan::comments;

/// `text` with its comments turned into blanks, newlines kept; unchanged where the language is not known by the name
/// or, in a file without an extension, by its `#!` line.
pub(crate) fn without_comments<'a>(file_name: &str, text: &'a [u8]) -> Cow<'a, [u8]> {
    let Some(rules) = rules_of(file_name, text) else {
        return Cow::Borrowed(text);
    };
    let comments = comments(rules, text, first_code(text));
    if comments.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut blanked = text.to_vec();
    for byte in comments.into_iter().flatten() {
        if !matches!(blanked[byte], b'\n' | b'\r') {
            blanked[byte] = b' ';
        }
    }
    Cow::Owned(blanked)
}

/// A file's text with every line commented out; none where its language has no comment for a line.
pub(crate) fn commented_out(file_name: &str, text: &[u8]) -> Option<Vec<u8>> {
    let rules = rules_of(file_name, text);
    rules?;
    let marks: [&[u8]; 6] = [b"# ", b"// ", b"; ", b"-- ", b"% ", b"' "];
    let commented = marks.into_iter().map(|mark| {
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        lines
            .flat_map(|line| [mark, line])
            .flatten()
            .copied()
            .collect::<Vec<_>>()
    });
    let blank = |text: &Vec<u8>| without_comments(file_name, text).trim_ascii().is_empty();
    commented.into_iter().find(blank)
}

fn rules_of(file_name: &str, text: &[u8]) -> Option<&'static [Rule]> {
    let name = file_name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(file_name)
        .to_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    // `Dockerfile.prod`, `.env.local` and `requirements-dev.txt` are known by how they begin.
    let stem = name
        .split(['.', '-', '_'])
        .find(|part| !part.is_empty())
        .unwrap_or("");
    let named = |list: fn(&Language) -> &'static str, word: &str| {
        let has = |language: &&Language| {
            !word.is_empty() && list(language).split(' ').any(|entry| entry == word)
        };
        LANGUAGES.iter().find(has).map(|language| language.2)
    };
    named(|language| language.0, extension)
        .or_else(|| named(|language| language.1, stem))
        .or_else(|| {
            let line = text
                .strip_prefix(b"#!")
                .filter(|_| extension.is_empty())?
                .split(|&b| b == b'\n')
                .next()?;
            let line = String::from_utf8_lossy(line);
            let program = line
                .split(['/', ' ', '\r'])
                .rfind(|word| !word.is_empty() && !word.starts_with('-'))?;
            named(
                |language| language.3,
                program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'),
            )
        })
}

/// Where code begins: after a byte order mark and a `#!` line, which is no comment.
fn first_code(text: &[u8]) -> usize {
    let bom = if text.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let rest = &text[bom..];
    let shebang = rest.starts_with(b"#!") && !rest.starts_with(b"#![");
    bom + if shebang {
        rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
    } else {
        0
    }
}

#[cfg(test)]
mod tests;
