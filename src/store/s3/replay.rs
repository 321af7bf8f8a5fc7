//! An answer that has come already, for the SDK to make of it what it would have made of an answer
//! to its own request.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::Response;

use super::http::as_the_sdk_reads_it;

/// A reply, or why there is none.
pub(super) type Answer = Result<Response<SdkBody>, ConnectorError>;

/// Settings of a request that is not sent: this is the answer to it.
pub(super) fn answered(answer: Answer) -> Builder {
    Builder::default().http_client(Replay(Arc::new(Mutex::new(Some(answer)))))
}

#[derive(Debug, Clone)]
struct Replay(Arc<Mutex<Option<Answer>>>);

impl HttpClient for Replay {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Replay {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let twice = || Err(ConnectorError::user("an answer can be given once".into()));
        HttpConnectorFuture::ready(answer.unwrap_or_else(twice).and_then(as_the_sdk_reads_it))
    }
}
