//! What the S3 store does with bytes that come late, broken, wrong or without end.

use std::time::{Duration, Instant};

use crate::faulty::{checked, create, impatient, key, store, store_with};
use crate::scripted::{Act, Scripted, error, head, object, reply};
use argo_attest::store::s3::Limits;
use argo_attest::store::{Corruption, S3Store, Store as _, StoreError, StoreErrorKind};
use argo_attest_core::digest::Sha256Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

async fn drain(store: &S3Store) -> Result<Vec<u8>, StoreError> {
    let mut stream = store.stream(&key()).await?;
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[tokio::test]
async fn a_torn_object_is_not_taken() {
    let torn = || Act::ReplyAndClose([head(200, &[("ETag", "\"e1\"")], 10), b"half".to_vec()].concat());
    let server = Scripted::start([torn(), torn(), torn(), torn()]);
    let store = store(&server);
    let error = store.get(&key(), 100).await.unwrap_err();
    checked(&error, StoreErrorKind::Corrupt);
    match error {
        StoreError::Corrupt { kind: Corruption::Length { announced: 10, received: 4 }, .. } => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again() {
    let half = || Act::ReplyAndClose([head(200, &[("ETag", "\"e1\"")], 8), b"half".to_vec()].concat());
    let server = Scripted::start([half(), Act::Reply(object(b"halfhalf"))]);
    let store = store(&server);
    assert_eq!(store.get(&key(), 100).await.unwrap().bytes, "halfhalf");
    assert_eq!(store.retries(), 1);
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke() {
    let etag = ("ETag", "\"e1\"");
    let first = Act::ReplyAndClose([head(200, &[etag], 10), b"0123".to_vec()].concat());
    let rest = reply(206, &[etag, ("Content-Range", "bytes 4-9/10")], b"456789");
    let server = Scripted::start([first.clone(), Act::Reply(error(503, "SlowDown")), Act::Reply(rest)]);
    let first_store = store(&server);
    assert_eq!(drain(&first_store).await.unwrap(), b"0123456789");
    let requests = server.requests();
    assert_eq!(first_store.retries(), 2);
    assert_eq!((requests[2].header("range"), requests[2].header("if-match")), ("bytes=4-", "\"e1\""));

    // The object is another by now, whether or not the store heeds preconditions.
    let other = ("ETag", "\"e2\"");
    for answer in [
        error(412, "PreconditionFailed"),
        reply(206, &[other, ("Content-Range", "bytes 4-9/10")], b"abcdef"),
        reply(200, &[etag], b"0123456789"),
    ] {
        let server = Scripted::start([first.clone(), Act::Reply(answer)]);
        match drain(&store(&server)).await {
            Err(StoreError::Corrupt { kind: Corruption::Changed, .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    // It breaks every time.
    let nothing = || Act::ReplyAndClose(head(206, &[etag, ("Content-Range", "bytes 4-9/10")], 6));
    let server = Scripted::start([first].into_iter().chain((0..20).map(|_| nothing())));
    match drain(&store(&server)).await {
        Err(StoreError::Corrupt { kind: Corruption::Length { announced: 10, received: 4 }, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_wrong_checksum_is_found() {
    let wrong = STANDARD.encode(Sha256Digest::of(b"other").as_bytes());
    let headers = [
        ("ETag", "\"e1\""),
        ("x-amz-checksum-sha256", wrong.as_str()),
        ("x-amz-checksum-type", "FULL_OBJECT"),
    ];
    let answer = || Act::Reply(reply(200, &headers, b"ours"));
    let server = Scripted::start([answer(), answer(), answer()]);
    match store(&server).get(&key(), 100).await {
        Err(StoreError::Corrupt { kind: Corruption::Checksum, .. }) => {}
        other => panic!("{other:?}"),
    }
    let server = Scripted::start([answer()]);
    match drain(&store(&server)).await {
        Err(StoreError::Corrupt { kind: Corruption::Checksum, .. }) => {}
        other => panic!("{other:?}"),
    }
    // A store that confirms other bytes than were sent.
    let server = Scripted::start([Act::Reply(reply(200, &headers, b""))]);
    match create(&store(&server)).await {
        Err(StoreError::Corrupt { kind: Corruption::Confirmed, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_that_never_ends_does_end() {
    let etag = ("ETag", "\"e1\"");
    // Without a length, it is not even begun.
    let chunked = b"HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let server = Scripted::start([Act::Flood(chunked)]);
    match store(&server).get(&key(), 1000).await {
        Err(StoreError::Corrupt { kind: Corruption::NoLength, .. }) => {}
        other => panic!("{other:?}"),
    }
    // Above the limit, it is not read.
    let server = Scripted::start([Act::Flood(head(200, &[etag], 1 << 40))]);
    match store(&server).get(&key(), 1000).await {
        Err(StoreError::TooLarge { limit: 1000, .. }) => {}
        other => panic!("{other:?}"),
    }
    // Below the slowest rate that counts as moving, it is given up.
    let drip = || Act::Drip(head(200, &[etag], 1000), Duration::from_millis(50));
    let server = Scripted::start((0..100).map(|_| drip()));
    let started = Instant::now();
    let error = store_with(&server, impatient()).get(&key(), 1000).await.unwrap_err();
    checked(&error, StoreErrorKind::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let server = Scripted::start([drip()].into_iter().chain((0..100).map(|_| Act::Hang)));
    let error = drain(&store_with(&server, impatient())).await.unwrap_err();
    checked(&error, StoreErrorKind::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_slow_stream_that_moves_is_let_be() {
    // One byte in 20 ms is 50 a second: above the rate, far below any other deadline's pace.
    let drip = Act::Drip(head(200, &[("ETag", "\"e1\"")], 60), Duration::from_millis(20));
    let server = Scripted::start([drip]);
    let patient = Limits { min_rate: 1, ..impatient() };
    let bytes = drain(&store_with(&server, patient)).await.unwrap();
    assert_eq!(bytes.len(), 60);
    assert_eq!(server.requests().len(), 1);
}
