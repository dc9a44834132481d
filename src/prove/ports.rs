//! Services in the copy get ports of their own: what listens on the declared ones belongs to somebody else.

use std::collections::BTreeMap;

use crate::domain::check::{Check, HttpProbe, Probe};
use crate::domain::project::Project;
use crate::domain::service::{Health, Service, ServicePort, Start};

/// The project with an automatic port for every service that is told its port, and with that port wherever checks name
/// the declared one on this machine. A service that knows its port by itself keeps it.
pub(super) fn automatic(project: &Project) -> Project {
    let mut project = project.clone();
    let mut ports: Vec<(u16, String)> = vec![];
    for service in &mut project.services {
        if let Some(ServicePort::Fixed(port)) = service.port
            && is_told(service)
        {
            service.port = Some(ServicePort::Auto);
            ports.push((port, service.id.clone()));
            if let Health::Http(http) = &mut service.health {
                let own = [(port, "{port}".to_string())];
                in_http(http, &own);
            }
        }
    }
    let named = ports
        .into_iter()
        .map(|(port, id)| (port, format!("{{services.{id}.port}}")))
        .collect::<Vec<_>>();
    for check in &mut project.checks {
        in_check(check, &named);
    }
    for service in &mut project.services {
        in_variables(&mut service.env, &named);
    }
    project
}

/// Whether a service gets its port from us.
fn is_told(service: &Service) -> bool {
    let argv = match &service.start {
        Start::Run { argv, .. } => &argv[..],
        Start::Compose(_) => &[],
    };
    let mut texts = argv.iter().chain(service.env.values());
    texts.any(|text| text.contains("{port}"))
}

fn in_check(check: &mut Check, ports: &[(u16, String)]) {
    match &mut check.probe {
        Probe::Http(http) => in_http(http, ports),
        Probe::Run(run) => {
            for text in run.argv.iter_mut().chain(&mut run.cleanup) {
                put_in(text, ports);
            }
        }
        _ => {}
    }
    in_variables(&mut check.env, ports);
    if let Some(control) = &mut check.control {
        in_variables(&mut control.env, ports);
        match control.probe.as_deref_mut() {
            Some(Probe::Http(http)) => in_http(http, ports),
            Some(Probe::Run(run)) => run.argv.iter_mut().for_each(|text| put_in(text, ports)),
            _ => {}
        }
    }
}

fn in_http(http: &mut HttpProbe, ports: &[(u16, String)]) {
    put_in(&mut http.url, ports);
}

fn in_variables(variables: &mut BTreeMap<String, String>, ports: &[(u16, String)]) {
    for value in variables.values_mut() {
        put_in(value, ports);
    }
}

/// Puts what stands for a port in its place, where it is one of this machine and ends there.
fn put_in(text: &mut String, ports: &[(u16, String)]) {
    for (port, name) in ports {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let from = format!("{host}:{port}");
            let mut done = String::new();
            let mut rest = &text[..];
            while let Some(at) = rest.find(&from) {
                let end = at + from.len();
                done.push_str(&rest[..at]);
                let longer = rest[end..].starts_with(|c: char| c.is_ascii_digit());
                match longer {
                    true => done.push_str(&from),
                    false => done.push_str(&format!("{host}:{name}")),
                }
                rest = &rest[end..];
            }
            done.push_str(rest);
            *text = done;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_put_in_where_it_is_the_whole_port() {
        let ports = [(8000, "{services.api.port}".to_string())];
        let cases = [
            (
                "http://127.0.0.1:8000/health",
                "http://127.0.0.1:{services.api.port}/health",
            ),
            (
                "http://localhost:8000",
                "http://localhost:{services.api.port}",
            ),
            ("http://127.0.0.1:80001/", "http://127.0.0.1:80001/"),
            ("http://example.org:8000/", "http://example.org:8000/"),
            ("8000", "8000"),
        ];
        for (text, expected) in cases {
            let mut text = text.to_string();
            put_in(&mut text, &ports);
            assert_eq!(text, expected);
        }
    }
}
