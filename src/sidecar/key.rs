//! The key that signs: whichever the Secret holds now.

use argo_attest_core::text::causes;
use tracing::{info, warn};

use crate::signer::{Followed, FollowedKey};

/// Takes the key that the Secret holds now. What cannot be used replaces nothing:
/// a key that was good when the step began is good for what the step leaves.
pub(super) fn follow(key: &mut FollowedKey) {
    match key.follow() {
        Followed::Same => {}
        Followed::Replaced { before } => {
            info!(%before, now = %key.key().public().key_id(), "the key was replaced");
        }
        Followed::Kept(error) => warn!(
            error = causes(&error),
            help = error.remedy(),
            kept = %key.key().public().key_id(),
            "the key was replaced by one that cannot be used; the one from before is kept"
        ),
    }
}
