//! A byte changed between main's last close and our look is found, whatever the
//! packing: no attestation, the outcome names the entry, and `verify` says no.

use serde_json::Value;

use crate::output::{ALL, Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::s3::S3;

/// All packings, each with a second output that nobody touches.
fn pod(s3: &S3) -> Pod {
    let outputs = ALL.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind));
    Pod::new(s3.address(), outputs.chain([Output::plain("good")]).collect())
}

fn bad(pod: &Pod) -> &[Output] {
    &pod.outputs[..ALL.len()]
}

fn assert_refused(s3: &S3, pod: &Pod, message: &Value, names_entry: bool) {
    assert_eq!((&message["attested"], &message["notAttested"]), (&1.into(), &ALL.len().into()), "{message}");
    let outcome = pod.outcome(s3);
    let outputs = &outcome["predicate"]["outputs"];
    for output in bad(pod) {
        let told = entry(outputs, &output.name);
        assert_eq!(told["verdict"], "refused", "{output:?}: {told}");
        // A tarball that is the object byte for byte differs as a whole.
        let as_it_is = (output.place, output.packing) == (Place::Base, Packing::Tar);
        let whole = output.shape == Shape::File || as_it_is;
        if names_entry && !whole {
            let reason = told["reason"].as_str().unwrap();
            assert!(reason.contains(output.last()), "{output:?}: {reason}");
        }
        assert_eq!(s3.get(&format!("{}.sigstore.json", output.key())), None, "{output:?}");
        for (key, _) in output.objects(&pod.work()) {
            assert_eq!(pod.verify(&key).status.code(), Some(1), "{key}");
        }
    }
    assert_eq!(entry(outputs, "good")["verdict"], "attested");
    pod.assert_accepted(pod.outputs.last().unwrap());
}

/// Another container writes to the volume before Argo uploads, which then agrees
/// with what is on disk at our last look.
#[test]
fn on_the_volume_after_main_ended() {
    let s3 = S3::new();
    let pod = pod(&s3);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.later();
    for output in bad(&pod) {
        pod.write_one(&output.altered());
        pod.upload_one(&s3, &output.altered());
    }
    pod.upload_one(&s3, pod.outputs.last().unwrap());
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0));
    assert_refused(&s3, &pod, &message, false);
}

/// What is uploaded is not what is on disk.
#[test]
fn on_its_way_to_the_store() {
    let s3 = S3::new();
    let pod = pod(&s3);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for output in bad(&pod) {
        pod.upload_one(&s3, &output.altered());
    }
    pod.upload_one(&s3, pod.outputs.last().unwrap());
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0));
    assert_refused(&s3, &pod, &message, true);
}

/// The object is replaced after the upload, before we look.
#[test]
fn in_the_store() {
    let Some(s3) = S3::versitygw() else { return };
    let pod = pod(&s3);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload(&s3);
    for output in bad(&pod) {
        pod.upload_one(&s3, &output.altered());
    }
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0));
    assert_refused(&s3, &pod, &message, true);
}

/// In the plain form, a wrong object fails the step.
#[test]
fn fails_the_step_in_the_plain_form() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("bad"), Output::plain("good")]).plain();
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    sidecar.terminate();
    pod.upload_one(&s3, &pod.outputs[0].altered());
    pod.upload_one(&s3, &pod.outputs[1]);
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(1), &1.into()), "{message}");
}

/// A file that is removed, added or renamed in a directory after main ended.
#[test]
fn of_a_directory_after_main_ended() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 4] = [
        ("removed", |dir| std::fs::remove_file(dir.join("sub/two")).unwrap()),
        ("emptied", |dir| std::fs::remove_file(dir.join("sub/deep/three")).unwrap()),
        ("added", |dir| std::fs::write(dir.join("sub/new"), "new").unwrap()),
        ("renamed", |dir| std::fs::rename(dir.join("one"), dir.join("sub/one")).unwrap()),
    ];
    for (what, change) in changes {
        for packing in [Packing::None, Packing::Tar] {
            let s3 = S3::new();
            let output = Output::new("dir", (Place::Volume, packing, Shape::Directory));
            let pod = Pod::new(s3.address(), vec![output.clone()]);
            let mut sidecar = pod.start_ready();
            pod.write();
            pod.end(0);
            pod.later();
            let path = std::path::PathBuf::from(output.path(&pod.work()));
            change(&path);
            let now = Output { files: read(&path, ""), ..output };
            pod.upload_one(&s3, &now);
            sidecar.terminate();
            let (_, message) = sidecar.ends();
            assert_eq!(message["attested"], 0, "{what}, {packing:?}: {message}");
        }
    }
}

fn read(path: &std::path::Path, above: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{above}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files.extend(read(&entry.path(), &format!("{name}/")));
        } else {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    files
}
