//! What happens in a run, as it happens: the one stream that joins the runner and whoever shows progress.

use std::time::Duration;

use super::verdict::Judgement;

/// Something that happened. Checks are named by their place in the project.
#[derive(Clone, Debug)]
pub enum Event {
    /// A check began.
    Started {
        /// Which.
        check: usize,
        /// The 1-based slot that it runs on.
        slot: u32,
    },
    /// A check got its verdict.
    Finished {
        /// Which.
        check: usize,
        /// The slot that it ran on; none where it was not started.
        slot: Option<u32>,
        /// What came of it.
        judgement: Box<Judgement>,
        /// How long it took.
        took: Duration,
    },
    /// The run was told to stop; how often.
    Stopping {
        /// How often it was told.
        told: u8,
    },
}
