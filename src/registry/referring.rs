//! What refers to a manifest (OCI Distribution 1.1, "Listing Referrers" and "Pushing Manifests
//! with Subject"): asked of the registry, or of a tag where it keeps no such list.

use std::time::{Duration, Instant};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{
    EMPTY_CONFIG, MAX_MANIFEST, ManifestKind, NewReferrer, ReferrersIndex, Repository, fallback_tag,
};
use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, LINK};
use hyper::{HeaderMap, Method, StatusCode, Uri};

use super::client::{Ask, At, resolve};
use super::{Access, Registries, RegistryError, shown};

/// Pages of a list that are read.
const MAX_PAGES: usize = 20;
/// How often the tag is written that others write, too, before it has to stay.
const TAG_ATTEMPTS: usize = 12;
/// How long it has to stay: at least so long, and so many times as long as reading and writing it
/// took, since others who read it before we wrote may take that long to write.
const STAYS: Duration = Duration::from_secs(1);
const STAYS_TIMES: u32 = 5;
const LONGEST_STAY: Duration = Duration::from_secs(10);
/// By what a registry says that it keeps the list itself.
const OCI_SUBJECT: &str = "oci-subject";

impl Registries {
    /// All that refer to a manifest, as far as the registry says it: page by page.
    pub async fn referrers(
        &self,
        at: &Repository,
        subject: Sha256Digest,
    ) -> Result<Vec<ReferrersIndex>, RegistryError> {
        let what = format!("the referrers of {}", shown(at, subject));
        let mut next = Some(At::Path(format!("referrers/sha256:{subject}")));
        let mut pages = Vec::new();
        while let Some(place) = next.take() {
            if pages.len() == MAX_PAGES {
                return Err(nonsense(&what, "it lists more than is read"));
            }
            let ask = Ask {
                method: Method::GET,
                repository: at,
                access: Access::Pull,
                at: place,
                headers: vec![(ACCEPT, ManifestKind::OciIndex.media_type())],
                kind: None,
                body: Bytes::new(),
                what: what.clone(),
            };
            // Registries without such a list say so in several ways.
            let absent = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_REQUEST];
            let answer = self.http.ask(&ask, &absent, MAX_MANIFEST).await?;
            if !answer.status.is_success() || !is_index(&answer.headers) {
                return Ok(self.tagged(at, subject).await?.into_iter().collect());
            }
            pages.push(read(&what, &answer.body)?);
            next = linked(&answer.from, &answer.headers).map(At::Address);
        }
        Ok(pages)
    }

    /// What the fallback tag lists, if it is there.
    async fn tagged(
        &self,
        at: &Repository,
        subject: Sha256Digest,
    ) -> Result<Option<ReferrersIndex>, RegistryError> {
        let tag = fallback_tag(subject);
        let what = format!("oci://{at}:{tag}");
        match self.pull(at, tag.as_str(), &what).await {
            Ok(bytes) => read(&what, &bytes).map(Some),
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts an attestation beside the image that it is about; the digest of its manifest. The
    /// same one again changes nothing.
    pub async fn refer(&self, at: &Repository, new: &NewReferrer<'_>) -> Result<Sha256Digest, RegistryError> {
        let bundle = Bytes::copy_from_slice(new.bundle);
        let (empty, carried) =
            tokio::join!(self.put_blob(at, Bytes::from_static(EMPTY_CONFIG)), self.put_blob(at, bundle),);
        empty.and(carried)?;
        let manifest = new.manifest();
        let digest = Sha256Digest::of(&manifest);
        let kind = ManifestKind::OciImage.media_type();
        let by = format!("sha256:{digest}");
        let answer = self.put_manifest(at, &by, kind, Bytes::from(manifest.clone())).await?;
        if !answer.contains_key(OCI_SUBJECT) {
            self.tag(at, new, &manifest, digest).await?;
        }
        Ok(digest)
    }

    /// Adds to the fallback tag's list.
    async fn tag(
        &self,
        at: &Repository,
        new: &NewReferrer<'_>,
        manifest: &[u8],
        digest: Sha256Digest,
    ) -> Result<(), RegistryError> {
        let what = format!("the referrers of oci://{at}@{}", new.subject.digest);
        let Some(subject) = new.subject.digest.sha256() else {
            return Err(nonsense(&what, "its digest is no SHA-256"));
        };
        let tag = fallback_tag(subject);
        let mut shared = Shared::default();
        loop {
            shared.begin();
            let list = self.tagged(at, subject).await?.unwrap_or_default();
            if list.lists(digest) {
                return Ok(());
            }
            shared.once_more(&what)?;
            let more = Bytes::from(list.with(new, manifest));
            self.put_manifest(at, tag.as_str(), ManifestKind::OciIndex.media_type(), more).await?;
            shared.stay().await;
        }
    }
}

/// A tag that others write, too. No registry writes it only if it is still what was read, so two
/// writers can lose one another's entry: it is read again until ours has stayed there for longer
/// than others need to read and write it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    written: usize,
    begun: Option<Instant>,
}

impl Shared {
    /// Before it is read.
    pub(super) fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    /// Before it is written: not for ever.
    pub(super) fn once_more(&mut self, what: &str) -> Result<(), RegistryError> {
        if self.written == TAG_ATTEMPTS {
            return Err(nonsense(
                what,
                "others write the list at the same time, and ours does not stay in it",
            ));
        }
        self.written += 1;
        Ok(())
    }

    /// After it was written: up to twice as long as needed, so that writers who met once do not meet
    /// again.
    pub(super) async fn stay(&self) {
        let took = self.begun.map(|begun| begun.elapsed()).unwrap_or_default();
        let least = took.saturating_mul(STAYS_TIMES).clamp(STAYS, LONGEST_STAY);
        let share = getrandom::u32().unwrap_or_default();
        let more = least.mul_f64(f64::from(share) / f64::from(u32::MAX));
        tokio::time::sleep(least.saturating_add(more)).await;
    }
}

fn read(what: &str, bytes: &[u8]) -> Result<ReferrersIndex, RegistryError> {
    ReferrersIndex::read(bytes).map_err(|error| nonsense(what, &error.to_string()))
}

pub(super) fn nonsense(what: &str, why: &str) -> RegistryError {
    RegistryError::Nonsense { what: what.to_owned(), why: why.to_owned() }
}

/// A page of a proxy that knows no such path is no list.
fn is_index(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().map(str::trim) == Some(ManifestKind::OciIndex.media_type())
}

/// The next page (RFC 8288), if it is of the same server.
fn linked(from: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (target, relation) = link.trim().strip_prefix('<')?.split_once('>')?;
    let next = resolve(from, target).ok()?;
    let same = (next.scheme(), next.authority()) == (from.scheme(), from.authority());
    (same && relation.contains("next")).then_some(next)
}
