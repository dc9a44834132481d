//! Links in Markdown (CommonMark with GitHub's tables and footnotes) that lead to something in the project: whether it is
//! there. The file probe hands over the files one at a time. Nothing is fetched; what stands after `#` or `?` is not looked
//! at, and neither are tags of HTML within the Markdown.

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::file::few;
use super::structured::line_at;
use crate::domain::expectation::{Checked, Held};

/// How many broken links are told with their places.
const PLACED: usize = 20;

/// The links of some files.
#[derive(Default)]
pub(super) struct Links {
    number: usize,
    broken: Vec<String>,
}

impl Links {
    /// Takes a file, its name relative to `base`, to which links that begin with `/` are relative.
    pub(super) fn take(&mut self, name: &str, text: &[u8], base: &Path) {
        let text = String::from_utf8_lossy(text);
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        for (event, place) in Parser::new_ext(&text, options).into_offset_iter() {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
            else {
                continue;
            };
            let Some(target) = target(&dest_url) else {
                continue;
            };
            self.number += 1;
            let path = match target.strip_prefix('/') {
                Some(from_top) => base.join(from_top),
                None => base.join(folder).join(&target),
            };
            if !path.exists() {
                // The place of each of very many would take quadratic time, and only the first are shown.
                let place = match self.broken.len() < PLACED {
                    true => format!("{name}:{} ", line_at(text.as_bytes(), place.start)),
                    false => String::new(),
                };
                self.broken.push(format!("{place}`{dest_url}`"));
            }
        }
    }

    /// Whether all of them lead somewhere. Where there is none, nobody can tell.
    pub(super) fn finish(self, pattern: &str) -> Checked {
        let number = self.number;
        let what =
            format!("every link within the project leads somewhere ({number} in `{pattern}`)");
        if number == 0 {
            return Checked {
                what,
                held: Held::Unknown,
                seen: "there is no such link".to_string(),
            };
        }
        Checked::new(what, self.broken.is_empty(), || few(&self.broken, ", "))
    }
}

/// The path that a link leads to, where that is one within the project.
fn target(link: &str) -> Option<String> {
    let scheme = link.split_once(':').is_some_and(|(scheme, _)| {
        let mut characters = scheme.chars();
        characters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    let path = link.split(['#', '?']).next().unwrap_or_default();
    (!scheme && !link.starts_with("//") && !path.is_empty()).then(|| decoded(path))
}

/// Without percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| Some(char::from(*after.get(at)?).to_digit(16)? as u8);
        match (first, hex(0).zip(hex(1))) {
            (b'%', Some((high, low))) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
