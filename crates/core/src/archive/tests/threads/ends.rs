//! Whichever thread ends first, the other does not wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use super::super::super::batch::Sizes;
use super::super::super::walk::walk_by;
use super::*;

/// Runs what must not hang.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (to, from) = mpsc::channel();
    thread::spawn(move || to.send(work()));
    from.recv_timeout(Duration::from_mins(1)).expect("it hangs")
}

/// What a panic said.
fn said(panicked: Box<dyn std::any::Any + Send>) -> &'static str {
    *panicked.downcast::<&'static str>().expect("a text")
}

#[test]
fn a_panic_of_the_sink_goes_on_in_the_caller_and_ends_the_reading() {
    struct Panics;
    impl Sink for Panics {
        fn content(&mut self, _chunk: &[u8]) {
            panic!("the sink has enough");
        }

        fn entry(&mut self, _entry: Entry<'_>) {}
    }
    let read = in_time(|| {
        let archive = pack(Reader::AnyTar { is_gzipped: false }, &[noise(20 << 20)]);
        let (read, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let source = Counted { bytes: &archive, read: &read, heard: &heard, most: usize::MAX };
        let walking =
            || walk_by(Reader::AnyTar { is_gzipped: false }, source, LIMITS, Sizes::USUAL, &mut Panics);
        let panicked = catch_unwind(AssertUnwindSafe(walking)).unwrap_err();
        assert_eq!(said(panicked), "the sink has enough");
        read.into_inner()
    });
    assert!(read <= 2 << 20, "{read} bytes were read");
}

#[test]
fn a_panic_of_the_source_goes_on_in_the_caller() {
    struct Panics(Vec<u8>);
    impl Read for Panics {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!self.0.is_empty(), "the source has enough");
            let count = self.0.as_slice().read(buffer)?;
            self.0.drain(..count);
            Ok(count)
        }
    }
    in_time(|| {
        let archive = pack(TAR_GZ, &[noise(3 << 20)]);
        let source = Panics(archive[..archive.len() / 2].to_vec());
        let mut heard = Heard::default();
        let walking = || walk_by(TAR_GZ, source, LIMITS, Sizes::USUAL, &mut heard);
        let panicked = catch_unwind(AssertUnwindSafe(walking)).unwrap_err();
        assert_eq!(said(panicked), "the source has enough");
    });
}

#[test]
fn a_source_that_fails_after_much_is_no_verdict() {
    let archive = pack(TAR_GZ, &[noise(1 << 20)]);
    for at in [64 * 1024, 300_000, archive.len()] {
        let source = Odd::new(&archive, &[63 * 1024], Some(at));
        let error = compare(Format::TarGz, source, &expected(&[], &[])).unwrap_err();
        assert_eq!((error.after, error.source.to_string()), (at as u64, "the line was cut".to_owned()));
    }
}
