//! What an observer found in the end.

use std::collections::BTreeMap;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::links::LinkTarget;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Tree;
use jiff::Timestamp;

use super::identity::Fingerprint;
use super::refusal::Refusal;
use super::stats::ObservationStats;

/// A regular file whose bytes were digested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedFile {
    /// SHA-256 of the bytes that were read.
    pub digest: Sha256Digest,
    /// CRC-64/NVME of the same bytes, where it was asked for ([`Also`](super::Also)). It protects
    /// from accidents only.
    pub crc64nvme: Option<u64>,
    /// How many bytes there are.
    pub size: u64,
    /// When the digest was finished, in nanoseconds since 1970.
    pub(super) digested: i64,
    /// Whether that was before the command ended.
    pub before_end: bool,
    /// How often the file was read in full, at least: more than once if it was
    /// changed after it had been digested.
    pub reads: u16,
    /// The number of hard links. More than 1 means that the bytes can be
    /// changed through another name.
    pub links: u32,
    /// The change time of the state that was read (`st_ctime`), in nanoseconds
    /// since 1970: the kernel sets it, and nobody can set it back.
    pub changed: i64,
    /// The last of the final scans that found the file in this state.
    pub(super) seen: u8,
    /// The state that was read.
    pub(super) state: Fingerprint,
}

// There may be a million: two bytes more, and an allocation of the next size holds each.
const _: () = assert!(size_of::<ObservedFile>() <= 96);

impl ObservedFile {
    /// When the digest was finished.
    pub fn digested(&self) -> Timestamp {
        // Every such number is within the years that there are.
        Timestamp::from_nanosecond(self.digested.into()).unwrap_or_default()
    }
}

/// What there was in the end where something was to be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Missing,
    /// A regular file.
    File,
    /// A directory, perhaps empty.
    Directory,
    /// Something that is refused; [`Observation::refused`] says why.
    Refused,
}

/// What an observer found. Every entry beneath the interests, except
/// directories that could be read, is in exactly one of the three maps.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The files that were digested, each in the state of the last scan. In boxes: nodes of the
    /// map are half empty, and there may be a million.
    pub files: BTreeMap<RelPath, Box<ObservedFile>>,
    /// The symbolic links that stay within the interest that they are in, each as it was read
    /// by the last scan.
    pub links: BTreeMap<RelPath, LinkTarget>,
    /// What was not digested, and why.
    pub refused: BTreeMap<RelPath, Refusal>,
    /// What each interest was at the end.
    pub interests: BTreeMap<RelPath, Presence>,
    /// For each interest, the latest change time (in nanoseconds since 1970) of
    /// the directories that it consists of: when an entry of them was last added,
    /// renamed or removed. `i64::MIN` if it has none.
    pub rearranged: BTreeMap<RelPath, i64>,
    /// Whether the last scan reached everything and all of it was read. If not,
    /// the observation was cancelled: there may be entries in none of them.
    pub complete: bool,
    /// How much was read, and when.
    pub stats: ObservationStats,
}

impl Observation {
    /// What is in a directory that was observed, by path from there. No more is kept of the rest.
    pub fn into_tree(self, directory: &RelPath) -> Tree {
        let beneath = |path: &RelPath| path.strip_prefix(directory).filter(|path| !path.is_root());
        let links = self.links.into_iter().filter_map(|(path, to)| Some((beneath(&path)?, to)));
        let mut tree = Tree { files: BTreeMap::new(), links: links.collect() };
        // One by one, each in place of what was observed: to collect them would be to list them first.
        tree.files
            .extend(self.files.into_iter().filter_map(|(path, file)| Some((beneath(&path)?, file.digest))));
        tree
    }
}
