//! Of an image in a registry: what refers to its manifest there.

mod put;

use std::collections::VecDeque;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{Carried, Manifest, Repository, cosign_tag};
use argo_attest_core::manifest;
use argo_attest_core::verify::{Place, Rejection};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::candidate::Manifest as Listed;
use super::{
    Attestations, Candidate, Candidates, FindError, Form, Kept, MAX_ATTESTATION_BYTES, NamedAttestation,
    NewAttestation, PutError, Reach,
};
use crate::registry::{Registries, RegistryError};

/// Manifests that are looked at, of all that refer to an image. Whoever may push can add some.
const MAX_REFERRERS: usize = 128;
/// Layers of one of them that may carry an attestation.
const MAX_CARRIED: usize = 64;

/// The attestations of one manifest, an image's or an index's, in its own repository.
#[derive(Debug, Clone, Copy)]
pub struct ImageAttestations<'a> {
    registries: &'a Registries,
    repository: &'a Repository,
    subject: Sha256Digest,
    /// Whether what is put goes under cosign 2's tag, too.
    tagged: bool,
}

/// What is still to be looked at.
struct Looks<'a> {
    of: ImageAttestations<'a>,
    begun: bool,
    referrers: VecDeque<Sha256Digest>,
    /// Whether more refer to it than are looked at.
    more: bool,
    /// Whether the tag of cosign 2 is still to be looked at.
    tag: bool,
    carried: VecDeque<Sha256Digest>,
    /// Of which manifest those are layers.
    carrier: Option<Sha256Digest>,
}

impl<'a> ImageAttestations<'a> {
    /// Of the manifest with this digest.
    pub fn new(registries: &'a Registries, repository: &'a Repository, subject: Sha256Digest) -> Self {
        Self { registries, repository, subject, tagged: false }
    }

    /// Puts each attestation also where cosign 2 looks: as an envelope under a tag.
    #[must_use]
    pub fn also_tagged(self, tagged: bool) -> Self {
        Self { tagged, ..self }
    }

    /// What may speak of it, each read when it is asked for: Sigstore bundles that refer to it, as
    /// cosign 3 and this program write them, and envelopes under cosign 2's tag.
    pub fn candidates(self) -> Candidates<'a> {
        let looked_for = vec![
            format!("what refers to {}", self.uri(self.subject)),
            format!("oci://{}:{}", self.repository, cosign_tag(self.subject)),
        ];
        let looks = Looks { begun: false, tag: true, ..Looks::at(self, None) };
        let each = stream::unfold(looks, |mut looks| async move { Some((looks.next().await?, looks)) });
        Candidates::new(each.boxed(), looked_for)
    }

    /// The attestation that the user says is about it.
    pub fn named(&self, attestation: &NamedAttestation) -> Candidate<'a> {
        Candidate { origin: attestation.origin(), ..self.candidate(self.subject, attestation.bytes()) }
    }

    /// The manifests that say that they are about it, as far as the registry knows: the first of
    /// them, and whether there are more. Whoever may push can add some, and so hide what the
    /// registry lists after them, but not what it lists before.
    async fn listed(&self) -> Result<(Vec<Sha256Digest>, bool), RegistryError> {
        let mut listed = Vec::new();
        for page in self.registries.referrers(self.repository, self.subject).await? {
            for digest in page.candidates() {
                if listed.contains(&digest) {
                    continue;
                }
                if listed.len() == MAX_REFERRERS {
                    return Ok((listed, true));
                }
                listed.push(digest);
            }
        }
        Ok((listed, false))
    }

    fn uri(&self, digest: Sha256Digest) -> String {
        format!("oci://{}", self.repository.at(digest))
    }

    fn candidate(&self, carrier: Sha256Digest, bytes: Bytes) -> Candidate<'a> {
        Candidate {
            origin: self.uri(carrier),
            place: Place::ByDigest,
            form: Form::Either,
            bytes,
            artifact: self.uri(self.subject),
            bundle_uri: self.uri(carrier),
            manifest: Listed::Nowhere,
        }
    }
}

/// In a registry no names say what lies where: a manifest has no directory, and whatever refers
/// to it is its own.
#[async_trait]
impl Attestations for ImageAttestations<'_> {
    fn find(&self, _: Reach) -> Candidates<'_> {
        let shorter: ImageAttestations<'_> = *self;
        shorter.candidates()
    }

    async fn put(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError> {
        self.refer(new).await
    }

    /// Nothing is in the way: each attestation has a place of its own.
    async fn is_free(&self) -> Result<(), PutError> {
        Ok(())
    }

    fn manifest_name(&self) -> String {
        format!("sha256-{}{}", self.subject, manifest::SUFFIX)
    }
}

impl<'a> Looks<'a> {
    /// At one referrer, or at none yet.
    fn at(of: ImageAttestations<'a>, referrer: Option<Sha256Digest>) -> Self {
        Self {
            of,
            begun: true,
            referrers: referrer.into_iter().collect(),
            more: false,
            tag: false,
            carried: VecDeque::new(),
            carrier: None,
        }
    }

    async fn next(&mut self) -> Option<Result<Candidate<'a>, FindError>> {
        if !std::mem::replace(&mut self.begun, true)
            && let Err(error) = self.list().await
        {
            self.tag = false;
            return Some(Err(error));
        }
        loop {
            if let (Some(layer), Some(carrier)) = (self.carried.pop_front(), self.carrier) {
                let of = self.of;
                return Some(match of.registries.blob(of.repository, layer, MAX_ATTESTATION_BYTES).await {
                    Ok(bytes) => Ok(of.candidate(carrier, bytes)),
                    // As good as none: others may do.
                    Err(error @ (RegistryError::NotFound { .. } | RegistryError::TooLarge { .. })) => {
                        Err(Rejection::NoStatement { found: error.to_string() }.into())
                    }
                    Err(error) => Err(error.into()),
                });
            }
            let looked = if let Some(referrer) = self.referrers.pop_front() {
                self.referrer(referrer).await
            } else if std::mem::take(&mut self.tag) {
                self.tagged().await
            } else if std::mem::take(&mut self.more) {
                // None of those did, and one of the others may: that is no no.
                return Some(Err(too_many(self.of.uri(self.of.subject), MAX_REFERRERS).into()));
            } else {
                return None;
            };
            if let Err(error) = looked {
                return Some(Err(error));
            }
        }
    }

    /// Which manifests say that they are about the image.
    async fn list(&mut self) -> Result<(), FindError> {
        let (listed, more) = self.of.listed().await?;
        (self.referrers, self.more) = (listed.into(), more);
        Ok(())
    }

    /// What one of them carries. The list may lie; the manifest says itself whom it is about.
    async fn referrer(&mut self, digest: Sha256Digest) -> Result<(), FindError> {
        let of = self.of;
        let pulled = match of.registries.manifest(&of.repository.at(digest)).await {
            Ok(pulled) => pulled,
            // Gone since it was listed, or nothing that could be one: another may do.
            Err(RegistryError::NotFound { .. } | RegistryError::Manifest { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let about = pulled.manifest.image().and_then(|image| image.subject.as_ref());
        if about.and_then(|subject| subject.digest.sha256()) != Some(of.subject) {
            return Err(Rejection::OtherSubject { wanted: of.uri(of.subject) }.into());
        }
        self.take(&pulled.manifest, Carried::Bundle)
    }

    /// What cosign 2 keeps under a tag, without saying in the manifest whom it is about: the
    /// statements alone do.
    async fn tagged(&mut self) -> Result<(), FindError> {
        let of = self.of;
        match of.registries.manifest(&of.repository.tagged(cosign_tag(of.subject))).await {
            Ok(pulled) => self.take(&pulled.manifest, Carried::Envelope),
            Err(RegistryError::NotFound { .. } | RegistryError::Manifest { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn take(&mut self, manifest: &Manifest, wanted: Carried) -> Result<(), FindError> {
        let layers = manifest.image().map(|image| image.layers.as_slice()).unwrap_or_default();
        let carries = layers.iter().filter(|layer| Carried::of(&layer.media_type) == Some(wanted));
        self.carried = carries.filter_map(|layer| layer.digest.sha256()).collect();
        self.carrier = Some(manifest.digest());
        if self.carried.len() > MAX_CARRIED {
            self.carried.clear();
            return Err(too_many(self.of.uri(manifest.digest()), MAX_CARRIED).into());
        }
        Ok(())
    }
}

fn too_many(what: String, limit: usize) -> RegistryError {
    RegistryError::Nonsense { what, why: format!("more than {limit} attestations may be about it") }
}
