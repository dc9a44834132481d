//! A server of the tests' own on the loopback: answers as data.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use serde::Deserialize;

/// An answer, and what it answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    /// The path, without its query; empty: every one.
    path: String,
    /// What the body of the request holds.
    asked: String,
    /// The status; 200 where it is none.
    status: u16,
    /// How many times it is given; 0: always.
    times: usize,
    /// Further headers; `{origin}` in one is the `Origin` that was sent.
    headers: std::collections::BTreeMap<String, String>,
    body: String,
}

impl Answer {
    /// What is answered with 200 at a path.
    #[allow(dead_code, reason = "others read their answers")]
    pub(crate) fn of(path: &str, body: &str) -> Answer {
        Answer {
            path: path.to_string(),
            body: body.to_string(),
            ..Answer::default()
        }
    }
}

/// A running server: it gives the first answer that fits, and 404 where none does. It ends when it is dropped.
pub(crate) struct Server {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let counted = |answer| (answer, AtomicUsize::new(0));
        let answers = answers.into_iter().map(counted).collect::<Vec<_>>();
        let (answers, ends) = (Arc::new(answers), over.clone());
        let accept = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                let answers = answers.clone();
                std::thread::spawn(move || serve(stream, &answers));
            }
        };
        Server {
            port,
            over,
            thread: Some(std::thread::spawn(accept)),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// One request and its answer; whoever asks may go away at any time.
fn serve(stream: TcpStream, answers: &[(Answer, AtomicUsize)]) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.split('?').next()?.to_string();
    let (mut length, mut origin) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("origin") {
            origin = value.trim().to_string();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = String::from_utf8_lossy(&body);
    let fits = |(answer, given): &&(Answer, AtomicUsize)| {
        (answer.path.is_empty() || answer.path == path)
            && asked.contains(&answer.asked)
            && (answer.times == 0 || given.fetch_add(1, Ordering::Relaxed) < answer.times)
    };
    let answer = answers.iter().find(fits).map(|(answer, _)| answer);
    let (status, body) = match answer {
        Some(answer) if answer.status == 0 => (200, answer.body.as_str()),
        Some(answer) => (answer.status, answer.body.as_str()),
        None => (404, "no such path"),
    };
    let headers = answer.iter().flat_map(|answer| &answer.headers);
    let headers = headers.map(|(name, value)| {
        let value = value.replace("{origin}", &origin);
        format!("{name}: {value}\r\n")
    });
    let head = format!(
        "HTTP/1.1 {status} Answer\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n",
        headers.collect::<String>(),
        body.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}
