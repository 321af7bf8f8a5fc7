//! Whoever signs: one suite that every adapter of the port passes, and what each does when it
//! cannot.

mod at_hand;
mod awskms;
mod conformance;
mod cosign;
mod keyless;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod vault;

use std::ffi::OsString;
use std::time::Duration;

use argo_attest::signer::{KeyError, Limits, Opening, Signer, SigningKey};
use argo_attest_core::trouble::Trouble as _;

/// Variables, and no others.
pub(crate) type Variables = Vec<(String, OsString)>;

pub(crate) fn variables(given: &[(&str, &str)]) -> Variables {
    given.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect()
}

/// A service is given up so soon.
pub(crate) fn soon() -> Limits {
    Limits { attempt: Duration::from_secs(2), total: Duration::from_secs(4), ..Limits::default() }
}

/// Opens a key by its name, as the commands do.
pub(crate) async fn open(name: &str, given: &[(&str, &str)]) -> Result<Box<dyn Signer>, KeyError> {
    let given = variables(given);
    let env = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let name = SigningKey::try_from(OsString::from(name)).unwrap();
    let opened = name.signer(&Opening::new(&env).within(soon())).await;
    if let Err(error) = &opened {
        let remedy = error.remedy().unwrap_or_default();
        assert!(!remedy.is_empty() && !remedy.contains('\n'), "{error}: {remedy:?}");
    }
    opened
}
