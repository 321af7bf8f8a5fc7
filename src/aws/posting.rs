//! One post to a service, as who we are.

use std::fmt;
use std::time::SystemTime;

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Kind, answer};
use crate::net::Proxies;
use crate::service::{Http, Limits, ServiceError};
use crate::store::s3::{Caller, ConfigError, Endpoint, Trust};

const JSON: &str = "application/x-amz-json-1.1";
const TARGET: &str = "x-amz-target";

/// A service at one place, as who we are.
pub(crate) struct Posts {
    kind: &'static Kind,
    caller: Caller,
    endpoint: Endpoint,
    http: Http,
}

impl fmt::Debug for Posts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posts").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Posts {
    /// Nothing is asked yet.
    ///
    /// Errors: a place without TLS that is not this machine; nobody to believe.
    pub(crate) fn new(
        kind: &'static Kind,
        caller: Caller,
        endpoint: Endpoint,
        trust: &Trust,
        proxies: Proxies,
        limits: Limits,
    ) -> Result<Self, ServiceError> {
        if !endpoint.is_secure() && !endpoint.is_loopback() {
            let [own, all] = kind.endpoints;
            return Err(ServiceError::Settings {
                what: format!("{} has to be asked over https", kind.name),
                remedy: format!("correct {own}, or {all}"),
            });
        }
        let http = Http::new(endpoint.is_secure(), trust, proxies, limits)?;
        Ok(Self { kind, caller, endpoint, http })
    }

    /// Asks once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        action: &str,
        asked: &Value,
    ) -> Result<T, ServiceError> {
        let odd = |_| ServiceError::Odd("no request can be made of it");
        let keys = self.caller.keys().await.map_err(|no| answer::no_keys(&no))?;
        let body = asked.to_string();
        let (uri, target) = (format!("{}/", self.endpoint), format!("{}.{action}", self.kind.target));
        let identity = keys.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.caller.region())
            .name(self.kind.signing)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|e| ServiceError::Unreachable(e.into()))?;
        let headers = [(CONTENT_TYPE.as_str(), JSON), (TARGET, target.as_str())];
        let signable = SignableRequest::new(
            "POST",
            uri.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .map_err(|e| ServiceError::Unreachable(e.into()))?;
        let signed = sign(signable, &params.into()).map_err(|e| ServiceError::Unreachable(e.into()))?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&uri)
            .header(CONTENT_TYPE, JSON)
            .header(TARGET, &target)
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")))
            .body(body)
            .map_err(odd)?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        answer::read(self.kind, &self.http.ask(request).await?, self.caller.region())
    }

    /// Whether there may be other credentials, after it refused these.
    pub(crate) fn renew(&self, refused: &ServiceError) -> bool {
        refused.is_sign_in() && self.caller.renew()
    }
}

/// Settings that make nobody who could ask.
pub(crate) fn unusable(error: &ConfigError) -> ServiceError {
    let what = match error {
        ConfigError::NoCredentials => "no credentials for AWS are set".to_owned(),
        error => causes(error),
    };
    ServiceError::Settings { what, remedy: error.remedy().unwrap_or_default() }
}
