//! Text from other programs made safe for a terminal: colours may pass, nothing else acts. What is escaped stays visible,
//! so that nothing can hide behind it.

use std::fmt::Write;

/// Whether colour sequences may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// SGR sequences pass; each line that holds one ends in a reset.
    Pass,
    /// SGR sequences are taken out.
    Drop,
}

/// One line's worth of text, safe to print: SGR handled as said, every other control character escaped, C1 and
/// bidirectional ones included; what a carriage return wrote over is left out.
pub fn line(text: &str, colour: Colour) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    let last = text
        .rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or("");
    let mut safe = String::with_capacity(last.len());
    let mut coloured = false;
    let mut rest = last;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = sgr(rest) {
            if colour == Colour::Pass {
                safe.push_str(&rest[..length]);
                coloured = true;
            }
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => safe.push_str("    "),
            // Writing to a String cannot fail.
            c if acts(c) => _ = write!(safe, "{}", c.escape_unicode()),
            c => safe.push(c),
        }
    }
    if coloured {
        safe.push_str("\u{1b}[0m");
    }
    safe
}

/// Every line of a text, safe to print.
pub fn lines(text: &str, colour: Colour) -> impl Iterator<Item = String> {
    text.lines().map(move |text| line(text, colour))
}

/// The length of the colour sequence that a text begins with: `ESC [ digits ; : m`. One that conceals what follows is none.
fn sgr(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    (body.as_bytes()[end] == b'm' && !conceals(&body[..end])).then_some(2 + end + 1)
}

/// Whether the parameters of a colour sequence make text invisible (8), which is not the 8 in a colour of its own.
fn conceals(parameters: &str) -> bool {
    let mut numbers = parameters
        .split([';', ':'])
        .map(|number| number.trim_start_matches('0'));
    while let Some(number) = numbers.next() {
        match number {
            "8" => return true,
            "38" | "48" | "58" => {
                // `5;index` or `2;red;green;blue`.
                let more = match numbers.next() {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                numbers.by_ref().take(more).for_each(drop);
            }
            _ => {}
        }
    }
    false
}

/// Whether a character does something to a terminal or to the order of the text around it, or is invisible. Selectors of
/// an emoji's look (U+FE00 to U+FE0F) are neither.
pub fn acts(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_pass_or_drop_and_nothing_else_acts() {
        let cases = [
            (
                "\u{1b}[31mred\u{1b}[0m",
                "\u{1b}[31mred\u{1b}[0m\u{1b}[0m",
                "red",
            ),
            ("10%\r50%\r100%", "100%", "100%"),
            ("done\r\n", "done", "done"),
            (
                "\u{1b}]0;title FAILED",
                "\\u{1b}]0;title FAILED",
                "\\u{1b}]0;title FAILED",
            ),
            (
                "\u{1b}]52;c;aGk=\u{7}",
                "\\u{1b}]52;c;aGk=\\u{7}",
                "\\u{1b}]52;c;aGk=\\u{7}",
            ),
            ("\u{9b}31m", "\\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b", "a\\u{202e}b"),
            ("a\tb\0c", "a    b\\u{0}c", "a    b\\u{0}c"),
            ("\u{1b}[2J", "\\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}[31", "\\u{1b}[31", "\\u{1b}[31"),
            ("\u{1b}", "\\u{1b}", "\\u{1b}"),
            (
                "ü ✓ 日本 ⚠\u{fe0f}",
                "ü ✓ 日本 ⚠\u{fe0f}",
                "ü ✓ 日本 ⚠\u{fe0f}",
            ),
            (
                "\u{1b}[0;08mhid\u{1b}[m",
                "\\u{1b}[0;08mhid\u{1b}[m\u{1b}[0m",
                "\\u{1b}[0;08mhid",
            ),
            (
                "\u{1b}[38;5;8;48;2;8;8;8mgrey",
                "\u{1b}[38;5;8;48;2;8;8;8mgrey\u{1b}[0m",
                "grey",
            ),
            (
                "so\u{ad}ft\u{e0101}",
                "so\\u{ad}ft\\u{e0101}",
                "so\\u{ad}ft\\u{e0101}",
            ),
        ];
        for (text, pass, drop) in cases {
            assert_eq!(line(text, Colour::Pass), pass, "{text:?}");
            assert_eq!(line(text, Colour::Drop), drop, "{text:?}");
        }
    }

    #[test]
    fn an_unterminated_sequence_does_not_swallow_the_next_line() {
        let shown = lines("\u{1b}]8;;x\nFAILED\n", Colour::Pass).collect::<Vec<_>>();
        assert_eq!(shown, ["\\u{1b}]8;;x", "FAILED"]);
    }
}
