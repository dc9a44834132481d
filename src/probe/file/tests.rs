//! Files in a temporary tree: which match, and what is said of them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::expectation::{Format, TextExpect};
use crate::domain::limit::Limit;

fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    home
}

fn seen(home: &Path, pattern: &str, expect: FileExpect) -> Attempt {
    observe(
        &FileProbe {
            pattern: pattern.to_string(),
            expect,
        },
        home,
    )
}

fn own(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| text.to_string()).collect()
}

fn text(contains: &[&str], matches: &[&str], lacks: &[&str]) -> FileExpect {
    let text = TextExpect {
        contains: own(contains),
        matches: own(matches),
        lacks: own(lacks),
    };
    FileExpect { text, ..any() }
}

fn any() -> FileExpect {
    FileExpect::default()
}

fn keys(keys: &[&str]) -> FileExpect {
    FileExpect {
        keys: own(keys),
        ..any()
    }
}

fn parses(format: Format) -> FileExpect {
    FileExpect {
        parses: Some(format),
        ..any()
    }
}

/// Whether each expectation held, and what was seen instead.
fn results(attempt: &Attempt) -> Vec<(Held, &str)> {
    assert_eq!(attempt.outcome, Outcome::Looked);
    attempt
        .checked
        .iter()
        .map(|c| (c.held, c.seen.as_str()))
        .collect()
}

fn failure(attempt: &Attempt) -> LookFailure {
    match &attempt.outcome {
        Outcome::Unseen(failure) => failure.kind,
        other => panic!("{other:?}"),
    }
}

fn assert_unseen(attempt: &Attempt, kind: LookFailure, text: &str) {
    assert_eq!(attempt.outcome, Outcome::Unseen(Failure::new(kind, text)));
}

#[test]
fn patterns_find_files() {
    let files = ".env .gitignore a.py app/b.py app/x/c.py app/x/[id]/d.py .git/e.py app/.git/f.py \
                 node_modules/g.py target/h.py .ready/i.py .hidden/j.py";
    let files: Vec<_> = files
        .split(' ')
        .map(|name| (name, b"".as_slice()))
        .collect();
    let home = tree(&files);
    let cases: &[(&str, &[&str])] = &[
        ("a.py", &["a.py"]),
        ("./app/b.py", &["./app/b.py"]),
        ("app/../a.py", &["app/../a.py"]),
        ("app", &["app"]),
        ("*.py", &["a.py"]),
        (
            "**/*.py",
            &[
                ".hidden/j.py",
                "a.py",
                "app/b.py",
                "app/x/[id]/d.py",
                "app/x/c.py",
            ],
        ),
        ("./app/*.py", &["app/b.py"]),
        ("app/../app/*.py", &["app/../app/b.py"]),
        ("app/**", &["app/b.py", "app/x/[id]/d.py", "app/x/c.py"]),
        ("app/x/[id]/d.py", &["app/x/[id]/d.py"]),
        ("app/{b,x/c}.py", &["app/b.py", "app/x/c.py"]),
        ("node_modules/*.py", &["node_modules/g.py"]),
        ("{target,app}/*.py", &["app/b.py", "target/h.py"]),
        (".e*", &[".env"]),
        ("?.py", &["a.py"]),
    ];
    for (pattern, wanted) in cases {
        let attempt = seen(home.path(), pattern, any());
        assert_eq!(attempt.files.unwrap_or_default(), *wanted, "{pattern}");
    }
    let absolute = home.path().join("a.py").display().to_string();
    assert_eq!(
        seen(Path::new("/"), &absolute, any()).files,
        Some(vec![absolute])
    );
    let absolute = format!("{}/*.py", home.path().display());
    assert_eq!(
        seen(Path::new("/"), &absolute, any())
            .files
            .map(|files| files.len()),
        Some(1)
    );
}

#[test]
fn what_is_not_there_is_absent_unless_that_is_expected() {
    let home = tree(&[("a.key", b""), ("b.key", b"")]);
    let absent = || FileExpect {
        absent: true,
        ..any()
    };
    let count = |limit| FileExpect {
        count: Limit::parse(limit).ok(),
        ..any()
    };
    let none = seen(home.path(), "*.pem", text(&["x"], &[], &[]));
    assert_unseen(&none, LookFailure::Absent, "no file matches `*.pem`");
    let none = seen(home.path(), "no/a.pem", any());
    assert_unseen(&none, LookFailure::Absent, "`no/a.pem` is not there");
    assert_eq!(
        failure(&seen(home.path(), "a[", any())),
        LookFailure::NoAccess
    );

    assert_eq!(
        results(&seen(home.path(), "*.pem", absent())),
        [(Held::Yes, "")]
    );
    assert_eq!(
        results(&seen(home.path(), "*.key", absent())),
        [(Held::No, "there is a.key, b.key")]
    );
    assert_eq!(
        results(&seen(home.path(), "*.pem", count("== 0"))),
        [(Held::Yes, "")]
    );
    assert_eq!(
        results(&seen(home.path(), "*.key", count(">= 3"))),
        [(Held::No, "it is 2")]
    );
    let both = FileExpect {
        count: Limit::parse(">= 0").ok(),
        ..text(&["x"], &[], &["y"])
    };
    let wanted = [
        (Held::Yes, ""),
        (Held::No, "there is no file"),
        (Held::Unknown, "no file matches"),
    ];
    assert_eq!(results(&seen(home.path(), "*.pem", both)), wanted);
}

#[test]
fn text_is_looked_for_outside_of_comments() {
    let home = tree(&[
        (
            "app/main.py",
            b"import os\n# sentry_sdk.init(dsn)\nDEBUG = True\n\xff\n",
        ),
        ("app/util.py", b"'''\nlogging.init\n'''\nDEBUG = False\n"),
    ]);
    let expect = || {
        text(
            &["sentry_sdk.init(", "DEBUG", "nothing"],
            &["(?m)^DEBUG = (True|1)$", "("],
            &["DEBUG", "sentry_sdk"],
        )
    };
    let attempt = seen(home.path(), "app/*.py", expect());
    let wanted = [
        (Held::No, "only in a comment (app/main.py:2)"),
        (Held::Yes, ""),
        (Held::No, "it is in none of the 2 files"),
        (Held::Yes, ""),
        (Held::Unknown, "the pattern cannot be used"),
        (Held::No, "it is in app/main.py:3, app/util.py:4"),
        (Held::Yes, ""),
    ];
    assert_eq!(results(&attempt), wanted);
    assert_eq!(
        attempt.checked[0].what,
        "a file of `app/*.py` contains `sentry_sdk.init(`"
    );
    assert_eq!(
        attempt.checked[6].what,
        "no file of `app/*.py` contains `sentry_sdk`"
    );
    let attempt = seen(
        home.path(),
        "app/*.py",
        FileExpect {
            comments: true,
            ..expect()
        },
    );
    assert_eq!(results(&attempt)[0].0, Held::Yes);
    assert_eq!(results(&attempt)[6], (Held::No, "it is in app/main.py:2"));
    let attempt = seen(
        home.path(),
        "app/util.py",
        text(&["nothing"], &[], &["DEBUG"]),
    );
    let wanted = [
        (Held::No, "it is not there"),
        (Held::No, "it is in app/util.py:4"),
    ];
    assert_eq!(results(&attempt), wanted);
    assert_eq!(
        attempt.checked[1].what,
        "`app/util.py` does not contain `DEBUG`"
    );
}

#[test]
fn keys_need_a_value() {
    let home = tree(&[
        (
            "a.json",
            br#"{"scripts": {"test": "vitest"}, "name": "", "private": null}"#,
        ),
        ("b.yaml", b"kind: x\n---\nspec: {replicas: 2}\n"),
        ("c.toml", b"[package]\nname = 'hunter2'\n"),
        (
            ".env",
            b"A=hunter2\nB=changeme-hunter2\nC=\n#D=hunter2\nE=old\nE=<hunter2>\n",
        ),
        ("bad.json", b"{\n\"a\": hunter2}"),
    ]);
    let cases: &[(&str, &[&str], &str)] = &[
        ("a.json", &["scripts.test", "scripts"], ""),
        (
            "a.json",
            &["name", "private", "x.y"],
            "a.json: `name` is empty, `private` is empty, `x.y` is missing",
        ),
        ("b.yaml", &["kind", "spec.replicas"], ""),
        (
            "?.toml",
            &["package.name", "package.version"],
            "c.toml: `package.version` is missing",
        ),
        (".env", &["A"], ""),
        (
            ".env",
            &["A", "B", "D"],
            ".env: `B` has no real value (it asks to be filled in), `D` is missing",
        ),
        (".env", &["C"], ".env: `C` has no real value (it is empty)"),
        (
            ".env",
            &["E"],
            ".env: `E` has no real value (a name in brackets stands where it belongs)",
        ),
        (
            "bad.json",
            &["a"],
            "bad.json:2: expected value at line 2 column 6",
        ),
    ];
    for (pattern, names, said) in cases {
        let attempt = seen(home.path(), pattern, keys(names));
        let held = if said.is_empty() { Held::Yes } else { Held::No };
        assert_eq!(results(&attempt), [(held, *said)], "{pattern}");
        assert!(!format!("{attempt:?}").contains("hunter2"));
    }
    assert_eq!(
        seen(home.path(), ".env", keys(&["A", "B"])).checked[0].what,
        "`.env` has a value for `A`, `B`"
    );
}

#[test]
fn every_file_must_parse() {
    let home = tree(&[
        ("a.json", b"{}"),
        ("b.json", b"[1,\n]"),
        ("k/a.yml", b"a: 1\n---\nb: 2\n"),
        ("k/b.yml", b"a: 1\n---\nb: [\n"),
        ("c.toml", b"a = 1\na = 2"),
    ]);
    assert_eq!(
        results(&seen(home.path(), "a.json", parses(Format::Json))),
        [(Held::Yes, "")]
    );
    assert_eq!(
        results(&seen(home.path(), "k/a.yml", parses(Format::Yaml))),
        [(Held::Yes, "")]
    );
    for (pattern, format, start) in [
        ("*.json", Format::Json, "b.json:2: "),
        ("k/*", Format::Yaml, "k/b.yml:4: "),
        ("c.toml", Format::Toml, "c.toml:2: "),
    ] {
        let attempt = seen(home.path(), pattern, parses(format));
        let [(Held::No, said)] = results(&attempt)[..] else {
            panic!("{attempt:?}")
        };
        assert!(said.starts_with(start), "{said}");
    }
}

#[test]
fn a_large_file_leaves_open_what_it_could_decide() {
    let home = tree(&[("a.txt", b"one"), ("z.txt", b"")]);
    File::options()
        .write(true)
        .open(home.path().join("z.txt"))
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    let expect = FileExpect {
        keys: own(&["K"]),
        ..text(&["one", "two"], &[], &["one", "two"])
    };
    let unread = (Held::Unknown, "too large to read: `z.txt`");
    let wanted = [
        (Held::Yes, ""),
        unread,
        (Held::No, "it is in a.txt:1"),
        unread,
        (Held::No, "a.txt: `K` is missing"),
    ];
    assert_eq!(results(&seen(home.path(), "*.txt", expect)), wanted);
    assert_eq!(results(&seen(home.path(), "*.txt", any())), []);
}

#[test]
fn a_directory_is_there_and_has_no_text() {
    let home = tree(&[("app/a.py", b"")]);
    assert_eq!(seen(home.path(), "app", any()).outcome, Outcome::Looked);
    let attempt = seen(home.path(), "app", text(&["x"], &[], &[]));
    assert_unseen(
        &attempt,
        LookFailure::NoAccess,
        "`app` cannot be read: is a directory",
    );
}

#[test]
fn many_files_are_counted_and_few_are_named() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..60 {
        fs::write(home.path().join(format!("{number:02}.log")), "").unwrap();
    }
    let attempt = seen(
        home.path(),
        "*.log",
        FileExpect {
            absent: true,
            ..any()
        },
    );
    assert_eq!(attempt.files.as_ref().map(Vec::len), Some(NAMED));
    assert_eq!(
        results(&attempt)[0].1,
        "there is 00.log, 01.log, 02.log, 03.log, 04.log and 55 more"
    );
}

#[cfg(unix)]
#[test]
fn links_lead_to_files_and_not_into_directories() {
    let home = tree(&[("real/a.py", b"x")]);
    let outside = tree(&[("b.py", b"x")]);
    std::os::unix::fs::symlink(outside.path(), home.path().join("away")).unwrap();
    std::os::unix::fs::symlink(home.path(), home.path().join("loop")).unwrap();
    std::os::unix::fs::symlink(home.path().join("real/a.py"), home.path().join("c.py")).unwrap();
    std::os::unix::fs::symlink("nowhere", home.path().join("d.py")).unwrap();
    let attempt = seen(home.path(), "**/*.py", any());
    assert_eq!(attempt.files, Some(own(&["c.py", "real/a.py"])));
    assert_eq!(
        failure(&seen(home.path(), "d.py", any())),
        LookFailure::Absent
    );
    assert_eq!(
        seen(home.path(), "away/*.py", any()).files,
        Some(own(&["away/b.py"]))
    );
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let home = tree(&[("a.py", b"x"), ("b.py", b"x"), ("shut/c.py", b"x")]);
    let close = |name| {
        fs::set_permissions(home.path().join(name), fs::Permissions::from_mode(0o0)).unwrap()
    };
    close("b.py");
    close("shut");
    // Root may read everything.
    if File::open(home.path().join("b.py")).is_ok() {
        return;
    }
    let attempt = seen(home.path(), "*.py", text(&["x"], &[], &[]));
    assert_unseen(
        &attempt,
        LookFailure::NoAccess,
        "`b.py` cannot be read: permission denied",
    );
    let shut = "`shut` cannot be looked into: permission denied";
    assert_unseen(
        &seen(home.path(), "**/c.py", any()),
        LookFailure::NoAccess,
        shut,
    );
    assert_unseen(
        &seen(home.path(), "**/a.py", text(&[], &[], &["y"])),
        LookFailure::NoAccess,
        shut,
    );
    assert_eq!(
        results(&seen(home.path(), "**/a.py", text(&["x"], &[], &[]))),
        [(Held::Yes, "")]
    );
    fs::set_permissions(home.path().join("shut"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    let links = || FileExpect {
        links: true,
        ..any()
    };
    let good = "# A\n[b](docs/b.md#part) [top](/a.md?x) ![i](docs/an%20image.png) [d](docs) \
                [web](https://example.com/none) [mail](mailto:a@b.c) [here](#a) [r][ref]\n\n[ref]: ./a.md\n\
                `[no](none.md)`\n\n```\n[no](none.md)\n```\n";
    let home = tree(&[
        ("a.md", good.as_bytes()),
        ("docs/b.md", b"[up](../a.md) <https://example.com>"),
        ("docs/an image.png", b""),
        ("node_modules/x/README.md", b"[gone](gone.md)"),
        (".venv/lib/y.md", b"[gone](gone.md)"),
        ("bad/c.md", b"\n[gone](../gone.md) | [far](/docs/c.md)"),
        ("none/d.md", b"[web](https://example.com)"),
    ]);
    let verdict = |pattern: &str| {
        let attempt = seen(home.path(), pattern, links());
        let checked = attempt.checked.into_iter().next().unwrap();
        (checked.what, checked.held, checked.seen)
    };
    let (what, held, _) = verdict("{*,docs/*}.md");
    assert_eq!(
        (what.as_str(), held),
        (
            "every link within the project leads somewhere (6 in `{*,docs/*}.md`)",
            Held::Yes
        )
    );
    let (_, held, seen) = verdict("**/*.md");
    assert_eq!(held, Held::No);
    assert_eq!(seen, "bad/c.md:2 `../gone.md`, bad/c.md:2 `/docs/c.md`");
    let (_, held, seen) = verdict("none/*.md");
    assert_eq!(
        (held, seen.as_str()),
        (Held::Unknown, "there is no such link")
    );
}

#[test]
fn every_key_of_the_example_has_a_real_value() {
    let keys_of = |example: &str| FileExpect {
        keys_of: Some(example.to_string()),
        ..any()
    };
    let home = tree(&[
        (
            ".env.example",
            b"# settings\nDSN=\nexport PORT=8000\nDSN=x\n#LATER=1\n",
        ),
        (".env", b"DSN=https://k@sentry.local/1\nPORT=80\nMORE=1\n"),
        (".env.bad", b"DSN=changeme\n"),
        ("none.example", b"# nothing\n"),
    ]);
    let held = |file: &str, example: &str| {
        let attempt = seen(home.path(), file, keys_of(example));
        let checked = attempt.checked.into_iter().next().unwrap();
        (checked.held, checked.seen)
    };
    assert_eq!(held(".env", ".env.example").0, Held::Yes);
    let (refuted, why) = held(".env.bad", ".env.example");
    assert_eq!(refuted, Held::No);
    assert!(why.contains("`DSN` has no real value"), "{why}");
    assert!(why.contains("`PORT` is missing"), "{why}");
    assert!(!why.contains("changeme"), "{why}");
    assert_eq!(held(".env", "none.example").0, Held::Unknown);
    let attempt = seen(home.path(), ".env", keys_of("gone.example"));
    assert!(matches!(
        attempt.outcome,
        Outcome::Unseen(Failure {
            kind: LookFailure::NoAccess,
            ..
        })
    ));
}
