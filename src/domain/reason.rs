//! Why a check was judged as it was: one closed list of codes for every verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A code for machines and a sentence for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Which of the closed list.
    pub code: Code,
    /// What was seen, in words.
    pub text: String,
}

impl Reason {
    /// A reason of that code with its sentence.
    pub fn new(code: Code, text: impl Into<String>) -> Reason {
        Reason {
            code,
            text: text.into(),
        }
    }
}

/// Every reason code, by the verdict that it belongs to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Verified: every expectation held.
    Held,

    /// Partial: some results failed.
    SomeFailed,
    /// Partial: none failed, some were skipped or are missing.
    SomeSkipped,
    /// Partial: it held only on a later attempt.
    Flaky,

    /// Failed: the exit status is not the expected one.
    ExitStatus,
    /// Failed: a signal that `ready` did not send ended it.
    Killed,
    /// Failed: it outlived its own time limit.
    TimedOut,
    /// Failed: it could not be started as declared (no such directory, not executable, a directory).
    CannotStart,
    /// Failed: an expectation on output, answer, file or value did not hold.
    Expectation,
    /// Failed: every result failed.
    AllFailed,
    /// Failed: exit status and results say different things.
    Contradiction,
    /// Failed: a scanner found something.
    Findings,
    /// Failed: a measured figure is out of its bounds.
    Limits,
    /// Failed: no such file.
    Absent,
    /// Failed: the variable is not set.
    Unset,
    /// Failed: the variable holds a placeholder.
    Placeholder,
    /// Failed: the connection was refused or reset.
    Unreachable,
    /// Failed: the server's certificate is not valid.
    Certificate,
    /// Failed: a service that it needs ran and died, or never got healthy.
    ServiceFailed,

    /// Unverified: a program or interpreter is not on this machine.
    ToolMissing,
    /// Unverified: it is declared for other operating systems.
    WrongPlatform,
    /// Unverified: something that it needs does not hold.
    NeedsFailed,
    /// Unverified: it ended, but nothing ran.
    NoResults,
    /// Unverified: the tool says that it could not do its work.
    CannotTell,
    /// Unverified: the result file does not parse or is older than the run.
    Unreadable,
    /// Unverified: it was not run.
    NotRun,
    /// Unverified: the evidence is too old or is about something else.
    Stale,
    /// Unverified: it was stopped before it ended.
    Interrupted,
    /// Unverified: another program holds the port.
    PortTaken,
    /// Unverified: only a person's word stands for it.
    Attested,
}

impl Code {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Code::Held => "held",
            Code::SomeFailed => "some-failed",
            Code::SomeSkipped => "some-skipped",
            Code::Flaky => "flaky",
            Code::ExitStatus => "exit-status",
            Code::Killed => "killed",
            Code::TimedOut => "timed-out",
            Code::CannotStart => "cannot-start",
            Code::Expectation => "expectation",
            Code::AllFailed => "all-failed",
            Code::Contradiction => "contradiction",
            Code::Findings => "findings",
            Code::Limits => "limits",
            Code::Absent => "absent",
            Code::Unset => "unset",
            Code::Placeholder => "placeholder",
            Code::Unreachable => "unreachable",
            Code::Certificate => "certificate",
            Code::ServiceFailed => "service-failed",
            Code::ToolMissing => "tool-missing",
            Code::WrongPlatform => "wrong-platform",
            Code::NeedsFailed => "needs-failed",
            Code::NoResults => "no-results",
            Code::CannotTell => "cannot-tell",
            Code::Unreadable => "unreadable",
            Code::NotRun => "not-run",
            Code::Stale => "stale",
            Code::Interrupted => "interrupted",
            Code::PortTaken => "port-taken",
            Code::Attested => "attested",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_one_in_json() {
        for code in [
            Code::Held,
            Code::SomeFailed,
            Code::ToolMissing,
            Code::WrongPlatform,
            Code::PortTaken,
            Code::CannotTell,
        ] {
            assert_eq!(serde_json::to_value(code).ok(), Some(code.word().into()));
        }
    }
}
