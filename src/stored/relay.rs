//! From the task that fetches an object to the thread that digests it.
//!
//! Not `ObjectStream::into_blocking`: a thread in there goes on reading a large
//! object after nobody wants the answer any more, and keeps the process from
//! ending. Here it ends with the task that feeds it.

use std::io;

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

use super::StoredError;
use crate::store::{ObjectStream, StoreError};

/// How many chunks may lie between the two.
const CHUNKS: usize = 4;

enum Part {
    Chunk(Bytes),
    /// All of the object came. A channel that closes without this is no end.
    End,
}

/// Runs `work` on a thread that may block, with the object's bytes to read. A
/// failure of the store comes before whatever `work` made of it.
pub(super) async fn read<T: Send + 'static>(
    stream: ObjectStream,
    work: impl FnOnce(Relayed) -> T + Send + 'static,
) -> Result<T, StoredError> {
    let (to, from) = mpsc::channel(CHUNKS);
    let relayed = Relayed { from, rest: Bytes::new(), ended: false };
    let worker = tokio::task::spawn_blocking(move || work(relayed));
    feed(stream, to).await?;
    worker.await.map_err(StoredError::Interrupted)
}

async fn feed(mut stream: ObjectStream, to: mpsc::Sender<Part>) -> Result<(), StoreError> {
    loop {
        let part = tokio::select! {
            // The reader has seen enough; the rest is not fetched.
            () = to.closed() => return Ok(()),
            chunk = stream.next() => chunk?.map_or(Part::End, Part::Chunk),
        };
        let ended = matches!(part, Part::End);
        if to.send(part).await.is_err() || ended {
            return Ok(());
        }
    }
}

/// The object's bytes, on the thread that reads them.
pub(super) struct Relayed {
    from: mpsc::Receiver<Part>,
    rest: Bytes,
    ended: bool,
}

impl io::Read for Relayed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && !self.ended && !buf.is_empty() {
            match self.from.blocking_recv() {
                Some(Part::Chunk(chunk)) => self.rest = chunk,
                Some(Part::End) => self.ended = true,
                None => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "no more bytes come")),
            }
        }
        let n = self.rest.len().min(buf.len());
        if let Some(to) = buf.get_mut(..n) {
            self.rest.copy_to_slice(to);
        }
        Ok(n)
    }
}
