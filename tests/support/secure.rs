//! A server that proves with a certificate who it is, and says nothing else.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

/// Starts one for `localhost` on a port of 127.0.0.1, with a certificate that is valid for so many days more. The file `ca.pem`
/// in `folder` is what to trust it by. It lives as long as the test's process.
pub(crate) fn start(folder: &Path, days: i64) -> u16 {
    let mut certificate = rcgen::CertificateParams::new(vec!["localhost".to_string()]).unwrap();
    let until = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let until = until.saturating_add(jiff::Span::new().days(days));
    certificate.not_before = rcgen::date_time_ymd(2020, 1, 1);
    certificate.not_after =
        rcgen::date_time_ymd(until.year().into(), until.month() as u8, until.day() as u8);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    std::fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    let server = Arc::new(server.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let server = server.clone();
            std::thread::spawn(move || {
                let mut connection = rustls::ServerConnection::new(server).ok()?;
                while connection.is_handshaking() {
                    connection.complete_io(&mut stream).ok()?;
                }
                connection.send_close_notify();
                connection.complete_io(&mut stream).ok()
            });
        }
    });
    port
}
