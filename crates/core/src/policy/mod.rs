//! What a consumer accepts: which (key, builder) pairs, from which workflow, how
//! old. Pure data and its evaluation; [`document`] reads it from YAML.
//!
//! A policy is asked only about provenance whose signature has been checked
//! with one of the policy's own keys.

pub mod document;
mod expectation;
mod fields;
mod identity;
mod images;
mod missing;
mod stores;
mod trust;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use document::PolicyDocument;
use expectation::TEMPLATE_SOURCE;
pub use expectation::{Demand, Expectation, Form, Pattern, StoredMatch, TemplateSource};
pub use identity::{IdentityPattern, InvalidIdentity, TrustedIdentity};
pub use images::ImageRule;
pub use missing::{ArtifactKind, Missing, MissingRule};
pub use stores::{KnownStore, Stores};
pub use trust::{Builders, Principal, TrustedKey};

use crate::proof::{Identity, Proof, TrustedRoot};
use crate::slsa::{BuildLevel, Provenance};
use crate::text::{brief, shell_word};

/// A verification policy.
#[derive(Debug, Clone)]
pub struct Policy {
    keys: Vec<TrustedKey>,
    identities: Vec<TrustedIdentity>,
    builders: Builders,
    stores: Stores,
    expect: Expectation,
    images: ImageRule,
    missing: MissingRule,
    levels: BTreeMap<String, BuildLevel>,
    trusted_root: Option<Arc<TrustedRoot>>,
}

/// Why authentic provenance is not what the policy wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// The pair is not listed. Either half may be good with another.
    #[error("key {key} is not trusted for builder {builder:?}")]
    Pair {
        /// Name of the key in the policy.
        key: String,
        /// The builder that the provenance names.
        builder: String,
    },
    /// The certificate is good, and for somebody else.
    #[error(
        "the certificate is for {identity:?} by the word of {issuer:?}, and not for an identity that is trusted"
    )]
    Identity {
        /// For whom it is, bounded.
        identity: String,
        /// Who vouched for that, bounded.
        issuer: String,
    },
    /// The caller wants one builder and this is another.
    #[error("the builder is {found:?}, not {wanted:?}")]
    Builder {
        /// The builder that the provenance names.
        found: String,
        /// The builder that was asked for.
        wanted: String,
    },
    /// The policy is about builds, and the statement is not.
    #[error("the statement is {predicate_type:?}, which names no builder, and the policy asks for one")]
    NoProvenance {
        /// What it is.
        predicate_type: String,
    },
    /// By the time that is proven of the signature, or else by the verifier's clock.
    #[error("key {key} is accepted only until {not_after}{}", since(*proven))]
    KeyExpired {
        /// Name of the key in the policy.
        key: String,
        /// End of its validity.
        not_after: Timestamp,
        /// When the signature is known to have been there first, if that is proven.
        proven: Option<Timestamp>,
    },
    /// By the same.
    #[error("key {key} is accepted only from {not_before}{}", since(*proven))]
    KeyNotYetValid {
        /// Name of the key in the policy.
        key: String,
        /// Begin of its validity.
        not_before: Timestamp,
        /// When the signature is known to have been there first, if that is proven.
        proven: Option<Timestamp>,
    },
    /// A parameter of the build differs from what is expected, or is not there.
    #[error("the {field} is {}", found.as_ref().map_or_else(|| format!("not stated, and the policy expects {wanted}"), |f| format!("{f:?}, not {wanted}")))]
    Parameter {
        /// Which one, in words.
        field: &'static str,
        /// What the provenance says.
        found: Option<String>,
        /// What the policy wants, in words.
        wanted: String,
    },
    /// The policy is about workflows, and the build was of none.
    #[error("the attestation names no workflow, and the policy expects the {field} to be {wanted}")]
    NoWorkflow {
        /// What is expected of the workflow, in words.
        field: &'static str,
        /// What the policy wants, in words.
        wanted: String,
    },
    /// The provenance does not say that the stored object was compared.
    #[error("the provenance does not say that the stored object was compared with what was written")]
    NoStoredMatch,
    /// No log of the trusted root is known to hold the signature.
    #[error("nothing proves that the signature is in a transparency log, and the policy requires it")]
    NotLogged,
    /// Nobody of the trusted root is known to have seen the signature.
    #[error("nothing proves when the signature was made, and the policy requires it")]
    NotTimed,
    /// Older than the policy allows, by the verifier's clock.
    #[error("the build finished on {finished_on}, longer ago than {max_age:?}")]
    TooOld {
        /// The provenance's own word.
        finished_on: Timestamp,
        /// The policy's limit.
        max_age: Duration,
    },
    /// The policy bounds the age, the provenance gives no time, or one to come.
    #[error("the policy bounds the age, and the provenance gives no time that can be (finishedOn: {})", .0.map_or_else(|| "absent".to_owned(), |t| t.to_string()))]
    NoAge(Option<Timestamp>),
}

/// How it is told that a proven time decided, and not the clock.
fn since(proven: Option<Timestamp>) -> String {
    proven
        .map(|time| format!(", and the signature is proven to have been there at {time}"))
        .unwrap_or_default()
}

impl PolicyViolation {
    /// What can be done about it by whoever verifies, or by whoever wrote the policy.
    pub fn remedy(&self) -> String {
        match self {
            Self::Pair { .. } => "if that key may sign for that builder, let the policy's `builders` say so; else \
                                  fetch the artifact from who should have made it"
                .to_owned(),
            Self::Identity { identity, issuer } => format!(
                "if that is whom you trust, let the policy's `identities` say so, or name it: \
                 --certificate-identity {} --certificate-oidc-issuer {}",
                shell_word(identity),
                shell_word(issuer)
            ),
            Self::Builder { found, .. } => {
                format!("if that builder is the one that you trust, name it: --builder-id {}", shell_word(&brief(found, 300)))
            }
            Self::NoProvenance { .. } => {
                "name an attestation with SLSA provenance with --bundle FILE, or ask for no builder".to_owned()
            }
            Self::KeyExpired { .. } => "have the artifact attested with a key that is accepted now, or let the \
                                        policy's `notAfter` be later"
                .to_owned(),
            Self::KeyNotYetValid { proven: Some(_), .. } => {
                "find out who had the key before the policy's `notBefore`".to_owned()
            }
            Self::KeyNotYetValid { .. } => {
                "check this machine's clock, and the policy's `notBefore`".to_owned()
            }
            Self::NotLogged | Self::NotTimed => "have the artifact signed with a log entry or a timestamp by one that the trusted root names, \
                                                 or change expect.log and expect.time in the policy"
                .to_owned(),
            Self::NoWorkflow { .. } => "argo-attest run names no workflow, only a step's sidecar does: verify an \
                                        artifact of a step, or leave expect.workflow and expect.template out of \
                                        the policy"
                .to_owned(),
            Self::Parameter { field: TEMPLATE_SOURCE, .. } => {
                "let the service account of the step that made it get workflows.argoproj.io, and run that step again; or change expect.templateSource in the policy".to_owned()
            }
            Self::Parameter { .. } => {
                "fetch the artifact from the build that is meant, or change what the policy expects".to_owned()
            }
            Self::NoStoredMatch => "only a step's sidecar compares them: verify an artifact of a step, or leave \
                                    expect.storedMatch out of the policy"
                .to_owned(),
            Self::TooOld { .. } | Self::NoAge(_) => {
                "have the artifact made anew, or change expect.maxAge in the policy".to_owned()
            }
        }
    }
}

impl Policy {
    /// Accepts what any of `keys` signed, whatever builder it names.
    pub fn of_keys(keys: Vec<TrustedKey>) -> Self {
        Self {
            keys,
            identities: Vec::new(),
            builders: Builders::Any,
            stores: Stores::default(),
            expect: Expectation::default(),
            images: ImageRule::default(),
            missing: MissingRule::default(),
            levels: BTreeMap::new(),
            trusted_root: None,
        }
    }

    /// The same policy, which trusts this identity as well, for whatever it says.
    #[must_use]
    pub fn with_identity(mut self, identity: TrustedIdentity) -> Self {
        self.identities.push(identity);
        self
    }

    /// The same policy, narrowed to one builder.
    #[must_use]
    pub fn only_builder(mut self, id: String) -> Self {
        self.expect.builder = Some(id);
        self
    }

    /// The same policy, which knows these stores.
    #[must_use]
    pub fn with_stores(self, stores: Stores) -> Self {
        Self { stores, ..self }
    }

    /// The same policy, which believes whom this names about logs and times, and nobody else.
    #[must_use]
    pub fn with_trusted_root(self, root: TrustedRoot) -> Self {
        Self { trusted_root: Some(Arc::new(root)), ..self }
    }

    /// Whom to believe about logs and times, if anybody.
    pub fn trusted_root(&self) -> Option<&TrustedRoot> {
        self.trusted_root.as_deref()
    }

    /// Which of its fields demands what no attestation can have without a trusted root, if one does.
    pub fn needs_trusted_root(&self) -> Option<&'static str> {
        let of_images = self.images.expect.as_ref();
        let each = [
            ("expect.log", "expect.time", Some(&self.expect)),
            ("images.expect.log", "images.expect.time", of_images),
        ];
        let demanded =
            each.into_iter().find_map(|(log, time, expect)| match expect.map(|e| (e.log, e.time))? {
                (Demand::Required, _) => Some(log),
                (_, Demand::Required) => Some(time),
                _ => None,
            });
        demanded.or_else(|| self.trusts_identities().then_some("identities"))
    }

    /// What of this policy is for the statements of an artifact's inputs, and of
    /// theirs: keys, pairs, builder, namespace, stored match, stores, and how the sidecar
    /// came by its facts. Which workflow and
    /// template made it is asked of the artifact alone. So is its age: an input may
    /// be old, and which attestation of it counts is fixed by the statement that
    /// names it, so an older one cannot be passed off for it.
    #[must_use]
    pub fn upstream(&self) -> Self {
        let expect =
            Expectation { workflow: None, templates: Vec::new(), max_age: None, ..self.expect.clone() };
        Self { expect, ..self.clone() }
    }

    /// What of this policy is for images in registries: the same, and of them is expected what it
    /// says for them apart, if it does.
    #[must_use]
    pub fn of_images(&self) -> Self {
        let Some(own) = &self.images.expect else { return self.clone() };
        // Which builder is asked for is not the file's to say, and holds for all.
        let expect = Expectation { builder: self.expect.builder.clone(), ..own.clone() };
        Self { expect, ..self.clone() }
    }

    /// What it says of images alone.
    pub fn images(&self) -> &ImageRule {
        &self.images
    }

    /// The same as [`Self::upstream`] for the images that went into an artifact. Where the policy says
    /// apart what is expected of images, all of that but the age holds for them: it says which steps
    /// may make images, whatever they are for.
    #[must_use]
    pub fn upstream_images(&self) -> Self {
        if self.images.expect.is_none() {
            return self.upstream();
        }
        let mut images = self.of_images();
        images.expect.max_age = None;
        images
    }

    /// The keys, in the policy's order: the places by which [`Principal::Key`] names them.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// Whether certificates are judged at all: somebody who has one is trusted.
    pub fn trusts_identities(&self) -> bool {
        !self.identities.is_empty()
    }

    /// Which of the trusted identities this one is: all of them, as the policy may have several
    /// patterns that it matches.
    ///
    /// Errors: [`PolicyViolation::Identity`] if it is none.
    pub fn identities_of(&self, identity: &Identity) -> Result<Vec<Principal>, PolicyViolation> {
        let each = self.identities.iter().enumerate();
        let matching: Vec<_> = each
            .filter(|(_, trusted)| trusted.is(identity))
            .map(|(index, _)| Principal::Identity(index))
            .collect();
        if matching.is_empty() {
            return Err(PolicyViolation::Identity {
                identity: brief(identity.name(), 300),
                issuer: brief(identity.issuer(), 300),
            });
        }
        Ok(matching)
    }

    /// What the policy calls one that it trusts.
    pub fn name_of(&self, principal: Principal) -> &str {
        let name = match principal {
            Principal::Key(index) => self.keys.get(index).map(|key| &key.name),
            Principal::Identity(index) => self.identities.get(index).map(|identity| &identity.name),
        };
        name.map_or("", String::as_str)
    }

    /// Which addresses lead to one store.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The level of SLSA's build track that is declared of a builder, if one is.
    pub fn level(&self, builder: &str) -> Option<BuildLevel> {
        self.levels.get(builder).copied()
    }

    /// What to do where there is no attestation.
    pub fn missing(&self) -> &MissingRule {
        &self.missing
    }

    /// Whether provenance that one of these signed is what the policy wants; the first thing that is
    /// not, otherwise. What is given back is who of them may speak for the builder.
    pub fn judge(
        &self,
        by: &[Principal],
        provenance: &Provenance,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Principal, PolicyViolation> {
        let by = self.pair(by, &provenance.run_details.builder.id, proof, now)?;
        self.expect.judge(provenance, &self.stores, now).map(|()| by)
    }

    /// Whether what one of these signed for this builder, and is no provenance, is what
    /// the policy wants of any statement.
    pub fn judge_builder(
        &self,
        by: &[Principal],
        builder: &str,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Principal, PolicyViolation> {
        let by = self.pair(by, builder, proof, now)?;
        self.expect.judge_builder(builder).map(|()| by)
    }

    /// Whether a claim of another type, which names no builder, is what the policy wants: if it
    /// wants any builder, or anything of how it was built, it is not.
    pub fn judge_other(
        &self,
        by: &[Principal],
        predicate_type: &str,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Principal, PolicyViolation> {
        if !matches!(self.builders, Builders::Any) || !self.expect.is_nothing() {
            return Err(PolicyViolation::NoProvenance { predicate_type: brief(predicate_type, 300) });
        }
        self.pair(by, "", proof, now)
    }

    fn pair(
        &self,
        by: &[Principal],
        builder: &str,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Principal, PolicyViolation> {
        let Some(allowed) = by.iter().copied().find(|by| self.builders.allow(builder, *by)) else {
            let key = by.first().map(|by| self.name_of(*by).to_owned()).unwrap_or_default();
            return Err(PolicyViolation::Pair { key, builder: builder.to_owned() });
        };
        if let Principal::Key(index) = allowed {
            self.keys.get(index).map_or(Ok(()), |key| key.valid_at(proof, now))?;
        }
        self.expect.judge_proof(proof).map(|()| allowed)
    }
}

#[cfg(test)]
mod tests;
