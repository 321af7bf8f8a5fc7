//! What the variables say, as far as the options given leave it to them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};

/// Between the values of a list in a variable. An option's value is one as it is: what names a
/// file may have a comma.
pub(super) const SEPARATOR: char = ',';

/// The definition for these arguments: where an option is given, the variable of one that it
/// excludes is not read, and where a list is left to its variable, that is split.
pub(super) fn with_variables(definition: Command, arguments: &[OsString]) -> Command {
    let ours = || arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let Some(name) =
        ours().find_map(|word| definition.find_subcommand(word)).map(|c| c.get_name().to_owned())
    else {
        return definition;
    };
    let is_given = |arg: &Arg| ours().any(|word| names(arg, word.as_bytes()));
    definition.mut_subcommand(name, |command| {
        let excluded: Vec<_> = command
            .get_arguments()
            .filter(|arg| is_given(arg))
            .flat_map(|arg| excluded_by(&command, arg))
            .collect();
        command.mut_args(|arg| {
            if is_given(&arg) {
                return arg;
            }
            if excluded.contains(&arg.get_id().to_string()) {
                return arg.env(Resettable::Reset);
            }
            let is_list = matches!(arg.get_action(), ArgAction::Append) && arg.get_env().is_some();
            if is_list { arg.value_delimiter(SEPARATOR) } else { arg }
        })
    })
}

/// The options that exclude this one, or that it excludes, by id.
fn excluded_by(command: &Command, arg: &Arg) -> Vec<String> {
    let ids = |arg: &Arg| -> Vec<String> {
        command.get_arg_conflicts_with(arg).into_iter().map(|other| other.get_id().to_string()).collect()
    };
    let own = ids(arg).into_iter();
    let others = command.get_arguments().filter(|other| ids(other).contains(&arg.get_id().to_string()));
    own.chain(others.map(|other| other.get_id().to_string())).collect()
}

fn names(arg: &Arg, word: &[u8]) -> bool {
    let long = arg.get_long().is_some_and(|long| {
        word.strip_prefix(b"--")
            .and_then(|rest| rest.strip_prefix(long.as_bytes()))
            .is_some_and(|rest| matches!(rest, [] | [b'=', ..]))
    });
    let short = || {
        arg.get_short().is_some_and(|short| {
            matches!(word, [b'-', first, ..] if *first != b'-' && u32::from(*first) == u32::from(short))
        })
    };
    long || short()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("x").subcommand(
            Command::new("do")
                .arg(
                    Arg::new("key")
                        .long("key")
                        .env("X_KEY")
                        .action(ArgAction::Append)
                        .conflicts_with("policy"),
                )
                .arg(Arg::new("policy").long("policy").env("X_POLICY"))
                .arg(Arg::new("rest").last(true).num_args(0..)),
        )
    }

    fn of(arguments: &[&str], id: &str) -> (bool, Option<char>) {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        let definition = with_variables(command(), &arguments);
        let arg =
            definition.find_subcommand("do").unwrap().get_arguments().find(|arg| arg.get_id() == id).unwrap();
        (arg.get_env().is_some(), arg.get_value_delimiter())
    }

    #[test]
    fn the_option_wins_over_variables() {
        assert_eq!(of(&["x", "do"], "policy"), (true, None));
        assert_eq!(of(&["x", "do"], "key"), (true, Some(',')));
        for given in [&["x", "do", "--key", "a"][..], &["x", "do", "--key=a,b"]] {
            assert_eq!(of(given, "policy"), (false, None), "{given:?}");
            assert_eq!(of(given, "key"), (true, None), "{given:?}");
        }
        assert!(!of(&["x", "do", "--policy", "p"], "key").0);
        assert!(of(&["x", "do", "--", "--key"], "policy").0);
    }
}
