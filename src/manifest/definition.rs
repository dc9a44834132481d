//! Library definitions that a manifest uses: their keys and parameters.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::Library;
use super::detect::Detect;
use super::item::{Item, Origin, items};
use super::library_check::seen;
use super::problem::SourceText;
use super::project::ReadFolder;

/// Adds the check folders that `[library]` names.
pub(super) fn library_folders(
    section: &Item<'_>,
    library: &mut Library,
    read_folder: ReadFolder<'_>,
) {
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

/// The library definitions that the manifest uses and those of its own folders, and their texts.
pub(super) struct Used {
    pub(super) names: Vec<String>,
    pub(super) texts: Vec<String>,
}

/// The definitions that checks name in `use`, and all of the manifest's own folders; their texts become sources of problems.
pub(super) fn used_definitions(
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
    let own = library.own_names().map(str::to_string);
    for name in names.chain(own).collect::<BTreeSet<_>>() {
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
pub(super) struct Definition<'a> {
    pub(super) keys: Vec<Item<'a>>,
    params: BTreeMap<String, Option<String>>,
    pub(super) detect: Option<Detect>,
}

impl<'a> Definition<'a> {
    pub(super) fn read(table: &'a DeTable<'a>, origin: Origin<'a>) -> Definition<'a> {
        const KNOWN: [&str; 18] = [
            "says",
            "component",
            "level",
            "tags",
            "priority",
            "risk",
            "fix",
            "max_age",
            "os",
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
        const OF_PROBE: [&str; 20] = [
            "run",
            "shell",
            "files",
            "reader",
            "http",
            "method",
            "headers",
            "body",
            "redirects",
            "file",
            "variable",
            "in",
            "manual",
            "expect",
            "limits",
            "cwd",
            "env",
            "secrets",
            "listen",
            "cleanup",
        ];
        let mut definition = Definition {
            keys: vec![],
            params: BTreeMap::new(),
            detect: None,
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
                // Read below, when the parameters are known.
                "detect" => {}
                // What a person looks up; a check that uses the definition has no part in them.
                "doc" => _ = item.string(),
                "seen" => _ = seen(&item),
                key if KNOWN.contains(&key) => definition.keys.push(item),
                _ => item.unknown("a library check", &KNOWN),
            }
        }
        if let Some(item) = items(table, origin).find(|item| item.key == "detect") {
            let params = definition.params.keys().map(String::as_str);
            definition.detect = Detect::read(&item, params);
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

/// The definition's parameters with the values that `with` gives them.
pub(super) fn parameters(
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
