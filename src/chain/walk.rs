//! The walk itself: depth first, each attestation once, within limits.

use std::collections::HashMap;
use std::sync::Arc;

use argo_attest_core::attestation_file::{AttestationFile, Found, Item};
use argo_attest_core::bundle::{Bundle, Evidence, Unjudged};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::image::{ImageReference, Repository};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::policy::Policy;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::slsa::Provenance;
use argo_attest_core::store_address::StoreAddress;
use argo_attest_core::text::brief;
use argo_attest_core::verify::{Authentic, Here, KnownAs, Place, Rejection, authenticate};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::link::{Chain, Link, LinkError, Standing, Upstream};
use super::{FetchError, Source};
use crate::attestations::{Address, MAX_ATTESTATION, MAX_ATTESTATION_BYTES};
use crate::registry::RegistryError;
use crate::store::StoreError;

/// What the addresses of images begin with.
const OCI: &str = "oci://";

/// The annotation of a dependency that says in which store it is, in `argo-step/v1`.
const ENDPOINT: &str = "endpoint";

/// How far a walk goes. What lies beyond is a broken link, never passed over.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Statements on the way from the artifact to a root.
    pub depth: usize,
    /// Links in all, roots among them.
    pub links: usize,
    /// Bytes of attestations and manifests in all.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, links: 10_000, bytes: 256 * 1024 * 1024 }
    }
}

/// Dependencies of one statement that are still to be looked at.
struct Open {
    link: Option<usize>,
    rest: std::vec::IntoIter<ResourceDescriptor>,
}

/// What an attestation is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Object,
    Image,
}

struct Walk<'a> {
    policy: Policy,
    /// What is for images.
    images: Policy,
    now: Timestamp,
    source: &'a dyn Source,
    limits: Limits,
    left: u64,
    /// Those that hold, by the digest that names them; those of images apart, of which something
    /// else is expected.
    known: HashMap<(Sha256Digest, Of), (Arc<Authentic>, Unjudged)>,
}

/// Walks from the artifact's provenance to the roots. `policy` is the artifact's:
/// of it, what is for upstream links applies ([`Policy::upstream`]).
///
/// A link that does not hold does not end the walk; a store that cannot be asked does.
pub async fn walk(
    provenance: &Provenance,
    policy: &Policy,
    now: Timestamp,
    source: &dyn Source,
    limits: Limits,
) -> Chain {
    let known = HashMap::new();
    let (policy, images) = (policy.upstream(), policy.upstream_images());
    let mut walk = Walk { policy, images, now, source, limits, left: limits.bytes, known };
    let mut chain = Chain::default();
    let mut open = vec![Open { link: None, rest: dependencies(provenance) }];
    while let Some(statement) = open.last_mut() {
        let parent = statement.link;
        let Some(dependency) = statement.rest.next() else {
            open.pop();
            continue;
        };
        let too_many = chain.links.len() >= limits.links;
        let (standing, beneath) = if too_many {
            (Standing::Broken(LinkError::TooManyLinks(limits.links)), None)
        } else {
            match walk.visit(&dependency, open.len()).await {
                Ok(visited) => visited,
                Err(error) => (Standing::Broken(error), None),
            }
        };
        let unknown = matches!(&standing, Standing::Broken(error) if error.unknown().is_some());
        chain.links.push(describe(parent, &dependency, standing));
        if too_many || unknown {
            break;
        }
        if let Some(rest) = beneath {
            open.push(Open { link: Some(chain.links.len() - 1), rest });
        }
    }
    chain
}

type Visited = (Standing, Option<std::vec::IntoIter<ResourceDescriptor>>);

impl Walk<'_> {
    async fn visit(&mut self, dependency: &ResourceDescriptor, depth: usize) -> Result<Visited, LinkError> {
        let Some(reference) = AttestationRef::of(dependency)? else { return Ok((Standing::Root, None)) };
        let is_image = [&dependency.uri, &reference.uri].into_iter().any(|uri| uri.starts_with(OCI));
        let of = if is_image { Of::Image } else { Of::Object };
        if let Some((authentic, unjudged)) = self.known.get(&(reference.sha256, of)).cloned() {
            let subject = self.subject(&authentic, dependency, &reference, of).await?;
            return Ok((Standing::Again(Box::new(Upstream::new(&authentic, subject, unjudged))), None));
        }
        if depth > self.limits.depth {
            return Err(LinkError::TooDeep(self.limits.depth));
        }
        let (Carried { envelope, evidence, unjudged }, policy) = match of {
            Of::Object => (self.envelope(&reference).await?, &self.policy),
            Of::Image => (self.with_image(dependency, &reference).await?, &self.images),
        };
        let authentic = Arc::new(authenticate(&envelope, &evidence, policy, self.now)?);
        let unjudged = authentic.proof().unjudged(unjudged);
        let subject = self.subject(&authentic, dependency, &reference, of).await?;
        let beneath = authentic.provenance().map(dependencies).unwrap_or_default();
        let standing = Standing::Verified(Box::new(Upstream::new(&authentic, subject, unjudged)));
        // Only now: of one that does not hold nothing stands beneath it.
        self.known.insert((reference.sha256, of), (authentic, unjudged));
        Ok((standing, Some(beneath)))
    }

    /// The envelope of the very attestation that is named: in its place, or, where a
    /// newer one took that, among the lines beside it; and what came with it.
    async fn envelope(&mut self, reference: &AttestationRef) -> Result<Carried, LinkError> {
        let address = Address::new(&reference.uri);
        let uri = address.as_str();
        let mut other = false;
        // Whoever found it among the lines may name these.
        if !address.is_lines() {
            match self.fetch(uri).await? {
                Fetched::Bytes(bytes) if Sha256Digest::of(&bytes) == reference.sha256 => {
                    return Ok(the_one(statements(&bytes)?)?);
                }
                fetched => other = fetched.is_there(),
            }
        }
        if let Some(beside) = address.lines() {
            let fetched = self.fetch(&beside).await?;
            other |= fetched.is_there();
            if let Fetched::Bytes(bytes) = fetched {
                let named = |envelope: &Envelope| {
                    let bundle = Bundle::new(envelope.clone());
                    bundle.is_ok_and(|b| Sha256Digest::of(&b.to_json()) == reference.sha256)
                };
                let found = statements(&bytes)?;
                if let Some(found) = found.into_iter().rev().find(|carried| named(&carried.envelope)) {
                    return Ok(found);
                }
            }
        }
        // What counted by a certificate no line keeps.
        if let Some(earlier) = address.earlier(reference.sha256).filter(|_| other)
            && let Fetched::Bytes(bytes) = self.fetch(&earlier).await?
            && Sha256Digest::of(&bytes) == reference.sha256
        {
            return Ok(the_one(statements(&bytes)?)?);
        }
        let uri = printable(uri.as_bytes());
        if other {
            return Err(LinkError::Replaced { uri, wanted: reference.sha256.to_string() });
        }
        Err(FetchError::Missing { uri }.into())
    }

    /// The envelope of the attestation of an image: a blob of its own repository, whose bytes have
    /// the digest that they are asked for by.
    async fn with_image(
        &mut self,
        dependency: &ResourceDescriptor,
        reference: &AttestationRef,
    ) -> Result<Carried, LinkError> {
        let at = image_place(dependency, reference)?;
        let limit = MAX_ATTESTATION.min(self.left);
        let most = usize::try_from(limit).unwrap_or(MAX_ATTESTATION_BYTES);
        let wanted = || reference.sha256.to_string();
        let bytes = match self.source.with_image(&at, reference.sha256, most).await {
            Err(FetchError::Registry(RegistryError::TooLarge { .. })) if limit < MAX_ATTESTATION => {
                return Err(LinkError::TooLarge(self.limits.bytes));
            }
            Err(FetchError::Registry(
                RegistryError::OtherBytes { what: uri, .. } | RegistryError::TooLarge { what: uri, .. },
            )) => return Err(LinkError::Replaced { uri, wanted: wanted() }),
            fetched => fetched?,
        };
        self.left = self.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if Sha256Digest::of(&bytes) != reference.sha256 {
            return Err(LinkError::Replaced { uri: printable(reference.uri.as_bytes()), wanted: wanted() });
        }
        Ok(the_one(statements(&bytes)?)?)
    }

    /// Under which name it is about what the dependency's digest names.
    async fn subject(
        &mut self,
        authentic: &Authentic,
        dependency: &ResourceDescriptor,
        reference: &AttestationRef,
        of: Of,
    ) -> Result<String, LinkError> {
        if of == Of::Image {
            image_place(dependency, reference)?;
            // In a registry no names say what lies where, and an image is what its digest says.
            return Ok(authentic.speaks_of(&Place::ByDigest, &dependency.digest, None)?);
        }
        let place = place(dependency, reference)?;
        self.placed(authentic, dependency, reference)?;
        if !authentic.lists_elsewhere(&place, &dependency.digest) {
            return Ok(authentic.speaks_of(&place, &dependency.digest, None)?);
        }
        let uri = Address::new(&reference.uri).manifest();
        let Fetched::Bytes(bytes) = self.fetch(&uri).await? else {
            return Err(Rejection::NoManifest(printable(uri.as_bytes())).into());
        };
        Ok(authentic.speaks_of(&place, &dependency.digest, Some(&mut bytes.as_ref()))?)
    }

    /// That the dependency was taken from where its own statement says that it was stored.
    fn placed(
        &self,
        authentic: &Authentic,
        dependency: &ResourceDescriptor,
        reference: &AttestationRef,
    ) -> Result<(), LinkError> {
        let endpoint = dependency.annotations.get(ENDPOINT).and_then(Value::as_str);
        let store: StoreAddress = endpoint.and_then(|text| text.parse().ok()).ok_or(LinkError::NoStore)?;
        let uri = Address::new(&reference.uri).artifact();
        let here = Here { uri: &uri, store: Some(&store) };
        Ok(authentic.placed(here, self.policy.stores()).map_err(Rejection::from)?)
    }

    async fn fetch(&mut self, uri: &str) -> Result<Fetched, LinkError> {
        let limit = MAX_ATTESTATION.min(self.left);
        match self.source.fetch(uri, limit).await {
            Ok(bytes) => {
                self.left = self.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                Ok(Fetched::Bytes(bytes))
            }
            Err(FetchError::Missing { .. }) => Ok(Fetched::Nothing),
            Err(FetchError::Store(StoreError::TooLarge { .. })) if limit < MAX_ATTESTATION => {
                Err(LinkError::TooLarge(self.limits.bytes))
            }
            Err(FetchError::Store(StoreError::TooLarge { .. })) => Ok(Fetched::TooLarge),
            Err(error) => Err(error.into()),
        }
    }
}

/// A signed statement, and what came with it.
struct Carried {
    envelope: Envelope,
    evidence: Evidence,
    unjudged: Unjudged,
}

/// The signed statements in what is there.
fn statements(bytes: &[u8]) -> Result<Vec<Carried>, Rejection> {
    let statement = |item: Item| match item.found {
        Found::Attestation(signed) => {
            Some(Carried { envelope: signed.content, evidence: signed.evidence, unjudged: signed.unjudged })
        }
        _ => None,
    };
    Ok(AttestationFile::read(bytes)?.into_items().into_iter().filter_map(statement).collect())
}

/// What is named by the digest of a whole file is the one statement in there.
fn the_one(mut all: Vec<Carried>) -> Result<Carried, Rejection> {
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Rejection::NoStatement { found: "something else".to_owned() }),
        (Some(_), false) => Err(Rejection::NoStatement { found: "several statements".to_owned() }),
    }
}

/// What is at an address.
enum Fetched {
    Bytes(Bytes),
    /// Something that is no attestation of ours.
    TooLarge,
    Nothing,
}

impl Fetched {
    fn is_there(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// The repository of an image and of its attestation, which name both by digest.
fn image_place(dependency: &ResourceDescriptor, reference: &AttestationRef) -> Result<Repository, LinkError> {
    let named = |uri: &str| uri.strip_prefix(OCI)?.parse::<ImageReference>().ok();
    let digest = dependency.digest.sha256();
    let image = named(&dependency.uri).filter(|image| digest.is_some() && image.digest() == digest);
    let attestation = named(&reference.uri).filter(|attestation| attestation.digest().is_some());
    match (image, attestation) {
        (Some(image), Some(attestation)) if image.repository() == attestation.repository() => {
            Ok(image.repository().clone())
        }
        _ => Err(LinkError::NotOfImage {
            uri: printable(dependency.uri.as_bytes()),
            attestation: printable(reference.uri.as_bytes()),
        }),
    }
}

/// Where the dependency is, from what its attestation is beside: that of a directory
/// speaks of each file under the file's own name. Beside anything else it is another's.
fn place(dependency: &ResourceDescriptor, reference: &AttestationRef) -> Result<Place, LinkError> {
    let base = Address::new(&reference.uri).artifact();
    // Of a directory, the prefix of its objects is the same with a `/` and without.
    let is_directory = dependency.digest.sha256().is_none();
    let slashless = |uri: &'_ str| if is_directory { uri.trim_end_matches('/') } else { uri }.to_owned();
    let (uri, base) = (slashless(&dependency.uri), slashless(&base));
    if uri == base {
        return Ok(Place::Itself(KnownAs::new(&uri)));
    }
    let rest = uri.strip_prefix(&base).and_then(|rest| rest.strip_prefix('/'));
    let path = rest.and_then(|rest| RelPath::from_bytes(rest.as_bytes()).ok()).filter(|p| !p.is_root());
    let apart =
        || LinkError::Apart { uri: brief(&dependency.uri, 300), attestation: brief(&reference.uri, 300) };
    path.map(Place::Within).ok_or_else(apart)
}

fn dependencies(provenance: &Provenance) -> std::vec::IntoIter<ResourceDescriptor> {
    provenance.build_definition.resolved_dependencies.clone().into_iter()
}

fn describe(parent: Option<usize>, dependency: &ResourceDescriptor, standing: Standing) -> Link {
    let shown = |text: &str| printable(text.as_bytes());
    let annotated = |name: &str| dependency.annotations.get(name);
    let name = if dependency.name.is_empty() { &dependency.uri } else { &dependency.name };
    Link {
        parent,
        name: shown(name),
        uri: shown(&dependency.uri),
        digest: dependency.digest.iter().next().map(|(algorithm, hex)| shown(&format!("{algorithm}:{hex}"))),
        attestation: annotated("attestation").and_then(|a| a.get("uri")?.as_str()).map(shown),
        endpoint: annotated(ENDPOINT).and_then(Value::as_str).map(shown),
        standing,
    }
}
