//! Which run of which step a signed statement is about.

use std::fmt;

use serde_json::Value;

use crate::slsa::{ARGO_STEP_BUILD_TYPE, Provenance};
use crate::text::brief;

/// Longer names are cut when they are shown.
const SHOWN: usize = 120;
/// How a part is written that is not known.
const UNKNOWN: &str = "-";

/// The run that a statement names: the parts of its invocation's id
/// ([`PodIdentity::invocation_id`](crate::slsa::PodIdentity::invocation_id)), and the workflow's
/// name. What it does not say is `None`, and is nobody's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invocation {
    /// The workflow's UID.
    pub workflow_uid: Option<String>,
    /// Argo's id of the node.
    pub node_id: Option<String>,
    /// The pod's UID.
    pub pod_uid: Option<String>,
    /// The workflow's name.
    pub workflow: Option<String>,
}

impl Invocation {
    /// Reads the id of a step's invocation; `None` for what is not of its form, as the id of a
    /// builder that is no step is.
    pub fn parse(id: &str) -> Option<Self> {
        let mut parts = id.split('/');
        let (workflow, node, pod) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let known = |part: &str| if part == UNKNOWN { Ok(None) } else { unescaped(part).map(Some).ok_or(()) };
        let (Ok(workflow_uid), Ok(node_id), Ok(pod_uid)) = (known(workflow), known(node), known(pod)) else {
            return None;
        };
        Some(Self { workflow_uid, node_id, pod_uid, workflow: None })
    }

    /// The run that a step's provenance names; `None` for provenance of anything else.
    pub fn of(provenance: &Provenance) -> Option<Self> {
        if provenance.build_definition.build_type != ARGO_STEP_BUILD_TYPE {
            return None;
        }
        let external = &provenance.build_definition.external_parameters;
        let workflow = external.get("workflow").and_then(|workflow| workflow.get("name"));
        let workflow = workflow.and_then(Value::as_str).map(str::to_owned);
        Some(Self { workflow, ..Self::parse(&provenance.run_details.metadata.invocation_id)? })
    }

    /// Whether it is of this workflow, by its UID: a workflow that is made anew under a name is
    /// another one.
    pub fn is_of(&self, workflow_uid: &str) -> bool {
        !workflow_uid.is_empty() && self.workflow_uid.as_deref() == Some(workflow_uid)
    }
}

/// One part, as it was before it was escaped; `None` for text that nobody wrote so.
fn unescaped(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// For people: `node N of workflow W (uid U)`.
impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &Option<String>| text.as_deref().map(|text| brief(text, SHOWN));
        match shown(&self.node_id) {
            Some(node) => write!(f, "node {node}")?,
            None => f.write_str("a node that it does not name")?,
        }
        match shown(&self.workflow) {
            Some(workflow) => write!(f, " of workflow {workflow}")?,
            None => f.write_str(" of a workflow")?,
        }
        match shown(&self.workflow_uid) {
            Some(uid) => write!(f, " (uid {uid})"),
            None => f.write_str(" (no uid)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::slsa::PodIdentity;

    #[test]
    fn what_is_no_steps_id_is_none() {
        for odd in ["", "a", "a/b", "a/b/c/d", "/b/c", "a//c", "a/b/%", "a/b/%G0", "a/b/%FF", "a/b/%0"] {
            assert_eq!(Invocation::parse(odd), None, "{odd}");
        }
        assert_eq!(Invocation::parse("-/-/-"), Some(Invocation::default()));
        assert!(!Invocation::default().is_of(""), "what is not known is nobody's");
    }

    proptest! {
        /// What an identity writes is read back as it was.
        #[test]
        fn an_identitys_id_is_read_back(uid in "\\PC{0,12}", node in "\\PC{0,12}", pod in "\\PC{0,12}") {
            let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            // One dash is how it is written that nothing is known.
            prop_assume!(![&uid, &node, &pod].contains(&&"-".to_owned()));
            let identity = PodIdentity {
                workflow_uid: known(&uid), node_id: known(&node), pod_uid: known(&pod),
                ..PodIdentity::default()
            };
            let read = Invocation {
                workflow_uid: known(&uid), node_id: known(&node), pod_uid: known(&pod), workflow: None,
            };
            prop_assert_eq!(Invocation::parse(&identity.invocation_id()), Some(read));
        }
    }
}
