//! The first look at what was given, before clap sees it.
//!
//! A key given by value where a path, a name or a number is meant would be repeated: by
//! clap, which quotes what it does not understand, and by whoever cannot open it. So it is
//! looked for first, in every argument and in every variable that would be read, and
//! refused by the name of its option.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use argo_attest_core::secret::{KeyMaterial, is_private_key};
use clap::builder::Resettable;
use clap::{Arg, Command};

use super::{Exit, Failure};

/// What is left of a command line.
pub(super) struct Screened {
    /// The options, those without a variable to be read from that holds a key.
    pub(super) definition: Command,
    /// The arguments that are no keys.
    pub(super) arguments: Vec<OsString>,
    /// Which option or variable was given a key, if one was.
    pub(super) refused: Option<Failure>,
}

/// An option, argument or variable that was given a key.
struct Misplaced {
    what: String,
    /// What it takes instead, if it is one that there is.
    takes: Option<String>,
    takes_key: bool,
    material: KeyMaterial,
}

/// Looks through arguments, the first of which is the program's name, and the environment.
pub(super) fn screen(
    mut definition: Command,
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&OsStr) -> Option<OsString>,
) -> Screened {
    let mut walk = Walk {
        root: &definition,
        command: &definition,
        kept: Vec::new(),
        given: Vec::new(),
        found: Vec::new(),
    };
    let mut arguments = arguments.into_iter();
    walk.kept.extend(arguments.next());
    walk.arguments(arguments);
    let unread = walk.variables(variable);
    let Walk { command, kept, found, .. } = walk;
    let command = command.get_name().to_owned();
    for id in unread {
        let unset = |arg: Arg| arg.env(Resettable::Reset);
        // Of the root, if it is a global option.
        definition = if definition.get_arguments().any(|arg| arg.get_id() == id.as_str()) {
            definition.mut_arg(id, unset)
        } else {
            definition.mut_subcommand(&command, |command| command.mut_arg(id, unset))
        };
    }
    Screened { definition, arguments: kept, refused: refusal(&found) }
}

/// What is known at a place of the command line.
struct Walk<'a> {
    root: &'a Command,
    command: &'a Command,
    kept: Vec<OsString>,
    /// The options that were given, by id: their variables are not read.
    given: Vec<String>,
    found: Vec<Misplaced>,
}

impl<'a> Walk<'a> {
    fn arguments(&mut self, mut arguments: impl Iterator<Item = OsString>) {
        while let Some(argument) = arguments.next() {
            let bytes = argument.as_bytes();
            match bytes {
                b"--" if self.command.get_positionals().any(Arg::is_last_set) => {
                    self.kept.push(argument);
                    self.command_of_its_own(arguments);
                    return;
                }
                b"--" => {
                    self.kept.push(argument);
                    arguments.by_ref().for_each(|argument| self.positional(argument));
                }
                [b'-', b'-', named @ ..] => {
                    let (name, value) = split(named);
                    let option =
                        self.option(|arg| arg.get_long().is_some_and(|long| long.as_bytes() == name));
                    let parts = [named, value.unwrap_or_default()];
                    self.named(option, &argument, &parts, value.is_some(), &mut arguments);
                }
                [b'-', flags @ ..] if !flags.is_empty() => {
                    let option = self
                        .option(|arg| arg.get_short().map(u32::from) == flags.first().map(|b| u32::from(*b)));
                    let value = flags.get(1..).unwrap_or_default();
                    let parts = [flags, value, split(value).1.unwrap_or_default()];
                    self.named(option, &argument, &parts, !value.is_empty(), &mut arguments);
                }
                _ => self.positional(argument),
            }
        }
    }

    /// A command to be run as it is, whatever may be a key in it: that is its own affair.
    /// But all of it is stated, for everybody to read.
    fn command_of_its_own(&mut self, words: impl Iterator<Item = OsString>) {
        for (n, word) in words.enumerate() {
            if is_private_key(word.as_bytes()) {
                let what = match n {
                    0 => "the command".to_owned(),
                    n => format!("the command's argument {n}"),
                };
                let takes =
                    Some("no private key: the command line is in the statement that is signed".into());
                self.found.push(Misplaced { what, takes, takes_key: false, material: KeyMaterial::Evident });
            }
            self.kept.push(word);
        }
    }

    fn option(&self, is: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        self.command.get_arguments().chain(self.root.get_arguments()).find(|arg| is(arg))
    }

    /// An option, with its value after `=` or in the argument that follows.
    fn named(
        &mut self,
        option: Option<&Arg>,
        argument: &OsString,
        parts: &[&[u8]],
        has_value: bool,
        rest: &mut impl Iterator<Item = OsString>,
    ) {
        let what = option.map_or_else(|| "an unknown option".to_owned(), name);
        let takes = option.map(takes);
        let takes_key = option.is_some_and(takes_key);
        self.given.extend(option.map(|arg| arg.get_id().to_string()));
        let follows =
            option.is_some_and(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set());
        let value = if follows && !has_value { rest.next() } else { None };
        let given = [argument.as_bytes()]
            .into_iter()
            .chain(parts.iter().copied())
            .chain(value.as_deref().map(OsStr::as_bytes));
        let of_others = option.is_some_and(|arg| {
            [parts.last().copied(), value.as_deref().map(OsStr::as_bytes)]
                .into_iter()
                .flatten()
                .any(|value| is_of_others(arg, value))
        });
        if let Some(material) = given.filter_map(misplaced).max().filter(|_| !of_others) {
            self.found.push(Misplaced { what, takes, takes_key, material });
        } else {
            self.kept.push(argument.clone());
            self.kept.extend(value);
        }
    }

    fn positional(&mut self, argument: OsString) {
        if let Some(command) = self.command.find_subcommand(&argument) {
            self.command = command;
            self.kept.push(argument);
            return;
        }
        let Some(material) = misplaced(argument.as_bytes()) else {
            self.kept.push(argument);
            return;
        };
        let positional = self.command.get_positionals().find(|arg| !arg.is_last_set());
        let (what, takes) = match positional {
            Some(arg) => (format!("the argument {}", value_name(arg)), Some(takes(arg))),
            None if self.command.has_subcommands() => ("the command's name".to_owned(), None),
            None => ("an argument".to_owned(), None),
        };
        self.found.push(Misplaced { what, takes, takes_key: false, material });
    }

    /// Variables that hold a key, and would be read: the ids of their options.
    fn variables(&mut self, variable: impl Fn(&OsStr) -> Option<OsString>) -> Vec<String> {
        let mut unread = Vec::new();
        for arg in self.command.get_arguments().chain(self.root.get_arguments()) {
            let id = arg.get_id().to_string();
            let Some(env) = arg.get_env().filter(|_| !self.given.contains(&id) && !unread.contains(&id))
            else {
                continue;
            };
            let Some(material) = variable(env)
                .filter(|value| !is_of_others(arg, value.as_bytes()))
                .and_then(|value| misplaced(value.as_bytes()))
            else {
                continue;
            };
            let what = env.to_string_lossy().into_owned();
            self.found.push(Misplaced { what, takes: Some(takes(arg)), takes_key: takes_key(arg), material });
            unread.push(id);
        }
        unread
    }
}

/// Whether it is a text that others wrote, a step's parameters or a pod's spec, which may
/// hold anything. It is read as such, and its reader quotes nothing.
fn is_of_others(arg: &Arg, value: &[u8]) -> bool {
    let begins = value.trim_ascii_start();
    match value_name(arg).as_str() {
        "JSON" => begins.first().is_some_and(|b| b"[{".contains(b)),
        "TEXT" => begins.starts_with(b"v1;"),
        _ => false,
    }
}

/// Whether a value is a key. What only may be one is none where it leads to something
/// that is there.
fn misplaced(value: &[u8]) -> Option<KeyMaterial> {
    KeyMaterial::of(value).filter(|material| *material == KeyMaterial::Evident || !leads_somewhere(value))
}

fn leads_somewhere(value: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(value));
    let root = usize::from(path.has_root());
    let first: std::path::PathBuf = path.components().take(root + 1).collect();
    // A name of one or two letters may be there by chance.
    let named = first.as_os_str().len() > root + 2 || matches!(first.as_os_str().as_bytes(), b"." | b"..");
    named && std::fs::symlink_metadata(&first).is_ok() || std::fs::symlink_metadata(path).is_ok()
}

/// `name=value`.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|b| *b == b'=').and_then(|at| text.split_at_checked(at)) {
        Some((name, value)) => (name, value.get(1..)),
        None => (text, None),
    }
}

fn name(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => value_name(arg),
    }
}

fn value_name(arg: &Arg) -> String {
    arg.get_value_names().into_iter().flatten().next().map_or_else(|| "value".to_owned(), ToString::to_string)
}

fn takes(arg: &Arg) -> String {
    if arg.get_action().takes_values() { value_name(arg) } else { "true or false".to_owned() }
}

fn takes_key(arg: &Arg) -> bool {
    arg.get_id() == "key"
}

fn refusal(found: &[Misplaced]) -> Option<Failure> {
    const ALONE: &str = "a key is given with --key alone, by its path or as env://NAME";
    let first = found.first()?;
    let names: Vec<_> = found.iter().map(|misplaced| misplaced.what.as_str()).collect();
    let (was, evident) = match found {
        [one] => ("was", one.material == KeyMaterial::Evident),
        all => ("were", all.iter().all(|one| one.material == KeyMaterial::Evident)),
    };
    let looks = if evident { "a key itself" } else { "what looks like a key itself" };
    let message = format!("{} {was} given {looks}; it is not repeated here", names.join(" and "));
    let mut remedy = match &first.takes {
        _ if first.takes_key => {
            "give the path of the file that holds the key, or env://NAME if the variable NAME holds it"
                .to_owned()
        }
        Some(takes) if takes == "ARTIFACT" => {
            format!(
                "{} takes {takes}, or a digest written sha256:HEX with --bundle FILE; {ALONE}",
                first.what
            )
        }
        Some(takes) => format!("{} takes {takes}; {ALONE}", first.what),
        None => format!("see --help; {ALONE}"),
    };
    if !evident {
        remedy.push_str(" (a file of such a name: write ./ before it)");
    }
    Some(Failure::new(Exit::Usage, message).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::definition;

    /// 32 bytes, as everybody knows them (RFC 8032 section 7.1).
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

    fn screened(arguments: &[&str], variables: &[(&str, &str)]) -> Screened {
        let arguments = ["argo-attest"].iter().chain(arguments).map(OsString::from);
        screen(definition(), arguments, |name| {
            Some(OsString::from(variables.iter().find(|(known, _)| *known == name)?.1))
        })
    }

    fn said(arguments: &[&str], variables: &[(&str, &str)]) -> String {
        screened(arguments, variables)
            .refused
            .map_or_else(String::new, |failure| failure.message().to_owned())
    }

    #[test]
    fn the_option_is_named() {
        let line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        for (arguments, name) in [
            (vec!["run", "--key", line, "--", "true"], "--key "),
            (vec!["run", &format!("--key={line}"), "--", "true"], "--key "),
            (vec!["--log", line, "run", "--", "true"], "--log "),
            (vec!["run", "--log", line, "--", "true"], "--log "),
            (vec!["verify", "--", line], "the argument ARTIFACT "),
            (vec!["verify", line], "the argument ARTIFACT "),
            (vec!["inject", &format!("-f{line}")], "--file "),
            (vec!["inject", "-f", line], "--file "),
            (vec!["verify", &format!("-k{line}"), "x"], "an unknown option "),
            (vec!["verify", &format!("--{line}"), "x"], "an unknown option "),
            (vec!["ready", &format!("--wait={line}")], "--wait "),
            (vec![line], "the command's name "),
            (vec!["ready", line], "an argument "),
            (vec!["run", line, "--", "true"], "an argument "),
        ] {
            let said = said(&arguments, &[]);
            assert!(said.starts_with(name), "{arguments:?}: {said}");
            assert!(!said.contains(&line[..12]), "{said}");
        }
    }

    #[test]
    fn what_is_not_read_is_not_judged() {
        let both = [("ARGO_ATTEST_KEY", SEED)];
        assert!(said(&["run", "--", "true"], &both).starts_with("ARGO_ATTEST_KEY "));
        for arguments in [vec!["run", "--key", "env://ARGO_ATTEST_KEY", "--", "true"], vec!["verify", "x"]] {
            assert_eq!(said(&arguments, &both), "");
        }
        // The command's own arguments are its own affair.
        assert_eq!(said(&["run", "--", "sign", SEED], &[]), "");
        assert_eq!(said(&["run", "--", "sign", "-----BEGIN PUBLIC KEY-----"], &[]), "");
        let json = [("ARGO_ATTEST_INPUT_PARAMETERS", "[{\"name\":\"a\",\"value\":\"-----BEGIN X-----\"}]")];
        assert_eq!(said(&["sidecar", "--builder-id", "https://x.example"], &json), "");
        assert_eq!(said(&["sidecar", "--input-parameters", json[0].1], &[]), "");
        assert_eq!(said(&["sidecar", &format!("--input-parameters={}", json[0].1)], &[]), "");
    }

    #[test]
    fn a_private_key_is_kept_out_of_the_command_that_is_stated() {
        for key in [
            "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
            "--key=-----BEGIN EC PRIVATE KEY-----\nx",
            "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1DNENBUUF3QlFZREsyVndCQ0lFSU",
            "echo '{\"kty\": \"OKP\", \"d\": \"x\"}' > key",
        ] {
            let said = said(&["run", "--", "sh", "-c", key], &[]);
            assert!(said.starts_with("the command's argument 2 was given a key itself"), "{said}");
        }
        // A certificate, as `kubectl config set` takes it.
        let certificate = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURtekNDQW9PZ0F3SUJBZ0lRTnZ4";
        assert_eq!(said(&["run", "--", "kubectl", certificate], &[]), "");
    }

    #[test]
    fn what_is_there_is_a_path() {
        assert!(!said(&["verify", SEED], &[]).is_empty());
        assert_eq!(said(&["verify", &format!("./{SEED}")], &[]), "");
        assert_eq!(said(&["verify", &format!("src/{SEED}")], &[]), "");
    }

    #[test]
    fn a_key_is_left_out_of_what_goes_on() {
        let screened = screened(&["sidecar", "--key", SEED, "--all"], &[("ARGO_ATTEST_BUILDER_ID", SEED)]);
        assert_eq!(screened.arguments, ["argo-attest", "sidecar", "--all"]);
        let sidecar = screened.definition.find_subcommand("sidecar").unwrap();
        let builder = sidecar.get_arguments().find(|arg| arg.get_id() == "builder_id").unwrap();
        assert_eq!(builder.get_env(), None);
        // It is parsed as before.
        let given = ["argo-attest", "sidecar", "--all", "--builder-id", "https://x.example/b"];
        screened.definition.try_get_matches_from(given).unwrap();
        let message = screened.refused.unwrap().message().to_owned();
        assert!(message.starts_with("--key and ARGO_ATTEST_BUILDER_ID were given"), "{message}");
    }
}
