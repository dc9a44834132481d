//! The controls for an HTTP probe: a server of our own that gives the good answer with one thing wrong in it: the status, a
//! value, its type, a header, the body, the time that it takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::Prover;
use super::made::MARK;
use crate::domain::check::{Check, HttpProbe, Probe};
use crate::domain::evidence::{Answer, Evidence};
use crate::domain::expectation::ValueExpect;
use crate::domain::limit::{Limit, Operator};
use crate::domain::proof::Trial;
use crate::domain::reason::Code;

/// The longest that a control lets a check wait for its answer.
const SLOWEST: Duration = Duration::from_secs(10);

/// What a check may come to whose answer is not as it should be. That nobody answers is no detection.
const BAD: [Code; 6] = [
    Code::Expectation,
    Code::NoResults,
    Code::Unreadable,
    Code::SomeFailed,
    Code::AllFailed,
    Code::Limits,
];

/// An answer as it is given.
#[derive(Clone, Debug)]
struct Given {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// How long it is waited before it is given.
    after: Duration,
    /// Whether every path is answered so; else only the one that is asked for, and any other with 404.
    everywhere: bool,
}

impl Prover<'_> {
    /// The trials of an HTTP probe on answers that differ from the good one in one thing each.
    pub(super) fn on_answers(
        &self,
        check: &Check,
        http: &HttpProbe,
        good: &Evidence,
    ) -> Result<Vec<Trial>> {
        let answer = good
            .attempts
            .iter()
            .rev()
            .find_map(|attempt| attempt.answer.as_ref());
        let Some(answer) = answer else {
            return Ok(vec![]);
        };
        let path = path_of(&http.url);
        let mut trials = vec![];
        for (control, given) in variations(http, answer) {
            let late = !given.after.is_zero();
            let server = Server::start(given, path)?;
            let aimed = Check {
                probe: Probe::Http(HttpProbe {
                    url: format!("http://{}{path}", server.address),
                    expect: crate::domain::expectation::HttpExpect {
                        within: None,
                        ..http.expect.clone()
                    },
                    ..http.clone()
                }),
                retries: 0,
                needs: vec![],
                ..check.clone()
            };
            // One that comes too late may outlive the check's own time limit first.
            let late: &[Code] = if late { &[Code::TimedOut] } else { &[] };
            trials.push(self.trial(&control, &aimed, &[&BAD[..], late].concat()));
        }
        Ok(trials)
    }
}

/// What follows the authority of a URL; a slash at least.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The good answer with one thing wrong, for each thing that the probe expects of it.
fn variations(http: &HttpProbe, answer: &Answer) -> Vec<(String, Given)> {
    let expect = &http.expect;
    let own = [
        "transfer-encoding",
        "content-length",
        "content-encoding",
        "connection",
        "date",
    ];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&&name[..]));
    let good = Given {
        status: answer.status,
        headers: headers.cloned().collect(),
        body: answer.body.tail.clone().into_bytes(),
        after: Duration::ZERO,
        everywhere: false,
    };
    let mut variations = vec![];
    let others = [503, 500, 404, 418, 301, 200];
    let well = |status: u16| match expect.status.is_empty() {
        true => (200..300).contains(&status),
        false => expect.status.contains(&status),
    };
    if let Some(status) = others.into_iter().find(|status| !well(*status)) {
        let wrong = Given {
            status,
            ..good.clone()
        };
        variations.push((format!("an answer with status {status}"), wrong));
    }
    let whole = !answer.body.truncated;
    if let Some(json) = serde_json::from_slice::<Value>(&good.body)
        .ok()
        .filter(|_| whole)
    {
        for (path, wanted) in &expect.json {
            for (what, body) in spoiled(&json, path, wanted) {
                let body = serde_json::to_vec(&body).unwrap_or_default();
                variations.push((
                    format!("`{path}` {what}"),
                    Given {
                        body,
                        ..good.clone()
                    },
                ));
            }
        }
    }
    if expect.reads_body() || http.reader.is_some() {
        let body = vec![];
        variations.push((
            "an empty body".to_string(),
            Given {
                body,
                ..good.clone()
            },
        ));
    }
    for unwanted in expect.body.lacks.iter().filter(|_| whole) {
        let body = [&good.body[..], unwanted.as_bytes()].concat();
        variations.push((
            format!("a body with `{unwanted}` in it"),
            Given {
                body,
                ..good.clone()
            },
        ));
    }
    for (name, wanted) in &expect.headers {
        if !matches!(wanted, ValueExpect::Exists(false)) {
            let mut wrong = good.clone();
            wrong.headers.retain(|(other, _)| other != name);
            variations.push((format!("without the header `{name}`"), wrong));
        }
    }
    if let Some(Limit {
        operator: Operator::Less | Operator::AtMost,
        bound,
    }) = &expect.latency_ms
    {
        let after = Duration::from_secs_f64((bound.max(0.0) + 50.0) / 1000.0);
        if after <= SLOWEST {
            variations.push((
                "an answer that comes too late".to_string(),
                Given {
                    after,
                    ..good.clone()
                },
            ));
        }
    }
    if expect.not_found {
        let wrong = Given {
            everywhere: true,
            ..good.clone()
        };
        variations.push(("a server that answers everything alike".to_string(), wrong));
    }
    if variations.is_empty() {
        // Whatever comes is well: so will this be.
        let wrong = Given {
            status: 503,
            body: vec![],
            ..good
        };
        variations.push(("an empty answer with status 503".to_string(), wrong));
    }
    variations
}

/// The document with the values at a path wrong: another value, and another type.
fn spoiled(json: &Value, path: &str, wanted: &ValueExpect) -> Vec<(&'static str, Value)> {
    let Ok(path) = JsonPath::parse(path) else {
        return vec![];
    };
    let found = path.query_located(json);
    let pointers = found.locations().map(|place| place.to_json_pointer());
    let pointers = pointers.collect::<Vec<_>>();
    let Some(first) = pointers.first() else {
        return vec![];
    };
    let now = json.pointer(first).cloned().unwrap_or_default();
    let with = |value: Value| {
        let mut json = json.clone();
        if let Some(place) = json.pointer_mut(first) {
            *place = value;
        }
        json
    };
    let other = match (wanted, &now) {
        (ValueExpect::Exists(_), _) => {
            return vec![("is gone", without(json, &pointers))];
        }
        (ValueExpect::Matches(_), _) => json!(MARK),
        (ValueExpect::Compare(limit), _) => {
            let candidates = [
                limit.bound,
                limit.bound + 1.0,
                limit.bound - 1.0,
                1e18,
                -1e18,
            ];
            let breaks = candidates.into_iter().find(|figure| !limit.holds(*figure));
            json!(breaks.unwrap_or(1e18))
        }
        (ValueExpect::Is(_), Value::String(text)) => json!(format!("{MARK}: not {text}")),
        (ValueExpect::Is(_), Value::Bool(is)) => json!(!is),
        (ValueExpect::Is(_), Value::Number(number)) => {
            json!(number.as_f64().unwrap_or(0.0) + 1.0)
        }
        (ValueExpect::Is(_), _) => json!(MARK),
    };
    let another_type = match now {
        Value::Object(_) => json!([]),
        _ => json!({}),
    };
    vec![
        ("has another value", with(other)),
        ("has another type", with(another_type)),
    ]
}

/// The document without what is at these places.
fn without(json: &Value, pointers: &[String]) -> Value {
    let mut json = json.clone();
    // The last first, so that places in an array stay what they are.
    for pointer in pointers.iter().rev() {
        let Some((parent, key)) = pointer.rsplit_once('/') else {
            return Value::Null;
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        match json.pointer_mut(parent) {
            Some(Value::Object(fields)) => _ = fields.remove(&key),
            Some(Value::Array(items)) => {
                if let Ok(at) = key.parse::<usize>()
                    && at < items.len()
                {
                    items.remove(at);
                }
            }
            _ => {}
        }
    }
    json
}

/// A server on this machine that gives one answer until it is dropped.
struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(given: Given, path: &str) -> Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, path) = (
            stop.clone(),
            path.split(['?', '#']).next().unwrap_or("/").to_string(),
        );
        let thread = std::thread::Builder::new()
            .name("control".to_string())
            .spawn(move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    // Whoever hangs up before the answer is answered enough.
                    let _ = stream.and_then(|stream| answer(stream, &given, &path));
                }
            })?;
        Ok(Server {
            address,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It waits for a call.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(stream: TcpStream, given: &Given, path: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SLOWEST))?;
    stream.set_write_timeout(Some(SLOWEST))?;
    let mut reader = BufReader::new(&stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let mut words = first.split(' ');
    let (method, asked) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    let is_it = asked.split('?').next() == Some(path);
    std::thread::sleep(given.after);
    let (status, body) = match is_it || given.everywhere {
        true => (given.status, &given.body[..]),
        false => (404, &b""[..]),
    };
    let mut head = format!("HTTP/1.1 {status} Control\r\n");
    for (name, value) in &given.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = &stream;
    stream.write_all(head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(body)?;
    }
    stream.flush()
}
