//! What a store answers: errors of any length, in any number of pieces.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use argo_attest_core::keys::{KeyType, PrivateKey};

use crate::cost::Cost;
use crate::program::Desk;

/// Bytes of an answer.
const LENGTH: usize = 100 << 20;

/// Answers each request with this head, and then with `A` until nobody listens or the
/// length that the head announces is reached.
fn store(head: &'static str, length: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap(), head, length));
        }
    });
    address
}

fn answer(mut stream: TcpStream, head: &str, length: usize) {
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => asked.push(byte[0]),
            _ => return,
        }
    }
    let chunk = vec![b'A'; 64 * 1024];
    let chunked = head.contains("chunked");
    let mut written = stream.write_all(format!("{head}\r\n").as_bytes());
    let mut left = length;
    while left > 0 && written.is_ok() {
        let piece = &chunk[..left.min(chunk.len())];
        written = if chunked {
            let piece = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            stream.write_all(&piece)
        } else {
            stream.write_all(piece)
        };
        left -= piece.len();
    }
}

/// The program with this store as its own.
pub(crate) fn with_store(command: &mut Command, store: SocketAddr) -> &mut Command {
    command
        .env("AWS_ENDPOINT_URL_S3", format!("http://{store}"))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "s")
}

#[test]
fn an_error_of_a_hundred_megabytes_is_not_kept() {
    let desk = Desk::new();
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    fs::write(desk.path("k.pub"), key.public().to_spki_pem()).unwrap();
    for (head, code) in [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 104857600\r\ncontent-type: application/xml\r\n", 77),
        ("HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n", 77),
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 104857600\r\n", 74),
        ("HTTP/1.1 301 Moved\r\ncontent-length: 104857600\r\n", 74),
        // An object of that length is told by its announcement.
        ("HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 104857600\r\n", 74),
    ] {
        let store = store(head, LENGTH);
        let mut verify = desk.program(["verify", "--key", "k.pub", "s3://bucket/k"]);
        let ended = Cost::of(with_store(&mut verify, store)).bounded();
        assert_eq!(ended.code, Some(code), "{head}: {:.600}{:.600}", ended.out, ended.err);
    }
}
