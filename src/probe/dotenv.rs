//! Reads dotenv files and recognises values that nobody has filled in. Text comes from the file and variable probes;
//! nothing here looks at the world. Any text is accepted: a line that assigns nothing is passed over.

/// The assignments of a dotenv file in order; of those with the same name the last one counts.
///
/// `export` is allowed; values may stand in single, double or back quotes, over several lines; a `#` after white space
/// ends a bare value. References such as `${OTHER}` are not resolved.
pub(crate) fn parse(text: &str) -> Vec<(String, String)> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = vec![];
    while !rest.is_empty() {
        let (line, mut next) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Some((name, raw)) = assignment(line) {
            // A quoted value may go on past its line: it is read from the rest of the text.
            let value = match quoted(&rest[line.len() - raw.len()..]) {
                Some((value, after)) => {
                    next = after.split_once('\n').map_or("", |(_, next)| next);
                    value
                }
                None => bare(raw).to_string(),
            };
            found.push((name.to_string(), value));
        }
        rest = next;
    }
    found
}

/// The name that a line assigns to, and the end of the line where the value begins.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => name,
    };
    let well = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.chars().all(well)).then_some((name, value.trim_start()))
}

/// A value in quotes and the text after it; `None` where no quote opens or the one that does is never closed.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value, &text[at + 1..])),
            '\\' => match (chars.next()?.1, quote) {
                ('n', '"') => value.push('\n'),
                ('r', '"') => value.push('\r'),
                ('t', '"') => value.push('\t'),
                ('$', '"') => value.push('$'),
                (escaped, _) if escaped == quote || escaped == '\\' => value.push(escaped),
                (other, _) => value.extend(['\\', other]),
            },
            _ => value.push(c),
        }
    }
    None
}

/// A bare value without the comment after it.
fn bare(raw: &str) -> &str {
    let mut before = ' ';
    let comment = raw.char_indices().find(|&(_, c)| {
        let starts = c == '#' && before.is_whitespace();
        before = c;
        starts
    });
    raw[..comment.map_or(raw.len(), |(at, _)| at)].trim()
}

const EMPTY: &str = "it is empty";
const REQUEST: &str = "it asks to be filled in";
const STAND_IN: &str = "it is a word that stands in for the real one";
const BRACKETS: &str = "a name in brackets stands where it belongs";
const ROW: &str = "it is a row of the same character";
const REFERENCE: &str = "it is a reference that nothing resolved";
const DOCUMENTATION: &str = "its host is one that is reserved for documentation";

/// Why nobody can have meant `value` for production, in words that hold nothing of the value itself; `None` where it
/// may be real. In an address, user, password and host are looked at too.
pub(crate) fn placeholder(value: &str) -> Option<&'static str> {
    let value = value.trim().to_lowercase();
    if value.is_empty() {
        return Some(EMPTY);
    }
    word(&value)
        .or_else(|| shape(&value))
        .or_else(|| sentence(&value))
        .or_else(|| {
            let documentation = ["example.com", "example.org", "example.net"];
            documentation
                .iter()
                .any(|host| names_host(&value, host))
                .then_some(DOCUMENTATION)
        })
        .or_else(|| address(&value))
}

/// Values that are a placeholder as a whole.
fn word(value: &str) -> Option<&'static str> {
    match value {
        "todo" | "tbd" | "fixme" => Some(REQUEST),
        "placeholder" | "dummy" | "example" | "secret" | "password" => Some(STAND_IN),
        _ => None,
    }
}

/// Placeholders that are known by their form, be it a whole value or a part of an address.
fn shape(text: &str) -> Option<&'static str> {
    let enclosed = |open: &str, close: &str| {
        let inner = text
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        // `<noreply@acme.com>` is an address, `<p>…</p>` markup: neither waits for a value.
        inner.is_some_and(|inner| !inner.contains(['<', '>', '{', '}', '@']))
    };
    let letters = || text.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' '));
    let words = words(text);
    let all_x = |word: &&str| word.len() >= 4 && word.bytes().all(|b| b == b'x');
    let replace = |pair: &[&str]| matches!(pair, ["change" | "replace", "me"]);
    if enclosed("<", ">") {
        Some(BRACKETS)
    } else if enclosed("${", "}") || enclosed("{{", "}}") {
        Some(REFERENCE)
    } else if (letters().count() >= 3 && letters().all(|c| c == 'x')) || words.iter().any(all_x) {
        Some(ROW)
    } else if text.starts_with("your-")
        || text.starts_with("your_")
        || words.windows(2).any(replace)
        || words
            .iter()
            .any(|word| matches!(*word, "changeme" | "replaceme"))
    {
        Some(REQUEST)
    } else {
        None
    }
}

/// Requests in words: `insert key here`, `sk_your_key_here`, `TODO: ask Ann`, `dummy-token`.
fn sentence(value: &str) -> Option<&'static str> {
    if value.contains("://") {
        return None;
    }
    let words = words(value);
    let (first, last) = (*words.first()?, *words.last()?);
    let asks = |word: &&str| matches!(*word, "insert" | "your" | "put" | "paste");
    let here = (last == "here" && words.iter().any(asks))
        || (value.starts_with("insert") && value.ends_with("here"));
    if here
        || ["todo:", "tbd:", "fixme:"]
            .iter()
            .any(|start| value.starts_with(start))
    {
        return Some(REQUEST);
    }
    // `static/placeholder` and `dummy.acme.io` are places.
    let named = [first, last]
        .iter()
        .any(|word| matches!(*word, "placeholder" | "dummy"));
    (named && !value.contains(['.', '/'])).then_some(STAND_IN)
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether `value` holds that host or one below it: not `myexample.com`, not `example.com.au`.
fn names_host(value: &str, host: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    value.match_indices(host).any(|(at, _)| {
        let mut after = value[at + host.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(in_name),
            other => !other.is_some_and(in_name),
        };
        ends && !value[..at].ends_with(in_name)
    })
}

/// Placeholders in the user, password or host of an address such as `postgres://app:changeme@db/prod`.
fn address(value: &str) -> Option<&'static str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains("${") || authority.contains("{{") {
        return Some(REFERENCE);
    }
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    word(password).or_else(|| [user, password, host].into_iter().find_map(shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn assignments_are_read_as_dotenv_libraries_read_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("\u{feff}A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]),
            ("# A=1\n  # B=2\n\nC=3", &[("C", "3")]),
            (
                "export A=1\nexport\tB = 2 \nexported=3",
                &[("A", "1"), ("B", "2"), ("exported", "3")],
            ),
            (
                "A=a b # c\nB=a#b\nC=#x\nD= # y",
                &[("A", "a b"), ("B", "a#b"), ("C", ""), ("D", "")],
            ),
            (r#"A="x # y" # z"#, &[("A", "x # y")]),
            (
                r#"A="a\n\t\"b\" \\ \$c \d""#,
                &[("A", "a\n\t\"b\" \\ $c \\d")],
            ),
            (r"A='it\'s \n # x'", &[("A", r"it's \n # x")]),
            (
                "A=\"one\ntwo\"\nB='three\nfour' # x\nC=5",
                &[("A", "one\ntwo"), ("B", "three\nfour"), ("C", "5")],
            ),
            ("A=`a\"b'c`", &[("A", "a\"b'c")]),
            ("A=\"open\nB=2", &[("A", "\"open"), ("B", "2")]),
            ("A=it's\nB=x'y'z", &[("A", "it's"), ("B", "x'y'z")]),
            ("A=\nB", &[("A", "")]),
            ("A=1\nA=2", &[("A", "1"), ("A", "2")]),
            ("a.b-c=k=v==", &[("a.b-c", "k=v==")]),
            ("a b=1\n=2\nif [ x = y ]", &[]),
            ("A=\"\"\nB=''", &[("A", ""), ("B", "")]),
        ];
        for (text, wanted) in cases {
            let found = parse(text);
            let found: Vec<_> = found
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            assert_eq!(&found, wanted, "{text:?}");
        }
    }

    #[test]
    fn placeholders_are_recognised_and_never_repeated() {
        let cases = [
            (EMPTY, ["", "  ", "\t"].as_slice()),
            (
                REQUEST,
                &[
                    "changeme",
                    "CHANGE-ME",
                    "change_me",
                    "Change Me!",
                    "please-changeme",
                    "replace-me",
                    "REPLACEME",
                ],
            ),
            (
                REQUEST,
                &[
                    "your-api-key",
                    "YOUR_SECRET",
                    "your_key_here",
                    "sk_your_key_here",
                    "insert key here",
                ],
            ),
            (
                REQUEST,
                &[
                    "INSERT_TOKEN_HERE",
                    "inserttokenhere",
                    "put your token here",
                    "todo",
                    "TBD",
                    "FIXME",
                    "TODO: ask Ann",
                ],
            ),
            (
                REQUEST,
                &[
                    "postgres://app:changeme@db/prod",
                    "https://your-org.sentry.io",
                    "redis://:your_password@cache:6379",
                ],
            ),
            (
                STAND_IN,
                &[
                    "placeholder",
                    "Dummy",
                    "dummy-key",
                    "token_placeholder",
                    "example",
                    "Secret",
                    "PASSWORD",
                ],
            ),
            (STAND_IN, &["postgres://user:password@localhost:5432/app"]),
            (
                BRACKETS,
                &[
                    "<key>",
                    "<YOUR API KEY>",
                    "https://<key>@o1.ingest.sentry.io/2",
                ],
            ),
            (
                ROW,
                &[
                    "xxx",
                    "XXXXXXXX",
                    "xxxx-xxxx-xxxx",
                    "sk_live_xxxxxxxx",
                    "https://xxxx@o1.ingest.sentry.io/2",
                ],
            ),
            (
                REFERENCE,
                &[
                    "${SECRET_KEY}",
                    "{{ api_key }}",
                    "https://${HOST}/api",
                    "postgres://u:${PASS}@db/x",
                ],
            ),
            (
                DOCUMENTATION,
                &[
                    "https://example.com",
                    "ops@example.org",
                    "https://api.EXAMPLE.net:8443/v1",
                    "a.com,example.com",
                ],
            ),
        ];
        for (reason, values) in cases {
            for value in values {
                assert_eq!(placeholder(value), Some(reason), "{value}");
                assert!(
                    value.trim().is_empty() || !reason.contains(&value.to_lowercase()),
                    "{value}"
                );
            }
        }
    }

    #[test]
    fn real_values_are_left_alone() {
        let values = [
            "postgres://app:hunter2@db/prod",
            "https://abc123@o12.ingest.sentry.io/45",
            "true",
            "0",
            "production",
            "x",
            "xx",
            "*",
            "* * * * *",
            "redis://:s3cr3t@cache:6379/0",
            "redis://cache:6379",
            "amqp://guest:guest@mq/",
            "todo-app",
            "https://myexample.com",
            "https://example.com.au",
            "my-example.com",
            "https://examples.dev",
            "/etc/secret",
            "secrets/password",
            "https://secret.acme.io",
            "Acme <noreply@acme.com>",
            "<noreply@acme.com>",
            "<b>hi</b>",
            "https://via.placeholder.com/150",
            "Enjoy your stay",
            "https://acme.io/track-your-order",
            "exchangemetrics",
            "https://exchange.mesh.io",
            "Click here",
            "/srv/.env.example",
            "xbox",
            "xxl",
            "$2b$10$N9qo8uLOickgx2ZMRZoMye",
            "sk_live_51H8x",
            "hereford",
            "a=b",
            "127.0.0.1",
            "insertion",
            "eu-west-1",
            "${time} ${level} ${message}",
        ];
        for value in values {
            assert_eq!(placeholder(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[\n\r\"'`\\\\=#<>${}:/@.x-])*") {
            parse(&text);
            placeholder(&text);
        }
    }
}
