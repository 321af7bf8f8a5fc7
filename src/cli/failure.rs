//! How the program ends: its exit codes, and what an error says.

use std::any::Any;
use std::error::Error;
use std::io::{Write as _, stderr};
use std::panic::Location;
use std::process::ExitCode;

use argo_attest_core::relpath::printable;
use argo_attest_core::secret::redacted;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::{Fault, Trouble};

use crate::store::StoreError;

/// The program's exit codes (`sysexits.h`, where it has one). They are an
/// interface: scripts decide by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; the answer is yes.
    Done,
    /// The answer is no: not verified, or not attested.
    No,
    /// The command line makes no sense.
    Usage,
    /// An input that we were given is malformed.
    Data,
    /// An input that we were given is not there.
    NoInput,
    /// A store cannot be reached.
    Unavailable,
    /// A bug of ours.
    Software,
    /// Reading or writing failed.
    Io,
    /// The key, or a permission, is unusable.
    Key,
    /// Whatever the wrapped command ended with.
    Command(u8),
}

impl Exit {
    /// All that are ours, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::Data,
        Self::NoInput,
        Self::Unavailable,
        Self::Software,
        Self::Io,
        Self::Key,
    ];

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done: attested, accepted",
            Self::No => "the answer is no: not verified, or something could not be attested",
            Self::Usage => "usage",
            Self::Data => "malformed input",
            Self::NoInput => "input missing",
            Self::Unavailable => "store unreachable",
            Self::Software => "a bug in argo-attest",
            Self::Io => "reading or writing failed",
            Self::Key => "key or permission unusable",
            Self::Command(_) => "the wrapped command's own",
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 64,
            Self::Data => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Software => 70,
            Self::Io => 74,
            Self::Key => 77,
            Self::Command(code) => code,
        }
    }
}

impl Exit {
    /// The code for many: a plain no weighs more than not having been able to tell, and of
    /// those the first counts.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        let worse = |worst, next| if worst == Self::Done || next == Self::No { next } else { worst };
        all.into_iter().fold(Self::Done, worse)
    }
}

/// The one place where an exit code is chosen.
impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::No => Self::No,
            Fault::Usage => Self::Usage,
            Fault::Malformed => Self::Data,
            Fault::Missing => Self::NoInput,
            Fault::Unavailable => Self::Unavailable,
            Fault::Bug => Self::Software,
            Fault::Io => Self::Io,
            Fault::Permission => Self::Key,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error as the user meets it: what thing, what is wrong with it, and, on a
/// second line, what to do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    remedy: Option<String>,
}

impl Failure {
    /// A failure in plain words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), remedy: None }
    }

    /// A failure that an error explains, with all that caused it.
    pub fn from_error(exit: Exit, error: &dyn Error) -> Self {
        Self::new(exit, causes(error))
    }

    /// Says before the reason what could not be done.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The code to end with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, if that is known.
    pub fn help(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Prints it on standard error. If that is gone there is nobody to tell.
    pub fn print(&self) {
        let help = self.remedy.as_ref().map(|remedy| format!("  help: {}\n", printable(remedy.as_bytes())));
        let message = printable(redacted(&self.message).as_bytes());
        let told = format!("error: {message}\n{}", help.unwrap_or_default());
        let _ = stderr().write_all(redacted(&told).as_bytes());
    }

    /// Prints it, and gives the code to end with.
    pub fn end(&self) -> ExitCode {
        self.print();
        self.exit.into()
    }
}

/// Ends the program: after a panic anywhere, in whichever thread, nothing that it
/// would still say could be relied on.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a panic hook has no other way to choose the code"
)]
pub(super) fn bug(panic: &std::panic::PanicHookInfo<'_>) {
    Failure::new(Exit::Software, told(panic.payload(), panic.location()))
        .remedy("please report it, with the command that you used")
        .print();
    std::process::exit(Exit::Software.code().into());
}

/// Where it happened, and why if that is a text of the program itself: any other may hold
/// what the program was given.
fn told(payload: &dyn Any, place: Option<&Location<'_>>) -> String {
    let place = place.map(|place| format!(", at {place}")).unwrap_or_default();
    let why = payload.downcast_ref::<&'static str>().map(|why| format!(": {why}")).unwrap_or_default();
    format!("a bug in argo-attest{place}{why}")
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl<T: Trouble> From<&T> for Failure {
    fn from(trouble: &T) -> Self {
        let exit = trouble.fault().into();
        Self { exit, message: causes(trouble), remedy: trouble.remedy() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_the_worst_and_else_the_first() {
        assert_eq!(Exit::worst([]), Exit::Done);
        assert_eq!(Exit::worst([Exit::Done, Exit::Io, Exit::NoInput]), Exit::Io);
        assert_eq!(Exit::worst([Exit::NoInput, Exit::Done, Exit::Io]), Exit::NoInput);
        assert_eq!(Exit::worst([Exit::Io, Exit::No, Exit::NoInput]), Exit::No);
    }
}
