//! One check: its merged keys read into a [`Check`].

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::civil::Date;

use super::item::{At, Item};
use super::keys::{KEYS, Keys, MORE_KEYS};
use super::values::{
    self, applies, cannot_tell, install_on, level, operating_systems, patterns, priority, strings,
    strings_at, weight,
};
use super::{Formats, reader};
use crate::domain::check::{Blocking, Check, Fix, NeedsTool, Probe, Reader, Source};
use crate::domain::interpolate::{self, OF_LISTEN};
use crate::domain::level::Level;
use crate::domain::limit::Limit;
use crate::domain::project::{DEFAULT_TIMEOUT, HTTP_TIMEOUT, OUTSIDE_MAX_AGE};

/// What a check is read with.
pub(super) struct Context<'a> {
    pub(super) today: Date,
    pub(super) formats: Formats,
    pub(super) reader_names: &'a [&'a str],
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
    /// The services whose port it names.
    pub(super) ports_of: Vec<At<String>>,
    /// Whether it says how long its evidence counts.
    pub(super) has_max_age: bool,
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
        if !KEYS.contains(&item.key) && !MORE_KEYS.contains(&item.key) {
            item.unknown(&place, &[&KEYS[..], &MORE_KEYS[..]].concat());
        }
    }
    let listens = keys.get("listen").is_some();
    let own: &[&str] = if listens { &OF_LISTEN } else { &[] };
    let reading = Reading {
        complete,
        ..Reading::new(keys, params, context, header, own)
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
    let control = match (keys.get("control"), &probe) {
        (Some(item), Some(probe)) => reading.control(item, probe).map(Box::new),
        _ => None,
    };
    let by_exit_alone = reading.is_judged_by_exit_alone(probe.as_ref());
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
            on_demand: keys
                .get("on_demand")
                .and_then(Item::boolean)
                .unwrap_or(false),
            alone: keys.get("alone").and_then(Item::boolean).unwrap_or(false),
            locks: strings(keys.get("locks")),
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
            inputs: keys.get("inputs").map(patterns).unwrap_or_default(),
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
            control,
            by_exit_alone,
            library: library.map(str::to_string),
            source,
            says: says?,
            level: level?,
            probe: probe?,
        })
    })();
    Read {
        id: At::key(header),
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
        ports_of: reading.ports_of(),
        has_max_age: keys.get("max_age").is_some(),
    }
}

/// The keys of one check while they are read, with what they are read with.
pub(super) struct Reading<'k, 'a, 'c> {
    pub(super) keys: &'k Keys<'a>,
    pub(super) params: &'k BTreeMap<String, String>,
    pub(super) context: &'c Context<'c>,
    pub(super) header: &'k Item<'a>,
    complete: bool,
    /// The names that are known in a run of this alone.
    own: &'static [&'static str],
    ports_of: RefCell<Vec<At<String>>>,
}

impl<'k, 'a, 'c> Reading<'k, 'a, 'c> {
    pub(super) fn new(
        keys: &'k Keys<'a>,
        params: &'k BTreeMap<String, String>,
        context: &'c Context<'c>,
        header: &'k Item<'a>,
        own: &'static [&'static str],
    ) -> Reading<'k, 'a, 'c> {
        Reading {
            keys,
            params,
            context,
            header,
            complete: true,
            own,
            ports_of: RefCell::default(),
        }
    }

    /// The same with other parameters.
    pub(super) fn with_params<'p>(
        &'p self,
        params: &'p BTreeMap<String, String>,
    ) -> Reading<'p, 'a, 'c> {
        Reading {
            complete: self.complete,
            ..Reading::new(self.keys, params, self.context, self.header, self.own)
        }
    }

    /// The services whose port was named so far, each with its place.
    pub(super) fn ports_of(&self) -> Vec<At<String>> {
        self.ports_of.borrow().clone()
    }

    /// A string with its parameters put in.
    pub(super) fn filled(&self, item: &Item<'a>) -> Option<String> {
        let text = item.text()?;
        match interpolate::parameters(&text, self.params, self.own) {
            Ok(text) => {
                let named = interpolate::services(&text).map(|id| At::new(id.to_string(), item));
                self.ports_of.borrow_mut().extend(named);
                Some(text)
            }
            Err(_) if !self.complete => Some(text),
            Err(unknown) => {
                item.problem(unknown.message, Some(unknown.hint));
                None
            }
        }
    }

    /// A text of ours with its parameters put in.
    pub(super) fn filled_text(&self, text: &str) -> Result<String, interpolate::Unknown> {
        interpolate::parameters(text, self.params, self.own)
    }

    pub(super) fn filled_not_empty(&self, item: &Item<'a>) -> Option<String> {
        item.string()?;
        self.filled(item)
    }

    /// The level that the probe gives, or the library says; the manifest may only lower it.
    fn level(&self, probe: &Probe) -> Level {
        let natural = match probe {
            Probe::Run(run) if run.reader.is_some() || run.listen.is_some() => Level::Exercised,
            Probe::Run(_) => Level::Validated,
            Probe::Http(http) if http.expect.reads_body() || http.reader.is_some() => {
                Level::Exercised
            }
            Probe::Http(_) => Level::Validated,
            Probe::File(file) if file.expect.reads_content() => Level::Wired,
            Probe::Port(port) if port.listening => Level::Wired,
            Probe::File(_) | Probe::Variable(_) | Probe::Port(_) | Probe::Tool(_) => Level::Present,
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

    /// Whether nothing but an exit status decides, and nobody says how strong that is.
    fn is_judged_by_exit_alone(&self, probe: Option<&Probe>) -> bool {
        let said = self.keys.library_level.is_some() || self.keys.get("level").is_some();
        matches!(probe, Some(Probe::Run(run)) if !said && run.reader.is_none() && run.listen.is_none())
    }

    fn limits(&self, probe: Option<&Probe>) -> BTreeMap<String, Limit> {
        let measured = probe.is_none_or(|probe| probe.reader().is_some());
        if let (Some(item), false) = (self.keys.get("limits"), measured) {
            item.key_problem(
                "`limits` need a `reader` that measures",
                Some("for an HTTP probe, use `expect = { latency = \"< 500ms\" }`".into()),
            );
        }
        let queries = match probe {
            Some(Probe::Run(run)) => run
                .reader
                .as_ref()
                .and_then(|reader| reader.queries.as_ref()),
            _ => None,
        };
        let fields = self.keys.fields("limits");
        let limits = fields.filter_map(|item| {
            if let Some(queries) = queries {
                reader::asked(queries, item);
            }
            Some((item.key.to_string(), item.limit()?))
        });
        limits.collect()
    }

    pub(super) fn environment(&self) -> BTreeMap<String, String> {
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
        let counted = probe.reader().is_some_and(Reader::counts);
        let rules: [(&[&str], bool, &str); 7] = [
            (
                &[
                    "shell",
                    "files",
                    "listen",
                    "env",
                    "clean_env",
                    "leaves_running",
                    "cleanup",
                    "cannot_tell",
                    "needs_tool",
                ],
                is_run,
                "`run`",
            ),
            (
                &["reader"],
                is_run || matches!(probe, Probe::Http(_)),
                "`run` or `http`",
            ),
            (
                &["method", "headers", "body", "redirects"],
                matches!(probe, Probe::Http(_)),
                "`http`",
            ),
            (&["in"], matches!(probe, Probe::Variable(_)), "`variable`"),
            (
                &["at_least", "expected_skips"],
                counted,
                "`run` or `http` with a `reader` that counts",
            ),
            (
                &["cwd"],
                is_run || matches!(probe, Probe::File(_) | Probe::Variable(_) | Probe::Tool(_)),
                "`run`, `file`, `variable` or `tool`",
            ),
            (
                &[
                    "expect",
                    "timeout",
                    "retries",
                    "on_demand",
                    "alone",
                    "locks",
                ],
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
        let limited = self.keys.get("limits").is_some();
        for key in ["at_least", "expected_skips", "pass_at"] {
            if let Some(item) = self.keys.get(key).filter(|_| counted && limited) {
                let hint = "the limits decide, the counts are only measures: write a limit on `passed`, `skipped` or `total`";
                item.key_problem(
                    format!("`{key}` means nothing beside `limits`"),
                    Some(hint.into()),
                );
            }
        }
    }
}

pub(super) fn needs_tool<'a>(item: &Item<'a>, reading: &Reading<'_, 'a, '_>) -> Option<NeedsTool> {
    let (mut name, mut install, mut version) = (None, None, vec![]);
    for field in item.table()? {
        match field.key {
            "name" => {
                name = reading.filled_not_empty(&field);
            }
            "install" => install = install_on(std::env::consts::OS, &values::install(&field)),
            "version" => version = reading.words(&field, "version").unwrap_or_default(),
            _ => field.unknown("`needs_tool`", &["name", "install", "version"]),
        }
    }
    if !item.has("name") {
        item.problem("`needs_tool` lacks `name`", None);
    }
    Some(NeedsTool {
        name: name?,
        install,
        version,
    })
}
