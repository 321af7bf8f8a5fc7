//! A directory as what an image may be found in.

use std::collections::BTreeMap;
use std::fs::File;

use argo_attest_core::image::layout::{Blob, Entries, LAYOUT};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Tree;

use super::{Images, images, only};
use crate::observe::Root;
use crate::regular_file::read_all;

/// Whether there is the file by which a layout is known.
pub(super) fn may_be_layout<T>(files: &BTreeMap<RelPath, T>) -> bool {
    RelPath::from_bytes(LAYOUT.as_bytes()).is_ok_and(|layout| files.contains_key(&layout))
}

pub(super) fn look(root: &Root, base: &RelPath, tree: &Tree) -> Option<Images> {
    if !may_be_layout(&tree.files) {
        return None;
    }
    let mut directory = Directory { root, base, tree };
    let found = images(&mut directory);
    let only = only(&found, &directory);
    Some(Images { found, only })
}

struct Directory<'a> {
    root: &'a Root,
    base: &'a RelPath,
    tree: &'a Tree,
}

impl Entries for Directory<'_> {
    fn blob(&self, path: &RelPath) -> Option<Blob> {
        let digest = *self.tree.files.get(path)?;
        // What has another size by now has another digest, too, or was digested with this one.
        let size = self.root.entry(&self.base.concat(path)).ok()?.identity.size();
        Some(Blob { digest, size, unpacked: None })
    }

    fn read(&mut self, path: &RelPath, most: usize) -> Result<Vec<u8>, String> {
        let (file, _) = self.root.open_file(&self.base.concat(path)).map_err(|why| why.to_string())?;
        read_all(File::from(file), most).map_err(|e| e.to_string())
    }

    fn names(&self) -> Box<dyn Iterator<Item = &RelPath> + '_> {
        Box::new(self.tree.files.keys().chain(self.tree.links.iter().map(|(path, _)| path)))
    }

    fn is_tar(&self) -> bool {
        false
    }
}
