//! What a probe observed: immutable, masked, and complete enough to judge and to show it again later.
//!
//! Raw bytes never stand here: streams and bodies hold what may leave the process, with secrets masked, and the digest of
//! all the raw bytes beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::expectation::Checked;
use super::listen::Call;
use super::reason::Reason;

/// What a run can say about one check.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// It was looked at.
    Evidence(Box<Evidence>),
    /// It was not, and why.
    Withheld(Reason),
}

/// What was observed of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The probe's kind.
    pub probe: String,
    /// Program and arguments as they were started; empty where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What else was looked at: a URL without its query, a pattern, a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The working directory, relative to the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Names of the variables that were added to the environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// When the first attempt began.
    pub started: Timestamp,
    /// From then to the end of the last attempt.
    pub duration_ms: u64,
    /// The machine's name.
    pub host: String,
    /// The 1-based slot that it ran on.
    pub slot: u32,
    /// What it is about.
    #[serde(default)]
    pub binding: Binding,
    /// Every attempt in order; at least one.
    pub attempts: Vec<Attempt>,
}

/// What evidence is about, beside the state of the project's files that its run names: it counts only for that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// The digest of the check's definition, `blake3:…`.
    pub definition: String,
    /// The digest of the files that the check says its result depends on, `blake3:…`; none where it names none, or they
    /// could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// The program that it depends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// What was looked at, where the run was told: an image or a file by its digest, `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Where it was looked at, where the run was told: `staging`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl Evidence {
    /// Every text that a program or a server sent.
    pub fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.attempts.iter_mut().flat_map(|attempt| {
            let calls = attempt.calls.iter_mut().flatten();
            let streams = attempt.stdout.iter_mut().chain(&mut attempt.stderr);
            let answer = attempt.answer.iter_mut().map(|answer| &mut answer.body);
            streams
                .chain(answer)
                .chain(calls.map(|call| &mut call.body))
        })
    }
}

/// A program as it was found on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its file.
    pub path: String,
    /// What tells one version of it from another without running it: length and time of its file.
    pub stamp: String,
    /// The version that it gave of itself, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Program {
    /// Whether it is the same program, whoever asked it for its version.
    pub fn is(&self, other: &Program) -> bool {
        self.path == other.path && self.stamp == other.stamp
    }
}

impl Binding {
    /// Whether what is seen now would be about the same.
    pub fn is(&self, other: &Binding) -> bool {
        let programs = match (&self.program, &other.program) {
            (Some(one), Some(other)) => one.is(other),
            (None, None) => true,
            _ => false,
        };
        programs
            && self.definition == other.definition
            && self.inputs == other.inputs
            && self.artifact == other.artifact
            && self.environment == other.environment
    }
}

/// One look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// A program's standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Stream>,
    /// A program's standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Stream>,
    /// An HTTP answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The calls that came while it was listened for them, as far as they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Call>>,
    /// The files that matched, relative to the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    /// What the reader made of the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Each expectation and whether it held, decided on the raw bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checked: Vec<Checked>,
    /// The rule by which the tool could not do its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_tell: Option<String>,
    /// How an answer was waited for, where it may take its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Waited>,
    /// What went wrong when it was cleaned up after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<String>,
    /// Processes that outlived the program, `name (pid)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<String>,
}

impl Attempt {
    /// An attempt of that outcome with nothing else seen.
    pub fn new(started: Timestamp, duration_ms: u64, outcome: Outcome) -> Attempt {
        Attempt {
            started,
            duration_ms,
            outcome,
            stdout: None,
            stderr: None,
            answer: None,
            calls: None,
            files: None,
            reading: None,
            checked: vec![],
            cannot_tell: None,
            cleanup: None,
            waited: None,
            leaked: vec![],
        }
    }
}

/// What came of an attempt: a closed set. A time limit or a cancellation outranks the status that a child gives
/// afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The program ended with this status.
    Exit(i32),
    /// A signal that `ready` did not send ended the program.
    Signal(i32),
    /// It outlived its time limit, in milliseconds, and was ended.
    Timeout(u64),
    /// The run was stopped, and it with it.
    Cancelled,
    /// A service that it needs ended by itself or was not healthy in time: before it began, or while it ran.
    Service(String),
    /// It could not be started.
    Spawn(Failure<SpawnFailure>),
    /// An HTTP answer came.
    Answered,
    /// No HTTP answer came.
    Unanswered(Failure<HttpFailure>),
    /// Files or a variable were looked at.
    Looked,
    /// They could not be looked at.
    Unseen(Failure<LookFailure>),
    /// A person's word was taken.
    Attested,
}

/// A kind of failure and what the system said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure<K> {
    /// Which.
    pub kind: K,
    /// In words.
    pub text: String,
}

impl<K> Failure<K> {
    /// A failure of that kind with its words.
    pub fn new(kind: K, text: impl Into<String>) -> Failure<K> {
        Failure {
            kind,
            text: text.into(),
        }
    }
}

/// Why a program could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpawnFailure {
    /// No such program.
    MissingProgram,
    /// The script is there, the program that its first line names is not.
    MissingInterpreter,
    /// No such working directory.
    MissingDirectory,
    /// The file has no permission to be executed.
    NotExecutable,
    /// The program is a directory.
    IsDirectory,
    /// No more processes, descriptors or memory.
    NoResources,
    /// `{env.NAME}` stands in the command and is not set.
    MissingVariable,
    /// The port that it is to be called on is taken.
    PortTaken,
    /// There is no file to give it.
    NoFiles,
    /// Anything else that the system says.
    Other,
}

/// Why no HTTP answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpFailure {
    /// Nothing listens.
    Refused,
    /// The connection ended before the answer did.
    Reset,
    /// The certificate is not valid for the name, the time or the roots.
    Certificate,
    /// The answer was not complete in time.
    Deadline,
    /// What came is not HTTP.
    Malformed,
    /// The name has no address.
    Name,
    /// The proxy did not do its work.
    Proxy,
    /// No descriptors, a URL that cannot be used, a missing variable.
    CannotSend,
}

/// Why files or a variable could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LookFailure {
    /// No file matches.
    Absent,
    /// A file is there and cannot be read.
    NoAccess,
    /// The variable is not set.
    Unset,
    /// The variable holds a placeholder.
    Placeholder,
    /// `{env.NAME}` stands in the pattern and is not set.
    MissingVariable,
}

/// A captured stream: the head and the tail of what came, masked, with length and digest of all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// All raw bytes.
    pub bytes: u64,
    /// BLAKE3 of all raw bytes, `blake3:…`.
    pub digest: String,
    /// Whether something between head and tail was dropped.
    pub truncated: bool,
    /// What came first, where something was dropped; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub head: String,
    /// What came last; all of it where nothing was dropped.
    pub tail: String,
    /// Where head and tail are kept, where they are not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Box<Stored>>,
}

/// Head and tail of a stream, kept elsewhere. They may have been pruned there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stored {
    /// BLAKE3 of both together as they are kept, masked, `blake3:…`.
    pub digest: String,
    /// The bytes of the head.
    pub head: u64,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names (lower case) and values, masked.
    pub headers: Vec<(String, String)>,
    /// The redirects that led to it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// The body, as it came.
    pub body: Stream,
    /// From the request to the end of the body.
    pub latency_ms: f64,
    /// The address that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// An answer that led elsewhere and was followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Redirect {
    /// Its status code.
    pub status: u16,
    /// Where it led: a URL without its query.
    pub to: String,
}

/// How an answer was waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waited {
    /// How often it was asked for, at least once.
    pub asked: u32,
    /// What came last that was not what came in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// What a reader made of a tool's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// They were read.
    Results(Results),
    /// They could not be, and why.
    Unreadable(String),
    /// Reading them came to no end, and why: that is no fault of theirs.
    CannotTell(String),
}

/// A tool's results in figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// How many passed, failed and were skipped, where the tool counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How many findings (vulnerabilities, lint errors), where the tool looks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<u64>,
    /// Named figures, each in the unit that its name says. What is no finite number was not measured, and is not kept.
    #[serde(
        default,
        skip_serializing_if = "none_finite",
        serialize_with = "finite_only"
    )]
    pub measures: BTreeMap<String, f64>,
    /// Names of the first results that failed, or of the first findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

impl Results {
    /// The number of names that [`Results::failures`] holds at most.
    pub const NAMED: usize = 20;

    /// Every figure by its name: the measures, the counts (`passed`, `failed`, `skipped`, `total`) and the `findings`.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut figures = self.measures.clone();
        let counts = self.counts.iter().flat_map(|counts| {
            [
                ("passed", counts.passed),
                ("failed", counts.failed),
                ("skipped", counts.skipped),
                ("total", counts.total()),
            ]
        });
        let findings = self.findings.iter().map(|found| ("findings", *found));
        for (name, figure) in counts.chain(findings) {
            figures.entry(name.to_string()).or_insert(figure as f64);
        }
        figures.retain(|_, figure| figure.is_finite());
        figures
    }

    /// Results that are counts, with the names of those that failed.
    pub fn counted(counts: Counts, failures: Vec<String>) -> Results {
        Results {
            counts: Some(counts),
            failures,
            ..Results::default()
        }
    }
}

/// JSON has no NaN: it would come out as null, and the report could not be read again.
fn finite_only<S: Serializer>(
    measures: &BTreeMap<String, f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(measures.iter().filter(|(_, figure)| figure.is_finite()))
}

fn none_finite(measures: &BTreeMap<String, f64>) -> bool {
    !measures.values().any(|figure| figure.is_finite())
}

/// Results, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// They held.
    pub passed: u64,
    /// They did not.
    pub failed: u64,
    /// Nobody knows.
    pub skipped: u64,
}

impl Counts {
    /// All three together.
    pub fn total(&self) -> u64 {
        self.passed
            .saturating_add(self.failed)
            .saturating_add(self.skipped)
    }
}
