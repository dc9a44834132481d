//! `listen`: a small HTTP server on the loopback that a check's program must call. It answers every call with 200 and an
//! empty JSON object; what arrived is evidence, its content encoding undone.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::Context;
use crate::domain::evidence::{Failure, SpawnFailure};
use crate::domain::limit::human_duration;
use crate::domain::listen::{Call, Came, ListenProbe};
use crate::process::{Cancel, Captured, Clock, Keep};

/// The most of a body that is read, as it is sent and with its encoding undone.
const BODY_AT_MOST: usize = 4 << 20;
/// The calls of which evidence is kept; of the others only the number.
const KEPT: usize = 20;
/// The bytes of a body that are kept.
const BODY_KEPT: Keep = Keep {
    head: 64 << 10,
    tail: 0,
};
/// The connections that are served at once; more wait.
const AT_ONCE: usize = 64;
/// How long a caller may take to send a request.
const TO_SEND: Duration = Duration::from_secs(10);
/// How long a thread sleeps before it looks whether the run was stopped.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A server that is being called; it listens until it is closed or dropped.
pub(super) struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

/// What came while it was listened.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The calls that are as expected.
    pub(super) as_expected: u64,
    /// Those of any kind.
    pub(super) in_all: u64,
    /// What is wrong with the one that came nearest to what is expected: the last one.
    pub(super) nearest: Option<String>,
    /// The first calls, and the first that were as expected.
    pub(super) kept: Vec<Call>,
}

struct Shared {
    probe: ListenProbe,
    started: Clock,
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Default)]
struct Calls {
    as_expected: u64,
    in_all: u64,
    nearest: Option<String>,
    kept: Vec<Raw>,
}

/// A call before secrets are masked in it.
struct Raw {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Captured,
    after: Duration,
    not_as_expected: Option<String>,
}

impl Listener {
    /// Begins to listen on the loopback.
    ///
    /// # Errors
    /// The port is taken, or the system gives no socket.
    pub(super) fn open(
        probe: &ListenProbe,
        context: &Context<'_>,
    ) -> Result<Listener, Failure<SpawnFailure>> {
        let refused = |error: std::io::Error| match (error.kind(), probe.port) {
            (std::io::ErrorKind::AddrInUse, Some(port)) => Failure::new(
                SpawnFailure::PortTaken,
                format!("port {port}, on which it is to be called, is taken by another program"),
            ),
            _ => Failure::new(
                SpawnFailure::NoResources,
                format!("cannot listen on a port of this machine: {error}"),
            ),
        };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, probe.port.unwrap_or(0)));
        let socket = socket.map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        socket.set_nonblocking(true).map_err(refused)?;
        let shared = Arc::new(Shared {
            probe: probe.clone(),
            started: Clock::start(),
            calls: Mutex::default(),
            changed: Condvar::new(),
        });
        let runtime = &context.clients.runtime;
        let socket = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(socket).map_err(refused)?
        };
        let accepting = runtime.spawn(accept(socket, shared.clone())).abort_handle();
        Ok(Listener {
            address,
            shared,
            accepting,
        })
    }

    /// What a manifest can name of it: `listen.host`, `listen.port`, `listen.url`.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        match name {
            "listen.host" => Some(self.address.ip().to_string()),
            "listen.port" => Some(self.address.port().to_string()),
            "listen.url" => Some(format!("http://{}", self.address)),
            _ => None,
        }
    }

    /// Waits until enough came or the time for it is over; false where the run was stopped before.
    pub(super) fn wait(&self, cancel: &Cancel) -> bool {
        let mut calls = self.shared.lock();
        // More calls than are allowed may still come, so only a lower bound is met before the time is over.
        while !self.shared.is_met(&calls) {
            let left = self
                .shared
                .probe
                .within
                .saturating_sub(self.shared.started.elapsed());
            if left.is_zero() {
                break;
            }
            if cancel.told() > 0 {
                return false;
            }
            let (woken, _) = self
                .shared
                .changed
                .wait_timeout(calls, left.min(LOOK_AGAIN))
                .unwrap_or_else(PoisonError::into_inner);
            calls = woken;
        }
        true
    }

    /// Listens no more; gives what came, secrets masked.
    pub(super) fn close(self, context: &Context<'_>) -> Heard {
        self.accepting.abort();
        let mut calls = self.shared.lock();
        let masked = |raw: Raw| Call {
            method: raw.method,
            path: raw.path,
            headers: raw.headers,
            body: context.stream(&raw.body),
            after_ms: raw.after.as_millis() as u64,
            not_as_expected: raw.not_as_expected,
        };
        Heard {
            as_expected: calls.as_expected,
            in_all: calls.in_all,
            nearest: calls.nearest.take(),
            kept: calls.kept.drain(..).map(masked).collect(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_met(&self, calls: &Calls) -> bool {
        let holds = |calls: u64| self.probe.count.holds(calls as f64);
        holds(calls.as_expected) && holds(u64::MAX)
    }

    fn take(&self, raw: Raw) {
        let mut calls = self.lock();
        calls.in_all += 1;
        let in_time = raw.after <= self.probe.within;
        let as_expected = raw.not_as_expected.is_none() && in_time;
        calls.as_expected += u64::from(as_expected);
        if !as_expected {
            let late = || format!("it came after {}", human_duration(raw.after));
            calls.nearest = Some(raw.not_as_expected.clone().unwrap_or_else(late));
        }
        // One that is as expected is worth more than one that is not.
        if calls.kept.len() >= KEPT && as_expected && calls.as_expected == 1 {
            calls.kept.pop();
        }
        if calls.kept.len() < KEPT {
            calls.kept.push(raw);
        }
        self.changed.notify_all();
    }
}

async fn accept(socket: tokio::net::TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = socket.accept().await else {
            // No more descriptors, as a rule: somebody gives one back.
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request| serve(request, &shared));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(TO_SEND)
                .serve_connection(TokioIo::new(stream), service);
            // A caller that goes away is no fault of ours.
            let _ = connection.await;
        });
    }
}

async fn serve(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let sent = tokio::time::timeout(TO_SEND, Limited::new(body, BODY_AT_MOST).collect()).await;
    let (sent, complete) = match sent {
        Ok(Ok(body)) => (body.to_bytes(), true),
        _ => (Bytes::new(), false),
    };
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    let headers = headers.collect::<Vec<_>>();
    let encoding = headers
        .iter()
        .find(|(name, _)| name == "content-encoding")
        .map_or("identity", |(_, encoding)| encoding.trim());
    let decoded = match complete {
        true => decoded(&sent, encoding),
        false => Err("its body did not come to its end, or is too long".to_string()),
    };
    let (method, path) = (head.method.as_str(), head.uri.path());
    let not_as_expected = match &decoded {
        Err(problem) => Some(problem.clone()),
        Ok(body) => shared.probe.mismatch(&Came {
            method,
            path,
            headers: &headers,
            body,
            whole: true,
        }),
    };
    let mut body = Captured::new(BODY_KEPT);
    body.push(decoded.as_deref().unwrap_or(&sent));
    shared.take(Raw {
        method: method.to_string(),
        path: path.to_string(),
        headers,
        body,
        after: shared.started.elapsed(),
        not_as_expected,
    });
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}

/// The body with its content encoding (RFC 9110, 8.4) undone.
fn decoded(body: &[u8], encoding: &str) -> Result<Vec<u8>, String> {
    let undone = match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(body.to_vec()),
        "gzip" | "x-gzip" => bounded(flate2::read::MultiGzDecoder::new(body)),
        "deflate" => bounded(flate2::read::ZlibDecoder::new(body))
            .or_else(|_| bounded(flate2::read::DeflateDecoder::new(body))),
        "br" => bounded(brotli_decompressor::Decompressor::new(body, 4 << 10)),
        _ => {
            return Err(format!(
                "its body is in an encoding that is not known: `{encoding}`"
            ));
        }
    };
    undone.map_err(|error| format!("its body does not decode as `{encoding}`: {error}"))
}

fn bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut body = vec![];
    from.take(BODY_AT_MOST as u64 + 1).read_to_end(&mut body)?;
    if body.len() > BODY_AT_MOST {
        return Err(std::io::Error::other("it is too long"));
    }
    Ok(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn encodings_are_undone() {
        let mut zlib = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::best());
        zlib.write_all(b"hello").unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(vec![], flate2::Compression::best());
        raw.write_all(b"hello").unwrap();
        // `hello`, uncompressed, as RFC 7932 frames it.
        let brotli = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        for (body, encoding) in [
            (b"hello".to_vec(), "identity"),
            (gzipped(b"hello"), "GZIP"),
            (zlib.finish().unwrap(), "deflate"),
            (raw.finish().unwrap(), "deflate"),
            (brotli.to_vec(), "br"),
        ] {
            assert_eq!(
                decoded(&body, encoding).as_deref(),
                Ok(&b"hello"[..]),
                "{encoding}"
            );
        }
    }

    #[test]
    fn what_does_not_decode_is_told() {
        for (body, encoding) in [
            (b"hello".to_vec(), "gzip"),
            (b"hello".to_vec(), "br"),
            (b"hello".to_vec(), "zstd"),
            (gzipped(&vec![0; BODY_AT_MOST + 1]), "gzip"),
        ] {
            assert!(decoded(&body, encoding).is_err(), "{encoding}");
        }
    }
}
