//! The command line: clap's half of the program, and nothing else's.
//!
//! Everything is read and validated before anything starts; what a person reads
//! goes to standard output, errors and logs to standard error.

mod answer;
mod asked;
mod attest;
#[cfg(feature = "cli")]
mod audit;
#[cfg(feature = "cli")]
mod completion;
#[cfg(feature = "cli")]
mod conflicts;
mod definition;
mod exit;
mod failure;
mod given;
mod home;
mod images;
#[cfg(feature = "cli")]
mod inject;
mod inspect;
mod inspect_image;
#[cfg(feature = "cli")]
mod interrupts;
mod invocation;
mod key;
#[cfg(feature = "cli")]
mod keygen;
mod keyless;
mod layout;
#[cfg(any(test, not(feature = "cli")))]
mod left_out;
mod logging;
#[cfg(feature = "cli")]
mod man;
#[cfg(feature = "cli")]
mod manifests;
mod misused;
mod new_file;
mod outcome;
#[cfg(feature = "cli")]
mod outputs;
mod place;
mod pod;
mod policy;
mod progress;
mod protected;
mod public_key;
mod ready;
#[cfg(feature = "cli")]
mod run;
mod screen;
mod sidecar;
mod standard_streams;
mod summary;
#[cfg(feature = "cli")]
mod target;
mod template;
mod totals;
mod traces;
mod trusted;
mod unset;
mod usage;
mod verify;
mod verify_inputs;
mod vouching;
mod witness;

use std::ffi::{OsStr, OsString};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::thread::available_parallelism;

use argo_attest_core::contract::{opentelemetry, place as places, variable};
use argo_attest_core::secret::{never_repeat, shown};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, FromArgMatches as _, Parser, Subcommand};

use self::definition::definition_for;
use self::screen::{Screened, screen};
use self::standard_streams::{print, print_json, print_json_line, printed, tell};
use crate::document::DocumentName;
use crate::sidecar::Signals;
use crate::signer::{KeySource, SigningKey};

pub use definition::definition;
pub use exit::Exit;
pub use failure::Failure;

const ABOUT: &str = "Signed SLSA provenance from the bytes that were written";

const EXIT_CODES: &str = "\
Exit codes:
  0  done                                   69  store unreachable
  1  the answer is no                       70  a bug in argo-attest
 64  usage                                  74  reading or writing failed
 65  malformed input                        77  key or permission unusable
 66  input missing

Every option can also be set by an environment variable, ARGO_ATTEST_ and its name
(but ARGO_ATTEST_PUBLIC_KEY for --key of verify and audit, ARGO_ATTEST_LOG for -v); the option wins. A list has commas in a variable.";

/// Signed SLSA provenance from the bytes that were written
#[derive(Debug, Parser)]
#[command(name = "argo-attest", version, about = ABOUT, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    /// What to log on standard error: off, error, warn, info, debug, trace [default: warn; of sidecar and verify-inputs: info]
    #[arg(long, global = true, value_name = "LEVEL", env = variable::LOG)]
    log: Option<String>,
    #[arg(
        short,
        long,
        global = true,
        action = ArgAction::Count,
        help = "Log more than usual, whatever ARGO_ATTEST_LOG says: -v what is done, -vv how; --log wins"
    )]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "cli")]
    Run(Box<run::RunArgs>),
    Verify(Box<verify::VerifyArgs>),
    #[cfg(feature = "cli")]
    Audit(Box<audit::AuditArgs>),
    Attest(Box<attest::AttestArgs>),
    Inspect(inspect::InspectArgs),
    #[cfg(feature = "cli")]
    Keygen(keygen::KeygenArgs),
    PublicKey(public_key::PublicKeyArgs),
    #[cfg(feature = "cli")]
    Inject(Box<inject::InjectArgs>),
    Sidecar(Box<sidecar::SidecarArgs>),
    VerifyInputs(Box<verify_inputs::VerifyInputsArgs>),
    Ready(ready::ReadyArgs),
    #[cfg(feature = "cli")]
    Completion(completion::CompletionArgs),
    #[cfg(feature = "cli")]
    Man(man::ManArgs),
    /// Tells the version, and the commit it was built from
    Version,
}

/// Whether a variable is one that says where something is, or is a secret itself.
fn holds_an_option(name: &OsStr) -> bool {
    let name = name.as_bytes().to_ascii_uppercase();
    let of_ours = [&b"ARGO_ATTEST_"[..], b"AWS_", b"OTEL_"].iter().any(|start| name.starts_with(start));
    of_ours || name.ends_with(b"_PROXY")
}

/// Runs the program with these arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // Before anything else: a main that is short may end at once.
    let signals = is_sidecar(&arguments).then(Signals::listen);
    std::panic::set_hook(Box::new(failure::bug));
    #[cfg(not(feature = "cli"))]
    if let Some(refused) = left_out(&arguments) {
        return refused.end();
    }
    let variables: Vec<_> = std::env::vars_os().filter(|(name, _)| holds_an_option(name)).collect();
    never_repeat(
        arguments.iter().chain(variables.iter().map(|(_, value)| value)).map(|given| given.as_bytes()),
    );
    let Screened { definition, arguments, refused } =
        screen(given::with_variables(definition_for(&arguments), &arguments), arguments.clone(), |name| {
            std::env::var_os(name)
        });
    // What a sidecar does that is told nonsense, it reads out of that once more.
    let again = signals.is_some().then(|| (definition.clone(), arguments.clone()));
    let parsed = definition
        .try_get_matches_from(arguments)
        .and_then(|given| Ok((Cli::from_arg_matches(&given)?, given)));
    let (mut cli, given, refused) = match (parsed, refused) {
        // Those that live in a pod say it where the pod's owner looks.
        (Ok((cli, given)), Some(refused)) if cli.command.is_in_a_pod() => (cli, given, Some(refused)),
        (Ok(_), Some(refused)) => return refused.end(),
        (Ok((cli, given)), None) => (cli, given, None),
        (Err(error), refused) => {
            return match signals.zip(again) {
                Some((signals, (definition, arguments))) if !usage::is_asked_for(&error) => {
                    let why = refused.unwrap_or_else(|| {
                        Failure::new(Exit::Usage, usage::reason(error)).remedy(
                            "see argo-attest sidecar --help, and correct the container's args and env",
                        )
                    });
                    misused::sidecar(definition, arguments, &why, signals).into()
                }
                _ => refused.map_or_else(|| usage::tell(error), |refused| refused.end()),
            };
        }
    };
    // Not an option of ours: Argo, and other tools that trace, set it for all they start.
    let traceparent = std::env::var(opentelemetry::TRACEPARENT).ok().filter(|text| !text.is_empty());
    // Of a sidecar the log is all that an operator sees; of a command on a terminal, its report.
    let usual = if cli.command.is_in_a_pod() { "info" } else { "warn" };
    let level = level(&cli, &given, usual);
    let done = logging::install(&level, traceparent.as_deref())
        .or_else(|why| {
            // A step is not held for that.
            if !cli.command.is_in_a_pod() {
                return Err(why);
            }
            logging::install(usual, traceparent.as_deref())?;
            tracing::warn!(level = %shown(level.as_bytes()), why, "--log is no log filter");
            Ok(())
        })
        .map_err(|why| {
            Failure::new(Exit::Usage, format!("--log {:?} is no log filter: {why}", shown(level.as_bytes())))
                .remedy("give off, error, warn, info, debug or trace")
        })
        .and_then(|()| {
            if let Some(refused) = refused {
                tracing::error!(
                    reason = refused.message(),
                    help = refused.help(),
                    "an option cannot be used"
                );
                cli.command.refuse(refused);
            }
            dispatch(cli.command, signals)
        });
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.end(),
    }
}

/// What is logged: what an option says, then what a variable does, then what is usual.
fn level(cli: &Cli, given: &ArgMatches, usual: &str) -> String {
    let is_option = given.value_source("log") == Some(ValueSource::CommandLine);
    match &cli.log {
        Some(level) if is_option || cli.verbose == 0 => level.clone(),
        _ => logging::louder(usual, cli.verbose).to_owned(),
    }
}

/// Whether these are a sidecar's arguments.
fn is_sidecar(arguments: &[OsString]) -> bool {
    command_name(arguments.iter().skip(1)).is_some_and(|name| name == "sidecar")
}

/// The command: the first argument that is no option.
fn command_name<'a>(mut arguments: impl Iterator<Item = &'a OsString>) -> Option<&'a OsStr> {
    while let Some(argument) = arguments.next() {
        match argument.as_bytes() {
            // The one option before it that takes a value.
            b"--log" => drop(arguments.next()),
            [b'-', ..] => {}
            _ => return Some(argument),
        }
    }
    None
}

/// That a command is asked for, or help with one, that is not in this build.
#[cfg(not(feature = "cli"))]
fn left_out(arguments: &[OsString]) -> Option<Failure> {
    let mut rest = arguments.iter().skip(1);
    let name = match command_name(&mut rest)? {
        help if help == "help" => command_name(&mut rest)?,
        name => name,
    };
    left_out::refused(name)
}

impl Command {
    fn is_in_a_pod(&self) -> bool {
        matches!(self, Self::Sidecar(_) | Self::VerifyInputs(_))
    }

    /// Makes it say what was refused, and do nothing else.
    fn refuse(&mut self, refused: Failure) {
        match self {
            Self::Sidecar(args) => args.refused = Some(refused),
            Self::VerifyInputs(args) => args.refused = Some(refused),
            _ => {}
        }
    }
}

fn dispatch(command: Command, signals: Option<io::Result<Signals>>) -> Result<Exit, Failure> {
    match command {
        #[cfg(feature = "cli")]
        Command::Run(args) => wait(run::run(*args)),
        Command::Verify(args) => wait(verify::verify(*args)),
        #[cfg(feature = "cli")]
        Command::Audit(args) => wait(audit::audit(*args)),
        Command::Attest(args) => wait(attest::attest(*args)),
        Command::Inspect(args) => wait(inspect::inspect(args)),
        #[cfg(feature = "cli")]
        Command::Keygen(args) => keygen::keygen(&args),
        Command::PublicKey(args) => wait(public_key::public_key(args)),
        #[cfg(feature = "cli")]
        Command::Inject(args) => inject::inject(*args),
        Command::Sidecar(args) => wait(sidecar::sidecar(*args, signals.unwrap_or_else(Signals::listen))),
        Command::VerifyInputs(args) => wait(async { Ok(verify_inputs::verify_inputs(*args).await) }),
        Command::Ready(args) => wait(ready::ready(args)),
        #[cfg(feature = "cli")]
        Command::Completion(args) => completion::completion(&args),
        #[cfg(feature = "cli")]
        Command::Man(args) => man::man(&args),
        Command::Version => print(&version()).map(|()| Exit::Done),
    }
}

/// The commit is known where whoever built it said so, in a variable of the build.
fn version() -> String {
    let commit = option_env!("ARGO_ATTEST_COMMIT").filter(|commit| !commit.is_empty());
    let build = if cfg!(feature = "cli") { "" } else { "build for pods\n" };
    format!("argo-attest {}\ncommit {}\n{build}", env!("CARGO_PKG_VERSION"), commit.unwrap_or("unknown"))
}

/// One thread waits; the work that takes time is done on others.
fn wait<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Io, format!("cannot start the event loop: {e}")))?;
    let done = runtime.block_on(future);
    // What nobody waits for any more, such as a name server's answer, must not
    // keep us from ending in time.
    runtime.shutdown_background();
    done
}

/// Threads that digest: all cores that we may use.
fn workers() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Where a public key is: a path, or `env://NAME`.
fn key_source() -> impl TypedValueParser<Value = KeySource> {
    OsStringValueParser::new().try_map(KeySource::try_from)
}

/// The key that signs where none is named: of the mounted Secret.
fn mounted_key() -> SigningKey {
    KeySource::File(places::KEY_FILE.into()).into()
}

/// Which key signs.
fn signing_key() -> impl TypedValueParser<Value = SigningKey> {
    OsStringValueParser::new().try_map(SigningKey::try_from)
}

/// What holds an attestation or a policy: a path, `-`, or `s3://bucket/key`.
fn document_name() -> impl TypedValueParser<Value = DocumentName> {
    OsStringValueParser::new().try_map(DocumentName::try_from)
}

/// A builder's id is a URI (SLSA v1, `builder.id` is a `TypeURI`).
fn builder_id(text: &str) -> Result<String, String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if is_scheme && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(text.to_owned());
    }
    Err("not a URI such as https://ci.example.com/argo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sidecar_is_known_before_its_command_line_is_read() {
        let is = |arguments: &[&str]| {
            is_sidecar(&["argo-attest"].iter().chain(arguments).map(OsString::from).collect::<Vec<_>>())
        };
        for arguments in [
            &["sidecar"][..],
            &["sidecar", "--nonsense"],
            &["--log", "debug", "sidecar"],
            &["--log=a", "sidecar"],
        ] {
            assert!(is(arguments), "{arguments:?}");
        }
        for arguments in [&[][..], &["verify", "sidecar"], &["--log", "sidecar"], &["run", "--", "sidecar"]] {
            assert!(!is(arguments), "{arguments:?}");
        }
    }
}
