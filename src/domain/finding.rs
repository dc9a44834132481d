//! What `lint` finds: a check that cannot fail or cannot matter, with its place.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something that looks like a check is none, or a gate can never open.
    Error,
    /// A part of it is none.
    Warning,
    /// Worth a look.
    Note,
}

impl Severity {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Something that cannot fail or cannot matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, relative to where the manifest's name is.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Which rule: a word that stays the same.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The check that it is about, where it is about one.
    pub check: Option<String>,
    /// What it is and why it matters.
    pub text: String,
    /// What to do.
    pub hint: String,
}
