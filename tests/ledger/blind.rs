//! Places in which a change could go unseen: links, repositories inside of others, files that git was told to pass over.

use std::process::Command;

use crate::{Project, check, checked, commit, ready};

/// Runs a script in the project's folder.
fn sh(project: &Project, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-euc", script]);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ] {
        command.env(name, value);
    }
    project.prepare(&mut command);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
}

fn verdict(project: &Project) -> String {
    ready(project, &["status", "--format", "json"]).verdict("it")
}

#[test]
fn a_change_is_seen_wherever_it_is() {
    let repository = "git init -q sub; cd sub; echo 1 > f; git add f; git commit -qm one; cd ..";
    let submodule = "git init -q ../$(basename $PWD)-sub; cd ../$(basename $PWD)-sub; echo 1 > f; git add f; git commit -qm one; \
                     cd - > /dev/null; git -c protocol.file.allow=always submodule -q add ../$(basename $PWD)-sub sub; git commit -qm sub";
    let cases = [
        ("a file", "", "echo 2 > app"),
        (
            "an assumed one",
            "git update-index --assume-unchanged app",
            "echo 2 > app",
        ),
        (
            "a skipped one",
            "git update-index --skip-worktree app",
            "echo 2 > app",
        ),
        ("a submodule", submodule, "echo 2 > sub/f"),
        (
            "a dirty submodule",
            &format!("{submodule}; echo 2 > sub/f"),
            "echo 3 > sub/f",
        ),
        (
            "an ignored submodule",
            &format!("{submodule}; git config submodule.sub.ignore all"),
            "echo 2 > sub/f",
        ),
        (
            "a submodule's commit",
            &format!("{submodule}; echo 2 > sub/f"),
            "cd sub; echo 3 > f; git commit -qam two",
        ),
        ("a repository inside", repository, "echo 2 > sub/f"),
        (
            "a link to a folder",
            "mkdir a b; ln -s a link",
            "ln -sfn b link",
        ),
        ("a link that goes", "mkdir a; ln -s a link", "rm link"),
        ("a link to a file", "ln -s app link", "ln -sfn other link"),
        (
            "a tracked .ready",
            "mkdir -p conf/.ready; echo 1 > conf/.ready/f; git add -f conf; git commit -qm conf",
            "echo 2 > conf/.ready/f",
        ),
        (
            "an odd name",
            "printf 1 > 'odd\r'; printf 1 > 'line\nbreak'",
            "printf 2 > 'odd\r'",
        ),
        (
            "a name of two lines",
            "printf 1 > 'line\nbreak'; touch -d @1 'line\nbreak'",
            "printf 2 > 'line\nbreak'; touch -d @1 'line\nbreak'",
        ),
        (
            "a file that is staged",
            "echo 2 > app; git add app",
            "echo 3 > app; git add app",
        ),
    ];
    for (what, setup, edit) in cases {
        let project = Project::script("true", "");
        project.write("app", "1");
        project.write("other", "1");
        commit(&project, "first");
        sh(&project, setup);
        assert_eq!(
            checked(&project, &[]).verdict("it"),
            "verified held",
            "{what}"
        );
        assert_eq!(verdict(&project), "verified held", "{what}");
        sh(&project, edit);
        assert_eq!(verdict(&project), "unverified stale", "{what}");
        let _ = std::fs::remove_dir_all(format!(
            "{}-sub",
            project.path("").display().to_string().trim_end_matches('/')
        ));
    }
}

#[test]
fn a_commit_changes_nothing_of_links_either() {
    let project = Project::script("true", "");
    project.write("app", "1");
    commit(&project, "first");
    sh(&project, "ln -s app link; mkdir a; ln -s a folder");
    checked(&project, &[]);
    commit(&project, "links");
    assert_eq!(verdict(&project), "verified held");
}

#[test]
fn inputs_see_what_git_ignores_and_what_links_lead_to() {
    let cases = [
        ("[\"build/**\"]", "echo 2 > build/x"),
        ("[\"build\"]", "echo 2 > build/x"),
        ("[\"*.env\", \"app\"]", "echo 2 > prod.env"),
        ("[\"src/*.txt\"]", "echo 2 > src/gen.txt"),
        ("[\"whole/deep/**\"]", "echo 2 > whole/deep/x"),
        ("[\"link\"]", "echo 2 > ../$(basename $PWD).target"),
        ("[\"whole/**\"]", "ln -sfn ../src whole/turn"),
        ("[\"src/__pycache__/**\"]", "echo 2 > src/__pycache__/c"),
    ];
    for (inputs, edit) in cases {
        let project = Project::script("true", &format!("inputs = {inputs}"));
        sh(
            &project,
            "mkdir -p build src/__pycache__ whole/deep; touch build/.gitkeep app src/a.txt; echo 1 > ../$(basename $PWD).target; \
             for f in build/x prod.env src/gen.txt whole/deep/x src/__pycache__/c; do echo 1 > $f; done; \
             ln -s ../$(basename $PWD).target link; ln -s ../build whole/turn; \
             printf 'build/*\\n!build/.gitkeep\\n*.env\\nsrc/gen.txt\\nwhole/\\n__pycache__/\\n' > .gitignore",
        );
        commit(&project, "first");
        checked(&project, &[]);
        assert_eq!(checked(&project, &[]).row("it")["reused"], true, "{inputs}");
        sh(&project, edit);
        assert_eq!(verdict(&project), "unverified stale", "{inputs}");
        assert_eq!(
            checked(&project, &[]).row("it")["reused"],
            false,
            "{inputs}"
        );
        sh(&project, "rm -f ../$(basename $PWD).target");
    }
}

#[test]
fn what_tools_keep_for_themselves_is_no_input_unless_it_is_named() {
    let project = Project::script("true", "inputs = [\"**\"]");
    sh(
        &project,
        "mkdir -p src/__pycache__ node_modules/x; touch a src/a; echo __pycache__ > .gitignore; echo node_modules >> .gitignore",
    );
    commit(&project, "first");
    checked(&project, &[]);
    sh(
        &project,
        "echo 1 > src/__pycache__/c; echo 1 > node_modules/x/y",
    );
    assert_eq!(checked(&project, &[]).row("it")["reused"], true);
}

#[test]
fn without_git_links_and_left_out_files_are_seen() {
    let cases = [
        ("ln -s a link", "ln -sfn b link"),
        ("ln -s a link", "echo 2 > a"),
        ("echo a > .ignore", "echo 2 > a"),
    ];
    for (setup, edit) in cases {
        let project = Project::script("true", "");
        sh(&project, "echo 1 > a; echo 1 > b");
        sh(&project, setup);
        checked(&project, &[]);
        assert_eq!(verdict(&project), "verified held");
        sh(&project, edit);
        assert_eq!(verdict(&project), "unverified stale", "{setup}, {edit}");
    }
}

#[test]
fn a_file_that_is_looked_at_counts_wherever_it_is() {
    for edit in ["echo bad > $FILE", "rm $FILE"] {
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("f");
        std::fs::write(&file, "good").unwrap();
        let project = Project::new(&format!(
            "[checks.it]\nsays = \"it\"\nfile = \"{}\"\nexpect = {{ contains = \"good\" }}\n",
            file.display()
        ));
        commit(&project, "first");
        checked(&project, &[]);
        assert_eq!(verdict(&project), "verified held");
        sh(&project, &edit.replace("$FILE", file.to_str().unwrap()));
        assert_eq!(verdict(&project), "unverified stale", "{edit}");
    }
}

#[test]
fn where_git_is_pointed_elsewhere_makes_no_difference() {
    let project = Project::script("true", "");
    project.write("app", "1");
    commit(&project, "first");
    sh(
        &project,
        "cp -r . ../$(basename $PWD).copy; mkdir -p sub/.git; echo 1 > sub/f",
    );
    let elsewhere = format!(
        "{}.copy",
        project.path(".").canonicalize().unwrap().display()
    );
    let run = |args: &[&str]| {
        let mut command = project.command(args);
        command.env("GIT_WORK_TREE", &elsewhere);
        crate::support::Running::new(command).finish()
    };
    run(&["check", "-q"]);
    project.write("app", "2");
    assert_eq!(
        run(&["status", "--format", "json"]).verdict("it"),
        "unverified stale"
    );
    std::fs::remove_dir_all(elsewhere).unwrap();
}

#[test]
fn one_state_is_asked_for_once_however_many_checks_are_stale() {
    let checks = (0..30).map(|at| {
        check(
            &format!("c{at}"),
            "true",
            &format!("inputs = [\"d{at}/**\"]"),
        )
    });
    let project = Project::new(&checks.collect::<String>());
    for at in 0..30 {
        std::fs::create_dir(project.path(&format!("d{at}"))).unwrap();
        project.write(&format!("d{at}/f"), "1");
    }
    commit(&project, "first");
    checked(&project, &[]);
    for at in 0..30 {
        project.write(&format!("d{at}/f"), "2");
    }
    // Every start of git is noted.
    let git = which::which("git").unwrap();
    project.executable(
        "git",
        &format!(
            "#!/bin/sh\necho x >> \"$NOTES\"\nexec {} \"$@\"\n",
            git.display()
        ),
    );
    project.write(".gitignore", "git\nnotes\n");
    let mut command = project.command(&["status", "--format", "json"]);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", project.path(".").display()));
    command.env("NOTES", project.path("notes"));
    let done = crate::support::Running::new(command).finish();
    let stale = done.report()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["reason"]["code"] == "stale")
        .count();
    assert_eq!(stale, 30);
    let starts = std::fs::read_to_string(project.path("notes"))
        .unwrap()
        .lines()
        .count();
    assert!(starts <= 5, "git was started {starts} times");
}
