//! An artifact as the statement will name it: its subjects, and its manifest.

use crate::digest::{DirHash, Sha256Digest};
use crate::image::ImageSubject;
use crate::image::layout::{self, Found};
use crate::intoto::{MAX_SUBJECTS, ResourceDescriptor, member_name};
use crate::links::Links;
use crate::manifest::{Files, Manifest};
use crate::slsa::links_byproduct;

/// How many files a statement lists itself. Two of the subjects that verifiers
/// accept are left for the directory as a whole and for the stored object.
pub const MAX_FILES: usize = MAX_SUBJECTS - 2;

/// One artifact: what a statement about it names.
#[derive(Debug, Clone)]
pub struct Contents {
    name: String,
    subjects: Vec<ResourceDescriptor>,
    links: Links,
    manifest: Option<Manifest>,
}

impl Contents {
    /// A single file.
    pub fn file(name: impl Into<String>, digest: Sha256Digest) -> Self {
        let name = name.into();
        let subjects = vec![ResourceDescriptor::named(&name, digest)];
        Self { name, subjects, links: Links::default(), manifest: None }
    }

    /// An image in this repository, `registry/repository`: its manifest and, of an index, those
    /// of its images.
    pub fn image(repository: impl Into<String>, whole: &ImageSubject, images: &[ImageSubject]) -> Self {
        let name = repository.into();
        let subjects =
            std::iter::once(whole).chain(images).map(|manifest| manifest.descriptor(&name)).collect();
        Self { name, subjects, links: Links::default(), manifest: None }
    }

    /// A directory with all files in it, by path from there and in the order of those: the
    /// directory itself by its `dirHash`, and each file, as subjects or in a manifest.
    pub fn directory(name: impl Into<String>, files: impl Into<Files>) -> Self {
        let (name, files) = (name.into(), files.into());
        let whole = ResourceDescriptor::named(&name, DirHash::of_files(files.iter()));
        Self::listing(name, Some(whole), &files)
    }

    /// Files that are not all of a directory, such as the new and changed ones.
    /// There is no hash of the whole, unless the files do not fit into a statement.
    pub fn files(files: impl Into<Files>) -> Self {
        let files = files.into();
        if files.count() > MAX_FILES {
            Self::directory(".", files)
        } else {
            Self::listing(".".into(), None, &files)
        }
    }

    fn listing(name: String, whole: Option<ResourceDescriptor>, files: &Files) -> Self {
        let mut subjects: Vec<_> = whole.into_iter().collect();
        let mut listed = None;
        if files.count() > MAX_FILES {
            listed = Some(Manifest::of(files));
        } else {
            let member = |(path, digest): (_, &Sha256Digest)| {
                ResourceDescriptor::named(member_name(&name, path), *digest)
            };
            subjects.extend(files.iter().map(member));
        }
        Self { name, subjects, links: Links::default(), manifest: listed }
    }

    /// The same artifact, which is stored as this object: what a downloader has.
    /// Where the object is a file of the artifact, that subject says where it is.
    #[must_use]
    pub fn stored_as(mut self, name: &str, uri: &str, digest: Sha256Digest) -> Self {
        let is_object =
            |s: &&mut ResourceDescriptor| s.digest.sha256() == Some(digest) && !layout::is_image(s);
        if let Some(subject) = self.subjects.iter_mut().find(is_object) {
            uri.clone_into(&mut subject.uri);
        } else {
            let object = ResourceDescriptor::named(name, digest);
            self.subjects.insert(0, ResourceDescriptor { uri: uri.to_owned(), ..object });
        }
        self
    }

    /// The same artifact, in which these images are, each a subject of its own: as many as there
    /// is room for beside the object that the artifact may be stored as. A file's digest says
    /// nothing of the images in it; of a directory of blobs, that all of an image is there.
    #[must_use]
    pub fn with_images(mut self, found: &Found) -> Self {
        let room = MAX_SUBJECTS.saturating_sub(self.subjects.len() + 1);
        self.subjects.extend(layout::subjects(&self.name, found).into_iter().take(room));
        self
    }

    /// The same artifact, with these symbolic links in it.
    #[must_use]
    pub fn with_links(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the statement is about.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// The manifest, where the files are too many to be subjects.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// What no subject says of it, as the predicate's by-products: the manifest, under the
    /// name it is stored by, and the links.
    pub fn byproducts(&self, manifest_name: &str) -> Vec<ResourceDescriptor> {
        let manifest = self.manifest.as_ref().map(|manifest| ResourceDescriptor {
            media_type: "text/plain".into(),
            ..ResourceDescriptor::named(manifest_name, manifest.digest())
        });
        manifest.into_iter().chain(links_byproduct(&self.links)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::relpath::RelPath;

    fn files(count: usize) -> BTreeMap<RelPath, Sha256Digest> {
        (0..count)
            .map(|n| {
                let name = n.to_string();
                (RelPath::from_bytes(name.as_bytes()).unwrap(), Sha256Digest::of(name.as_bytes()))
            })
            .collect()
    }

    #[test]
    fn lists_files_as_long_as_verifiers_take_them() {
        let at_limit = Contents::directory("out", &files(MAX_FILES));
        assert_eq!(at_limit.subjects().len(), MAX_FILES + 1);
        assert_eq!(at_limit.subjects()[1].name, "out/0");
        assert!(at_limit.manifest().is_none() && at_limit.byproducts("m").is_empty());

        let beyond = Contents::directory("out", &files(MAX_FILES + 1));
        assert_eq!(beyond.subjects().len(), 1);
        let manifest = beyond.byproducts("out.manifest.sha256").remove(0);
        let hash = beyond.subjects()[0].digest.dir_hash().unwrap();
        assert_eq!(manifest.digest.sha256().unwrap().to_string(), hash.to_string());
    }

    #[test]
    fn loose_files_have_no_whole() {
        let few = Contents::files(&files(3));
        assert_eq!(few.subjects().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
        assert_eq!(Contents::files(&files(MAX_FILES + 1)).subjects()[0].name, ".");
    }
}
