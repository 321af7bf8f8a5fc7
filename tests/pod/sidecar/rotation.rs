//! The key's Secret is replaced while a step runs: each attestation verifies under
//! exactly one key, and none fails.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use argo_attest_core::bundle::Bundle;
use argo_attest_core::keys::PublicKey;
use serde_json::Value;

use crate::output::{ALL, Output, PREFIX};
use crate::pod::{POD_UID, Pod};
use crate::process::{Sidecar, until};
use crate::s3::S3;
use crate::secret::{Content, Secret, pair};

type Spoil = fn(&mut Content);

/// Which of the keys signed what is stored there: one, and only one.
fn signer(s3: &S3, key: &str, keys: &[PublicKey]) -> usize {
    let bytes = s3.get(key).unwrap_or_else(|| panic!("no {key}"));
    let bundle = Bundle::from_json(&bytes).unwrap();
    let accept: Vec<usize> =
        (0..keys.len()).filter(|n| bundle.envelope().verify(&[&keys[*n]]).is_ok()).collect();
    let [signer] = accept.as_slice() else { panic!("{key} verifies under the keys {accept:?}") };
    *signer
}

/// Who signed the step's attestations and its outcome, all of which must be there.
fn signers(s3: &S3, pod: &Pod, keys: &[PublicKey]) -> Vec<usize> {
    let attestations = pod.outputs.iter().map(|output| format!("{}.sigstore.json", output.key()));
    let outcome = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
    attestations.chain([outcome]).map(|key| signer(s3, &key, keys)).collect()
}

fn warnings(sidecar: &Sidecar) -> Vec<Value> {
    let lines = sidecar.logged();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["level"] == "WARN").collect()
}

fn attests_all(pod: &Pod, ended: (Option<i32>, Value), sidecar: &Sidecar) {
    let (code, message) = ended;
    let all = pod.outputs.len();
    assert_eq!((code, &message["attested"]), (Some(0), &all.into()), "{message}\n{}", sidecar.logged());
    assert!(message["outcome"].is_string(), "{message}");
}

#[test]
fn whenever_it_is_replaced_one_key_signs_all() {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Moment {
        WhileItStarts,
        MainRuns,
        MainEnded,
        Told,
    }
    for plain in [false, true] {
        for moment in [Moment::WhileItStarts, Moment::MainRuns, Moment::MainEnded, Moment::Told] {
            let s3 = S3::new();
            let mut pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]);
            if plain {
                pod = pod.plain();
            }
            let ((old, old_public), (new, new_public)) = (pair(), pair());
            let mut secret = Secret::mount(&pod.at("keys"), &old);
            let mut replace_at = |now: Moment| {
                if now == moment {
                    secret.replace(&new);
                }
            };
            let mut sidecar = pod.start();
            replace_at(Moment::WhileItStarts);
            sidecar.reaches("ready");
            pod.write();
            replace_at(Moment::MainRuns);
            pod.end(0);
            replace_at(Moment::MainEnded);
            if !plain {
                pod.upload(&s3);
            }
            sidecar.terminate();
            replace_at(Moment::Told);
            if plain {
                sidecar.reaches("finishing");
                pod.upload(&s3);
            }
            attests_all(&pod, sidecar.ends(), &sidecar);
            let signed = signers(&s3, &pod, &[old_public, new_public]);
            assert!(signed.iter().all(|signer| *signer == signed[0]), "{moment:?}: {signed:?}");
            // Only what happens beside its last look may be missed.
            assert!(moment == Moment::Told || signed[0] == 1, "{moment:?}: {signed:?}");
            assert_eq!(warnings(&sidecar), Vec::<Value>::new(), "{moment:?}");
        }
    }
}

/// Far more often than any kubelet does it.
#[test]
fn replaced_all_the_time_it_is_always_a_whole_key() {
    let s3 = S3::new();
    let outputs: Vec<_> =
        ALL.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
    let pod = Pod::new(s3.address(), outputs);
    let (contents, keys): (Vec<Content>, Vec<PublicKey>) = (0..8).map(|_| pair()).unzip();
    let mut secret = Secret::mount(&pod.at("keys"), &contents[0]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for content in &contents {
                    secret.replace(content);
                }
            }
        });
        let mut sidecar = pod.start();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            sidecar.reaches("ready");
            pod.write();
            // Time to notice one while main runs.
            until("a replacement", || sidecar.logged().contains("the key was replaced").then_some(()));
            pod.end(0);
            pod.upload(&s3);
            sidecar.terminate();
            sidecar.ends()
        }));
        stop.store(true, Ordering::Relaxed);
        attests_all(&pod, ended.unwrap(), &sidecar);
        assert_eq!(warnings(&sidecar), Vec::<Value>::new());
    });
    let signed = signers(&s3, &pod, &keys);
    assert!(signed.iter().all(|signer| *signer == signed[0]), "{signed:?}");
}

/// What replaces it is no key, or no pair, or nothing: the one that was good stays,
/// and that is said once, until there is a good one.
#[test]
fn a_replacement_that_cannot_be_used_replaces_nothing() {
    let spoilt: [(Spoil, &str); 4] = [
        (|content| content.clear(), "there is no key file"),
        (|content| content[0].1 = b"garbage".to_vec(), "is not usable"),
        (|content| content[0].1.truncate(60), "is not usable"),
        (|content| content[1].1 = pair().0[1].1.clone(), "does not belong"),
    ];
    for (spoil, reason) in spoilt {
        for mended in [false, true] {
            let s3 = S3::new();
            let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
            let ((old, old_public), (new, new_public)) = (pair(), pair());
            let mut secret = Secret::mount(&pod.at("keys"), &old);
            let mut sidecar = pod.start_ready();
            let mut bad = new.clone();
            spoil(&mut bad);
            secret.replace(&bad);
            until("a warning", || (!warnings(&sidecar).is_empty()).then_some(()));
            if mended {
                secret.replace(&new);
            }
            let ended = pod.succeed(&s3, &mut sidecar);
            attests_all(&pod, ended, &sidecar);
            let signed = signers(&s3, &pod, &[old_public, new_public]);
            assert_eq!(signed, [usize::from(mended); 2], "{reason}");
            let warned = warnings(&sidecar);
            let [warning] = warned.as_slice() else { panic!("{warned:?}") };
            assert!(warning["error"].as_str().unwrap().contains(reason), "{warning}");
            assert!(warning["help"].is_string() && warning["kept"].is_string(), "{warning}");
        }
    }
}

/// A key that no Secret holds is followed in the same way.
#[test]
fn a_plain_file_that_is_lost_or_spoilt_is_kept() {
    for lost in [true, false] {
        let s3 = S3::new();
        let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        let mut sidecar = pod.start_ready();
        let file = pod.at("keys/attest.key");
        if lost {
            fs::remove_file(file).unwrap();
        } else {
            fs::write(file, "garbage").unwrap();
        }
        let ended = pod.succeed(&s3, &mut sidecar);
        attests_all(&pod, ended, &sidecar);
        pod.assert_accepted(&pod.outputs[0]);
        assert_eq!(warnings(&sidecar).len(), 1);
    }
}

/// The step is over for the old key: only the next one's attestations verify with
/// the new key alone, and a consumer that has both accepts both.
#[test]
fn a_consumer_with_both_keys_accepts_what_was_made_before_and_after() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let (old, _) = pair();
    let (new, _) = pair();
    let mut secret = Secret::mount(&pod.at("keys"), &old);
    let mut sidecar = pod.start_ready();
    let ended = pod.succeed(&s3, &mut sidecar);
    attests_all(&pod, ended, &sidecar);
    let old_file = pod.at("old.pub");
    fs::write(&old_file, &old[1].1).unwrap();
    secret.replace(&new);
    let accepts =
        |keys: &[&std::path::Path]| Pod::verify_with(&s3.endpoint, &pod.outputs[0].key(), keys).status.code();
    let new_file = pod.public_key();
    assert_eq!(accepts(&[&old_file]), Some(0));
    assert_eq!(accepts(&[&new_file]), Some(1));
    assert_eq!(accepts(&[&new_file, &old_file]), Some(0));
}
