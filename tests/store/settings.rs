//! What a template says of a bucket besides where it is: how its objects are encrypted, where
//! its name goes, and that it may not be there yet.

use std::path::PathBuf;

use argo_attest::store::s3::{Addressing, CustomerKeys, Encryption, Proxies, S3Config};
use argo_attest::store::{PutMode, S3Store, Store as _, StoreError};
use bytes::Bytes;

use crate::faulty::{key, limits, replies};
use crate::scripted::{Request, Scripted, error, error_with, object, reply, stored};
use crate::servers::{SECRET_KEY, config};
use crate::trust::variables;

fn settings(server: &Scripted) -> S3Config {
    S3Config { prefix: None, limits: limits(), ..config(&server.endpoint(), SECRET_KEY) }
}

/// A PUT, a GET and a HEAD of one object.
async fn all_three(encryption: Encryption) -> Vec<Request> {
    let server = Scripted::start(replies([stored(), object(b"x"), object(b"")]));
    let store = S3Store::new(S3Config { encryption, ..settings(&server) }).unwrap();
    store.put(&key(), Bytes::from_static(b"ours"), PutMode::Create).await.unwrap();
    store.get(&key(), 10).await.unwrap();
    store.head(&key()).await.unwrap();
    server.requests()
}

fn of_template(
    enabled: bool,
    kms: Option<&str>,
    context: Option<&str>,
    secret: Option<PathBuf>,
) -> Encryption {
    Encryption::of_template(enabled, kms, context, secret, true).unwrap()
}

/// The headers that speak of encryption, without what they begin with.
fn encryption(request: &Request) -> Vec<(&str, &str)> {
    const BEGIN: &str = "x-amz-server-side-encryption";
    let headers = request.headers.iter();
    headers.filter_map(|(name, value)| Some((name.strip_prefix(BEGIN)?, value.as_str()))).collect()
}

#[tokio::test]
async fn what_is_written_is_encrypted_as_the_template_wants() {
    for (wanted, told) in [
        (of_template(false, Some("k"), None, None), vec![]),
        (of_template(true, None, None, None), vec![("", "AES256")]),
        (of_template(true, Some("arn:k"), None, None), vec![("", "aws:kms"), ("-aws-kms-key-id", "arn:k")]),
        (
            of_template(true, Some("k"), Some("{\"team\": \"a\"}"), None),
            vec![("", "aws:kms"), ("-aws-kms-key-id", "k"), ("-context", "eyJ0ZWFtIjogImEifQ==")],
        ),
    ] {
        let requests = all_three(wanted).await;
        assert_eq!(encryption(&requests[0]), told);
        assert!(encryption(&requests[1]).is_empty() && encryption(&requests[2]).is_empty());
    }
}

#[tokio::test]
async fn a_customers_key_comes_with_every_request() {
    let secrets = tempfile::tempdir().unwrap();
    let secret = secrets.path().join("sse/key");
    std::fs::create_dir(secret.parent().unwrap()).unwrap();
    std::fs::write(&secret, "32byteslongsecretkeymustbegiven1").unwrap();
    let wanted = of_template(true, None, None, Some(secret));
    assert!(!format!("{wanted:?}").contains("32bytes"));
    let requests = all_three(wanted).await;
    let first = encryption(&requests[0]);
    assert_eq!(first[0], ("-customer-algorithm", "AES256"));
    assert_eq!(
        first.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["-customer-algorithm", "-customer-key", "-customer-key-md5"]
    );
    assert!(requests.iter().all(|request| encryption(request) == first), "{requests:?}");

    let server = Scripted::start([]);
    let gone = Encryption::Customer(CustomerKeys::of(secrets.path().join("sse/gone")));
    let store = S3Store::new(S3Config { encryption: gone, ..settings(&server) }).unwrap();
    let error = store.get(&key(), 10).await.unwrap_err();
    assert!(matches!(error, StoreError::Config { .. }) && server.requests().is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_bucket_is_where_the_template_puts_it() {
    for (addressing, asked) in [
        (Addressing::Path, "http://store.test/bucket/a/b.sigstore.json?"),
        (Addressing::ByHost, "http://store.test/bucket/a/b.sigstore.json?"),
        (Addressing::VirtualHost, "http://bucket.store.test/a/b.sigstore.json?"),
    ] {
        // A proxy is told the whole address.
        let server = Scripted::start(replies([object(b"x")]));
        let mut config = S3Config { addressing, ..settings(&server) };
        config.endpoint = Some("http://store.test".parse().unwrap());
        config.proxies = Proxies::from_env(&variables(&[("HTTP_PROXY", &server.endpoint())])).unwrap();
        S3Store::new(config).unwrap().get(&key(), 10).await.unwrap();
        assert!(server.requests()[0].path.starts_with(asked), "{:?}", server.asked());
    }
}

#[tokio::test]
async fn a_bucket_that_is_made_later_holds_nothing_yet() {
    let none = || error(404, "NoSuchBucket");
    for creates_bucket in [true, false] {
        let server = Scripted::start(replies([none(), none(), reply(404, &[], b""), none(), none()]));
        let store = S3Store::new(S3Config { creates_bucket, ..settings(&server) }).unwrap();
        let errors = [
            store.get(&key(), 10).await.unwrap_err(),
            store.stream(&key()).await.unwrap_err(),
            store.head(&key()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(matches!(error, StoreError::NotFound { .. }), creates_bucket, "{error:?}");
        }
        // Writing is another matter: it is not there to be written to.
        let error = store.put(&key(), Bytes::from_static(b"x"), PutMode::Create).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::NoBucketYet { .. }), creates_bucket, "{error:?}");
        assert_eq!(matches!(error, StoreError::NoBucket { .. }), !creates_bucket, "{error:?}");
        assert_eq!(error.to_string().contains("Argo makes it"), creates_bucket, "{error}");
    }
}

/// The regions that requests were signed for.
fn signed_for(server: &Scripted) -> Vec<String> {
    let region = |r: &Request| r.header("authorization").split('/').nth(2).unwrap().to_owned();
    server.requests().iter().map(region).collect()
}

#[tokio::test]
async fn the_region_that_a_reply_names_is_taken_once() {
    let named = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message><Region>eu-west-1</Region></Error>";
    for wrong in [
        error_with(301, "PermanentRedirect", &[("x-amz-bucket-region", "eu-west-1")]),
        error_with(400, "AuthorizationHeaderMalformed", &[("x-amz-bucket-region", "eu-west-1")]),
        reply(400, &[], named.as_bytes()),
    ] {
        let server = Scripted::start(replies([wrong, object(b"x"), object(b"x")]));
        let store = S3Store::new(settings(&server)).unwrap();
        store.get(&key(), 10).await.unwrap();
        store.get(&key(), 10).await.unwrap();
        assert_eq!(signed_for(&server), ["us-east-1", "eu-west-1", "eu-west-1"]);
    }
    // It is not sent round in circles, and no name is taken that is none.
    let moved = |region| error_with(301, "PermanentRedirect", &[("x-amz-bucket-region", region)]);
    let server = Scripted::start(replies([moved("eu-west-1"), moved("eu-west-2"), moved("eu-west-3")]));
    S3Store::new(settings(&server)).unwrap().get(&key(), 10).await.unwrap_err();
    assert_eq!(signed_for(&server), ["us-east-1", "eu-west-1"]);
    let server = Scripted::start(replies([moved("evil.example/"), moved("eu-west-1")]));
    S3Store::new(settings(&server)).unwrap().get(&key(), 10).await.unwrap_err();
    assert_eq!(signed_for(&server), ["us-east-1"]);
}

fn location(region: &str) -> Vec<u8> {
    let body = format!(
        "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{region}</LocationConstraint>"
    );
    reply(200, &[("content-type", "application/xml")], body.as_bytes())
}

/// AWS's general address, which a proxy is asked for.
fn aws(server: &Scripted) -> S3Config {
    let mut config = S3Config { region: None, ..settings(server) };
    config.endpoint = Some("http://s3.amazonaws.com".parse().unwrap());
    config.proxies = Proxies::from_env(&variables(&[("HTTP_PROXY", &server.endpoint())])).unwrap();
    config
}

/// As minio-go does it: where nobody says a region, the bucket is asked first, once.
#[tokio::test]
async fn awss_bucket_is_asked_for_its_region() {
    for (said, region) in [("eu-west-3", "eu-west-3"), ("EU", "eu-west-1"), ("", "us-east-1")] {
        let server = Scripted::start(replies([location(said), object(b"x"), object(b"x")]));
        let store = S3Store::new(aws(&server)).unwrap();
        store.get(&key(), 10).await.unwrap();
        store.get(&key(), 10).await.unwrap();
        assert_eq!(signed_for(&server), ["us-east-1", region, region]);
        assert!(
            server.requests()[0].path.starts_with("http://s3.amazonaws.com/bucket/?location"),
            "{:?}",
            server.asked()
        );
    }
    // What it may not say, the reply does; and what it says is no name.
    for answer in [error(403, "AccessDenied"), location("evil.example/")] {
        let moved = error_with(301, "PermanentRedirect", &[("x-amz-bucket-region", "eu-west-2")]);
        let server = Scripted::start(replies([answer, moved, object(b"x")]));
        S3Store::new(aws(&server)).unwrap().get(&key(), 10).await.unwrap();
        assert_eq!(signed_for(&server), ["us-east-1", "us-east-1", "eu-west-2"]);
    }
    // A region that is known is not asked for.
    let server = Scripted::start(replies([object(b"x")]));
    let known = S3Config { region: Some("eu-west-3".into()), ..aws(&server) };
    S3Store::new(known).unwrap().get(&key(), 10).await.unwrap();
    assert_eq!(signed_for(&server), ["eu-west-3"]);
}

/// Any other store is asked only when it refuses a region without saying which it wants.
#[tokio::test]
async fn another_store_is_asked_when_it_wants_another_region() {
    let unknown = |server: &Scripted| S3Config { region: None, ..settings(server) };
    let server = Scripted::start(replies([object(b"x")]));
    S3Store::new(unknown(&server)).unwrap().get(&key(), 10).await.unwrap();
    assert_eq!(signed_for(&server), ["us-east-1"]);
    for wrong in [error(301, "PermanentRedirect"), error(400, "AuthorizationHeaderMalformed")] {
        let server =
            Scripted::start(replies([wrong.clone(), location("here-1"), object(b"x"), object(b"x")]));
        let store = S3Store::new(unknown(&server)).unwrap();
        store.get(&key(), 10).await.unwrap();
        store.get(&key(), 10).await.unwrap();
        assert_eq!(signed_for(&server), ["us-east-1", "us-east-1", "here-1", "here-1"]);
        // Where the same is wrong again, it is so.
        let server = Scripted::start(replies([wrong.clone(), location(""), wrong.clone()]));
        let store = S3Store::new(unknown(&server)).unwrap();
        store.get(&key(), 10).await.unwrap_err();
        store.get(&key(), 10).await.unwrap_err();
        assert_eq!(signed_for(&server).len(), 3);
    }
}
