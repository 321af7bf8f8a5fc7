//! Every option, argument and variable of every command, from clap's own definition.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use argo_attest::cli::definition;
use clap::{Arg, Command};

use crate::canary::Canary;

/// One command with one of its options.
pub(crate) struct Place {
    pub(crate) command: Option<Command>,
    pub(crate) arg: Arg,
}

/// A command line, and what it puts where.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) arguments: Vec<OsString>,
}

/// All places where a value may stand, or a flag's variable.
pub(crate) fn places() -> Vec<Place> {
    let mut root = definition();
    root.build();
    let built = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let mut places: Vec<_> =
        root.get_arguments().filter(built).map(|arg| Place { command: None, arg: arg.clone() }).collect();
    for command in root.get_subcommands() {
        let own = |arg: &&Arg| built(arg) && !arg.is_global_set();
        let of = command.get_arguments().filter(own);
        places.extend(of.map(|arg| Place { command: Some(command.clone()), arg: arg.clone() }));
    }
    assert!(places.len() > 50, "clap told of {} places only", places.len());
    places
}

fn value_name(arg: &Arg) -> String {
    arg.get_value_names().and_then(<[_]>::first).map_or_else(String::new, ToString::to_string)
}

/// Whether a file is read, or may be, that the option names.
pub(crate) fn names_a_file(arg: &Arg) -> bool {
    arg.get_action().takes_values()
        && ["FILE", "FILE.pub", "PATH", "ARTIFACT"].contains(&value_name(arg).as_str())
}

/// Something that the option takes.
fn good(arg: &Arg, scratch: &Path) -> OsString {
    match value_name(arg).as_str() {
        "URI" => "https://ci.example.com/argo".into(),
        "IMAGE" | "NAME" => "argo-attest".into(),
        "CMD" => "true".into(),
        "DIR" | "PATH" | "FILE" | "FILE.pub" | "ARTIFACT" => scratch.join("missing").into(),
        "s3://BUCKET/KEY" => "s3://bucket/key".into(),
        other => panic!("--{}: give an example of {other}", arg.get_id()),
    }
}

impl Place {
    pub(crate) fn name(&self) -> String {
        let command = self.command.as_ref().map_or("argo-attest", |command| command.get_name());
        format!("{command} {}", self.arg.get_id())
    }

    /// What the command needs besides, and what keeps it from the machine's own places.
    fn besides(&self, scratch: &Path) -> (Vec<OsString>, Vec<OsString>) {
        let (mut options, mut positionals) = (Vec::new(), Vec::new());
        let Some(command) = &self.command else { return (options, positionals) };
        for arg in command.get_arguments().filter(|arg| arg.get_id() != self.arg.get_id()) {
            let kept_away = ["termination_log", "argo_dir", "evidence"].contains(&arg.get_id().as_str());
            if !arg.is_required_set() && !kept_away {
                continue;
            }
            let value = good(arg, scratch);
            match arg.get_long() {
                Some(long) => options.extend([format!("--{long}").into(), value]),
                None if arg.is_last_set() => positionals.extend(["--".into(), value]),
                None => positionals.push(value),
            }
        }
        (options, positionals)
    }

    fn line(&self, what: String, given: Vec<OsString>, scratch: &Path) -> Case {
        let (options, positionals) = self.besides(scratch);
        let command = self.command.as_ref().map(|command| OsString::from(command.get_name()));
        let mut arguments = vec![OsString::from("argo-attest")];
        if command.is_none() {
            // A global option, before a command.
            arguments.extend(given.clone());
            arguments.push("ready".into());
            arguments.extend(["--termination-log".into(), scratch.join("missing").into()]);
        }
        arguments.extend(command.clone());
        arguments.extend(options);
        if command.is_some() {
            arguments.extend(given);
        }
        arguments.extend(positionals);
        Case { what, arguments }
    }

    /// The value in every way in which it can be written.
    pub(crate) fn lines(&self, name: &str, value: &OsStr, scratch: &Path) -> Vec<Case> {
        let joined = |head: String| OsString::from_vec([head.as_bytes(), value.as_bytes()].concat());
        let mut written = Vec::new();
        if let Some(long) = self.arg.get_long() {
            written.push(vec![joined(format!("--{long}="))]);
            if !self.arg.is_require_equals_set() && self.arg.get_action().takes_values() {
                written.push(vec![format!("--{long}").into(), value.to_owned()]);
                written.push(vec![joined(format!("--{long}=env://"))]);
            }
        } else if !self.arg.is_last_set() {
            written.push(vec![value.to_owned()]);
            written.push(vec!["--".into(), value.to_owned()]);
        }
        if let Some(short) = self.arg.get_short() {
            written.push(vec![joined(format!("-{short}"))]);
            written.push(vec![format!("-{short}").into(), value.to_owned()]);
        }
        let what = |given: &[OsString]| format!("{} with {name} in {} words", self.name(), given.len());
        written.into_iter().map(|given| self.line(what(&given), given, scratch)).collect()
    }

    /// The same for a file, which may be read.
    pub(crate) fn reading(&self, name: &str, file: &Path, scratch: &Path) -> Case {
        let value = file.as_os_str().to_owned();
        let given = match self.arg.get_long() {
            Some(long) => vec![format!("--{long}").into(), value],
            None => vec![value],
        };
        self.line(format!("{} reads {name}", self.name()), given, scratch)
    }

    /// Without the option itself, for its variable.
    pub(crate) fn without(&self, scratch: &Path) -> Case {
        self.line(format!("{} from its variable", self.name()), Vec::new(), scratch)
    }
}

/// What is no option, no command and no argument.
pub(crate) fn unknown(canary: &Canary) -> Vec<Case> {
    let joined = |head: &str| OsString::from_vec([head.as_bytes(), &canary.value].concat());
    let value = || canary.argument();
    let word = |text: &str| OsString::from(text);
    [
        vec![value()],
        vec![word("help"), value()],
        vec![joined("--")],
        vec![joined("-")],
        vec![word("run"), value(), word("--"), word("true")],
        vec![word("run"), joined("--frob="), word("--"), word("true")],
        vec![word("run"), word("--frob"), value()],
        vec![word("ready"), value()],
        vec![word("verify"), word("x"), joined("-k")],
        vec![word("verify"), joined("-k="), word("x")],
        vec![word("verify"), joined("--"), word("x")],
        vec![word("verify"), word("--policy=p"), joined("--key="), word("x")],
        vec![word("keygen"), word("--out-dir"), word("k"), value()],
        vec![word("inject"), word("--mode"), value()],
        vec![word("verify"), word("--json="), value()],
        vec![word("verify"), joined("--json=")],
    ]
    .into_iter()
    .map(|given| Case {
        what: format!("{} as {given:?}", canary.name),
        arguments: [vec![word("argo-attest")], given].concat(),
    })
    .collect()
}
