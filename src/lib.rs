//! `ready`: a production-readiness gate. It runs the checks that a manifest declares, keeps what each one observed as
//! evidence, and sets what was verified beside what was claimed.
//!
//! Data runs one way, and the modules are the stations:
//!
//! ```text
//! manifest ── load, resolve ──▶ project ── run ──▶ evidence ── judge ──▶ report ── render ──▶ reader
//!                                                     │
//!                                                     └── append ──▶ ledger
//! ```
//!
//! | step | where |
//! | --- | --- |
//! | load and resolve `readiness.toml` and `checks/*.toml` | [`manifest`] |
//! | the types that everything speaks in, and every rule | [`domain`] (pure) |
//! | order the checks, run so many at once, tell what happens | [`runner`] |
//! | look: one file per kind of probe | [`probe`] |
//! | run a program: bounds, capture, nothing left behind | [`process`] |
//! | find what cannot fail or cannot matter, without running it | [`lint`] |
//! | show in a copy that checks can fail | [`prove`] |
//! | results into figures: one file per format | [`reader`] |
//! | evidence into verdicts, scores, gates | [`domain::verdict`], [`domain::score`], [`domain::gate`] |
//! | all of it in one report | [`domain::assess`], [`domain::report`] |
//! | Markdown documents into claims | [`claims`] |
//! | append and look up | [`ledger`] |
//! | the report for people and machines: one file per output | [`reporter`] |
//! | the command line: one file per verb | [`cli`] |
//!
//! Beside them: [`mask`] takes secrets out, [`sanitise`] makes foreign text safe to print, [`tree`] tells which files
//! the evidence is about.

// `unsafe` is for one file of Windows.
#![cfg_attr(not(windows), forbid(unsafe_code))]

pub mod claims;
pub mod cli;

pub mod domain;
pub mod ledger;
pub mod lint;
pub mod manifest;
pub mod mask;
pub mod probe;
pub mod process;
pub mod prove;
pub mod reader;
pub mod reporter;
pub mod runner;
pub mod sanitise;
pub mod tree;
