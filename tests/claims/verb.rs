//! `ready claims` and `ready plan` as they are used: in a project with what was recorded, beside a document, in a pipe.

use serde_json::Value;

use crate::support::{Project, Running};

const MANIFEST: &str = r#"
[claims]
documents = ["STATUS.md", "docs/*.md"]
[gate]
min_score = 90
no_contradicted = true
[gates.staging]
says = "Show it to testers"
max_unbacked = 1
min_score = 10
[components.docker]
title = "Docker"
[components.backend]
title = "Backend tests"
aliases = ["API tests"]
[checks.image]
component = "docker"
says = "The image builds"
run = ["true"]
fix = { takes = "10m", how = "docker build ." }
[checks.tests]
component = "backend"
says = "The tests pass"
run = ["sh", "tests"]
reader = "tap"
fix = { takes = "2h" }
[checks.lamp]
says = "The lamp is lit"
file = "lamp"
fix = { takes = "5m" }
"#;

const STATUS: &str = "# Shop\n\n95% production ready.\n\n- ✅ Docker\n- API tests: 3/3 passing\n- ✅ Moon phase\n\n<!-- ready:begin -->\n<!-- ready:end -->\n\nThe end.\n";

/// A project of which Docker is verified by its exit status, two of three tests pass, and the lamp is not there.
fn shop() -> Project {
    let project = Project::new(MANIFEST);
    project.write("STATUS.md", STATUS);
    std::fs::create_dir(project.path("docs")).unwrap();
    project.write("docs/lamp.md", "Status of the lamp\n\n- ❌ lamp\n");
    project.write(
        "tests",
        "echo '1..3'; echo 'ok 1 - a'; echo 'ok 2 - b'; echo 'not ok 3 - c'; exit 1\n",
    );
    project
}

/// What a command line gave.
struct Said {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn ready(project: &Project, args: &[&str]) -> Said {
    let done = Running::new(project.command(args)).finish();
    Said {
        status: done.status,
        stdout: done.text(),
        stderr: done.stderr,
    }
}

fn json(done: &Said) -> Value {
    serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", done.stdout, done.stderr))
}

/// Document and line, state, component.
fn told(claims: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let claims = claims["claims"].as_array().unwrap().iter();
    claims
        .map(|claim| {
            let place = format!("{}:{}", text(&claim["document"]), claim["line"]);
            (place, text(&claim["state"]), text(&claim["component"]))
        })
        .collect()
}

fn row(place: &str, state: &str, component: &str) -> (String, String, String) {
    (place.to_string(), state.to_string(), component.to_string())
}

#[test]
fn each_line_is_held_against_what_was_recorded() {
    let project = shop();
    let check = ready(&project, &["check"]);
    assert_eq!(check.status, Some(1), "{}", check.stderr);
    assert!(check.stdout.contains("STATUS.md:6"), "{}", check.stdout);
    let claims = ready(&project, &["claims", "--format", "json"]);
    assert_eq!(claims.status, Some(0));
    let wanted = [
        row("STATUS.md:3", "contradicted", ""),
        row("STATUS.md:5", "backed", "docker"),
        row("STATUS.md:6", "contradicted", "backend"),
        row("STATUS.md:7", "unbacked", ""),
        row("docs/lamp.md:3", "backed", "lamp"),
    ];
    assert_eq!(told(&json(&claims)), wanted);
    // What a person reads says the worst first and why.
    let table = ready(&project, &["claims"]);
    let worst = table.stdout.find("contradicted").unwrap();
    assert!(
        worst < table.stdout.find("backed").unwrap(),
        "{}",
        table.stdout
    );
    assert!(
        table.stdout.contains("2 of 3 passed: tests"),
        "{}",
        table.stdout
    );
    assert!(
        table
            .stdout
            .contains("5 claims: 2 contradicted, 1 unbacked, 2 backed"),
        "{}",
        table.stdout
    );
    for (title, said) in [
        ("Can say", "The image builds"),
        ("Cannot say yet", "The tests pass"),
        ("Safe to", "Show it to testers"),
    ] {
        let at = table
            .stdout
            .find(title)
            .unwrap_or_else(|| panic!("{title}: {}", table.stdout));
        assert!(table.stdout[at..].contains(said));
    }
    // Gates decide only where they are asked.
    assert_eq!(
        ready(&project, &["claims", "--gate", "staging"]).status,
        Some(0)
    );
    assert_eq!(
        ready(&project, &["claims", "--gate", "default"]).status,
        Some(1)
    );
    let report = json(&ready(&project, &["status", "--format", "json"]));
    let rules = report["gates"][0]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["rule"].as_str().unwrap().to_string());
    assert_eq!(rules.filter(|rule| rule == "no_contradicted").count(), 2);
    assert_eq!(report["score"]["claimed"], 95.0);
}

#[test]
fn documents_are_read_without_a_manifest_and_others_than_it_names() {
    let project = shop();
    project.write("other.md", "- ✅ Docker\n- 0 vulnerabilities\n");
    ready(&project, &["check", "-q"]);
    let other = json(&ready(
        &project,
        &["claims", "other.md", "--format", "json"],
    ));
    assert_eq!(told(&other), [row("other.md:1", "backed", "docker")]);
    assert_eq!(other["counts"][0]["count"], 0);
    std::fs::remove_file(project.path("readiness.toml")).unwrap();
    let alone = ready(&project, &["claims", "other.md", "--format", "json"]);
    assert_eq!(
        (told(&json(&alone)), alone.status),
        (vec![row("other.md:1", "unbacked", "")], Some(0))
    );
    let nothing = ready(&project, &["claims"]);
    assert_eq!(nothing.status, Some(2));
    assert!(
        nothing.stderr.contains("no readiness.toml here"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn what_is_not_there_is_told() {
    let project = shop();
    std::fs::remove_file(project.path("STATUS.md")).unwrap();
    for verb in ["check", "status", "claims"] {
        let done = ready(&project, &[verb]);
        assert_eq!(done.status, Some(2));
        assert!(
            done.stderr.contains("no document matches `STATUS.md`"),
            "{}",
            done.stderr
        );
    }
    let done = ready(&project, &["claims", "nowhere.md"]);
    assert_eq!(
        (
            done.status,
            done.stderr.contains("there is no document `nowhere.md`")
        ),
        (Some(2), true)
    );
    let done = ready(&project, &["claims", "docs"]);
    assert_eq!(
        (done.status, done.stderr.contains("`docs` is a folder")),
        (Some(2), true)
    );
}

#[test]
fn a_documents_own_part_is_renewed_and_nothing_else() {
    for (ending, mark) in [("\n", ""), ("\r\n", "\u{feff}")] {
        let project = shop();
        let text = format!("{mark}{}", STATUS.replace('\n', ending));
        project.write("STATUS.md", &text);
        ready(&project, &["check", "-q"]);
        let check = ["claims", "--write", "STATUS.md", "--check"];
        let stale = ready(&project, &check);
        assert_eq!(
            (stale.status, stale.stdout.contains("out of date")),
            (Some(1), true)
        );
        let read = || std::fs::read_to_string(project.path("STATUS.md")).unwrap();
        assert_eq!(read(), text, "looking changes nothing");
        assert_eq!(
            ready(&project, &["claims", "--write", "STATUS.md"]).status,
            Some(0)
        );
        let renewed = read();
        let (before, after) = text
            .split_once(&format!("<!-- ready:end -->{ending}"))
            .unwrap();
        assert!(renewed.starts_with(before) && renewed.ends_with(after));
        let part = renewed[before.len()..]
            .split("<!-- ready:end")
            .next()
            .unwrap();
        assert!(part.contains("| Backend tests | 66 % |"), "{part}");
        assert_eq!(part.matches('\n').count(), part.matches(ending).count());
        // It says what is verified, makes no evidence stale, and claims nothing by itself.
        assert_eq!(ready(&project, &check).status, Some(0));
        let status = json(&ready(&project, &["status", "--format", "json"]));
        assert_eq!(
            status["checks"][0]["verdict"], "verified",
            "{}",
            status["checks"][0]["reason"]
        );
        let claims = json(&ready(&project, &["claims", "--format", "json"]));
        assert_eq!(claims["claims"].as_array().unwrap().len(), 5);
        // Anything else in it does.
        project.write("STATUS.md", &renewed.replace("The end.", "The very end."));
        let status = json(&ready(&project, &["status", "--format", "json"]));
        assert_eq!(status["checks"][0]["reason"]["code"], "stale");
        assert_eq!(ready(&project, &check).status, Some(1));
    }
}

#[test]
fn a_document_without_a_part_is_left_alone() {
    let project = shop();
    let cases = [
        ("no markers\n", "has no part to renew"),
        (
            "a\n\n<!-- ready:begin -->\n",
            "STATUS.md:3: the marker has no partner",
        ),
        (
            "<!-- ready:begin -->\n<!-- ready:end -->\n\n<!-- ready:begin -->\n<!-- ready:end -->\n",
            "STATUS.md:4: a second part",
        ),
    ];
    for (text, said) in cases {
        project.write("STATUS.md", text);
        let done = ready(&project, &["claims", "--write", "STATUS.md"]);
        assert_eq!(done.status, Some(2));
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert_eq!(
            std::fs::read_to_string(project.path("STATUS.md")).unwrap(),
            text
        );
    }
}

#[test]
fn pull_requests_get_annotations_on_the_lines_and_a_comment() {
    let project = shop();
    ready(&project, &["check", "-q"]);
    let github = ready(&project, &["claims", "--format", "github"]);
    let lines = github.stdout.lines().collect::<Vec<_>>();
    assert!(
        lines[0].starts_with(
            "::error file=STATUS.md,line=3,title=Claim is contradicted::overall 95 %25: verified"
        ),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("::error file=STATUS.md,line=6,"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 3, "{lines:?}");
    let markdown = ready(&project, &["claims", "--format", "markdown"]).stdout;
    assert!(
        markdown.contains("| contradicted | STATUS.md:6 | API tests 3/3 | 2 of 3 passed: tests |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("### Cannot say yet\n\n- The lamp is lit (lamp is failed"),
        "{markdown}"
    );
}

#[test]
fn the_way_to_ready_is_planned_from_what_is_recorded() {
    let project = shop();
    ready(&project, &["check", "-q"]);
    let plan = json(&ready(&project, &["plan", "--format", "json"]));
    let steps = plan["plan"].as_array().unwrap().iter();
    let steps = steps.map(|step| {
        (
            step["check"].as_str().unwrap(),
            step["takes_s"].as_f64().unwrap(),
        )
    });
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [("lamp", 300.0), ("tests", 7200.0)]
    );
    // Docker is capped at 75 %, and so is the lamp: 75, 100 and 25 make less than 90.
    assert_eq!(
        (
            plan["way"]["opens"].as_bool(),
            plan["way"]["all_takes_s"].as_f64()
        ),
        (Some(false), Some(7500.0))
    );
    let table = ready(&project, &["plan"]);
    assert_eq!(table.status, Some(0));
    assert!(
        table.stdout.contains("no plan opens gate default"),
        "{}",
        table.stdout
    );
    assert_eq!(
        ready(&project, &["plan", "--gate", "default"]).status,
        Some(1)
    );
    let open = ready(&project, &["plan", "--gate", "staging"]);
    assert_eq!(
        (open.status, open.stdout.contains("gate staging is open")),
        (Some(0), true),
        "{}",
        open.stdout
    );
    // Of a gate that can be opened, the end of a run says how.
    let text = std::fs::read_to_string(project.path("readiness.toml")).unwrap();
    project.write(
        "readiness.toml",
        &text.replace("min_score = 90\nno_contradicted = true", "min_score = 60"),
    );
    let check = ready(&project, &["check"]).stdout;
    let way = &check[check.find("The way to ready").unwrap()..];
    assert!(
        way.contains("the gate opens") && way.contains("nothing cheaper opens it"),
        "{way}"
    );
    let report = ready(&project, &["status", "--format", "json"]).stdout;
    std::fs::write(project.path(".ready/report.json"), report).unwrap();
    let from = ready(
        &project,
        &["plan", "--from", ".ready/report.json", "--format", "json"],
    );
    let (from, here) = (
        json(&from),
        json(&ready(&project, &["plan", "--format", "json"])),
    );
    assert_eq!(from["plan"], here["plan"]);
}

#[test]
fn a_document_that_a_check_looks_at_is_judged_with_its_part() {
    let says = "[checks.said]\nsays = \"The status is written\"\n";
    let looking = [
        "file = \"STATUS.md\"\n",
        "run = [\"true\"]\ninputs = [\"*.md\"]\n",
    ];
    for (probe, stale) in looking
        .iter()
        .map(|probe| (*probe, true))
        .chain([("run = [\"true\"]\n", false)])
    {
        let project = Project::new(&format!(
            "[claims]\ndocuments = [\"STATUS.md\"]\n{says}{probe}"
        ));
        project.write("STATUS.md", STATUS);
        ready(&project, &["check", "-q"]);
        project.write(
            "STATUS.md",
            &STATUS.replace("<!-- ready:end", "100 % verified\n<!-- ready:end"),
        );
        let status = json(&ready(&project, &["status", "--format", "json"]));
        let code = status["checks"][0]["reason"]["code"].as_str().unwrap();
        assert_eq!(code == "stale", stale, "{probe}: {code}");
    }
}

#[test]
fn a_change_is_held_against_the_runs_that_are_recorded() {
    let project = shop();
    project.write("STATUS.md", "- Backend tests: 2 → 0 failures\n- Backend tests: 9 → 0 failures\n- Backend tests: fixed 33 tests\n");
    let states = || {
        let claims = json(&ready(
            &project,
            &["claims", "STATUS.md", "--format", "json"],
        ));
        let counts = claims["counts"].as_array().unwrap().iter();
        counts
            .map(|claim| claim["state"].as_str().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let run = |script: &str| {
        project.write("tests", script);
        ready(&project, &["check", "tests", "-q"]);
    };
    run("echo '1..2'; echo 'ok 1 - a'; echo 'ok 2 - b'\n");
    assert_eq!(
        states(),
        ["unproved", "unproved", "unproved"],
        "no run is recorded in which more failed"
    );
    run("echo '1..2'; echo 'not ok 1 - a'; echo 'not ok 2 - b'; exit 1\n");
    assert_eq!(
        states(),
        ["contradicted", "contradicted", "unproved"],
        "they fail now"
    );
    run("echo '1..2'; echo 'ok 1 - a'; echo 'ok 2 - b'\n");
    assert_eq!(states(), ["backed", "contradicted", "contradicted"]);
}
