//! Workflows of anybody, as they are audited: reading them ends, and what is taken of a node is
//! there to be asked after.
#![no_main]

use argo_attest_core::audit::{Account, Finding, Invocation, Spot, WorkflowRun, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let runs = match WorkflowRun::read_all(bytes) {
        Ok(runs) => runs,
        Err(error) => {
            assert!(!error.to_string().chars().any(char::is_control));
            return;
        }
    };
    assert!(!runs.is_empty());
    for run in &runs {
        assert!(!run.uid.is_empty() && !run.name.is_empty());
        for node in &run.nodes {
            assert!(node.places.iter().all(|(_, prefix)| prefix.ends_with('/')));
            assert!(node.account() == Account::Ran || node.places.is_empty());
            for made in &node.outputs {
                let Spot::Object { bucket, key } = &made.spot else { continue };
                let spot = (bucket.as_str(), key.as_str());
                // Whatever the text says: an object of another run is never this run's own.
                let other = Invocation {
                    workflow_uid: Some(format!("{}-other", run.uid)),
                    node_id: Some(node.id.clone()),
                    ..Invocation::default()
                };
                for signed in [None, Some(&Invocation::default()), Some(&other)] {
                    assert_ne!(judge(run, node, spot, signed), Finding::Attested);
                }
            }
        }
    }
});
