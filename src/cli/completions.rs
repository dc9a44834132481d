//! `ready completions SHELL`.

use anyhow::Result;
use clap::Args;
use clap_complete::Shell;

use super::{Exit, written};

/// Print the completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ready completions bash > ~/.local/share/bash-completion/completions/ready
  ready completions zsh > ~/.zfunc/_ready
  ready completions fish > ~/.config/fish/completions/ready.fish")]
pub(super) struct Options {
    /// The shell
    shell: Shell,
}

pub(super) fn run(options: &Options, command: &mut clap::Command) -> Result<Exit> {
    let mut text = vec![];
    clap_complete::generate(options.shell, command, "ready", &mut text);
    written(&[&text])?;
    Ok(Exit::Open)
}
