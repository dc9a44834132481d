//! Secrets taken out of what leaves the process: reports, ledger, terminal. Best effort: a program can print a secret in
//! a form that nobody foresees.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

mod forms;

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// The shortest value that is masked: a shorter one would mask ordinary text.
pub const SHORTEST: usize = 6;

/// Finds secrets in the forms that programs print them in: as they are, as encoders of URLs, JSON, XML, shells,
/// hexadecimal and base64 (at any offset) write them, and each line of one that has several.
#[derive(Debug, Default)]
pub struct Masker {
    finder: Option<AhoCorasick>,
    longest: usize,
}

impl Masker {
    /// A masker for these values; those shorter than [`SHORTEST`] are left out.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Masker {
        let mut forms = values
            .into_iter()
            .flat_map(forms::forms)
            .collect::<Vec<_>>();
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
        match self.bytes(text.as_bytes()) {
            // A secret begins and ends where characters do, so what is left of the text is text.
            Cow::Owned(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
            Cow::Borrowed(_) => Cow::Borrowed(text),
        }
    }

    /// The bytes with every secret in them replaced, also where line breaks and colours stand within it.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let Some(finder) = &self.finder else {
            return Cow::Borrowed(bytes);
        };
        let mut masked = Cow::Borrowed(bytes);
        if finder.is_match(bytes) {
            let masks = [MASK.as_bytes()].repeat(finder.patterns_len());
            masked = Cow::Owned(finder.replace_all_bytes(bytes, &masks));
        }
        let joined = Joined::of(&masked);
        if joined.gaps.is_empty() || !finder.is_match(&joined.text) {
            return masked;
        }
        let (mut whole, mut from) = (vec![], 0);
        for found in finder.find_iter(&joined.text) {
            let (start, end) = (
                joined.place(found.start()),
                joined.place(found.end() - 1) + 1,
            );
            whole.extend_from_slice(&masked[from..start]);
            whole.extend_from_slice(MASK.as_bytes());
            // What follows stays on its line.
            whole.extend(masked[start..end].iter().filter(|byte| **byte == b'\n'));
            from = end;
        }
        whole.extend_from_slice(&masked[from..]);
        Cow::Owned(whole)
    }

    /// The bytes next to a cut that may hold a part of a secret, which no search finds: one with a line break after each
    /// of its bytes.
    pub fn border(&self) -> usize {
        (self.longest * 2).saturating_sub(1)
    }
}

/// A text without what a person does not read in it: line breaks and sequences that colour it.
struct Joined {
    text: Vec<u8>,
    /// Where something was left out: the place in `text`, and how much was left out up to there.
    gaps: Vec<(usize, usize)>,
}

impl Joined {
    fn of(bytes: &[u8]) -> Joined {
        let mut joined = Joined {
            text: Vec::with_capacity(bytes.len()),
            gaps: vec![],
        };
        let mut at = 0;
        while at < bytes.len() {
            let skipped = unread(&bytes[at..]);
            if skipped == 0 {
                joined.text.push(bytes[at]);
                at += 1;
            } else {
                at += skipped;
                joined
                    .gaps
                    .push((joined.text.len(), at - joined.text.len()));
            }
        }
        joined
    }

    /// The place in the bytes of a place in the text.
    fn place(&self, at: usize) -> usize {
        let before = self.gaps.partition_point(|(gap, _)| *gap <= at);
        at + before.checked_sub(1).map_or(0, |last| self.gaps[last].1)
    }
}

/// The length of what the bytes begin with and nobody reads: a line break, or `ESC [ … m` and its like.
fn unread(bytes: &[u8]) -> usize {
    match bytes {
        [b'\n' | b'\r', ..] => 1,
        [0x1b, b'[', rest @ ..] => {
            let parameters = rest
                .iter()
                .take_while(|b| (0x20..0x40).contains(*b))
                .count();
            match rest.get(parameters) {
                Some(0x40..0x7f) => 2 + parameters + 1,
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// Whether a variable's name says that its value is a secret.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts = name.split(['_', '-', '.']).collect::<Vec<_>>();
    let has = |word: &str| parts.contains(&word);
    let alone = ["PASS", "DSN", "CREDENTIAL", "CREDENTIALS", "JWT"];
    // Also as the end of a word, as in `PGPASSWORD`.
    let endings = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "SECRETS",
        "TOKEN",
    ];
    let keys = [
        "API",
        "ACCESS",
        "PRIVATE",
        "SIGNING",
        "ENCRYPTION",
        "SECRET",
        "MASTER",
        "APP",
        "AUTH",
    ];
    let joined = |part: &str| keys.iter().any(|key| *part == format!("{key}KEY"));
    let ends = |part: &str| endings.iter().any(|word| part.ends_with(word));
    alone.into_iter().any(has)
        || parts.iter().any(|part| ends(part) || joined(part))
        || (has("PWD") && parts.len() > 1)
        || (has("KEY") && keys.into_iter().any(has))
}

#[cfg(test)]
mod tests {
    use super::forms::base64;
    use super::*;

    const SECRET: &str = "p@ss/word+1\"ü";

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "p@ss/word+1\"ü it's<&>!";
        let masker = Masker::new([secret]);
        let printed = [
            ("as it is", secret),
            (
                "RFC 3986",
                "p%40ss%2Fword%2B1%22%C3%BC%20it%27s%3C%26%3E%21",
            ),
            (
                "in lower case",
                "p%40ss%2fword%2b1%22%c3%bc%20it%27s%3c%26%3e%21",
            ),
            (
                "Python's quote",
                "p%40ss/word%2B1%22%C3%BC%20it%27s%3C%26%3E%21",
            ),
            (
                "encodeURIComponent",
                "p%40ss%2Fword%2B1%22%C3%BC%20it's%3C%26%3E!",
            ),
            ("encodeURI", "p@ss/word+1%22%C3%BC%20it's%3C&%3E!"),
            ("a form", "p%40ss%2Fword%2B1%22%C3%BC+it%27s%3C%26%3E%21"),
            ("JSON", "p@ss/word+1\\\"ü it's<&>!"),
            ("Python's JSON", "p@ss/word+1\\\"\\u00fc it's<&>!"),
            ("Go's JSON", "p@ss/word+1\\\"ü it's\\u003c\\u0026\\u003e!"),
            ("PHP's JSON", "p@ss\\/word+1\\\"\\u00fc it's<&>!"),
            (
                ".NET's JSON",
                "p@ss/word\\u002b1\\\"\\u00fc it\\u0027s\\u003c\\u0026\\u003e!",
            ),
            ("XML text", "p@ss/word+1\"ü it's&lt;&amp;&gt;!"),
            (
                "an XML attribute",
                "p@ss/word+1&quot;ü it&apos;s&lt;&amp;&gt;!",
            ),
            (
                "Python's HTML",
                "p@ss/word+1&quot;ü it&#x27;s&lt;&amp;&gt;!",
            ),
            ("Go's HTML", "p@ss/word+1&#34;ü it&#39;s&lt;&amp;&gt;!"),
            ("set -x", "p@ss/word+1\"ü it'\\''s<&>!"),
            ("shlex", "p@ss/word+1\"ü it'\"'\"'s<&>!"),
            ("printf %q", "p@ss/word+1\\\"ü\\ it\\'s\\<\\&\\>\\!"),
            ("xxd", "704073732f776f72642b3122c3bc20697427733c263e21"),
            (
                "hex in upper case",
                "704073732F776F72642B3122C3BC20697427733C263E21",
            ),
        ];
        for (name, text) in printed {
            assert_eq!(masker.text(&format!("x{text}y")), "x***y", "{name}");
        }
    }

    #[test]
    fn line_breaks_and_colours_within_a_secret_do_not_save_it() {
        let masker = Masker::new(["hunter2/pass"]);
        let cases = [
            ("a hunt\ner2/\r\npass b\nc", "a ***\n\n b\nc"),
            (
                "\u{1b}[31mhun\u{1b}[1;32mter2\u{1b}[0m/pass\u{1b}[0m",
                "\u{1b}[31m***\u{1b}[0m",
            ),
            ("hunter2/pass\nhunter2\n/pass", "***\n***\n"),
            ("hunter2\u{1b}[/pass", "hunter2\u{1b}[/pass"),
            ("\n\nhunter2 /pass\n", "\n\nhunter2 /pass\n"),
        ];
        for (text, masked) in cases {
            assert_eq!(masker.text(text), masked, "{text:?}");
        }
        // As `base64` breaks its lines.
        let encoded = base64(
            format!("{}hunter2/pass{}", "x".repeat(51), "y".repeat(50)).as_bytes(),
            b"+/",
        );
        let lines = encoded.chunks(76).map(|line| [line, b"\n"].concat());
        let text = lines.collect::<Vec<_>>().concat();
        let masked = masker.bytes(&text);
        assert!(masked.windows(3).any(|w| w == MASK.as_bytes()));
        assert!(
            !masked.windows(8).any(|w| w == b"dW50ZXIy"),
            "{}",
            String::from_utf8_lossy(&masked)
        );
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
            "PGPASSWORD",
            "RAILS_MASTER_KEY",
            "APP_KEY",
            "dbPassword",
            "x-auth-token",
            "SIGNING_SECRETS",
            "GPG_PASSPHRASE",
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
            "CACHE_KEY",
            "MAX_TOKENS",
            "COMPASS",
            "PASSWORDLESS",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
