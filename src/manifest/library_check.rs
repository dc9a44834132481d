//! A library check as a person looks it up: everything that its file says of itself.

use std::time::Duration;

use toml::de::DeTable;

use super::definition::Definition;
use super::detect::Detect;
use super::item::{Item, Origin, items};
use super::keys::PROBES;
use super::problem::{Collector, Problems, SourceText};
use super::project::syntax;
use super::values::{Install, install, level};
use crate::domain::interpolate;
use crate::domain::level::Level;

/// What the file of a library check says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LibraryCheck {
    /// Its name, which `use` takes.
    pub name: String,
    /// Its file, as problems name it.
    pub file: String,
    /// Its statement.
    pub says: String,
    /// The component that it counts for where a manifest names none.
    pub component: Option<String>,
    /// How strong its evidence is, where that is not by its probe.
    pub level: Option<Level>,
    /// What it does and what it cannot tell, for a person.
    pub doc: String,
    /// What `with` sets.
    pub params: Vec<Param>,
    /// Its probe: the key, and what that is given; parameters as `{name}`.
    pub probe: Option<(String, Vec<String>)>,
    /// What reads the results.
    pub reader: Option<String>,
    /// The program that it needs, with its parameters' defaults put in, and how a person gets it.
    pub tool: Option<(String, Install)>,
    /// The program that does the work, where `tool` only starts it: `seen` is a version of it.
    pub worker: Option<String>,
    /// How long mending takes, as a rule.
    pub takes: Option<Duration>,
    /// How to mend what it finds.
    pub how: Option<String>,
    /// The version of its tool that it was tried with.
    pub seen: Option<Seen>,
    /// Which files call for it.
    pub detect: Option<Detect>,
}

/// A parameter of a library check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its value where `with` does not set it; none where it must.
    pub default: Option<String>,
    /// What it is.
    pub help: Option<String>,
}

/// Whether a check was ever tried with its real tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// With this version of it.
    With(String),
    /// Never.
    Never,
}

/// Reads what a library check says of itself. `file` is how problems name it; `built_in`: tests have tried its patterns.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parse_library_check(
    name: &str,
    file: &str,
    text: &str,
    built_in: bool,
) -> Result<LibraryCheck, Problems> {
    let problems = Collector::default();
    let document = syntax(text, 0, &problems);
    let origin = Origin {
        problems: &problems,
        source: 0,
        built_in,
    };
    let check = read(name, file, &document, origin);
    if problems.is_empty() {
        return Ok(check);
    }
    let source = SourceText {
        name: file.to_string(),
        text: text.to_string(),
    };
    Err(Problems::new(vec![source], problems.into_list()))
}

/// As [`parse_library_check`], with the mistakes noted elsewhere.
pub(super) fn read<'a>(
    name: &str,
    file: &str,
    document: &'a DeTable<'a>,
    origin: Origin<'a>,
) -> LibraryCheck {
    let mut check = LibraryCheck {
        name: name.to_string(),
        file: file.to_string(),
        detect: Definition::read(document, origin).detect,
        ..LibraryCheck::default()
    };
    for item in items(document, origin) {
        match item.key {
            "says" => check.says = item.string().unwrap_or_default(),
            "component" => check.component = item.string(),
            "level" => check.level = level(&item),
            "doc" => check.doc = item.string().unwrap_or_default().trim().to_string(),
            "seen" => check.seen = seen(&item),
            "params" => check.params = fields(&item).map(|item| param(&item)).collect(),
            "probe" => {
                let of_probe = |key: &str| fields(&item).find(|field| field.key == key);
                let probe = PROBES.iter().find_map(|key| of_probe(key));
                check.probe = probe.map(|item| (item.key.to_string(), words(&item)));
                check.reader = of_probe("reader").map(|item| match item.is_string() {
                    true => words(&item).join(" "),
                    // The first says which it is, queries may follow.
                    false => fields(&item).map(|field| field.key).take(1).collect(),
                });
            }
            "needs_tool" => {
                let field = |key: &str| fields(&item).find(|field| field.key == key);
                let name = field("name").and_then(|name| name.string());
                let install = field("install")
                    .map(|item| install(&item))
                    .unwrap_or_default();
                let version = field("version");
                let version = version.map(|item| item.elements()).unwrap_or_default();
                let version = version.iter().filter_map(Item::string);
                check.worker = worker(&version.collect::<Vec<_>>());
                check.tool = name.map(|name| (name, install));
            }
            "fix" => {
                let field = |key: &str| fields(&item).find(|field| field.key == key);
                check.takes = field("takes").and_then(|item| item.duration(true));
                check.how = field("how").and_then(|item| item.string());
            }
            _ => {}
        }
    }
    if let Some((name, _)) = &mut check.tool {
        let defaults = check.params.iter();
        let defaults =
            defaults.filter_map(|param| Some((param.name.clone(), param.default.clone()?)));
        if let Ok(filled) = interpolate::parameters(name, &defaults.collect(), &[]) {
            *name = filled;
        }
    }
    check
}

/// What a command asks for its version: `pytest` of `python3 -m pytest --version`, `jest` of `npx --no-install jest --version`.
fn worker(version: &[String]) -> Option<String> {
    let (starter, mut rest) = match version {
        [starter, rest @ ..] => (starter.as_str(), rest.iter()),
        [] => return None,
    };
    match starter {
        "npx" => rest.find(|word| !word.starts_with('-')).cloned(),
        starter if starter.starts_with('{') => {
            rest.find(|word| *word == "-m")?;
            rest.next().cloned()
        }
        starter => Some(starter.to_string()),
    }
}

fn fields<'a>(item: &Item<'a>) -> impl Iterator<Item = Item<'a>> {
    item.table().into_iter().flatten()
}

fn param(item: &Item<'_>) -> Param {
    let field = |key: &str| fields(item).find(|field| field.key == key);
    Param {
        name: item.key.to_string(),
        default: field("default").and_then(|item| item.scalar()),
        help: field("help").and_then(|item| item.string()),
    }
}

/// The words of a probe's value: a command line, a URL, a pattern, a name.
fn words(item: &Item<'_>) -> Vec<String> {
    let words = item.elements().into_iter();
    words.filter_map(|item| item.scalar()).collect()
}

/// `seen`: a version, or `false`.
pub(super) fn seen(item: &Item<'_>) -> Option<Seen> {
    if item.is_string() {
        return item.string().map(Seen::With);
    }
    if item.json() == Some(false.into()) {
        return Some(Seen::Never);
    }
    let hint = "write the version of the tool that it was tried with as a string, or `false`";
    item.problem("`seen` must say which version was seen", Some(hint.into()));
    None
}
