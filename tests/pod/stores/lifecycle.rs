//! The rules in docs/how-to/clean-up.md, on a server that has lifecycle rules.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use serde_json::Value;

use super::server::Server;
use crate::servers::BUCKET;

/// Keys, and the rule that is to end each.
const KEYS: [(&str, Option<&str>); 7] = [
    ("workflows/build-7/build-7-1/app.tgz", Some("what-workflows-made")),
    ("workflows/build-7/build-7-1/app.tgz.sigstore.json", Some("what-workflows-made")),
    ("workflows/build-7/build-7-1/argo-attest-outcome-7e1f.sigstore.json", Some("what-workflows-made")),
    (".attestations/workflows/build-7/build-7-1/app.tgz.sigstore.json", Some("attestations-of-it")),
    (".attestations/workflows/build-7/build-7-1/app.tgz.intoto.jsonl", Some("attestations-of-it")),
    ("releases/app.tgz", None),
    (".attestations/releases/app.tgz.sigstore.json", None),
];

#[test]
#[ignore = "make stores"]
fn minio_lifecycle() {
    let Some(server) = Server::start("minio") else { return };
    for (key, _) in KEYS {
        let put = server.sdk().put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
        server.runtime.block_on(put.send()).unwrap();
    }
    apply(&server, |days| LifecycleExpiration::builder().days(days).build());
    for (key, rule) in KEYS {
        let head = server.sdk().head_object().bucket(BUCKET).key(key).send();
        let ends = server.runtime.block_on(head).unwrap().expiration;
        match (rule, &ends) {
            (None, None) => {}
            (Some(rule), Some(ends)) if ends.contains(&format!("rule-id=\"{rule}\"")) => {}
            _ => panic!("{key}: {ends:?}, not {rule:?}"),
        }
    }
    // The same, as if the days were over.
    apply(&server, |_| LifecycleExpiration::builder().date(DateTime::from_secs(0)).build());
    let kept: Vec<_> = KEYS.iter().filter(|(_, rule)| rule.is_none()).map(|(key, _)| *key).collect();
    let deadline = Instant::now() + Duration::from_mins(5);
    loop {
        let there: Vec<_> = KEYS.iter().map(|(key, _)| *key).filter(|key| is_there(&server, key)).collect();
        if there == kept {
            return;
        }
        assert!(Instant::now() < deadline, "still there: {there:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn is_there(server: &Server, key: &str) -> bool {
    server.runtime.block_on(server.sdk().head_object().bucket(BUCKET).key(key).send()).is_ok()
}

fn apply(server: &Server, expiration: impl Fn(i32) -> LifecycleExpiration) {
    let documented = documented();
    let rules = documented["Rules"].as_array().unwrap().iter().map(|rule| {
        assert_eq!(rule["Status"], "Enabled");
        let days = rule["Expiration"]["Days"].as_i64().unwrap();
        LifecycleRule::builder()
            .id(rule["ID"].as_str().unwrap())
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(rule["Filter"]["Prefix"].as_str().unwrap()).build())
            .expiration(expiration(days.try_into().unwrap()))
            .build()
            .unwrap()
    });
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect())).build().unwrap();
    let put = server.sdk().put_bucket_lifecycle_configuration().bucket(BUCKET).lifecycle_configuration(rules);
    server.runtime.block_on(put.send()).unwrap();
}

fn documented() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-to/clean-up.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, json) = text.split_once("```json\n").unwrap();
    serde_json::from_str(json.split_once("```").unwrap().0).unwrap()
}
