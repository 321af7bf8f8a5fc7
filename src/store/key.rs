//! What an object is called within its store.

use std::fmt;
use std::str::FromStr;

use argo_attest_core::relpath::{RelPath, printable};

/// An object key as S3 has it: 1 to 1024 bytes of UTF-8 ("Naming Amazon S3
/// objects"), here also without NUL, which neither XML nor a file name can hold.
///
/// A key may still be `../x` or `a//b`, which are honest names in S3;
/// [`ObjectKey::to_rel_path`] is where a store of files refuses them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Box<str>);

/// Why text is not an [`ObjectKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It is empty.
    #[error("the object key is empty")]
    Empty,
    /// It is longer than [`ObjectKey::MAX_BYTES`].
    #[error("the object key is {0} bytes long, of at most {max}", max = ObjectKey::MAX_BYTES)]
    TooLong(usize),
    /// It holds a NUL byte.
    #[error("the object key holds a NUL byte")]
    Nul,
}

impl ObjectKey {
    /// The longest key, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 1024;

    /// Takes text as it is; nothing in it is decoded.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidKey::TooLong(text.len()));
        }
        if text.contains('\0') {
            return Err(InvalidKey::Nul);
        }
        Ok(Self(text.into()))
    }

    /// The key for a path beneath some root: the path itself, or its escaped
    /// form ([`RelPath::escaped`]) if it is not UTF-8, which no key can be.
    pub fn for_path(path: &RelPath) -> Result<Self, InvalidKey> {
        match std::str::from_utf8(path.as_bytes()) {
            Ok(text) => Self::new(text),
            Err(_) => Self::new(&path.escaped()),
        }
    }

    /// The key as text, unescaped: for requests, not for people.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as a path that stays beneath its root, if it is one.
    pub fn to_rel_path(&self) -> Result<RelPath, argo_attest_core::relpath::InvalidRelPath> {
        RelPath::from_bytes(self.0.as_bytes())
    }

    /// This key followed by `suffix`, as in `artifact.tgz` + `.sigstore.json`.
    pub fn with_suffix(&self, suffix: &str) -> Result<Self, InvalidKey> {
        Self::new(&format!("{}{suffix}", self.0))
    }

    /// `key` beneath this prefix, with one `/` between them.
    pub fn join(&self, key: &Self) -> Result<Self, InvalidKey> {
        Self::new(&format!("{}/{}", self.0.trim_end_matches('/'), key.0))
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.0.as_bytes()))
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_s3_refuses() {
        assert_eq!(ObjectKey::new(""), Err(InvalidKey::Empty));
        assert_eq!(ObjectKey::new("a\0"), Err(InvalidKey::Nul));
        assert_eq!(ObjectKey::new(&"é".repeat(513)), Err(InvalidKey::TooLong(1026)));
        assert_eq!(ObjectKey::new(&"é".repeat(512)).unwrap().as_str().len(), 1024);
    }

    #[test]
    fn names_a_path_that_is_not_text() {
        let key = |bytes: &[u8]| ObjectKey::for_path(&RelPath::from_bytes(bytes).unwrap()).unwrap();
        assert_eq!(key(b"out\xff").as_str(), "out%FF");
        assert_eq!(key(b"100%").as_str(), "100%");
        assert_eq!(ObjectKey::for_path(&RelPath::root()), Err(InvalidKey::Empty));
    }

    #[test]
    fn joins_and_suffixes() {
        let key = |text| ObjectKey::new(text).unwrap();
        assert_eq!(key("p/").join(&key("a/b")), Ok(key("p/a/b")));
        assert_eq!(key("a.tgz").with_suffix(".sigstore.json"), Ok(key("a.tgz.sigstore.json")));
        assert_eq!(key(&"a".repeat(1024)).with_suffix("b"), Err(InvalidKey::TooLong(1025)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_refused(text in any::<String>()) {
            match ObjectKey::new(&text) {
                Ok(key) => {
                    prop_assert_eq!(key.as_str(), text.as_str());
                    let shown = key.to_string();
                    prop_assert!(!shown.chars().any(char::is_control));
                    if let Ok(path) = key.to_rel_path() {
                        prop_assert!(path.components().all(|c| c != b".." && !c.contains(&b'/')));
                    }
                }
                Err(_) => prop_assert!(text.is_empty() || text.len() > 1024 || text.contains('\0')),
            }
        }
    }
}
