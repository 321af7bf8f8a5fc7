//! Whoever signs: one suite that every adapter of the port passes, and what each does when it
//! cannot.

mod at_hand;
mod conformance;
mod cosign;

use std::ffi::OsString;

use argo_attest::signer::{KeyError, Opening, Signer, SigningKey};
use argo_attest_core::trouble::Trouble as _;

/// Variables, and no others.
pub(crate) type Variables = Vec<(String, OsString)>;

pub(crate) fn variables(given: &[(&str, &str)]) -> Variables {
    given.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect()
}

/// Opens a key by its name, as the commands do.
pub(crate) async fn open(name: &str, given: &[(&str, &str)]) -> Result<Box<dyn Signer>, KeyError> {
    let given = variables(given);
    let env = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let name = SigningKey::try_from(OsString::from(name)).unwrap();
    let opened = name.signer(&Opening::new(&env)).await;
    if let Err(error) = &opened {
        let remedy = error.remedy().unwrap_or_default();
        assert!(!remedy.is_empty() && !remedy.contains('\n'), "{error}: {remedy:?}");
    }
    opened
}
