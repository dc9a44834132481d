//! The manual pages and the schema for editors, with the programs that read them.

use std::process::Command;

use crate::{MANIFEST, Project, said, text, tools};

// Its `-l` is that of man-db.
#[cfg(target_os = "linux")]
#[test]
fn man_reads_every_page_without_a_warning() {
    let Some(programs) = tools::find("manual pages", &["man"]) else {
        return;
    };
    let project = Project::new(MANIFEST);
    let written = project.ready(&["man", "--output", "man1"]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    let pages = std::fs::read_dir(project.path("man1")).unwrap();
    let mut names = vec![];
    for page in pages {
        let page = page.unwrap().path();
        let mut man = Command::new(&programs[0]);
        man.args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(&page)
            .env("MANPAGER", "cat")
            .env("MANWIDTH", "100");
        let output = man.output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}: {}",
            page.display(),
            text(&output.stderr)
        );
        let shown = text(&output.stdout);
        assert!(
            shown.contains("SYNOPSIS") && shown.contains("OPTIONS"),
            "{}",
            page.display()
        );
        names.push(page.file_stem().unwrap().to_string_lossy().into_owned());
    }
    for name in ["ready", "ready-check", "ready-ledger-verify", "ready-mcp"] {
        assert!(names.iter().any(|have| have == name), "{name}: {names:?}");
    }
    let printed = project.ready(&["man", "check"]);
    assert!(text(&printed.stdout).contains("ready check"));
    let unknown = project.ready(&["man", "chekc"]);
    assert!(
        text(&unknown.stderr).contains("did you mean `check`?"),
        "{}",
        text(&unknown.stderr)
    );
}

#[test]
fn taplo_accepts_the_manifest_and_finds_a_typo() {
    let Some(programs) = tools::find("the manifest's schema", &["taplo"]) else {
        return;
    };
    let project = Project::new(&format!("#:schema ./readiness.schema.json\n{MANIFEST}"));
    project.write(
        "readiness.schema.json",
        text(&project.ready(&["schema"]).stdout),
    );
    let taplo = || {
        let mut taplo = Command::new(&programs[0]);
        // Only the schema beside it: none of a catalogue elsewhere.
        taplo
            .args(["lint", "--no-auto-config", "readiness.toml"])
            .current_dir(project.path("."));
        taplo
    };
    said(&mut taplo());
    let typo = project
        .read("readiness.toml")
        .replace("blocking = true", "blokcing = true");
    project.write("readiness.toml", &typo);
    let found = taplo().output().unwrap();
    let all = format!("{}{}", text(&found.stdout), text(&found.stderr));
    assert!(!found.status.success() && all.contains("blokcing"), "{all}");
}
