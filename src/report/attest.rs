//! What `argo-attest attest` tells. Fields of the JSON object are added, never
//! renamed or removed; `docs/reports.md` documents it.

use std::fmt::{self, Write as _};

use argo_attest_core::relpath::printable;
use argo_attest_core::secret::redacted;
use argo_attest_core::text::shell_word;
use indicatif::HumanBytes;
use serde::Serialize;

use super::{IdentityJson, KeyUsed};
use crate::attest::existing_object::Sighting;
use crate::attest::{ImageAttested, ImageSighting, Receipt, Referred};

/// One artifact, at the end.
#[derive(Debug)]
pub struct Vouched {
    /// As named on the command line, printable.
    pub name: String,
    /// What it is, and what became of it.
    pub about: VouchedFor,
}

impl Vouched {
    /// Whether somebody who was asked did not vouch for its attestation.
    pub fn lacks_word(&self) -> bool {
        self.about.outcome().is_ok_and(|receipt| !receipt.unvouched().is_empty())
    }
}

/// What was seen, and what became of it.
#[derive(Debug)]
pub enum VouchedFor {
    /// An object of a store.
    Object {
        /// What was read, if it was.
        seen: Option<Sighting>,
        /// The receipt, or why there is none.
        outcome: Result<Receipt, NotVouched>,
    },
    /// An image in a registry.
    Image {
        /// What its name stood for, if that was found out.
        seen: Option<ImageSighting>,
        /// The receipt, or why there is none.
        outcome: Result<ImageAttested, NotVouched>,
    },
}

/// Why something is not attested, and what to do.
#[derive(Debug)]
pub struct NotVouched {
    /// Why.
    pub reason: String,
    /// What to do, if that is known.
    pub remedy: Option<String>,
}

impl VouchedFor {
    fn outcome(&self) -> Result<&Receipt, &NotVouched> {
        match self {
            Self::Object { outcome, .. } => outcome.as_ref(),
            Self::Image { outcome, .. } => outcome.as_ref().map(ImageAttested::receipt),
        }
    }

    fn digest(&self) -> Option<String> {
        let digest = match self {
            Self::Object { seen, .. } => *seen.as_ref()?.digest(),
            Self::Image { seen, .. } => seen.as_ref()?.whole().digest,
        };
        Some(format!("sha256:{digest}"))
    }

    /// What an index's images are, and what refers to each.
    fn images(&self) -> impl Iterator<Item = &Referred> {
        let referred = match self {
            Self::Image { outcome: Ok(attested), .. } => attested.referred(),
            _ => &[],
        };
        referred.iter().skip(1)
    }
}

/// What happened, for people. `plain_http`: whether registries were asked without TLS.
pub fn vouched_text(key: &KeyUsed, all: &[Vouched], plain_http: bool) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, key, all, plain_http);
    out
}

fn write(out: &mut String, key: &KeyUsed, all: &[Vouched], plain_http: bool) -> fmt::Result {
    for Vouched { name, about } in all {
        match about.outcome() {
            Ok(receipt) => {
                writeln!(out, "attested      {name}{}", in_brackets(about))?;
                if let Some(digest) = about.digest() {
                    writeln!(out, "              {digest}")?;
                }
                writeln!(out, "              {}", receipt.bundle_uri())?;
                if let Some(lines) = receipt.lines_uri() {
                    writeln!(out, "              {lines}")?;
                }
                for why in receipt.unvouched() {
                    writeln!(out, "warning       {}", printable(redacted(why).as_bytes()))?;
                }
                for image in about.images() {
                    let platform = image.subject.platform().unwrap_or_else(|| "no platform".to_owned());
                    writeln!(out, "              {platform} sha256:{}", image.subject.digest)?;
                    writeln!(out, "              {}", image.attestation)?;
                }
            }
            Err(NotVouched { reason, remedy }) => {
                writeln!(out, "not attested  {name}: {reason}")?;
                if let Some(remedy) = remedy {
                    writeln!(out, "              help: {remedy}")?;
                }
            }
        }
    }
    let Some(first) = all.iter().find(|vouched| vouched.about.outcome().is_ok()) else { return Ok(()) };
    let artifact = shell_word(&first.name);
    let is_plain = plain_http && matches!(first.about, VouchedFor::Image { .. });
    let plain = if is_plain { "--plain-http " } else { "" };
    if let Some(identity) = &key.identity {
        writeln!(out, "signed as     {}", printable(identity.name.as_bytes()))?;
        writeln!(out, "              by the word of {}", printable(identity.issuer.as_bytes()))?;
        let options = printable(identity.options().as_bytes());
        return writeln!(out, "verify with   argo-attest verify {plain}{options} {artifact}");
    }
    writeln!(out, "signed with   {}", key.id)?;
    let file = key.public_file.as_deref().map_or_else(|| "FILE.pub".to_owned(), shell_word);
    if let (None, Some(private)) = (&key.public_file, &key.private) {
        writeln!(out, "public key    argo-attest public-key --key {} > FILE.pub", shell_word(private))?;
    }
    writeln!(out, "verify with   argo-attest verify {plain}--key {file} {artifact}")
}

/// How much of what was read.
fn in_brackets(about: &VouchedFor) -> String {
    match about {
        VouchedFor::Object { seen: Some(seen), .. } => format!(" ({})", HumanBytes(seen.info().size)),
        VouchedFor::Image { seen: Some(seen), .. } if seen.whole().kind.is_index() => {
            let count = seen.images().len();
            format!(" (an index of {count} image{})", if count == 1 { "" } else { "s" })
        }
        VouchedFor::Image { seen: Some(_), .. } => " (an image)".to_owned(),
        VouchedFor::Object { seen: None, .. } | VouchedFor::Image { seen: None, .. } => String::new(),
    }
}

/// The same as one JSON object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VouchedJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityJson<'a>>,
    artifacts: Vec<ArtifactJson<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_file: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactJson<'a> {
    artifact: &'a str,
    attested: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation_lines: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    not_vouched: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<ImageJson<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    digest: String,
    attestation: &'a str,
}

impl<'a> VouchedJson<'a> {
    /// The object.
    pub fn new(key: &'a KeyUsed, all: &'a [Vouched]) -> Self {
        let identity = key.identity.as_ref().map(IdentityJson::from);
        let key = KeyJson { id: &key.id, public_key_file: key.public_file.as_deref() };
        let key = Some(key).filter(|_| identity.is_none());
        Self { key, identity, artifacts: all.iter().map(ArtifactJson::from).collect() }
    }
}

impl<'a> From<&'a Vouched> for ArtifactJson<'a> {
    fn from(vouched: &'a Vouched) -> Self {
        let about = &vouched.about;
        let (receipt, no) = match about.outcome() {
            Ok(receipt) => (Some(receipt), None),
            Err(no) => (None, Some(no)),
        };
        let (object, image) = match about {
            VouchedFor::Object { seen, .. } => (seen.as_ref().map(Sighting::info), None),
            VouchedFor::Image { seen, .. } => (None, seen.as_ref().map(ImageSighting::whole)),
        };
        Self {
            artifact: &vouched.name,
            attested: receipt.is_some(),
            reason: no.map(|no| no.reason.as_str()),
            remedy: no.and_then(|no| no.remedy.as_deref()),
            digest: about.digest(),
            size: object.map(|info| info.size).or_else(|| image.map(|whole| whole.size)),
            etag: object.map(|info| info.revision.as_str()),
            version_id: object.and_then(|info| info.version_id.as_deref()),
            media_type: image.map(|whole| whole.kind.media_type()),
            attestation: receipt.map(Receipt::bundle_uri),
            attestation_lines: receipt.and_then(Receipt::lines_uri),
            not_vouched: receipt.map(Receipt::unvouched).unwrap_or_default(),
            images: about.images().map(ImageJson::from).collect(),
        }
    }
}

impl<'a> From<&'a Referred> for ImageJson<'a> {
    fn from(referred: &'a Referred) -> Self {
        Self {
            platform: referred.subject.platform(),
            digest: format!("sha256:{}", referred.subject.digest),
            attestation: &referred.attestation,
        }
    }
}
