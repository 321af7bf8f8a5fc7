//! Outputs that only exist packed: what the emissary's `.tgz` holds.

use std::fs::File;
use std::io::BufReader;

use argo_attest_core::archive::{Inventory, Limits, inventory};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::text::causes;

use crate::pipeline::Artifact;
use crate::volume::Root;

/// Lists the `.tgz` whose digest was `expected` when it was written. Blocks.
pub(super) fn read(artifact: &Artifact, base: &[u8], expected: &Sha256Digest) -> Result<Inventory, String> {
    let root = Root::open(&artifact.root).map_err(|e| causes(&e))?;
    let (file, _) = root.open_file(&artifact.path).map_err(|e| e.to_string())?;
    let found = inventory(BufReader::new(File::from(file)), base, Limits::PACKED).map_err(|e| causes(&e))?;
    // Main can write there too, and may have, since it was digested.
    if found.object.digest != *expected {
        return Err("what Argo packed was changed after it was written".into());
    }
    Ok(found)
}
