//! jq itself: a query compiled, and put to a document. Pure, but not bounded: a query may go on for ever, take all memory
//! or recurse until the stack is gone, so that only the child puts one to a document.

use jaq_core::compile::Undefined;
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use jaq_json::{Val, read};

use super::Answer;
use crate::domain::check::Mistake;

/// What reaches beyond the document: the environment, the clock, the time zone, the streams and the process. A definition
/// of the standard library stands here with the native filters behind it; some were never there.
const LEFT_OUT: [&str; 14] = [
    "env",
    "$ENV",
    "now",
    "localtime",
    "strflocaltime",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "halt",
    "halt_error",
    "input",
    "inputs",
    "input_filename",
];

/// A query that can be put to a document.
pub(super) struct Query(jaq_core::Filter<JustLut<Val>>);

impl Query {
    /// Compiles a query. Takes stack for each level of nesting.
    pub(super) fn compile(text: &str) -> Result<Query, Mistake> {
        let mistake = |part: &str, what: String| Mistake {
            at: load::span(text, part),
            text: what,
        };
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|definition| !LEFT_OUT.contains(&definition.name));
        let filters = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|(name, ..)| !LEFT_OUT.contains(name));
        let arena = Arena::default();
        let program = File {
            code: text,
            path: (),
        };
        let modules = Loader::new(definitions)
            .load(&arena, program)
            .map_err(|errors| first(errors, text, mistake, unparsed))?;
        // Data that a query imports comes by another way than modules.
        load::import(&modules, |_| Err(String::new()))
            .map_err(|errors| first(errors, text, mistake, unparsed))?;
        let filter = Compiler::default()
            .with_funs(filters)
            .compile(modules)
            .map_err(|errors| {
                first(errors, text, mistake, |undefined| {
                    let (part, what) = undefined.into_iter().next()?;
                    Some((part, unknown(part, &what)))
                })
            })?;
        Ok(Query(filter))
    }

    /// Puts the query to a document.
    pub(super) fn answer(&self, document: Val) -> Answer {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let mut values = self.0.id.run((context, document)).map(unwrap_valr);
        let value = match values.next() {
            None => return Answer::Nothing,
            Some(Err(error)) => return failed(error),
            Some(Ok(value)) => value,
        };
        match values.next() {
            None => {}
            Some(Err(error)) => return failed(error),
            Some(Ok(_)) => return Answer::Other("several values".into()),
        }
        match value {
            Val::Null => Answer::Null,
            Val::Bool(value) => Answer::Other(value.to_string()),
            // As JSON writes it, whatever it was computed as: a figure that is out of range comes out as infinite.
            Val::Num(number) => match number.to_string().parse::<f64>() {
                Ok(number) if number.is_finite() => Answer::Number(number),
                Ok(number) if number.is_nan() => Answer::NotFinite("NaN".into()),
                _ => Answer::NotFinite("a number out of range".into()),
            },
            Val::TStr(_) | Val::BStr(_) => Answer::Other("a string".into()),
            Val::Arr(_) => Answer::Other("an array".into()),
            Val::Obj(_) => Answer::Other("an object".into()),
        }
    }
}

/// An error, of which the text may hold all of the document.
fn failed(error: jaq_json::Error) -> Answer {
    const ENOUGH: usize = 64 << 10;
    let mut text = match error.into_val() {
        Val::TStr(said) => String::from_utf8_lossy(&said).into_owned(),
        value => value.to_string(),
    };
    text.truncate(text.floor_char_boundary(ENOUGH));
    Answer::Failed(text)
}

/// A document out of its text, or what is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<Val, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    read::parse_single(text).map_err(|error| {
        let error = error.to_string();
        let offset = error.strip_prefix("byte offset ");
        let offset = offset.and_then(|rest| rest.split_once(": "));
        let (at, what) = match offset.and_then(|(at, what)| Some((at.parse().ok()?, what))) {
            Some((at, what)) => (text.len().min(at), what),
            None => return format!("the JSON cannot be read: {error}"),
        };
        let before = &text[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        match what {
            "end of file expected" => format!(
                "the JSON ends before line {line}, column {column}, where more follows: only one document is read"
            ),
            what => format!("the JSON cannot be read: {what}, line {line}, column {column}"),
        }
    })
}

/// The first mistake in the query itself; the library's own definitions have none.
fn first<'s, E>(
    errors: load::Errors<&'s str, (), E>,
    text: &'s str,
    mistake: impl Fn(&'s str, String) -> Mistake,
    of: impl Fn(E) -> Option<(&'s str, String)>,
) -> Mistake {
    let mut errors = errors
        .into_iter()
        .filter(|(file, _)| std::ptr::eq(file.code, text));
    match errors.next().and_then(|(_, error)| of(error)) {
        Some((part, what)) => mistake(part, what),
        None => mistake(text, "it cannot be compiled".into()),
    }
}

fn unparsed(error: load::Error<&str>) -> Option<(&str, String)> {
    let instead = |part: &str| match part.chars().next() {
        Some(_) if part.len() > 20 => String::new(),
        Some(_) => format!(" before `{part}`"),
        None => " at its end".into(),
    };
    match error {
        load::Error::Io(parts) => {
            let (part, _) = parts.into_iter().next()?;
            Some((part, "it imports a module, which no query can".into()))
        }
        load::Error::Lex(errors) => {
            let (expected, part) = errors.into_iter().next()?;
            let what = match expected {
                load::lex::Expect::Token => "it has a character that jq does not know".into(),
                expected => format!("{} is missing", article(expected.as_str())),
            };
            Some((part, what))
        }
        load::Error::Parse(errors) => {
            let (expected, part) = errors.into_iter().next()?;
            let what = match expected {
                load::parse::Expect::Nothing => "it goes on after its end".to_string(),
                load::parse::Expect::Just(word) => format!("`{word}` is missing{}", instead(part)),
                load::parse::Expect::ElseOrEnd => {
                    format!("`else` or `end` is missing{}", instead(part))
                }
                expected => format!("{} is missing{}", article(expected.as_str()), instead(part)),
            };
            Some((part, what))
        }
    }
}

fn article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {word}", if vowel { "an" } else { "a" })
}

fn unknown(name: &str, what: &Undefined) -> String {
    match what {
        _ if LEFT_OUT.contains(&name) => {
            format!("`{name}` is left out: a query sees its document and nothing else")
        }
        Undefined::Filter(0) => format!("jq has no filter `{name}`"),
        Undefined::Filter(1) => format!("jq has no filter `{name}` with 1 argument"),
        Undefined::Filter(many) => format!("jq has no filter `{name}` with {many} arguments"),
        what => format!("there is no {} `{name}`", what.as_str()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(query: &str, document: &str) -> Answer {
        let query = Query::compile(query).unwrap_or_else(|mistake| panic!("{query}: {mistake:?}"));
        query.answer(parse(document.as_bytes()).unwrap())
    }

    #[test]
    fn a_query_gives_one_answer() {
        let other = |what: &str| Answer::Other(what.to_string());
        let cases = [
            (".ok", Answer::Number(3.0)),
            (".ratio * 100", Answer::Number(50.0)),
            (".ok / 2", Answer::Number(1.5)),
            (
                "[.tests[] | select(.state == \"passed\")] | length",
                Answer::Number(2.0),
            ),
            (
                "[.tests[] | select(.name | test(\"^unit\"))] | length",
                Answer::Number(1.0),
            ),
            (".tests | map(.ms) | add", Answer::Number(12.5)),
            (".tests | max_by(.ms).ms", Answer::Number(9.5)),
            (".tests | group_by(.state) | length", Answer::Number(2.0)),
            (".\"95%\"", Answer::Number(7.0)),
            ("def half: . / 2; .ok | half", Answer::Number(1.5)),
            (".ok | sqrt | floor", Answer::Number(1.0)),
            (".big", Answer::Number(1e17)),
            ("-1", Answer::Number(-1.0)),
            ("nan", Answer::NotFinite("NaN".into())),
            (".nan", Answer::NotFinite("NaN".into())),
            (
                "infinite",
                Answer::NotFinite("a number out of range".into()),
            ),
            ("1e999", Answer::NotFinite("a number out of range".into())),
            (".none", Answer::Null),
            ("empty", Answer::Nothing),
            (".tests[] | select(.ms > 100)", Answer::Nothing),
            (".tests[].ms", other("several values")),
            ("range(1e300)", other("several values")),
            ("true", other("true")),
            (".tests[0].name", other("a string")),
            (".tests", other("an array")),
            (".", other("an object")),
            (".ok.x", Answer::Failed("cannot index 3 with \"x\"".into())),
            (
                ".tests[0].ms, error(\"late\")",
                Answer::Failed("late".into()),
            ),
            (
                ".none[]",
                Answer::Failed("cannot use null as iterable (array or object)".into()),
            ),
        ];
        let document = r#"{"ok": 3, "ratio": 0.5, "95%": 7, "big": 100000000000000000, "nan": NaN, "tests": [
            {"name": "unit a", "state": "passed", "ms": 1}, {"name": "b", "state": "failed", "ms": 2},
            {"name": "c", "state": "passed", "ms": 9.5}]}"#;
        for (query, expected) in cases {
            assert_eq!(answer(query, document), expected, "{query}");
        }
    }

    #[test]
    fn nothing_but_the_document_is_seen() {
        for name in LEFT_OUT {
            for arguments in ["", "(1)"] {
                let mistake = Query::compile(&format!("{name}{arguments}")).map(|_| ());
                assert!(mistake.is_err(), "{name}{arguments}");
            }
        }
        let filters = jaq_core::funs::<JustLut<Val>>()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|(name, ..)| !LEFT_OUT.contains(name));
        // Where a new version of jaq brings another one: see whether it looks beyond the document.
        assert_eq!(filters.count(), 107);
    }

    #[test]
    fn a_document_that_is_none_is_told_by_its_place() {
        for (text, said) in [
            (
                "{\"a\": ",
                "the JSON cannot be read: value expected, line 1, column 7",
            ),
            (
                "{\n  \"a\": x}",
                "the JSON cannot be read: value expected, line 2, column 8",
            ),
            (
                "ok: 3 tests",
                "the JSON cannot be read: value expected, line 1, column 1",
            ),
            (
                "{}\n{}",
                "the JSON ends before line 2, column 1, where more follows: only one document is read",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err(), said);
        }
        assert!(parse(b"\xef\xbb\xbf{}\r\n").is_ok());
    }
}
