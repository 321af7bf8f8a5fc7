//! The names of Kubernetes objects: DNS subdomains of RFC 1123 (`IsDNS1123Subdomain` in
//! Kubernetes' apimachinery), and the keys in Secrets and `ConfigMap`s (`IsConfigMapKey`).

use std::fmt;
use std::str::FromStr;

/// Bytes of a name, and of a key.
const LONGEST: usize = 253;

/// The name of a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName(String);

/// Text that names no Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Kubernetes name (lower-case letters, digits, `-` and `.`)")]
pub struct InvalidObjectName;

impl FromStr for ObjectName {
    type Err = InvalidObjectName;

    fn from_str(text: &str) -> Result<Self, InvalidObjectName> {
        if is_object_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidObjectName) }
    }
}

impl ObjectName {
    /// A name that is written in this program.
    pub(crate) fn of_ours(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the text may name an object. Such a name can stand in a URL's path and in a file
/// system's as it is: it is neither empty nor `..`, and has no `/`.
pub fn is_object_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        ends.into_iter().all(|end| end.is_some_and(plain)) && label.bytes().all(|b| plain(b) || b == b'-')
    };
    text.len() <= LONGEST && text.split('.').all(label)
}

/// Whether the text may be a key of a Secret or a `ConfigMap`, and so the name of a file where
/// that is mounted. Not `..data` either, behind which the kubelet keeps the files.
pub fn is_key_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text != "."
        && !text.starts_with("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_api_server_takes() {
        let long = "a".repeat(253);
        for name in ["a", "s3-credentials", "a.b-c.9", "0", long.as_str()] {
            assert!(is_object_name(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in ["", ".", "..", "a..b", "a.", ".a", "-a", "a-", "a.-b", "A", "a_b", "a/b", "ä", &long] {
            assert!(!is_object_name(name), "{name}");
            name.parse::<ObjectName>().unwrap_err();
        }
        for key in ["attest.key", "accessKey", "a_b", "-", "a..b"] {
            assert!(is_key_name(key), "{key}");
        }
        for key in ["", ".", "..", "..data", "a/b", "a b", &long] {
            assert!(!is_key_name(key), "{key}");
        }
    }
}
