//! A certificate that says whose a key is, where that is what a signature counts by.

use std::sync::Arc;

use argo_attest_core::policy::{IdentityPattern, Policy, TrustedIdentity, TrustedKey};
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::proof::asking::Issued;

/// A certificate for the key that signs, and what a verifier has who trusts whom it is for.
#[derive(Debug, Clone)]
pub struct Certified {
    certificate: Arc<Issued>,
    policy: Arc<Policy>,
}

impl Certified {
    /// `None` of a name that no policy could hold.
    pub(super) fn new(certificate: Issued, root: &TrustedRoot) -> Option<Self> {
        let policy = Arc::new(policy(&certificate, root)?);
        Some(Self { certificate: Arc::new(certificate), policy })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Issued {
        &self.certificate
    }

    /// Trusts this identity, by the trusted root that its certificate was judged by, and nobody else.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether both are for the same, by the word of the same.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        let named = |one: &Self| (one.certificate.name().to_owned(), one.certificate.issuer().to_owned());
        named(self) == named(other)
    }
}

/// What a consumer has who trusts this identity and nobody else, by this root. `None` of a name that no policy could
/// hold.
fn policy(certificate: &Issued, root: &TrustedRoot) -> Option<Policy> {
    let identity = TrustedIdentity {
        name: "signer".to_owned(),
        issuer: certificate.issuer().to_owned(),
        identity: IdentityPattern::exactly(certificate.name()).ok()?,
    };
    let nobody: Vec<TrustedKey> = Vec::new();
    Some(Policy::of_keys(nobody).with_identity(identity).with_trusted_root(root.clone()))
}
