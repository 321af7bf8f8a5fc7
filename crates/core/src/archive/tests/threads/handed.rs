//! What is handed over, and how much of it there is.

use std::cell::RefCell;
use std::time::Duration;

use super::super::super::batch::{Batch, Sizes};
use super::super::super::digesting::Digesting;
use super::super::super::object::Chunk;
use super::super::super::taker::Taker;
use super::super::super::walk::{read_through, walk_by};
use super::*;

#[test]
fn only_what_is_large_takes_a_second_thread() {
    let here = thread::current().id();
    let threads = |archive: &[u8]| {
        let mut heard = Heard::default();
        walk_by(TAR_GZ, archive, LIMITS, Sizes::USUAL, &mut heard).unwrap().object.unwrap();
        heard.threads
    };
    assert_eq!(threads(&pack(TAR_GZ, &[noise(50_000)])), [here]);
    for large in [vec![noise(200_000)], vec![vec![0; 200_000]], vec![Vec::new(); 600]] {
        let threads = threads(&pack(TAR_GZ, &large));
        assert!(threads.len() == 1 && threads != [here], "{threads:?}");
    }
}

/// Counts what is handed over.
struct Counting<'s> {
    digesting: Digesting<'s>,
    told: usize,
}

impl Taker for Counting<'_> {
    fn object(&mut self, full: Chunk) -> io::Result<Chunk> {
        Taker::object(&mut self.digesting, full)
    }

    fn told(&mut self, full: Batch) -> io::Result<Batch> {
        self.told += 1;
        Taker::told(&mut self.digesting, full)
    }
}

#[test]
fn tiny_entries_go_together() {
    let files: Vec<_> = (0..10_000_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let archive = pack(TAR_GZ, &files);
    let mut heard = Heard::default();
    let counting = RefCell::new(Counting { digesting: Digesting::new(&mut heard), told: 0 });
    read_through(TAR_GZ, &archive[..], LIMITS, Sizes::USUAL, &counting).unwrap().end.unwrap();
    let told = counting.into_inner().told;
    assert!((1..100).contains(&told), "{told}");
    assert_eq!(heard.told.len(), 2 * 10_001);
    let mut apart = Heard::default();
    walk_by(TAR_GZ, &archive[..], LIMITS, Sizes::USUAL, &mut apart).unwrap().object.unwrap();
    assert_eq!(apart.told, heard.told);
}

/// A content begins with the same bytes in one piece, however the bytes come.
#[test]
fn how_a_file_begins_is_seen_at_once() {
    struct Beginnings(Vec<usize>, bool);
    impl Sink for Beginnings {
        fn begins(&mut self, _name: &[u8], _size: u64) {
            self.1 = true;
        }

        fn content(&mut self, chunk: &[u8]) {
            if std::mem::take(&mut self.1) {
                self.0.push(chunk.len());
            }
        }

        fn entry(&mut self, _entry: Entry<'_>) {}
    }
    let lengths = [1, 100_000, 3, 40_000, 70_000, 64 * 1024, 2];
    let archive = pack(TAR_GZ, &lengths.map(noise));
    for step in [1, 1000, usize::MAX] {
        let mut beginnings = Beginnings(Vec::new(), false);
        let source = Odd::new(&archive, &[step], None);
        walk_by(TAR_GZ, source, LIMITS, Sizes::USUAL, &mut beginnings).unwrap().object.unwrap();
        for (length, first) in lengths.iter().zip(&beginnings.0) {
            assert!(first >= length.min(&(64 * 1024)) && first <= length, "{first} of {length}");
        }
        assert_eq!(beginnings.0.len(), lengths.len());
    }
}

#[test]
fn a_slow_sink_is_waited_for() {
    struct Slow<'a>(&'a AtomicUsize);
    impl Sink for Slow<'_> {
        fn content(&mut self, chunk: &[u8]) {
            thread::sleep(Duration::from_millis(1));
            self.0.fetch_add(chunk.len(), Ordering::SeqCst);
        }

        fn entry(&mut self, _entry: Entry<'_>) {}
    }
    let reader = Reader::AnyTar { is_gzipped: false };
    let archive = pack(reader, &[noise(6 << 20)]);
    let (read, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let source = Counted { bytes: &archive, read: &read, heard: &heard, most: 1 << 20 };
    walk_by(reader, source, LIMITS, Sizes::USUAL, &mut Slow(&heard)).unwrap().object.unwrap();
    assert_eq!(heard.into_inner(), 6 << 20);
}
