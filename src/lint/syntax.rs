//! Syntax of TOML 1.1 in a manifest: `ready` reads it, and tools that know 1.0 alone refuse the file.

use super::{Lint, Said, Severity};

impl Lint<'_> {
    /// Everything in the manifest that TOML 1.0 has not.
    pub(super) fn syntax(&mut self) {
        for (at, what) in newer(self.input.text) {
            let place = self.spans.at(at, self.input.text);
            let file = self.input.file.to_string();
            let said = Said {
                rule: "toml-1.1",
                severity: Severity::Warning,
                text: format!(
                    "{what} is TOML 1.1: editors and tools that read 1.0 refuse the whole file"
                ),
                hint: "write it as TOML 1.0 has it: an inline table on one line, without a comma at its end",
            };
            self.in_file(file, place, None, said);
        }
    }
}

/// The places of what is newer than TOML 1.0.
fn newer(text: &str) -> Vec<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let mut found = vec![];
    // What is open: `{` or `[` of a value, with the byte that it begins at.
    let mut open: Vec<(u8, usize)> = vec![];
    let mut at = 0;
    let mut line_is_key = true;
    let mut last = b'\n';
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'#' => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'"' | b'\'' => {
                let end = string_end(text, at);
                if byte == b'"' {
                    found.extend(escape(&text[at..end]).map(|within| (at + within, "this escape")));
                }
                at = end;
                last = byte;
                continue;
            }
            b'\n' => {
                if let Some((b'{', begins)) = open.last() {
                    found.push((*begins, "an inline table over several lines"));
                }
                line_is_key = open.is_empty();
            }
            b'=' => line_is_key = false,
            b'{' => open.push((byte, at)),
            // At the beginning of a line it opens a table.
            b'[' if !(line_is_key && open.is_empty()) => open.push((byte, at)),
            b'}' => {
                if last == b',' {
                    found.push((at, "a comma at the end of an inline table"));
                }
                open.pop();
            }
            b']' if !open.is_empty() => _ = open.pop(),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at += 1;
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The byte behind a string that begins there.
fn string_end(text: &str, at: usize) -> usize {
    let quote = &text[at..=at];
    let triple = quote.repeat(3);
    let rest = &text[at..];
    let (mark, from) = match rest.starts_with(&triple) {
        true => (triple.as_str(), 3),
        false => (quote, 1),
    };
    let mut from = at + from;
    loop {
        let Some(end) = text[from..].find(mark).map(|end| from + end) else {
            return text.len();
        };
        let escapes = text[..end]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        if quote == "'" || escapes % 2 == 0 {
            // Up to two quotes may stand right before the end of a long one.
            let more = text[end + mark.len()..].bytes();
            let more = more
                .take_while(|byte| mark.len() == 3 && *byte == quote.as_bytes()[0])
                .count();
            return end + mark.len() + more.min(2);
        }
        from = end + 1;
    }
}

/// Where a string has an escape that is new: `\e` or `\x`.
fn escape(string: &str) -> Option<usize> {
    let bytes = string.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'\\', b'e' | b'x') => return Some(at),
            (b'\\', _) => at += 2,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::newer;

    #[test]
    fn what_is_newer_than_1_0_is_found_and_nothing_else() {
        let cases: [(&str, &[&str]); 12] = [
            ("a = { b = 1, c = [1, 2,] }\n", &[]),
            ("a = [\n  { b = 1 },\n  { b = 2 },\n]\n", &[]),
            ("a = { b = 1,\n c = 2 }\n", &["{"]),
            ("a = { b = 1, }\n", &["}"]),
            ("a = {\n  b = 1,\n}\n", &["{", "}"]),
            ("[a]\n[[b]]\nc = \"{ x,\\n }\"\n", &[]),
            ("a = '''{\n}'''\n", &[]),
            ("a = \"\"\"{\n \\\" }\"\"\"\n", &[]),
            ("a = \"\\e[1m\"\n", &["\\e"]),
            ("a = \"\\\\e\\n\"\n", &[]),
            ("a = '\\e'\n", &[]),
            ("# {\n# }\n[a.'x.y']\nb = { c = { d = 1 } } # {\n", &[]),
        ];
        for (text, expected) in cases {
            let found = newer(text).into_iter().map(|(at, _)| &text[at..]);
            let found = found.collect::<Vec<_>>();
            assert_eq!(found.len(), expected.len(), "{text:?}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{text:?}: {found:?}");
            }
        }
    }
}
