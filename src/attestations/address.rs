//! From an attestation's address, as a statement names it, to what belongs to it.

use argo_attest_core::contract::store::APART;
use argo_attest_core::digest::Sha256Digest;

use super::names;

/// The address of an attestation. It is foreign text; no name is looked up because of it.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a>(&'a str);

impl<'a> Address<'a> {
    /// Any text.
    pub fn new(uri: &'a str) -> Self {
        Self(uri)
    }

    /// As it is.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it is that of envelopes, one a line.
    pub fn is_lines(self) -> bool {
        names::is_lines(self.0)
    }

    /// The address of the artifact; its own, if that does not follow from it.
    pub fn artifact(self) -> String {
        let stem = names::stem(self.0).unwrap_or(self.0);
        let (bucket, key) = stem.split_at(key_at(stem));
        format!("{bucket}{}", key.strip_prefix(APART).unwrap_or(key))
    }

    /// Where the envelopes are that lie with it, one a line.
    pub fn lines(self) -> Option<String> {
        names::stem(self.0).map(names::lines)
    }

    /// Where the one of this digest is that was here, if another took its place, and no lines keep it.
    pub fn earlier(self, digest: Sha256Digest) -> Option<String> {
        names::earlier(self.0, digest)
    }

    /// Where the manifest is.
    pub fn manifest(self) -> String {
        names::manifest(names::stem(self.0).unwrap_or(self.0))
    }
}

/// Where in an object's address its key begins: `s3://bucket/key`, `scheme:key`.
fn key_at(uri: &str) -> usize {
    let Some((scheme, rest)) = uri.split_once(':') else { return 0 };
    let after = scheme.len() + 1;
    match rest.strip_prefix("//").and_then(|rest| rest.find('/')) {
        Some(slash) => after + 2 + slash + 1,
        None => after,
    }
}
