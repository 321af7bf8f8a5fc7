//! Whether there is anything to check, decided before policy and credentials are
//! looked at.
//!
//! A gate that is there checks. Only the platform, by how it set the gate up, makes what
//! a step asks for count.

use super::{Asked, Step};

/// Which steps are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// Every step that has the gate.
    #[default]
    Always,
    /// Every step but those that say no.
    OptOut,
    /// Only steps that say yes.
    OptIn,
}

/// What is asked of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Main may start unchecked: the platform lets that count, for this reason.
    Nothing(&'static str),
    /// The template has no inputs.
    NoInputs,
    /// All inputs are to be checked.
    AllInputs,
}

/// What is to be done for this step, of which this was asked.
pub fn question(step: &Step, asked: &Asked, check: Check) -> Question {
    let says = asked.verify_inputs;
    match check {
        Check::OptIn if !says.unwrap_or(asked.attest) => {
            return Question::Nothing(
                "the step does not ask for it, and only steps that do are checked here (--check opt-in)",
            );
        }
        Check::OptOut if says == Some(false) => {
            return Question::Nothing(
                "the step says so (annotation argo-attest.io/verify-inputs: \"false\"), and that counts here (--check opt-out)",
            );
        }
        _ => {}
    }
    // Of whatever kind: those that Argo runs itself take inputs, too.
    if step.inputs.is_empty() {
        return Question::NoInputs;
    }
    Question::AllInputs
}

/// Whether the images of a step's containers are to be checked, of which its annotation says this.
pub fn checks_images(says: Option<bool>, check: Check) -> bool {
    match check {
        Check::Always => true,
        Check::OptOut => says != Some(false),
        Check::OptIn => says == Some(true),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::argo::{Source, TemplateText, encode};

    fn step(kind: &str, content: &Value, inputs: &Value) -> Step {
        let template = json!({"name": "use", "inputs": {"artifacts": inputs}, kind: content});
        let text = encode(&template).unwrap().into_bytes();
        Step::parse(&TemplateText::new(Source::Env, text).unwrap()).unwrap()
    }

    fn container(inputs: &Value) -> Step {
        step("container", &json!({"image": "i"}), inputs)
    }

    /// All that can be asked for, under all that a platform can say: what is let through
    /// unchecked is written out here, and all else is checked.
    #[test]
    fn only_what_the_platform_lets_count_lets_a_step_through() {
        let step = container(&json!([{"name": "a", "path": "/a"}]));
        let all = [Check::Always, Check::OptOut, Check::OptIn];
        for check in all {
            for attest in [false, true] {
                for verify_inputs in [None, Some(false), Some(true)] {
                    let through = matches!(
                        (check, attest, verify_inputs),
                        (Check::OptOut | Check::OptIn, _, Some(false)) | (Check::OptIn, false, None)
                    );
                    let asked = Asked { attest, verify_inputs, ..Asked::default() };
                    let answer = question(&step, &asked, check);
                    assert_eq!(matches!(answer, Question::Nothing(_)), through, "{check:?} {asked:?}");
                }
            }
        }
    }

    #[test]
    fn images_are_checked_where_the_platform_or_the_step_wants_it() {
        let of = |check| [None, Some(false), Some(true)].map(|says| checks_images(says, check));
        assert_eq!(of(Check::Always), [true, true, true]);
        assert_eq!(of(Check::OptOut), [true, false, true]);
        assert_eq!(of(Check::OptIn), [false, false, true]);
    }

    #[test]
    fn no_inputs_need_no_check() {
        let asked = Asked { attest: true, verify_inputs: Some(true), ..Asked::default() };
        let answer = question(&container(&json!([])), &asked, Check::Always);
        assert_eq!(answer, Question::NoInputs);
    }

    #[test]
    fn what_argo_runs_itself_has_inputs_too() {
        let asked = Asked::default();
        let inputs = json!([{"name": "a", "path": "/a"}]);
        for (kind, content) in
            [("resource", json!({"action": "apply"})), ("data", json!({"source": {}, "transformation": []}))]
        {
            let step = step(kind, &content, &inputs);
            assert_eq!(question(&step, &asked, Check::Always), Question::AllInputs, "{kind}");
        }
    }
}
