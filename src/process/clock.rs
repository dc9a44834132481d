//! Time that stands still while this process is stopped by Ctrl-Z, so that no time limit runs out meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was lost to stops so far, and since when the present one lasts.
static STOPPED: Mutex<Stopped> = Mutex::new(Stopped {
    lost: Duration::ZERO,
    since: None,
});

struct Stopped {
    lost: Duration,
    since: Option<Instant>,
}

/// The present moment on the clock that stands still. Only to be compared with others of it.
pub(super) fn now() -> Instant {
    let stopped = STOPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let now = stopped.since.unwrap_or_else(Instant::now);
    now.checked_sub(stopped.lost).unwrap_or(now)
}

/// Stops the clock.
#[cfg(unix)]
pub(super) fn stop() {
    let mut stopped = STOPPED.lock().unwrap_or_else(PoisonError::into_inner);
    stopped.since.get_or_insert_with(Instant::now);
}

/// Lets the clock go on where it stopped.
#[cfg(unix)]
pub(super) fn go_on() {
    let mut stopped = STOPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(since) = stopped.since.take() {
        stopped.lost += since.elapsed();
    }
}

/// Measures time on that clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// From now on.
    pub fn start() -> Clock {
        Clock(now())
    }

    /// How long ago that was.
    pub fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.0)
    }

    /// Waits until `limit` has passed since the start.
    pub async fn reach(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}
