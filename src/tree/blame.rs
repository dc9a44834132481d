//! Who wrote what a file says, by git: for each table of a TOML file, the one who last changed a line of it.

use std::collections::HashMap;
use std::path::Path;

use super::{git, top};

/// Who last changed some lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// Somebody, with a commit.
    Committed {
        /// The author's name.
        name: String,
        /// The commit.
        commit: String,
        /// When it was written, in seconds since 1970.
        at: i64,
    },
    /// Somebody, since the last commit.
    NotCommittedYet,
}

/// The authors of the tables of a file that begin on these lines (1-based), in their order. None where git does not know:
/// there is no repository, no git, or its history was cut off before. One who only extends what another wrote answers for it,
/// so the newest of a table's lines counts.
pub fn authors(file: &Path, lines: &[u32]) -> Vec<Option<Author>> {
    if lines.is_empty() {
        return vec![];
    }
    let found = tables(file, lines).unwrap_or_default();
    lines.iter().map(|line| found.get(line).cloned()).collect()
}

fn tables(file: &Path, lines: &[u32]) -> Option<HashMap<u32, Author>> {
    let file = file.canonicalize().ok()?;
    let folder = file.parent()?;
    let name = file.file_name()?.to_str()?;
    top(folder)?;
    let text = std::fs::read_to_string(&file).ok()?;
    let ranges = lines
        .iter()
        .map(|line| (*line, last_of_table(&text, *line)));
    let ranges = ranges.collect::<HashMap<_, _>>();
    let options = ranges.iter().map(|(from, to)| format!("-L{from},{to}"));
    let options = options.collect::<Vec<_>>();
    let mut args = vec![
        "-c",
        "blame.ignoreRevsFile=",
        "blame",
        "--line-porcelain",
        "--encoding=UTF-8",
        "--no-textconv",
    ];
    args.extend(options.iter().map(String::as_str));
    args.extend(["--", name]);
    let Some(blamed) = git(folder, &args, None) else {
        // What git has never seen it cannot blame on anybody.
        git(folder, &["rev-parse", "--git-dir"], None)?;
        let known = git(folder, &["cat-file", "-e", &format!("HEAD:./{name}")], None);
        return known.is_none().then(|| {
            let yet = |line: &u32| (*line, Author::NotCommittedYet);
            lines.iter().map(yet).collect()
        });
    };
    let blamed = parsed(&String::from_utf8_lossy(&blamed));
    let cut_off = blamed.iter().any(|line| line.boundary) && is_shallow(folder);
    let newest = |from: u32, to: u32| {
        let lines = blamed
            .iter()
            .filter(|line| (from..=to).contains(&line.number));
        lines.max_by_key(|line| (line.uncommitted(), line.committed, line.written))
    };
    let authors = ranges.iter().filter_map(|(from, to)| {
        let line = newest(*from, *to)?;
        // The oldest commit that was fetched is given for all that is older.
        (!(cut_off && line.boundary)).then(|| (*from, line.author()))
    });
    Some(authors.collect())
}

/// The last line of the table that begins on a line. One that is written on a line of its own ends there.
fn last_of_table(text: &str, from: u32) -> u32 {
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let mut lines = (1..)
        .zip(text.lines())
        .skip(from.saturating_sub(1) as usize);
    if !lines.next().is_some_and(|(_, line)| is_header(line)) {
        return from;
    }
    let says_something =
        |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let own = lines.take_while(|(_, line)| !is_header(line));
    let last = own.filter(|(_, line)| says_something(line)).last();
    last.map_or(from, |(number, _)| number)
}

fn is_shallow(folder: &Path) -> bool {
    let answer = git(folder, &["rev-parse", "--is-shallow-repository"], None);
    answer.is_some_and(|answer| answer.starts_with(b"true"))
}

/// A line with the commit that it is from.
#[derive(Debug, Default)]
struct Blamed {
    number: u32,
    commit: String,
    name: String,
    written: i64,
    committed: i64,
    /// Whether nothing before the commit was looked at.
    boundary: bool,
}

impl Blamed {
    fn uncommitted(&self) -> bool {
        self.commit.bytes().all(|byte| byte == b'0')
    }

    fn author(&self) -> Author {
        match self.uncommitted() {
            true => Author::NotCommittedYet,
            false => Author::Committed {
                name: self.name.clone(),
                commit: self.commit.clone(),
                at: self.written,
            },
        }
    }
}

/// What `git blame --line-porcelain` prints: for each line `COMMIT OLD NEW`, headers, and the line itself after a tab.
fn parsed(text: &str) -> Vec<Blamed> {
    let (mut lines, mut open) = (vec![], None::<Blamed>);
    for text in text.lines() {
        if text.starts_with('\t') {
            lines.extend(open.take());
            continue;
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (&mut open, word) {
            (None, commit) => {
                let number = rest.split(' ').nth(1).and_then(|n| n.parse().ok());
                open = Some(Blamed {
                    number: number.unwrap_or_default(),
                    commit: commit.to_string(),
                    ..Blamed::default()
                });
            }
            (Some(line), "author") => line.name = rest.to_string(),
            (Some(line), "author-time") => line.written = rest.parse().unwrap_or_default(),
            (Some(line), "committer-time") => line.committed = rest.parse().unwrap_or_default(),
            (Some(line), "boundary") => line.boundary = true,
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_before_the_next_and_without_the_comments_of_that() {
        let text = "[a]\nx = 1\n\ny = [\n  1]\n# of b\n[b]\n[c]\nz = 1\n\n[w]\nload = { a = 1 }\nother = { a = 1 }";
        for (from, last) in [
            (1, 5),
            (7, 7),
            (8, 9),
            (11, 13),
            (12, 12),
            (13, 13),
            (99, 99),
        ] {
            assert_eq!(last_of_table(text, from), last, "{from}");
        }
    }

    #[test]
    fn lines_are_read_with_their_commits() {
        let text = "abc1 3 7 1\nauthor Ada L\nauthor-mail <a@b>\nauthor-time 5\nauthor-tz +0100\ncommitter-time 6\nsummary author x\nboundary\nfilename r\n\tauthor Eve\n0000 1 8\nauthor Not Committed Yet\n\t\n";
        let lines = parsed(text);
        let [first, second] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(
            (first.number, first.committed, first.boundary),
            (7, 6, true)
        );
        let ada = Author::Committed {
            name: "Ada L".to_string(),
            commit: "abc1".to_string(),
            at: 5,
        };
        assert_eq!(first.author(), ada);
        assert_eq!(
            (second.number, second.author()),
            (8, Author::NotCommittedYet)
        );
    }
}
