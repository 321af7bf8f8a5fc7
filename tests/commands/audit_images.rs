//! `audit` of steps that push images: what their signed outcomes name is verified in its registry.

use argo_attest_core::image::ImageReference;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::slsa::ARGO_STEP_BUILD_TYPE;
use serde_json::{Value, json};

use crate::audit::{lines, told};
use crate::images::{Place, Pushed, bundled};
use crate::program::Ended;
use crate::servers::BUCKET;
use crate::workshop::{BUILDER, Workshop, uri};

const TAG: &str = "app:v1";
const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";
const OTHER_RUN: &str = "ffffffff-0000-4000-8000-0123456789ab";

/// A step's statement about an image, signed.
fn statement(key: &PrivateKey, run: &str, image: &ImageReference) -> Vec<u8> {
    let digest = image.digest().unwrap().to_string();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image.repository().to_string(), "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": ARGO_STEP_BUILD_TYPE,
                "externalParameters": {
                    "workflow": {"name": "build-1", "namespace": "ci"}, "template": {"name": "push"},
                },
            },
            "runDetails": {"builder": {"id": BUILDER}, "metadata": {"invocationId": format!("{run}/wf-1/p")}},
        },
    });
    bundled(key, &statement).to_string().into_bytes()
}

/// A step that pushed an image, and says so in its outcome.
async fn pushed(place: &Place, tag: &str) -> (Workshop, Pushed) {
    let shop = Workshop::new().await;
    let pushed = place.push(tag);
    let digest = format!("sha256:{}", pushed.index.digest().unwrap());
    let words = json!({
        "invocationId": format!("{UID}/wf-1/p"), "state": "succeeded", "builder": {"id": BUILDER},
        "outputs": [{
            "name": named(place, tag), "verdict": "attested", "digest": digest,
            "attestation": format!("oci://{}@sha256:{}", pushed.index.repository(), "0".repeat(64)),
        }],
    });
    shop.outcome("wf/p1/argo-attest-outcome-u1", &words).await;
    let nodes = json!({"wf-1": {
        "name": "wf.push", "type": "Pod", "phase": "Succeeded", "templateName": "push",
        "templateScope": "local/wf",
    }});
    let workflow = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": "build-1", "namespace": "ci", "uid": UID},
        "status": {
            "phase": "Succeeded", "nodes": nodes,
            "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": BUCKET}}},
        },
    });
    shop.desk.write("wf.json", workflow.to_string());
    (shop, pushed)
}

fn named(place: &Place, tag: &str) -> String {
    format!("oci://{}/{tag}", place.address)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_attested_as_another_is_altered() {
    for place in Place::each() {
        let (shop, pushed) = pushed(&place, TAG).await;
        // By a trusted key, and about another image.
        let another = statement(&shop.key("keys"), UID, &pushed.images[0]);
        place.refer(&pushed.index, &another).await;
        let ended = audit(&shop, &["-f", "wf.json", "--registry", &place.address]).with(1);
        let image = format!("oci://{}", pushed.index);
        assert_eq!(told(&ended), lines(&[(&image, "refused", "altered")]), "{ended:?}");
    }
}

/// Of the workflow, with the place of its outcome.
fn audit(shop: &Workshop, more: &[&str]) -> Ended {
    let beneath = uri("wf/");
    let fixed = ["audit", "--key", "keys/attest.pub", "-o", "json", "--plain-http"];
    shop.run(&[&fixed[..], more, &[beneath.as_str()]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_an_outcome_names_is_verified_in_its_registry() {
    for place in Place::each() {
        let (shop, pushed) = pushed(&place, TAG).await;
        let (key, other) = (shop.key("keys"), PrivateKey::generate(KeyType::Ed25519).unwrap());
        let image = format!("oci://{}", pushed.index);
        let asking = ["-f", "wf.json", "--registry", &place.address];
        let says = |code: i32, verdict: &str, reason: &str| {
            let ended = audit(&shop, &asking).with(code);
            assert_eq!(told(&ended), lines(&[(&image, verdict, reason)]), "{ended:?}");
            ended
        };

        // An outcome chooses no host that is asked.
        let unasked = audit(&shop, &["-f", "wf.json"]).with(1).says(&format!("--registry {}", place.address));
        let output = format!("argo://ci/build-1/wf-1#{}", named(&place, TAG));
        assert_eq!(told(&unasked), lines(&[(&output, "refused", "unverifiable")]));

        says(1, "refused", "unattested");
        place.refer(&pushed.index, &statement(&other, UID, &pushed.index)).await;
        says(1, "refused", "untrusted");
        // Whoever builds the same image in another run attests it for that.
        place.refer(&pushed.index, &statement(&key, OTHER_RUN, &pushed.index)).await;
        says(1, "refused", "spliced").says(OTHER_RUN);
        place.refer(&pushed.index, &statement(&key, UID, &pushed.index)).await;
        let ended = says(0, "attested", "").says("1 attested of 1\n");
        let line: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((&line["output"], &line["node"]["id"]), (&json!(named(&place, TAG)), &json!("wf-1")));
        let invocation = format!("{UID}/wf-1/p");
        assert_eq!((&line["invocationId"], &line["builderId"]), (&json!(invocation), &json!(BUILDER)));
        // It is the digest that the outcome has; a tag is whoever's may move it.
        place.push("app:v1");
        says(0, "attested", "");
        // The builder counts as for objects.
        let builder = ["--builder-id", "https://elsewhere.example"];
        audit(&shop, &[&asking[..], &builder].concat()).with(1);
        // Without the workflow's text the outcome says as much; and a registry of a place is named.
        let ended = audit(&shop, &["--registry", &place.address]).with(0);
        assert_eq!(told(&ended), lines(&[(&image, "attested", "")]), "{ended:?}");
        let ended = audit(&shop, &["-f", "wf.json", &image]).with(0);
        assert_eq!(told(&ended), lines(&[(&image, "attested", "")]), "once: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_away_is_no_answer() {
    for place in Place::each() {
        let (shop, pushed) = pushed(&place, TAG).await;
        let (address, image) = (place.address.clone(), format!("oci://{}", pushed.index));
        drop(place);
        let ended = audit(&shop, &["-f", "wf.json", "--registry", &address]).with(69);
        assert_eq!(told(&ended), lines(&[(&image, "error", "unreachable")]), "{ended:?}");
    }
}
