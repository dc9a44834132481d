//! Output, names and claims that try to be more than text, in every format.

use serde_json::{Value, json};

use crate::{Project, json, text};

/// Markup, the end of a CDATA section, commands to CI systems, escapes of terminals, characters that turn text around, and what
/// quotes in every format.
const HOSTILE: &str = "<script>alert(1)</script>]]>::error::x ##[error]y \u{1b}[2J\u{202e}\u{7}&amp;\"'|`*_[a](javascript:alert(1))@all #1 % \\ {{7*7}} ${7*7}";

fn project() -> Project {
    let says = toml::Value::from(format!("says {HOSTILE}")).to_string();
    let output =
        format!("\n::error::a command\n::set-output name=x::y\n##[error]older\n{HOSTILE}\n");
    let manifest = format!(
        r#"
[project]
name = {name}
limitations = [{says}]
[claims]
documents = ["STATUS.md"]
[gate]
says = {says}
min_score = 90
[components.backend]
title = {says}
owner = {says}
claim = 100
[checks.prints]
component = "backend"
says = {says}
run = ["cat", "hostile.txt"]
expect = {{ stdout = {{ contains = {says} }} }}
risk = {says}
tags = [{says}]
fix = {{ takes = "1h", how = {says} }}
[checks.reads]
component = "backend"
says = "Counted"
run = ["cat", "results.tap"]
reader = "tap"
[checks.waived]
says = {says}
file = {says}
[waivers.waived]
owner = {says}
reason = {says}
expires = 2099-01-01
"#,
        name = toml::Value::from(format!("name {HOSTILE}"))
    );
    let project = Project::new(&manifest);
    project.write("hostile.txt", &output);
    project.write(
        "results.tap",
        &format!("1..2\nok 1\nnot ok 2 - {}\n", HOSTILE.replace('#', "")),
    );
    project.write(
        "STATUS.md",
        &format!("# Status {HOSTILE}\n\nBackend tests {HOSTILE}: 100% passing.\n"),
    );
    let run = project.ready(&["check"]);
    assert_eq!(run.status.code(), Some(1), "{}", text(&run.stderr));
    project
}

/// Whether a character does something to a terminal or to the text around it.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{2066}".contains(c)
}

#[test]
fn nothing_in_any_format_acts() {
    let project = project();
    for format in [
        "table",
        "json",
        "brief",
        "html",
        "markdown",
        "junit",
        "github",
        "ctrf",
        "sarif",
        "tap",
        "prometheus",
        "badge",
        "badge-svg",
    ] {
        let report = project.report(format);
        assert!(!report.contains(acts), "{format}: {report:?}");
        // A command to GitHub's runner begins a line; its older form stands anywhere.
        let ours = format == "github";
        assert!(
            ours || !report
                .lines()
                .any(|line| line.trim_start().starts_with("::")),
            "{format}: {report}"
        );
        // What stands in the table is between marks that turn commands off.
        assert!(format == "table" || !report.contains("##["), "{format}");
    }
    let markdown = project.report("markdown");
    let link = markdown.replace("\\]", "").contains("](javascript");
    assert!(
        !link && !markdown.contains("<script") && !markdown.contains("@all"),
        "{markdown}"
    );
    let html = project.report("html");
    assert_eq!(html.matches("<script").count(), 1, "only its own");
    assert!(
        html.contains("&#60;script&#62;alert(1)"),
        "it is shown as text"
    );
}

#[test]
fn each_workflow_command_is_one_of_ours() {
    let project = project();
    let commands = project.report("github");
    for line in commands.lines() {
        let known = ["::error ", "::warning ", "::notice "]
            .iter()
            .any(|start| line.starts_with(start));
        assert!(known, "{line}");
        // What stands in a property cannot end it.
        let (properties, _) = line[2..].split_once("::").unwrap();
        assert!(
            !properties.contains("error::") && properties.matches(',').count() <= 2,
            "{line}"
        );
    }
}

#[test]
fn xml_and_json_read_as_what_was_said() {
    let project = project();
    let junit = project.report("junit");
    let document = roxmltree::Document::parse(&junit).unwrap();
    let case = document
        .descendants()
        .find(|node| node.attribute("name") == Some("prints"))
        .unwrap();
    let out = case
        .children()
        .find(|node| node.has_tag_name("system-out"))
        .unwrap();
    assert!(
        out.text()
            .unwrap()
            .contains("<script>alert(1)</script>]]>::error::x"),
        "{junit}"
    );
    let ctrf = json(&project.report("ctrf"));
    let said = |value: &Value| {
        value
            .as_str()
            .unwrap()
            .contains("<script>alert(1)</script>]]>")
    };
    assert!(said(&ctrf["results"]["tests"][0]["name"]), "{ctrf}");
    let sarif = json(&project.report("sarif"));
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 3);
    assert_eq!(json(&project.report("badge"))["schemaVersion"], json!(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_browser_shows_it_as_text() {
    let project = project();
    let Some(seen) = crate::browser::open(&project, "hostile output in a browser", &[]) else {
        return;
    };
    assert_eq!(seen["checks"], 3);
}
