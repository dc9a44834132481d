//! How a person does by hand what a check did: one line for a shell.

use std::borrow::Cow;

use crate::domain::check::Probe;
use crate::domain::interpolate;
use crate::domain::reason::Code;
use crate::domain::report::CheckRow;

/// The command that looks at the same thing; none where there is nothing to type. Values of the environment are not in
/// it, only their names; what only a run knows (the port of a service) is named.
pub fn by_hand(row: &CheckRow) -> Option<String> {
    let check = &row.definition;
    // What was run under another definition is not what this one runs.
    let evidence = row
        .evidence
        .as_ref()
        .filter(|_| row.reason.code != Code::Stale);
    match &check.probe {
        Probe::Run(probe) => {
            let argv = evidence
                .map(|evidence| &evidence.command)
                .filter(|command| {
                    !command.is_empty() && !probe.argv.iter().any(|word| has_gap(word))
                });
            let filled = probe
                .argv
                .iter()
                .map(|word| with_gaps(word))
                .collect::<Vec<_>>();
            let argv = argv.unwrap_or(&filled);
            let line = match (probe.shell, argv.as_slice()) {
                (true, [script]) => format!("sh -c {}", quoted(script)),
                _ => argv
                    .iter()
                    .map(|word| quoted(word))
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            let env = check
                .env
                .keys()
                .map(|name| format!("{name}=… "))
                .collect::<String>();
            let line = format!("{env}{line}");
            Some(match check.cwd.as_deref() {
                None | Some(".") => line,
                Some(cwd) => format!("cd {} && {line}", quoted(cwd)),
            })
        }
        Probe::Http(probe) => {
            let target = evidence.and_then(|evidence| evidence.target.clone());
            let url = target.filter(|_| !has_gap(&probe.url));
            let url = url.unwrap_or_else(|| with_gaps(&probe.url));
            let how = match probe.method.as_str() {
                "GET" => "-i".to_string(),
                "HEAD" => "-I".to_string(),
                method => format!("-i -X {method}"),
            };
            let follows = if probe.redirects > 0 { " -L" } else { "" };
            Some(format!("curl {how}{follows} {}", quoted(&url)))
        }
        Probe::File(probe) => {
            let text = &probe.expect.text;
            Some(match text.contains.first().or(text.lacks.first()) {
                Some(wanted) => format!("grep -nF {} {}", quoted(wanted), probe.pattern),
                None => format!("ls -l {}", probe.pattern),
            })
        }
        Probe::Variable(probe) => Some(match &probe.file {
            Some(file) => format!("grep '^{}=' {}", probe.name, quoted(file)),
            None => format!("printenv {}", probe.name),
        }),
        Probe::Port(probe) => Some(format!("nc -z localhost {}", probe.port)),
        Probe::Tool(probe) => Some(match &probe.version {
            Some(_) => format!("{} --version", quoted(&probe.name)),
            None => format!("command -v {}", quoted(&probe.name)),
        }),
        Probe::Manual(_) => None,
    }
}

/// Whether a text names what only a run knows.
fn has_gap(text: &str) -> bool {
    with_gaps(text) != text
}

/// A text in which what only a run knows is told in words.
pub(super) fn with_gaps(text: &str) -> String {
    let told = |name: &str| {
        let service = name
            .strip_prefix("services.")
            .and_then(|rest| rest.strip_suffix(".port"));
        Some(match (service, name) {
            (Some(service), _) => format!("<port of {service}>"),
            (None, "listen.host" | "listen.port" | "listen.url") => {
                format!("<{} of a listener>", &name["listen.".len()..])
            }
            _ => format!("{{{name}}}"),
        })
    };
    interpolate::values(text, told).unwrap_or_else(|_| text.to_string())
}

/// A word as a POSIX shell takes it literally.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else if word.contains(['\n', '\t', '\r']) {
        // On one line, in the quotes of bash, zsh and POSIX 2024.
        let escaped = word
            .replace('\\', r"\\")
            .replace('\'', r"\'")
            .replace('\n', r"\n");
        Cow::Owned(format!(
            "$'{}'",
            escaped.replace('\t', r"\t").replace('\r', r"\r")
        ))
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        let cases = [
            ("pytest", "pytest"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("--x=1", "--x=1"),
            ("a\n'b'\\", r"$'a\n\'b\'\\'"),
        ];
        for (word, expected) in cases {
            assert_eq!(quoted(word), expected);
        }
    }
}
