//! The `ready` program.

fn main() {}
