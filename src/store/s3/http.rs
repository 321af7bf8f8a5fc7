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

use super::config::Endpoint;
use super::settings::ConfigError;
use crate::net::{Anchors, Bounded, Client, Keep, Proxies, Trust};

/// Bytes of such a reply. S3's longest, a page of a thousand keys of a kibibyte, has less
/// than two mebibytes; its errors have a kibibyte.
const MAX_REPLY: usize = 2 * 1024 * 1024;

/// The SDK's client for one endpoint (`None`: AWS's own, which are https). For an http
/// endpoint, without a proxy that is asked over TLS, no authority is believed at all, so that
/// nothing can be made to speak TLS with it.
pub(super) fn http_client(
    trust: &Trust,
    proxies: &Proxies,
    endpoint: Option<&Endpoint>,
    connect: Duration,
) -> Result<SharedHttpClient, ConfigError> {
    let anchors = if endpoint.is_none_or(Endpoint::is_secure) || proxies.speak_tls() {
        let needed_for = endpoint.map_or("AWS", Endpoint::as_str);
        trust.anchors().map_err(|error| ConfigError::trust(error, needed_for))?
    } else {
        Anchors::none()
    };
    let client = Client::new(anchors, proxies.clone(), Some(connect), Keep::Alive)
        .map_err(|error| ConfigError::Request(error.into()))?;
    Ok(SharedHttpClient::new(Http(client)))
}

#[derive(Debug, Clone)]
struct Http(Client<SdkBody>);

impl HttpClient for Http {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let object = asks_for_object(request.method(), request.uri());
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let unusable = |error: Box<dyn Error + Send + Sync>| ConnectorError::user(error);
            let request = request.try_into_http1x().map_err(|error| unusable(error.into()))?;
            let reply = client.send(request).await.map_err(|error| {
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
            let reply = reply.map(|body| {
                if whole {
                    SdkBody::from_body_1_x(body)
                } else {
                    SdkBody::from_body_1_x(Bounded::new(body, MAX_REPLY))
                }
            });
            HttpResponse::try_from(reply).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Whether a request is for an object's bytes, as the SDK marks it. Whoever reads those
/// has a limit of his own.
fn asks_for_object(method: &str, uri: &str) -> bool {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    method == "GET" && query.split('&').any(|pair| pair == "x-id=GetObject")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_objects_bytes_are_a_stream() {
        for (method, uri, object) in [
            ("GET", "https://s/b/k?x-id=GetObject", true),
            ("GET", "https://s/b/k?a=b&x-id=GetObject", true),
            ("PUT", "https://s/b/k?x-id=PutObject", false),
            ("GET", "https://s/b?list-type=2", false),
            ("GET", "https://s/b/x-id=GetObject", false),
            ("PUT", "https://s/b/k?x-id=GetObject", false),
        ] {
            assert_eq!(asks_for_object(method, uri), object, "{method} {uri}");
        }
    }
}
