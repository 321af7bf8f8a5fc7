//! What a packed output on disk holds.
//!
//! For outputs in main's base layer, Argo's emissary leaves a `.tgz` on the shared
//! volume, and that is the first that anyone outside main sees of the bytes. Its
//! entries are what the next step will find, so they are digested one by one.
//! Main can write that file too: it is as hostile as any object.

use std::collections::BTreeMap;
use std::io::Read;

use super::above::Above;
use super::comparison::{Oddity, shown};
use super::expected::{ExpectedFile, Naming};
use super::object::{ObjectDigest, ReadError};
use super::walk::{Broken, Entry, EntryKind, Format, Limits, Sink, walk};
use crate::links::{LinkTarget, Links, MAX_LINK_BYTES, MAX_LINKS};
use crate::relpath::RelPath;

/// What a packed output holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Digest and size of the archive itself.
    pub object: ObjectDigest,
    /// Whether it is of a directory; else it is of one file, whose path is the
    /// root.
    pub is_directory: bool,
    /// Every regular file, by its path beneath the artifact.
    pub files: BTreeMap<RelPath, ExpectedFile>,
    /// Every symbolic link that has a target, but the artifact itself: no more than one above
    /// what an artifact may have.
    pub links: Links,
    /// What else is neither file nor directory: devices, FIFOs.
    pub special: BTreeMap<RelPath, EntryKind>,
}

/// Why a packed output has no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not an archive that Argo could have written.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It has an entry that no honest archive has.
    #[error("the archive's entry `{name}`: {oddity}")]
    Odd {
        /// The entry's name in printable form.
        name: String,
        /// What is wrong with it.
        oddity: Oddity,
    },
    /// It has no entries.
    #[error("the archive is empty")]
    Empty,
}

/// Reads a gzipped tar whose entries are at or beneath `base`. Memory grows with
/// the number of entries, which `limits` bounds.
pub fn inventory(archive: impl Read, base: &[u8], limits: Limits) -> Result<Inventory, InventoryError> {
    listed(archive, base, limits, None).map(|(inventory, _)| inventory)
}

/// The same, and the content of the file with this path, if it is there and has no more than so many
/// bytes.
pub fn inventory_with(
    archive: impl Read,
    base: &[u8],
    limits: Limits,
    file: &RelPath,
    most: usize,
) -> Result<(Inventory, Option<Vec<u8>>), InventoryError> {
    listed(archive, base, limits, Some(Kept { path: file, most, is_open: false, content: None }))
}

/// The file whose content is kept.
struct Kept<'a> {
    path: &'a RelPath,
    most: usize,
    /// Whether what comes is of this file.
    is_open: bool,
    content: Option<Vec<u8>>,
}

fn listed(
    archive: impl Read,
    base: &[u8],
    limits: Limits,
    kept: Option<Kept<'_>>,
) -> Result<(Inventory, Option<Vec<u8>>), InventoryError> {
    let mut lister = Lister {
        kept,
        naming: Naming::Beneath(base.to_vec()),
        root: None,
        files: BTreeMap::new(),
        links: BTreeMap::new(),
        link_bytes: 0,
        special: BTreeMap::new(),
        above: Above::default(),
        odd: None,
    };
    let walked = walk(Format::TarGz, archive, limits, &mut lister)?;
    let object = walked.object?;
    if let Some((name, oddity)) = lister.odd {
        return Err(InventoryError::Odd { name, oddity });
    }
    let is_directory = match lister.root {
        None => return Err(InventoryError::Empty),
        Some(kind) => kind == EntryKind::Directory,
    };
    let links = lister.links.into_iter().collect();
    let content = lister.kept.and_then(|kept| kept.content);
    Ok((Inventory { object, is_directory, files: lister.files, links, special: lister.special }, content))
}

struct Lister<'a> {
    kept: Option<Kept<'a>>,
    naming: Naming,
    /// What the first entry is, which is the artifact itself.
    root: Option<EntryKind>,
    files: BTreeMap<RelPath, ExpectedFile>,
    links: BTreeMap<RelPath, LinkTarget>,
    link_bytes: usize,
    special: BTreeMap<RelPath, EntryKind>,
    above: Above,
    odd: Option<(String, Oddity)>,
}

impl Lister<'_> {
    /// Whether something else than a directory bears this name.
    fn has(&self, path: &RelPath) -> bool {
        self.files.contains_key(path) || self.links.contains_key(path) || self.special.contains_key(path)
    }

    /// Whether something is in what bears this name.
    fn has_beneath(&self, path: &RelPath) -> bool {
        // No name is less than this one.
        let Ok(first) = path.join(b"\x01") else { return false };
        let next = [
            self.files.range(&first..).next().map(|(next, _)| next),
            self.links.range(&first..).next().map(|(next, _)| next),
            self.special.range(&first..).next().map(|(next, _)| next),
        ];
        next.into_iter().flatten().any(|next| next.starts_with(path))
    }

    fn list(&mut self, entry: &Entry<'_>) -> Result<(), Oddity> {
        let name = match entry.kind {
            EntryKind::Directory => entry.name.strip_suffix(b"/").unwrap_or(entry.name),
            _ => entry.name,
        };
        let path = self.naming.resolve(name)?;
        // Go walks a directory before what is in it.
        match (self.root, path.is_root()) {
            (None, true) => self.root = Some(entry.kind),
            (Some(EntryKind::Directory), false) => {}
            (Some(_), true) => return Err(Oddity::Duplicate),
            (_, false) => return Err(Oddity::OutsideBase),
        }
        if self.has(&path) {
            return Err(Oddity::Duplicate);
        }
        if self.above.new_ones(&path).any(|above| self.has(&above)) {
            return Err(Oddity::BeneathRefused);
        }
        if entry.kind != EntryKind::Directory && !path.is_root() && self.has_beneath(&path) {
            return Err(Oddity::NotAFile(entry.kind));
        }
        match entry.kind {
            EntryKind::File => {
                self.files.insert(path, ExpectedFile { digest: entry.digest, size: entry.size });
            }
            EntryKind::Directory => {}
            // Go's writer never makes one.
            EntryKind::HardLink => return Err(Oddity::Kind(EntryKind::HardLink)),
            EntryKind::Symlink if !path.is_root() => self.link(path, entry.target),
            kind => {
                self.special.insert(path, kind);
            }
        }
        Ok(())
    }

    /// A target may be as long as a path: what is more than any artifact may have is not kept.
    fn link(&mut self, path: RelPath, target: &[u8]) {
        let few = self.links.len() <= MAX_LINKS && self.link_bytes <= MAX_LINK_BYTES;
        match LinkTarget::from_bytes(target) {
            Ok(target) if few => {
                self.link_bytes += path.as_bytes().len() + target.as_bytes().len();
                self.links.insert(path, target);
            }
            _ => {
                self.special.insert(path, EntryKind::Symlink);
            }
        }
    }
}

impl Sink for Lister<'_> {
    fn begins(&mut self, name: &[u8], size: u64) {
        let Some(kept) = &mut self.kept else { return };
        let is_it = self.naming.resolve(name).is_ok_and(|path| path == *kept.path);
        kept.is_open = is_it && usize::try_from(size).is_ok_and(|size| size <= kept.most);
        if kept.is_open {
            kept.content = Some(Vec::new());
        }
    }

    fn content(&mut self, chunk: &[u8]) {
        if let Some(Kept { is_open: true, content: Some(content), .. }) = &mut self.kept {
            content.extend_from_slice(chunk);
        }
    }

    fn entry(&mut self, entry: Entry<'_>) {
        if self.odd.is_none()
            && let Err(oddity) = self.list(&entry)
        {
            self.odd = Some((shown(entry.name), oddity));
        }
    }
}
