//! Attestations that name a file by longer digests of SHA-2 only, as other tools write them.

use argo_attest_core::digest::FileDigests;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Content;

use super::error::InputError;
use super::inspection::blocking;
use super::staged::Spot;
use crate::verify::Attested;

/// All digests of one staged file: of most nobody asks, and none is read for them more than
/// once, however many attestations there are.
#[derive(Debug, Default)]
pub(super) struct Longer(Option<FileDigests>);

impl Longer {
    /// The attestation with what is known of the file at this path beneath what is staged, if
    /// that is needed to compare the two. A directory is named by the digests of its files.
    pub(super) async fn complete<'a>(
        &mut self,
        attested: Attested<'a>,
        spot: &Spot,
        path: &RelPath,
        content: &Content,
    ) -> Result<Attested<'a>, InputError> {
        let Content::File(known) = *content else { return Ok(attested) };
        if !attested.needs_longer() {
            return Ok(attested);
        }
        let digests = if let Some(digests) = self.0.take() {
            digests
        } else {
            let (spot, path) = (spot.clone(), path.clone());
            blocking(move || Ok(spot.longer(&path, known)?)).await?
        };
        Ok(attested.knowing(self.0.insert(digests)))
    }
}
