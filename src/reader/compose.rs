//! What `docker compose config --services` prints: the name of a service on each line, once the file is valid. Seen with
//! Docker Compose 2.40.
//!
//! The JSON of the same command would hold the values of every variable, passwords among them.

use crate::domain::check::Exits;
use crate::domain::evidence::{Counts, Results};

use super::{plain, short};

/// Compose's exit statuses: any failure is 1, and then nothing is printed.
pub fn exits() -> Exits {
    Exits {
        failed: vec![1],
        ..Exits::default()
    }
}

/// Counts the services, each of which passed, for a file that is not valid prints none.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = plain(bytes);
    if text.trim().is_empty() {
        return Err("the output is empty: the file has no service".into());
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut passed = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !line.trim().chars().all(word) {
            return Err(short(&format!("`{}` is no name of a service", line.trim())));
        }
        passed += 1;
    }
    let counts = Counts {
        passed,
        ..Counts::default()
    };
    Ok(Results::counted(counts, vec![]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{Read, check, damaged, output, sound};
    use super::*;

    #[test]
    fn outputs() {
        check(
            read,
            &[(output!("compose/green.txt"), Ok(([2, 0, 0], &[])))],
        );
        let cases: &[(&str, Read)] = &[
            ("a\r\nb.c-d_1\r\n\r\n", Ok(([2, 0, 0], &[]))),
            ("name: x", Err("no name of a service")),
            ("{}", Err("no name of a service")),
            ("\n", Err("the file has no service")),
        ];
        for (text, expected) in cases {
            check(read, &[((text, text.as_bytes()), *expected)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("compose/green.txt").1])) {
            sound(read(&bytes))?;
        }
    }
}
