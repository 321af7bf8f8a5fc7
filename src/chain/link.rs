//! A chain that was walked: its links, and how each of them stands.

use argo_attest_core::bundle::Unjudged;
use argo_attest_core::slsa::InvalidReference;
use argo_attest_core::trouble::Trouble;
use argo_attest_core::verify::{Authentic, Rejection, Signer};
use jiff::Timestamp;

use super::FetchError;

/// Every dependency that was come by, a link before those beneath it.
#[derive(Debug, Default)]
pub struct Chain {
    pub(super) links: Vec<Link>,
}

/// One dependency of a statement.
#[derive(Debug)]
pub struct Link {
    /// The link whose statement names it; `None`: the artifact's own.
    pub(super) parent: Option<usize>,
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) digest: Option<String>,
    pub(super) attestation: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) standing: Standing,
}

/// How a link stands.
#[derive(Debug)]
pub enum Standing {
    /// Its statement names no attestation of it: here the chain ends.
    Root,
    /// Its attestation is the one that was named, authentic, and about it.
    Verified(Box<Upstream>),
    /// So it is, and what is beneath it stands elsewhere in the chain.
    Again(Box<Upstream>),
    /// It is not so, or could not be found out.
    Broken(LinkError),
}

/// What is told of a verified link.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The name under which it is attested.
    pub subject: String,
    /// Who signed.
    pub signer: Signer,
    /// `runDetails.builder.id`.
    pub builder_id: String,
    /// `buildDefinition.buildType`.
    pub build_type: String,
    /// `runDetails.metadata.invocationId`.
    pub invocation_id: String,
    /// `runDetails.metadata.finishedOn`, the builder's own word.
    pub finished_on: Option<Timestamp>,
    /// How much came with its attestation that nothing was decided by.
    pub unjudged: Unjudged,
}

/// Why a link does not hold.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The statement that names it is not usable here.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// It cannot be had.
    #[error("its attestation cannot be read")]
    Fetch(#[from] FetchError),
    /// Something else is there.
    #[error("{uri} is not the attestation that its statement names (sha256 {wanted}), nor is any beside it")]
    Replaced {
        /// Where it should be, printable.
        uri: String,
        /// The digest that the statement names, in hexadecimal.
        wanted: String,
    },
    /// The statement that names it leaves open whose bucket it was taken from.
    #[error("the statement that names it does not say in which store it was")]
    NoStore,
    /// The statement that names it names something that does not lie beside it.
    #[error("its attestation {attestation} is not one beside {uri}, nor beside a directory that that is in")]
    Apart {
        /// The dependency, printable.
        uri: String,
        /// Its attestation, printable.
        attestation: String,
    },
    /// The statement that names it names something that does not lie with the image.
    #[error(
        "its attestation {attestation} does not lie in the repository of the image {uri}, which must be named by its digest"
    )]
    NotOfImage {
        /// The dependency, printable.
        uri: String,
        /// Its attestation, printable.
        attestation: String,
    },
    /// It is the one that was named, and is not accepted.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// Deeper than is followed.
    #[error("the chain is deeper than {0} links")]
    TooDeep(usize),
    /// More than is followed.
    #[error("the chain has more than {0} links")]
    TooManyLinks(usize),
    /// More than is read.
    #[error("the attestations of the chain have more than {0} bytes")]
    TooLarge(u64),
}

impl LinkError {
    /// Whether it could not be found out, rather than is not so.
    pub fn unknown(&self) -> Option<&dyn Trouble> {
        match self {
            Self::Fetch(FetchError::Store(error)) => Some(error),
            Self::Fetch(FetchError::Registry(error)) => Some(error),
            _ => None,
        }
    }
}

impl Chain {
    /// The links, each before those beneath it.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The first link that is broken, and why; one that is not so before one that
    /// could not be found out.
    pub fn broken(&self) -> Option<(&Link, &LinkError)> {
        let broken = || {
            self.links.iter().filter_map(|link| match &link.standing {
                Standing::Broken(error) => Some((link, error)),
                _ => None,
            })
        };
        broken().find(|(_, error)| error.unknown().is_none()).or_else(|| broken().next())
    }

    /// The names from the artifact to the link, this one last.
    pub fn path<'a>(&'a self, link: &'a Link) -> Vec<&'a str> {
        let mut path = vec![link.name()];
        let mut parent = link.parent;
        while let Some(above) = parent.and_then(|index| self.links.get(index)) {
            path.push(above.name());
            parent = above.parent;
        }
        path.reverse();
        path
    }
}

impl Link {
    /// What its statement calls it, printable.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was, printable; empty if the statement does not say.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The digest that the statement gives it, `algorithm:value`, printable.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Where its attestation is said to be, printable.
    pub fn attestation(&self) -> Option<&str> {
        self.attestation.as_deref()
    }

    /// The store that its statement says it was in, printable: for people. It is
    /// never asked because of this.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// How it stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Upstream {
    pub(super) fn new(authentic: &Authentic, subject: String, unjudged: Unjudged) -> Self {
        let signer = authentic.signer().clone();
        // Only provenance is asked for along a chain.
        let Some(provenance) = authentic.provenance() else {
            let (builder_id, build_type, invocation_id) = Default::default();
            return Self {
                subject,
                signer,
                builder_id,
                build_type,
                invocation_id,
                finished_on: None,
                unjudged,
            };
        };
        Self {
            subject,
            signer,
            builder_id: provenance.run_details.builder.id.clone(),
            build_type: provenance.build_definition.build_type.clone(),
            invocation_id: provenance.run_details.metadata.invocation_id.clone(),
            finished_on: provenance.run_details.metadata.finished_on,
            unjudged,
        }
    }
}
