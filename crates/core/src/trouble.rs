//! What whoever is told of an error needs to know of it, beside its reason: what kind of
//! trouble it is, by which programs decide, and what would mend it.

use std::error::Error;

/// What kind of trouble it is. The program ends with one exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// None: the question was answered, and the answer is no.
    No,
    /// What was asked for, or how the program was set up, makes no sense.
    Usage,
    /// What was given, or found, is malformed.
    Malformed,
    /// What was given is not there.
    Missing,
    /// A server cannot be reached.
    Unavailable,
    /// A bug of ours.
    Bug,
    /// Reading or writing failed.
    Io,
    /// A key, or a permission, is unusable.
    Permission,
}

/// An error that can be told to somebody.
pub trait Trouble: Error {
    /// What kind it is.
    fn fault(&self) -> Fault;

    /// What to do about it, as one line, where that is known.
    fn remedy(&self) -> Option<String>;
}
