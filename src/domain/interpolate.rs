//! `{name}` and `{name.name}` in the strings of a check.
//!
//! Parameters are put in when the manifest is loaded; `{env.NAME}` stays and is put in when the check runs. A brace that
//! is not of this form is literal (`{{json .}}`, regular expressions, JSON). A value never becomes several arguments.

use std::collections::BTreeMap;
use std::ops::Range;

/// The heads that are known beside a check's parameters, and not built yet but for `env`.
const LATER: [&str; 3] = ["services", "listen", "port"];

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

/// Puts parameters in. An unknown head without a dot is an error; `{env.NAME}` stays.
pub fn parameters(text: &str, params: &BTreeMap<String, String>) -> Result<String, Unknown> {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for placeholder in placeholders(text) {
        let whole = &text[placeholder.range.clone()];
        let known = || {
            let names = params.keys().map(|name| format!("`{{{name}}}`"));
            names
                .chain(["`{env.NAME}`".to_string()])
                .collect::<Vec<_>>()
                .join(", ")
        };
        let value = match (placeholder.head, placeholder.rest) {
            ("env", Some(_)) => whole,
            // A definition's own parameter comes before what a word may mean elsewhere.
            (head, None) if params.contains_key(head) => &params[head],
            (head, _) if LATER.contains(&head) => {
                let hint = format!("known here: {}", known());
                return Err(Unknown {
                    message: format!("`{whole}` is not supported yet"),
                    hint,
                });
            }
            (_, None) => {
                let hint = format!("known here: {}", known());
                return Err(Unknown {
                    message: format!("`{whole}` is not known"),
                    hint,
                });
            }
            (_, Some(_)) => whole,
        };
        result.push_str(&text[from..placeholder.range.start]);
        result.push_str(value);
        from = placeholder.range.end;
    }
    result.push_str(&text[from..]);
    Ok(result)
}

/// Puts environment variables in; the error is the name of the first that is not set.
pub fn environment(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for placeholder in placeholders(text) {
        let ("env", Some(name)) = (placeholder.head, placeholder.rest) else {
            continue;
        };
        let value = lookup(name).ok_or_else(|| name.to_string())?;
        result.push_str(&text[from..placeholder.range.start]);
        result.push_str(&value);
        from = placeholder.range.end;
    }
    result.push_str(&text[from..]);
    Ok(result)
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
            ("{port}", Err("`{port}` is not supported yet")),
            (
                "{services.api.port}",
                Err("`{services.api.port}` is not supported yet"),
            ),
            ("echo ${HOME} ${file}", Ok("echo ${HOME} ${file}")),
            ("{ file }", Ok("{ file }")),
            ("{file", Ok("{file")),
            ("ü{file}ü", Ok("üa b; rm {env.X}ü")),
        ];
        for (text, expected) in cases {
            let result = parameters(text, &params).map_err(|unknown| unknown.message);
            assert_eq!(
                result.as_deref().map_err(String::as_str),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn the_environment_is_put_in_last() {
        let lookup = |name: &str| (name == "HOST").then(|| "h{env.HOST}".to_string());
        assert_eq!(
            environment("http://{env.HOST}/{x}", lookup),
            Ok("http://h{env.HOST}/{x}".to_string())
        );
        assert_eq!(environment("{env.NONE}", lookup), Err("NONE".to_string()));
    }
}
