//! What can be wrong with an S3 store's settings, and what to set instead.

use argo_attest_core::trouble::{Fault, Trouble};
use std::io;

use super::Reply;
use crate::net::TrustError;
use crate::store::{Source, StoreError};
use crate::token::InvalidToken;

/// Why settings do not make a store.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No credentials were given in any form.
    #[error("no credentials for S3 are set")]
    NoCredentials,
    /// One half of a pair of variables is set.
    #[error("{set} is set but {missing} is not")]
    Incomplete {
        /// The variable that is there.
        set: &'static str,
        /// The one it needs.
        missing: &'static str,
    },
    /// AWS's own hosts need a region.
    #[error("no region is set")]
    NoRegion,
    /// A variable's value is not usable. The value itself is not repeated.
    #[error("{name} {why}")]
    Variable {
        /// The variable or setting.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file that the settings name cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file, printable.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of a web identity token holds none that could be sent.
    #[error("the web identity token, {path}, is not sent")]
    Token {
        /// The file, printable.
        path: String,
        /// Why not.
        source: InvalidToken,
    },
    /// A file of CA certificates is not one.
    #[error("{path} is not a bundle of CA certificates in PEM")]
    CaBundle {
        /// The file, printable.
        path: String,
        /// What is wrong with it, if more than that it holds none.
        #[source]
        source: Option<Source>,
    },
    /// No trusted CA certificates are on this system.
    #[error("no CA certificates were found, and {0} is https")]
    NoCaCertificates(String),
    /// No request can be made from the settings.
    #[error("no request can be made with these settings")]
    Request(#[source] Source),
    /// STS did not exchange the web identity token for credentials.
    #[error("STS refused the web identity token: {0}")]
    WebIdentity(Box<Reply>),
    /// STS did not give a role's credentials.
    #[error("STS refused the role {role}: {reply}")]
    Role {
        /// The role's ARN, printable.
        role: String,
        /// STS's answer.
        reply: Box<Reply>,
    },
    /// The token for the container's credentials endpoint cannot be sent.
    #[error("the container's authorization token, {path}, is not sent")]
    ContainerToken {
        /// The file, printable.
        path: String,
        /// Why not.
        source: InvalidToken,
    },
    /// A profile was asked for where none is read.
    #[error("AWS_PROFILE names a profile, and this build of argo-attest, the one for pods, reads none")]
    NoProfiles,
    /// A profile that was asked for by its name is not there.
    #[error("there is no profile {profile} in {files}")]
    NoProfile {
        /// Its name, printable.
        profile: String,
        /// Where it was looked for, printable.
        files: String,
    },
    /// A file of profiles is none.
    #[error("{path} is not a file of AWS profiles: {said}")]
    ProfileFile {
        /// The file, printable.
        path: String,
        /// What AWS's parser said.
        said: String,
    },
    /// A profile's setting is not usable.
    #[error("{setting} of the profile {profile} {why}")]
    ProfileSetting {
        /// The profile's name, printable.
        profile: String,
        /// Where it is, printable.
        files: String,
        /// What is set.
        setting: &'static str,
        /// What is wrong with it. The value itself is not repeated.
        why: String,
    },
    /// A profile gives no credentials.
    #[error("the profile {profile} gives no credentials: {said}")]
    Profile {
        /// Its name, printable.
        profile: String,
        /// Where it is, printable.
        files: String,
        /// Why not, printable.
        said: String,
    },
    /// Who gives credentials gives none.
    #[error("{server} gives no credentials: {said}")]
    SignIn {
        /// Who.
        server: String,
        /// What it answered.
        said: String,
    },
}

impl ConfigError {
    /// Nobody to believe, where that is needed for a server.
    pub(super) fn trust(error: TrustError, needed_for: &str) -> Self {
        match error {
            TrustError::File { path, source } => Self::File { path, source },
            TrustError::Bundle { path, source } => Self::CaBundle { path, source },
            TrustError::NoneFound => Self::NoCaCertificates(needed_for.to_owned()),
        }
    }

    /// As the port tells it of a location or an object.
    pub fn about(self, uri: String) -> StoreError {
        StoreError::Config { uri, remedy: self.remedy(), source: Box::new(self) }
    }
}

impl Trouble for ConfigError {
    fn fault(&self) -> Fault {
        Fault::Usage
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoCredentials => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or give the service account a role; \
                on a command line AWS_PROFILE can name a profile, too"
                .to_owned(),
            Self::Incomplete { missing, .. } => format!("set {missing}"),
            Self::NoRegion => "set AWS_REGION, or AWS_ENDPOINT_URL_S3 for a store that is not AWS".to_owned(),
            Self::Variable { name, .. } => format!("correct {name}"),
            Self::File { path, .. } => format!("make {path} readable, or name another file"),
            Self::Token { .. } => {
                "set AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile, to the \
                token that the platform mounts, a JSON Web Token"
                    .to_owned()
            }
            Self::CaBundle { .. } => "set AWS_CA_BUNDLE to a file of PEM certificates".to_owned(),
            Self::NoCaCertificates(_) => {
                "set AWS_CA_BUNDLE to the CA certificates that the endpoint's certificate is signed by"
                    .to_owned()
            }
            Self::Request(_) => "check the endpoint, the bucket's name and the region".to_owned(),
            Self::WebIdentity(_) => "check AWS_ROLE_ARN, the role's trust policy for this service account, \
                and that the token is fresh"
                .to_owned(),
            Self::Role { .. } => "check the role's ARN, and its trust policy for who asks".to_owned(),
            Self::ContainerToken { .. } => "set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to the token that \
                the platform mounts, a JSON Web Token"
                .to_owned(),
            Self::NoProfiles => "unset it and give the service account a role, or set AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY; the whole program, whose image is argo-attest-cli, reads profiles"
                .to_owned(),
            Self::NoProfile { .. } => {
                "name one that is there in AWS_PROFILE, or its files in AWS_CONFIG_FILE and \
                AWS_SHARED_CREDENTIALS_FILE"
                    .to_owned()
            }
            Self::ProfileFile { path, .. } => format!("correct {path}"),
            Self::ProfileSetting { setting, files, .. } => format!("correct {setting} in {files}"),
            Self::Profile { profile, files, .. } => format!(
                "check the profile in {files}; if it is one of SSO, sign in again: aws sso login --profile {profile}"
            ),
            Self::SignIn { .. } => "check the role that the platform has for this service account".to_owned(),
        })
    }
}
