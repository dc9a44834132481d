//! What git's index lists, read from its file: as `git ls-files --stage -v` lists it, without starting git. Of what is not
//! the plain form of the file, git is asked. Source: <https://git-scm.com/docs/index-format>.

use std::path::Path;

use super::{Entries, git, listed};

/// What the index of a repository lists.
#[derive(Debug, PartialEq)]
pub(super) struct Index {
    /// Path → mode and content id.
    pub(super) entries: Entries,
    /// The paths that git was told not to look at: `git status` says nothing of them.
    pub(super) unwatched: Vec<Vec<u8>>,
}

/// The index of the repository at `top`; none where it cannot be told.
pub(super) fn read(top: &Path) -> Option<Index> {
    from_file(top).or_else(|| from_git(top))
}

/// As git tells it.
fn from_git(top: &Path) -> Option<Index> {
    let list = git(top, &["ls-files", "--stage", "-v", "-z"], None)?;
    // TAG SP MODE SP ID SP STAGE
    let entries = listed(&list, |fields| {
        let end = fields.iter().rposition(|byte| *byte == b' ')?;
        Some(fields.get(2..end)?.to_vec())
    })?;
    let records = list.split(|byte| *byte == 0);
    let marked = records.filter(|record| {
        let tag = record.first();
        tag.is_some_and(|tag| tag.is_ascii_lowercase() || *tag == b'S')
    });
    let unwatched = marked.filter_map(|record| {
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        Some(record[tab + 1..].to_vec())
    });
    Some(Index {
        unwatched: unwatched.collect(),
        entries,
    })
}

/// As its file has it; none where that is not in the plain form: another version, another digest, split or sparse.
fn from_file(top: &Path) -> Option<Index> {
    let own = top.join(".git");
    let config = std::fs::read_to_string(own.join("config")).ok()?;
    match config.to_ascii_lowercase().contains("objectformat") {
        true => None,
        false => parsed(&std::fs::read(own.join("index")).ok()?),
    }
}

/// The length of an id, and of the digest at the end of the file (bytes): SHA-1.
const ID: usize = 20;
/// What stands before the id in an entry: times, device, inode, mode, owner, size.
const STAT: usize = 40;
const MODE: usize = 24;

fn parsed(file: &[u8]) -> Option<Index> {
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
    let version = number(file.strip_prefix(b"DIRC")?.get(..4)?)?;
    let count = number(file.get(8..12)?)?;
    if !(2..=3).contains(&version) {
        return None;
    }
    let body = file.get(12..file.len().checked_sub(ID)?)?;
    let mut rest = body;
    let (mut entries, mut unwatched) = (vec![], vec![]);
    for _ in 0..count {
        let flags = rest.get(STAT + ID..STAT + ID + 2)?;
        let (is_extended, assume_valid) = (flags[0] & 0x40 != 0, flags[0] & 0x80 != 0);
        let more = if is_extended { 2 } else { 0 };
        let skip_worktree = is_extended && rest.get(STAT + ID + 2)? & 0x40 != 0;
        let name = rest.get(STAT + ID + 2 + more..)?;
        let name = &name[..name.iter().position(|byte| *byte == 0)?];
        let mode = number(rest.get(MODE..MODE + 4)?)?;
        // A folder stands for all in it where the index is sparse.
        if mode >> 12 == 0o4 {
            return None;
        }
        entries.push((name.to_vec(), mode_and_id(mode, &rest[STAT..STAT + ID])));
        if assume_valid || skip_worktree {
            unwatched.push(name.to_vec());
        }
        // At least one zero behind the name, up to a multiple of eight.
        let length = STAT + ID + 2 + more + name.len();
        rest = rest.get(length + 8 - length % 8..)?;
    }
    // Extensions that one must know to understand the rest begin with a small letter.
    while let Some(header) = rest.get(..8) {
        if header[0].is_ascii_lowercase() {
            return None;
        }
        rest = rest.get(8 + number(&header[4..])? as usize..)?;
    }
    Some(Index {
        entries: entries.into_iter().collect(),
        unwatched,
    })
}

/// `100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391`
fn mode_and_id(mode: u32, id: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(7 + 2 * ID);
    let digits = (0..6)
        .rev()
        .map(|place| b'0' + (mode >> (3 * place) & 7) as u8);
    text.extend(digits);
    text.push(b' ');
    let hex = |half: u8| b"0123456789abcdef"[usize::from(half)];
    text.extend(id.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]));
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::process::Command;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let long = "n".repeat(200);
        for (file, text) in [
            ("a.txt", "one"),
            ("é b.txt", ""),
            ("in/to/c.sh", "#!/bin/sh"),
            (long.as_str(), "long"),
            ("in/to-d", "x"),
        ] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        run(folder.path(), &["init", "-q"]);
        run(folder.path(), &["add", "-A"]);
        folder
    }

    fn run(folder: &Path, args: &[&str]) {
        let git = Command::new("git").current_dir(folder).args(args).output();
        assert!(git.unwrap().status.success(), "{args:?}");
    }

    #[test]
    fn it_is_read_as_git_lists_it() {
        let folder = repository();
        let same = |what: &str, unwatched: usize| {
            let index = from_file(folder.path()).unwrap();
            assert_eq!(Some(&index), from_git(folder.path()).as_ref(), "{what}");
            assert_eq!(
                (index.entries.len(), index.unwatched.len()),
                (5, unwatched),
                "{what}"
            );
        };
        same("plain", 0);
        run(folder.path(), &["update-index", "--chmod=+x", "in/to/c.sh"]);
        same("executable", 0);
        run(
            folder.path(),
            &["update-index", "--assume-unchanged", "a.txt"],
        );
        same("assumed unchanged", 1);
        run(
            folder.path(),
            &["update-index", "--skip-worktree", "in/to-d"],
        );
        same("skipped", 2);
        run(folder.path(), &["rm", "-q", "--cached", "a.txt"]);
        run(folder.path(), &["add", "--intent-to-add", "a.txt"]);
        same("intended", 1);
    }

    #[test]
    fn an_entry_for_each_stage_of_a_conflict_is_read_as_git_lists_it() {
        let folder = repository();
        let entry = |stage: u32, id: &str| format!("100644 {id} {stage}\tboth.txt\n");
        let blob = Command::new("git")
            .current_dir(folder.path())
            .args(["hash-object", "-w", "a.txt"])
            .output()
            .unwrap();
        let id = String::from_utf8(blob.stdout).unwrap().trim().to_string();
        let mut update = Command::new("git")
            .current_dir(folder.path())
            .args(["update-index", "--index-info"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let list = [1, 2, 3].map(|stage| entry(stage, &id)).concat();
        std::io::Write::write_all(update.stdin.as_mut().unwrap(), list.as_bytes()).unwrap();
        assert!(update.wait().unwrap().success());
        assert_eq!(from_file(folder.path()), from_git(folder.path()));
    }

    #[test]
    fn what_is_not_plain_is_left_to_git() {
        for (what, args) in [
            ("version 4", &["update-index", "--index-version=4"][..]),
            ("split", &["update-index", "--split-index"]),
        ] {
            let folder = repository();
            run(folder.path(), args);
            assert_eq!(from_file(folder.path()), None, "{what}");
            assert_eq!(read(folder.path()).unwrap().entries.len(), 5, "{what}");
        }
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["init", "-q", "--object-format=sha256"]);
        std::fs::write(folder.path().join("a"), "a").unwrap();
        run(folder.path(), &["add", "a"]);
        assert_eq!(from_file(folder.path()), None);
        assert_eq!(read(folder.path()).unwrap().entries.len(), 1);
    }

    #[test]
    fn a_file_that_is_cut_is_left_to_git() {
        let folder = repository();
        let file = std::fs::read(folder.path().join(".git/index")).unwrap();
        let whole = parsed(&file).unwrap();
        for length in 0..file.len() {
            // Of a cut within its extensions, all entries are there.
            assert!(
                parsed(&file[..length]).is_none_or(|index| index == whole),
                "{length}"
            );
        }
    }
}
