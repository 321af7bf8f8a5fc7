//! What a service answers, and what refusals mean that all of them have.

use argo_attest_core::text::brief;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Kind;
use crate::service::{Reply, ServiceError};
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
pub(super) fn read<T: DeserializeOwned>(of: &Kind, reply: &Reply, region: &str) -> Result<T, ServiceError> {
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
            remedy: format!("check that what {} names is {}", of.endpoints.join(" or "), of.name),
        });
    };
    let kind = kind.rsplit('#').next().unwrap_or_default();
    // Whoever answers was shown a session's token: what it says in words of its own is not repeated.
    let kind = if kind.bytes().all(|b| b.is_ascii_alphabetic()) { kind } else { "" };
    Err(ServiceError::Refused {
        said: format!("{status} {}", brief(kind, MAX_SAID)).trim_end().to_owned(),
        is_passing: matches!(status, 429 | 500..=599) || passes(of, kind),
        is_sign_in: is_sign_in(kind),
        remedy: remedy(of, kind, region),
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

fn passes(of: &Kind, kind: &str) -> bool {
    let usual = matches!(
        kind,
        "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "InternalFailure"
            | "ServiceUnavailable"
    );
    usual || of.passing.contains(&kind)
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

fn remedy(of: &Kind, kind: &str, region: &str) -> String {
    if let Some(known) = (of.remedy)(kind, region) {
        return known;
    }
    match kind {
        "InvalidSignatureException" => {
            "check AWS_SECRET_ACCESS_KEY, the region, and this machine's clock".into()
        }
        kind if is_sign_in(kind) => "check AWS's credentials, or sign in again".into(),
        kind if passes(of, kind) => "try it again; ask for a higher quota if it stays so".into(),
        _ => "see what AWS says of it".into(),
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::trouble::Trouble as _;
    use hyper::StatusCode;

    use super::*;

    const KIND: Kind = Kind {
        name: "a service",
        signing: "service",
        target: "Service_1",
        endpoints: ["AWS_ENDPOINT_URL_SERVICE", "AWS_ENDPOINT_URL"],
        passing: &["KMSInternalException"],
        remedy: |kind, region| (kind == "NotFoundException").then(|| format!("look in {region}")),
    };

    fn refused(status: u16, body: &str) -> ServiceError {
        let headers = hyper::HeaderMap::new();
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() };
        read::<serde_json::Value>(&KIND, &reply, "eu-west-1").unwrap_err()
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
            assert_eq!(error.to_string(), format!("it refused: {status} {name}"), "nothing in its own words");
        }
        assert_eq!(refused(400, r#"{"__type":"NotFoundException"}"#).remedy().unwrap(), "look in eu-west-1");
        assert!(refused(503, "<html>").is_passing() && !refused(404, "<html>").is_passing());
    }
}
