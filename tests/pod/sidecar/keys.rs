//! Outputs that Argo stores where something else of the step goes: nothing is attested there,
//! and nothing written over.

use serde_json::{Value, json};

use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod, entry};
use crate::s3::S3;
use crate::share::is_tried;

/// Outputs of the names and keys that are given, and one that is in nobody's way.
fn pod(s3: &S3, outputs: &[(&str, &str)]) -> Pod {
    let declared = outputs.iter().map(|(name, _)| Output::plain(name)).chain([Output::plain("good")]);
    let mut pod = Pod::new(s3.address(), declared.collect());
    for (at, (_, key)) in outputs.iter().enumerate() {
        pod.template["outputs"]["artifacts"][at]["s3"] = json!({"key": key});
    }
    pod.template["inputs"] =
        json!({"artifacts": [{"name": "in", "path": "/in/app", "s3": {"key": "up/dir/in"}}]});
    pod.template["archiveLocation"]["archiveLogs"] = json!(true);
    pod
}

/// The step, to its end. Argo uploads in the order of the template.
fn run(s3: &S3, pod: &Pod, keys: &[(&str, &str)]) -> (Value, String) {
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for (output, (_, key)) in pod.outputs.iter().zip(keys) {
        s3.put(key, &output.files[0].1);
    }
    pod.upload_one(s3, pod.outputs.last().unwrap());
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0), "{message}");
    (message, sidecar.logged())
}

/// The reason that the log gives for an output.
fn reason(log: &str, name: &str) -> String {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = lines
        .filter(|line| line["output"] == name)
        .find_map(|line| line["reason"].as_str().map(str::to_owned));
    told.unwrap_or_else(|| panic!("nothing of {name} in {log}"))
}

/// All of these are refused; the good one is attested all the same.
#[track_caller]
fn refused(outputs: &[(&str, &str)], refused: &[(&str, &str)]) {
    let s3 = S3::new();
    let pod = pod(&s3, outputs);
    // What a store on a file system cannot hold stays away: it is refused before anybody looks.
    let storable: Vec<_> = outputs
        .iter()
        .map(|(name, key)| {
            let plain = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
            (*name, if plain { *key } else { "elsewhere" })
        })
        .collect();
    let (message, log) = run(&s3, &pod, &storable);
    let attested = outputs.len() - refused.len() + 1;
    assert_eq!(
        (&message["attested"], &message["notAttested"]),
        (&attested.into(), &refused.len().into()),
        "{outputs:?}: {message}"
    );
    for (name, why) in refused {
        let told = reason(&log, name);
        assert!(told.contains(why), "{outputs:?}, {name}: {told:?} has no {why:?}");
    }
    for (output, (_, key)) in pod.outputs.iter().zip(&storable) {
        // Of one key, the last that was uploaded.
        let last = storable.iter().rposition(|(_, other)| other == key).unwrap();
        if outputs[last].1 == *key && refused.iter().any(|(name, _)| *name == output.name) {
            assert_eq!(s3.get(key), Some(pod.outputs[last].files[0].1.clone()), "{key} was written over");
        }
    }
    pod.assert_accepted(pod.outputs.last().unwrap());
}

const SUFFIXES: [&str; 3] = [".sigstore.json", ".intoto.jsonl", ".manifest.sha256"];

#[test]
fn another_outputs_attestation() {
    std::thread::scope(|scope| {
        for suffix in SUFFIXES {
            scope.spawn(move || with_suffix_taken(suffix));
        }
    });
}

fn with_suffix_taken(suffix: &str) {
    let beside = format!("own/a{suffix}");
    let spellings = [
        beside.clone(),
        beside.replace('/', "//"),
        beside.replace('/', "/./"),
        format!("own/z/../a{suffix}"),
        format!("{beside}/"),
        format!("/{beside}"),
    ];
    for (_, key) in spellings.into_iter().enumerate().filter(|(number, _)| is_tried(*number)) {
        for outputs in [[("a", "own/a"), ("x", key.as_str())], [("x", key.as_str()), ("a", "own/a")]] {
            let whys = [
                ("a", "its attestation, s3://bucket/own/a"),
                ("x", "is also where the attestation of the output \"a\" goes"),
            ];
            refused(&outputs, &whys);
        }
    }
}

#[test]
fn the_same_key_twice() {
    for other in ["own/a", "own//a", "./own/a", "own/a/", "own/b/../a"] {
        let whys = [("a", "is also that of the output \"b\""), ("b", "is also that of the output \"a\"")];
        refused(&[("a", "own/a"), ("b", other)], &whys);
    }
}

#[test]
fn the_steps_own_outcome_or_log() {
    let outcome = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
    let s3 = S3::new();
    let outputs = [("a", outcome.as_str())];
    let pod = pod(&s3, &outputs);
    let (message, log) = run(&s3, &pod, &outputs);
    assert_eq!((&message["attested"], &message["notAttested"]), (&1.into(), &1.into()), "{message}");
    assert!(reason(&log, "a").contains("is also where the step's outcome goes"), "{log}");
    assert_eq!(s3.get(&outcome), Some(pod.outputs[0].files[0].1.clone()), "the output was written over");
    assert!(log.contains("there is no place for the step's outcome"), "{log}");
    let log = format!("{PREFIX}/main.log");
    refused(&[("a", &log)], &[("a", "is also where the log of the container \"main\" goes")]);
}

#[test]
fn an_inputs_attestation() {
    for key in [
        "up/dir/in.sigstore.json",
        "up/dir/in.intoto.jsonl",
        "up/dir.sigstore.json",
        "up.sigstore.json",
        "up//dir/in.sigstore.json",
    ] {
        refused(&[("a", key)], &[("a", "is where the attestation of an input is")]);
    }
    // An output whose attestation would replace the input itself.
    let s3 = S3::new();
    let mut pod = pod(&s3, &[("a", "own/a")]);
    pod.template["inputs"]["artifacts"][0]["s3"]["key"] = json!("own/a.sigstore.json");
    let (message, log) = run(&s3, &pod, &[("a", "own/a")]);
    assert_eq!(message["attested"], 1, "{message}");
    assert!(reason(&log, "a").contains("is also the input \"in\""), "{log}");
}

/// What only looks alike is nobody's business: an input changed in place, other directories.
#[test]
fn keys_that_are_in_nobodys_way() {
    for keys in [
        [("a", "up/dir/in"), ("b", "own/b.sigstore.json")],
        [("a", "own/a"), ("b", "own/b/a.sigstore.json")],
        [("a", "up/dirs.sigstore.json"), ("b", "up/dir/in.json")],
    ] {
        refused(&keys, &[]);
    }
}

/// A file of a directory, which is only known when main has ended.
#[test]
fn a_file_of_a_directory_that_is_stored_file_by_file() {
    use crate::output::{Packing, Place, Shape};
    let s3 = S3::new();
    let mut directory = Output::new("dir", (Place::Volume, Packing::None, Shape::Directory));
    directory.files.push(("good-data.sigstore.json".into(), b"main's own".to_vec()));
    let good = Output::plain("good");
    let mut pod = Pod::new(s3.address(), vec![directory.clone(), good]);
    pod.template["outputs"]["artifacts"][0]["s3"] = json!({"key": PREFIX});
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for (name, content) in &directory.files {
        s3.put(&format!("{PREFIX}/{name}"), content);
    }
    pod.upload_one(&s3, &pod.outputs[1]);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    let outcome = pod.outcome(&s3);
    let told = entry(&outcome["predicate"]["outputs"], "dir");
    assert_eq!(told["verdict"], "refused", "{message}");
    assert!(told["reason"].as_str().unwrap().starts_with("good-data.sigstore.json: its object, "), "{told}");
}
