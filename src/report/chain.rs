//! A chain as `argo-attest verify --chain` tells it. Fields of the JSON object are
//! added, never renamed or removed; `docs/reports.md` documents it.

use std::fmt::{self, Write as _};

use argo_attest_core::relpath::printable;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use jiff::Timestamp;
use serde::Serialize;

use super::NotJudged;
use crate::chain::{Chain, FetchError, Link, LinkError, Standing, Upstream};

/// One line a link, indented by its depth.
pub fn chain_text(chain: &Chain) -> String {
    let mut out = String::new();
    for link in chain.links() {
        // Writing to a `String` cannot fail.
        let _ = line(&mut out, link, chain.path(link).len());
    }
    out
}

/// Where the chain fails and why, and what to do about it; `None` if it holds.
pub fn chain_failure(chain: &Chain) -> Option<(String, Option<String>)> {
    let (link, error) = chain.broken()?;
    let reason = format!("its chain fails at {}: {}", chain.path(link).join(" > "), causes(error));
    Some((reason, link_remedy(link, error)))
}

fn line(out: &mut String, link: &Link, depth: usize) -> fmt::Result {
    let standing = word(link.standing());
    write!(out, "{:indent$}{standing:<9} {}", "", link.name(), indent = depth * 2)?;
    for text in [Some(link.uri()).filter(|uri| *uri != link.name()), link.digest()].into_iter().flatten() {
        if !text.is_empty() {
            write!(out, "  {text}")?;
        }
    }
    match link.standing() {
        Standing::Root | Standing::Again(_) => writeln!(out),
        Standing::Verified(upstream) => writeln!(
            out,
            "  as {}, signed with {} ({}), builder {}{}",
            printable(upstream.subject.as_bytes()),
            printable(upstream.signer.name.as_bytes()),
            upstream.signer.id,
            printable(upstream.builder_id.as_bytes()),
            NotJudged::new(upstream.unjudged).map(|not| format!(", {}", not.text())).unwrap_or_default()
        ),
        Standing::Broken(error) => writeln!(out, ": {}", causes(error)),
    }
}

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Root => "root",
        Standing::Verified(_) => "verified",
        Standing::Again(_) => "again",
        Standing::Broken(error) if error.unknown().is_some() => "error",
        Standing::Broken(_) => "failed",
    }
}

/// What to do about a link that does not hold, where that is known.
pub fn link_remedy(link: &Link, error: &LinkError) -> Option<String> {
    let elsewhere = || {
        link.endpoint().map(|endpoint| {
            format!("its statement says that it was in the store {endpoint}: AWS_ENDPOINT_URL_S3 says which is asked")
        })
    };
    match error {
        LinkError::Fetch(FetchError::Missing { .. }) => elsewhere(),
        LinkError::Fetch(FetchError::Unnamed { registry, .. }) => {
            Some(format!("name it, if it may be asked: --registry {registry}"))
        }
        LinkError::Fetch(FetchError::Store(error)) => error.remedy(),
        LinkError::Fetch(FetchError::Registry(error)) => error.remedy(),
        LinkError::Rejected(rejection) => rejection.remedy(),
        _ => None,
    }
}

/// The chain as a member of an artifact's JSON object.
#[derive(Debug, Serialize)]
pub struct ChainJson {
    links: Vec<LinkJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkJson {
    path: Vec<String>,
    standing: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    upstream: Option<UpstreamJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpstreamJson {
    subject: String,
    key: String,
    key_id: String,
    builder_id: String,
    build_type: String,
    invocation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_on: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
}

impl From<&Chain> for ChainJson {
    fn from(chain: &Chain) -> Self {
        Self { links: chain.links().iter().map(|link| link_json(chain, link)).collect() }
    }
}

fn link_json(chain: &Chain, link: &Link) -> LinkJson {
    let (upstream, error) = match link.standing() {
        Standing::Root => (None, None),
        Standing::Verified(upstream) | Standing::Again(upstream) => (Some(upstream.as_ref().into()), None),
        Standing::Broken(error) => (None, Some(error)),
    };
    LinkJson {
        path: chain.path(link).into_iter().map(str::to_owned).collect(),
        standing: word(link.standing()),
        uri: link.uri().to_owned(),
        digest: link.digest().map(str::to_owned),
        endpoint: link.endpoint().map(str::to_owned),
        attestation: link.attestation().map(str::to_owned),
        reason: error.map(|e| causes(e)),
        remedy: error.and_then(|e| link_remedy(link, e)),
        upstream,
    }
}

impl From<&Upstream> for UpstreamJson {
    fn from(upstream: &Upstream) -> Self {
        Self {
            subject: upstream.subject.clone(),
            key: upstream.signer.name.clone(),
            key_id: upstream.signer.id.to_string(),
            builder_id: upstream.builder_id.clone(),
            build_type: upstream.build_type.clone(),
            invocation_id: upstream.invocation_id.clone(),
            finished_on: upstream.finished_on,
            not_judged: NotJudged::new(upstream.unjudged),
        }
    }
}
