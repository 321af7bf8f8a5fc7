//! The envelope's JSON (DSSE envelope, "Standard JSON envelope").

use std::borrow::Cow;

use serde::Deserialize;

use super::envelope::MAX_SIGNATURES;
use crate::json::{AtMost, Object};

/// The envelope as it is read: these three fields and no other, since readers that
/// are built on protobuf refuse any other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WireEnvelope<'a> {
    #[serde(borrow)]
    pub(super) payload: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) payload_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) signatures: AtMost<Object<WireSignature<'a>>, MAX_SIGNATURES>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSignature<'a> {
    #[serde(borrow)]
    pub(super) sig: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) keyid: Option<Cow<'a, str>>,
}
