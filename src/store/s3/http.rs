//! The SDK's HTTP: ours, with the replies that are read whole bounded.
//!
//! The SDK gathers every body that it does not hand on as a stream, errors above all, and
//! whoever answers chooses how long that is. What is beyond the limit is not read; an error
//! cut off there is still known by its status.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::{Method, Request, Response};

use super::config::Endpoint;
use super::settings::ConfigError;
use crate::net::{Anchors, Bounded, Client, Keep, Proxies, Trust};

/// Bytes of such a reply. S3's longest, a page of a thousand keys of a kibibyte, has less
/// than two mebibytes; its errors have a kibibyte.
pub(super) const MAX_REPLY: usize = 2 * 1024 * 1024;

/// The SDK's client for one endpoint: see [`Http::new`].
pub(super) fn http_client(
    trust: &Trust,
    proxies: &Proxies,
    endpoint: Option<&Endpoint>,
    connect: Duration,
) -> Result<SharedHttpClient, ConfigError> {
    Http::new(trust, proxies, endpoint, connect).map(SharedHttpClient::new)
}

/// What the SDK's requests are sent by, and ours that do without it. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Http(Client<SdkBody>);

impl Http {
    /// For one endpoint (`None`: AWS's own, which are https). For an http endpoint, without a
    /// proxy that is asked over TLS, no authority is believed at all, so that nothing can be made
    /// to speak TLS with it.
    pub(super) fn new(
        trust: &Trust,
        proxies: &Proxies,
        endpoint: Option<&Endpoint>,
        connect: Duration,
    ) -> Result<Self, ConfigError> {
        let anchors = if endpoint.is_none_or(Endpoint::is_secure) || proxies.speak_tls() {
            let needed_for = endpoint.map_or("AWS", Endpoint::as_str);
            trust.anchors().map_err(|error| ConfigError::trust(error, needed_for))?
        } else {
            Anchors::none()
        };
        Client::new(anchors, proxies.clone(), Some(connect), Keep::Alive)
            .map(Self)
            .map_err(|error| ConfigError::Request(error.into()))
    }

    /// Sends a request. Of the reply an object's bytes are a stream; all else is bounded.
    pub(super) async fn send(&self, request: Request<SdkBody>) -> Result<Response<SdkBody>, ConnectorError> {
        let object = asks_for_object(request.method(), request.uri().query());
        let reply = self.0.send(request).await.map_err(|error| {
            let caused = |is: fn(&hyper::Error) -> bool| {
                error.source().and_then(<dyn Error>::downcast_ref).is_some_and(is)
            };
            if caused(hyper::Error::is_user) {
                ConnectorError::user(error.into())
            } else {
                ConnectorError::io(error.into())
            }
        })?;
        let whole = object && reply.status().is_success();
        Ok(reply.map(|body| {
            if whole {
                SdkBody::from_body_1_x(body)
            } else {
                SdkBody::from_body_1_x(Bounded::new(body, MAX_REPLY))
            }
        }))
    }
}

impl HttpClient for Http {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            as_the_sdk_reads_it(http.send(request).await?)
        })
    }
}

/// A reply in the form that the SDK takes.
pub(super) fn as_the_sdk_reads_it(reply: Response<SdkBody>) -> Result<HttpResponse, ConnectorError> {
    HttpResponse::try_from(reply).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Whether a request is for an object's bytes, as the SDK marks it. Whoever reads those
/// has a limit of his own.
fn asks_for_object(method: &Method, query: Option<&str>) -> bool {
    method == Method::GET && query.unwrap_or_default().split('&').any(|pair| pair == "x-id=GetObject")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_objects_bytes_are_a_stream() {
        for (method, uri, object) in [
            (Method::GET, "https://s/b/k?x-id=GetObject", true),
            (Method::GET, "https://s/b/k?a=b&x-id=GetObject", true),
            (Method::PUT, "https://s/b/k?x-id=PutObject", false),
            (Method::GET, "https://s/b?list-type=2", false),
            (Method::GET, "https://s/b/x-id=GetObject", false),
            (Method::PUT, "https://s/b/k?x-id=GetObject", false),
        ] {
            let query = uri.parse::<hyper::Uri>().unwrap();
            assert_eq!(asks_for_object(&method, query.query()), object, "{method} {uri}");
        }
    }
}
