//! `argo-attest completion`.

use clap::{Args, ValueEnum};
use clap_complete::{generate, shells};

use super::{Exit, Failure, definition, print};

const EXAMPLE: &str = "\
Examples:
  source <(argo-attest completion bash)
  argo-attest completion zsh > \"${fpath[1]}/_argo-attest\"
  argo-attest completion fish > ~/.config/fish/completions/argo-attest.fish";

/// Prints what a shell needs to complete commands and options
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct CompletionArgs {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub(super) fn completion(args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut program = definition();
    let name = program.get_name().to_owned();
    // The generator panics where it cannot write: so into memory, first.
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => generate(shells::Bash, &mut program, name, &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut program, name, &mut script),
        Shell::Fish => generate(shells::Fish, &mut program, name, &mut script),
    }
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
