//! What documents claim: Markdown in, claims out. Nothing here knows what is true.
//!
//! | step | where |
//! | --- | --- |
//! | Markdown into headings, lines, rows and blocks of code | `outline` |
//! | where a text stands: headings, what introduces it, the time it speaks of | `place`, `tense` |
//! | states, marks, pairs of key and value, percentages and ratios in a text | `words`, `sign`, `pair`, `figures` |
//! | what a line claims: by its mark or key, by its figures, by its sentences | `line`, `measure`, `sentence` |
//! | what a heading, a row, a test runner's summary claims | `heading`, `table`, `summary` |
//! | bare counts and changes | `changes` |
//! | the part of a document that `ready` writes itself | [`block`] |

pub mod block;
mod changes;
mod figures;
mod heading;
mod line;
mod measure;
mod outline;
mod pair;
mod place;
mod sentence;
mod sign;
mod summary;
mod table;
mod tense;
mod words;

use outline::{Block, Kind, Text, outline};
use place::{Place, Title};

use crate::domain::claim::{Found, Said, Tense};

/// The longest quote, in characters.
const QUOTE: usize = 200;

/// A claim within its text.
#[derive(Clone, Debug, PartialEq)]
struct Claimed {
    /// Where it stands: a byte of the text, or a line where it is from a table or code.
    at: At,
    subject: String,
    said: Said,
    tense: Tense,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Byte(usize),
    Line(u32),
}

/// The claims in a document of that name, in the order of their lines. What is no UTF-8 is read as far as it can be.
pub fn extract(bytes: &[u8], name: &str) -> Vec<Found> {
    let source = String::from_utf8_lossy(bytes);
    let source = source.strip_prefix('\u{feff}').unwrap_or(&source);
    let lines = source.lines().collect::<Vec<_>>();
    let mut reading = Reading {
        name,
        lines: &lines,
        headings: vec![],
        intros: vec![],
        coverage: false,
        found: vec![],
    };
    for block in outline(source, line::begins_anew) {
        reading.block(block);
    }
    reading.found.sort_by_key(|found| found.line);
    reading.found
}

struct Reading<'s> {
    name: &'s str,
    lines: &'s [&'s str],
    headings: Vec<Title>,
    /// What introduces the lists that are open, with the number of lists that each is in.
    intros: Vec<(usize, Title)>,
    coverage: bool,
    found: Vec<Found>,
}

impl Reading<'_> {
    fn block(&mut self, block: Block) {
        match block {
            Block::Text(text) => text.pieces().iter().for_each(|text| self.text(text)),
            Block::Table(table) => {
                let place = self.place(usize::MAX);
                for (row, claimed) in table::claims(&table, &place) {
                    let about = row.about.clone().or_else(|| table.about.clone());
                    self.keep(claimed, |_| row.line, about);
                }
                self.intros.clear();
            }
            Block::Code(lines) => {
                let place = self.place(usize::MAX);
                if let Some(claimed) = summary::claim(&lines, &place) {
                    self.keep(vec![claimed], |_| 1, None);
                }
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let depth = text.depth;
        let claimed = match text.kind {
            Kind::Heading(level) => {
                self.headings.retain(|heading| heading.level < level);
                self.intros.clear();
                let claimed = heading::claims(text, &self.place(0));
                let title = Title::of(level, &text.text);
                self.coverage |= measure::is_about_coverage(&title.text);
                self.headings.push(title);
                claimed
            }
            Kind::Item | Kind::Paragraph => {
                if text.kind == Kind::Item {
                    self.intros.retain(|(of, _)| *of < depth);
                } else if depth == 0 {
                    self.intros.clear();
                }
                let claimed = line::claims(text, &self.place(depth));
                let ends_open = text.text.trim_end().ends_with([':', '*']);
                if text.kind == Kind::Item || ends_open {
                    self.intros.push((depth, Title::of(0, &text.text)));
                }
                claimed
            }
        };
        let lines = text.clone();
        self.keep(claimed, |at| lines.line_at(at), text.about.clone());
    }

    fn place(&self, depth: usize) -> Place<'_> {
        let intro = self.intros.iter().rev().find(|(of, _)| *of < depth);
        Place {
            headings: &self.headings,
            intro: intro.map(|(_, title)| title),
            coverage: self.coverage,
        }
    }

    fn keep(
        &mut self,
        claimed: Vec<Claimed>,
        line_at: impl Fn(usize) -> u32,
        about: Option<String>,
    ) {
        for claimed in claimed {
            let line = match claimed.at {
                At::Byte(at) => line_at(at),
                At::Line(line) if line > 0 => line,
                At::Line(_) => line_at(0),
            };
            let quote = self
                .lines
                .get(line as usize - 1)
                .map_or("", |line| line.trim());
            self.found.push(Found {
                document: self.name.to_string(),
                line,
                subject: claimed.subject,
                said: claimed.said,
                tense: claimed.tense,
                quote: quote.chars().take(QUOTE).collect(),
                about: about.clone(),
            });
        }
    }
}
