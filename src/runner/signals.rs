//! The thread that serves signals, timers and HTTP: one small runtime beside the threads that run programs.

use std::time::Duration;

use tokio::runtime::Handle;

use super::Stopping;
use crate::process::{self, Cancel};

/// The exit status of a run that was stopped at once.
const INTERRUPTED: i32 = 130;

/// Starts the thread. The first signal to end tells `cancel` once, the second once more; the third ends this process. So
/// does, once, the end of the time that the run has.
///
/// # Errors
/// The system gives no thread or no descriptors.
pub fn serve(
    cancel: &Cancel,
    limit: Option<Duration>,
    told: impl Fn(Stopping) + Send + 'static,
) -> std::io::Result<Handle> {
    descriptors_are_left()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let handle = runtime.handle().clone();
    let cancel = cancel.clone();
    let signals = {
        let _entered = runtime.enter();
        hear_of_children()?;
        Signals::listen()?
    };
    std::thread::Builder::new()
        .name("signals".to_string())
        .spawn(move || {
            runtime.block_on(async move {
                let mut signals = signals;
                let clock = process::Clock::start();
                let out_of_time = async {
                    match limit {
                        Some(limit) => clock.reach(limit).await,
                        None => std::future::pending().await,
                    }
                };
                let mut out_of_time = std::pin::pin!(out_of_time);
                let mut in_time = true;
                loop {
                    let next = tokio::select! {
                        next = signals.next() => next,
                        () = &mut out_of_time, if in_time => {
                            in_time = false;
                            // A run that is being stopped needs no other word.
                            if cancel.told() == 0 {
                                // Said first: whoever sees the word can then see whose it is.
                                told(Stopping::OutOfTime);
                                cancel.tell();
                            }
                            continue;
                        }
                    };
                    match next {
                        Told::ToStop => {}
                        #[cfg(unix)]
                        Told::ToPause => {
                            stand_still().await;
                            continue;
                        }
                    }
                    match cancel.tell() {
                        times @ 1..=2 => told(Stopping::Told(times)),
                        _ => {
                            process::abandon();
                            std::process::exit(INTERRUPTED);
                        }
                    }
                }
            });
        })?;
    Ok(handle)
}

/// Where whoever started us ignores ends of children, the system would reap ours before we do, and their statuses would
/// be lost.
#[cfg(target_os = "linux")]
fn hear_of_children() -> std::io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let child = tokio::signal::unix::SignalKind::child();
    if ignored.unwrap_or(0) >> (child.as_raw_value() - 1) & 1 == 1 {
        // What is set stays set when the listener goes.
        drop(tokio::signal::unix::signal(child)?);
    }
    Ok(())
}

/// The runtime panics where it gets no pair of sockets for signals, so whether there are some is seen before.
#[cfg(unix)]
fn descriptors_are_left() -> std::io::Result<()> {
    let pair = std::os::unix::net::UnixStream::pair;
    // Its own five, and one more: held at once, then given back.
    let _held = [pair()?, pair()?, pair()?];
    Ok(())
}

#[cfg(not(unix))]
fn descriptors_are_left() -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn hear_of_children() -> std::io::Result<()> {
    Ok(())
}

/// What a signal says.
enum Told {
    /// To end.
    ToStop,
    /// To stand still until told to go on: Ctrl-Z.
    #[cfg(unix)]
    ToPause,
}

#[cfg(unix)]
struct Signals {
    to_stop: [tokio::signal::unix::Signal; 3],
    to_pause: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            to_stop: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
            to_pause: signal(SignalKind::from_raw(process::TO_PAUSE))?,
        })
    }

    async fn next(&mut self) -> Told {
        let [interrupt, terminate, hangup] = &mut self.to_stop;
        tokio::select! {
            _ = interrupt.recv() => Told::ToStop,
            _ = terminate.recv() => Told::ToStop,
            _ = hangup.recv() => Told::ToStop,
            _ = self.to_pause.recv() => Told::ToPause,
        }
    }
}

/// Stops everything until this process is told to go on.
#[cfg(unix)]
async fn stand_still() {
    use tokio::signal::unix::{SignalKind, signal};
    // Listened to from now on: an earlier one is not the answer to this stop.
    if let Ok(mut to_go_on) = signal(SignalKind::from_raw(process::TO_GO_ON)) {
        process::pause();
        to_go_on.recv().await;
        process::go_on();
    }
}

#[cfg(windows)]
struct Signals;

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) -> Told {
        // Where the console gives no word, none will come.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Told::ToStop
    }
}
