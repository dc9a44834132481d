//! Secrets taken out of what leaves the process: reports, ledger, terminal. Best effort: a program can print a secret in
//! a form that nobody foresees.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// The shortest value that is masked: a shorter one would mask ordinary text.
pub const SHORTEST: usize = 6;

/// Finds secrets in the forms that programs print them in: as they are, URL-encoded, JSON-escaped, in base64 at any
/// offset, and each line of one that has several.
#[derive(Debug, Default)]
pub struct Masker {
    finder: Option<AhoCorasick>,
    longest: usize,
}

impl Masker {
    /// A masker for these values; those shorter than [`SHORTEST`] are left out.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Masker {
        let mut forms = values.into_iter().flat_map(forms).collect::<Vec<_>>();
        forms.sort_unstable();
        forms.dedup();
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms);
        Masker {
            finder: finder.ok().filter(|_| !forms.is_empty()),
            longest,
        }
    }

    /// Whether it knows no secret.
    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// The text with every secret in it replaced.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.finder {
            Some(finder) if finder.is_match(text) => {
                Cow::Owned(finder.replace_all(text, &[MASK].repeat(finder.patterns_len())))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The bytes with every secret in them replaced.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        match &self.finder {
            Some(finder) if finder.is_match(bytes) => Cow::Owned(
                finder.replace_all_bytes(bytes, &[MASK.as_bytes()].repeat(finder.patterns_len())),
            ),
            _ => Cow::Borrowed(bytes),
        }
    }

    /// The bytes next to a cut that may hold a part of a secret, which no search finds.
    pub fn border(&self) -> usize {
        self.longest.saturating_sub(1)
    }
}

fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![];
    let lines = value.lines().map(str::trim);
    for piece in std::iter::once(value)
        .chain(lines)
        .filter(|piece| piece.len() >= SHORTEST)
    {
        forms.push(piece.as_bytes().to_vec());
        forms.push(url_encoded(piece, false).into_bytes());
        forms.push(url_encoded(piece, true).into_bytes());
        if let Ok(json) = serde_json::to_string(piece) {
            forms.push(json.as_bytes()[1..json.len() - 1].to_vec());
        }
        forms.extend(base64_forms(piece.as_bytes()));
    }
    forms
}

/// Percent-encoding of everything but unreserved characters (RFC 3986), in upper or lower case.
fn url_encoded(text: &str, lower: bool) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ if lower => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
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

fn base64(bytes: &[u8], last_two: &[u8; 2]) -> Vec<u8> {
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

/// Whether a variable's name says that its value is a secret.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts = name.split('_').collect::<Vec<_>>();
    let has = |word: &str| parts.contains(&word);
    let joined = [
        "APIKEY",
        "SECRETKEY",
        "ACCESSKEY",
        "PRIVATEKEY",
        "AUTHTOKEN",
    ];
    joined.into_iter().any(has)
        || has("PASS")
        || (has("PWD") && parts.len() > 1)
        || has("TOKEN")
        || has("SECRET")
        || has("PASSWORD")
        || has("PASSWD")
        || has("DSN")
        || has("CREDENTIALS")
        || (has("KEY")
            && (has("API")
                || has("ACCESS")
                || has("PRIVATE")
                || has("SIGNING")
                || has("ENCRYPTION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p@ss/word+1\"ü";

    #[test]
    fn a_secret_is_found_in_every_form() {
        let masker = Masker::new([SECRET]);
        let printed = [
            SECRET.to_string(),
            "p%40ss%2Fword%2B1%22%C3%BC".to_string(),
            "p%40ss%2fword%2b1%22%c3%bc".to_string(),
            "p@ss/word+1\\\"ü".to_string(),
        ];
        for text in printed {
            assert_eq!(masker.text(&format!("x{text}y")), "x***y", "{text}");
        }
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let masker = Masker::new([SECRET]);
        for before in 0..7 {
            let text = format!("{}{SECRET}tail", "x".repeat(before));
            for alphabet in [b"+/", b"-_"] {
                let encoded = base64(text.as_bytes(), alphabet);
                assert!(
                    masker
                        .bytes(&encoded)
                        .windows(3)
                        .any(|w| w == MASK.as_bytes()),
                    "{before}"
                );
            }
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        assert_eq!(base64(b"foobar", b"+/"), b"Zm9vYmFy");
        assert_eq!(&base64(b"foob", b"+/")[..6], b"Zm9vYg");
    }

    #[test]
    fn lines_of_a_key_are_masked_one_by_one_and_short_values_not_at_all() {
        let masker = Masker::new(["-----BEGIN\nabcdefgh\nxy\n", "e", ""]);
        assert_eq!(masker.text("abcdefgh xy e"), "*** xy e");
        assert_eq!(Masker::new(["e", "12345"]).text("e 12345"), "e 12345");
        assert_eq!(Masker::default().text("abc"), "abc");
    }

    #[test]
    fn the_longest_secret_wins() {
        assert_eq!(
            Masker::new(["secret", "secret-longer"]).text("secret-longer"),
            "***"
        );
    }

    #[test]
    fn names_of_secrets() {
        for name in [
            "GITHUB_TOKEN",
            "SECRET_KEY_BASE",
            "DB_PASSWORD",
            "AWS_ACCESS_KEY_ID",
            "SENTRY_DSN",
            "api_key",
            "MY_APIKEY",
            "DB_PWD",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "PWD",
            "KEYBOARD",
            "MONKEY",
            "TOKENIZERS_PARALLELISM",
            "HOME",
            "SSH_AUTH_SOCK",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
