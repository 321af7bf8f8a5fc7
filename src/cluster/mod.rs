//! The step's own pod in Kubernetes, for people to look at: annotations, and an
//! event that `kubectl describe pod` shows. `docs/status.md` specifies both.
//!
//! What is said here is a hint. Nobody signs it, whoever may patch the pod can
//! change it, and no decision may rest on it. So nothing depends on whether it
//! could be said either: most service accounts may not.

mod api_server;
mod exchange;
mod fault;
mod notice;

use async_trait::async_trait;

pub use api_server::{ApiServer, CREDENTIALS};
pub use fault::ClusterError;
pub use notice::{ANNOTATION_LIMIT, Annotations, Event, EventType, MESSAGE_LIMIT, Notice};

/// The pod that this process runs in, as others see it.
#[async_trait]
pub trait Pod: Send + Sync {
    /// Sets annotations, and leaves all others as they are. Sends one request; how
    /// long that may take is the caller's to bound.
    async fn annotate(&self, annotations: &Annotations) -> Result<(), ClusterError>;

    /// Adds an event about the pod. One request, as above.
    async fn record(&self, event: &Event) -> Result<(), ClusterError>;
}
