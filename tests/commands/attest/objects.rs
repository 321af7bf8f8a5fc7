//! What is attested, and what the attestation says.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};

use crate::servers::{self, BUCKET, VersityGw};
use crate::voucher::{BUILDER, Voucher, uri};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_vouched_for_and_verifies() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    fs::create_dir(bucket.join("in")).unwrap();
    fs::write(bucket.join("in/base.csv"), "a,b\n").unwrap();

    let object = uri("in/base.csv");
    let ended = voucher.attest(&[&object]).with(0);
    assert!(ended.out.starts_with(&format!("attested      {object} (4 B)\n")), "{ended:?}");
    assert!(ended.out.contains(&format!("\n              {object}.sigstore.json\n")), "{ended:?}");
    assert!(ended.out.contains(&format!("verify --key keys/attest.pub {object}\n")), "{ended:?}");
    voucher.verify(&["--builder-id", BUILDER, &object]).with(0).says("as base.csv, signed with");
    voucher.verify(&["--builder-id", "https://ci.example.com/argo", &object]).with(1);

    let statement = voucher.statement(&fs::read(bucket.join("in/base.csv.sigstore.json")).unwrap());
    assert_eq!(statement["subject"].as_array().unwrap().len(), 1);
    assert_eq!(statement["subject"][0]["uri"], object);
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["buildType"], "https://argo-attest.github.io/buildtypes/existing-object/v1");
    assert_eq!(definition["externalParameters"]["object"]["uri"], object);
    assert!(definition["externalParameters"].get("workflow").is_none(), "{definition}");
    assert_eq!(definition["internalParameters"]["object"]["size"], "4");
    assert!(definition.get("resolvedDependencies").is_none(), "{definition}");
    // Where it is, and no evidence: nobody saw what was written.
    let place =
        json!([{"name": "stored-object", "uri": object, "annotations": {"endpoint": voucher.endpoint}}]);
    assert_eq!(statement["predicate"]["runDetails"]["byproducts"], place);

    fs::write(bucket.join("in/base.csv"), "a,c\n").unwrap();
    voucher.verify(&[&object]).with(1).says("not one that is attested");
    voucher.attest(&[&object]).with(0);
    voucher.verify(&[&object]).with(0);
    let lines = fs::read_to_string(bucket.join("in/base.csv.intoto.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_told_of_as_the_sidecar_tells_it() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    fs::write(bucket.join("base.csv"), "a,b\n").unwrap();
    let mut program = voucher.program(&["attest", &uri("base.csv")]);
    program
        .env("ARGO_ATTEST_KEY", "keys/attest.key")
        .env("ARGO_ATTEST_BUILDER_ID", BUILDER)
        .env("ARGO_ATTEST_POD_NAMESPACE", "ci")
        .env("ARGO_ATTEST_POD_UID", "7e1f")
        .env("ARGO_ATTEST_WORKFLOW_UID", "0c5b")
        .env("ARGO_WORKFLOW_NAME", "import-1")
        .env("ARGO_NODE_ID", "import-1-2");
    let ended = tokio::task::block_in_place(|| program.output().unwrap());
    assert!(ended.status.success(), "{ended:?}");
    let statement = voucher.statement(&fs::read(bucket.join("base.csv.sigstore.json")).unwrap());
    let external = &statement["predicate"]["buildDefinition"]["externalParameters"];
    assert_eq!(external["workflow"], json!({"name": "import-1", "namespace": "ci"}));
    assert_eq!(statement["predicate"]["runDetails"]["metadata"]["invocationId"], "0c5b/import-1-2/7e1f");

    // What it says can be expected; what it cannot say cannot.
    let policy = |expect: &str| {
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n\
             keys: [{{name: k, file: keys/attest.pub}}]\n\
             builders: [{{id: \"{BUILDER}\", keys: [k]}}]\nexpect: {{{expect}}}\n"
        )
    };
    for (expect, code, says) in [
        ("workflow: {namespace: ci, name: \"import-*\"}", 0, "attested"),
        ("workflow: {namespace: other}", 1, "namespace"),
        ("template: [build]", 1, "the template is not stated"),
        ("storedMatch: required", 1, "does not say that the stored object was compared"),
    ] {
        voucher.desk.write("policy.yaml", policy(expect));
        voucher.run(&["verify", "--policy", "policy.yaml", &uri("base.csv")]).with(code).says(says);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_are_told_as_one_json_object() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    fs::write(bucket.join("one"), "1").unwrap();
    fs::write(bucket.join("two"), "2").unwrap();
    let ended = voucher.attest(&["--json", &uri("one"), &uri("gone"), &uri("two")]).with(66);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(json["key"]["publicKeyFile"], "keys/attest.pub");
    let [one, gone, two] = json["artifacts"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!(
        (&one["attested"], &gone["attested"], &two["attested"]),
        (&true.into(), &false.into(), &true.into())
    );
    assert_eq!(
        (&one["size"], one["attestation"].as_str()),
        (&1.into(), Some("s3://bucket/one.sigstore.json"))
    );
    assert!(
        gone["reason"].as_str().unwrap().contains("does not exist") && gone["remedy"].is_string(),
        "{gone}"
    );
    assert!(gone.get("digest").is_none() && gone.get("attestation").is_none(), "{gone}");
    voucher.verify(&[&uri("one"), &uri("two")]).with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_that_was_read_is_named() {
    let Some(gateway) = VersityGw::start().await else { return };
    let voucher = Voucher::new(&gateway.endpoint);
    let s3 = gateway.sdk();
    let put = s3.put_object().bucket(BUCKET).key("in/base.csv").body(ByteStream::from_static(b"a,b\n"));
    let version = put.send().await.unwrap().version_id().unwrap().to_owned();
    voucher.attest(&[&uri("in/base.csv")]).with(0);
    let bundle = s3.get_object().bucket(BUCKET).key("in/base.csv.sigstore.json").send().await.unwrap();
    let bundle = bundle.body.collect().await.unwrap().to_vec();
    let statement = voucher.statement(&bundle);
    let object = &statement["predicate"]["buildDefinition"]["internalParameters"]["object"];
    assert_eq!(object["versionId"], version.as_str());
    voucher.verify(&[&uri("in/base.csv")]).with(0);
}
