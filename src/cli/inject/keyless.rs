//! The sidecar of `inject` that signs without a key.

use argo_attest_core::contract::variable;
use argo_attest_core::inject::{Certifying, Witnessing};
use argo_attest_core::trouble::Trouble as _;
use clap::Args;

use super::super::keyless::HEADING;
use super::super::witness::{Address, address};
use super::{Exit, Failure};
use crate::signer::AUDIENCE;
use crate::witness::InvalidWitnesses;

/// The same options as of all that sign, of which the sidecar is told, with a token for it alone.
#[derive(Debug, Args)]
pub(super) struct InjectedKeylessArgs {
    /// Fulcio that gives the sidecar a certificate for its pod's token, in place of a key; needs
    /// --trusted-root-configmap, and --timestamp-url or a log of Rekor 1
    #[arg(long, value_name = "URL", env = variable::FULCIO_URL, help_heading = HEADING,
          conflicts_with_all = ["key_secret", "service_key", "key_id"])]
    fulcio_url: Option<Address>,
    /// Audience of the token, which the sidecar alone mounts [default: sigstore]
    #[arg(long, value_name = "AUDIENCE", env = variable::TOKEN_AUDIENCE, value_parser = audience,
          help_heading = HEADING)]
    token_audience: Option<String>,
}

impl InjectedKeylessArgs {
    /// Whether the sidecar is to sign without a key.
    pub(super) fn is_asked(&self) -> bool {
        self.fulcio_url.is_some()
    }

    /// What the sidecar is told, and mounts, if it is to sign without a key.
    ///
    /// Errors: an address that no token is sent to; what the sidecar would refuse whatever its trusted root; an
    /// audience for nobody.
    pub(super) fn injected(self, witnessing: &Witnessing) -> Result<Option<Certifying>, Failure> {
        let usage = |what: &str, remedy: &str| Err(Failure::new(Exit::Usage, what).remedy(remedy));
        let Some(fulcio) = address("--fulcio-url", self.fulcio_url.as_ref())? else {
            if self.token_audience.is_none() {
                return Ok(None);
            }
            return usage(
                "--token-audience is given, and no Fulcio that would take a token",
                "name it with --fulcio-url URL, or leave --token-audience out to sign with a key",
            );
        };
        if !fulcio.is_secure() && !fulcio.is_loopback() {
            return usage(
                "the address in --fulcio-url must be https: a token is sent there",
                "write https://",
            );
        }
        if witnessing.trusted_root.is_none() {
            return usage(
                &InvalidWitnesses::NoRootOfCertificates.to_string(),
                "name the config map with Fulcio's certificates: --trusted-root-configmap NAME, an entry \
                 trusted_root.json (cosign trusted-root create writes one)",
            );
        }
        let given = |name| witnessing.variables.iter().find(|(known, _)| *known == name);
        let promises = given(variable::REKOR_URL).is_some()
            && given(variable::REKOR_VERSION).is_none_or(|(_, version)| version == "1");
        if given(variable::TIMESTAMP_URL).is_none() && !promises {
            let error = InvalidWitnesses::UncertainTime;
            return usage(&error.to_string(), &error.remedy().unwrap_or_default());
        }
        let audience = self.token_audience.unwrap_or_else(|| AUDIENCE.to_owned());
        Ok(Some(Certifying { fulcio: fulcio.to_string(), audience }))
    }
}

/// One word: nothing else is an audience that anybody asks for, nor what a template would be filled in by.
fn audience(text: &str) -> Result<String, &'static str> {
    if text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains("{{") {
        Ok(text.to_owned())
    } else {
        Err("not an audience: printable ASCII without blanks, such as sigstore")
    }
}
