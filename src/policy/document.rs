//! The policy file: YAML, `apiVersion: argo-attest.io/v1`, `kind: VerificationPolicy`.
//!
//! Strict: a field that is not known is an error, because a misspelt
//! expectation that is passed over accepts too much.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Builders, Expectation, Missing, Pattern, Policy, StoredMatch, TrustedKey};
use crate::relpath::printable;
use crate::secret::redacted;
use crate::sign::PublicKey;

/// `apiVersion` of the policy that this version reads.
pub const API_VERSION: &str = "argo-attest.io/v1";
/// `kind` of the policy.
pub const KIND: &str = "VerificationPolicy";
/// Size limit of a policy file, in bytes.
pub const MAX_POLICY: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: String,
    keys: Vec<KeyEntry>,
    builders: Vec<BuilderEntry>,
    #[serde(default)]
    expect: ExpectEntry,
    #[serde(default)]
    missing: MissingEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyEntry {
    name: String,
    file: PathBuf,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuilderEntry {
    id: String,
    keys: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExpectEntry {
    #[serde(default)]
    workflow: WorkflowEntry,
    template: Option<Vec<String>>,
    stored_match: Option<StoredMatchEntry>,
    max_age: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WorkflowEntry {
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum StoredMatchEntry {
    Required,
    Optional,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum MissingEntry {
    #[default]
    Fail,
    Warn,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPolicy {
    /// Larger than [`MAX_POLICY`].
    #[error("the policy is larger than {MAX_POLICY} bytes")]
    TooLarge,
    /// Not YAML, an unknown field, a missing one, or a value of another kind.
    #[error("the policy is not well formed: {0}")]
    Yaml(String),
    /// Another document, or another version of it.
    #[error("the policy is {found}, not {API_VERSION} {KIND}")]
    Kind {
        /// Its apiVersion and kind.
        found: String,
    },
    /// It could accept nothing, so it is a mistake.
    #[error("the policy lists no {0}")]
    Empty(&'static str),
    /// Two keys of one name: which is meant?
    #[error("the policy names the key {0:?} twice")]
    DuplicateKey(String),
    /// A builder names a key that `keys` does not have.
    #[error("builder {builder:?} names the key {key:?}, which `keys` does not list")]
    UnknownKey {
        /// The builder.
        builder: String,
        /// The name that is not there.
        key: String,
    },
    /// Not a duration, or not a positive one.
    #[error("maxAge is {0:?}, not a duration such as 720h")]
    MaxAge(String),
    /// A key's file cannot be read or is no public key.
    #[error("the key {name:?} of the policy cannot be used")]
    Key {
        /// The key's name.
        name: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Policy {
    /// Reads a policy file's bytes. `load` reads the public key in a file that
    /// the policy names, as it is written there.
    pub fn from_yaml<E>(
        bytes: &[u8],
        mut load: impl FnMut(&Path) -> Result<PublicKey, E>,
    ) -> Result<Self, InvalidPolicy>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if bytes.len() > MAX_POLICY {
            return Err(InvalidPolicy::TooLarge);
        }
        let document: Document =
            serde_saphyr::from_slice(bytes).map_err(|e| InvalidPolicy::Yaml(one_line(&e)))?;
        if document.api_version != API_VERSION || document.kind != KIND {
            return Err(InvalidPolicy::Kind { found: format!("{} {}", document.api_version, document.kind) });
        }
        let mut keys: Vec<TrustedKey> = Vec::with_capacity(document.keys.len());
        for entry in document.keys {
            if keys.iter().any(|k| k.name == entry.name) {
                return Err(InvalidPolicy::DuplicateKey(entry.name));
            }
            let key = load(&entry.file)
                .map_err(|e| InvalidPolicy::Key { name: entry.name.clone(), source: e.into() })?;
            keys.push(TrustedKey {
                name: entry.name,
                key,
                not_before: entry.not_before,
                not_after: entry.not_after,
            });
        }
        let builders = pairs(document.builders, &keys)?;
        if keys.is_empty() {
            return Err(InvalidPolicy::Empty("keys"));
        }
        Ok(Self {
            keys,
            builders: Builders::Listed(builders),
            expect: document.expect.try_into()?,
            missing: match document.missing {
                MissingEntry::Fail => Missing::Fail,
                MissingEntry::Warn => Missing::Warn,
            },
        })
    }
}

/// Where and what, without the picture that the parser draws of it.
fn one_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    printable(redacted(text.strip_prefix("error: ").unwrap_or(&text)).as_bytes())
}

fn pairs(
    entries: Vec<BuilderEntry>,
    keys: &[TrustedKey],
) -> Result<Vec<(String, Vec<usize>)>, InvalidPolicy> {
    if entries.is_empty() {
        return Err(InvalidPolicy::Empty("builders"));
    }
    let index = |builder: &str, name: String| {
        keys.iter()
            .position(|k| k.name == name)
            .ok_or_else(|| InvalidPolicy::UnknownKey { builder: builder.to_owned(), key: name })
    };
    entries
        .into_iter()
        .map(|BuilderEntry { id, keys }| {
            let keys = keys.into_iter().map(|name| index(&id, name)).collect::<Result<_, _>>()?;
            Ok((id, keys))
        })
        .collect()
}

impl TryFrom<ExpectEntry> for Expectation {
    type Error = InvalidPolicy;

    fn try_from(entry: ExpectEntry) -> Result<Self, InvalidPolicy> {
        let templates = match entry.template {
            Some(templates) if templates.is_empty() => return Err(InvalidPolicy::Empty("template")),
            templates => templates.unwrap_or_default(),
        };
        Ok(Self {
            builder: None,
            namespace: entry.workflow.namespace,
            workflow: entry.workflow.name.map(Pattern::new),
            templates,
            stored_match: match entry.stored_match {
                Some(StoredMatchEntry::Required) => StoredMatch::Required,
                Some(StoredMatchEntry::Optional) | None => StoredMatch::Optional,
            },
            max_age: entry.max_age.map(parse_age).transpose()?,
        })
    }
}

fn parse_age(text: String) -> Result<Duration, InvalidPolicy> {
    match text.parse::<SignedDuration>().map(Duration::try_from) {
        Ok(Ok(age)) if !age.is_zero() => Ok(age),
        _ => Err(InvalidPolicy::MaxAge(text)),
    }
}
