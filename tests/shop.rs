//! `ready check` in a real project with real tools: a FastAPI service, its pytest suite, a Jest suite, nginx, and a status
//! document that claims 95 %. Every verdict, every reason and the score are known beforehand, worked out by hand.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

#[path = "support/tools.rs"]
mod tools;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The verdict, the reason and the credit of every check.
const EXPECTED: [(&str, &str, &str, f64); 22] = [
    ("backend-tests", "partial", "some-failed", 0.875), // 35 of 40; 2 failed, 3 skipped
    ("frontend-tests", "partial", "some-failed", 23.0 / 30.0), // 7 failed
    ("frontend-parses", "verified", "held", 1.0),
    ("health", "verified", "held", 1.0),
    ("orders", "verified", "held", 1.0),
    ("metrics-exposed", "verified", "held", 1.0),
    ("sentry-installed", "verified", "held", 1.0),
    ("sentry-wired", "failed", "expectation", 0.0), // only in a comment
    ("sentry-dsn", "failed", "placeholder", 0.0),
    ("sentry-alerts", "unverified", "needs-failed", 0.0),
    ("nginx", "verified", "held", 1.0),
    ("image-builds", "unverified", "tool-missing", 0.0), // no docker on the PATH of this test
    ("compose-parses", "verified", "held", 1.0),
    ("load-test-written", "verified", "held", 1.0),
    ("secret-key", "verified", "held", 1.0),
    ("no-secrets-in-code", "verified", "held", 1.0),
    ("deploy-on-windows", "unverified", "wrong-platform", 0.0),
    ("rollback-documented", "verified", "held", 1.0),
    ("rollback-rehearsed", "unverified", "attested", 0.0),
    ("chart", "unverified", "not-run", 0.0), // does not apply
    ("changelog", "failed", "absent", 0.0),  // optional
    ("payment-key", "verified", "held", 1.0),
];

// By hand, from SPEC-like rules: at each level, earned(L) / (earned(L) + missing), capped; the best of these counts.
//
//                weight  verified                                       ceiling
//   backend         3    7/8                        exercised           (35 + 3)/40 = 19/20
//   frontend        2    23/30                      exercised           23/30
//     (with frontend-parses at validated: (23/30 + 1)/2 = 0.88, capped to 0.75, which is less)
//   api             2    1                                              1
//   sentry          1    1/(1 + 3) = 1/4            wired               wired: 2/(2 + 2) = 1/2; validated: 1/(1 + 2) = 1/3
//   metrics         1    1                          exercised           1
//   proxy           1    3/4                        validated, capped   3/4
//   containers      1    1/(1 + 1) = 1/2            wired               validated: 1/1, capped to 3/4
//   performance     1    1/4                        present, capped     1/4
//   secrets         1    1/2                        wired, capped       1/2
//   operations      1    1/(1 + 2), capped to 1/4   present             validated: 1/(1 + 1) = 1/2
//
// verified: (3·7/8 + 2·23/30 + 2 + 1/4 + 1 + 3/4 + 1/2 + 1/4 + 1/2 + 1/4) / 14 = (9 + 79/120 + …) = 5795/84 %
// ceiling:  (3·19/20 + 2·23/30 + 2 + 1/2 + 1 + 3/4 + 3/4 + 1/4 + 1/2 + 1/2) / 14 = 6380/84 %
// attested: the third check of operations: (1/3) / 14
const VERIFIED: f64 = 5795.0 / 84.0;
const CEILING: f64 = 6380.0 / 84.0;
const ATTESTED: f64 = 100.0 / 42.0;

/// The shop in a folder of its own, with its tools on a PATH that holds nothing else, and its service running.
struct Shop {
    folder: tempfile::TempDir,
    path: PathBuf,
    url: String,
    server: Child,
}

impl Shop {
    fn start(test: &str) -> Option<Shop> {
        let programs = tools::find(test, &["node", "npm", "nginx", "sh", "env"])?;
        let python = tools::cache().join("python/bin");
        tools::find(test, &["uvicorn", "pytest", "jest"])?;

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
        move_dates(&shop.join("readiness.toml"));

        let own = tools::only(&folder.path().join("bin"), &programs);
        let path = std::env::join_paths([python, own]).unwrap().into();
        let (server, url) = serve(&shop.join("backend"));
        Some(Shop {
            folder,
            path,
            url,
            server,
        })
    }

    fn ready(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ready"))
            .args(args)
            .current_dir(self.folder.path().join("shop"))
            .env("PATH", &self.path)
            .env("SHOP_URL", &self.url)
            .env("COLUMNS", "80")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The dates of attestation and waiver lie around today, so that the test outlives them.
fn move_dates(manifest: &Path) {
    let today = jiff::Zoned::now().date();
    let in_a_week = today.saturating_add(jiff::Span::new().days(7)).to_string();
    let a_week_ago = today.saturating_sub(jiff::Span::new().days(7)).to_string();
    let text = std::fs::read_to_string(manifest).unwrap();
    let moved = text
        .replace("2026-11-01", &a_week_ago)
        .replace("2026-12-01", &in_a_week)
        .replace("2026-12-15", &in_a_week);
    assert_eq!(text.matches("2026-").count(), 3, "every date is moved");
    std::fs::write(manifest, moved).unwrap();
}

/// Starts the service on a port that the system picks, and waits until it says which.
fn serve(backend: &Path) -> (Child, String) {
    let mut server = Command::new(tools::cache().join("python/bin/python3"))
        .args([
            "-m",
            "uvicorn",
            "app.main:app",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
        ])
        .current_dir(backend)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let url = log.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("running on ")?;
        Some(rest.split_whitespace().next()?.to_string())
    });
    std::thread::spawn(move || log.for_each(drop));
    (
        server,
        url.expect("the service told its address before it ended"),
    )
}

#[test]
fn every_verdict_and_the_score_are_those_worked_out_by_hand() {
    let Some(shop) = Shop::start("shop") else {
        return;
    };
    let output = shop.ready(&["check", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();

    let checks = report["checks"].as_array().unwrap();
    for (id, verdict, code, credit) in EXPECTED {
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
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
    assert_eq!(output.status.code(), Some(1));

    let counts =
        |id: &str| checks.iter().find(|check| check["id"] == id).unwrap()["counts"].clone();
    assert_eq!(
        counts("backend-tests"),
        serde_json::json!({ "passed": 35, "failed": 2, "skipped": 3 })
    );
    assert_eq!(
        counts("frontend-tests"),
        serde_json::json!({ "passed": 23, "failed": 7, "skipped": 0 })
    );

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
    assert_eq!(gates[0]["waived"], serde_json::json!(["image-builds"]));
    assert_eq!(
        (gates[1]["name"].as_str(), gates[1]["open"].as_bool()),
        (Some("staging"), Some(true))
    );

    let only_in_a_comment = checks
        .iter()
        .find(|check| check["id"] == "sentry-wired")
        .unwrap()["reason"]["text"]
        .as_str()
        .unwrap();
    assert!(only_in_a_comment.contains("comment"), "{only_in_a_comment}");
    status_repeats_it_without_running_anything(&shop, &report);
    the_table_is_readable_in_80_columns(&shop);
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
    assert_eq!(
        words,
        [
            "OVERALL",
            "██████░···",
            "68",
            "%",
            "75",
            "%",
            "95",
            "%",
            "27"
        ]
    );
    for words in [
        "Backend tests",
        "Monitoring",
        "capped at 25 %",
        "default CLOSED, decides",
        "staging OPEN",
        "NOT READY: verified 68 %, claimed 95 %",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

#[test]
fn a_selection_decides_for_itself_and_brings_its_needs() {
    let Some(shop) = Shop::start("shop selection") else {
        return;
    };
    let output = shop.ready(&["check", "orders", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
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
    assert_eq!(output.status.code(), Some(0));
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
