//! The rules as a whole, on templates that Argo's own types wrote: see
//! `tests/fixtures/argo/generate`.

mod hostile;
mod stored;

use serde_json::json;

use super::*;
use crate::archive::{Format, Naming};
use crate::digest::Sha256Digest;
use crate::relpath::RelPath;

const BASE: &str = include_str!("../../../../../tests/fixtures/argo/templates/base.json");
const VOLUME: &str = include_str!("../../../../../tests/fixtures/argo/templates/volume.json");
const SET: &str = include_str!("../../../../../tests/fixtures/argo/templates/set.json");
const STEPS: &str = include_str!("../../../../../tests/fixtures/argo/templates/steps.json");
const RESOURCE: &str = include_str!("../../../../../tests/fixtures/argo/templates/resource.json");
const PATHS: &str = include_str!("../../../../../tests/fixtures/argo/paths.json");

fn parse(text: &str) -> Result<Step, TemplateError> {
    Step::parse(&TemplateText::new(Source::Env, text.as_bytes().to_vec())?)
}

/// The template as Argo writes it.
fn template(value: &serde_json::Value) -> Step {
    parse(&encode(value).unwrap()).unwrap()
}

fn plan<'a>(step: &'a Step, name: &str) -> &'a Plan {
    let output = step.outputs.iter().find(|output| output.name == name).unwrap();
    output.plan.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn object<'a>(step: &'a Step, name: &str) -> &'a ObjectRef {
    plan(step, name).destination.object().unwrap()
}

fn refusal(step: &Step, name: &str) -> Unattestable {
    step.outputs.iter().find(|output| output.name == name).unwrap().plan.clone().unwrap_err()
}

fn uri(step: &Step, name: &str) -> String {
    object(step, name).to_string()
}

fn single(name: &str) -> Naming {
    Naming::Single(name.as_bytes().to_vec())
}

fn beneath(name: &str) -> Naming {
    Naming::Beneath(name.as_bytes().to_vec())
}

#[test]
fn describes_what_runs_without_values_of_variables() {
    let step = parse(BASE).unwrap();
    assert_eq!((step.name.as_str(), step.kind, step.source), ("base", Kind::Container, Source::Env));
    let main = step.main().unwrap();
    assert_eq!((main.name.as_str(), main.image.as_str()), ("main", "registry.example.com/build:1"));
    assert_eq!(
        (main.command.as_slice(), main.args.as_slice()),
        (&["make".to_owned()][..], &["all".to_owned(), "--fast".to_owned()][..])
    );
    assert_eq!(main.env_names, ["TOKEN", "HOME"]);
    assert!(!format!("{step:?}").contains("hunter2"));
    let script = parse(VOLUME).unwrap().main().unwrap().script.unwrap();
    assert_eq!(script.digest, Sha256Digest::of(b"echo hi > /data/file.bin\n"));
    assert_eq!(script.size, 25);
}

#[test]
fn knows_kinds_without_a_main_container() {
    for (step, kind) in [
        (parse(RESOURCE).unwrap(), Kind::Resource),
        (template(&json!({"name": "x", "data": {}})), Kind::Data),
    ] {
        assert_eq!((step.kind, step.kind.runs_containers()), (kind, false));
        assert_eq!((step.containers, step.outputs), (vec![], vec![]));
    }
    let set = parse(SET).unwrap();
    assert_eq!(set.kind, Kind::ContainerSet);
    assert_eq!(set.containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "main"]);
    assert_eq!(set.main().unwrap().dependencies, ["a"]);
}

/// They call other templates, or Argo's agent carries them out: text of theirs in a pod is
/// no honest text, and could hold the honest one as an inline template of a step.
#[test]
fn knows_no_kinds_without_a_pod() {
    let inline = format!(
        r#"{{"inputs":{{}},"outputs":{{}},"metadata":{{}},"steps":[[{{"name":"a","inline":{BASE},"arguments":{{}}}}]]}}"#
    );
    let plugin = r#"{"inputs":{},"outputs":{},"metadata":{},"plugin":{"a":{"container":{}}}}"#;
    let of = |kind: &str| format!(r#"{{"inputs":{{}},"outputs":{{}},"metadata":{{}},{kind}}}"#);
    let (dag, suspend, http) =
        (of(r#""dag":{"tasks":[]}"#), of(r#""suspend":{}"#), of(r#""http":{"url":"u"}"#));
    for text in [STEPS, &inline, plugin, &dag, &suspend, &http] {
        let TemplateError::Foreign { source, .. } = parse(text).unwrap_err() else { panic!("{text}") };
        assert_eq!(source.to_string(), "it is of a kind that has no pod, so it cannot be this pod's");
    }
    let invented = RESOURCE.replace("\"resource\"", "\"invented\"");
    assert!(matches!(parse(&invented), Err(TemplateError::Foreign { .. })));
}

#[test]
fn base_layer_outputs_are_found_where_the_emissary_packs_them() {
    let step = parse(BASE).unwrap();
    let packed = |name| match &plan(&step, name).place {
        Place::BaseLayer { packed } => packed.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(packed("plain"), "/var/run/argo/outputs/artifacts/tmp/plain.txt.tgz");
    assert_eq!(packed("tarred"), "/var/run/argo/outputs/artifacts/tmp/tarred.tgz");
    assert_eq!(plan(&step, "tarred").packed_base(), b"tarred");
    assert_eq!(plan(&step, "plain").packing(Shape::File), Packing::PackedOnDisk);
    assert_eq!(plan(&step, "tarred").packing(Shape::Directory), Packing::PackedOnDisk);
    assert_eq!(plan(&step, "none").packing(Shape::File), Packing::AsIs);
    assert_eq!(plan(&step, "none").packing(Shape::Directory), Packing::ObjectPerFile);
    // No strategy inside `archive` is not the default here.
    assert_eq!(plan(&step, "trap").packing(Shape::File), Packing::AsIs);
}

#[test]
fn base_layer_zips_are_named_after_the_artifact_and_fail_for_a_file() {
    let step = parse(BASE).unwrap();
    let zipped = plan(&step, "zipped");
    assert_eq!(zipped.packing(Shape::Directory), Packing::Repacked(Format::Zip, beneath("zipped")));
    assert_eq!(zipped.packing(Shape::File), Packing::NeverStored);
    let same_name = plan(&step, "zipped.txt").packing(Shape::File);
    assert_eq!(same_name, Packing::Repacked(Format::Zip, single("/tmp/argo/outputs/artifacts/zipped.txt")));
}

#[test]
fn outputs_at_or_below_an_input_are_on_a_volume() {
    let step = parse(BASE).unwrap();
    let input = |name: &str| Place::InputVolume { input: name.to_owned() };
    assert_eq!(plan(&step, "from-input").place, input("source"));
    assert_eq!(
        plan(&step, "from-input").packing(Shape::Directory),
        Packing::Repacked(Format::TarGz, beneath("src"))
    );
    assert_eq!(plan(&step, "under-input").place, input("source"));
    assert_eq!(plan(&step, "under-input").packing(Shape::File), Packing::AsIs);
    // An optional input that was not supplied leaves no volume at its own path,
    // but Argo forgets that for what is beneath.
    assert!(matches!(plan(&step, "over-absent").place, Place::BaseLayer { .. }));
    assert_eq!(plan(&step, "under-absent").place, input("absent"));
    assert!(matches!(plan(&step, "near-input").place, Place::BaseLayer { .. }));
}

#[test]
fn volume_outputs_follow_the_longest_mount() {
    let step = parse(VOLUME).unwrap();
    let mount = |mount: &str| Place::Volume { mount: mount.to_owned() };
    assert_eq!(plan(&step, "file").place, mount("/data"));
    assert_eq!(plan(&step, "trap").place, mount("/data/deep"));
    assert_eq!(plan(&step, "deeper").place, mount("/data"));
    assert_eq!(plan(&step, "file").packing(Shape::File), Packing::AsIs);
    assert_eq!(plan(&step, "folder-none").packing(Shape::Directory), Packing::ObjectPerFile);
    assert_eq!(
        plan(&step, "tarred").packing(Shape::File),
        Packing::Repacked(Format::TarGz, single("tarred.txt"))
    );
    assert_eq!(
        plan(&step, "folder").packing(Shape::Directory),
        Packing::Repacked(Format::TarGz, beneath("folder"))
    );
    assert_eq!(
        plan(&step, "trap").packing(Shape::File),
        Packing::Repacked(Format::TarGz, single("trap.txt"))
    );
    let zipped = plan(&step, "zipped");
    assert_eq!(
        zipped.packing(Shape::File),
        Packing::Repacked(Format::Zip, single("/mainctrfs/data/zipped.txt"))
    );
    assert_eq!(zipped.packing(Shape::Directory), Packing::Repacked(Format::Zip, beneath("zipped.txt")));
    assert!(step.outputs.iter().find(|output| output.name == "maybe").unwrap().optional);
}

/// Kubernetes takes a relative mount path for one from `/`, and Argo compares it as
/// text with the output's. An empty one it refuses.
#[test]
fn a_relative_mount_holds_what_is_relative() {
    let place = |mount: &str, path: &str| {
        let step = template(&json!({
            "container": {"volumeMounts": [{"mountPath": mount}]},
            "outputs": {"artifacts": [{"name": "x", "path": path}]},
            "archiveLocation": {"s3": {"endpoint": "e", "bucket": "b", "key": "p"}},
        }));
        plan(&step, "x").place.clone()
    };
    let volume = |mount: &str| Place::Volume { mount: mount.to_owned() };
    let packed =
        |packed: &str| Place::BaseLayer { packed: format!("/var/run/argo/outputs/artifacts/{packed}") };
    assert_eq!(place("data", "data/out"), volume("/data"));
    assert_eq!(place("data/", "./data/out/"), volume("/data"));
    assert_eq!(place("data", "/data/out"), packed("data/out.tgz"));
    assert_eq!(place("/data", "data/out"), packed("data/out.tgz"));
    assert_eq!(place("/", "/out"), volume("/"));
    assert_eq!(place("", "/out"), packed("out.tgz"));
}

#[test]
fn only_the_mounts_that_a_set_shares_count() {
    let step = parse(&SET.replace(r#""gcs":{"#, r#""s3":{"endpoint":"e","#)).unwrap();
    assert_eq!(plan(&step, "shared").place, Place::Volume { mount: "/shared".to_owned() });
    assert!(matches!(plan(&step, "own").place, Place::BaseLayer { .. }));
}

#[test]
fn keys_are_those_that_argo_writes() {
    let step = parse(BASE).unwrap();
    for (name, expected) in [
        ("plain", "s3://artifacts/wf-abc/wf-abc-step-123/plain.tgz"),
        ("tarred", "s3://artifacts/wf-abc/wf-abc-step-123/tarred.tgz"),
        ("none", "s3://artifacts/wf-abc/wf-abc-step-123/none.txt"),
        ("zipped", "s3://artifacts/wf-abc/wf-abc-step-123/zipped.zip"),
        ("trap", "s3://artifacts/wf-abc/wf-abc-step-123/trap.txt"),
        ("keyed", "s3://artifacts/exact//key.tgz"),
        ("full", "s3://mine/a/b"),
        // Without an endpoint it is no location, and its bucket does not count.
        ("partial", "s3://artifacts/a/c"),
        // No location either, so that another kind of store does not count.
        ("in-gcs", "s3://artifacts/k"),
    ] {
        assert_eq!(uri(&step, name), expected, "{name}");
    }
    assert_eq!(object(&step, "full").store.endpoint_url().unwrap(), "http://minio:9000");
    let ArtifactStore::S3(store) = &*object(&step, "plain").store;
    assert_eq!(store.endpoint_url(), "http://versitygw.argo:7070");
    assert_eq!(store.access_key, Some(SecretKey { name: "s3-cred".to_owned(), key: "accesskey".to_owned() }));
    assert_eq!((store.region.as_deref(), store.encryption.customer_key.as_ref()), (None, None));
    assert_eq!(
        step.logs[0].object.as_ref().unwrap().to_string(),
        "s3://artifacts/wf-abc/wf-abc-step-123/main.log"
    );
    let volume = parse(VOLUME).unwrap();
    let ArtifactStore::S3(store) = &*object(&volume, "file").store;
    assert_eq!(
        (store.region.as_deref(), store.use_sdk_creds, store.insecure),
        (Some("us-east-1"), true, false)
    );
    assert_eq!(store.encryption.customer_key.as_ref().unwrap().name, "sse");
    assert!(store.encryption.enabled && !store.creates_bucket);
    assert_eq!(store.ca.as_ref().unwrap().key, "ca.crt");
    assert_eq!(store.role_arn.as_deref(), Some("arn:aws:iam::1:role/x"));
}

#[test]
fn files_of_a_directory_have_keys_beneath_its_own() {
    let step = parse(VOLUME).unwrap();
    let folder = object(&step, "folder-none");
    let beneath = |path: &[u8]| folder.beneath(&RelPath::from_bytes(path).unwrap());
    assert_eq!(beneath(b"a/b c").unwrap().key(), "wf/pod/folder/a/b c");
    assert_eq!(beneath(b"\xff"), Err(KeyError::NotUtf8));
    assert_eq!(beneath(&[b'x'; 2000]), Err(KeyError::TooLong));
    assert_eq!(folder.beneath(&RelPath::root()).unwrap().key(), "wf/pod/folder");
    assert_eq!(folder.directory_prefix(), "wf/pod/folder/");
    let untidy = object(&parse(BASE).unwrap(), "keyed").clone();
    assert_eq!(untidy.beneath(&RelPath::from_bytes(b"f").unwrap()).unwrap().key(), "exact/key.tgz/f");
}

/// What is stored where nobody can ask has a name that follows from its place alone.
#[test]
fn a_place_elsewhere_has_a_name() {
    let name = |repository: serde_json::Value, own: serde_json::Value| {
        let mut artifact = json!({"name": "x", "path": "/tmp/y.txt", "archive": {"none": {}}});
        artifact.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let step = template(&json!({
            "container": {}, "outputs": {"artifacts": [artifact]}, "archiveLocation": repository,
        }));
        let plan = step.outputs[0].plan.clone().map_err(|why| why.to_string())?;
        match plan.destination {
            Destination::Elsewhere(place) => place.name().map_err(|why| why.to_string()),
            Destination::Object(object) => Ok(object.to_string()),
        }
    };
    let azure =
        json!({"azure": {"endpoint": "https://a.blob.core.windows.net/", "container": "c", "blob": "p"}});
    for (repository, own, expected) in [
        (json!({"gcs": {"bucket": "b", "key": "w/p"}}), json!({}), "gcs/b/w/p/y.txt"),
        (json!({"gcs": {"bucket": "b", "key": "w/p"}}), json!({"gcs": {"key": "k/l"}}), "gcs/b/k/l"),
        (json!({"gcs": {"bucket": "b", "key": "w"}}), json!({"gcs": {"bucket": "o", "key": "k"}}), "gcs/o/k"),
        (json!({"gcs": {"bucket": "b", "key": "w/p"}}), json!({"gcs": {"bucket": "o"}}), "gcs/o/w/p/y.txt"),
        // No location: its kind does not count, and its key does.
        (json!({"gcs": {"bucket": "b", "key": "w/p"}}), json!({"s3": {"key": "k"}}), "gcs/b/k"),
        (json!({"oss": {"endpoint": "e", "bucket": "b", "key": "p"}}), json!({}), "oss/b/p/y.txt"),
        (azure, json!({}), "azure/a.blob.core.windows.net/c/p/y.txt"),
        (json!({"hdfs": {"addresses": ["h:8020"], "path": "/p"}}), json!({}), "hdfs/p/y.txt"),
        (json!({"plugin": {"name": "n", "configuration": "c", "key": "p"}}), json!({}), "plugin/n/p/y.txt"),
        (
            json!({"artifactory": {"url": "https://u:secret@a.example.com/repo/p?secret"}}),
            json!({}),
            "artifactory/a.example.com/repo/p/y.txt",
        ),
        (json!({}), json!({"http": {"url": "https://h/up/load?token=secret"}}), "http/h/up/load"),
    ] {
        assert_eq!(name(repository.clone(), own.clone()).as_deref(), Ok(expected), "{repository} {own}");
    }
    for (repository, own, why) in [
        (json!({"gcs": {"bucket": "b", "key": "p"}}), json!({"gcs": {"key": "../k"}}), "and no name"),
        (json!({"gcs": {"bucket": "b", "key": "p"}}), json!({"gcs": {"key": "a//k"}}), "and no name"),
        (json!({"gcs": {"bucket": "b", "key": "{{x}}"}}), json!({}), "unresolved variable"),
        (json!({"gcs": {"key": "p"}}), json!({}), "has no bucket"),
    ] {
        let found = name(repository.clone(), own).unwrap_err();
        assert!(found.contains(why), "{repository}: {found}");
    }
}

#[test]
fn what_cannot_be_attested_says_why() {
    let step = parse(BASE).unwrap();
    assert_eq!(refusal(&step, "climbing"), Unattestable::Path);
    assert_eq!(refusal(&step, "root"), Unattestable::Nameless);
    let set = parse(SET).unwrap();
    let shared = plan(&set, "shared").destination.object().unwrap_err();
    assert_eq!(shared.to_string(), "artifacts in gcs storage are not supported");
    assert_eq!(uri(&set, "own"), "s3://b/k");
    let output = |location: &str| {
        let text = format!(
            r#"{{"container":{{}},"outputs":{{"artifacts":[{{"name":"x","path":"/tmp/x"{location}}}]}}}}"#
        );
        refusal(&template(&serde_json::from_str(&text).unwrap()), "x").to_string()
    };
    for unwritten in [r#","git":{"repo":"r"}"#, r#","raw":{"data":"d"}"#] {
        assert!(output(unwritten).ends_with(" storage are not supported"), "{}", output(unwritten));
    }
    for partial in [
        r#","gcs":{}"#,
        r#","oss":{"key":"k"}"#,
        r#","azure":{"container":"c"}"#,
        r#","plugin":{"name":"n","configuration":"c"}"#,
    ] {
        assert!(output(partial).ends_with("has no archive location"), "{partial}: {}", output(partial));
    }
    assert_eq!(output(""), "the artifact has no complete location and the step has no archive location");
    assert_eq!(output(r#","s3":{"key":"k"},"gcs":{}"#), "the artifact names more than one kind of storage");
    assert_eq!(
        output(r#","s3":{"key":"{{x}}","endpoint":"e","bucket":"b"}"#),
        "the location holds an unresolved variable"
    );
    let long = "k".repeat(1025);
    assert_eq!(
        output(&format!(r#","s3":{{"key":"{long}","endpoint":"e","bucket":"b"}}"#)),
        "the object key has more than 1024 bytes"
    );
}

#[test]
fn what_is_said_of_a_bucket_is_read() {
    let with = |more: &str| {
        let s3 = format!(r#"{{"endpoint":"e","bucket":"b",{more}"key":"k"}}"#);
        let text = format!(
            r#"{{"name":"t","inputs":{{}},"outputs":{{"artifacts":[{{"name":"o","path":"/d/o","s3":{s3}}}]}},"metadata":{{}},"container":{{"name":"","image":"i","resources":{{}}}}}}"#
        );
        let step = parse(&text).unwrap();
        let ArtifactStore::S3(bucket) = object(&step, "o").store.as_ref().clone();
        bucket
    };
    let plain = with("");
    assert_eq!((plain.addressing, plain.creates_bucket), (Addressing::Auto, false));
    assert_eq!(plain.encryption, EncryptionOptions::default());
    for (text, addressing) in [
        ("path", Addressing::Path),
        ("virtual-hosted", Addressing::VirtualHosted),
        ("auto-detect", Addressing::Auto),
    ] {
        assert_eq!(with(&format!(r#""addressingStyle":"{text}","#)).addressing, addressing);
    }
    assert!(with(r#""createBucketIfNotPresent":{},"#).creates_bucket);
    let kms = r#""encryptionOptions":{"kmsKeyId":"k","kmsEncryptionContext":"{}","enableEncryption":true},"#;
    let kms = with(kms).encryption;
    assert_eq!(
        (kms.enabled, kms.kms_key_id.as_deref(), kms.kms_context.as_deref()),
        (true, Some("k"), Some("{}"))
    );
}

#[test]
fn inputs_say_where_they_came_from() {
    let step = parse(BASE).unwrap();
    let source = |name: &str| step.inputs.iter().find(|input| input.name == name).unwrap().source.clone();
    let InputSource::Object(object) = source("source") else { panic!("{:?}", source("source")) };
    assert_eq!(object.to_string(), "s3://artifacts/wf/wf-step-1/source.tgz");
    assert_eq!(object.store.server(), "versitygw.argo:7070", "the archive location completes it");
    let InputSource::Object(object) = source("elsewhere") else { panic!("{:?}", source("elsewhere")) };
    let ArtifactStore::S3(bucket) = &*object.store;
    assert_eq!(
        (object.to_string().as_str(), bucket.region.as_deref()),
        ("s3://other/k/x", Some("eu-west-1"))
    );
    assert_eq!(source("absent"), InputSource::NotSupplied);
    assert_eq!(
        source("repo"),
        InputSource::Git {
            repository: "https://git.example.com/x.git".to_owned(),
            revision: "v1.2.3".to_owned()
        }
    );
    assert_eq!(source("page"), InputSource::Http { url: "https://example.com/a".to_owned() });
    assert_eq!(source("words"), InputSource::Raw { digest: Sha256Digest::of(b"hello"), size: 5 });
    assert_eq!(source("cloud"), InputSource::Unknown(Unlocated::Unsupported(StoreKind::Gcs)));
    let unpack = |name: &str| step.inputs.iter().find(|input| input.name == name).unwrap().unpack;
    assert_eq!((unpack("source"), unpack("elsewhere")), (Unpack::Detect, Unpack::Never));
}

#[test]
fn paths_are_treated_as_argo_treats_them() {
    #[derive(serde::Deserialize)]
    struct Row {
        path: String,
        cleaned: Option<String>,
        mount: Option<String>,
    }
    let rows: Vec<Row> = serde_json::from_str(PATHS).unwrap();
    assert!(rows.iter().filter(|row| row.cleaned.is_none()).count() > 20, "both outcomes occur");
    for (index, Row { path, cleaned, mount }) in rows.into_iter().enumerate() {
        let ours = path::clean_artifact(&path);
        assert_eq!(ours, cleaned, "{path}");
        let Some(ours) = ours else { continue };
        let mut mounts = vec!["/data", "/data/deep/", "/a", "//x", "/a/b"];
        if index % 2 == 0 {
            mounts.push("/");
        }
        let longest =
            mounts.iter().filter(|mount| path::overlaps(&ours, mount)).max_by_key(|mount| mount.len());
        assert_eq!(longest.map(|mount| (*mount).to_owned()), mount, "{path}");
    }
}

#[test]
fn the_shared_file_says_the_same() {
    let text = TemplateText::new(Source::TemplateFile, BASE.as_bytes().to_vec()).unwrap();
    let step = Step::parse(&text).unwrap();
    assert_eq!(step.source, Source::TemplateFile);
    assert_eq!(step.outputs, parse(BASE).unwrap().outputs);
}
