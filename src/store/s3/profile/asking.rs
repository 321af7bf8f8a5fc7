//! How AWS's providers ask STS and SSO: by our own HTTP, so that whoever does not answer is
//! named and given up, and no token crosses a network that anybody can read.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use tokio::time::timeout;

use super::super::InvalidEndpoint;
use super::super::config::{Endpoint, Reach};
use super::super::http::http_client;
use super::super::settings::ConfigError;
use crate::net::Source;

/// No useful answer from who was asked.
#[derive(Debug, thiserror::Error)]
#[error("no useful answer from {server}")]
pub(super) struct NoAnswer {
    /// Scheme, host and port.
    pub(super) server: String,
    pub(super) source: Source,
}

/// What would tell a token to the network.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not https, and would be told a token")]
pub(super) struct Exposed(String);

/// A client for whomever the profile names. Each has `limits.sign_in` for an answer.
pub(super) fn client(reach: &Reach) -> Result<SharedHttpClient, ConfigError> {
    let client = |endpoint: Option<&Endpoint>| {
        http_client(&reach.trust, &reach.proxies, endpoint, reach.limits.connect)
    };
    let inner = match client(None) {
        // Keys that are in a file need no authority: without one, only http can be asked.
        Err(ConfigError::NoCaCertificates(_)) => {
            let plain =
                "http://localhost".parse().map_err(|e: InvalidEndpoint| ConfigError::Request(e.into()))?;
            client(Some(&plain))?
        }
        made => made?,
    };
    Ok(Asking { inner, limit: reach.limits.sign_in }.into_shared())
}

#[derive(Debug)]
struct Asking {
    inner: SharedHttpClient,
    limit: Duration,
}

impl HttpClient for Asking {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, limit: self.limit })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    limit: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let server = origin(request.uri());
        // What is not signed says who it is by a token that is in it.
        let tells = request.headers().get("authorization").is_none();
        let safe = |endpoint: Endpoint| endpoint.is_secure() || endpoint.is_loopback();
        if tells && !server.parse().is_ok_and(safe) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(Exposed(server).into())));
        }
        let (reply, limit) = (self.inner.call(request), self.limit);
        HttpConnectorFuture::new(async move {
            let source: Source = match timeout(limit, reply).await {
                Ok(Ok(reply)) => match reply.status().as_u16() {
                    status @ (429 | 500..) => format!("it answered {status}").into(),
                    _ => return Ok(reply),
                },
                Ok(Err(error)) => error.into_source(),
                Err(_) => format!("no answer in {} s", limit.as_secs()).into(),
            };
            let error: Box<dyn Error + Send + Sync> = NoAnswer { server, source }.into();
            Err(ConnectorError::io(error))
        })
    }
}

/// Scheme, host and port of an address.
fn origin(uri: &str) -> String {
    let end =
        uri.find("://").map(|at| at + 3).and_then(|from| Some(from + uri.get(from..)?.find(['/', '?'])?));
    uri.get(..end.unwrap_or(uri.len())).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path() {
        for (uri, shown) in [
            ("https://sts.eu-west-1.amazonaws.com/", "https://sts.eu-west-1.amazonaws.com"),
            ("http://127.0.0.1:80/a/b?c=d", "http://127.0.0.1:80"),
            ("https://host?a", "https://host"),
            ("https://host", "https://host"),
        ] {
            assert_eq!(origin(uri), shown);
        }
    }
}
