//! What the options change in what is added, and what is told of what cannot be.

use argo_attest_core::inject::{
    Caveat, Certifying, Obstacle, PullPolicy, Refusal, Resources, RunAs, Settings, Witnessing, inject,
    remove, update,
};
use argo_attest_core::trouble::Trouble as _;
use serde_json::{Value, json};

use super::oracle::{names, read, spec, templates};
use super::{injected, settings};

const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n";
const ASKS: &str = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";

fn build(rest: &str) -> String {
    format!("{HEAD}  templates:\n  - name: build\n    {ASKS}\n{rest}    container: {{image: alpine}}\n")
}

/// The first template, or the first container, of what is made.
fn template(text: &str, settings: &Settings) -> Value {
    templates(&read(&injected(text, settings).unwrap().text)[0])[0].clone()
}

fn container(settings: &Settings) -> Value {
    template(&build(""), settings)["initContainers"][0].clone()
}

#[test]
fn resources_are_those_that_are_given() {
    let own = container(&settings());
    assert_eq!(
        own["resources"],
        json!({"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}})
    );
    let quota = Resources {
        cpu_request: None,
        cpu_limit: Some("500m".parse().unwrap()),
        memory_limit: Some("1Gi".parse().unwrap()),
        ..Resources::default()
    };
    let resources = container(&Settings { resources: quota, ..settings() })["resources"].clone();
    assert_eq!(
        resources,
        json!({"requests": {"memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "1Gi"}})
    );
    let none = Resources { cpu_request: None, cpu_limit: None, memory_request: None, memory_limit: None };
    assert_eq!(container(&Settings { resources: none, ..settings() })["resources"], Value::Null);
}

#[test]
fn a_key_of_a_service_takes_the_place_of_the_secret() {
    let id = "SHA256:kKHRUaqCDq3FQhmx8sYvoASLo7nEGxNaJR6pTZTgBPY";
    let by_service = Settings {
        service_key: Some("hashivault://ci".into()),
        key_variables: vec![
            "VAULT_ADDR=https://vault.example".parse().unwrap(),
            "VAULT_AUTH_ROLE=ci".parse().unwrap(),
        ],
        key_id: Some(id.parse().unwrap()),
        ..settings()
    };
    let text = build("");
    let done = injected(&text, &by_service).unwrap();
    let made = template(&text, &by_service);
    let own = &made["initContainers"][0];
    let env = |name: &str| {
        own["env"].as_array().unwrap().iter().find(|v| v["name"] == name).map(|v| v["value"].clone())
    };
    assert_eq!(env("ARGO_ATTEST_KEY").unwrap(), "hashivault://ci");
    assert_eq!(env("ARGO_ATTEST_KEY_ID").unwrap(), id);
    assert_eq!(env("VAULT_ADDR").unwrap(), "https://vault.example");
    assert_eq!(env("VAULT_AUTH_ROLE").unwrap(), "ci");
    assert!(!done.text.contains("argo-attest-key"), "{}", done.text);
    // From one to the other and back.
    let with_secret = injected(&text, &settings()).unwrap().text;
    assert_eq!(update(&with_secret, &by_service).unwrap().text, done.text);
    assert_eq!(update(&done.text, &settings()).unwrap().text, with_secret);
    assert_eq!(remove(&done.text, &[]).unwrap().text, remove(&with_secret, &[]).unwrap().text);
}

#[test]
fn without_a_key_the_sidecar_alone_gets_a_token() {
    let witnessing = Witnessing {
        variables: vec![("ARGO_ATTEST_TIMESTAMP_URL", "https://time.example.com".to_owned())],
        trusted_root: Some("trust".parse().unwrap()),
    };
    let keyless = |audience: &str| Settings {
        certifying: Some(Certifying {
            fulcio: "https://fulcio.example.com".to_owned(),
            audience: audience.to_owned(),
        }),
        witnessing: witnessing.clone(),
        ..settings()
    };
    let text = build("    inputs: {artifacts: [{name: a, path: /a}]}\n");
    let done = injected(&text, &keyless("sigstore")).unwrap();
    let document = &read(&done.text)[0];
    for container in templates(document)[0]["initContainers"].as_array().unwrap() {
        let is_sidecar = container["name"] == "argo-attest";
        let env = container["env"].as_array().unwrap();
        for (name, value) in [
            ("ARGO_ATTEST_FULCIO_URL", "https://fulcio.example.com"),
            ("ARGO_ATTEST_IDENTITY_TOKEN", "/etc/argo-attest/identity/token"),
            ("ARGO_ATTEST_TOKEN_AUDIENCE", "sigstore"),
        ] {
            assert_eq!(env.contains(&json!({"name": name, "value": value})), is_sidecar, "{container}");
        }
        let mount = json!({
            "name": "argo-attest-identity", "mountPath": "/etc/argo-attest/identity", "readOnly": true
        });
        let mounts = container["volumeMounts"].as_array().unwrap();
        assert_eq!(mounts.contains(&mount), is_sidecar, "{container}");
    }
    let token = json!({"path": "token", "audience": "sigstore", "expirationSeconds": 3600});
    let volume = json!({
        "name": "argo-attest-identity", "projected": {"sources": [{"serviceAccountToken": token}]}
    });
    assert!(spec(document)["volumes"].as_array().unwrap().contains(&volume), "{document}");
    assert!(!done.text.contains("argo-attest-key"), "{}", done.text);
    // From one to the other and back, and to another audience.
    let with_secret = injected(&text, &settings()).unwrap().text;
    assert_eq!(update(&with_secret, &keyless("sigstore")).unwrap().text, done.text);
    assert_eq!(update(&done.text, &settings()).unwrap().text, with_secret);
    assert_eq!(remove(&done.text, &[]).unwrap().text, remove(&with_secret, &[]).unwrap().text);
    let other = injected(&text, &keyless("fulcio")).unwrap().text;
    assert_eq!(update(&done.text, &keyless("fulcio")).unwrap().text, other);
    inject(&done.text, &keyless("fulcio")).unwrap_err();

    // A volume of that name that is another is somebody's, and stays.
    for theirs in [
        "{name: argo-attest-identity, projected: {sources: [{serviceAccountToken: {path: token}}]}}",
        "{name: argo-attest-identity, projected: {sources: [{serviceAccountToken: {path: t, audience: a, \
         expirationSeconds: 600}}, {configMap: {name: x}}]}}",
        "{name: argo-attest-identity, projected: {defaultMode: 511, sources: [{serviceAccountToken: {path: token, \
         audience: a, expirationSeconds: 3600}}]}}",
        "{name: argo-attest-identity, emptyDir: {}}",
    ] {
        let text = text.replace("  templates:", &format!("  volumes: [{theirs}]\n  templates:"));
        inject(&text, &keyless("sigstore")).unwrap_err();
        assert_eq!(remove(&text, &[]).unwrap().text, text, "{theirs}");
    }
}

#[test]
fn images_are_pulled_as_is_given() {
    assert_eq!(container(&settings())["imagePullPolicy"], Value::Null);
    let always = Settings { pull_policy: Some(PullPolicy::Always), ..settings() };
    assert_eq!(container(&always)["imagePullPolicy"], "Always");
    let secrets =
        Settings { pull_secrets: vec!["regcred".parse().unwrap(), "other".parse().unwrap()], ..settings() };
    let both = Settings { all: true, ..secrets.clone() };
    for settings in [&secrets, &both] {
        for (there, after) in [
            ("", vec!["regcred", "other"]),
            ("  imagePullSecrets: []\n", vec!["regcred", "other"]),
            ("  imagePullSecrets:\n  - name: theirs\n", vec!["theirs", "regcred", "other"]),
            ("  imagePullSecrets: [{name: regcred}]\n", vec!["other", "regcred"]),
            ("  imagePullSecrets: [{name: regcred}, {name: other}]\n", vec!["regcred", "other"]),
        ] {
            let text = build("").replace("  templates:", &format!("{there}  templates:"));
            let done = injected(&text, settings).unwrap();
            assert_eq!(names(spec(&read(&done.text)[0]), "imagePullSecrets"), after);
            // What another option put there goes with what it was put there for.
            let without = update(&done.text, &super::settings()).unwrap();
            assert_eq!(without.text, inject(&text, &super::settings()).unwrap().text);
        }
    }
    let nothing = build("").replace("\"true\"", "\"false\"");
    assert_eq!(injected(&nothing, &secrets).unwrap().text, nothing);
}

#[test]
fn authorities_are_mounted_and_named() {
    for (given, source) in [
        (
            "configmap/store-ca",
            json!({"name": "argo-attest-ca", "configMap": {"name": "store-ca", "optional": true}}),
        ),
        (
            "secret/tls:public.crt",
            json!({"name": "argo-attest-ca", "secret": {"secretName": "tls", "defaultMode": 256, "optional": true}}),
        ),
    ] {
        let settings = Settings { authorities: Some(given.parse().unwrap()), ..settings() };
        let done = injected(&build("    inputs: {artifacts: [{name: a, path: /a}]}\n"), &settings).unwrap();
        let document = &read(&done.text)[0];
        let key = given.split_once(':').map_or("ca.crt", |(_, key)| key);
        for container in templates(document)[0]["initContainers"].as_array().unwrap() {
            let env = container["env"].as_array().unwrap();
            assert!(
                env.contains(
                    &json!({"name": "SSL_CERT_FILE", "value": format!("/etc/argo-attest/ca/{key}")})
                )
            );
            assert!(names(container, "volumeMounts").contains(&"argo-attest-ca"));
        }
        assert!(spec(document)["volumes"].as_array().unwrap().contains(&source), "{document}");
    }
}

#[test]
fn both_containers_are_told_where_spans_go() {
    let text = build("    inputs: {artifacts: [{name: a, path: /a}]}\n");
    let url = "http://collector.observability:4318";
    let otlp = Settings { otlp_endpoint: Some(url.into()), ..settings() };
    let told = json!({"name": "ARGO_ATTEST_OTLP_ENDPOINT", "value": url});
    let count = |text: &str| {
        let made = templates(&read(text)[0])[0].clone();
        let containers = made["initContainers"].as_array().unwrap().clone();
        containers.iter().filter(|c| c["env"].as_array().unwrap().contains(&told)).count()
    };
    let without = injected(&text, &settings()).unwrap().text;
    let with = injected(&text, &otlp).unwrap().text;
    assert_eq!((count(&without), count(&with)), (0, 2), "{with}");
    // It comes and goes with the option.
    assert_eq!(update(&without, &otlp).unwrap().text, with);
    assert_eq!(update(&with, &settings()).unwrap().text, without);
}

#[test]
fn who_vouches_is_told_to_the_sidecar_and_to_nobody_else() {
    let witnessing = Witnessing {
        variables: vec![("ARGO_ATTEST_REKOR_URL", "https://log.example.com".to_owned())],
        trusted_root: Some("trust".parse().unwrap()),
    };
    let settings = Settings { witnessing, ..settings() };
    let done = injected(&build("    inputs: {artifacts: [{name: a, path: /a}]}\n"), &settings).unwrap();
    let document = &read(&done.text)[0];
    for container in templates(document)[0]["initContainers"].as_array().unwrap() {
        let is_sidecar = container["name"] == "argo-attest";
        let env = container["env"].as_array().unwrap();
        for (name, value) in [
            ("ARGO_ATTEST_REKOR_URL", "https://log.example.com"),
            ("ARGO_ATTEST_TRUSTED_ROOT", "/etc/argo-attest/trust/trusted_root.json"),
        ] {
            assert_eq!(env.contains(&json!({"name": name, "value": value})), is_sidecar, "{container}");
        }
        assert_eq!(
            names(container, "volumeMounts").contains(&"argo-attest-trust"),
            is_sidecar,
            "{container}"
        );
    }
    let volume = json!({"name": "argo-attest-trust", "configMap": {"name": "trust", "optional": true}});
    assert!(spec(document)["volumes"].as_array().unwrap().contains(&volume), "{document}");
    // What was put there for it goes with it.
    let without = update(&done.text, &super::settings()).unwrap();
    let bare = build("    inputs: {artifacts: [{name: a, path: /a}]}\n");
    assert_eq!(without.text, inject(&bare, &super::settings()).unwrap().text);
}

#[test]
fn the_user_can_be_left_to_the_platform() {
    let platform = Settings { run_as: RunAs::Platform, not_ready_fails: true, ..settings() };
    for text in [build(""), build("    securityContext: {runAsNonRoot: true}\n")] {
        let done = injected(&text, &platform).unwrap();
        assert!(!done.text.contains("runAsUser"), "{}", done.text);
        assert!(done.text.contains("defaultMode: 292"), "{}", done.text);
    }
}

#[test]
fn secrets_that_artifacts_name_are_mounted() {
    let s3 = |secret: &str| {
        format!(
            "s3: {{key: k, accessKeySecret: {{name: {secret}, key: a}}, secretKeySecret: {{name: {secret}, key: s}}}}"
        )
    };
    let text = format!(
        "{HEAD}  templates:\n  - name: build\n    {ASKS}\n    archiveLocation: {{{}}}\n    container: {{image: x}}\n    \
         outputs: {{artifacts: [{{name: o, path: /o, {}}}]}}\n  - name: use\n    {ASKS}\n    inputs: {{artifacts: [{{name: i, path: /i}}]}}\n    container: {{image: x}}\n",
        s3("archive"),
        s3("s3-credentials"),
    );
    let done = injected(&text, &settings()).unwrap();
    let document = &read(&done.text)[0];
    let paths = |container: &Value| {
        let mounts = container["volumeMounts"].as_array().unwrap().iter();
        mounts
            .filter_map(|mount| mount["mountPath"].as_str()?.strip_prefix("/argo/secret/").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let made = templates(document);
    assert_eq!(paths(&made[0]["initContainers"][0]), ["s3-credentials", "archive"]);
    // What it takes may be what the other has left.
    assert_eq!(paths(&made[1]["initContainers"][0]), ["s3-credentials", "archive"]);
    let volumes = names(spec(document), "volumes");
    assert_eq!(
        volumes.iter().filter(|name| name.starts_with("argo-attest-store-")).count(),
        1,
        "{volumes:?}"
    );
    // In the defaults, for all.
    let all = Settings { all: true, store_secrets: Vec::new(), ..settings() };
    let done = injected(&text, &all).unwrap();
    let documents = read(&done.text);
    let defaults = &spec(&documents[0])["templateDefaults"];
    assert_eq!(paths(&defaults["initContainers"][1]), ["archive", "s3-credentials"]);
    // One that is not known yet cannot be.
    let later = text.replace("name: archive,", "name: \"{{inputs.parameters.s}}\",");
    let done = injected(&later, &settings()).unwrap();
    assert!(
        done.warnings
            .iter()
            .any(|warning| warning.caveat == Caveat::Secret("{{inputs.parameters.s}}".into()))
    );
    let many = (0..60)
        .map(|at| format!("{{name: o{at}, path: /o, {}}}", s3(&format!("secret-{at}"))))
        .collect::<Vec<_>>();
    let many = build(&format!("    outputs: {{artifacts: [{}]}}\n", many.join(", ")));
    assert!(matches!(
        inject(&many, &settings()),
        Err(Refusal::Template { why: Obstacle::Secrets { .. }, .. })
    ));
}

#[test]
fn templates_can_be_chosen() {
    let two = format!("{}  - name: test\n    script: {{image: x}}\n", build(""));
    let only = |name: &str, all: bool| Settings { templates: vec![name.into()], all, ..settings() };
    let made = |settings: &Settings| {
        let done = injected(&two, settings).unwrap();
        let document = read(&done.text).remove(0);
        assert_eq!(spec(&document)["templateDefaults"], Value::Null);
        (
            templates(&document)
                .iter()
                .map(|template| names(template, "initContainers").len())
                .collect::<Vec<_>>(),
            done.named.len(),
        )
    };
    assert_eq!(made(&settings()), (vec![1, 0], 0));
    assert_eq!(made(&only("build", false)), (vec![1, 0], 1));
    assert_eq!(made(&only("test", false)), (vec![0, 0], 1));
    assert_eq!(made(&only("test", true)), (vec![0, 1], 1));
    assert_eq!(made(&only("other", true)), (vec![0, 0], 0));
    // Of the others, what is there stays, and what it uses.
    let first = injected(&two, &settings()).unwrap().text;
    let both = inject(&first, &only("test", true)).unwrap().text;
    let left = remove(&both, &["test".to_owned()]).unwrap();
    assert_eq!(left.text, first);
    let newer = Settings { image: "new".into(), ..only("test", true) };
    let updated = update(&both, &newer).unwrap().text;
    assert_eq!(updated.matches("image: new").count(), 1);
    assert_eq!(updated.matches("image: \"registry.example/argo-attest:1\"").count(), 1);
}

/// What is warned of in a template.
fn caveats(template: &str) -> Vec<Caveat> {
    let done =
        injected(&format!("{HEAD}  templates:\n  - name: t\n    {ASKS}\n{template}"), &settings()).unwrap();
    done.warnings.into_iter().map(|warning| warning.caveat).collect()
}

#[test]
fn what_cannot_be_attested_is_told() {
    for (kind, line) in [
        ("suspend", "    suspend: {}\n"),
        ("resource", "    resource: {action: create}\n"),
        ("http", "    http: {url: \"http://x\"}\n"),
        ("steps", "    steps: []\n"),
    ] {
        assert_eq!(caveats(line), [Caveat::Kind(kind)]);
    }
    let main = "    container: {image: x, volumeMounts: [{name: v, mountPath: /out}]}\n";
    assert_eq!(caveats(main), [Caveat::NoArtifacts]);
    assert_eq!(caveats(&format!("    daemon: true\n{main}")), [Caveat::Daemon]);
    let outputs = |of: &str| format!("{main}    outputs: {{artifacts: [{of}]}}\n");
    assert_eq!(caveats(&outputs("{name: o, path: /out/a}, {name: p, path: \"{{x}}\"}")), []);
    // What is in main's own file system is attested as Argo packs it.
    assert_eq!(caveats(&outputs("{name: o, path: /tmp/o}")), []);
    let gcs = Caveat::Store { output: "o".into(), store: "gcs" };
    assert_eq!(caveats(&outputs("{name: o, path: /out/a, gcs: {key: k}}")), std::slice::from_ref(&gcs));
    let archive = format!(
        "    archiveLocation: {{gcs: {{bucket: b}}}}\n{}",
        outputs("{name: o, path: /out/a}, {name: p, path: /out/b, s3: {key: k}}")
    );
    assert_eq!(caveats(&archive), [gcs]);
}

#[test]
fn annotations_that_nobody_reads_are_refused_wherever_they_are() {
    let told = |text: &str| {
        let refusal = inject(text, &settings()).unwrap_err();
        (refusal.to_string(), refusal.remedy().unwrap())
    };
    let suspended = format!(
        "{HEAD}  templates:\n  - name: t\n    metadata: {{annotations: {{argo-attest.io/atest: \"true\"}}}}\n    suspend: {{}}\n"
    );
    let (what, remedy) = told(&suspended);
    assert!(what.contains("\"argo-attest.io/atest\" is none of argo-attest's"), "{what}");
    assert!(remedy.starts_with("did you mean argo-attest.io/attest?"), "{remedy}");
    let placed = build("").replace("{name: w}", "{name: w, annotations: {argo-attest.io/attest: \"true\"}}");
    assert!(told(&placed).0.contains("in the metadata of the workflow"));
    let other = "{name: w, annotations: {argo-attest.io/x: y}}";
    assert!(told(&build("").replace("{name: w}", other)).0.contains("is none of argo-attest's"));
    let pods = build("").replace(
        "  templates:",
        "  podMetadata: {annotations: {argo-attest.io/verify-input: \"true\"}}\n  templates:",
    );
    assert!(told(&pods).1.contains("did you mean argo-attest.io/verify-inputs?"));
}

#[test]
fn what_only_annotations_ask_for_is_refused_among_labels() {
    let label = "labels: {argo-attest.io/attest: \"true\"}";
    let of_template = build("").replace(ASKS, &format!("metadata: {{{label}}}"));
    let of_workflow = build("").replace("{name: w}", &format!("{{name: w, {label}}}"));
    let of_pods = build("").replace("  templates:", &format!("  podMetadata: {{{label}}}\n  templates:"));
    for text in [of_template, of_workflow, of_pods] {
        assert_ne!(text, build(""));
        let refusal = inject(&text, &settings()).unwrap_err();
        assert!(refusal.to_string().contains("argo-attest.io/attest is among the labels"), "{refusal}");
        assert_eq!(refusal.remedy().unwrap(), "write it among the annotations of the same metadata");
    }
}

/// As Argo has it: what is said of all pods is said of each, unless the template says otherwise.
#[test]
fn what_all_pods_are_annotated_with_counts() {
    let of_pods = |value: &str| {
        let said =
            format!("  podMetadata: {{annotations: {{argo-attest.io/attest: \"{value}\"}}}}\n  templates:");
        build("").replace(&format!("    {ASKS}\n"), "").replace("  templates:", &said)
    };
    let asks = |text: &str| crate::added(text, &settings()).contains("name: argo-attest\n");
    assert!(asks(&of_pods("true")));
    assert!(!asks(&of_pods("false")));
    let own = "metadata: {annotations: {argo-attest.io/attest: \"false\"}}\n    container:";
    assert!(!asks(&of_pods("true").replace("container:", own)));
}

/// Who is asked about images is logged in to where it is asked, and nowhere else.
#[test]
fn logins_to_registries_go_to_those_who_ask_one() {
    let with = Settings { registry_secret: Some("pull".parse().unwrap()), ..settings() };
    let step = |annotations: &str| {
        format!(
            "{HEAD}  templates:\n  - name: build\n    metadata: {{annotations: {{{annotations}}}}}\n    container: {{image: alpine}}\n"
        )
    };
    let has = |container: &Value| {
        let env = container["env"].as_array().unwrap();
        let told =
            env.iter().any(|v| v["name"] == "DOCKER_CONFIG" && v["value"] == "/etc/argo-attest/registry");
        let mounts = container["volumeMounts"].as_array().unwrap();
        let mounted = mounts.iter().any(|mount| {
            *mount == json!({"name": "argo-attest-registry", "mountPath": "/etc/argo-attest/registry", "readOnly": true})
        });
        assert_eq!(told, mounted, "{container}");
        told
    };
    for (annotations, expected) in [
        ("argo-attest.io/attest: 'true'", vec![("argo-attest", false)]),
        ("argo-attest.io/images: 'r.example/a:1'", vec![("argo-attest", true)]),
        ("argo-attest.io/verify-images: 'true'", vec![("argo-attest-gate", true)]),
        (
            "argo-attest.io/attest: 'true', argo-attest.io/verify-images: 'true'",
            vec![("argo-attest-gate", true), ("argo-attest", false)],
        ),
    ] {
        let text = step(annotations);
        let made = template(&text, &with);
        let all = made["initContainers"].as_array().unwrap();
        let found: Vec<_> = all.iter().map(|one| (one["name"].as_str().unwrap(), has(one))).collect();
        assert_eq!(found, expected, "{annotations}");
        // There and back, with the Secret and without.
        let done = injected(&text, &with).unwrap().text;
        let without = injected(&text, &settings()).unwrap().text;
        assert_eq!(done.contains("secretName: pull"), expected.iter().any(|(_, has)| *has), "{done}");
        assert_eq!(update(&without, &with).unwrap().text, done);
        assert_eq!(update(&done, &settings()).unwrap().text, without);
        assert_eq!(remove(&done, &[]).unwrap().text, remove(&without, &[]).unwrap().text);
    }
}
