//! From the task that fetches an object to the thread that digests it.
//!
//! Not `ObjectStream::into_blocking`: a thread in there goes on reading a large
//! object after nobody wants the answer any more, and keeps the process from
//! ending. Here it ends with the task that feeds it, and what it shares its work
//! with ends with it.

use std::io;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::StoredError;
use crate::store::{BlockingRead, ObjectStream, StoreError};

/// How many chunks may lie between the two.
const CHUNKS: usize = 4;

/// A chunk; or `None`, once all of the object came. A channel that closes without
/// that is no end.
type Part = Option<Bytes>;

/// Runs `work` on a thread that may block, with the object's bytes to read. A
/// failure of the store comes before whatever `work` made of it.
pub(super) async fn read<T: Send + 'static>(
    stream: ObjectStream,
    work: impl FnOnce(BlockingRead) -> T + Send + 'static,
) -> Result<T, StoredError> {
    let (to, from) = mpsc::channel(CHUNKS);
    let worker = tokio::task::spawn_blocking(move || work(reader(from)));
    feed(stream, to).await?;
    worker.await.map_err(StoredError::Interrupted)
}

async fn feed(mut stream: ObjectStream, to: mpsc::Sender<Part>) -> Result<(), StoreError> {
    loop {
        let part = tokio::select! {
            // The reader has seen enough; the rest is not fetched.
            () = to.closed() => return Ok(()),
            chunk = stream.next() => chunk?,
        };
        let ended = part.is_none();
        if to.send(part).await.is_err() || ended {
            return Ok(());
        }
    }
}

/// The object's bytes, on the thread that reads them.
fn reader(mut from: mpsc::Receiver<Part>) -> BlockingRead {
    let broken = || io::Error::new(io::ErrorKind::BrokenPipe, "no more bytes come");
    BlockingRead::new(move || from.blocking_recv().ok_or_else(broken))
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
        reader(from).read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn ends_only_where_the_object_ends() {
        let chunk = |bytes| Some(Bytes::from_static(bytes));
        assert_eq!(read(vec![chunk(b"ab"), chunk(b"c"), None]).unwrap(), b"abc");
        assert_eq!(read(vec![None]).unwrap(), b"");
        for parts in [vec![], vec![chunk(b"ab")]] {
            assert_eq!(read(parts).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
