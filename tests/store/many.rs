//! Many objects of a store that does not answer.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argo_attest::observe::NoProgress;
use argo_attest::store::Store;
use argo_attest::verify::{Checker, Lanes, OneWait, prefix};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::verify::{Reason, Wanted};
use jiff::Timestamp;

use crate::faulty::{impatient, store_with};
use crate::scripted::{Act, Plain, Request, Scripted, error, reply};

const OBJECTS: usize = 300;

fn listing(request: &Request) -> Vec<u8> {
    let mut xml = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for number in 0..OBJECTS {
        for end in ["", ".sigstore.json", ".intoto.jsonl"] {
            write!(xml, "<Contents><Key>p/{number:03}{end}</Key><Size>9</Size></Contents>").unwrap();
        }
    }
    xml.push_str("</ListBucketResult>");
    let apart = request.path.contains(".attestations");
    reply(200, &[], if apart { b"<ListBucketResult/>" } else { xml.as_bytes() })
}

fn checker() -> Checker {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    Checker {
        policy: Policy::of_keys(vec![TrustedKey::new("k", key.public().clone())]),
        now: Timestamp::now(),
        bundle: None,
        wanted: Wanted::default(),
        largest: u64::MAX,
    }
}

/// One deadline for all of them, not one after the other.
#[tokio::test]
async fn a_store_that_hangs_is_given_up_once() {
    for answered in [0, 40] {
        let mut left = answered;
        let server = Scripted::choosing(Plain, move |request| {
            if request.path.contains("list-type=2") {
                return Some(Act::Reply(listing(request)));
            }
            // What may be about the whole prefix, which it is asked for first.
            let of_prefix = request.path.starts_with("/bucket/p.") || request.path.contains(".attestations");
            if of_prefix || left > 0 {
                left -= usize::from(!of_prefix);
                return Some(Act::Reply(error(404, "NoSuchKey")));
            }
            Some(Act::Hang)
        });
        let limits = impatient();
        let store: Arc<dyn Store> = Arc::new(store_with(&server, limits));
        let store = Arc::new(OneWait::new(store, limits.attempt));
        let (checker, began) = (checker(), Instant::now());
        let lanes = Lanes::default();
        let mut found = prefix(&lanes, store, "p/").await.unwrap();
        let mut reasons = Vec::new();
        loop {
            let next = found.artifacts.next(&lanes).await;
            for found in &next {
                let found_out = found.artifact.check(&checker, NonZeroUsize::MIN, &NoProgress).await;
                reasons.push(found_out.unwrap_err().reason());
            }
            if next.is_empty() {
                break;
            }
        }
        let unreachable = reasons.iter().filter(|reason| **reason == Reason::Unreachable).count();
        // Whatever could not be looked at is told, too; and nothing counts as not attested.
        assert!(unreachable >= 3 * OBJECTS - answered && reasons.len() == 3 * OBJECTS, "{unreachable}");
        assert!(found.orphans.is_empty());
        // One after the other, sixteen at a time, they would be more than a hundred.
        let deadlines = (limits.total + limits.attempt) * 4 + Duration::from_secs(5);
        assert!(began.elapsed() < deadlines, "{:?}", began.elapsed());
    }
}
