//! A prefix without a workflow.

use serde_json::json;

use super::world::*;

#[tokio::test]
async fn every_object_and_every_attestation_is_told() {
    let mut world = World::new();
    for number in 0..5 {
        world.step(number, &[]).await;
    }
    let all = told(&world.entries_of(None, Some("wf/")).await);
    let attested: Vec<_> = (0..5).map(|number| (uri(&node(number).1), "attested".to_owned())).collect();
    assert_eq!(all, attested, "outcomes that say only that all is attested say nothing");

    world.remove(&[&node(0).1]);
    world.put("wf/pod-1/main.log", "a log");
    world.put("wf/pod-1/new", "new");
    world.remove_attestation(&outcome(2));
    world.outcome(&outcome(2), (UID, "wf-2"), "started", &json!([])).await;
    let refused = json!([{"name": "out", "verdict": "refused", "reason": "a device"}]);
    world.remove_attestation(&outcome(3));
    world.outcome(&outcome(3), (UID, "wf-3"), "succeeded", &refused).await;
    world.remove(&[&node(4).1]);
    world.remove_attestation(&node(4).1);
    world.outcome("wf/a/argo-attest-outcome-x", (UID, "wf-6"), "succeeded", &json!([])).await;
    let all = told(&world.entries_of(None, Some("wf/")).await);
    let bundle = |stem: &str| uri(&format!("{stem}.sigstore.json"));
    assert_eq!(
        all,
        pairs(&[
            // Its own outcome names it: that its attestation is left is no second finding.
            (&uri(&node(0).1), "object-gone"),
            (&uri(&node(1).1), "attested"),
            (&uri("wf/pod-1/main.log"), "not-ours"),
            (&uri("wf/pod-1/new"), "unattested"),
            (&uri(&node(2).1), "attested"),
            (&bundle(&outcome(2)), "never-finished"),
            (&uri(&node(3).1), "attested"),
            (&format!("argo://-/{UID}/wf-3#out"), "refused-in-step"),
            (&uri(&node(4).1), "object-gone"),
            (&bundle("wf/a/argo-attest-outcome-x"), "absent-by-right"),
        ])
    );
}

#[tokio::test]
async fn an_outcome_that_no_trusted_key_signed_is_no_outcome() {
    let mut world = World::new();
    world.step(0, &[]).await;
    let other = World::new();
    other.outcome("wf/argo-attest-outcome-x", ("u", "n"), "succeeded", &json!([])).await;
    for form in ["sigstore.json", "intoto.jsonl"] {
        let name = format!("wf/argo-attest-outcome-x.{form}");
        let bytes = crate::store::Store::get(&other.bucket, &key(&name), u64::MAX).await.unwrap().bytes;
        world.bucket.0.overwrite(&key(&name), bytes);
    }
    let name = uri("wf/argo-attest-outcome-x.sigstore.json");
    assert_eq!(
        told(&world.entries_of(None, Some("wf/")).await),
        pairs(&[(&name, "untrusted"), (&uri(&node(0).1), "attested")])
    );
    // An orphan whose lines are all that is left of it.
    world.attest(&world.key, ("u", "n"), "wf/gone", Vec::new()).await;
    world.remove(&["wf/gone", "wf/gone.sigstore.json"]);
    let all = told(&world.entries_of(None, Some("wf/")).await);
    assert!(all.contains(&(uri("wf/gone.intoto.jsonl"), "orphan".into())), "{all:?}");
}
