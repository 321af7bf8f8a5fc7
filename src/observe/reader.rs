//! From an open file to digests: one pass, a fixed buffer, no mapping of the
//! file into memory (a truncation would then be a SIGBUS).
//!
//! What is signed is the digest of the bytes that were read. The `stat` before
//! and after only tells whether somebody was writing meanwhile.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, SystemTime};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::RelPath;
use argo_attest_sha256::{Block, Sha256};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use rustix::fs::fstat;
use rustix::io::Errno;

use super::cancel::Cancel;
use super::identity::{Entry, Identity};
use super::refusal::Refusal;
use super::root::Root;

/// What is read before it is hashed, in blocks. Two files are read in turns: all of it
/// fits the second-level cache of the cores in use, so that it is hashed from there.
pub(super) const BUFFER: usize = 64 * 1024 / size_of::<Block>();

/// Before Linux 6.13 two changes within one timer tick (at most 10 ms) leave
/// the same change time. A file that changed less than this ago is not read
/// yet, or a change after reading could go unseen.
const SETTLE: Duration = Duration::from_millis(20);

/// After so many bytes a look is taken whether the file still holds still: the
/// rest of ten gigabytes need not be read in vain.
const CHECK_EVERY: u64 = 64 << 20;

/// What is computed beside SHA-256, in the same pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Also {
    /// Nothing.
    Nothing,
    /// CRC-64/NVME, to be compared with what a store computes by itself.
    Crc64Nvme,
}

/// A file that held still while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digested {
    pub(super) sha256: Sha256Digest,
    pub(super) crc64nvme: Option<u64>,
    pub(super) identity: Identity,
    pub(super) links: u32,
    pub(super) attempts: u32,
}

/// Which file is to be read, and how.
pub(super) struct Task<'a> {
    pub(super) root: &'a Root,
    pub(super) path: &'a RelPath,
    /// How often it is read, at most, until it holds still.
    pub(super) attempts: u32,
    pub(super) also: Also,
    pub(super) cancel: &'a Cancel,
    /// Hears of all that is read.
    pub(super) read: &'a dyn Fn(u64),
}

/// A file on its way from its first byte to its last, perhaps again from its first.
pub(super) struct Reader {
    buffer: Vec<Block>,
    attempt: u32,
    pass: Option<Pass>,
}

impl Reader {
    /// One with a buffer of so many blocks.
    pub(super) fn new(buffer: usize) -> Self {
        Self { buffer: vec![[0; 64]; buffer], attempt: 0, pass: None }
    }

    /// Makes it ready for another file.
    pub(super) fn rewind(&mut self) {
        (self.attempt, self.pass) = (0, None);
    }

    /// Reads on. What became of the file, when that is known; until then there may be blocks to be
    /// hashed ([`Self::blocks`]) before it is called again.
    pub(super) fn advance(&mut self, task: &Task<'_>) -> Option<Result<Digested, Refusal>> {
        self.advanced(task).transpose()
    }

    fn advanced(&mut self, task: &Task<'_>) -> Result<Option<Digested>, Refusal> {
        loop {
            // Before it is even opened: of very many small files, that is most of the work.
            if task.cancel.is_cancelled() {
                return Err(Refusal::Unfinished);
            }
            let Some(pass) = &mut self.pass else {
                if self.attempt == task.attempts {
                    return Err(Refusal::Unstable { attempts: task.attempts });
                }
                self.attempt += 1;
                self.pass = Some(Pass::begin(task)?);
                continue;
            };
            if pass.ended {
                let digested = pass.finish(&self.buffer, self.attempt)?;
                self.pass = None;
                if digested.is_some() {
                    return Ok(digested);
                }
            } else if pass.read(&mut self.buffer, task)? {
                // At the end of the file there may be nothing left to hash.
                if pass.filled > 0 {
                    return Ok(None);
                }
            } else {
                self.pass = None;
            }
        }
    }

    /// What was read last and is to be hashed now.
    pub(super) fn blocks(&mut self) -> Option<(&mut Sha256, &[Block])> {
        let pass = self.pass.as_mut()?;
        let whole = self.buffer.get(..pass.filled / size_of::<Block>())?;
        Some((&mut pass.sha256, whole))
    }
}

/// One reading, from the start of the file.
struct Pass {
    file: OwnedFd,
    before: Entry,
    sha256: Sha256,
    crc: Option<Crc>,
    count: u64,
    check: u64,
    /// How many bytes are in the buffer.
    filled: usize,
    /// Whether they are the last.
    ended: bool,
}

fn refused(errno: Errno) -> Refusal {
    Refusal::Io { code: errno.raw_os_error() }
}

impl Pass {
    fn begin(task: &Task<'_>) -> Result<Self, Refusal> {
        let (file, mut before) = task.root.open_file(task.path)?;
        if let Some(wait) = before.identity.age(SystemTime::now()).and_then(|age| SETTLE.checked_sub(age)) {
            thread::sleep(wait);
            before = Entry::of(&fstat(&file).map_err(refused)?);
        }
        let crc = (task.also == Also::Crc64Nvme).then(|| Crc::new(CrcAlgorithm::Crc64Nvme));
        let (count, check) = (0, CHECK_EVERY);
        Ok(Self { file, before, sha256: Sha256::new(), crc, count, check, filled: 0, ended: false })
    }

    /// Fills the buffer, or comes to the end of the file; `false` if the file changed.
    fn read(&mut self, buffer: &mut [Block], task: &Task<'_>) -> Result<bool, Refusal> {
        let bytes = buffer.as_flattened_mut();
        self.filled = 0;
        while let Some(room) = bytes.get_mut(self.filled..)
            && !room.is_empty()
        {
            if task.cancel.is_cancelled() {
                return Err(Refusal::Unfinished);
            }
            let chunk = match rustix::io::read(&self.file, &mut *room) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(true);
                }
                Ok(n) => room.get(..n).unwrap_or_default(),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(refused(e)),
            };
            if let Some(crc) = &mut self.crc {
                crc.update(chunk);
            }
            self.filled += chunk.len();
            self.count += chunk.len() as u64;
            (task.read)(chunk.len() as u64);
            if self.count > self.before.identity.size() {
                // It grows; to follow it to its end might take for ever.
                return Ok(false);
            }
        }
        if self.count >= self.check {
            self.check += CHECK_EVERY;
            return Ok(self.now()?.identity == self.before.identity);
        }
        Ok(true)
    }

    fn now(&self) -> Result<Entry, Refusal> {
        Ok(Entry::of(&fstat(&self.file).map_err(refused)?))
    }

    /// The digests, all blocks having been hashed; `None` if the file changed.
    fn finish(&mut self, buffer: &[Block], attempts: u32) -> Result<Option<Digested>, Refusal> {
        let after = self.now()?;
        if self.count != self.before.identity.size() || after.identity != self.before.identity {
            return Ok(None);
        }
        let last = buffer.as_flattened().get(..self.filled).unwrap_or_default();
        let rest = last.as_chunks::<{ size_of::<Block>() }>().1;
        Ok(Some(Digested {
            sha256: Sha256Digest::from_lane(std::mem::take(&mut self.sha256), rest),
            crc64nvme: self.crc.as_ref().map(Crc::finalize),
            identity: after.identity,
            links: after.links,
            attempts,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::time::Instant;

    use super::super::fixture::{directory, path, skip, write};
    use super::*;

    fn digest(
        root: &Root,
        name: &str,
        cancel: &Cancel,
        on_chunk: &mut dyn FnMut(u64),
    ) -> Result<Digested, Refusal> {
        let (path, on_chunk) = (path(name), RefCell::new(on_chunk));
        let read = |bytes| on_chunk.borrow_mut()(bytes);
        let task = Task { root, path: &path, attempts: 3, also: Also::Crc64Nvme, cancel, read: &read };
        let mut reader = Reader::new(16);
        loop {
            if let Some(outcome) = reader.advance(&task) {
                return outcome;
            }
            let (hash, blocks) = reader.blocks().unwrap();
            hash.update(blocks);
        }
    }

    fn read(root: &Root, name: &str, on_chunk: &mut dyn FnMut(u64)) -> Result<Digested, Refusal> {
        digest(root, name, &Cancel::new(), on_chunk)
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
        assert_eq!(empty.crc64nvme, Some(0));
        // The check value of CRC-64/NVME in the catalogue of CRC algorithms.
        assert_eq!(read(&root, "check", &mut |_| {}).unwrap().crc64nvme, Some(0xae8b_1486_0a79_9888));
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
        let refusal = digest(&root, "f", &cancel, &mut |_| {
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
