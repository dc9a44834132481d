//! Looks at an environment variable, or at a name in a dotenv file. Takes a resolved probe, hands back one attempt.
//! The value itself stands in no part of the attempt.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::dotenv;
use super::file::{read, words};
use crate::domain::check::VariableProbe;
use crate::domain::evidence::{Attempt, Failure, LookFailure, Outcome};
use crate::domain::expectation::Checked;

/// Looks at the variable in `env` or, where the probe names one, in a dotenv file relative to `base`.
pub(crate) fn observe(
    probe: &VariableProbe,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Attempt {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let (outcome, checked) = match look(probe, base, env) {
        Ok(checked) => (Outcome::Looked, checked),
        Err(failure) => (Outcome::Unseen(failure), vec![]),
    };
    let duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Attempt {
        checked,
        ..Attempt::new(started, duration_ms, outcome)
    }
}

/// Every variable that a dotenv file sets to a real value; none where it cannot be read.
pub fn of_file(file: &Path) -> Vec<(String, String)> {
    let bytes = read(file).ok().flatten().unwrap_or_default();
    let assignments = dotenv::parse(&String::from_utf8_lossy(&bytes));
    assignments
        .into_iter()
        .filter(|(_, value)| dotenv::placeholder(value).is_none())
        .collect()
}

fn look(
    probe: &VariableProbe,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Checked>, Failure<LookFailure>> {
    let name = &probe.name;
    let (value, place) = match &probe.file {
        Some(file) => (in_file(name, file, base)?, format!("in `{file}`")),
        None => (env(name), "in the environment".to_string()),
    };
    let value = value
        .ok_or_else(|| Failure::new(LookFailure::Unset, format!("`{name}` is not set {place}")))?;
    match dotenv::placeholder(&value) {
        Some(why) => Err(Failure::new(
            LookFailure::Placeholder,
            format!("`{name}` has no real value {place}: {why}"),
        )),
        None => Ok(probe.expect.check("the value", value.as_bytes(), true)),
    }
}

fn in_file(name: &str, file: &str, base: &Path) -> Result<Option<String>, Failure<LookFailure>> {
    let no_access = |why: &str| {
        Failure::new(
            LookFailure::NoAccess,
            format!("`{file}` cannot be read: {why}"),
        )
    };
    match read(&base.join(file)) {
        Ok(Some(bytes)) => {
            let assignments = dotenv::parse(&String::from_utf8_lossy(&bytes));
            Ok(assignments
                .into_iter()
                .rfind(|(other, _)| other == name)
                .map(|(_, value)| value))
        }
        Ok(None) => Err(no_access("it is too large")),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Failure::new(
                LookFailure::Absent,
                format!("`{file}` is not there"),
            ))
        }
        Err(error) => Err(no_access(&words(&error))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::expectation::{Held, TextExpect};

    fn seen(file: Option<&str>, env: Option<&str>, base: &Path) -> Attempt {
        let expect = TextExpect {
            contains: vec!["://".into()],
            matches: vec!["^https".into()],
            lacks: vec!["test".into()],
        };
        let probe = VariableProbe {
            name: "DSN".into(),
            file: file.map(String::from),
            expect,
        };
        let lookup = |name: &str| env.filter(|_| name == "DSN").map(String::from);
        observe(&probe, base, &lookup)
    }

    fn failure(attempt: &Attempt) -> (LookFailure, &str) {
        match &attempt.outcome {
            Outcome::Unseen(failure) => (failure.kind, &failure.text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_value_is_held_against_the_expectation_and_never_shown() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(
            home.path().join(".env"),
            "DSN=http://old\nexport DSN='https://k3y@o1.acme.io/7' # live\n",
        )
        .unwrap();
        let real = "https://k3y@o1.acme.io/7";
        for attempt in [
            seen(None, Some(real), home.path()),
            seen(Some(".env"), Some("http://test"), home.path()),
        ] {
            assert_eq!(attempt.outcome, Outcome::Looked);
            assert!(
                attempt.checked.iter().all(|c| c.held == Held::Yes) && attempt.checked.len() == 3
            );
            assert!(!format!("{attempt:?}").contains("k3y"));
        }
        let wrong = seen(None, Some("ftp:hunter2/test"), home.path());
        assert!(wrong.checked.iter().all(|c| c.held == Held::No));
        assert!(!serde_json::to_string(&wrong).unwrap().contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_looked_at_says_why() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".env"), "DSN=<your-dsn>\n").unwrap();
        std::fs::write(home.path().join("other.env"), "# DSN=https://a\n").unwrap();
        let cases = [
            (
                None,
                None,
                LookFailure::Unset,
                "`DSN` is not set in the environment",
            ),
            (
                Some("other.env"),
                Some("x"),
                LookFailure::Unset,
                "`DSN` is not set in `other.env`",
            ),
            (
                Some("no.env"),
                Some("x"),
                LookFailure::Absent,
                "`no.env` is not there",
            ),
            (
                Some(".env/x"),
                Some("x"),
                LookFailure::Absent,
                "`.env/x` is not there",
            ),
            (
                Some("."),
                Some("x"),
                LookFailure::NoAccess,
                "`.` cannot be read: is a directory",
            ),
            (
                None,
                Some(" "),
                LookFailure::Placeholder,
                "`DSN` has no real value in the environment: it is empty",
            ),
        ];
        for (file, env, kind, text) in cases {
            assert_eq!(failure(&seen(file, env, home.path())), (kind, text));
        }
        for value in [
            "<your-dsn>",
            "change-me-hunter2",
            "https://xxxx@sentry.io/1",
            "Secret",
            "placeholder",
            "example",
        ] {
            let attempt = seen(None, Some(value), home.path());
            let (kind, text) = failure(&attempt);
            assert!(
                kind == LookFailure::Placeholder && !text.contains(value),
                "{text}"
            );
        }
        assert_eq!(
            failure(&seen(Some(".env"), None, home.path())).0,
            LookFailure::Placeholder
        );
    }
}
