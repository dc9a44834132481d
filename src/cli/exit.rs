//! The exit statuses, in one table.

use std::process::ExitCode;

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: the gate is open, or the verb only prints and did.
    Open,
    /// 1: the gate is closed, or a selected check does not hold.
    Closed,
    /// 2: the command line or the manifest is wrong.
    Usage,
    /// 3: `ready` itself could not do its work.
    Broken,
    /// 130: a person or a signal stopped it.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Exit::Open => 0,
            Exit::Closed => 1,
            Exit::Usage => 2,
            Exit::Broken => 3,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}
