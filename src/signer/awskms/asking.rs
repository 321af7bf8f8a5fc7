//! One post to AWS KMS (`x-amz-json-1.1`), signed with Signature Version 4.

use std::fmt;
use std::time::SystemTime;

use argo_attest_core::text::causes;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::opening::{Home, Opening};
use super::super::service::{Http, ServiceError};
use super::answer;
use super::name::KmsKey;
use crate::net::Proxies;
use crate::store::s3::{Caller, ConfigError, Endpoint, InvalidEndpoint, Trust};

const JSON: &str = "application/x-amz-json-1.1";
const TARGET: &str = "x-amz-target";
/// Where the service is, if not where AWS has it.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"];

/// The service, in one region, as who we are.
pub(super) struct Kms {
    caller: Caller,
    endpoint: Endpoint,
    http: Http,
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kms").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Kms {
    pub(super) fn new(key: &KmsKey, opening: &Opening<'_>) -> Result<Self, ServiceError> {
        let env = opening.environment;
        let caller = Caller::from_env(env, opening.home == Home::Person, key.region())
            .map_err(|error| unusable(&error))?;
        let endpoint = match key.endpoint() {
            Some(host) => format!("https://{host}").parse().map_err(|why: InvalidEndpoint| {
                settings(format!("the endpoint in {key} {why}"), "correct it")
            })?,
            None => Caller::endpoint(env, ENDPOINTS)
                .map_err(|error| unusable(&error))?
                .map_or_else(|| of_region(caller.region()), Ok)?,
        };
        if !endpoint.is_secure() && !endpoint.is_loopback() {
            let what = "AWS KMS has to be asked over https".to_owned();
            return Err(settings(what, "correct AWS_ENDPOINT_URL_KMS, or AWS_ENDPOINT_URL"));
        }
        let proxies = Proxies::from_env(env)
            .map_err(|error| settings(error.to_string(), &format!("correct {}", error.name)))?;
        let http = Http::new(endpoint.is_secure(), &Trust::from_env(env), proxies, opening.limits)?;
        Ok(Self { caller, endpoint, http })
    }

    /// Asks once.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        action: &str,
        asked: &Value,
    ) -> Result<T, ServiceError> {
        let odd = |_| ServiceError::Odd("no request can be made of it");
        let keys = self.caller.keys().await.map_err(|no| answer::no_keys(&no))?;
        let body = asked.to_string();
        let (uri, target) = (format!("{}/", self.endpoint), format!("TrentService.{action}"));
        let identity = keys.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.caller.region())
            .name("kms")
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
        answer::read(&self.http.ask(request).await?, self.caller.region())
    }

    /// Whether there may be other credentials, after it refused these.
    pub(super) fn renew(&self, refused: &ServiceError) -> bool {
        refused.is_sign_in() && self.caller.renew()
    }
}

/// Where AWS has it.
fn of_region(region: &str) -> Result<Endpoint, ServiceError> {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let made = format!("https://kms.{region}.{domain}").parse();
    made.map_err(|why: InvalidEndpoint| {
        settings(format!("the region's endpoint {why}"), "correct AWS_REGION")
    })
}

fn unusable(error: &ConfigError) -> ServiceError {
    use argo_attest_core::trouble::Trouble as _;
    let what = match error {
        ConfigError::NoCredentials => "no credentials for AWS are set".to_owned(),
        error => causes(error),
    };
    settings(what, &error.remedy().unwrap_or_default())
}

fn settings(what: String, remedy: &str) -> ServiceError {
    ServiceError::Settings { what, remedy: remedy.to_owned() }
}
