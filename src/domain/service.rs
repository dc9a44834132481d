//! A service: something started before the checks that need it, awaited until it is healthy, and always stopped; and what
//! became of it in a run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{CannotTell, HttpProbe, NeedsTool, Source};
use super::evidence::{Outcome, Stream};
use super::reason::Reason;

/// A declared service, resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Kebab-case, unique among services and checks.
    pub id: String,
    /// How it is started.
    pub start: Start,
    /// The working directory, relative to the manifest's.
    pub cwd: Option<String>,
    /// What is added to its environment.
    #[serde(skip)]
    pub env: BTreeMap<String, String>,
    /// Whether it starts from an empty environment (PATH excepted).
    pub clean_env: bool,
    /// The TCP port that it listens on.
    pub port: Option<ServicePort>,
    /// What shows that it is healthy.
    pub health: Health,
    /// How long it may take to get there.
    #[serde(skip)]
    pub within: Duration,
    /// Services and checks that must be healthy, or hold, first.
    pub needs: Vec<String>,
    /// How long it may take to end once it is asked to.
    #[serde(skip)]
    pub stop_within: Duration,
    /// Names of environment variables whose values are masked.
    pub secrets: Vec<String>,
    /// The program that it needs, and how to get it.
    pub needs_tool: Option<NeedsTool>,
    /// What shows that it could not be started on this machine, which is no failure of it.
    pub cannot_tell: CannotTell,
    /// Where it was declared.
    #[serde(skip)]
    pub source: Source,
}

/// How a service is started.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// A program that runs until it is stopped.
    Run {
        /// Program and arguments; with `shell`, the one script.
        argv: Vec<String>,
        /// Whether the system's shell runs it.
        shell: bool,
    },
    /// The services of a compose file: `docker compose up --detach --wait`, and `down` at the end.
    Compose(String),
}

/// The port of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServicePort {
    /// This one; it must be free before the start.
    Fixed(u16),
    /// A free one.
    Auto,
}

/// What shows that a service is healthy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// An HTTP answer that is as expected.
    Http(Box<HttpProbe>),
    /// Its port takes connections.
    Port,
    /// A line of its output matches this regular expression.
    Log(String),
    /// What starts it says so by ending well.
    Started,
}

/// What became of a service in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRun {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub state: ServiceState,
    /// Why it was not started, or is not healthy, or was found dead.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Program and arguments as they were started; empty where nothing was.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its port in this run.
    #[serde(default)]
    pub port: Option<u16>,
    /// When it was started.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// How long it took to get healthy.
    #[serde(default)]
    pub healthy_after_ms: Option<u64>,
    /// From its start to its end.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// How its program ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// What went wrong when it was stopped.
    #[serde(default)]
    pub teardown: Option<String>,
    /// Processes that outlived it, `name (pid)`.
    #[serde(default)]
    pub leaked: Vec<String>,
    /// Its standard output.
    #[serde(default)]
    pub stdout: Option<Stream>,
    /// Its standard error.
    #[serde(default)]
    pub stderr: Option<Stream>,
}

impl ServiceRun {
    /// One that was not started, for that reason.
    pub fn not_started(id: &str, reason: Reason) -> ServiceRun {
        ServiceRun {
            id: id.to_string(),
            state: ServiceState::NotStarted,
            reason: Some(reason),
            command: vec![],
            port: None,
            started: None,
            healthy_after_ms: None,
            duration_ms: None,
            outcome: None,
            teardown: None,
            leaked: vec![],
            stdout: None,
            stderr: None,
        }
    }
}

/// What became of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It could not be started, or there was no time for it: nothing is known of it.
    NotStarted,
    /// It was healthy until it was stopped.
    Healthy,
    /// It ran and was not healthy in time.
    Unhealthy,
    /// It ended by itself.
    Died,
}

impl ServiceState {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::NotStarted => "not started",
            ServiceState::Healthy => "healthy",
            ServiceState::Unhealthy => "unhealthy",
            ServiceState::Died => "died",
        }
    }
}
