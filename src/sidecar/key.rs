//! The key that signs: whichever the Secret holds now.

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use tracing::{info, warn};

use crate::signer::{Followed, FollowedKey, Signer as _};

/// Takes the key that the Secret holds now. What cannot be used replaces nothing:
/// a key that was good when the step began is good for what the step leaves.
pub(super) fn follow(key: &FollowedKey) {
    match key.follow() {
        Followed::Same => {}
        Followed::Replaced { before } => {
            info!(%before, now = %key.public_key().key_id(), "the key was replaced");
        }
        Followed::Kept(error) => warn!(
            error = causes(&error),
            help = error.remedy().unwrap_or_default(),
            kept = %key.public_key().key_id(),
            "the key was replaced by one that cannot be used; the one from before is kept"
        ),
    }
}
