//! Whether what is attested is attested for the step that is said to have made it.

use super::{Account, Finding, Invocation, Node, WorkflowRun};

/// What is said of an object that a trusted key attests, and that the workflow says this node made.
/// `signed`: the run that its verified statement names, nothing else's word.
///
/// The workflow's text decides only which run is looked for. It can call a result taken over, and
/// then the run that made it is told; it cannot make a statement name this run.
pub fn judge(run: &WorkflowRun, node: &Node, spot: (&str, &str), signed: Option<&Invocation>) -> Finding {
    let Some(signed) = signed else { return Finding::Spliced { signed: None } };
    let is_of_this_run = signed.is_of(&run.uid) && signed.workflow.as_ref().is_none_or(|w| *w == run.name);
    let maker = signed.node_id.as_deref();
    if is_of_this_run && maker == Some(node.id.as_str()) {
        return Finding::Attested;
    }
    if node.account() == Account::TakenOver {
        return Finding::Memoised { run: signed.clone() };
    }
    match maker {
        Some(other) if is_of_this_run && run.makes(other, spot) => {
            Finding::StaleVersion { by: other.to_owned(), lost: node.phase.is_success() }
        }
        _ => Finding::Spliced { signed: Some(signed.clone()) },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn run(first: &Value) -> WorkflowRun {
        let output = json!({"artifacts": [{"name": "o", "s3": {"key": "k"}}]});
        let workflow = json!({
            "metadata": {"name": "wf", "uid": "u"},
            "status": {
                "nodes": {
                    "a": first,
                    "b": {"name": "b", "type": "Pod", "phase": "Succeeded", "outputs": output},
                },
                "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": "b"}}},
            },
        });
        WorkflowRun::read_all(workflow.to_string().as_bytes()).unwrap().remove(0)
    }

    fn judged(first: &Value, workflow: &str, uid: &str, node: &str) -> Finding {
        let signed = Invocation {
            workflow_uid: Some(uid.into()),
            node_id: Some(node.into()),
            pod_uid: None,
            workflow: Some(workflow.into()),
        };
        let run = run(first);
        judge(&run, &run.nodes[0], ("b", "k"), Some(&signed))
    }

    #[test]
    fn only_the_nodes_own_statement_attests_it() {
        let ran = json!({"name": "a", "type": "Pod", "phase": "Succeeded"});
        assert_eq!(judged(&ran, "wf", "u", "a"), Finding::Attested);
        for (workflow, uid, node) in [("wf", "v", "a"), ("wf", "", "a"), ("wg", "u", "a"), ("wf", "u", "c")] {
            let finding = judged(&ran, workflow, uid, node);
            assert!(matches!(finding, Finding::Spliced { signed: Some(_) }), "{workflow} {uid} {node}");
        }
        let run = run(&ran);
        assert_eq!(judge(&run, &run.nodes[0], ("b", "k"), None), Finding::Spliced { signed: None });
    }

    #[test]
    fn what_another_node_of_the_run_overwrote_is_stale() {
        let stale =
            |phase: &str| judged(&json!({"name": "a", "type": "Pod", "phase": phase}), "wf", "u", "b");
        assert_eq!(stale("Succeeded"), Finding::StaleVersion { by: "b".into(), lost: true });
        assert_eq!(stale("Failed"), Finding::StaleVersion { by: "b".into(), lost: false });
        // Of another bucket or key that node is no maker.
        let ran = json!({"name": "a", "type": "Pod", "phase": "Failed"});
        let signed = Invocation::parse("u/b/-").unwrap();
        let run = run(&ran);
        let elsewhere = judge(&run, &run.nodes[0], ("c", "k"), Some(&signed));
        assert!(matches!(elsewhere, Finding::Spliced { .. }), "{elsewhere:?}");
    }

    #[test]
    fn a_result_that_was_taken_over_is_traced() {
        let taken = json!({"name": "a", "type": "Pod", "memoizationStatus": {"hit": true}});
        assert!(matches!(judged(&taken, "old", "v", "x"), Finding::Memoised { run } if run.is_of("v")));
        let run = run(&taken);
        assert_eq!(judge(&run, &run.nodes[0], ("b", "k"), None), Finding::Spliced { signed: None });
    }
}
