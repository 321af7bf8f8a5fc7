//! `audit --vsa` and `--signed-report`, from outside: what is signed of a whole workflow.

use std::fs;
use std::process::Command;

use argo_attest_core::digest::Sha256Digest;
use serde_json::{Value, json};

use crate::audit::built;
use crate::program::Ended;
use crate::skip::skip;
use crate::workshop::{BUILDER, Workshop, uri};

const VERIFIER: &str = "https://verify.example.com/release";
const WORKFLOW: &str = "argo://ci/build-1";
const LAST: &str = "wf/p2/image.tar";

async fn released(level: &str) -> Workshop {
    let shop = built().await;
    shop.desk.run(["keygen", "--out-dir", "verifier"]).with(0);
    shop.desk.write(
        "policy.yaml",
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys:\n  - {{name: ci, file: keys/attest.pub}}\n\
             builders:\n  - {{id: \"{BUILDER}\", keys: [ci]{level}}}\n"
        ),
    );
    shop
}

fn audit(shop: &Workshop, more: &[&str]) -> Ended {
    let fixed = ["audit", "--policy", "policy.yaml", "--vsa-key", "verifier/attest.key"];
    shop.run(&[&fixed[..], &["--vsa-verifier-id", VERIFIER], more].concat())
}

fn summarise(shop: &Workshop, more: &[&str]) -> Ended {
    audit(shop, &[&["-f", "wf.json", "--vsa", "wf.vsa.json"], more].concat())
}

fn statement(shop: &Workshop, file: &str) -> Value {
    use base64::Engine as _;
    let file: Value = serde_json::from_slice(&fs::read(shop.desk.path(file)).unwrap()).unwrap();
    let envelope = file.get("dsseEnvelope").unwrap_or(&file);
    let payload = envelope["payload"].as_str().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
}

fn digest_of(path: std::path::PathBuf) -> String {
    Sha256Digest::of(&fs::read(path).unwrap()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_summarised_by_its_final_outputs() {
    let shop = released(", level: SLSA_BUILD_LEVEL_2").await;
    summarise(&shop, &[]).with(0);
    let made = statement(&shop, "wf.vsa.json");
    // What the second step took of the first is no output of the workflow.
    let subject = json!([{"name": uri(LAST), "digest": {"sha256": digest_of(shop.in_bucket(LAST))}}]);
    assert_eq!(made["subject"], subject);
    let predicate = &made["predicate"];
    let input = |key: &str| {
        let bundle = format!("{key}.sigstore.json");
        json!({"uri": uri(&bundle), "digest": {"sha256": digest_of(shop.in_bucket(&bundle))}})
    };
    let expected = json!({
        "verifier": {"id": VERIFIER},
        "timeVerified": predicate["timeVerified"],
        "resourceUri": WORKFLOW,
        "policy": {"digest": {"sha256": digest_of(shop.desk.path("policy.yaml"))}},
        "inputAttestations": [input("wf/p1/app.tgz"), input(LAST)],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
        "slsaVersion": "1.2",
    });
    assert_eq!(predicate, &expected);

    // One thing missing, and it says so, in the same place; whatever is well attested.
    for form in ["sigstore.json", "intoto.jsonl"] {
        fs::remove_file(shop.in_bucket(&format!("wf/p1/argo-attest-outcome-u1.{form}"))).unwrap();
    }
    summarise(&shop, &[]).with(1).says("the summary says FAILED");
    let failed = statement(&shop, "wf.vsa.json");
    assert_eq!(failed["subject"], subject);
    let [result, levels] = ["verificationResult", "verifiedLevels"].map(|of| &failed["predicate"][of]);
    assert_eq!((result, levels), (&json!("FAILED"), &json!(["FAILED"])));

    // A text from before the workflow ended, and one of a workflow that failed.
    for (phase, code) in [("Running", 1), ("", 1), ("Failed", 0)] {
        let shop = released("").await;
        let mut text: Value = serde_json::from_slice(&shop.desk.read("wf.json")).unwrap();
        text["status"]["phase"] = phase.into();
        shop.desk.write("wf.json", text.to_string());
        let ended = summarise(&shop, &["-o", "json", "--signed-report", "report.json"]).with(code);
        ended.says("the summary says FAILED");
        assert_eq!(statement(&shop, "wf.vsa.json")["predicate"]["verificationResult"], "FAILED", "{phase}");
        assert_eq!(statement(&shop, "report.json")["predicate"]["complete"], code == 0, "{phase}");
    }

    // Nothing to be about.
    fs::remove_file(shop.desk.path("wf.vsa.json")).unwrap();
    for key in [LAST, "wf/p1/app.tgz"] {
        fs::write(shop.in_bucket(key), "altered").unwrap();
    }
    summarise(&shop, &[]).with(1).says("no summary is written: no final output of the workflow is attested");
    assert!(!shop.desk.path("wf.vsa.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_audited_where_nothing_could_be_signed() {
    let shop = released("").await;
    let key = ["audit", "-f", "wf.json", "--vsa-key", "verifier/attest.key", "--vsa-verifier-id", VERIFIER];
    let own = [&key[..], &["--key", "keys/attest.pub", "--vsa", "x"]].concat();
    shop.run(&own).with(64).says("by which policy");
    for (arguments, code, told) in [
        (&["--vsa", "x", &uri("wf/")][..], 64, "one workflow, and there are 0"),
        (&["-f", "wf.json", "-f", "wf.json", "--vsa", "x"], 64, "one workflow, and there are 2"),
        (&["-f", "wf.json", "--vsa", "x", "--since", "24h"], 64, "--since looks at what changed"),
        (&["argo://ci/", "--vsa", "x"], 64, "argo://ci/ is whatever there is"),
        (&["argo://ci/", "--vsa", "x", "-l", "a=b"], 64, "name it: argo://NAMESPACE/NAME"),
        (&["-o", "json", "--shard", "1/2", "--vsa", "x", &uri("wf/")], 64, "not for a part of one"),
        (&["-f", "wf.json", "--vsa", "no/x"], 74, "cannot write the summary"),
        (&["-f", "wf.json", "--vsa", "-"], 64, "standard output"),
        (&["-f", "wf.json", "--signed-report", "x"], 64, "-o json"),
        (&["-f", "wf.json", "-o", "json", "-q", "--signed-report", "x"], 64, "--quiet"),
    ] {
        let ended = audit(&shop, arguments).with(code).says(told);
        assert!(ended.out.is_empty(), "{ended:?}");
    }
    for alone in [&["--vsa", "x"][..], &["--signed-report", "x"]] {
        shop.run(&[&["audit", "--policy", "policy.yaml", "-f", "wf.json"], alone].concat()).with(64);
    }
    assert!(!shop.desk.path("x").exists());
    // What nobody declared is not made up.
    summarise(&shop, &["--vsa-resource-uri", "https://example.com/releases/1"]).with(0);
    let predicate = &statement(&shop, "wf.vsa.json")["predicate"];
    assert_eq!(predicate["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_UNEVALUATED"]));
    assert_eq!(predicate["resourceUri"], "https://example.com/releases/1");
}

/// SLSA's own verifier.
#[tokio::test(flavor = "multi_thread")]
async fn slsa_verifier_accepts_the_summary_of_a_whole_workflow_only() {
    if Command::new("slsa-verifier").arg("version").output().is_err() {
        return skip("slsa-verifier (make tools)");
    }
    let shop = released(", level: SLSA_BUILD_LEVEL_2").await;
    summarise(&shop, &[]).with(0);
    let accepts = |key: &str, level: &str, digest: &str| {
        let mut program = Command::new("slsa-verifier");
        program.current_dir(shop.desk.path("")).args(["verify-vsa", "--attestation-path", "wf.vsa.json"]);
        program.args(["--subject-digest", &format!("sha256:{digest}"), "--resource-uri", WORKFLOW]);
        program.args(["--verifier-id", VERIFIER, "--verified-level", level, "--public-key-path", key]);
        program.output().unwrap().status.success()
    };
    let (verifier, level) = ("verifier/attest.pub", "SLSA_BUILD_LEVEL_2");
    let (last, first) = (digest_of(shop.in_bucket(LAST)), digest_of(shop.in_bucket("wf/p1/app.tgz")));
    assert!(accepts(verifier, level, &last));
    assert!(!accepts(verifier, level, &first), "what went in is no output");
    assert!(!accepts(verifier, "SLSA_BUILD_LEVEL_3", &last));
    assert!(!accepts("keys/attest.pub", level, &last));
    fs::remove_file(shop.in_bucket("wf/p1/app.tgz")).unwrap();
    summarise(&shop, &[]).with(1);
    assert!(!accepts(verifier, level, &last), "FAILED is not accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_signed_with_its_page() {
    let shop = released("").await;
    for (form, name) in [("json", "audit.json"), ("csv", "audit.csv"), ("junit", "audit.xml")] {
        let arguments =
            ["-f", "wf.json", "-o", form, "--html", "page.html", "--signed-report", "audit.sigstore.json"];
        let ended = audit(&shop, &arguments).with(0);
        shop.desk.write(name, &ended.out);
        let made = statement(&shop, "audit.sigstore.json");
        assert_eq!(made["predicateType"], "https://argo-attest.github.io/audit/v1");
        let subject = json!([
            {"name": name, "digest": {"sha256": Sha256Digest::of(ended.out.as_bytes()).to_string()}},
            {"name": "page.html", "digest": {"sha256": digest_of(shop.desk.path("page.html"))}},
        ]);
        assert_eq!(made["subject"], subject);
        let predicate = &made["predicate"];
        let last = json!([{"name": uri(LAST), "digest": {"sha256": digest_of(shop.in_bucket(LAST))}}]);
        assert_eq!((&predicate["complete"], &predicate["outputs"]), (&json!(true), &last));
        assert_eq!(predicate["totals"], json!([{"verdict": "attested", "count": 2}]));
        assert_eq!(predicate["workflows"][0]["name"], "build-1");
        assert_eq!(predicate["narrowedBy"], json!({"notOurs": ["main.log"]}));
        // We verify it ourselves: of these files and no others, by the auditor's key and no other.
        let verify = |key: &str, file: &str| {
            let typed =
                ["--type", "https://argo-attest.github.io/audit/v1", "--bundle", "audit.sigstore.json"];
            shop.desk.run([&["verify", "--key", key], &typed[..], &[file]].concat())
        };
        verify("verifier/attest.pub", name).with(0);
        verify("verifier/attest.pub", "page.html").with(0);
        verify("keys/attest.pub", name).with(1);
        shop.desk.write("other", "other");
        verify("verifier/attest.pub", "other").with(1);
        let shown = shop.desk.run(["inspect", "audit.sigstore.json"]).with(0);
        assert!(shown.out.contains("audit/v1") && shown.out.contains("page.html"), "{shown:?}");
    }
    // What is missing is named.
    fs::remove_file(shop.in_bucket(LAST)).unwrap();
    audit(&shop, &["-f", "wf.json", "-o", "json", "--signed-report", "audit.json.dsse", &uri("wf/p1/")])
        .with(1);
    let predicate = &statement(&shop, "audit.json.dsse")["predicate"];
    let unmet =
        json!([{"artifact": uri(LAST), "node": "wf-2", "verdict": "refused", "reason": "object-gone"}]);
    assert_eq!((&predicate["complete"], &predicate["unmet"]), (&json!(false), &unmet));
    assert_eq!(predicate["places"], json!([uri("wf/p1/")]));
    // And by what it was narrowed.
    let by = ["--since", "2020-01-01T00:00:00Z", "--not-ours", "a", "--not-ours", "b"];
    let signed = ["-o", "json", "--signed-report", "narrowed.json", &uri("wf/p1/")];
    audit(&shop, &[&by[..], &signed].concat()).with(0);
    let narrowed = &statement(&shop, "narrowed.json")["predicate"]["narrowedBy"];
    assert_eq!(narrowed, &json!({"since": "2020-01-01T00:00:00Z", "notOurs": ["a", "b"]}));
}
