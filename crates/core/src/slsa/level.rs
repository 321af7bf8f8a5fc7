//! The levels of SLSA's build track. <https://slsa.dev/spec/v1.2/build-track-basics>

use std::fmt;
use std::str::FromStr;

/// A level of SLSA's build track, as a policy declares it of a builder. Nothing in an attestation
/// shows one: whoever writes the policy knows how the builder is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildLevel {
    /// No promise.
    L0,
    /// Provenance exists.
    L1,
    /// Signed provenance, of a hosted platform.
    L2,
    /// A hardened platform.
    L3,
}

impl BuildLevel {
    const ALL: [Self; 4] = [Self::L0, Self::L1, Self::L2, Self::L3];

    /// As SLSA writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L0 => "SLSA_BUILD_LEVEL_0",
            Self::L1 => "SLSA_BUILD_LEVEL_1",
            Self::L2 => "SLSA_BUILD_LEVEL_2",
            Self::L3 => "SLSA_BUILD_LEVEL_3",
        }
    }
}

impl fmt::Display for BuildLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No level of the build track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not one of SLSA_BUILD_LEVEL_0 to SLSA_BUILD_LEVEL_3")]
pub struct InvalidLevel;

impl FromStr for BuildLevel {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or(InvalidLevel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_written_as_slsa_does() {
        for level in BuildLevel::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        for other in [
            "",
            "2",
            "SLSA_BUILD_LEVEL_4",
            "slsa_build_level_1",
            "SLSA_BUILD_LEVEL_UNEVALUATED",
            " SLSA_BUILD_LEVEL_1",
        ] {
            assert_eq!(other.parse::<BuildLevel>(), Err(InvalidLevel), "{other}");
        }
    }
}
