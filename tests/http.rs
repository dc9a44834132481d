//! `http` against a server that answers as servers do on bad days: bytes over a socket on the loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use readiness::domain::report::Report;

/// What the server sends for a path; it closes the connection behind it.
fn answer(path: &str, mut to: &TcpStream) -> std::io::Result<()> {
    let plain = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/ok" => to.write_all(plain("{\"status\":\"healthy\"}").as_bytes()),
        "/sick" => to.write_all(plain("{\"status\":\"unhealthy\"}").as_bytes()),
        "/login" => to.write_all(b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"),
        "/error" => to.write_all(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"),
        "/short" => to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        "/nonsense" => to.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        "/gzip" => to.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
        "/endless" => {
            to.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            // More than anybody reads; ends when nobody does.
            (0..1024).try_for_each(|_| to.write_all(&[b'x'; 64 << 10]))
        }
        // Until whoever asks goes away.
        "/hangs" => BufReader::new(to).read_until(0, &mut vec![]).map(|_| ()),
        _ => to.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    }
}

fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.by_ref().find(String::is_empty);
                let path = request
                    .split_whitespace()
                    .nth(1)
                    .unwrap_or_default()
                    .to_string();
                let path = path.split('?').next().unwrap_or_default();
                // Whoever asked may be gone by now.
                let _ = answer(path, &stream);
            });
        }
    });
    port
}

/// The verdict, the reason and the level of every check.
fn check(checks: &str, env: &[(&str, &str)]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("readiness.toml"),
        format!("[project]\nname = 'http'\n{checks}"),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
    command
        .args(["check", "--format", "json"])
        .current_dir(folder.path());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.envs(env.iter().copied()).output().unwrap();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    let row = |row: readiness::domain::report::CheckRow| {
        (
            row.id,
            format!(
                "{} {} {}",
                row.verdict.word(),
                row.reason.code.word(),
                row.level.word()
            ),
        )
    };
    report.checks.into_iter().map(row).collect()
}

#[test]
fn every_answer_has_its_verdict() {
    let port = serve();
    // Path, what is expected of the answer, the verdict.
    let cases = [
        ("ok", "", "verified held validated"),
        (
            "ok",
            "expect = { json = { '$.status' = 'healthy' } }",
            "verified held exercised",
        ),
        (
            "sick",
            "expect = { json = { '$.status' = 'healthy' } }",
            "failed expectation exercised",
        ),
        (
            "sick",
            "expect = { body = { lacks = 'error' } }",
            "verified held validated",
        ),
        ("login", "", "failed expectation validated"),
        (
            "login",
            "expect = { status = 302, headers = { location = '/ok' } }",
            "verified held validated",
        ),
        ("error", "", "failed expectation validated"),
        (
            "none",
            "expect = { status = [404, 410] }",
            "verified held validated",
        ),
        ("short", "", "failed unreachable validated"),
        ("nonsense", "", "failed expectation validated"),
        (
            "gzip",
            "expect = { json = { '$.status' = 'healthy' } }",
            "unverified cannot-tell exercised",
        ),
        ("endless", "", "unverified cannot-tell validated"),
        (
            "endless",
            "expect = { body = { contains = 'xxx' } }",
            "unverified cannot-tell exercised",
        ),
        ("hangs", "timeout = '300ms'", "failed timed-out validated"),
        ("ok?token=x", "", "verified held validated"),
    ];
    let manifest = cases.iter().enumerate().map(|(n, (path, more, _))| {
        format!("[checks.c{n}]\nsays = 'c'\nhttp = 'http://127.0.0.1:{port}/{path}'\n{more}\n")
    });
    let seen = check(&manifest.collect::<String>(), &[]);
    for ((path, more, verdict), (id, seen)) in cases.iter().zip(seen) {
        assert_eq!(*verdict, seen, "{id} {path} {more}");
    }
}

#[test]
fn nothing_there_is_told_apart_from_a_name_or_a_proxy_that_is_not() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let port = serve();
    let proxy = format!("http://127.0.0.1:{free}");
    let proxied = [("http_proxy", proxy.as_str()), ("https_proxy", &proxy)];
    let one = |url: &str, env: &[(&str, &str)]| {
        check(&format!("[checks.a]\nsays = 'a'\nhttp = '{url}'\n"), env)
            .remove(0)
            .1
    };
    assert_eq!(
        one(&format!("http://127.0.0.1:{free}/"), &[]),
        "failed unreachable validated"
    );
    assert_eq!(
        one("http://no-such-name.invalid/", &[]),
        "unverified cannot-tell validated"
    );
    assert_eq!(
        one("http://no-such-name.invalid/", &proxied),
        "unverified cannot-tell validated"
    );
    // Nothing listens where the proxy should; the loopback needs none.
    assert_eq!(
        one(&format!("http://127.0.0.1:{port}/ok"), &proxied),
        "verified held validated"
    );
    assert_eq!(
        one(&format!("http://localhost:{port}/ok"), &proxied),
        "verified held validated"
    );
    assert_eq!(
        one("http://user:password@127.0.0.1/", &[]),
        "unverified cannot-tell validated"
    );
}
