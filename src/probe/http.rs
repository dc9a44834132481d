//! `http`: one request, one answer. No redirects are followed, every probe has a connection of its own, loopback is never
//! proxied, and a success means that the body was read to its end.

use std::error::Error as _;
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{Client, Method, Request, Url};
use tokio::runtime::Handle;

use super::{Context, Look};
use crate::domain::check::HttpProbe;
use crate::domain::evidence::{Answer, Attempt, Failure, HttpFailure, Outcome};
use crate::domain::expectation::{Checked, Held};
use crate::domain::interpolate;
use crate::process::{self, Captured, Keep};

/// The most of a body that is read; a longer one is cut off.
const BODY_AT_MOST: u64 = 16 << 20;
/// The most of a body that is kept for expectations.
const BODY_KEPT: Keep = Keep {
    head: 2 << 20,
    tail: 0,
};
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// The clients of a run, each built when it is first needed: reading the system's certificates is not for those who
/// probe plain HTTP.
#[derive(Debug)]
pub struct Clients {
    runtime: Handle,
    loopback: OnceLock<Result<Client, String>>,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// Clients whose requests run on that runtime.
    pub fn new(runtime: Handle) -> Clients {
        Clients {
            runtime,
            loopback: OnceLock::new(),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// What serves requests, timers and listeners.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn client(&self, url: &Url) -> Result<Client, String> {
        let builder = || {
            Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT)
                .user_agent(concat!("ready/", env!("CARGO_PKG_VERSION")))
        };
        let build = |builder: reqwest::ClientBuilder| {
            // Fails only where a provider was installed before, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            builder.build().map_err(|error| chain(&error))
        };
        let client = match (url.scheme(), is_loopback(url)) {
            ("https", true) => return build(builder().no_proxy()),
            ("https", false) => self.secure.get_or_init(|| build(builder())),
            (_, true) => self
                .loopback
                .get_or_init(|| build(builder().no_proxy().tls_certs_only([]))),
            (_, false) => self
                .plain
                .get_or_init(|| build(builder().tls_certs_only([]))),
        };
        client.clone()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

/// Whether a proxy of the environment stands before the URL: then what fails may be the proxy's fault.
fn proxied(url: &Url) -> bool {
    let set = |name: &str| {
        let value = std::env::var(name).or_else(|_| std::env::var(name.to_uppercase()));
        value.ok().filter(|value| !value.is_empty())
    };
    let proxy = set(&format!("{}_proxy", url.scheme())).or_else(|| set("all_proxy"));
    let host = url.host_str().unwrap_or_default();
    let spared = |list: String| {
        let mut names = list
            .split(',')
            .map(|name| name.trim().trim_start_matches('.').to_string());
        names.any(|name| {
            !name.is_empty() && (name == "*" || host == name || host.ends_with(&format!(".{name}")))
        })
    };
    proxy.is_some() && !is_loopback(url) && !set("no_proxy").is_some_and(spared)
}

/// Asks once; `limit` bounds the whole exchange.
pub(super) fn observe(probe: &HttpProbe, limit: Duration, context: &Context<'_>) -> Look {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let request = match prepare(probe, context) {
        Ok(request) => request,
        Err(text) => {
            let outcome = Outcome::Unanswered(Failure::new(HttpFailure::CannotSend, text));
            return Look {
                target: Some(probe.url.clone()),
                ..Look::of(Attempt::new(started, 0, outcome))
            };
        }
    };
    let target = without_secrets(request.url());
    let client = match context.clients.client(request.url()) {
        Ok(client) => client,
        Err(text) => {
            let outcome = Outcome::Unanswered(Failure::new(HttpFailure::CannotSend, text));
            return Look {
                target: Some(target),
                ..Look::of(Attempt::new(started, 0, outcome))
            };
        }
    };
    let proxied = proxied(request.url());
    let (sender, receiver) = mpsc::sync_channel(1);
    let (timer, cancel) = (process::Clock::start(), context.cancel.clone());
    context.clients.runtime.spawn(async move {
        let answered = tokio::select! {
            answered = exchange(client, request, proxied) => answered,
            () = timer.reach(limit) => Err(Stopped::Failed(Failure::new(
                HttpFailure::Deadline,
                format!("no complete answer within {}", crate::domain::limit::human_duration(limit)),
            ))),
            () = cancel.wait() => Err(Stopped::Cancelled),
        };
        // The receiver waits for it, unless the run is ending.
        let _ = sender.send(answered);
    });
    let answered = receiver.recv().unwrap_or(Err(Stopped::Cancelled));
    let attempt = |outcome| Attempt::new(started, clock.elapsed().as_millis() as u64, outcome);
    let attempt = match answered {
        Ok(seen) => {
            let whole = !seen.body.truncated() && seen.complete;
            let mut checked = probe.expect.check(
                seen.status,
                &seen.headers,
                &seen.body.head,
                whole,
                seen.latency_ms,
            );
            let encoding = seen
                .headers
                .iter()
                .find(|(name, value)| name == "content-encoding" && value != "identity");
            if let Some((_, encoding)) =
                encoding.filter(|_| !probe.expect.json.is_empty() || !probe.expect.body.is_empty())
            {
                checked.push(unread(format!(
                    "the body is compressed ({encoding}), though that was not asked for"
                )));
                checked.retain(|checked| {
                    checked.held != Held::No || checked.what.starts_with("status")
                });
            }
            if !seen.complete {
                checked.push(unread(format!(
                    "the body did not end within {} bytes",
                    seen.body.bytes
                )));
            }
            Attempt {
                checked,
                answer: Some(Answer {
                    status: seen.status,
                    headers: seen.headers,
                    body: context.stream(&seen.body),
                    latency_ms: seen.latency_ms,
                    address: seen.address,
                }),
                ..attempt(Outcome::Answered)
            }
        }
        Err(Stopped::Cancelled) => attempt(Outcome::Cancelled),
        Err(Stopped::Failed(failure)) => attempt(Outcome::Unanswered(failure)),
    };
    Look {
        target: Some(target),
        ..Look::of(attempt)
    }
}

/// That a body was not read to its end, as something that cannot be told.
fn unread(seen: String) -> Checked {
    Checked {
        what: "the body is read to its end".to_string(),
        held: Held::Unknown,
        seen,
    }
}

fn prepare(probe: &HttpProbe, context: &Context<'_>) -> Result<Request, String> {
    let filled = |text: &str| {
        interpolate::values(text, |name| context.known(name)).map_err(|name| super::not_set(&name))
    };
    let url = filled(&probe.url)?;
    let url = Url::parse(&url).map_err(|error| format!("the URL cannot be used: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "the URL cannot be used: its scheme is `{}`",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user and password in a URL are not sent: use `headers`".to_string());
    }
    let method = Method::from_bytes(probe.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = Request::new(method, url);
    for (name, value) in &probe.headers {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes())
            .map_err(|error| error.to_string())?;
        let value = reqwest::header::HeaderValue::from_str(&filled(value)?);
        let value = value.map_err(|_| format!("the value of header `{name}` cannot be sent"))?;
        request.headers_mut().insert(name, value);
    }
    if let Some(body) = &probe.body {
        *request.body_mut() = Some(filled(body)?.into());
    }
    Ok(request)
}

/// An answer as it came.
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Captured,
    complete: bool,
    latency_ms: f64,
    address: Option<String>,
}

enum Stopped {
    Cancelled,
    Failed(Failure<HttpFailure>),
}

async fn exchange(client: Client, request: Request, proxied: bool) -> Result<Seen, Stopped> {
    let clock = Instant::now();
    let failed = |error: reqwest::Error| Stopped::Failed(classify(error, proxied));
    let mut response = client.execute(request).await.map_err(failed)?;
    let mut body = Captured::new(BODY_KEPT);
    let mut complete = true;
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.push(&chunk);
        if body.bytes >= BODY_AT_MOST {
            complete = false;
            break;
        }
    }
    let headers = response.headers().iter();
    Ok(Seen {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body,
        complete,
        latency_ms: clock.elapsed().as_secs_f64() * 1000.0,
        address: response.remote_addr().map(|address| address.to_string()),
    })
}

/// What kept the answer from coming. The crate says it in words and in the types of the causes.
fn classify(error: reqwest::Error, behind_proxy: bool) -> Failure<HttpFailure> {
    let connecting = error.is_connect();
    let timeout = error.is_timeout();
    let error = error.without_url();
    let text = chain(&error);
    let io = causes(&error)
        .into_iter()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>());
    let lower = text.to_lowercase();
    let certificate = causes(&error).iter().any(|cause| {
        matches!(
            cause.downcast_ref::<rustls::Error>(),
            Some(rustls::Error::InvalidCertificate(_))
        )
    }) || lower.contains("invalid peer certificate");
    let kind = if certificate {
        HttpFailure::Certificate
    } else if behind_proxy && connecting {
        HttpFailure::Proxy
    } else if lower.contains("dns error") || lower.contains("failed to lookup address") {
        HttpFailure::Name
    } else if timeout {
        HttpFailure::Deadline
    } else if io
        .and_then(std::io::Error::raw_os_error)
        .is_some_and(|code| cfg!(unix) && matches!(code, 23 | 24))
    {
        HttpFailure::CannotSend
    } else if connecting {
        HttpFailure::Refused
    } else if lower.contains("invalid http")
        || lower.contains("parse")
        || lower.contains("invalid chunk")
    {
        HttpFailure::Malformed
    } else {
        HttpFailure::Reset
    };
    let text = match kind {
        HttpFailure::Refused => format!("no connection: {}", plain(&text)),
        HttpFailure::Reset => format!(
            "the connection ended before the answer did: {}",
            plain(&text)
        ),
        HttpFailure::Certificate => format!("the certificate is not valid: {}", plain(&text)),
        HttpFailure::Name => format!("the name has no address: {}", plain(&text)),
        HttpFailure::Proxy => format!("the proxy failed: {}", plain(&text)),
        HttpFailure::Deadline => format!("no answer in time: {}", plain(&text)),
        HttpFailure::Malformed => format!("the answer is not HTTP: {}", plain(&text)),
        HttpFailure::CannotSend => format!("the request could not be sent: {}", plain(&text)),
    };
    Failure::new(kind, text)
}

/// Without the layers of the HTTP crates, which say nothing to a person.
fn plain(text: &str) -> String {
    let layers = [
        "error sending request",
        "client error (Connect)",
        "client error (SendRequest)",
        "tcp connect error",
        "dns error",
    ];
    text.split(": ")
        .filter(|part| !layers.contains(part))
        .collect::<Vec<_>>()
        .join(": ")
}

fn causes(error: &reqwest::Error) -> Vec<&(dyn std::error::Error + 'static)> {
    let mut causes = vec![];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

/// The error with all of its causes, and without what they repeat.
fn chain(error: &dyn std::error::Error) -> String {
    let mut parts: Vec<String> = vec![];
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// The URL without user, password, query and fragment.
fn without_secrets(url: &Url) -> String {
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

    #[test]
    fn a_shown_url_has_no_secrets() {
        let url = Url::parse("https://user:pw@host:8443/a/b?token=1#x");
        assert_eq!(
            url.map(|url| without_secrets(&url)).ok().as_deref(),
            Some("https://host:8443/a/b")
        );
    }

    #[test]
    fn loopback_is_known() {
        for (url, loopback) in [
            ("http://127.0.0.1:80/", true),
            ("http://127.9.9.9/", true),
            ("http://localhost/", true),
            ("http://[::1]:8000/", true),
            ("http://api.localhost/", true),
            ("http://10.0.0.1/", false),
            ("http://localhost.example/", false),
        ] {
            assert_eq!(
                Url::parse(url).is_ok_and(|url| is_loopback(&url)),
                loopback,
                "{url}"
            );
        }
    }
}
