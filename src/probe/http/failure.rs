//! What kept an answer from coming, out of the errors of the HTTP crates: its kind, and all of its causes in words, without
//! the URL.

use std::error::Error;
use std::io;

use crate::domain::evidence::{Failure, HttpFailure};

/// What kept the answer from coming, once there was a connection or where that is for a proxy to make.
pub(super) fn classify(error: reqwest::Error, behind_proxy: bool) -> Failure<HttpFailure> {
    let error = error.without_url();
    let text = plain(&chain(&error));
    let lower = text.to_lowercase();
    let tls = find::<rustls::Error>(&error);
    let malformed = ["invalid http", "parse", "invalid chunk"];
    let (kind, what) = match tls {
        _ if out_of_descriptors(find::<io::Error>(&error)) => {
            (HttpFailure::CannotSend, "the request could not be sent")
        }
        Some(rustls::Error::InvalidCertificate(_)) => {
            (HttpFailure::Certificate, "the certificate is not valid")
        }
        _ if behind_proxy && error.is_connect() => (HttpFailure::Proxy, "the proxy failed"),
        Some(_) => (HttpFailure::Refused, "no TLS connection"),
        None if error.is_connect() => (HttpFailure::Refused, "no connection"),
        None if malformed.iter().any(|word| lower.contains(word)) => {
            (HttpFailure::Malformed, "the answer is not HTTP")
        }
        None => (
            HttpFailure::Reset,
            "the connection ended before the answer did",
        ),
    };
    Failure::new(kind, format!("{what}: {text}"))
}

/// Whether no connection came about, so that another address may do.
pub(super) fn not_connected(error: &reqwest::Error) -> bool {
    let io = find::<io::Error>(error);
    let of_the_system =
        io.is_some_and(|io| io.raw_os_error().is_some() || io.kind() == io::ErrorKind::TimedOut);
    error.is_connect()
        && (of_the_system || error.is_timeout())
        && !out_of_descriptors(io)
        && find::<rustls::Error>(error).is_none()
}

/// Why an address could not be reached, to be put after it.
pub(super) fn why(error: &reqwest::Error) -> String {
    match find::<io::Error>(error) {
        Some(io) if io.kind() == io::ErrorKind::ConnectionRefused => "refused".to_string(),
        _ if error.is_timeout() => "took no connection in time".to_string(),
        Some(io) => format!("cannot be reached ({io})"),
        None => "cannot be reached".to_string(),
    }
}

/// Why a name could not be looked up: `nowhere` says that it has no address.
pub(super) fn of_name(
    error: io::Error,
    nowhere: impl Fn(String) -> Failure<HttpFailure>,
) -> Failure<HttpFailure> {
    if out_of_descriptors(Some(&error)) {
        return Failure::new(
            HttpFailure::CannotSend,
            format!("the request could not be sent: {error}"),
        );
    }
    nowhere(error.to_string())
}

fn out_of_descriptors(error: Option<&io::Error>) -> bool {
    let code = error.and_then(io::Error::raw_os_error);
    cfg!(unix) && code.is_some_and(|code| matches!(code, 23 | 24))
}

/// The first cause of that type.
fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        // An I/O error does not count what it wraps as its source.
        let wrapped = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    None
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

/// The error with all of its causes, and without what they repeat.
pub(super) fn chain(error: &dyn Error) -> String {
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
