//! `ready check` in a real project with real tools, most of them through the library: a FastAPI service, its pytest suite,
//! a Jest suite, audits, nginx, Docker, Compose, the Sentry SDK, locust, and a status document that claims 95 %. Every verdict, every reason and the score are known
//! beforehand, worked out by hand.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

#[path = "support/docker.rs"]
mod docker;
#[path = "support/server.rs"]
mod server;
#[allow(dead_code, reason = "other test programs use the rest")]
mod support;
#[path = "support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use readiness::domain::again::{Again, keep_authors};
use readiness::domain::assess::{Deciding, Setting, assess};
use readiness::domain::report::Report;
use serde_json::{Value, json};

use server::{Answer, Server};

/// The verdict, the reason and the credit of every check.
const EXPECTED: [(&str, &str, &str, f64); 32] = [
    ("backend-audit", "unverified", "cannot-tell", 0.0), // no package index that could resolve what is asked for
    ("frontend-audit", "verified", "held", 1.0),
    ("backend-tests", "partial", "some-failed", 0.875), // 35 of 40; 2 failed, 3 skipped
    ("frontend-tests", "partial", "some-failed", 23.0 / 30.0), // 7 failed
    ("frontend-parses", "verified", "held", 1.0),
    ("health", "verified", "held", 1.0),
    ("orders", "verified", "held", 1.0),
    ("no-debugger", "verified", "held", 1.0),
    ("metrics-exposed", "verified", "held", 1.0),
    ("sentry-installed", "verified", "held", 1.0),
    ("sentry-wired", "failed", "expectation", 0.0), // only in a comment
    ("sentry-dsn", "failed", "placeholder", 0.0),
    ("sentry-captures", "verified", "held", 1.0), // the SDK, not the service
    ("sentry-alerts", "unverified", "needs-failed", 0.0),
    ("nginx", "verified", "held", 1.0),
    ("docker", "verified", "held", 1.0),
    ("image-builds", "unverified", "cannot-tell", 0.0), // nothing at the build host's socket
    ("frontend-image", "verified", "held", 1.0),
    ("compose-accepts", "verified", "held", 1.0),
    ("load-test-written", "verified", "held", 1.0),
    ("load", "unverified", "not-run", 0.0), // on demand
    ("secret-key", "verified", "held", 1.0),
    ("settings", "failed", "expectation", 0.0), // the DSN again
    ("no-secrets-in-code", "verified", "held", 1.0),
    ("deploy-script", "verified", "held", 1.0),
    ("deploy-script-parses", "unverified", "tool-missing", 0.0), // no pwsh on the PATH of this test
    ("deploy-on-windows", "unverified", "wrong-platform", 0.0),
    ("rollback-documented", "verified", "held", 1.0),
    ("rollback-leads-somewhere", "verified", "held", 1.0),
    ("rollback-rehearsed", "unverified", "attested", 0.0),
    ("chart", "unverified", "not-run", 0.0), // does not apply
    ("changelog", "failed", "absent", 0.0),  // optional
];

// By hand, from SPEC-like rules: at each level, earned(L) / (earned(L) + missing), capped; the best of these counts.
//
//                weight  verified                                       ceiling
//   security        2    1/(1 + 1) = 1/2            exercised           2/2 = 1
//   backend         3    7/8                        exercised           (35 + 3)/40 = 19/20
//   frontend        2    23/30                      exercised           23/30
//     (with frontend-parses at validated: (23/30 + 1)/2 = 0.88, capped to 0.75, which is less)
//   api             2    1                                              1
//   sentry          1    2/(2 + 3) = 2/5            wired               exercised: 2/(2 + 2) = 1/2; wired: 3/5, capped to 1/2
//     (exercised: 1/(1 + 3) = 1/4)
//   metrics         1    1                          exercised           1
//   proxy           1    3/4                        validated, capped   3/4
//   containers      1    2/(2 + 1) = 2/3            validated           validated: 3/3, capped to 3/4
//     (with docker at present: 3/(3 + 1), capped to 1/4)
//   performance     1    1/(1 + 1), capped to 1/4   present             exercised: 1/1
//   secrets         1    1/(1 + 1) = 1/2            wired               1/2
//     (with secret-key at present: 2/(2 + 1), capped to 1/4)
//   scripts         1    1/(1 + 2) = 1/3            exercised           exercised: 1/1
//   operations      1    1/(1 + 1) = 1/2            wired               1/2
//     (with rollback-documented at present: 2/(2 + 1), capped to 1/4)
//
// verified: (2·1/2 + 3·7/8 + 2·23/30 + 2 + 2/5 + 1 + 3/4 + 2/3 + 1/4 + 1/2 + 1/3 + 1/2) / 17 = 1387/120 / 17 = 6935/102 %
// ceiling:  (2 + 3·19/20 + 2·23/30 + 2 + 1/2 + 1 + 3/4 + 3/4 + 1 + 1/2 + 1 + 1/2) / 17 = 863/60 / 17 = 4315/51 %
// attested: one of the three checks of operations: (1/3) / 17 = 100/51 %
const VERIFIED: f64 = 6935.0 / 102.0;
const CEILING: f64 = 4315.0 / 51.0;
const ATTESTED: f64 = 100.0 / 51.0;

/// Every claim of STATUS.md: its line, what it says, what the evidence makes of it, and the check that says so (of several
/// the first), worked out by hand from the verdicts and figures above.
const CLAIMED: [(u64, &str, &str, &str); 33] = [
    (3, "95", "contradicted", "sentry-wired"), // at best 84.6
    (12, "done", "unproved", "backend-audit"),
    (12, "100", "unproved", "backend-audit"), // 50, at best 100
    (13, "done", "contradicted", "backend-tests"),
    (13, "98", "contradicted", "backend-tests"), // 87.5, at best 95
    (14, "done", "contradicted", "frontend-tests"),
    (14, "100", "contradicted", "frontend-tests"),
    (15, "done", "backed", "health"),
    (15, "100", "backed", ""),
    (16, "done", "unproved", "image-builds"),
    (16, "100", "contradicted", "image-builds"), // 66.7, at best 75
    (17, "done", "backed", "nginx"),
    (17, "100", "contradicted", ""), // validated: 75 at best
    (18, "done", "unproved", "load"),
    (18, "95", "unproved", "load"), // 25, at best 100
    (19, "done", "contradicted", "sentry-wired"),
    (19, "100", "contradicted", "sentry-wired"),
    (20, "done", "backed", "metrics-exposed"),
    (20, "100", "backed", ""),
    (21, "done", "contradicted", "settings"),
    (21, "90", "contradicted", "settings"), // 50
    (22, "done", "unproved", "deploy-script-parses"),
    (22, "100", "unproved", "deploy-script-parses"), // 33.3, at best 100
    (23, "done", "unproved", "rollback-rehearsed"),
    (23, "85", "contradicted", "rollback-rehearsed"), // 50
    (27, "done", "backed", "health"),
    (28, "done", "unbacked", ""),
    (29, "done", "contradicted", "sentry-wired"), // named by its comment
    (30, "done", "unproved", "load"),
    (31, "done", "unproved", "rollback-documented"), // there, and nobody saw it work
    (35, "partial", "unbacked", ""),
    (36, "not_done", "unbacked", ""),
    (38, "done", "contradicted", "sentry-wired"),
];

/// The shop in a folder of its own, with its tools on a PATH that holds nothing else, and an engine for its images.
struct Shop {
    folder: tempfile::TempDir,
    path: PathBuf,
    engine: &'static docker::Engine,
    /// The registry of the test's own: it knows of no advisory, and has no package.
    registry: Server,
}

impl Shop {
    fn start(test: &str) -> Option<Shop> {
        let names = [
            "node",
            "npm",
            "nginx",
            "sh",
            "env",
            "pip-audit",
            "shellcheck",
        ];
        let mut programs = tools::find(test, &names)?;
        let python = tools::cache().join("python/bin");
        tools::find(test, &["uvicorn", "pytest", "jest", "locust"])?;
        let engine = docker::engine(test)?;
        programs.push(engine.client().to_path_buf());
        if !engine.config().join("cli-plugins/docker-compose").exists() {
            tools::without(test, "Compose plugin");
            return None;
        }

        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/shop");
        let copied = Command::new("cp")
            .arg("-R")
            .arg(&source)
            .arg(folder.path().join("shop"))
            .status()
            .unwrap();
        assert!(copied.success());
        let shop = folder.path().join("shop");
        let modules = shop.join("frontend/node_modules");
        let _ = std::fs::remove_dir_all(&modules);
        std::os::unix::fs::symlink(tools::cache().join("node/node_modules"), modules).unwrap();
        fit(&shop.join("readiness.toml"));

        let own = tools::only(&folder.path().join("bin"), &programs);
        Some(Shop {
            path: std::env::join_paths([python, own]).unwrap().into(),
            folder,
            engine,
            registry: Server::start(vec![Answer::of("/-/npm/v1/security/advisories/bulk", "{}")]),
        })
    }

    /// Puts other words into a file.
    fn replace(&self, file: &str, words: &str, others: &str) {
        let file = self.folder.path().join("shop").join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(words), "{}", file.display());
        std::fs::write(file, text.replace(words, others)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        command
            .args(args)
            .current_dir(self.folder.path().join("shop"))
            .env("PATH", &self.path)
            .env("DOCKER_HOST", self.engine.host())
            .env("DOCKER_CONFIG", self.engine.config())
            .env("npm_config_registry", self.registry.url())
            .env("npm_config_cache", self.folder.path().join("npm"))
            .env("npm_config_update_notifier", "false")
            .env("PIP_INDEX_URL", self.registry.url())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("COLUMNS", "80")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null());
        command
    }

    fn ready(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The JSON report of these arguments, and the exit status.
    fn report(&self, args: &[&str]) -> (Value, Option<i32>) {
        let output = self.ready(&[args, &["--format", "json"]].concat());
        let report = serde_json::from_slice(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        let report = report.unwrap_or_else(|error| panic!("{error}:\n{said}"));
        (report, output.status.code())
    }
}

/// A check of a report.
fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap()
}

/// Moves the dates of attestation and waiver around today, so that the test outlives them, and gives a machine that has
/// other work the time that it needs.
fn fit(manifest: &Path) {
    let today = jiff::Zoned::now().date();
    let in_a_week = today.saturating_add(jiff::Span::new().days(7)).to_string();
    let a_week_ago = today.saturating_sub(jiff::Span::new().days(7)).to_string();
    let text = std::fs::read_to_string(manifest).unwrap();
    let moved = text
        .replace("2026-11-01", &a_week_ago)
        .replace("2026-12-01", &in_a_week)
        .replace("2026-12-15", &in_a_week);
    assert_eq!(text.matches("2026-").count(), 3, "every date is moved");
    let patient = moved
        .replace("\"< 500ms\"", "\"< 20s\"")
        .replace("p95_ms = \"< 500\"", "p95_ms = \"< 50000\"");
    assert_ne!(patient, moved);
    std::fs::write(manifest, patient).unwrap();
}

#[test]
fn every_verdict_and_the_score_are_those_worked_out_by_hand() {
    let Some(shop) = Shop::start("shop") else {
        return;
    };
    let (report, status) = shop.report(&["check"]);

    let checks = report["checks"].as_array().unwrap();
    for (id, verdict, code, credit) in EXPECTED {
        let check = check(&report, id);
        let seen = (
            check["verdict"].as_str().unwrap(),
            check["reason"]["code"].as_str().unwrap(),
        );
        assert_eq!(seen, (verdict, code), "{id}: {:#}", check["reason"]);
        assert!(
            (check["credit"].as_f64().unwrap() - credit).abs() < 1e-12,
            "{id}"
        );
    }
    assert_eq!(checks.len(), EXPECTED.len());

    for (figure, expected) in [
        ("verified", VERIFIED),
        ("ceiling", CEILING),
        ("attested", ATTESTED),
        ("claimed", 95.0),
        ("gap", 95.0 - VERIFIED),
    ] {
        let seen = report["score"][figure].as_f64().unwrap();
        assert!(
            (seen - expected).abs() < 1e-9,
            "{figure}: {seen}, by hand {expected}"
        );
    }
    assert_eq!(status, Some(1));

    let counts = |id: &str| check(&report, id)["counts"].clone();
    assert_eq!(
        counts("backend-tests"),
        json!({ "passed": 35, "failed": 2, "skipped": 3 })
    );
    assert_eq!(
        counts("frontend-tests"),
        json!({ "passed": 23, "failed": 7, "skipped": 0 })
    );

    assert_eq!(
        counts("frontend-audit"),
        json!({ "passed": 316, "failed": 0, "skipped": 0 })
    );
    assert_eq!(
        counts("compose-accepts"),
        json!({ "passed": 2, "failed": 0, "skipped": 0 })
    );
    // Nothing of the library that the files call for is left out.
    // Two things that nobody in the shop has thought of.
    let undeclared = json!([
        { "check": "env-files", "why": ".env.production" },
        { "check": "rollback-rehearsed", "why": "docs/rollback.md" },
    ]);
    assert_eq!(report["undeclared"], undeclared);

    // Both gates, with their reasons in order of their rules.
    let rules = |gate: &Value| {
        gate["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["rule"].as_str().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let gates = report["gates"].as_array().unwrap();
    assert_eq!(
        (gates[0]["name"].as_str(), rules(&gates[0])),
        (
            Some("default"),
            vec![
                "blocking".into(),
                "min_score".into(),
                "max_overclaim".into()
            ]
        )
    );
    assert_eq!(gates[0]["waived"], json!(["image-builds"]));
    assert_eq!(
        (gates[1]["name"].as_str(), gates[1]["open"].as_bool()),
        (Some("staging"), Some(true))
    );

    let services = report["run"]["services"].as_array().unwrap();
    assert_eq!(services.len(), 1, "{services:#?}");
    let service = (
        &services[0]["id"],
        &services[0]["state"],
        &services[0]["leaked"],
    );
    assert_eq!(service, (&json!("backend"), &json!("healthy"), &json!([])));
    let mark = format!("READY_RUN_ID={}", report["run"]["id"].as_str().unwrap());
    let left = support::processes(|folder| {
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|pair| pair == mark.as_bytes())
    });
    assert!(left.is_empty(), "left running: {left:?}");

    let only_in_a_comment = check(&report, "sentry-wired")["reason"]["text"].to_string();
    assert!(only_in_a_comment.contains("comment"), "{only_in_a_comment}");
    the_document_is_held_against_it(&shop, &report);
    judged_again_it_is_the_same(&report);
    status_repeats_it_without_running_anything(&shop, &report);
    the_table_is_readable_in_80_columns(&shop);
}

/// Each line of the status document that claims something, beside what is verified.
fn the_document_is_held_against_it(shop: &Shop, report: &Value) {
    let told = |claim: &Value| {
        let said = match claim["kind"].as_str() {
            Some("percent") => claim["value"]
                .to_string()
                .trim_end_matches(".0")
                .to_string(),
            _ => claim["mark"].as_str().unwrap().to_string(),
        };
        let by = claim["checks"].get(0).and_then(Value::as_str);
        let state = claim["state"].as_str().unwrap();
        (
            claim["line"].as_u64().unwrap(),
            said,
            state.to_string(),
            by.unwrap_or_default().to_string(),
        )
    };
    let of_document = |claims: &Value| {
        let claims = claims.as_array().unwrap().iter();
        let claims = claims.filter(|claim| claim["document"] == "STATUS.md");
        claims.map(told).collect::<Vec<_>>()
    };
    let wanted = CLAIMED.map(|(line, said, state, by)| {
        let by = match (state, said) {
            // What is backed by a figure names nothing that falls short of it.
            ("backed", figure) if figure.parse::<f64>().is_ok() => "",
            _ => by,
        };
        (line, said.to_string(), state.to_string(), by.to_string())
    });
    assert_eq!(of_document(&report["claims"]), wanted);
    let (claims, status) = shop.report(&["claims"]);
    assert_eq!(
        (of_document(&claims["claims"]), status),
        (wanted.to_vec(), Some(0))
    );
    let overall = claims["claims"]
        .as_array()
        .unwrap()
        .iter()
        .find(|claim| claim["line"] == 3 && claim["document"] == "STATUS.md");
    assert_eq!(
        overall.unwrap()["quote"],
        "**Overall: 95% production ready** 🚀"
    );
    let unclaimed = claims["unclaimed"].as_array().unwrap();
    assert!(unclaimed.iter().all(|id| id != "health"), "{unclaimed:?}");
}

/// The report holds all that it was judged from, so whoever has the report alone comes to the same.
fn judged_again_it_is_the_same(report: &Value) {
    let first: Report = serde_json::from_value(report.clone()).unwrap();
    let again = Again::of(&first);
    let gates = again.project.gates.clone();
    let setting = Setting {
        ready: first.ready.clone(),
        run: first.run.clone(),
        about: again.about.clone(),
        preflight: first.preflight.clone(),
        found: again.found,
        called_for: again.called_for,
        bases: again.bases,
        against: None,
        warnings: first.warnings.clone(),
        deciding: Deciding::Gates(first.decision.gates.clone()),
    };
    let mut second = assess(&again.project, &gates, again.seen, setting, first.generated);
    second.ledger.clone_from(&first.ledger);
    keep_authors(&mut second, &first);
    assert_eq!(second, first);
}

fn status_repeats_it_without_running_anything(shop: &Shop, report: &Value) {
    let output = shop.ready(&["status", "--format", "json"]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "a verb that only prints exits 0"
    );
    assert_eq!(status["run"], Value::Null);
    for figure in ["verified", "claimed", "gap"] {
        assert_eq!(status["score"][figure], report["score"][figure], "{figure}");
    }
    for (now, then) in status["checks"]
        .as_array()
        .unwrap()
        .iter()
        .zip(report["checks"].as_array().unwrap())
    {
        if then["evidence"] != Value::Null {
            assert_eq!(
                (&now["verdict"], &now["evidence"]),
                (&then["verdict"], &then["evidence"])
            );
        }
    }
    assert_eq!(
        shop.ready(&["status", "--gate", "default", "-q"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        shop.ready(&["status", "--gate", "staging", "-q"])
            .status
            .code(),
        Some(0)
    );
}

fn the_table_is_readable_in_80_columns(shop: &Shop) {
    let output = shop.ready(&["status"]);
    let text = String::from_utf8(output.stdout).unwrap();
    // A command that is meant to be copied is never broken.
    for line in text.lines().filter(|line| !line.contains("by hand:")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    let row = text
        .lines()
        .find(|line| line.starts_with("OVERALL"))
        .unwrap();
    let words = row.split_whitespace().collect::<Vec<_>>();
    assert_eq!(words.join(" "), "OVERALL ██████░░·· 67 % 84 % 95 % 28");
    for words in [
        "Backend tests",
        "Monitoring",
        "capped at 25 %",
        "default CLOSED, decides",
        "staging OPEN",
        "NOT READY: verified 67 %, claimed 95 %",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

#[test]
fn the_load_test_runs_when_it_is_named() {
    let Some(shop) = Shop::start("shop load test") else {
        return;
    };
    let (report, status) = shop.report(&["check", "load", "load-test-written"]);
    let load = check(&report, "load");
    assert_eq!(load["verdict"], "verified", "{load:#}");
    assert_eq!(load["level"], "exercised");
    assert!(
        load["measures"]["requests"].as_f64() >= Some(20.0),
        "{load:#}"
    );
    assert_eq!(status, Some(0));
    // What it showed counts from now on.
    let (status, _) = shop.report(&["status"]);
    let performance = status["components"].as_array().unwrap();
    let performance = performance.iter().find(|row| row["id"] == "performance");
    assert_eq!(performance.unwrap()["verified"], 100.0);
}

#[test]
fn a_report_of_what_the_sdk_dropped_is_no_event() {
    let Some(shop) = Shop::start("shop client report") else {
        return;
    };
    shop.replace(
        "scripts/raise.py",
        "environment=\"rehearsal\"",
        "before_send=lambda event, hint: None",
    );
    let (report, status) = shop.report(&["check", "sentry-captures"]);
    let captures = check(&report, "sentry-captures");
    assert_eq!(captures["verdict"], "failed", "{captures:#}");
    let calls = &captures["evidence"]["attempts"][0]["calls"];
    let body = calls[0]["body"]["tail"].as_str().unwrap_or_default();
    assert!(body.contains("\"type\":\"client_report\""), "{calls:#}");
    assert_eq!(status, Some(1));
}

#[test]
fn without_an_engine_or_any_program_nothing_is_verified_and_nothing_failed() {
    let Some(shop) = Shop::start("shop without Docker") else {
        return;
    };
    let verdict = |variable: &str, value: &Path| {
        let mut command = shop.command(&["check", "frontend-image", "--format", "json"]);
        let output = command.env(variable, value).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let image = check(&report, "frontend-image");
        assert_eq!(output.status.code(), Some(1));
        format!("{} {}", image["verdict"], image["reason"]["code"]).replace('"', "")
    };
    let nothing = shop.folder.path().join("nothing");
    let nobody = format!("unix://{}", nothing.display());
    assert_eq!(
        verdict("DOCKER_HOST", Path::new(&nobody)),
        "unverified cannot-tell"
    );
    assert_eq!(verdict("PATH", &nothing), "unverified tool-missing");
}

#[test]
fn a_selection_decides_for_itself_and_brings_its_needs() {
    let Some(shop) = Shop::start("shop selection") else {
        return;
    };
    let (report, status) = shop.report(&["check", "orders"]);
    let ran = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["evidence"] != Value::Null);
    assert_eq!(
        ran.map(|check| check["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["health", "orders"]
    );
    assert_eq!(status, Some(0));
    assert_eq!(
        shop.ready(&["check", "sentry-dsn", "-q"]).status.code(),
        Some(1)
    );
    assert_eq!(
        shop.ready(&["check", "orders", "--gate", "default", "-q"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        shop.ready(&["check", "nothing", "-q"]).status.code(),
        Some(2)
    );
}
