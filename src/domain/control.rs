//! A control: a violation that must make a check fail. What it changes, and what is seen of it.

use std::collections::BTreeMap;

use super::check::Probe;

/// A declared violation, resolved. It is laid over a copy of the project, never over the project itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// File, relative to the manifest → what it holds then.
    pub files: BTreeMap<String, String>,
    /// A unified diff, with paths relative to the manifest.
    pub patch: Option<String>,
    /// What is added to the environment of the check's program.
    pub env: BTreeMap<String, String>,
    /// How the check looks then, where that differs: with other parameters, or with another program.
    pub probe: Option<Box<Probe>>,
    /// The working directory then, where that differs.
    pub cwd: Option<String>,
    /// What is seen in the evidence where the check fails for the violation and nothing else.
    pub signal: String,
}
