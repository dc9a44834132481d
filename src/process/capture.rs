//! What is kept of a stream: its head and its tail, its length, and the digest of all of it. Flat memory, however much
//! comes.

use std::collections::VecDeque;

/// How many bytes of a stream are kept in memory.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// From its beginning.
    pub head: usize,
    /// From its end.
    pub tail: usize,
}

impl Keep {
    /// Enough to show to a person.
    pub const TO_SHOW: Keep = Keep {
        head: 64 << 10,
        tail: 64 << 10,
    };
    /// Enough for a reader or an expectation that needs all of it.
    pub const TO_READ: Keep = Keep {
        head: 16 << 20,
        tail: 64 << 10,
    };
}

/// A stream, raw, while it is read and after.
#[derive(Debug)]
pub struct Captured {
    /// How many bytes came.
    pub bytes: u64,
    /// The first of them.
    pub head: Vec<u8>,
    tail: VecDeque<u8>,
    keep: Keep,
    hasher: Box<blake3::Hasher>,
}

impl Captured {
    /// A stream of which nothing came yet.
    pub fn new(keep: Keep) -> Captured {
        Captured {
            bytes: 0,
            head: vec![],
            tail: VecDeque::new(),
            keep,
            hasher: Box::default(),
        }
    }

    /// Takes the next bytes in.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hasher.update(chunk);
        let (head, rest) = chunk.split_at(chunk.len().min(self.keep.head - self.head.len()));
        self.head.extend_from_slice(head);
        let last = &rest[rest.len().saturating_sub(self.keep.tail)..];
        let excess = (self.tail.len() + last.len()).saturating_sub(self.keep.tail);
        self.tail.drain(..excess);
        self.tail.extend(last);
    }

    /// Whether something between head and tail was dropped.
    pub fn truncated(&self) -> bool {
        self.bytes > (self.head.len() + self.tail.len()) as u64
    }

    /// The last bytes that are not in `head`.
    pub fn tail(&self) -> Vec<u8> {
        self.tail.iter().copied().collect()
    }

    /// Head and tail in one; all of it where nothing was dropped.
    pub fn kept(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.tail()].concat()
    }

    /// The digest of all bytes, `blake3:…`.
    pub fn digest(&self) -> String {
        format!("blake3:{}", self.hasher.finalize().to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_tail_length_and_digest_are_those_of_the_whole() {
        let all = (0..1000u32)
            .flat_map(|n| n.to_le_bytes())
            .collect::<Vec<_>>();
        for chunk in [1, 3, 64, 100, 4000] {
            let mut captured = Captured::new(Keep {
                head: 100,
                tail: 60,
            });
            all.chunks(chunk).for_each(|chunk| captured.push(chunk));
            assert_eq!(captured.bytes, 4000);
            assert_eq!(captured.head, all[..100]);
            assert_eq!(captured.tail(), all[3940..]);
            assert_eq!(
                captured.digest(),
                format!("blake3:{}", blake3::hash(&all).to_hex())
            );
            assert!(captured.truncated());
        }
    }

    #[test]
    fn what_fits_is_whole() {
        for length in 0..=160usize {
            let all = vec![7u8; length];
            let mut captured = Captured::new(Keep {
                head: 100,
                tail: 60,
            });
            all.chunks(7).for_each(|chunk| captured.push(chunk));
            assert!(!captured.truncated());
            assert_eq!(captured.kept(), all);
        }
    }
}
