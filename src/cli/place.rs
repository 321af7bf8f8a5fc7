//! Where an attestation is put.

use argo_attest_core::argo::Placement;
use clap::ValueEnum;

/// See [`Placement`].
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Where {
    /// Under the object's key and more
    Beside,
    /// Beneath .attestations/ of the same bucket
    Apart,
}

impl From<Where> for Placement {
    fn from(place: Where) -> Self {
        match place {
            Where::Beside => Self::Beside,
            Where::Apart => Self::Apart,
        }
    }
}
