//! A search beside other work: on a thread of its own, and ended when nobody waits for it.

use std::sync::Arc;

use argo_attest_core::image::layout::Found;
use tokio::task::{JoinHandle, spawn_blocking};

use super::of_sealed;
use crate::observe::{CancelOnDrop, SealedArtifact};

/// A search for the images of one artifact. To drop it is to stop it.
#[derive(Debug)]
pub struct Search {
    work: JoinHandle<Found>,
    _stop: CancelOnDrop,
}

impl Search {
    /// Begins it.
    pub fn begin(sealed: &Arc<SealedArtifact>) -> Self {
        let (sealed, stop) = (Arc::clone(sealed), CancelOnDrop::new());
        let cancel = stop.cancel();
        Self { work: spawn_blocking(move || of_sealed(&sealed, &cancel)), _stop: stop }
    }

    /// What was found, when it is done. What was left out is logged.
    pub async fn found(self, artifact: &str) -> Found {
        let found = self.work.await.unwrap_or_else(|error| Found::unreadable(error.to_string()));
        told(artifact, &found);
        found
    }
}

fn told(artifact: &str, found: &Found) {
    for manifest in found.manifests.iter().filter(|manifest| manifest.listed) {
        tracing::info!(artifact, manifest = %manifest.digest, "an image in the output is a subject");
    }
    for config in &found.configs {
        tracing::info!(artifact, config = %config.digest, "an image in the output is a subject, by its configuration");
    }
    for left_out in &found.left_out {
        tracing::warn!(
            artifact,
            image = left_out.what,
            reason = left_out.why,
            "an image in the output is no subject"
        );
    }
    if found.more_left_out > 0 {
        tracing::warn!(artifact, images = found.more_left_out, "more images in the output are no subjects");
    }
}
