//! `http`: one request, one answer; or as many as it takes `within` a time until the answer is as expected. Redirects are
//! followed only where that is asked for, every request has a connection of its own, loopback is never proxied, and a
//! success means that the body was read to its end, or that what came of it decided.

mod client;
mod exchange;
mod failure;

use std::future::Future;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{Method, Request, Url};

use self::exchange::{Came, End, Seen, exchange, without_secrets};
use super::{Context, Look};
use crate::domain::check::{HttpProbe, Reader};
use crate::domain::evidence::{
    Answer, Attempt, Failure, HttpFailure, Outcome, Reading, Results, Waited,
};
use crate::domain::expectation::{ABSENT, Checked, Held, HttpExpect, TextExpect, without_query};
use crate::domain::interpolate;
use crate::domain::limit::human_duration;
use crate::mask::{MASK, names_a_secret};
use crate::process::Clock;

pub use self::client::Clients;
pub(crate) use self::client::local_port;

/// The pause before an answer is asked for again: it doubles from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Asks until the answer is as expected, for as long as the probe says; once where it says nothing. `limit` bounds each
/// request.
pub(super) fn observe_within(probe: &HttpProbe, limit: Duration, context: &Context<'_>) -> Look {
    let Some(within) = probe.expect.within else {
        return observe(probe, limit, context);
    };
    let (started, clock) = (Timestamp::now(), Clock::start());
    let mut look = observe(probe, limit.min(within), context);
    let mut waited = Waited {
        asked: 1,
        before: None,
    };
    let mut pause = PAUSES.0;
    while let Some(why) = not_yet(&look.attempt) {
        let left = || within.saturating_sub(clock.elapsed());
        // Towards the end it is asked sooner, so that the last of the time counts.
        let until_next = pause.min((left() / 2).max(PAUSES.0)).min(left());
        if !wait(until_next, context) {
            look.attempt.outcome = Outcome::Cancelled;
            break;
        }
        pause = (pause * 2).min(PAUSES.1);
        let left = left();
        if left.is_zero() {
            break;
        }
        let next = observe(probe, limit.min(left), context);
        waited.asked += 1;
        let cut_short = left < limit && deadline(&next.attempt);
        if !cut_short {
            if not_yet(&next.attempt).as_ref() != Some(&why) {
                waited.before = Some(why);
            }
            look = next;
        }
    }
    look.attempt.started = started;
    look.attempt.duration_ms = clock.elapsed().as_millis() as u64;
    look.attempt.waited = Some(waited);
    look
}

/// Why the answer is not as expected and may be yet: nobody there, no answer in time, another answer.
pub(crate) fn not_yet(attempt: &Attempt) -> Option<String> {
    match &attempt.outcome {
        Outcome::Unanswered(failure) => match failure.kind {
            HttpFailure::Refused
            | HttpFailure::Reset
            | HttpFailure::Deadline
            | HttpFailure::Malformed => Some(failure.text.clone()),
            HttpFailure::Certificate
            | HttpFailure::Name
            | HttpFailure::Proxy
            | HttpFailure::CannotSend => None,
        },
        Outcome::Answered => {
            let unmet = attempt.checked.iter().find(|c| c.held == Held::No)?;
            Some(unmet.seen.clone())
        }
        _ => None,
    }
}

fn deadline(attempt: &Attempt) -> bool {
    matches!(&attempt.outcome, Outcome::Unanswered(failure) if failure.kind == HttpFailure::Deadline)
}

/// Waits; gives whether the run goes on.
fn wait(duration: Duration, context: &Context<'_>) -> bool {
    on_runtime(context, async move { Clock::start().reach(duration).await }).is_some()
}

/// What a future gives, awaited on the run's runtime; nothing where the run is stopped.
fn on_runtime<T: Send + 'static>(
    context: &Context<'_>,
    future: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let cancel = context.cancel.clone();
    context.clients.runtime.spawn(async move {
        let given = tokio::select! {
            given = future => Some(given),
            () = cancel.wait() => None,
        };
        // The receiver waits for it, unless the run is ending.
        let _ = sender.send(given);
    });
    receiver.recv().ok().flatten()
}

/// Asks once, whatever the probe says of waiting; `limit` bounds the whole exchange. What it gives is not masked yet.
pub(crate) fn observe(probe: &HttpProbe, limit: Duration, context: &Context<'_>) -> Look {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let attempt = |outcome| Attempt::new(started, clock.elapsed().as_millis() as u64, outcome);
    let prepared = prepare(probe, context);
    let target = match &prepared {
        Ok(request) => without_secrets(request.url()),
        Err(_) => without_query(&probe.url).to_string(),
    };
    // Built here and not on the runtime, where reading certificates would keep other requests waiting.
    let prepared = prepared.and_then(|request| {
        context.clients.client(request.url())?;
        Ok(request)
    });
    let answered = prepared.map(|request| {
        let (clients, mut expect) = (context.clients.clone(), probe.expect.clone());
        if probe.reader.is_some() {
            // No part of the body decides: all of it is read.
            expect.body = TextExpect::default();
        }
        let redirects = probe.redirects;
        on_runtime(context, async move {
            let came = Came::default();
            let exchange = exchange(clients, request, redirects, expect, &came);
            let timer = Clock::start();
            tokio::select! {
                answered = exchange => answered,
                () = timer.reach(limit) => {
                    let limit = human_duration(limit);
                    let text = format!("no complete answer within {limit}{}", came.words());
                    Err(Failure::new(HttpFailure::Deadline, text))
                }
            }
        })
    });
    let attempt = match answered {
        Ok(Some(Ok(seen))) => Attempt {
            checked: elsewhere(checked(probe, &seen), probe, limit, context),
            reading: probe
                .reader
                .as_ref()
                .map(|reader| reading(reader, &seen, context)),
            answer: Some(Answer {
                status: seen.status,
                headers: seen.headers,
                redirects: seen.redirects,
                body: context.stream(&seen.body),
                latency_ms: seen.latency_ms,
                address: seen.address,
            }),
            ..attempt(Outcome::Answered)
        },
        Ok(None) => attempt(Outcome::Cancelled),
        Ok(Some(Err(failure))) | Err(failure) => attempt(Outcome::Unanswered(failure)),
    };
    Look {
        target: Some(target),
        ..Look::of(attempt)
    }
}

/// The expectations held against an answer.
fn checked(probe: &HttpProbe, seen: &Seen) -> Vec<Checked> {
    let expect = &probe.expect;
    let whole = seen.end == End::Whole && !seen.body.truncated();
    let mut checked = expect.check(
        seen.status,
        &seen.headers,
        &seen.body.head,
        whole,
        seen.latency_ms,
    );
    let header = |checked: &Checked| {
        let after = checked.what.strip_prefix("header `")?;
        Some(after.split('`').next()?.to_string())
    };
    let wrong = |checked: &&mut Checked| checked.held == Held::No && checked.seen != ABSENT;
    for checked in checked.iter_mut().filter(wrong) {
        if let Some(name) = header(checked) {
            hide(&name, &mut checked.seen);
        }
    }
    let mut headers = seen.headers.iter();
    let encoding = headers.find(|(name, value)| name == "content-encoding" && value != "identity");
    let about_body = !expect.json.is_empty() || !expect.body.is_empty() || probe.reader.is_some();
    if let Some((_, encoding)) = encoding.filter(|_| about_body) {
        checked.push(unread(format!(
            "the body is compressed ({encoding}), though that was not asked for"
        )));
        checked.retain(|checked| checked.held != Held::No || checked.what.starts_with("status"));
    }
    if probe.reader.is_some() && seen.end == End::Whole && seen.body.truncated() {
        checked.push(unread(format!(
            "the body is too long to be kept: {} bytes",
            seen.body.bytes
        )));
    }
    if seen.end == End::TooLong {
        let bytes = seen.body.bytes;
        checked.push(unread(format!("the body did not end within {bytes} bytes")));
    }
    checked
}

/// The expectations on an answer, and that a path that cannot exist is answered otherwise, where that is asked for. A
/// server that answers everything shows nothing of what was asked.
fn elsewhere(
    mut checked: Vec<Checked>,
    probe: &HttpProbe,
    limit: Duration,
    context: &Context<'_>,
) -> Vec<Checked> {
    let held = |checked: &[Checked]| checked.iter().all(|c| c.held == Held::Yes);
    if !probe.expect.not_found || !held(&checked) {
        return checked;
    }
    let what = "a path that cannot exist is answered otherwise".to_string();
    let name = format!("no-such-path-{}", context.run);
    let url = request(probe, context).map(|request| request.url().clone());
    let Some(url) = url.ok().and_then(|url| url.join(&name).ok()) else {
        checked.push(Checked::unknown(what, "its URL cannot be made"));
        return checked;
    };
    let other = HttpProbe {
        url: url.to_string(),
        expect: HttpExpect {
            not_found: false,
            latency_ms: None,
            within: None,
            ..probe.expect.clone()
        },
        reader: None,
        ..probe.clone()
    };
    let answer = observe(&other, limit, context).attempt;
    checked.push(match &answer.outcome {
        Outcome::Answered => Checked::new(what, !held(&answer.checked), || {
            format!("`{}` is answered just so", url.path())
        }),
        Outcome::Unanswered(failure) => Checked::unknown(what, &failure.text),
        _ => Checked::unknown(what, "it was not asked for"),
    });
    checked
}

/// What the reader makes of a body. An empty one holds no results, which is no mistake in it.
fn reading(reader: &Reader, seen: &Seen, context: &Context<'_>) -> Reading {
    match seen.body.bytes {
        0 => Reading::Results(Results::default()),
        _ => (context.read)(reader, &seen.body.kept(), context.cancel),
    }
}

/// Takes out of the value of a header what may let somebody in: all of a session, the query of an address.
pub(super) fn hide(name: &str, value: &mut String) {
    match name {
        "set-cookie" | "cookie" | "authorization" => *value = MASK.to_string(),
        "location" | "referer" => value.truncate(without_query(value).len()),
        name if names_a_secret(name) => *value = MASK.to_string(),
        _ => {}
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

fn prepare(probe: &HttpProbe, context: &Context<'_>) -> Result<Request, Failure<HttpFailure>> {
    request(probe, context).map_err(|text| Failure::new(HttpFailure::CannotSend, text))
}

fn request(probe: &HttpProbe, context: &Context<'_>) -> Result<Request, String> {
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
