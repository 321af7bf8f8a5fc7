//! Vouching for an image that is in a registry already.
//!
//! A tag is resolved once. What it pointed to then is what is attested, by its digest: that it
//! may point to something else soon changes nothing of what is said.

use argo_attest_core::image::{ImageReference, ImageSubject, Manifest, UnnamedImage};
use argo_attest_core::slsa::Provenance;
use argo_attest_core::trouble::{Fault, Trouble};
use jiff::Timestamp;

use super::{AttestError, ImageAttested, ImageAttestor};
use crate::registry::{Registries, RegistryError};

/// An image as a registry had it.
#[derive(Debug, Clone)]
pub struct ImageSighting {
    reference: ImageReference,
    manifest: Manifest,
    whole: ImageSubject,
    images: Vec<ImageSubject>,
    asked: Timestamp,
    answered: Timestamp,
}

/// Why an image that exists is not attested.
#[derive(Debug, thiserror::Error)]
pub enum ExistingImageError {
    /// The registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No statement can speak of all of it.
    #[error("{image} cannot be attested: {source}")]
    Unnamed {
        /// The image.
        image: String,
        /// Why not.
        #[source]
        source: UnnamedImage,
    },
    /// The attestation could not be made, put or read back.
    #[error(transparent)]
    Attest(#[from] AttestError),
}

impl Trouble for ExistingImageError {
    fn fault(&self) -> Fault {
        match self {
            Self::Registry(error) => error.fault(),
            Self::Unnamed { .. } => Fault::No,
            Self::Attest(error) => error.fault(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.remedy(),
            Self::Unnamed { .. } => Some("attest its images one by one, each by its digest".to_owned()),
            Self::Attest(error) => error.remedy(),
        }
    }
}

impl ImageSighting {
    /// Asks a registry what the name stands for, once.
    ///
    /// Errors: [`ExistingImageError`].
    pub async fn of(registries: &Registries, reference: &ImageReference) -> Result<Self, ExistingImageError> {
        let asked = Timestamp::now();
        let manifest = registries.manifest(reference).await?.manifest;
        let answered = Timestamp::now();
        let unnamed = |source| ExistingImageError::Unnamed { image: format!("oci://{reference}"), source };
        let (whole, images) = manifest.subjects().map_err(unnamed)?;
        Ok(Self { reference: reference.clone(), manifest, whole, images, asked, answered })
    }

    /// As it was asked for.
    pub fn reference(&self) -> &ImageReference {
        &self.reference
    }

    /// Its manifest or index.
    pub fn whole(&self) -> &ImageSubject {
        &self.whole
    }

    /// Of an index, its images.
    pub fn images(&self) -> &[ImageSubject] {
        &self.images
    }

    /// When the registry was asked, and when it had answered.
    pub fn between(&self) -> (Timestamp, Timestamp) {
        (self.asked, self.answered)
    }

    /// Signs `provenance` for what was seen, and has it refer to all of it.
    pub async fn attest(
        &self,
        attestor: &ImageAttestor<'_>,
        provenance: &Provenance,
    ) -> Result<ImageAttested, ExistingImageError> {
        Ok(attestor.attest(self.reference.repository(), &self.manifest, provenance).await?)
    }
}
