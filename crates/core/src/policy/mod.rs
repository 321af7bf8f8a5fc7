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
mod judgement;
mod missing;
mod parties;
mod stores;
mod trust;
mod violation;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use document::PolicyDocument;
pub use expectation::{Demand, Expectation, Form, Pattern, StoredMatch, TemplateSource};
pub use identity::{IdentityPattern, InvalidIdentity, TrustedIdentity};
pub use images::ImageRule;
pub use judgement::Vouched;
pub use missing::{ArtifactKind, Missing, MissingRule};
pub use stores::{KnownStore, Stores};
pub use trust::{Builders, Principal, TrustedKey};
pub use violation::PolicyViolation;

use crate::proof::{Identity, TrustedRoot};
use crate::slsa::BuildLevel;
use crate::text::brief;

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
}

#[cfg(test)]
mod tests;
