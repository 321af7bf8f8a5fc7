//! The step as Kubernetes knows it: its own pod and Workflow, to be read; and the pod,
//! to be told for people to look at, in annotations and in an event that
//! `kubectl describe pod` shows (`docs/status.md` specifies both).
//!
//! What is read decides ([`crate::template`]): it is what the API server holds, not
//! what was handed on. What is said is a hint. Nobody signs it, whoever may patch the
//! pod can change it, and no decision may rest on it. So nothing depends on whether it
//! could be said either: most service accounts may not.

mod api_server;
mod exchange;
mod exec;
mod fault;
mod notice;
mod person;

use async_trait::async_trait;

pub use api_server::ApiServer;
pub use exec::ExecError;
pub use fault::{AccessError, ClusterError};
pub use notice::{ANNOTATION_LIMIT, Annotations, Event, EventType, MESSAGE_LIMIT, Notice};
pub use person::Person;

/// Bytes of a pod that are read. etcd takes objects of 1.5 MiB, so that what is larger
/// is none.
pub const POD_LIMIT: usize = 4 * 1024 * 1024;

/// What the API server holds of this step. One request each; how long that may take is
/// the caller's to bound.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The pod that this process runs in, as JSON of at most [`POD_LIMIT`] bytes.
    async fn own_pod(&self) -> Result<Vec<u8>, ClusterError>;

    /// The Workflow of that name in the pod's namespace, as JSON of at most
    /// [`WORKFLOW_LIMIT`](argo_attest_core::argo::workflow::WORKFLOW_LIMIT) bytes.
    async fn workflow(&self, name: &str) -> Result<Vec<u8>, ClusterError>;
}

/// The pod that this process runs in, as others see it.
#[async_trait]
pub trait Pod: Send + Sync {
    /// Sets annotations, and leaves all others as they are. Sends one request; how
    /// long that may take is the caller's to bound.
    async fn annotate(&self, annotations: &Annotations) -> Result<(), ClusterError>;

    /// Adds an event about the pod. One request, as above.
    async fn record(&self, event: &Event) -> Result<(), ClusterError>;
}
