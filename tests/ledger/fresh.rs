//! Evidence counts for the files, the definition and the program that it was had on, and is used again while they stand.

use crate::{Done, Project, check, checked, commit, ready};

/// Three checks: of one folder, of another with a file that git ignores, and of everything. Each notes that it ran.
fn project() -> Project {
    let noting = |id: &str, more: &str| check(id, &format!("echo {id} >> \"$NOTES\""), more);
    let project = Project::new(
        &[
            noting("app", "inputs = [\"app/**/*.py\", \"lock\"]"),
            noting("web", "inputs = [\"web\", \"dist/**\"]"),
            noting("all", ""),
        ]
        .concat(),
    );
    for folder in ["app/deep", "web", "dist", "docs"] {
        std::fs::create_dir_all(project.path(folder)).unwrap();
    }
    project.write(".gitignore", "dist/\nnotes\n__pycache__/\n");
    for file in [
        "app/a.py",
        "app/deep/b.py",
        "app/x.txt",
        "lock",
        "web/w.js",
        "dist/out.js",
        "docs/d.md",
    ] {
        project.write(file, "first\n");
    }
    commit(&project, "first");
    project
}

fn run(project: &Project, args: &[&str]) -> Done {
    let mut command = project.command(&[&["check", "--format", "json"], args].concat());
    command.env("NOTES", project.path("notes"));
    crate::support::Running::new(command).finish()
}

/// Which checks ran since this was last asked.
fn ran(project: &Project) -> Vec<String> {
    let notes = std::fs::read_to_string(project.path("notes")).unwrap_or_default();
    let _ = std::fs::remove_file(project.path("notes"));
    let mut ran = notes.lines().map(str::to_string).collect::<Vec<_>>();
    ran.sort();
    ran
}

/// The checks that are stale, with why.
fn stale(project: &Project) -> Vec<(String, String)> {
    let status = ready(project, &["status", "--format", "json"]);
    let rows = status.report()["checks"].as_array().unwrap().clone();
    let stale = rows.iter().filter(|row| row["reason"]["code"] == "stale");
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    stale
        .map(|row| (word(&row["id"]), word(&row["reason"]["text"])))
        .collect()
}

#[test]
fn an_edited_file_makes_exactly_those_stale_that_depend_on_it() {
    let cases: [(&str, &[&str]); 8] = [
        ("app/a.py", &["app", "all"]),
        ("app/deep/b.py", &["app", "all"]),
        ("app/new.py", &["app", "all"]),
        ("app/x.txt", &["all"]),
        ("lock", &["app", "all"]),
        ("web/new/w.css", &["web", "all"]),
        // What git ignores is in no state of the files, and counts where a check names it.
        ("dist/out.js", &["web"]),
        ("app/__pycache__/a.py", &[]),
    ];
    for (file, ids) in cases {
        let project = project();
        run(&project, &[]);
        assert_eq!(stale(&project), []);
        std::fs::create_dir_all(project.path(file).parent().unwrap()).unwrap();
        project.write(file, "second\n");
        let found = stale(&project);
        assert_eq!(
            found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
            ids,
            "{file}"
        );
        for (id, text) in &found {
            if file.starts_with("dist") {
                assert!(
                    text.starts_with("files were changed since it was last run"),
                    "{text}"
                );
            } else {
                let words = format!("`{file}` was changed since it was last run, ");
                assert!(
                    text.starts_with(&words) && text.contains(" ago (at commit "),
                    "{id}: {text}"
                );
            }
        }
    }
}

#[test]
fn a_removed_file_and_a_committed_one_count_as_well() {
    let project = project();
    run(&project, &[]);
    std::fs::remove_file(project.path("app/a.py")).unwrap();
    project.write("app/deep/b.py", "second\n");
    project.write("docs/d.md", "second\n");
    commit(&project, "second");
    let found = stale(&project);
    let words = |at: usize| found[at].1.split(" since").next().unwrap().to_string();
    assert_eq!(words(0), "`app/a.py`, `app/deep/b.py` were changed");
    assert_eq!(
        words(1),
        "`app/a.py`, `app/deep/b.py` and 1 more were changed"
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn a_commit_of_what_was_there_changes_nothing() {
    let project = project();
    project.write("app/a.py", "second\n");
    run(&project, &[]);
    commit(&project, "second");
    assert_eq!(stale(&project), []);
}

#[test]
fn outside_of_a_repository_it_is_the_same() {
    let project = project();
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    run(&project, &[]);
    assert_eq!(stale(&project), []);
    project.write("app/a.py", "second\n");
    let found = stale(&project);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|(_, text)| text.starts_with("`app/a.py` was changed since it was last run, ")),
        "{found:?}"
    );
}

#[test]
fn what_is_verified_and_unchanged_is_not_run_again() {
    let project = project();
    run(&project, &[]);
    assert_eq!(ran(&project), ["all", "app", "web"]);
    let again = run(&project, &[]);
    assert_eq!(ran(&project), ["all"]);
    for id in ["app", "web"] {
        assert_eq!(again.verdict(id), "verified held");
        let row = again.row(id);
        assert_eq!(row["reused"], true);
        assert!(
            row["recorded"].is_string() && row["recorded_at"].is_string(),
            "{row}"
        );
    }
    assert_eq!(again.row("all")["reused"], false);
    assert_eq!(again.report()["run"]["complete"], true);
    // What is used again is not recorded again: the evidence stays as old as it is.
    let table = ready(&project, &["check", "app"]).text();
    assert!(
        table.contains("app: app (exit status 0; reused, verified "),
        "{table}"
    );
    assert!(table.contains(" ago on "), "{table}");
    assert_eq!(ran(&project), [""; 0]);
    run(&project, &["--fresh"]);
    assert_eq!(ran(&project), ["all", "app", "web"]);
    project.write("web/w.js", "second\n");
    let after = run(&project, &[]);
    assert_eq!(ran(&project), ["all", "web"]);
    assert_eq!(after.row("app")["reused"], true);
}

#[test]
fn a_changed_definition_or_program_is_run_again() {
    let project = project();
    project.executable("tool", "#!/bin/sh\ntrue\n");
    let manifest = std::fs::read_to_string(project.path("readiness.toml")).unwrap();
    let tool = |says: &str| {
        format!(
            "{manifest}\n[checks.tool]\nsays = \"{says}\"\nrun = [\"./tool\"]\ninputs = [\"web\"]\n"
        )
    };
    project.write("readiness.toml", &tool("first"));
    let reused = |done: &Done| done.row("tool")["reused"] == true;
    assert!(!reused(&run(&project, &[])));
    assert!(reused(&run(&project, &[])));
    project.write("readiness.toml", &tool("second"));
    assert!(!reused(&run(&project, &[])));
    assert!(reused(&run(&project, &[])));
    // It is no input of the check, but what it runs.
    project.executable("tool", "#!/bin/sh\nexit 0\n");
    let found = stale(&project);
    let why = &found.iter().find(|(id, _)| id == "tool").unwrap().1;
    assert!(
        why.starts_with("the program `") && why.contains("/tool` was changed since"),
        "{why}"
    );
    assert!(!reused(&run(&project, &[])));
}

#[test]
fn the_version_of_a_program_is_kept_where_the_manifest_asks_for_one() {
    let project = Project::new(
        "[requires]\ntools = { tool = \">= 2\", sh = \"*\" }\n\
         [checks.it]\nsays = \"it\"\nrun = [\"tool\"]\ninputs = [\"tool\"]\n\
         [checks.other]\nsays = \"other\"\nrun = [\"sh\", \"-c\", \"true\"]\n",
    );
    project.executable("tool", "#!/bin/sh\necho tool 2.5.1\n");
    let run = || {
        let mut command = project.command(&["check", "--format", "json"]);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", project.path(".").display()));
        crate::support::Running::new(command).finish()
    };
    let program = |done: &Done, id: &str| done.row(id)["evidence"]["binding"]["program"].clone();
    let first = run();
    assert_eq!(program(&first, "it")["version"], "2.5.1");
    assert!(
        program(&first, "other")["path"]
            .as_str()
            .unwrap()
            .ends_with("/sh")
    );
    assert_eq!(program(&first, "other")["version"], serde_json::Value::Null);
    assert_eq!(run().row("it")["reused"], true);
}

#[test]
fn what_does_not_hold_or_looks_outside_is_always_run() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "{}{}\n\
         [services.s]\nrun = [\"sleep\", \"300\"]\nhealthy = {{ log = \"\", within = \"1ms\" }}\n\
         [checks.var]\nsays = \"var\"\nvariable = \"HOME\"\ninputs = [\"f\"]\n\
         [checks.port]\nsays = \"port\"\nport = {port}\ninputs = [\"f\"]\n\
         [checks.tool]\nsays = \"tool\"\ntool = \"sh\"\ninputs = [\"f\"]\n\
         [checks.named]\nsays = \"named\"\nrun = [\"test\", \"{{env.HOME}}\"]\ninputs = [\"f\"]\n\
         [checks.file]\nsays = \"file\"\nfile = \"f\"\ninputs = [\"f\"]\n",
        check("fails", "exit 1", "inputs = [\"f\"]"),
        check("old", "true", "inputs = [\"f\"]\nmax_age = \"1ms\""),
    ));
    project.write("f", "x");
    checked(&project, &[]);
    let again = checked(&project, &[]);
    let reused = |id: &str| again.row(id)["reused"] == true;
    let ids = ["fails", "old", "var", "port", "tool", "named"];
    let rows = ids.map(|id| (id, reused(id)));
    assert!(rows.iter().all(|(_, reused)| !reused), "{rows:?}");
    assert!(reused("file"));
}

#[test]
fn inputs_that_are_nowhere_bind_to_all_files() {
    let project = Project::script("true", "inputs = [\"bakend/**\"]");
    project.write("a", "first");
    for _ in 0..2 {
        let done = checked(&project, &[]);
        let warnings = done.report()["warnings"].to_string();
        assert!(
            warnings.contains("`inputs` of it: no file matches `bakend/**`: its evidence counts for the state of all"),
            "{warnings}"
        );
        assert_eq!(done.row("it")["reused"], false);
    }
    project.write("a", "second");
    assert_eq!(stale(&project).len(), 1);
}

#[test]
fn a_check_that_changes_its_own_inputs_is_not_used_again() {
    let project = Project::new(
        &[
            check("writes", "echo x >> in", "inputs = [\"in\"]"),
            check("other", "true", "inputs = [\"else\"]"),
        ]
        .concat(),
    );
    project.write("in", "");
    project.write("else", "");
    for _ in 0..2 {
        let done = checked(&project, &[]);
        assert_eq!(done.row("writes")["reused"], false);
    }
    let third = checked(&project, &[]);
    assert_eq!(third.row("other")["reused"], true, "{}", third.stderr);
    assert_eq!(stale(&project).len(), 1);
}

#[test]
fn a_need_that_fails_takes_what_was_used_again_with_it() {
    let project = Project::new(
        &[
            check("first", "test ! -e broken", ""),
            check("second", "true", "inputs = [\"in\"]\nneeds = [\"first\"]"),
        ]
        .concat(),
    );
    project.write("in", "");
    project.write(".gitignore", "broken\n");
    checked(&project, &[]);
    assert_eq!(checked(&project, &[]).row("second")["reused"], true);
    project.write("broken", "");
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("first"), "failed exit-status");
    assert_eq!(done.verdict("second"), "unverified needs-failed");
}
