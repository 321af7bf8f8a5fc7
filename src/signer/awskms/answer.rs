//! What AWS KMS answers, and what its refusals mean.

use argo_attest_core::text::brief;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::service::{Reply, ServiceError};
use crate::store::s3::NoKeys;

/// Bytes of its words that are kept.
const MAX_SAID: usize = 300;

/// An error, whose kind may have a namespace before a `#`.
#[derive(Deserialize)]
struct Failed {
    #[serde(rename = "__type")]
    kind: String,
}

/// The answer, if it is a success.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply, region: &str) -> Result<T, ServiceError> {
    if reply.status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|_| ServiceError::Odd("it lacks what it should have"));
    }
    let status = reply.status.as_u16();
    let Ok(Failed { kind }) = serde_json::from_slice(&reply.body) else {
        return Err(ServiceError::Refused {
            said: status.to_string(),
            is_passing: matches!(status, 429 | 500..=599),
            is_sign_in: false,
            remedy: "check that AWS_ENDPOINT_URL_KMS leads to AWS KMS".into(),
        });
    };
    let kind = kind.rsplit('#').next().unwrap_or_default();
    // Whoever answers was shown a session's token: what it says in words of its own is not repeated.
    let kind = if kind.bytes().all(|b| b.is_ascii_alphabetic()) { kind } else { "" };
    Err(ServiceError::Refused {
        said: format!("{status} {}", brief(kind, MAX_SAID)).trim_end().to_owned(),
        is_passing: matches!(status, 429 | 500..=599) || passes(kind),
        is_sign_in: is_sign_in(kind),
        remedy: remedy(kind, region),
    })
}

/// Whoever gives credentials gives none.
pub(super) fn no_keys(no: &NoKeys) -> ServiceError {
    ServiceError::Refused {
        said: no.said.clone(),
        is_passing: no.is_passing,
        is_sign_in: false,
        remedy: no.remedy.clone().unwrap_or_else(|| "check who gives the credentials, and try again".into()),
    }
}

fn passes(kind: &str) -> bool {
    matches!(
        kind,
        "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "KMSInternalException"
            | "DependencyTimeoutException"
            | "KeyUnavailableException"
            | "InternalFailure"
            | "ServiceUnavailable"
    )
}

fn is_sign_in(kind: &str) -> bool {
    matches!(
        kind,
        "ExpiredTokenException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "IncompleteSignature"
    )
}

fn remedy(kind: &str, region: &str) -> String {
    match kind {
        "AccessDeniedException" => {
            "grant kms:GetPublicKey and kms:Sign on the key, in its policy and in that of who asks".into()
        }
        "NotFoundException" => {
            format!("check the key's name, the account, and the region, which is {region} (AWS_REGION)")
        }
        "DisabledException" => "enable the key: aws kms enable-key".into(),
        "KMSInvalidStateException" => {
            "see whether the key is about to be deleted: aws kms cancel-key-deletion, or name another".into()
        }
        "InvalidKeyUsageException" => {
            "name a key that signs: --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY".into()
        }
        "InvalidSignatureException" => {
            "check AWS_SECRET_ACCESS_KEY, the region, and this machine's clock".into()
        }
        kind if is_sign_in(kind) => "check AWS's credentials, or sign in again".into(),
        kind if passes(kind) => "try it again; ask for a higher quota if it stays so".into(),
        _ => "see what AWS says of it".into(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    fn refused(status: u16, body: &str) -> ServiceError {
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), body: body.into() };
        read::<serde_json::Value>(&reply, "eu-west-1").unwrap_err()
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for (status, kind, passing, sign_in) in [
            (400, "ThrottlingException", true, false),
            (400, "com.amazonaws.kms#KMSInternalException", true, false),
            (500, "AnythingElse", true, false),
            (400, "AccessDeniedException", false, false),
            (400, "com.amazonaws.kms#NotFoundException", false, false),
            (400, "DisabledException", false, false),
            (400, "KMSInvalidStateException", false, false),
            (400, "ExpiredTokenException", false, true),
            (400, "UnrecognizedClientException", false, true),
        ] {
            let error = refused(status, &format!(r#"{{"__type":"{kind}","Message":"as it is"}}"#));
            assert_eq!((error.is_passing(), error.is_sign_in()), (passing, sign_in), "{kind}");
            let name = kind.rsplit('#').next().unwrap();
            assert_eq!(
                error.to_string(),
                format!("it refused: {status} {name}"),
                "its own words are not told"
            );
        }
        assert!(refused(503, "<html>").is_passing() && !refused(404, "<html>").is_passing());
    }
}
