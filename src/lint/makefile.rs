//! The recipe of a Makefile's target. Each line is a script of its own, and the first that fails ends it: what a line
//! silences is what the target silences.

use super::scripts::{Below, joined, option, place};

/// The lines of the targets that `make` is asked for.
pub(super) fn below(
    words: &[String],
    cwd: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<Below> {
    let folder = option(words, &["-C", "--directory"]).unwrap_or(".");
    let cwd = joined(cwd, folder);
    let names = match option(words, &["-f", "--file", "--makefile"]) {
        Some(name) => vec![name],
        None => vec!["GNUmakefile", "makefile", "Makefile"],
    };
    let found = names.iter().find_map(|name| {
        let file = joined(&cwd, name);
        Some((read(&file)?, file))
    });
    let Some((text, file)) = found else {
        return vec![];
    };
    let value_of = |word: &String| word == folder || names.contains(&word.as_str());
    let asked = words
        .iter()
        .filter(|word| !word.starts_with('-') && !word.contains('=') && !value_of(word));
    let mut asked = asked.map(String::as_str).collect::<Vec<_>>();
    if asked.is_empty() {
        asked.extend(
            targets(&text)
                .map(|(_, target)| target)
                .find(|target| !target.starts_with('.')),
        );
    }
    let mut below = vec![];
    for target in asked {
        below.extend(recipe(&text, target, &file, &cwd));
    }
    below
}

/// The targets with the bytes that their lines begin at.
fn targets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(text).flat_map(|(at, line)| {
        let names = match line.split_once(':') {
            Some((names, rest))
                if !line.starts_with(['\t', ' ', '#']) && !rest.starts_with('=') =>
            {
                names
            }
            _ => "",
        };
        names.split_whitespace().map(move |name| (at, name))
    })
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let begins = at;
        at += line.len();
        (begins, line.trim_end_matches(['\n', '\r']))
    })
}

/// The recipe of a target, as one script in which the first line that fails ends it; with every line whose failure make is
/// told to pass over (`-`) as one that never fails.
fn recipe(text: &str, target: &str, file: &str, cwd: &str) -> Option<Below> {
    let (begins, _) = targets(text).find(|(_, name)| *name == target)?;
    let mut script = String::new();
    let mut first = None;
    let mut goes_on = false;
    let body = lines(text).skip_while(|(at, _)| *at <= begins);
    for (at, line) in body {
        let Some(command) = line.strip_prefix('\t').or(goes_on.then_some(line)) else {
            match line.trim().is_empty() || line.starts_with('#') {
                true => continue,
                false => break,
            }
        };
        let begins_here = !goes_on;
        goes_on = command.ends_with('\\');
        let command = command.replace("$$", "$").replace("$(MAKE)", "make");
        let plain = command.trim_start_matches(['@', '-', '+', ' ']);
        let passed_over = begins_here && command[..command.len() - plain.len()].contains('-');
        first.get_or_insert(at + 1);
        match passed_over && !goes_on {
            true => script.push_str(&format!("{{ {plain}; }} || true\n")),
            false => script.push_str(&format!("{plain}\n")),
        }
    }
    Some(Below {
        file: file.to_string(),
        place: place(text, first?),
        name: format!("the target `{target}`"),
        text: script,
        flags: [true, false],
        cwd: cwd.to_string(),
    })
}
