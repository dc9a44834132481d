//! The word to stop, as something that a thread can poll beside pipes and a future can wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// Told once: end politely. Told twice: end at once.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    told: AtomicU8,
    watch: watch::Sender<u8>,
    #[cfg(unix)]
    pipes: [Pipe; 2],
}

/// A pipe whose reading end becomes readable for good once a byte is written.
#[cfg(unix)]
#[derive(Debug)]
struct Pipe {
    read: std::os::fd::OwnedFd,
    write: std::os::fd::OwnedFd,
}

impl Cancel {
    /// A word not yet given.
    ///
    /// # Errors
    /// The system gives no more descriptors.
    pub fn new() -> std::io::Result<Cancel> {
        #[cfg(unix)]
        let pipe = || -> std::io::Result<Pipe> {
            let (read, write) = std::io::pipe()?;
            Ok(Pipe {
                read: read.into(),
                write: write.into(),
            })
        };
        Ok(Cancel(Arc::new(Inner {
            told: AtomicU8::new(0),
            watch: watch::Sender::new(0),
            #[cfg(unix)]
            pipes: [pipe()?, pipe()?],
        })))
    }

    /// Gives the word once more; returns how often it was given.
    pub fn tell(&self) -> u8 {
        let before = self.0.told.fetch_add(1, Ordering::SeqCst);
        #[cfg(unix)]
        if let Some(pipe) = self.0.pipes.get(usize::from(before)) {
            // The pipe is empty and both ends are ours: one byte always fits.
            let _ = rustix::io::write(&pipe.write, b"x");
        }
        self.0.watch.send_replace(before + 1);
        before + 1
    }

    /// How often the word was given.
    pub fn told(&self) -> u8 {
        self.0.told.load(Ordering::SeqCst)
    }

    /// Waits until the word was given.
    pub async fn wait(&self) {
        let mut receiver = self.0.watch.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|told| *told > 0).await;
    }

    /// What becomes readable with the first (0) or the second (1) word.
    #[cfg(unix)]
    pub(super) fn fd(&self, word: usize) -> std::os::fd::BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.0.pipes[word].read.as_fd()
    }
}
