//! Argo's template: whatever it says, every output has a place or a reason, and
//! what is said to be on a volume lies on that volume.
#![no_main]

use argo_attest::argo::{Place, Source, Step, TemplateText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = TemplateText::new(Source::Env, bytes.to_vec()) else { return };
    let Ok(step) = Step::parse(&text) else { return };
    let _ = step.overlaps();
    for output in &step.outputs {
        let Ok(plan) = &output.plan else { continue };
        assert!(plan.path.starts_with('/') && !plan.path.split('/').any(|c| c == ".."), "{}", plan.path);
        if let Place::BaseLayer { packed } = &plan.place {
            assert!(packed.starts_with("/var/run/argo/outputs/artifacts/"), "{packed}");
        }
    }
});
