//! `detect` of library checks: which of a project's files show that it wants the check, and what the check is then given.
//! Pure: a list of files goes in, what was found comes out; the text of a file is asked for only where a rule needs it.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::Regex;
use serde::Deserialize;

use super::item::Item;
use super::library_check::{LibraryCheck, Param};
use super::values::one_of;

/// Which files call for a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detect {
    /// Patterns of files; where several match, the first pattern's is the one that is named.
    files: Vec<String>,
    /// Patterns of files that do not count.
    except: Vec<String>,
    /// Regular expressions, each of which matches the text of a file that counts.
    contains: Vec<String>,
    /// Regular expressions, none of which does.
    lacks: Vec<String>,
    /// Names of files that mark the folder that is meant, at or above the file that was found.
    root: Vec<String>,
    /// Whether a folder within one that was found is left to that one.
    outermost: bool,
    /// The parameters that are set. None: one check for the whole project.
    sets: BTreeMap<String, Place>,
}

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The folder: of the file, or the root above it.
    Folder,
    /// A path in that folder.
    Within(String),
    /// The file itself.
    File,
}

/// A check that the project's files call for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The library check.
    pub check: String,
    /// An id for it, distinct among all that were found.
    pub id: String,
    /// Its parameters that are not as the library has them.
    pub with: BTreeMap<String, String>,
    /// Parameters that must be set and that no file tells.
    pub missing: Vec<Param>,
    /// The file that shows it.
    pub file: String,
    /// Where it is, if the same check was found in several places.
    pub place: Option<String>,
}

impl Detect {
    /// The patterns of files that it looks for.
    #[cfg(test)]
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// Reads `detect`; `params` are the names that it may set.
    pub(super) fn read<'p>(
        item: &Item<'_>,
        params: impl Iterator<Item = &'p str> + Clone,
    ) -> Option<Detect> {
        const KNOWN: [&str; 7] = [
            "files",
            "except",
            "contains",
            "lacks",
            "root",
            "outermost",
            "sets",
        ];
        let mut detect = Detect::default();
        for field in item.table()? {
            match field.key {
                "files" => detect.files = globs(&field),
                "except" => detect.except = globs(&field),
                "root" => detect.root = globs(&field),
                "contains" => detect.contains = patterns(&field),
                "lacks" => detect.lacks = patterns(&field),
                "outermost" => detect.outermost = field.boolean().unwrap_or(false),
                "sets" if !field.is_table() => field.problem(
                    "`sets` must say what each parameter is set to",
                    Some("write it like `{ path = \"folder\" }` or `{ path = \"file\" }`".into()),
                ),
                "sets" => {
                    for param in field.table().into_iter().flatten() {
                        if !params.clone().any(|known| known == param.key) {
                            param.unknown("`[params]`", &params.clone().collect::<Vec<_>>());
                        }
                        let place =
                            one_of(&param, &["folder", "file", "folder/NAME"], Place::parse);
                        let set = place.map(|place| (param.key.to_string(), place));
                        detect.sets.extend(set);
                    }
                }
                _ => field.unknown("`detect`", &KNOWN),
            }
        }
        if !item.has("files") {
            item.problem(
                "`detect` names no files",
                Some("write it like `detect = { files = \"**/nginx.conf\", sets = { file = \"file\" } }`".into()),
            );
        }
        Some(detect)
    }
}

impl Place {
    fn parse(word: &str) -> Option<Place> {
        match word {
            "folder" => Some(Place::Folder),
            "file" => Some(Place::File),
            _ => {
                let path = word.strip_prefix("folder/")?;
                (!path.is_empty()).then(|| Place::Within(path.to_string()))
            }
        }
    }

    /// What a parameter is set to, of a file in a folder.
    fn value(&self, file: &str, folder: &str) -> String {
        match self {
            Place::Folder => argument(folder),
            Place::Within(path) => argument(format!("{folder}/{path}").trim_start_matches('/')),
            Place::File => argument(file),
        }
    }
}

fn globs(item: &Item<'_>) -> Vec<String> {
    let glob = |element: &Item<'_>| {
        let pattern = element.string()?;
        match GlobBuilder::new(&pattern).literal_separator(true).build() {
            Ok(_) => Some(pattern),
            Err(error) => {
                let message = format!("`{pattern}` is not a file pattern: {}", error.kind());
                element.problem(message, None);
                None
            }
        }
    };
    item.elements().iter().filter_map(glob).collect()
}

fn patterns(item: &Item<'_>) -> Vec<String> {
    item.elements().iter().filter_map(Item::pattern).collect()
}

/// The patterns of files in the text of a definition, found without reading all of it; none where there are none.
pub(super) fn files_of(text: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Part {
        detect: Files,
    }
    #[derive(Deserialize)]
    struct Files {
        files: OneOrMore,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    let starts = |line: &str, word: &str| line.starts_with(word);
    let mut lines = text.lines().skip_while(|line| {
        !(starts(line, "[detect]") || starts(line, "detect ") || starts(line, "detect="))
    });
    let first = lines.next().unwrap_or_default();
    let rest = lines.take_while(|line| starts(first, "[") && !starts(line, "["));
    let part = std::iter::once(first).chain(rest).collect::<Vec<_>>();
    match toml::from_str::<Part>(&part.join("\n")).map(|part| part.detect.files) {
        Ok(OneOrMore::One(pattern)) => vec![pattern],
        Ok(OneOrMore::More(patterns)) => patterns,
        Err(_) => vec![],
    }
}

/// For each list of patterns whether any of the files matches one.
pub(super) fn matching(patterns: &[Vec<String>], files: &[&str]) -> Vec<bool> {
    let ends = Ends::of(patterns.iter().flatten());
    let files = files.iter().filter(|file| ends.may_match(file));
    let files = files.collect::<Vec<_>>();
    let (mut any, mut found) = (vec![false; patterns.len()], vec![]);
    if files.is_empty() {
        // Compiling the patterns is a third of what a run of one check costs.
        return any;
    }
    let set = globset(patterns.iter().flatten());
    let owners = patterns.iter().enumerate();
    let owners = owners.flat_map(|(at, patterns)| patterns.iter().map(move |_| at));
    let owners = owners.collect::<Vec<_>>();
    for file in files {
        set.matches_into(file, &mut found);
        found.iter().for_each(|at: &usize| any[owners[*at]] = true);
    }
    any
}

/// What the names of files that match some patterns begin and end with. Most files of a project are called like none of them,
/// which is told in a tenth of the time that matching takes.
struct Ends<'p> {
    /// Head and tail, by the last byte of the tail; none where the tail is open.
    by_last: BTreeMap<Option<u8>, BTreeSet<(&'p str, &'p str)>>,
}

impl<'p> Ends<'p> {
    fn of(patterns: impl Iterator<Item = &'p String>) -> Ends<'p> {
        const WILD: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];
        let mut by_last = BTreeMap::<_, BTreeSet<_>>::new();
        for pattern in patterns {
            // Braces may hold slashes: of those nothing is told.
            let name = match pattern.contains('{') {
                true => "*",
                false => pattern.rsplit('/').next().unwrap_or_default(),
            };
            let head = name.split(WILD).next().unwrap_or_default();
            let tail = name.rsplit(WILD).next().unwrap_or_default();
            let last = tail.bytes().last();
            by_last.entry(last).or_default().insert((head, tail));
        }
        Ends { by_last }
    }

    fn may_match(&self, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or_default();
        let fits = |ends: &BTreeSet<(&str, &str)>| {
            let mut ends = ends.iter();
            ends.any(|(head, tail)| name.starts_with(head) && name.ends_with(tail))
        };
        let closed = name.bytes().last().map(Some);
        let known = closed.into_iter().chain([None]);
        known.filter_map(|last| self.by_last.get(&last)).any(fits)
    }
}

/// The files of a project, relative to it, with `/` between their parts.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Those that are the project's own.
    pub list: &'a [&'a str],
    /// Whether one is there: one that git knows may be gone.
    pub exists: &'a dyn Fn(&str) -> bool,
    /// The text of one, or as much of it as tells what it is; none where it cannot be read.
    pub read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

/// So many bytes are read for one rule. What no file among them tells is not found: looking may not take longer than
/// checking.
const READ: usize = 32 << 20;

/// Finds what the files call for, in the order of the checks and of the files.
pub fn find(checks: &[LibraryCheck], project: Files<'_>) -> Vec<Found> {
    if checks.is_empty() {
        return vec![];
    }
    let mut files = project.list.to_vec();
    files.sort_unstable();
    let foreign = foreign_folders(&files);

    let rules = checks
        .iter()
        .filter_map(|check| {
            let detect = check.detect.as_ref()?;
            Some(Rule { check, detect })
        })
        .collect::<Vec<_>>();
    // One pass over the files for the patterns of all rules.
    let set = globset(rules.iter().flat_map(|rule| &rule.detect.files));
    let mut matching = vec![vec![]; set.len()];
    let mut patterns = vec![];
    for file in &files {
        set.matches_into(file, &mut patterns);
        // Few match: only of those it is asked whose they are.
        if !patterns.is_empty() && is_own(file, &foreign) {
            patterns
                .iter()
                .for_each(|at: &usize| matching[*at].push(*file));
        }
    }
    if matching.iter().all(Vec::is_empty) {
        return vec![];
    }
    files.retain(|file| is_own(file, &foreign));
    let mut matching = matching.into_iter();
    let mut found = vec![];
    for rule in &rules {
        let candidates = matching.by_ref().take(rule.detect.files.len()).flatten();
        found.extend(places(rule, candidates, &files, project));
    }
    with_distinct_ids(&mut found);
    found
}

/// A library check with what it is detected by.
struct Rule<'a> {
    check: &'a LibraryCheck,
    detect: &'a Detect,
}

/// Where a check is called for: the file that shows it, and the folder that is meant.
fn places<'f>(
    rule: &Rule<'_>,
    candidates: impl Iterator<Item = &'f str>,
    files: &[&'f str],
    project: Files<'_>,
) -> Vec<Found> {
    let detect = rule.detect;
    let except = globset(&detect.except);
    let (contains, lacks) = (regexes(&detect.contains), regexes(&detect.lacks));
    let mut left = READ;
    let mut counts = |file: &str| {
        if except.is_match(file) {
            return false;
        }
        if contains.is_empty() && lacks.is_empty() {
            return (project.exists)(file);
        }
        let text = (left > 0).then(|| (project.read)(file)).flatten();
        text.is_some_and(|text| {
            left = left.saturating_sub(text.len());
            contains.iter().all(|pattern| pattern.is_match(&text))
                && !lacks.iter().any(|pattern| pattern.is_match(&text))
        })
    };
    let roots = detect.roots(files);
    let mut places: Vec<(&str, &str)> = vec![];
    for file in candidates {
        let folder = root(folder(file), &roots);
        let known = |(other, at): &(&str, &str)| detect.same((file, folder), (other, at));
        if !places.iter().any(known) && counts(file) {
            places.push((file, folder));
        }
    }
    if detect.outermost {
        let folders = places.iter().map(|(_, folder)| *folder).collect::<Vec<_>>();
        places.retain(|(_, folder)| !folders.iter().any(|outer| is_within(folder, outer)));
    }
    places.sort_by_key(|(file, folder)| (*folder, *file));

    let several = places.len() > 1;
    let folders = places.iter().map(|(_, folder)| *folder).collect::<Vec<_>>();
    let found = |(file, folder): (&str, &str)| {
        let alone = folders.iter().filter(|other| **other == folder).count() == 1;
        let place = if alone { folder } else { file };
        let sets = detect
            .sets
            .iter()
            .map(|(param, place)| (param.clone(), place.value(file, folder)));
        let differs = |(param, value): &(String, String)| {
            let is_default =
                |known: &Param| known.name == *param && known.default.as_ref() == Some(value);
            !rule.check.params.iter().any(is_default)
        };
        let missing = rule
            .check
            .params
            .iter()
            .filter(|param| param.default.is_none() && !detect.sets.contains_key(&param.name));
        Found {
            check: rule.check.name.clone(),
            id: match several {
                true => slug(&rule.check.name, place),
                false => rule.check.name.clone(),
            },
            with: sets.filter(differs).collect(),
            missing: missing.cloned().collect(),
            file: file.to_string(),
            place: several.then(|| argument(place)),
        }
    };
    places.iter().copied().map(found).collect()
}

impl Detect {
    /// Whether two files mean the same check.
    fn same(&self, one: (&str, &str), other: (&str, &str)) -> bool {
        let by_file = self.sets.values().any(|place| *place == Place::File);
        let by_folder = self.sets.values().any(|place| *place != Place::File);
        (one.0 == other.0 || !by_file) && (one.1 == other.1 || !by_folder)
    }

    /// The folders that are roots; none where the folder of the file is the one that is meant.
    fn roots<'f>(&self, files: &[&'f str]) -> Option<BTreeSet<&'f str>> {
        if self.root.is_empty() {
            return None;
        }
        let names = globset(&self.root);
        let marks = |file: &&&str| names.is_match(file.rsplit('/').next().unwrap_or_default());
        Some(
            files
                .iter()
                .filter(marks)
                .map(|file| folder(file))
                .collect(),
        )
    }
}

/// The nearest root at or above the folder, else the top.
fn root<'f>(folder: &'f str, roots: &Option<BTreeSet<&'f str>>) -> &'f str {
    match roots {
        None => folder,
        Some(roots) => ancestors(folder)
            .find(|folder| roots.contains(folder))
            .unwrap_or_default(),
    }
}

/// A file's folder; empty for the top.
fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder and those above it; not the top.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    let folders = std::iter::successors(Some(folder), |folder| {
        folder.rsplit_once('/').map(|(above, _)| above)
    });
    folders.filter(|folder| !folder.is_empty())
}

/// Whether a folder lies in another one, not being it.
fn is_within(folder: &str, outer: &str) -> bool {
    folder != outer && (outer.is_empty() || ancestors(folder).any(|above| above == outer))
}

/// A path as a program takes it: never empty, and never like an option.
fn argument(path: &str) -> String {
    match path {
        "" => ".".to_string(),
        path if path.starts_with('-') => format!("./{path}"),
        path => path.to_string(),
    }
}

/// An id for a check in a place.
fn slug(check: &str, place: &str) -> String {
    let place = place.to_lowercase();
    let words = place
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(check)
        .chain(words)
        .collect::<Vec<_>>()
        .join("-")
}

/// Numbers the ids that occur again.
fn with_distinct_ids(found: &mut [Found]) {
    let mut taken = BTreeSet::new();
    for found in found {
        let candidates = (2..).map(|number| format!("{}-{number}", found.id));
        let mut candidates = std::iter::once(found.id.clone()).chain(candidates);
        if let Some(id) = candidates.find(|id| !taken.contains(id)) {
            taken.insert(id.clone());
            found.id = id;
        }
    }
}

/// Folders of what others wrote or programs made, wherever they are.
const FOREIGN: [&str; 8] = [
    ".git",
    ".ready",
    "node_modules",
    "bower_components",
    "vendor",
    "site-packages",
    ".tox",
    ".nox",
];
/// Files by which a folder shows that it is a virtual environment, a cache such as Cargo's `target`, or a project with a
/// manifest of its own.
const MARKS: [&str; 3] = ["pyvenv.cfg", "CACHEDIR.TAG", super::FILE];

fn foreign_folders<'f>(files: &[&'f str]) -> BTreeSet<&'f str> {
    let marked = files.iter().filter(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        MARKS.contains(&name)
    });
    marked.map(|file| folder(file)).collect()
}

/// Whether a file is the project's own. Braces in a path are those of a template's names: nothing in it runs as it is.
fn is_own(file: &str, foreign: &BTreeSet<&str>) -> bool {
    !file.contains(['{', '}'])
        && !file.contains(char::is_control)
        && !folder(file).split('/').any(|name| FOREIGN.contains(&name))
        && (foreign.is_empty() || !ancestors(folder(file)).any(|above| foreign.contains(above)))
}

/// Patterns that were read compile: they were looked at then.
fn globset<'p>(patterns: impl IntoIterator<Item = &'p String>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

fn regexes(patterns: &[String]) -> Vec<Regex> {
    patterns
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
}
