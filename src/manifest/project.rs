//! The whole manifest: every table read, library definitions put in, and the names in it held against each other.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use toml::de::DeTable;

use super::check::{self, Context, Keys, Read};
use super::item::{At, Item, Origin, items};
use super::problem::{Collector, Problems, SourceText, Syntax, nearest};
use super::sections::{self, Lines, ReadGate};
use super::{Formats, Library};
use crate::domain::check::{Blocking, Check, Source};
use crate::domain::gate::{DEFAULT, Gate};
use crate::domain::project::Project;

const SECTIONS: [&str; 10] = [
    "project",
    "requires",
    "claims",
    "score",
    "gate",
    "gates",
    "components",
    "checks",
    "waivers",
    "library",
];
const LATER: [&str; 3] = ["services", "ignore", "prove"];

pub(super) fn place(file: &str, line: usize) -> Source {
    Source {
        file: file.to_string(),
        line: line as u32,
    }
}

/// Reads a manifest that names no check folders: nothing is looked up on disk.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, today: Date, formats: Formats) -> Result<Project, Problems> {
    let no_folders =
        |_: &mut Library, folder: &str| Err(format!("`{folder}` is not looked up here"));
    parse_with(
        name,
        text,
        &mut Library::built_in(),
        &no_folders,
        today,
        formats,
    )
}

/// Adds the definitions of a folder to the library, or says why it cannot.
pub(super) type ReadFolder<'a> = &'a dyn Fn(&mut Library, &str) -> Result<(), String>;

pub(super) fn parse_with(
    name: &str,
    text: &str,
    library: &mut Library,
    read_folder: ReadFolder<'_>,
    today: Date,
    formats: Formats,
) -> Result<Project, Problems> {
    let problems = Collector::default();
    // The mark that some editors put first is no part of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut sources = vec![SourceText {
        name: name.to_string(),
        text: text.to_string(),
    }];
    let document = syntax(text, 0, &problems);
    let origin = Origin {
        problems: &problems,
        source: 0,
    };
    let sections = items(&document, origin).collect::<Vec<_>>();
    for section in sections.iter().filter(|section| section.key == "library") {
        library_folders(section, library, read_folder);
    }

    let used = used_definitions(&sections, library, &mut sources);
    let parsed = (1..)
        .zip(&used.texts)
        .map(|(at, text)| syntax(text, at, &problems))
        .collect::<Vec<_>>();
    let definitions = used
        .names
        .iter()
        .zip(&parsed)
        .enumerate()
        .map(|(at, (name, table))| {
            (
                name.as_str(),
                Definition::read(
                    table,
                    Origin {
                        problems: &problems,
                        source: at + 1,
                    },
                ),
            )
        })
        .collect::<BTreeMap<_, _>>();

    let names = (formats.names)();
    let context = Context {
        today,
        reader: &formats.exits,
        reader_names: &names,
    };
    let mut whole = Whole {
        project: Project::default(),
        ids: BTreeSet::new(),
        checks: vec![],
        gates: vec![],
        waived: vec![],
        problems: &problems,
    };
    whole.read(
        &sections,
        &definitions,
        library,
        &context,
        &Lines::new(name, text),
    );
    // Names can only be held against each other where all of them could be read.
    let project = if problems.is_broken(0) {
        Project::default()
    } else {
        whole.resolve()
    };
    if problems.is_empty() {
        Ok(project)
    } else {
        Err(Problems::new(sources, problems.into_list()))
    }
}

/// The document, with every mistake of its syntax noted; what could be read is read on.
fn syntax<'a>(text: &'a str, source: usize, problems: &Collector) -> DeTable<'a> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (message, hint, kind) = match error.message() {
            "duplicate key" => {
                let key = text.get(span.clone()).unwrap_or_default();
                let hint = "keep one of them, or give one another name";
                (
                    format!("`{key}` stands here a second time"),
                    Some(hint),
                    Syntax::Duplicate,
                )
            }
            message => {
                let deep = message
                    .contains("recurs")
                    .then_some("tables and arrays are nested too deeply");
                let comma = message.starts_with("missing comma between array elements");
                let comma = comma.then_some("put the comma, or close the array above with `]`");
                let open = message.starts_with("invalid multi-line");
                let open = open.then_some("close the string that was opened with three quotes");
                let kind = if open.is_some() {
                    Syntax::Swallowed
                } else {
                    Syntax::Broken
                };
                (
                    message.lines().collect::<Vec<_>>().join(", "),
                    deep.or(comma).or(open),
                    kind,
                )
            }
        };
        problems.push_syntax(source, span, message, hint.map(str::to_string), kind);
    }
    document.into_inner()
}

fn library_folders(section: &Item<'_>, library: &mut Library, read_folder: ReadFolder<'_>) {
    for item in section.table().into_iter().flatten() {
        if item.key != "folders" {
            item.unknown("`[library]`", &["folders"]);
            continue;
        }
        for folder in item.elements() {
            if let Some(Err(message)) = folder.string().map(|name| read_folder(library, &name)) {
                folder.problem(message, None);
            }
        }
    }
}

/// The library definitions that the manifest uses, and their texts.
struct Used {
    names: Vec<String>,
    texts: Vec<String>,
}

fn used_definitions(
    sections: &[Item<'_>],
    library: &Library,
    sources: &mut Vec<SourceText>,
) -> Used {
    let mut used = Used {
        names: vec![],
        texts: vec![],
    };
    let checks = sections
        .iter()
        .filter(|section| section.key == "checks" && section.is_table());
    let headers = checks
        .filter_map(Item::table)
        .flatten()
        .filter(Item::is_table);
    let names = headers.filter_map(|header| {
        header
            .table()?
            .find(|item| item.key == "use" && item.is_string())?
            .text()
    });
    for name in names.collect::<BTreeSet<_>>() {
        if let Some((file, text)) = library.get(&name) {
            sources.push(SourceText {
                name: file,
                text: text.clone(),
            });
            used.names.push(name);
            used.texts.push(text);
        }
    }
    used
}

/// A library definition, read as far as a manifest's check needs it.
struct Definition<'a> {
    keys: Vec<Item<'a>>,
    params: BTreeMap<String, Option<String>>,
}

impl<'a> Definition<'a> {
    fn read(table: &'a DeTable<'a>, origin: Origin<'a>) -> Definition<'a> {
        const KNOWN: [&str; 17] = [
            "says",
            "component",
            "level",
            "tags",
            "priority",
            "risk",
            "fix",
            "max_age",
            "timeout",
            "needs_tool",
            "detect",
            "params",
            "probe",
            "cannot_tell",
            "control",
            "doc",
            "seen",
        ];
        const OF_PROBE: [&str; 16] = [
            "run", "shell", "reader", "http", "method", "headers", "body", "file", "variable",
            "in", "manual", "expect", "limits", "cwd", "env", "secrets",
        ];
        let mut definition = Definition {
            keys: vec![],
            params: BTreeMap::new(),
        };
        for item in items(table, origin) {
            match item.key {
                "params" => {
                    for param in item.table().into_iter().flatten() {
                        let default = definition_param(&param);
                        definition.params.insert(param.key.to_string(), default);
                    }
                }
                "probe" => {
                    for field in item.table().into_iter().flatten() {
                        if OF_PROBE.contains(&field.key) {
                            definition.keys.push(field);
                        } else {
                            field.unknown("`[probe]`", &OF_PROBE);
                        }
                    }
                }
                // What `init` and `explain` read; a check that uses the definition has no part in them.
                "detect" | "doc" | "seen" => {}
                key if KNOWN.contains(&key) => definition.keys.push(item),
                _ => item.unknown("a library check", &KNOWN),
            }
        }
        if !table.contains_key("probe") && !origin.problems.is_broken(origin.source) {
            let hint = "add it with one of `run`, `http`, `file`, `variable`";
            origin.problems.push(
                origin.source,
                0..0,
                "the library check lacks `[probe]`",
                Some(hint.into()),
            );
        }
        definition
    }
}

fn definition_param(param: &Item<'_>) -> Option<String> {
    let mut default = None;
    for field in param.table().into_iter().flatten() {
        match field.key {
            "default" => default = field.scalar(),
            "help" => {
                field.string();
            }
            _ => field.unknown(&format!("parameter `{}`", param.key), &["default", "help"]),
        }
    }
    default
}

/// What `explain` and `list` show of a library check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LibraryCheck {
    /// Its statement.
    pub says: String,
    /// The component that it counts for where a manifest names none.
    pub component: Option<String>,
    /// What it does and what it cannot tell, for a person.
    pub doc: String,
    /// Parameters: name, default, help.
    pub params: Vec<(String, Option<String>, String)>,
}

/// Reads what is shown of a library check.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn parse_library_check(name: &str, text: &str) -> Result<LibraryCheck, Problems> {
    let problems = Collector::default();
    let document = syntax(text, 0, &problems);
    let origin = Origin {
        problems: &problems,
        source: 0,
    };
    let mut check = LibraryCheck::default();
    Definition::read(&document, origin);
    for item in items(&document, origin) {
        match item.key {
            "says" => check.says = item.string().unwrap_or_default(),
            "component" => check.component = item.string(),
            "doc" => check.doc = item.string().unwrap_or_default().trim().to_string(),
            "params" => {
                for param in item.table().into_iter().flatten() {
                    let fields = || param.table().into_iter().flatten();
                    let default = fields()
                        .find(|field| field.key == "default")
                        .and_then(|field| field.scalar());
                    let help = fields()
                        .find(|field| field.key == "help")
                        .and_then(|field| field.string());
                    check
                        .params
                        .push((param.key.to_string(), default, help.unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
    if problems.is_empty() {
        Ok(check)
    } else {
        let source = SourceText {
            name: name.to_string(),
            text: text.to_string(),
        };
        Err(Problems::new(vec![source], problems.into_list()))
    }
}

/// The manifest while it is put together.
struct Whole<'p> {
    project: Project,
    /// Every check that is declared, whatever is wrong with it.
    ids: BTreeSet<String>,
    checks: Vec<Read>,
    gates: Vec<ReadGate>,
    waived: Vec<At<String>>,
    problems: &'p Collector,
}

impl Whole<'_> {
    fn read<'a>(
        &mut self,
        sections: &[Item<'a>],
        definitions: &BTreeMap<&str, Definition<'a>>,
        library: &Library,
        context: &Context<'_>,
        lines: &Lines<'_>,
    ) {
        for section in sections {
            let headers = || section.table().into_iter().flatten();
            match section.key {
                "project" => sections::project(section, &mut self.project),
                "requires" => self.project.requires = sections::requires(section),
                "claims" => sections::claims(section, &mut self.project, lines),
                "score" => sections::score(section, &mut self.project.caps),
                "gate" => self.gates.insert(0, sections::gate(section, DEFAULT)),
                "gates" => self
                    .gates
                    .extend(headers().map(|header| sections::named_gate(&header))),
                "components" => {
                    let components = headers().map(|header| sections::component(&header, lines));
                    self.project.components.extend(components);
                }
                "checks" => {
                    let read = |header: Item<'a>| {
                        read_check(&header, definitions, library, context, lines)
                    };
                    self.ids
                        .extend(headers().map(|header| header.key.to_string()));
                    self.checks.extend(headers().filter_map(read));
                }
                "waivers" => {
                    for header in headers() {
                        self.waived.push(At {
                            value: header.key.to_string(),
                            source: 0,
                            span: header.key_span.clone(),
                        });
                        self.project
                            .waivers
                            .extend(sections::waiver(&header, context.today));
                    }
                }
                "library" => {}
                key if LATER.contains(&key) => section.not_supported_yet(),
                _ => section.unknown("a manifest", &SECTIONS),
            }
        }
        if !sections.iter().any(|section| section.key == "project") && !self.problems.is_broken(0) {
            let hint = "add it at the top:  [project]  name = \"…\"";
            self.problems
                .push(0, 0..0, "the manifest lacks `[project]`", Some(hint.into()));
        }
    }

    /// Holds the names against each other, and adds the components that library checks bring along.
    fn resolve(mut self) -> Project {
        self.components();
        let ids = std::mem::take(&mut self.ids);
        // Each hint compares a name with every check; beyond a screenful nobody reads them.
        let hints_left = Cell::new(100);
        let near = |name: &str| {
            hints_left.set(hints_left.get() - 1);
            if hints_left.get() < 0 {
                None
            } else {
                nearest(name, ids.iter().map(String::as_str))
            }
        };
        for need in self.checks.iter().flat_map(|read| &read.needs) {
            if !ids.contains(&need.value) {
                need.problem(
                    self.problems,
                    format!("`needs` names no check: `{}`", need.value),
                    near(&need.value),
                );
            }
        }
        for name in &self.waived {
            if !ids.contains(&name.value) {
                name.problem(
                    self.problems,
                    format!("there is no check `{}` to waive", name.value),
                    near(&name.value),
                );
            }
        }
        self.gate_names(&ids, &near);
        self.cycles();
        self.implicit_gate();
        self.project.gates = self.gates.into_iter().map(|read| read.gate).collect();
        self.project.checks = self
            .checks
            .into_iter()
            .filter_map(|read| read.check)
            .collect();
        self.project
    }

    fn components(&mut self) {
        let mut known = self
            .project
            .components
            .iter()
            .map(|component| component.id.clone())
            .collect::<BTreeSet<_>>();
        for read in self.checks.iter().filter(|read| read.library_component) {
            let Some(component) = &read.component else {
                continue;
            };
            if known.insert(component.value.clone()) {
                let source = read
                    .check
                    .as_ref()
                    .map(|check| check.source.clone())
                    .unwrap_or_default();
                self.project
                    .components
                    .push(sections::undeclared_component(&component.value, source));
            }
        }
        for read in &self.checks {
            let Some(component) = &read.component else {
                continue;
            };
            if !known.contains(&component.value) {
                let hint = nearest(&component.value, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("declare it: [components.{}]", component.value));
                component.problem(
                    self.problems,
                    format!("there is no component `{}`", component.value),
                    Some(hint),
                );
            }
        }
    }

    fn gate_names(&self, ids: &BTreeSet<String>, near: &dyn Fn(&str) -> Option<String>) {
        let gates = self
            .gates
            .iter()
            .map(|read| read.gate.name.as_str())
            .collect::<BTreeSet<_>>();
        let optional = self
            .checks
            .iter()
            .filter(|read| read.optional)
            .map(|read| read.id.value.as_str())
            .collect::<BTreeSet<_>>();
        let components = self
            .project
            .components
            .iter()
            .map(|component| component.id.as_str())
            .collect::<BTreeSet<_>>();
        let own = self
            .checks
            .iter()
            .filter(|read| read.component.is_none())
            .map(|read| read.id.value.as_str());
        let own = own.collect::<BTreeSet<_>>();
        for name in self.gates.iter().flat_map(|read| &read.require) {
            let check = &name.value;
            if !ids.contains(check) {
                name.problem(
                    self.problems,
                    format!("a gate requires `{check}`, which is no check"),
                    near(check),
                );
            } else if optional.contains(check.as_str()) {
                name.problem(
                    self.problems,
                    format!("a gate requires `{check}`, which is optional"),
                    None,
                );
            }
        }
        for name in self.gates.iter().flat_map(|read| &read.components) {
            if !own.contains(name.value.as_str()) && !components.contains(name.value.as_str()) {
                let message = format!(
                    "a gate asks for component `{}`, which is not declared",
                    name.value
                );
                let hint = nearest(&name.value, components.iter().copied());
                name.problem(
                    self.problems,
                    message,
                    hint.or_else(|| Some(format!("declare it: [components.{}]", name.value))),
                );
            }
        }
        for name in self.checks.iter().flat_map(|read| &read.blocking) {
            if !gates.contains(name.value.as_str()) {
                let message = format!("`blocking` names no gate: `{}`", name.value);
                let hint = nearest(&name.value, gates.iter().copied());
                name.problem(
                    self.problems,
                    message,
                    hint.or_else(|| Some(format!("declare it: [gates.{}]", name.value))),
                );
            }
        }
        for read in self
            .checks
            .iter()
            .filter(|read| read.optional && read.is_blocking)
        {
            read.id.problem(
                self.problems,
                format!("check `{}` is both optional and blocking", read.id.value),
                None,
            );
        }
    }

    /// Names each cycle of `needs` in full, once, at its first check.
    fn cycles(&self) {
        let index = self
            .checks
            .iter()
            .enumerate()
            .map(|(at, read)| (read.id.value.as_str(), at))
            .collect::<BTreeMap<_, _>>();
        let mut done = vec![false; self.checks.len()];
        for start in 0..self.checks.len() {
            // An explicit stack: a chain of needs may be as long as the manifest.
            let mut path = vec![(start, 0usize)];
            let mut on_path = BTreeSet::from([start]);
            while let Some((at, next)) = path.pop() {
                if done[at] {
                    on_path.remove(&at);
                    continue;
                }
                let Some(need) = self.checks[at].needs.get(next) else {
                    done[at] = true;
                    on_path.remove(&at);
                    continue;
                };
                path.push((at, next + 1));
                let Some(&needed) = index.get(need.value.as_str()) else {
                    continue;
                };
                if on_path.contains(&needed) {
                    let from = path.iter().position(|(at, _)| *at == needed).unwrap_or(0);
                    let mut names = path[from..]
                        .iter()
                        .map(|(at, _)| self.checks[*at].id.value.as_str())
                        .collect::<Vec<_>>();
                    names.push(self.checks[needed].id.value.as_str());
                    need.problem(
                        self.problems,
                        format!("`needs` goes in a circle: {}", names.join(" → ")),
                        None,
                    );
                } else if !done[needed] {
                    on_path.insert(needed);
                    path.push((needed, 0));
                }
            }
        }
    }

    /// The default gate where none is declared: every check, or those that block it where there are only named gates.
    fn implicit_gate(&mut self) {
        let declared = self.gates.iter().any(|read| read.gate.name == DEFAULT);
        let blocking = self.checks.iter().any(|read| {
            read.check
                .as_ref()
                .is_some_and(|check| check.blocking == Blocking::Default)
        });
        if !declared && (blocking || self.gates.is_empty()) {
            let gate = Gate {
                name: DEFAULT.to_string(),
                every_check: self.gates.is_empty(),
                ..Gate::default()
            };
            self.gates.insert(
                0,
                ReadGate {
                    gate,
                    require: vec![],
                    components: vec![],
                },
            );
        }
    }
}

fn read_check<'a>(
    header: &Item<'a>,
    definitions: &BTreeMap<&str, Definition<'a>>,
    library: &Library,
    context: &Context<'_>,
    lines: &Lines<'_>,
) -> Option<Read> {
    sections::kebab(header, "check");
    let manifest = header.table()?.collect::<Vec<_>>();
    let uses = manifest.iter().find(|item| item.key == "use").cloned();
    let name = uses.as_ref().and_then(Item::string);
    let definition = match (&uses, &name) {
        (Some(item), Some(name)) => match definitions.get(name.as_str()) {
            Some(definition) => Some(definition),
            None => {
                let names = library.names();
                let hint = nearest(name, names.iter().copied())
                    .unwrap_or_else(|| format!("the library has: {}", names.join(", ")));
                item.problem(format!("the library has no check `{name}`"), Some(hint));
                None
            }
        },
        _ => None,
    };
    let params = parameters(header, &manifest, definition, uses.is_some());
    let keys = Keys::merge(
        definition.map(|d| d.keys.clone()).unwrap_or_default(),
        manifest,
        name.as_deref(),
    );
    let complete = uses.is_none() || definition.is_some();
    Some(check::read(
        header,
        lines.source(header),
        &keys,
        &params,
        name.as_deref(),
        complete,
        context,
    ))
}

/// The definition's parameters with the values that `with` gives them.
fn parameters(
    header: &Item<'_>,
    manifest: &[Item<'_>],
    definition: Option<&Definition<'_>>,
    uses: bool,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let with = manifest.iter().find(|item| item.key == "with");
    let declared = definition.map(|definition| &definition.params);
    for item in with.and_then(Item::table).into_iter().flatten() {
        let Some(declared) = declared else { break };
        if declared.contains_key(item.key) {
            // A value that cannot be used must not make its name an unknown one.
            values.insert(
                item.key.to_string(),
                item.scalar().unwrap_or_else(|| item.key.to_string()),
            );
        } else {
            let names = declared.keys().map(String::as_str).collect::<Vec<_>>();
            item.unknown(&format!("`with` of check `{}`", header.key), &names);
        }
    }
    if let (Some(with), false) = (with, uses) {
        with.key_problem(
            "`with` sets the parameters of a library check: it needs `use`",
            None,
        );
    }
    for (name, default) in declared.into_iter().flatten() {
        if values.contains_key(name) {
            continue;
        }
        match default {
            Some(default) => {
                values.insert(name.clone(), default.clone());
            }
            None => {
                let message = format!("check `{}` must set `{name}` in `with`", header.key);
                header.key_problem(message, Some(format!("add `with = {{ {name} = \"…\" }}`")));
                values.insert(name.clone(), name.clone());
            }
        }
    }
    values
}

/// The digest of a check's definition: what its evidence is bound to. The values of its environment are in it, so that
/// a changed one makes old evidence stale; the digest does not give them away.
pub fn definition_digest(check: &Check) -> String {
    let mut hasher = blake3::Hasher::new();
    let json = serde_json::to_vec(&Check {
        source: Source::default(),
        ..check.clone()
    })
    .unwrap_or_default();
    hasher.update(&json);
    for (name, value) in &check.env {
        hasher
            .update(name.as_bytes())
            .update(&[0])
            .update(value.as_bytes())
            .update(&[0]);
    }
    format!("blake3:{}", hasher.finalize().to_hex())
}
