//! The real tools that tests run, as `tests/tools.sh` fetched them. A test never goes without its tool in silence: with
//! `CI=true` it fails, else it says so in the file that `tests/run.sh` prints at the end.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder into which `tests/tools.sh` fetches.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/tools")
}

/// The tools of those names, each with its path; none where one is missing, which is noted for `test`.
pub(crate) fn find(test: &str, names: &[&str]) -> Option<Vec<PathBuf>> {
    let fetched = [
        cache().join("python/bin"),
        cache().join("checkers/bin"),
        cache().join("semgrep/bin"),
        cache().join("cargo/bin"),
        cache().join("node/node_modules/.bin"),
        cache().join("node-tools/node_modules/.bin"),
    ];
    let installed = std::env::var_os("PATH").unwrap_or_default();
    let folders = fetched
        .into_iter()
        .chain(std::env::split_paths(&installed))
        .collect::<Vec<_>>();
    let mut found = vec![];
    for name in names {
        match folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
        {
            Some(file) => found.push(file),
            None => {
                without(test, name);
                return None;
            }
        }
    }
    Some(found)
}

/// Notes that a test goes without its tool.
pub(crate) fn without(test: &str, tool: &str) {
    let line = format!("{test}: no {tool}");
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{line} (run `sh tests/tools.sh` first)"
    );
    if let Some(file) = std::env::var_os("READY_TESTS_WITHOUT_TOOL") {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// The folders of these programs, and those of the system: a `PATH`.
pub(crate) fn path(programs: &[PathBuf]) -> OsString {
    let mut folders: Vec<_> = programs
        .iter()
        .map(|program| program.parent().unwrap().to_path_buf())
        .collect();
    folders.extend(["/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"].map(PathBuf::from));
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    std::env::join_paths(folders).unwrap()
}

/// A folder for PATH that holds these programs and nothing else.
#[cfg(unix)]
pub(crate) fn only(folder: &Path, programs: &[PathBuf]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    for program in programs {
        std::os::unix::fs::symlink(program, folder.join(program.file_name().unwrap())).unwrap();
    }
    folder.to_path_buf()
}
