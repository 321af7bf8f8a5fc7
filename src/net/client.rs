//! Requests over connections that are kept for the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::PROXY_AUTHORIZATION;
use hyper::{Request, Response};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::{Handle, Id};

use super::connect::{Connector, Dialer};
use super::{Anchors, Proxies, Source};

/// How long a connection is kept without a request: less than servers and what stands
/// before them do, so that it is rarely one that they just closed.
const IDLE: Duration = Duration::from_secs(50);

/// Whether connections are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For the next request to the same server.
    Alive,
    /// Not beyond the reply.
    Nothing,
}

/// Sends requests. Clones share their connections, as far as they are used in the same runtime:
/// each runtime has its own, since it is who reads and writes them, and to be told by another what
/// has come costs more than what is done with it.
#[derive(Debug)]
pub struct Client<B> {
    connector: Connector,
    keep: Keep,
    of_runtimes: Arc<Mutex<HashMap<Id, legacy::Client<Connector, B>>>>,
}

// Derived, it would want bodies that can be cloned.
impl<B> Clone for Client<B> {
    fn clone(&self) -> Self {
        let Self { connector, keep, of_runtimes } = self;
        Self { connector: connector.clone(), keep: *keep, of_runtimes: Arc::clone(of_runtimes) }
    }
}

impl<B> Client<B>
where
    B: Body<Data = Bytes, Error: Into<Source>> + Unpin + Send + 'static,
{
    /// Believes `anchors` and nobody else. `connect` is how long a connection may take to
    /// come about, proxy and TLS included, if that is not the caller's to bound.
    pub fn new(
        anchors: Anchors,
        proxies: Proxies,
        connect: Option<Duration>,
        keep: Keep,
    ) -> Result<Self, rustls::Error> {
        let dialer = Dialer::new(anchors.client()?);
        let connector = Connector { dialer, proxies: Arc::new(proxies), deadline: connect };
        Ok(Self { connector, keep, of_runtimes: Arc::default() })
    }

    /// With the connections of the runtime that this is called in.
    fn http(&self) -> legacy::Client<Connector, B> {
        let mut of_runtimes = self.of_runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let mut builder = legacy::Client::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
            if self.keep == Keep::Nothing {
                builder.pool_max_idle_per_host(0);
            }
            builder.build(self.connector.clone())
        };
        of_runtimes.entry(Handle::current().id()).or_insert_with(new).clone()
    }

    /// Sends one request, whose address is whole, and waits for the head of the reply. How
    /// long that may take is the caller's to bound; dropped, it hangs up.
    pub async fn send(&self, mut request: Request<B>) -> Result<Response<Incoming>, legacy::Error> {
        // Over https the proxy was told when the tunnel was asked for, and the server is not.
        if request.uri().scheme_str() == Some("http")
            && let Some(authorization) =
                self.connector.proxies.of(request.uri()).and_then(|p| p.authorization.clone())
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        self.http().request(request).await
    }
}
