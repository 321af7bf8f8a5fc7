//! Argo's template: whatever it says, every output has a place or a reason, and
//! what is said to be on a volume has a path that a mount can hold.
#![no_main]

use argo_attest::argo::{Place, Source, Step, TemplateText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = TemplateText::new(Source::Env, bytes.to_vec()) else { return };
    let Ok(step) = Step::parse(&text) else { return };
    let _ = step.overlaps();
    for output in &step.outputs {
        let Ok(plan) = &output.plan else { continue };
        if let Place::Volume { mount } = &plan.place {
            assert!(!plan.path.is_empty() && !mount.is_empty(), "{} in {mount}", plan.path);
        }
    }
});
