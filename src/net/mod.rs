//! HTTP/1.1 as all of this program speaks it: over TLS by rustls, whom it believes, how long
//! a connection may take to come about, through which proxy, and how much is read.
//!
//! No redirect is followed, and nothing is tried again: that is for those who know what was
//! asked.

mod body;
mod client;
mod connect;
mod own;
mod proxy;
mod trust;

pub use body::{Bounded, TooLong, read};
pub use client::{Client, Keep};
pub use proxy::{InvalidProxy, Proxies};
pub use trust::{Anchors, Trust, TrustError};

/// Whether an error says that no connection came about, as against one that broke.
pub fn is_unconnected(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error.is::<connect::ConnectError>()
            || error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}

/// Another library's error as a source. It holds no credentials.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
