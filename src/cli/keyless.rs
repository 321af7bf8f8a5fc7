//! Signing without a key of one's own, as commands that sign are told of it.

use std::path::PathBuf;

use argo_attest_core::contract::variable;
use argo_attest_core::secret::shown_path;
use clap::Args;

use super::witness::{Address, address};
use super::{Exit, Failure};
use crate::report::IdentityUsed;
use crate::signer::{AUDIENCE, Keyless, Signer, SigningKey, TokenSource};
use crate::witness::WitnessSettings;

/// Where the help has them.
pub(super) const HEADING: &str = "Without a key";

/// Options of all that sign.
#[derive(Debug, Args)]
pub(super) struct KeylessArgs {
    /// Fulcio that gives a certificate for an identity token, in place of --key; needs --trusted-root, and
    /// --timestamp-url or a log of Rekor 1
    #[arg(long, value_name = "URL", env = variable::FULCIO_URL, conflicts_with_all = ["key", "key_id"],
          help_heading = HEADING)]
    fulcio_url: Option<Address>,
    /// File with the identity token, such as a projected service account token [default: the variable
    /// `SIGSTORE_ID_TOKEN`]
    #[arg(long, value_name = "FILE", env = variable::IDENTITY_TOKEN, help_heading = HEADING)]
    identity_token: Option<PathBuf>,
    /// Audience that the token has to be for, and no other: one of the API server is never sent [default: sigstore]
    #[arg(long, value_name = "AUDIENCE", env = variable::TOKEN_AUDIENCE, help_heading = HEADING)]
    token_audience: Option<String>,
}

impl KeylessArgs {
    /// What signs, if it is no key; nobody is asked yet.
    ///
    /// Errors: an address that is none, or what is asked of others makes no certificate count; a token for nobody.
    pub(super) fn key(&self, witnesses: &WitnessSettings) -> Result<Option<SigningKey>, Failure> {
        let Some(fulcio) = address("--fulcio-url", self.fulcio_url.as_ref())? else {
            return self.in_vain().map_or(Ok(None), Err);
        };
        let root = witnesses.for_certificates().map_err(|e| Failure::from(&e))?;
        let token = self.identity_token.clone().map_or(TokenSource::Variable, TokenSource::File);
        let audience = self.token_audience.clone().unwrap_or_else(|| AUDIENCE.to_owned());
        Ok(Some(SigningKey::Keyless(Keyless::new(fulcio, token, root).for_audience(audience))))
    }

    /// Whether it is to be signed without a key.
    pub(super) fn is_asked(&self) -> bool {
        self.fulcio_url.is_some()
    }

    /// What is given for Fulcio, where none is named. Whoever gave it does not expect that a key signs.
    fn in_vain(&self) -> Option<Failure> {
        let (option, name) = match (&self.identity_token, &self.token_audience) {
            (Some(_), _) => ("--identity-token", variable::IDENTITY_TOKEN),
            (None, Some(_)) => ("--token-audience", variable::TOKEN_AUDIENCE),
            (None, None) => return None,
        };
        let message = format!("{option} is given, and no Fulcio that would take an identity token");
        let remedy = format!(
            "name it with --fulcio-url URL ({}), or leave {option} ({name}) out to sign with a key",
            variable::FULCIO_URL
        );
        Some(Failure::new(Exit::Usage, message).remedy(remedy))
    }
}

/// For whom the certificate is that signs, if one does, and how that is verified.
pub(super) fn identity(signer: &dyn Signer, witnesses: &WitnessSettings) -> Option<IdentityUsed> {
    let certified = signer.certified()?;
    let certificate = certified.certificate();
    Some(IdentityUsed {
        name: certificate.name().to_owned(),
        issuer: certificate.issuer().to_owned(),
        trusted_root: witnesses.trusted_root.as_deref().map(shown_path).unwrap_or_default(),
    })
}
