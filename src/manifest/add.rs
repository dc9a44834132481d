//! One more check in a manifest that a person wrote: every byte of theirs stays, the check comes after their last one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::draft::Declaration;

/// The text of the manifest with the check in it, and the line that it begins on. The text is a manifest that loads.
pub fn add(text: &str, check: &Declaration<'_>) -> (String, usize) {
    let at = after_the_last_check(text);
    let (before, after) = text.split_at(at);
    let newline = match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let mut added = String::from(before);
    if !before.is_empty() && !before.ends_with('\n') {
        added += newline;
    }
    if !before.trim().is_empty() {
        added += newline;
    }
    let line = added.matches('\n').count() + 1;
    added += &check.text().replace('\n', newline);
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        added += newline;
    }
    (added + after, line)
}

/// Where the lines of the last check end: after its last value and the comments that go with it. The end of the text
/// where there is no check.
fn after_the_last_check(text: &str) -> usize {
    // A byte order mark is no part of what is parsed.
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let (document, _) = DeTable::parse_recoverable(&text[mark..]);
    let checks = document
        .get_ref()
        .iter()
        .find(|(key, _)| key.get_ref() == "checks");
    let Some(end) = checks.and_then(|(_, checks)| match checks.get_ref() {
        DeValue::Table(checks) => checks
            .iter()
            .map(|(key, check)| end(check).max(key.span().end))
            .max(),
        _ => None,
    }) else {
        return text.len();
    };
    let line_end = |from: usize| {
        text[from..]
            .find('\n')
            .map_or(text.len(), |at| from + at + 1)
    };
    let mut at = line_end(mark + end);
    let comments = text[at..]
        .split_inclusive('\n')
        .take_while(|line| line.trim_start().starts_with('#'))
        .map(str::len)
        .sum::<usize>();
    // Comments right above another table are about that one.
    if !text[at + comments..]
        .trim_start_matches([' ', '\t'])
        .starts_with('[')
    {
        at += comments;
    }
    at
}

/// The last byte of a value and of all that is in it, wherever that stands.
fn end(value: &Spanned<DeValue<'_>>) -> usize {
    let within = match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| end(value).max(key.span().end))
            .max(),
        DeValue::Array(array) => array.iter().map(end).max(),
        _ => None,
    };
    within.unwrap_or(0).max(value.span().end)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Manifests, with a mark where the check comes.
    const CASES: [&str; 12] = [
        "<>",
        "[project]\nname = \"x\"\n<>",
        "[project]\nname = \"x\" # no break at the end<>",
        "# only words\n<>",
        "[checks.b]\nsays = \"x\"\n<>[waivers.b]\nreason = \"x\"\n",
        "[waivers.b]\nreason = \"x\"\n[checks.b]\nsays = \"x\" # why\n# timeout = \"2m\"\n<>\n# Gates\n[gate]\n",
        "[checks.b]\nsays = \"x\"\n<># The gate.\n[gate]\n",
        "[checks.b]\nsays = \"x\"\n[checks.b.expect]\nexit = [\n  1,\n  2,\n]\n<>[gate]\nrequire = [\"b\"]\n",
        "[checks.b]\nrun = \"\"\"\n[gate]\n\"\"\"\n<>\n[gate]\n",
        "\u{feff}[checks.b]\nsays = \"ü\"\n<>[gate]\n",
        "[checks]\nb = { says = \"x\" }\n<>\n\n\n[gate]\n",
        "[checks.b]\n<>[gate]\n",
    ];

    #[test]
    fn it_comes_after_the_last_check_and_nothing_else_changes() {
        let check = Declaration {
            id: "a",
            check: "pytest",
            ..Declaration::default()
        };
        for case in CASES {
            for newline in ["\n", "\r\n"] {
                let case = case.replace('\n', newline);
                let (before, after) = case.split_once("<>").unwrap();
                let (added, line) = add(&format!("{before}{after}"), &check);
                let rest = added.strip_prefix(before).unwrap();
                let between = rest.strip_suffix(after).unwrap();
                assert_eq!(
                    between.trim().replace("\r\n", "\n"),
                    "[checks.a]\nuse = \"pytest\""
                );
                assert_eq!(added.lines().nth(line - 1), Some("[checks.a]"), "{added:?}");
                // The blank lines around it, and no other kind of break than the manifest has.
                assert_eq!(line > 1, rest.starts_with(newline), "{added:?}");
                let blank = format!("\"pytest\"{newline}{newline}");
                assert_eq!(!after.is_empty(), added.contains(&blank), "{added:?}");
                let breaks = added.matches('\n').count();
                let windows = if case.contains('\r') { breaks } else { 0 };
                assert_eq!(added.matches("\r\n").count(), windows, "{added:?}");
            }
        }
    }
}
