//! What an error says, and with which code the program then ends.

use std::any::Any;
use std::error::Error;
use std::io::{Write as _, stderr};
use std::panic::Location;
use std::process::ExitCode;

use argo_attest_core::relpath::printable;
use argo_attest_core::secret::redacted;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble;

use super::Exit;
use crate::store::StoreError;

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

    /// A failure of which nothing is to be said.
    pub(super) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
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
        if self.message.is_empty() {
            return;
        }
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
