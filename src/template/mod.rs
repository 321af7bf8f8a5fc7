//! What a step's template is, by more than its text.
//!
//! `ARGO_TEMPLATE` comes through Argo's own substitution, by which a value that a tenant
//! gives as a parameter can rewrite it. So the text is compared with what no parameter
//! can rewrite: with the pod's own spec ([`argo_attest_core::argo::pod`]), which the admission
//! policy hands over or the API server has, and with the Workflow as it is stored
//! ([`argo_attest_core::argo::workflow`]), where the service account may read it. A difference is
//! always refused. Where there was nothing to compare with, the least that the
//! deployment asks for decides, and the statement says which it was
//! ([`TemplateSource`]).
//!
//! The gate and the sidecar call this, and act on nothing of the text before.

mod asking;
mod claim;
mod files;
mod platform;
#[cfg(test)]
mod tests;
mod unestablished;

pub use asking::{EACH, NODE, TOGETHER};
pub use claim::{Claim, Established};
pub use files::HostFiles;
pub use platform::{HandedOver, Platform};
pub use unestablished::{NotCompared, Unestablished};

pub use argo_attest_core::argo::TemplateSource;
use argo_attest_core::argo::TemplateText;

/// Reads the text and compares it with all that the platform knows, or can ask for
/// within [`TOGETHER`].
pub async fn establish(text: &TemplateText, platform: &Platform<'_>) -> Result<Established, Unestablished> {
    Claim::read(text, platform.handed_over)?.establish(platform).await
}
