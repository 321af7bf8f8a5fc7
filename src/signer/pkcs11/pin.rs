//! The PIN of a token: in a file that the key's name or an option names, or in cosign's variable.

use std::os::unix::ffi::OsStringExt as _;

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use zeroize::Zeroizing;

use super::super::key_file::KeyFileError;
use super::super::opening::Opening;
use super::super::password::{InvalidPassword, Password};
use super::name::Pkcs11Key;
use crate::service::ServiceError;

/// Where cosign's users have it. Its password for keys in files is another thing: a token that is
/// told that in place of its PIN counts down to where it locks itself.
pub(super) const VARIABLE: &str = "COSIGN_PKCS11_PIN";

/// The PIN, if one is said. The nearest counts: what is in the key's name, then the option.
pub(super) fn of(key: &Pkcs11Key, opening: &Opening<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, ServiceError> {
    let file = key.pin.as_deref().or_else(|| opening.password.file());
    let pin = match file {
        Some(file) => Some(Password::in_file(file).map_err(|error| unusable(&error))?),
        None => opening.environment.var(VARIABLE).map(|pin| Zeroizing::new(pin.into_vec())),
    };
    Ok(pin.filter(|pin| !pin.is_empty()))
}

fn unusable(error: &KeyFileError) -> ServiceError {
    let open_to_others =
        matches!(error, KeyFileError::Password { source: InvalidPassword::OpenToOthers { .. }, .. });
    ServiceError::Token {
        what: causes(error),
        is_passing: false,
        is_sign_in: false,
        remedy: error.remedy().filter(|_| open_to_others).unwrap_or_else(|| {
            "give a file that holds the PIN and nothing else, which this program may read".into()
        }),
    }
}
