//! `ready mcp`: a Model Context Protocol server over standard input and output, for coding agents: what they may claim is
//! what is verified. Each call is a `ready` of its own, so that nothing of one outlives it, and what stops one stops the
//! checks that it started. Protocol: <https://modelcontextprotocol.io/specification>.

use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::schemars::JsonSchema;
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, ServiceExt, tool, tool_handler, tool_router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, RwLock, watch};

use super::{Exit, Global, Usage, report_file};
use crate::domain::report::Report;
use crate::reporter::{Format, Style};

/// Serve coding agents over the Model Context Protocol, on standard input and output
///
/// Its tools are check, status, explain, plan and claims, for the project in the working directory. Only check runs
/// anything.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready mcp
  ready -C path/to/project mcp

In a client's configuration:
  { \"mcpServers\": { \"ready\": { \"command\": \"ready\", \"args\": [\"mcp\"] } } }")]
pub(super) struct Options {}

/// What agents are told of this server.
const INSTRUCTIONS: &str = "ready verifies what a project claims about itself. Before you say that something works, is done or is \
production ready, call `check` (or `status`, which runs nothing) and claim only what stands under `verified`. What is \
unverified was not shown either way: it is no pass. `explain` shows the evidence of one check, `plan` what to mend next, \
`claims` which sentences of the project's documents the evidence contradicts.";

pub(super) fn run(_options: &Options, global: &Global) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(global))?;
    Ok(Exit::Open)
}

async fn serve(global: &Global) -> Result<()> {
    let (closing, closed) = watch::channel(false);
    let server = Server {
        program: std::env::current_exe()
            .context("cannot tell where this program is")?
            .into(),
        manifest: global.manifest.clone().map(Into::into),
        checking: Arc::default(),
        running: Arc::default(),
        closed,
    };
    let running = server.running.clone();
    let service = server
        .serve(rmcp::transport::stdio())
        .await
        .map_err(|error| {
            let hint = "a coding agent starts it: `ready mcp --help` shows how".to_string();
            Usage::new(format!("no client speaks to it: {error}"), Some(hint))
        })?;
    let ended = service.waiting().await;
    // Whatever still runs for a client that went away is stopped as by Ctrl-C, and awaited: its services end with it.
    let _ = closing.send(true);
    let _all_ended = running.write().await;
    ended.context("the server broke down")?;
    Ok(())
}

/// The server: how it starts `ready`, and what it must wait for at its end.
#[derive(Clone)]
struct Server {
    program: OsString,
    manifest: Option<OsString>,
    /// Two runs at once would get into each other's way.
    checking: Arc<Mutex<()>>,
    /// Held by every call while it lasts.
    running: Arc<RwLock<()>>,
    /// Whether the client has gone.
    closed: watch::Receiver<bool>,
}

/// What is to be checked.
#[derive(Deserialize, JsonSchema)]
struct Check {
    /// The ids of the checks to run, with what they need; none: all of them.
    #[serde(default)]
    checks: Vec<String>,
    /// The gate that decides; none: the manifest's.
    gate: Option<String>,
    /// Also run what runs on demand.
    #[serde(default)]
    all: bool,
    /// Also run what has not changed since it was verified.
    #[serde(default)]
    fresh: bool,
}

/// The gate that is asked about.
#[derive(Deserialize, JsonSchema)]
struct Gate {
    /// Its name; none: the manifest's.
    gate: Option<String>,
}

/// One check.
#[derive(Deserialize, JsonSchema)]
struct One {
    /// Its id; or the name of a check of the library.
    check: String,
}

/// Documents that claim something.
#[derive(Deserialize, JsonSchema)]
struct Documents {
    /// Paths of Markdown files; none: those that the manifest names.
    #[serde(default)]
    documents: Vec<String>,
}

#[tool_router]
impl Server {
    /// Run the project's checks, record the evidence, and tell what is verified, what contradicts the claims, and what comes next.
    #[tool(annotations(
        title = "Run the checks",
        read_only_hint = false,
        open_world_hint = true
    ))]
    async fn check(
        &self,
        Parameters(asked): Parameters<Check>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let mut args = vec!["check".to_string()];
        args.extend(asked.gate.map(|gate| format!("--gate={gate}")));
        args.extend(asked.all.then(|| "--all".to_string()));
        args.extend(asked.fresh.then(|| "--fresh".to_string()));
        let one_at_a_time = self.checking.lock().await;
        let result = self.report(args, asked.checks, context).await;
        drop(one_at_a_time);
        result
    }

    /// Tell what is verified by recorded evidence, as of now; nothing is run. What is stale is unverified.
    #[tool(annotations(title = "What is verified", read_only_hint = true))]
    async fn status(
        &self,
        Parameters(asked): Parameters<Gate>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let mut args = vec!["status".to_string()];
        args.extend(asked.gate.map(|gate| format!("--gate={gate}")));
        self.report(args, vec![], context).await
    }

    /// Explain one check: what it runs, its last evidence, why this verdict, how to reproduce and mend it. Nothing is run.
    #[tool(annotations(title = "Explain a check", read_only_hint = true))]
    async fn explain(
        &self,
        Parameters(asked): Parameters<One>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        self.text(vec!["explain".to_string()], vec![asked.check], context)
            .await
    }

    /// The cheapest way to open a gate, then what gains most for each minute. Nothing is run.
    #[tool(annotations(title = "The way to ready", read_only_hint = true))]
    async fn plan(
        &self,
        Parameters(asked): Parameters<Gate>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let mut args = vec!["plan".to_string()];
        args.extend(asked.gate.map(|gate| format!("--gate={gate}")));
        self.text(args, vec![], context).await
    }

    /// What the project's documents claim, line by line, against what is verified. Nothing is run.
    #[tool(annotations(title = "Claims against evidence", read_only_hint = true))]
    async fn claims(
        &self,
        Parameters(asked): Parameters<Documents>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        self.text(vec!["claims".to_string()], asked.documents, context)
            .await
    }
}

#[tool_handler]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("ready", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(INSTRUCTIONS.to_string());
        info
    }
}

/// What a call to `ready` came to.
struct Called {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Called {
    /// Whether it did its work, whatever a gate says of it.
    fn is_answer(&self) -> bool {
        matches!(self.status, Some(0 | 1 | 130))
    }

    fn complaint(&self) -> CallToolResult {
        let text = match self.stderr.trim() {
            "" => format!("ready ended with status {:?}", self.status),
            text => text.to_string(),
        };
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}

impl Server {
    /// Runs a verb that makes a report: its brief text, and its figures.
    async fn report(
        &self,
        mut args: Vec<String>,
        words: Vec<String>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        args.push("--format=json".to_string());
        args.push("--no-ci".to_string());
        let called = match self.call(args, words, context).await {
            Ok(called) => called,
            Err(error) => return failed(&error),
        };
        if !called.is_answer() {
            return called.complaint();
        }
        match report_file::parse("the report", &called.stdout) {
            Ok(report) => briefly(&report),
            Err(_) => called.complaint(),
        }
    }

    /// Runs a verb that prints.
    async fn text(
        &self,
        mut args: Vec<String>,
        words: Vec<String>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        args.push("--color=never".to_string());
        match self.call(args, words, context).await {
            Ok(called) if called.is_answer() => {
                CallToolResult::success(vec![ContentBlock::text(called.stdout)])
            }
            Ok(called) => called.complaint(),
            Err(error) => failed(&error),
        }
    }

    /// Runs `ready` to its end; it is stopped as by Ctrl-C where the client takes its call back or goes away. Words are
    /// never taken for options.
    async fn call(
        &self,
        args: Vec<String>,
        words: Vec<String>,
        context: RequestContext<RoleServer>,
    ) -> Result<Called> {
        let _running = self.running.read().await;
        let mut command = Command::new(&self.program);
        if let Some(manifest) = &self.manifest {
            command.arg("--manifest").arg(manifest);
        }
        command.args(args);
        if !words.is_empty() {
            command.arg("--").args(words);
        }
        // Standard input is the client's: no check may read from it.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // What is printed goes to an agent, not to a CI system.
        command.env_remove("GITHUB_ACTIONS");
        let mut child = command.spawn().context("cannot start ready")?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let read = async { tokio::join!(whole(stdout), whole(stderr)) };
        let mut closed = self.closed.clone();
        let end = async {
            tokio::select! {
                status = child.wait() => return status,
                () = context.ct.cancelled() => (),
                _ = closed.wait_for(|closed| *closed) => (),
            }
            interrupt(&child);
            child.wait().await
        };
        let ((stdout, stderr), status) = tokio::join!(read, end);
        Ok(Called {
            status: status.context("cannot wait for ready")?.code(),
            stdout,
            stderr,
        })
    }
}

/// All that comes, as text.
async fn whole(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = vec![];
    if let Some(mut from) = from {
        // What came until it broke off is all there is.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut from, &mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Stops a run as Ctrl-C does, so that it records what it has and ends what it started.
#[cfg(unix)]
fn interrupt(child: &Child) {
    // It is not waited for yet, so the number is still its own.
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
}

/// There is no Ctrl-C for one process here: it runs to its end.
#[cfg(not(unix))]
fn interrupt(_child: &Child) {}

fn failed(error: &anyhow::Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("{error:#}"))])
}

/// A report as an agent wants it: the text, and the figures beside it.
fn briefly(report: &Report) -> CallToolResult {
    let mut text = vec![];
    let brief = Format::named("brief").map(|format| format.render(report, Style::PLAIN, &mut text));
    if let Some(Err(error)) = brief {
        return failed(&error.into());
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(figures(report));
    result
}

fn figures(report: &Report) -> Value {
    let checks = report.checks.iter().filter(|row| row.counts_for_score());
    let checks =
        checks.map(|row| json!({ "id": row.id, "verdict": row.verdict, "reason": row.reason }));
    let gates = report
        .gates
        .iter()
        .map(|gate| json!({ "name": gate.name, "open": gate.open }));
    json!({
        "open": report.decision.open,
        "score": report.score,
        "gates": gates.collect::<Vec<_>>(),
        "checks": checks.collect::<Vec<_>>(),
    })
}
