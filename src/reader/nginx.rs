//! What `nginx -T` prints on standard output: each file of the configuration behind a line `# configuration file F:`.
//! Source: nginx' documentation; seen with 1.22.
//!
//! It prints only what it accepts. An `include` whose pattern matches nothing is accepted too: such a one is skipped
//! work, for what should stand there was not looked at.

use globset::GlobBuilder;

use crate::domain::check::Exits;
use crate::domain::evidence::Results;

use super::{Tally, plain};

/// nginx' exit statuses: 1 says that the configuration is not accepted, and then nothing is printed.
pub fn exits() -> Exits {
    Exits {
        failed: vec![1],
        ..Exits::default()
    }
}

/// Counts the files. Includes that match none of them are skipped, and named.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty".into());
    }
    let file = |line: &'_ str| {
        let rest = line.strip_prefix("# configuration file ")?;
        Some(rest.strip_suffix(':')?.to_string())
    };
    let files: Vec<String> = text.lines().filter_map(file).collect();
    let Some(first) = files.first() else {
        return Err("no line `# configuration file F:`: it is not the output of `nginx -T`".into());
    };
    // Relative patterns are relative to the folder of the first file.
    let folder = first
        .rsplit_once(['/', '\\'])
        .map_or("", |(folder, _)| folder);
    let mut tally = Tally::default();
    tally.passed(files.len() as u64);
    for line in text.lines() {
        for pattern in included(line) {
            let whole = match pattern.starts_with('/') || pattern.contains(':') {
                true => pattern.to_string(),
                false => format!("{folder}/{pattern}"),
            };
            let glob = GlobBuilder::new(&whole).literal_separator(true).build();
            let matched = glob.is_ok_and(|glob| {
                let glob = glob.compile_matcher();
                files.iter().any(|file| glob.is_match(file))
            });
            if !matched {
                tally.skipped(1);
                tally.name(&format!("include {pattern} matches no file"));
            }
        }
    }
    Ok(tally.results())
}

/// The patterns with wildcards that a line includes. One without must be there, or nginx refuses it.
fn included(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split('#').next().unwrap_or_default();
    let directives = code.split([';', '{', '}']).map(str::trim);
    directives.filter_map(|directive| {
        let rest = directive.strip_prefix("include")?;
        let pattern = rest.trim().trim_matches(['"', '\'']);
        let is_own = rest.starts_with([' ', '\t', '"', '\'']);
        (is_own && pattern.contains(['*', '?', '['])).then_some(pattern)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn real_outputs() {
        check(
            read,
            &[
                (output!("nginx/green.txt"), Ok(([4, 0, 0], &[]))),
                (
                    output!("nginx/mixed.txt"),
                    Ok(([4, 0, 1], &["include sites/*.conf matches no file"])),
                ),
                (
                    output!("promtool/green.txt"),
                    Err("no line `# configuration file"),
                ),
            ],
        );
    }

    #[test]
    fn written_outputs() {
        let cases: &[(&str, Read)] = &[
            (
                "# configuration file /a/n.conf:\nhttp { include\t'/b/[x].conf'; include_all *; }\n#include *.no;\n",
                Ok(([1, 0, 1], &["include /b/[x].conf matches no file"])),
            ),
            (
                "# configuration file /a/n.conf:\r\ninclude *.d;\r\n# configuration file /a/x.d:\r\n",
                Ok(([2, 0, 0], &[])),
            ),
            (
                "# configuration file /a/n.conf:\ninclude [*;",
                Ok(([1, 0, 1], &["include [* matches no file"])),
            ),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("nginx/mixed.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
