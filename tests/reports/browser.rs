//! The HTML report in a real browser.

use std::process::Command;

use serde_json::{Value, json};

use crate::{MANIFEST, Project, json, node_modules, said, script, tools};

/// What the browser saw of a report; none where there is no browser.
pub(crate) fn open(project: &Project, test: &str, more: &[&str]) -> Option<Value> {
    let programs = tools::find(test, &["node", "chromium", "html-validate"])?;
    project.write("report.html", &project.report("html"));
    let mut node = Command::new(&programs[0]);
    node.arg(script("browser.mjs"))
        .arg(node_modules())
        .arg(&programs[1])
        .arg(project.path("report.html"))
        .arg(project.path("."))
        .args(more);
    let seen = json(&said(&mut node));
    for nothing in ["axe", "complaints", "requests"] {
        assert_eq!(seen[nothing], json!([]), "{nothing}");
    }
    let overflow = seen["overflow"].as_array().unwrap();
    let fits = overflow.iter().all(|beyond| beyond == 0);
    assert!(fits, "nothing is wider than the page: {overflow:?}");
    Some(seen)
}

#[test]
fn it_reads_filters_opens_and_prints() {
    let project = Project::new(MANIFEST);
    project.ready(&["check"]);
    project.write("results.tap", "1..4\nok 1\nok 2\nok 3\nok 4\n");
    project.ready(&["check"]);
    let Some(seen) = open(&project, "the HTML report", &[]) else {
        return;
    };
    assert!(
        seen["heading"]
            .as_str()
            .unwrap()
            .starts_with("✗ NOT READY: verified "),
        "{seen}"
    );
    assert_eq!(seen["checks"], 8);
    assert_eq!(seen["shown"], "8 of 8 checks");
    assert_eq!(seen["none"], 0);
    assert_eq!(
        (&seen["failed"], &seen["failedOfAll"]),
        (&json!(2), &json!(2))
    );
    let filtered = seen["filtered"].as_array().unwrap();
    assert!(
        filtered.contains(&seen["searched"]) && filtered.len() < 8,
        "{filtered:?}"
    );
    assert!(
        seen["opened"].as_str().unwrap().contains("declared at"),
        "{}",
        seen["opened"]
    );
    assert!(seen["claims"].as_u64().unwrap() >= 3, "{}", seen["claims"]);
    assert_eq!(seen["ledTo"], seen["claimed"]);
    assert_eq!(seen["pdf"], "%PDF-");
    assert!(seen["pages"].as_u64().unwrap() >= 1);
    assert_eq!(
        seen["withoutScript"],
        json!({ "checks": 8, "filter": 0, "opened": true })
    );
    let html = project.read("report.html");
    for part in [
        "id=\"changes\"",
        "id=\"trend\"",
        "id=\"timeline\"",
        "id=\"waivers\"",
        "id=\"limitations\"",
        "id=\"plan\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn a_thousand_checks_are_one_page_of_bounded_size() {
    let many = (0..1000).map(|at| {
        format!(
            "[checks.c{at}]\ncomponent = \"k{}\"\nsays = \"part {at} is there\"\nfile = \"{}\"\n",
            at % 40,
            if at % 10 == 0 {
                "none"
            } else {
                "readiness.toml"
            }
        )
    });
    let components = (0..40).map(|at| format!("[components.k{at}]\n"));
    let manifest = format!(
        "[project]\nname = \"many\"\n{}{}",
        components.collect::<String>(),
        many.collect::<String>()
    );
    let project = Project::new(&manifest);
    project.ready(&["check"]);
    let Some(seen) = open(&project, "the HTML report of many checks", &["once"]) else {
        return;
    };
    assert_eq!(seen["shown"], "1000 of 1000 checks");
    assert!(project.read("report.html").len() < 2_000_000);
}
