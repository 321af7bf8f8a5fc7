//! Whether a statement speaks of what is known by its digest alone: a dependency of
//! another statement. Nobody digested any bytes, so the answer is no
//! [`super::VerifiedStatement`]; it says that two statements fit together.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::coverage::check_manifest;
use super::{Authentic, Content, Place, Rejection, Tree};
use crate::digest::{DirHash, Sha256Digest};
use crate::intoto::{DigestSet, ResourceDescriptor, member_name};
use crate::manifest;
use crate::relpath::RelPath;

impl Authentic {
    /// Whether [`Self::speaks_of`] needs the manifest for this question.
    pub fn lists_elsewhere(&self, place: &Place, digest: &DigestSet) -> bool {
        match (place, digest.sha256()) {
            (_, Some(sha256)) => self.needs_manifest(place, &Content::File(sha256)),
            (Place::Itself(_) | Place::Named(_) | Place::ByDigest, None) => false,
            (Place::Within(_) | Place::Among(_), None) => {
                self.needs_manifest(place, &Content::Directory(Tree::default()))
            }
        }
    }

    /// The name under which it speaks of what has this digest: by its `sha256` if it
    /// has one, else by its `dirHash`. `place` and `manifest` are as for
    /// [`Self::accept`].
    pub fn speaks_of(
        &self,
        place: &Place,
        digest: &DigestSet,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<String, Rejection> {
        match (digest.sha256(), digest.dir_hash(), place) {
            (Some(sha256), _, Place::Itself(_) | Place::Named(_)) => {
                self.name_of_file(place, &sha256, manifest)
            }
            (Some(sha256), _, Place::ByDigest) => self.name_by_digest(&sha256, manifest),
            (Some(sha256), _, Place::Within(path) | Place::Among(path)) => {
                Ok(self.name_of_member(path, &Content::File(sha256), manifest)?.0)
            }
            (None, Some(hash), Place::Itself(_) | Place::Named(_) | Place::ByDigest) => {
                let same = |s: &&ResourceDescriptor| s.digest.dir_hash() == Some(hash);
                let subject = self.statement().subjects().iter().find(same);
                subject.map(|s| s.name.clone()).ok_or_else(|| self.other(&hash))
            }
            (None, Some(hash), Place::Within(path) | Place::Among(path)) => {
                let Some((directory, whole)) = self.directory() else {
                    return Err(Rejection::NotADirectory { about: self.about() });
                };
                let strip = |(p, d): (RelPath, Sha256Digest)| Some((p.strip_prefix(path)?, d));
                let beneath = manifest.map_or_else(
                    || Ok(self.listed(directory).filter_map(strip).collect::<BTreeMap<_, _>>()),
                    |manifest| listed_beneath(manifest, &whole, path),
                )?;
                // Nothing at all has a hash, too.
                if !beneath.is_empty() && DirHash::of_files(&beneath) == hash {
                    return Ok(member_name(&directory.name, path));
                }
                Err(self.other(&hash))
            }
            (None, None, _) => {
                Err(Rejection::OtherArtifact { found: "(none)".to_owned(), about: self.about() })
            }
        }
    }

    fn other(&self, hash: &DirHash) -> Rejection {
        Rejection::OtherArtifact { found: format!("dirHash:{hash}"), about: self.about() }
    }
}

fn listed_beneath(
    manifest: &mut dyn BufRead,
    whole: &DirHash,
    path: &RelPath,
) -> Result<BTreeMap<RelPath, Sha256Digest>, Rejection> {
    let mut reader = manifest::Reader::new(manifest);
    let mut beneath = BTreeMap::new();
    while let Some((listed, digest)) = reader.next_entry()? {
        if let Some(rest) = listed.strip_prefix(path) {
            beneath.insert(rest, digest);
        }
    }
    check_manifest(reader, whole)?;
    Ok(beneath)
}
