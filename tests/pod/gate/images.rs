//! The images of a step's own containers: attested, or main does not start.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use argo_attest::attestations::MAX_ATTESTATION;
use argo_attest::gate::{ImageInspection, summary};
use argo_attest::registry::Registries;
use argo_attest::verify::Checker;
use argo_attest_core::argo::pod::ContainerImage;
use argo_attest_core::policy::Policy;
use argo_attest_core::verify::Wanted;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::consumer::{Consumer, Ended, Input, policy};
use crate::handed_over::handed_over;
use crate::output::Output;
use crate::pod::{BUILDER, Pod};
use crate::process::binary;
use crate::registry::Registry;
use crate::s3::S3;
use crate::scripted::{Act, Plain, Scripted};
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::upstream::Upstream;

const VERIFY: &str = "argo-attest.io/verify-images";

/// A step that runs this image, in a pod that its gate knows.
struct Case {
    consumer: Consumer,
    keys: Pod,
}

impl Case {
    /// It asks for its images to be checked.
    fn new(image: &str) -> Self {
        Self::asking(image, &json!({VERIFY: "true"}))
    }

    fn asking(image: &str, annotations: &Value) -> Self {
        let s3 = S3::new();
        let keys = Pod::new(s3.address(), Vec::new());
        let mut consumer = Consumer::bare(&s3).policy(&policy("", "")).argument("--plain-http");
        fs::copy(keys.public_key(), consumer.at("policy/ci.pub")).unwrap();
        consumer.template["container"]["image"] = json!(image);
        consumer.template["metadata"] = json!({"annotations": annotations});
        Self { consumer, keys }
    }

    fn policy(self, rest: &str) -> Self {
        Self { consumer: self.consumer.policy(&policy("", rest)), ..self }
    }

    fn argument(self, argument: &str) -> Self {
        Self { consumer: self.consumer.argument(argument), ..self }
    }

    /// Who may, vouches for an image.
    fn attest(&self, registry: &Registry, name: &str, builder: &str) {
        let mut command = binary();
        command.args(["attest", "--plain-http", "--builder-id", builder, "--key"]);
        let ran = command
            .arg(self.keys.at("keys/attest.key"))
            .arg(format!("oci://{}", registry.name(name)))
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    /// The gate, which is handed the pod's spec.
    fn gate(self) -> Ended {
        let spec = made(&self.consumer.template);
        self.handed(&spec)
    }

    fn handed(self, spec: &Value) -> Ended {
        let annotations = self.consumer.template["metadata"]["annotations"].clone();
        let annotations: Vec<_> = annotations
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let text = handed_over(spec, &annotations);
        let ended = self.consumer.env("ARGO_ATTEST_POD_SPEC", &text);
        let (gated, evidence) = (ended.gate(), ended.evidence());
        assert_eq!(gated.code == Some(0), evidence.is_some(), "{gated:#?} {evidence:?}");
        gated
    }

    #[track_caller]
    fn opens(self, message: &str) {
        let ended = self.gate();
        assert_eq!((ended.code, ended.message.as_str()), (Some(0), message), "{}", ended.log);
    }

    #[track_caller]
    fn refuses(self, container: &str, why: &str) {
        let ended = self.gate();
        let start = format!("the image of container {container:?} is not accepted: ");
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.message.starts_with(&start) && ended.message.contains(why), "{}", ended.message);
    }
}

/// The pod as Argo's controller makes it of the template.
fn made(template: &Value) -> Value {
    let wrapped = |container: &Value, name: &str| {
        let mut made = container.clone();
        let mut command = ["/var/run/argo/argoexec", "emissary", "--"].map(|word| json!(word)).to_vec();
        command.extend(container["command"].as_array().into_iter().flatten().cloned());
        made["name"] = json!(name);
        made["command"] = json!(command);
        made
    };
    let mut containers = vec![json!({"name": "wait", "image": "argoexec"})];
    if template["container"].is_object() {
        containers.push(wrapped(&template["container"], "main"));
    }
    let helpers = |list: &Value| list.as_array().cloned().unwrap_or_default();
    for one in helpers(&template["containerSet"]["containers"]).iter().chain(&helpers(&template["sidecars"]))
    {
        containers.push(wrapped(one, one["name"].as_str().unwrap()));
    }
    let mut init = vec![json!({"name": "init", "image": "argoexec"})];
    init.extend(helpers(&template["initContainers"]));
    json!({"spec": {"initContainers": init, "containers": containers}})
}

#[test]
fn an_image_is_accepted_by_the_digest_of_its_index_and_of_its_platform() {
    for kind in ["native", "fallback"] {
        let Some(registry) = Registry::start(kind) else { return };
        let digests = registry.push("team/app:1", 1);
        let first = Case::new(&format!("{}@{}", registry.name("team/app"), digests[0]));
        first.attest(&registry, "team/app:1", BUILDER);
        for digest in &digests {
            // A tag beside a digest is not looked at, by the kubelet neither.
            for tag in ["", ":gone"] {
                let mut case = Case::new(&format!("{}{tag}@{digest}", registry.name("team/app")));
                fs::copy(first.keys.public_key(), case.consumer.at("policy/ci.pub")).unwrap();
                case.consumer.template["sidecars"] = json!([{"name": "helper", "command": ["c"],
                    "image": case.consumer.template["container"]["image"]}]);
                case.opens("images accepted: \"main\", \"helper\"");
            }
        }
    }
}

/// What was found is left for the sidecar, whose statement then names the image's attestation.
#[test]
fn the_next_statement_names_the_images_attestation() {
    let Some(registry) = Registry::start("native") else { return };
    let digests = registry.push("app:1", 1);
    let image = format!("{}@{}", registry.name("app"), digests[0]);
    let case = Case::new(&image);
    case.attest(&registry, "app:1", BUILDER);
    let spec = handed_over(&made(&case.consumer.template), &[(VERIFY, "true")]);
    let Case { consumer, keys } = case;
    let consumer = consumer.env("ARGO_ATTEST_POD_SPEC", &spec);
    consumer.opens();
    let evidence = consumer.evidence().unwrap();
    let found = &evidence["images"][0];
    assert_eq!(
        (&found["name"], &found["image"], &found["finding"]),
        (&json!("main"), &json!(image), &json!("accepted"))
    );
    assert_eq!(found["digest"], json!({"sha256": digests[0].strip_prefix("sha256:").unwrap()}));
    assert_eq!(evidence["inputs"], json!([]));
    let uri = found["attestation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with(&format!("oci://{}@sha256:", registry.name("app"))), "{uri}");

    let s3 = S3::new();
    let mut next = Pod::new(s3.address(), vec![Output::plain("next")])
        .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
    next.template["container"]["image"] = json!(image);
    for name in ["attest.key", "attest.pub"] {
        fs::copy(keys.at("keys").join(name), next.at("keys").join(name)).unwrap();
    }
    let mut sidecar = next.start_ready();
    let (_, message) = next.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], 1, "{message}");
    let key = next.outputs[0].key();
    let told = next.signed(&s3.get(&format!("{key}.sigstore.json")).unwrap());
    let main = &told["predicate"]["buildDefinition"]["resolvedDependencies"][0];
    assert_eq!((&main["name"], &main["digest"]), (&json!("containers/main"), &found["digest"]));
    assert_eq!(main["annotations"]["attestation"], found["attestation"]);

    // From the object to the image that made it, where its registry may be asked.
    let object = format!("s3://{BUCKET}/{key}");
    let (code, said) = chain(&s3, &[&keys], &["--registry", &registry.address], &object);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified  containers/main  oci://"), "{said}");
    let (code, said) = chain(&s3, &[&keys], &[], &object);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("--registry {}", registry.address)), "{said}");

    // Evidence of another image is not this step's.
    let mut other = Pod::new(s3.address(), vec![Output::plain("other")])
        .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
    other.template["container"]["image"] = json!(format!("{}@{}", registry.name("app"), digests[1]));
    let mut sidecar = other.start_ready();
    let message = sidecar.reaches("unready");
    let why = "the gate's evidence of the image of container \"main\": the step has another";
    assert!(message["reason"].as_str().unwrap().contains(why), "{message}");
}

/// What `verify --chain` says.
fn chain(s3: &S3, pods: &[&Pod], more: &[&str], artifact: &str) -> (Option<i32>, String) {
    let mut command = binary();
    command.env("COLUMNS", "100000").args(["verify", "--chain", "--plain-http"]).args(more);
    for pod in pods {
        command.arg("--key").arg(pod.public_key());
    }
    command
        .arg(artifact)
        .envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    let ran = command.output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    (ran.status.code(), said)
}

/// A step is let in by its gate, makes an image of an attested object, and is itself attested: from the
/// image the chain leads to the object.
#[test]
fn a_chain_begins_at_an_image() {
    for kind in ["native", "fallback"] {
        let (Some(registry), s3) = (Registry::start(kind), S3::new()) else { return };
        let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
        let consumer = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&upstream.key()));
        consumer.opens();
        let name = registry.name("app:1");
        let mut next = Pod::new(s3.address(), Vec::new())
            .arg("--plain-http")
            .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
        next.template["inputs"] = consumer.template["inputs"].clone();
        next.template["metadata"]["annotations"] = json!({"argo-attest.io/images": name});
        let mut sidecar = next.start_ready();
        let digests = registry.push("app:1", 1);
        let (code, _) = next.succeed(&s3, &mut sidecar);
        assert_eq!(code, Some(0), "{}", sidecar.logged());
        for image in [name.clone(), format!("{}@{}", registry.name("app"), digests[1])] {
            let (code, said) = chain(&s3, &[&next, &upstream.pod], &[], &format!("oci://{image}"));
            assert_eq!(code, Some(0), "{said}");
            assert!(said.contains("verified  inputs/app  s3://"), "{said}");
        }
        // Whoever takes the object's attestation away breaks the image's chain.
        s3.delete(&upstream.bundle_key());
        s3.delete(&format!("{}.intoto.jsonl", upstream.key()));
        let (code, said) = chain(&s3, &[&next, &upstream.pod], &[], &format!("oci://{name}"));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("its chain fails at inputs/app"), "{said}");
    }
}

#[test]
fn a_tag_is_refused_unless_the_policy_allows_it() {
    let Some(registry) = Registry::start("native") else { return };
    registry.push("app:1", 1);
    let name = registry.name("app:1");
    let case = Case::new(&name);
    case.attest(&registry, "app:1", BUILDER);
    let public = fs::read(case.keys.public_key()).unwrap();
    let why = format!("oci://{name} is named by a tag, which whoever may push can move before it is pulled");
    case.refuses("main", &why);
    let allowing = || {
        let case = Case::new(&name).policy("images: {tags: allow}\n");
        fs::write(case.consumer.at("policy/ci.pub"), &public).unwrap();
        case
    };
    allowing().opens("images accepted: \"main\"");
    // Moved to something that nobody attested.
    registry.push("app:1", 2);
    allowing().refuses("main", "no attestation: looked for");
}

#[test]
fn what_is_not_attested_as_the_policy_wants_is_refused() {
    let Some(registry) = Registry::start("native") else { return };
    let one = registry.push("app:1", 1)[0].clone();
    let image = format!("{}@{one}", registry.name("app"));
    Case::new(&image).refuses("main", "no attestation: looked for what refers to oci://");
    Case::new(&image).policy("missing: {s3: warn}\n").refuses("main", "`missing: {image: warn}`");
    for rest in ["missing: warn\n", "missing: {image: warn}\n"] {
        let case = Case::new(&image).policy(rest);
        case.opens("images without attestation, as the policy allows: \"main\"");
    }
    // By another builder, by another's key, and by the right ones for another image.
    let case = Case::new(&image);
    case.attest(&registry, "app:1", "https://ci.example.com/other");
    let public = fs::read(case.keys.public_key()).unwrap();
    case.refuses("main", "is not trusted for builder");
    Case::new(&image).policy("missing: warn\n").refuses("main", "not signed with a trusted key");
    let two = registry.push("app:2", 2)[0].clone();
    let case = Case::new(&format!("{}@{two}", registry.name("app")));
    fs::write(case.consumer.at("policy/ci.pub"), &public).unwrap();
    case.refuses("main", "no attestation: looked for");
}

/// An image may be held to something else than a step's inputs.
#[test]
fn what_is_expected_of_images_takes_the_place_of_what_is_expected_of_all() {
    let Some(registry) = Registry::start("native") else { return };
    let digest = registry.push("app:1", 1)[0].clone();
    let image = format!("{}@{digest}", registry.name("app"));
    let case = Case::new(&image);
    case.attest(&registry, "app:1", BUILDER);
    let with = |rest: &str| {
        let next = Case::new(&image).policy(rest);
        fs::copy(case.keys.public_key(), next.consumer.at("policy/ci.pub")).unwrap();
        next
    };
    with("expect: {storedMatch: required}\n")
        .refuses("main", "does not say that the stored object was compared");
    with("expect: {storedMatch: required}\nimages: {expect: {maxAge: 1h}}\n")
        .opens("images accepted: \"main\"");
    with("images: {expect: {imageEvidence: named}}\n").refuses("main", "the image's evidence is not stated");
}

#[test]
fn one_container_of_several_is_enough_to_keep_main_from_starting() {
    let Some(registry) = Registry::start("native") else { return };
    let good = registry.push("good:1", 1)[0].clone();
    let bad = registry.push("bad:1", 2)[0].clone();
    let (good, bad) =
        (format!("{}@{good}", registry.name("good")), format!("{}@{bad}", registry.name("bad")));
    let case = Case::new(&good);
    case.attest(&registry, "good:1", BUILDER);
    let public = case.keys.public_key();
    let set = |key: &str, value: Value, why: (&str, &str)| {
        let mut case = Case::new(&good);
        fs::copy(&public, case.consumer.at("policy/ci.pub")).unwrap();
        if key == "containerSet" {
            case.consumer.template.as_object_mut().unwrap().remove("container");
        }
        case.consumer.template[key] = value;
        case.refuses(why.0, why.1);
    };
    let one = |name: &str, image: &str| json!({"name": name, "image": image, "command": ["c"]});
    set("sidecars", json!([one("db", &bad)]), ("db", "no attestation"));
    set("initContainers", json!([one("seed", &bad), one("more", "b:1")]), ("seed", "; nor are \"more\""));
    set("initContainers", json!([one("argo-attest-check", &bad)]), ("argo-attest-check", "no attestation"));
    let both = json!({"containers": [one("main", &good), one("b", &bad)]});
    set("containerSet", both, ("b", "no attestation"));
}

#[test]
fn names_that_are_none_are_refused() {
    let digest = "ab".repeat(32);
    for (image, why) in [
        ("r.example/{{inputs.parameters.app}}@sha256:00".to_owned(), "is an unresolved variable"),
        (format!("r.example/App@sha256:{digest}"), "names no image"),
        (format!("r.example/app@sha256:{}", digest.to_uppercase()), "names no image"),
        (format!("r.example/app@sha512:{digest}{digest}"), "names no image"),
        (format!("r.example:99999/app@sha256:{digest}"), "names no image"),
        (format!("r.example/../app@sha256:{digest}"), "names no image"),
        ("busybox".to_owned(), "oci://docker.io/library/busybox:latest is named by a tag"),
        ("r.example:5000/app".to_owned(), "oci://r.example:5000/app:latest is named by a tag"),
    ] {
        Case::new(&image).refuses("main", why);
    }
}

#[test]
fn a_registry_that_does_not_answer_keeps_main_from_starting() {
    let image = format!("127.0.0.1:1/app@sha256:{}", "ab".repeat(32));
    for rest in ["", "missing: warn\n"] {
        let ended = Case::new(&image).policy(rest).gate();
        assert_eq!(ended.code, Some(69), "{ended:#?}");
        let start = "the image of container \"main\" is not accepted: oci://127.0.0.1:1/app@sha256:";
        assert!(ended.message.starts_with(start), "{}", ended.message);
    }
}

#[tokio::test]
async fn a_slow_registry_is_not_waited_for_for_ever() {
    let server = Scripted::choosing(Plain, |_| Some(Act::Hang));
    let nothing = |_: &str| -> Option<OsString> { None };
    let registries = Registries::from_env(&nothing, true).unwrap();
    let checker = Checker {
        policy: Policy::of_keys(Vec::new()),
        now: Timestamp::now(),
        bundle: None,
        wanted: Wanted::default(),
        largest: MAX_ATTESTATION,
    };
    let image = format!("{}/app@sha256:{}", server.address, "ab".repeat(32));
    let containers =
        ["main", "b"].map(|name| ContainerImage { container: name.into(), image: image.clone() });
    let within = Duration::from_millis(300);
    let answers =
        ImageInspection { checker: &checker, registries: &registries, within }.of(&containers).await;
    let said = summary(&answers);
    assert!(said.contains("its registry did not answer within") && said.ends_with("nor are \"b\""), "{said}");
}

#[test]
fn the_pods_own_word_is_needed_and_counts() {
    let image = format!("r.example/app@sha256:{}", "ab".repeat(32));
    // Text that was compared with nothing may name another image than the pod has.
    let Case { consumer, keys: _keys } = Case::new(&image);
    consumer.ends_with(
        65,
        "the inputs could not be checked: the images of the step's containers are to be checked, and it is not known what its pod runs (help: let the pod's service account get its own pod, or the admission policy hand over the pod's spec)",
    );
    let case = Case::new(&image);
    let mut spec = made(&case.consumer.template);
    spec["spec"]["containers"][1]["image"] = json!("evil");
    let ended = case.handed(&spec);
    assert_eq!(ended.code, Some(65), "{ended:#?}");
    assert!(ended.message.contains("the step's template is not what its pod runs"), "{}", ended.message);
}

#[test]
fn whether_images_are_checked_is_the_steps_or_the_platforms_to_say() {
    let asks = |annotations: Value| Case::asking("busybox", &annotations);
    let nothing = "no inputs to check: the template has no input artifacts";
    asks(json!({"argo-attest.io/attest": "true"})).opens_unchecked(nothing);
    asks(json!({VERIFY: "false"})).opens_unchecked(nothing);
    let by = |case: Case, which: &str| case.argument("--check-images").argument(which);
    by(asks(json!({VERIFY: "false"})), "opt-out").opens_unchecked(nothing);
    by(asks(json!({"argo-attest.io/attest": "true"})), "opt-out").refuses("main", "is named by a tag");
    by(asks(json!({VERIFY: "false"})), "always").refuses("main", "is named by a tag");
    let unasked = asks(json!({VERIFY: "true"})).argument("--check").argument("opt-in");
    unasked.refuses("main", "is named by a tag");
    let odd = asks(json!({VERIFY: "yes"})).gate();
    assert_eq!(odd.code, Some(65), "{odd:#?}");
}

impl Case {
    #[track_caller]
    fn opens_unchecked(self, message: &str) {
        let spec = made(&self.consumer.template);
        let annotations = self.consumer.template["metadata"]["annotations"].clone();
        let annotations: Vec<_> = annotations.as_object().unwrap().iter().collect();
        let annotations: Vec<_> =
            annotations.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let consumer = self.consumer.env("ARGO_ATTEST_POD_SPEC", &handed_over(&spec, &annotations));
        let ended = consumer.gate();
        assert_eq!((ended.code, ended.message.as_str()), (Some(0), message), "{}", ended.log);
    }
}
