//! What Vault says when it does not do what it is asked for.

use argo_attest_core::text::brief;
use serde::Deserialize;

use crate::service::{Reply, ServiceError};

/// Bytes of its words that are kept.
const MAX_SAID: usize = 300;
/// Characters of a token that must not be told one after the other.
const TELLING: usize = 8;

/// How transit says that a version of a key is not there any more, or not yet.
const WITHDRAWN: &str = "requested version for signing";

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

/// The body of a success. `token` is what must not be repeated of what it says otherwise.
pub(super) fn success(reply: Reply, token: &str) -> Result<Vec<u8>, ServiceError> {
    if reply.status.is_success() {
        return Ok(reply.body);
    }
    let status = reply.status.as_u16();
    let said = said(&reply, token);
    // Of a version that was withdrawn (`min_encryption_version`) transit says it with 500.
    let is_withdrawn = said.contains(WITHDRAWN);
    Err(ServiceError::Refused {
        // 412: a replica that is behind; 472, 473: a standby; 503: sealed, or starting.
        is_passing: matches!(status, 408 | 412 | 429 | 472 | 473 | 500..=599) && !is_withdrawn,
        said,
        is_sign_in: matches!(status, 401 | 403),
        remedy: match status {
            _ if is_withdrawn => "start anew, with the newest version; verifiers need its public key".into(),
            401 | 403 => "give the token, or its role, a policy that may read transit/keys/NAME and update \
                          transit/sign/NAME; or sign in again"
                .into(),
            404 => "check the key's name, TRANSIT_SECRET_ENGINE_PATH and VAULT_NAMESPACE".into(),
            503 => "see whether Vault is sealed: vault status".into(),
            _ => "see what Vault's log says of it".into(),
        },
    })
}

/// The same of a login.
pub(super) fn login(reply: Reply, token: &str) -> Result<Vec<u8>, ServiceError> {
    success(reply, token).map_err(|error| match error {
        ServiceError::Refused { said, is_passing, .. } => ServiceError::Refused {
            said: format!("no login: {said}"),
            is_passing,
            // To do it once more changes nothing.
            is_sign_in: false,
            remedy: "check VAULT_AUTH_ROLE and VAULT_AUTH_PATH, and which service accounts and audience \
                     the role is bound to"
                .into(),
        },
        error => error,
    })
}

fn said(reply: &Reply, token: &str) -> String {
    let words = serde_json::from_slice::<Errors>(&reply.body).map(|Errors { errors }| errors.join("; "));
    let words = words.unwrap_or_default();
    // Vault makes lists of lines of them.
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words =
        if tells(&words, token) { "not shown: it repeats the token".into() } else { brief(&words, MAX_SAID) };
    let status = reply.status.as_u16();
    if words.is_empty() { status.to_string() } else { format!("{status} ({words})") }
}

/// Whether a part of the token is in there.
fn tells(words: &str, token: &str) -> bool {
    let (words, token) = (words.as_bytes(), token.as_bytes());
    token.windows(TELLING.min(token.len().max(1))).any(|part| words.windows(part.len()).any(|w| w == part))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    fn refused(status: u16, body: &str) -> ServiceError {
        let headers = hyper::HeaderMap::new();
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() };
        success(reply, "hvs.CAESIJcanarycanary").unwrap_err()
    }

    #[test]
    fn the_token_is_not_repeated() {
        for echo in ["hvs.CAESIJcanarycanary", "xx CAESIJcanary xx", "Jcanarycanary"] {
            let error = refused(403, &format!(r#"{{"errors":["bad token {echo}"]}}"#));
            assert_eq!(error.to_string(), "it refused: 403 (not shown: it repeats the token)");
        }
        let error = refused(403, r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#);
        assert!(error.to_string().ends_with("(1 error occurred: * permission denied)"), "{error}");
        assert!(error.is_sign_in() && !error.is_passing());
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for (status, passing) in
            [(400, false), (403, false), (404, false), (412, true), (429, true), (503, true)]
        {
            assert_eq!(refused(status, "<html>").is_passing(), passing, "{status}");
            assert_eq!(refused(status, "<html>").to_string(), format!("it refused: {status}"));
        }
    }
}
