//! How a check looks: the one probe that its keys name, and each kind of probe read from them.

use super::check::Reading;
use super::expect;
use super::item::{At, Item};
use super::keys::PROBES;
use crate::domain::check::{
    Attestation, FileProbe, HttpProbe, PortProbe, Probe, Reader, ReaderInput, RunProbe, ToolProbe,
    VariableProbe,
};
use crate::domain::expectation::TextExpect;
use crate::domain::limit::Limit;
use crate::domain::listen::ListenProbe;
use crate::domain::project::LISTEN_WITHIN;

impl<'a> Reading<'_, 'a, '_> {
    /// The one probe of the check.
    pub(super) fn probe(&self, from_library: bool) -> Option<Probe> {
        let present = PROBES
            .iter()
            .filter_map(|key| self.keys.get(key))
            .collect::<Vec<_>>();
        let list = PROBES
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let item = match present.as_slice() {
            [one] => *one,
            [] => {
                // A library check without one is reported in its own file.
                if !from_library {
                    let hint = format!("add one of {list}, or `use` a check of the library");
                    self.header.key_problem(
                        format!("check `{}` has no probe", self.header.key),
                        Some(hint),
                    );
                }
                return None;
            }
            [first, rest @ ..] => {
                for other in rest {
                    let message = format!(
                        "check `{}` has two probes: `{}` and `{}`",
                        self.header.key, first.key, other.key
                    );
                    other.key_problem(
                        message,
                        Some(format!(
                            "keep exactly one of {list}; two statements are two checks"
                        )),
                    );
                }
                return None;
            }
        };
        match item.key {
            "run" => self.run(item).map(Probe::Run),
            "http" => self.http(item).map(Probe::Http),
            "file" => self.file(item).map(Probe::File),
            "variable" => self.variable(item).map(Probe::Variable),
            "manual" => self.manual(item).map(Probe::Manual),
            "port" => self.port(item).map(Probe::Port),
            "tool" => self.tool(item).map(Probe::Tool),
            _ => None,
        }
    }

    fn run(&self, item: &Item<'a>) -> Option<RunProbe> {
        let mut expect = expect::run(self.keys.fields("expect"));
        let listen = self.keys.get("listen").map(|item| self.listen(item));
        let says_exit = self.keys.fields("expect").any(|item| item.key == "exit");
        if listen.is_some() && !says_exit {
            // What must call us may well end in the error that it is to report.
            expect.exit = vec![];
        }
        let reader = self.keys.get("reader").map(|item| self.reader(item));
        let files = self.keys.get("files").map(|item| self.patterns(item));
        let (argv, shell) = self.argv(item)?;
        if let (Some(item), true) = (self.keys.get("files"), shell) {
            let hint = "a shell finds files by itself; take `shell = true` out";
            item.key_problem("`files` cannot stand beside `shell`", Some(hint.into()));
        }
        let reader = match reader {
            Some(reader) => Some(reader?),
            None => None,
        };
        let listen = match listen {
            Some(listen) => Some(Box::new(listen?)),
            None => None,
        };
        let cleanup = self
            .keys
            .get("cleanup")
            .map(|item| self.words(item, "cleanup"));
        let cleanup = match cleanup {
            Some(cleanup) => cleanup?,
            None => vec![],
        };
        Some(RunProbe {
            cleanup,
            argv,
            shell,
            files: files.unwrap_or_default(),
            reader,
            expect,
            listen,
        })
    }

    /// Patterns of files, one or several; each of them means something.
    fn patterns(&self, item: &Item<'a>) -> Vec<String> {
        let elements = item.elements();
        if elements.is_empty() {
            item.problem("`files` names no pattern", None);
        }
        let pattern = |element: &Item<'a>| {
            let pattern = self.filled_not_empty(element)?;
            if let Err(error) = globset::Glob::new(&pattern) {
                let what = error.kind();
                element.problem(format!("`{pattern}` is not a file pattern: {what}"), None);
            }
            Some(pattern)
        };
        elements.iter().filter_map(pattern).collect()
    }

    /// The program with its arguments, or the script, and which of them it is.
    pub(super) fn argv(&self, item: &Item<'a>) -> Option<(Vec<String>, bool)> {
        let shell = self
            .keys
            .get("shell")
            .and_then(Item::boolean)
            .unwrap_or(false);
        let argv = match (shell, item.is_string()) {
            (true, true) => vec![self.filled_not_empty(item)?],
            (false, true) => {
                let text = item.text()?;
                let argv = text
                    .split_whitespace()
                    .map(|word| format!("{word:?}"))
                    .collect::<Vec<_>>()
                    .join(", ");
                item.problem(
                    "`run` must be an array of strings",
                    Some(format!(
                        "write `run = [{argv}]`, or add `shell = true` if a shell must run it"
                    )),
                );
                return None;
            }
            (true, false) => {
                let hint = "write the script as one string, or take `shell = true` out";
                item.problem(
                    "`run` must be a string where `shell = true`",
                    Some(hint.into()),
                );
                return None;
            }
            (false, false) => self.words(item, "run")?,
        };
        if let Some(bad) = argv.iter().find(|word| word.contains('\0')) {
            item.problem(format!("{bad:?} holds a NUL, which no argument can"), None);
            return None;
        }
        Some((argv, shell))
    }

    /// An array of strings that begins with a program.
    pub(super) fn words(&self, item: &Item<'a>, key: &str) -> Option<Vec<String>> {
        let elements = item.argv()?;
        let words = elements.iter().map(|element| self.filled(element));
        // All of them are read, whatever is wrong with one.
        let words = words
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        if words
            .first()
            .is_none_or(|program| program.trim().is_empty())
        {
            item.problem(
                format!("`{key}` names no program"),
                Some(format!("write it like `{key} = [\"npm\", \"test\"]`")),
            );
            return None;
        }
        Some(words)
    }

    fn listen(&self, item: &Item<'a>) -> Option<ListenProbe> {
        let mut listen = ListenProbe {
            port: None,
            method: None,
            path: "/**".to_string(),
            headers: Default::default(),
            body: TextExpect::default(),
            json: Default::default(),
            count: Limit::at_least(1.0),
            within: LISTEN_WITHIN,
        };
        for field in item.table()? {
            match field.key {
                "port" => listen.port = field.whole(1, 65_535).map(|port| port as u16),
                "method" => listen.method = self.method(&field),
                "path" => match self.filled_not_empty(&field) {
                    Some(path) if path.starts_with(['/', '*']) => listen.path = path,
                    Some(path) => {
                        let hint =
                            format!("write `/{path}`, or `**/{path}` for any folder before it");
                        field.problem("`path` must begin with `/` or `*`", Some(hint));
                    }
                    None => {}
                },
                "headers" => listen.headers = expect::headers(&field),
                "body" if field.is_table() => listen.body = expect::text(&field),
                // Of a library check it may be about a parameter; else every brace is the text's own.
                "body" if self.params.is_empty() => listen.body.contains = field.strings(),
                "body" => {
                    let texts = field.elements();
                    let texts = texts.iter().filter_map(|text| self.filled_not_empty(text));
                    listen.body.contains = texts.collect();
                }
                "json" => listen.json = expect::json(&field),
                "count" => match field.limit() {
                    // That nobody called is no evidence of anything that works.
                    Some(count) if count.holds(0.0) => {
                        let hint = "write it like `>= 1`, `== 2`";
                        field.problem("`count` must ask for one call or more", Some(hint.into()));
                    }
                    count => listen.count = count.unwrap_or(listen.count),
                },
                "within" => listen.within = field.duration(false).unwrap_or(listen.within),
                _ => field.unknown(
                    "`listen`",
                    &[
                        "port", "method", "path", "headers", "body", "json", "count", "within",
                    ],
                ),
            }
        }
        Some(listen)
    }

    fn method(&self, item: &Item<'a>) -> Option<String> {
        let method = item.string()?.to_ascii_uppercase();
        if !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            item.problem(format!("`{method}` is not an HTTP method"), None);
        }
        Some(method)
    }

    fn http(&self, item: &Item<'a>) -> Option<HttpProbe> {
        let url = self.url(item);
        let method = self.keys.get("method").and_then(|item| self.method(item));
        let headers = self
            .keys
            .get("headers")
            .and_then(Item::table)
            .into_iter()
            .flatten();
        let headers = headers.filter_map(|header| {
            let name = header.key.to_ascii_lowercase();
            let valid = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&b));
            if !valid {
                header.key_problem(format!("`{}` is not a header name", header.key), None);
            }
            let value = self.filled(&header)?;
            if value.contains(['\r', '\n', '\0']) {
                header.problem(
                    format!(
                        "`{}` holds a line break or a NUL, which no header can",
                        header.key
                    ),
                    None,
                );
            }
            Some((name, value))
        });
        Some(HttpProbe {
            method: method.unwrap_or_else(|| "GET".to_string()),
            headers: headers.collect(),
            body: self.keys.get("body").and_then(|item| self.filled(item)),
            redirects: self
                .keys
                .get("redirects")
                .and_then(|item| item.whole(0, 20))
                .unwrap_or(0) as u32,
            expect: expect::http(self.keys.fields("expect")),
            reader: match self.keys.get("reader") {
                Some(item) => Some(self.body_reader(item)?),
                None => None,
            },
            url: url?,
        })
    }

    /// A reader of the body of an answer.
    fn body_reader(&self, item: &Item<'a>) -> Option<Reader> {
        let reader = self.reader(item)?;
        if !item.is_string() {
            let hint = format!("write `reader = {:?}`", reader.format);
            item.problem("a `reader` beside `http` reads the body", Some(hint));
        }
        Some(Reader {
            input: ReaderInput::Body,
            ..reader
        })
    }

    /// An absolute URL with a host, as far as that can be said before variables are put in.
    pub(super) fn url(&self, item: &Item<'a>) -> Option<String> {
        let url = self.filled_not_empty(item)?;
        let after_scheme = ["http://", "https://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let has_host = after_scheme
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']));
        if !(has_host || url.starts_with("{env."))
            || url.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            item.problem(
                format!("`{url}` is not an http or https URL"),
                Some("write it like `http://127.0.0.1:8000/health`".into()),
            );
            return None;
        }
        Some(url)
    }

    fn file(&self, item: &Item<'a>) -> Option<FileProbe> {
        let mut expect = expect::file(self.keys.fields("expect"), item);
        let mut fields = self.keys.fields("expect");
        expect.keys_of = fields
            .find(|field| field.key == "keys_of")
            .and_then(|field| self.filled_not_empty(field));
        let pattern = self.filled_not_empty(item)?;
        if let Err(error) = globset::Glob::new(&pattern) {
            item.problem(
                format!("`{pattern}` is not a file pattern: {}", error.kind()),
                None,
            );
            return None;
        }
        Some(FileProbe { pattern, expect })
    }

    fn variable(&self, item: &Item<'a>) -> Option<VariableProbe> {
        let expect = expect::value(self.keys.fields("expect"));
        let name = self.filled_not_empty(item)?;
        if name.contains(['=', '\0']) {
            item.problem(format!("{name:?} is not the name of a variable"), None);
            return None;
        }
        let file = self
            .keys
            .get("in")
            .and_then(|item| self.filled_not_empty(item));
        Some(VariableProbe { name, file, expect })
    }

    fn port(&self, item: &Item<'a>) -> Option<PortProbe> {
        let listening = expect::port(self.keys.fields("expect"));
        Some(PortProbe {
            port: item.whole(1, 65_535)? as u16,
            listening,
        })
    }

    fn tool(&self, item: &Item<'a>) -> Option<ToolProbe> {
        let version = expect::tool(self.keys.fields("expect"));
        Some(ToolProbe {
            name: self.filled_not_empty(item)?,
            version,
        })
    }

    fn manual(&self, item: &Item<'a>) -> Option<Attestation> {
        let (mut by, mut on, mut expires, mut link) = (None, None, None, None);
        for field in item.table()? {
            match field.key {
                "by" => by = field.string(),
                "on" => on = field.date().map(|date| At::new(date, &field)),
                "expires" => expires = field.date().map(|date| At::new(date, &field)),
                "link" => link = field.string(),
                _ => field.unknown("`manual`", &["by", "on", "expires", "link"]),
            }
        }
        for key in ["by", "on", "expires"] {
            if !item.has(key) {
                item.key_problem(format!("`manual` lacks `{key}`"), Some("write it like `manual = { by = \"release manager\", on = 2026-11-01, expires = 2026-12-01 }`".into()));
            }
        }
        let (on, expires) = (on?, expires?);
        if on.value > self.context.today {
            on.problem(
                item.origin.problems,
                format!("{} is in the future", on.value),
                Some("an attestation is about something that was done".into()),
            );
        }
        if expires.value < on.value {
            let message = format!(
                "`expires` ({}) is before `on` ({})",
                expires.value, on.value
            );
            expires.problem(
                item.origin.problems,
                message,
                Some("it is the last day on which the attestation counts".into()),
            );
        }
        Some(Attestation {
            by: by?,
            on: on.value,
            expires: expires.value,
            link,
        })
    }
}
