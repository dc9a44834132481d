//! What happens in a run, as it happens: the one stream that joins the runner and whoever shows progress.

use std::time::Duration;

use super::reason::Reason;
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
    /// Something happened to a service, named by its place in the project.
    Service {
        /// Which.
        service: usize,
        /// What.
        now: ServiceNow,
    },
    /// The run was told to stop; how often.
    Stopping {
        /// How often it was told.
        told: u8,
    },
    /// The run outlived its time limit.
    OutOfTime,
}

/// What happened to a service.
#[derive(Clone, Debug)]
pub enum ServiceNow {
    /// It is being started.
    Starting,
    /// It is healthy: on that port, after that time.
    Healthy(Option<u16>, Duration),
    /// It is not: it could not be started, or ended, or was not healthy in time.
    Down(Reason),
    /// It is asked to end.
    Stopping,
    /// It has ended as it was asked to.
    Stopped,
}
