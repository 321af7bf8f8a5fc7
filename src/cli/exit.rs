//! How the program ends: its exit codes, and the one place where they are chosen.

use std::process::ExitCode;

use argo_attest_core::trouble::Fault;

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
    /// A signal with this number came before all was done.
    Interrupted(u8),
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
            Self::Interrupted(_) => "128 and the number of the signal that came",
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
            Self::Interrupted(signal) => 128_u8.saturating_add(signal),
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
