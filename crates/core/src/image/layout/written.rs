//! The images that were written on a watched volume, to be asked about.

use std::collections::BTreeMap;

use super::found::Found;
use crate::digest::Sha256Digest;

/// Every image that was found, each with the output that it was found in. Nothing is in here
/// but what was there in full, by digests that were made of its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenImages {
    manifests: BTreeMap<Sha256Digest, String>,
    /// By the configuration's digest, each with its layers.
    configs: BTreeMap<(Sha256Digest, Vec<Sha256Digest>), String>,
}

impl WrittenImages {
    /// Adds what was found in an output of this name.
    pub fn add(&mut self, output: &str, found: &Found) {
        for manifest in &found.manifests {
            self.manifests.entry(manifest.digest).or_insert_with(|| output.to_owned());
        }
        // Of an image that has a manifest there, another manifest of the same configuration and
        // layers is not what was written: it may say anything else of them.
        for config in &found.configs {
            let key = (config.digest, config.diff_ids.clone());
            self.configs.entry(key).or_insert_with(|| output.to_owned());
        }
    }

    /// In which output the manifest with this digest was written, with all that it reaches.
    pub fn holds(&self, manifest: Sha256Digest) -> Option<&str> {
        self.manifests.get(&manifest).map(String::as_str)
    }

    /// In which output an image for `docker load`, which has no manifest there, was written: its
    /// configuration has this digest, and its layers have these, in order, unpacked
    /// (`rootfs.diff_ids`).
    pub fn holds_config(&self, config: Sha256Digest, layers: &[Sha256Digest]) -> Option<&str> {
        self.configs.get(&(config, layers.to_vec())).map(String::as_str)
    }

    /// How many manifests it holds.
    pub fn manifests(&self) -> usize {
        self.manifests.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.configs.is_empty()
    }
}
