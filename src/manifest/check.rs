//! One check: its keys from the manifest laid over those of its library definition, read into a [`Check`].

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::expect;
use super::item::{At, Item};
use super::problem::nearest;
use crate::domain::check::{
    Applies, Attestation, Blocking, CannotTell, Check, Exits, FileProbe, Fix, HttpProbe, NeedsTool,
    Priority, Probe, Reader, ReaderInput, RunProbe, Source, VariableProbe,
};
use crate::domain::interpolate;
use crate::domain::level::Level;
use crate::domain::limit::Limit;
use crate::domain::project::{DEFAULT_TIMEOUT, HTTP_TIMEOUT, OUTSIDE_MAX_AGE};

/// The keys that say how a check looks: exactly one of them, or `use`.
pub(super) const PROBES: [&str; 7] = ["run", "http", "file", "variable", "manual", "port", "tool"];
/// Keys of a check that belong to one probe, or that `use` brings along.
const PROBE_KEYS: [&str; 13] = [
    "run", "http", "file", "variable", "manual", "port", "tool", "shell", "method", "headers",
    "body", "in", "reader",
];
/// Keys whose tables are merged key by key with the library's; every other replaces it.
const MERGED: [&str; 4] = ["with", "env", "expect", "limits"];
/// Keys that are in the language and that nothing does yet.
const LATER: [&str; 8] = [
    "port",
    "tool",
    "listen",
    "on_demand",
    "alone",
    "locks",
    "inputs",
    "control",
];
/// Every key of a check.
pub(super) const KEYS: [&str; 46] = [
    "component",
    "says",
    "tags",
    "owner",
    "weight",
    "priority",
    "risk",
    "fix",
    "blocking",
    "optional",
    "claim",
    "aliases",
    "use",
    "with",
    "run",
    "shell",
    "listen",
    "reader",
    "http",
    "method",
    "headers",
    "body",
    "file",
    "port",
    "tool",
    "variable",
    "in",
    "manual",
    "expect",
    "limits",
    "pass_at",
    "at_least",
    "expected_skips",
    "level",
    "needs",
    "applies",
    "os",
    "on_demand",
    "alone",
    "locks",
    "timeout",
    "retries",
    "leaves_running",
    "cwd",
    "env",
    "clean_env",
];
/// The rest of them.
pub(super) const MORE_KEYS: [&str; 6] = [
    "inputs",
    "max_age",
    "secrets",
    "needs_tool",
    "control",
    "cannot_tell",
];

/// The readers that a manifest can name, with what their tools' exit statuses mean.
pub(super) type Readers<'a> = &'a dyn Fn(&str) -> Option<Exits>;

/// What a check is read with.
pub(super) struct Context<'a> {
    pub(super) today: Date,
    pub(super) reader: Readers<'a>,
    pub(super) reader_names: &'a [&'a str],
}

/// A check's keys: single values, and tables that were merged key by key.
pub(super) struct Keys<'a> {
    single: BTreeMap<&'a str, Item<'a>>,
    merged: BTreeMap<&'a str, BTreeMap<&'a str, Item<'a>>>,
    library_level: Option<Item<'a>>,
}

impl<'a> Keys<'a> {
    /// Lays the manifest's keys over the library's. Beside `use`, keys of probes are errors.
    pub(super) fn merge(
        library: Vec<Item<'a>>,
        manifest: Vec<Item<'a>>,
        uses: Option<&str>,
    ) -> Keys<'a> {
        let mut keys = Keys {
            single: BTreeMap::new(),
            merged: BTreeMap::new(),
            library_level: None,
        };
        for item in library {
            if item.key == "level" {
                keys.library_level = Some(item);
            } else {
                keys.put(item);
            }
        }
        for item in manifest {
            match uses {
                Some(name) if PROBE_KEYS.contains(&item.key) && !LATER.contains(&item.key) => item.key_problem(
                    format!("`{}` cannot stand beside `use`", item.key),
                    Some(format!("`{name}` brings its own; set its parameters in `with`, or write the check out without `use`")),
                ),
                _ => keys.put(item),
            }
        }
        keys
    }

    fn put(&mut self, item: Item<'a>) {
        if MERGED.contains(&item.key) && item.is_table() {
            let fields = item.table().into_iter().flatten();
            self.merged
                .entry(item.key)
                .or_default()
                .extend(fields.map(|field| (field.key, field)));
            self.single.insert(item.key, item);
        } else {
            self.single.insert(item.key, item);
        }
    }

    fn get(&self, key: &str) -> Option<&Item<'a>> {
        self.single.get(key)
    }

    fn fields(&self, key: &str) -> impl Iterator<Item = &Item<'a>> {
        if let Some(item) = self.single.get(key).filter(|item| !item.is_table()) {
            // Not a table: its own accessor says so.
            let _ = item.table();
        }
        self.merged.get(key).into_iter().flat_map(BTreeMap::values)
    }
}

/// A check that was read, with the places of what only the whole manifest can judge.
pub(super) struct Read {
    /// None where it has a mistake without which it cannot be.
    pub(super) check: Option<Check>,
    pub(super) id: At<String>,
    pub(super) optional: bool,
    pub(super) is_blocking: bool,
    pub(super) component: Option<At<String>>,
    pub(super) library_component: bool,
    pub(super) needs: Vec<At<String>>,
    pub(super) blocking: Vec<At<String>>,
}

/// Reads a check from its merged keys. A mistake is noted and the rest is read on. `complete` is false where the
/// library check that it uses is not known, so that what is not there may well be in it.
pub(super) fn read(
    header: &Item<'_>,
    source: Source,
    keys: &Keys<'_>,
    params: &BTreeMap<String, String>,
    library: Option<&str>,
    complete: bool,
    context: &Context<'_>,
) -> Read {
    let place = format!("check `{}`", header.key);
    for item in keys.single.values() {
        if LATER.contains(&item.key) && !(library.is_some() && item.key == "control") {
            item.not_supported_yet();
        } else if !KEYS.contains(&item.key) && !MORE_KEYS.contains(&item.key) {
            item.unknown(&place, &[&KEYS[..], &MORE_KEYS[..]].concat());
        }
    }
    let reading = Reading {
        keys,
        params,
        context,
        header,
        complete,
    };
    let probe = if complete {
        reading.probe(library.is_some())
    } else {
        None
    };
    let component = keys
        .get("component")
        .and_then(|item| Some((item, item.string()?)));
    let says = match keys.get("says") {
        Some(item) => item.string(),
        None if !complete => None,
        None => {
            header.key_problem(
                format!("{place} lacks `says`"),
                Some(
                    "add the statement that it verifies, e.g. `says = \"The API answers\"`".into(),
                ),
            );
            None
        }
    };
    let needs = strings_at(keys.get("needs"));
    let (blocking, blocking_names) = reading.blocking();
    let is_blocking = blocking != Blocking::No;
    let optional = keys
        .get("optional")
        .and_then(Item::boolean)
        .unwrap_or(false);
    let level = probe.as_ref().map(|probe| reading.level(probe));
    let limits = reading.limits(probe.as_ref());
    let default_timeout = match &probe {
        Some(Probe::Http(_)) => HTTP_TIMEOUT,
        _ => DEFAULT_TIMEOUT,
    };
    let outside = probe.as_ref().is_some_and(Probe::looks_outside);
    let retries = keys
        .get("retries")
        .and_then(|item| item.whole(0, 100))
        .unwrap_or(0) as u32;
    if let Some(probe) = &probe {
        reading.only_where_they_mean_something(probe, retries);
    }
    // Every key is read, whatever is wrong with another: what cannot be missing comes last.
    let check = (|| {
        Some(Check {
            id: header.key.to_string(),
            component: component.as_ref().map(|(_, name)| name.clone()),
            tags: strings(keys.get("tags")),
            owner: keys.get("owner").and_then(Item::string),
            weight: keys.get("weight").and_then(weight).unwrap_or(1.0),
            priority: keys.get("priority").and_then(priority),
            risk: keys.get("risk").and_then(Item::string),
            fix: reading.fix(),
            blocking,
            optional,
            claim: keys.get("claim").and_then(Item::percent),
            aliases: strings(keys.get("aliases")),
            limits,
            pass_at: keys.get("pass_at").and_then(|item| {
                item.number_in("more than 0 and at most 1", |n| n > 0.0 && n <= 1.0)
            }),
            at_least: keys.get("at_least").and_then(Item::count),
            expected_skips: keys
                .get("expected_skips")
                .and_then(Item::count)
                .unwrap_or(0),
            needs: needs.iter().map(|need| need.value.clone()).collect(),
            applies: keys.get("applies").and_then(applies),
            os: keys.get("os").map(operating_systems).unwrap_or_default(),
            timeout: keys
                .get("timeout")
                .and_then(|item| item.duration(false))
                .unwrap_or(default_timeout),
            retries,
            leaves_running: keys
                .get("leaves_running")
                .and_then(Item::boolean)
                .unwrap_or(false),
            cwd: keys.get("cwd").and_then(|item| reading.filled(item)),
            env: reading.environment(),
            clean_env: keys
                .get("clean_env")
                .and_then(Item::boolean)
                .unwrap_or(false),
            max_age: match keys.get("max_age") {
                Some(item) => item.duration(false),
                None => outside.then_some(OUTSIDE_MAX_AGE),
            },
            secrets: strings(keys.get("secrets")),
            needs_tool: keys
                .get("needs_tool")
                .and_then(|item| needs_tool(item, &reading)),
            cannot_tell: keys
                .get("cannot_tell")
                .map(|item| cannot_tell(item))
                .unwrap_or_default(),
            library: library.map(str::to_string),
            source,
            says: says?,
            level: level?,
            probe: probe?,
        })
    })();
    Read {
        id: At {
            value: header.key.to_string(),
            source: header.origin.source,
            span: header.key_span.clone(),
        },
        component: component
            .as_ref()
            .map(|(item, name)| At::new(name.clone(), item)),
        library_component: component
            .is_some_and(|(item, _)| item.origin.source != header.origin.source),
        check,
        optional,
        is_blocking,
        needs,
        blocking: blocking_names,
    }
}

struct Reading<'k, 'a, 'c> {
    keys: &'k Keys<'a>,
    params: &'k BTreeMap<String, String>,
    context: &'c Context<'c>,
    header: &'k Item<'a>,
    complete: bool,
}

impl<'a> Reading<'_, 'a, '_> {
    /// A string with its parameters put in.
    fn filled(&self, item: &Item<'a>) -> Option<String> {
        let text = item.text()?;
        match interpolate::parameters(&text, self.params) {
            Ok(text) => Some(text),
            Err(_) if !self.complete => Some(text),
            Err(unknown) => {
                item.problem(unknown.message, Some(unknown.hint));
                None
            }
        }
    }

    fn filled_not_empty(&self, item: &Item<'a>) -> Option<String> {
        item.string()?;
        self.filled(item)
    }

    fn probe(&self, from_library: bool) -> Option<Probe> {
        let present = PROBES
            .iter()
            .filter_map(|key| self.keys.get(key))
            .collect::<Vec<_>>();
        let list = PROBES
            .iter()
            .take(5)
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
            _ => None,
        }
    }

    fn run(&self, item: &Item<'a>) -> Option<RunProbe> {
        let expect = expect::run(self.keys.fields("expect"));
        let reader = self.keys.get("reader").map(|item| self.reader(item));
        let (argv, shell) = self.argv(item)?;
        let reader = match reader {
            Some(reader) => Some(reader?),
            None => None,
        };
        Some(RunProbe {
            argv,
            shell,
            reader,
            expect,
        })
    }

    /// The program with its arguments, or the script, and which of them it is.
    fn argv(&self, item: &Item<'a>) -> Option<(Vec<String>, bool)> {
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
            (false, false) => {
                let elements = item.argv()?;
                let argv = elements
                    .iter()
                    .map(|element| self.filled(element))
                    .collect::<Vec<_>>();
                let argv = argv.into_iter().collect::<Option<Vec<_>>>()?;
                if argv.first().is_none_or(|program| program.trim().is_empty()) {
                    item.problem(
                        "`run` names no program",
                        Some("write it like `run = [\"npm\", \"test\"]`".into()),
                    );
                    return None;
                }
                argv
            }
        };
        if let Some(bad) = argv.iter().find(|word| word.contains('\0')) {
            item.problem(format!("{bad:?} holds a NUL, which no argument can"), None);
            return None;
        }
        Some((argv, shell))
    }

    fn reader(&self, item: &Item<'a>) -> Option<Reader> {
        let (named, input) = if item.is_string() {
            (item.clone(), ReaderInput::Stdout)
        } else if !item.is_table() {
            item.problem(
                "`reader` must name a format",
                Some(
                    "write it like `reader = \"junit\"` or `reader = { junit = \"out.xml\" }`"
                        .into(),
                ),
            );
            return None;
        } else {
            let fields = item.table()?.collect::<Vec<_>>();
            let [field] = fields.as_slice() else {
                item.problem(
                    "`reader` must name one format",
                    Some("write it like `reader = { junit = \"out.xml\" }`".into()),
                );
                return None;
            };
            let input = match self.filled_not_empty(field)?.as_str() {
                "stdout" => ReaderInput::Stdout,
                "stderr" => ReaderInput::Stderr,
                path => ReaderInput::File(path.to_string()),
            };
            (field.clone(), input)
        };
        let format = if item.is_string() {
            named.string()?
        } else {
            named.key.to_string()
        };
        match (self.context.reader)(&format) {
            Some(exits) => Some(Reader {
                format,
                input,
                exits,
            }),
            None => {
                let names = self.context.reader_names;
                let hint = nearest(&format, names.iter().copied())
                    .unwrap_or_else(|| format!("readers: {}", names.join(", ")));
                let message = format!("there is no reader `{format}`");
                if item.is_string() {
                    named.problem(message, Some(hint))
                } else {
                    named.key_problem(message, Some(hint))
                }
                None
            }
        }
    }

    fn http(&self, item: &Item<'a>) -> Option<HttpProbe> {
        let url = self.url(item);
        let method = self
            .keys
            .get("method")
            .and_then(Item::string)
            .map(|method| method.to_ascii_uppercase());
        if let Some(method) = method
            .as_deref()
            .filter(|m| !m.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            self.keys
                .get("method")?
                .problem(format!("`{method}` is not an HTTP method"), None);
        }
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
            expect: expect::http(self.keys.fields("expect")),
            url: url?,
        })
    }

    /// An absolute URL with a host, as far as that can be said before variables are put in.
    fn url(&self, item: &Item<'a>) -> Option<String> {
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
        let expect = expect::file(self.keys.fields("expect"), item);
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

    /// The level that the probe gives, or the library says; the manifest may only lower it.
    fn level(&self, probe: &Probe) -> Level {
        let natural = match probe {
            Probe::Run(run) if run.reader.is_some() => Level::Exercised,
            Probe::Run(_) => Level::Validated,
            Probe::Http(http) if http.expect.reads_body() => Level::Exercised,
            Probe::Http(_) => Level::Validated,
            Probe::File(file) if file.expect.reads_content() => Level::Wired,
            Probe::File(_) | Probe::Variable(_) => Level::Present,
            Probe::Manual(_) => Level::Attested,
        };
        let highest = self
            .keys
            .library_level
            .as_ref()
            .and_then(level)
            .unwrap_or(natural);
        let Some(item) = self.keys.get("level") else {
            return highest;
        };
        match level(item) {
            Some(wanted) if wanted > highest => {
                item.problem(
                    format!("`level` can only be lowered: its evidence is {highest}"),
                    None,
                );
                highest
            }
            Some(wanted) => wanted,
            None => highest,
        }
    }

    fn limits(&self, probe: Option<&Probe>) -> BTreeMap<String, Limit> {
        let measured =
            probe.is_none_or(|probe| matches!(probe, Probe::Run(run) if run.reader.is_some()));
        if let (Some(item), false) = (self.keys.get("limits"), measured) {
            item.key_problem(
                "`limits` need a `reader` that measures",
                Some("for an HTTP probe, use `expect = { latency = \"< 500ms\" }`".into()),
            );
        }
        self.keys
            .fields("limits")
            .filter_map(|item| Some((item.key.to_string(), item.limit()?)))
            .collect()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let fields = self.keys.fields("env");
        fields
            .filter_map(|item| {
                if item.key.is_empty() || item.key.contains(['=', '\0']) {
                    item.key_problem(
                        format!("{:?} is not the name of a variable", item.key),
                        None,
                    );
                    return None;
                }
                item.scalar()?;
                let value = if item.is_string() {
                    self.filled(item)?
                } else {
                    item.scalar()?
                };
                Some((item.key.to_string(), value))
            })
            .collect()
    }

    fn fix(&self) -> Fix {
        let mut fix = Fix::default();
        for field in self
            .keys
            .get("fix")
            .and_then(Item::table)
            .into_iter()
            .flatten()
        {
            match field.key {
                "takes" => fix.takes = field.duration(true),
                "how" => fix.how = self.filled_not_empty(&field),
                _ => field.unknown("`fix`", &["takes", "how"]),
            }
        }
        fix
    }

    fn blocking(&self) -> (Blocking, Vec<At<String>>) {
        let Some(item) = self.keys.get("blocking") else {
            return (Blocking::No, vec![]);
        };
        if let Some(names) = item.array() {
            let names = names
                .iter()
                .filter_map(|name| Some(At::new(name.string()?, name)))
                .collect::<Vec<_>>();
            return (
                Blocking::Gates(names.iter().map(|name| name.value.clone()).collect()),
                names,
            );
        }
        if let Some(name) = item.is_string().then(|| item.text()).flatten() {
            let hint = format!("write `blocking = [{name:?}]` for a named gate");
            item.problem(
                "`blocking` must be `true`, `false` or an array of gates",
                Some(hint),
            );
            return (Blocking::No, vec![]);
        }
        match item.boolean() {
            Some(true) => (Blocking::Default, vec![]),
            _ => (Blocking::No, vec![]),
        }
    }

    /// Keys that would be ignored for this kind of check are mistakes, not decoration.
    fn only_where_they_mean_something(&self, probe: &Probe, retries: u32) {
        let is_run = matches!(probe, Probe::Run(_));
        let counted = matches!(probe, Probe::Run(run) if run.reader.is_some());
        let rules: [(&[&str], bool, &str); 6] = [
            (
                &[
                    "shell",
                    "reader",
                    "env",
                    "clean_env",
                    "leaves_running",
                    "cannot_tell",
                    "needs_tool",
                ],
                is_run,
                "`run`",
            ),
            (
                &["method", "headers", "body"],
                matches!(probe, Probe::Http(_)),
                "`http`",
            ),
            (&["in"], matches!(probe, Probe::Variable(_)), "`variable`"),
            (
                &["at_least", "expected_skips"],
                counted,
                "`run` with a `reader`",
            ),
            (
                &["cwd"],
                is_run || matches!(probe, Probe::File(_) | Probe::Variable(_)),
                "`run`, `file` or `variable`",
            ),
            (
                &["expect", "timeout", "retries"],
                !matches!(probe, Probe::Manual(_)),
                "a check that is run",
            ),
        ];
        for (keys, meaningful, with) in rules {
            for item in keys
                .iter()
                .filter_map(|key| self.keys.get(key))
                .filter(|_| !meaningful)
            {
                item.key_problem(
                    format!("`{}` means nothing here: it goes with {with}", item.key),
                    None,
                );
            }
        }
        if let Some(item) = self
            .keys
            .get("pass_at")
            .filter(|_| !counted && retries == 0)
        {
            item.key_problem(
                "`pass_at` means nothing here: it goes with a `reader` or `retries`",
                None,
            );
        }
    }
}

fn strings(item: Option<&Item<'_>>) -> Vec<String> {
    item.map(Item::strings).unwrap_or_default()
}

fn strings_at(item: Option<&Item<'_>>) -> Vec<At<String>> {
    let elements = item.map(Item::elements).unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| Some(At::new(element.string()?, element)))
        .collect()
}

/// A weight: more than 0, at most 1000.
pub(super) fn weight(item: &Item<'_>) -> Option<f64> {
    item.number_in("more than 0 and at most 1000", |n| n > 0.0 && n <= 1000.0)
}

/// A level by its word.
pub(super) fn level(item: &Item<'_>) -> Option<Level> {
    one_of(
        item,
        &["exercised", "validated", "wired", "present", "attested"],
        Level::parse,
    )
}

fn priority(item: &Item<'_>) -> Option<Priority> {
    one_of(item, &["high", "medium", "low"], |word| match word {
        "high" => Some(Priority::High),
        "medium" => Some(Priority::Medium),
        "low" => Some(Priority::Low),
        _ => None,
    })
}

fn operating_systems(item: &Item<'_>) -> Vec<String> {
    let known = ["linux", "macos", "windows"];
    let word = |element: &Item<'_>| {
        one_of(element, &known, |word| {
            known.contains(&word).then(|| word.to_string())
        })
    };
    item.elements().iter().filter_map(word).collect()
}

/// One of a closed list of words.
pub(super) fn one_of<T>(
    item: &Item<'_>,
    known: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let word = item.string()?;
    let value = parse(&word);
    if value.is_none() {
        let hint = nearest(&word, known.iter().copied())
            .unwrap_or_else(|| format!("one of {}", known.join(", ")));
        item.problem(format!("`{}` cannot be `{word}`", item.key), Some(hint));
    }
    value
}

fn applies(item: &Item<'_>) -> Option<Applies> {
    let mut files = None;
    for field in item.table()? {
        match field.key {
            "files" => {
                let patterns = field.elements().into_iter().filter_map(|element| {
                    let pattern = element.string()?;
                    match globset::Glob::new(&pattern) {
                        Ok(_) => Some(pattern),
                        Err(error) => {
                            element.problem(
                                format!("`{pattern}` is not a file pattern: {}", error.kind()),
                                None,
                            );
                            None
                        }
                    }
                });
                files = Some(patterns.collect::<Vec<_>>()).filter(|_| !field.elements().is_empty());
            }
            _ => field.unknown("`applies`", &["files"]),
        }
    }
    match files {
        Some(files) => Some(Applies { files }),
        None => {
            item.problem(
                "`applies` names no files",
                Some("write it like `applies = { files = \"nginx.conf\" }`".into()),
            );
            None
        }
    }
}

fn needs_tool<'a>(item: &Item<'a>, reading: &Reading<'_, 'a, '_>) -> Option<NeedsTool> {
    let (mut name, mut install) = (None, None);
    for field in item.table()? {
        match field.key {
            "name" => {
                name = reading.filled_not_empty(&field);
            }
            "install" => install = field.string(),
            _ => field.unknown("`needs_tool`", &["name", "install"]),
        }
    }
    if !item.has("name") {
        item.problem("`needs_tool` lacks `name`", None);
    }
    Some(NeedsTool {
        name: name?,
        install,
    })
}

fn cannot_tell(item: &Item<'_>) -> CannotTell {
    let mut rules = CannotTell::default();
    for field in item.table().into_iter().flatten() {
        let patterns = || field.elements().iter().filter_map(Item::pattern).collect();
        match field.key {
            "exit" => {
                let statuses = field.elements();
                rules.exit = statuses
                    .iter()
                    .filter_map(|item| item.whole(0, i64::from(i32::MAX)))
                    .map(|n| n as i32)
                    .collect();
            }
            "stdout" => rules.stdout = patterns(),
            "stderr" => rules.stderr = patterns(),
            _ => field.unknown("`cannot_tell`", &["exit", "stdout", "stderr"]),
        }
    }
    rules
}
