//! From an open file to digests: one pass, a fixed buffer, no mapping of the
//! file into memory (a truncation would then be a SIGBUS).
//!
//! What is signed is the digest of the bytes that were read. The `stat` before
//! and after only tells whether somebody was writing meanwhile.

use std::thread;
use std::time::{Duration, SystemTime};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::RelPath;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use rustix::fs::fstat;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::cancel::Cancel;
use super::identity::{Entry, Identity};
use super::refusal::Refusal;
use super::root::Root;

/// Fits the second-level cache of the cores in use, so that the checksum reads
/// from there what SHA-256 has just read.
pub(super) const BUFFER: usize = 128 * 1024;

/// Before Linux 6.13 two changes within one timer tick (at most 10 ms) leave
/// the same change time. A file that changed less than this ago is not read
/// yet, or a change after reading could go unseen.
const SETTLE: Duration = Duration::from_millis(20);

/// After so many bytes a look is taken whether the file still holds still: the
/// rest of ten gigabytes need not be read in vain.
const CHECK_EVERY: u64 = 64 << 20;

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
        // Not even opened: of very many small files, that is most of the work.
        if cancel.is_cancelled() {
            return Err(Refusal::Unfinished);
        }
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
    let mut check = CHECK_EVERY;
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
        if count >= check {
            check += CHECK_EVERY;
            if Entry::of(&fstat(&file).map_err(io)?).identity != before.identity {
                return Ok(None);
            }
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

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::time::Instant;

    use super::super::fixture::{directory, path, skip, write};
    use super::*;

    fn read(root: &Root, name: &str, on_chunk: &mut dyn FnMut(u64)) -> Result<Digested, Refusal> {
        digest(root, &path(name), 3, &mut [0; 1000], &Cancel::new(), on_chunk)
    }

    #[test]
    fn digests_in_one_pass() {
        let (dir, root) = directory();
        write(dir.path(), "empty", "");
        write(dir.path(), "check", "123456789");
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        write(dir.path(), "big", &bytes);
        let empty = read(&root, "empty", &mut |_| {}).unwrap();
        assert_eq!(empty.sha256, Sha256Digest::of(b""));
        assert_eq!(empty.crc64nvme, 0);
        // The check value of CRC-64/NVME in the catalogue of CRC algorithms.
        assert_eq!(read(&root, "check", &mut |_| {}).unwrap().crc64nvme, 0xae8b_1486_0a79_9888);
        let mut sum = 0;
        let big = read(&root, "big", &mut |n| sum += n).unwrap();
        assert_eq!(big.sha256, Sha256Digest::of(&bytes));
        assert_eq!((sum, big.identity.size(), big.attempts), (100_000, 100_000, 1));
    }

    #[test]
    fn reads_again_what_changed_meanwhile() {
        let (dir, root) = directory();
        for change in ["grow", "shrink", "replace", "rewrite"] {
            write(dir.path(), "f", vec![b'a'; 10_000]);
            let file = dir.path().join("f");
            let mut changed = false;
            let digested = read(&root, "f", &mut |_| {
                if std::mem::replace(&mut changed, true) {
                    return;
                }
                match change {
                    "grow" => {
                        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"more").unwrap();
                    }
                    "shrink" => OpenOptions::new().write(true).open(&file).unwrap().set_len(5000).unwrap(),
                    "replace" => {
                        write(dir.path(), "g", "new");
                        std::fs::rename(dir.path().join("g"), &file).unwrap();
                    }
                    _ => std::fs::write(&file, vec![b'b'; 10_000]).unwrap(),
                }
            })
            .unwrap();
            assert_eq!(digested.attempts, 2, "{change}");
            assert_eq!(digested.sha256, Sha256Digest::of(&std::fs::read(&file).unwrap()), "{change}");
        }
    }

    #[test]
    fn refuses_what_never_holds_still() {
        let (dir, root) = directory();
        write(dir.path(), "f", vec![0; 5000]);
        let mut file = OpenOptions::new().append(true).open(dir.path().join("f")).unwrap();
        let mut count = 0;
        let refusal = read(&root, "f", &mut |n| {
            count += n;
            file.write_all(&vec![1; usize::try_from(2 * n).unwrap()]).unwrap();
        })
        .unwrap_err();
        assert_eq!(refusal, Refusal::Unstable { attempts: 3 });
        assert!(count < 10_000_000, "an endless file must not be followed: {count}");
    }

    #[test]
    fn stops_within_a_sparse_terabyte() {
        let (dir, root) = directory();
        let file = std::fs::File::create(dir.path().join("f")).unwrap();
        if let Err(e) = file.set_len(1 << 40) {
            skip(&format!("a file system with files of a terabyte: {e}"));
            return;
        }
        let cancel = Cancel::new();
        let mut chunks = 0;
        let mut asked = None;
        let mut buffer = vec![0; BUFFER];
        let refusal = digest(&root, &path("f"), 3, &mut buffer, &cancel, &mut |_| {
            chunks += 1;
            if chunks == 100 {
                cancel.cancel();
                asked = Some(Instant::now());
            }
        })
        .unwrap_err();
        assert_eq!((refusal, chunks), (Refusal::Unfinished, 100));
        assert!(asked.unwrap().elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn a_fresh_file_is_left_to_settle() {
        let (dir, root) = directory();
        write(dir.path(), "f", "x");
        let digested = read(&root, "f", &mut |_| {}).unwrap();
        assert!(digested.identity.age(SystemTime::now()).unwrap() >= SETTLE);
    }
}
