//! `ready mcp` with the public SDK's client.

use std::process::Command;

use serde_json::{Value, json};

use crate::{MANIFEST, Project, json, node_modules, said, script, tools};

/// What a client saw of the server in a project.
fn calls(project: &Project, checks: &[&str]) -> Option<Value> {
    let programs = tools::find("the MCP server", &["node", "html-validate"])?;
    let mut node = Command::new(&programs[0]);
    node.arg(script("mcp.mjs"))
        .arg(node_modules())
        .arg(env!("CARGO_BIN_EXE_ready"))
        .args(checks)
        .current_dir(project.path("."))
        // What is printed for an agent is printed for no CI system.
        .env("GITHUB_ACTIONS", "true");
    Some(json(&said(&mut node)))
}

fn words(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn a_client_lists_the_tools_and_gets_the_verdict() {
    let project = Project::new(MANIFEST);
    let Some(seen) = calls(&project, &[]) else {
        return;
    };
    let tools = seen["tools"].as_array().unwrap();
    let read_only = tools.iter().map(|tool| {
        (
            tool["name"].as_str().unwrap(),
            tool["readOnly"].as_bool().unwrap(),
        )
    });
    assert_eq!(
        read_only.collect::<Vec<_>>(),
        [
            ("check", false),
            ("claims", true),
            ("explain", true),
            ("plan", true),
            ("status", true)
        ]
    );
    assert_eq!(seen["server"]["name"], "ready");
    assert!(
        seen["instructions"]
            .as_str()
            .unwrap()
            .contains("claim only what stands under `verified`")
    );
    assert!(
        words(&seen["statusBefore"]).contains("verified: nothing"),
        "{}",
        words(&seen["statusBefore"])
    );
    let check = &seen["check"];
    assert!(
        words(check).starts_with("NOT READY: verified "),
        "{}",
        words(check)
    );
    assert_eq!(
        words(check),
        words(&seen["status"])
            .replace("checks are unverified", "checks could not be verified here")
            .replace(
                "1 check is unverified",
                "1 check could not be verified here"
            )
    );
    assert_eq!(check["structuredContent"]["open"], false);
    let rows = check["structuredContent"]["checks"].as_array().unwrap();
    let verdict = |id: &str| &rows.iter().find(|row| row["id"] == id).unwrap()["verdict"];
    assert_eq!(
        (verdict("runs"), verdict("fails"), verdict("missing")),
        (&json!("verified"), &json!("failed"), &json!("unverified"))
    );
    assert!(
        words(&seen["plan"]).contains("mend the tests"),
        "{}",
        words(&seen["plan"])
    );
    assert!(
        words(&seen["claims"]).contains("contradicted"),
        "{}",
        words(&seen["claims"])
    );
    assert!(
        words(&seen["explain"]).contains("Verdict:"),
        "{}",
        words(&seen["explain"])
    );
    // A word of the client's is never an option of ours, and a mistake is told as one.
    assert_eq!(seen["unknown"]["isError"], true);
    assert!(
        words(&seen["unknown"]).contains("`--version`"),
        "{}",
        words(&seen["unknown"])
    );
    assert_eq!(seen["wrong"]["isError"], true);
    assert!(
        words(&seen["wrong"]).contains("no-such-gate"),
        "{}",
        words(&seen["wrong"])
    );
    assert_eq!(seen["wrong"]["structuredContent"], Value::Null);
}

#[test]
fn a_client_that_goes_away_stops_what_it_started() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;

    // The check tells by a pipe that it runs, and would run for ever.
    let project = Project::new(
        "[project]\nname = \"p\"\n[checks.long]\nsays = \"c\"\nshell = true\nrun = \"echo $$ > started; exec tail -f /dev/null\"\ntimeout = \"10m\"\n",
    );
    let fifo = Command::new("mkfifo").arg(project.path("started")).status();
    assert!(fifo.unwrap().success());
    let mut server = project.command(&["mcp"]);
    let mut server = server
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = server.stdin.take().unwrap();
    let mut from = BufReader::new(server.stdout.take().unwrap());
    let mut send = |message: Value| writeln!(to, "{message}").unwrap();
    let about = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    send(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about }));
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    send(
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "check", "arguments": {} } }),
    );
    let pid = std::fs::read_to_string(project.path("started")).unwrap();
    drop(to);
    assert!(server.wait().unwrap().success());
    assert!(
        !std::path::Path::new("/proc").join(pid.trim()).exists() || cfg!(not(target_os = "linux"))
    );
    // What was begun is recorded as interrupted.
    let report = json(&project.report("json"));
    assert_eq!(report["run"]["interrupted"], true);
}

/// The shop, with the tools that its checks are for.
#[test]
fn an_agent_gets_the_verdict_of_a_real_project() {
    let test = "the MCP server in the shop";
    let Some(programs) = tools::find(
        test,
        &[
            "pytest",
            "uvicorn",
            "jest",
            "nginx",
            "node",
            "html-validate",
        ],
    ) else {
        return;
    };
    let project = Project::new("");
    let shop = project.path("shop");
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/shop");
    said(Command::new("cp").arg("-R").arg(source).arg(&shop));
    let modules = tools::cache().join("node/node_modules");
    std::os::unix::fs::symlink(modules, shop.join("frontend/node_modules")).unwrap();
    for args in [
        &["init", "-q"][..],
        &["add", "-A"],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-q",
            "-m",
            "all",
        ],
    ] {
        said(Command::new("git").args(args).current_dir(&shop));
    }
    let mut node = Command::new(&programs[4]);
    node.arg(script("mcp.mjs"))
        .arg(node_modules())
        .arg(env!("CARGO_BIN_EXE_ready"));
    // What an audit would ask an index for, or a daemon, is not what this is about.
    let checks = [
        "backend-tests",
        "frontend-tests",
        "health",
        "orders",
        "nginx",
        "sentry-wired",
    ];
    node.args(checks)
        .current_dir(&shop)
        .env("PATH", tools::path(&programs));
    let seen = json(&said(&mut node));
    let rows = seen["check"]["structuredContent"]["checks"]
        .as_array()
        .unwrap();
    for (id, verdict) in checks.into_iter().zip([
        "partial", "partial", "verified", "verified", "verified", "failed",
    ]) {
        let row = rows.iter().find(|row| row["id"] == id).unwrap();
        assert_eq!(row["verdict"], verdict, "{id}: {}", row["reason"]);
    }
    assert!(
        words(&seen["check"]).starts_with("DOES NOT HOLD: 3 of 6 selected checks verified"),
        "{}",
        words(&seen["check"])
    );
    assert!(
        words(&seen["claims"]).contains("STATUS.md:14"),
        "{}",
        words(&seen["claims"])
    );
}
