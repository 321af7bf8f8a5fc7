//! What is read on one thread and digested on another is what is read and digested on one.

mod alike;
mod ends;
mod handed;

use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use super::super::walk::{Entry, Reader, Sink};
use super::tarball::Tarball;
use super::zipball::Zipball;
use super::*;

const LIMITS: Limits = Limits { entries: 1_000_000, bytes: 1 << 40, names: 1 << 30 };
const TAR_GZ: Reader = Reader::Argo(Format::TarGz);

/// Whatever a sink is told, with content joined.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    told: Vec<String>,
    content: Vec<u8>,
    threads: Vec<ThreadId>,
}

impl Sink for Heard {
    fn begins(&mut self, name: &[u8], size: u64) {
        self.told.push(format!("{} has {size}", name.escape_ascii()));
    }

    fn content(&mut self, chunk: &[u8]) {
        self.content.extend_from_slice(chunk);
    }

    fn entry(&mut self, entry: Entry<'_>) {
        assert_eq!(entry.digest, Sha256Digest::of(&std::mem::take(&mut self.content)));
        self.told.push(format!("{entry:?}"));
        let here = thread::current().id();
        if !self.threads.contains(&here) {
            self.threads.push(here);
        }
    }
}

/// Gives so many bytes at a time, in turns, and fails at a place.
struct Odd {
    bytes: Vec<u8>,
    at: usize,
    steps: Vec<usize>,
    step: usize,
    fails_at: Option<usize>,
}

impl Odd {
    fn new(bytes: &[u8], steps: &[usize], fails_at: Option<usize>) -> Self {
        Self { bytes: bytes.to_vec(), at: 0, steps: steps.to_vec(), step: 0, fails_at }
    }
}

impl Read for Odd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fails_at == Some(self.at) {
            return Err(io::Error::other("the line was cut"));
        }
        self.step += 1;
        let end = self.fails_at.unwrap_or(self.bytes.len()).min(self.bytes.len());
        let count = self.steps[self.step % self.steps.len()].min(buffer.len()).min(end - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Content that does not compress, and is the same in each run (xorshift64*).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(length.div_ceil(8)).flatten().take(length).collect()
}

fn pack(reader: Reader, files: &[Vec<u8>]) -> Vec<u8> {
    let name = |n: usize| format!("out/{n}");
    let files = files.iter().enumerate();
    if reader == Reader::Argo(Format::Zip) {
        return files.fold(Zipball::default(), |zip, (n, file)| zip.file(name(n).as_bytes(), file)).finish();
    }
    let mut tar = files.fold(Tarball::default().directory("out"), |tar, (n, file)| tar.file(&name(n), file));
    if reader == (Reader::AnyTar { is_gzipped: false }) {
        tar.0.resize(tar.0.len() + 1024, 0);
        return tar.0;
    }
    tar.finish()
}

/// Counts the bytes that it gives.
struct Counted<'a> {
    bytes: &'a [u8],
    read: &'a AtomicUsize,
    heard: &'a AtomicUsize,
    most: usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        let ahead = (self.read.fetch_add(count, Ordering::SeqCst) + count)
            .saturating_sub(self.heard.load(Ordering::SeqCst));
        assert!(ahead <= self.most, "{ahead} bytes ahead");
        Ok(count)
    }
}
