//! Programs that give credentials for an API server (`client.authentication.k8s.io`, v1 and v1beta1), as
//! a kubeconfig names them.
//!
//! They are run at a command line, for the person whose file it is.

use std::io;

use argo_attest_core::json::{self, Object};
use argo_attest_core::kubeconfig::{Exec, Material};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::fault::AccessError;
use crate::credential_program::{self, Answer, ProgramError};

/// Bytes of what one prints.
const MAX_PRINTED: usize = 256 * 1024;
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// A certificate and its key, in PEM.
type Pair = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

/// What it gave: a token, a certificate with its key in PEM, or both.
#[derive(Default)]
pub(super) struct Given {
    pub(super) token: Option<Zeroizing<String>>,
    pub(super) certificate: Option<Pair>,
}

/// Why it gave nothing. Nothing that it printed is repeated.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It gives no answer.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// What it is to be told of the cluster cannot be read.
    #[error("the cluster's certificates, which it asks for, cannot be read")]
    Authority(#[source] io::Error),
    /// It printed something else.
    #[error("what it printed is no credential")]
    Nonsense,
    /// It has another interface.
    #[error("its apiVersion is not supported: v1 and v1beta1 of client.authentication.k8s.io are")]
    Version,
}

#[derive(Deserialize)]
struct Printed {
    kind: String,
    status: Object<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs it, and takes what it gives.
pub(super) async fn run(
    exec: &Exec,
    server: &str,
    authority: Option<&Material>,
) -> Result<Given, AccessError> {
    let program = argo_attest_core::secret::shown_path(&exec.command);
    get(exec, server, authority).await.map_err(|source| AccessError::Exec { program, source })
}

async fn get(exec: &Exec, server: &str, authority: Option<&Material>) -> Result<Given, ExecError> {
    if !VERSIONS.contains(&exec.api_version.as_str()) {
        return Err(ExecError::Version);
    }
    let mut spec = json!({"interactive": false});
    if exec.wants_cluster {
        let pem = match authority {
            Some(Material::Bytes(pem)) => Some(pem.to_vec()),
            Some(Material::File(file)) => Some(std::fs::read(file).map_err(ExecError::Authority)?),
            None => None,
        };
        spec = match pem.map(|pem| STANDARD.encode(pem)) {
            Some(pem) => json!({
                "interactive": false,
                "cluster": {"server": server, "certificate-authority-data": pem},
            }),
            None => json!({"interactive": false, "cluster": {"server": server}}),
        };
    }
    let info = json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec});
    let mut program = Command::new(&exec.command);
    program
        .args(&exec.arguments)
        .envs(exec.variables.iter().map(|(name, value)| (name, value)))
        .env("KUBERNETES_EXEC_INFO", info.to_string());
    let answer = credential_program::ask(&mut program, None, MAX_PRINTED).await;
    let printed = answer.and_then(Answer::if_well)?;
    credential(&printed)
}

fn credential(printed: &[u8]) -> Result<Given, ExecError> {
    let Printed { kind, status: Object(status) } =
        json::parse(printed, MAX_PRINTED).map_err(|_| ExecError::Nonsense)?;
    let set = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Zeroizing::new);
    let (certificate, key) = (set(status.client_certificate_data), set(status.client_key_data));
    let pem = |text: &Zeroizing<String>| Zeroizing::new(text.as_bytes().to_vec());
    let certificate = match (&certificate, &key) {
        (Some(certificate), Some(key)) => Some((pem(certificate), pem(key))),
        (None, None) => None,
        _ => return Err(ExecError::Nonsense),
    };
    let token = set(status.token);
    let is_plain = token.as_ref().is_none_or(|token| token.bytes().all(|b| b.is_ascii_graphic()));
    if kind != "ExecCredential" || !is_plain || (token.is_none() && certificate.is_none()) {
        return Err(ExecError::Nonsense);
    }
    Ok(Given { token, certificate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_a_credential_or_nothing_is_told_of_it() {
        let read = |status: &str| {
            credential(
                format!(r#"{{"kind":"ExecCredential","apiVersion":"x","status":{status}}}"#).as_bytes(),
            )
        };
        assert_eq!(read(r#"{"token":"t","expirationTimestamp":"x"}"#).unwrap().token.unwrap().as_str(), "t");
        let given = read(r#"{"clientCertificateData":"C","clientKeyData":"K"}"#).unwrap();
        assert_eq!(given.certificate.unwrap().1.as_slice(), b"K");
        for odd in ["{}", r#"{"token":""}"#, r#"{"token":"s3cret\n"}"#, r#"{"clientKeyData":"s3cret"}"#, "[]"]
        {
            let error = read(odd).map(drop).unwrap_err();
            assert_eq!(error.to_string(), "what it printed is no credential", "{odd}");
        }
        credential(br#"{"kind":"Pod","status":{"token":"t"}}"#).map(drop).unwrap_err();
    }
}
