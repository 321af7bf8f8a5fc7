//! What an image runs on (OCI Image 1.1, "Image Index", `platform`).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// An operating system and a processor, named as Go names them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Platform {
    /// `GOOS`.
    pub os: String,
    /// `GOARCH`.
    pub architecture: String,
    /// Of the processor, `v8`; not always given.
    #[serde(default, deserialize_with = "crate::json::or_unset")]
    pub variant: String,
}

/// Text that names no platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a platform: os/architecture, or os/architecture/variant, as in linux/arm64/v8")]
pub struct InvalidPlatform;

impl Platform {
    /// Whether what is asked for is this: a variant that is not asked for may be any.
    pub fn is(&self, asked: &Self) -> bool {
        self.os == asked.os
            && self.architecture == asked.architecture
            && (asked.variant.is_empty() || self.variant == asked.variant)
    }

    /// Whether it is any at all. Builders list what is no image under `unknown/unknown`.
    pub fn is_known(&self) -> bool {
        self.os != "unknown" || self.architecture != "unknown"
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let parts: Vec<_> = text.split('/').collect();
        let is_name = |part: &&str| {
            !part.is_empty()
                && part.len() <= 64
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] => (os, architecture, ""),
            [os, architecture, variant] if is_name(variant) => (os, architecture, *variant),
            _ => return Err(InvalidPlatform),
        };
        if !is_name(os) || !is_name(architecture) {
            return Err(InvalidPlatform);
        }
        Ok(Self {
            os: (*os).to_owned(),
            architecture: (*architecture).to_owned(),
            variant: variant.to_owned(),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_counts_where_it_is_asked_for() {
        let arm: Platform = "linux/arm64/v8".parse().unwrap();
        assert_eq!(arm.to_string(), "linux/arm64/v8");
        assert!(arm.is(&"linux/arm64".parse().unwrap()));
        assert!(arm.is(&arm));
        for other in ["linux/arm64/v9", "linux/arm", "windows/arm64"] {
            assert!(!arm.is(&other.parse().unwrap()), "{other}");
        }
        for bad in ["", "linux", "linux/", "/amd64", "linux/amd64/", "linux/amd64/v1/x", "linux/a b"] {
            assert_eq!(bad.parse::<Platform>(), Err(InvalidPlatform), "{bad}");
        }
    }
}
