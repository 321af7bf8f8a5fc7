//! How much checking of signatures an attestation may cost.
//!
//! Whoever writes the file chooses how many signatures it has and how long what they
//! are over is; each costs as many checks as there are trusted keys.

use super::SignatureError;

/// Checks of one signature with one key: those of 64 attestations, as many as are kept
/// beside an artifact, with 64 keys.
pub const MAX_CHECKS: usize = 4096;
/// Bytes that are hashed for them: the largest payload with 32 keys.
pub const MAX_CHECKED_BYTES: usize = 256 * 1024 * 1024;

/// What is left to be spent on all envelopes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    checks: usize,
    bytes: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { checks: MAX_CHECKS, bytes: MAX_CHECKED_BYTES }
    }
}

impl Effort {
    /// So many checks of signatures over something small.
    pub(crate) fn spend_checks(&mut self, checks: usize) -> Result<(), SignatureError> {
        self.checks = self.checks.checked_sub(checks).ok_or(SignatureError::TooMuch)?;
        Ok(())
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), SignatureError> {
        match (self.checks.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(checks), Some(bytes)) => {
                *self = Self { checks, bytes };
                Ok(())
            }
            _ => Err(SignatureError::TooMuch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_with_either() {
        let mut effort = Effort::default();
        for _ in 0..MAX_CHECKS {
            effort.spend(1).unwrap();
        }
        assert_eq!(effort.spend(0), Err(SignatureError::TooMuch));
        let mut effort = Effort::default();
        effort.spend(MAX_CHECKED_BYTES).unwrap();
        effort.spend(0).unwrap();
        assert_eq!(effort.spend(1), Err(SignatureError::TooMuch));
    }
}
