//! `tally`: counts the words of standard input.

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut out = io::stdout().lock();
    for (word, count) in tally::tally(&text) {
        writeln!(out, "{count} {word}")?;
    }
    Ok(())
}
