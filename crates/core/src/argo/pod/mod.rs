//! The pod's own spec, and whether the template's text says the same.
//!
//! What runs is what the pod says, whatever became of the template's text on its way
//! here. So each container that the text describes has to be in the pod once, as
//! Argo's controller makes it from such a template (`build` in its
//! workflow/controller/workflowpod.go, of 3.7 to 4.1): by its name, image, command,
//! arguments and mounts. The spec comes from the admission policy, which hands over
//! the pod as it was created ([`PodSpec::from_handed_over`]), or from the API server
//! ([`LivePod`]).
//!
//! The pod cannot tell what the outputs are, nor where they are stored: only the
//! Workflow can.

mod compare;
mod described;
mod difference;
mod dollars;
mod handed_over;
mod images;
mod live;
mod spec;
#[cfg(test)]
mod tests;

pub use difference::{Field, PodDifference};
pub use handed_over::HandedOverError;
pub use images::ContainerImage;
pub use live::{LivePod, LivePodError, Owner};
pub use spec::{Phase, PodContainer, PodMount, PodSpec};
