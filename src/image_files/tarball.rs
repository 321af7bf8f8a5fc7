//! A tar as what an image may be found in: recognised by how it begins, then read once as a
//! stream.

use std::fs::File;
use std::io::{self, Read};

use argo_attest_core::archive::{GZIP, tar_files};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::layout::{Found, ImageTar, NotOne, SNIFFED, TAR_LIMITS, may_be_image_tar};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::text::causes;

use super::{Images, images, only};
use crate::observe::{Cancel, Root};

pub(super) fn look(root: &Root, path: &RelPath, digest: &Sha256Digest, cancel: &Cancel) -> Option<Images> {
    let mut beginning = Vec::with_capacity(SNIFFED);
    open(root, path).ok()?.take(SNIFFED as u64).read_to_end(&mut beginning).ok()?;
    if !may_be_image_tar(&beginning) {
        return None;
    }
    Some(read(root, path, digest, cancel, beginning.starts_with(&GZIP)).unwrap_or_else(|why| {
        let only = Err(NotOne::LeftOut(why.clone()));
        Images { found: Found::unreadable(why), only }
    }))
}

fn open(root: &Root, path: &RelPath) -> Result<File, String> {
    root.open_file(path).map(|(file, _)| File::from(file)).map_err(|why| why.to_string())
}

fn read(
    root: &Root,
    path: &RelPath,
    digest: &Sha256Digest,
    cancel: &Cancel,
    is_gzipped: bool,
) -> Result<Images, String> {
    let source = Cancellable { file: open(root, path)?, cancel };
    let files = tar_files(is_gzipped, source, TAR_LIMITS).map_err(|e| causes(&e))?;
    if files.object.digest != *digest {
        return Err("it was changed after it was digested".to_owned());
    }
    let mut tar = ImageTar::new(files);
    let found = images(&mut tar);
    let only = only(&found, &tar);
    Ok(Images { found, only })
}

/// A file of which no more is read once somebody has asked to stop.
struct Cancellable<'a> {
    file: File,
    cancel: &'a Cancel,
}

impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("there was no time to read all of it"));
        }
        self.file.read(buffer)
    }
}
