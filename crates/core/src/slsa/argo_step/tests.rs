//! The predicate as a whole, on templates that Argo's own types wrote.

use super::*;
use crate::argo::{TemplateText, encode};

const BASE: &str = include_str!("../../../../../tests/fixtures/argo/templates/base.json");
const VOLUME: &str = include_str!("../../../../../tests/fixtures/argo/templates/volume.json");
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn step(source: Source, text: &str) -> Step {
    Step::parse(&TemplateText::new(source, text.as_bytes().to_vec()).unwrap()).unwrap()
}

fn identity() -> PodIdentity {
    let some = |text: &str| Some(text.to_owned());
    PodIdentity {
        pod_name: some("wf-abc-step-123"),
        pod_uid: some("7c9e6679"),
        pod_namespace: some("ci"),
        service_account: some("builder"),
        node_name: some("wf-abc.step(0)"),
        node_id: some("wf-abc-123"),
        workflow_name: some("wf-abc"),
        workflow_uid: some("550e8400"),
    }
}

fn run<'a>(step: &'a Step, parameters: Option<&'a Parameters>, identity: &'a PodIdentity) -> StepRun<'a> {
    StepRun {
        step,
        template: TemplateSource::Workflow,
        parameters,
        identity,
        builder_id: "https://ci.example.com/argo",
        started_on: Some("2026-11-23T10:15:00Z".parse().unwrap()),
        finished_on: Some("2026-11-23T10:16:00Z".parse().unwrap()),
        exit_codes: [("main".to_owned(), 0)].into(),
        form: "native",
        files_digested: (3, 1),
        bytes_digested: (300, 10),
        input_evidence: BTreeMap::new(),
        image_evidence: BTreeMap::new(),
    }
}

fn json(provenance: &Provenance) -> Value {
    serde_json::to_value(provenance).unwrap()
}

/// Without our version, which every release changes.
fn versionless(provenance: &Provenance) -> Provenance {
    let mut provenance = provenance.clone();
    provenance.run_details.builder.version.clear();
    provenance
}

fn dependency<'a>(provenance: &'a Provenance, name: &str) -> &'a ResourceDescriptor {
    provenance.build_definition.resolved_dependencies.iter().find(|d| d.name == name).unwrap()
}

#[test]
fn says_what_ran_and_on_what() {
    let (step, identity) = (step(Source::Env, BASE), identity());
    let parameters = Parameters::parse(
        r#"[{"name":"target","value":"all"},{"name":"none"},{"name":"empty","value":""},{"name":"target","value":"x"}]"#,
    )
    .unwrap();
    let provenance = run(&step, Some(&parameters), &identity).provenance(Vec::new());
    insta::assert_json_snapshot!(versionless(&provenance));
    let text = json(&provenance).to_string();
    for secret in ["hunter2", "user:token", "sig=secret", "accesskey", "s3-cred"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(Provenance::from_predicate(&text).unwrap(), provenance);
}

#[test]
fn leaves_out_what_is_not_known() {
    let (step, identity) = (step(Source::TemplateFile, VOLUME), PodIdentity::default());
    let provenance = StepRun {
        started_on: None,
        finished_on: None,
        exit_codes: BTreeMap::new(),
        form: "sidecar",
        template: TemplateSource::Text,
        ..run(&step, None, &identity)
    }
    .provenance(Vec::new());
    insta::assert_json_snapshot!(versionless(&provenance));
}

#[test]
fn long_values_are_told_by_their_digest() {
    let long = "x".repeat(TEXT_LIMIT + 1);
    let text = encode(&serde_json::json!({"container": {"image": "i", "args": [long, "short"]}})).unwrap();
    let (step, identity) = (step(Source::Env, &text), identity());
    let parameters = Parameters::parse(&format!(r#"[{{"name":"p","value":"{long}"}}]"#)).unwrap();
    let provenance = json(&run(&step, Some(&parameters), &identity).provenance(Vec::new()));
    let digest = serde_json::json!({
        "sha256": Sha256Digest::of(long.as_bytes()).to_string(), "size": TEXT_LIMIT + 1,
    });
    let external = &provenance["buildDefinition"]["externalParameters"];
    assert_eq!(external["inputs"]["parameters"]["p"], digest);
    assert_eq!(external["template"]["containers"][0]["args"], serde_json::json!([digest, "short"]));
    assert_eq!(bounded(&"x".repeat(TEXT_LIMIT)), Value::from("x".repeat(TEXT_LIMIT)));
    // Whoever may read the attestation could sign with it.
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    assert_eq!(bounded(key)["size"], key.len());
}

#[test]
fn a_commit_is_a_digest_and_a_tag_is_not() {
    let identity = identity();
    let tagged = step(Source::Env, BASE);
    let provenance = run(&tagged, None, &identity).provenance(Vec::new());
    assert!(dependency(&provenance, "inputs/repo").digest.is_empty());
    let pinned = step(Source::Env, &BASE.replace("v1.2.3", COMMIT));
    let provenance = run(&pinned, None, &identity).provenance(Vec::new());
    let repo = dependency(&provenance, "inputs/repo");
    assert_eq!(repo.digest.iter().collect::<Vec<_>>(), [("gitCommit", COMMIT)]);
    assert_eq!(repo.uri, format!("git+https://git.example.com/x.git@{COMMIT}"));
}

#[test]
fn an_input_carries_what_vouches_for_it() {
    let (step, identity) = (step(Source::Env, BASE), identity());
    let (object, attestation) = (Sha256Digest::of(b"object"), Sha256Digest::of(b"attestation"));
    let evidence = InputEvidence {
        digest: object.into(),
        attestation: Some(AttestationRef {
            uri: "s3://artifacts/a.sigstore.json".into(),
            sha256: attestation,
        }),
    };
    let input_evidence =
        BTreeMap::from([("source".to_owned(), evidence.clone()), ("words".into(), evidence)]);
    let provenance = StepRun { input_evidence, ..run(&step, None, &identity) }.provenance(Vec::new());
    let source = dependency(&provenance, "inputs/source");
    assert_eq!(source.digest.sha256(), Some(object));
    assert_eq!(source.annotations["attestation"]["sha256"], attestation.to_string());
    // Text in the template is what it is, whoever says otherwise.
    assert_eq!(dependency(&provenance, "inputs/words").digest.sha256(), Some(Sha256Digest::of(b"hello")));
}

#[test]
fn evidence_about_a_log_takes_the_place_of_its_mention() {
    let (step, identity) = (step(Source::Env, BASE), identity());
    let mentioned = run(&step, None, &identity).provenance(Vec::new()).run_details.byproducts;
    assert_eq!(mentioned.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["logs/main"]);
    let digested = ResourceDescriptor { digest: Sha256Digest::of(b"").into(), ..mentioned[0].clone() };
    let given = run(&step, None, &identity).provenance(vec![digested.clone()]).run_details.byproducts;
    assert_eq!(given, [digested]);
}

#[test]
fn the_policy_finds_the_fields_it_asks_for() {
    let (step, identity) = (step(Source::Env, BASE), identity());
    let external = run(&step, None, &identity).provenance(Vec::new()).build_definition.external_parameters;
    let field = |object: &str, field: &str| external.get(object)?.get(field)?.as_str();
    assert_eq!(field("workflow", "name"), Some("wf-abc"));
    assert_eq!(field("workflow", "namespace"), Some("ci"));
    assert_eq!(field("template", "name"), Some("base"));
}
