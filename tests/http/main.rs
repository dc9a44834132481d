//! `http` against a server that answers as servers do on bad days.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod server;

use std::net::{TcpListener, ToSocketAddrs};
use std::process::Command;
use std::sync::Arc;

use readiness::domain::report::{CheckRow, Report};
use server::{serve, serve_at};

/// The rows of the checks.
fn rows(checks: &str, env: &[(&str, &str)]) -> Vec<CheckRow> {
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
    let report = serde_json::from_slice::<Report>(&output.stdout);
    report
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
        .checks
}

/// Verdict, reason and level.
fn verdict(row: &CheckRow) -> String {
    format!(
        "{} {} {}",
        row.verdict.word(),
        row.reason.code.word(),
        row.level.word()
    )
}

/// The verdict of every check by its id.
fn check(checks: &str, env: &[(&str, &str)]) -> Vec<(String, String)> {
    let rows = rows(checks, env);
    rows.iter()
        .map(|row| (row.id.clone(), verdict(row)))
        .collect()
}

/// The row of one check of a URL.
fn one(url: &str, more: &str) -> CheckRow {
    rows(
        &format!("[checks.a]\nsays = 'a'\nhttp = '{url}'\n{more}\n"),
        &[],
    )
    .remove(0)
}

fn text(row: &CheckRow) -> &str {
    &row.reason.text
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
        // What came decides, whatever may follow.
        (
            "endless",
            "expect = { body = { contains = 'xxx' } }",
            "verified held exercised",
        ),
        (
            "endless",
            "expect = { body = { contains = 'y' } }",
            "unverified cannot-tell exercised",
        ),
        (
            "endless",
            "expect = { body = { contains = 'xxx', lacks = 'y' } }",
            "unverified cannot-tell exercised",
        ),
        ("starts", "timeout = '300ms'", "failed timed-out validated"),
        (
            "starts",
            "timeout = '300ms'\nexpect = { body = { lacks = 'error' } }",
            "failed timed-out validated",
        ),
        (
            "starts",
            "expect = { body = { contains = 'half' } }",
            "verified held exercised",
        ),
        ("drips", "timeout = '300ms'", "failed timed-out validated"),
        ("bomb", "", "verified held validated"),
        (
            "bomb",
            "expect = { body = { contains = 'a' } }",
            "unverified cannot-tell exercised",
        ),
        ("loop", "", "failed expectation validated"),
        ("loop", "redirects = 20", "failed expectation validated"),
        ("login", "redirects = 1", "verified held validated"),
        ("twice", "redirects = 1", "failed expectation validated"),
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
    let seen = |url: &str, env: &[(&str, &str)]| {
        check(&format!("[checks.a]\nsays = 'a'\nhttp = '{url}'\n"), env)
            .remove(0)
            .1
    };
    assert_eq!(
        seen(&format!("http://127.0.0.1:{free}/"), &[]),
        "failed unreachable validated"
    );
    assert_eq!(
        seen("http://no-such-name.invalid/", &[]),
        "unverified cannot-tell validated"
    );
    assert_eq!(
        seen("http://no-such-name.invalid/", &proxied),
        "unverified cannot-tell validated"
    );
    assert_eq!(
        seen("https://no-such-name.invalid/", &proxied),
        "unverified cannot-tell validated"
    );
    // Nothing listens where the proxy should; the loopback needs none.
    assert_eq!(
        seen(&format!("http://127.0.0.1:{port}/ok"), &proxied),
        "verified held validated"
    );
    assert_eq!(
        seen(&format!("http://localhost:{port}/ok"), &proxied),
        "verified held validated"
    );
    assert_eq!(
        seen("http://user:password@127.0.0.1/", &[]),
        "unverified cannot-tell validated"
    );
}

#[test]
fn where_an_answer_leads_is_said_and_followed_only_as_far_as_asked() {
    let port = serve();
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let row = one(&url("twice"), "");
    assert_eq!(
        text(&row),
        "expected: status is 200 to 299; status is 301, which leads to login"
    );
    let row = one(&url("twice"), "redirects = 5");
    assert_eq!(verdict(&row), "verified held validated");
    let evidence = row.evidence.unwrap();
    assert_eq!(evidence.target.as_deref(), Some(&*url("twice")));
    let answer = evidence.attempts[0].answer.clone().unwrap();
    let led = answer.redirects.into_iter().map(|led| (led.status, led.to));
    assert_eq!(
        led.collect::<Vec<_>>(),
        [(301, url("login")), (302, url("ok"))]
    );
    // The last answer is judged, and what its query holds is nobody's business.
    let row = one(&url("loop"), "redirects = 3");
    let answer = row.evidence.unwrap().attempts[0].answer.clone().unwrap();
    assert_eq!(answer.redirects.len(), 3);
    assert!(
        answer
            .headers
            .contains(&("location".into(), "/loop".into()))
    );
    let row = one(&url("to/127.0.0.1:1/x?ticket=1"), "redirects = 3");
    assert_eq!(
        text(&row),
        "redirected to http://127.0.0.1:1/x: no connection: 127.0.0.1:1 refused"
    );
}

#[test]
fn what_is_sent_along_stays_with_the_origin_that_it_is_for() {
    let (here, there) = (serve(), serve());
    let sent = |url: String| {
        let sent = "redirects = 2\nheaders = { x-key = 'sesame' }\nmethod = 'POST'\nbody = 'x'";
        verdict(&one(
            &url,
            &format!("{sent}\nexpect = {{ body = {{ contains = ['host:', 'sesame'] }} }}"),
        ))
    };
    let here_to = |port: u16| format!("http://127.0.0.1:{here}/to/127.0.0.1:{port}/headers");
    assert_eq!(sent(here_to(here)), "verified held exercised");
    assert_eq!(sent(here_to(there)), "failed expectation exercised");
}

#[test]
fn an_answer_is_waited_for_as_long_as_it_may_take() {
    let port = serve();
    let row = one(
        &format!("http://127.0.0.1:{port}/fourth"),
        "expect = { body = { contains = 'up' }, within = '20s' }",
    );
    assert_eq!(verdict(&row), "verified held exercised");
    assert_eq!(
        text(&row),
        "status is 200 to 299 (and 1 more); asked 4 times, before: status is 503"
    );
    let attempts = row.evidence.unwrap().attempts;
    assert_eq!(attempts.len(), 1, "waiting is no retry");
    assert_eq!(attempts[0].waited.as_ref().unwrap().asked, 4);
    assert_eq!((row.credit, row.potential), (1.0, 1.0));

    let port = serve();
    let row = one(
        &format!("http://127.0.0.1:{port}/error"),
        "expect = { within = '1s' }",
    );
    assert_eq!(verdict(&row), "failed expectation validated");
    assert!(
        text(&row).starts_with("expected: status is 200 to 299; status is 503; asked "),
        "{}",
        text(&row)
    );
    // A request that does not end is given up for the next one.
    let row = one(
        &format!("http://127.0.0.1:{port}/hangs"),
        "timeout = '100ms'\nexpect = { within = '2s' }",
    );
    assert_eq!(verdict(&row), "failed timed-out validated");
    assert!(
        row.evidence.unwrap().attempts[0]
            .waited
            .as_ref()
            .unwrap()
            .asked
            > 1,
        "{}",
        row.reason.text
    );
    // What no waiting mends is said at once.
    let row = one(
        "http://no-such-name.invalid/",
        "expect = { within = '60s' }",
    );
    assert_eq!(verdict(&row), "unverified cannot-tell validated");
    assert!(row.evidence.unwrap().duration_ms < 30_000);
}

#[test]
fn how_far_an_answer_came_is_said() {
    let port = serve();
    let after = |path: &str| {
        let url = format!("http://127.0.0.1:{port}/{path}");
        text(&one(&url, "timeout = '1s'")).to_string()
    };
    assert_eq!(
        after("hangs"),
        "no complete answer within 1.0 s: not even its status had come"
    );
    assert_eq!(
        after("starts"),
        "no complete answer within 1.0 s: status 200 and 4 bytes of the body had come"
    );
}

#[test]
fn every_address_of_a_name_is_tried_and_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let row = one(&format!("http://localhost:{port}/?token=1"), "");
    assert_eq!(verdict(&row), "failed unreachable validated");
    for address in ("localhost", port).to_socket_addrs().unwrap() {
        assert!(
            text(&row).contains(&format!("{address} ")),
            "{}",
            text(&row)
        );
    }
    assert!(
        text(&row).contains(&format!("127.0.0.1:{port} refused")),
        "{}",
        text(&row)
    );
    assert!(!text(&row).contains("token"), "{}", text(&row));
    let both = ("localhost", port).to_socket_addrs().unwrap();
    if both.into_iter().any(|address| address.is_ipv6()) && TcpListener::bind("[::1]:0").is_ok() {
        let port = serve_at("[::1]:0", Some);
        let row = one(&format!("http://localhost:{port}/ok"), "");
        assert_eq!(verdict(&row), "verified held validated", "{}", text(&row));
    }
}

/// A server's certificate for `localhost`, valid until that year, and the file to trust it by.
fn certified(folder: &std::path::Path, until: i32) -> (Arc<rustls::ServerConfig>, String) {
    let mut certificate = rcgen::CertificateParams::new(vec!["localhost".to_string()]).unwrap();
    let name = format!("until {until}");
    certificate
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    certificate.not_before = rcgen::date_time_ymd(2020, 1, 1);
    certificate.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let file = folder.join(format!("until-{until}.pem"));
    std::fs::write(&file, certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    (Arc::new(server.unwrap()), file.display().to_string())
}

#[test]
fn a_certificate_must_be_trusted_valid_and_for_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let secured = |server: Arc<rustls::ServerConfig>| {
        serve_at("127.0.0.1:0", move |stream| {
            let connection = rustls::ServerConnection::new(server.clone()).ok()?;
            Some(rustls::StreamOwned::new(connection, stream))
        })
    };
    let asked = |host: &str, port: u16, trusted: &str, more: &str| {
        let check = format!("[checks.a]\nsays = 'a'\nhttp = 'https://{host}:{port}/ok'\n{more}\n");
        let row = rows(&check, &[("SSL_CERT_FILE", trusted)]).remove(0);
        (verdict(&row), row.reason.text)
    };
    let (good, trusted) = certified(folder.path(), 3000);
    let good = secured(good);
    let (seen, text) = asked("localhost", good, &trusted, "");
    assert_eq!(seen, "verified held validated", "{text}");

    let (expired, trusted_expired) = certified(folder.path(), 2021);
    let expired = secured(expired);
    for (host, port, trusted, why) in [
        (
            "localhost",
            expired,
            &trusted_expired,
            "certificate expired",
        ),
        ("localhost", good, &trusted_expired, "UnknownIssuer"),
        ("127.0.0.1", good, &trusted, "not valid for name"),
    ] {
        // Waiting mends no certificate.
        let (seen, text) = asked(host, port, trusted, "expect = { within = '60s' }");
        assert_eq!(seen, "failed certificate validated", "{why}: {text}");
        assert!(text.starts_with("the certificate is not valid: "), "{text}");
        assert!(text.contains(why) && !text.contains("asked"), "{text}");
    }
    let plain = serve();
    let (seen, text) = asked("localhost", plain, &trusted, "");
    assert_eq!(seen, "failed unreachable validated", "{text}");
    assert!(text.starts_with("no connection: tls handshake"), "{text}");
}

#[test]
fn no_secret_leaves_with_an_answer() {
    const SECRET: &str = "hunter2/pass+word=X";
    let port = serve();
    let check = |id: &str, path: &str, more: &str| {
        format!("[checks.{id}]\nsays = 's'\nhttp = 'http://127.0.0.1:{port}/{path}'\n{more}\n")
    };
    let says = |before: usize| {
        let say = "x".repeat(before);
        format!(
            "headers = {{ X-Say = '{say}{{env.THING}}' }}\nsecrets = ['THING']\nexpect = {{ json = {{ '$.status' = 'well' }} }}"
        )
    };
    // What an expectation saw is cut after 300 characters.
    let cut = (0..24).map(|n| check(&format!("cut-{n}"), "says", &says(300 - n)));
    let literal = "headers = { Authorization = 'Bearer bearer-of-news', Cookie = 'id=cookie-of-news' }\nexpect = { status = 201 }";
    let manifest = cut.collect::<String>()
        + &check(
            "redirected",
            "to/127.0.0.1:1/{env.THING}?t={env.THING}",
            "redirects = 1",
        )
        + &check("led", "to/127.0.0.1:1/{env.THING}?t={env.THING}", "")
        + &check(
            "waits",
            "says",
            &says(3).replace("'well' }", "'well' }, within = '200ms'"),
        )
        + &check("literal", "headers", literal)
        + &check(
            "session",
            "session",
            "expect = { status = 302, headers = { set-cookie = 'a', x-auth-token = 'b', location = '/b' } }",
        )
        + &check(
            "session-within",
            "session",
            "expect = { status = 302, headers = { set-cookie = 'a' }, within = '100ms' }",
        )
        + &check("nobody", "{env.THING}?t={env.THING}", "").replace(&port.to_string(), "1");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("readiness.toml"),
        format!("[project]\nname = 'http'\n{manifest}"),
    )
    .unwrap();
    let mut shown = vec![];
    for words in [
        "check --verbose",
        "check --format json",
        "status -v",
        "explain literal",
        "explain led",
        "explain session",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        command.args(words.split(' ')).current_dir(folder.path());
        let output = command.env("THING", SECRET).output().unwrap();
        shown.extend([output.stdout, output.stderr].concat());
    }
    for file in std::fs::read_dir(folder.path().join(".ready")).unwrap() {
        shown.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let shown = String::from_utf8_lossy(&shown);
    for secret in [
        SECRET,
        &SECRET[..8],
        "hunter2%2F",
        "bearer-of-news",
        "cookie-of-news",
        "cookie-of-theirs",
        "token-of-theirs",
        "ticket-of-theirs",
    ] {
        let at = shown.find(secret);
        let around = at.map(|at| {
            shown[at.saturating_sub(200)..]
                .chars()
                .take(300)
                .collect::<String>()
        });
        assert_eq!(around, None, "{secret}");
    }
    assert!(shown.contains("redirected to http://127.0.0.1:1/***: no connection"));
}
