//! The programs of the bookshop: its service, its tests, what orders a book, what loads it. Played by this program,
//! under a verb that is in no help.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::Exit;

/// The verb.
pub(in crate::cli) const VERB: &str = "__demo";

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The requests of the load test.
const REQUESTS: usize = 100;

/// Plays the part that the words after the verb name.
pub(in crate::cli) fn act(words: &[String]) -> Exit {
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    let played = match words.as_slice() {
        ["serve", port] => port.parse().map_err(io::Error::other).and_then(serve),
        ["tests"] => tests(),
        ["order", url] => order(url),
        ["load", port] => port.parse().map_err(io::Error::other).and_then(load),
        _ => return Exit::Usage,
    };
    match played {
        Ok(exit) => exit,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            Exit::Closed
        }
    }
}

/// The shop: it is healthy, and its search finds nothing though it says 200.
fn serve(port: u16) -> io::Result<Exit> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    writeln!(io::stdout(), "the shop is open on port {port}")?;
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || answer(stream));
    }
    Ok(Exit::Open)
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let path = request_path(&stream)?;
    let (status, body) = match path.as_str() {
        "/health" => ("200 OK", r#"{"status":"healthy","version":"1.4.0"}"#),
        "/search" => ("200 OK", r#"{"error":"the index is empty","books":[]}"#),
        _ => ("404 Not Found", r#"{"error":"there is no such page"}"#),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The path of a request whose head is read to its end.
fn request_path(stream: &TcpStream) -> io::Result<String> {
    const HEAD_AT_MOST: u64 = 16 << 10;
    let mut lines = BufReader::new(stream.take(HEAD_AT_MOST)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split_whitespace().nth(1).unwrap_or_default();
    Ok(path.split('?').next().unwrap_or_default().to_string())
}

/// Nine tests of twelve pass, whatever STATUS.md says.
fn tests() -> io::Result<Exit> {
    let titles = [
        "ok 1 - a book has a price",
        "ok 2 - an order has a number",
        "not ok 3 - a discount is taken off once",
        "ok 4 - a book that is sold out cannot be ordered",
        "ok 5 - an order without books is refused",
        "ok 6 - the search takes capitals for small letters",
        "ok 7 - the tax of an order is that of its country",
        "not ok 8 - an order is rounded as a whole",
        "ok 9 - a receipt is signed",
        "ok 10 - an order can be taken back",
        "ok 11 - two orders have two numbers",
        "ok 12 - a payment is refunded # SKIP no test account",
    ];
    writeln!(
        io::stdout(),
        "TAP version 13\n1..{}\n{}",
        titles.len(),
        titles.join("\n")
    )?;
    Ok(Exit::Closed)
}

/// Orders two books: the warehouse is told.
fn order(url: &str) -> io::Result<Exit> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    let body = r#"{"book":"9780131103627","quantity":2}"#;
    let status = ask(address, "POST", "/orders", body)?;
    writeln!(io::stdout(), "the warehouse answered {status}")?;
    Ok(Exit::Open)
}

/// Asks for a page; gives the status of the answer once it is read to its end.
fn ask(address: &str, method: &str, path: &str, body: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("what answered does not speak HTTP"))
}

fn load(port: u16) -> io::Result<Exit> {
    let address = format!("{}:{port}", Ipv4Addr::LOCALHOST);
    let mut took = vec![];
    let mut failed = 0;
    for _ in 0..REQUESTS {
        let clock = Instant::now();
        match ask(&address, "GET", "/health", "") {
            Ok(200) => took.push(clock.elapsed().as_secs_f64() * 1000.0),
            _ => failed += 1,
        }
    }
    took.sort_by(f64::total_cmp);
    // The nearest rank: the smallest that 95 % are not above.
    let p95 = took.get((took.len() * 95).div_ceil(100).saturating_sub(1));
    let passed = took.len();
    let figures = serde_json::json!({ "passed": passed, "failed": failed, "p95_ms": p95 });
    writeln!(io::stdout(), "{figures}")?;
    Ok(Exit::Open)
}
