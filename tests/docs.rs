//! The documentation: every command block in it is run, in the project of `ready demo`, and what is printed below a command
//! must be what it prints. A block is counted before it is run, so that none is passed over.
//!
//! In a block, `$ ` begins a command that is run in the project, `NAME$ ` one that is run in a clone of it of that name; the lines
//! up to the next command are its output, `…` stands for any text in a line, and by itself for any lines. A fence with a name
//! behind its language is a file that is written first.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot set up has failed"
)]

#[path = "support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The pages with blocks, and how many commands each has.
const PAGES: [(&str, usize); 8] = [
    ("README.md", 2),
    ("docs/README.md", 0),
    ("docs/score.md", 2),
    ("docs/reports.md", 15),
    ("docs/ci.md", 5),
    ("docs/agents.md", 1),
    ("docs/machines.md", 10),
    ("checks/README.md", 0),
];

/// A fenced block.
struct Block {
    /// What stands behind the fence.
    info: String,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![];
    let mut open = false;
    for (line, at) in page.lines().zip(1..) {
        match (line.strip_prefix("```"), open) {
            (Some(info), false) => {
                blocks.push(Block {
                    info: info.to_string(),
                    text: String::new(),
                    line: at,
                });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block does not end");
    blocks
}

/// A command, the clone that it is for, and what must be printed.
struct Step {
    clone: Option<String>,
    command: String,
    expected: Vec<String>,
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    for line in block.lines() {
        let begins = line
            .split_once("$ ")
            .filter(|(name, _)| name.chars().all(char::is_alphanumeric));
        match begins {
            Some((name, command)) => steps.push(Step {
                clone: (!name.is_empty()).then(|| name.to_string()),
                command: command.to_string(),
                expected: vec![],
            }),
            None => steps
                .last_mut()
                .expect("output belongs to a command")
                .expected
                .push(line.to_string()),
        }
    }
    steps
}

/// Whether a line is as a pattern has it, in which `…` stands for any text.
fn like(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts = parts.collect::<Vec<_>>();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines are as patterns have them; a `…` by itself stands for any number of lines.
fn all_like(patterns: &[String], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=lines.len()).any(|skipped| all_like(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, more)| like(first, line) && all_like(rest, more)),
    }
}

/// A project to run the commands in, and clones of it beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        let demo = place.command(".", "ready demo bookshop").output().unwrap();
        assert!(
            demo.status.success(),
            "{}",
            String::from_utf8_lossy(&demo.stderr)
        );
        place.git("bookshop", &["init", "-q"]);
        place.commit();
        place
    }

    fn commit(&self) {
        self.git("bookshop", &["add", "-A"]);
        let author = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        self.git(
            "bookshop",
            &[&author[..], &["commit", "-q", "--allow-empty", "-m", "all"]].concat(),
        );
    }

    fn git(&self, folder: &str, args: &[&str]) {
        let git = Command::new("git")
            .args(args)
            .current_dir(self.0.path().join(folder))
            .output()
            .unwrap();
        assert!(
            git.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&git.stderr)
        );
    }

    fn command(&self, folder: &str, script: &str) -> Command {
        let mut bash = Command::new("bash");
        let program = Path::new(env!("CARGO_BIN_EXE_ready"))
            .parent()
            .unwrap()
            .to_path_buf();
        let path = [program, tools::cache().join("checkers/bin")];
        let installed = std::env::var_os("PATH").unwrap_or_default();
        let path = path.into_iter().chain(std::env::split_paths(&installed));
        bash.args(["-c", script])
            .current_dir(self.0.path().join(folder))
            .stdin(Stdio::null());
        bash.env("PATH", std::env::join_paths(path).unwrap())
            .env("COLUMNS", "80");
        for name in ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "READY_GATE"] {
            bash.env_remove(name);
        }
        bash
    }

    fn run(&self, step: &Step, place: &str) {
        let folder = step.clone.as_deref().unwrap_or("bookshop");
        if !self.0.path().join(folder).exists() {
            self.git(".", &["clone", "-q", "bookshop", folder]);
        }
        let output = self.command(folder, &step.command).output().unwrap();
        let [out, err] =
            [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{place}: {}: {:?}\n{out}{err}",
            step.command,
            output.status
        );
        let lines = out.lines().map(str::trim_end).collect::<Vec<_>>();
        let silent = step.expected.is_empty();
        assert!(
            silent || all_like(&step.expected, &lines),
            "{place}: {}\n{out}{err}",
            step.command
        );
    }
}

/// Whether a command is one of the quick start's: those are what `.ci/run` is for.
fn is_of_the_quick_start(command: &str) -> bool {
    let run = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let known = run
        .lines()
        .any(|line| line.starts_with("stage ") && line.replace("--quiet ", "").ends_with(command));
    let ours = command.starts_with("cargo ") || command.starts_with("sh ");
    assert!(!ours || known, "`.ci/run` does not run `{command}`");
    ours
}

#[test]
fn every_command_is_run_and_prints_what_it_says() {
    if tools::find(
        "commands of the documentation",
        &["check-jsonschema", "promtool", "ssh-keygen", "git"],
    )
    .is_none()
    {
        return;
    }
    let mut all = 0;
    for (page, commands) in PAGES {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let place = Place::new();
        let mut run = 0;
        for block in blocks(&text) {
            let at = format!("{page}:{}", block.line);
            match block.info.split_once(' ') {
                Some((_, name)) => {
                    std::fs::write(place.0.path().join("bookshop").join(name), &block.text)
                        .unwrap();
                    place.commit();
                }
                None if block.info == "console" => {
                    for step in steps(&block.text) {
                        run += 1;
                        if !is_of_the_quick_start(&step.command) {
                            place.run(&step, &at);
                        }
                    }
                }
                None => assert!(
                    ["toml", "text", "json", "yaml"].contains(&&*block.info),
                    "{at}: a block of what?"
                ),
            }
        }
        assert_eq!(run, commands, "{page}: commands");
        all += run;
    }
    println!("{all} commands of the documentation were run");
}

#[test]
fn every_page_is_known_here_and_its_links_lead_somewhere() {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    for page in docs {
        let name = format!("docs/{}", page.unwrap().file_name().to_string_lossy());
        let text = std::fs::read_to_string(root().join(&name)).unwrap();
        let listed = PAGES.iter().any(|(page, _)| *page == name);
        assert!(
            listed || !text.contains("```console"),
            "{name} has commands that nobody runs"
        );
        let index = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
        let file = name.strip_prefix("docs/").unwrap();
        assert!(
            file == "README.md" || index.contains(&format!("]({file})")),
            "docs/README.md does not lead to {name}"
        );
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = match file.is_empty() {
                true => root().join(&name),
                false => root().join("docs").join(file),
            };
            assert!(target.exists(), "{name} leads to {link}");
            if !anchor.is_empty() {
                let headings = std::fs::read_to_string(&target).unwrap();
                let slug = |line: &str| {
                    let words = line.trim_start_matches('#').trim().to_lowercase();
                    let kept = words
                        .chars()
                        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                    kept.collect::<String>().replace(' ', "-")
                };
                let known = headings
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| slug(line) == anchor);
                assert!(known, "{name} leads to {link}");
            }
        }
    }
}

#[test]
fn the_reference_is_the_schema() {
    let printed = Command::new(env!("CARGO_BIN_EXE_ready"))
        .args(["schema", "--format", "markdown"])
        .current_dir("/")
        .output()
        .unwrap();
    let file = root().join("docs/reference.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &printed.stdout).unwrap();
    }
    let kept = std::fs::read(&file).unwrap_or_default();
    assert!(
        kept == printed.stdout,
        "docs/reference.md is out of date: UPDATE=1 cargo test --test docs"
    );
}
