//! The reader against what Argo's encoder wrote, and against what it cannot have
//! written.

mod honest;
mod hostile;
mod table;
mod tree;

/// Templates that Argo's own types wrote: see `tests/fixtures/argo/generate`.
const FIXTURES: [&str; 5] = [
    include_str!("../../../../../../tests/fixtures/argo/templates/base.json"),
    include_str!("../../../../../../tests/fixtures/argo/templates/volume.json"),
    include_str!("../../../../../../tests/fixtures/argo/templates/set.json"),
    include_str!("../../../../../../tests/fixtures/argo/templates/steps.json"),
    include_str!("../../../../../../tests/fixtures/argo/templates/resource.json"),
];

/// The templates of Argo's examples, as the types of three versions wrote them: see
/// `tests/fixtures/argo/encoder`.
fn examples() -> Vec<String> {
    honest::lines(include_bytes!("../../../../../../tests/fixtures/argo/encoder/examples.jsonl.gz"))
}
