//! The names that come first in a tar.

use std::cell::RefCell;
use std::io::{self, Read as _};

use super::batch::{Batch, Sizes, Told};
use super::comparison::Oddity;
use super::files::GZIP;
use super::object::Chunk;
use super::taker::Taker;
use super::walk::{Limits, Reader, read_through};
use crate::relpath::RelPath;

/// Bytes of a gzipped tar in which its first names are looked for.
const FIRST: u64 = 64 * 1024;

/// Every file that may be a tar is looked at, so that little is allocated for it.
const SIZES: Sizes = Sizes { object: 4096, content: 4096, told: 64 };

/// The names that come first in what may be the beginning of a tar, gzipped or not: at most
/// `most` of them. Of what is no tar, none. Nothing is digested.
pub fn first_names(beginning: &[u8], most: usize) -> Vec<RelPath> {
    let mut plain = Vec::new();
    let bytes = if beginning.starts_with(&GZIP) {
        // What was cut off is no error here.
        let _ = flate2::bufread::MultiGzDecoder::new(beginning).take(FIRST).read_to_end(&mut plain);
        &plain
    } else {
        beginning
    };
    let first = RefCell::new(First { most, names: Vec::new() });
    let limits = Limits { entries: 64, bytes: u64::MAX, names: 64 * 1024 };
    // It ends where the beginning does.
    let _ = read_through(Reader::AnyTar { is_gzipped: false }, bytes, limits, SIZES, &first);
    first.into_inner().names
}

struct First {
    most: usize,
    names: Vec<RelPath>,
}

impl Taker for First {
    fn object(&mut self, mut full: Chunk) -> io::Result<Chunk> {
        full.clear();
        Ok(full)
    }

    fn told(&mut self, mut full: Batch) -> io::Result<Batch> {
        for told in full.told() {
            if let Told::Begins { name, .. } = told
                && let Ok(path) = path(name)
                && !path.is_root()
                && self.names.len() < self.most
            {
                self.names.push(path);
            }
        }
        full.clear();
        Ok(full)
    }
}

/// As `tar -C DIRECTORY .` names what is in there, too.
pub(super) fn path(name: &[u8]) -> Result<RelPath, Oddity> {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let name = if name == b"." { b"" } else { name.strip_prefix(b"./").unwrap_or(name) };
    RelPath::from_bytes(name).map_err(|_| Oddity::UnsafeName)
}
