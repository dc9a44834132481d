//! One request and its answer: over as many redirects as were asked for, until the body ends, or what came of it decides.

use std::sync::Mutex;
use std::time::Instant;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, TRANSFER_ENCODING};
use reqwest::{Method, Request, Response, Url};

use super::client::Clients;
use super::failure::classify;
use crate::domain::evidence::{Failure, HttpFailure, Redirect};
use crate::domain::expectation::{HttpExpect, contains};
use crate::process::{Captured, Keep};

/// The most of a body that is read; a longer one is cut off.
const BODY_AT_MOST: u64 = 16 << 20;
/// The most of a body that is kept for expectations.
const BODY_KEPT: Keep = Keep {
    head: 2 << 20,
    tail: 0,
};

/// An answer as it came.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) body: Captured,
    pub(super) end: End,
    pub(super) latency_ms: f64,
    pub(super) address: Option<String>,
}

/// Why no more of a body was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// There was no more.
    Whole,
    /// What follows cannot change what is expected of it.
    Decided,
    /// It is longer than anybody reads.
    TooLong,
}

/// How far an answer has come: its status, and the bytes of its body.
#[derive(Default)]
pub(super) struct Came(Mutex<Option<(u16, u64)>>);

impl Came {
    fn so_far(&self, status: u16, bytes: u64) {
        if let Ok(mut came) = self.0.lock() {
            *came = Some((status, bytes));
        }
    }

    /// In words, to be put after what the time was over for.
    pub(super) fn words(&self) -> String {
        match self.0.lock().ok().and_then(|came| *came) {
            Some((status, bytes)) => {
                format!(": status {status} and {bytes} bytes of the body had come")
            }
            None => ": not even its status had come".to_string(),
        }
    }
}

/// The texts that decide about a body, taken out as they come.
struct Awaited<'e> {
    texts: Vec<&'e [u8]>,
    decides: bool,
    longest: usize,
    seen: usize,
}

impl Awaited<'_> {
    fn new(expect: &HttpExpect) -> Awaited<'_> {
        let texts = expect.decided_by().iter();
        let texts = texts.map(|text| text.as_bytes()).collect::<Vec<_>>();
        Awaited {
            decides: !texts.is_empty(),
            longest: texts.iter().map(|text| text.len()).max().unwrap_or(0),
            seen: 0,
            texts,
        }
    }

    /// Whether all of them stand in what has come: looked for where that is new, and a text before it.
    fn all_came(&mut self, body: &[u8]) -> bool {
        let new = &body[self.seen.saturating_sub(self.longest)..];
        self.texts.retain(|text| !contains(new, text));
        self.seen = body.len();
        self.decides && self.texts.is_empty()
    }
}

/// Sends the request, follows up to `redirects` answers that lead elsewhere, and reads the last one.
pub(super) async fn exchange(
    clients: Clients,
    mut request: Request,
    most: u32,
    expect: HttpExpect,
    came: &Came,
) -> Result<Seen, Failure<HttpFailure>> {
    let clock = Instant::now();
    let mut redirects = vec![];
    let mut response = loop {
        let response = clients
            .send(&request)
            .await
            .map_err(|failure| after(&redirects, failure))?;
        match next(&request, &response) {
            Some(next) if redirects.len() < most as usize => {
                redirects.push(Redirect {
                    status: response.status().as_u16(),
                    to: without_secrets(next.url()),
                });
                request = next;
            }
            _ => break response,
        }
    };
    let status = response.status().as_u16();
    let mut body = Captured::new(BODY_KEPT);
    let mut awaited = Awaited::new(&expect);
    came.so_far(status, 0);
    let end = loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| after(&redirects, classify(error, false)))?;
        let Some(chunk) = chunk else { break End::Whole };
        body.push(&chunk);
        came.so_far(status, body.bytes);
        if awaited.all_came(&body.head) {
            break End::Decided;
        }
        if body.bytes >= BODY_AT_MOST {
            break End::TooLong;
        }
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers().iter();
    Ok(Seen {
        status,
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        redirects,
        body,
        end,
        latency_ms: clock.elapsed().as_secs_f64() * 1000.0,
        address: response.remote_addr().map(|address| address.to_string()),
    })
}

/// A failure with the place that the request had been sent on to.
fn after(redirects: &[Redirect], failure: Failure<HttpFailure>) -> Failure<HttpFailure> {
    match redirects.last() {
        None => failure,
        Some(last) => Failure {
            text: format!("redirected to {}: {}", last.to, failure.text),
            ..failure
        },
    }
}

/// The request to which an answer sends on (RFC 9110, 15.4). What the manifest sends along is for the origin that it
/// names: another one gets none of it.
fn next(request: &Request, response: &Response) -> Option<Request> {
    let status = response.status().as_u16();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = request.url().join(to).ok()?;
    let can_be_asked = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    if !can_be_asked {
        return None;
    }
    let here = request.url().origin() == url.origin();
    let keeps =
        matches!(status, 307 | 308) || matches!(*request.method(), Method::GET | Method::HEAD);
    // A body is for the origin too, and without it the request would be another.
    if keeps && !here && request.body().is_some() {
        return None;
    }
    let mut next = request.try_clone()?;
    if !here {
        *next.headers_mut() = HeaderMap::new();
    }
    if !keeps {
        *next.method_mut() = Method::GET;
        *next.body_mut() = None;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
            next.headers_mut().remove(name);
        }
    }
    *next.url_mut() = url;
    Some(next)
}

/// The URL without user, password, query and fragment.
pub(super) fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Both fail only for URLs without a host, which have neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::expectation::TextExpect;

    #[test]
    fn awaited_texts_are_found_across_every_border() {
        let body = b"one and two";
        for border in 0..=body.len() {
            let expect = HttpExpect {
                body: TextExpect {
                    contains: vec!["one".into(), "and two".into()],
                    ..TextExpect::default()
                },
                ..HttpExpect::default()
            };
            let mut awaited = Awaited::new(&expect);
            assert_eq!(awaited.all_came(&body[..border]), border == body.len());
            assert!(awaited.all_came(body), "{border}");
        }
        let nothing = HttpExpect::default();
        assert!(!Awaited::new(&nothing).all_came(body));
    }

    #[test]
    fn a_shown_url_has_no_secrets() {
        let url = Url::parse("https://user:pw@host:8443/a/b?token=1#x");
        assert_eq!(
            url.map(|url| without_secrets(&url)).ok().as_deref(),
            Some("https://host:8443/a/b")
        );
    }
}
