//! A server that answers as servers do on bad days: bytes over a socket on the loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What the server sends for a path; it closes the connection behind it. `headers` are those of the request, `before` how
/// often anything was asked for.
fn answer(
    path: &str,
    headers: &str,
    before: u32,
    mut to: impl Read + Write,
) -> std::io::Result<()> {
    let plain = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/ok" => to.write_all(plain("{\"status\":\"healthy\"}").as_bytes()),
        "/sick" => to.write_all(plain("{\"status\":\"unhealthy\"}").as_bytes()),
        "/fourth" => match before {
            0 | 1 => Ok(()),
            2 => to.write_all(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"),
            _ => to.write_all(plain("up").as_bytes()),
        },
        "/says" => {
            let say = headers.lines().find_map(|line| line.strip_prefix("x-say: "));
            let body = serde_json::json!({ "status": say }).to_string();
            to.write_all(plain(&body).as_bytes())
        }
        "/session" => to.write_all(b"HTTP/1.1 302 Found\r\nSet-Cookie: id=cookie-of-theirs\r\nX-Auth-Token: token-of-theirs\r\nLocation: /in?ticket=ticket-of-theirs\r\nContent-Length: 0\r\n\r\n"),
        "/headers" => to.write_all(plain(headers).as_bytes()),
        "/login" => to.write_all(b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"),
        "/error" => to.write_all(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"),
        "/short" => to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        "/nonsense" => to.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        "/gzip" => to.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
        "/loop" => to.write_all(b"HTTP/1.1 307 Again\r\nLocation: /loop?ticket=1\r\nContent-Length: 0\r\n\r\n"),
        "/twice" => to.write_all(b"HTTP/1.1 301 Moved\r\nLocation: login?ticket=1\r\nContent-Length: 0\r\n\r\n"),
        _ if path.starts_with("/to/") => {
            let url = path.trim_start_matches("/to/");
            to.write_all(format!("HTTP/1.1 302 Found\r\nLocation: http://{url}\r\nContent-Length: 0\r\n\r\n").as_bytes())
        }
        "/drips" => {
            to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
            loop {
                to.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        "/bomb" => {
            let bomb = gzip_of_zeros();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
            to.write_all(&[head.as_bytes(), &bomb].concat())
        }
        "/starts" => {
            to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")?;
            to.read_exact(&mut [0])
        }
        "/endless" => {
            to.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            // More than anybody reads; ends when nobody does.
            (0..1024).try_for_each(|_| to.write_all(&[b'x'; 64 << 10]))
        }
        // Until whoever asks goes away.
        "/hangs" => to.read_exact(&mut [0]),
        _ => to.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    }
}

/// 100 MB of nothing, as a tenth of a percent of it.
fn gzip_of_zeros() -> Vec<u8> {
    let mut gzip = Command::new("sh");
    let gzip = gzip.args(["-c", "head -c 100000000 /dev/zero | gzip -1"]);
    gzip.output().unwrap().stdout
}

pub(crate) fn serve() -> u16 {
    serve_at("127.0.0.1:0", Some)
}

/// A server that speaks over what `secured` makes of a connection.
pub(crate) fn serve_at<S: Read + Write>(
    address: &str,
    secured: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind(address).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, secured) = (Arc::new(AtomicU32::new(0)), Arc::new(secured));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (asked, secured) = (asked.clone(), secured.clone());
            std::thread::spawn(move || {
                let mut stream = secured(stream)?;
                let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
                let request = lines.next()?;
                let headers = lines
                    .by_ref()
                    .take_while(|line| !line.is_empty())
                    .collect::<Vec<_>>();
                let path = request.split_whitespace().nth(1)?.to_string();
                let path = path.split('?').next()?;
                let before = asked.fetch_add(1, Ordering::SeqCst);
                // Whoever asked may be gone by now.
                answer(path, &headers.join("\n"), before, stream).ok()
            });
        }
    });
    port
}
