//! From an open file to digests: one pass, a fixed buffer, no mapping of the
//! file into memory (a truncation would then be a SIGBUS).
//!
//! What is signed is the digest of the bytes that were read. The `stat` before
//! and after only tells whether somebody was writing meanwhile.

use std::thread;
use std::time::{Duration, SystemTime};

use crc_fast::{CrcAlgorithm, Digest as Crc};
use rustix::fs::fstat;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::cancel::Cancel;
use super::identity::{Entry, Identity};
use super::refusal::Refusal;
use super::root::Root;
use crate::digest::Sha256Digest;
use crate::relpath::RelPath;

/// Fits the second-level cache of the cores in use, so that the checksum reads
/// from there what SHA-256 has just read.
pub(super) const BUFFER: usize = 128 * 1024;

/// Before Linux 6.13 two changes within one timer tick (at most 10 ms) leave
/// the same change time. A file that changed less than this ago is not read
/// yet, or a change after reading could go unseen.
const SETTLE: Duration = Duration::from_millis(20);

/// A file that held still while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digested {
    pub(super) sha256: Sha256Digest,
    pub(super) crc64nvme: u64,
    pub(super) identity: Identity,
    pub(super) links: u32,
    pub(super) attempts: u32,
}

/// Reads a file until it holds still, at most `attempts` times. `read` hears
/// of every chunk.
pub(super) fn digest(
    root: &Root,
    path: &RelPath,
    attempts: u32,
    buffer: &mut [u8],
    cancel: &Cancel,
    read: &mut dyn FnMut(u64),
) -> Result<Digested, Refusal> {
    for attempt in 1..=attempts {
        if let Some(digested) = once(root, path, attempt, buffer, cancel, read)? {
            return Ok(digested);
        }
    }
    Err(Refusal::Unstable { attempts })
}

/// `None` if the file changed.
fn once(
    root: &Root,
    path: &RelPath,
    attempt: u32,
    buffer: &mut [u8],
    cancel: &Cancel,
    read: &mut dyn FnMut(u64),
) -> Result<Option<Digested>, Refusal> {
    let io = |e: Errno| Refusal::Io { code: e.raw_os_error() };
    let (file, mut before) = root.open_file(path)?;
    if let Some(wait) = before.identity.age(SystemTime::now()).and_then(|age| SETTLE.checked_sub(age)) {
        thread::sleep(wait);
        before = Entry::of(&fstat(&file).map_err(io)?);
    }
    let size = before.identity.size();
    let mut sha256 = Sha256::new();
    let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
    let mut count = 0_u64;
    loop {
        if cancel.is_cancelled() {
            return Err(Refusal::Unfinished);
        }
        let chunk = match rustix::io::read(&file, &mut *buffer) {
            Ok(0) => break,
            Ok(n) => buffer.get(..n).unwrap_or_default(),
            Err(Errno::INTR) => continue,
            Err(e) => return Err(io(e)),
        };
        sha256.update(chunk);
        crc.update(chunk);
        count += chunk.len() as u64;
        read(chunk.len() as u64);
        if count > size {
            // It grows; to follow it to its end might take for ever.
            return Ok(None);
        }
    }
    let after = Entry::of(&fstat(&file).map_err(io)?);
    if count != size || after.identity != before.identity {
        return Ok(None);
    }
    Ok(Some(Digested {
        sha256: Sha256Digest::from_hasher(sha256),
        crc64nvme: crc.finalize(),
        identity: after.identity,
        links: after.links,
        attempts: attempt,
    }))
}
