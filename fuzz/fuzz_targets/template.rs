//! Argo's template: whatever it says, reading it ends, and every output that has
//! a place has a packing for either shape.
#![no_main]

use argo_attest::argo::{Shape, Source, Step, TemplateText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = TemplateText::new(Source::Env, bytes.to_vec()) else { return };
    let Ok(step) = Step::parse(&text) else { return };
    let _ = step.overlaps();
    for plan in step.outputs.iter().filter_map(|output| output.plan.as_ref().ok()) {
        let _ = (plan.packing(Shape::File), plan.packing(Shape::Directory), plan.packed_base());
    }
});
