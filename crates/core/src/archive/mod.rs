//! Comparing a stored archive with what was digested, without unpacking it; and reading what
//! anybody's tar holds, which is a matter of its own ([`tar_files`]).
//!
//! Where Argo packs an output anew (a gzipped tar, a zip), no file on disk equals
//! the stored object. So the object is read back as a stream and each entry's
//! content is digested and compared with the digest made when the file was
//! written. In the same pass the object itself is digested.
//!
//! The object is hostile: whoever can write to the bucket chose its bytes. Hence
//! the readers are strict: they take exactly the subset of ustar and PAX (POSIX.1
//! pax), gzip (RFC 1952) and zip (APPNOTE 6.3) that Go's writers produce for
//! Argo, and anything else means "not what was written". What two unpackers could
//! read in two ways is refused before it matters. The decompressed size, the
//! number of entries and every header are bounded, nothing is written to disk,
//! and memory does not depend on the object's size.
//!
//! Whoever calls reads the object, inflates it and judges its headers (`walk`). What that gives
//! goes in batches (`batch`) to who digests it and tells a sink (`digesting`): on a thread beside
//! (`aside`), unless it is so little that no batch is ever full.
//!
//! Compared are the names and contents of regular files, and the names and targets of
//! symbolic links. Not compared are modes, owners and times, and which empty directories
//! there are: nobody signs those.

mod above;
mod aside;
mod batch;
mod comparison;
mod digesting;
mod expected;
mod files;
mod first_names;
mod inventory;
mod message;
mod object;
mod pax;
mod taker;
mod tar;
mod tar_header;
mod walk;
mod zip;
mod zip_directory;

pub use comparison::{CAP, Capped, Comparison, Difference, Extra, Odd, Oddity, RefusedEntry, compare};
pub use expected::{Expected, ExpectedFile, ExpectedFiles, Naming, Passed};
pub use files::{GZIP, TarFile, TarFiles, TarFilesError, TarLimits, tar_files};
pub use first_names::first_names;
pub use inventory::{Inventory, InventoryError, inventory, inventory_with};
pub use object::{ObjectDigest, ReadError};
pub use walk::{Broken, EntryKind, Format, Limits, MAX_DEPTH, MAX_NAME};

#[cfg(test)]
mod tests;
