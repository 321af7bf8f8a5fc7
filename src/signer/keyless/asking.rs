//! Asking Fulcio for a certificate.

use std::fmt;
use std::sync::Arc;

use argo_attest_core::keys::PrivateKey;
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::proof::asking::{Fulcio, IdentityToken};
use argo_attest_core::secret::redacted;
use argo_attest_core::text::{brief, causes};
use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::certified::Certified;
use super::token::{OpenSource, unusable};
use crate::service::{Http, Limits, Reply, ServiceError};
use crate::store::s3::Endpoint;
use crate::token::Token;

/// Characters of a refusal that are repeated.
const SAID: usize = 200;
/// Said in place of words that repeat the token.
const NOT_SHOWN: &str = "not shown: it repeats the token";
const JSON: &str = "application/json";

/// Whom, with what, and how long.
pub(super) struct Asking {
    pub(super) http: Http,
    pub(super) fulcio: Endpoint,
    pub(super) token: OpenSource,
    /// For whom the token has to be, and for nobody else.
    pub(super) audience: String,
    pub(super) root: Arc<TrustedRoot>,
    pub(super) limits: Limits,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("fulcio", &self.fulcio).finish_non_exhaustive()
    }
}

impl Asking {
    /// A certificate for this key, that verifiers with the trusted root accept now.
    pub(super) async fn certificate(&self, key: &PrivateKey) -> Result<Certified, ServiceError> {
        self.limits.ask(|_| false, || self.once(key)).await
    }

    async fn once(&self, key: &PrivateKey) -> Result<Certified, ServiceError> {
        let token = self.token.token()?;
        let said = IdentityToken::read(token.as_str()).map_err(|error| {
            unusable(
                format!("the identity token in {} cannot be used: {}", self.token, causes(&error)),
                format!("give one that an OIDC issuer made for the audience {}", self.audience),
            )
        })?;
        // Whoever it is sent to could act as its owner with all others that it is for.
        said.check_audience(&self.audience).map_err(|error| {
            unusable(
                format!("the identity token in {} is not sent: {error}", self.token),
                format!(
                    "give one for the audience {} alone; if Fulcio expects another, name that with --token-audience",
                    self.audience
                ),
            )
        })?;
        if said.expires().is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(unusable(
                format!("the identity token in {} has expired", self.token),
                self.token.renewal().to_owned(),
            ));
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{}", self.fulcio, Fulcio::PATH))
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")))
            // Wiped when it was sent.
            .body(Bytes::from_owner(Fulcio::request(key, token.as_str())));
        let request = request.map_err(|_| ServiceError::Odd("its address makes no request"))?;
        let reply = self.http.ask(request).await?;
        if !reply.status.is_success() {
            return Err(refused(&reply, &token));
        }
        let issued = Fulcio::answer(&reply.body, key.public(), &said, &self.root, Timestamp::now());
        let issued = issued.map_err(|error| {
            let why = causes(&error);
            // For whom a certificate is may be told, and is much of what the token says.
            let why = if IdentityToken::is_copied(token.as_str(), &why) { NOT_SHOWN } else { &why };
            ServiceError::Key {
                what: format!("what it answered is not used: {why}"),
                remedy:
                    "check that the trusted root is the one of this Fulcio, and of now, that the address is its \
                         own, and that the clock is right"
                        .to_owned(),
            }
        })?;
        Certified::new(issued, &self.root).ok_or_else(|| ServiceError::Key {
            what: "its certificate names an identity that no policy can hold".to_owned(),
            remedy: "sign in as somebody whose name has no * in it".to_owned(),
        })
    }
}

/// What it says when it gives none. Nothing of the token is repeated.
fn refused(reply: &Reply, token: &Token) -> ServiceError {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let said =
        serde_json::from_slice::<Said>(&reply.body).map(|Said { message }| message).unwrap_or_default();
    // No more than may be shown is looked at.
    let said: String = said.chars().take(2 * SAID).collect();
    let shown = brief(&redacted(&said), SAID);
    let tells = [&said, &shown].into_iter().any(|said| IdentityToken::is_repeated(token.as_str(), said));
    let status = reply.status.as_u16();
    let words = match (tells, shown.is_empty()) {
        (true, _) => format!(" ({NOT_SHOWN})"),
        (false, true) => String::new(),
        (false, false) => format!(" ({shown})"),
    };
    ServiceError::Refused {
        said: format!("{status}{words}"),
        is_passing: matches!(status, 408 | 429 | 500..=599),
        is_sign_in: false,
        remedy: "check that it is Fulcio's address, and that its configuration has the token's issuer and audience"
            .to_owned(),
    }
}
