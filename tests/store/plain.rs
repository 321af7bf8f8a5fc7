//! Requests that do without the SDK: whatever the answer is, it counts for the same.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::time::Duration;

use argo_attest::store::s3::{Addressing, Credentials, Limits, Proxies, Requests, S3Config};
use argo_attest::store::{ObjectKey, PutMode, S3Store, Store as _, StoreError};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::trouble::Trouble as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::faulty::{impatient, key, limits, replies};
use crate::scripted::{Act, Plain, Request, Scripted, error, error_with, head, object, reply};
use crate::servers::{SECRET_KEY, config};

fn settings(server: &Scripted, requests: Requests) -> S3Config {
    let config = config(&server.endpoint(), SECRET_KEY);
    S3Config { prefix: None, limits: limits(), requests, ..config }
}

/// Whether the SDK made it.
fn is_of_sdk(request: &Request) -> bool {
    request.headers.contains_key("amz-sdk-invocation-id")
}

/// What is told of something, without numbers, which count attempts and name ports.
fn told<T: AsRef<[u8]>>(result: Result<T, StoreError>) -> String {
    let error = match result {
        Ok(bytes) => return String::from_utf8_lossy(bytes.as_ref()).into_owned(),
        Err(error) => error,
    };
    let mut told = format!("{:?} | {error} | {error:?} | {:?}", error.kind(), error.remedy());
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        told.extend([" | ".to_owned(), cause.to_string()]);
        source = cause.source();
    }
    told.retain(|shown| !shown.is_ascii_digit());
    told
}

async fn streamed(store: &S3Store) -> Result<Vec<u8>, StoreError> {
    let mut stream = store.stream(&key()).await?;
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

/// A GET, a stream and a HEAD, each with the same answers; what is told of it, and how many
/// requests and repetitions it took.
async fn all_three(requests: Requests, limits: Limits, acts: &[Act]) -> Vec<(String, usize, u64)> {
    let mut found = Vec::new();
    for ask in 0..3 {
        // The SDK's own first request is what a plain one is made after.
        let first = Act::Reply(object(b"first"));
        let mut left = [first].into_iter().chain(acts.iter().cloned()).collect::<VecDeque<_>>();
        let server = Scripted::choosing(Plain, move |asked| {
            left.pop_front().map(|act| if asked.method == "HEAD" { bodiless(act) } else { act })
        });
        let store = S3Store::new(S3Config { limits, ..settings(&server, requests) }).unwrap();
        store.get(&key(), 100).await.unwrap();
        let told = match ask {
            0 => told(store.get(&key(), 100).await.map(|object| object.bytes)),
            1 => told(streamed(&store).await),
            _ => told(store.head(&key()).await.map(|info| format!("{info:?}"))),
        };
        let seen = server.requests();
        assert!(is_of_sdk(&seen[0]) && is_of_sdk(&seen[1]) == (requests == Requests::BySdk), "{told}");
        found.push((told, seen.len(), store.retries()));
    }
    found
}

/// As HEAD is answered.
fn bodiless(act: Act) -> Act {
    let cut = |bytes: Vec<u8>| {
        let end = bytes.windows(4).position(|at| at == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        bytes[..end].to_vec()
    };
    match act {
        Act::Reply(bytes) => Act::Reply(cut(bytes)),
        Act::ReplyAndClose(bytes) => Act::ReplyAndClose(cut(bytes)),
        Act::Drip(..) => Act::Hang,
        act => act,
    }
}

async fn same_by_both(limits: Limits, acts: &[Act]) {
    let plain = all_three(Requests::Plain, limits, acts).await;
    assert_eq!(plain, all_three(Requests::BySdk, limits, acts).await);
}

#[tokio::test]
async fn a_no_is_the_same_no() {
    let moved = [("Location", "http://127.0.0.1:1/"), ("x-amz-bucket-region", "eu-west-1")];
    for no in [
        error(403, "AccessDenied"),
        error(403, "SignatureDoesNotMatch"),
        error(400, "ExpiredToken"),
        error(404, "NoSuchKey"),
        error(404, "NoSuchBucket"),
        error(405, "MethodNotAllowed"),
        error(409, "Odd\u{1b}[31m"),
        error(412, "PreconditionFailed"),
        error(416, "InvalidRange"),
        reply(403, &[], b""),
        reply(404, &[], b""),
        reply(501, &[("Content-Type", "text/html")], b"<html>not here</html>"),
        error_with(301, "PermanentRedirect", &moved),
        error_with(307, "TemporaryRedirect", &moved),
        error_with(302, "Found", &moved[..1]),
        reply(304, &[("ETag", "\"e1\"")], b""),
        reply(204, &[("ETag", "\"e1\"")], b""),
    ] {
        let limits = Limits { total: Duration::from_secs(1), ..limits() };
        same_by_both(limits, &replies((0..4).map(|_| no.clone()))).await;
    }
}

/// A write with these answers: what is told of it, what was asked, and how often in vain.
async fn written(requests: Requests, replace: bool, acts: &[Act]) -> (String, Vec<String>, u64) {
    let server = Scripted::start([Act::Reply(object(b"first"))].into_iter().chain(acts.iter().cloned()));
    let limits = Limits { total: Duration::from_secs(1), ..limits() };
    let store = S3Store::new(S3Config { limits, ..settings(&server, requests) }).unwrap();
    let first = store.get(&key(), 100).await.unwrap();
    let mode = if replace { PutMode::Replace(first.info.revision) } else { PutMode::Create };
    let put = store.put(&key(), Bytes::from_static(b"ours"), mode).await;
    let told = told(put.map(|outcome| format!("{outcome:?}")));
    let seen = server.requests().split_off(1);
    assert_eq!(is_of_sdk(&seen[0]), requests == Requests::BySdk, "{told}");
    let of = |asked: &Request| {
        // The port of this server, the time, and who says that the SDK asks.
        let others = ["host", "authorization", "x-amz-date", "user-agent", "x-amz-user-agent"];
        let same = |name: &str| !name.starts_with("amz-sdk-") && !others.contains(&name);
        let headers: BTreeMap<_, _> = asked.headers.iter().filter(|(name, _)| same(name)).collect();
        format!("{} {} {headers:?} {:?}", asked.method, asked.path, asked.body)
    };
    (told, seen.iter().map(of).collect(), store.retries())
}

#[tokio::test]
async fn a_write_is_the_same_write() {
    let etag = ("ETag", "\"e2\"");
    let sha256 = |bytes| STANDARD.encode(Sha256Digest::of(bytes).as_bytes());
    let (ours, other) = (sha256(b"ours"), sha256(b"other"));
    let confirmed = [etag, ("x-amz-checksum-sha256", ours.as_str()), ("x-amz-version-id", "v2")];
    let swapped = [etag, ("x-amz-checksum-sha256", other.as_str())];
    let again = || reply(200, &[etag], b"");
    for replace in [false, true] {
        for answers in [
            vec![reply(200, &[etag], b"")],
            vec![reply(200, &confirmed, b"")],
            vec![reply(200, &swapped, b"")],
            vec![reply(200, &[etag, etag], b"")],
            vec![reply(200, &[etag], b"<Error><Code>InternalError</Code></Error>"), again()],
            vec![reply(200, &[], b""), again()],
            vec![reply(204, &[etag], b""), again()],
            vec![error(412, "PreconditionFailed"), object(b"ours")],
            vec![error(412, "PreconditionFailed"), object(b"theirs")],
            vec![error(412, "PreconditionFailed"), error(404, "NoSuchKey"), again()],
            vec![error(409, "ConditionalRequestConflict"), object(b"theirs"), again()],
            vec![error(404, "NoSuchKey")],
            vec![error(404, "NoSuchBucket")],
            vec![error(501, "NotImplemented"), again(), again(), again()],
            vec![error(503, "SlowDown"), again()],
            vec![error(400, "BadDigest")],
            vec![error_with(307, "TemporaryRedirect", &[("Location", "http://127.0.0.1:1/")])],
        ] {
            let acts: Vec<_> = replies(answers);
            let plain = written(Requests::Plain, replace, &acts).await;
            assert_eq!(plain, written(Requests::BySdk, replace, &acts).await);
        }
    }
}

#[tokio::test]
async fn trouble_is_the_same_trouble() {
    let etag = ("ETag", "\"e1\"");
    let torn = Act::ReplyAndClose([head(200, &[etag], 10), b"half".to_vec()].concat());
    let busy = || replies([error(503, "SlowDown"), error(500, "InternalError"), object(b"third")]);
    same_by_both(limits(), &busy()).await;
    same_by_both(limits(), &vec![torn; 20]).await;
    same_by_both(limits(), &[Act::Close, Act::Reply(object(b"second"))]).await;
    same_by_both(limits(), &replies([b"SSH-2.0-OpenSSH\r\n".to_vec(), object(b"second")])).await;
    let once = Limits { total: Duration::ZERO, ..impatient() };
    for act in [
        Act::Hang,
        Act::Close,
        Act::Reply(error(500, "InternalError")),
        Act::Reply(error_with(503, "SlowDown", &[("Retry-After", "3600")])),
        Act::Drip(head(200, &[etag], 1000), Duration::from_millis(50)),
    ] {
        same_by_both(once, &[act]).await;
    }
}

/// What an object's head says, and whether its bytes are what it says.
#[tokio::test]
async fn an_object_is_the_same_object() {
    let (etag, other) = (("ETag", "\"e1\""), STANDARD.encode(Sha256Digest::of(b"other").as_bytes()));
    let good = STANDARD.encode(Sha256Digest::of(b"ours").as_bytes());
    let (sha256, crc64, crc32) =
        ("x-amz-checksum-sha256", "x-amz-checksum-crc64nvme", "x-amz-checksum-crc32");
    let parts = format!("{good}-2");
    for headers in [
        vec![etag],
        vec![],
        vec![etag, etag],
        vec![("ETag", "gr\u{fc}n")],
        vec![etag, ("x-amz-version-id", "v1"), ("x-amz-checksum-type", "FULL_OBJECT")],
        vec![etag, (sha256, &good)],
        vec![etag, (sha256, &other)],
        vec![etag, (sha256, &other), (sha256, &good)],
        vec![etag, (sha256, &parts), ("x-amz-checksum-type", "COMPOSITE")],
        vec![etag, (sha256, "no base64")],
        vec![etag, (crc32, "AAAAAA==")],
        vec![etag, (crc64, "AAAAAAAAAAA=")],
        vec![etag, (crc64, "AAAAAAAAAAA="), (sha256, &good)],
        vec![etag, ("x-amz-checksum-sha1", "AAAA")],
        vec![etag, ("Content-Encoding", "gzip"), ("Expires", "0")],
    ] {
        let acts = replies((0..4).map(|_| reply(200, &headers, b"ours")));
        same_by_both(Limits { total: Duration::ZERO, ..limits() }, &acts).await;
    }
    let chunked =
        b"HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nours\r\n0\r\n\r\n";
    same_by_both(limits(), &[Act::ReplyAndClose(chunked.to_vec())]).await;
}

#[tokio::test]
async fn the_rest_is_asked_for_in_the_same_way() {
    let etag = ("ETag", "\"e1\"");
    let half = Act::ReplyAndClose([head(200, &[etag], 10), b"0123".to_vec()].concat());
    let rest = reply(206, &[etag, ("Content-Range", "bytes 4-9/10")], b"456789");
    let server = Scripted::start([Act::Reply(object(b"first")), half, Act::Reply(rest)]);
    let store = S3Store::new(settings(&server, Requests::Plain)).unwrap();
    store.get(&key(), 10).await.unwrap();
    assert_eq!(streamed(&store).await.unwrap(), b"0123456789");
    let rest = &server.requests()[2];
    assert!(!is_of_sdk(rest));
    assert_eq!((rest.header("range"), rest.header("if-match")), ("bytes=4-", "\"e1\""));
    for header in ["range", "if-match", "host", "x-amz-checksum-mode", "x-amz-content-sha256", "x-amz-date"] {
        assert!(rest.header("authorization").contains(header), "{header}");
    }
}

/// The same object, by the same address, of the same server.
#[tokio::test]
async fn keys_are_written_in_the_same_way() {
    let all = (' '..='~').filter(|c| *c != '/').collect::<String>();
    for name in ["a b", "a//b", "a/./b", "../a", "grün/日本", "new\nline", "/a", "a/", "%2F", all.as_str()]
    {
        let key = ObjectKey::new(name).unwrap();
        let asked = async |requests| {
            let server =
                Scripted::start(replies([object(b"first"), object(b"x"), object(b"x"), object(b"")]));
            let store = S3Store::new(settings(&server, requests)).unwrap();
            store.get(&ObjectKey::new("first").unwrap(), 10).await.unwrap();
            store.get(&key, 10).await.unwrap();
            store.get(&ObjectKey::new("after").unwrap(), 10).await.unwrap();
            store.head(&key).await.unwrap();
            let seen = server.requests();
            assert_eq!(is_of_sdk(&seen[2]), requests == Requests::BySdk, "{name}");
            seen.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect::<Vec<_>>()
        };
        assert_eq!(asked(Requests::Plain).await, asked(Requests::BySdk).await, "{name}");
    }
}

#[tokio::test]
async fn nobody_else_is_told_who_we_are() {
    let server = Scripted::start(replies([object(b"x"), object(b"x")]));
    let store =
        S3Store::new(S3Config { credentials: Credentials::Anonymous, ..settings(&server, Requests::Plain) })
            .unwrap();
    for _ in 0..2 {
        store.get(&key(), 10).await.unwrap();
    }
    assert!(server.requests().iter().all(|asked| asked.header("authorization").is_empty()));
}

/// The SDK alone corrects a clock: where it did, it is the one who asks.
#[tokio::test]
async fn a_clock_that_is_off_is_the_sdks_to_correct() {
    let skewed = || error_with(403, "RequestTimeTooSkewed", &[("Date", "Mon, 01 Jan 2035 00:00:00 GMT")]);
    let x = || object(b"x");
    for (answers, first_of_2035) in
        [(vec![skewed(), x(), x(), x(), x()], 1), (vec![x(), x(), skewed(), x(), x()], 3)]
    {
        let server = Scripted::start(replies(answers));
        let store = S3Store::new(settings(&server, Requests::Plain)).unwrap();
        for _ in 0..4 {
            store.get(&key(), 10).await.unwrap();
        }
        let signed: Vec<_> =
            server.requests().iter().map(|asked| asked.header("x-amz-date").starts_with("2035")).collect();
        let expected: Vec<_> = (0..5).map(|number| number >= first_of_2035).collect();
        assert_eq!((signed, store.retries()), (expected, 1));
    }
}

#[tokio::test]
async fn a_bucket_that_moved_is_followed() {
    let moved = || error_with(400, "AuthorizationHeaderMalformed", &[("x-amz-bucket-region", "eu-west-1")]);
    let server = Scripted::start(replies([object(b"x"), moved(), object(b"x"), object(b"x")]));
    let store = S3Store::new(settings(&server, Requests::Plain)).unwrap();
    for _ in 0..3 {
        store.get(&key(), 10).await.unwrap();
    }
    let region = |asked: &Request| asked.header("authorization").split('/').nth(2).unwrap().to_owned();
    let regions: Vec<_> = server.requests().iter().map(region).collect();
    assert_eq!(regions, ["us-east-1", "us-east-1", "eu-west-1", "eu-west-1"]);
}

#[tokio::test]
async fn it_goes_to_the_same_host_through_the_same_proxy() {
    for (addressing, address) in [
        (Addressing::Path, "http://store.invalid/bucket/a/b"),
        (Addressing::VirtualHost, "http://bucket.store.invalid/a/b"),
    ] {
        let server = Scripted::start(replies([object(b"x"), object(b"x")]));
        let proxy = format!("http://user:pass@{}", server.address);
        let env = move |name: &str| (name == "http_proxy").then(|| OsString::from(&proxy));
        let config = S3Config {
            endpoint: Some("http://store.invalid".parse().unwrap()),
            addressing,
            proxies: Proxies::from_env(&env).unwrap(),
            ..settings(&server, Requests::Plain)
        };
        let store = S3Store::new(config).unwrap();
        for _ in 0..2 {
            store.get(&key(), 10).await.unwrap();
        }
        let seen = server.requests();
        assert!(is_of_sdk(&seen[0]) && !is_of_sdk(&seen[1]));
        let of = |asked: &Request| {
            let header = |name| asked.header(name).to_owned();
            (asked.path.clone(), header("host"), header("proxy-authorization"), header("user-agent"))
        };
        assert_eq!(of(&seen[0]), of(&seen[1]));
        assert!(seen[1].path.starts_with(address), "{}", seen[1].path);
    }
}
