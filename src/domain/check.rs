//! What is asked: a check with its one probe, resolved from manifest and library, nothing left to look up.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::control::Control;
use super::expectation::{FileExpect, HttpExpect, RunExpect, TextExpect};
use super::level::Level;
use super::limit::Limit;
use super::listen::ListenProbe;
use super::verdict::Verdict;

/// One declared verification of one statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Kebab-case, unique among checks (and services).
    pub id: String,
    /// The component that it counts for; none: a component of its own, shown under General.
    #[serde(default, skip_serializing_if = "is_default")]
    pub component: Option<String>,
    /// The statement that it verifies.
    pub says: String,
    /// Words to select it by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// Who mends it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub owner: Option<String>,
    /// Its share within the component, > 0 and ≤ 1000.
    pub weight: f64,
    /// How soon it should be mended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Option<Priority>,
    /// What happens to users where it does not hold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub risk: Option<String>,
    /// How to mend it and how long that takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fix: Fix,
    /// The gates that it must pass for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub blocking: Blocking,
    /// Shown, but outside score and gates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// What somebody claims for it, in percent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub claim: Option<f64>,
    /// Names that documents use for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub aliases: Vec<String>,
    /// How it looks.
    pub probe: Probe,
    /// Bounds on measured figures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: BTreeMap<String, Limit>,
    /// The credit (0 to 1) from which on gates accept a partial result.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pass_at: Option<f64>,
    /// The number of results that there must be; missing ones count as skipped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at_least: Option<u64>,
    /// The number of skipped results that leave the denominator.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expected_skips: u64,
    /// The strength of its evidence.
    pub level: Level,
    /// Whether that follows from its exit status alone, so that the proof that it can fail lifts it to `exercised`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_exit_alone: bool,
    /// Checks (and services) that must hold first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub needs: Vec<String>,
    /// The condition on tracked files under which it applies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub applies: Option<Applies>,
    /// The operating systems that it can run on; empty: all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub os: Vec<String>,
    /// Whether it runs only when it is named, or all are asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_demand: bool,
    /// Whether nothing else may run beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alone: bool,
    /// Names of things of which only one check at a time may make use.
    #[serde(default, skip_serializing_if = "is_default")]
    pub locks: Vec<String>,
    /// How long one attempt may take, in seconds.
    #[serde(rename = "timeout_s", with = "seconds")]
    #[schemars(with = "f64")]
    pub timeout: Duration,
    /// How many further attempts follow one that does not hold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// Whether processes that it leaves behind may live on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub leaves_running: bool,
    /// The working directory, relative to the manifest's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cwd: Option<String>,
    /// What is added to the child's environment. Reports hold the names, never the values.
    #[serde(
        default,
        skip_serializing_if = "is_default",
        serialize_with = "names_only",
        deserialize_with = "from_names"
    )]
    #[schemars(with = "Vec<String>")]
    pub env: BTreeMap<String, String>,
    /// Whether the child starts from an empty environment (PATH excepted).
    #[serde(default, skip_serializing_if = "is_default")]
    pub clean_env: bool,
    /// Patterns of the only files that its result depends on, relative to the manifest; empty: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// How long its evidence counts; none: as long as the tree stands.
    #[serde(
        default,
        skip_serializing_if = "is_default",
        rename = "max_age_s",
        with = "maybe_seconds"
    )]
    #[schemars(with = "Option<f64>")]
    pub max_age: Option<Duration>,
    /// Names of environment variables whose values are masked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub secrets: Vec<String>,
    /// The program that it needs, and how to get it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub needs_tool: Option<NeedsTool>,
    /// What shows that the tool could not do its work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cannot_tell: CannotTell,
    /// What must make it fail. It changes nothing that is asked, and no report has it.
    #[serde(skip)]
    pub control: Option<Box<Control>>,
    /// The library check that it was made from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub library: Option<String>,
    /// Where it was declared.
    pub source: Source,
}

impl Check {
    /// Whether the same thing is looked at and judged in the same way, whatever the check is called, counts or costs.
    pub fn asks_like(&self, other: &Check) -> bool {
        let told_alike = Check {
            id: other.id.clone(),
            component: other.component.clone(),
            says: other.says.clone(),
            tags: other.tags.clone(),
            owner: other.owner.clone(),
            weight: other.weight,
            priority: other.priority,
            risk: other.risk.clone(),
            fix: other.fix.clone(),
            blocking: other.blocking.clone(),
            optional: other.optional,
            claim: other.claim,
            aliases: other.aliases.clone(),
            level: other.level,
            by_exit_alone: other.by_exit_alone,
            control: other.control.clone(),
            on_demand: other.on_demand,
            source: other.source.clone(),
            ..self.clone()
        };
        told_alike == *other
    }
}

/// A place in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The manifest's name, as given.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

/// How soon a check should be mended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before anything else.
    High,
    /// In its turn.
    Medium,
    /// When there is time.
    Low,
}

/// How to mend what a check finds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// The estimated time, in seconds.
    #[serde(
        default,
        skip_serializing_if = "is_default",
        rename = "takes_s",
        with = "maybe_seconds"
    )]
    #[schemars(with = "Option<f64>")]
    pub takes: Option<Duration>,
    /// What to do, for a person.
    #[serde(default, skip_serializing_if = "is_default")]
    pub how: Option<String>,
}

impl Fix {
    /// What a person is told to do: how to mend what fails is no advice for what could not be looked at.
    pub(super) fn advice(&self, verdict: Verdict) -> Option<String> {
        self.how.clone().filter(|_| verdict != Verdict::Unverified)
    }
}

/// The gates that a check blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocking {
    /// None by itself.
    #[default]
    No,
    /// The default gate.
    Default,
    /// The named ones.
    Gates(Vec<String>),
}

/// A condition on the project's tracked files: it applies where at least one matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Applies {
    /// Glob patterns relative to the manifest.
    pub files: Vec<String>,
}

/// A program that a check needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeedsTool {
    /// Its name on PATH.
    pub name: String,
    /// How a person installs it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub install: Option<String>,
    /// Program and arguments that print the version of what does the work, where the program is only how that is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub version: Vec<String>,
}

/// What shows that a tool could not do its work, which is no failure of what it looks at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CannotTell {
    /// Exit statuses.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exit: Vec<i32>,
    /// Regular expressions on standard output.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stdout: Vec<String>,
    /// Regular expressions on standard error.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stderr: Vec<String>,
}

/// How a check looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// Runs a program.
    Run(RunProbe),
    /// Sends an HTTP request.
    Http(HttpProbe),
    /// Looks at files.
    File(FileProbe),
    /// Looks at an environment variable.
    Variable(VariableProbe),
    /// Looks at a TCP port of this machine.
    Port(PortProbe),
    /// Looks for a program.
    Tool(ToolProbe),
    /// Takes a person's word.
    Manual(Attestation),
}

impl Probe {
    /// The key in manifests and reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Probe::Run(_) => "run",
            Probe::Http(_) => "http",
            Probe::File(_) => "file",
            Probe::Variable(_) => "variable",
            Probe::Port(_) => "port",
            Probe::Tool(_) => "tool",
            Probe::Manual(_) => "manual",
        }
    }

    /// What turns what it sees into counts and measures.
    pub fn reader(&self) -> Option<&Reader> {
        match self {
            Probe::Run(run) => run.reader.as_ref(),
            Probe::Http(http) => http.reader.as_ref(),
            _ => None,
        }
    }

    /// Whether what it sees can change while the project's files do not.
    pub fn looks_outside(&self) -> bool {
        match self {
            Probe::Run(run) => run.listen.is_some(),
            Probe::Http(_) | Probe::Variable(_) | Probe::Port(_) | Probe::Tool(_) => true,
            Probe::File(_) | Probe::Manual(_) => false,
        }
    }
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunProbe {
    /// Program and arguments; with `shell`, the one script.
    pub argv: Vec<String>,
    /// Whether the system's shell runs it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shell: bool,
    /// Patterns of the project's own files, whose names follow the arguments; where none matches, nothing is run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What turns its results into counts and measures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reader: Option<Reader>,
    /// What its exit status and output must be.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expect: RunExpect,
    /// The call that it must make while we listen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<Box<ListenProbe>>,
    /// Program and arguments that are run after each attempt, whatever came of it; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanup: Vec<String>,
}

impl RunProbe {
    /// Whether an exit status is as expected. That of a program that must call us decides only where it is asked for.
    pub fn exit_is_well(&self, status: i32) -> bool {
        self.expect.exit.contains(&status) || (self.listen.is_some() && self.expect.exit.is_empty())
    }
}

/// The format of a tool's results and where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reader {
    /// The reader's name.
    pub format: String,
    /// What it asks, where the manifest says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// Where the results are.
    pub input: ReaderInput,
    /// What the tool's exit statuses mean.
    pub exits: Exits,
}

impl Reader {
    /// The formats of tools that look for something else than whether tests pass.
    const NO_TESTS: [&str; 10] = [
        "pip-audit",
        "npm-audit",
        "cargo-audit",
        "actionlint",
        "shellcheck",
        "promtool",
        "compose",
        "nginx",
        "locust",
        "prometheus",
    ];

    /// Whether what it counts are tests.
    pub fn counts_tests(&self) -> bool {
        self.counts() && !Reader::NO_TESTS.contains(&&*self.format)
    }

    /// Whether it tells how many results passed.
    pub fn counts(&self) -> bool {
        let counts = |queries: &Queries| queries.counts.contains_key("passed");
        self.queries.as_ref().is_none_or(counts)
    }
}

/// What is asked of a JSON document, in jq.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Queries {
    /// By one of [`Queries::COUNTS`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub counts: BTreeMap<String, String>,
    /// By the name of the measure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub measures: BTreeMap<String, String>,
}

impl Queries {
    /// What can be counted.
    pub const COUNTS: [&str; 5] = ["passed", "failed", "skipped", "total", "findings"];

    /// Every query under the name of what it asks for.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.counts.iter().chain(&self.measures);
        all.map(|(name, query)| (name.as_str(), query.as_str()))
    }
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The bytes of it that are; none at its end.
    pub at: Range<usize>,
    /// In words, lower case.
    pub text: String,
}

/// Where a reader finds a tool's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReaderInput {
    /// On its standard output.
    Stdout,
    /// On its standard error.
    Stderr,
    /// In the body of an HTTP answer.
    Body,
    /// In a file that the run must write, relative to the working directory.
    File(String),
}

/// What the exit statuses of a tool with a reader mean. Any other: it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exits {
    /// It says that all is well.
    pub passed: Vec<i32>,
    /// It says that nothing ran.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_results: Vec<i32>,
    /// It says that what it looked at does not hold, be there results or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<i32>,
}

impl Default for Exits {
    fn default() -> Self {
        Exits {
            passed: vec![0],
            no_results: vec![],
            failed: vec![],
        }
    }
}

/// An HTTP request and what must come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpProbe {
    /// The absolute URL, `http` or `https`.
    pub url: String,
    /// The method, upper case.
    pub method: String,
    /// Headers to send.
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: BTreeMap<String, String>,
    /// The body to send.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: Option<String>,
    /// How many redirects are followed at most.
    #[serde(default, skip_serializing_if = "is_default")]
    pub redirects: u32,
    /// What must come back.
    pub expect: HttpExpect,
    /// What turns the body into counts and measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<Reader>,
}

/// Files to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileProbe {
    /// A glob pattern relative to the working directory.
    pub pattern: String,
    /// What they must be like.
    pub expect: FileExpect,
}

/// An environment variable to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariableProbe {
    /// Its name.
    pub name: String,
    /// The dotenv file to look in instead of the environment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub file: Option<String>,
    /// What its value must be like.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expect: TextExpect,
}

/// A TCP port of this machine to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortProbe {
    /// Its number.
    pub port: u16,
    /// Whether something must listen on it; else it must be free.
    pub listening: bool,
}

/// A program to look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolProbe {
    /// Its name on PATH.
    pub name: String,
    /// The constraint on its version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: Option<String>,
}

/// A person's word for something that no machine checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attestation {
    /// Who says so.
    pub by: String,
    /// When it was done.
    pub on: Date,
    /// The last day on which it counts.
    pub expires: Date,
    /// Where more is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub link: Option<String>,
}

/// Whether a value is the one that stands where nothing is said, which reports leave out.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn names_only<S: Serializer>(
    env: &BTreeMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(env.keys())
}

fn from_names<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names
        .into_iter()
        .map(|name| (name, String::new()))
        .collect())
}

/// Durations as seconds in JSON.
pub(super) mod seconds {
    use super::*;

    pub(in crate::domain) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(in crate::domain) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

/// Durations by name, as seconds in JSON.
pub(super) mod seconds_by_name {
    use super::*;

    pub(in crate::domain) fn serialize<S: Serializer>(
        durations: &BTreeMap<String, Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let seconds = durations.iter();
        serializer.collect_map(seconds.map(|(name, duration)| (name, duration.as_secs_f64())))
    }

    pub(in crate::domain) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Duration>, D::Error> {
        let seconds = BTreeMap::<String, f64>::deserialize(deserializer)?;
        let duration = |(name, seconds)| {
            let duration = Duration::try_from_secs_f64(seconds);
            Ok((name, duration.map_err(serde::de::Error::custom)?))
        };
        seconds.into_iter().map(duration).collect()
    }
}

/// Durations that may be absent, as seconds or null in JSON.
pub(super) mod maybe_seconds {
    use super::*;

    pub(in crate::domain) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(|duration| duration.as_secs_f64())
            .serialize(serializer)
    }

    pub(in crate::domain) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        seconds
            .map(Duration::try_from_secs_f64)
            .transpose()
            .map_err(serde::de::Error::custom)
    }
}
