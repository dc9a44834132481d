//! Finds the comments in a text by the rules of its language, in one pass from its beginning to its end. What it keeps
//! of the code before is just enough to tell a division from a regular expression and a statement from its middle.

use std::ops::Range;

use super::languages::{Fence, Place, Quote, Rule};

/// The comments in `text` from `begin` on, as places in it.
pub(super) fn comments(rules: &'static [Rule], text: &[u8], begin: usize) -> Vec<Range<usize>> {
    let mut scan = Scan::new(rules, text, begin);
    scan.run();
    scan.comments
}

/// One pass over a text.
struct Scan<'t> {
    rules: &'static [Rule],
    /// The bytes that some rule begins with.
    starts: [bool; 256],
    text: &'t [u8],
    begin: usize,
    at: usize,
    comments: Vec<Range<usize>>,
    /// The last byte of code that is no white space.
    last: Option<usize>,
    /// Where the last word of code began.
    word: usize,
    /// Where the first code on the line began.
    head: usize,
    /// Whether no code came yet on the line.
    fresh: bool,
    /// How many brackets are open.
    depth: usize,
    /// The strings around the code, each with the depth at which it goes on.
    holes: Vec<(usize, Quote)>,
    /// The words that end the texts which begin on the next line.
    heredocs: Vec<&'t [u8]>,
    /// How many more heredocs may turn out to be none: each costs a search to the end of the text.
    mistakes: u8,
    /// Up to where no slash has a partner.
    no_regex: usize,
}

impl<'t> Scan<'t> {
    fn new(rules: &'static [Rule], text: &'t [u8], begin: usize) -> Scan<'t> {
        let mut starts = [false; 256];
        for rule in rules {
            let open = match rule {
                Rule::Line(open, ..)
                | Rule::Block(open, ..)
                | Rule::Heredoc(open, _)
                | Rule::Island(open, ..) => open,
                Rule::Text(quote) => quote.open,
                Rule::Fence(fence) => fence.open,
                Rule::Char => "'",
                Rule::Regex => "/",
            };
            if let Some(first) = open.bytes().next() {
                starts[usize::from(first)] = true;
            }
        }
        Scan {
            rules,
            starts,
            text,
            begin,
            at: begin,
            comments: vec![],
            last: None,
            word: begin,
            head: begin,
            fresh: true,
            depth: 0,
            holes: vec![],
            heredocs: vec![],
            mistakes: 8,
            no_regex: 0,
        }
    }

    fn run(&mut self) {
        let rules = self.rules;
        while let Some(&byte) = self.text.get(self.at) {
            let may_fit = self.starts[usize::from(byte)] || self.at == self.begin;
            if !(may_fit && rules.iter().any(|rule| self.apply(rule))) {
                self.step(byte);
            }
        }
    }

    /// Passes over what the rule describes, if that is what stands here.
    fn apply(&mut self, rule: &Rule) -> bool {
        let rest = &self.text[self.at..];
        match *rule {
            Rule::Line(open, place, stop) => {
                self.stands(open, place) && {
                    let line = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                    self.comment(self.at + find(&rest[..line], stop.as_bytes()).unwrap_or(line))
                }
            }
            Rule::Block(open, close, place, nested) => {
                self.stands(open, place)
                    && self.comment(self.block_end(open.as_bytes(), close.as_bytes(), nested))
            }
            Rule::Text(quote) => self.stands(quote.open, quote.place) && self.text(quote),
            Rule::Char => self.code(self.char_end()),
            Rule::Regex => {
                let end = self.regex_end();
                self.code(end)
            }
            Rule::Fence(fence) => match self.fence_end(&fence) {
                Some(end) if fence.comment => self.comment(end),
                end => self.code(end),
            },
            Rule::Heredoc(open, blanks) => {
                let end = self.heredoc(open.as_bytes(), blanks);
                self.code(end)
            }
            Rule::Island(open, close, rules) => {
                let end = self.island(open.as_bytes(), close.as_bytes(), rules);
                self.code(end)
            }
        }
    }

    /// Passes over one byte of code, or an escaped one.
    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.fresh = true;
                self.at += 1;
                self.pass_heredocs();
            }
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\\' => {
                self.code(Some(after_escape(self.text, self.at)));
            }
            _ => {
                self.code(Some(self.at + 1));
                match byte {
                    b'(' | b'[' | b'{' => self.depth += 1,
                    b')' | b']' | b'}' => {
                        match self.holes.pop_if(|(depth, _)| *depth == self.depth) {
                            Some((_, quote)) => self.text_from(quote, self.at),
                            None => self.depth = self.depth.saturating_sub(1),
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Notes a comment up to `end`; true, since it is one.
    fn comment(&mut self, end: usize) -> bool {
        self.comments.push(self.at..end);
        self.at = end;
        true
    }

    /// Notes code up to `end`, if there is an end.
    fn code(&mut self, end: Option<usize>) -> bool {
        let Some(end) = end else { return false };
        let goes_on = self
            .last
            .is_some_and(|last| last + 1 == self.at && is_word(self.text[last]));
        if !(goes_on && is_word(self.text[self.at])) {
            self.word = self.at;
        }
        if self.fresh {
            self.head = self.at;
            self.fresh = false;
        }
        self.at = end;
        self.last = Some(end - 1);
        true
    }

    fn stands(&self, open: &str, place: Place) -> bool {
        let after_any =
            |at: Option<usize>, set: &[u8]| at.is_some_and(|at| set.contains(&self.text[at]));
        self.text[self.at..].starts_with(open.as_bytes())
            && match place {
                Place::Anywhere => true,
                Place::Start => self.at == self.begin,
                Place::Line => self.fresh,
                Place::Word(set) => {
                    self.fresh
                        || after_any(self.at.checked_sub(1), b" \t\r\n")
                        || after_any(self.at.checked_sub(1), set)
                }
                Place::Value(set) => self.fresh || after_any(self.last, set),
            }
    }

    fn block_end(&self, open: &[u8], close: &[u8], nested: bool) -> usize {
        let mut at = self.at + open.len();
        let mut depth = 1;
        while at < self.text.len() && depth > 0 {
            let rest = &self.text[at..];
            if rest.starts_with(close) {
                at += close.len();
                depth -= 1;
            } else if nested && rest.starts_with(open) {
                at += open.len();
                depth += 1;
            } else {
                at += 1;
            }
        }
        at
    }

    /// Passes over a string; one that is a whole statement may be a comment.
    fn text(&mut self, quote: Quote) -> bool {
        let from = self.at;
        let statement = self.statement_start().filter(|_| quote.comment_alone);
        self.text_from(quote, from + quote.open.len());
        let end = std::mem::replace(&mut self.at, from);
        let next = self.text[end..].iter().find(|b| !matches!(b, b' ' | b'\t'));
        match statement {
            Some(start) if next.is_none_or(|b| b"\r\n;#".contains(b)) => {
                self.at = start;
                self.comment(end)
            }
            _ => self.code(Some(end)),
        }
    }

    /// Passes over the rest of a string, or up to the next code in it.
    fn text_from(&mut self, quote: Quote, from: usize) {
        let (close, hole) = (quote.close.as_bytes(), quote.hole.as_bytes());
        self.at = from;
        while let Some(&byte) = self.text.get(self.at) {
            let rest = &self.text[self.at..];
            let escapes = || close.first() != Some(&byte) || rest.get(1) == Some(&byte);
            if !hole.is_empty() && rest.starts_with(hole) {
                self.at += hole.len();
                self.holes.push((self.depth, quote));
                return;
            } else if byte == quote.escape && escapes() {
                self.at = after_escape(self.text, self.at);
            } else if rest.starts_with(close) {
                self.at += close.len();
                return;
            } else if byte == b'\n' && !quote.lines {
                return;
            } else {
                self.at += 1;
            }
        }
    }

    /// Where the statement begins of which a string that opens here would be the first part, its prefix included.
    fn statement_start(&self) -> Option<usize> {
        let prefix = || {
            let adjoins =
                self.last.is_some_and(|last| last + 1 == self.at) && self.at - self.head <= 2;
            (adjoins
                && self.text[self.head..self.at]
                    .iter()
                    .all(u8::is_ascii_alphabetic))
            .then_some(self.head)
        };
        match self.depth {
            0 if self.fresh || self.last.is_some_and(|last| self.text[last] == b';') => {
                Some(self.at)
            }
            0 => prefix(),
            _ => None,
        }
    }

    fn char_end(&self) -> Option<usize> {
        let rest = self.text[self.at..].strip_prefix(b"'")?;
        let inner = match *rest.first()? {
            // The longest is `\u{10ffff}`.
            b'\\' => 2 + rest.get(2..)?.iter().take(9).position(|&b| b == b'\'')?,
            b'\'' | b'\n' => return None,
            0xf0.. => 4,
            0xe0..0xf0 => 3,
            0xc0..0xe0 => 2,
            _ => 1,
        };
        (rest.get(inner) == Some(&b'\'')).then_some(self.at + inner + 2)
    }

    fn regex_end(&mut self) -> Option<usize> {
        if self.at < self.no_regex || self.text[self.at] != b'/' || !self.value_may_begin() {
            return None;
        }
        let (mut at, mut in_class) = (self.at + 1, false);
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'/' if !in_class => return Some(at + 1),
                b'\n' => break,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'\\' if self.text.get(at + 1) != Some(&b'\n') => at += 1,
                _ => {}
            }
            at += 1;
        }
        self.no_regex = at;
        None
    }

    /// Whether a slash here begins a regular expression: it divides where a value has just ended.
    fn value_may_begin(&self) -> bool {
        let words = "return typeof case in of delete void throw new do else yield await if unless when and or not while until split";
        let Some(last) = self.last else { return true };
        let before = last.checked_sub(1).map(|at| self.text[at]);
        match self.text[last] {
            sign @ (b'+' | b'-') => before != Some(sign),
            b'>' => before == Some(b'='),
            byte if is_word(byte) => words
                .split(' ')
                .any(|word| word.as_bytes() == &self.text[self.word..=last]),
            byte => b"(,=:[!&|?{;*%~^".contains(&byte),
        }
    }

    fn fence_end(&self, fence: &Fence) -> Option<usize> {
        let rest = self.text[self.at..].strip_prefix(fence.open.as_bytes())?;
        let fill = &rest[..rest
            .iter()
            .take(255)
            .take_while(|b| (fence.fill)(b))
            .count()];
        let inner = rest[fill.len()..].strip_prefix(fence.mid.as_bytes())?;
        let close = [fence.close.as_bytes(), fill, fence.end.as_bytes()].concat();
        let from = self.text.len() - inner.len();
        Some(find(inner, &close).map_or(self.text.len(), |at| from + at + close.len()))
    }

    /// Notes the word that ends the text on the following lines.
    fn heredoc(&mut self, open: &[u8], blanks: bool) -> Option<usize> {
        let rest = self.text[self.at..].strip_prefix(open)?;
        if self.at > 0 && self.text[self.at - 1] == b'<' {
            return None;
        }
        let rest = rest
            .strip_prefix(b"-")
            .or_else(|| rest.strip_prefix(b"~"))
            .unwrap_or(rest);
        let mut from = self.text.len() - rest.len();
        if blanks {
            from += rest
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t'))
                .count();
        }
        let is_quote = |at: usize| self.text.get(at).is_some_and(|b| b"\"'`\\".contains(b));
        from += usize::from(is_quote(from));
        let length = self.text[from..]
            .iter()
            .take_while(|&&b| is_word(b))
            .count();
        let word = &self.text[from..from + length];
        if word.first().is_none_or(u8::is_ascii_digit) {
            return None;
        }
        let end = from + length + usize::from(is_quote(from + length));
        self.heredocs.push(word);
        Some(end)
    }

    /// Passes over the texts that begin on this line. They are data, but a line of them that begins with `#` is a
    /// comment in most of what they are written for.
    fn pass_heredocs(&mut self) {
        for word in std::mem::take(&mut self.heredocs) {
            if self.mistakes == 0 {
                return;
            }
            let mut next = self.at;
            let mut comments = vec![];
            let end = self.text[self.at..]
                .split_inclusive(|&b| b == b'\n')
                .find_map(|line| {
                    next += line.len();
                    let code = line.trim_ascii_start();
                    if code.starts_with(b"#") {
                        comments.push(next - code.len()..next);
                    }
                    let after = code.strip_prefix(word)?;
                    let ends = after.first().is_none_or(|&b| !is_word(b) && b != b' ')
                        || after.trim_ascii().is_empty();
                    ends.then_some(next - after.len())
                });
            match end {
                Some(end) => {
                    self.comments.append(&mut comments);
                    self.at = end;
                    self.fresh = false;
                }
                None => self.mistakes -= 1,
            }
        }
    }

    /// Scans a part that is written in another language, up to what ends it.
    fn island(&mut self, open: &[u8], close: &[u8], rules: &'static [Rule]) -> Option<usize> {
        let rest = &self.text[self.at..];
        rest.get(..open.len())
            .filter(|start| start.eq_ignore_ascii_case(open))?;
        let tag = rest
            .iter()
            .position(|&b| b == b'>')
            .map_or(rest.len(), |at| at + 1);
        if rest[..tag].ends_with(b"/>") {
            return Some(self.at + tag);
        }
        let inner = rest[tag..]
            .windows(close.len())
            .position(|piece| piece.eq_ignore_ascii_case(close));
        let end = self.at + inner.map_or(rest.len(), |at| tag + at);
        self.comments
            .extend(comments(rules, &self.text[..end], self.at + tag));
        Some(end)
    }
}

/// The place after an escaped character; a line's end counts as one, however it is written.
fn after_escape(text: &[u8], at: usize) -> usize {
    let length = if text[at + 1..].starts_with(b"\r\n") {
        3
    } else {
        2
    };
    text.len().min(at + length)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|piece| piece == wanted)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}
