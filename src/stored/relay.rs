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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn read(parts: Vec<Part>) -> io::Result<Vec<u8>> {
        let (to, from) = mpsc::channel(parts.len().max(1));
        for part in parts {
            let Ok(()) = to.try_send(part) else { panic!("the channel is large enough") };
        }
        drop(to);
        let mut all = Vec::new();
        Relayed { from, rest: Bytes::new(), ended: false }.read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn ends_only_where_the_object_ends() {
        let chunk = |bytes| Part::Chunk(Bytes::from_static(bytes));
        assert_eq!(read(vec![chunk(b"ab"), chunk(b"c"), Part::End]).unwrap(), b"abc");
        assert_eq!(read(vec![Part::End]).unwrap(), b"");
        for parts in [vec![], vec![chunk(b"ab")]] {
            assert_eq!(read(parts).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
