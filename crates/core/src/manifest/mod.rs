//! The manifest: every file of a directory with its digest, one a line, for
//! directories of more files than a statement may have subjects.
//!
//! It is the preimage of the directory's `dirHash`, byte for byte, so the
//! signature over the hash covers it; and it is what `sha256sum -c` reads.
//! `docs/formats.md` specifies it.

mod compare;
mod files;
mod reader;
mod written;

pub use compare::{Difference, Differences, compare, compare_links};
pub use files::{DigestedFiles, Files};
pub use reader::{MAX_MANIFEST, ManifestError, Reader};
pub use written::{Chunks, Manifest};

/// What is appended to an artifact's name to name its manifest.
pub const SUFFIX: &str = ".manifest.sha256";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::digest::{Sha256Digest, sum_line};
    use crate::relpath::RelPath;

    fn files() -> impl Strategy<Value = BTreeMap<RelPath, Sha256Digest>> {
        let name = proptest::collection::vec(any::<u8>(), 1..12)
            .prop_filter_map("a path", |bytes| RelPath::from_bytes(&bytes).ok().filter(|p| !p.is_root()));
        proptest::collection::btree_map(name, any::<[u8; 4]>().prop_map(|b| Sha256Digest::of(&b)), 0..20)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(files in files()) {
            let manifest = Manifest::of(&Files::from(&files));
            let bytes = manifest.chunks().collect::<Vec<_>>().concat();
            let lines: Vec<_> = files.iter().map(|(path, digest)| sum_line(path, digest)).collect();
            prop_assert_eq!(&bytes, &lines.concat());
            prop_assert_eq!((manifest.size(), manifest.digest()), (bytes.len() as u64, Sha256Digest::of(&bytes)));
            let mut reader = Reader::new(&bytes[..]);
            let mut read = BTreeMap::new();
            while let Some((path, digest)) = reader.next_entry().unwrap() {
                read.insert(path, digest);
            }
            prop_assert_eq!(read, files);
            prop_assert_eq!(reader.finish().unwrap().to_string(), Sha256Digest::of(&bytes).to_string());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut reader = Reader::new(&bytes[..]);
            while let Ok(Some(_)) = reader.next_entry() {}
        }
    }
}
