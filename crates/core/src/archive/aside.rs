//! A thread beside the one that reads, which digests.
//!
//! Inflating cannot be shared out, and is most of what an archive takes. All that can be done
//! elsewhere is: digesting the contents and the object, and judging the entries. It is worth a
//! thread once there is more than fits into what is handed over at a time; what is smaller is
//! done on the spot.
//!
//! Nothing here can wait for ever: each side waits for the other alone, and a channel whose other
//! end is gone says so. Memory is bounded by [`MOST`], whatever the object is.

use std::io;
use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::batch::Batch;
use super::digesting::Digesting;
use super::object::Chunk;
use super::taker::Taker;

/// How many chunks, and how many batches, there are at most: one is being filled, one digested,
/// the others lie between.
const MOST: usize = 4;

/// Where the digesting is done.
pub(super) struct Aside<'scope, 'env, 's> {
    scope: &'scope Scope<'scope, 'env>,
    /// Whoever has it is who digests: this thread until there is another, then that one.
    digesting: &'scope Mutex<Digesting<'s>>,
    place: Place<'scope>,
}

enum Place<'scope> {
    /// On this thread, so far.
    Here,
    /// On this thread: there is no other to be had.
    HereOnly,
    There(There<'scope>),
}

struct There<'scope> {
    to: SyncSender<Handed>,
    chunks: Returned<Chunk>,
    batches: Returned<Batch>,
    thread: ScopedJoinHandle<'scope, ()>,
}

enum Handed {
    Object(Chunk),
    Told(Batch),
}

/// What comes back to be filled again.
struct Returned<T> {
    from: Receiver<T>,
    /// How many there are.
    made: usize,
}

impl<T> Returned<T> {
    fn next(&mut self, new: impl FnOnce() -> T) -> io::Result<T> {
        if let Ok(empty) = self.from.try_recv() {
            return Ok(empty);
        }
        if self.made < MOST {
            self.made += 1;
            return Ok(new());
        }
        self.from.recv().map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "nobody digests what is read")
}

impl<'scope, 'env, 's> Aside<'scope, 'env, 's> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, digesting: &'scope Mutex<Digesting<'s>>) -> Self {
        Self { scope, digesting, place: Place::Here }
    }

    /// Waits until all that was handed over is digested. A panic there goes on here.
    pub(super) fn finish(self) {
        if let Place::There(There { to, thread, .. }) = self.place {
            drop(to);
            if let Err(panicked) = thread.join() {
                panic::resume_unwind(panicked);
            }
        }
    }

    fn here(&self) -> MutexGuard<'scope, Digesting<'s>> {
        lock(self.digesting)
    }

    /// The thread, which is started now if there is none yet.
    fn there(&mut self) -> Option<&mut There<'scope>> {
        if matches!(self.place, Place::Here) {
            self.place = start(self.scope, self.digesting).map_or(Place::HereOnly, Place::There);
        }
        match &mut self.place {
            Place::There(there) => Some(there),
            _ => None,
        }
    }
}

impl Taker for Aside<'_, '_, '_> {
    fn object(&mut self, full: Chunk) -> io::Result<Chunk> {
        match self.there() {
            Some(There { to, chunks, .. }) => {
                let size = full.size();
                to.send(Handed::Object(full)).map_err(|_| gone())?;
                chunks.next(|| Chunk::new(size))
            }
            None => Taker::object(&mut *self.here(), full),
        }
    }

    fn told(&mut self, full: Batch) -> io::Result<Batch> {
        match self.there() {
            Some(There { to, batches, .. }) => {
                let sizes = full.sizes();
                to.send(Handed::Told(full)).map_err(|_| gone())?;
                batches.next(|| Batch::new(sizes))
            }
            None => Taker::told(&mut *self.here(), full),
        }
    }

    /// No thread is started for it.
    fn last(&mut self, object: Chunk, told: Batch) -> io::Result<()> {
        match &self.place {
            Place::There(There { to, .. }) => [Handed::Object(object), Handed::Told(told)]
                .into_iter()
                .try_for_each(|handed| to.send(handed).map_err(|_| gone())),
            _ => self.here().last(object, told),
        }
    }
}

/// None where the system lets no more threads be started.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    digesting: &'scope Mutex<Digesting<'_>>,
) -> Option<There<'scope>> {
    // None of the channels is ever full: so many chunks and batches do not exist.
    let (to, from) = sync_channel(2 * MOST);
    let (chunk_back, chunks) = sync_channel(MOST);
    let (batch_back, batches) = sync_channel(MOST);
    let run = move || {
        let mut digesting = lock(digesting);
        for handed in from {
            // What comes back after the end has nobody to fill it.
            let _ = match handed {
                Handed::Object(chunk) => {
                    digesting.object(chunk).map_or(Ok(()), |empty| chunk_back.send(empty).map_err(drop))
                }
                Handed::Told(mut batch) => {
                    digesting.told(&batch);
                    batch.clear();
                    batch_back.send(batch).map_err(drop)
                }
            };
        }
    };
    let thread = Builder::new().name("digesting".to_owned()).spawn_scoped(scope, run).ok()?;
    // There is the one of each that was filled until now.
    let (chunks, batches) = (Returned { from: chunks, made: 1 }, Returned { from: batches, made: 1 });
    Some(There { to, chunks, batches, thread })
}

/// One that panicked while it digested has nothing to say any more, and its panic goes on.
fn lock<'a, 's>(digesting: &'a Mutex<Digesting<'s>>) -> MutexGuard<'a, Digesting<'s>> {
    digesting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::thread;

    use super::super::batch::Sizes;
    use super::super::walk::{Entry, Format, Limits, Reader, Sink, read_through};
    use super::*;
    use crate::digest::Sha256Digest;

    const OUT_TGZ: &[u8] = include_bytes!("../../../../tests/fixtures/argo/archives/out.tgz");

    /// Where it was told of entries, and of how many.
    #[derive(Default)]
    struct Told(Vec<thread::ThreadId>);

    impl Sink for Told {
        fn entry(&mut self, _entry: Entry<'_>) {
            self.0.push(thread::current().id());
        }
    }

    #[test]
    fn where_no_thread_is_to_be_had_it_is_all_done_here() {
        let read = |is_here_only: bool| {
            let mut told = Told::default();
            let digesting = Mutex::new(Digesting::new(&mut told));
            let sizes = Sizes { object: 100, content: 200, told: 3 };
            thread::scope(|scope| {
                let place = if is_here_only { Place::HereOnly } else { Place::Here };
                let aside = RefCell::new(Aside { scope, digesting: &digesting, place });
                let reader = Reader::Argo(Format::TarGz);
                read_through(reader, OUT_TGZ, Limits::PACKED, sizes, &aside).unwrap().end.unwrap();
                aside.into_inner().finish();
            });
            let object = digesting.into_inner().unwrap().finish();
            assert_eq!((object.digest, object.size), (Sha256Digest::of(OUT_TGZ), OUT_TGZ.len() as u64));
            told.0
        };
        let (here, there) = (read(true), read(false));
        assert_eq!(here.len(), there.len());
        let this = thread::current().id();
        assert!(here.iter().all(|thread| *thread == this) && there.iter().all(|thread| *thread != this));
    }
}
