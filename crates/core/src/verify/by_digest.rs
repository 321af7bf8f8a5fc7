//! Content that has no other name than its digest.

use std::io::BufRead;

use super::coverage::check_manifest;
use super::{Authentic, Content, Rejection, VerifiedStatement};
use crate::digest::Sha256Digest;
use crate::image::layout::is_image;
use crate::intoto::{ResourceDescriptor, member_name};
use crate::manifest;

impl Authentic {
    /// The first subject that has this digest: an image that is there in full, before a file.
    pub(super) fn named_by(&self, digest: &Sha256Digest) -> Option<&ResourceDescriptor> {
        let mut named = self.statement().subjects().iter().filter(|s| s.digest.sha256() == Some(*digest));
        let first = named.next()?;
        Some(if is_image(first) { first } else { named.find(|subject| is_image(subject)).unwrap_or(first) })
    }

    /// Whether the statement speaks of this content, whatever it calls it.
    pub(super) fn accept_by_digest(
        self,
        content: &Content,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<VerifiedStatement, Rejection> {
        let Content::File(digest) = content else {
            return Err(Rejection::NotADirectory { about: self.about() });
        };
        let name = self.name_by_digest(digest, manifest)?;
        Ok(self.verified(name, format!("sha256:{digest}"), 1))
    }

    /// What it calls what has this digest: a subject, or one of the files of its directory that
    /// are too many to be subjects.
    pub(super) fn name_by_digest(
        &self,
        digest: &Sha256Digest,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<String, Rejection> {
        let mut name = self.named_by(digest).map(|subject| subject.name.clone());
        if let (None, Some((directory, hash)), Some(manifest)) = (&name, self.directory(), manifest) {
            let mut reader = manifest::Reader::new(manifest);
            while let Some((path, listed)) = reader.next_entry()? {
                if listed == *digest && name.is_none() {
                    name = Some(member_name(&directory.name, &path));
                }
            }
            check_manifest(reader, &hash)?;
        }
        name.ok_or_else(|| Rejection::OtherArtifact {
            found: format!("sha256:{digest}"),
            about: self.about(),
        })
    }
}
