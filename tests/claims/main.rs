//! Claims out of documents: how many of those that people see are found, and that nothing which anybody writes does harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod documents;
