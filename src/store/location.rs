//! Where a store is, as a person writes it: `file:///dir`, `s3://bucket/prefix`.
//!
//! `file:` is RFC 8089 with its percent-encoding. What follows `s3://bucket/`
//! is the key as it is, as AWS's own tools read it: S3 uris have no standard.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argo_attest_core::relpath::escaped;

use super::{InvalidKey, ObjectKey};

/// A bucket's name: 3 to 255 letters, digits, `.`, `-` and `_`, which is what
/// the older rules allow that stores other than AWS still follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Box<str>);

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory, absolute.
    File(PathBuf),
    /// A bucket, and what all keys in it start with.
    S3 {
        /// The bucket.
        bucket: BucketName,
        /// Joined to every key with a `/`; never ends with one itself.
        prefix: Option<ObjectKey>,
    },
}

/// Why text is not a [`Location`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocation {
    /// Neither `file://` nor `s3://`.
    #[error("it starts with neither file:// nor s3://")]
    Scheme,
    /// `file://host/…` names another machine.
    #[error("a file:// location must be file:///an/absolute/path")]
    Host,
    /// `%` without two hexadecimal digits, or `%00`.
    #[error("a `%` in a file:// location must be followed by two hexadecimal digits, other than 00")]
    Escape,
    /// The bucket's name is not one.
    #[error(
        "a bucket's name is 3 to 255 letters, digits, `.`, `-` and `_`, and starts with a letter or digit"
    )]
    Bucket,
    /// What follows the bucket is not a key.
    #[error("what follows the bucket is not an object key")]
    Key(#[source] InvalidKey),
}

impl InvalidLocation {
    /// The line that tells a person what to do.
    pub const REMEDY: &str = "write s3://bucket/prefix or file:///absolute/directory";
}

impl BucketName {
    /// Checks the name.
    pub fn new(name: &str) -> Result<Self, InvalidLocation> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if (3..=255).contains(&name.len()) && starts_well && name.bytes().all(allowed) && !name.contains("..")
        {
            Ok(Self(name.into()))
        } else {
            Err(InvalidLocation::Bucket)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Location {
    /// Splits the uri of one object, such as `s3://bucket/a/b`, into its store
    /// (the bucket, or the file's directory) and its key there.
    pub fn artifact(uri: &str) -> Result<(Self, ObjectKey), InvalidLocation> {
        if let Some(rest) = uri.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let bucket = BucketName::new(bucket)?;
            let key = ObjectKey::new(key).map_err(InvalidLocation::Key)?;
            return Ok((Self::S3 { bucket, prefix: None }, key));
        }
        let path = file_path(uri)?;
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(InvalidLocation::Key(InvalidKey::Empty));
        };
        let name = argo_attest_core::relpath::RelPath::from_bytes(name.as_bytes())
            .map_err(|_| InvalidLocation::Escape)?;
        let key = ObjectKey::for_path(&name).map_err(InvalidLocation::Key)?;
        Ok((Self::File(dir.to_owned()), key))
    }
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return file_path(text).map(Self::File);
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let bucket = BucketName::new(bucket)?;
        let prefix = match prefix.trim_end_matches('/') {
            "" => None,
            prefix => Some(ObjectKey::new(prefix).map_err(InvalidLocation::Key)?),
        };
        Ok(Self::S3 { bucket, prefix })
    }
}

fn file_path(text: &str) -> Result<PathBuf, InvalidLocation> {
    let rest = text.strip_prefix("file://").ok_or(InvalidLocation::Scheme)?;
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    if !rest.starts_with('/') {
        return Err(InvalidLocation::Host);
    }
    let bytes =
        percent_decoded(rest.as_bytes()).filter(|b| !b.contains(&0)).ok_or(InvalidLocation::Escape)?;
    Ok(PathBuf::from(OsStr::from_bytes(&bytes)))
}

/// The bytes that `%XX` stands for, and all else as it is (RFC 3986 section 2.1).
pub(crate) fn percent_decoded(mut text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        match text {
            [] => return Some(bytes),
            [b'%', high, low, rest @ ..] => {
                bytes.push(nibble(*high)? << 4 | nibble(*low)?);
                text = rest;
            }
            [b'%', ..] => return None,
            [b, rest @ ..] => {
                bytes.push(*b);
                text = rest;
            }
        }
    }
}

/// A path as a `file://` uri; whatever is not printable is `%XX`.
pub(super) fn file_uri(path: &Path) -> String {
    format!("file://{}", escaped(path.as_os_str().as_bytes()))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(dir) => f.write_str(&file_uri(dir)),
            Self::S3 { bucket, prefix: None } => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix: Some(prefix) } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_both_forms() {
        let s3 = |bucket, prefix: Option<&str>| Location::S3 {
            bucket: BucketName::new(bucket).unwrap(),
            prefix: prefix.map(|p| ObjectKey::new(p).unwrap()),
        };
        for (text, location) in [
            ("s3://bucket", s3("bucket", None)),
            ("s3://bucket/", s3("bucket", None)),
            ("s3://my.bucket-1/a/b/", s3("my.bucket-1", Some("a/b"))),
            ("s3://bucket/a%20b", s3("bucket", Some("a%20b"))),
            ("file:///srv/store", Location::File("/srv/store".into())),
            ("file://localhost/srv/a%20b", Location::File("/srv/a b".into())),
        ] {
            assert_eq!(text.parse(), Ok(location), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_with_its_reason() {
        use InvalidLocation::{Bucket, Escape, Host, Key, Scheme};
        for (text, why) in [
            ("", Scheme),
            ("/srv/store", Scheme),
            ("https://bucket.s3.amazonaws.com/", Scheme),
            ("file://srv/store", Host),
            ("file://", Host),
            ("file:///a%2", Escape),
            ("file:///a%zz", Escape),
            ("file:///a%00", Escape),
            ("s3://", Bucket),
            ("s3://ab", Bucket),
            ("s3://-abc", Bucket),
            ("s3://a..b", Bucket),
            ("s3://user:secret@bucket/x", Bucket),
            ("s3://bucket/a\0", Key(InvalidKey::Nul)),
        ] {
            assert_eq!(text.parse::<Location>(), Err(why), "{text}");
        }
    }

    #[test]
    fn splits_an_artifact_from_its_store() {
        let (location, key) = Location::artifact("s3://bucket/a/b").unwrap();
        assert_eq!((location.to_string().as_str(), key.as_str()), ("s3://bucket", "a/b"));
        let (location, key) = Location::artifact("file:///srv/out/a%0Ab").unwrap();
        assert_eq!((location.to_string().as_str(), key.as_str()), ("file:///srv/out", "a\nb"));
        assert_eq!(Location::artifact("s3://bucket/"), Err(InvalidLocation::Key(InvalidKey::Empty)));
        assert_eq!(Location::artifact("file:///"), Err(InvalidLocation::Key(InvalidKey::Empty)));
    }

    proptest! {
        #[test]
        fn file_locations_survive(bytes in proptest::collection::vec(1u8.., 0..100)) {
            let path = Path::new("/").join(OsStr::from_bytes(&bytes));
            prop_assert_eq!(file_uri(&path).parse::<Location>(), Ok(Location::File(path)));
        }

        #[test]
        fn nothing_panics(text in "(s3://|file://)?\\PC{0,60}") {
            if let Ok(location) = text.parse::<Location>() {
                prop_assert!(!location.to_string().chars().any(char::is_control));
            }
            if let Ok((location, key)) = Location::artifact(&text) {
                prop_assert_eq!(location.to_string().parse::<Location>(), Ok(location));
                prop_assert!(!key.as_str().is_empty());
            }
        }
    }
}
