//! What a command line is read by.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _};

use super::{Cli, unset};

/// Every command and option, as `--help` tells them; the reference is made of it.
pub fn definition() -> Command {
    Cli::command().mut_args(quiet).mut_subcommands(|command| command.mut_args(quiet))
}

/// A variable's value is told by nobody, in no help either.
fn quiet(arg: Arg) -> Arg {
    arg.hide_env_values(true)
}

/// What a command line with these words is read by. Commands that none of them names are as they are
/// written: to go through all of them takes longer than the rest of a start.
pub(super) fn definition_for(arguments: &[OsString]) -> Command {
    let all = Cli::command();
    let is_named = |command: &&Command| arguments.iter().any(|word| *word == *command.get_name());
    let named: Vec<_> = all.get_subcommands().filter(is_named).map(|c| c.get_name().to_owned()).collect();
    let read = |arg| unset::without_empty(quiet(arg));
    let read_all = |all: Command, name| all.mut_subcommand(name, |command| command.mut_args(read));
    named.into_iter().fold(all.mut_args(read), read_all)
}
