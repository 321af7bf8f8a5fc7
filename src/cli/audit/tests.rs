//! An audit in parts says what one audit says.

use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::shard_report::Head;
use argo_attest_core::audit::{Finding, Narrowing, Shard, Standing, Totals};
use argo_attest_core::keys::{KeyType, PrivateKey};
use proptest::prelude::*;
use serde_json::json;

use super::super::Exit;
use super::json::EntryJson;
use super::shard::{ShardTeller, head};
use crate::audit::merge::{MergeError, Parts};
use crate::audit::tests::world::{UID, World, node, outcome, uri};
use crate::audit::{Entry, Listed, Names, Outcomes};
use crate::roll::Roll;
use crate::verify::{Lanes, Part, prefix_part};

const PLACE: &str = "wf/";

/// What happened to one step.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Well,
    ObjectDeleted,
    ObjectAndBundleDeleted,
    BundleDeleted,
    Swapped,
    WrongKey,
    NoOutcome,
    OnlyStarted,
    /// The pod was lost, and the node ran again.
    StartedAndRanAgain,
    Refused,
    Apart,
    Log,
}

const FATES: [Fate; 12] = [
    Fate::Well,
    Fate::ObjectDeleted,
    Fate::ObjectAndBundleDeleted,
    Fate::BundleDeleted,
    Fate::Swapped,
    Fate::WrongKey,
    Fate::NoOutcome,
    Fate::OnlyStarted,
    Fate::StartedAndRanAgain,
    Fate::Refused,
    Fate::Apart,
    Fate::Log,
];

async fn world(fates: &[Fate]) -> World {
    let mut world = World::new();
    for (number, fate) in fates.iter().enumerate() {
        world.step(number, &[]).await;
        let ((id, at), outcome) = (node(number), outcome(number));
        match fate {
            Fate::Well => {}
            Fate::ObjectDeleted => world.remove(&[&at]),
            Fate::ObjectAndBundleDeleted => {
                world.remove(&[&at]);
                world.remove_attestation(&at);
            }
            Fate::BundleDeleted => world.remove_attestation(&at),
            Fate::Swapped => world.put(&at, "something else"),
            Fate::WrongKey => {
                world.remove_attestation(&at);
                let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
                world.attest(&other, (UID, &id), &at, Vec::new()).await;
            }
            Fate::NoOutcome => world.remove_attestation(&outcome),
            Fate::OnlyStarted => {
                world.remove_attestation(&outcome);
                world.outcome(&outcome, (UID, &id), "started", &json!([])).await;
            }
            Fate::StartedAndRanAgain => {
                world.outcome(&format!("{outcome}-lost"), (UID, &id), "started", &json!([])).await;
            }
            Fate::Refused => {
                world.remove_attestation(&outcome);
                let refused = json!([{"name": "out", "verdict": "refused", "reason": "a device"}]);
                world.outcome(&outcome, (UID, &id), "succeeded", &refused).await;
            }
            Fate::Apart => {
                // In another place, and gone.
                let elsewhere = json!([{
                    "name": "out", "verdict": "attested", "attestation": uri("other/x.sigstore.json"),
                }]);
                world.remove_attestation(&outcome);
                world.outcome(&outcome, (UID, &id), "succeeded", &elsewhere).await;
            }
            Fate::Log => world.put(&format!("wf/pod-{number}/main.log"), "a log"),
        }
    }
    world
}

fn of(shard: &str) -> Shard {
    shard.parse().unwrap()
}

fn of_part(number: u32, parts: u32) -> Head {
    let (shard, places) = (of(&format!("{number}/{parts}")), [PathBuf::from(uri(PLACE))]);
    let stores = vec!["s3://b at https://s3.example.com".to_owned()];
    head((shard, "run"), "sha256:0".into(), (&places, stores), Narrowing::default())
}

/// The report of a part, byte by byte.
async fn report(world: &World, number: u32, parts: u32) -> Vec<u8> {
    let (auditor, head) = (world.auditor(), of_part(number, parts));
    let part = Part { shard: Some(head.shard), ..Part::default() };
    let found = prefix_part(&Lanes::default(), Arc::new(world.bucket.clone()), PLACE, &part).await.unwrap();
    let names: Roll = found.artifacts.names().map(std::ffi::OsString::into_encoded_bytes).collect();
    let left = auditor.look_at(found.orphans, &names, &mut Outcomes::of(&[])).await;
    let mut teller = ShardTeller::begin(Vec::new(), &head).unwrap();
    teller.listed(0, found.listing.unwrap()).unwrap();
    let listed = vec![Listed { place: 0, artifacts: found.artifacts }];
    let tell = |entry: Entry, at| teller.artifact(at, &entry);
    let late = auditor.artifacts(listed, &Names::new(), tell).await.unwrap();
    auditor.remarks(left, &Names::new(), &late, |remark| teller.remark(&remark)).await.unwrap();
    teller.end().unwrap()
}

/// The lines of `-o json`, the counts, and the exit code.
fn told<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (Vec<String>, Totals, Exit) {
    let (mut lines, mut totals, mut exit) = (Vec::new(), Totals::default(), Exit::Done);
    for entry in entries {
        lines.push(serde_json::to_string(&EntryJson::new(entry)).unwrap());
        totals.count(&entry.finding);
        exit = Exit::worst([exit, entry.finding.fault().map_or(Exit::Done, Exit::from)]);
    }
    (lines, totals, exit)
}

fn merged(reports: Vec<(String, &[u8])>) -> Result<Vec<Entry>, MergeError> {
    let mut entries = Vec::new();
    Parts::of(reports)?.tell(|entry| {
        entries.push(entry);
        Ok::<(), MergeError>(())
    })?;
    Ok(entries)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever there is, however many parts: the same lines in the same order, the same counts, the
    /// same end.
    #[test]
    fn parts_together_say_what_one_audit_says(
        fates in proptest::collection::vec(proptest::sample::select(&FATES[..]), 1..9),
        parts in 1_u32..6,
    ) {
        run(async {
            let world = world(&fates).await;
            let whole = world.entries_of(None, Some(PLACE)).await;
            let mut reports = Vec::new();
            for number in 1..=parts {
                reports.push(report(&world, number, parts).await);
            }
            // In any order.
            let named = reports.iter().enumerate().rev().map(|(at, report)| (at.to_string(), report.as_slice()));
            let together = merged(named.collect()).unwrap();
            prop_assert_eq!(told(&together), told(&whole));
            Ok(())
        })?;
    }
}

#[test]
fn what_is_not_all_of_one_audit_is_refused() {
    run(async {
        let world = world(&[Fate::Well, Fate::Swapped]).await;
        let (one, two) = (report(&world, 1, 2).await, report(&world, 2, 2).await);
        let of_three = report(&world, 1, 3).await;
        let merged = |reports: &[&[u8]]| {
            let named = reports.iter().enumerate().map(|(at, report)| (at.to_string(), *report));
            merged(named.collect()).map(drop).unwrap_err()
        };
        assert!(matches!(merged(&[]), MergeError::None));
        assert!(matches!(merged(&[&one]), MergeError::Missing { part: 2, of: 2 }));
        assert!(matches!(merged(&[&one, &one]), MergeError::Twice { part: 1, .. }));
        assert!(matches!(merged(&[&one, &two, &two]), MergeError::Twice { part: 2, .. }));
        assert!(matches!(
            merged(&[&one, &of_three]),
            MergeError::Another { what: "the number of parts", .. }
        ));
        for (from, to, said) in [
            (r#""runId":"run""#, r#""runId":"other""#, "the run (--run-id)"),
            ("sha256:0", "sha256:1", "the policy, or an option,"),
            ("argo-attest 0", "argo-attest 9", "the program's version"),
            ("/wf/", "/wg/", "what was audited"),
            ("s3.example.com", "s3.example.org", "the store's address"),
            (r#""notOurs":[]"#, r#""notOurs":["x"]"#, "what is not ours (--not-ours)"),
        ] {
            let other = String::from_utf8(two.clone()).unwrap().replacen(from, to, 1);
            match merged(&[&one, other.as_bytes()]) {
                MergeError::Another { what, .. } => assert_eq!(what, said),
                other => panic!("{said}: {other}"),
            }
        }
        // Cut off within, after a whole line: nothing is taken for all.
        let lines: Vec<_> = std::str::from_utf8(&two).unwrap().lines().collect();
        let cut = format!("{}\n", lines[..lines.len() - 1].join("\n"));
        assert!(matches!(merged(&[&one, cut.as_bytes()]), MergeError::Report { .. }));
    });
}

/// Between two parts a directory is attested: one sees objects, the other a directory, and what of it is whose differs.
#[test]
fn parts_that_saw_different_things_do_not_pass_for_one() {
    run(async {
        let mut world = World::new();
        for number in 0..3 {
            world.step(number, &[]).await;
        }
        let one = report(&world, 1, 2).await;
        world.put("wf/new", "never attested");
        let two = report(&world, 2, 2).await;
        let named = vec![("one".to_owned(), one.as_slice()), ("two".to_owned(), two.as_slice())];
        let entries = merged(named).unwrap();
        let first = entries.first().unwrap();
        assert_eq!(first.artifact(), PathBuf::from(uri(PLACE)));
        assert_eq!(first.finding.standing(), Standing::Unknown);
        let message = first.finding.message().unwrap();
        assert!(message.starts_with("something came or went while it was audited"), "{message}");
        let (_, totals, exit) = told(&entries);
        assert!(!totals.is_complete() && exit != Exit::Done, "{exit:?}");
        // The same ones, whatever changed in them, are no difference.
        let one = report(&world, 1, 2).await;
        world.put("wf/new", "something else");
        let two = report(&world, 2, 2).await;
        let named = vec![("one".to_owned(), one.as_slice()), ("two".to_owned(), two.as_slice())];
        let is_unknown = |entry: &Entry| matches!(entry.finding, Finding::Unknown(_));
        assert!(!merged(named).unwrap().iter().any(is_unknown));
    });
}

/// Keys of a bucket are no paths: `a//b` is another object than `a/b`.
#[test]
fn names_that_are_alike_as_paths_are_not_taken_for_each_other() {
    run(async {
        let mut world = World::new();
        world.step(0, &[]).await;
        let (_, at) = node(0);
        let odd = at.replacen('/', "//", 1);
        world.put(&odd, "something else");
        let told: Vec<_> = world.entries(Some("wf/")).await.iter().map(Entry::artifact).collect();
        let told: Vec<_> = told.iter().map(|name| name.as_os_str()).collect();
        for name in [uri(&at), uri(&odd)] {
            assert!(told.contains(&std::ffi::OsStr::new(&name)), "{name}: {told:?}");
        }
    });
}
