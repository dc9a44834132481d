//! What `ready` does by itself where it runs in a CI system.

use crate::{MANIFEST, Project, text};

/// The outputs in GitHub's file: each between its delimiters.
fn outputs(file: &str) -> Vec<(String, String)> {
    let mut lines = file.lines();
    let mut found = vec![];
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap();
        let value = lines
            .by_ref()
            .take_while(|line| *line != delimiter)
            .collect::<Vec<_>>();
        found.push((name.to_string(), value.join("\n")));
    }
    found
}

#[test]
fn github_gets_annotations_a_summary_and_outputs() {
    let project = Project::new(MANIFEST);
    project.commit();
    project.write("summary", "what was there\n");
    let check = |args: &[&str]| {
        let mut command = project.command(&[&["check"], args].concat());
        command.env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_STEP_SUMMARY", project.path("summary"));
        command.env("GITHUB_OUTPUT", project.path("output"));
        command.output().unwrap()
    };
    let run = check(&[]);
    assert_eq!(run.status.code(), Some(1));
    let out = text(&run.stdout);
    // The table cannot command the runner; what follows does.
    let (table, commands) = out.split_once("\n::error file=").unwrap();
    assert!(
        table.starts_with("::stop-commands::") && table.contains("NOT READY"),
        "{out}"
    );
    assert!(
        commands.starts_with("readiness.toml,line=")
            && commands.contains("title=counted%3A partial::"),
        "{out}"
    );
    let summary = project.read("summary");
    assert!(
        summary.starts_with("what was there\n## fates: NOT READY"),
        "{summary}"
    );
    let outputs = outputs(&project.read("output"));
    let value = |name: &str| {
        outputs
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("open"), Some("false"));
    assert_eq!(value("claimed"), Some("95"));
    assert_eq!(value("failed-checks"), Some("2"));
    assert_eq!(value("unverified-checks"), Some("1"));
    // JSON stays one document; the files are written all the same.
    let run = check(&["--format", "json"]);
    assert!(serde_json::from_slice::<serde_json::Value>(&run.stdout).is_ok());
    assert_eq!(project.read("summary").matches("## fates").count(), 2);
    // Nothing of it where it is turned off, and for a part of the checks.
    for args in [&["--no-ci"][..], &["runs"]] {
        let run = check(args);
        assert!(!text(&run.stdout).contains("::error"), "{args:?}");
        assert_eq!(
            project.read("summary").matches("## fates").count(),
            2,
            "{args:?}"
        );
    }
    // A verb that only shows decides nothing.
    let mut status = project.command(&["status"]);
    status
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", project.path("summary"));
    assert!(!text(&status.output().unwrap().stdout).contains("::error"));
}

#[test]
fn a_manifest_in_a_folder_is_named_by_its_place_in_the_repository() {
    let project = Project::new("[project]\nname = \"top\"\n");
    project.lay_out("services/pay/", MANIFEST);
    project.commit();
    for args in [
        &["-C", "services/pay", "check", "--no-ci"][..],
        &[
            "--manifest",
            "services/pay/readiness.toml",
            "check",
            "--no-ci",
        ],
    ] {
        let run = project.ready(&[args, &["--format", "github"]].concat());
        let out = text(&run.stdout);
        assert!(
            out.contains("file=services/pay/readiness.toml,line="),
            "{out}"
        );
    }
}

#[test]
fn a_summary_is_no_longer_than_github_takes() {
    let checks = (0..3000).map(|at| {
        format!(
            "[checks.c{at}]\nsays = \"{}\"\nfile = \"none-{at}\"\n",
            "long ".repeat(100)
        )
    });
    let project = Project::new(&format!(
        "[project]\nname = \"long\"\n{}",
        checks.collect::<String>()
    ));
    let mut command = project.command(&["check", "-q"]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", project.path("summary"));
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    let summary = project.read("summary");
    assert!(
        summary.len() <= 1 << 20 && summary.contains("NOT READY"),
        "{}",
        summary.len()
    );
}

#[test]
fn gitlab_gets_junit_where_its_template_looks_for_it() {
    let project = Project::new(MANIFEST);
    project.commit();
    let check = |args: &[&str]| {
        let mut command = project.command(&[&["check"], args].concat());
        command.env("GITLAB_CI", "true").output().unwrap()
    };
    check(&["--no-ci"]);
    assert!(!project.path(".ready/junit.xml").exists());
    check(&["--report", "junit=elsewhere.xml"]);
    assert!(!project.path(".ready/junit.xml").exists() && project.path("elsewhere.xml").exists());
    check(&[]);
    assert!(project.read(".ready/junit.xml").contains("<testsuites"));
}
