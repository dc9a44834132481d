//! The line of a service's log that says that it is healthy, found while the log is written.

use std::sync::{Mutex, PoisonError};

use regex::bytes::Regex;

/// A line of output that is longer is searched piece by piece.
const LINE_AT_MOST: usize = 64 << 10;

/// Searches each line of a service's output for the one that says that it is healthy.
pub(super) struct LogWatch {
    pattern: Option<Regex>,
    state: Mutex<(bool, [Vec<u8>; 2])>,
}

impl LogWatch {
    pub(super) fn new(pattern: &str) -> LogWatch {
        LogWatch {
            // It compiled when the manifest was read.
            pattern: Regex::new(pattern).ok(),
            state: Mutex::default(),
        }
    }

    pub(super) fn seen(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn hear(&self, err: bool, chunk: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, lines) = &mut *state;
        let (Some(pattern), false) = (&self.pattern, *seen) else {
            return;
        };
        let line = &mut lines[usize::from(err)];
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            let whole = line.ends_with(b"\n");
            // One that has not ended yet may go on to say something else.
            if whole || line.len() > LINE_AT_MOST {
                *seen |= pattern.is_match(line.trim_ascii_end());
                line.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_however_it_is_cut() {
        let text = b"starting\r\nINFO ready to serve on 8000\r\nmore\n";
        for size in 1..=text.len() {
            let watch = LogWatch::new("^INFO ready");
            text.chunks(size).for_each(|chunk| watch.hear(false, chunk));
            assert!(watch.seen(), "in pieces of {size}");
        }
        let watch = LogWatch::new("^ready$");
        watch.hear(false, b"rea");
        watch.hear(true, b"dy\n");
        assert!(!watch.seen(), "the two streams are not one");
        watch.hear(false, b"dy");
        assert!(!watch.seen(), "it may go on");
        watch.hear(false, b"\n");
        assert!(watch.seen());
    }
}
