//! What the S3 store does when the other side does wrong.

use std::time::{Duration, Instant};

use crate::faulty::{checked, create, impatient, key, put, replies, store, store_with};
use crate::nobody::Nobody;
use crate::scripted::{Act, Scripted, error, error_with, object, reply, stored};
use argo_attest::store::s3::{Credentials, S3Config};
use argo_attest::store::{BucketName, PutMode, PutOutcome, S3Store, Store as _, StoreErrorKind};
use argo_attest_core::digest::Sha256Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[tokio::test]
async fn a_write_is_conditional_and_carries_its_digest() {
    let server = Scripted::start(replies([stored(), stored()]));
    let store = store(&server);
    let outcome = create(&store).await.unwrap();
    assert!(matches!(outcome, PutOutcome::Written(_)), "{outcome:?}");
    assert_eq!(outcome.info().version_id.as_deref(), Some("v1"));
    put(&store, PutMode::Replace(outcome.info().revision.clone())).await.unwrap();
    let requests = server.requests();
    for request in &requests {
        assert_eq!((request.method.as_str(), request.body.as_slice()), ("PUT", &b"ours"[..]));
        assert!(request.path.starts_with("/bucket/a/b.sigstore.json"), "{}", request.path);
        let digest = STANDARD.encode(Sha256Digest::of(b"ours").as_bytes());
        assert_eq!(request.header("x-amz-checksum-sha256"), digest);
        assert!(request.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=id/"));
    }
    assert_eq!((requests[0].header("if-none-match"), requests[0].header("if-match")), ("*", ""));
    assert_eq!((requests[1].header("if-none-match"), requests[1].header("if-match")), ("", "\"e1\""));
}

#[tokio::test]
async fn what_is_busy_is_asked_again() {
    for busy in [
        error(503, "SlowDown"),
        error(500, "InternalError"),
        error(429, "TooManyRequests"),
        error(400, "RequestTimeout"),
        error(409, "ConditionalRequestConflict"),
        reply(502, &[("Content-Type", "text/html")], b"<html>bad gateway</html>"),
        // "200 OK", and the error in the body.
        reply(200, &[], b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"),
    ] {
        let shown = String::from_utf8_lossy(&busy).into_owned();
        let mut acts = replies([busy.clone()]);
        // A 409 is first looked into: nothing is there.
        if shown.contains("409") {
            acts.extend(replies([error(404, "NoSuchKey"), busy, error(404, "NoSuchKey")]));
        } else {
            acts.extend(replies([busy]));
        }
        acts.extend(replies([stored()]));
        let server = Scripted::start(acts);
        let store = store(&server);
        let outcome = create(&store).await.unwrap();
        assert!(matches!(outcome, PutOutcome::Written(_)), "{shown}: {outcome:?}");
        assert_eq!(store.retries(), 2, "{shown}");
    }
}

#[tokio::test]
async fn reads_are_asked_again_too() {
    let busy = error(503, "SlowDown");
    let in_200 = reply(200, &[], b"<Error><Code>SlowDown</Code></Error>");
    let script = [busy.clone(), in_200, object(b"x"), reply(503, &[], b""), object(b""), busy, object(b"y")];
    let server = Scripted::start(replies(script));
    let store = store(&server);
    assert_eq!(store.get(&key(), 10).await.unwrap().bytes, "x");
    assert_eq!(store.head(&key()).await.unwrap().size, 0);
    let mut stream = store.stream(&key()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "y");
    assert_eq!(stream.next().await.unwrap(), None);
    assert_eq!(store.retries(), 4);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let server = Scripted::start(replies([
        error_with(503, "SlowDown", &[("Retry-After", "1")]),
        object(b"x"),
        error_with(503, "SlowDown", &[("Retry-After", "3600")]),
    ]));
    let store = store(&server);
    let started = Instant::now();
    store.get(&key(), 10).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    let error = store.get(&key(), 10).await.unwrap_err();
    let text = checked(&error, StoreErrorKind::Unreachable);
    assert!(text.contains("SlowDown") && text.contains("REQ-1"), "{text}");
}

#[tokio::test]
async fn a_lost_reply_leaves_one_version() {
    // The write is applied, and its reply is lost; the second is refused and finds the first.
    for lost in [Act::Close, Act::ReplyAndClose(b"HTTP/1.1 200".to_vec())] {
        let mut acts = vec![lost];
        acts.extend(replies([error(412, "PreconditionFailed"), object(b"ours")]));
        let server = Scripted::start(acts);
        let outcome = create(&store(&server)).await.unwrap();
        assert!(matches!(outcome, PutOutcome::AlreadyThere(_)), "{outcome:?}");
        let methods: Vec<_> = server.requests().into_iter().map(|r| r.method).collect();
        assert_eq!(methods, ["PUT", "PUT", "GET"]);
    }
    // The same when it replaced something.
    let before = Scripted::start(replies([object(b"before")]));
    let revision = store(&before).head(&key()).await.unwrap().revision;
    let mut acts = vec![Act::Close];
    acts.extend(replies([error(412, "PreconditionFailed"), object(b"ours")]));
    let server = Scripted::start(acts);
    let outcome = put(&store(&server), PutMode::Replace(revision)).await.unwrap();
    assert!(matches!(outcome, PutOutcome::AlreadyThere(_)), "{outcome:?}");
}

#[tokio::test]
async fn other_bytes_are_a_conflict_and_stay() {
    for there in [&b"their"[..], b"thei", b"", b"much longer than ours"] {
        for refusal in [error(412, "PreconditionFailed"), error(409, "ConditionalRequestConflict")] {
            let server = Scripted::start(replies([refusal, object(there)]));
            let text = checked(&create(&store(&server)).await.unwrap_err(), StoreErrorKind::Conflict);
            assert!(text.contains("already holds other bytes"), "{text}");
            assert_eq!(server.requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_collision_that_was_ours_is_no_conflict() {
    let server = Scripted::start(replies([error(409, "ConditionalRequestConflict"), object(b"ours")]));
    let outcome = create(&store(&server)).await.unwrap();
    assert!(matches!(outcome, PutOutcome::AlreadyThere(_)), "{outcome:?}");
}

#[tokio::test]
async fn refusals_are_final_and_say_why() {
    use StoreErrorKind::{Denied, NotFound, Rejected};
    for (status, code, kind, words) in [
        (403, "AccessDenied", Denied, "grant s3:GetObject on s3://bucket/a/b.sigstore.json"),
        (403, "SignatureDoesNotMatch", Denied, "check AWS_SECRET_ACCESS_KEY"),
        (403, "InvalidAccessKeyId", Denied, "check AWS_ACCESS_KEY_ID"),
        (400, "ExpiredToken", Denied, "renew the session"),
        (404, "NoSuchKey", NotFound, "does not exist"),
        (404, "NoSuchBucket", NotFound, "the bucket does not exist"),
        (400, "InvalidArgument", Rejected, "400 InvalidArgument: as scripted (request id REQ-1)"),
        (405, "MethodNotAllowed", Rejected, "405"),
        (416, "InvalidRange", Rejected, "416"),
    ] {
        let server = Scripted::start(replies([error(status, code)]));
        let store = store(&server);
        let text = checked(&store.get(&key(), 10).await.unwrap_err(), kind);
        assert!(text.contains(words), "{text}");
        assert_eq!((server.requests().len(), store.retries()), (1, 0), "{text}");
    }
    for (status, kind) in [(403, Denied), (404, NotFound)] {
        let server = Scripted::start(replies([reply(status, &[], b"")]));
        checked(&store(&server).head(&key()).await.unwrap_err(), kind);
    }
    // An answer to HEAD has no words, so it is asked once more, and once only.
    let not_there = || reply(404, &[], b"");
    let server = Scripted::start(replies([not_there(), error(404, "NoSuchBucket")]));
    let text = checked(&store(&server).head(&key()).await.unwrap_err(), NotFound);
    assert!(text.contains("the bucket does not exist"), "{text}");
    for second in [error(404, "NoSuchKey"), error(403, "AccessDenied"), object(b"it came meanwhile")] {
        let server = Scripted::start(replies([not_there(), second, not_there()]));
        let store = store(&server);
        for _ in 0..2 {
            let text = checked(&store.head(&key()).await.unwrap_err(), NotFound);
            assert!(text.contains("b.sigstore.json does not exist"), "{text}");
        }
        assert_eq!((server.requests().len(), store.retries()), (3, 0));
    }
    let server = Scripted::start(replies([error(403, "AccessDenied")]));
    let text = checked(&create(&store(&server)).await.unwrap_err(), Denied);
    assert!(text.contains("grant s3:PutObject"), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Scripted::start(replies([object(b"not ours to read"), stored()]));
    let location = format!("{}/bucket/a/b.sigstore.json", elsewhere.endpoint());
    for status in [301, 302, 307, 308] {
        let headers = [("Location", location.as_str()), ("x-amz-bucket-region", "eu-west-1")];
        let moved = || error_with(status, "PermanentRedirect", &headers);
        let server = Scripted::start(replies([moved(), moved()]));
        let text = checked(&store(&server).get(&key(), 100).await.unwrap_err(), StoreErrorKind::Rejected);
        assert!(text.contains("set AWS_REGION=eu-west-1"), "{text}");
        checked(&create(&store(&server)).await.unwrap_err(), StoreErrorKind::Rejected);
    }
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_from_the_reply() {
    let date = ("Date", "Mon, 01 Jan 2035 00:00:00 GMT");
    let skewed = || error_with(403, "RequestTimeTooSkewed", &[date]);
    let server = Scripted::start(replies([skewed(), object(b"x")]));
    assert_eq!(store(&server).get(&key(), 10).await.unwrap().bytes, "x");
    let signed: Vec<_> =
        server.requests().iter().map(|r| r.header("x-amz-date").get(..8).unwrap().to_owned()).collect();
    assert_ne!(signed[0], "20350101");
    assert_eq!(signed[1], "20350101");
    // Once; a store that still says so is believed. A HEAD has no code to go by.
    let server = Scripted::start(replies([skewed(), skewed(), skewed()]));
    let text = checked(&store(&server).get(&key(), 10).await.unwrap_err(), StoreErrorKind::Denied);
    assert!(text.contains("clock"), "{text}");
    assert_eq!(server.requests().len(), 2);
    let server = Scripted::start(replies([reply(403, &[date], b""), reply(200, &[("ETag", "\"e\"")], b"")]));
    store(&server).head(&key()).await.unwrap();
}

#[tokio::test]
async fn a_black_hole_has_a_bottom() {
    let server = Scripted::start((0..100).map(|_| Act::Hang));
    let store = store_with(&server, impatient());
    let started = Instant::now();
    for error in [
        store.get(&key(), 1 << 40).await.unwrap_err(),
        store.head(&key()).await.unwrap_err(),
        store.stream(&key()).await.unwrap_err(),
        create(&store).await.unwrap_err(),
    ] {
        let text = checked(&error, StoreErrorKind::Unreachable);
        assert!(text.contains("deadline"), "{text}");
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let nobody = Nobody::new();
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Anonymous);
    config.endpoint = Some(format!("http://{}", nobody.address()).parse().unwrap());
    config.limits = impatient();
    let store = S3Store::new(config).unwrap();
    let text = checked(&store.head(&key()).await.unwrap_err(), StoreErrorKind::Unreachable);
    assert!(text.contains("AWS_ENDPOINT_URL_S3"), "{text}");
}

#[tokio::test]
async fn anonymous_requests_are_not_signed() {
    let server = Scripted::start(replies([object(b"public")]));
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Anonymous);
    config.endpoint = Some(server.endpoint().parse().unwrap());
    let store = S3Store::new(config).unwrap();
    assert_eq!(store.get(&key(), 10).await.unwrap().bytes, "public");
    assert_eq!(server.requests()[0].header("authorization"), "");
}

#[tokio::test]
async fn a_bucket_is_in_the_path_of_any_host_but_aws() {
    let server = Scripted::start(replies([object(b"x")]));
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Anonymous);
    // By name: the SDK would use the path for an address in any case.
    config.endpoint = Some(format!("http://localhost:{}", server.address.port()).parse().unwrap());
    S3Store::new(config).unwrap().get(&key(), 10).await.unwrap();
    assert!(server.requests()[0].path.starts_with("/bucket/a/b.sigstore.json"), "{:?}", server.asked());
    assert!(server.requests()[0].header("host").starts_with("localhost:"));
}

#[tokio::test]
async fn foreign_text_cannot_drive_a_terminal() {
    let body = "<Error><Code>Odd\u{1b}[31m</Code><Message>two\nlines</Message></Error>";
    let server = Scripted::start(replies([reply(400, &[], body.as_bytes())]));
    let error = store(&server).get(&key(), 10).await.unwrap_err();
    assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
}
