//! The state of a repository's files as git sees it, with what differs from the commit as it is on disk: links as links,
//! repositories inside of it by their own state, and files that git was told not to look at, all the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::index::{self, Index};
use super::{Entries, Paths, Tree, git, mode, path};

/// What git says of a repository.
pub(super) struct State {
    pub(super) commit: Option<String>,
    /// Path → mode and content id of every file, and the paths that differ from the commit; none where that cannot be told.
    pub(super) contents: Option<(Entries, Paths)>,
    /// The paths that git ignores: files, and folders as a whole with a `/` at their end.
    pub(super) ignored: Paths,
}

/// The state of the repository at `top`, without the files in `left_out` (absolute).
pub(super) fn state(top: &Path, left_out: &[PathBuf]) -> State {
    // The one asks the index, the other looks at every file: beside each other.
    let (index, status) = std::thread::scope(|scope| {
        let status = [
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ignored=matching",
            "--no-renames",
            "--ignore-submodules=none",
        ];
        let status = scope.spawn(move || git(top, &status, None));
        // The many pieces of the index are made here: what another thread allocates, it gets from the system page by page.
        let index = index::read(top);
        (index, status.join().ok().flatten())
    });
    let mut state = State {
        commit: None,
        contents: None,
        ignored: Paths::new(),
    };
    let mut changed = vec![];
    let Some(status) = status else { return state };
    for record in status.split(|byte| *byte == 0) {
        // What stands before the path, by the kind of the record: <https://git-scm.com/docs/git-status>.
        let fields = match record.first() {
            Some(b'1') => 8,
            Some(b'u') => 10,
            Some(b'?' | b'!') => 1,
            _ => {
                let oid = record.strip_prefix(b"# branch.oid ");
                if let Some(oid) = oid.filter(|oid| oid.first() != Some(&b'(')) {
                    state.commit = Some(String::from_utf8_lossy(oid).into_owned());
                }
                continue;
            }
        };
        let Some(path) = record.splitn(fields + 1, |byte| *byte == b' ').nth(fields) else {
            continue;
        };
        match record.first() {
            Some(b'!') => _ = state.ignored.insert(path.to_vec()),
            _ => changed.push(path.strip_suffix(b"/").unwrap_or(path).to_vec()),
        }
    }
    state.contents = index.and_then(|index| held_against(top, left_out, index, changed));
    state
}

/// What the index lists, with what differs from the commit as it is on disk.
fn held_against(
    top: &Path,
    left_out: &[PathBuf],
    index: Index,
    mut changed: Vec<Vec<u8>>,
) -> Option<(Entries, Paths)> {
    let mut entries = index.entries;
    let unwatched = index.unwatched.into_iter();
    changed.extend(unwatched.filter(|file| top.join(path(file)).symlink_metadata().is_ok()));
    let left_out = left_out
        .iter()
        .filter_map(|file| file.strip_prefix(top).ok())
        .collect::<Vec<_>>();
    let changed = changed
        .into_iter()
        .filter(|file| !left_out.iter().any(|out| path(file).starts_with(out)))
        .collect::<Paths>();
    let mut files = vec![];
    for name in &changed {
        let on_disk = top.join(path(name));
        let entry = match on_disk.symlink_metadata() {
            // `hash-object` takes paths by line.
            Ok(data) if data.is_file() && name.iter().any(|byte| b"\r\n".contains(byte)) => {
                super::content(&on_disk)
            }
            Ok(data) if data.is_file() => {
                files.push(name);
                continue;
            }
            Ok(data) if data.is_symlink() => Some(link(top, &on_disk)?),
            Ok(data) if data.is_dir() => repository(&on_disk),
            _ => None,
        };
        match entry {
            Some(entry) => _ = entries.insert(name.clone(), entry),
            None => _ = entries.remove(name),
        }
    }
    if !files.is_empty() {
        let list = files
            .iter()
            .flat_map(|file| file.iter().chain(b"\n"))
            .copied()
            .collect::<Vec<_>>();
        let ids = git(top, &["hash-object", "--stdin-paths"], Some(&list))?;
        for (file, id) in files.iter().zip(ids.split(|byte| *byte == b'\n')) {
            let entry = [mode(&top.join(path(file))), id].concat();
            entries.insert((*file).clone(), entry);
        }
    }
    // What git was told not to look at differs only where it does.
    Some((entries, changed))
}

/// A link, by where it leads: as git has it.
fn link(top: &Path, file: &Path) -> Option<Vec<u8>> {
    let target = super::bytes(&std::fs::read_link(file).ok()?);
    let id = git(top, &["hash-object", "--stdin"], Some(&target))?;
    Some([b"120000 ", id.trim_ascii_end()].concat())
}

/// A repository inside of another, by the state of its own files; none where the folder is no repository.
fn repository(folder: &Path) -> Option<Vec<u8>> {
    if !folder.join(".git").exists() {
        return None;
    }
    let (files, _) = state(folder, &[]).contents?;
    let files: BTreeMap<_, _> = files;
    let digest = Tree::digest(files.iter().map(|(path, entry)| (&**path, &**entry)));
    Some([b"160000 ", digest.as_bytes()].concat())
}
