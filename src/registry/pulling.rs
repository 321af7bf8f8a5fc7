//! What is asked of a registry.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, MAX_MANIFEST, Manifest, Repository};
use bytes::Bytes;
use hyper::Method;
use hyper::header::ACCEPT;

use super::client::{Ask, At, checked};
use super::{Access, Pulled, Registries, RegistryError, shown, shown_reference};

/// What kinds of manifests are understood.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

impl Registries {
    /// The manifest that an image is named by. Of one that is named by a digest, the bytes have
    /// that digest; of one that is named by a tag, they are what the tag points to now.
    pub async fn manifest(&self, image: &ImageReference) -> Result<Pulled, RegistryError> {
        let (by, what) = match (image.digest(), image.tag()) {
            (Some(digest), _) => (format!("sha256:{digest}"), shown(image.repository(), digest)),
            (None, tag) => (tag.map(|tag| tag.to_string()).unwrap_or_default(), shown_reference(image)),
        };
        let bytes = self.pull(image.repository(), &by, &what).await?;
        if let Some(digest) = image.digest() {
            checked(&what, &bytes, digest)?;
        }
        let manifest = Manifest::read(&bytes).map_err(|source| RegistryError::Manifest { what, source })?;
        Ok(Pulled { manifest, bytes })
    }

    /// The bytes of a manifest, whatever they are.
    pub(super) async fn pull(&self, at: &Repository, by: &str, what: &str) -> Result<Bytes, RegistryError> {
        let ask = Ask {
            method: Method::GET,
            repository: at,
            access: Access::Pull,
            at: At::Path(format!("manifests/{by}")),
            headers: vec![(ACCEPT, MANIFESTS)],
            kind: None,
            body: Bytes::new(),
            what: what.to_owned(),
        };
        Ok(self.http.ask(&ask, &[], MAX_MANIFEST).await?.body.into())
    }

    /// A blob of at most `limit` bytes, which have that digest.
    pub async fn blob(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, RegistryError> {
        let what = shown(at, digest);
        let ask = Ask {
            method: Method::GET,
            repository: at,
            access: Access::Pull,
            at: At::Path(format!("blobs/sha256:{digest}")),
            headers: Vec::new(),
            kind: None,
            body: Bytes::new(),
            what: what.clone(),
        };
        let body = self.http.ask(&ask, &[], limit).await?.body;
        checked(&what, &body, digest)?;
        Ok(body.into())
    }
}
