//! The HTTP clients of a run, and the way of a request to an address: loopback is never proxied, every address of a name
//! is tried, and whoever could not be reached is named.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Request, Response, Url};
use tokio::runtime::Handle;

use super::failure;
use crate::domain::evidence::{Failure, HttpFailure};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// The clients of a run, each built when it is first needed: reading the system's certificates is not for those who
/// probe plain HTTP.
#[derive(Clone, Debug)]
pub struct Clients {
    pub(in crate::probe) runtime: Handle,
    /// With and without TLS, for the loopback and for elsewhere.
    kinds: Arc<[OnceLock<Result<Client, String>>; 4]>,
}

impl Clients {
    /// Clients whose requests run on that runtime.
    pub fn new(runtime: Handle) -> Clients {
        Clients {
            runtime,
            kinds: Arc::default(),
        }
    }

    /// The client for a URL.
    pub(super) fn client(&self, url: &Url) -> Result<&Client, Failure<HttpFailure>> {
        let (secure, near) = (url.scheme() == "https", is_loopback(url));
        let kind = &self.kinds[usize::from(secure) * 2 + usize::from(near)];
        let client = kind.get_or_init(|| build(secure, near));
        let failed = |text: &String| Failure::new(HttpFailure::CannotSend, text);
        client.as_ref().map_err(failed)
    }

    /// Sends a request to the first address of its host that takes it.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Failure<HttpFailure>> {
        let url = request.url();
        if proxied(url) {
            let answered = self.client(url)?.execute(copy(request)).await;
            return answered.map_err(|error| failure::classify(error, true));
        }
        self.send_to(request, &addresses(url).await?).await
    }

    async fn send_to(
        &self,
        request: &Request,
        addresses: &[SocketAddr],
    ) -> Result<Response, Failure<HttpFailure>> {
        let url = request.url();
        let client = self.client(url)?;
        let host = url.host_str().unwrap_or_default();
        // Elsewhere, an address that is silent must not keep the others waiting: the connector races them.
        let at_once = if is_loopback(url) {
            1
        } else {
            addresses.len().max(1)
        };
        let mut unreachable = vec![];
        for some in addresses.chunks(at_once) {
            let chosen = (host.to_string(), some.to_vec());
            let answered = CHOSEN.scope(chosen, client.execute(copy(request))).await;
            match answered {
                Err(error) if failure::not_connected(&error) => {
                    let names = some.iter().map(SocketAddr::to_string).collect::<Vec<_>>();
                    unreachable.push(format!("{} {}", names.join(", "), failure::why(&error)));
                }
                answered => return answered.map_err(|error| failure::classify(error, false)),
            }
        }
        let text = format!("no connection: {}", unreachable.join(", "));
        Err(Failure::new(HttpFailure::Refused, text))
    }
}

/// The same request once more. It always can be: no body is a stream.
fn copy(request: &Request) -> Request {
    let bare = || Request::new(request.method().clone(), request.url().clone());
    request.try_clone().unwrap_or_else(bare)
}

fn build(secure: bool, near: bool) -> Result<Client, String> {
    // Fails only where a provider was installed before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT)
        .dns_resolver(Chosen)
        .user_agent(concat!("ready/", env!("CARGO_PKG_VERSION")));
    let builder = if near { builder.no_proxy() } else { builder };
    let builder = if secure {
        builder
    } else {
        builder.tls_certs_only([])
    };
    builder.build().map_err(|error| failure::chain(&error))
}

tokio::task_local! {
    /// The host to which the present request goes, and the addresses that are chosen for it.
    static CHOSEN: (String, Vec<SocketAddr>);
}

/// Gives the addresses that are chosen for a name; where none are, as for a proxy's, all that it has.
struct Chosen;

impl Resolve for Chosen {
    fn resolve(&self, name: Name) -> Resolving {
        let chosen = CHOSEN.try_with(Clone::clone).ok();
        Box::pin(async move {
            let addresses = match chosen {
                Some((host, addresses)) if host == name.as_str() => addresses,
                _ => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Every address of the URL's host, each once.
async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, Failure<HttpFailure>> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let name = host.trim_matches(['[', ']']);
    let nowhere = |why: String| {
        Failure::new(
            HttpFailure::Name,
            format!("the name `{host}` has no address: {why}"),
        )
    };
    let found = tokio::net::lookup_host((name, port)).await;
    let mut addresses: Vec<SocketAddr> = vec![];
    for address in found.map_err(|error| failure::of_name(error, nowhere))? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(nowhere("it is known, and leads nowhere".to_string()));
    }
    Ok(addresses)
}

/// The port of this machine that a URL names, by the loopback or by another address that the machine has.
pub(crate) fn local_port(url: &str) -> Option<u16> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    // Only an address of this machine can be bound to.
    let is_own = || address.is_ok_and(|address| std::net::UdpSocket::bind((address, 0)).is_ok());
    (is_loopback(&url) || is_own()).then(|| url.port_or_known_default())?
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

#[cfg(test)]
mod tests {
    use super::*;

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

    /// What comes of a request to `localhost` with these as its addresses.
    #[cfg(target_os = "linux")]
    fn sent_to(addresses: &[[u8; 4]], port: u16) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let clients = Clients::new(runtime.handle().clone());
        let url = Url::parse(&format!("http://localhost:{port}/"));
        let request = Request::new(
            reqwest::Method::GET,
            url.map_err(|error| error.to_string())?,
        );
        let addresses = addresses.iter().map(|ip| SocketAddr::from((*ip, port)));
        let addresses = addresses.collect::<Vec<_>>();
        let answered = runtime.block_on(clients.send_to(&request, &addresses));
        let answered = answered.map_err(|failure| failure.text)?;
        Ok(answered
            .remote_addr()
            .map(|address| address.to_string())
            .unwrap_or_default())
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]
    fn each_address_is_tried_until_one_takes_the_request() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(b"HTTP/1.1 204 OK\r\n\r\n").unwrap();
        });
        let (first, second, third) = ([127, 0, 0, 1], [127, 0, 0, 2], [127, 0, 0, 3]);
        assert_eq!(
            sent_to(&[first, second, third], port),
            Ok(format!("127.0.0.2:{port}"))
        );
        assert_eq!(
            sent_to(&[first, third], port),
            Err(format!(
                "no connection: 127.0.0.1:{port} refused, 127.0.0.3:{port} refused"
            ))
        );
    }
}
