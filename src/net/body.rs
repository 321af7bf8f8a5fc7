//! Replies of servers, which choose how long those are: never more of them than is wanted.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::Source;

/// A body that ends at its limit, with [`TooLong`].
#[derive(Debug)]
pub struct Bounded<B> {
    body: B,
    left: usize,
}

/// There is more than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer is longer than is read")]
pub struct TooLong;

impl<B> Bounded<B> {
    /// The body, as far as `limit` bytes.
    pub fn new(body: B, limit: usize) -> Self {
        Self { body, left: limit }
    }
}

impl<B: Body<Data = Bytes, Error: Into<Source>> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = Source;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Source>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Some(Err(TooLong.into()))),
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

/// All of a body of at most `limit` bytes. What announces more is not read at all. The
/// error is [`TooLong`], or why no more came.
pub async fn read<B>(body: B, limit: usize) -> Result<Vec<u8>, Source>
where
    B: Body<Data = Bytes, Error: Into<Source>> + Unpin,
{
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(TooLong.into());
    }
    let mut body = Bounded::new(body, limit);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Some(data) = frame?.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_as_far_as_its_limit() {
        assert_eq!(read("0123456789".to_owned(), 10).await.unwrap(), b"0123456789");
        read("0123456789a".to_owned(), 10).await.unwrap_err().downcast::<TooLong>().unwrap();
        // Also where nobody says beforehand how much it is.
        let mut body = Bounded::new("0123456789a".to_owned(), 10);
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.unwrap();
        frame.unwrap_err().downcast::<TooLong>().unwrap();
    }
}
