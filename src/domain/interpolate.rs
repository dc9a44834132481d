//! `{name}` and `{name.name}` in the strings of a check or a service.
//!
//! Parameters are put in when the manifest is loaded. What is known only in a run stays and is put in then: `{env.NAME}`,
//! `{services.ID.port}`, a service's own `{port}`, and `{listen.host}`, `{listen.port}`, `{listen.url}` of a check that
//! listens. A brace that is not of this form is literal (`{{json .}}`, regular expressions, JSON). A value never becomes
//! several arguments.

use std::collections::BTreeMap;
use std::ops::Range;

/// The heads that mean something in a run, whether or not they do in the text at hand.
const HEADS: [&str; 4] = ["env", "services", "listen", "port"];
/// What a check that listens can name.
pub const OF_LISTEN: [&str; 3] = ["listen.host", "listen.port", "listen.url"];
/// What a service with a port can name.
pub const OF_PORT: [&str; 1] = ["port"];

/// A placeholder in a text.
struct Placeholder<'a> {
    range: Range<usize>,
    head: &'a str,
    rest: Option<&'a str>,
}

/// Why a text cannot be resolved.
#[derive(Debug, PartialEq)]
pub struct Unknown {
    /// What is wrong.
    pub message: String,
    /// What is known instead.
    pub hint: String,
}

/// Puts parameters in. An unknown head without a dot is an error, and so is a known one that means nothing here: `own`
/// names what does, beside `env.NAME` and `services.ID.port`, which stay for the run.
pub fn parameters(
    text: &str,
    params: &BTreeMap<String, String>,
    own: &[&str],
) -> Result<String, Unknown> {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for placeholder in placeholders(text) {
        let whole = &text[placeholder.range.clone()];
        let unknown = || {
            let names = params.keys().map(String::as_str).chain(own.iter().copied());
            let names = names.chain(["env.NAME", "services.ID.port"]);
            let names = names.map(|name| format!("`{{{name}}}`"));
            Unknown {
                message: format!("`{whole}` is not known"),
                hint: format!("known here: {}", names.collect::<Vec<_>>().join(", ")),
            }
        };
        let value = match (placeholder.head, placeholder.rest) {
            ("env", Some(_)) => whole,
            // A definition's own parameter comes before what a word may mean elsewhere.
            (head, None) if params.contains_key(head) => &params[head],
            ("services", Some(rest))
                if rest.split_once('.').is_some_and(|(_, key)| key == "port") =>
            {
                whole
            }
            _ if own.contains(&&whole[1..whole.len() - 1]) => whole,
            (head, _) if HEADS.contains(&head) => return Err(unknown()),
            (_, None) => return Err(unknown()),
            (_, Some(_)) => whole,
        };
        result.push_str(&text[from..placeholder.range.start]);
        result.push_str(value);
        from = placeholder.range.end;
    }
    result.push_str(&text[from..]);
    Ok(result)
}

/// Puts in what a run knows: `lookup` is given the name between the braces (`env.HOME`, `services.api.port`, `port`). The
/// error is the first name that has no value.
pub fn values(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for placeholder in placeholders(text) {
        if !HEADS.contains(&placeholder.head)
            || (placeholder.head == "port") != placeholder.rest.is_none()
        {
            continue;
        }
        let name = &text[placeholder.range.start + 1..placeholder.range.end - 1];
        let value = lookup(name).ok_or_else(|| name.to_string())?;
        result.push_str(&text[from..placeholder.range.start]);
        result.push_str(&value);
        from = placeholder.range.end;
    }
    result.push_str(&text[from..]);
    Ok(result)
}

/// The services whose port a text names.
pub fn services(text: &str) -> impl Iterator<Item = &str> {
    placeholders(text)
        .into_iter()
        .filter(|placeholder| placeholder.head == "services")
        .filter_map(|placeholder| placeholder.rest?.strip_suffix(".port"))
}

/// Every `{name}` and `{name.name}`, leaving out what stands in doubled braces and a shell's `${name}`.
fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let bytes = text.as_bytes();
    let mut found = vec![];
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        if bytes.get(open + 1) == Some(&b'{') {
            // `{{` opens a template of somebody else's: literal up to its end.
            at = text[open..]
                .find("}}")
                .map_or(text.len(), |end| open + end + 2);
            continue;
        }
        if open > 0 && bytes[open - 1] == b'$' {
            // A shell's own `${NAME}`.
            at = open + 1;
            continue;
        }
        // Not to the next `}`, which may be far: only over what a name can hold, so that the time is linear.
        at = open + 1;
        let name_char = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        let close = at
            + bytes[at..]
                .iter()
                .take_while(|byte| name_char(byte))
                .count();
        if bytes.get(close) != Some(&b'}') {
            continue;
        }
        let inside = &text[at..close];
        let (head, rest) = match inside.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (inside, None),
        };
        if is_name(head) && rest.is_none_or(|rest| rest.split('.').all(is_name)) {
            found.push(Placeholder {
                range: open..close + 1,
                head,
                rest,
            });
            at = close + 1;
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_put_in() {
        let params = BTreeMap::from([("file".to_string(), "a b; rm {env.X}".to_string())]);
        let cases = [
            ("-r {file}", Ok("-r a b; rm {env.X}")),
            ("{{json .}} {file}", Ok("{{json .}} a b; rm {env.X}")),
            ("{{{file}}}", Ok("{{{file}}}")),
            (
                r#"{"status":"ok"} \d{3} x{1,2} {print $1}"#,
                Ok(r#"{"status":"ok"} \d{3} x{1,2} {print $1}"#),
            ),
            ("{env.HOME}/x", Ok("{env.HOME}/x")),
            ("{a.b}", Ok("{a.b}")),
            ("{a{file}", Ok("{aa b; rm {env.X}")),
            ("{ü} {file.} {.file}", Ok("{ü} {file.} {.file}")),
            ("{fiel}", Err("`{fiel}` is not known")),
            ("{port}", Err("`{port}` is not known")),
            ("{listen.port}", Ok("{listen.port}")),
            ("{listen.sport}", Err("`{listen.sport}` is not known")),
            ("{services.api.port}", Ok("{services.api.port}")),
            (
                "{services.api.host}",
                Err("`{services.api.host}` is not known"),
            ),
            ("echo ${HOME} ${file}", Ok("echo ${HOME} ${file}")),
            ("{ file }", Ok("{ file }")),
            ("{file", Ok("{file")),
            ("ü{file}ü", Ok("üa b; rm {env.X}ü")),
        ];
        for (text, expected) in cases {
            let result = parameters(text, &params, &OF_LISTEN).map_err(|unknown| unknown.message);
            assert_eq!(
                result.as_deref().map_err(String::as_str),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_run_knows_is_put_in_last() {
        let lookup = |name: &str| match name {
            "env.HOST" => Some("h{env.HOST}".to_string()),
            "services.api.port" => Some("81".to_string()),
            _ => None,
        };
        assert_eq!(
            values("http://{env.HOST}:{services.api.port}/{x}{a.b}", lookup),
            Ok("http://h{env.HOST}:81/{x}{a.b}".to_string())
        );
        assert_eq!(values("{env.NONE}", lookup), Err("env.NONE".to_string()));
        assert_eq!(values("{port}", lookup), Err("port".to_string()));
    }

    #[test]
    fn named_services_are_found() {
        let named =
            services("{services.a.port} {{services.b.port}} {services.c-d.port}{env.services}");
        assert_eq!(named.collect::<Vec<_>>(), ["a", "c-d"]);
    }
}
