//! `listen`: what a program sends us is evidence; that it says so is none.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::support::{Done, Project, Running};
use super::tools;

/// A project with a check that runs a Python script and listens. None where there is no Python.
fn calling(script: &str, listen: &str, more: &str) -> Option<Project> {
    let python = tools::find("listen with python3", &["python3"])?;
    let python = python[0].display();
    let project = Project::new(&format!(
        "[checks.it]\nsays = 'it calls'\nrun = ['{python}', 'call.py', '{{listen.url}}']\nenv = {{ WHERE = '{{listen.host}} {{listen.port}}' }}\nlisten = {listen}\n{more}\n"
    ));
    let prelude = r#"
import gzip, http.client, json, os, socket, sys, zlib
host, port = os.environ["WHERE"].split()
assert sys.argv[1] == f"http://{host}:{port}"
def call(body=b"", path="/api/1/store", method="POST", **headers):
    connection = http.client.HTTPConnection(host, int(port))
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"{}")
"#;
    project.write("call.py", &format!("{prelude}{script}"));
    Some(project)
}

fn done(script: &str, listen: &str, more: &str) -> Option<Done> {
    let project = calling(script, listen, more)?;
    let done = project.check();
    project.nothing_runs();
    Some(done)
}

fn calls(done: &Done) -> Vec<Value> {
    done.attempt("it")["calls"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn calls_are_held_against_what_is_expected() {
    let event = "{ path = '/api/*/store', method = 'POST', body = 'ZeroDivisionError', json = { '$.type' = 'event' }, within = '2s' }";
    let envelope = r#"b'{"id": 1}\n{"type": "event"}\n{"error": "ZeroDivisionError"}\n'"#;
    let report = r#"b'{"id": 1}\n{"type": "client_report"}\n{"error": "ZeroDivisionError"}\n'"#;
    let cases = [
        (format!("call({envelope})"), "verified held", ""),
        (
            format!("call(gzip.compress({envelope}), Content_Encoding='gzip')"),
            "verified held",
            "",
        ),
        (
            format!("call(zlib.compress({envelope}), Content_Encoding='deflate')"),
            "verified held",
            "",
        ),
        // What raises an error ends with one; that is no failure of the report of it.
        (format!("call({envelope})\n1 / 0"), "verified held", ""),
        (
            format!("call(b'noise', path='/other')\ncall({envelope})"),
            "verified held",
            "",
        ),
        (
            format!("call({report})"),
            "failed expectation",
            "one call came: `$.type` in its body: it is not there",
        ),
        (
            format!("call({envelope}, path='/api/1/2/store')"),
            "failed expectation",
            "one call came: its path does not match `/api/*/store`",
        ),
        (
            format!("call({envelope}, method='PUT')"),
            "failed expectation",
            "one call came: its method is PUT, not POST",
        ),
        (
            "call(b'x', Content_Encoding='br')".to_string(),
            "failed expectation",
            "its body does not decode as `br`",
        ),
        (
            "call(b'x', Content_Encoding='zstd')".to_string(),
            "failed expectation",
            "an encoding that is not known: `zstd`",
        ),
        (
            format!(
                "call(gzip.compress(b'0' * (5 << 20)), Content_Encoding='gzip')\ncall({envelope})"
            ),
            "verified held",
            "",
        ),
        ("pass".to_string(), "failed expectation", "no call came"),
        ("1 / 0".to_string(), "failed expectation", "no call came"),
        (
            format!("call(b'a')\ncall(b'b')\ncall({envelope}, path='/no')"),
            "failed expectation",
            "3 calls came, none as expected: ",
        ),
        // Callers that do not do their part hold up nobody.
        (
            format!(
                "a = socket.create_connection((host, int(port)))\na.send(b'POST / HTTP/1.1\\r\\n')\nb = socket.create_connection((host, int(port)))\nb.send(b'\\x16\\x03nonsense\\r\\n\\r\\n')\ncall({envelope})"
            ),
            "verified held",
            "",
        ),
    ];
    for (script, verdict, words) in cases {
        let Some(done) = done(&script, event, "") else {
            return;
        };
        assert_eq!(
            done.verdict("it"),
            verdict,
            "{script}: {}",
            done.reason("it")
        );
        assert!(
            done.reason("it").contains(words),
            "{script}: {}",
            done.reason("it")
        );
        assert_eq!(done.row("it")["level"], "exercised");
    }
}

#[test]
fn what_came_is_evidence_and_its_secrets_are_masked() {
    let script = "call(b'token hunter2-hunter2', X_Request='7', Cookie='session')";
    let listen = "{ headers = { X-Request = '7' }, within = '60s' }";
    let Some(project) = calling(script, listen, "secrets = ['API_TOKEN']") else {
        return;
    };
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("API_TOKEN", "hunter2-hunter2");
    let done = Running::new(command).finish();
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
    let calls = calls(&done);
    assert_eq!(
        (&calls[0]["method"], &calls[0]["path"]),
        (&"POST".into(), &"/api/1/store".into())
    );
    assert_eq!(calls[0]["body"]["tail"], "token ***");
    let headers = calls[0]["headers"].as_array().unwrap();
    assert!(
        headers.contains(&serde_json::json!(["cookie", "***"])),
        "{headers:?}"
    );
    assert!(!done.text().contains("hunter2-hunter2"));
}

#[test]
fn many_calls_are_counted_and_few_are_kept() {
    let script = "for n in range(60): call(b'x')";
    let listen = "{ count = '>= 60', within = '60s' }";
    let Some(done) = done(script, listen, "") else {
        return;
    };
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
    assert_eq!(calls(&done).len(), 20);
}

#[test]
fn the_exit_status_decides_where_it_is_asked_for() {
    let asked = "expect = { exit = 0 }";
    let Some(failed) = done("call()\nsys.exit(3)", "{ within = '60s' }", asked) else {
        return;
    };
    assert_eq!(failed.verdict("it"), "failed exit-status");
    let held = done("call()", "{ within = '60s' }", asked).unwrap();
    assert_eq!(held.verdict("it"), "verified held");
}

#[test]
fn a_port_of_its_own_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "[checks.it]\nsays = 'it calls'\nrun = ['touch', 'ran']\nlisten = {{ port = {port} }}\n"
    ));
    let done = project.check();
    assert_eq!(done.verdict("it"), "unverified port-taken");
    assert!(!project.has("ran"));
}

#[test]
fn a_program_that_never_began_is_not_waited_for() {
    let project = Project::new(
        "[checks.it]\nsays = 'it calls'\nrun = ['ready-no-such-program']\nlisten = { within = '1h' }\n",
    );
    assert_eq!(project.check().verdict("it"), "unverified tool-missing");
}

#[test]
fn nothing_listens_once_the_check_is_over() {
    let Some(done) = done("call()\nprint(port)", "{ within = '60s' }", "") else {
        return;
    };
    let port = done.attempt("it")["stdout"]["tail"]
        .as_str()
        .unwrap()
        .trim()
        .to_string();
    // Whoever has the port now, if anybody, is not the one who answered.
    if let Ok(mut stream) = std::net::TcpStream::connect(format!("127.0.0.1:{port}")) {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains("{}"), "{answer}");
    }
}
