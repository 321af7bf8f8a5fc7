//! What is given to a registry.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::Repository;
use bytes::Bytes;
use hyper::header::LOCATION;
use hyper::{HeaderMap, Method, StatusCode, Uri};

use super::client::{Ask, At, resolve};
use super::{Access, Registries, RegistryError, shown};

/// Bytes of an answer to something that was pushed; there are none that matter.
const ACKNOWLEDGEMENT: usize = 64 * 1024;

impl Registries {
    /// Puts a blob, unless it is there already (OCI Distribution 1.1, "Pushing a blob
    /// monolithically").
    pub(super) async fn put_blob(&self, at: &Repository, bytes: Bytes) -> Result<(), RegistryError> {
        let digest = Sha256Digest::of(&bytes);
        let what = shown(at, digest);
        let ask = |method, at_path| Ask {
            method,
            repository: at,
            access: Access::Push,
            at: at_path,
            headers: Vec::new(),
            kind: None,
            body: Bytes::new(),
            what: what.clone(),
        };
        let there = ask(Method::HEAD, At::Path(format!("blobs/sha256:{digest}")));
        let answer = self.http.ask(&there, &[StatusCode::NOT_FOUND], ACKNOWLEDGEMENT).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let begun = self
            .http
            .ask(&ask(Method::POST, At::Path("blobs/uploads/".into())), &[], ACKNOWLEDGEMENT)
            .await?;
        let nonsense = |why: &str| RegistryError::Nonsense { what: what.clone(), why: why.to_owned() };
        let to = upload(&begun.from, &begun.headers, digest)
            .ok_or_else(|| nonsense("it does not say where to upload"))?;
        // Who we are goes with it.
        if (to.scheme(), to.authority()) != (begun.from.scheme(), begun.from.authority()) {
            return Err(nonsense("it has uploads go to another server"));
        }
        let kind = Some("application/octet-stream".to_owned());
        self.http
            .ask(&Ask { kind, body: bytes, ..ask(Method::PUT, At::Address(to)) }, &[], ACKNOWLEDGEMENT)
            .await?;
        Ok(())
    }

    /// Puts a manifest under a tag, or under its own digest.
    pub(super) async fn put_manifest(
        &self,
        at: &Repository,
        by: &str,
        kind: &str,
        bytes: Bytes,
    ) -> Result<HeaderMap, RegistryError> {
        let ask = Ask {
            method: Method::PUT,
            repository: at,
            access: Access::Push,
            at: At::Path(format!("manifests/{by}")),
            headers: Vec::new(),
            kind: Some(kind.to_owned()),
            body: bytes,
            what: format!("oci://{at} ({by})"),
        };
        Ok(self.http.ask(&ask, &[], ACKNOWLEDGEMENT).await?.headers)
    }
}

fn upload(from: &Uri, headers: &HeaderMap, digest: Sha256Digest) -> Option<Uri> {
    let at = resolve(from, headers.get(LOCATION)?.to_str().ok()?).ok()?.to_string();
    let joint = if at.contains('?') { '&' } else { '?' };
    format!("{at}{joint}digest=sha256:{digest}").parse().ok()
}
