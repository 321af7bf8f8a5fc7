//! What `argo-attest inspect` tells of a file: everything that is in there, as what it is, and
//! that none of it was checked.

mod image;
mod json;
mod shown;
mod text;

use argo_attest_core::attestation_file::{AttestationFile, Found, Item};
use argo_attest_core::intoto::{LIMITS, Outline};
use argo_attest_core::text::causes;

pub use image::InspectedImage;
pub use json::InspectedJson;
pub(super) use shown::row;
pub use text::inspected_text;

/// Why nothing that is in a file can be shown; `None` if something can be.
pub fn unreadable(file: &AttestationFile) -> Option<String> {
    let mut why = None;
    for item in file.items() {
        match readable(item) {
            Ok(()) => return None,
            Err(error) => why = why.or(Some(error)),
        }
    }
    why
}

fn readable(item: &Item) -> Result<(), String> {
    match &item.found {
        Found::Attestation(signed) => outline(signed.content.unverified_payload()).map(drop),
        _ => Ok(()),
    }
}

/// What a payload says, as far as it is a statement or anything like one.
fn outline(payload: &[u8]) -> Result<Outline, String> {
    Outline::read(payload, LIMITS)
        .map_err(|e| format!("the signed payload is no JSON object that can be read: {}", causes(&e)))
}
