//! Attesting an image in a registry: one signed statement about its manifest and, of an index,
//! about those of its platforms, which refers to each of them.

use argo_attest_core::contents::Contents;
use argo_attest_core::image::{ImageSubject, Manifest, Repository};
use argo_attest_core::predicate::Document;
use argo_attest_core::slsa::Provenance;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{AttestError, Attestor, Receipt, Stated};
use crate::attestations::{Earlier, ImageAttestations};
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
        let (contents, whole, images) = contents(repository, manifest)?;
        let signed = self.attestor.signed(&contents, provenance).await?;
        let name = contents.name();
        let (whole, images) = self
            .refer(repository, whole, images, async |place| {
                self.attestor.keep(name, &signed, None, Earlier::Keep, place).await?.receipt()
            })
            .await?;
        let told =
            |receipt: &Receipt, subject| Referred { subject, attestation: receipt.bundle_uri().to_owned() };
        let (receipt, whole) = whole;
        let mut referred = vec![told(&receipt, whole)];
        referred.extend(images.into_iter().map(|(receipt, subject)| told(&receipt, subject)));
        Ok(ImageAttested { receipt, referred })
    }

    /// Signs a document as what it is, about an image that is attested, and has that refer to the
    /// manifest and, of an index, to each image in it. What is proven is the image's own.
    ///
    /// Errors: [`AttestError`], of the first place that does not do; others may have been put.
    pub async fn state(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        document: &Document,
    ) -> Result<Stated, AttestError> {
        let (contents, whole, images) = contents(repository, manifest)?;
        let signed = self.attestor.signed_document(&contents, document).await?;
        let name = contents.name();
        let ((stated, _), _) = self
            .refer(repository, whole, images, async |place| {
                self.attestor.keep(name, &signed, None, Earlier::Keep, place).await?.stated(document.kind())
            })
            .await?;
        Ok(stated)
    }

    /// Has something refer to each manifest. The image's own comes last: whoever sees it finds those of
    /// its platforms, too.
    async fn refer<T>(
        &self,
        repository: &Repository,
        whole: ImageSubject,
        images: Vec<ImageSubject>,
        keep: impl AsyncFn(&ImageAttestations<'_>) -> Result<T, AttestError>,
    ) -> Result<((T, ImageSubject), Vec<(T, ImageSubject)>), AttestError> {
        let keep = &keep;
        let one = |subject: ImageSubject| async move {
            let place = ImageAttestations::new(self.registries, repository, subject.digest)
                .also_tagged(self.cosign_tag);
            Ok::<_, AttestError>((keep(&place).await?, subject))
        };
        let images: Vec<_> =
            stream::iter(images.into_iter().map(one)).buffered(AT_ONCE).try_collect().await?;
        Ok((one(whole).await?, images))
    }
}

/// What a statement about an image names, and the manifests that it is about.
fn contents(
    repository: &Repository,
    manifest: &Manifest,
) -> Result<(Contents, ImageSubject, Vec<ImageSubject>), AttestError> {
    let name = repository.to_string();
    let unnamed = |reason: String| AttestError::Unsigned { artifact: name.clone(), reason };
    let (whole, images) = manifest.subjects().map_err(|e| unnamed(e.to_string()))?;
    Ok((Contents::image(name.as_str(), &whole, &images), whole, images))
}
