//! What a module's refusals mean.

use argo_attest_core::secret::redacted;
use cryptoki::error::{Error, RvError};

use crate::service::ServiceError;

/// What a refusal is to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The session, or the token, is not there any more; another may be.
    Lost,
    /// The PIN was refused: it is not said again.
    Pin,
    /// Busy, or out of something.
    Busy,
    Other,
}

fn kind(error: &Error) -> Kind {
    let Error::Pkcs11(rv, _) = error else { return Kind::Other };
    match rv {
        RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::UserNotLoggedIn
        | RvError::DeviceRemoved
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::KeyHandleInvalid
        | RvError::ObjectHandleInvalid
        | RvError::CryptokiNotInitialized
        | RvError::OperationActive
        | RvError::SlotIdInvalid => Kind::Lost,
        RvError::PinIncorrect
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::PinExpired
        | RvError::PinLocked
        | RvError::UserPinNotInitialized => Kind::Pin,
        RvError::HostMemory
        | RvError::DeviceMemory
        | RvError::DeviceError
        | RvError::FunctionFailed
        | RvError::FunctionCanceled
        | RvError::SessionCount => Kind::Busy,
        _ => Kind::Other,
    }
}

/// Whether another session may be what helps.
pub(super) fn is_lost(error: &Error) -> bool {
    kind(error) == Kind::Lost
}

/// That somebody is logged in at the token, where somebody wants to be.
pub(super) fn is_logged_in(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(RvError::UserAlreadyLoggedIn, _))
}

/// That the module was made ready before, which it is but once in a process.
pub(super) fn is_ready_already(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _))
}

/// The error, as it is told: in one line, with the names that the module's documents have.
pub(super) fn told(error: &Error) -> ServiceError {
    let kind = kind(error);
    ServiceError::Token {
        what: match kind {
            Kind::Pin => format!("the token refuses the PIN: {}", said(error)),
            _ => format!("the token does not do it: {}", said(error)),
        },
        is_passing: matches!(kind, Kind::Lost | Kind::Busy),
        is_sign_in: kind == Kind::Pin,
        remedy: remedy(kind, error),
    }
}

fn remedy(kind: Kind, error: &Error) -> String {
    match (kind, error) {
        (Kind::Pin, Error::Pkcs11(RvError::PinLocked, _)) => {
            "have the token's administrator (SO) set a new PIN: it is locked".into()
        }
        (Kind::Pin, _) => {
            "correct the PIN in its file, before the token locks itself: it was said once, and is not said again".into()
        }
        (Kind::Lost, _) => "look whether the token is there, and its PIN still the same: \
             p11tool --list-tokens, or pkcs11-tool --list-slots"
            .into(),
        (_, Error::Pkcs11(RvError::DataLenRange, _)) => {
            "name an ECDSA P-256 key: with Ed25519 this token signs nothing as long as a statement".into()
        }
        (_, Error::Pkcs11(RvError::MechanismInvalid | RvError::FunctionNotSupported, _)) => {
            "name a key of a kind that the token signs with by itself: CKM_ECDSA, or CKM_EDDSA".into()
        }
        (_, Error::Pkcs11(RvError::KeyFunctionNotPermitted, _)) => {
            "name a key that may sign: CKA_SIGN, usage sign".into()
        }
        _ => "see what the token's own tools say, and whether they sign with the key".into(),
    }
}

/// Why the module could not be loaded, in the loader's own words.
pub(super) fn loading(error: &Error) -> String {
    match error {
        Error::LibraryLoading(error) => redacted(&error.to_string()).replace('\n', " "),
        error => said(error),
    }
}

/// `C_Sign: CKR_DEVICE_ERROR`. The crate's own words are the standard's, pages of them.
fn said(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(code), function) => {
            format!("C_{function:?}: CKR_VENDOR_DEFINED {code:#x}")
        }
        Error::Pkcs11(rv, function) => format!("C_{function:?}: CKR_{}", screaming(&format!("{rv:?}"))),
        // Of the module's loader, which may name files.
        other => redacted(&other.to_string()).replace('\n', " "),
    }
}

/// `DeviceError` as `DEVICE_ERROR`.
fn screaming(name: &str) -> String {
    let mut written = String::with_capacity(name.len() + 8);
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            written.push('_');
        }
        written.push(letter.to_ascii_uppercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use argo_attest_core::trouble::Trouble as _;
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn a_refusal_is_one_line_and_says_what_to_do() {
        for (rv, what, is_passing, remedy) in [
            (RvError::PinIncorrect, "refuses the PIN: C_Sign: CKR_PIN_INCORRECT", false, "correct the PIN"),
            (RvError::PinLocked, "refuses the PIN: C_Sign: CKR_PIN_LOCKED", false, "administrator"),
            (RvError::DeviceRemoved, "C_Sign: CKR_DEVICE_REMOVED", true, "whether the token is there"),
            (RvError::DeviceError, "C_Sign: CKR_DEVICE_ERROR", true, "own tools"),
            (RvError::DataLenRange, "C_Sign: CKR_DATA_LEN_RANGE", false, "P-256"),
            (RvError::MechanismInvalid, "C_Sign: CKR_MECHANISM_INVALID", false, "CKM_EDDSA"),
            (
                RvError::VendorDefined(0x8000_0001),
                "C_Sign: CKR_VENDOR_DEFINED 0x80000001",
                false,
                "own tools",
            ),
        ] {
            let error = told(&Error::Pkcs11(rv, Function::Sign));
            assert!(error.to_string().ends_with(what), "{error}");
            assert_eq!(error.is_passing(), is_passing, "{error}");
            assert!(error.remedy().unwrap().contains(remedy), "{error}: {:?}", error.remedy());
        }
    }
}
