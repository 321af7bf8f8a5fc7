//! A server that does as it is told, however wrong, and remembers what it was
//! asked. It runs on threads of its own, so that nothing a client's runtime
//! does or fails to do can hold it up.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What to do with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answer.
    Reply(Vec<u8>),
    /// Answer and hang up.
    ReplyAndClose(Vec<u8>),
    /// Answer, then send one byte of body at each interval until the client leaves.
    Drip(Vec<u8>, Duration),
    /// Answer, then send body without end.
    Flood(Vec<u8>),
    /// Hang up without a word.
    Close,
    /// Never answer.
    Hang,
}

pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

/// What a connection is made of: plain TCP, or TLS over it.
pub(crate) trait Wrap: Send + Sync + 'static {
    type Stream: Read + Write + Send + 'static;
    fn wrap(&self, socket: std::net::TcpStream) -> io::Result<Self::Stream>;
}

pub(crate) struct Plain;

impl Wrap for Plain {
    type Stream = std::net::TcpStream;
    fn wrap(&self, socket: std::net::TcpStream) -> io::Result<Self::Stream> {
        Ok(socket)
    }
}

impl Scripted {
    /// Plays the acts one request after another. Requests beyond the last act
    /// get a 400 that names them.
    pub(crate) fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::start_over(Plain, acts)
    }

    pub(crate) fn start_over<W: Wrap>(wrap: W, acts: impl IntoIterator<Item = Act>) -> Self {
        let mut acts = acts.into_iter().collect::<VecDeque<_>>();
        Self::choosing(wrap, move |_| acts.pop_front())
    }

    /// Does with each request what is chosen for it.
    pub(crate) fn choosing<W: Wrap>(
        wrap: W,
        choose: impl FnMut(&Request) -> Option<Act> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let choose: Arc<Mutex<Choice>> = Arc::new(Mutex::new(choose));
        let (seen, wrap) = (Arc::clone(&requests), Arc::new(wrap));
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        // The threads end with the test process.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (choose, seen, wrap) = (Arc::clone(&choose), Arc::clone(&seen), Arc::clone(&wrap));
                thread::spawn(move || {
                    // A client that hangs up is part of the play.
                    let _ = wrap.wrap(socket).and_then(|stream| converse(stream, &choose, &seen));
                });
            }
        });
        Self { address, requests, connections }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made so far.
    #[allow(dead_code, reason = "not every test counts them")]
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// All requests so far, as `METHOD /path`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|r| format!("{} {}", r.method, r.path)).collect()
    }
}

/// What to do with a request; nothing, if it is not in the script.
type Choice = dyn FnMut(&Request) -> Option<Act> + Send;

fn converse<S: Read + Write>(
    stream: S,
    choose: &Mutex<Choice>,
    seen: &Mutex<Vec<Request>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream)? {
        let act = {
            // Both under one lock, so that the order seen is the order played.
            let mut seen = seen.lock().unwrap();
            let act = choose.lock().unwrap()(&request);
            seen.push(request);
            act
        };
        let out = stream.get_mut();
        match act {
            None => out.write_all(&error(400, "NotInTheScript"))?,
            Some(Act::Reply(bytes)) => out.write_all(&bytes)?,
            Some(Act::ReplyAndClose(bytes)) => return out.write_all(&bytes).and_then(|()| out.flush()),
            Some(Act::Close) => return Ok(()),
            Some(Act::Hang) => loop {
                thread::park();
            },
            Some(Act::Flood(head)) => {
                out.write_all(&head)?;
                loop {
                    out.write_all(&[b'x'; 4096])?;
                }
            }
            Some(Act::Drip(head, interval)) => {
                out.write_all(&head)?;
                loop {
                    out.write_all(b"x")?;
                    out.flush()?;
                    thread::sleep(interval);
                }
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn read_request<S: Read>(stream: &mut BufReader<S>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}

/// A reply with exactly these headers, and a right `Content-Length`.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    head(status, headers, body.len()).into_iter().chain(body.iter().copied()).collect()
}

/// A reply's head that announces a length, whatever comes then.
pub(crate) fn head(status: u16, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {length}\r\n").into_bytes();
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// S3's form of an error.
pub(crate) fn error(status: u16, code: &str) -> Vec<u8> {
    error_with(status, code, &[])
}

pub(crate) fn error_with(status: u16, code: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>as scripted</Message></Error>"
    );
    let mut all = vec![("Content-Type", "application/xml"), ("x-amz-request-id", "REQ-1")];
    all.extend_from_slice(headers);
    reply(status, &all, body.as_bytes())
}

/// An object.
pub(crate) fn object(bytes: &[u8]) -> Vec<u8> {
    reply(200, &[("ETag", "\"e1\"")], bytes)
}

/// A write that went well.
pub(crate) fn stored() -> Vec<u8> {
    reply(200, &[("ETag", "\"e1\""), ("x-amz-version-id", "v1")], b"")
}
