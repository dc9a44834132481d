//! `port`: whether something listens on a TCP port of this machine, on any of its loopback addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::check::PortProbe;
use crate::domain::evidence::{Attempt, Outcome};
use crate::domain::expectation::Checked;

/// How long a connection to this machine may take.
const WITHIN: Duration = Duration::from_secs(5);

pub(super) fn observe(probe: &PortProbe) -> Attempt {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let listens = listens(probe.port);
    let checked = if probe.listening {
        Checked::new(format!("port {} listens", probe.port), listens, || {
            "nothing listens on it".to_string()
        })
    } else {
        Checked::new(format!("port {} is free", probe.port), !listens, || {
            "something listens on it".to_string()
        })
    };
    Attempt {
        checked: vec![checked],
        ..Attempt::new(started, clock.elapsed().as_millis() as u64, Outcome::Looked)
    }
}

/// Whether something takes connections on a port of this machine.
pub(super) fn listens(port: u16) -> bool {
    let addresses = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&SocketAddr::new(address, port), WITHIN).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::expectation::Held;

    #[test]
    #[allow(clippy::unwrap_used)]
    fn a_port_listens_or_is_free() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let held = |port, listening| observe(&PortProbe { port, listening }).checked[0].held;
        assert_eq!((held(port, true), held(port, false)), (Held::Yes, Held::No));
        drop(listener);
        assert_eq!((held(port, true), held(port, false)), (Held::No, Held::Yes));
    }
}
