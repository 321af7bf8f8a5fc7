//! What a check finds satisfies a policy that demands it, and survives the
//! provenance's JSON.

use argo_attest::store::MemoryStore;
use argo_attest::stored_match::check_bytes;
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use argo_attest_core::policy::{Policy, PolicyViolation, Principal, Vouched};
use argo_attest_core::proof::Proof;
use argo_attest_core::slsa::Provenance;
use bytes::Bytes;
use serde_json::json;

use super::case::{key, written};

const POLICY: &[u8] = b"
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys: [{name: ci, file: ci.pub}]
builders: [{id: 'https://ci.example.com/argo', keys: [ci]}]
expect: {storedMatch: required}
";

#[tokio::test]
async fn satisfies_a_policy() {
    let store = MemoryStore::new();
    store.overwrite(&key("x"), Bytes::from_static(b"bytes"));
    let evidence = check_bytes(&store, &key("x"), &written(b"bytes")).await.unwrap().byproduct(None);

    let public = PrivateKey::generate(KeyType::Ed25519).unwrap().public().clone();
    let policy = Policy::from_yaml(POLICY, |_| Ok::<PublicKey, std::io::Error>(public.clone())).unwrap();
    let judge = |byproducts: serde_json::Value| {
        let provenance = json!({
            "buildDefinition": {"buildType": "https://example.com/t", "externalParameters": {}},
            "runDetails": {"builder": {"id": "https://ci.example.com/argo"}, "byproducts": byproducts},
        });
        let provenance = Provenance::from_predicate(&provenance.to_string()).unwrap();
        let proof = Proof::default();
        let vouched = Vouched { by: &[Principal::Key(0)], proof: &proof, now: jiff::Timestamp::now() };
        policy.judge(&provenance, vouched).map(drop)
    };
    judge(json!([evidence])).unwrap();
    match judge(json!([])) {
        Err(PolicyViolation::NoStoredMatch) => {}
        other => panic!("{other:?}"),
    }
}
