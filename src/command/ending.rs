//! How a command ended, or why it never began.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandEnd {
    /// It ended by itself with this code.
    Exited(u8),
    /// This signal ended it.
    Killed(u8),
}

impl CommandEnd {
    /// Whether it did what it was meant to do.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The code to end with, as shells have it: its own, or 128 and the signal.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => 128_u8.saturating_add(signal),
        }
    }
}

impl From<ExitStatus> for CommandEnd {
    fn from(status: ExitStatus) -> Self {
        let byte = |n: i32| u8::try_from(n).unwrap_or(u8::MAX);
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(byte(code)),
            (None, signal) => Self::Killed(byte(signal.unwrap_or_default())),
        }
    }
}

impl std::fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "ended with code {code}"),
            Self::Killed(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// The command could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}")]
pub struct SpawnError {
    pub(super) program: String,
    #[source]
    pub(super) source: io::Error,
}

impl SpawnError {
    /// The code to end with, as shells have it: 127 for a command that is not
    /// there, 126 for one that cannot be run.
    pub fn code(&self) -> u8 {
        if self.source.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }

    /// What to do about it, if that can be guessed.
    pub fn remedy(&self) -> Option<&'static str> {
        let is_line = self.source.kind() == io::ErrorKind::NotFound && self.program.contains(' ');
        is_line.then_some(
            "that is one word: write the command without quotes, or sh -c '…' for a line of a shell",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_a_shell() {
        assert_eq!(CommandEnd::from(ExitStatus::from_raw(3 << 8)).code(), 3);
        assert_eq!(CommandEnd::from(ExitStatus::from_raw(15)), CommandEnd::Killed(15));
        assert_eq!(CommandEnd::Killed(15).code(), 143);
        assert!(!CommandEnd::Killed(0).is_success() && CommandEnd::Exited(0).is_success());
    }
}
