//! Whether there is anything to check, decided before policy and credentials are
//! looked at.

use crate::argo::{Step, VERIFY_INPUTS};

/// What is asked of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Main may start at once, for this reason.
    Nothing(&'static str),
    /// All inputs are to be checked.
    AllInputs,
    /// The annotation says neither: the reason why main must not start.
    Unclear(String),
}

/// What is asked for this step. `all`: as if each template had asked for attestations.
pub fn question(step: &Step, all: bool) -> Question {
    if !step.kind.runs_containers() {
        return Question::Nothing("a template of this kind runs no main container");
    }
    match step.asks_to_verify_inputs() {
        Err(text) => Question::Unclear(format!(
            "the annotation {VERIFY_INPUTS} is {text:?}, not \"true\" or \"false\""
        )),
        Ok(false) if step.annotations.contains_key(VERIFY_INPUTS) => {
            Question::Nothing("the template says so (annotation argo-attest.io/verify-inputs: \"false\")")
        }
        Ok(false) if !all => {
            Question::Nothing("the template does not ask for it (annotation argo-attest.io/attest: \"true\")")
        }
        _ if step.inputs.is_empty() => Question::Nothing("the template has no input artifacts"),
        _ => Question::AllInputs,
    }
}
