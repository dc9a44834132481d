//! `listen`: a program must call us. The tests are the callers, so that what arrives, and when, is theirs to say.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Done, Project, Running, check, wait_until};
use crate::{checked, text};

/// A check whose program says where it must be called, and ends with the status that `end` holds.
fn listening(listen: &str, more: &str) -> Project {
    let script = "echo {listen.host}:{listen.port} > where; mv where address\nwhile [ ! -e end ]; do sleep 0.01; done; exit $(cat end)";
    Project::new(&check(
        "it",
        script,
        &format!("listen = {{ {listen} }}\n{more}"),
    ))
}

fn address(project: &Project, running: &mut Running) -> String {
    running.wait_until("it is said where", || project.has("address"));
    text(project, "address").trim().to_string()
}

fn end(project: &Project, status: &str) {
    project.write("status", status);
    std::fs::rename(project.path("status"), project.path("end")).unwrap();
}

/// Runs the check, calls while its program runs, and then lets it end.
fn called(listen: &str, more: &str, call: impl Fn(&str)) -> Done {
    let project = listening(listen, more);
    let mut running = project.start(&["check", "--format", "json"]);
    call(&address(&project, &mut running));
    end(&project, "0");
    let done = running.finish();
    project.nothing_runs();
    done
}

fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let lines = head.replace('\n', "\r\n");
    let head = format!(
        "{lines}\r\nHost: here\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn post(body: &[u8]) -> Vec<u8> {
    request("POST /in HTTP/1.1", body)
}

/// Sends it, and waits for the answer: it counts from then on. Whoever is not listened to any more says so by closing.
fn send(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(request);
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn calls(done: &Done) -> Vec<Value> {
    done.attempt("it")["calls"].as_array().unwrap().clone()
}

const WANTED: &str = "path = \"/api/*/in\", method = \"POST\", headers = { \"x-kind\" = \"event\" }, body = { contains = \"boom\" }, json = { \"$.type\" = \"event\", \"$.level\" = \"error\" }, within = \"1s\"";

#[test]
fn a_call_is_held_against_all_that_is_expected() {
    let body = b"{\"type\":\"event\",\"level\":\"error\",\"text\":\"boom\"}";
    let head = "POST /api/1/in?key=1 HTTP/1.1\nX-Kind: event";
    let done = called(&WANTED.replace("1s", "1h"), "", |address| {
        let answer = send(address, &request(head, body));
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n{}"),
            "{answer}"
        );
    });
    assert_eq!(done.verdict("it"), "verified held");
    assert_eq!(done.row("it")["level"], "exercised");
    let all = calls(&done);
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["method"], &all[0]["path"]),
        (&"POST".into(), &"/api/1/in".into())
    );
    assert_eq!(all[0]["body"]["tail"], std::str::from_utf8(body).unwrap());
    assert_eq!(all[0]["not_as_expected"], Value::Null);
    let expected = "a call of POST /api/*/in with `boom`, `$.level` is \"error\", `$.type` is \"event\" arrives within 1.0 s";
    for (head, body, why) in [
        (
            "PUT /api/1/in HTTP/1.1\nX-Kind: event",
            &body[..],
            "its method is PUT, not POST",
        ),
        (
            "POST /api/1/2/in HTTP/1.1\nX-Kind: event",
            body,
            "its path does not match `/api/*/in`",
        ),
        (
            "POST /api/1/in HTTP/1.1",
            body,
            "header `x-kind`: it is not there",
        ),
        (head, b"{}", "its body does not contain `boom`"),
        (head, b"boom", "its body holds no JSON"),
        (
            head,
            b"{\"type\":\"event\",\"text\":\"boom\"}",
            "expected in its body: `$.level` is \"error\"; it is not there",
        ),
    ] {
        let done = called(WANTED, "", |address| {
            _ = send(address, &request(head, body))
        });
        assert_eq!(done.verdict("it"), "failed expectation", "{why}");
        assert_eq!(
            done.reason("it"),
            format!("expected: {expected}; one call came: {why}")
        );
        assert_eq!(calls(&done)[0]["not_as_expected"], why);
    }
}

#[test]
fn json_may_be_one_line_of_many_or_one_element() {
    let json = "path = \"/in\", json = { \"$.type\" = \"event\", \"$.n\" = 2 }";
    for (body, holds) in [
        (
            &b"{\"event_id\":\"1\"}\n{\"type\":\"event\",\"n\":2}\nno json\n{\"x\":1}\n"[..],
            true,
        ),
        (
            b"[{\"type\":\"event\",\"n\":1},{\"type\":\"event\",\"n\":2}]",
            true,
        ),
        (b"{\n  \"type\": \"event\",\n  \"n\": 2\n}\n", true),
        // Never one path here and the other there.
        (b"{\"type\":\"event\"}\n{\"n\":2}\n", false),
    ] {
        let within = if holds { "1h" } else { "300ms" };
        let listen = format!("{json}, within = \"{within}\"");
        let done = called(&listen, "", |address| _ = send(address, &post(body)));
        let verdict = if holds {
            "verified held"
        } else {
            "failed expectation"
        };
        assert_eq!(
            done.verdict("it"),
            verdict,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn a_body_is_decoded_first() {
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    gzip.write_all(b"hello").unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::best());
    zlib.write_all(b"hello").unwrap();
    // `hello`, uncompressed, as RFC 7932 frames it.
    let brotli = vec![0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
    for (encoding, body) in [
        ("identity", b"hello".to_vec()),
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("br", brotli),
    ] {
        let head = format!("POST /in HTTP/1.1\nContent-Encoding: {encoding}");
        let done = called(
            "path = \"/in\", body = { matches = \"^hello$\" }",
            "",
            |address| {
                send(address, &request(&head, &body));
            },
        );
        assert_eq!(done.verdict("it"), "verified held", "{encoding}");
        assert_eq!(calls(&done)[0]["body"]["tail"], "hello");
    }
}

#[test]
fn what_cannot_be_read_is_no_call_as_expected() {
    let mut bomb = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..100).for_each(|_| bomb.write_all(&zeros).unwrap());
    let bomb = bomb.finish().unwrap();
    let long = vec![b'x'; 100 << 20];
    let cases = [
        (
            "gzip",
            &bomb[..],
            "its body does not decode as `gzip`: it is too long",
        ),
        (
            "identity",
            &long,
            "its body did not come to its end, or is too long",
        ),
        (
            "gzip",
            b"hello",
            "its body does not decode as `gzip`: unexpected end of file",
        ),
        (
            "zstd",
            b"hello",
            "its body is in an encoding that is not known: `zstd`",
        ),
    ];
    for (encoding, body, why) in cases {
        let project = listening("path = \"/in\", within = \"1s\"", "");
        let mut running = project.start(&["check", "--format", "json"]);
        let head = format!("POST /in HTTP/1.1\nContent-Encoding: {encoding}");
        let address = address(&project, &mut running);
        send(&address, &request(&head, body));
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let peak = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
        end(&project, "0");
        let done = running.finish();
        assert!(peak < 200_000, "{peak} kB");
        assert_eq!(done.verdict("it"), "failed expectation");
        let reason = done.reason("it");
        assert!(
            reason.ends_with(&format!("; one call came: {why}")),
            "{reason}"
        );
    }
}

#[test]
fn a_caller_that_hangs_or_sends_garbage_is_in_nobodys_way() {
    let done = called(
        "path = \"/in\", count = \"== 1\", within = \"5s\"",
        "",
        |address| {
            let silent = TcpStream::connect(address).unwrap();
            let mut half = TcpStream::connect(address).unwrap();
            half.write_all(b"POST /in HTTP/1.1\r\nHost").unwrap();
            let mut body = TcpStream::connect(address).unwrap();
            body.write_all(b"POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
                .unwrap();
            let answer = send(address, b"\x16\x03\x01 no HTTP at all\r\n\r\n");
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
            send(address, &post(b"{}"));
            drop((silent, half, body));
        },
    );
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
}

#[test]
fn several_may_call_at_once_and_are_counted() {
    let many = |count: &str, calls: usize| {
        called(
            &format!("path = \"/in\", body = \"yes\", count = \"{count}\", within = \"5s\""),
            "",
            |address| {
                std::thread::scope(|scope| {
                    for at in 0..calls {
                        let body = if at % 2 == 0 { b"yes" } else { b"no!" };
                        scope.spawn(move || send(address, &post(body)));
                    }
                });
            },
        )
    };
    let done = many("== 20", 40);
    assert_eq!(done.verdict("it"), "verified held", "{}", done.reason("it"));
    // Evidence is bounded.
    assert_eq!(calls(&done).len(), 20);
    for (count, why) in [
        (
            ">= 3",
            "expected: >= 3 calls of /in with `yes` arrive within 5.0 s; 2 of 4 calls were as expected",
        ),
        (
            "== 1",
            "expected: == 1 calls of /in with `yes` arrive within 5.0 s; 2 of 4 calls were as expected",
        ),
    ] {
        let done = many(count, 4);
        assert_eq!(done.verdict("it"), "failed expectation");
        assert_eq!(done.reason("it"), why);
    }
}

#[test]
fn no_call_is_a_failure() {
    let done = called("path = \"/in\", within = \"300ms\"", "", |_| {});
    assert_eq!(done.verdict("it"), "failed expectation");
    assert_eq!(
        done.reason("it"),
        "expected: a call of /in arrives within 300 ms; no call came"
    );
}

#[test]
fn a_call_that_comes_late_does_not_count() {
    let done = called("path = \"/in\", within = \"200ms\"", "", |address| {
        let since = Instant::now();
        wait_until("it is late", || {
            since.elapsed() > Duration::from_millis(300)
        });
        send(address, &post(b""));
    });
    assert_eq!(done.verdict("it"), "failed expectation");
    let reason = done.reason("it");
    let start = "expected: a call of /in arrives within 200 ms; one call came: it came after ";
    assert!(
        reason.starts_with(start) && !reason.ends_with(" 0 s"),
        "{reason}"
    );
}

#[test]
fn a_call_may_come_after_the_programs_end() {
    let project = listening("path = \"/in\", within = \"1h\"", "");
    let mut running = project.start(&["check", "--format", "json"]);
    let address = address(&project, &mut running);
    end(&project, "0");
    wait_until("the program has ended", || project.running().len() == 1);
    send(&address, &post(b""));
    let done = running.finish();
    assert_eq!(done.verdict("it"), "verified held");
}

#[test]
fn waiting_for_a_call_ends_with_ctrl_c_and_shows_nothing() {
    let project = listening("path = \"/in\", within = \"1h\"", "");
    let mut running = project.start(&["check", "--format", "json"]);
    address(&project, &mut running);
    end(&project, "0");
    wait_until("the program has ended", || project.running().len() == 1);
    running.signal(Signal::INT);
    let done = running.finish();
    assert_eq!(done.status, Some(130));
    assert_eq!(done.verdict("it"), "unverified interrupted");
    assert_eq!(done.reason("it"), "stopped before it ended");
    let status = project.start(&["status", "--format", "json"]).finish();
    assert_eq!(status.verdict("it"), "unverified not-run");
}

#[test]
fn so_does_the_time_that_the_run_has() {
    let project = listening("path = \"/in\", within = \"1h\"", "");
    let mut running = project.start(&["check", "--format", "json", "--timeout", "2s"]);
    address(&project, &mut running);
    end(&project, "0");
    let done = running.finish();
    assert_eq!(done.status, Some(1));
    assert_eq!(done.verdict("it"), "unverified interrupted");
}

#[test]
fn the_exit_status_decides_only_where_it_is_asked_for() {
    let ended = |more: &str, status: &str| {
        let project = listening("path = \"/in\"", more);
        let mut running = project.start(&["check", "--format", "json"]);
        send(&address(&project, &mut running), &post(b""));
        end(&project, status);
        running.finish()
    };
    assert_eq!(ended("", "3").verdict("it"), "verified held");
    assert_eq!(
        ended("expect = { exit = 3 }", "3").verdict("it"),
        "verified held"
    );
    let done = ended("expect = { exit = 0 }", "3");
    assert_eq!(done.verdict("it"), "failed exit-status");
}

#[test]
fn a_program_that_does_not_end_is_no_better_for_its_call() {
    let project = listening("path = \"/in\"", "timeout = \"5s\"");
    let mut running = project.start(&["check", "--format", "json"]);
    send(&address(&project, &mut running), &post(b""));
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(calls(&done).len(), 1);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let project = listening(&format!("path = \"/in\", port = {port}"), "");
    let done = checked(&project, &[]);
    assert_eq!(done.verdict("it"), "unverified port-taken");
    assert_eq!(
        done.reason("it"),
        format!("port {port}, on which it is to be called, is taken by another program")
    );
    assert!(!project.has("address"));
}

#[test]
fn where_to_call_is_told_in_arguments_and_environment_and_is_ipv4() {
    let port = crate::free_port();
    let script =
        "echo $0 $URL $HOST > where; mv where address; while [ ! -e end ]; do sleep 0.01; done";
    let project = Project::new(&format!(
        "[checks.it]\nsays = \"x\"\nrun = [\"sh\", \"-c\", \"{script}\", \"{{listen.port}}\"]\n\
         listen = {{ path = \"/in\", port = {port} }}\nenv = {{ URL = \"{{listen.url}}/x\", HOST = \"{{listen.host}}\" }}\n"
    ));
    let mut running = project.start(&["check", "--format", "json"]);
    let said = address(&project, &mut running);
    assert_eq!(said, format!("{port} http://127.0.0.1:{port}/x 127.0.0.1"));
    assert!(TcpStream::connect(("::1", port)).is_err());
    send(&format!("127.0.0.1:{port}"), &post(b""));
    end(&project, "0");
    assert_eq!(running.finish().verdict("it"), "verified held");
}

#[test]
fn secrets_are_masked_in_what_is_kept_of_a_call() {
    const SECRET: &str = "s3cr3t-of-the-caller";
    let project = listening(
        "path = \"/other\", within = \"1s\"",
        "secrets = [\"TOKEN\"]",
    );
    let mut command = project.command(&["check", "--format", "json"]);
    command.env("TOKEN", SECRET);
    let mut running = Running::new(command);
    let head = format!(
        "POST /in/{SECRET}?key={SECRET} HTTP/1.1\nX-Other: {SECRET}\nAuthorization: Bearer unknown-1\nCookie: a=unknown-2"
    );
    send(
        &address(&project, &mut running),
        &request(&head, format!("with {SECRET}").as_bytes()),
    );
    end(&project, "0");
    let done = running.finish();
    let all = calls(&done);
    assert_eq!(
        (&all[0]["path"], &all[0]["body"]["tail"]),
        (&"/in/***".into(), &"with ***".into())
    );
    let kept = [&done.stdout[..], &project.ledger_bytes()].concat();
    let kept = String::from_utf8_lossy(&kept);
    for secret in [SECRET, "unknown-1", "unknown-2"] {
        assert!(!kept.contains(secret), "{secret}: {all:?}");
    }
}
