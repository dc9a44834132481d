//! Claims out of documents: how many of those that people see are found, and that nothing which anybody writes does harm.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod documents;
mod verb;

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "other test programs use the rest"
)]
#[path = "../support/mod.rs"]
mod support;
