//! Stores with habits, and what lies in them where an attestation goes.

use serde_json::Value;

use crate::odd_store::{Habits, OddStore, Preconditions};
use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod, entry};

fn pod(store: &OddStore) -> Pod {
    Pod::new(&store.server.address.to_string(), vec![Output::plain("a")])
}

fn at(key: &str) -> String {
    format!("/bucket/{key}")
}

/// Main writes and ends, Argo uploads, the sidecar ends: what it says, and its outcome.
fn run(store: &OddStore, pod: &Pod) -> (Value, Value, String) {
    let _ = std::fs::remove_dir_all(pod.argo().join("ctr"));
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for (key, bytes) in pod.outputs[0].objects(&pod.work()) {
        store.hold(&at(&key), &bytes, None);
    }
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0), "{message}");
    let outcome = at(&format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json"));
    let outcome = store.get(&outcome).unwrap_or_else(|| panic!("{message}\n{}", sidecar.logged()));
    (message, pod.signed(&outcome), sidecar.logged())
}

/// The step is attested, and a second time, which has to replace what is there.
#[test]
fn a_step_is_attested_in_any_of_them() {
    let kept = Habits::default();
    for (habits, told) in [
        (Habits { preconditions: Preconditions::Refused, ..kept }, Some("without preconditions")),
        (Habits { preconditions: Preconditions::Unquoted, ..kept }, Some("entity tags without quotes")),
        (
            Habits { checksums_refused: Some((501, "NotImplemented")), ..kept },
            Some("without our checksum, with preconditions"),
        ),
        (
            Habits { demands: Some(("x-amz-server-side-encryption", "AES256")), ..kept },
            Some("encrypted by the store (AES256)"),
        ),
        (Habits { hides: true, ..kept }, None),
    ] {
        let store = OddStore::start(habits);
        let mut pod = pod(&store);
        for _ in 0..2 {
            let (message, outcome, log) = run(&store, &pod);
            assert_eq!(message["attested"], 1, "{habits:?}: {message}\n{log}");
            assert_eq!(outcome["predicate"]["complete"], true, "{outcome}");
            if let Some(told) = told {
                assert!(log.contains(told), "{habits:?}: {log}");
            }
            pod.outputs[0] = pod.outputs[0].altered();
        }
    }
}

/// A store that takes no write at all is found out before main has done its work.
#[test]
fn one_that_takes_no_write_is_told_of_before_main_starts() {
    let store = OddStore::start(Habits { demands: Some(("x-amz-tagging", "team=a")), ..Habits::default() });
    let pod = pod(&store);
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("unready");
    let reason = message["reason"].as_str().unwrap();
    assert!(reason.contains("s3:PutObject was denied"), "{reason}");
}

/// An old attestation that is damaged, or something else that has its name: neither stops a
/// step, and neither is lost.
#[test]
fn what_is_in_the_way_is_set_aside() {
    let of_nothing = Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    for (theirs, sum) in [(&b"somebody else's"[..], None), (b"{\"damaged\":", of_nothing)] {
        for suffix in ["sigstore.json", "intoto.jsonl"] {
            let store = OddStore::start(Habits::default());
            let pod = pod(&store);
            let attestation = format!("{}.{suffix}", pod.outputs[0].key());
            store.hold(&at(&attestation), theirs, sum);
            let outcome = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.{suffix}");
            store.hold(&at(&outcome), theirs, sum);
            let (message, outcome, log) = run(&store, &pod);
            assert_eq!(message["attested"], 1, "{message}\n{log}");
            let aside = entry(&outcome["predicate"]["outputs"], "a")["setAside"][0].as_str().unwrap();
            let path = aside.replacen("s3://bucket", "/bucket", 1);
            assert!(path.starts_with(&at(&format!("{attestation}.set-aside-"))), "{aside}");
            assert_eq!(store.get(&path).as_deref(), Some(theirs));
            assert_eq!(log.matches("it was set aside").count(), 2, "{log}");
            assert_eq!(store.paths().iter().filter(|path| path.contains(".set-aside-")).count(), 2);
        }
    }
}
