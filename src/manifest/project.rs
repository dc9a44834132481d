//! The whole manifest: its syntax and every table of it read, with library definitions put in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use toml::de::DeTable;

use super::check::{self, Context, Read};
use super::definition::{Definition, library_folders, parameters, used_definitions};
use super::item::{At, Item, Origin, items};
use super::keys::Keys;
use super::library_check;
use super::problem::{Collector, Problems, SourceText, Syntax, nearest};
use super::sections::{self, Lines, ReadGate};
use super::service::{self, ReadService};
use super::{Formats, Library};
use crate::domain::check::{Check, Source};
use crate::domain::gate::DEFAULT;
use crate::domain::project::Project;
use crate::domain::service::Service;

const SECTIONS: [&str; 13] = [
    "project",
    "requires",
    "claims",
    "score",
    "gate",
    "gates",
    "components",
    "services",
    "checks",
    "waivers",
    "ignore",
    "library",
    "prove",
];

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
        built_in: false,
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
    let mut definitions = BTreeMap::new();
    for (source, (name, table)) in (1..).zip(used.names.iter().zip(&parsed)) {
        let origin = Origin {
            problems: &problems,
            source,
            built_in: false,
        };
        // What a person looks up is read for its mistakes alone.
        library_check::read(name, &sources[source].name, table, origin);
        definitions.insert(name.as_str(), Definition::read(table, origin));
    }

    let names = (formats.names)();
    let context = Context {
        today,
        formats,
        reader_names: &names,
    };
    let mut whole = Whole {
        project: Project::default(),
        ids: BTreeSet::new(),
        checks: vec![],
        services: vec![],
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
pub(super) fn syntax<'a>(text: &'a str, source: usize, problems: &Collector) -> DeTable<'a> {
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

/// The manifest while it is put together.
pub(super) struct Whole<'p> {
    pub(super) project: Project,
    /// Every check that is declared, whatever is wrong with it.
    pub(super) ids: BTreeSet<String>,
    pub(super) checks: Vec<Read>,
    pub(super) services: Vec<ReadService>,
    pub(super) gates: Vec<ReadGate>,
    pub(super) waived: Vec<At<String>>,
    pub(super) problems: &'p Collector,
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
                "services" => {
                    let read = headers()
                        .map(|header| service::read(&header, lines.source(&header), context));
                    self.services.extend(read);
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
                        self.waived.push(At::key(&header));
                        self.project.waivers.extend(sections::waiver(
                            &header,
                            context.today,
                            lines,
                        ));
                    }
                }
                "ignore" => self.project.ignored = sections::ignored(section, library),
                "library" => {}
                "prove" => self.project.prove_copy = sections::prove(section),
                _ => section.unknown("a manifest", &SECTIONS),
            }
        }
        if !sections.iter().any(|section| section.key == "project") && !self.problems.is_broken(0) {
            let hint = "add it at the top:  [project]  name = \"…\"";
            self.problems
                .push(0, 0..0, "the manifest lacks `[project]`", Some(hint.into()));
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
                    .unwrap_or_else(|| "`ready list --library` shows those that there are".into());
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

/// The digest of a check's definition with its control: what the proof that it can fail is bound to.
pub fn proof_digest(check: &Check, services: &[Service]) -> String {
    let definition = definition_digest(check, services);
    let control = format!("{:?}", check.control);
    let both = [definition.as_bytes(), b"\0", control.as_bytes()].concat();
    format!("blake3:{}", blake3::hash(&both).to_hex())
}

/// The digest of a check's definition and of the services that it needs: what its evidence is bound to. The values of
/// their environments are in it, so that a changed one makes old evidence stale; the digest does not give them away.
/// Where the check stands how its tool is installed, which differs by system, and how it tells its version change nothing that is asked.
pub fn definition_digest(check: &Check, services: &[Service]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut asked = Check {
        source: Source::default(),
        ..check.clone()
    };
    if let Some(tool) = &mut asked.needs_tool {
        tool.install = None;
        tool.version = vec![];
    }
    let mut text = Vec::with_capacity(4096);
    // A check becomes JSON, whatever it holds.
    let _ = serde_json::to_writer(&mut text, &asked);
    hasher.update(&text);
    let environment = |env: &BTreeMap<String, String>, hasher: &mut blake3::Hasher| {
        for (name, value) in env {
            hasher.update(name.as_bytes()).update(&[0]);
            hasher.update(value.as_bytes()).update(&[0]);
        }
    };
    environment(&check.env, &mut hasher);
    let mut named = check.needs.iter().collect::<BTreeSet<_>>();
    let mut open = named.clone();
    while let Some(id) = open.pop_first() {
        let Some(service) = services.iter().find(|service| service.id == *id) else {
            continue;
        };
        hasher.update(&serde_json::to_vec(service).unwrap_or_default());
        environment(&service.env, &mut hasher);
        open.extend(service.needs.iter().filter(|need| named.insert(need)));
    }
    format!("blake3:{}", hasher.finalize().to_hex())
}
