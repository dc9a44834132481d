//! Changes inputs at random: bytes, pieces, words of other seeds, and what breaks readers most.

/// Makes inputs out of seeds. The numbers are those of xorshift64* (Vigna, 2016): the same for the same start.
pub(crate) struct Mutator<'s> {
    state: u64,
    seeds: &'s [Vec<u8>],
}

/// What lies at the borders of what readers expect.
const ODD: [&[u8]; 30] = [
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n\n\n",
    b"-1",
    b"0",
    b"18446744073709551616",
    b"1e999",
    b"-0.0",
    b"99999999999999999999999999999999999",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b"]]>",
    b"&lt;",
    b"\\u0000",
    b"\x1b[8m",
    b"\x1b]0;",
    b"null",
    b"\xe2\x80\xae",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
    b"100%",
    b"..",
];
/// The longest input (bytes).
const LONGEST: usize = 64 * 1024;

impl<'s> Mutator<'s> {
    pub(crate) fn new(start: u64, seeds: &'s [Vec<u8>]) -> Mutator<'s> {
        assert!(!seeds.is_empty() && seeds.iter().all(|seed| !seed.is_empty()));
        Mutator {
            state: start | 1,
            seeds,
        }
    }

    fn number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound.max(1) as u64) as usize
    }

    /// A piece of some seed.
    fn piece(&mut self) -> &'s [u8] {
        let seeds = self.seeds;
        let seed = &seeds[self.below(seeds.len())];
        let from = self.below(seed.len());
        let length = 1 + self.below(64.min(seed.len() - from));
        &seed[from..from + length.min(seed.len() - from)]
    }

    /// The next input.
    pub(crate) fn next_input(&mut self) -> Vec<u8> {
        let seeds = self.seeds;
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..1 + self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let length = self.below(32.min(input.len() - at) + 1);
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.number() as u8,
            2 => drop(input.drain(at..at + length)),
            3 => input.truncate(at),
            4 => {
                let again = input[at..at + length].repeat(1 + self.below(8));
                input.splice(at..at, again);
            }
            5 => {
                let piece = self.piece();
                input.splice(at..at + length, piece.iter().copied());
            }
            6 => {
                let piece = self.piece();
                input.splice(at..at, piece.iter().copied());
            }
            7 => {
                // A whole line is taken out or doubled: many formats are read by lines.
                let start = input[..at]
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1);
                let end = input[at..]
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(input.len(), |end| at + end + 1);
                let line = input[start..end].to_vec();
                match self.below(2) {
                    0 => drop(input.drain(start..end)),
                    _ => drop(input.splice(start..start, line)),
                }
            }
            _ => {
                let odd = ODD[self.below(ODD.len())];
                input.splice(at..at + length, odd.iter().copied());
            }
        }
    }
}
