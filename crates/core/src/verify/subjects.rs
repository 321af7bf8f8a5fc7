//! What a statement's subjects are to each other: an artifact as a whole, the object that
//! it is stored as, and what is in it.

use crate::digest::Sha256Digest;
use crate::image::layout::is_image;
use crate::intoto::ResourceDescriptor;

/// A statement's subjects, by what they are.
#[derive(Debug, Clone, Copy)]
pub struct Subjects<'a> {
    /// The stored object, by its address.
    pub object: Option<&'a ResourceDescriptor>,
    /// The directory.
    pub directory: Option<&'a ResourceDescriptor>,
    /// The only other file.
    pub file: Option<&'a ResourceDescriptor>,
}

impl<'a> Subjects<'a> {
    /// Of several with an address none is the artifact's object, and of several files
    /// none is the artifact. Images in the artifact are none of these.
    pub fn of(subjects: &'a [ResourceDescriptor]) -> Self {
        let directory = subjects.iter().find(|s| s.digest.dir_hash().is_some());
        let plain = || subjects.iter().filter(|s| !is_image(s));
        let mut objects = plain().filter(|s| !s.uri.is_empty());
        let object = objects.next().filter(|_| objects.next().is_none());
        let mut files = plain().filter(|s| object.is_none() || s.uri.is_empty());
        let file = files.next().filter(|_| directory.is_none() && files.next().is_none());
        let alone = directory.is_some() || file.is_some() || plain().count() == 1;
        Self { object: object.filter(|_| alone), directory, file }
    }

    /// The digest of the object, where the object is one.
    pub fn object_digest(&self) -> Option<Sha256Digest> {
        self.object?.digest.sha256()
    }

    /// Whether the object is not the artifact itself but something that it is in.
    pub fn is_packed(&self) -> bool {
        self.object.is_some() && (self.file.is_some() || self.directory.is_some())
    }

    /// What has this digest and is the artifact as a whole, as it is stored or as it is in
    /// there: whoever has it may call it what they like.
    pub(super) fn whole(&self, digest: &Sha256Digest) -> Option<&'a ResourceDescriptor> {
        [self.object, self.file].into_iter().flatten().find(|s| s.digest.sha256() == Some(*digest))
    }
}
