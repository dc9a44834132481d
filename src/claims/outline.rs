//! A Markdown document as what people read in it: headings, lines of text, rows of tables, blocks of code, each with its
//! place. Parsed by pulldown-cmark; nothing is nested any more when it leaves here, so that nothing below recurses.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A piece of a document.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Text(Text),
    Table(Table),
    /// A block of code: its lines with their numbers.
    Code(Vec<(u32, String)>),
}

/// A heading, or text that stands together: a line, a sentence over several lines, an item of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    /// Without markup, but for code in backticks; lines joined by a blank.
    pub(super) text: String,
    /// Where in it each line begins, and the line's number.
    lines: Vec<(usize, u32)>,
    pub(super) kind: Kind,
    /// Whether a checkbox stands before it, and whether that is ticked.
    pub(super) ticked: Option<bool>,
    /// The number of list items that it is in.
    pub(super) depth: usize,
    /// Whether somebody is quoted.
    pub(super) quoted: bool,
    /// The id that a comment names for it.
    pub(super) about: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of that level.
    Heading(u8),
    #[default]
    Paragraph,
    /// The beginning of an item of a list.
    Item,
}

/// A table: its header and its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) about: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) line: u32,
    pub(super) cells: Vec<String>,
    pub(super) about: Option<String>,
}

impl Text {
    /// The number of the line on which the byte at that place stands.
    pub(super) fn line_at(&self, at: usize) -> u32 {
        let after = self.lines.partition_point(|(start, _)| *start <= at);
        self.lines[..after]
            .last()
            .or(self.lines.first())
            .map_or(1, |(_, line)| *line)
    }

    /// The text in pieces of a length that people write: rules look at all that stands around a figure, which would take
    /// forever where that is a megabyte.
    pub(super) fn pieces(self) -> Vec<Text> {
        const LONGEST: usize = 2_000;
        if self.text.len() <= LONGEST {
            return vec![self];
        }
        let mut pieces = vec![];
        let mut from = 0;
        while from < self.text.len() {
            let within = shortened(&self.text[from..], LONGEST);
            let whole = from + within.len() == self.text.len();
            let ends = || within.rfind(['.', ';', '|']).or(within.rfind(' '));
            let length = if whole { None } else { ends() };
            let to = from + length.map_or(within.len(), |at| at + 1);
            let after = |at: usize| self.lines.partition_point(|(start, _)| *start <= at);
            let further = &self.lines[after(from)..after(to - 1)];
            let further = further.iter().map(|(start, line)| (start - from, *line));
            let first = pieces.is_empty();
            pieces.push(Text {
                text: self.text[from..to].to_string(),
                lines: std::iter::once((0, self.line_at(from)))
                    .chain(further)
                    .collect(),
                kind: if first { self.kind } else { Kind::Paragraph },
                ticked: self.ticked.filter(|_| first),
                about: self.about.clone(),
                ..self
            });
            from = to;
        }
        pieces
    }

    fn push(&mut self, line: u32, text: &str) {
        if self.lines.last().is_none_or(|(_, last)| *last != line) {
            if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
            self.lines.push((self.text.len(), line));
        }
        self.text += text;
    }
}

/// The beginning of a text, of so many bytes at most.
pub(super) fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// What begins a line that is one by itself.
pub(super) type BeginsAnew = fn(&str) -> bool;

/// Reads a document. `anew` tells whether a line of a paragraph stands by itself.
pub(super) fn outline(source: &str, anew: BeginsAnew) -> Vec<Block> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let mut reading = Reading {
        source,
        starts: starts(source),
        anew,
        blocks: vec![],
        text: Text::default(),
        hard: false,
        items: vec![],
        quotes: 0,
        code: None,
        table: None,
        about: None,
    };
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        reading.on(event, range);
    }
    reading.flush();
    reading.blocks
}

/// Where each line begins.
fn starts(source: &str) -> Vec<usize> {
    let after = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

struct Reading<'s> {
    source: &'s str,
    starts: Vec<usize>,
    anew: BeginsAnew,
    blocks: Vec<Block>,
    /// What is being read.
    text: Text,
    /// Whether a hard break was the last thing in it.
    hard: bool,
    /// Of each item that is open: whether its beginning was read.
    items: Vec<bool>,
    quotes: usize,
    code: Option<Vec<(u32, String)>>,
    table: Option<(Table, Vec<String>)>,
    /// The id that a comment on a line of its own names for what follows.
    about: Option<String>,
}

impl Reading<'_> {
    fn line(&self, at: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    fn on(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.said(&text, range.start),
            Event::Code(code) => self.said(&format!("`{code}`"), range.start),
            Event::SoftBreak => self.text.text.push(' '),
            Event::HardBreak => self.hard = true,
            Event::TaskListMarker(ticked) => {
                self.text.ticked = Some(ticked);
                let line = self.line(range.start);
                self.text.push(line, "");
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, range),
            _ => {}
        }
    }

    fn said(&mut self, text: &str, at: usize) {
        if let Some(code) = &mut self.code {
            let first = self.starts.partition_point(|start| *start <= at);
            let lines = text.lines().enumerate();
            code.extend(lines.map(|(nth, line)| {
                (
                    u32::try_from(first + nth).unwrap_or(u32::MAX),
                    line.to_string(),
                )
            }));
            return;
        }
        if let Some((_, cells)) = &mut self.table {
            if let Some(cell) = cells.last_mut() {
                *cell += text;
            }
            return;
        }
        let line = self.line(at);
        let is_new = self
            .text
            .lines
            .last()
            .is_some_and(|(_, last)| *last != line);
        if is_new && (std::mem::take(&mut self.hard) || (self.anew)(&self.rest_of_line(at))) {
            let kind = self.text.kind;
            self.flush();
            // The lines of an item are of that item.
            self.text.kind = match kind {
                Kind::Heading(level) => Kind::Heading(level),
                _ => Kind::Paragraph,
            };
        }
        self.text.push(line, text);
    }

    /// What follows on the line in the source.
    fn rest_of_line(&self, at: usize) -> String {
        let rest = &self.source[at..];
        let rest = rest.lines().next().unwrap_or_default();
        rest.chars().filter(|c| *c != '*').take(120).collect()
    }

    fn html(&mut self, html: &str, range: Range<usize>) {
        for id in html.split("<!--").skip(1).filter_map(bound_id) {
            if let Some((_, cells)) = &mut self.table {
                // The id stands in the row until it is complete.
                cells.push(format!("{ID}{id}"));
                cells.push(String::new());
                continue;
            }
            let start = self.starts[self.line(range.start) as usize - 1];
            let alone = self.source[start..range.start].trim().is_empty();
            match alone && self.text.text.trim().is_empty() {
                true => self.about = Some(id),
                false => self.text.about = Some(id),
            }
        }
        if let Some((_, cells)) = &mut self.table
            && html.starts_with("<br")
            && let Some(cell) = cells.last_mut()
        {
            cell.push(' ');
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => {
                self.flush();
                self.text.kind = self.kind_here();
            }
            Tag::Heading { level, .. } => {
                self.flush();
                self.text.kind = Kind::Heading(level as u8);
            }
            Tag::Item => {
                self.flush();
                self.items.push(false);
                self.text.kind = self.kind_here();
            }
            Tag::List(_) | Tag::HtmlBlock => self.flush(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(vec![]);
            }
            Tag::Table(_) => {
                self.flush();
                let table = Table {
                    about: self.about.take(),
                    ..Table::default()
                };
                self.table = Some((table, vec![]));
            }
            Tag::TableRow => {
                let line = self.line(range.start);
                if let Some((table, _)) = &mut self.table {
                    table.rows.push(Row {
                        line,
                        ..Row::default()
                    });
                }
            }
            Tag::TableCell => {
                if let Some((_, cells)) = &mut self.table {
                    cells.push(String::new());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) => self.flush(),
            TagEnd::Item => {
                self.flush();
                self.items.pop();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                self.blocks.extend(self.code.take().map(Block::Code));
                self.about = None;
            }
            TagEnd::TableHead => {
                if let Some((table, cells)) = &mut self.table {
                    table.header = std::mem::take(cells);
                }
            }
            TagEnd::TableRow => {
                if let Some((table, cells)) = &mut self.table
                    && let Some(row) = table.rows.last_mut()
                {
                    for cell in std::mem::take(cells) {
                        match cell.strip_prefix(ID) {
                            Some(id) => row.about = Some(id.to_string()),
                            None => row
                                .cells
                                .push(shortened(cell.trim(), LONGEST_CELL).to_string()),
                        }
                    }
                }
            }
            TagEnd::Table => self
                .blocks
                .extend(self.table.take().map(|(table, _)| Block::Table(table))),
            _ => {}
        }
    }

    /// What the next text is: the beginning of an item, or one of the paragraphs.
    fn kind_here(&mut self) -> Kind {
        match self.items.last() {
            Some(false) => Kind::Item,
            _ => Kind::Paragraph,
        }
    }

    fn flush(&mut self) {
        self.hard = false;
        let text = std::mem::take(&mut self.text);
        if text.text.trim().is_empty() && text.ticked.is_none() {
            // What waits for its text keeps its kind.
            self.text.kind = text.kind;
            return;
        }
        if let Some(read) = self.items.last_mut() {
            *read = true;
        }
        let about = text.about.clone().or_else(|| self.about.clone());
        // A comment binds a list as a whole, anything else alone.
        if self.items.is_empty() {
            self.about = None;
        }
        self.blocks.push(Block::Text(Text {
            depth: self.items.len(),
            quoted: self.quotes > 0,
            about,
            ..text
        }));
    }
}

/// What is read of a cell, in bytes.
const LONGEST_CELL: usize = 2_000;

/// What marks an id among the cells of a row.
const ID: char = '\u{0}';

/// The id in a comment ` ready: ID -->`.
fn bound_id(comment: &str) -> Option<String> {
    let (inside, _) = comment.split_once("-->")?;
    let id = inside.trim().strip_prefix("ready:")?.trim();
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_id && id != "begin" && id != "end").then(|| id.to_string())
}
