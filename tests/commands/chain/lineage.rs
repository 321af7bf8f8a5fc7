//! Chains that hold, and the link that does not.

use std::fs;

use serde_json::{Value, json};

use crate::workshop::{BUILDER, Workshop, root, uri};

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_shown_to_its_roots() {
    let shop = Workshop::new().await;
    fs::write(shop.in_bucket("base.csv"), "a,b\n").unwrap();
    let imports = "https://ci.example.com/imports";
    shop.run(&["attest", "--key", "keys/attest.key", "--builder-id", imports, &uri("base.csv")]).with(0);
    let base = shop.input("base.csv").await;
    let lib = shop.step("lib", vec![root("containers/main"), base.clone()]).await;
    shop.step("app", vec![lib, base]).await;

    let ended = shop.chain(&[&uri("app")]).with(0);
    let said: Vec<&str> = ended.out.lines().collect();
    let starts = [
        "attested  s3://bucket/app",
        "  as app, signed with ",
        "  sha256:",
        "  verified  inputs/lib  s3://bucket/lib  sha256:",
        "    root      containers/main  oci://containers/main",
        "    verified  inputs/base.csv  s3://bucket/base.csv  sha256:",
        "  again     inputs/base.csv  s3://bucket/base.csv  sha256:",
    ];
    assert_eq!(said.len(), starts.len(), "{ended:?}");
    for (line, start) in said.iter().zip(starts) {
        assert!(line.starts_with(start), "{start:?}: {ended:?}");
    }
    assert!(said[5].ends_with(&format!("builder {imports}")), "{ended:?}");

    let ended = shop.chain(&["--json", &uri("app")]).with(0);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let artifact = &json;
    assert_eq!(artifact["verdict"], "attested");
    let links = artifact["chain"]["links"].as_array().unwrap();
    assert_eq!(
        links.iter().map(|l| &l["standing"]).collect::<Vec<_>>(),
        ["verified", "root", "verified", "again"]
    );
    assert_eq!(links[2]["path"], json!(["inputs/lib", "inputs/base.csv"]));
    assert_eq!(links[2]["builderId"], imports);
    assert_eq!(links[0]["attestation"], "s3://bucket/lib.sigstore.json");

    // A copy of the artifact, elsewhere, has the same chain.
    shop.desk.write("app", "app");
    fs::copy(shop.in_bucket("app.sigstore.json"), shop.desk.path("app.sigstore.json")).unwrap();
    shop.chain(&["app"]).with(0).says("  verified  inputs/lib");
    // One builder for all: the vouched-for object has another.
    shop.chain(&["--builder-id", BUILDER, &uri("app")])
        .with(1)
        .says("inputs/lib > inputs/base.csv: the builder is");
    // Without --chain nothing more is asked.
    let plain = shop.run(&["verify", "--key", "keys/attest.pub", &uri("app")]).with(0);
    assert_eq!(plain.out.lines().count(), 3, "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failing_link_is_named() {
    let shop = Workshop::new().await;
    let base = shop.step("base", Vec::new()).await;
    let lib = shop.step("lib", vec![base]).await;
    shop.step("app", vec![lib]).await;
    let (app, at) = (uri("app"), "its chain fails at inputs/lib > inputs/base: ");
    shop.chain(&[&app]).with(0);

    // A newer attempt leaves the one that was used among the lines.
    shop.step("base", vec![root("containers/other")]).await;
    shop.chain(&[&app]).with(0);
    fs::remove_file(shop.in_bucket("base.intoto.jsonl")).unwrap();
    let ended = shop.chain(&[&app]).with(1).says(at).says("is not the attestation that its statement names");
    assert!(ended.out.starts_with("refused   s3://bucket/app\n  chain: "), "{ended:?}");
    assert!(ended.out.contains("\n    failed    inputs/base  s3://bucket/base"), "{ended:?}");

    fs::write(shop.in_bucket("base.sigstore.json"), "").unwrap();
    shop.chain(&[&app]).with(1).says(at);
    fs::remove_file(shop.in_bucket("base.sigstore.json")).unwrap();
    let ended = shop.chain(&[&app]).with(1).says(at).says("s3://bucket/base.sigstore.json is not there");
    assert!(ended.out.contains(&format!("{}: AWS_ENDPOINT_URL_S3", shop.endpoint)), "{ended:?}");

    let ended = shop.chain(&["--json", &app]).with(1);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let artifact = &json;
    assert_eq!((&artifact["verdict"], &artifact["reason"]), (&json!("refused"), &json!("chain")));
    assert!(
        artifact["message"].as_str().unwrap().starts_with(at) && artifact["subject"].is_null(),
        "{artifact}"
    );
    assert_eq!(artifact["chain"]["links"][1]["standing"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_upstream_is_noticed() {
    let shop = Workshop::new().await;
    shop.desk.run(["keygen", "--out-dir", "strange"]).with(0);
    let lib = shop.step_by(&shop.key("strange"), "lib", Vec::new()).await;
    shop.step("app", vec![lib]).await;
    shop.chain(&[&uri("app")]).with(1).says("its chain fails at inputs/lib: not signed with a trusted key");
    shop.chain(&["--key", "strange/attest.pub", &uri("app")]).with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_wrote_has_no_links() {
    let shop = Workshop::new().await;
    shop.desk.attest(&["out"], "echo hi > out").with(0);
    let ended = shop.desk.run(["verify", "--chain", "out"]).with(0);
    assert_eq!(ended.out.lines().count(), 3, "{ended:?}");
    let ended = shop.desk.run(["verify", "--chain", "--json", "out"]).with(0);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(json["chain"], json!({"links": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_asked_is_neither_a_yes_nor_a_no() {
    let shop = Workshop::new().await;
    let lib = shop.step("lib", Vec::new()).await;
    shop.step("app", vec![lib]).await;
    shop.desk.write("app", "app");
    fs::copy(shop.in_bucket("app.sigstore.json"), shop.desk.path("app.sigstore.json")).unwrap();
    // No settings for the store, and the artifact needs none.
    let arguments = ["verify", "--chain", "--key", "keys/attest.pub", "app"];
    let ended = shop.desk.run(arguments).with(64).says("AWS_REGION");
    assert!(ended.out.starts_with("error     app\n  usage: its chain fails at inputs/lib: "), "{ended:?}");
    assert!(ended.out.contains("\n  error     inputs/lib"), "{ended:?}");
}

/// The store is a part of what a link is; only a policy can say that two addresses are one.
#[tokio::test(flavor = "multi_thread")]
async fn an_input_from_another_store_is_another_object() {
    let shop = Workshop::new().await;
    let mut lib = shop.step("lib", Vec::new()).await;
    // Said, and not asked: no such host is there to be asked.
    lib.annotations.insert("endpoint".into(), "http://store.in.the.cluster:9000".into());
    shop.step("app", vec![lib]).await;
    let (app, said) =
        (uri("app"), format!("in the store {}, and the artifact is in http://store", shop.endpoint));
    shop.chain(&[&app]).with(1).says("its chain fails at inputs/lib: ").says(&said);
    let policy = |addresses: &str| {
        let text = format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: k, file: keys/attest.pub}}]\n\
             builders: [{{id: \"{BUILDER}\", keys: [k]}}]\nstores: [{{name: ours, addresses: [{addresses}]}}]\n"
        );
        shop.desk.write("policy.yaml", text);
        shop.run(&["verify", "--chain", "--policy", "policy.yaml", &app])
    };
    policy(&format!("\"{}\", \"http://Store.in.the.cluster.:9000/\"", shop.endpoint)).with(0);
    policy("\"http://store.in.the.cluster:9000\"").with(1).says(&said);
}

/// Object and attestation, as they are, in the bucket of that name in another store.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_another_store_is_another_object() {
    let (here, there) = (Workshop::new().await, Workshop::new().await);
    here.step("app", Vec::new()).await;
    for name in ["app", "app.sigstore.json", "app.intoto.jsonl"] {
        fs::copy(here.in_bucket(name), there.in_bucket(name)).unwrap();
    }
    fs::create_dir(there.desk.path("theirs")).unwrap();
    fs::copy(here.desk.path("keys/attest.pub"), there.desk.path("theirs/attest.pub")).unwrap();
    let verify = ["verify", "--key", "theirs/attest.pub", "s3://bucket/app"];
    let said = format!("in the store {}, and the artifact is in {}", here.endpoint, there.endpoint);
    there.run(&verify).with(1).says(&said).says("help: take it from the store that it was attested in");
    // Downloaded it is those bytes, wherever they lay.
    fs::copy(there.in_bucket("app"), there.desk.path("app")).unwrap();
    fs::copy(there.in_bucket("app.sigstore.json"), there.desk.path("app.sigstore.json")).unwrap();
    there.run(&["verify", "--key", "theirs/attest.pub", "app"]).with(0);
    there
        .run(&["verify", "--key", "theirs/attest.pub", "--bundle", "app.sigstore.json", "s3://bucket/app"])
        .with(1)
        .says(&said);
    // Nor in the same store under another key.
    for name in ["app", "app.sigstore.json", "app.intoto.jsonl"] {
        fs::copy(here.in_bucket(name), here.in_bucket(&name.replacen("app", "copy", 1))).unwrap();
    }
    here.run(&["verify", "--key", "keys/attest.pub", &uri("copy")]).with(1).says("both were moved here");
    let json = here.run(&["verify", "--json", "--key", "keys/attest.pub", &uri("app")]).with(0);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["placed"], true);
}
