//! The page that metrics are scraped from, over HTTP/1.1 (RFC 9112).
//!
//! Anybody in the cluster can reach it, main first of all: requests are answered
//! from what is in memory, nothing of them is kept, and their number, length and
//! time are bounded. Nobody waits for those who say nothing: when there are too many
//! connections, the oldest of whoever has most is ended. There is no TLS and no log in:
//! it tells numbers only.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::Metrics;
use super::metrics::OPEN_METRICS;

/// Connections at one time.
const CONNECTIONS: usize = 64;
/// Bytes of a request's head.
const HEAD: usize = 8 * 1024;
/// How long a request's head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a connection may last, in all.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers `GET /metrics` and `GET /healthz` until it is dropped, and with it all
/// connections. Everything else is 404 or 405.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) -> Infallible {
    let mut connections = JoinSet::new();
    let mut open = Open::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                open.make_room();
                let metrics = Arc::clone(&metrics);
                let ending = connections.spawn(async move { connection(stream, &metrics).await });
                open.0.push_back((peer.ip(), ending));
            }
            Err(error) => {
                tracing::debug!(%error, "cannot take a connection to the metrics port");
                // Those that say nothing are what descriptors can be had from.
                open.make_room();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Connections that may still be open, the oldest first, and whose they are.
#[derive(Default)]
struct Open(VecDeque<(IpAddr, AbortHandle)>);

impl Open {
    /// Ends one if there are as many as there may be: the oldest of the peer that has
    /// most. One that asks is answered at once, so it is one that does not ask.
    fn make_room(&mut self) {
        self.0.retain(|(_, connection)| !connection.is_finished());
        if self.0.len() < CONNECTIONS {
            return;
        }
        let of = |peer: &IpAddr| self.0.iter().filter(|(other, _)| other == peer).count();
        // Of equals, `max_by_key` gives the last.
        let oldest = self.0.iter().enumerate().rev().max_by_key(|(_, (peer, _))| of(peer)).map(|(at, _)| at);
        if let Some((_, connection)) = oldest.and_then(|at| self.0.remove(at)) {
            connection.abort();
        }
    }
}

async fn connection(stream: TcpStream, metrics: &Metrics) {
    let service =
        service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(answer(&request, metrics)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD)
        // One request each: nobody can hold a connection that others wait for.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_TIME, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for metrics failed"),
        Err(_) => tracing::debug!("a request for metrics took too long"),
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<String> {
    let path = request.uri().path();
    let known = matches!(path, "/metrics" | "/healthz");
    let (status, kind, body) = match (known, request.method() == Method::GET, path) {
        (false, ..) => (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
        (true, false, _) => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned()),
        (true, true, "/healthz") => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        (true, true, _) => match metrics.text() {
            Ok(text) => (StatusCode::OK, OPEN_METRICS, text),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, TEXT, "no metrics\n".to_owned()),
        },
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        // RFC 9110 section 15.5.6: the answer must say what is allowed.
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

/// `Content-Type` of everything but metrics.
const TEXT: &str = "text/plain; charset=utf-8";

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    async fn start() -> (SocketAddr, Arc<Metrics>, JoinHandle<Infallible>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, metrics) = (listener.local_addr().unwrap(), Arc::new(Metrics::default()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&metrics)));
        (address, metrics, serving)
    }

    /// What comes back until the server closes the connection.
    async fn ask(address: SocketAddr, request: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // The server may close it before it has read everything.
            let _ = stream.write_all(request).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8(answer).unwrap()
        };
        timeout(Duration::from_secs(30), exchange).await.unwrap()
    }

    fn request(method: &str, path: &str) -> Vec<u8> {
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()
    }

    #[tokio::test]
    async fn tells_the_metrics_and_nothing_else() {
        let (address, metrics, _serving) = start().await;
        metrics.set_attested(7);
        let answer = ask(address, &request("GET", "/metrics?x=1")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains(OPEN_METRICS) && answer.contains("\nargo_attest_attested_total 7\n"),
            "{answer}"
        );
        for (method, path, status) in [
            ("GET", "/healthz", "200 OK"),
            ("GET", "/", "404 Not Found"),
            ("GET", "/metrics/", "404 Not Found"),
            ("POST", "/", "404 Not Found"),
            ("POST", "/metrics", "405 Method Not Allowed"),
            ("HEAD", "/healthz", "405 Method Not Allowed"),
        ] {
            let answer = ask(address, &request(method, path)).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{method} {path}: {answer}");
            assert_eq!(answer.contains("allow: GET"), status.starts_with("405"), "{answer}");
        }
    }

    #[tokio::test]
    async fn refuses_what_is_too_long_or_no_request() {
        let (address, _, _serving) = start().await;
        let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(2 * HEAD));
        for bytes in [long.as_bytes(), b"\x16\x03\x01\x02\x00\x01\n\r\n", b"GET\r\n\r\n"] {
            let answer = ask(address, bytes).await;
            assert!(!answer.contains(" 200 "), "{answer}");
        }
        assert!(ask(address, &request("GET", "/healthz")).await.contains(" 200 "));
    }

    #[tokio::test]
    async fn those_who_say_nothing_do_not_keep_others_out() {
        let (address, _, _serving) = start().await;
        let begun = Instant::now();
        let mut silent = Vec::new();
        for half in 0..5 * CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if half % 2 == 0 {
                // The server may have ended it.
                let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost:").await;
            }
            silent.push(stream);
            if half % CONNECTIONS == 0 {
                assert!(ask(address, &request("GET", "/healthz")).await.contains(" 200 "), "{half}");
            }
        }
        assert!(ask(address, &request("GET", "/metrics")).await.contains(" 200 "));
        assert!(begun.elapsed() < HEAD_TIME, "nobody was waited for: {:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn whoever_has_most_connections_loses_one() {
        let pending = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        let peer = |last| IpAddr::from([10, 0, 0, last]);
        let mut open = Open::default();
        open.0.push_back((peer(1), pending()));
        for _ in 1..CONNECTIONS {
            open.make_room();
            open.0.push_back((peer(2), pending()));
        }
        assert_eq!(open.0.len(), CONNECTIONS);
        open.make_room();
        assert_eq!(open.0.len(), CONNECTIONS - 1);
        assert_eq!(open.0.front().unwrap().0, peer(1), "the older one of somebody else stays");
    }

    #[tokio::test]
    async fn ends_when_it_is_dropped() {
        let (address, _, serving) = start().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
        serving.abort();
        serving.await.unwrap_err();
        let ended = timeout(Duration::from_secs(30), stream.read(&mut [0; 16])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        TcpStream::connect(address).await.unwrap_err();
    }
}
