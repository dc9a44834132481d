//! The thread that serves signals, timers and HTTP: one small runtime beside the threads that run programs.

use tokio::runtime::Handle;

use crate::process::Cancel;

/// The exit status of a run that was stopped at once.
const INTERRUPTED: i32 = 130;

/// Starts the thread. The first signal to end tells `cancel` once, the second once more; the third ends this process.
///
/// # Errors
/// The system gives no thread or no descriptors.
pub fn serve(cancel: &Cancel, told: impl Fn(u8) + Send + 'static) -> std::io::Result<Handle> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let handle = runtime.handle().clone();
    let cancel = cancel.clone();
    let signals = {
        let _entered = runtime.enter();
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
                        _ => std::process::exit(INTERRUPTED),
                    }
                }
            });
        })?;
    Ok(handle)
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
