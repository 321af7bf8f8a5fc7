//! Who is trusted, as the policy file has it: keys, identities, and the builders that they may speak for.

use std::path::PathBuf;

use jiff::Timestamp;

use super::document::InvalidPolicy;
use super::fields::Field;
use super::{IdentityPattern, InvalidIdentity, Principal, TrustedIdentity};
use crate::slsa::BuildLevel;

/// A builder as the file has it.
#[derive(Debug)]
pub(super) struct BuilderEntry {
    pub(super) id: String,
    /// Who may speak for it.
    pub(super) principals: Vec<Principal>,
    pub(super) level: Option<BuildLevel>,
}

/// A key as the file has it.
#[derive(Debug)]
pub(super) struct KeyEntry {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
}

impl KeyEntry {
    pub(super) fn read(entry: Field) -> Result<Self, InvalidPolicy> {
        let mut fields = entry.fields()?.only(&["name", "file", "notBefore", "notAfter"])?;
        let name = fields.required("name")?.text()?;
        let file = fields.required("file")?.text()?.into();
        let not_before = fields.optional("notBefore").map(timestamp).transpose()?;
        let ends = fields.optional("notAfter");
        fields.finish()?;
        let not_after = match (ends, not_before) {
            (None, _) => None,
            (Some(field), not_before) => Some(field.parsed(
                "a time, after notBefore if there is one, such as 2027-06-30T00:00:00Z",
                |text| {
                    let time: Timestamp = text.parse().ok()?;
                    not_before.is_none_or(|begin| begin < time).then_some(time)
                },
            )?),
        };
        Ok(Self { name, file, not_before, not_after })
    }
}

/// An identity, and who has to vouch for it.
pub(super) fn identity(entry: Field) -> Result<TrustedIdentity, InvalidPolicy> {
    let mut fields = entry.fields()?.only(&["name", "issuer", "identity"])?;
    let name = fields.required("name")?.text()?;
    let issuer = fields.required("issuer")?.text()?;
    let identity = fields.required("identity")?;
    fields.finish()?;
    let identity = identity.parsed(&InvalidIdentity.to_string(), |text| IdentityPattern::new(text).ok())?;
    Ok(TrustedIdentity { name, issuer, identity })
}

fn timestamp(field: Field) -> Result<Timestamp, InvalidPolicy> {
    field.parsed("a time such as 2027-06-30T00:00:00Z", |text| text.parse().ok())
}

impl BuilderEntry {
    pub(super) fn read(
        entry: Field,
        keys: &[KeyEntry],
        identities: &[TrustedIdentity],
    ) -> Result<Self, InvalidPolicy> {
        let mut fields = entry.fields()?.only(&["id", "keys", "identities", "level"])?;
        let id = fields.required("id")?.text()?;
        let key = |name: &str| Some(Principal::Key(keys.iter().position(|key| key.name == name)?));
        let identity = |name: &str| {
            Some(Principal::Identity(identities.iter().position(|identity| identity.name == name)?))
        };
        let key = |field: Field| field.parsed("a name that `keys` lists", key);
        let identity = |field: Field| field.parsed("a name that `identities` lists", identity);
        let by_identity = fields.optional("identities");
        let by_key = match &by_identity {
            Some(_) => fields.optional("keys"),
            None => Some(fields.required("keys")?),
        };
        let level = fields.optional("level");
        fields.finish()?;
        let level = level
            .map(|f| f.parsed("one of SLSA_BUILD_LEVEL_0 to SLSA_BUILD_LEVEL_3", |text| text.parse().ok()));
        let mut all = by_key.map(|names| names.distinct(key, |a, b| a == b)).transpose()?.unwrap_or_default();
        let others = by_identity.map(|names| names.distinct(identity, |a, b| a == b)).transpose()?;
        all.extend(others.unwrap_or_default());
        Ok(Self { id, principals: all, level: level.transpose()? })
    }
}
