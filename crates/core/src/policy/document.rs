//! The policy file: YAML, `apiVersion: argo-attest.io/v1`, `kind: VerificationPolicy`.
//!
//! Strict: a field that is not known is an error, because a misspelt expectation that is
//! passed over accepts too much. So is one that is there and says nothing (empty, `null`):
//! whoever wrote it expected something.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::fields::{Field, told};
use super::parties::{BuilderEntry, KeyEntry};
use super::stores::{KnownStore, Stores};
use super::{
    ArtifactKind, Builders, Demand, Expectation, Form, ImageRule, Missing, MissingRule, Pattern, Policy,
    StoredMatch, TemplateSource, TrustedIdentity, TrustedKey, parties, yaml,
};
use crate::keys::PublicKey;
use crate::slsa::ImageEvidence;
use crate::text::brief;

/// `apiVersion` of the policy that this version reads.
pub const API_VERSION: &str = "argo-attest.io/v1";
/// `kind` of the policy.
pub const KIND: &str = "VerificationPolicy";
/// Size limit of a policy file, in bytes.
pub const MAX_POLICY: usize = 1024 * 1024;

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPolicy {
    /// Larger than [`MAX_POLICY`].
    #[error("the policy is larger than {MAX_POLICY} bytes")]
    TooLarge,
    /// Not YAML, or YAML that is not read here.
    #[error("the policy is not well formed: line {line}: {what}")]
    Yaml {
        /// From 1.
        line: usize,
        /// What is wrong, printable.
        what: String,
    },
    /// Another document, or another version of it.
    #[error("the policy is {found}, not {API_VERSION} {KIND}")]
    Kind {
        /// Its apiVersion and kind, printable.
        found: String,
    },
    /// No policy has such a field.
    #[error("the policy is not well formed: line {line}: unknown field `{field}`")]
    Unknown {
        /// Which, printable.
        field: String,
        /// Where it stands, from 1.
        line: usize,
    },
    /// A field is missing, empty, there twice, or not what it has to be.
    #[error("the policy is not well formed: line {line}: {field} {what}")]
    Field {
        /// Which, such as `expect.workflow.name`; printable.
        field: String,
        /// Where it stands, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A key's file cannot be read or is no public key.
    #[error("the key {name:?} of the policy cannot be used")]
    Key {
        /// The key's name.
        name: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One key under two names: which of their times and builders hold?
    #[error("the keys {other:?} and {name:?} of the policy are one and the same")]
    SameKey {
        /// The later name.
        name: String,
        /// The earlier one.
        other: String,
    },
}

/// A policy as its file has it: all of it was read, but none of the keys' files that it names.
#[derive(Debug)]
pub struct PolicyDocument {
    keys: Vec<KeyEntry>,
    identities: Vec<TrustedIdentity>,
    builders: Vec<BuilderEntry>,
    stores: Stores,
    expect: Expectation,
    images: ImageRule,
    missing: MissingRule,
    trusted_root: Option<PathBuf>,
}

impl PolicyDocument {
    /// Reads a policy file's bytes.
    ///
    /// Errors: [`InvalidPolicy`], all but those of keys.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidPolicy> {
        if bytes.len() > MAX_POLICY {
            return Err(InvalidPolicy::TooLarge);
        }
        let not_utf8 = |_| InvalidPolicy::Yaml { line: 1, what: "it is not UTF-8".to_owned() };
        let text = std::str::from_utf8(bytes).map_err(not_utf8)?;
        let document =
            yaml::read(text).map_err(|e| InvalidPolicy::Yaml { line: e.line, what: brief(&e.what, 300) })?;
        let mut fields = Field::document(document).fields()?;
        let (version, kind) = (fields.required("apiVersion")?.text()?, fields.required("kind")?.text()?);
        if version != API_VERSION || kind != KIND {
            return Err(InvalidPolicy::Kind {
                found: format!("{} {}", told(&version, 100), told(&kind, 100)),
            });
        }
        let mut fields = fields.only(&[
            "keys",
            "identities",
            "builders",
            "stores",
            "trustedRoot",
            "expect",
            "images",
            "missing",
        ])?;
        let identities = fields.optional("identities");
        // Somebody has to be trusted.
        let keys = match &identities {
            Some(_) => fields.optional("keys"),
            None => Some(fields.required("keys")?),
        };
        let builders = fields.required("builders")?;
        let (stores, expect) = (fields.optional("stores"), fields.optional("expect"));
        let (images, missing) = (fields.optional("images"), fields.optional("missing"));
        let trusted_root = fields.optional("trustedRoot");
        fields.finish()?;
        let keys = keys.map(|keys| keys.distinct(KeyEntry::read, |a, b| a.name == b.name)).transpose()?;
        let keys = keys.unwrap_or_default();
        let identities =
            identities.map(|all| all.distinct(parties::identity, |a, b| a.name == b.name)).transpose()?;
        let identities = identities.unwrap_or_default();
        let builders =
            builders.distinct(|entry| BuilderEntry::read(entry, &keys, &identities), |a, b| a.id == b.id)?;
        let stores = stores.map_or_else(|| Ok(Stores::default()), known_stores)?;
        let expect = expect.map_or_else(|| Ok(Expectation::default()), |e| expectation(e, &stores))?;
        let images = images.map_or_else(|| Ok(ImageRule::default()), |images| image_rule(images, &stores))?;
        let missing = missing.map_or_else(|| Ok(MissingRule::default()), missing_rule)?;
        let trusted_root = trusted_root.map(Field::text).transpose()?.map(PathBuf::from);
        Ok(Self { keys, identities, builders, stores, expect, images, missing, trusted_root })
    }

    /// The files of the public keys, as they are written there, in the policy's order.
    pub fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.keys.iter().map(|key| key.file.as_path())
    }

    /// The file of the trusted root, as it is written there, if it names one.
    pub fn trusted_root_file(&self) -> Option<&Path> {
        self.trusted_root.as_deref()
    }

    /// The policy, with the public key that is in each of those files.
    ///
    /// Errors: [`InvalidPolicy::Key`], [`InvalidPolicy::SameKey`].
    pub fn with_keys<E>(
        self,
        mut load: impl FnMut(&Path) -> Result<PublicKey, E>,
    ) -> Result<Policy, InvalidPolicy>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Self { keys, identities, builders, stores, expect, images, missing, trusted_root: _ } = self;
        let mut trusted: Vec<TrustedKey> = Vec::with_capacity(keys.len());
        for KeyEntry { name, file, not_before, not_after } in keys {
            let key =
                load(&file).map_err(|e| InvalidPolicy::Key { name: told(&name, 200), source: e.into() })?;
            if let Some(same) = trusted.iter().find(|other| other.key.key_id() == key.key_id()) {
                return Err(InvalidPolicy::SameKey { name: told(&name, 200), other: told(&same.name, 200) });
            }
            trusted.push(TrustedKey { name, key, not_before, not_after });
        }
        let declared = |entry: &BuilderEntry| Some((entry.id.clone(), entry.level?));
        let levels = builders.iter().filter_map(declared).collect();
        let builders = builders.into_iter().map(|entry| (entry.id, entry.principals)).collect();
        let builders = Builders::Listed(builders);
        Ok(Policy {
            keys: trusted,
            identities,
            builders,
            stores,
            expect,
            images,
            missing,
            levels,
            trusted_root: None,
        })
    }
}

impl Policy {
    /// Reads a policy file's bytes. `load` reads the public key in a file that
    /// the policy names, as it is written there.
    pub fn from_yaml<E>(
        bytes: &[u8],
        load: impl FnMut(&Path) -> Result<PublicKey, E>,
    ) -> Result<Self, InvalidPolicy>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        PolicyDocument::read(bytes)?.with_keys(load)
    }
}

/// What is said of images alone.
fn image_rule(field: Field, stores: &Stores) -> Result<ImageRule, InvalidPolicy> {
    let mut fields = field.fields()?;
    let tags = fields.optional("tags").map(|field| {
        field.parsed("refuse or allow", |text| match text {
            "refuse" => Some(false),
            "allow" => Some(true),
            _ => None,
        })
    });
    let expect = fields.optional("expect").map(|field| expectation(field, stores)).transpose()?;
    fields.finish()?;
    Ok(ImageRule { tags: tags.transpose()?.unwrap_or_default(), expect })
}

/// One word for all, or one for each kind that is named.
fn missing_rule(field: Field) -> Result<MissingRule, InvalidPolicy> {
    let word = |field: Field| field.parsed("fail or warn", Missing::named);
    if !field.is_object() {
        return word(field).map(MissingRule::All);
    }
    let mut fields = field.fields()?;
    if let Some(raw) = fields.optional("raw") {
        return Err(raw.wrong("says nothing: a `raw` input is compared with the template's text"));
    }
    let named = ArtifactKind::all().filter_map(|(name, kind)| Some((kind, fields.optional(name)?)));
    let named: Vec<_> = named.collect();
    fields.finish()?;
    let each = named.into_iter().map(|(kind, field)| Ok((kind, word(field)?)));
    Ok(MissingRule::ByKind(each.collect::<Result<_, _>>()?))
}

fn known_stores(field: Field) -> Result<Stores, InvalidPolicy> {
    let mut known = HashSet::new();
    let mut stores: Vec<KnownStore> = Vec::new();
    for entry in field.list()? {
        let twice = entry.wrong("has a name or an address that another store has");
        let store = known_store(entry)?;
        // An address of two stores would make them one.
        if stores.iter().any(|other| other.name == store.name)
            || !store.addresses.iter().all(|address| known.insert(address.clone()))
        {
            return Err(twice);
        }
        stores.push(store);
    }
    Ok(Stores::new(stores))
}

fn known_store(entry: Field) -> Result<KnownStore, InvalidPolicy> {
    let mut fields = entry.fields()?.only(&["name", "addresses"])?;
    let name = fields.required("name")?.text()?;
    let address = |field: Field| {
        field.parsed("a store's address such as https://s3.example.com", |text| text.parse().ok())
    };
    let addresses = fields.required("addresses")?.distinct(address, |a, b| a == b)?;
    fields.finish()?;
    Ok(KnownStore { name, addresses })
}

fn expectation(field: Field, stores: &Stores) -> Result<Expectation, InvalidPolicy> {
    let mut fields = field.fields()?;
    let mut expect = Expectation::default();
    if let Some(workflow) = fields.optional("workflow") {
        let mut fields = workflow.fields()?;
        expect.namespace = fields.optional("namespace").map(Field::text).transpose()?;
        expect.workflow = fields.optional("name").map(Field::text).transpose()?.map(Pattern::new);
        fields.finish()?;
    }
    let names = |field: Field| field.distinct(Field::text, |a, b| a == b);
    expect.templates = fields.optional("template").map(names).transpose()?.unwrap_or_default();
    expect.stored_match = fields.optional("storedMatch").map_or(Ok(StoredMatch::default()), |field| {
        field.parsed("required or optional", |text| match text {
            "required" => Some(StoredMatch::Required),
            "optional" => Some(StoredMatch::Optional),
            _ => None,
        })
    })?;
    expect.max_age = fields.optional("maxAge").map(age).transpose()?;
    let known = |name: &str| stores.knows(name).then(|| name.to_owned());
    let known = |field: Field| field.parsed("the name of a store that `stores` lists", known);
    let wanted = fields.optional("stores").map(|field| field.distinct(known, |a, b| a == b)).transpose()?;
    expect.stores = wanted.unwrap_or_default();
    let source = fields.optional("templateSource");
    expect.template_source =
        source.map(|field| field.parsed("workflow, pod or text", TemplateSource::named)).transpose()?;
    let form = fields.optional("form");
    expect.form = form.map(|field| field.parsed("native or sidecar", Form::named)).transpose()?;
    let evidence = fields.optional("imageEvidence");
    expect.image_evidence =
        evidence.map(|field| field.parsed("written, changed or named", ImageEvidence::named)).transpose()?;
    let demand = |field: Field| {
        field.parsed("required or optional", |text| match text {
            "required" => Some(Demand::Required),
            "optional" => Some(Demand::Optional),
            _ => None,
        })
    };
    expect.log = fields.optional("log").map(demand).transpose()?.unwrap_or_default();
    expect.time = fields.optional("time").map(demand).transpose()?.unwrap_or_default();
    fields.finish()?;
    Ok(expect)
}

fn age(field: Field) -> Result<Duration, InvalidPolicy> {
    field.parsed("a duration such as 720h", |text| {
        let age = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
        (!age.is_zero()).then_some(age)
    })
}
