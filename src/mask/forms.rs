//! The forms in which programs print a value: as it is, and as encoders of URLs, forms, JSON, XML, shells, hexadecimal and
//! base64 write it.

use std::fmt::Write;

use super::SHORTEST;

/// Every form of a value and of each of its lines, those that are too short left out.
pub(super) fn forms(value: &str) -> Vec<Vec<u8>> {
    let lines = value.lines().map(str::trim);
    let pieces = std::iter::once(value)
        .chain(lines)
        .filter(|piece| piece.len() >= SHORTEST);
    pieces.flat_map(forms_of_piece).collect()
}

fn forms_of_piece(piece: &str) -> Vec<Vec<u8>> {
    let mut texts = vec![piece.to_string()];
    for unreserved in URL_ENCODERS {
        texts.push(url_encoded(piece, unreserved, false));
        texts.push(url_encoded(piece, unreserved, true));
    }
    for plus in [false, true] {
        texts.push(url_encoded(piece, "-._*", plus).replace("%20", "+"));
    }
    texts.extend(JSON_ENCODERS.map(|encoder| json_escaped(piece, encoder)));
    texts.extend(XML_ENCODERS.map(|quotes| xml_escaped(piece, quotes)));
    // How shells and those who write for them put a quote between quotes, and a word without quotes.
    texts.push(piece.replace('\'', r"'\''"));
    texts.push(piece.replace('\'', "'\"'\"'"));
    texts.push(backslashed(piece));
    for case in ["0123456789abcdef", "0123456789ABCDEF"] {
        texts.push(hexadecimal(piece.as_bytes(), case.as_bytes()));
    }
    let texts = texts.into_iter().map(String::into_bytes);
    texts.chain(base64_forms(piece.as_bytes())).collect()
}

/// What encoders of URLs leave as it is beside letters and digits: RFC 3986, Python's `quote`, JavaScript's
/// `encodeURIComponent` and `encodeURI`.
const URL_ENCODERS: [&str; 4] = ["-._~", "-._~/", "-._~!'()*", "-._~!'()*;/?:@&=+$,#"];

/// Percent-encoding of everything but letters, digits and what is unreserved.
fn url_encoded(text: &str, unreserved: &str, lower: bool) -> String {
    let encode = |byte: u8| match char::from(byte) {
        c if c.is_ascii_alphanumeric() || unreserved.contains(c) => c.to_string(),
        _ if lower => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What an encoder of JSON escapes although it need not.
#[derive(Clone, Copy)]
struct Json {
    /// As `\u…`; what these characters are.
    as_number: &'static str,
    /// Everything beyond ASCII, as `\u…`.
    beyond_ascii: bool,
    /// A slash, as `\/`.
    slash: bool,
}

/// JavaScript and serde; Python; Go; PHP; Ruby on Rails and .NET.
const JSON_ENCODERS: [Json; 5] = [
    json("", false, false),
    json("", true, false),
    json("<>&", false, false),
    json("", true, true),
    json("<>&+'", true, false),
];

const fn json(as_number: &'static str, beyond_ascii: bool, slash: bool) -> Json {
    Json {
        as_number,
        beyond_ascii,
        slash,
    }
}

fn json_escaped(text: &str, encoder: Json) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '/' if encoder.slash => escaped += "\\/",
            '\n' => escaped += "\\n",
            '\r' => escaped += "\\r",
            '\t' => escaped += "\\t",
            c if c.is_control()
                || encoder.as_number.contains(c)
                || (encoder.beyond_ascii && !c.is_ascii()) =>
            {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// How encoders of XML and HTML write the two quotes: not at all, Python, Go, JUnit's writers, lodash.
const XML_ENCODERS: [[&str; 2]; 5] = [
    ["\"", "'"],
    ["&quot;", "&#x27;"],
    ["&#34;", "&#39;"],
    ["&quot;", "&apos;"],
    ["&quot;", "&#39;"],
];

fn xml_escaped(text: &str, [double, single]: [&str; 2]) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', double);
    text.replace('\'', single)
}

/// A word as `printf %q` writes it.
fn backslashed(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=+%@,".contains(c);
    let escape = |c| if plain(c) { vec![c] } else { vec!['\\', c] };
    text.chars().flat_map(escape).collect()
}

fn hexadecimal(bytes: &[u8], digits: &[u8]) -> String {
    let digit = |four: u8| char::from(digits[usize::from(four)]);
    let pair = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(pair).collect()
}

/// The part of the base64 of a longer text that depends on the secret alone, for each offset of the secret in it, in the
/// standard and the URL-safe alphabet (RFC 4648).
fn base64_forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![];
    for offset in 0..3 {
        let padded = [&vec![0; offset][..], secret].concat();
        let whole = padded.len() / 3 * 4;
        let from = (offset * 8).div_ceil(6);
        for alphabet in [b"+/", b"-_"] {
            let encoded = base64(&padded, alphabet);
            if whole > from && whole - from >= SHORTEST {
                forms.push(encoded[from..whole].to_vec());
            }
        }
    }
    forms
}

pub(super) fn base64(bytes: &[u8], last_two: &[u8; 2]) -> Vec<u8> {
    let symbol = |six: u32| match six & 63 {
        n @ 0..26 => b'A' + n as u8,
        n @ 26..52 => b'a' + (n - 26) as u8,
        n @ 52..62 => b'0' + (n - 52) as u8,
        n => last_two[n as usize - 62],
    };
    let group = |chunk: &[u8]| {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        [18, 12, 6, 0].map(|shift| symbol(word >> shift))
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        assert_eq!(base64(b"foobar", b"+/"), b"Zm9vYmFy");
        assert_eq!(&base64(b"foob", b"+/")[..6], b"Zm9vYg");
    }
}
