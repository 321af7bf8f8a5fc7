//! A planted gap is always named, and none is invented.

use argo_attest_core::keys::{KeyType, PrivateKey};
use proptest::prelude::*;
use serde_json::json;

use super::world::*;

/// What goes wrong with one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    BundleDeleted,
    ObjectDeleted,
    ObjectSwapped,
    Spliced,
    OtherNodes,
    WrongKey,
    NoOutcome,
    OnlyStarted,
    Refused,
}

const GAPS: [Gap; 9] = [
    Gap::BundleDeleted,
    Gap::ObjectDeleted,
    Gap::ObjectSwapped,
    Gap::Spliced,
    Gap::OtherNodes,
    Gap::WrongKey,
    Gap::NoOutcome,
    Gap::OnlyStarted,
    Gap::Refused,
];

impl Gap {
    /// Whether the attestation that others name is not there any more.
    fn breaks_links(self) -> bool {
        matches!(
            self,
            Self::BundleDeleted | Self::Spliced | Self::OtherNodes | Self::WrongKey | Self::Refused
        )
    }

    /// Whether nothing can be read of what went into the step.
    fn hides_inputs(self) -> bool {
        self.breaks_links() || matches!(self, Self::ObjectDeleted | Self::ObjectSwapped)
    }

    async fn plant(self, world: &World, number: usize) {
        let (id, at) = node(number);
        match self {
            Self::BundleDeleted => world.remove_attestation(&at),
            Self::ObjectDeleted => world.remove(&[&at]),
            Self::ObjectSwapped => world.put(&at, "something else"),
            Self::Spliced => {
                world.remove_attestation(&at);
                world.attest(&world.key, ("another-uid", &id), &at, Vec::new()).await;
            }
            Self::OtherNodes => {
                world.remove_attestation(&at);
                world.attest(&world.key, (UID, "wf-none"), &at, Vec::new()).await;
            }
            Self::WrongKey => {
                world.remove_attestation(&at);
                let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
                world.attest(&other, (UID, &id), &at, Vec::new()).await;
            }
            Self::NoOutcome => world.remove_attestation(&outcome(number)),
            Self::OnlyStarted => {
                world.remove_attestation(&outcome(number));
                world.outcome(&outcome(number), (UID, &id), "started", &json!([])).await;
            }
            Self::Refused => {
                world.remove_attestation(&at);
                world.remove_attestation(&outcome(number));
                let refused = json!([{"name": "out", "verdict": "refused", "reason": "a named pipe"}]);
                world.outcome(&outcome(number), (UID, &id), "succeeded", &refused).await;
            }
        }
    }

    fn told(self, number: usize) -> (String, String) {
        let object = uri(&node(number).1);
        let (subject, word) = match self {
            Self::BundleDeleted => (object, "unattested"),
            Self::ObjectDeleted => (object, "object-gone"),
            Self::ObjectSwapped => (object, "altered"),
            Self::Spliced | Self::OtherNodes => (object, "spliced"),
            Self::WrongKey => (object, "untrusted"),
            Self::Refused => (object, "refused-in-step"),
            Self::NoOutcome | Self::OnlyStarted => (step(number), "never-finished"),
        };
        (subject, word.to_owned())
    }
}

/// What each step takes from those before it: at most two.
fn shape() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<Option<Gap>>)> {
    (1_usize..7).prop_flat_map(|count| {
        let from = |number: usize| {
            let all: Vec<usize> = (0..number).collect();
            let most = all.len().min(2);
            proptest::sample::subsequence(all, 0..=most)
        };
        let inputs: Vec<_> = (0..count).map(from).collect();
        let gap = proptest::option::weighted(0.4, proptest::sample::select(&GAPS[..]));
        (inputs, proptest::collection::vec(gap, count))
    })
}

fn expected(inputs: &[Vec<usize>], gaps: &[Option<Gap>]) -> Told {
    let mut told = Vec::new();
    // Links are walked from what there is, and through whatever has an attestation.
    let mut walked: Vec<_> = gaps.iter().map(|gap| !gap.is_some_and(Gap::hides_inputs)).collect();
    for number in (0..gaps.len()).rev() {
        if !walked[number] {
            continue;
        }
        for &input in &inputs[number] {
            walked[input] |= !gaps[input].is_some_and(Gap::breaks_links);
        }
    }
    for (number, gap) in gaps.iter().enumerate() {
        told.extend(gap.map(|gap| gap.told(number)));
        if !walked[number] {
            continue;
        }
        let broken = inputs[number].iter().filter(|input| gaps[**input].is_some_and(Gap::breaks_links));
        told.extend(broken.map(|input| (uri(&node(*input).1), "chain".to_owned())));
    }
    told.sort();
    told
}

/// Each once: a link that several steps have is told of each of them, and beneath what was made of
/// them only where no step tells it.
fn once(mut told: Told) -> Told {
    told.dedup();
    told
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Of a workflow with any gaps exactly those are told, with the links that they break; and of
    /// its prefix nothing else.
    #[test]
    fn exactly_the_planted_gaps_are_named((inputs, gaps) in shape()) {
        let (of_workflow, with_prefix) = wait(async {
            let mut world = World::new();
            for (number, from) in inputs.iter().enumerate() {
                world.step(number, from).await;
            }
            for (number, gap) in gaps.iter().enumerate() {
                if let Some(gap) = gap {
                    gap.plant(&world, number).await;
                }
            }
            (world.gaps(None).await, world.gaps(Some("wf/")).await)
        });
        prop_assert_eq!(once(of_workflow.clone()), once(expected(&inputs, &gaps)));
        prop_assert_eq!(&with_prefix, &of_workflow);
    }
}

#[tokio::test]
async fn every_kind_of_gap_by_itself() {
    for gap in GAPS {
        let mut world = World::new();
        world.step(0, &[]).await;
        world.step(1, &[0]).await;
        assert_eq!(world.gaps(Some("wf/")).await, [], "before {gap:?}");
        gap.plant(&world, 0).await;
        assert_eq!(world.gaps(None).await, expected(&[vec![], vec![0]], &[Some(gap), None]), "{gap:?}");
    }
}

/// A workflow's text that leaves a node out hides it; one that says more makes nothing attested.
#[tokio::test]
async fn a_workflows_text_hides_and_never_attests() {
    let mut world = World::new();
    world.step(0, &[]).await;
    world.step(1, &[]).await;
    world.remove_attestation(&node(1).1);
    assert_eq!(world.gaps(None).await, pairs(&[(&uri(&node(1).1), "unattested")]));
    let mut lying = world.workflow();
    lying["status"]["nodes"].as_object_mut().unwrap().remove("wf-1");
    let entries = world.entries_of(Some(&lying), None).await;
    assert_eq!(told(&entries), pairs(&[(&uri(&node(0).1), "attested")]));
    // The prefix is not the text's to choose.
    let entries = world.entries_of(Some(&lying), Some("wf/")).await;
    assert!(told(&entries).contains(&(uri(&node(1).1), "unattested".into())), "{entries:?}");
    // Whatever it claims of the node, an object without an attestation is not called attested.
    for claim in [
        json!({"memoizationStatus": {"hit": true}}),
        json!({"type": "Skipped", "phase": "Skipped", "message": "original pod: x"}),
        json!({"phase": "Failed"}),
        json!({"type": "Oven"}),
    ] {
        world.shows("wf-1", &claim, &[("out", &node(1).1)]);
        let entries = world.entries(None).await;
        assert!(told(&entries).contains(&(uri(&node(1).1), "unattested".into())), "{claim}: {entries:?}");
    }
    // Nor one of another run this run's own.
    world.attest(&world.key, ("other", "x"), &node(1).1, Vec::new()).await;
    world.shows("wf-1", &json!({}), &[("out", &node(1).1)]);
    assert_eq!(world.gaps(None).await, pairs(&[(&uri(&node(1).1), "spliced")]));
}

/// What the text leaves out of a node's outputs, its signed outcome names.
#[tokio::test]
async fn an_output_that_the_text_hides_is_in_the_outcome() {
    let mut world = World::new();
    world.step(0, &[]).await;
    world.put("wf/pod-0/x", "x");
    world.shows("wf-0", &json!({}), &[("x", "wf/pod-0/x")]);
    world.remove(&[&node(0).1]);
    assert_eq!(
        world.gaps(None).await,
        pairs(&[("s3://artifacts/wf/pod-0/x", "unattested"), (&uri(&node(0).1), "object-gone")])
    );
}

/// A step that was given another run's result in the place of this one's: its own statement says
/// which attestation it took.
#[tokio::test]
async fn a_splice_among_what_went_in_is_named() {
    let mut world = World::new();
    let (id, at) = node(0);
    world.attest(&world.key, ("other", &id), &at, Vec::new()).await;
    let spliced = world.input(&at).await;
    world.step(0, &[]).await;
    world.step(1, &[]).await;
    world.attest(&world.key, (UID, &node(1).0), &node(1).1, vec![spliced]).await;
    assert_eq!(world.gaps(None).await, pairs(&[(&uri(&at), "spliced")]));
}

#[tokio::test]
async fn what_a_run_took_over_is_traced_to_the_run_that_made_it() {
    let mut world = World::new();
    world.attest(&world.key, ("old", "old-1"), "old/out.tgz", Vec::new()).await;
    world.shows("wf-0", &json!({"memoizationStatus": {"hit": true}}), &[("out", "old/out.tgz")]);
    let entries = world.entries(None).await;
    assert_eq!(told(&entries), pairs(&[("s3://artifacts/old/out.tgz", "memoised")]));
    assert!(entries[0].finding.message().unwrap().contains("node old-1"), "{entries:?}");
}

#[tokio::test]
async fn retries_logs_skipped_and_open_nodes() {
    let mut world = World::new();
    world.step(0, &[]).await;
    // A first try under the same key, which failed.
    let failed = json!([{"name": "out", "verdict": "unfinished", "reason": "the step failed"}]);
    world.outcome("wf/pod-9/argo-attest-outcome-u", (UID, "wf-9"), "failed", &failed).await;
    let logs = ("main-logs", "wf/pod-9/main.log");
    world.put(logs.1, "log");
    world.shows("wf-9", &json!({"phase": "Failed"}), &[("out", &node(0).1), logs]);
    world.shows("wf-2", &json!({"type": "Skipped", "phase": "Omitted"}), &[]);
    world.shows("wf-3", &json!({"phase": "Running"}), &[]);
    world.shows("wf-4", &json!({"type": "Steps"}), &[("out", &node(0).1)]);
    assert_eq!(
        told(&world.entries(None).await),
        pairs(&[
            (&uri(&node(0).1), "attested"),
            (&uri(&node(0).1), "stale-version"),
            (&uri(logs.1), "not-ours"),
            (&step(2), "absent-by-right"),
            (&step(3), "never-finished"),
        ])
    );
}

/// An outcome is of the run that it names, whatever its name and its place are.
#[tokio::test]
async fn an_outcome_of_another_run_is_none() {
    let mut world = World::new();
    world.step(0, &[]).await;
    world.remove_attestation(&outcome(0));
    for other in [("other", "wf-0"), (UID, "wf-1"), ("-", "wf-0")] {
        world.outcome(&outcome(0), other, "succeeded", &json!([])).await;
        let left_out = format!("argo://-/{UID}/wf-1");
        let expected = match other {
            // Of a node of this run that the text does not have.
            (UID, "wf-1") => pairs(&[(&left_out, "not-found"), (&step(0), "never-finished")]),
            _ => pairs(&[(&step(0), "never-finished")]),
        };
        assert_eq!(world.gaps(None).await, expected, "{other:?}");
        world.remove_attestation(&outcome(0));
    }
    // One that ran again is what its last pod says.
    world.outcome("wf/pod-0/argo-attest-outcome-a", (UID, "wf-0"), "started", &json!([])).await;
    world.outcome("wf/pod-0/argo-attest-outcome-b", (UID, "wf-0"), "succeeded", &json!([])).await;
    assert_eq!(world.gaps(None).await, []);
}

/// What was written when the step started says of every output that it is not there: nobody refused it.
#[tokio::test]
async fn what_a_lost_sidecar_left_is_unattested() {
    let mut world = World::new();
    world.step(0, &[]).await;
    let (id, at) = node(0);
    world.remove_attestation(&at);
    world.remove_attestation(&outcome(0));
    let absent = json!([{"name": "out", "verdict": "absent", "reason": "it is not there"}]);
    world.outcome(&outcome(0), (UID, &id), "started", &absent).await;
    let object = uri(&at);
    assert_eq!(world.gaps(None).await, pairs(&[(&object, "unattested"), (&step(0), "never-finished")]));
}

/// What went in is what was signed, whatever the text says.
#[tokio::test]
async fn an_input_that_the_text_exchanges_is_named() {
    let mut world = World::new();
    world.step(0, &[]).await;
    world.step(1, &[0]).await;
    let (id, at) = node(1);
    let took = |key: &str| json!({"inputs": {"artifacts": [{"name": "in", "s3": {"key": key}}]}});
    world.shows(&id, &took(&node(0).1), &[("out", &at)]);
    assert_eq!(world.gaps(None).await, pairs(&[]));
    world.shows(&id, &took("wf/other"), &[("out", &at)]);
    assert_eq!(world.gaps(None).await, pairs(&[(&uri("wf/other"), "chain")]));
}
