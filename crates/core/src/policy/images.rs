//! What a policy says of container images alone.

use super::Expectation;

/// What holds for the images that a step's containers run, and for all others in registries.
#[derive(Debug, Clone, Default)]
pub struct ImageRule {
    /// Whether a container's image may be named by a tag. Whoever may push can move a tag between
    /// the look at its attestation and the kubelet's pull; a digest is what was looked at.
    pub tags: bool,
    /// What is expected of an image's statement in place of what is expected of all others: most
    /// of that (stores, stored match) no image can have, and other templates make images.
    pub expect: Option<Expectation>,
}
