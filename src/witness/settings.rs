//! Whom to ask, as a user says it, and what of that cannot be.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::keys::PublicKey;
use argo_attest_core::proof::asking::Rekor2;
use argo_attest_core::proof::{InvalidRoot, MAX_TRUSTED_ROOT, TrustedRoot};
use argo_attest_core::secret::shown_path;
use argo_attest_core::trouble::{Fault, Trouble};

use super::error::NO_ED25519;
use super::exchange::Exchange;
use super::port::Witness;
use super::rekor::{Log1, Log2};
use super::timestamp::TimestampAuthority;
use super::witnesses::Witnesses;
use crate::environment::Env;
use crate::net::{InvalidProxy, Proxies, Trust};
use crate::regular_file::{self, Links, ReadError};
use crate::service::{Http, Limits, ServiceError};
use crate::store::s3::Endpoint;

/// Which of Rekor's interfaces a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogVersion {
    /// Of Rekor 1: it takes whole envelopes by any key, and promises when it took them.
    One,
    /// Of Rekor 2: it takes hashes of what P-256 keys signed, and says nothing of time.
    Two,
}

/// What becomes of an attestation for which somebody who was asked does not vouch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// There is none.
    #[default]
    Fail,
    /// It is there without their word, and that is told.
    Warn,
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Where it is.
    pub url: Endpoint,
    /// How it is spoken with.
    pub version: LogVersion,
}

/// Whom to ask, and by what to judge their answers. By default nobody is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WitnessSettings {
    /// The timestamp authority.
    pub timestamp_url: Option<Endpoint>,
    /// The log.
    pub log: Option<LogSettings>,
    /// What becomes of it if one of them does not vouch.
    pub on_failure: OnFailure,
    /// The file by which their answers are judged.
    pub trusted_root: Option<PathBuf>,
}

/// Settings by which nobody could vouch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWitnesses {
    /// An entry that nobody here can judge only looks like one.
    #[error("the log {url} cannot be believed without a trusted root")]
    NoRoot {
        /// The log.
        url: Endpoint,
    },
    /// The key signs what the log refuses.
    #[error("the log {url} is one of Rekor 2, which takes no signature by an {kind} key")]
    Key {
        /// The log.
        url: Endpoint,
        /// The key's kind.
        kind: &'static str,
    },
    /// Its entries say nothing of when.
    #[error(
        "the log {url} is one of Rekor 2, whose entries prove no time, and no timestamp authority is named"
    )]
    NoTime {
        /// The log.
        url: Endpoint,
    },
    /// The trusted root is not to be read.
    #[error("cannot read the trusted root {}", shown_path(path))]
    Unread {
        /// Its file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// It is none.
    #[error("{}", shown_path(path))]
    Root {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: InvalidRoot,
    },
    /// A certificate proves nothing without a time, and none is proven.
    #[error(
        "what is signed with a certificate, which holds for minutes, counts only by a proven time, and nobody is \
         asked for one"
    )]
    UncertainTime,
    /// Nobody could judge the certificate.
    #[error("a certificate cannot be believed without a trusted root")]
    NoRootOfCertificates,
    /// Verifiers would want an entry of a log.
    #[error(
        "the trusted root {} names a log, so that verifiers want what a certificate signed to be in it, and no log \
         is asked",
        shown_path(path)
    )]
    NotLogged {
        /// Its file.
        path: PathBuf,
    },
    /// It does not say whom to believe.
    #[error("the trusted root {} names no {what}, and {who} is to be asked", shown_path(path))]
    Nobody {
        /// Its file.
        path: PathBuf,
        /// Of which kind it names none.
        what: &'static str,
        /// Who is asked.
        who: String,
    },
    /// Variables that name proxies.
    #[error(transparent)]
    Proxies(#[from] InvalidProxy),
    /// Whom to believe over TLS is not known.
    #[error("{who} cannot be asked")]
    Unusable {
        /// Who.
        who: String,
        /// Why not.
        #[source]
        source: ServiceError,
    },
}

impl Trouble for InvalidWitnesses {
    fn fault(&self) -> Fault {
        match self {
            Self::Unread { source, .. } => source.fault(),
            Self::Root { .. } => Fault::Malformed,
            _ => Fault::Usage,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoRoot { .. } => {
                "name the file with the log's key: --trusted-root FILE (cosign trusted-root create \
                                    writes one)"
                    .to_owned()
            }
            Self::Key { .. } => NO_ED25519.to_owned(),
            Self::NoTime { .. } => "name one with --timestamp-url URL".to_owned(),
            Self::UncertainTime => {
                "name a timestamp authority with --timestamp-url URL, or a log of Rekor 1, which promises a time, with \
                 --rekor-url URL"
                    .to_owned()
            }
            Self::NoRootOfCertificates => {
                "name the file with Fulcio's certificates: --trusted-root FILE (cosign trusted-root create writes one)"
                    .to_owned()
            }
            Self::NotLogged { .. } => "name the log with --rekor-url URL, or give a trusted root without it".to_owned(),
            Self::Unread { .. } | Self::Root { .. } => {
                "fetch it again from who runs the log: cosign trusted-root create writes one".to_owned()
            }
            Self::Nobody { .. } => "add it to the trusted root, or do not ask it".to_owned(),
            Self::Proxies(error) => format!("correct {}", error.name),
            Self::Unusable { .. } => {
                "set SSL_CERT_FILE to a file of the CA certificates that its certificate is signed by"
                    .to_owned()
            }
        })
    }
}

impl WitnessSettings {
    /// Whether nobody is to be asked.
    pub fn is_nobody(&self) -> bool {
        self.timestamp_url.is_none() && self.log.is_none()
    }

    /// The trusted root by which certificates for what is signed count, if what is asked of others makes them count:
    /// nobody believes one without a time, nor, where the root names a log, without that.
    ///
    /// Errors: [`InvalidWitnesses`].
    pub fn for_certificates(&self) -> Result<Arc<TrustedRoot>, InvalidWitnesses> {
        let Some(path) = self.trusted_root.as_deref() else {
            return Err(InvalidWitnesses::NoRootOfCertificates);
        };
        let promises = self.log.as_ref().is_some_and(|log| log.version == LogVersion::One);
        if self.timestamp_url.is_none() && !promises {
            return Err(InvalidWitnesses::UncertainTime);
        }
        let root = self.root(path)?;
        if !root.names_a_certificate_authority() {
            let (what, who) = ("certificate authority", "Fulcio".to_owned());
            return Err(InvalidWitnesses::Nobody { path: path.to_owned(), what, who });
        }
        if root.names_a_log() && self.log.is_none() {
            return Err(InvalidWitnesses::NotLogged { path: path.to_owned() });
        }
        Ok(Arc::new(root))
    }

    /// Who is asked about what this key signs, if that makes sense; nobody is asked yet. A trusted root that was
    /// read [for certificates](Self::for_certificates) is `read` no second time: all are judged by the same.
    ///
    /// Errors: [`InvalidWitnesses`].
    pub fn open(
        &self,
        key: &PublicKey,
        read: Option<&Arc<TrustedRoot>>,
        env: &dyn Env,
        limits: Limits,
    ) -> Result<Witnesses, InvalidWitnesses> {
        let Self { timestamp_url, log, on_failure, trusted_root } = self;
        if self.is_nobody() {
            return Ok(Witnesses::nobody());
        }
        if let Some(LogSettings { url, version }) = log {
            let url = || url.clone();
            if *version == LogVersion::Two && !Rekor2::takes(key.key_type()) {
                return Err(InvalidWitnesses::Key { url: url(), kind: key.kind() });
            }
            if *version == LogVersion::Two && timestamp_url.is_none() {
                return Err(InvalidWitnesses::NoTime { url: url() });
            }
            if trusted_root.is_none() {
                return Err(InvalidWitnesses::NoRoot { url: url() });
            }
        }
        let root = match (read, trusted_root.as_deref()) {
            (Some(root), _) => Some(Arc::clone(root)),
            (None, path) => path.map(|path| self.root(path)).transpose()?.map(Arc::new),
        };
        let opening = Opening { trust: trust(env), proxies: Proxies::from_env(env)?, limits };
        let mut all: Vec<Box<dyn Witness>> = Vec::new();
        if let Some(LogSettings { url, version }) = log {
            let exchange = opening.exchange(url)?;
            all.push(match version {
                LogVersion::One => Box::new(Log1::new(exchange)),
                LogVersion::Two => Box::new(Log2::new(exchange)),
            });
        }
        if let Some(url) = timestamp_url {
            all.push(Box::new(TimestampAuthority::new(opening.exchange(url)?)));
        }
        Ok(Witnesses::new(all, root, *on_failure))
    }

    fn root(&self, path: &Path) -> Result<TrustedRoot, InvalidWitnesses> {
        let bytes = regular_file::read(path, Links::Followed, MAX_TRUSTED_ROOT)
            .map_err(|source| InvalidWitnesses::Unread { path: path.to_owned(), source })?;
        let root = TrustedRoot::read(&bytes)
            .map_err(|source| InvalidWitnesses::Root { path: path.to_owned(), source })?;
        let nobody = |what, url: &Endpoint| InvalidWitnesses::Nobody {
            path: path.to_owned(),
            what,
            who: url.to_string(),
        };
        match (&self.log, &self.timestamp_url) {
            (Some(log), _) if !root.names_a_log() => Err(nobody("log whose key can be used", &log.url)),
            (_, Some(url)) if !root.names_a_timestamp_authority() => Err(nobody("timestamp authority", url)),
            _ => Ok(root),
        }
    }
}

/// What all of them are opened with.
struct Opening {
    trust: Trust,
    proxies: Proxies,
    limits: Limits,
}

impl Opening {
    fn exchange(&self, url: &Endpoint) -> Result<Exchange, InvalidWitnesses> {
        let http = Http::new(url.is_secure(), &self.trust, self.proxies.clone(), self.limits);
        let http = http.map_err(|source| InvalidWitnesses::Unusable { who: url.to_string(), source })?;
        Ok(Exchange { http, endpoint: url.clone(), limits: self.limits })
    }
}

/// `SSL_CERT_FILE`, else the system's certificates. What a store is believed by is that store's alone.
pub(crate) fn trust(env: &dyn Env) -> Trust {
    let named = env.var("SSL_CERT_FILE").filter(|value| !value.is_empty());
    named.map_or(Trust::System, |path| Trust::Bundle(path.into()))
}

impl fmt::Display for LogVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "1",
            Self::Two => "2",
        })
    }
}
