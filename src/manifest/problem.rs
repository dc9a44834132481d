//! What is wrong with a manifest or a check file: collected, not thrown, so that one run names everything.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake, with the place that it is at and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which of the sources.
    pub(super) source: usize,
    /// The bytes of the source that it is about.
    pub span: Range<usize>,
    /// What is wrong: lower case, values in backticks.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What broke, where it is the syntax.
    pub(super) syntax: Option<Syntax>,
}

/// A mistake of the syntax, by what is left of the text after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// The text around it cannot be read.
    Broken,
    /// So it is, and any of the text before it.
    Swallowed,
    /// A key or table that stands twice: the first one is read.
    Duplicate,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct SourceText {
    /// The name as given.
    pub(super) name: String,
    /// All of it.
    pub(super) text: String,
}

/// Everything that is wrong, in order of file and place. Its `Display` shows each with line, caret and hint.
#[derive(Debug)]
pub struct Problems {
    sources: Vec<SourceText>,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(sources: Vec<SourceText>, mut list: Vec<Problem>) -> Problems {
        list.sort_by(|a, b| {
            (a.source, a.span.start, &a.message).cmp(&(b.source, b.span.start, &b.message))
        });
        list.dedup();
        let list = without_consequences(&sources, list);
        Problems { sources, list }
    }

    /// The one problem of a file that is not text at all.
    pub(super) fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Problems {
        // What comes before the first bad byte is left as it is, and so is its place.
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let at = error.utf8_error().valid_up_to();
        let problems = Collector::default();
        let hint = "save the file as UTF-8".to_string();
        problems.push(
            0,
            at..at + 1,
            format!("byte {at} is not UTF-8, which a manifest must be"),
            Some(hint),
        );
        Problems::new(
            vec![SourceText {
                name: name.to_string(),
                text,
            }],
            problems.into_list(),
        )
    }

    /// The single mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them as text for a person, in colour or plain.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = String::new();
        let lines = self
            .sources
            .iter()
            .map(|source| LineStarts::new(&source.text))
            .collect::<Vec<_>>();
        for problem in &self.list {
            let source = &self.sources[problem.source];
            // Only the line is handed over, so that many problems in a long file take no longer each.
            let span = visible(&source.text, &problem.span);
            let (number, start) = lines[problem.source].at(span.start);
            let end = source.text[span.end..]
                .find('\n')
                .map_or(source.text.len(), |at| span.end + at);
            // Far more than is ever shown; drawing takes time for each byte of the line.
            let end = end.min(source.text.floor_char_boundary(span.start + 1000));
            let line = &source.text[start..end];
            let line = line.strip_suffix('\r').unwrap_or(line);
            let snippet = Snippet::source(line)
                .line_start(number)
                .path(source.name.as_str())
                .annotation(AnnotationKind::Primary.span(
                    (span.start - start).min(line.len())..(span.end - start).min(line.len()),
                ));
            let mut group = Level::ERROR
                .primary_title(problem.message.as_str())
                .element(snippet);
            if let Some(hint) = &problem.hint {
                group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
            }
            text.push_str(&renderer.render(&[group]));
            text.push_str("\n\n");
        }
        text
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Problems {}

/// The first line of the span, on character boundaries and inside the text, so that any span can be drawn.
fn visible(text: &str, span: &Range<usize>) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    let end = boundary(span.end).max(start);
    let line = text[start..end].find('\n').map_or(end, |at| start + at);
    start..line
}

/// Where the lines of a text start.
#[derive(Debug)]
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn new(text: &str) -> LineStarts {
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        LineStarts(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The 1-based line of a byte, and the byte that this line starts with.
    pub(super) fn at(&self, byte: usize) -> (usize, usize) {
        let number = self.0.partition_point(|start| *start <= byte);
        (number, self.0[number - 1])
    }
}

/// Takes out what only follows from a mistake of the syntax: further ones on its line, those of an array that was never
/// closed, whatever stands in a table that is declared twice, and everything that could be said of a table that could
/// not be read whole.
fn without_consequences(sources: &[SourceText], list: Vec<Problem>) -> Vec<Problem> {
    if list.iter().all(|problem| problem.syntax.is_none()) {
        return list;
    }
    let lines = sources
        .iter()
        .map(|source| LineStarts::new(&source.text))
        .collect::<Vec<_>>();
    let tables = sources
        .iter()
        .zip(&lines)
        .map(|(source, lines)| table_starts(&source.text, lines))
        .collect::<Vec<_>>();
    let table_of = |problem: &Problem| {
        (
            problem.source,
            tables[problem.source].partition_point(|start| *start <= problem.span.start),
        )
    };
    let line_of =
        |problem: &Problem| (problem.source, lines[problem.source].at(problem.span.start));

    let broken = list
        .iter()
        .filter(|problem| matches!(problem.syntax, Some(Syntax::Broken | Syntax::Swallowed)))
        .map(table_of)
        .collect::<BTreeSet<_>>();
    let twice = list.iter().filter(|problem| {
        problem.syntax == Some(Syntax::Duplicate)
            && tables[problem.source]
                .binary_search(&line_of(problem).1.1)
                .is_ok()
    });
    let twice = twice
        .map(|problem| (table_of(problem), problem.span.start))
        .collect::<BTreeMap<_, _>>();
    let swallowed = list
        .iter()
        .filter(|problem| problem.syntax == Some(Syntax::Swallowed))
        .map(|problem| problem.source);
    let swallowed = swallowed.collect::<BTreeSet<_>>();
    let mut last: Option<(usize, usize, bool)> = None;
    let keep = |problem: &Problem| match problem.syntax {
        // A value that the parser made up has no place.
        None => {
            let made_up = problem.span.is_empty()
                && broken.iter().any(|(source, _)| *source == problem.source);
            !made_up && !broken.contains(&table_of(problem)) && !swallowed.contains(&problem.source)
        }
        Some(Syntax::Duplicate) => twice
            .get(&table_of(problem))
            .is_none_or(|header| *header == problem.span.start),
        Some(Syntax::Broken | Syntax::Swallowed) => {
            let (source, (line, _)) = line_of(problem);
            let of_array = problem.message.contains("array");
            let follows = last.is_some_and(|(last_source, last_line, in_array)| {
                source == last_source
                    && (line == last_line || (in_array && of_array && line <= last_line + 2))
            });
            let in_array = of_array || (follows && last.is_some_and(|(.., in_array)| in_array));
            last = Some((source, line, in_array));
            !follows
        }
    };
    // The list is in order of place, which is what `keep` remembers the last line by.
    let kept = list.iter().map(keep).collect::<Vec<_>>();
    list.into_iter()
        .zip(kept)
        .filter_map(|(problem, keep)| keep.then_some(problem))
        .collect()
}

/// The starts of the lines that open a table: good enough to tell which parts of a broken text are sound.
fn table_starts(text: &str, lines: &LineStarts) -> Vec<usize> {
    lines
        .0
        .iter()
        .copied()
        .filter(|start| {
            text[*start..]
                .trim_start_matches([' ', '\t'])
                .starts_with('[')
        })
        .collect()
}

/// Where problems are collected while a manifest is read.
#[derive(Debug, Default)]
pub(super) struct Collector(RefCell<Vec<Problem>>);

impl Collector {
    pub(super) fn push(
        &self,
        source: usize,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let hint = hint.map(|hint| on_one_line(&hint));
        self.0.borrow_mut().push(Problem {
            source,
            span,
            message: on_one_line(&message.into()),
            hint,
            syntax: None,
        });
    }

    /// Notes a mistake of the syntax.
    pub(super) fn push_syntax(
        &self,
        source: usize,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
        syntax: Syntax,
    ) {
        self.0.borrow_mut().push(Problem {
            source,
            span,
            message: on_one_line(&message),
            hint,
            syntax: Some(syntax),
        });
    }

    /// Whether a source could not be read whole.
    pub(super) fn is_broken(&self, source: usize) -> bool {
        self.0
            .borrow()
            .iter()
            .any(|problem| problem.source == source && problem.syntax.is_some())
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0.into_inner()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// A message on one line of bearable length, whatever the manifest put into it.
fn on_one_line(text: &str) -> String {
    const LONGEST: usize = 600;
    let end = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    let shown = text[..end.unwrap_or(text.len())].chars();
    let mut line = shown.fold(String::new(), |mut line, c| {
        match c.is_control() {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
        line
    });
    if end.is_some() {
        line.push('…');
    }
    line
}

/// `did you mean …?`, where something known is near enough: at most a third of it differs, and not all of it.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let length = word.chars().count();
    known
        .into_iter()
        .filter_map(|candidate| {
            let longest = candidate.chars().count().max(length);
            let most = (longest / 3).max(1).min(longest.saturating_sub(1));
            // What differs more in length than that need not be compared, which takes length times length.
            let near = candidate.chars().count().abs_diff(length) <= most;
            let distance = near.then(|| strsim::damerau_levenshtein(word, candidate))?;
            (distance <= most).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
