//! `[services.ID]`: how a service is started, what shows that it is healthy, how it is stopped.

use std::time::Duration;

use super::check::{Context, Reading, needs_tool};
use super::expect;
use super::item::{At, Item};
use super::keys::Keys;
use super::sections;
use super::values::{cannot_tell, strings, strings_at};
use crate::domain::check::{CannotTell, HttpProbe, Source};
use crate::domain::expectation::HttpExpect;
use crate::domain::interpolate::OF_PORT;
use crate::domain::service::{Health, Service, ServicePort, Start};

/// Every key of a service.
const KEYS: [&str; 13] = [
    "run",
    "shell",
    "compose",
    "cwd",
    "env",
    "clean_env",
    "port",
    "healthy",
    "needs",
    "stop",
    "secrets",
    "needs_tool",
    "cannot_tell",
];

/// How long a service may take to get healthy where the manifest does not say; images may have to be built first.
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);
const COMPOSE_WITHIN: Duration = Duration::from_secs(300);
/// How long a service may take to end where the manifest does not say.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What `docker compose` says where the machine, not the project, keeps it from starting anything.
const NO_ENGINE: [&str; 7] = [
    "Cannot connect to the Docker daemon",
    "permission denied while trying to connect to the [Dd]ocker",
    "error during connect",
    "'compose' is not a docker command|unknown (shorthand )?flag|unknown command: docker compose",
    "no such host|server misbehaving|TLS handshake timeout|i/o timeout",
    "failed to resolve reference|failed to resolve source metadata|pull access denied",
    "client version [0-9.]+ is too (new|old)",
];

/// A service that was read, with the places of what only the whole manifest can judge.
pub(super) struct ReadService {
    /// None where it has a mistake without which it cannot be.
    pub(super) service: Option<Service>,
    pub(super) id: At<String>,
    pub(super) needs: Vec<At<String>>,
    /// The services whose port it names.
    pub(super) ports_of: Vec<At<String>>,
    /// Its own port, where it is a fixed one.
    pub(super) port: Option<At<u16>>,
}

/// Reads a service. A mistake is noted and the rest is read on.
pub(super) fn read(header: &Item<'_>, source: Source, context: &Context<'_>) -> ReadService {
    sections::kebab(header, "service");
    let items = header.table().into_iter().flatten().collect::<Vec<_>>();
    for item in items.iter().filter(|item| !KEYS.contains(&item.key)) {
        item.unknown(&format!("service `{}`", header.key), &KEYS);
    }
    let keys = Keys::merge(vec![], items, None);
    let own: &[&str] = if keys.get("port").is_some() {
        &OF_PORT
    } else {
        &[]
    };
    let params = Default::default();
    let reading = Reading::new(&keys, &params, context, header, own);
    let start = reading.start();
    let port = keys.get("port").and_then(port);
    let health = reading.health(start.as_ref(), keys.get("port").is_some());
    let needs = strings_at(keys.get("needs"));
    let compose = matches!(start, Some(Start::Compose(_)));
    let service = (|| {
        Some(Service {
            id: header.key.to_string(),
            cwd: keys.get("cwd").and_then(|item| reading.filled(item)),
            env: reading.environment(),
            clean_env: keys
                .get("clean_env")
                .and_then(Item::boolean)
                .unwrap_or(false),
            port,
            needs: needs.iter().map(|need| need.value.clone()).collect(),
            stop_within: keys
                .get("stop")
                .and_then(stop_within)
                .unwrap_or(STOP_WITHIN),
            secrets: strings(keys.get("secrets")),
            needs_tool: keys
                .get("needs_tool")
                .and_then(|item| needs_tool(item, &reading)),
            cannot_tell: match keys.get("cannot_tell") {
                Some(item) => cannot_tell(item),
                None if compose => CannotTell {
                    stderr: NO_ENGINE.map(str::to_string).to_vec(),
                    ..CannotTell::default()
                },
                None => CannotTell::default(),
            },
            source,
            within: reading.healthy_within().unwrap_or(if compose {
                COMPOSE_WITHIN
            } else {
                HEALTHY_WITHIN
            }),
            health: health?,
            start: start?,
        })
    })();
    ReadService {
        service,
        id: At::key(header),
        needs,
        ports_of: reading.ports_of(),
        port: match (port, keys.get("port")) {
            (Some(ServicePort::Fixed(number)), Some(item)) => Some(At::new(number, item)),
            _ => None,
        },
    }
}

fn port(item: &Item<'_>) -> Option<ServicePort> {
    if !item.is_string() {
        return Some(ServicePort::Fixed(item.whole(1, 65_535)? as u16));
    }
    if item.text()? != "auto" {
        let hint = "write a number, or `\"auto\"` for a free one";
        item.problem("`port` must be a number or `\"auto\"`", Some(hint.into()));
        return None;
    }
    Some(ServicePort::Auto)
}

fn stop_within(item: &Item<'_>) -> Option<Duration> {
    let mut within = None;
    for field in item.table()? {
        match field.key {
            "within" => within = field.duration(false),
            _ => field.unknown("`stop`", &["within"]),
        }
    }
    within
}

impl<'a> Reading<'_, 'a, '_> {
    fn start(&self) -> Option<Start> {
        match (self.keys.get("run"), self.keys.get("compose")) {
            (Some(item), None) => {
                let (argv, shell) = self.argv(item)?;
                Some(Start::Run { argv, shell })
            }
            (None, Some(item)) => {
                if let Some(shell) = self.keys.get("shell") {
                    shell.key_problem("`shell` means nothing here: it goes with `run`", None);
                }
                Some(Start::Compose(self.filled_not_empty(item)?))
            }
            (Some(_), Some(compose)) => {
                let hint = "keep one: a program is one service, a compose file another";
                compose.key_problem(
                    format!("service `{}` has both `run` and `compose`", self.header.key),
                    Some(hint.into()),
                );
                None
            }
            (None, None) => {
                let hint = "add `run = [\"program\", \"argument\"]`, or `compose = \"docker-compose.yml\"`";
                self.header.key_problem(
                    format!("service `{}` lacks `run` or `compose`", self.header.key),
                    Some(hint.into()),
                );
                None
            }
        }
    }

    /// What shows that it is healthy: as `healthy` says; else its port; else, for a compose file, that `up --wait` ends well.
    fn health(&self, start: Option<&Start>, has_port: bool) -> Option<Health> {
        let hint = "write it like `healthy = { http = \"http://127.0.0.1:{port}/health\", within = \"30s\" }`; `port = true` and `log = \"regex\"` are other ways";
        let Some(item) = self.keys.get("healthy") else {
            return match start {
                Some(Start::Compose(_)) => Some(Health::Started),
                _ if has_port => Some(Health::Port),
                None => None,
                Some(Start::Run { .. }) => {
                    self.header.key_problem(
                        format!("service `{}` lacks `healthy` or `port`: nothing would show that it is up", self.header.key),
                        Some(hint.into()),
                    );
                    None
                }
            };
        };
        let fields = item.table()?.collect::<Vec<_>>();
        let field = |key: &str| fields.iter().find(|field| field.key == key);
        let known = ["http", "port", "log", "within", "expect"];
        for field in fields.iter().filter(|field| !known.contains(&field.key)) {
            field.unknown("`healthy`", &known);
        }
        let ways = fields
            .iter()
            .filter(|field| ["http", "port", "log"].contains(&field.key))
            .collect::<Vec<_>>();
        let [way] = ways.as_slice() else {
            let message = match ways.len() {
                0 if start.is_some_and(|start| matches!(start, Start::Compose(_))) => {
                    return Some(Health::Started);
                }
                0 if has_port => return Some(Health::Port),
                0 => "`healthy` lacks `http`, `port` or `log`",
                _ => "`healthy` must have exactly one of `http`, `port` and `log`",
            };
            item.problem(message, Some(hint.into()));
            return None;
        };
        if let Some(expect) = field("expect").filter(|_| way.key != "http") {
            expect.key_problem("`expect` means nothing here: it goes with `http`", None);
        }
        match way.key {
            "http" => {
                let expect = field("expect").map(|item| {
                    let fields = item.table().into_iter().flatten().collect::<Vec<_>>();
                    expect::http(fields.iter())
                });
                Some(Health::Http(Box::new(
                    self.health_request(way, expect.unwrap_or_default())?,
                )))
            }
            "port" => {
                if !way.boolean()? || !has_port {
                    let message = "`healthy = { port = true }` needs the service's `port`";
                    way.problem(
                        message,
                        Some("add `port = 8000`, or `port = \"auto\"`".into()),
                    );
                    return None;
                }
                Some(Health::Port)
            }
            _ if matches!(start, Some(Start::Compose(_))) => {
                way.key_problem(
                    "a compose file has no one output to watch: use `http` or `port`",
                    None,
                );
                None
            }
            _ => way.pattern().map(Health::Log),
        }
    }

    fn health_request(&self, item: &Item<'a>, expect: HttpExpect) -> Option<HttpProbe> {
        Some(HttpProbe {
            url: self.url(item)?,
            method: "GET".to_string(),
            headers: Default::default(),
            body: None,
            redirects: 0,
            expect,
            reader: None,
        })
    }

    fn healthy_within(&self) -> Option<Duration> {
        let fields = self.keys.get("healthy").filter(|item| item.is_table());
        let within = fields.and_then(Item::table).into_iter().flatten();
        let within = within.filter(|field| field.key == "within");
        within.filter_map(|field| field.duration(false)).last()
    }
}
