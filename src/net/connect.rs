//! A connection to whom a request is for: directly or through a proxy, with TLS where the
//! address says so, and within a deadline.
//!
//! Over https a proxy is asked for a tunnel (`CONNECT`, RFC 9110 section 9.3.6), and what is
//! in it is TLS with the server itself: the proxy sees a host's name and no more.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::Source;
use super::proxy::{Proxies, Proxy};

/// Makes connections.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) dialer: Dialer,
    pub(super) proxies: Arc<Proxies>,
    pub(super) deadline: Option<Duration>,
}

/// Connects with whom an address names, with TLS where it says https.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
}

/// No connection came about.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The server, or the proxy in its place, was not reached, or its TLS not agreed.
    #[error("no connection with {to}")]
    Failed {
        /// Host and port, and no more.
        to: String,
        /// Why not.
        source: Source,
    },
    /// The proxy made none.
    #[error("the proxy {proxy} makes no connection with {to}")]
    Proxy {
        /// The proxy, without what it was told of who we are.
        proxy: String,
        /// Host and port.
        to: String,
        /// Why not.
        source: Source,
    },
    /// It took too long.
    #[error("no connection with {to} within {within:?}")]
    Late {
        /// Host and port.
        to: String,
        /// The deadline.
        within: Duration,
    },
}

impl Dialer {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { tcp, tls }
    }

    async fn dial(mut self, to: Uri) -> Result<Stream, Source> {
        let tcp = self.tcp.call(to.clone()).await?;
        let stream = Stream { io: TokioIo::new(Box::new(TokioIo::new(tcp))), proxied: false };
        if to.scheme_str() == Some("https") { self.secure(stream, &to).await } else { Ok(stream) }
    }

    /// Speaks TLS with whom `to` names, over a stream that may lead anywhere.
    async fn secure(self, stream: Stream, to: &Uri) -> Result<Stream, Source> {
        let host = to.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_owned())?;
        let tls = TlsConnector::from(self.tls).connect(name, stream.io.into_inner()).await?;
        Ok(Stream { io: TokioIo::new(Box::new(tls)), proxied: false })
    }
}

impl Connector {
    async fn connect(self, to: Uri) -> Result<Stream, ConnectError> {
        let shown = place(&to);
        let deadline = self.deadline;
        let made = self.make(to);
        match deadline {
            None => made.await,
            Some(within) => tokio::time::timeout(within, made)
                .await
                .unwrap_or(Err(ConnectError::Late { to: shown, within })),
        }
    }

    async fn make(self, to: Uri) -> Result<Stream, ConnectError> {
        let failed = |source| ConnectError::Failed { to: place(&to), source };
        let Some(Proxy { uri, authorization }) = self.proxies.of(&to).cloned() else {
            return self.dialer.dial(to.clone()).await.map_err(failed);
        };
        let by_proxy = |source| ConnectError::Proxy { proxy: uri.to_string(), to: place(&to), source };
        if to.scheme_str() != Some("https") {
            let stream = self.dialer.dial(uri.clone()).await.map_err(by_proxy)?;
            return Ok(Stream { proxied: true, ..stream });
        }
        let mut tunnel = Tunnel::new(uri.clone(), self.dialer.clone());
        if let Some(authorization) = authorization {
            tunnel = tunnel.with_auth(authorization);
        }
        let stream = tunnel.call(to.clone()).await.map_err(|error| by_proxy(error.into()))?;
        self.dialer.secure(stream, &to).await.map_err(failed)
    }
}

fn place(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let own = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    format!("{host}:{}", uri.port_u16().unwrap_or(own))
}

type Making<E> = Pin<Box<dyn Future<Output = Result<Stream, E>> + Send>>;

impl Service<Uri> for Dialer {
    type Response = Stream;
    type Error = Source;
    type Future = Making<Source>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Source>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().dial(to))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Making<ConnectError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// What bytes go over: TCP, or TLS over whatever carries it.
pub(super) struct Stream {
    io: TokioIo<Box<dyn Duplex>>,
    /// Whether a proxy reads what is sent, and so wants to be told for whom it is.
    proxied: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}
