//! Outputs where the sidecar does not see what main sees: nothing is said of them but that,
//! neither what lies here at their path, nor that nothing does.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::namespace::Mount;
use crate::output::Output;
use crate::pod::{Pod, entry};
use crate::s3::S3;

/// Where main has its volume, and what the sidecar's container has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The same.
    Mirrored,
    /// The same, in memory; nobody else can write there, so nothing is there.
    Memory,
    /// Nothing is mounted, and the directory is one of our own file system.
    OwnRoot,
    /// Not even a directory.
    Nowhere,
    /// The same volume, under another path.
    Elsewhere,
    /// Another volume within it, at the output's path.
    Covered,
    /// Main has another volume within it, and we have not.
    NotNested,
}

const PLACES: [Place; 7] = [
    Place::Mirrored,
    Place::Memory,
    Place::OwnRoot,
    Place::Nowhere,
    Place::Elsewhere,
    Place::Covered,
    Place::NotNested,
];

fn pod(s3: &S3, place: Place, optional: bool, present: bool) -> Pod {
    let output = if optional { Output::plain("a").optional() } else { Output::plain("a") };
    let mut pod = Pod::new(s3.address(), vec![output]);
    let (work, argo) = (pod.work(), Mount::volume(&pod.argo()));
    let path = PathBuf::from(pod.outputs[0].path(&work));
    if present {
        pod.write();
    }
    pod.mounts = match place {
        Place::Mirrored | Place::NotNested => vec![Mount::volume(&work), argo],
        Place::Memory => vec![Mount::Memory { at: work }, argo],
        Place::OwnRoot => vec![argo],
        Place::Nowhere => {
            std::fs::remove_dir_all(&work).unwrap();
            vec![argo]
        }
        Place::Elsewhere => {
            let other = pod.at("other");
            std::fs::create_dir(&other).unwrap();
            vec![Mount::Bind { from: work, at: other }, argo]
        }
        Place::Covered => {
            // What is mounted there is a directory, or the file itself.
            if !present {
                std::fs::create_dir(&path).unwrap();
            }
            vec![Mount::volume(&work), Mount::volume(&path), argo]
        }
    };
    if place == Place::NotNested {
        let mounts = pod.template["container"]["volumeMounts"].as_array_mut().unwrap();
        mounts.push(json!({"name": "more", "mountPath": path.join("more")}));
    }
    pod
}

#[test]
fn what_cannot_be_seen_is_neither_attested_nor_absent() {
    for place in PLACES {
        for optional in [true, false] {
            for present in [true, false] {
                let case = format!("{place:?}, optional {optional}, present {present}");
                let s3 = S3::new();
                let pod = pod(&s3, place, optional, present);
                let mut sidecar = pod.start_ready();
                pod.end(0);
                if present {
                    s3.put(&pod.outputs[0].key(), &pod.outputs[0].files[0].1);
                }
                sidecar.terminate();
                let (code, message) = sidecar.ends();
                assert_eq!(code, Some(0), "{case}: {message}");
                let outcome = pod.outcome(&s3);
                let told = entry(&outcome["predicate"]["outputs"], "a");
                let seen = matches!(place, Place::Mirrored) || (place == Place::Memory && !present);
                let verdict = match (seen, optional, present) {
                    (true, _, true) => "attested",
                    (true, true, false) => "absent",
                    _ if place == Place::Memory && optional => "absent",
                    _ => "refused",
                };
                assert_eq!(told["verdict"], verdict, "{case}: {told}");
                assert_eq!(outcome["predicate"]["complete"], json!(verdict != "refused"), "{case}");
                if !seen && place != Place::Memory {
                    let why = told["reason"].as_str().unwrap();
                    assert!(why.contains("mounted in this container"), "{case}: {why}");
                }
            }
        }
    }
}

/// Nothing of the container's own is told of, not even its digest: the key, the secrets, the
/// evidence, what the kubelet and the runtime mount.
#[test]
fn a_path_in_the_sidecars_own_container() {
    let s3 = S3::new();
    let own = |pod: &Pod| {
        [
            ("keys", pod.at("keys/attest.key")),
            ("secrets", pod.at("secrets/s3-cred/secretkey")),
            ("proc", PathBuf::from("/proc/self/environ")),
            ("sys", PathBuf::from("/sys/kernel/notes")),
            ("dev", PathBuf::from("/dev/shm/x")),
            ("hosts", PathBuf::from("/etc/hosts")),
            ("program", PathBuf::from(env!("CARGO_BIN_EXE_argo-attest"))),
            ("passwd", PathBuf::from("/etc/passwd")),
        ]
    };
    let mut pod = Pod::new(s3.address(), Vec::new());
    // Bound on themselves as a Secret is, so that they are mounts, too.
    pod.mounts.extend(["keys", "secrets"].map(|name| Mount::volume(&pod.at(name))));
    let own = own(&pod);
    let declared = own.iter().map(|(name, path)| {
        json!({"name": name, "path": path, "optional": true, "archive": {"none": {}}, "s3": {"key": format!("own/{name}")}})
    });
    pod.template["outputs"] = json!({"artifacts": declared.collect::<Vec<_>>()});
    let mounts = pod.template["container"]["volumeMounts"].as_array_mut().unwrap();
    let parents: std::collections::BTreeSet<_> = own.iter().map(|(_, path)| path.parent().unwrap()).collect();
    mounts.extend(parents.iter().map(|path| json!({"name": "v", "mountPath": path})));
    let mut sidecar = pod.start_ready();
    pod.end(0);
    let bytes: Vec<(&str, Vec<u8>)> =
        own.iter().filter_map(|(name, path)| Some((*name, std::fs::read(path).ok()?))).collect();
    for (name, bytes) in &bytes {
        s3.put(&format!("own/{name}"), bytes);
    }
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    assert_eq!((&message["attested"], &message["notAttested"]), (&0.into(), &own.len().into()), "{message}");
    let outcome = pod.outcome(&s3);
    for (name, _) in &own {
        assert_eq!(entry(&outcome["predicate"]["outputs"], name)["verdict"], "refused", "{name}: {outcome}");
    }
    let told = format!("{message}{outcome}{}", sidecar.logged());
    for (name, bytes) in bytes {
        let digest = argo_attest_core::digest::Sha256Digest::of(&bytes).to_string();
        assert!(!told.contains(&digest), "the digest of {name} is told: {told}");
    }
}

/// Spellings of one path, and links on the way.
#[test]
fn paths_in_other_spellings_and_behind_links() {
    let spelled = |work: &Path, spelling: &str| format!("{}/{spelling}", work.display());
    for (spelling, attested) in [
        ("a-data", true),
        ("./a-data", true),
        ("/a-data", true),
        ("x/../a-data", false),
        ("link/a-data", false),
    ] {
        let s3 = S3::new();
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        let path = spelled(&pod.work(), spelling);
        pod.template["outputs"]["artifacts"][0]["path"] = json!(path);
        std::os::unix::fs::symlink(pod.work(), pod.work().join("link")).unwrap();
        let mut sidecar = pod.start_ready();
        let (_, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!(message["attested"], Value::from(usize::from(attested)), "{spelling}: {message}");
    }
}

/// Where Argo's directory is not mounted, nothing can be said of what the emissary packs.
#[test]
fn argos_own_directory_is_not_mirrored() {
    use crate::output::{Packing, Place, Shape};
    for optional in [true, false] {
        let s3 = S3::new();
        let output = Output::new("a", (Place::Base, Packing::Tar, Shape::File));
        let mut pod = Pod::new(s3.address(), vec![if optional { output.optional() } else { output }]);
        pod.mounts.pop();
        let mut sidecar = pod.start_ready();
        pod.end(0);
        sidecar.terminate();
        sidecar.ends();
        let outcome = pod.outcome(&s3);
        let told = entry(&outcome["predicate"]["outputs"], "a");
        assert_eq!(told["verdict"], "refused", "{told}");
        assert!(told["reason"].as_str().unwrap().contains("is not mounted in this container"), "{told}");
    }
}
