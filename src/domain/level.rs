//! How strong a piece of evidence is, and how high a score each strength may carry a component.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The strength of evidence, weakest first, so that `>=` reads as "at least as strong as".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A person says so.
    Attested,
    /// A file, tool or variable is there; a port is free.
    Present,
    /// A file's content is as expected; a port listens.
    Wired,
    /// Judged by an exit status or an HTTP status alone, or by a static validation.
    Validated,
    /// It was run and its results were counted or read.
    Exercised,
}

impl Level {
    /// Every level, strongest first.
    pub const ALL: [Level; 5] = [
        Level::Exercised,
        Level::Validated,
        Level::Wired,
        Level::Present,
        Level::Attested,
    ];

    /// The word in manifests and reports.
    pub fn word(self) -> &'static str {
        match self {
            Level::Exercised => "exercised",
            Level::Validated => "validated",
            Level::Wired => "wired",
            Level::Present => "present",
            Level::Attested => "attested",
        }
    }

    /// The level of that name.
    pub fn parse(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.word() == word)
    }

    /// What would lift evidence above this level, as advice to a person.
    pub fn lift(self) -> &'static str {
        match self {
            Level::Exercised => "nothing: this is the strongest evidence",
            Level::Validated => {
                "a check that counts results or reads the answer's body (a reader, limits, `expect.json`)"
            }
            Level::Wired => "a check that runs it (`run`, `http`)",
            Level::Present => "a check of its content, or one that runs it",
            Level::Attested => "a check that a machine can run",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The highest score, in percent, that evidence of each level may carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caps {
    /// Percent for [`Level::Exercised`].
    pub exercised: f64,
    /// Percent for [`Level::Validated`].
    pub validated: f64,
    /// Percent for [`Level::Wired`].
    pub wired: f64,
    /// Percent for [`Level::Present`].
    pub present: f64,
}

impl Default for Caps {
    fn default() -> Self {
        Caps {
            exercised: 100.0,
            validated: 75.0,
            wired: 50.0,
            present: 25.0,
        }
    }
}

impl Caps {
    /// These, each no higher than it may be: a report from a file may say anything.
    pub fn within_bounds(&self) -> Caps {
        let most = Caps::default();
        Caps {
            exercised: self.exercised.clamp(0.0, most.exercised),
            validated: self.validated.clamp(0.0, most.validated),
            wired: self.wired.clamp(0.0, most.wired),
            present: self.present.clamp(0.0, most.present),
        }
    }

    /// The cap of a level in percent; attested evidence carries nothing.
    pub fn percent(&self, level: Level) -> f64 {
        match level {
            Level::Exercised => self.exercised,
            Level::Validated => self.validated,
            Level::Wired => self.wired,
            Level::Present => self.present,
            Level::Attested => 0.0,
        }
    }
}
