//! Attesting an image in a registry: one signed statement about its manifest and, of an index,
//! about those of its platforms, which refers to each of them.

use argo_attest_core::contents::Contents;
use argo_attest_core::image::{ImageSubject, Manifest, Repository};
use argo_attest_core::slsa::Provenance;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{AttestError, Attestor, Receipt};
use crate::attestations::ImageAttestations;
use crate::registry::Registries;

/// Manifests of an index to which an attestation is put at once.
const AT_ONCE: usize = 4;

/// Attests images. Where their provenance comes from is the caller's.
#[derive(Debug, Clone, Copy)]
pub struct ImageAttestor<'a> {
    attestor: &'a Attestor<'a>,
    registries: &'a Registries,
    cosign_tag: bool,
}

/// An image that is attested, and each of an index's images with it: proof, as a [`Receipt`] is.
#[derive(Debug)]
pub struct ImageAttested {
    receipt: Receipt,
    referred: Vec<Referred>,
}

/// A manifest, and what now refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The manifest.
    pub subject: ImageSubject,
    /// Where the attestation is that refers to it, `oci://…@sha256:…`.
    pub attestation: String,
}

impl ImageAttested {
    /// The image's own receipt. Where its bundle is: what refers to the manifest, or the index,
    /// by which the image is named.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The same, for whoever keeps nothing else.
    pub fn into_receipt(self) -> Receipt {
        self.receipt
    }

    /// All manifests with what refers to them, the image's own first.
    pub fn referred(&self) -> &[Referred] {
        &self.referred
    }
}

impl<'a> ImageAttestor<'a> {
    /// One that has statements signed by this attestor, and puts them into these registries.
    pub fn new(attestor: &'a Attestor<'a>, registries: &'a Registries) -> Self {
        Self { attestor, registries, cosign_tag: false }
    }

    /// Whether each attestation is also put where cosign 2 looks, under a tag.
    #[must_use]
    pub fn with_cosign_tag(self, cosign_tag: bool) -> Self {
        Self { cosign_tag, ..self }
    }

    /// Attests the image with this manifest. The same bundle is put as a referrer of the
    /// manifest and, of an index, of each image in it; each is read back from where `verify` looks
    /// and verified, and only then is any of it called attested.
    ///
    /// What it speaks of is named by digest: a tag that moves meanwhile changes nothing.
    ///
    /// Errors: [`AttestError`], of the first place that does not do; others may have been put.
    pub async fn attest(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        provenance: &Provenance,
    ) -> Result<ImageAttested, AttestError> {
        let name = repository.to_string();
        let unnamed = |reason: String| AttestError::Unsigned { artifact: name.clone(), reason };
        let (whole, images) = manifest.subjects().map_err(|e| unnamed(e.to_string()))?;
        let contents = Contents::image(name.as_str(), &whole, &images);
        let signed = self.attestor.signed(&contents, provenance).await?;
        let (name, signed) = (&name, &signed);
        let keep = |subject: ImageSubject| async move {
            let place = ImageAttestations::new(self.registries, repository, subject.digest)
                .also_tagged(self.cosign_tag);
            let receipt = self.attestor.keep(name, signed, None, &place).await?.receipt()?;
            Ok::<_, AttestError>((receipt, subject))
        };
        // Its own comes last: whoever sees it finds those of its platforms, too.
        let images: Vec<_> =
            stream::iter(images.into_iter().map(keep)).buffered(AT_ONCE).try_collect().await?;
        let (receipt, whole) = keep(whole).await?;
        let told =
            |receipt: &Receipt, subject| Referred { subject, attestation: receipt.bundle_uri().to_owned() };
        let mut referred = vec![told(&receipt, whole)];
        referred.extend(images.into_iter().map(|(receipt, subject)| told(&receipt, subject)));
        Ok(ImageAttested { receipt, referred })
    }
}
