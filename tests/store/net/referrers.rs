//! Lists of what refers to an image: longer than is looked at, and in several pages.

use std::collections::BTreeMap;

use argo_attest::attestations::{FindError, ImageAttestations};
use argo_attest::registry::Registries;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{Manifest, NewReferrer, Repository};
use serde_json::{Value, json};

use crate::scripted::{Act, Plain, Scripted, reply};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &[u8] = b"{\"said\":\"of it\"}";
/// As many are looked at.
const MOST: usize = 128;

/// An image, and what says that it is about it.
fn image() -> (Vec<u8>, Vec<u8>) {
    let blob = json!({"mediaType": "application/octet-stream", "digest": digest(b"x"), "size": 1});
    let image = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": blob, "layers": [blob]});
    let image = image.to_string().into_bytes();
    let subject = Manifest::read(&image).unwrap().descriptor();
    let new = NewReferrer { subject: &subject, bundle: BUNDLE, predicate_type: "t", created: None };
    (image, new.manifest())
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Digest::of(bytes))
}

fn entry(bytes: &[u8]) -> Value {
    json!({"mediaType": IMAGE, "digest": digest(bytes), "size": bytes.len()})
}

/// What is found of the image where its referrer stands at this place among so many others, a page of
/// `of_page` each.
async fn found(at: usize, others: usize, of_page: usize) -> Vec<Result<Vec<u8>, String>> {
    let (image, referrer) = image();
    let subject = Sha256Digest::of(&image);
    let mut all: Vec<_> = (0..others).map(|n| entry(format!("other {n}").as_bytes())).collect();
    all.insert(at, entry(&referrer));
    let pages: Vec<Vec<Value>> = all.chunks(of_page).map(<[Value]>::to_vec).collect();
    let there = BTreeMap::from([
        (format!("manifests/{}", digest(&referrer)), (IMAGE, referrer)),
        (format!("blobs/{}", digest(BUNDLE)), ("application/octet-stream", BUNDLE.to_vec())),
    ]);
    let server = Scripted::choosing(Plain, move |request| {
        let path = request.path.strip_prefix("/v2/a/").unwrap_or_default();
        if path.starts_with("referrers/") {
            let page = path.split_once("?page=").map_or(0, |(_, page)| page.parse().unwrap());
            let next = format!("</v2/a/referrers/x?page={}>; rel=\"next\"", page + 1);
            let kind = ("Content-Type", INDEX);
            let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": pages[page]}).to_string();
            let headers = if page + 1 < pages.len() { vec![kind, ("Link", &next)] } else { vec![kind] };
            return Some(Act::Reply(reply(200, &headers, list.as_bytes())));
        }
        let missing = || reply(404, &[], br#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#);
        let there = there.get(path).map(|(kind, bytes)| reply(200, &[("Content-Type", *kind)], bytes));
        Some(Act::Reply(there.unwrap_or_else(missing)))
    });
    let registries = Registries::from_env(&|_: &str| None, true).unwrap();
    let at: Repository = format!("{}/a", server.address).parse().unwrap();
    let mut candidates = ImageAttestations::new(&registries, &at, subject).candidates();
    let mut found = Vec::new();
    while let Some(candidate) = candidates.next().await {
        found.push(match candidate {
            Ok(candidate) => Ok(candidate.bytes.to_vec()),
            Err(FindError::Registry(error)) => Err(error.to_string()),
            Err(error) => panic!("{error:?}"),
        });
    }
    found
}

/// On whatever page it stands.
#[tokio::test]
async fn a_list_is_read_page_by_page() {
    for at in [0, 64, MOST - 1] {
        assert_eq!(found(at, MOST - 1, 10).await, [Ok(BUNDLE.to_vec())], "{at}");
    }
}

/// Whoever may push can make a list long. What stands first is found all the same, and that something
/// else was not looked at is said once nothing else did.
#[tokio::test]
async fn of_a_list_that_is_too_long_the_first_are_looked_at() {
    for at in [0, MOST - 1] {
        let found = found(at, 2 * MOST, 100).await;
        assert_eq!(found[0], Ok(BUNDLE.to_vec()), "{at}");
        assert!(found[1].as_ref().unwrap_err().contains("more than 128 attestations may be about it"));
        assert_eq!(found.len(), 2);
    }
    let found = found(MOST, MOST, 100).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].as_ref().unwrap_err().contains("more than 128"), "{found:?}");
}
