//! Replies of the store that are read whole: never more of them than any honest one has.
//!
//! The SDK gathers every body that it does not hand on as a stream, errors above all, and
//! whoever answers chooses how long that is. What is beyond the limit is not read; an error
//! cut off there is still known by its status.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use hyper::body::{Body, Frame};

/// Bytes of such a reply. S3's longest, a page of a thousand keys of a kibibyte, has less
/// than two mebibytes; its errors have a kibibyte.
pub(super) const MAX_REPLY: usize = 2 * 1024 * 1024;

/// A client whose replies are bounded, objects excepted.
#[derive(Debug)]
pub(super) struct Bounded(pub(super) SharedHttpClient);

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpClient for Bounded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let object = asks_for_object(request.method(), request.uri());
        let reply = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let reply = reply.await?;
            if object && reply.status().is_success() {
                return Ok(reply);
            }
            Ok(reply.map(|body| SdkBody::from_body_1_x(Short { body, left: MAX_REPLY })))
        })
    }
}

/// Whether a request is for an object's bytes, as the SDK marks it. Whoever reads those
/// has a limit of his own.
fn asks_for_object(method: &str, uri: &str) -> bool {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    method == "GET" && query.split('&').any(|pair| pair == "x-id=GetObject")
}

/// A body that ends at its limit.
struct Short {
    body: SdkBody,
    left: usize,
}

impl Body for Short {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Some(Err("the store's answer is longer than is read".into()))),
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

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

    #[tokio::test]
    async fn a_body_is_read_as_far_as_its_limit() {
        for (length, whole) in [(10, true), (11, false)] {
            let mut body = Short { body: SdkBody::from(vec![0; length]), left: 10 };
            let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.unwrap();
            assert_eq!(frame.is_ok(), whole, "{length}");
        }
    }
}
