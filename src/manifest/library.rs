//! The library: check definitions as data, one file each, built into the binary, and those of folders that a manifest
//! names. Nothing is parsed before a manifest uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::detect;
use super::library_check::{LibraryCheck, parse_library_check};
use super::problem::Problems;

/// A definition's name and the text of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The file's name without `.toml`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Every definition that a manifest can use.
#[derive(Clone, Debug)]
pub struct Library {
    folders: BTreeMap<String, (PathBuf, String)>,
}

impl Library {
    /// The built-in definitions alone.
    pub fn built_in() -> Library {
        Library {
            folders: BTreeMap::new(),
        }
    }

    /// Adds the definitions of a folder; one of the same name takes the place of a built-in one. Hidden files and
    /// those that are not `.toml` are left out.
    ///
    /// # Errors
    /// The folder or one of its files cannot be read.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<(), String> {
        let wrong = |path: &Path, error: std::io::Error| {
            format!("cannot read `{}`: {error}", path.display())
        };
        let mut files = vec![];
        for entry in std::fs::read_dir(folder).map_err(|error| wrong(folder, error))? {
            let path = entry.map_err(|error| wrong(folder, error))?.path();
            if is_definition(&path) {
                let text = std::fs::read_to_string(&path).map_err(|error| wrong(&path, error))?;
                files.push((path.display().to_string(), text));
            }
        }
        self.add_files(files);
        Ok(())
    }

    /// Adds the definitions among these files, by their paths.
    pub(super) fn add_files(&mut self, files: Vec<(String, String)>) {
        for (path, text) in files {
            let path = PathBuf::from(path);
            let name = path.file_stem().and_then(|name| name.to_str());
            if let Some(name) = name.filter(|_| is_definition(&path)) {
                self.folders.insert(name.to_string(), (path.clone(), text));
            }
        }
    }

    /// The names of the definitions of folders.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        self.folders.keys().map(String::as_str)
    }

    /// The file name (as shown in problems) and the text of a definition.
    pub fn get(&self, name: &str) -> Option<(String, String)> {
        if let Some((path, text)) = self.folders.get(name) {
            return Some((path.display().to_string(), text.clone()));
        }
        let built_in = BUILT_IN.iter().find(|definition| definition.name == name)?;
        Some((
            format!("checks/{name}.toml (built in)"),
            built_in.text.to_string(),
        ))
    }

    /// Every definition with what it says of itself, by name.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong.
    pub fn checks(&self) -> Result<Vec<LibraryCheck>, Problems> {
        self.names()
            .into_iter()
            .filter_map(|name| self.check(name).transpose())
            .collect()
    }

    /// The definitions that some of these files may call for, by their names alone, with what they say of themselves, and all of
    /// the manifest's own folders. Of the others no more is read than that, which takes a tenth of the time.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong.
    pub fn checks_for(&self, files: &[&str]) -> Result<Vec<LibraryCheck>, Problems> {
        let patterns = BUILT_IN
            .iter()
            .map(|built_in| detect::files_of(built_in.text));
        let matching = detect::matching(&patterns.collect::<Vec<_>>(), files);
        let named = BUILT_IN.iter().zip(matching).filter(|(_, any)| *any);
        let named = named.map(|(built_in, _)| built_in.name);
        let names = named.chain(self.own_names()).collect::<BTreeSet<_>>();
        names
            .into_iter()
            .filter_map(|name| self.check(name).transpose())
            .collect()
    }

    /// A definition with what it says of itself; none where there is none of that name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, name: &str) -> Result<Option<LibraryCheck>, Problems> {
        let text = self.get(name);
        let built_in = !self.folders.contains_key(name);
        text.map(|(file, text)| parse_library_check(name, &file, &text, built_in))
            .transpose()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names = self
            .folders
            .keys()
            .map(String::as_str)
            .chain(BUILT_IN.iter().map(|d| d.name))
            .collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Whether a file is a definition, by its name: one that is hidden is none.
fn is_definition(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str());
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    is_toml && name.is_some_and(|name| !name.starts_with('.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A run reads those whole that the files call for: those that it leaves out must be those that do not.
    #[test]
    fn what_files_call_for_is_read_and_nothing_else() {
        let library = Library::built_in();
        for definition in library.checks().unwrap() {
            let patterns = detect::files_of(&library.get(&definition.name).unwrap().1);
            let whole = definition.detect.map(|detect| detect.files().to_vec());
            assert_eq!(patterns, whole.unwrap_or_default(), "{}", definition.name);
        }
        let names = |files: &[&str]| {
            let checks = library.checks_for(files).unwrap();
            checks
                .into_iter()
                .map(|check| check.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&["a/notes.txt", "notes", ""]), Vec::<String>::new());
        let braces = [vec!["{a/b,c}.yml".to_string()]];
        assert_eq!(detect::matching(&braces, &["c.yml"]), [true]);
        assert_eq!(
            names(&["a/Dockerfile.dev", "b/.env.local"]),
            ["docker-build", "env-files"]
        );
        assert_eq!(
            names(&["a/nginx.conf", "Cargo.lock"]),
            ["cargo-audit", "nginx-config"]
        );
    }

    /// Names that end otherwise than its patterns are passed over.
    #[test]
    fn no_name_is_passed_over_that_a_pattern_matches() {
        for definition in BUILT_IN {
            for pattern in detect::files_of(definition.text) {
                let name = pattern.replace("**/", "a/b/").replace('*', "c.d");
                let patterns = [vec![pattern]];
                assert_eq!(detect::matching(&patterns, &[&name]), [true], "{name}");
            }
        }
    }

    /// They are not compiled when a run looks for what files call for.
    #[test]
    fn every_pattern_of_what_is_built_in_compiles() {
        for Definition { name, text } in BUILT_IN {
            parse_library_check(name, name, text, false).unwrap();
        }
    }
}
