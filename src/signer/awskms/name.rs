//! The name of a key in AWS KMS.

use std::fmt;

use argo_attest_core::secret::shown;

/// What such a name begins with.
pub(in super::super) const SCHEME: &str = "awskms://";
/// Bytes of a key's id (`KeyIdType` of the service).
const MAX_ID: usize = 2048;

/// A key by its id, its alias or either's ARN, and the endpoint that has it, if it is not the
/// region's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    endpoint: String,
    id: String,
}

impl KmsKey {
    /// What follows `awskms://`.
    pub(in super::super) fn new(rest: &str) -> Option<Self> {
        let (endpoint, id) = rest.split_once('/')?;
        let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let is_id = |id: &str| {
            let resource = match id.strip_prefix("arn:") {
                Some(arn) => match arn.splitn(5, ':').collect::<Vec<_>>().as_slice() {
                    [_, "kms", region, _, resource @ ..] if !region.is_empty() => {
                        resource.first().copied().filter(|r| r.starts_with("key/") || r.starts_with("alias/"))
                    }
                    _ => None,
                },
                None => Some(id).filter(|id| id.starts_with("alias/") || !id.contains('/')),
            };
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_/:".contains(&b);
            resource.is_some_and(|r| !r.ends_with('/') && !r.contains(':')) && id.bytes().all(is_plain)
        };
        (endpoint.bytes().all(is_host) && !id.is_empty() && id.len() <= MAX_ID && is_id(id))
            .then(|| Self { endpoint: endpoint.to_owned(), id: id.to_owned() })
    }

    /// As the service is told it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The host, and its port, that is asked in place of the region's own.
    pub(super) fn endpoint(&self) -> Option<&str> {
        Some(self.endpoint.as_str()).filter(|endpoint| !endpoint.is_empty())
    }

    /// The region that an ARN names.
    pub(super) fn region(&self) -> Option<&str> {
        self.id.strip_prefix("arn:")?.split(':').nth(2)
    }
}

/// As it was given, unless it may be a key.
impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.endpoint, shown(self.id.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_cosign() {
        for (rest, endpoint, id, region) in [
            ("/1234abcd-12ab-34cd-56ef-1234567890ab", None, "1234abcd-12ab-34cd-56ef-1234567890ab", None),
            ("/mrk-1234abcd12ab34cd56ef1234567890ab", None, "mrk-1234abcd12ab34cd56ef1234567890ab", None),
            ("/alias/ci/attest", None, "alias/ci/attest", None),
            ("localhost:4566/alias/ci", Some("localhost:4566"), "alias/ci", None),
            (
                "/arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                None,
                "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                Some("us-east-2"),
            ),
            (
                "kms.example/arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/ci",
                Some("kms.example"),
                "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/ci",
                Some("us-gov-west-1"),
            ),
        ] {
            let key = KmsKey::new(rest).unwrap();
            assert_eq!((key.endpoint(), key.id(), key.region()), (endpoint, id, region), "{rest}");
            assert_eq!(key.to_string(), format!("awskms://{rest}"));
        }
        for rest in [
            "",
            "/",
            "alias/",
            "/alias/",
            "/a b",
            "/key/x",
            "/arn:aws:s3:::b",
            "/arn:aws:kms::1:key/x",
            "u@h/alias/a",
            "/arn:aws:kms:r:1:x/y",
            "/alias/a?b",
            "/\u{e4}",
        ] {
            assert!(KmsKey::new(rest).is_none(), "{rest}");
        }
    }
}
