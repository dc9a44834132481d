//! The script that a command starts: of `package.json`, of a Makefile, in a file of its own.

use serde_json::Value;

use super::commands::without_wrappers;
use super::makefile;
use crate::manifest::Place;

/// A script one level down.
#[derive(Debug)]
pub(super) struct Below {
    /// The file that it stands in, relative to the manifest.
    pub(super) file: String,
    /// Where.
    pub(super) place: Place,
    /// What it is, as the beginning of a sentence.
    pub(super) name: String,
    /// The script.
    pub(super) text: String,
    /// `set -e` and `pipefail` from the start.
    pub(super) flags: [bool; 2],
    /// The folder that it runs in, relative to the manifest.
    pub(super) cwd: String,
}

/// The scripts that a command starts, as far as they can be read.
pub(super) fn below(
    words: &[String],
    cwd: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<Below> {
    let words = without_wrappers(words);
    let Some((program, rest)) = words.split_first() else {
        return vec![];
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    match name {
        "npm" | "yarn" | "pnpm" | "bun" => {
            package_script(name, rest, cwd, read).into_iter().collect()
        }
        "make" | "gmake" => makefile::below(rest, cwd, read),
        "sh" | "bash" | "dash" | "zsh" | "ksh" => {
            let file = rest.iter().find(|word| !word.starts_with(['-', '+']));
            let letters = rest.iter().take_while(|word| word.starts_with('-'));
            let errexit = letters
                .into_iter()
                .any(|word| !word.starts_with("--") && word.contains('e'));
            let of = file.and_then(|file| script_file(file, cwd, errexit, read));
            of.into_iter().collect()
        }
        _ if program.contains('/') || program.ends_with(".sh") => {
            script_file(program, cwd, false, read).into_iter().collect()
        }
        _ => vec![],
    }
}

/// A path below a folder, both relative to the manifest.
pub(super) fn joined(cwd: &str, path: &str) -> String {
    let mut parts: Vec<&str> = vec![];
    for part in cwd.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => ".".to_string(),
        false => parts.join("/"),
    }
}

/// The value of an option in either of its forms.
pub(super) fn option<'w>(words: &'w [String], names: &[&str]) -> Option<&'w str> {
    words.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), words.get(at + 1).map(String::as_str)),
        };
        names.contains(&name).then_some(value)?
    })
}

fn package_script(
    tool: &str,
    words: &[String],
    cwd: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Option<Below> {
    const FOLDERS: [&str; 4] = ["--prefix", "-C", "--cwd", "--dir"];
    let folder = option(words, &FOLDERS).unwrap_or(".");
    let cwd = joined(cwd, folder);
    // The words before `--` that are neither options nor the value of one.
    let own = words.iter().take_while(|word| *word != "--");
    let own = own.filter(|word| !word.starts_with('-') && *word != folder);
    let own = own.map(String::as_str).collect::<Vec<_>>();
    let script = match own.as_slice() {
        ["run" | "run-script", script, ..] => script,
        ["test" | "t", ..] => "test",
        ["start", ..] => "start",
        // `npm ci` is no script; with the others any word may be.
        [script, ..] if tool != "npm" => script,
        _ => return None,
    };
    let file = joined(&cwd, "package.json");
    let text = read(&file)?;
    let package = serde_json::from_str::<Value>(&text).ok()?;
    let command = package["scripts"][script].as_str()?;
    Some(Below {
        place: place_of_key(&text, "scripts", script),
        file,
        name: format!("the script `{script}`"),
        text: command.to_string(),
        flags: [false, false],
        cwd,
    })
}

/// Where a key of a table in JSON stands: good enough for a text that somebody wrote.
fn place_of_key(text: &str, table: &str, key: &str) -> Place {
    let from = text.find(&format!("\"{table}\"")).unwrap_or(0);
    let at = text[from..]
        .find(&format!("\"{key}\""))
        .map_or(from, |at| from + at);
    place(text, at)
}

/// The place of a byte.
pub(super) fn place(text: &str, at: usize) -> Place {
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
    }
}

fn script_file(
    path: &str,
    cwd: &str,
    errexit: bool,
    read: &dyn Fn(&str) -> Option<String>,
) -> Option<Below> {
    let file = joined(cwd, path);
    let text = read(&file)?;
    let first = text.lines().next().unwrap_or_default();
    let is_shell = match first.strip_prefix("#!") {
        Some(interpreter) => {
            let mut words = interpreter.split(['/', ' ']);
            words.any(|word| ["sh", "bash", "dash", "zsh", "ksh"].contains(&word))
        }
        None => path.ends_with(".sh") || path.ends_with(".bash"),
    };
    let flagged = first.starts_with("#!")
        && first.split(' ').skip(1).any(|word| {
            word.strip_prefix('-')
                .is_some_and(|letters| !letters.starts_with('-') && letters.contains('e'))
        });
    is_shell.then(|| Below {
        place: Place { line: 1, column: 1 },
        name: format!("`{file}`"),
        file,
        text,
        flags: [errexit || flagged, false],
        cwd: cwd.to_string(),
    })
}
