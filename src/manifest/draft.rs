//! A manifest for a project that has none, out of what its files call for: text that a person goes on with, and that is
//! read like any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::detect::Found;
use super::library_check::LibraryCheck;
use super::sections::title;

const HEAD: &str = "\
# What must hold before this project ships, and how it is known. `ready check` runs it. `ready list --library` names
# further checks, `ready explain NAME` says what one does; `ready schema --help` how an editor completes what stands here.

";
/// What stands there where nothing was found that a gate could ask for.
const GATE: &str = "
# Without a gate every check must be verified. With one, this is enough:
# [gate]
# min_score     = 80           # percent that must be verified
# max_overclaim = 10           # points by which what is claimed may exceed that
";
const CLAIMS: &str = "
# What somebody says is done, to be held against what is verified:
# [claims]
# overall   = 90
# documents = [\"STATUS.md\"]   # Markdown that says what is done
";
/// The components whose checks must hold before somebody may try it.
const BEFORE_TRYING: [&str; 2] = ["tests", "build"];
const MORE: &str = r#"
# What no file tells must be written by hand, such as how a service is started, for the checks that name it in `needs`:
# [services.server]
# run     = ["python3", "-m", "uvicorn", "app.main:app", "--port", "{port}"]
# port    = 8000
# healthy = { http = "http://127.0.0.1:{port}/health", within = "30s" }

# [checks.health]
# says   = "The health check answers healthy"
# needs  = ["server"]
# http   = "http://127.0.0.1:{services.server.port}/health"
# expect = { json = { "$.status" = "healthy" } }
"#;

/// The text of a manifest that declares what was found.
pub fn draft(
    name: &str,
    found: &[Found],
    library: &[LibraryCheck],
    documents: Option<&[String]>,
) -> String {
    let library = library
        .iter()
        .map(|check| (check.name.as_str(), check))
        .collect::<BTreeMap<_, _>>();
    let mut text = format!("{HEAD}[project]\nname = {}\n", string(name));
    text += &match documents {
        Some(documents) => gates(found, &library, documents),
        None => GATE.to_string(),
    };
    text += &claims(documents.unwrap_or_default());
    let mut components = found
        .iter()
        .filter(|found| found.missing.is_empty())
        .filter_map(|found| library.get(found.check.as_str())?.component.as_deref())
        .collect::<Vec<_>>();
    components.sort_unstable();
    components.dedup();
    for (at, component) in components.iter().enumerate() {
        let more = match at {
            0 => {
                "# The rows of the table; each may have a `weight`, a `claim` in percent and an `owner`, too.\n"
            }
            _ => "",
        };
        let title = string(&title(component));
        put(
            &mut text,
            format_args!("\n{more}[components.{component}]\ntitle = {title}\n"),
        );
    }
    for found in found {
        let says = library
            .get(found.check.as_str())
            .map_or("", |check| check.says.as_str());
        let by = &found.file;
        put(&mut text, format_args!("\n# {says}: called for by {by}\n"));
        let says = found.place.as_deref().map(|place| match place {
            "." => format!("{says} (the top folder)"),
            place => format!("{says} ({place})"),
        });
        let declaration = Declaration {
            id: &found.id,
            says: says.as_deref(),
            component: None,
            check: &found.check,
            with: found.with.clone(),
        };
        if found.missing.is_empty() {
            text += &declaration.text();
            continue;
        }
        // It would not load: who knows what is missing takes the marks away.
        let mut declaration = declaration;
        for param in &found.missing {
            let help = param.help.as_deref().unwrap_or_default();
            put(
                &mut text,
                format_args!("# No file tells `{}`: {help}\n", param.name),
            );
            let value = format!("<{}>", param.name);
            declaration.with.insert(param.name.clone(), value);
        }
        for line in declaration.text().lines() {
            put(&mut text, format_args!("# {line}\n"));
        }
    }
    text + MORE
}

/// A gate for trying it and one for shipping it: each asks for checks by name, so that both can open, whatever the evidence
/// of these checks is worth.
fn gates(found: &[Found], library: &BTreeMap<&str, &LibraryCheck>, documents: &[String]) -> String {
    let complete = || found.iter().filter(|found| found.missing.is_empty());
    let list = |ids: &[&str]| {
        let ids = ids.iter().map(|id| string(id)).collect::<Vec<_>>();
        ids.join(", ")
    };
    let all = complete()
        .map(|found| found.id.as_str())
        .collect::<Vec<_>>();
    if all.is_empty() {
        return GATE.to_string();
    }
    let first = complete().filter(|found| {
        let component = library
            .get(found.check.as_str())
            .and_then(|check| check.component.as_deref());
        component.is_some_and(|component| BEFORE_TRYING.contains(&component))
    });
    let first = first.map(|found| found.id.as_str()).collect::<Vec<_>>();
    let mut text = "\n# What must be verified before what. `ready check --gate staging` lets one gate decide; without, all must be open.\n".to_string();
    if !first.is_empty() {
        let first = list(&first);
        put(
            &mut text,
            format_args!(
                "[gates.staging]\nsays    = \"Deploy to staging for testing\"\nrequire = [{first}]\n\n"
            ),
        );
    }
    let all = list(&all);
    put(
        &mut text,
        format_args!("[gates.production]\nsays    = \"Deploy to production\"\nrequire = [{all}]\n"),
    );
    if !documents.is_empty() {
        text += "no_contradicted = true         # the evidence contradicts nothing that the documents claim\n";
    }
    text
}

/// The documents that claim something.
fn claims(documents: &[String]) -> String {
    if documents.is_empty() {
        return CLAIMS.to_string();
    }
    let documents = documents
        .iter()
        .map(|name| string(name))
        .collect::<Vec<_>>();
    format!(
        "\n# Documents that say what is done: `ready claims` holds each sentence against what is verified.\n[claims]\ndocuments = [{}]\n",
        documents.join(", ")
    )
}

/// A check of the library as a manifest declares it.
#[derive(Clone, Debug, Default)]
pub struct Declaration<'a> {
    /// The check's id in the manifest.
    pub id: &'a str,
    /// Its statement, where that is not the library's.
    pub says: Option<&'a str>,
    /// Its component, where that is not the library's.
    pub component: Option<&'a str>,
    /// The library check.
    pub check: &'a str,
    /// Its parameters, where they are not as the library has them.
    pub with: BTreeMap<String, String>,
}

impl Declaration<'_> {
    /// The table, as TOML.
    pub(super) fn text(&self) -> String {
        let mut text = format!("[checks.{}]\n", key(self.id));
        let pairs = self
            .with
            .iter()
            .map(|(param, value)| format!("{} = {}", key(param), string(value)))
            .collect::<Vec<_>>()
            .join(", ");
        let keys = [
            ("component", self.component.map(string)),
            ("says", self.says.map(string)),
            ("use", Some(string(self.check))),
            (
                "with",
                (!pairs.is_empty()).then(|| format!("{{ {pairs} }}")),
            ),
        ];
        let keys = keys
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect::<Vec<_>>();
        let widest = keys.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, value) in keys {
            put(&mut text, format_args!("{key:widest$} = {value}\n"));
        }
        text
    }
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(more);
}

/// A string as TOML has it.
fn string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML has it.
fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !text.is_empty() && text.chars().all(bare) {
        true => text.to_string(),
        false => string(text),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::detect::{Files, find};
    use super::super::library_check::parse_library_check;
    use super::*;

    #[test]
    fn a_check_that_needs_more_than_files_tell_is_a_comment() {
        let text = "says = \"It \\\"answers\\\"\"\ncomponent = \"api\"\n[detect]\nfiles = \"**/app.py\"\nsets = { file = \"file\" }\n[params]\nfile = {}\nurl = { help = \"where it answers\" }\n[probe]\nhttp = \"{url}\"\n";
        let check = parse_library_check("answers", "answers.toml", text, false).unwrap();
        let list = ["a/app.py", "gone/app.py"];
        let project = Files {
            list: &list,
            exists: &|file| !file.starts_with("gone"),
            read: &|_| None,
        };
        let found = find(std::slice::from_ref(&check), project);
        let [one] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(one.missing.len(), 1);
        let manifest = draft("it's \"x\"", &found, &[check], None);
        let block = "\
# It \"answers\": called for by a/app.py
# No file tells `url`: where it answers
# [checks.answers]
# use  = \"answers\"
# with = { file = \"a/app.py\", url = \"<url>\" }
";
        assert!(manifest.contains(block), "{manifest}");
        let read = toml::from_str::<toml::Table>(&manifest).unwrap();
        assert_eq!(read.len(), 1, "{manifest}");
        assert_eq!(read["project"]["name"].as_str(), Some("it's \"x\""));
    }
}
