//! The thread that serves signals, timers and HTTP: one small runtime beside the threads that run programs.

use tokio::runtime::Handle;

use crate::process::{self, Cancel};

/// The exit status of a run that was stopped at once.
const INTERRUPTED: i32 = 130;

/// Starts the thread. The first signal to end tells `cancel` once, the second once more; the third ends this process.
///
/// # Errors
/// The system gives no thread or no descriptors.
pub fn serve(cancel: &Cancel, told: impl Fn(u8) + Send + 'static) -> std::io::Result<Handle> {
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
                loop {
                    signals.next().await;
                    match cancel.tell() {
                        1 => told(1),
                        2 => told(2),
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

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals;

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Where the console gives no word, none will come.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
