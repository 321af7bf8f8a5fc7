//! From an attestation's address, as a statement names it, to what belongs to it.

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

    /// The address of what it is beside; its own, if that does not follow from it.
    pub fn artifact(self) -> &'a str {
        names::artifact_of(self.0).unwrap_or(self.0)
    }

    /// Where the envelopes are that lie beside the same artifact, one a line.
    pub fn lines(self) -> Option<String> {
        names::artifact_of(self.0).map(names::lines)
    }

    /// Where the manifest is.
    pub fn manifest(self) -> String {
        names::manifest(self.artifact())
    }
}
