//! Which files the evidence is about: commit, tracked files, and a digest of the working tree, uncommitted and untracked
//! files included. Asked of git, without writing anything into the repository.

pub mod blame;
mod index;
mod inputs;
mod repository;
mod then;

pub use then::{Changed, Then};

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// How many bytes are digested at a time.
const PIECE: usize = 32 << 10;

/// The state of a project's files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The commit; none before the first, and outside of a repository.
    pub commit: Option<String>,
    /// A digest over path, mode and content of every file, `blake3:…`. The same before and after a commit of the same
    /// content. None where it cannot be told.
    pub digest: Option<String>,
    /// Whether something differs from the commit.
    pub dirty: Option<bool>,
    /// The top of the repository; outside of one, the folder itself.
    top: PathBuf,
    /// The folder that was asked for.
    folder: PathBuf,
    files: Entries,
    /// The paths of which the commit does not know what they hold now; none outside of a repository.
    differing: Option<Paths>,
    /// The paths that git ignores: files, and folders as a whole with a `/` at their end; none outside of a repository.
    ignored: Option<Paths>,
}

impl Tree {
    fn digest<'f>(files: impl IntoIterator<Item = (&'f [u8], &'f [u8])>) -> String {
        let mut hasher = blake3::Hasher::new();
        // By the piece, of which it digests sixteen parts at once: a file alone is no more than one.
        let mut piece = Vec::with_capacity(PIECE + 1024);
        for (path, entry) in files {
            for part in [path, &[0], entry, &[0]] {
                piece.extend_from_slice(part);
            }
            if piece.len() >= PIECE {
                hasher.update(&piece);
                piece.clear();
            }
        }
        format!("blake3:{}", hasher.update(&piece).finalize().to_hex())
    }

    /// The files below the folder that was asked for, relative to it, `/` between their parts; without those whose names are
    /// no text. None where they are not known.
    pub fn names(&self) -> Option<Vec<&str>> {
        self.digest.as_ref()?;
        let mut below = bytes(self.folder.strip_prefix(&self.top).ok()?);
        if !below.is_empty() {
            below.push(b'/');
        }
        let files = self.files.range(below.clone()..);
        let files = files.map_while(|(file, _)| file.strip_prefix(&below[..]));
        let names = files.filter_map(|file| std::str::from_utf8(file).ok());
        Some(names.collect())
    }

    /// The files that differ between two states, by name.
    pub fn changed(&self, other: &Tree) -> Vec<String> {
        differing(&self.files, &other.files)
            .iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }
}

/// The paths that two states do not have alike.
fn differing(a: &Entries, b: &Entries) -> BTreeSet<Vec<u8>> {
    let of = |a: &Entries, b: &Entries| {
        let differ = a
            .iter()
            .filter(|(path, entry)| b.get(*path) != Some(*entry));
        differ.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    of(a, b).into_iter().chain(of(b, a)).collect()
}

/// Reads the state of the files that `folder` is among: of the repository as git sees it or, outside of one, of the
/// folder itself, as far as that is small enough to be read. Without the files in `left_out`, with those in `looked_at`
/// even where git ignores them, and with those in `instead` as if they held what stands there (all absolute).
pub fn snapshot(
    folder: &Path,
    left_out: &[PathBuf],
    looked_at: &[PathBuf],
    instead: &[(PathBuf, Vec<u8>)],
) -> Tree {
    let Ok(folder) = folder.canonicalize() else {
        return Tree::default();
    };
    let mut left_out = [left_out, &[folder.join(".ready")]].concat();
    left_out.extend(instead.iter().map(|(file, _)| file.clone()));
    let left_out = &left_out[..];
    let mut ignored = None;
    let (top, commit, contents) = match top(&folder) {
        Some(top) => {
            let state = repository::state(&top, left_out);
            ignored = Some(state.ignored);
            let contents = state.contents;
            (
                top,
                state.commit,
                contents.map(|(files, changed)| (files, Some(changed))),
            )
        }
        None => {
            let contents = walked(&folder, left_out, None).map(|files| (files, None));
            (folder.clone(), None, contents)
        }
    };
    let Some((mut files, mut differing)) = contents else {
        return Tree {
            commit,
            ..Tree::default()
        };
    };
    let dirty = differing.as_ref().map(|changed| !changed.is_empty());
    let name = |file: &Path| bytes(file.strip_prefix(&top).unwrap_or(file));
    for (file, holds) in instead {
        let entry = [mode(file), blake3::hash(holds).to_hex().as_bytes()].concat();
        if let Some(differing) = &mut differing {
            differing.insert(name(file));
        }
        files.insert(name(file), entry);
    }
    for file in looked_at {
        // One that is elsewhere is known by its whole path.
        let name = name(file);
        if files.contains_key(&name) {
            continue;
        }
        if let Some(entry) = content(file) {
            if let Some(differing) = &mut differing {
                differing.insert(name.clone());
            }
            files.insert(name, entry);
        }
    }
    Tree {
        commit,
        digest: Some(Tree::digest(
            files.iter().map(|(path, entry)| (&**path, &**entry)),
        )),
        dirty,
        top,
        folder,
        files,
        differing,
        ignored,
    }
}

/// The folders in which tools keep what is theirs, which is not the project's.
pub const PASSED_OVER: [&str; 11] = [
    "node_modules",
    "vendor",
    "site-packages",
    ".venv",
    "venv",
    "target",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
];

/// The most files and bytes that are read where no git knows them already.
const WALKED_FILES: usize = 20_000;
const WALKED_BYTES: u64 = 256 << 20;

/// Path → mode and content of every file below a folder, as `.gitignore` files have it, or all of them but those in folders of
/// these names; none where there are too many.
fn walked(
    folder: &Path,
    left_out: &[PathBuf],
    passed_over: Option<&[&'static str]>,
) -> Option<Entries> {
    let heed_ignores = passed_over.is_none();
    let mut names = vec![".git", ".ready"];
    names.extend(passed_over.unwrap_or_default());
    let own = move |entry: &ignore::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| names.contains(&name))
    };
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .git_ignore(heed_ignores)
        .require_git(false)
        .filter_entry(move |e| !own(e))
        .build();
    let mut files = Entries::new();
    let mut read = 0;
    for entry in walk.flatten() {
        let kind = entry.file_type();
        if !kind.is_some_and(|kind| kind.is_file() || kind.is_symlink()) {
            continue;
        }
        let (path, relative) = (entry.path(), entry.path().strip_prefix(folder).ok()?);
        read += std::fs::metadata(path).map_or(0, |data| data.len());
        if files.len() >= WALKED_FILES || read > WALKED_BYTES {
            return None;
        }
        if !left_out.iter().any(|file| file == path) {
            let entry = content(path).unwrap_or_default();
            files.insert(bytes(relative), entry);
        }
    }
    Some(files)
}

/// Mode and content of a file, of a link also where it leads; none where it cannot be read.
fn content(file: &Path) -> Option<Vec<u8>> {
    let target = std::fs::read_link(file).map(|target| bytes(&target));
    let mut hasher = blake3::Hasher::new();
    match (&target, std::fs::File::open(file)) {
        (_, Ok(open)) if file.is_file() => _ = hasher.update_reader(open).ok()?,
        // A folder is known by its name, and so is what is not there.
        (Ok(_), _) => {}
        (Err(_), _) => return None,
    }
    let content = hasher.finalize().to_hex();
    let mut entry = [mode(file), content.as_bytes()].concat();
    if let Ok(target) = target {
        entry.extend([b" by ", &target[..]].concat());
    }
    Some(entry)
}

/// The most files that are listed where no git knows them.
pub const MOST_FILES: usize = 100_000;

/// The project's files, relative to `folder`: those that git tracks or would track, else all that are not ignored.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = top(folder).and_then(|_| {
        git(
            folder,
            &[
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ],
            None,
        )
    });
    match listed {
        Some(listed) => listed
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(path)
            .collect(),
        None => {
            let left_out = [".git", ".ready", "node_modules"];
            let left_out = move |name: &str| left_out.contains(&name);
            let walk = ignore::WalkBuilder::new(folder)
                .hidden(false)
                .require_git(false)
                .filter_entry(move |entry| !entry.file_name().to_str().is_some_and(left_out))
                .build();
            let files = walk
                .flatten()
                .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
            files
                .filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_path_buf()))
                .take(MOST_FILES)
                .collect()
        }
    }
}

/// Whether any of the files matches one of the patterns.
pub fn any_matches(files: &[PathBuf], patterns: &[String]) -> bool {
    let set = set_of(patterns);
    files.iter().any(|file| set.is_match(file))
}

/// What tells whether a path matches one of the patterns.
pub fn set_of(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // The manifest was loaded, so every pattern compiles.
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// The path without `.` and `..`, by its words alone.
pub fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => _ = clean.pop(),
            part => clean.push(part),
        }
    }
    clean
}

/// Makes a repository of a folder that holds a copy of one, with all in it committed. Where that is not possible, it is
/// none.
pub fn begin(folder: &Path) {
    let commit = [
        "-c",
        "user.name=ready",
        "-c",
        "user.email=ready@localhost",
        "-c",
        "commit.gpgSign=false",
        "-c",
        "core.hooksPath=/dev/null",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message=a copy",
    ];
    let steps: [&[&str]; 3] = [&["init", "--quiet"], &["add", "--all", "--force"], &commit];
    let _ = steps
        .iter()
        .try_for_each(|step| git(folder, step, None).map(|_| ()));
}

/// The files that a patch changes, as git names them from `folder`; none where it is no patch.
pub fn patched(folder: &Path, patch: &str) -> Option<Vec<String>> {
    let list = git(
        folder,
        &["apply", "--numstat", "-z", "-"],
        Some(patch.as_bytes()),
    )?;
    let files = list.split(|byte| *byte == 0).filter_map(|record| {
        let file = record.splitn(3, |byte| *byte == b'\t').nth(2)?;
        Some(String::from_utf8_lossy(file).into_owned())
    });
    let files = files.collect::<Vec<_>>();
    (!files.is_empty()).then_some(files)
}

/// Applies a patch to the files of a folder.
///
/// # Errors
/// Why it does not fit: then nothing was changed.
pub fn apply(folder: &Path, patch: &str) -> Result<(), String> {
    match git(
        folder,
        &["apply", "--whitespace=nowarn", "-"],
        Some(patch.as_bytes()),
    ) {
        Some(_) => Ok(()),
        None => Err("its lines are not those of the files".to_string()),
    }
}

/// The top of the repository that a folder is in, found without starting git; none outside of one.
pub fn top(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder
        .ancestors()
        .find(|folder| {
            let git = folder.join(".git");
            // A file leads to a work tree's or submodule's own; a folder without a HEAD is no repository for git either.
            git.is_file() || git.join("HEAD").exists()
        })
        .map(Path::to_path_buf)
}

/// A file's name from the top of its repository, `/` between its parts; none outside of one.
pub fn within(file: &Path) -> Option<String> {
    let file = file.canonicalize().ok()?;
    let top = top(file.parent()?)?;
    let relative = file.strip_prefix(top.canonicalize().ok()?).ok()?;
    Some(relative.to_string_lossy().replace('\\', "/"))
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;
type Paths = BTreeSet<Vec<u8>>;

/// What `ls-files --stage` or `ls-tree` lists: path → mode and content id.
fn listed(list: &[u8], mode_and_id: fn(&[u8]) -> Option<Vec<u8>>) -> Option<Entries> {
    let records = list
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty());
    let entries = records.map(|record| {
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        Some((record[tab + 1..].to_vec(), mode_and_id(&record[..tab])?))
    });
    entries.collect()
}

/// What `ready` itself writes, which it has git ignore, is not part of what it judges.
fn in_own_folder(ignored: &[u8]) -> bool {
    ignored
        .split(|byte| *byte == b'/')
        .any(|part| part == b".ready")
}

#[cfg(unix)]
fn mode(file: &Path) -> &'static [u8] {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(file) {
        Ok(data) if data.permissions().mode() & 0o100 != 0 => b"100755 ",
        _ => b"100644 ",
    }
}

#[cfg(not(unix))]
fn mode(_: &Path) -> &'static [u8] {
    b"100644 "
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(unix)]
fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// The commit that a revision means: a tag, a branch, the beginning of a commit; none where it means none.
pub fn commit_of(folder: &Path, revision: &str) -> Option<String> {
    // What begins like an option is no revision.
    if revision.starts_with('-') {
        return None;
    }
    let revision = format!("{revision}^{{commit}}");
    let commit = git(
        folder,
        &["rev-parse", "--verify", "--quiet", &revision],
        None,
    )?;
    let commit = String::from_utf8_lossy(&commit).trim().to_string();
    (!commit.is_empty()).then_some(commit)
}

/// What a file holds at a commit, by its path from the top; none where there is none.
pub fn show(folder: &Path, commit: &str, path: &str) -> Option<Vec<u8>> {
    git(
        folder,
        &["cat-file", "blob", &format!("{commit}:{path}")],
        None,
    )
}

/// The files in a folder at a commit, by their paths from the top; none where there is no such folder.
pub fn list(folder: &Path, commit: &str, path: &str) -> Option<Vec<String>> {
    let inner = format!("{commit}:{path}");
    let list = git(folder, &["ls-tree", "-z", "--name-only", &inner], None)?;
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let within = |name: &[u8]| match path {
        "" => String::from_utf8_lossy(name).into_owned(),
        path => format!("{path}/{}", String::from_utf8_lossy(name)),
    };
    Some(names.map(within).collect())
}

/// Whether the history of a clone was cut off.
pub fn is_shallow(folder: &Path) -> bool {
    let told = git(folder, &["rev-parse", "--is-shallow-repository"], None);
    told.is_some_and(|told| told.starts_with(b"true"))
}

/// The commits that lead to one, and those that lead on from it to where we are, each the nearest first.
pub fn around(folder: &Path, commit: &str) -> [Vec<String>; 2] {
    let list = |args: &[&str]| {
        let list = git(folder, &[&["rev-list"], args].concat(), None).unwrap_or_default();
        let lines = String::from_utf8_lossy(&list).into_owned();
        lines.lines().map(str::to_string).collect::<Vec<_>>()
    };
    let before = list(&["--skip=1", commit]);
    let on = format!("{commit}..HEAD");
    [before, list(&["--ancestry-path", "--reverse", &on])]
}

/// The variables by which git looks at another repository than the one that it is started in.
const ELSEWHERE: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CONFIG_PARAMETERS",
];

/// What git prints; none where it cannot be started or fails. It takes no locks and asks nobody anything.
fn git(folder: &Path, args: &[&str], input: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.quotePath=false", "-c", "core.fsmonitor=false"])
        .args(args);
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LITERAL_PATHSPECS", "1");
    // Whatever points git elsewhere is no business of this folder.
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let writer = child
        .stdin
        .take()
        .zip(input.map(<[u8]>::to_vec))
        .map(|(mut stdin, input)| {
            // Beside the reading, since a long list of paths fills both pipes.
            std::thread::spawn(move || stdin.write_all(&input))
        });
    let output = child.wait_with_output().ok()?;
    if let Some(writer) = writer {
        writer.join().ok()?.ok()?;
    }
    output.status.success().then_some(output.stdout)
}
