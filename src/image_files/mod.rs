//! Images among what was written: a directory or a tar is looked through for them
//! ([`argo_attest_core::image::layout`] decides what counts as one).
//!
//! The volume is hostile, and may change while it is read. Manifests are read again beneath
//! the root, and count only as what was digested; a tar is read once more as a whole, and
//! counts only if that is the very tar that was digested. Whatever goes wrong leaves an image
//! out, and is said; it never keeps the output from being attested.

mod directory;
mod search;
mod tarball;

use argo_attest_core::image::layout::{Found, NotOne, Only, images, only};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::{Content, Tree};

use crate::observe::{Cancel, Root, SealedArtifact, Shape};

pub use search::Search;

/// What was found in one place.
#[derive(Debug)]
pub struct Images {
    /// All of it.
    pub found: Found,
    /// The one image that the place stands for.
    pub only: Result<Only, NotOne>,
}

/// The images at a path beneath a root, of which this was digested; `None` if nothing there
/// was meant to be one. Blocks.
pub fn look(root: &Root, path: &RelPath, content: &Content, cancel: &Cancel) -> Option<Images> {
    let images = match content {
        Content::Directory(tree) => directory::look(root, path, tree),
        Content::File(digest) => tarball::look(root, path, digest, cancel),
    };
    images.filter(|images| !images.found.is_empty() || !images.found.left_out.is_empty())
}

/// The images in an artifact as it was sealed. Blocks.
fn of_sealed(sealed: &SealedArtifact, cancel: &Cancel) -> Found {
    let files = sealed.files();
    let content = match sealed.shape() {
        Shape::File => match files.get(&RelPath::root()) {
            Some(file) => Content::File(file.digest),
            None => return Found::default(),
        },
        Shape::Directory if directory::may_be_layout(files) => Content::Directory(Tree {
            files: files.iter().map(|(path, seen)| (path.clone(), seen.digest)).collect(),
            links: sealed.links().clone(),
        }),
        _ => return Found::default(),
    };
    let artifact = sealed.artifact();
    let Ok(root) = Root::open(&artifact.root) else { return Found::default() };
    look(&root, &artifact.path, &content, cancel).map(|images| images.found).unwrap_or_default()
}

#[cfg(test)]
mod tests;
